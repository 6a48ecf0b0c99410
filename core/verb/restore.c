/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane restore: checks everything that can be checked before the target is touched, restores
 * each target, sweeps staging whatever happened, and says of every target what it is now.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/thread.h"
#include "core/verb/restore_run.h"
#include "core/verb/verify.h"

#include "sdk/lib/ban.h"

/* The backup's own files first: a damaged one is refused before anything else happens. */
static bool
verify_backup(bp_restoring *restore, GError **error)
{
    if (restore->params->without_items) {
        return true;
    }
    g_autoptr(GHashTable) units = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        g_hash_table_add(units, target->unit->id);
    }
    const char *level = bp_settings_get(restore->settings, "verify");
    bp_verify_params params = {.view = &restore->view,
                               .call = &restore->call,
                               .units = units,
                               .deep = strcmp(level, "deep") == 0};
    g_autoptr(json_t) problems = json_array();
    bp_verify_sums sums = {0};
    if (!bp_verify_view(&params, &sums, problems, error)) {
        return false;
    }
    if (sums.missing + sums.truncated + sums.altered == 0) {
        return true;
    }
    const char *became = bp_view_became(&restore->view);
    if (became != NULL) {
        bp_set_error(error, BP_ERR_STALE,
                     "backup %s was %s while it was looked at; nothing was restored",
                     restore->params->name, became);
        return false;
    }
    const char *first = bp_json_text(json_array_get(problems, 0), "key", "?");
    const char *what = bp_json_text(json_array_get(problems, 0), "problem", "?");
    bp_set_error(error, BP_ERR_CORRUPT,
                 "backup %s is damaged: %" G_GUINT64_FORMAT " missing, %" G_GUINT64_FORMAT
                 " truncated, %" G_GUINT64_FORMAT " altered objects (%s: %s)\nhint: nothing was "
                 "restored; bakplane verify -n %s --deep lists them all",
                 restore->params->name, sums.missing, sums.truncated, sums.altered, first, what,
                 restore->params->name);
    return false;
}

/* Which backup and which options, as text: what a run with the same has completed may stay. */
static char *
what_is_wanted(const bp_restoring *restore, const bp_key_table *options)
{
    const bp_manifest *manifest = restore->view.manifest;
    GString *text = g_string_new(manifest->name);
    g_string_append_printf(text, " %s %" G_GINT64_FORMAT "%s",
                           manifest->run_id != NULL ? manifest->run_id : "", manifest->started_ns,
                           restore->params->without_items ? " without items" : "");
    for (guint32 i = 0; i < options->n; i++) {
        const char *name = bp_key_table_at(options, i)->name;
        for (gsize k = 0; k < bp_settings_count(restore->settings, name); k++) {
            const char *value = bp_settings_at(restore->settings, name, k);
            g_string_append_printf(text, " %s=%s", name, value != NULL ? value : "");
        }
    }
    return g_string_free(text, FALSE);
}

static bool
open_journal(bp_restoring *restore, GError **error)
{
    bp_module *module = bp_workspace_source_module(restore->verb->workspace, error);
    if (module == NULL) {
        return false;
    }
    g_autofree char *dir = bp_workspace_state_dir(restore->verb->workspace, error);
    if (dir == NULL) {
        return false;
    }
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    for (guint i = 0; i < restore->targets->len; i++) {
        g_ptr_array_add(paths, ((bp_target *)g_ptr_array_index(restore->targets, i))->path);
    }
    g_ptr_array_add(paths, NULL);
    bp_key_table options = bp_module_restore_keys(module);
    g_autofree char *wanted = what_is_wanted(restore, &options);
    bp_restore_journal_params params = {
        .state_dir = dir,
        .address = bp_source_facts(restore->view.source)->address,
        .run_id = restore->run_id,
        .backup = restore->params->name,
        .job = restore->verb->id,
        .wanted = wanted,
        .targets = (const char *const *)paths->pdata,
    };
    restore->journal = restore->params->dry_run ? bp_restore_journal_look(&params, error)
                                                : bp_restore_journal_open(&params, error);
    return restore->journal != NULL;
}

