/* SPDX-License-Identifier: Apache-2.0
 *
 * Restoring: which unit goes where, whether it may, and one job for each target that makes it.
 */
#define _GNU_SOURCE /* statx, syncfs */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/settings.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define MAX_JOBS 64
#define IDENTITY_CAP 96
#define KNOWN_FLAGS (BP_RESTORE_DRY_RUN | BP_RESTORE_FORCE | BP_RESTORE_WITHOUT_ITEMS)

struct target {
    char unit[TREE_CAP];
    char *path;
    char ours[IDENTITY_CAP], done[IDENTITY_CAP]; /* "" = none */
    int fd;                                      /* of the directory, once it is prepared */
    bool started;
};

struct bp_restore {
    const struct bp_source *source;
    char *backup_ref;
    bool overwrite, named, items; /* named: the operator said --into */
    uint32_t n_targets;
    struct target *targets;
};

static void
restore_free(struct bp_restore *restore)
{
    for (uint32_t i = 0; restore->targets != NULL && i < restore->n_targets; i++) {
        if (restore->targets[i].fd >= 0) {
            (void)close(restore->targets[i].fd); /* opened for reading */
        }
        free(restore->targets[i].path);
    }
    free(restore->targets);
    free(restore->backup_ref);
    free(restore);
}

/* The same as long as it is this directory, whatever is in it or becomes its name. */
static int
identity_of(int fd, char *out)
{
    struct statx st;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0) {
        return -1;
    }
    (void)snprintf(out, IDENTITY_CAP, "directory %u:%u %" PRIu64 " %" PRId64 ".%u",
                   st.stx_dev_major, st.stx_dev_minor, (uint64_t)st.stx_ino,
                   (int64_t)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    return 0;
}

/* Where the operator named a directory, what lies in it may be anybody's: no link is followed.  A
 * tree's own path was configured, and may lead over links. */
static int
open_target(const struct bp_restore *restore, const struct target *target)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (restore->named ? O_NOFOLLOW : 0);
    int fd = open(target->path, flags);
    return fd < 0 ? -errno : fd;
}

static bool
is_empty(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    bool empty = dir != NULL;
    const struct dirent *entry = NULL;
    while (empty && (entry = readdir(dir)) != NULL) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (dir != NULL) {
        (void)closedir(dir); /* opened for reading */
    } else if (copy >= 0) {
        (void)close(copy);
    }
    return empty;
}

static bp_status
check_place_for(const struct target *target, struct bp_error *error)
{
    char parent[PATH_CAP];
    size_t n = path_parent(target->path);
    if (n >= sizeof(parent)) {
        return bp_fail(error, BP_ERR_INVALID, "%s: the path is too long", target->path);
    }
    memcpy(parent, target->path, n);
    memcpy(parent + n, n == 0 ? "/" : "", n == 0 ? 2 : 1);
    return access(parent, W_OK | X_OK) == 0
               ? BP_OK
               : bp_fail_errno(error, errno, "%s is to be made, but %s", target->path, parent);
}

static bp_status
check_target(struct bp_restore *restore, struct target *target, struct bp_error *error)
{
    char identity[IDENTITY_CAP] = "";
    int fd = open_target(restore, target);
    if (fd == -ENOENT) {
        target->done[0] = '\0';
        return check_place_for(target, error);
    }
    if (fd < 0) {
        return bp_fail_errno(error, -fd, "%s", target->path);
    }
    bool same = identity_of(fd, identity) == 0;
    bool empty = is_empty(fd);
    (void)close(fd); /* opened for reading */
    if (!same || strcmp(identity, target->done) != 0) {
        target->done[0] = '\0';
    }
    bool ours = same && strcmp(identity, target->ours) == 0;
    if (target->done[0] == '\0' && !empty && !ours && !restore->overwrite) {
        return bp_fail(error, BP_ERR_EXISTS,
                       "%s is there and not empty; --overwrite replaces what has the same name in "
                       "it, --into makes the tree elsewhere",
                       target->path);
    }
    return BP_OK;
}

