/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage in memory that takes the place of core/plugin's bp_store_* at link time: list this
 * library before the one under test.  Counts calls, fails on demand.  Also stands in for the
 * STREAM items of a source and for bp_call_undo.
 *
 * Any thread, like the real one.  Errors read "fake NAME: OP KEY: …".
 */
#ifndef BP_TESTS_HARNESS_FAKE_STORE_H
#define BP_TESTS_HARNESS_FAKE_STORE_H

#include "core/plugin/source.h"
#include "core/plugin/store.h"

typedef enum {
    FAKE_PROBE,
    FAKE_STAT,
    FAKE_LIST,
    FAKE_READ_OPEN,
    FAKE_READ,
    FAKE_WRITE_OPEN,
    FAKE_WRITE,
    FAKE_COMMIT,
    FAKE_ABORT, /* counted only, never fails */
    FAKE_REMOVE,
    FAKE_SYNC,
    FAKE_COPY,
    FAKE_PART_BEGIN,
    FAKE_PART_OPEN,
    FAKE_PART_COPY,
    FAKE_PART_COMPLETE,
    FAKE_PART_ABORT,
    FAKE_UPLOADS_ABORT,
    FAKE_SPACE,
    FAKE_OPS
} fake_op;

/** What goes wrong, and when. */
typedef struct fake_fault {
    fake_op op;
    const char *key;     /* NULL = any; static text */
    guint skip;          /* matching calls that still go well */
    guint times;         /* matching calls that fail then; 0 = all */
    int cls;             /* error class; BP_OK = only `hook` */
    const char *message; /* static text; NULL = "injected" */
    guint64 retry_after_ms;
    bool takes_effect; /* COMMIT, PART_BEGIN, PART_COMPLETE: done all the same, outcome "unknown" */
    bool unknown;      /* outcome "unknown", and nothing was done */
    bool hangs;        /* until its call is cancelled, or for a minute */
    void (*hook)(void *ctx, const char *key); /* called at each match past `skip`; may be NULL */
    void *ctx;
} fake_fault;

/** All capabilities but SERVER_COPY and PARTS, no limits.  Freed by bp_store_free. */
bp_store *fake_store_new(const char *name);
/** Facts, to be changed before use. */
struct bp_storage_info *fake_store_facts(bp_store *store);
/** bp_store_same_plugin compares this; default "fake". */
void fake_store_set_kind(bp_store *store, const char *kind);
/** What is committed without DURABLE becomes visible at the next sync only. */
void fake_store_set_staged(bp_store *store, bool staged);
/** So many listings show nothing, as if all were new. */
void fake_store_set_late(bp_store *store, guint listings);
/** Every key reads as an object of this size, made up on the fly. */
void fake_store_set_synthetic(bp_store *store, guint64 size);
/** What is written is counted and forgotten. */
void fake_store_set_blackhole(bp_store *store, bool blackhole);
/** Reads give at most so many bytes at once; 0 = as asked. */
void fake_store_set_read_max(bp_store *store, gsize bytes);
/** The next commits report a size (or checksum) that is not true. */
void fake_store_set_lie_size(bp_store *store, gint64 difference);
void fake_store_set_lie_checksum(bp_store *store, const struct bp_checksum *checksum);
void fake_store_add_fault(bp_store *store, const fake_fault *fault);

void fake_store_set(bp_store *store, const char *key, const void *bytes, gsize n);
void fake_store_set_text(bp_store *store, const char *key, const char *text);
/** Visible content, or NULL.  Returns: (transfer full) */
GBytes *fake_store_content(bp_store *store, const char *key);
/** Content is exactly this text. */
bool fake_store_has_text(bp_store *store, const char *key, const char *text);
guint fake_store_n_objects(bp_store *store);
guint fake_store_n_staged(bp_store *store);
guint fake_store_calls(bp_store *store, fake_op op);
/** Readers and writers that are open; uploads that are neither complete nor aborted. */
guint fake_store_n_open(bp_store *store);
guint fake_store_n_uploads(bp_store *store);
/** Bytes promised for the part that was opened last. */
guint64 fake_store_last_part(bp_store *store);
/** BP_WRITE_… of the last upload in parts that was begun. */
guint32 fake_store_begun_flags(bp_store *store);
/** Most writers that were open at once. */
guint fake_store_peak_writers(bp_store *store);

/** A run whose STREAM items are the objects of `store`, whatever the unit. */
bp_source_run *fake_store_as_run(bp_store *store);

#endif
