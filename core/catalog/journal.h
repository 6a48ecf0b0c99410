/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal of a running create: proven items in immutable chunks, so that a killed run can go
 * on where it was, and sealing: turning the journal into the manifest's items files.
 */
#ifndef BP_CORE_CATALOG_JOURNAL_H
#define BP_CORE_CATALOG_JOURNAL_H

#include "core/catalog/catalog.h"

typedef struct bp_journal bp_journal;

/** @manifest: of the running backup; borrowed.  Returns: (transfer full) */
bp_journal *bp_journal_new(const bp_catalog *catalog, const char *name, const char *run_id);
void bp_journal_free(bp_journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_journal, bp_journal_free)

/** Collect one proven item; bp_journal_write makes a chunk of all collected ones.  One thread. */
void bp_journal_add(bp_journal *journal, const bp_item_record *record);
/** Durable; nothing collected = nothing written. */
bool bp_journal_write(bp_journal *journal, GError **error);
/** Chunks that were written. */
guint bp_journal_chunks(const bp_journal *journal);

/** What earlier chunks prove (of all runs of this backup): compact, looked up by key. */
typedef struct bp_proven bp_proven;
bp_proven *bp_proven_load(const bp_catalog *catalog, const char *name, GError **error);
/** The same from a finished backup's items. */
bp_proven *bp_proven_from_manifest(const bp_catalog *catalog, const bp_manifest *manifest,
                                   GError **error);
void bp_proven_free(bp_proven *proven);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_proven, bp_proven_free)
/** The item was proven with this size (and etag, where both have one): its checksum. */
bool bp_proven_find(const bp_proven *proven, const char *key, guint64 size, const char *etag,
                    struct bp_checksum *checksum);
/** Size and checksum (or kind NONE) of an item; false when there is none of that key. */
bool bp_proven_peek(const bp_proven *proven, const char *key, guint64 *size,
                    struct bp_checksum *checksum);
guint64 bp_proven_count(const bp_proven *proven);

/** Final generation of a unit; an item of an older one is no longer named by the source. */
typedef bool (*bp_generation_fn)(void *ctx, const char *unit_id, guint32 *generation);

typedef struct bp_seal_params {
    const bp_catalog *catalog;
    bp_manifest *manifest; /* in: units; out: totals, item_files */
    const char *run_id;
    guint chunks; /* of that run: bp_journal_chunks */
    bp_generation_fn generation;
    void *ctx;
    bool sweep; /* remove data objects that no item names: after a resume or refresh */
} bp_seal_params;
/**
 * Stream this run's journal into items files, count items and bytes into units and totals, sweep.
 * A key that appears twice in one generation is CORRUPT, as is a chunk that is not there.  Does not
 * write the manifest.  Comes before the documents: the sweep removes older ones.
 */
bool bp_journal_seal(const bp_seal_params *params, GError **error);

/** Remove the chunks of all runs: after the manifest says success. */
bool bp_journal_remove(const bp_catalog *catalog, const char *name, GError **error);

#endif
