/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of restore that comes before anything is touched: which units of the backup, under
 * which names.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/verb/restore_run.h"

#include "sdk/lib/ban.h"

static void
target_free(gpointer data)
{
    bp_target *target = data;
    g_free(target->from);
    g_free(target->parent);
    g_free(target->name);
    g_free(target->path);
    g_free(target->error);
    g_free(target);
}

void
bp_restoring_clear(bp_restoring *restore)
{
    g_clear_pointer(&restore->targets, g_ptr_array_unref);
    g_clear_pointer(&restore->parents, g_ptr_array_unref);
    if (restore->reads != NULL) {
        bp_refs_watch(bp_workspace_refs(restore->verb->workspace), BP_BACKUP_REF, NULL, NULL);
        bp_restore_reads_free(restore->reads);
    }
    bp_proven_free(restore->index);
    bp_restore_journal_free(restore->journal);
    bp_view_clear(&restore->view);
    bp_settings_free(restore->settings);
    bp_cancel_free(restore->cancel);
    g_free(restore->run_id);
    pthread_cond_destroy(&restore->jobs_changed);
    pthread_mutex_destroy(&restore->lock);
    pthread_mutex_destroy(&restore->staging_lock);
}

typedef struct {
    bp_selection *stored, *after;
    bp_renames *renames;
    GHashTable *taken; /* target paths, borrowed from the targets */
} choice;

static bool
choose_unit(bp_restoring *restore, choice *c, const bp_manifest_unit *unit, GError **error)
{
    const char *parent = bp_manifest_parent_name(restore->view.manifest, unit->parent);
    bool flat = *bp_source_facts(restore->view.source)->parent_kind == '\0';
    if (parent == NULL || (unit->parent == NULL && !flat)) {
        bp_set_error(error, BP_ERR_CORRUPT, "the manifest names no parent of %s %s", unit->kind,
                     unit->name);
        return false;
    }
    if (!bp_selection_wants_child(c->stored, parent, unit->name)) {
        return true;
    }
    bp_target *target = g_new0(bp_target, 1);
    bp_renames_apply(c->renames, parent, unit->name, &target->parent, &target->name);
    if (!bp_selection_wants_child(c->after, target->parent, target->name)) {
        target_free(target);
        return true;
    }
    target->unit = unit;
    target->from = bp_view_unit_name(&restore->view, unit);
    target->path = *target->parent != '\0' ? g_strdup_printf("%s.%s", target->parent, target->name)
                                           : g_strdup(target->name);
    g_ptr_array_add(restore->targets, target);
    if (!g_hash_table_add(c->taken, target->path)) {
        bp_set_error(error, BP_ERR_INVALID,
                     "two %ss would be restored as %s\nhint: check rename "
                     "and suffix",
                     unit->kind, target->path);
        return false;
    }
    return true;
}

static void
add_parent(bp_restoring *restore, GHashTable *seen, char *take_name)
{
    if (g_hash_table_contains(seen, take_name)) {
        g_free(take_name); /* adding it would put it in the place of the one that is there */
        return;
    }
    g_hash_table_add(seen, take_name);
    g_ptr_array_add(restore->parents, take_name);
}

/* Those of the targets, and those that were named themselves: they may be empty. */
static void
choose_parents(bp_restoring *restore, choice *c)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        if (*target->parent != '\0') {
            add_parent(restore, seen, g_strdup(target->parent));
        }
    }
    const GPtrArray *units = restore->view.manifest->units;
    const char *kind = bp_source_facts(restore->view.source)->parent_kind;
    for (guint i = 0; i < units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(units, i);
        if (g_str_equal(unit->kind, kind) && bp_selection_names_parent(c->stored, unit->name)) {
            g_autofree char *to = bp_renames_parent(c->renames, unit->name);
            if (bp_selection_names_parent(c->after, to)) {
                add_parent(restore, seen, g_steal_pointer(&to));
            }
        }
    }
}

static bool
check_all_matched(const choice *c, GError **error)
{
    g_autofree char *stored = bp_selection_unmatched(c->stored);
    g_autofree char *after = bp_selection_unmatched(c->after);
    g_autofree char *renames = bp_renames_unmatched(c->renames);
    const char *first = stored != NULL ? stored : after != NULL ? after : renames;
    if (first == NULL) {
        return true;
    }
    bp_set_error(error, BP_ERR_NOT_FOUND, "nothing in the backup matches: %s\nhint: %s", first,
                 stored == NULL && after != NULL
                     ? "--filter is compared with names after renaming"
                     : "bakplane get -n NAME --detail shows what it holds");
    return false;
}

static bool
choose(bp_restoring *restore, GError **error)
{
    const bp_restore_params *params = restore->params;
    const char *default_parent = bp_source_facts(restore->view.source)->default_parent;
    bp_select_text after_text = {.filter = params->target_filter};
    g_autoptr(bp_selection) stored = bp_select_parse(&params->select, default_parent, error);
    g_autoptr(bp_selection) after =
        stored != NULL ? bp_select_parse(&after_text, default_parent, error) : NULL;
    g_autoptr(bp_renames) renames =
        after != NULL ? bp_renames_new(default_parent, params->rename, params->suffix, error)
                      : NULL;
    if (renames == NULL) {
        return false;
    }
    g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
    choice c = {.stored = stored, .after = after, .renames = renames, .taken = taken};
    const GPtrArray *units = restore->view.manifest->units;
    for (guint i = 0; i < units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(units, i);
        if (unit->has_items && !choose_unit(restore, &c, unit, error)) {
            return false;
        }
    }
    choose_parents(restore, &c);
    return check_all_matched(&c, error);
}

bool
bp_restore_plan(bp_restoring *restore, GError **error)
{
    restore->run_id = bp_text_uuid();
    restore->targets = g_ptr_array_new_with_free_func(target_free);
    restore->parents = g_ptr_array_new_with_free_func(g_free);
    if (!bp_view_open(restore->verb, restore->params->name, &restore->view, error)) {
        return false;
    }
    if (!bp_source_can_restore(restore->view.source)) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "source plugin '%s' cannot restore",
                     bp_source_kind(restore->view.source));
        return false;
    }
    return choose(restore, error);
}

static const char *
state_name(bp_target_state state)
{
    static const char *const names[] = {[BP_TARGET_UNTOUCHED] = "untouched",
                                        [BP_TARGET_COMPLETE] = "complete",
                                        [BP_TARGET_UNPROVABLE] = "unprovable",
                                        [BP_TARGET_FAILED] = "failed"};
    return names[state];
}

bool
bp_restore_touched(const bp_restoring *restore)
{
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        if (target->state != BP_TARGET_UNTOUCHED) {
            return true;
        }
    }
    return false;
}

json_t *
bp_restore_targets_json(const bp_restoring *restore)
{
    json_t *list = json_array();
    for (guint i = 0; i < restore->targets->len; i++) {
        const bp_target *target = g_ptr_array_index(restore->targets, i);
        json_t *one = json_object();
        bp_json_set_text(one, "from", target->from);
        bp_json_set_text(one, "to", target->path);
        bp_json_set_text(one, "state", state_name(target->state));
        bp_json_set_u64(one, "low", target->unit->low);
        bp_json_set_u64(one, "high", target->unit->high);
        if (target->state == BP_TARGET_COMPLETE || target->state == BP_TARGET_FAILED) {
            bp_json_set_u64(one, "found", target->found);
        }
        bool is_remark = target->state == BP_TARGET_COMPLETE;
        bp_json_set_text(one, is_remark ? "note" : "error", target->error);
        json_array_append_new(list, one);
    }
    return list;
}
