/* SPDX-License-Identifier: Apache-2.0
 *
 * The directories that were used last.
 */
#include "plugins/storage-local/dirs.h"

#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"

#include "sdk/lib/ban.h"

#define MAX_AGE_US G_USEC_PER_SEC

/* Keys of one directory share a slot; the path decides. */
static struct bp_local_dir **
slot_of(struct bp_storage *storage, const char *path)
{
    return &storage->dirs[g_str_hash(path) % BP_LOCAL_DIRS];
}

static struct bp_local_dir *
find(struct bp_storage *storage, const char *path)
{
    pthread_mutex_lock(&storage->lock);
    struct bp_local_dir *dir = *slot_of(storage, path);
    if (dir != NULL &&
        (strcmp(dir->path, path) != 0 || g_get_monotonic_time() - dir->opened_us > MAX_AGE_US)) {
        dir = NULL;
    }
    if (dir != NULL) {
        atomic_fetch_add(&dir->refs, 1);
    }
    pthread_mutex_unlock(&storage->lock);
    return dir;
}

/* With one reference for the slot and one for the caller. */
static struct bp_local_dir *
keep(struct bp_storage *storage, const char *path, int fd)
{
    size_t size = strlen(path) + 1;
    struct bp_local_dir *dir = g_malloc(sizeof(*dir) + size);
    atomic_init(&dir->refs, 2);
    dir->fd = fd;
    dir->opened_us = g_get_monotonic_time();
    memcpy(dir->path, path, size);

    pthread_mutex_lock(&storage->lock);
    struct bp_local_dir **slot = slot_of(storage, path);
    struct bp_local_dir *old = *slot;
    *slot = dir;
    pthread_mutex_unlock(&storage->lock);
    bp_local_dir_put(old);
    return dir;
}

struct bp_local_dir *
bp_local_dir_get(struct bp_storage *storage, const char *key, bool make, int *errnum)
{
    char path[BP_KEY_MAX + 1];
    size_t len = bp_local_parent_len(key);
    memcpy(path, key, len);
    path[len] = '\0';

    struct bp_local_dir *dir = find(storage, path);
    if (dir != NULL) {
        return dir;
    }
    int fd = make ? bp_local_make_parent(storage, key) : bp_local_open_parent(storage, key);
    if (fd < 0) {
        *errnum = -fd;
        return NULL;
    }
    return keep(storage, path, fd);
}

void
bp_local_dir_put(struct bp_local_dir *dir)
{
    if (dir != NULL && atomic_fetch_sub(&dir->refs, 1) == 1) {
        (void)close(dir->fd); /* O_PATH or opened for reading */
        g_free(dir);
    }
}

void
bp_local_dir_forget(struct bp_storage *storage, struct bp_local_dir *dir)
{
    pthread_mutex_lock(&storage->lock);
    struct bp_local_dir **slot = slot_of(storage, dir->path);
    struct bp_local_dir *kept = *slot == dir ? dir : NULL;
    if (kept != NULL) {
        *slot = NULL;
    }
    pthread_mutex_unlock(&storage->lock);
    bp_local_dir_put(kept);
    bp_local_dir_put(dir);
}

void
bp_local_dirs_clear(struct bp_storage *storage)
{
    for (size_t i = 0; i < BP_LOCAL_DIRS; i++) {
        bp_local_dir_put(storage->dirs[i]);
        storage->dirs[i] = NULL;
    }
}