/* A directory that the server may not enter looks empty to it, and it says so to nobody. */
static bool
server_may_read(bp_restoring *restore, guint32 *flags, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *prefix = bp_catalog_key(restore->view.manifest->name, "");
    const char *theirs = bp_store_info(restore->source_store)->local_root;
    if (bp_store_probe_server(restore->view.catalog->store, &restore->call, prefix,
                              *theirs != '\0' ? theirs : NULL, &problem) ||
        bp_error_is(problem, BP_ERR_UNSUPPORTED)) {
        return true;
    }
    if (!bp_error_is(problem, BP_ERR_DENIED)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    bp_monitor_note(restore->verb->monitor, BP_NOTE_INFO, "not-in-place", problem->message);
    *flags |= BP_VIEW_SERVER_DENIED;
    return true;
}

/*
 * Whoever may write makes the scratch object.  Where neither may, nothing is proven, and a restore
 * that stages finds out by itself what it lacks.
 */
static bool
prove_same(const bp_restoring *restore, bp_store *theirs, bp_store *ours, bool *same,
           GError **error)
{
    g_autoptr(GError) denied = NULL;
    *same = theirs == ours;
    if (*same || bp_store_prove_same(theirs, ours, &restore->call, same, &denied)) {
        return true;
    }
    if (bp_error_is(denied, BP_ERR_DENIED)) {
        g_clear_error(&denied);
        if (bp_store_prove_same(ours, theirs, &restore->call, same, &denied)) {
            return true;
        }
    }
    *same = false;
    if (bp_error_is(denied, BP_ERR_DENIED)) {
        bp_monitor_note(restore->verb->monitor, BP_NOTE_INFO, "not-in-place", denied->message);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&denied));
    return false;
}

static bool
see_piece(void *ctx, const bp_ref_piece *piece, GError **error)
{
    return bp_restore_reads_take(ctx, piece, error);
}

static bool
watch_reads(bp_restoring *restore, GError **error)
{
    bool any = !restore->params->dry_run && !restore->params->without_items;
    if (!any || restore->view.foreign) { /* of a foreign one there is no record */
        return true;
    }
    restore->index = bp_proven_from_manifest(restore->view.catalog, restore->view.manifest, error);
    if (restore->index == NULL) {
        return false;
    }
    restore->reads = bp_restore_reads_new(restore->index);
    bp_refs_watch(bp_workspace_refs(restore->verb->workspace), BP_BACKUP_REF, see_piece,
                  restore->reads);
    return true;
}

/*
 * Tells the source whether it can read the backup where it is, before anything is touched.  One
 * that keeps nothing on a storage reads it through us, and what it reads is compared.
 */
static bool
offer_in_place(bp_restoring *restore, GError **error)
{
    bp_workspace *workspace = restore->verb->workspace;
    if (!bp_workspace_has_source_store(workspace)) {
        return watch_reads(restore, error);
    }
    bp_store *theirs = bp_workspace_source_store(workspace, NULL, error);
    bp_store *ours = restore->view.catalog->store;
    bool same = false;
    guint32 flags = BP_VIEW_READ_ONLY;
    if (theirs == NULL || !prove_same(restore, theirs, ours, &same, error)) {
        return false;
    }
    restore->source_store = theirs;
    if (!server_may_read(restore, &flags, error)) {
        return false;
    }
    if (!same) { /* another prefix of one bucket is as good */
        const char *document = bp_source_facts(restore->view.source)->commit_document;
        g_autofree char *key = bp_catalog_key(restore->view.manifest->name, document);
        same = bp_store_prove_reach(theirs, ours, key, &restore->call);
    }
    flags |= same ? BP_VIEW_SERVER_READS : 0;
    g_autofree char *prefix = bp_catalog_key(restore->view.manifest->name, "");
    bp_refs_add(bp_workspace_refs(workspace), BP_BACKUP_REF, ours, prefix, flags);
    return true;
}

static bool
open_staging(bp_restoring *restore, GError **error)
{
    const char *ref = restore->info.staging_ref;
    restore->staging =
        *ref != '\0' ? bp_workspace_store(restore->verb->workspace, ref, error) : NULL;
    return *ref == '\0' || restore->staging != NULL;
}

/* What an interrupted run has completed need not be made again, if it is still that. */
static void
find_finished(bp_restoring *restore, bp_target *target)
{
    if (restore->journal != NULL) {
        target->earlier =
            bp_restore_journal_finished(restore->journal, target->path, &target->earlier_found);
    }
}

