/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations on one unit: make its data complete, name its items page by page, count what a
 * restore must yield.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "capture_list.h"
#include "delta_log.h"
#include "layout.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* A page ends with the segment that makes it this long. */
#define PAGE_ITEMS 1000

bp_status
milvus_unit_begin(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                  struct bp_error *error)
{
    struct milvus_unit *unit = NULL;
    bp_status status = milvus_run_unit(run, unit_id, &unit, error);
    if (status == BP_OK) {
        status = milvus_capture_describe(run, op, unit, error);
    }
    if (status == BP_OK && run->options.strategy == MILVUS_SERIAL_FLUSH) {
        status = milvus_capture_flush(run, op, unit, error);
    }
    if (status == BP_OK) {
        status = milvus_capture_segments(run, op, unit, error);
    }
    return status;
}

bp_status
milvus_unit_refresh(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                    struct bp_error *error)
{
    struct milvus_unit *unit = NULL;
    bp_status status = milvus_run_unit(run, unit_id, &unit, error);
    if (status == BP_OK && unit->collection == NULL) {
        status = bp_fail(error, BP_ERR_INVALID, "unit %s: not begun", unit_id);
    }
    return status == BP_OK ? milvus_capture_segments(run, op, unit, error) : status;
}

bp_status
milvus_unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id, int32_t outcome,
                struct bp_error *error)
{
    (void)op;
    struct milvus_unit *unit = NULL;
    bp_status status = milvus_run_unit(run, unit_id, &unit, error);
    if (status == BP_OK && unit->collection != NULL) {
        unit->is_done = outcome == BP_OUTCOME_DONE;
        unit->collection->end_s = g_get_real_time() / G_USEC_PER_SEC;
    }
    return status;
}

/* The files of a segment do not fit together.  Compaction may just have replaced it: then the
 * core looks again.  If the server still names it, something is wrong with the storage. */
static bp_status
report_defect(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
              const struct milvus_segment *segment, const char *defect, struct bp_error *error)
{
    bool named = false;
    bp_status status = milvus_segment_is_named(run, op, unit, segment->id, &named, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *text = milvus_unit_text(unit);
    if (!named) {
        return bp_fail(error, BP_ERR_STALE, "%s: segment %" PRId64 " was compacted away", text,
                       segment->id);
    }
    g_autofree char *place = milvus_describe_place(run->source, op, segment);
    return bp_fail(error, BP_ERR_CORRUPT, "%s: segment %" PRId64 " %s; %s", text, segment->id,
                   defect, place);
}

struct emitter {
    const struct bp_source *source;
    const struct bp_item_sink *sink;
    const struct milvus_segment *segment;
    GHashTable *versions; /* of keys on the storage */
    guint n;
};

typedef char *(*key_fn)(const struct milvus_segment *segment, const struct milvus_log *log);

static bp_status
emit_logs(struct emitter *emitter, const GArray *logs, key_fn backup_key, key_fn source_key,
          struct bp_error *error)
{
    for (guint i = 0; i < logs->len; i++) {
        const struct milvus_log *log = &g_array_index(logs, struct milvus_log, i);
        g_autofree char *key = backup_key(emitter->segment, log);
        g_autofree char *below_root = source_key(emitter->segment, log);
        g_autofree char *ref_key =
            g_strconcat(emitter->source->config.storage_prefix, below_root, NULL);
        struct bp_item item = {.struct_size = sizeof(item),
                               .kind = BP_ITEM_REF,
                               .id = below_root,
                               .key = key,
                               .ref = emitter->source->config.storage,
                               .ref_key = ref_key,
                               .etag = g_hash_table_lookup(emitter->versions, ref_key),
                               .size = (uint64_t)log->size};
        if (emitter->sink->item(emitter->sink->ctx, &item) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "items: stopped by the caller");
        }
        emitter->n++;
    }
    return BP_OK;
}

static bp_status
emit_segment(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
             struct emitter *emitter, struct milvus_segment *segment, struct bp_error *error)
{
    g_autoptr(GHashTable) versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    segment->delta_rows = MILVUS_COUNT_UNKNOWN;
    bp_status status = milvus_list_inserts(run->source, op, segment, versions, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *defect = milvus_segment_defect(segment, unit->collection->schema);
    if (defect != NULL) {
        return report_defect(run, op, unit, segment, defect, error);
    }
    emitter->segment = segment;
    emitter->versions = versions;
    status = emit_logs(emitter, segment->insert_logs, milvus_insert_key, milvus_source_insert_key,
                       error);
    emitter->versions = unit->delta_versions;
    if (status == BP_OK) {
        status = emit_logs(emitter, segment->delta_logs, milvus_delta_key, milvus_source_delta_key,
                           error);
    }
    return status;
}

/* A token is "<generation>.<index of the next segment>". */
static bp_status
parse_token(const struct milvus_unit *unit, const char *token, guint *index, struct bp_error *error)
{
    *index = 0;
    if (token == NULL) {
        return BP_OK;
    }
    uint64_t generation = 0;
    uint64_t at = 0;
    g_auto(GStrv) parts = g_strsplit(token, ".", 2);
    if (parts[0] == NULL || parts[1] == NULL || bp_parse_u64(parts[0], &generation) != 0 ||
        bp_parse_u64(parts[1], &at) != 0 || generation != unit->generation ||
        at > unit->segments->len) {
        return bp_fail(error, BP_ERR_INVALID, "items: page token %s is not of this generation",
                       token);
    }
    *index = (guint)at;
    return BP_OK;
}

bp_status
milvus_unit_items(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                  const char *token, const struct bp_item_sink *sink, struct bp_error *error)
{
    struct milvus_unit *unit = NULL;
    guint i = 0;
    bp_status status = milvus_run_unit(run, unit_id, &unit, error);
    if (status == BP_OK) {
        status = parse_token(unit, token, &i, error);
    }
    struct emitter emitter = {.source = run->source, .sink = sink};
    while (status == BP_OK && i < unit->segments->len && emitter.n < PAGE_ITEMS) {
        if (run->source->host->cancelled(op) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "items: cancelled");
        }
        status = emit_segment(run, op, unit, &emitter, unit->segments->pdata[i], error);
        i++;
    }
    if (status == BP_OK && i < unit->segments->len) {
        g_autofree char *next = g_strdup_printf("%" PRIu32 ".%u", unit->generation, i);
        if (sink->next(sink->ctx, next) != 0) {
            status = bp_fail(error, BP_ERR_CANCELLED, "items: stopped by the caller");
        }
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
