/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and ending uploads in parts: our own, and those that dead runs left behind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/parts.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "plugins/storage-local/upload.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

struct walk {
    struct bp_storage *storage;
    const char *prefix;
    const struct bp_key_sink *sink;
    bool end_them;
    int64_t before_ns;
    int tmp_fd;
};

/* The key that the small file tells, or NULL. */
static char *
read_key(int folder_fd, const char *name, int64_t *started_ns)
{
    char key[BP_KEY_MAX + 1];
    struct stat st;
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, key, sizeof(key) - 1);
    if (n >= 0 && fstat(fd, &st) != 0) {
        n = -1;
    }
    if (fd >= 0) {
        (void)close(fd); /* opened for reading */
    }
    if (n <= 0) {
        return NULL;
    }
    key[n] = '\0';
    *started_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return g_strdup(key);
}

static void
remove_files(int tmp_fd, const char *folder, uint64_t number)
{
    char name[BP_LOCAL_KEY_NAME];
    int fd = openat(tmp_fd, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    /* What stays goes with its folder. */
    bp_local_tmp_name(number, name);
    (void)unlinkat(fd, name, 0);
    bp_local_upload_key_name(number, name);
    (void)unlinkat(fd, name, 0);
    (void)close(fd); /* O_PATH */
}

/* 0 when it is gone now, or -errno; -EWOULDBLOCK when a living instance is at work on it. */
static int
end_upload(struct bp_storage *storage, int tmp_fd, const char *key, const char *id)
{
    char folder[128];
    uint64_t number;
    if (!bp_local_upload_parse_id(id, folder, sizeof(folder), &number)) {
        return -EINVAL;
    }
    if (bp_local_upload_is_ours(storage, folder)) {
        struct bp_local_upload *upload = bp_local_upload_ref(storage, key, id);
        if (upload != NULL && bp_local_upload_unregister(storage, upload)) {
            bp_local_upload_discard(storage, upload);
        } else if (upload != NULL) {
            bp_local_upload_unref(upload); /* another call was faster */
        }
        return 0;
    }
    int lock = bp_local_tmp_claim(storage, tmp_fd, folder);
    if (lock < 0) {
        return lock == -ENOENT ? 0 : lock;
    }
    remove_files(tmp_fd, folder, number);
    (void)close(lock); /* nothing was written */
    return 0;
}

static bp_status
visit(struct walk *walk, const char *folder, int folder_fd, const char *name,
      struct bp_error *error)
{
    int64_t started_ns;
    if (!g_str_has_suffix(name, BP_LOCAL_KEY_SUFFIX)) {
        return BP_OK;
    }
    g_autofree char *key = read_key(folder_fd, name, &started_ns);
    if (key == NULL || !g_str_has_prefix(key, walk->prefix)) {
        return BP_OK;
    }
    g_autofree char *id =
        g_strdup_printf("%s/%.*s", folder, (int)(strlen(name) - strlen(BP_LOCAL_KEY_SUFFIX)), name);
    if (walk->end_them &&
        (started_ns >= walk->before_ns || end_upload(walk->storage, walk->tmp_fd, key, id) != 0)) {
        return BP_OK;
    }
    if (walk->sink->key(walk->sink->ctx, key, id, started_ns, NULL) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the listing of uploads was stopped by its reader");
    }
    return BP_OK;
}

static bp_status
visit_folder(struct walk *walk, const struct bp_op *op, const char *folder, struct bp_error *error)
{
    bp_status status = bp_local_check_op(walk->storage, op, error);
    int fd = openat(walk->tmp_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        return status; /* gone, or not a folder, or another user's */
    }
    for (struct dirent *entry; status == BP_OK && (entry = readdir(dir)) != NULL;) {
        status = visit(walk, folder, fd, entry->d_name, error);
    }
    (void)closedir(dir);
    return status;
}

static bp_status
visit_all(struct walk *walk, const struct bp_op *op, struct bp_error *error)
{
    int root;
    bp_status status = bp_local_check_op(walk->storage, op, error);
    if (status == BP_OK) {
        status = bp_local_root(walk->storage, BP_LOCAL_FAIL, &root, error);
    }
    if (status != BP_OK) {
        return status == BP_ERR_NOT_FOUND && walk->storage->set.create_root ? BP_OK : status;
    }
    int fd = bp_local_open(walk->storage, BP_LOCAL_TMP, O_RDONLY | O_DIRECTORY);
    if (fd == -ENOENT) {
        return BP_OK;
    }
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        return bp_local_fail(walk->storage, fd < 0 ? -fd : errno, "list", BP_LOCAL_TMP, error);
    }
    walk->tmp_fd = fd;
    for (struct dirent *entry; status == BP_OK && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            status = visit_folder(walk, op, entry->d_name, error);
        }
    }
    (void)closedir(dir);
    return status;
}

bp_status
bp_local_uploads_list(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                      const struct bp_key_sink *sink, struct bp_error *error)
{
    struct walk walk = {.storage = storage, .prefix = prefix, .sink = sink};
    return visit_all(&walk, op, error);
}

bp_status
bp_local_uploads_abort(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                       int64_t before_ns, const struct bp_key_sink *sink, struct bp_error *error)
{
    struct walk walk = {
        .storage = storage,
        .prefix = prefix,
        .sink = sink,
        .end_them = true,
        .before_ns = before_ns,
    };
    return visit_all(&walk, op, error);
}

bp_status
bp_local_part_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
                    const char *id, struct bp_error *error)
{
    int root;
    bp_status status = bp_local_check_op(storage, op, error);
    if (status == BP_OK) {
        status = bp_local_check_key(key, error);
    }
    if (status == BP_OK) {
        status = bp_local_root(storage, BP_LOCAL_FAIL, &root, error);
    }
    if (status != BP_OK) {
        return status;
    }
    int tmp_fd = bp_local_open(storage, BP_LOCAL_TMP, O_PATH | O_DIRECTORY);
    int ended = tmp_fd == -ENOENT ? 0 : tmp_fd < 0 ? tmp_fd : end_upload(storage, tmp_fd, key, id);
    if (tmp_fd >= 0) {
        (void)close(tmp_fd); /* O_PATH */
    }
    if (ended == -EWOULDBLOCK) {
        return bp_fail(error, BP_ERR_DENIED, "object %s: upload %s belongs to a running process",
                       key, id);
    }
    return ended == 0 ? BP_OK : bp_local_fail(storage, -ended, "end the upload of", key, error);
}
