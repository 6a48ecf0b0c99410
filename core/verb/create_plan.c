/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of create that comes before the first byte: which name, which units, whether the name
 * may be used, how much it will be.
 */
#include <string.h>

#include "bp_build.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/catalog/name.h"
#include "core/verb/create_run.h"
#include "core/verb/entry_json.h"
#include "core/verb/space.h"

#include "sdk/lib/ban.h"

void
bp_create_clear(bp_create *create)
{
    g_free(create->name);
    bp_settings_free(create->settings);
    bp_manifest_free(create->manifest);
    g_clear_pointer(&create->units, g_array_unref);
    g_clear_pointer(&create->unit_index, g_hash_table_unref);
    bp_writing_clear(&create->writing);
    bp_cancel_free(create->cancel);
    g_clear_error(&create->failure);
    pthread_mutex_destroy(&create->lock);
}

const bp_create_unit *
bp_create_unit_of(const bp_create *create, guint32 tag, guint32 *generation)
{
    *generation = tag % BP_MAX_GENERATIONS;
    return &g_array_index(create->units, bp_create_unit, tag / BP_MAX_GENERATIONS);
}

typedef struct {
    bp_create *create;
    bp_selection *selection;
    const struct bp_source_info *facts;
} plan_work;

static bool
wants_unit(void *ctx, const struct bp_unit *unit)
{
    plan_work *work = ctx;
    if (strcmp(unit->kind, work->facts->parent_kind) == 0) {
        return bp_selection_wants_parent(work->selection, unit->name);
    }
    if (strcmp(unit->kind, work->facts->item_kind) != 0) {
        return true;
    }
    const char *parent = bp_manifest_parent_name(work->create->manifest, unit->parent);
    return parent != NULL && bp_selection_wants_child(work->selection, parent, unit->name);
}

static bool
add_unit(void *ctx, const struct bp_unit *unit)
{
    plan_work *work = ctx;
    bp_manifest_unit *record = bp_manifest_unit_new();
    record->id = g_strdup(unit->id);
    record->parent = g_strdup(unit->parent);
    record->kind = g_strdup(unit->kind);
    record->name = g_strdup(unit->name);
    record->has_items = strcmp(unit->kind, work->facts->item_kind) == 0;
    g_ptr_array_add(work->create->manifest->units, record);
    if (record->has_items) {
        bp_create_unit added = {.record = record};
        g_hash_table_insert(work->create->unit_index, record->id,
                            GUINT_TO_POINTER(work->create->units->len));
        g_array_append_val(work->create->units, added);
    }
    return true;
}

/* Nothing of an attempt that failed is kept. */
static bool
try_plan(void *ctx, GError **error)
{
    plan_work *work = ctx;
    bp_create *create = work->create;
    g_hash_table_remove_all(create->unit_index);
    g_array_set_size(create->units, 0);
    g_ptr_array_set_size(create->manifest->units, 0);
    bp_plan_fns fns = {.wants = wants_unit, .unit = add_unit, .ctx = work};
    return bp_source_plan(create->source, &create->call, &fns, error);
}

static bool
make_plan(bp_create *create, GError **error)
{
    plan_work work = {.create = create, .facts = bp_source_facts(create->source)};
    g_autoptr(bp_selection) selection =
        bp_select_parse(&create->params->select, work.facts->default_parent, error);
    if (selection == NULL) {
        return false;
    }
    work.selection = selection;
    bp_monitor_begin(create->verb->monitor, "plan", NULL, NULL);
    bp_retry_params retry = bp_workspace_retry_for(create->verb->workspace, &create->call);
    bool planned = bp_retry(&retry, try_plan, &work, error);
    bp_monitor_end(create->verb->monitor);
    if (!planned) {
        return false;
    }
    g_autofree char *unmatched = bp_selection_unmatched(selection);
    if (unmatched != NULL) {
        bp_set_error(error, BP_ERR_NOT_FOUND, "nothing in the source matches: %s", unmatched);
        return false;
    }
    return true;
}

