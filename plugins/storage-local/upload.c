/* SPDX-License-Identifier: Apache-2.0
 *
 * Bookkeeping of uploads in parts.
 */
#include "plugins/storage-local/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/parts.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "plugins/storage-local/write.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

GHashTable *
bp_local_uploads_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                 (GDestroyNotify)bp_local_upload_unref);
}

struct bp_local_upload *
bp_local_upload_new(const struct bp_write_args *args, int take_fd, uint64_t number)
{
    struct bp_local_upload *upload = g_new0(struct bp_local_upload, 1);
    atomic_store(&upload->refs, 1);
    upload->key = g_strdup(args->key);
    upload->fd = take_fd;
    upload->number = number;
    upload->want = args->checksum;
    upload->parts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return upload;
}

void
bp_local_upload_unref(struct bp_local_upload *upload)
{
    if (atomic_fetch_sub(&upload->refs, 1) == 1) {
        (void)close(upload->fd); /* published through a descriptor of its own, or removed */
        g_hash_table_unref(upload->parts);
        g_free(upload->key);
        g_free(upload);
    }
}

void
bp_local_upload_key_name(uint64_t number, char *name)
{
    bp_local_tmp_name(number, name);
    g_strlcat(name, BP_LOCAL_KEY_SUFFIX, BP_LOCAL_KEY_NAME);
}

bp_status
bp_local_upload_describe(struct bp_storage *storage, struct bp_local_upload *upload,
                         struct bp_error *error)
{
    char name[BP_LOCAL_KEY_NAME];
    bp_local_upload_key_name(upload->number, name);
    int fd = openat(storage->tmp->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int status = fd < 0 ? -errno : bp_local_pwrite(fd, upload->key, strlen(upload->key), 0);
    if (fd >= 0 && close(fd) != 0 && status == 0) {
        status = -errno;
    }
    return status == 0
               ? BP_OK
               : bp_local_fail(storage, -status, "make a temporary file in", BP_LOCAL_TMP, error);
}

void
bp_local_upload_register(struct bp_storage *storage, struct bp_local_upload *upload)
{
    pthread_mutex_lock(&storage->lock);
    upload->open = true;
    g_hash_table_insert(storage->uploads, &upload->number, upload);
    pthread_mutex_unlock(&storage->lock);
}

bool
bp_local_upload_unregister(struct bp_storage *storage, struct bp_local_upload *upload)
{
    pthread_mutex_lock(&storage->lock);
    bool was_open = upload->open;
    upload->open = false;
    if (was_open) {
        g_hash_table_remove(storage->uploads, &upload->number);
    }
    pthread_mutex_unlock(&storage->lock);
    return was_open;
}

void
bp_local_upload_id(struct bp_storage *storage, uint64_t number, char *id)
{
    (void)snprintf(id, BP_LOCAL_UPLOAD_ID, "%s/%" PRIx64, storage->tmp->name, number);
}

bool
bp_local_upload_parse_id(const char *id, char *folder, size_t cap, uint64_t *number)
{
    const char *slash = strchr(id, '/');
    if (slash == NULL || slash == id || (size_t)(slash - id) >= cap || id[0] == '.' ||
        !g_ascii_isxdigit(slash[1])) {
        return false;
    }
    char *end;
    *number = g_ascii_strtoull(slash + 1, &end, 16);
    memcpy(folder, id, (size_t)(slash - id));
    folder[slash - id] = '\0';
    return *end == '\0' && *number != 0;
}

bool
bp_local_upload_is_ours(struct bp_storage *storage, const char *folder)
{
    pthread_mutex_lock(&storage->lock);
    bool ours = storage->tmp != NULL && strcmp(storage->tmp->name, folder) == 0;
    pthread_mutex_unlock(&storage->lock);
    return ours;
}

struct bp_local_upload *
bp_local_upload_ref(struct bp_storage *storage, const char *key, const char *id)
{
    char folder[128];
    uint64_t number;
    if (!bp_local_upload_parse_id(id, folder, sizeof(folder), &number) ||
        !bp_local_upload_is_ours(storage, folder)) {
        return NULL;
    }
    pthread_mutex_lock(&storage->lock);
    struct bp_local_upload *upload = g_hash_table_lookup(storage->uploads, &number);
    if (upload != NULL && strcmp(upload->key, key) != 0) {
        upload = NULL;
    }
    if (upload != NULL) {
        atomic_fetch_add(&upload->refs, 1);
    }
    pthread_mutex_unlock(&storage->lock);
    return upload;
}

void
bp_local_upload_forget(struct bp_storage *storage, struct bp_local_upload *upload)
{
    char name[BP_LOCAL_KEY_NAME];
    bp_local_upload_key_name(upload->number, name);
    (void)unlinkat(storage->tmp->dir_fd, name, 0); /* what stays goes at close */
}

void
bp_local_upload_discard(struct bp_storage *storage, struct bp_local_upload *upload)
{
    bp_local_upload_forget(storage, upload);
    bp_local_tmp_remove(storage, upload->number);
    bp_local_upload_unref(upload);
}

uint64_t
bp_local_upload_put(struct bp_storage *storage, struct bp_local_upload *upload, uint32_t number,
                    const struct bp_local_part *part)
{
    uint64_t generation = 0;
    struct bp_local_part *copy = g_new(struct bp_local_part, 1);
    *copy = *part;
    pthread_mutex_lock(&storage->lock);
    if (upload->open) {
        generation = copy->generation = ++upload->last_generation;
        g_hash_table_replace(upload->parts, GUINT_TO_POINTER(number), copy);
        copy = NULL;
    }
    pthread_mutex_unlock(&storage->lock);
    g_free(copy);
    return generation;
}

bool
bp_local_upload_get(struct bp_storage *storage, struct bp_local_upload *upload, uint32_t number,
                    struct bp_local_part *part)
{
    pthread_mutex_lock(&storage->lock);
    const struct bp_local_part *found =
        g_hash_table_lookup(upload->parts, GUINT_TO_POINTER(number));
    if (found != NULL) {
        *part = *found;
    }
    pthread_mutex_unlock(&storage->lock);
    return found != NULL;
}

void
bp_local_part_etag(uint32_t number, uint64_t generation, char *etag)
{
    (void)snprintf(etag, 64, "part-%" PRIu32 "-%" PRIu64, number, generation);
}
