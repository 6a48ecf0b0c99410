/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing a tree back, line by line of its index.  Everything is made relative to open directories
 * below the target and no link is followed, so nothing can end up elsewhere, whatever the index
 * says or somebody puts there meanwhile.  A file is written under a temporary name, gets mode and
 * time, and is renamed.
 */
#define _GNU_SOURCE /* AT_SYMLINK_NOFOLLOW of fchmodat */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define PIECE ((size_t)4 << 20)

/* Owners are those of the process, so what would run as the owner or the group must not. */
#define MODE_BITS 01777

typedef bp_status (*entry_fn)(struct placing *self, const struct entry *entry, uint64_t at,
                              struct bp_error *error);

static bp_status
fail_at(const struct placing *self, const char *path, int problem, struct bp_error *error)
{
    return bp_fail_errno(error, problem, "%s/%s", self->path, path);
}

/* The directory that an entry lies in; usually that of the one before. */
static bp_status
open_parent(struct placing *self, const char *path, struct bp_error *error)
{
    size_t n = path_parent(path);
    if (self->parent >= 0 && strncmp(self->parent_path, path, n) == 0 &&
        self->parent_path[n] == '\0') {
        return BP_OK;
    }
    if (self->parent >= 0) {
        (void)close(self->parent); /* opened for reading */
    }
    self->parent = open_beneath(self->root, path, n, O_RDONLY | O_DIRECTORY);
    if (self->parent < 0) {
        return fail_at(self, path, -self->parent, error);
    }
    memcpy(self->parent_path, path, n);
    self->parent_path[n] = '\0';
    return BP_OK;
}

/* What is in the way and no directory. */
static bp_status
make_way(struct placing *self, const char *path, struct bp_error *error)
{
    return unlinkat(self->parent, path_base(path), 0) == 0 || errno == ENOENT
               ? BP_OK
               : fail_at(self, path, errno, error);
}

static bp_status
make_directory(struct placing *self, const char *path, struct bp_error *error)
{
    const char *name = path_base(path);
    struct stat st;
    if (strcmp(path, ".") == 0) {
        return BP_OK;
    }
    bp_status status = open_parent(self, path, error);
    if (status != BP_OK || mkdirat(self->parent, name, 0700) == 0) {
        return status;
    }
    if (errno != EEXIST || fstatat(self->parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_at(self, path, errno, error);
    }
    if (S_ISDIR(st.st_mode)) { /* of an interrupted run, or to be filled up */
        bool usable = (st.st_mode & 0700) == 0700 ||
                      fchmodat(self->parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0;
        return usable ? BP_OK : fail_at(self, path, errno, error);
    }
    status = make_way(self, path, error);
    return status != BP_OK || mkdirat(self->parent, name, 0700) == 0
               ? status
               : fail_at(self, path, errno, error);
}

/* Gives what was made under the temporary name its own, over what is there. */
static bp_status
publish(struct placing *self, const char *path, struct bp_error *error)
{
    const char *name = path_base(path);
    if (renameat(self->parent, TEMPORARY, self->parent, name) == 0) {
        return BP_OK;
    }
    if (errno == EISDIR && unlinkat(self->parent, name, AT_REMOVEDIR) == 0 &&
        renameat(self->parent, TEMPORARY, self->parent, name) == 0) {
        return BP_OK;
    }
    return fail_at(self, path, errno, error);
}

static bp_status
write_all(struct placing *self, int fd, const char *path, size_t n, struct bp_error *error)
{
    const char *bytes = self->buffer;
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR) {
            return fail_at(self, path, errno, error);
        }
        bytes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return BP_OK;
}

static bp_status
copy_content(struct placing *self, int fd, const struct entry *entry, uint64_t at,
             struct bp_error *error)
{
    char key[BP_KEY_MAX];
    item_key(self->tree, entry->path, at, key);
    for (uint64_t offset = 0; offset < entry->size;) {
        uint64_t left = entry->size - offset;
        size_t n = 0;
        const struct bp_read_args args = {.struct_size = sizeof(args),
                                          .key = key,
                                          .offset = offset,
                                          .length = left < PIECE ? left : PIECE};
        bp_status status =
            self->host->storage_read_small(self->op, self->ref, &args, self->buffer, &n, error);
        if (status == BP_OK && n < args.length) {
            status = bp_fail(error, BP_ERR_CORRUPT,
                             "%s of the backup ends at byte %" PRIu64 ", it must have %" PRIu64,
                             key, offset + n, entry->size);
        }
        if (status == BP_OK) {
            status = write_all(self, fd, entry->path, n, error);
        }
        if (status != BP_OK) {
            return status;
        }
        offset += n;
    }
    return BP_OK;
}

static bp_status
write_file(struct placing *self, const struct entry *entry, uint64_t at, struct bp_error *error)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, entry->mtime};
    (void)unlinkat(self->parent, TEMPORARY, 0); /* of an interrupted run; open says if it stays */
    int fd =
        openat(self->parent, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_at(self, entry->path, errno, error);
    }
    bp_status status = copy_content(self, fd, entry, at, error);
    if (status == BP_OK && (fchmod(fd, entry->mode & MODE_BITS) != 0 || futimens(fd, times) != 0)) {
        status = fail_at(self, entry->path, errno, error);
    }
    if (close(fd) != 0 && status == BP_OK) { /* where some file systems tell of a full disk */
        status = fail_at(self, entry->path, errno, error);
    }
    return status;
}

