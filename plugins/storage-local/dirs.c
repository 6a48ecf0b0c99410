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
static size_t
slot_of(const char *path)
{
    return g_str_hash(path) % BP_LOCAL_DIRS;
}

/* The directory in a slot, if it is that one and fresh, with one more reference; lock held. */
static struct bp_local_dir *
fresh(const struct bp_storage *storage, size_t slot, const char *path)
{
    struct bp_local_dir *dir = storage->dirs[slot];
    if (dir == NULL || strcmp(dir->path, path) != 0 ||
        g_get_monotonic_time() - dir->opened_us > MAX_AGE_US) {
        return NULL;
    }
    atomic_fetch_add(&dir->refs, 1);
    return dir;
}

/* NULL: the caller opens it and has to say so by filled(); the others wait for that, since many
 * workers reach a new directory at the same moment. */
static struct bp_local_dir *
find_or_claim(struct bp_storage *storage, size_t slot, const char *path)
{
    struct bp_local_dir *dir;
    pthread_mutex_lock(&storage->lock);
    while ((dir = fresh(storage, slot, path)) == NULL && storage->dir_opening[slot]) {
        pthread_cond_wait(&storage->changed, &storage->lock);
    }
    if (dir == NULL) {
        storage->dir_opening[slot] = true;
    }
    pthread_mutex_unlock(&storage->lock);
    return dir;
}

/* Ends a claim, with what was opened or NULL. */
static void
filled(struct bp_storage *storage, size_t slot, struct bp_local_dir *dir)
{
    struct bp_local_dir *old = NULL;
    pthread_mutex_lock(&storage->lock);
    if (dir != NULL) {
        old = storage->dirs[slot];
        storage->dirs[slot] = dir;
    }
    storage->dir_opening[slot] = false;
    pthread_cond_broadcast(&storage->changed);
    pthread_mutex_unlock(&storage->lock);
    bp_local_dir_put(old);
}

/* With one reference for the slot and one for the caller. */
static struct bp_local_dir *
dir_new(const char *path, int fd)
{
    size_t size = strlen(path) + 1;
    struct bp_local_dir *dir = g_malloc(sizeof(*dir) + size);
    atomic_init(&dir->refs, 2);
    dir->fd = fd;
    dir->opened_us = g_get_monotonic_time();
    memcpy(dir->path, path, size);
    return dir;
}

struct bp_local_dir *
bp_local_dir_get(struct bp_storage *storage, const char *key, bool make, int *errnum)
{
    char path[BP_KEY_MAX + 1];
    size_t len = bp_local_parent_len(key);
    memcpy(path, key, len);
    path[len] = '\0';

    size_t slot = slot_of(path);
    struct bp_local_dir *dir = find_or_claim(storage, slot, path);
    if (dir != NULL) {
        return dir;
    }
    int fd = make ? bp_local_make_parent(storage, key) : bp_local_open_parent(storage, key);
    if (fd >= 0) {
        dir = dir_new(path, fd);
    } else {
        *errnum = -fd;
    }
    filled(storage, slot, dir);
    return dir;
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
    struct bp_local_dir **slot = &storage->dirs[slot_of(dir->path)];
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
