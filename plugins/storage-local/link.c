/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying without bytes.
 */
#include "plugins/storage-local/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/dirs.h"
#include "plugins/storage-local/pending.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define ATTEMPTS 64

/* What is linked, and what came of it. */
struct source {
    const struct bp_copy_args *args;
    struct bp_local_dir *dir;
    const char *base;
    bool gone; /* from the directory that we have open */
    struct stat st;
};

/* The file is the one that the request wants. */
static bool
is_wanted(const struct source *source)
{
    char etag[64];
    const struct bp_copy_args *args = source->args;
    bp_local_etag(&source->st, etag);
    return S_ISREG(source->st.st_mode) &&
           (args->src_if_match == NULL || strcmp(args->src_if_match, etag) == 0) &&
           (args->size == BP_UNKNOWN || args->size == (uint64_t)source->st.st_size);
}

/* A name is linked, not an open file, so only the new name tells which file it was: what is not
 * wanted goes again, and is copied by its bytes or refused. */
static int
link_to(struct source *source, int dir, const char *name)
{
    struct stat st;
    if (linkat(source->dir->fd, source->base, dir, name, 0) != 0) {
        int errnum = errno;
        source->gone = errnum == ENOENT &&
                       fstatat(source->dir->fd, source->base, &st, AT_SYMLINK_NOFOLLOW) != 0;
        return source->gone ? -ESTALE : -errnum;
    }
    if (fstatat(dir, name, &source->st, AT_SYMLINK_NOFOLLOW) == 0 && is_wanted(source)) {
        return 0;
    }
    (void)unlinkat(dir, name, 0); /* a name without an item is swept by who resumes */
    return -ESTALE;
}

/* An object in the way is replaced through a temporary name.  Two names of one file are left alone
 * by rename, so the temporary one is removed in any case. */
static int
link_over(struct bp_storage *storage, struct source *source, int dir, const char *base)
{
    struct stat st;
    char name[BP_LOCAL_TMP_NAME];
    if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) {
        return -EISDIR; /* a link or a directory */
    }
    uint64_t number = bp_local_tmp_next(storage->tmp);
    bp_local_tmp_name(number, name);
    int status = link_to(source, storage->tmp->dir_fd, name);
    if (status == 0) {
        status = renameat(storage->tmp->dir_fd, name, dir, base) == 0 ? 0 : -errno;
        bp_local_tmp_remove(storage, number);
    }
    return status;
}

/* Repeats while a parallel remove takes empty directories away under us. */
static int
link_key(struct bp_storage *storage, struct source *source, const char *key, bool exclusive)
{
    int status = -ENOENT;
    const char *base = bp_local_base(key);
    for (unsigned attempt = 0; status == -ENOENT && attempt < ATTEMPTS; attempt++) {
        int errnum;
        struct bp_local_dir *dir = bp_local_dir_get(storage, key, true, &errnum);
        if (dir == NULL) {
            return -errnum;
        }
        status = link_to(source, dir->fd, base);
        if (status == -EEXIST && !exclusive) {
            status = link_over(storage, source, dir->fd, base);
        }
        if (status == -ENOENT) {
            bp_local_dir_forget(storage, dir);
        } else {
            bp_local_dir_put(dir);
        }
    }
    return status;
}

static bp_status
link_source(struct bp_storage *storage, const struct bp_op *op, struct source *source,
            struct bp_error *error)
{
    struct bp_local_tmp *tmp;
    const struct bp_copy_args *args = source->args;
    bool exclusive = (args->flags & BP_COPY_IF_NONE_MATCH) != 0;
    bp_status status = bp_local_tmp_get(storage, op, &tmp, error);
    if (status != BP_OK) {
        return status;
    }
    uint64_t older = bp_local_pending_overtake(storage, args->dst_key);
    int linked = -EEXIST;
    if (!exclusive || older == 0) {
        linked = link_key(storage, source, args->dst_key, exclusive);
    }
    bp_local_pending_settle(storage, args->dst_key, older, linked == 0);
    if (linked == -EEXIST && exclusive) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s exists already", args->dst_key);
    }
    return linked == 0 ? BP_OK : BP_ERR_UNSUPPORTED;
}

/* Once, from the directory as it is known. */
static bp_status
try_link(struct bp_storage *storage, const struct bp_op *op, struct source *source,
         struct bp_error *error)
{
    int errnum;
    struct bp_storage *from = source->args->src;
    source->gone = false;
    source->dir = bp_local_dir_get(from, source->args->src_key, false, &errnum);
    if (source->dir == NULL) {
        return BP_ERR_UNSUPPORTED;
    }
    bp_status status = link_source(storage, op, source, error);
    if (source->gone) {
        bp_local_dir_forget(from, source->dir);
    } else {
        bp_local_dir_put(source->dir);
    }
    return status;
}

bp_status
bp_local_copy_by_link(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_copy_args *args, struct bp_object_meta *out,
                      struct bp_error *error)
{
    struct source source = {.args = args, .base = bp_local_base(args->src_key)};
    if (!storage->set.link || (args->flags & BP_COPY_MAY_LINK) == 0 ||
        (args->flags & BP_COPY_NEED_CHECKSUM) != 0) {
        return BP_ERR_UNSUPPORTED;
    }
    bp_status status = try_link(storage, op, &source, error);
    if (source.gone) { /* perhaps the directory is another one by now */
        status = try_link(storage, op, &source, error);
    }
    if (status == BP_OK) {
        bp_local_meta_fill(out, &source.st);
    }
    return status;
}