static bool
begin(bp_restoring *restore, GError **error)
{
    const bp_restore_params *params = restore->params;
    guint n = restore->targets->len;
    g_autofree struct bp_restore_pair *pairs = g_new0(struct bp_restore_pair, MAX(n, 1));
    for (guint i = 0; i < n; i++) {
        bp_target *target = g_ptr_array_index(restore->targets, i);
        const bp_manifest_unit *unit = target->unit;
        bool counted = unit->has_proof && !unit->unprovable;
        find_finished(restore, target);
        pairs[i] = (struct bp_restore_pair){
            .unit_id = unit->id,
            .target_parent = target->parent,
            .target_name = target->name,
            .ours = restore->journal != NULL
                        ? bp_restore_journal_ours(restore->journal, target->path)
                        : NULL,
            .done = target->earlier,
            .low = counted ? unit->low : 0,
            .high = counted ? unit->high : BP_UNKNOWN,
            .flags = counted ? 0 : BP_PROOF_UNPROVABLE,
        };
    }
    struct bp_restore_args args = {
        .struct_size = sizeof args,
        .flags = (params->dry_run ? BP_RESTORE_DRY_RUN : 0) |
                 (params->force ? BP_RESTORE_FORCE : 0) |
                 (params->without_items ? BP_RESTORE_WITHOUT_ITEMS : 0),
        .run_id = restore->run_id,
        .backup_ref = BP_BACKUP_REF,
        .server_version = restore->view.manifest->server_version,
        .options = restore->settings,
        .pairs = pairs,
        .pair_stride = sizeof *pairs,
        .n_pairs = n,
        .parents = (const char *const *)restore->parents->pdata,
        .n_parents = restore->parents->len,
    };
    restore->info.struct_size = sizeof restore->info;
    bp_note_fns notes = bp_monitor_note_fns(restore->verb->monitor);
    restore->restore = bp_source_restore_begin(restore->view.source, &restore->call, &args, &notes,
                                               &restore->info, error);
    if (restore->restore != NULL && !open_staging(restore, error)) {
        (void)bp_source_restore_end(restore->restore, &restore->call, BP_OUTCOME_FAILED, NULL);
        restore->restore = NULL;
    }
    return restore->restore != NULL;
}

static void
show_targets(void *ctx, bp_progress *out)
{
    bp_restoring *restore = ctx;
    out->items_done = atomic_load(&restore->found_sum);
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        bool counted = target->unit->has_proof && !target->unit->unprovable;
        out->items_total += counted ? target->unit->high : 0;
    }
}

/* It can go away without anybody's doing: the same command may work later. */
static bool
may_pass(int error_class)
{
    return error_class == BP_ERR_TIMEOUT || error_class == BP_ERR_RETRYABLE ||
           error_class == BP_ERR_THROTTLED;
}

/* What a cancel has stopped tells less than what had failed by then. */
static bool
tells_more(const bp_target *target, const bp_target *first)
{
    return first == NULL ||
           (first->error_class == BP_ERR_CANCELLED && target->error_class != BP_ERR_CANCELLED);
}

/* One error for the whole restore, naming the first target that failed. */
static void
summarise(const bp_restoring *restore, GError **error)
{
    guint complete = 0;
    guint failed = 0;
    bool passes = true;
    const bp_target *first = NULL;
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        complete += target->state == BP_TARGET_COMPLETE;
        bool bad = target->error != NULL && target->state != BP_TARGET_UNPROVABLE &&
                   target->state != BP_TARGET_COMPLETE;
        failed += bad;
        passes = passes && (!bad || may_pass(target->error_class));
        first = bad && tells_more(target, first) ? target : first;
    }
    const bp_cancel *user = bp_workspace_call(restore->verb->workspace)->cancel;
    int error_class = first != NULL && passes ? first->error_class : BP_ERR_PERMANENT;
    bp_set_error(error, bp_cancel_is_set(user) ? BP_ERR_CANCELLED : error_class,
                 "%u of %u complete, %u failed%s%s%s%s", complete, restore->targets->len, failed,
                 first != NULL ? "; " : "", first != NULL ? first->path : "",
                 first != NULL ? ": " : "", first != NULL ? first->error : "");
    bp_error_add_hint(error, "the result lists every target; the same command again replaces what "
                             "this run left incomplete and keeps what is complete");
}