static bp_status
name_target(struct bp_restore *restore, const char *into, const struct bp_restore_pair *pair,
            struct target *target, struct bp_error *error)
{
    const char *name = pair->target_name;
    const struct tree *tree = source_tree(restore->source, name);
    (void)snprintf(target->unit, sizeof(target->unit), "%s", pair->unit_id);
    (void)snprintf(target->ours, IDENTITY_CAP, "%s", pair->ours != NULL ? pair->ours : "");
    (void)snprintf(target->done, IDENTITY_CAP, "%s", pair->done != NULL ? pair->done : "");
    if (strchr(name, '/') != NULL || path_check(name) != 0 || strcmp(name, ".") == 0) {
        return bp_fail(error, BP_ERR_INVALID, "\"%s\" cannot be the name of a directory", name);
    }
    if (into == NULL && tree == NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "no tree %s is configured: --into says where to make it", name);
    }
    size_t n = into != NULL ? strlen(into) + strlen(name) + 2 : strlen(tree->path) + 1;
    target->path = malloc(n);
    if (target->path == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for target %s", name);
    }
    (void)snprintf(target->path, n, "%s%s%s", into != NULL ? into : tree->path,
                   into != NULL ? "/" : "", into != NULL ? name : "");
    return BP_OK;
}

static struct bp_restore *
restore_new(const struct bp_source *source, const struct bp_restore_args *args)
{
    struct bp_restore *restore = calloc(1, sizeof(*restore));
    if (restore == NULL) {
        return NULL;
    }
    restore->source = source;
    restore->items = (args->flags & BP_RESTORE_WITHOUT_ITEMS) == 0;
    restore->overwrite = bp_setting_bool(source->host, args->options, "overwrite", false);
    restore->named = bp_setting_text(source->host, args->options, "into") != NULL;
    restore->backup_ref = strdup(args->backup_ref);
    restore->n_targets = args->n_pairs;
    restore->targets = calloc((size_t)args->n_pairs + 1, sizeof(*restore->targets));
    if (restore->backup_ref == NULL || restore->targets == NULL) {
        restore_free(restore);
        return NULL;
    }
    for (uint32_t i = 0; i < args->n_pairs; i++) {
        restore->targets[i].fd = -1;
    }
    return restore;
}

/* A later version of this plugin may mean other things by what it wrote. */
static bp_status
check_version(const struct bp_source *source, const struct bp_op *op, const char *ref,
              struct bp_error *error)
{
    static const char ours[] = "{\"version\": 1,";
    char text[sizeof(ours)] = "";
    size_t n = sizeof(text) - 1;
    const struct bp_read_args args = {
        .struct_size = sizeof(args), .key = COMMIT_DOCUMENT, .length = n};
    bp_status status = source->host->storage_read_small(op, ref, &args, text, &n, error);
    if (status == BP_OK && strcmp(text, ours) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         COMMIT_DOCUMENT " was not written by version 1 of its format; restore it "
                                         "with the plugin that wrote it");
    }
    return status;
}

bp_status
restore_begin(struct bp_source *source, const struct bp_op *op, const struct bp_restore_args *args,
              struct bp_restore_info *info, struct bp_restore **out, struct bp_error *error)
{
    bp_status status = bp_check_flags(args->flags, KNOWN_FLAGS, error);
    if (status == BP_OK) {
        status = check_version(source, op, args->backup_ref, error);
    }
    if (status != BP_OK) {
        return status;
    }
    struct bp_restore *restore = restore_new(source, args);
    if (restore == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a restore");
    }
    const char *into = bp_setting_text(source->host, args->options, "into");
    for (uint32_t i = 0; i < args->n_pairs && status == BP_OK; i++) {
        const struct bp_restore_pair *pair =
            (const void *)((const char *)args->pairs + (size_t)i * args->pair_stride);
        status = bp_check_flags(pair->flags, BP_PROOF_UNPROVABLE, error);
        if (status == BP_OK) {
            status = name_target(restore, into, pair, &restore->targets[i], error);
        }
        if (status == BP_OK) {
            status = check_target(restore, &restore->targets[i], error);
        }
    }
    if (status != BP_OK) {
        restore_free(restore);
        return status;
    }
    info->max_jobs = MAX_JOBS; /* no server that could be asked for too much */
    *out = restore;
    return BP_OK;
}

