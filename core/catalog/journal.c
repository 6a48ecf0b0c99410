/* SPDX-License-Identifier: Apache-2.0
 *
 * See journal.h: writing and removing chunks.  Reading them is in proven.c and seal.c.
 */
#include "core/catalog/journal.h"

#include <string.h>

#include "core/catalog/catalog_internal.h"
#include "core/catalog/items_internal.h"

#include "sdk/lib/ban.h"

struct bp_journal {
    bp_catalog catalog;
    char *name, *run_id;
    guint seq;          /* of the first chunk that waits */
    GPtrArray *waiting; /* GString*: chunks not written yet; the last one still grows */
};

static void
free_chunk(gpointer chunk)
{
    g_string_free(chunk, TRUE);
}

bp_journal *
bp_journal_new(const bp_catalog *catalog, const char *name, const char *run_id)
{
    bp_journal *journal = g_new0(bp_journal, 1);
    journal->catalog = *catalog;
    journal->name = g_strdup(name);
    journal->run_id = g_strdup(run_id);
    journal->seq = 1;
    journal->waiting = g_ptr_array_new_with_free_func(free_chunk);
    return journal;
}

void
bp_journal_free(bp_journal *journal)
{
    if (journal == NULL) {
        return;
    }
    g_ptr_array_unref(journal->waiting);
    g_free(journal->name);
    g_free(journal->run_id);
    g_free(journal);
}

/* The chunk that still grows; a full one makes way for the next. */
static GString *
growing_chunk(bp_journal *journal)
{
    guint n = journal->waiting->len;
    GString *last = n > 0 ? g_ptr_array_index(journal->waiting, n - 1) : NULL;
    if (last == NULL || last->len >= BP_ITEMS_FILE_BYTES) {
        last = g_string_new(NULL);
        bp_item_head_append(last, journal->run_id, journal->seq + n);
        g_ptr_array_add(journal->waiting, last);
    }
    return last;
}

void
bp_journal_add(bp_journal *journal, const bp_item_record *record)
{
    bp_item_record_append(growing_chunk(journal), record);
}

static char *
chunk_key(const bp_journal *journal)
{
    return g_strdup_printf("%s/" BP_JOURNAL_DIR "%s-%06u.jsonl", journal->name, journal->run_id,
                           journal->seq);
}

bool
bp_journal_write(bp_journal *journal, GError **error)
{
    while (journal->waiting->len > 0) {
        const GString *chunk = g_ptr_array_index(journal->waiting, 0);
        g_autofree char *key = chunk_key(journal);
        if (!bp_catalog__put(&journal->catalog, "catalog.journal", key, chunk->str, chunk->len,
                             error)) {
            return false; /* it waits on, for another try */
        }
        g_ptr_array_remove_index(journal->waiting, 0);
        journal->seq++;
    }
    return true;
}

guint
bp_journal_chunks(const bp_journal *journal)
{
    return journal->seq - 1;
}

bool
bp_journal_remove(const bp_catalog *catalog, const char *name, GError **error)
{
    g_autofree char *prefix = bp_catalog_key(name, BP_JOURNAL_DIR);
    guint64 removed = 0;
    bp_purge purge = {.catalog = catalog,
                      .step = "catalog.journal_remove",
                      .prefix = prefix,
                      .removed = &removed};
    return bp_catalog__purge(&purge, error);
}
