/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of an instance.
 */
#include "plugins/storage-local/info.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "plugins/storage-local/list.h"
#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

/* As a directory: with one '/' at the end. */
static void
put_dir(char *out, size_t cap, const char *path)
{
    size_t len = strlen(path);
    (void)snprintf(out, cap, "%s%s", path, len > 0 && path[len - 1] == '/' ? "" : "/");
}

bp_status
bp_local_info(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error; /* nothing here can fail */
    bp_info_clear(out);
    out->caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH |
                BP_STORE_IF_MATCH | BP_STORE_LIST_SORTED | BP_STORE_LIST_START_AFTER |
                BP_STORE_SERVER_COPY | BP_STORE_PARTS | BP_STORE_PARTS_PARALLEL |
                BP_STORE_PARTS_EXPIRE | BP_STORE_UNKNOWN_SIZE | BP_STORE_CHECKSUM_SHA256 |
                BP_STORE_STRONG_LIST;
    out->min_part = 1;
    out->max_part = BP_UNKNOWN;
    out->max_parts = UINT32_MAX;
    out->max_object = BP_UNKNOWN;
    out->max_copy = BP_UNKNOWN;
    out->max_list = BP_LOCAL_MAX_LIST;
    out->max_key_part = NAME_MAX;
    out->best_io = BP_LOCAL_CHUNK;
    (void)bp_put_identity(out->identity, sizeof(out->identity), "local:%s", storage->set.root);
    (void)snprintf(out->copy_scope, sizeof(out->copy_scope), "local");
    put_dir(out->local_root, sizeof(out->local_root), storage->set.root);
    if (storage->set.server_root != NULL) {
        put_dir(out->server_root, sizeof(out->server_root), storage->set.server_root);
    }
    return BP_OK;
}

/* A root that will be made lies on the file system of the nearest directory that exists. */
static int
space_of_path(const char *root, struct statvfs *fs)
{
    g_autofree char *path = g_strdup(root);
    int status = statvfs(path, fs);
    while (status != 0 && errno == ENOENT && path[1] != '\0') {
        char *slash = strrchr(path, '/');
        slash[slash == path ? 1 : 0] = '\0';
        status = statvfs(path, fs);
    }
    return status;
}

bp_status
bp_local_space(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
               struct bp_error *error)
{
    int root;
    struct statvfs fs;
    bp_status status = bp_local_check_op(storage, op, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_local_root(storage, BP_LOCAL_FAIL, &root, error);
    bool to_come = status == BP_ERR_NOT_FOUND && storage->set.create_root;
    if (status != BP_OK && !to_come) {
        return status;
    }
    if ((to_come ? space_of_path(storage->set.root, &fs) : fstatvfs(root, &fs)) != 0) {
        return bp_fail_errno(error, errno, "free space of %s", storage->set.root);
    }
    /* As df counts: what is kept back for root is neither in use nor available. */
    uint64_t in_use = (uint64_t)fs.f_blocks - fs.f_bfree;
    out->total = (in_use + fs.f_bavail) * fs.f_frsize;
    /* A backup of links fits wherever there are inodes: what is free says nothing about it. */
    out->available = storage->set.link ? BP_UNKNOWN : (uint64_t)fs.f_bavail * fs.f_frsize;
    return BP_OK;
}