static bp_status
write_link(struct placing *self, const struct entry *entry, struct bp_error *error)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, entry->mtime};
    (void)unlinkat(self->parent, TEMPORARY, 0); /* as above */
    return symlinkat(entry->target, self->parent, TEMPORARY) == 0 &&
                   utimensat(self->parent, TEMPORARY, times, AT_SYMLINK_NOFOLLOW) == 0
               ? BP_OK
               : fail_at(self, entry->path, errno, error);
}

static bp_status
place_entry(struct placing *self, const struct entry *entry, uint64_t at, struct bp_error *error)
{
    if (entry->kind == 'd') {
        return make_directory(self, entry->path, error);
    }
    if (entry->kind != 'f' && entry->kind != 'l') {
        return BP_OK; /* "up" is for finish_directories */
    }
    bp_status status = open_parent(self, entry->path, error);
    if (status != BP_OK) {
        return status;
    }
    status =
        entry->kind == 'f' ? write_file(self, entry, at, error) : write_link(self, entry, error);
    if (status == BP_OK) {
        status = publish(self, entry->path, error);
    }
    if (status != BP_OK) {
        (void)unlinkat(self->parent, TEMPORARY, 0); /* the first error counts */
    }
    return status;
}

static bool
is_as_told(const struct placing *self, const struct entry *entry)
{
    char target[PATH_CAP];
    struct stat st;
    if (fstatat(self->parent, path_base(entry->path), &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    if (entry->kind == 'd') {
        return S_ISDIR(st.st_mode);
    }
    if (entry->kind == 'f') {
        return S_ISREG(st.st_mode) && (uint64_t)st.st_size == entry->size &&
               (st.st_mode & 07777) == (entry->mode & MODE_BITS);
    }
    ssize_t n = readlinkat(self->parent, path_base(entry->path), target, sizeof(target));
    return n >= 0 && (size_t)n == strlen(entry->target) &&
           memcmp(target, entry->target, (size_t)n) == 0;
}

static bp_status
count_entry(struct placing *self, const struct entry *entry, uint64_t at, struct bp_error *error)
{
    (void)at;
    if (entry->kind != 'd' && entry->kind != 'f' && entry->kind != 'l') {
        return BP_OK;
    }
    bp_status status = open_parent(self, entry->path, error);
    self->found += status == BP_OK && is_as_told(self, entry);
    return status;
}

static bp_status
finish_directory(struct placing *self, const struct entry *entry, uint64_t at,
                 struct bp_error *error)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, entry->mtime};
    (void)at;
    self->special +=
        (entry->kind == 'u' || entry->kind == 'f') && (entry->mode & ~(unsigned)MODE_BITS) != 0;
    if (entry->kind != 'u') {
        return BP_OK;
    }
    size_t n = strcmp(entry->path, ".") == 0 ? 0 : strlen(entry->path);
    int fd = open_beneath(self->root, entry->path, n, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        return fail_at(self, entry->path, -fd, error);
    }
    bool fine = futimens(fd, times) == 0 && fchmod(fd, entry->mode & MODE_BITS) == 0;
    bp_status status = fine ? BP_OK : fail_at(self, entry->path, errno, error);
    (void)close(fd); /* opened for reading */
    return status;
}

