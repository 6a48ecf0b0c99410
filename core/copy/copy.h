/* SPDX-License-Identifier: Apache-2.0
 *
 * The copy engine: moves items to one destination storage with many workers, in flat memory,
 * while they are still being listed.
 *
 * An item goes through: submitted -> (retried …) copied -> barrier -> proven.  Copied means that
 * the destination took every byte and the size it reports agrees (and the checksum, where one
 * exists on both sides).  Proven means that a barrier of the storage came after it; only then is
 * it told to `proven`, in batches, one call at a time.
 *
 * Retries with exponential backoff and jitter by error class; on THROTTLED fewer items run at a
 * time.  The first error that is not retried (or whose attempts ran out) stops the engine, except
 * STALE, which belongs to the item's group alone: the source item is gone.
 */
#ifndef BP_CORE_COPY_COPY_H
#define BP_CORE_COPY_COPY_H

#include "core/base/retry.h" /* bp_retry: implemented in core/base by the catalog engineer */
#include "core/copy/progress.h"
#include "core/plugin/source.h"
#include "core/plugin/store.h"

typedef struct bp_copy bp_copy;
typedef struct bp_copy_group bp_copy_group; /* items of one unit: waited for together */

/** One item to copy.  Filled by the caller; bp_copy_submit copies all of it. */
typedef struct bp_copy_item {
    bp_store *src;        /* NULL = a STREAM item */
    const char *src_key;  /* key in src; STREAM: item id */
    const char *src_etag; /* version that must be copied, or NULL */
    bp_source_run *run;   /* STREAM only */
    const char *unit_id;  /* STREAM only */
    const char *dst_key;
    guint64 size;                /* or BP_UNKNOWN; a copy of another size is CORRUPT */
    struct bp_checksum checksum; /* what the content must have, or kind NONE */
    guint32 tag;                 /* the caller's own, comes back in bp_copied */
    const char *label;           /* likewise, or NULL */
    bool already; /* an earlier run proved it (checksum = what it recorded): not copied again
                     if it is still there with its size, only told to `proven` */
    bool seen;    /* … and that it is there was seen just now: nobody asks the storage for it */
} bp_copy_item;

/** One proven item, as the destination has it. */
typedef struct bp_copied {
    const char *dst_key;
    guint64 size;
    struct bp_checksum checksum; /* kind NONE when nobody saw the bytes */
    struct bp_checksum expected; /* what the item had to have, as it was submitted, or kind NONE */
    const char *src_etag;        /* or NULL */
    guint32 tag;
    const char *label;
} bp_copied;

/** Smallest part that is worth a request of its own. */
#define BP_COPY_PART_BYTES (8 << 20)

/** How a copy is done. */
typedef struct bp_copy_params {
    bp_store *dst;
    const bp_call *call;      /* cancel and deadline of the job; outlives the engine */
    guint workers;            /* lowered to what both plugins allow */
    gsize buffer_bytes;       /* per worker */
    guint64 part_bytes;       /* larger items go in parts where the destination can; 0 = never */
    bool few_whole;           /* … those of a few parts only while there are idle workers */
    guint64 rate_bytes_per_s; /* 0 = unlimited */
    guint attempts;           /* per item, >= 1 */
    gint64 max_delay_ns;      /* between two attempts */
    bool read_back;           /* read every copy again and compare (prove: read) with what was
                                 seen, or else with what it must have */
    bool may_link;            /* items are immutable: the destination may link */
    bool no_checksum;         /* sizes only (prove: size) */
    /** Batches in order of their barrier; false (error set) stops the engine. */
    bool (*proven)(void *ctx, const bp_copied *items, gsize n, GError **error);
    /**
     * An upload in parts is about to begin (id ""), has begun (its id), or is over; may be NULL.
     * What is told with "" is told again with the id, or as over; told with "" once more, another
     * one of that key may have begun unheard.  It begins, and its first part is written, when this
     * has returned true.  Any worker.
     */
    bool (*upload)(void *ctx, const char *key, const char *upload, bool finished, GError **error);
    void *ctx;
    /* 0 = the default, for all three. */
    guint batch_items;   /* barrier at the latest after so many (1000) */
    gint64 batch_ns;     /* … or so long (10 s) */
    gint64 min_batch_ns; /* but not sooner after the last one than this (1 s), unless flushed */
} bp_copy_params;

/** Returns: (transfer full) */
bp_copy *bp_copy_new(const bp_copy_params *params);
/** Stops what runs (aborting its writers), joins all threads, frees.  Nothing more is proven. */
void bp_copy_free(bp_copy *copy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_copy, bp_copy_free)

/** A group lives until bp_copy_group_free; free it after its items are done. */
bp_copy_group *bp_copy_group_new(bp_copy *copy);
void bp_copy_group_free(bp_copy_group *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_copy_group, bp_copy_group_free)

/** Blocks while the queue is full.  Fails with the engine's error once it stopped. */
bool bp_copy_submit(bp_copy *copy, bp_copy_group *group, const bp_copy_item *item, GError **error);

/**
 * Wait until all items of the group are copied or stale.  The group can be used again.
 * @stale: number of items whose source was gone.  Fails with the engine's error or CANCELLED.
 */
bool bp_copy_group_wait(bp_copy *copy, bp_copy_group *group, guint64 *stale, GError **error);

/** Barrier now: everything submitted so far is proven when this returns true. */
bool bp_copy_flush(bp_copy *copy, GError **error);

/**
 * The tag of the item whose failure is the engine's error, which all who wait for it get.  false:
 * it is no item's, as that of a barrier.  Any thread.
 */
bool bp_copy_failed_item(bp_copy *copy, guint32 *tag);

/** Snapshot; any thread. */
void bp_copy_progress(bp_copy *copy, bp_progress *out);

/** Read one object whole and compute its XXH3-128.  Retries as params say. */
typedef struct bp_copy_hash_params {
    bp_store *store;
    const bp_call *call;
    const char *key;
    gsize buffer_bytes;
    guint attempts;
    gint64 max_delay_ns;
    enum bp_checksum_kind kind; /* XXH3_128, or SHA256, CRC32C, MD5 to compare with a store's */
} bp_copy_hash_params;
bool bp_copy_hash(const bp_copy_hash_params *params, struct bp_checksum *out, guint64 *size,
                  GError **error);

#endif
