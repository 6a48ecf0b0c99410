/* SPDX-License-Identifier: Apache-2.0
 *
 * The items of one unit, page by page.
 *
 * A server takes a while to flush.  What was complete before, the insert logs of segments that
 * were flushed already, is named at once, so that it is copied meanwhile.  When the flush is done,
 * everything else follows, their delete logs among it, which a flush adds to.
 */
#include <inttypes.h>
#include <string.h>

#include "capture.h"
#include "capture_list.h"
#include "layout.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* A page ends with the segment that makes it this long. */
#define PAGE_ITEMS 1000
/* Token of the page that waits for the flush. */
#define FLUSHED "flushed"

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
    GHashTable *versions; /* of the segment's keys on the storage */
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

/* One that is not whole is left for later, when the server must have it whole. */
static bp_status
emit_early(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
           struct emitter *emitter, struct milvus_segment *segment, struct bp_error *error)
{
    g_autoptr(GHashTable) versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (segment->is_l0) {
        return BP_OK;
    }
    bp_status status = milvus_list_inserts(run->source, op, segment, versions, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *defect = milvus_segment_defect(segment, unit->collection->schema);
    if (defect != NULL) {
        return BP_OK;
    }
    g_hash_table_replace(unit->early, g_memdup2(&segment->id, sizeof(segment->id)),
                         g_array_ref(segment->insert_logs));
    emitter->segment = segment;
    emitter->versions = versions;
    return emit_logs(emitter, segment->insert_logs, milvus_insert_key, milvus_source_insert_key,
                     error);
}

static bool
same_logs(const GArray *a, const GArray *b)
{
    for (guint i = 0; a->len == b->len && i < a->len; i++) {
        const struct milvus_log *x = &g_array_index(a, struct milvus_log, i);
        const struct milvus_log *y = &g_array_index(b, struct milvus_log, i);
        if (x->field_id != y->field_id || x->log_id != y->log_id || x->size != y->size) {
            return false;
        }
    }
    return a->len == b->len;
}

static bp_status
emit_inserts(const struct milvus_unit *unit, struct emitter *emitter, struct bp_error *error)
{
    const struct milvus_segment *segment = emitter->segment;
    const GArray *early = g_hash_table_lookup(unit->early, &segment->id);
    if (early == NULL) {
        return emit_logs(emitter, segment->insert_logs, milvus_insert_key, milvus_source_insert_key,
                         error);
    }
    if (same_logs(early, segment->insert_logs)) {
        return BP_OK;
    }
    g_autofree char *text = milvus_unit_text(unit);
    return bp_fail(error, BP_ERR_STALE, "%s: segment %" PRId64 " was written anew", text,
                   segment->id);
}

static bp_status
emit_segment(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
             struct emitter *emitter, struct milvus_segment *segment, struct bp_error *error)
{
    g_autoptr(GHashTable) versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    segment->delta_rows = MILVUS_COUNT_UNKNOWN;
    bp_status status = milvus_list_segment(run->source, op, segment, versions, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *defect = milvus_segment_defect(segment, unit->collection->schema);
    if (defect != NULL) {
        return report_defect(run, op, unit, segment, defect, error);
    }
    emitter->segment = segment;
    emitter->versions = versions;
    status = emit_inserts(unit, emitter, error);
    if (status == BP_OK) {
        status = emit_logs(emitter, segment->delta_logs, milvus_delta_key, milvus_source_delta_key,
                           error);
    }
    return status;
}

/* A token is "<generation>.<index of the next segment>", or FLUSHED. */
static bp_status
parse_token(const struct milvus_unit *unit, const char *token, guint *index, struct bp_error *error)
{
    *index = 0;
    if (token == NULL || strcmp(token, FLUSHED) == 0) {
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

/* The segments of which parts were named must still be those that the collection consists of. */
static bp_status
check_early(const struct milvus_unit *unit, struct bp_error *error)
{
    guint found = 0;
    for (guint i = 0; i < unit->segments->len; i++) {
        const struct milvus_segment *segment = unit->segments->pdata[i];
        found += g_hash_table_contains(unit->early, &segment->id) ? 1 : 0;
    }
    if (found == g_hash_table_size(unit->early)) {
        return BP_OK;
    }
    g_autofree char *text = milvus_unit_text(unit);
    return bp_fail(error, BP_ERR_STALE, "%s: segments were compacted away while it was flushed",
                   text);
}

static bp_status
await_rest(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
           struct bp_error *error)
{
    bp_status status = milvus_capture_flush_await(run, op, unit, error);
    if (status == BP_OK) {
        status = milvus_capture_segments(run, op, unit, error);
    }
    if (status == BP_OK) {
        unit->is_early = false;
        status = check_early(unit, error);
    }
    return status;
}

/* The token of the page after the one that ended before segment i, or NULL. */
static char *
next_token(const struct milvus_unit *unit, guint i)
{
    if (i < unit->segments->len) {
        return g_strdup_printf("%" PRIu32 ".%u", unit->generation, i);
    }
    return unit->is_early ? g_strdup(FLUSHED) : NULL;
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
    if (status == BP_OK && unit->is_early && g_strcmp0(token, FLUSHED) == 0) {
        status = await_rest(run, op, unit, error);
    }
    struct emitter emitter = {.source = run->source, .sink = sink};
    while (status == BP_OK && i < unit->segments->len && emitter.n < PAGE_ITEMS) {
        if (run->source->host->cancelled(op) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "items: cancelled");
        }
        struct milvus_segment *segment = unit->segments->pdata[i++];
        status = unit->is_early ? emit_early(run, op, unit, &emitter, segment, error)
                                : emit_segment(run, op, unit, &emitter, segment, error);
    }
    g_autofree char *next = status == BP_OK ? next_token(unit, i) : NULL;
    if (next != NULL && sink->next(sink->ctx, next) != 0) {
        status = bp_fail(error, BP_ERR_CANCELLED, "items: stopped by the caller");
    }
    return status;
}
