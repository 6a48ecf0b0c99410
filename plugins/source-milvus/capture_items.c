/* SPDX-License-Identifier: Apache-2.0
 *
 * The items of one unit, page by page.
 *
 * A server takes a while to flush.  Insert logs of segments that were flushed before are complete
 * and never change, so one page of them is named at once and copied meanwhile.  The host asks one
 * page ahead: the next one waits for the flush and lists all deletes right after it, however long
 * the copies of the first may take.
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

/* One that is not whole is left for later, when the server must have it whole. */
static bp_status
emit_early(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
           struct emitter *emitter, const struct milvus_segment_info *info, struct bp_error *error)
{
    g_autoptr(GHashTable) versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(milvus_segment) segment = milvus_segment_from(unit->collection, info);
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

/* The first page, while the flush runs: insert logs of segments that were flushed before it. */
static bp_status
emit_early_page(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
                struct emitter *emitter, struct bp_error *error)
{
    g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    g_hash_table_remove_all(unit->early);
    bp_status status = milvus_api_list_segments(run->source->api, op, unit->planned->db_name,
                                                unit->planned->name, infos, error);
    for (guint i = 0; status == BP_OK && i < infos->len && emitter->n < PAGE_ITEMS; i++) {
        const struct milvus_segment_info *info =
            &g_array_index(infos, struct milvus_segment_info, i);
        if (run->source->host->cancelled(op) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "items: cancelled");
        }
        if (info->state == MILVUS_SEGMENT_FLUSHED && milvus_segment_has_rows(info)) {
            status = emit_early(run, op, unit, emitter, info, error);
        }
    }
    return status;
}

/* The insert logs of a segment, unless they were named early: they never change. */
static bp_status
emit_inserts(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
             struct emitter *emitter, struct milvus_segment *segment, struct bp_error *error)
{
    g_autoptr(GHashTable) versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GArray *early = g_hash_table_lookup(unit->early, &segment->id);
    if (early != NULL) {
        g_array_unref(segment->insert_logs);
        segment->insert_logs = g_array_ref(early);
        return BP_OK;
    }
    bp_status status = milvus_list_inserts(run->source, op, segment, versions, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *defect = milvus_segment_defect(segment, unit->collection->schema);
    if (defect != NULL) {
        return report_defect(run, op, unit, segment, defect, error);
    }
    emitter->versions = versions;
    return emit_logs(emitter, segment->insert_logs, milvus_insert_key, milvus_source_insert_key,
                     error);
}

static bp_status
emit_segment(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
             struct emitter *emitter, struct milvus_segment *segment, struct bp_error *error)
{
    segment->delta_rows = MILVUS_COUNT_UNKNOWN;
    emitter->segment = segment;
    bp_status status = emit_inserts(run, op, unit, emitter, segment, error);
    emitter->versions = unit->delta_versions;
    if (status == BP_OK) {
        status = emit_logs(emitter, segment->delta_logs, milvus_delta_key, milvus_source_delta_key,
                           error);
    }
    return status;
}

/* The segments that were named early must still be among those that the collection consists of. */
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
await_flushed(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
              struct bp_error *error)
{
    bp_status status = milvus_capture_flush_await(run, op, unit, error);
    if (status == BP_OK) {
        status = milvus_capture_segments(run, op, unit, error);
    }
    if (status == BP_OK) {
        status = check_early(unit, error);
    }
    unit->is_early = unit->is_early && status != BP_OK;
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

/* Segments from *i on, until the page is full. */
static bp_status
emit_page(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
          struct emitter *emitter, guint *i, struct bp_error *error)
{
    bp_status status = BP_OK;
    while (status == BP_OK && *i < unit->segments->len && emitter->n < PAGE_ITEMS) {
        if (run->source->host->cancelled(op) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "items: cancelled");
        }
        status = emit_segment(run, op, unit, emitter, unit->segments->pdata[*i], error);
        (*i)++;
    }
    return status;
}

/* The token of the page after one that ended before segment i; NULL = there is none. */
static char *
next_token(const struct milvus_unit *unit, bool early, guint i)
{
    if (early) {
        return g_strdup(FLUSHED);
    }
    return i < unit->segments->len ? g_strdup_printf("%" PRIu32 ".%u", unit->generation, i) : NULL;
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
    if (status != BP_OK) {
        return status;
    }
    struct emitter emitter = {.source = run->source, .sink = sink};
    bool early = unit->is_early && token == NULL;
    if (early) {
        status = emit_early_page(run, op, unit, &emitter, error);
    } else {
        status = unit->is_early ? await_flushed(run, op, unit, error) : BP_OK;
        status = status == BP_OK ? emit_page(run, op, unit, &emitter, &i, error) : status;
    }
    g_autofree char *next = status == BP_OK ? next_token(unit, early, i) : NULL;
    if (next != NULL && sink->next(sink->ctx, next) != 0) {
        status = bp_fail(error, BP_ERR_CANCELLED, "items: stopped by the caller");
    }
    return status;
}
