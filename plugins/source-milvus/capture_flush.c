/* SPDX-License-Identifier: Apache-2.0
 *
 * The flush after which all rows of a collection, and what was deleted of them, lie on storage.
 */
#include <inttypes.h>

#include "capture.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define FLUSH_POLL_MIN_NS (UINT64_C(20) * 1000 * 1000)
#define FLUSH_POLL_MAX_NS (UINT64_C(500) * 1000 * 1000)

bp_status
milvus_capture_flush_begin(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
                           struct bp_error *error)
{
    const struct milvus_collection *collection = unit->collection;
    milvus_flush_clear(&unit->flush);
    bp_status status = milvus_api_flush(run->source->api, op, collection->db_name, collection->name,
                                        &unit->flush, error);
    unit->is_flushing = status == BP_OK;
    if (unit->is_flushing) {
        bp_hostlog(run->source->host, op, BP_LOG_DEBUG, "collection %s.%s: flush seals %u segments",
                   collection->db_name, collection->name, unit->flush.segments->len);
    }
    return status;
}

/* Polls until the server says that what was sealed is on storage.  A fifth of a second is usual:
 * each pause is a quarter of the time waited, so that no more is lost. */
static bp_status
await_server(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
             struct bp_error *error)
{
    const struct bp_host *host = run->source->host;
    int64_t end_us = g_get_monotonic_time() + (int64_t)run->options.flush_timeout_ms * 1000;
    uint64_t pause_ns = FLUSH_POLL_MIN_NS;
    uint64_t waited_ns = 0;
    for (;;) {
        bool done = false;
        bp_status status = milvus_api_flush_done(run->source->api, op, unit->collection,
                                                 &unit->flush, &done, error);
        if (status != BP_OK || done) {
            return status;
        }
        g_autofree char *text = milvus_unit_text(unit);
        if (g_get_monotonic_time() > end_us) {
            return bp_fail(error, BP_ERR_TIMEOUT,
                           "%s: not flushed after %" PRIu64 " s (option flush_timeout)", text,
                           run->options.flush_timeout_ms / 1000);
        }
        status = host->sleep(op, pause_ns);
        if (status != BP_OK) {
            return bp_fail(error, status, "%s: stopped while it was flushed", text);
        }
        waited_ns += pause_ns;
        pause_ns = CLAMP(waited_ns / 4, FLUSH_POLL_MIN_NS, FLUSH_POLL_MAX_NS);
    }
}

bp_status
milvus_capture_flush_await(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
                           struct bp_error *error)
{
    if (!unit->is_flushing) {
        return BP_OK;
    }
    bp_status status = await_server(run, op, unit, error);
    if (status != BP_OK) {
        return status;
    }
    struct milvus_collection *collection = unit->collection;
    const struct milvus_flush *flush = &unit->flush;
    collection->backup_physical_timestamp = flush->seal_time_s;
    collection->backup_timestamp = flush->checkpoint_max;
    g_array_set_size(collection->checkpoints, 0); /* of an earlier flush */
    for (guint i = 0; i < flush->checkpoints->len; i++) {
        const struct milvus_checkpoint *checkpoint =
            &g_array_index(flush->checkpoints, struct milvus_checkpoint, i);
        milvus_checkpoint_add(collection, checkpoint->channel, checkpoint->position);
    }
    milvus_flush_clear(&unit->flush);
    unit->is_flushing = false;
    return BP_OK;
}
