/* SPDX-License-Identifier: Apache-2.0
 *
 * From temporary file to key, the barrier, and removal.
 */
#include "plugins/storage-local/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "plugins/storage-local/durable.h"
#include "plugins/storage-local/pending.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define LOCK_FILE ".bakplane-tmp/if-match"

_Atomic bool bp_local_no_noreplace;

/* The directory that the last rename went to; neighbours in a sorted batch share it. */
struct target_dir {
    int fd; /* -1 = none */
    size_t len;
    char path[BP_KEY_MAX + 1];
};

static void
forget_dir(struct target_dir *dir)
{
    if (dir->fd >= 0) {
        (void)close(dir->fd); /* O_PATH or opened for reading */
    }
    dir->fd = -1;
}

static int
enter_dir(struct bp_storage *storage, struct target_dir *dir, const char *key)
{
    size_t len = bp_local_parent_len(key);
    if (dir->fd >= 0 && dir->len == len && memcmp(dir->path, key, len) == 0) {
        return 0;
    }
    forget_dir(dir);
    int fd = bp_local_make_parent(storage, key);
    if (fd < 0) {
        return fd;
    }
    dir->fd = fd;
    dir->len = len;
    memcpy(dir->path, key, len);
    return 0;
}

/* Makes `to` only if nothing has that name.  A link is exclusive everywhere, but on NFS a repeated
 * request may answer EEXIST to its own success: then the file has two names. */
