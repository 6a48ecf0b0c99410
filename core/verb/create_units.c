/* SPDX-License-Identifier: Apache-2.0
 *
 * Units of a create, several at a time: begin, name items into the copy engine while it copies,
 * look again when items vanished, prove, end.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/verb/create_run.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "create"

/* Rides through the engine with each item. */
static guint32
tag_of(guint32 unit, guint32 generation)
{
    return unit * BP_MAX_GENERATIONS + generation;
}

typedef struct {
    bp_create *create;
    bp_create_unit *unit;
    guint32 index;
    bp_copy_group *group;
    guint64 items;
    GError *error;  /* why the sink stopped */
    bool by_engine; /* what failed is the engine, perhaps because of another unit */
} unit_work;

/* Where the bytes are: a storage of the operator's, or the source itself. */
static bool
locate(unit_work *work, const struct bp_item *item, bp_copy_item *out)
{
    if (item->kind == BP_ITEM_STREAM) {
        out->run = work->create->run;
        out->unit_id = work->unit->record->id;
        out->src_key = item->id;
        return true;
    }
    const char *prefix = NULL;
    guint32 flags = 0;
    out->src = bp_refs_find(work->create->call.refs, item->ref, &prefix, &flags);
    if (out->src == NULL) {
        bp_set_error(&work->error, BP_ERR_INVALID,
                     "item %s lies on storage '%s', which is not configured", item->key, item->ref);
        return false;
    }
    out->src_key = item->ref_key;
    return true;
}

static bool
submit_item(void *ctx, const struct bp_item *item)
{
    unit_work *work = ctx;
    bp_create *create = work->create;
    g_autofree char *key = bp_catalog_key(create->manifest->name, item->key);
    bp_copy_item copy = {.dst_key = key,
                         .src_etag = item->etag,
                         .size = item->size,
                         .checksum = item->checksum,
                         .tag = tag_of(work->index, work->unit->generation)};
    if (!locate(work, item, &copy)) {
        return false;
    }
    struct bp_checksum known;
    if (create->writing.proven != NULL &&
        bp_proven_find(create->writing.proven, item->key, item->size, item->etag, &known)) {
        copy.already = true;
        copy.seen = bp_writing_sees(&create->writing, item->key, item->size);
        copy.checksum = known;
    }
    work->items++;
    work->by_engine = !bp_copy_submit(create->copy, work->group, &copy, &work->error);
    return !work->by_engine;
}

/* An attempt of one source call, as bp_retry wants it. */
typedef struct {
    bp_create *create;
    const char *unit;
    bool (*verb)(bp_source_run *, const bp_call *, const char *, GError **);
} unit_call;

static bool
try_unit_call(void *ctx, GError **error)
{
    const unit_call *c = ctx;
    return c->verb(c->create->run, &c->create->call, c->unit, error);
}

bool
bp_create_call_unit(bp_create *create, const char *unit,
                    bool (*verb)(bp_source_run *, const bp_call *, const char *, GError **),
                    GError **error)
{
    unit_call c = {.create = create, .unit = unit, .verb = verb};
    bp_retry_params retry = bp_workspace_retry_for(create->verb->workspace, &create->call);
    return bp_retry(&retry, try_unit_call, &c, error);
}

/* Names all items of the unit's generation to the engine and waits for them. */
static bool
copy_generation(unit_work *work, guint64 *stale, GError **error)
{
    bp_create *create = work->create;
    work->items = 0;
    bp_retry_params retry = bp_workspace_retry_for(create->verb->workspace, &create->call);
    bp_item_fns fns = {.item = submit_item, .ctx = work, .retry = &retry};
    bool listed =
        bp_source_unit_items(create->run, &create->call, work->unit->record->id, &fns, error);
    if (work->error != NULL) { /* our own reason is the first one */
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&work->error));
        listed = false;
    }
    bool copied = bp_copy_group_wait(create->copy, work->group, stale, listed ? error : NULL);
    work->by_engine = work->by_engine || (listed && !copied);
    return listed && copied;
}

/* Until a generation was copied of which nothing had vanished. */
static bool
copy_unit(unit_work *work, GError **error)
{
    const char *id = work->unit->record->id;
    while (true) {
        guint64 stale = 0;
        g_autoptr(GError) problem = NULL;
        bool fine = copy_generation(work, &stale, &problem);
        if (fine && stale == 0) {
            work->unit->named = work->items;
            return true;
        }
        if (!fine && !bp_error_is(problem, BP_ERR_STALE)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        if (work->unit->generation + 1 >= BP_MAX_GENERATIONS) {
            bp_set_error(error, BP_ERR_STALE,
                         "its data was rewritten %u times while it was being copied\nhint: run "
                         "again when the source is quieter, or let the source pin its data",
                         BP_MAX_GENERATIONS);
            return false;
        }
        BP_INFO("items vanished, looking again", "unit", work->unit->record->name);
        work->unit->generation++;
        atomic_store(&work->create->refreshed, true);
        if (!bp_create_call_unit(work->create, id, bp_source_unit_refresh, error)) {
            return false;
        }
    }
}

/* The source is asked what a restore must bring, as bp_retry wants it. */
typedef struct {
    const unit_work *work;
    struct bp_proof proof;
} proving;

static bool
try_prove(void *ctx, GError **error)
{
    proving *p = ctx;
    const bp_create *create = p->work->create;
    return bp_source_unit_prove(create->run, &create->call, p->work->unit->record->id, &p->proof,
                                error);
}

static bool
prove_unit(unit_work *work, GError **error)
{
    bp_manifest_unit *record = work->unit->record;
    proving p = {.work = work};
    bp_retry_params retry =
        bp_workspace_retry_for(work->create->verb->workspace, &work->create->call);
    if (!bp_retry(&retry, try_prove, &p, error)) {
        return false;
    }
    const struct bp_proof proof = p.proof;
    record->has_proof = true;
    record->unprovable = (proof.flags & BP_PROOF_UNPROVABLE) != 0;
    record->low = proof.low;
    record->high = proof.high;
    record->found = proof.found;
    record->note = *proof.note != '\0' ? g_strdup(proof.note) : NULL;
    if (work->items == 0 && !record->unprovable && proof.high > 0) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "the source has %" G_GUINT64_FORMAT " %s in it but named nothing to copy",
                     proof.high, work->create->manifest->proof_what);
        return false;
    }
    return true;
}

