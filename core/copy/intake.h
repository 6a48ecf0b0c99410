/* SPDX-License-Identifier: Apache-2.0
 *
 * The reading side of a copy: one object of a storage or one STREAM item of a source, as a stream
 * of bytes that survives broken reads.  A read that breaks is opened again where it stopped, with
 * the version that was opened first, so that two versions never mix.
 *
 * A value on one thread's stack; bp_intake_close is safe at any time after bp_intake_init.
 */
#ifndef BP_CORE_COPY_INTAKE_H
#define BP_CORE_COPY_INTAKE_H

#include "core/base/retry_internal.h"
#include "core/copy/throttle.h"
#include "core/plugin/source.h"
#include "core/plugin/store.h"

/** How to try again, for all that works on one copy. */
typedef struct bp_copy_retry {
    const bp_retry_env *env;
    bp_retry_params params;
    /** Told of each THROTTLED failure before the wait; may be NULL.  Any thread. */
    void (*throttled)(void *ctx);
    void *ctx;
} bp_copy_retry;

typedef struct bp_intake_params {
    bp_store *src;          /* NULL = STREAM item */
    const char *key, *etag; /* STREAM: the item's id.  etag: NULL = what is there at first */
    bp_source_run *run;     /* STREAM */
    const char *unit_id;    /* STREAM */
    const bp_call *call;
    bp_throttle *throttle; /* or NULL */
    const bp_copy_retry *retry;
} bp_intake_params;

typedef struct bp_intake {
    bp_intake_params params;
    bp_store_reader *reader;
    bp_source_reader *item;
    struct bp_object_meta meta; /* of the first open; all unknown for STREAM */
    bool met;                   /* meta is filled */
    guint64 offset;             /* of the next byte */
    guint64 end;                /* where reads of the storage end; BP_UNKNOWN = with the object */
} bp_intake;

void bp_intake_init(bp_intake *intake, const bp_intake_params *params);
void bp_intake_close(bp_intake *intake);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_intake, bp_intake_close)

/* Each call below has attempts of its own: its errors have been retried and are final. */

/** Open now and fill `meta`; else the first read does. */
bool bp_intake_open(bp_intake *intake, GError **error);
/** Go on at another offset with the next read, for `length` bytes; BP_UNKNOWN = to the end. */
void bp_intake_seek(bp_intake *intake, guint64 offset, guint64 length);
/** Fills the buffer unless the end comes before: *n < cap is the end. */
bool bp_intake_read(bp_intake *intake, void *buffer, gsize cap, gsize *n, GError **error);

#endif