static bp_manifest *
new_manifest(const bp_create *create)
{
    const struct bp_source_info *facts = bp_source_facts(create->source);
    bp_manifest *manifest = bp_manifest_new(create->name);
    manifest->run_id = bp_text_uuid();
    g_free(manifest->writer);
    manifest->writer = g_strdup("bakplane " BP_BUILD_VERSION);
    manifest->state = BP_BACKUP_RUNNING;
    manifest->started_ns = bp_clock_wall_ns();
    manifest->source_plugin = g_strdup(bp_source_kind(create->source));
    manifest->source_address = g_strdup(facts->address);
    manifest->label = g_strdup(create->params->label);
    manifest->proof_what = g_strdup(facts->proof_what);
    manifest->without_items = create->params->without_items;
    return manifest;
}

/* Connects, after everything that can be refused without a connection. */
static bool
open_source(bp_create *create, GError **error)
{
    bp_workspace *workspace = create->verb->workspace;
    bp_note_fns notes = bp_monitor_note_fns(create->verb->monitor);
    if ((bp_workspace_has_source_store(workspace) &&
         bp_workspace_source_store(workspace, NULL, error) == NULL) ||
        !bp_source_probe(create->source, &create->call, &notes, error)) {
        return false;
    }
    create->manifest->server_version = g_strdup(bp_source_facts(create->source)->server_version);
    return make_plan(create, error);
}

static void
begin_writing(bp_create *create)
{
    create->writing = (bp_writing){.verb = create->verb,
                                   .verb_name = "create",
                                   .name = create->name,
                                   .catalog = create->catalog,
                                   .settings = create->settings,
                                   .call = &create->call,
                                   .on_loss = create->cancel,
                                   .resume = create->params->resume,
                                   .replace = create->params->replace};
}

bool
bp_create_open(bp_create *create, GError **error)
{
    bp_workspace *workspace = create->verb->workspace;
    const bp_create_params *params = create->params;
    create->name =
        params->name != NULL ? g_strdup(params->name) : bp_backup_name_generate(bp_clock_wall_ns());
    create->cancel = bp_cancel_new_child(bp_workspace_call(workspace)->cancel);
    create->units = g_array_new(FALSE, TRUE, sizeof(bp_create_unit));
    create->unit_index = g_hash_table_new(g_str_hash, g_str_equal);
    if (!bp_backup_name_check(create->name, error)) {
        return false;
    }
    create->settings = bp_workspace_backup_settings(workspace, params->overrides, error);
    if (create->settings == NULL || !bp_workspace_catalog(workspace, &create->catalog, error)) {
        return false;
    }
    create->call = bp_workspace_verb_call(workspace, create->cancel, create->settings);
    create->catalog = bp_workspace_under(&create->under_call, create->catalog, &create->call);
    create->source = bp_workspace_source(workspace, error);
    begin_writing(create);
    bool usable = create->source != NULL &&
                  (params->dry_run || /* which finds out by reading, and need not find anything */
                   bp_writing_probe(&create->writing, error));
    if (!usable || !bp_writing_check_name(&create->writing, error)) {
        return false;
    }
    create->manifest = new_manifest(create);
    return open_source(create, error);
}

typedef struct {
    guint64 items, bytes;
} estimate;

static bool
count_item(void *ctx, const struct bp_item *item)
{
    estimate *sum = ctx;
    sum->items++;
    sum->bytes += item->size != BP_UNKNOWN ? item->size : 0;
    return true;
}

static bool
estimate_units(bp_create *create, estimate *total, GError **error)
{
    for (guint i = 0; i < create->units->len; i++) {
        bp_manifest_unit *unit = g_array_index(create->units, bp_create_unit, i).record;
        estimate sum = {0};
        bp_item_fns fns = {.item = count_item, .ctx = &sum};
        bool begun = bp_create_call_unit(create, unit->id, bp_source_unit_begin, error);
        bool fine =
            begun && bp_source_unit_items(create->run, &create->call, unit->id, &fns, error);
        if (begun) {
            fine = bp_source_unit_end(create->run, &create->call, unit->id,
                                      fine ? BP_OUTCOME_DONE : BP_OUTCOME_FAILED,
                                      fine ? error : NULL) &&
                   fine;
        }
        if (!fine) {
            g_prefix_error(error, "%s %s: ", unit->kind, unit->name);
            return false;
        }
        unit->items = sum.items;
        unit->bytes = sum.bytes;
        total->items += sum.items;
        total->bytes += sum.bytes;
    }
    return true;
}