static bool
run_unit(unit_work *work, GError **error)
{
    bp_create *create = work->create;
    const char *id = work->unit->record->id;
    if (!bp_create_call_unit(create, id, bp_source_unit_begin, error)) {
        return false;
    }
    work->group = bp_copy_group_new(create->copy);
    bool fine = create->params->without_items || copy_unit(work, error);
    fine = fine && (create->params->without_items || prove_unit(work, error));
    bp_copy_group_free(work->group);

    bp_call undo = bp_call_undo(&create->call);
    bool cancelled = bp_cancel_is_set(bp_workspace_call(create->verb->workspace)->cancel);
    enum bp_outcome outcome = fine        ? BP_OUTCOME_DONE
                              : cancelled ? BP_OUTCOME_CANCELLED
                                          : BP_OUTCOME_FAILED;
    bool ended = bp_source_unit_end(create->run, fine ? &create->call : &undo, id, outcome,
                                    fine ? error : NULL);
    return fine && ended;
}

static void
set_failure(bp_create *create, GError *take_error)
{
    BP_LOCK_GUARD(&create->lock);
    if (create->failure == NULL) {
        create->failure = take_error;
    } else {
        g_error_free(take_error);
    }
    bp_cancel_trigger(create->cancel, 0); /* what still runs would be for nothing */
}

static bool
has_failed(bp_create *create)
{
    BP_LOCK_GUARD(&create->lock);
    return create->failure != NULL;
}

/* The engine's error comes to whoever waits first; it is about the unit of its item, or of none. */
static void
name_unit(const unit_work *work, GError **error)
{
    const bp_create_unit *unit = work->unit;
    guint32 tag = 0, generation = 0;
    if (work->by_engine) {
        bool known = bp_copy_failed_item(work->create->copy, &tag);
        unit = known ? bp_create_unit_of(work->create, tag, &generation) : NULL;
    }
    if (unit != NULL) {
        g_prefix_error(error, "%s %s: ", unit->record->kind, unit->record->name);
    }
}

static void *
unit_worker(void *ctx)
{
    bp_create *create = ctx;
    while (!has_failed(create)) {
        guint index = atomic_fetch_add(&create->next_unit, 1);
        if (index >= create->units->len) {
            break;
        }
        unit_work work = {.create = create,
                          .unit = &g_array_index(create->units, bp_create_unit, index),
                          .index = index};
        GError *error = NULL;
        if (!bp_cancel_check(create->call.cancel, &error) || !run_unit(&work, &error)) {
            name_unit(&work, &error);
            set_failure(create, error);
        }
    }
    return NULL;
}

bool
bp_create_run_units(bp_create *create, GError **error)
{
    guint wanted = (guint)bp_settings_u64(create->settings, "concurrency.units");
    const struct bp_source_info *facts = bp_source_facts(create->source);
    bool parallel = (facts->features & BP_SOURCE_CONCURRENT_UNITS) != 0;
    guint n = parallel ? CLAMP(create->units->len, 1, wanted) : 1;
    g_autofree pthread_t *threads = g_new(pthread_t, n);
    for (guint i = 0; i < n; i++) {
        bp_thread_start(&threads[i], unit_worker, create);
    }
    for (guint i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    if (create->failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&create->failure));
        return false;
    }
    return bp_copy_flush(create->copy, error);
}

struct bp_keepalive {
    bp_create *create;
    gint64 every_ns;
    bp_cancel *stop;
    pthread_t thread;
};

static void *
keepalive_run(void *ctx)
{
    bp_keepalive *keepalive = ctx;
    bp_call call = keepalive->create->call;
    call.cancel = keepalive->stop;
    while (bp_cancel_sleep_ns(keepalive->stop, keepalive->every_ns)) {
        g_autoptr(GError) error = NULL;
        if (!bp_source_run_keepalive(keepalive->create->run, &call, &error) &&
            !bp_error_is(error, BP_ERR_CANCELLED)) {
            bp_monitor_note(keepalive->create->verb->monitor, BP_NOTE_WARN, "keepalive",
                            error->message);
        }
    }
    return NULL;
}

bp_keepalive *
bp_keepalive_start(bp_create *create, guint32 every_ms)
{
    if (every_ms == 0) {
        return NULL;
    }
    bp_keepalive *keepalive = g_new0(bp_keepalive, 1);
    keepalive->create = create;
    keepalive->every_ns = every_ms * BP_NS_PER_MS;
    keepalive->stop = bp_cancel_new_child(create->cancel); /* a renewal on its way ends, too */
    bp_thread_start(&keepalive->thread, keepalive_run, keepalive);
    return keepalive;
}

void
bp_keepalive_stop(bp_keepalive *keepalive)
{
    if (keepalive != NULL) {
        bp_cancel_trigger(keepalive->stop, 0);
        pthread_join(keepalive->thread, NULL);
        bp_cancel_free(keepalive->stop);
        g_free(keepalive);
    }
}