bp_status
target_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
               const struct bp_note_sink *notes, const struct bp_text_sink *identity,
               struct bp_error *error)
{
    struct target *target = &restore->targets[number];
    char text[IDENTITY_CAP];
    (void)op;
    (void)notes;
    if (target->done[0] != '\0') {
        return identity->text(identity->ctx, target->done) == 0
                   ? BP_OK
                   : bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
    }
    if (mkdir(target->path, 0700) != 0 && errno != EEXIST) {
        return bp_fail_errno(error, errno, "%s", target->path);
    }
    target->fd = open_target(restore, target);
    if (target->fd < 0 || identity_of(target->fd, text) != 0) {
        return bp_fail_errno(error, target->fd < 0 ? -target->fd : errno, "%s", target->path);
    }
    return identity->text(identity->ctx, text) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
}

bp_status
target_place(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
             const struct bp_place_sink *sink, struct bp_error *error)
{
    /* Nothing needs to be put anywhere: the job reads the backup through the host. */
    (void)restore, (void)op, (void)number, (void)sink, (void)error;
    return BP_OK;
}

bp_status
target_step(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
            const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *error)
{
    struct target *target = &restore->targets[number];
    (void)op;
    out->all_started = !restore->items || target->started;
    if (out->all_started != 0 || sink->free_jobs == 0) {
        return BP_OK;
    }
    if (sink->job(sink->ctx, target->unit, BP_UNKNOWN) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
    }
    target->started = true;
    out->all_started = 1;
    return BP_OK;
}

static struct placing
placing_of(const struct bp_restore *restore, const struct bp_op *op, uint32_t number)
{
    const struct target *target = &restore->targets[number];
    return (struct placing){.host = restore->source->host,
                            .op = op,
                            .ref = restore->backup_ref,
                            .tree = target->unit,
                            .path = target->path,
                            .root = target->fd,
                            .parent = -1};
}

/* The whole tree in one call: the host has a thread for each target, and asks one job at a time. */
bp_status
job_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t number, const char *token,
         struct bp_job_state *out, struct bp_error *error)
{
    if (strcmp(token, restore->targets[number].unit) != 0) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "there is no job %s", token);
    }
    struct placing placing = placing_of(restore, op, number);
    bp_status status = place_entries(&placing, error);
    out->phase = BP_JOB_DONE;
    return status;
}

bp_status
target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
             struct bp_proof *out, struct bp_error *error)
{
    struct placing placing = placing_of(restore, op, number);
    bp_status status = count_entries(&placing, error);
    out->found = placing.found;
    (void)snprintf(out->note, sizeof(out->note), "entries with the type, size and mode they had");
    return status;
}

bp_status
target_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
              const struct bp_note_sink *notes, struct bp_error *error)
{
    char text[128];
    struct placing placing = placing_of(restore, op, number);
    bp_status status = restore->items ? finish_directories(&placing, error) : BP_OK;
    if (placing.special > 0) {
        (void)snprintf(text, sizeof(text),
                       "%" PRIu64 " set-user-ID or set-group-ID bits are left out, as owners are",
                       placing.special);
        (void)notes->note(notes->ctx, BP_NOTE_WARN, "special-bits", text);
    }
    if (status == BP_OK && syncfs(placing.root) != 0) {
        status = bp_fail_errno(error, errno, "%s: writing to the disk", placing.path);
    }
    return status;
}

bp_status
restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
            struct bp_error *error)
{
    (void)op;
    (void)outcome;
    (void)error;
    restore_free(restore);
    return BP_OK;
}
