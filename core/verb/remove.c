/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane delete and prune.
 */
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/verb/entry_json.h"
#include "core/verb/verb.h"

#include "sdk/lib/ban.h"

bp_verb_outcome
bp_verb_delete(const bp_verb *verb, const char *name, bool force, GError **error)
{
    const bp_catalog *catalog = NULL;
    bp_json_set_text(verb->result, "job", "delete");
    bp_json_set_text(verb->result, "name", name);
    if (!bp_workspace_catalog(verb->workspace, &catalog, error)) {
        return BP_VERB_FAILED;
    }
    bp_monitor_begin(verb->monitor, "delete", NULL, NULL);
    bool removed = bp_catalog_remove(catalog, name, force, NULL, NULL, error);
    bp_monitor_end(verb->monitor);
    removed = removed && bp_fault_point("delete.removed", error);
    return removed ? BP_VERB_OK : BP_VERB_FAILED;
}

/* Deletes the chosen ones; one that fails is reported and the others go on. */
static guint
remove_chosen(const bp_verb *verb, const bp_catalog *catalog, const GPtrArray *entries,
              const bool *chosen, json_t *list)
{
    guint failed = 0;
    for (guint i = 0; i < entries->len; i++) {
        const bp_backup_entry *entry = g_ptr_array_index(entries, i);
        g_autoptr(GError) problem = NULL;
        bool gone = false;
        if (!chosen[i]) {
            continue;
        }
        bool removed = bp_cancel_check(catalog->call->cancel, &problem) &&
                       bp_catalog_remove_listed(catalog, entry, &gone, &problem);
        if (gone) { /* another prune was faster: that is no failure of this one */
            g_autofree char *text =
                g_strdup_printf("backup %s was deleted by another run meanwhile", entry->name);
            bp_monitor_note(verb->monitor, BP_NOTE_INFO, "prune", text);
            continue;
        }
        json_t *one = bp_entry_json(entry);
        json_array_append_new(list, one);
        if (!removed) {
            failed++;
            bp_json_set_text(one, "error", problem->message);
            bp_monitor_note(verb->monitor, BP_NOTE_WARN, "prune", problem->message);
        }
    }
    return failed;
}

bp_verb_outcome
bp_verb_prune(const bp_verb *verb, const bp_prune_params *params, GError **error)
{
    const bp_catalog *catalog = NULL;
    bp_json_set_text(verb->result, "job", "prune");
    json_object_set_new(verb->result, "dry_run", json_boolean(params->dry_run));
    if (params->keep_last == 0 && params->keep_within_ns == 0) {
        bp_set_error(error, BP_ERR_INVALID,
                     "prune needs a rule\nhint: --keep-last N, --keep-within 30d, or both");
        return BP_VERB_FAILED;
    }
    g_autoptr(GPtrArray) entries = bp_workspace_catalog(verb->workspace, &catalog, error)
                                       ? bp_catalog_list(catalog, error)
                                       : NULL;
    if (entries == NULL) {
        return BP_VERB_FAILED;
    }
    bp_prune_rule rule = {.keep_last = params->keep_last,
                          .keep_within_ns = params->keep_within_ns,
                          .now_ns = bp_clock_wall_ns(),
                          .foreign = params->foreign};
    g_autofree bool *chosen = g_new0(bool, entries->len + 1);
    bp_prune_choose(entries, &rule, chosen);
    json_t *list = json_array();
    json_object_set_new(verb->result, "backups", list);
    if (params->dry_run) {
        for (guint i = 0; i < entries->len; i++) {
            if (chosen[i]) {
                json_array_append_new(list, bp_entry_json(g_ptr_array_index(entries, i)));
            }
        }
        return BP_VERB_OK;
    }
    bp_monitor_begin(verb->monitor, "prune", NULL, NULL);
    guint failed = remove_chosen(verb, catalog, entries, chosen, list);
    bp_monitor_end(verb->monitor);
    if (failed > 0 && !bp_cancel_check(catalog->call->cancel, error)) {
        return BP_VERB_FAILED;
    }
    if (failed > 0) {
        bp_set_error(error, BP_ERR_PERMANENT, "%u of %u backups could not be deleted", failed,
                     (guint)json_array_size(list));
        return BP_VERB_FAILED;
    }
    return BP_VERB_OK;
}