static int
move_exclusive(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat st;
    if (!bp_local_no_noreplace && renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (!bp_local_no_noreplace && errno != EINVAL && errno != ENOSYS) {
        return -errno;
    }
    if (linkat(from_dir, from, to_dir, to, 0) != 0) {
        int errnum = errno;
        if (errnum != EEXIST || fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            st.st_nlink != 2) {
            return -errnum;
        }
    }
    (void)unlinkat(from_dir, from, 0); /* what stays goes at close */
    return 0;
}

static int
move_once(struct bp_storage *storage, struct target_dir *dir, const char *key, uint64_t number,
          bool exclusive)
{
    char name[BP_LOCAL_TMP_NAME];
    bp_local_tmp_name(number, name);
    int status = enter_dir(storage, dir, key);
    if (status < 0) {
        return status;
    }
    struct stat st;
    int from = storage->tmp->dir_fd;
    const char *base = bp_local_base(key);
    if (!exclusive && !bp_local_no_noreplace &&
        renameat2(from, name, dir->fd, base, RENAME_NOREPLACE) == 0) {
        return 0; /* nothing was in the way, as nearly always: no need to look */
    }
    if (fstatat(dir->fd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
        return -ELOOP; /* rename would silently replace the operator's link */
    }
    if (exclusive) {
        status = move_exclusive(from, name, dir->fd, base);
    } else {
        status = renameat(from, name, dir->fd, base) == 0 ? 0 : -errno;
    }
    /* An empty directory is no object and may not keep one away. */
    if ((status == -EISDIR || status == -EEXIST || status == -ENOTEMPTY) &&
        unlinkat(dir->fd, base, AT_REMOVEDIR) == 0) {
        return -ENOENT;
    }
    return status;
}

/* Repeats while a parallel remove takes empty directories away under us. */
static int
move_into_place(struct bp_storage *storage, struct target_dir *dir, const char *key,
                uint64_t number, bool exclusive)
{
    char name[BP_LOCAL_TMP_NAME];
    int status = -ENOENT;
    for (unsigned attempt = 0; status == -ENOENT && attempt < 64; attempt++) {
        status = move_once(storage, dir, key, number, exclusive);
        if (status == -ENOENT) {
            forget_dir(dir);
            bp_local_tmp_name(number, name);
            if (faccessat(storage->tmp->dir_fd, name, F_OK, 0) != 0) {
                return -ESTALE; /* our temporary file was taken away: no retry can help */
            }
        }
    }
    return status;
}

static bp_status
fail_move(struct bp_storage *storage, int errnum, const char *key, struct bp_error *error)
{
    if (errnum == EISDIR || errnum == ENOTEMPTY) {
        return bp_fail(error, BP_ERR_INVALID,
                       "cannot write %s/%s: it is a directory that holds other objects",
                       storage->set.root, key);
    }
    if (errnum == ENOTDIR) {
        /* Reading below a file finds nothing, but writing there is a wish that cannot be met. */
        bp_local_fail(storage, errnum, "write", key, error);
        error->cls = error->cls == BP_ERR_NOT_FOUND ? BP_ERR_INVALID : error->cls;
        return error->cls;
    }
    return bp_local_fail(storage, errnum, "write", key, error);
}

/* -1 and errno = ENOENT also when a parent is missing or no directory. */
static int
stat_key(struct bp_storage *storage, const char *key, struct stat *st)
{
    int dir = bp_local_open_parent(storage, key);
    if (dir < 0) {
        return dir == -ENOTDIR ? -ENOENT : dir;
    }
    int status = fstatat(dir, bp_local_base(key), st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
    (void)close(dir); /* O_PATH */
    return status;
}

static int
open_lock(struct bp_storage *storage)
{
    int dir = bp_local_open_parent(storage, LOCK_FILE);
    if (dir < 0) {
        return dir;
    }
    int fd = openat(dir, bp_local_base(LOCK_FILE), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    int status = fd >= 0 ? fd : -errno;
    (void)close(dir); /* O_PATH */
    return status;
}

/* The lock, or -EAGAIN while somebody has it or has just removed its file. */
static int
try_lock(struct bp_storage *storage)
{
    struct stat st;
    int fd = open_lock(storage);
    if (fd < 0) {
        return fd;
    }
    int status = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
    if (status == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
        return fd;
    }
    (void)close(fd); /* nothing was written */
    return status == 0 || status == -EINTR ? -EAGAIN : status;
}

/* One conditional change at a time among all processes: what was compared is what is replaced. */
static bp_status
lock_conditions(struct bp_storage *storage, const struct bp_op *op, int *lock,
                struct bp_error *error)
{
    struct bp_local_tmp *tmp;
    bp_status status = bp_local_tmp_get(storage, op, &tmp, error);
    if (status != BP_OK) {
        return status;
    }
    while ((*lock = try_lock(storage)) == -EAGAIN) {
        status = storage->host->sleep(op, 2 * 1000000);
        if (status != BP_OK) {
            return bp_fail(error, status, "waiting for the lock %s/" LOCK_FILE, storage->set.root);
        }
    }
    return *lock < 0 ? bp_local_fail(storage, -*lock, "lock", LOCK_FILE, error) : BP_OK;
}

void
bp_local_drop_lock_file(struct bp_storage *storage)
{
    int dir = storage->tmp == NULL ? -1 : bp_local_open_parent(storage, LOCK_FILE);
    int lock = dir < 0 ? -1 : try_lock(storage);
    if (lock >= 0) {
        (void)unlinkat(dir, bp_local_base(LOCK_FILE), 0); /* the next one makes it again */
        (void)close(lock);
    }
    if (dir >= 0) {
        (void)close(dir); /* O_PATH */
    }
}

static bp_status
check_version(struct bp_storage *storage, const char *key, const char *if_match, bool *missing,
              struct bp_error *error)
{
    struct stat st;
    int status = stat_key(storage, key, &st);
    *missing = status == -ENOENT;
    if (*missing) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s: it is gone, not at version %s", key,
                       if_match);
    }
    if (status < 0) {
        return bp_local_fail(storage, -status, "look at", key, error);
    }
    return bp_local_match(key, if_match, &st, error);
}

/* Renames the file, unless the key must be new and is not; a write of ours that still waits for the
 * barrier counts as there. */
static bp_status
move_now(struct bp_storage *storage, const struct bp_local_publish *file, struct bp_error *error)
{
    struct target_dir dir = {.fd = -1};
    bool exclusive = (file->flags & BP_WRITE_IF_NONE_MATCH) != 0;
    uint64_t older = bp_local_pending_overtake(storage, file->key);
    int status = -EEXIST;
    if (!exclusive || older == 0) {
        status = move_into_place(storage, &dir, file->key, file->number, exclusive);
        forget_dir(&dir);
    }
    bp_local_pending_settle(storage, file->key, older, status == 0);
    if (status == -EEXIST && exclusive) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s exists already", file->key);
    }
    return status == 0 ? BP_OK : fail_move(storage, -status, file->key, error);
}

static bp_status
publish_locked(struct bp_storage *storage, const struct bp_local_publish *file,
               struct bp_error *error)
{
    bp_status status = move_now(storage, file, error);
    if (status != BP_OK || (file->flags & BP_WRITE_DURABLE) == 0) {
        return status;
    }
    int synced = bp_local_sync_parents(storage, file->key);
    if (synced < 0) {
        bp_local_fail(storage, -synced, "make durable the directories of", file->key, error);
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
        return error->cls;
    }
    return BP_OK;
}

static bp_status
publish_now(struct bp_storage *storage, const struct bp_op *op, const struct bp_local_publish *file,
            struct bp_error *error)
{
    int lock = -1;
    bool missing;
    if (fsync(file->take_fd) != 0) {
        return bp_local_fail(storage, errno, "make durable", file->key, error);
    }
    if (file->if_match == NULL) {
        return publish_locked(storage, file, error);
    }
    bp_status status = lock_conditions(storage, op, &lock, error);
    if (status == BP_OK) {
        status = check_version(storage, file->key, file->if_match, &missing, error);
    }
    if (status == BP_OK) {
        status = publish_locked(storage, file, error);
    }
    if (lock >= 0) {
        (void)close(lock); /* lets go of it; nothing was written */
    }
    return status;
}

/* Network file systems report only now what they could not write back. */
static bp_status
finish_file(struct bp_storage *storage, const struct bp_local_publish *file, struct stat *st,
            struct bp_error *error)
{
    int errnum = fstat(file->take_fd, st) == 0 ? 0 : errno;
    if (close(file->take_fd) != 0 && errnum == 0 && errno != EINTR) {
        errnum = errno;
    }
    return errnum == 0 ? BP_OK : bp_local_fail(storage, errnum, "write", file->key, error);
}

bp_status
bp_local_publish(struct bp_storage *storage, const struct bp_op *op,
                 const struct bp_local_publish *file, struct bp_object_meta *out,
                 struct bp_error *error)
{
    struct stat st;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    bool at_once = file->flags != 0 || file->if_match != NULL;
    bp_status status = at_once ? publish_now(storage, op, file, error) : BP_OK;
    /* Past a failure, or an fsync, closing has nothing new to tell. */
    bp_status finished = finish_file(storage, file, &st, status == BP_OK ? error : &ignored);
    if (status == BP_OK) {
        status = finished;
    }
    if (status != BP_OK) {
        bp_local_tmp_remove(storage, file->number);
        return status;
    }
    bp_local_meta_fill(out, &st);
    if (!at_once) {
        size_t waiting;
        bp_local_pending_add(storage, file->key, file->number, &waiting);
        if (waiting >= BP_LOCAL_MAX_PENDING) {
            status = bp_local_sync(storage, op, error);
        }
    }
    return status;
}

static bp_status
move_batch(struct bp_storage *storage, GPtrArray *batch, struct bp_error *error)
{
    struct target_dir dir = {.fd = -1};
    bp_status status = BP_OK;
    for (guint i = 0; i < batch->len; i++) {
        struct bp_local_entry *entry = g_ptr_array_index(batch, i);
        if (!bp_local_pending_take(storage, entry)) {
            continue;
        }
        int moved = move_into_place(storage, &dir, entry->key, entry->number, false);
        if (moved < 0 && status == BP_OK) {
            status = fail_move(storage, -moved, entry->key, error);
        }
        bp_local_pending_renamed(storage, entry, moved == 0);
    }
    forget_dir(&dir);
    return status;
}

/* The kernel reports a lost write once; a second barrier would succeed without the bytes. */
static bp_status
flush(struct bp_storage *storage, int root, bool *lost, struct bp_error *error)
{
    if (syncfs(root) != 0) {
        *lost = true;
        return bp_fail_errno(error, errno, "cannot make durable what was written to %s",
                             storage->set.root);
    }
    return BP_OK;
}

bp_status
bp_local_sync(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    int root;
    bool lost = false;
    GPtrArray *batch;
    pthread_mutex_lock(&storage->lock);
    root = storage->root_fd;
    pthread_mutex_unlock(&storage->lock);
    if (root < 0) {
        return BP_OK; /* nothing was ever written */
    }
    bp_status status = bp_local_pending_begin(storage, op, &batch, error);
    if (status != BP_OK) {
        return status;
    }
    if (batch->len > 0) {
        status = flush(storage, root, &lost, error);
        if (status == BP_OK) {
            status = move_batch(storage, batch, error);
        }
    }
    if (status == BP_OK) {
        status = flush(storage, root, &lost, error);
    }
    bp_local_pending_end(storage, batch, lost ? error : NULL);
    return status;
}

static bp_status
unlink_key(struct bp_storage *storage, const char *key, struct bp_error *error)
{
    struct stat st;
    int dir = bp_local_open_parent(storage, key);
    if (dir == -ENOENT || dir == -ENOTDIR) {
        return BP_OK;
    }
    if (dir < 0) {
        return bp_local_fail(storage, -dir, "remove", key, error);
    }
    const char *base = bp_local_base(key);
    int errnum = fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
    if (errnum == 0 && S_ISLNK(st.st_mode)) {
        errnum = ELOOP;
    } else if (errnum == 0 && !S_ISDIR(st.st_mode)) {
        errnum = unlinkat(dir, base, 0) == 0 ? 0 : errno;
    }
    (void)close(dir); /* O_PATH */
    if (errnum != 0 && errnum != ENOENT) {
        return bp_local_fail(storage, errnum, "remove", key, error);
    }
    bp_local_prune(storage, key);
    return BP_OK;
}

bp_status
bp_local_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
                const char *if_match, struct bp_error *error)
{
    int root, lock = -1;
    bool missing = false;
    struct bp_error no_root = {.struct_size = sizeof(no_root)};
    bp_status status = bp_local_check_op(storage, op, error);
    if (status == BP_OK) {
        status = bp_local_check_key(key, error);
    }
    if (status != BP_OK) {
        return status;
    }
    if (bp_local_root(storage, BP_LOCAL_FAIL, &root, &no_root) != BP_OK) {
        if (no_root.cls == BP_ERR_NOT_FOUND) {
            return BP_OK;
        }
        (void)bp_fail(error, no_root.cls, "%s", no_root.message);
        error->sys_errno = no_root.sys_errno;
        return no_root.cls;
    }
    if (if_match != NULL) {
        status = lock_conditions(storage, op, &lock, error);
        if (status == BP_OK) {
            status = check_version(storage, key, if_match, &missing, error);
        }
    }
    if (status == BP_OK) {
        uint64_t older = bp_local_pending_overtake(storage, key);
        status = unlink_key(storage, key, error);
        bp_local_pending_settle(storage, key, older, status == BP_OK);
    }
    if (lock >= 0) {
        (void)close(lock); /* lets go of it; nothing was written */
    }
    return missing ? BP_OK : status;
}
