/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing goes to a temporary file, which gets its name at commit: nobody sees half an object.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"
#include "store.h"

#include "sdk/lib/ban.h"

/* `remove` takes empty directories along, and others may remove where we write. */
#define NAME_ATTEMPTS 100

struct bp_writer {
    struct bp_storage *storage;
    int fd;
    uint32_t flags;
    uint64_t size, written;
    char key[BP_KEY_MAX + 1];
    char tmp[128]; /* "" once the file has another name: somebody else's may have this one then */
};

static bp_status
open_tmp(struct bp_writer *writer, struct bp_error *error)
{
    int root = writer->storage->root_fd;
    if (mkdirat(root, TMP_DIR, 0777) != 0 && errno != EEXIST) {
        return fail_key(writer->storage, errno, "make", TMP_DIR, error);
    }
    do { /* other machines write to the same share */
        (void)snprintf(writer->tmp, sizeof(writer->tmp), TMP_DIR "/%llx-%lx-%lx",
                       (unsigned long long)time(NULL), (unsigned long)getpid(),
                       atomic_fetch_add(&writer->storage->serial, 1));
        writer->fd = openat(root, writer->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (writer->fd < 0 && errno == EEXIST);
    return writer->fd >= 0 ? BP_OK : fail_key(writer->storage, errno, "make", writer->tmp, error);
}

bp_status
write_open(struct bp_storage *storage, const struct bp_op *op, const struct bp_write_args *args,
           struct bp_writer **out, struct bp_error *error)
{
    bp_status status =
        bp_check_flags(args->flags, BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE, error);
    if (status == BP_OK) {
        status = begin(storage, op, args->key, error);
    }
    if (status == BP_OK && (args->if_match != NULL || args->checksum.kind != BP_CHECKSUM_NONE)) {
        /* `info` promises neither, so bakplane does not ask. */
        status = bp_fail(error, BP_ERR_UNSUPPORTED, "object %s: neither versions nor checksums",
                         args->key);
    }
    if (status != BP_OK) {
        return status;
    }
    struct bp_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to write %s", args->key);
    }
    writer->storage = storage;
    writer->flags = args->flags;
    writer->size = args->size;
    (void)snprintf(writer->key, sizeof(writer->key), "%s", args->key);
    status = open_tmp(writer, error);
    if (status != BP_OK) {
        free(writer);
        return status;
    }
    *out = writer;
    return BP_OK;
}

bp_status
write_all(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
          struct bp_error *error)
{
    const char *next = bytes;
    while (n > 0) {
        bp_status status = bp_check_op(writer->storage->host, op, error);
        if (status != BP_OK) {
            return status;
        }
        ssize_t done = write(writer->fd, next, n < CHUNK ? n : CHUNK);
        if (done < 0 && errno != EINTR) {
            return bp_fail_errno(error, errno, "cannot write %s/%s", writer->storage->root,
                                 writer->key);
        }
        if (done > 0) {
            next += done;
            n -= (size_t)done;
            writer->written += (uint64_t)done;
        }
    }
    return BP_OK;
}

static void
end_writer(struct bp_writer *writer)
{
    (void)close(writer->fd); /* synced, or given up */
    if (writer->tmp[0] != '\0') {
        (void)unlinkat(writer->storage->root_fd, writer->tmp, 0); /* swept away one day */
    }
    free(writer);
}

void
write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    (void)op; /* too short to be cancelled */
    end_writer(writer);
}

/* Length of the key's directory; 0 = it lies in the root. */
static size_t
parent_length(const char *key, size_t length)
{
    while (length > 0 && key[length - 1] != '/') {
        length--;
    }
    return length > 0 ? length - 1 : 0;
}