/* From the journal on.  Staging is swept and the source's restore ended in any case. */
static bp_verb_outcome
touch_targets(bp_restoring *restore, GError **error)
{
    if (!begin(restore, error)) {
        return BP_VERB_FAILED;
    }
    bp_monitor_begin(restore->verb->monitor, "restore", show_targets, restore);
    bp_restore_run_targets(restore);
    bp_monitor_end(restore->verb->monitor);

    g_autoptr(GError) cleanup = NULL;
    if (!bp_restore_sweep(restore, &cleanup)) {
        bp_monitor_note(restore->verb->monitor, BP_NOTE_WARN, "staging", cleanup->message);
        g_clear_error(&cleanup);
    }
    bool unprovable = false;
    bool complete = true;
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        unprovable |= target->state == BP_TARGET_UNPROVABLE;
        complete &= target->state == BP_TARGET_COMPLETE || target->state == BP_TARGET_UNPROVABLE;
    }
    const bp_cancel *user = bp_workspace_call(restore->verb->workspace)->cancel;
    enum bp_outcome outcome = complete                 ? BP_OUTCOME_DONE
                              : bp_cancel_is_set(user) ? BP_OUTCOME_CANCELLED
                                                       : BP_OUTCOME_FAILED;
    bool ended = bp_source_restore_end(restore->restore, &restore->call, outcome, &cleanup);
    restore->restore = NULL;
    if (!ended) {
        bp_monitor_note(restore->verb->monitor, BP_NOTE_WARN, "restore-end", cleanup->message);
    }
    if (!complete) {
        bp_restore_journal_failed(restore->journal);
        summarise(restore, error);
        return BP_VERB_FAILED;
    }
    return unprovable ? BP_VERB_DIFFERENT : BP_VERB_OK;
}

static bool
dry_run(bp_restoring *restore, GError **error)
{
    if (!begin(restore, error)) {
        return false;
    }
    bool ended = bp_source_restore_end(restore->restore, &restore->call, BP_OUTCOME_DONE, error);
    restore->restore = NULL;
    return ended;
}

static bp_verb_outcome
run(bp_restoring *restore, GError **error)
{
    bp_workspace *workspace = restore->verb->workspace;
    restore->settings = bp_workspace_restore_settings(workspace, restore->params->overrides, error);
    if (restore->settings == NULL) {
        return BP_VERB_FAILED;
    }
    restore->call = bp_workspace_verb_call(workspace, restore->cancel, restore->settings);
    if (!bp_restore_plan(restore, error) || !verify_backup(restore, error) ||
        !offer_in_place(restore, error) || !open_journal(restore, error)) {
        return BP_VERB_FAILED;
    }
    if (restore->params->dry_run) {
        return dry_run(restore, error) ? BP_VERB_OK : BP_VERB_FAILED;
    }
    return touch_targets(restore, error);
}

/* Complete: that is on record before the journal goes, which else would tell of it. */
static bp_verb_outcome
end(bp_restoring *restore, bp_verb_outcome outcome, GError **error)
{
    const bp_verb *verb = restore->verb;
    if (!bp_fault_point("restore.complete", error)) {
        return BP_VERB_FAILED;
    }
    if (verb->complete != NULL) {
        verb->complete(verb->ctx, outcome);
    }
    g_clear_pointer(&restore->journal, bp_restore_journal_free);
    return bp_fault_point("restore.ended", error) ? outcome : BP_VERB_FAILED;
}

bp_verb_outcome
bp_verb_restore(const bp_verb *verb, const bp_restore_params *params, GError **error)
{
    gint64 started = bp_clock_mono_ns();
    g_auto(bp_restoring) restore = {.verb = verb, .params = params};
    pthread_mutex_init(&restore.lock, NULL);
    pthread_mutex_init(&restore.staging_lock, NULL);
    bp_cond_init(&restore.jobs_changed);
    restore.cancel = bp_cancel_new_child(bp_workspace_call(verb->workspace)->cancel);
    bp_json_set_text(verb->result, "job", "restore");
    bp_json_set_text(verb->result, "name", params->name);
    bp_verb_outcome outcome = run(&restore, error);
    if (restore.targets != NULL) {
        json_object_set_new(verb->result, "targets", bp_restore_targets_json(&restore));
        json_object_set_new(verb->result, "touched", json_boolean(bp_restore_touched(&restore)));
    }
    if (params->dry_run) {
        json_object_set_new(verb->result, "dry_run", json_true());
    }
    bp_json_set_u64(verb->result, "duration_ms",
                    (guint64)((bp_clock_mono_ns() - started) / BP_NS_PER_MS));
    if (outcome != BP_VERB_FAILED && !params->dry_run) {
        outcome = end(&restore, outcome, error);
    }
    return outcome;
}
