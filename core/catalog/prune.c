/* SPDX-License-Identifier: Apache-2.0
 *
 * See catalog.h: which backups a rule of retention gives up.  Decides, deletes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "core/catalog/catalog.h"

#include "sdk/lib/ban.h"

/** A candidate and its place among the entries. */
typedef struct {
    const bp_backup_entry *entry;
    guint index;
} candidate;

/* One whose age is not known is never given up, and does not count as one to keep. */
static bool
counts(const bp_backup_entry *entry, const bp_prune_rule *rule)
{
    return entry->state == BP_BACKUP_SUCCESS && !entry->incomplete && entry->problem == NULL &&
           entry->finished_ns > 0 && (rule->foreign || !entry->foreign);
}

static int
newest_first(const void *a, const void *b)
{
    const bp_backup_entry *left = ((const candidate *)a)->entry;
    const bp_backup_entry *right = ((const candidate *)b)->entry;
    if (left->finished_ns != right->finished_ns) {
        return left->finished_ns > right->finished_ns ? -1 : 1;
    }
    return strcmp(right->name, left->name);
}

void
bp_prune_choose(const GPtrArray *entries, const bp_prune_rule *rule, bool *chosen)
{
    g_autofree candidate *candidates = g_new(candidate, entries->len + 1);
    guint n = 0;
    for (guint i = 0; i < entries->len; i++) {
        const bp_backup_entry *entry = g_ptr_array_index(entries, i);
        chosen[i] = false;
        if (counts(entry, rule)) {
            candidates[n++] = (candidate){.entry = entry, .index = i};
        }
    }
    if (rule->keep_last == 0 && rule->keep_within_ns == 0) {
        return; /* no rule is no reason to delete */
    }
    qsort(candidates, n, sizeof *candidates, newest_first);
    for (guint i = 0; i < n; i++) {
        gint64 age = rule->now_ns - candidates[i].entry->finished_ns;
        bool kept = i < rule->keep_last || (rule->keep_within_ns > 0 && age < rule->keep_within_ns);
        chosen[candidates[i].index] = !kept;
    }
}