/* The index as it lies in the backup. */
struct stored_index {
    const struct placing *placing;
    char key[BP_KEY_MAX];
    uint64_t size;
};

static bp_status
fill_from_backup(void *ctx, uint64_t offset, void *buffer, size_t cap, size_t *n,
                 struct bp_error *error)
{
    const struct stored_index *index = ctx;
    const struct placing *placing = index->placing;
    uint64_t left = index->size > offset ? index->size - offset : 0;
    const struct bp_read_args args = {.struct_size = sizeof(args),
                                      .key = index->key,
                                      .offset = offset,
                                      .length = left < cap ? left : cap};
    *n = 0;
    return args.length == 0 ? BP_OK
                            : placing->host->storage_read_small(placing->op, placing->ref, &args,
                                                                buffer, n, error);
}

static bp_status
each_line(struct placing *self, struct lines *lines, entry_fn fn, struct bp_error *error)
{
    struct entry *entry = calloc(1, sizeof(*entry));
    uint64_t entries = 0;
    bp_status status = BP_OK;
    if (entry == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an index");
    }
    while (status == BP_OK) {
        uint64_t at = 0;
        status = bp_check_op(self->host, self->op, error);
        if (status == BP_OK) {
            status = lines_next(lines, entry, &at, error);
        }
        if (status != BP_OK) {
            break;
        }
        if (entry->kind == 'e') {
            status = entry->size == entries
                         ? BP_OK
                         : bp_fail(error, BP_ERR_CORRUPT,
                                   "the index has %" PRIu64 " entries and says %" PRIu64, entries,
                                   entry->size);
            break;
        }
        entries += entry->kind == 'd' || entry->kind == 'f' || entry->kind == 'l';
        status = fn(self, entry, at, error);
    }
    free(entry);
    return status;
}

static bp_status
each_entry(struct placing *self, entry_fn fn, struct bp_error *error)
{
    struct stored_index index = {.placing = self};
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    struct lines lines;
    index_key(self->tree, index.key);
    bp_status status = self->host->storage_stat(self->op, self->ref, index.key, &meta, error);
    if (status != BP_OK) {
        return status;
    }
    index.size = meta.size;
    status = lines_begin(&lines, fill_from_backup, &index, (size_t)1 << 20, 0, error);
    if (status == BP_OK) {
        self->parent = -1;
        status = each_line(self, &lines, fn, error);
        if (self->parent >= 0) {
            (void)close(self->parent); /* opened for reading */
        }
    }
    lines_end(&lines);
    return status;
}

bp_status
place_entries(struct placing *placing, struct bp_error *error)
{
    placing->buffer = placing->host->alloc(placing->op, PIECE);
    if (placing->buffer == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to restore %s", placing->path);
    }
    bp_status status = each_entry(placing, place_entry, error);
    placing->host->free(placing->buffer);
    placing->buffer = NULL;
    return status;
}

bp_status
count_entries(struct placing *placing, struct bp_error *error)
{
    placing->found = 0;
    return each_entry(placing, count_entry, error);
}

bp_status
finish_directories(struct placing *placing, struct bp_error *error)
{
    return each_entry(placing, finish_directory, error);
}
