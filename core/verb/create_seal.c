/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of create: turns proven items and the source's documents into a success, in the order
 * in which a crash at any point leaves something that nobody takes for one.
 */
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/catalog/journal.h"
#include "core/verb/create_run.h"

#include "sdk/lib/ban.h"

static bool
final_generation(void *ctx, const char *unit_id, guint32 *generation)
{
    const bp_create *create = ctx;
    gpointer index = NULL;
    if (!g_hash_table_lookup_extended(create->unit_index, unit_id, NULL, &index)) {
        return false;
    }
    *generation = g_array_index(create->units, bp_create_unit, GPOINTER_TO_UINT(index)).generation;
    return true;
}

/* What the source named and what was recorded as proven have to be as many. */
static bool
check_counts(const bp_create *create, GError **error)
{
    for (guint i = 0; i < create->units->len; i++) {
        const bp_create_unit *unit = &g_array_index(create->units, bp_create_unit, i);
        if (unit->record->items != unit->named) {
            bp_set_error(error, BP_ERR_CORRUPT,
                         "%s %s: the source named %" G_GUINT64_FORMAT " items, %" G_GUINT64_FORMAT
                         " are recorded as proven",
                         unit->record->kind, unit->record->name, unit->named, unit->record->items);
            return false;
        }
    }
    return true;
}

typedef struct {
    bp_create *create;
    bp_documents *documents;
    GError *failed; /* why they could not be stored, which was tried often enough */
} document_call;

/* From the first one on: what an attempt that failed has written is written over. */
static bool
try_documents(void *ctx, GError **error)
{
    document_call *c = ctx;
    bp_create *create = c->create;
    bp_documents_free(c->documents);
    c->documents = bp_documents_new(create->catalog, create->manifest);
    bp_document_fns fns = bp_documents_fns(c->documents);
    GError *failed = NULL;
    bool streamed = bp_source_documents(create->run, &create->call, &fns, &failed);
    if (!bp_documents_check(c->documents, &c->failed)) {
        g_clear_error(&failed); /* the sink's reason comes before CANCELLED */
    } else if (!streamed) {
        g_propagate_error(error, failed);
        return false;
    }
    return true;
}

/* @out: (out) (transfer full) also after a failure */
static bool
write_documents(bp_create *create, bp_documents **out, GError **error)
{
    document_call c = {.create = create};
    bp_retry_params retry = bp_workspace_retry_for(create->verb->workspace, &create->call);
    bool streamed = bp_retry(&retry, try_documents, &c, error);
    *out = c.documents;
    if (c.failed != NULL) {
        g_propagate_error(error, c.failed);
        return false;
    }
    return streamed;
}

bool
bp_create_seal(bp_create *create, GError **error)
{
    bp_manifest *manifest = create->manifest;
    bp_seal_params seal = {.catalog = create->catalog,
                           .manifest = manifest,
                           .run_id = manifest->run_id,
                           .chunks = bp_journal_chunks(create->writing.journal),
                           .generation = final_generation,
                           .ctx = create,
                           .sweep =
                               create->writing.proven != NULL || atomic_load(&create->refreshed)};
    bp_monitor_begin(create->verb->monitor, "seal", NULL, NULL);
    g_autoptr(bp_documents) documents = NULL;
    bool fine = bp_journal_seal(&seal, error) && check_counts(create, error) &&
                bp_fault_point("create.sealed", error) &&
                write_documents(create, &documents, error);
    if (fine) {
        manifest->finished_ns = bp_clock_wall_ns();
        manifest->state = BP_BACKUP_SUCCESS;
        fine = bp_catalog_save(create->catalog, manifest, error) &&
               bp_fault_point("create.manifest", error) && bp_documents_commit(documents, error) &&
               bp_fault_point("create.committed", error);
    }
    fine = fine && bp_documents_verify(create->catalog, manifest, error);
    bp_monitor_end(create->verb->monitor);
    if (fine) {
        g_autoptr(GError) leftover = NULL;
        if (!bp_journal_remove(create->catalog, manifest->name, &leftover)) {
            bp_monitor_note(create->verb->monitor, BP_NOTE_WARN, "journal", leftover->message);
        }
    }
    return fine;
}