static int
make_parents(const struct bp_writer *writer)
{
    char path[BP_KEY_MAX + 1];
    for (const char *slash = strchr(writer->key, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        size_t n = (size_t)(slash - writer->key);
        memcpy(path, writer->key, n);
        path[n] = '\0';
        if (mkdirat(writer->storage->root_fd, path, 0777) != 0 && errno != EEXIST) {
            return errno;
        }
    }
    return 0;
}

/* A name is safe when its directory is, and that one's name in the directory above, up to the root.
 * Whoever removed the object meanwhile took its directory along. */
static int
sync_parents(const struct bp_writer *writer)
{
    char path[BP_KEY_MAX + 1];
    size_t n = strlen(writer->key);
    do {
        n = parent_length(writer->key, n);
        memcpy(path, writer->key, n);
        path[n] = '\0';
        int fd = openat(writer->storage->root_fd, n > 0 ? path : ".",
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int errnum = fd < 0 || fsync(fd) != 0 ? errno : 0;
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        if (errnum != 0 && errnum != ENOENT) {
            return errnum;
        }
    } while (n > 0);
    return 0;
}

/* A link is exclusive everywhere.  Over NFS a repeated request may find its own success. */
static int
name_new(const struct bp_writer *writer)
{
    struct stat st;
    int root = writer->storage->root_fd;
    if (linkat(root, writer->tmp, root, writer->key, 0) == 0) {
        return 0;
    }
    int errnum = errno;
    return errnum == EEXIST && fstat(writer->fd, &st) == 0 && st.st_nlink > 1 ? 0 : errnum;
}

static int
rename_file(struct bp_writer *writer)
{
    int root = writer->storage->root_fd;
    if (renameat(root, writer->tmp, root, writer->key) != 0) {
        return errno;
    }
    writer->tmp[0] = '\0';
    return 0;
}

static int
name_file(struct bp_writer *writer)
{
    int errnum = 0;
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        errnum = make_parents(writer);
        if (errnum == 0 && (writer->flags & BP_WRITE_IF_NONE_MATCH) != 0) {
            errnum = name_new(writer);
        } else if (errnum == 0) {
            errnum = rename_file(writer);
        }
        if (errnum != ENOENT) {
            break;
        }
    }
    return errnum;
}

static bp_status
fail_publish(struct bp_writer *writer, int errnum, struct bp_error *error)
{
    const char *root = writer->storage->root;
    bool exclusive = (writer->flags & BP_WRITE_IF_NONE_MATCH) != 0;
    if (exclusive && errnum == EEXIST) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s/%s exists already", root, writer->key);
    }
    if (exclusive && (errnum == EPERM || errnum == EOPNOTSUPP)) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "%s: its file system has no hard links", root);
    }
    if (errnum == ENOENT) {
        return bp_fail(error, BP_ERR_RETRYABLE, "object %s/%s: its directory was removed again",
                       root, writer->key);
    }
    if (errnum == ENOTDIR || errnum == EISDIR || errnum == ENOTEMPTY || errnum == EEXIST) {
        return bp_fail(error, BP_ERR_INVALID, "object %s/%s: a file and a directory of one name",
                       root, writer->key);
    }
    return bp_fail_errno(error, errnum, "cannot write %s/%s", root, writer->key);
}

static bp_status
publish(struct bp_writer *writer, struct bp_error *error)
{
    const struct bp_written written = {
        .key = writer->key, .announced = writer->size, .written = writer->written};
    bp_status status = bp_check_written(&written, error);
    if (status != BP_OK) {
        return status;
    }
    int errnum = fsync(writer->fd) == 0 ? name_file(writer) : errno;
    if (errnum == 0) {
        errnum = sync_parents(writer);
    }
    return errnum == 0 ? BP_OK : fail_publish(writer, errnum, error);
}

bp_status
write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
             struct bp_error *error)
{
    struct stat st;
    bp_status status = bp_check_op(writer->storage->host, op, error);
    if (status == BP_OK) {
        status = publish(writer, error);
    }
    if (status == BP_OK && fstat(writer->fd, &st) != 0) {
        status = bp_fail_errno(error, errno, "cannot look at %s", writer->key);
    }
    if (status == BP_OK) {
        fill_meta(out, &st);
    }
    end_writer(writer);
    return status;
}

bp_status
remove_object(struct bp_storage *storage, const struct bp_op *op, const char *key,
              const char *if_match, struct bp_error *error)
{
    char path[BP_KEY_MAX + 1];
    bp_status status = begin(storage, op, key, error);
    if (status != BP_OK) {
        return status;
    }
    if (if_match != NULL) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "object %s: no versions here", key);
    }
    if (unlinkat(storage->root_fd, key, 0) != 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR || errno == EISDIR;
        return missing ? BP_OK : fail_key(storage, errno, "remove", key, error);
    }
    (void)snprintf(path, sizeof(path), "%s", key);
    for (size_t n = parent_length(path, strlen(path)); n > 0; n = parent_length(path, n)) {
        path[n] = '\0';
        if (unlinkat(storage->root_fd, path, AT_REMOVEDIR) != 0) {
            break; /* something else lies there */
        }
    }
    return BP_OK;
}

void
sweep_tmp(struct bp_storage *storage)
{
    int fd = openat(storage->root_fd, TMP_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        return; /* nothing was ever written */
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtim.tv_sec < time(NULL) - TMP_SECONDS) {
            (void)unlinkat(fd, entry->d_name, 0); /* the next one tries again */
        }
    }
    (void)closedir(dir);
}
