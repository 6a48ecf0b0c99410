/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the catalog share: where things lie, and small calls with retries.
 */
#ifndef BP_CORE_CATALOG_CATALOG_INTERNAL_H
#define BP_CORE_CATALOG_CATALOG_INTERNAL_H

#include "core/catalog/catalog.h"

/* Below a backup. */
#define BP_OURS "bakplane/"
#define BP_JOURNAL_DIR BP_OURS "journal/"
#define BP_UPLOADS_DIR BP_OURS "uploads/"
#define BP_ITEMS_STEM BP_OURS "items-"

/* Largest files of ours that are read whole. */
#define BP_MANIFEST_MAX (64 << 20)
#define BP_ITEMS_MAX (64 << 20)

/* What this build writes: items per items file, bytes per items file or chunk of the journal. */
#define BP_ITEMS_PER_FILE 10000
#define BP_ITEMS_FILE_BYTES (4 << 20)

/* How many keys are removed at once. */
#define BP_REMOVE_BATCH 1000

/** Retry as the catalog says. */
bool bp_catalog__retry(const bp_catalog *catalog, bool (*attempt)(void *ctx, GError **error),
                       void *ctx, GError **error);

/** A whole object.  Returns: (transfer full) (nullable) */
GBytes *bp_catalog__get(const bp_catalog *catalog, const char *key, gsize max, GError **error);

/**
 * Write a whole object, durable.  @step: fault points "<step>.before" and "<step>.after" enclose
 * it.
 */
bool bp_catalog__put(const bp_catalog *catalog, const char *step, const char *key,
                     const void *bytes, gsize n, GError **error);

bool bp_catalog__stat(const bp_catalog *catalog, const char *key, struct bp_object_meta *out,
                      GError **error);

/** Missing is fine. */
bool bp_catalog__remove(const bp_catalog *catalog, const char *key, GError **error);

/** Barrier. */
bool bp_catalog__sync(const bp_catalog *catalog, GError **error);

/** At least one key below the prefix. */
bool bp_catalog__has_any(const bp_catalog *catalog, const char *prefix, bool *out, GError **error);

/**
 * Sorted names: without delimiter all keys below `prefix`; with '/' the groups alone, each with
 * its '/'.  For what is small: held in memory.  Returns: (transfer full) (nullable) char*
 */
GPtrArray *bp_catalog__names(const bp_catalog *catalog, const char *prefix, char delimiter,
                             GError **error);

/** Removing what lies below a prefix, in batches while it is listed. */
typedef struct bp_purge {
    const bp_catalog *catalog;
    const char *step;   /* fault points "<step>.before" the first and "<step>.after" the last */
    const char *prefix; /* ends in '/' or is a stem of names */
    bool (*keep)(void *ctx, const char *key); /* NULL = nothing */
    void *ctx;
    bp_remove_progress progress; /* or NULL */
    void *progress_ctx;
    guint64 *removed; /* counts on */
} bp_purge;
bool bp_catalog__purge(const bp_purge *purge, GError **error);

/** A step that is no single write: its fault point "<step><moment>". */
bool bp_catalog__pass(const char *step, const char *moment, GError **error);

/** NOT_FOUND for a name, with a near one as hint. */
void bp_catalog__set_not_found(const bp_catalog *catalog, const char *name, GError **error);

/** A name that can be a part of a key, and is not taken: INVALID else. */
bool bp_catalog__check_child(const bp_catalog *catalog, const char *name, GError **error);

#endif