typedef struct {
    bp_create *create;
    const struct bp_run_args *args;
    guint32 keepalive_ms;
} run_call;

static bool
try_begin_run(void *ctx, GError **error)
{
    run_call *c = ctx;
    bp_create *create = c->create;
    create->run =
        bp_source_run_begin(create->source, &create->call, c->args, &c->keepalive_ms, error);
    return create->run != NULL;
}

bool
bp_create_begin_run(bp_create *create, guint32 flags, guint32 *keepalive_ms, GError **error)
{
    struct bp_run_args args = {.struct_size = sizeof args,
                               .flags = flags,
                               .run_id = create->manifest->run_id,
                               .backup = create->manifest->name,
                               .options = create->settings};
    run_call c = {.create = create, .args = &args};
    bp_retry_params retry = bp_workspace_retry_for(create->verb->workspace, &create->call);
    bool begun = bp_retry(&retry, try_begin_run, &c, error);
    *keepalive_ms = c.keepalive_ms;
    return begun;
}

/* Names items without flush or pin, only to count them. */
static bool
dry_run(bp_create *create, estimate *total, GError **error)
{
    guint32 keepalive_ms = 0;
    if (!bp_create_begin_run(create, BP_RUN_DRY, &keepalive_ms, error)) {
        return false;
    }
    bool fine = create->params->without_items || estimate_units(create, total, error);
    bool ended = bp_source_run_end(create->run, &create->call,
                                   fine ? BP_OUTCOME_DONE : BP_OUTCOME_FAILED, fine ? error : NULL);
    create->run = NULL;
    return fine && ended;
}

bool
bp_create_estimate(bp_create *create, json_t *result, GError **error)
{
    estimate total = {0};
    if (!dry_run(create, &total, error)) {
        return false;
    }
    json_object_set_new(result, "dry_run", json_true());
    bp_json_set_u64(result, "items", total.items);
    bp_json_set_u64(result, "bytes", total.bytes);
    bp_json_set_text(result, "server_version", create->manifest->server_version);
    json_object_set_new(result, "units", bp_manifest_item_units_json(create->manifest));
    return bp_space_check(create->catalog->store, &create->call, total.bytes, "the backup", error);
}

/* All that the source's storage can hold fits: no need to know exactly, which costs a listing. */
static bool
surely_fits(bp_create *create, bool *fits, GError **error)
{
    struct bp_space ours = {.struct_size = sizeof ours};
    struct bp_space theirs = {
        .struct_size = sizeof theirs, .total = BP_UNKNOWN, .available = BP_UNKNOWN};
    bp_workspace *workspace = create->verb->workspace;
    bool has_store = bp_workspace_has_source_store(workspace);
    bp_store *source = has_store ? bp_workspace_source_store(workspace, NULL, error) : NULL;
    if ((has_store && source == NULL) ||
        !bp_store_space(create->catalog->store, &create->call, &ours, error) ||
        (source != NULL && !bp_store_space(source, &create->call, &theirs, error))) {
        return false;
    }
    bool bounded = theirs.total != BP_UNKNOWN && theirs.available != BP_UNKNOWN;
    *fits = ours.available == BP_UNKNOWN ||
            (bounded && theirs.total - theirs.available < ours.available);
    return true;
}

bool
bp_create_check_space(bp_create *create, GError **error)
{
    bool fits = create->params->without_items || create->params->resume;
    estimate total = {0};
    if (!fits && !surely_fits(create, &fits, error)) {
        return false;
    }
    return fits ||
           (dry_run(create, &total, error) && bp_space_check(create->catalog->store, &create->call,
                                                             total.bytes, "the backup", error));
}
