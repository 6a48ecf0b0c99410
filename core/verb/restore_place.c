/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the source reads a target's bytes: where they are, if that is proven, or from staging
 * that the copy engine fills, checking each item against the manifest on the way.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/catalog/keyset.h"
#include "core/verb/restore_run.h"
#include "core/verb/restore_sweep.h"
#include "core/verb/space.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "restore"

typedef struct {
    bp_restoring *restore;
    guint32 number;
    const bp_target *target;
    bp_copy *copy; /* made, as the group, with the first staged item; of its own, because an engine
                      that met an error stops for good, and other targets may go on */
    bp_copy_group *group;
    bp_keyset *named; /* keys in staging: another attempt names them again */
    GError *error;
} place_work;

/* Another process is going to list that directory; if it cannot, it sees nothing and says so to
 * nobody.  So the storage looks first. */
static bool
in_place(void *ctx, const char *prefix)
{
    place_work *work = ctx;
    bp_restoring *restore = work->restore;
    g_autofree char *key = bp_catalog_key(restore->view.manifest->name, prefix);
    BP_DEBUG("read in place", "target", work->target->path, "prefix", key);
    const char *theirs =
        restore->source_store != NULL ? bp_store_info(restore->source_store)->local_root : "";
    bool fine = bp_store_probe_server(restore->view.catalog->store, &restore->call, key,
                                      *theirs != '\0' ? theirs : NULL, &work->error);
    if (!fine && bp_error_is(work->error, BP_ERR_UNSUPPORTED)) {
        g_clear_error(&work->error); /* no such notion there: the proof of rows has to notice */
        return true;
    }
    return fine;
}

static bool
staged(void *ctx, const bp_copied *items, gsize n, GError **error)
{
    (void)ctx; /* staging is swept as a whole: nothing to remember of single items */
    (void)items;
    (void)n;
    (void)error;
    return true;
}

/* A worker tells us of an upload into staging: it goes on only when that is on record. */
static bool
journal_upload(void *ctx, const char *key, const char *upload, bool finished, GError **error)
{
    bp_restoring *restore = ctx;
    bp_leftover record = {
        .ref = restore->info.staging_ref, .key = (char *)key, .upload = (char *)upload};
    if (!bp_restore_journal_upload(restore->journal, &record, finished, error)) {
        return false;
    }
    if (finished || *upload == '\0') {
        return true;
    }
    /* Its id is on record now: that it began without one says no more. */
    record.upload = (char *)"";
    return bp_restore_journal_upload(restore->journal, &record, true, error);
}

/* Its share of workers and rate: as many of them may run as targets are worked on. */
static bp_copy *
new_engine(bp_restoring *restore)
{
    const bp_settings *s = restore->settings;
    guint share = restore->parallel;
    guint copies = (guint)bp_settings_u64(s, "concurrency.copies");
    guint64 rate = bp_settings_u64(s, "throttle");
    bp_copy_params params = {
        .dst = restore->staging,
        .call = &restore->call,
        .workers = MAX(copies / share, 1),
        .buffer_bytes = 1 << 20,
        .part_bytes = BP_COPY_PART_BYTES,
        .few_whole = true,
        .rate_bytes_per_s = rate > 0 ? MAX(rate / share, 1) : 0,
        .attempts = bp_workspace_retry(restore->verb->workspace).attempts,
        .max_delay_ns = bp_workspace_retry(restore->verb->workspace).max_delay_ns,
        .proven = staged,
        .upload = journal_upload,
        .ctx = restore,
        .batch_items = 1000,
        .batch_ns = 10 * BP_NS_PER_S,
    };
    return bp_copy_new(&params);
}

/* Once, by whoever needs it first; the others would have to wait for it anyway. */
static bool
begin_staging(bp_restoring *restore, GError **error)
{
    BP_LOCK_GUARD(&restore->staging_lock);
    if (restore->staged) {
        return true;
    }
    if (!restore->view.foreign && restore->index == NULL) {
        restore->index =
            bp_proven_from_manifest(restore->view.catalog, restore->view.manifest, error);
        if (restore->index == NULL) {
            return false;
        }
    }
    restore->staged = bp_restore_journal_staging(restore->journal, restore->info.staging_ref,
                                                 restore->info.staging_prefix, error);
    return restore->staged;
}

static bool
first_item(place_work *work)
{
    bp_restoring *restore = work->restore;
    if (!begin_staging(restore, &work->error) ||
        !bp_space_check(restore->staging, &restore->call, work->target->unit->bytes, "staging",
                        &work->error)) {
        return false;
    }
    work->copy = new_engine(restore);
    work->group = bp_copy_group_new(work->copy);
    return true;
}

