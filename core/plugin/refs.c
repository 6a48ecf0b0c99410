/* SPDX-License-Identifier: Apache-2.0
 *
 * See refs.h.
 */
#include "core/plugin/refs.h"

#include "sdk/lib/ban.h"

typedef struct {
    bp_store *store; /* borrowed */
    char *prefix;
    guint32 flags;
    bp_ref_watch watch; /* or NULL */
    void *watch_ctx;
} ref_entry;

struct bp_refs {
    GHashTable *by_name;
    bp_retry_params retry; /* attempts 0 = not set */
};

static void
entry_free(gpointer data)
{
    ref_entry *entry = data;
    g_free(entry->prefix);
    g_free(entry);
}

bp_refs *
bp_refs_new(void)
{
    bp_refs *refs = g_new0(bp_refs, 1);
    refs->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return refs;
}

void
bp_refs_free(bp_refs *refs)
{
    if (refs != NULL) {
        g_hash_table_unref(refs->by_name);
        g_free(refs);
    }
}

void
bp_refs_add(bp_refs *refs, const char *name, bp_store *store, const char *prefix, guint32 flags)
{
    g_assert(*prefix == '\0' || g_str_has_suffix(prefix, "/"));
    ref_entry *entry = g_new0(ref_entry, 1);
    entry->store = store;
    entry->prefix = g_strdup(prefix);
    entry->flags = flags;
    g_hash_table_replace(refs->by_name, g_strdup(name), entry);
}

void
bp_refs_watch(bp_refs *refs, const char *name, bp_ref_watch watch, void *ctx)
{
    ref_entry *entry = g_hash_table_lookup(refs->by_name, name);
    if (entry != NULL) {
        entry->watch = watch;
        entry->watch_ctx = ctx;
    }
}

bool
bp_refs_show(const bp_refs *refs, const char *name, const bp_ref_piece *piece, GError **error)
{
    const ref_entry *entry = refs != NULL ? g_hash_table_lookup(refs->by_name, name) : NULL;
    return entry == NULL || entry->watch == NULL || entry->watch(entry->watch_ctx, piece, error);
}

void
bp_refs_set_retry(bp_refs *refs, const bp_retry_params *retry)
{
    refs->retry = *retry;
}

const bp_retry_params *
bp_refs_retry(const bp_refs *refs)
{
    return refs != NULL && refs->retry.attempts > 0 ? &refs->retry : NULL;
}

bp_store *
bp_refs_find(const bp_refs *refs, const char *name, const char **prefix, guint32 *flags)
{
    const ref_entry *entry =
        refs != NULL && name != NULL ? g_hash_table_lookup(refs->by_name, name) : NULL;
    if (entry == NULL) {
        return NULL;
    }
    *prefix = entry->prefix;
    *flags = entry->flags;
    return entry->store;
}
