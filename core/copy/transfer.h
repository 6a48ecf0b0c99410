/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying one item, with all its retries, by one worker.
 *
 * Three ways: the destination copies by itself (direct); the bytes pass through here in one
 * stream; or, for large items where the destination can, in parts.
 */
#ifndef BP_CORE_COPY_TRANSFER_H
#define BP_CORE_COPY_TRANSFER_H

#include "core/copy/copy.h"
#include "core/copy/counters.h"
#include "core/copy/hasher.h"
#include "core/copy/intake.h"
#include "core/copy/pool.h"
#include "core/copy/routes.h"

/** What all transfers of one engine share; constant while workers run. */
typedef struct bp_transfer_env {
    bp_copy_params params;
    bp_call call; /* as params.call, cancelled also when the engine stops */
    bp_throttle *throttle;
    bp_counters *counters;
    bp_routes *routes;
    bp_copy_retry retry;
    bp_pool *pool;   /* whose idle workers take parts of large items; NULL = nobody helps */
    guint8 *buffers; /* of its workers, each of params.buffer_bytes */
} bp_transfer_env;

typedef struct bp_transfer_result {
    guint64 size;
    struct bp_checksum checksum;
    char *src_etag; /* (transfer full), or NULL */
} bp_transfer_result;

/** Checksums made while bytes pass: ours, and the kind the item names when it is another. */
typedef struct bp_sums {
    bp_hasher *own, *named;
} bp_sums;

/** One item under way. */
typedef struct bp_transfer {
    const bp_transfer_env *env;
    const bp_copy_item *item;
    void *buffer;
    bp_sums sums;
    struct bp_checksum joined; /* of parts that went side by side, in place of `sums` */
    atomic_ullong counted;     /* bytes that the progress was told of */
    bool final;                /* the failure has had its attempts */
    bp_transfer_result *result;
} bp_transfer;

/**
 * Copy one item.  `buffer` has env->params.buffer_bytes.
 * STALE: the source item is gone or another version; CORRUPT: sizes or checksums disagree; else
 * what the storages raise, after retries.  On success the destination took all bytes, but only a
 * barrier makes them durable.
 */
bool bp_transfer_run(const bp_transfer_env *env, const bp_copy_item *item, void *buffer,
                     bp_transfer_result *result, GError **error);

/** The item is to be uploaded in parts; `size` is known. */
bool bp_parts_wanted(const bp_transfer *transfer, guint64 size, bool direct);
/** Copies in parts.  Errors are final, except UNSUPPORTED, DENIED and AUTH of a direct one. */
bool bp_parts_run(bp_transfer *transfer, guint64 size, bool direct, GError **error);

/* Shared by transfer.c and parts.c. */

/** Run `step` with attempts of its own; a failure that is `final` ends them. */
bool bp_transfer__try(bp_transfer *transfer, bool (*step)(void *ctx, GError **error), void *ctx,
                      GError **error);

void bp_transfer__begin_intake(bp_transfer *transfer, bp_intake *intake);
/** Error of the source: class STALE where it means that the item is gone. */
void bp_transfer__judge_source(const bp_transfer *transfer, GError **error);
/** Told how many bytes of the item are done; any number, also fewer than before. */
void bp_transfer__count(bp_transfer *transfer, guint64 bytes);
/**
 * At most `cap` bytes from the intake into the sums and the writer; *n < cap at the end.  Counting
 * them is the caller's.
 */
bool bp_transfer__pump(bp_transfer *transfer, bp_intake *intake, bp_store_writer *writer, gsize cap,
                       gsize *n, GError **error);
/**
 * The destination says what it holds: compares with `size` and the sums and fills the result, or
 * removes the copy and raises CORRUPT.
 */
bool bp_transfer__accept(bp_transfer *transfer, const struct bp_object_meta *meta, guint64 size,
                         GError **error);

void bp_sums_init(bp_sums *sums, const bp_copy_params *params, guint32 named_kind);
void bp_sums_clear(bp_sums *sums);
void bp_sums_reset(bp_sums *sums);
void bp_sums_update(bp_sums *sums, const void *bytes, gsize n);
void bp_sums_copy(bp_sums *to, const bp_sums *from);

#endif