static bool
stage(void *ctx, const char *item_key, const char *ref, const char *key)
{
    place_work *work = ctx;
    bp_restoring *restore = work->restore;
    if (strcmp(ref, restore->info.staging_ref) != 0 ||
        !g_str_has_prefix(key, restore->info.staging_prefix)) {
        bp_set_error(&work->error, BP_ERR_PERMANENT,
                     "plugin bug: staging of %s outside of the declared prefix", item_key);
        return false;
    }
    if (work->group == NULL && !first_item(work)) {
        return false;
    }
    if (!bp_keyset_add(work->named, key)) {
        return true;
    }
    g_autofree char *src_key = bp_catalog_key(restore->view.manifest->name, item_key);
    /* The record says what there has to be, and the engine compares: no request for each item.  Of
       a foreign backup the engine learns the size by itself, from what it reads. */
    bp_copy_item item = {.src = restore->view.catalog->store,
                         .src_key = src_key,
                         .dst_key = key,
                         .size = BP_UNKNOWN};
    if (restore->index != NULL &&
        !bp_proven_peek(restore->index, item_key, &item.size, &item.checksum)) {
        bp_set_error(&work->error, BP_ERR_CORRUPT, "%s is not in the manifest's record", src_key);
        return false;
    }
    return bp_copy_submit(work->copy, work->group, &item, &work->error);
}

static bool
wait_staged(place_work *work, GError **error)
{
    guint64 gone = 0;
    if (work->group == NULL) {
        return true;
    }
    if (!bp_copy_group_wait(work->copy, work->group, &gone, error)) {
        return false;
    }
    if (gone > 0) {
        bp_set_error(error, BP_ERR_CORRUPT, "%" G_GUINT64_FORMAT " items of the backup vanished",
                     gone);
        bp_error_add_hint(error, "bakplane verify -n %s names them",
                          work->restore->view.manifest->name);
        return false;
    }
    return bp_copy_flush(work->copy, error); /* visible to the server after the barrier */
}

static bool
try_place(void *ctx, GError **error)
{
    place_work *work = ctx;
    bp_restoring *restore = work->restore;
    bp_place_fns fns = {.in_place = in_place, .stage = stage, .ctx = work};
    bool placed =
        bp_source_target_place(restore->restore, &restore->call, work->number, &fns, error);
    if (work->error != NULL) { /* our own reason comes before the source's "cancelled" */
        g_clear_error(error);
        return true;
    }
    return placed;
}

bool
bp_restore_place(bp_restoring *restore, guint32 target, GError **error)
{
    place_work work = {.restore = restore,
                       .number = target,
                       .target = g_ptr_array_index(restore->targets, target),
                       .named = bp_keyset_new()};
    bp_retry_params retry = bp_workspace_retry_for(restore->verb->workspace, &restore->call);
    bool placed = bp_retry(&retry, try_place, &work, error);
    if (work.error != NULL) {
        g_propagate_error(error, work.error);
        placed = false;
    }
    placed = placed && wait_staged(&work, error);
    bp_keyset_free(work.named);
    bp_copy_group_free(work.group);
    bp_copy_free(work.copy); /* nothing of it is written from here on */
    return placed;
}

/* Staging that was declared, of dead runs and of this one. */
static bool
sweep_staging(bp_restoring *restore, const bp_call *call, GError **error)
{
    const GPtrArray *leftovers = bp_restore_journal_leftovers(restore->journal);
    for (guint i = 0; i < leftovers->len; i++) {
        const bp_leftover *leftover = g_ptr_array_index(leftovers, i);
        if (leftover->upload != NULL) {
            continue;
        }
        BP_INFO("sweeping staging of an interrupted restore", "prefix", leftover->key);
        if (!bp_sweep_prefix(restore->verb->workspace, call, leftover->ref, leftover->key, error)) {
            return false;
        }
    }
    return !restore->staged ||
           bp_sweep_prefix(restore->verb->workspace, call, restore->info.staging_ref,
                           restore->info.staging_prefix, error);
}

/* Uploads that could not be aborted, to be noted again.  Returns: (transfer container) */
static GPtrArray *
abort_uploads(bp_restoring *restore, const bp_call *call)
{
    const GPtrArray *leftovers = bp_restore_journal_leftovers(restore->journal);
    GPtrArray *failed = g_ptr_array_new();
    for (guint i = 0; i < leftovers->len; i++) {
        bp_leftover *leftover = g_ptr_array_index(leftovers, i);
        if (leftover->upload != NULL &&
            !bp_sweep_upload(restore->verb->workspace, call, leftover)) {
            g_ptr_array_add(failed, leftover);
        }
    }
    return failed;
}

/*
 * Removing much staging takes longer than undoing may: only who was stopped is short of time.  The
 * end of the verb's own leaves it what every undoing has.
 */
static bp_call
sweeping_call(const bp_restoring *restore)
{
    const bp_call *call = &restore->call;
    bp_call sweep = bp_call_undo(call);
    if (!bp_cancel_is_set(call->cancel)) {
        sweep.cancel = sweep.cancel != NULL ? sweep.cancel : call->cancel;
        sweep.deadline_ns = call->deadline_ns != 0 ? MAX(call->deadline_ns, sweep.deadline_ns) : 0;
    }
    return sweep;
}

bool
bp_restore_sweep(bp_restoring *restore, GError **error)
{
    bp_call call = sweeping_call(restore);
    if (!restore->staged && bp_restore_journal_leftovers(restore->journal)->len == 0) {
        return true;
    }
    g_autoptr(GPtrArray) failed = abort_uploads(restore, &call);
    bool swept =
        sweep_staging(restore, &call, error) && bp_restore_journal_swept(restore->journal, error);
    for (guint i = 0; swept && i < failed->len; i++) {
        swept =
            bp_restore_journal_upload(restore->journal, g_ptr_array_index(failed, i), false, error);
    }
    return swept;
}
