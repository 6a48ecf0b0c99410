/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations on one unit: make its data complete, look again, count what a restore must yield.
 * Its items: capture_items.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "capture.h"
#include "delta_log.h"
#include "layout.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

static bp_status
find_unit(struct bp_run *run, const struct bp_unit_args *args, struct milvus_unit **out,
          struct bp_error *error)
{
    if (args->flags != 0) {
        (void)bp_fail(error, BP_ERR_INVALID, "unknown flags 0x%" PRIx32 " of unit %s", args->flags,
                      args->unit_id);
        return BP_ERR_INVALID;
    }
    return milvus_run_unit(run, args->unit_id, out, error);
}

/* Asks for a flush, where one is wanted: the segments are known when it is done.  Else now. */
bp_status
milvus_unit_begin(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                  struct bp_error *error)
{
    struct milvus_unit *unit = NULL;
    bp_status status = find_unit(run, args, &unit, error);
    if (status == BP_OK) {
        status = milvus_capture_describe(run, op, unit, error);
    }
    if (status != BP_OK) {
        return status;
    }
    g_hash_table_remove_all(unit->early);
    unit->is_early = false;
    if (run->options.strategy != MILVUS_SERIAL_FLUSH) {
        return milvus_capture_segments(run, op, unit, error);
    }
    status = milvus_capture_flush_begin(run, op, unit, error);
    unit->is_early = status == BP_OK;
    return status;
}

/* Flushed again: between deletes that are newer than the last flush and the rows that replace
 * theirs, which nobody flushed, the backup would lose both.  Nothing is named early this time: what
 * is compacted during a flush cannot make it stale once more. */
bp_status
milvus_unit_refresh(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                    struct bp_error *error)
{
    struct milvus_unit *unit = NULL;
    bp_status status = find_unit(run, args, &unit, error);
    if (status == BP_OK && unit->collection == NULL) {
        status = bp_fail(error, BP_ERR_INVALID, "unit %s: not begun", args->unit_id);
    }
    if (status == BP_OK && run->options.strategy == MILVUS_SERIAL_FLUSH) {
        status = milvus_capture_flush_begin(run, op, unit, error);
        status = status == BP_OK ? milvus_capture_flush_await(run, op, unit, error) : status;
    }
    if (status != BP_OK) {
        return status;
    }
    g_hash_table_remove_all(unit->early);
    unit->is_early = false;
    return milvus_capture_segments(run, op, unit, error);
}

bp_status
milvus_unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id, int32_t outcome,
                struct bp_error *error)
{
    (void)op;
    struct milvus_unit *unit = NULL;
    bp_status status = milvus_run_unit(run, unit_id, &unit, error);
    if (status == BP_OK && outcome == BP_OUTCOME_DONE && unit->is_early) {
        status =
            bp_fail(error, BP_ERR_INVALID, "unit %s: not all of its items were asked for", unit_id);
    }
    if (status == BP_OK && unit->collection != NULL) {
        unit->is_done = outcome == BP_OUTCOME_DONE;
        unit->collection->end_s = g_get_real_time() / G_USEC_PER_SEC;
    }
    return status;
}

/* Rows in the delete logs of a segment, read once per generation. */
static bp_status
count_deletes(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
              struct milvus_segment *segment, struct bp_error *error)
{
    if (segment->delta_rows != MILVUS_COUNT_UNKNOWN) {
        return BP_OK;
    }
    int64_t sum = 0;
    for (guint i = 0; i < segment->delta_logs->len; i++) {
        const struct milvus_log *log = &g_array_index(segment->delta_logs, struct milvus_log, i);
        g_autofree char *below_root = milvus_source_delta_key(segment, log);
        g_autofree char *key = g_strconcat(run->source->config.storage_prefix, below_root, NULL);
        int64_t rows = 0;
        struct milvus_object object = {
            .ref = run->source->config.storage, .key = key, .size = log->size};
        bp_status status = milvus_delta_log_rows(run->source->host, op, &object, &rows, error);
        if (status == BP_ERR_NOT_FOUND) {
            g_autofree char *text = milvus_unit_text(unit);
            return bp_fail(error, BP_ERR_STALE, "%s: %s is gone", text, key);
        }
        if (status != BP_OK) {
            return status;
        }
        if (__builtin_add_overflow(sum, rows, &sum)) {
            return bp_fail(error, BP_ERR_CORRUPT, "%s: impossible number of rows", key);
        }
    }
    segment->delta_rows = sum;
    return BP_OK;
}

bp_status
milvus_unit_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                  struct bp_proof *out, struct bp_error *error)
{
    struct milvus_unit *unit = NULL;
    bp_status status = milvus_run_unit(run, unit_id, &unit, error);
    uint64_t rows = 0;
    uint64_t deletes = 0;
    for (guint i = 0; status == BP_OK && i < unit->segments->len; i++) {
        struct milvus_segment *segment = unit->segments->pdata[i];
        status = count_deletes(run, op, unit, segment, error);
        rows += segment->is_l0 ? 0 : (uint64_t)MAX(segment->num_rows, 0);
        deletes += (uint64_t)MAX(segment->delta_rows, 0);
    }
    if (status != BP_OK) {
        return status;
    }
    out->high = rows;
    out->low = rows > deletes ? rows - deletes : 0;
    out->found = rows;
    if (run->options.strategy == MILVUS_META_ONLY) {
        (void)snprintf(out->note, sizeof(out->note), "no data was asked for");
    } else {
        (void)snprintf(out->note, sizeof(out->note),
                       "%" PRIu64 " rows in %u segments, %" PRIu64 " entries in delete logs", rows,
                       unit->segments->len, deletes);
    }
    return BP_OK;
}
