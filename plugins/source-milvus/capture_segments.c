/* SPDX-License-Identifier: Apache-2.0
 *
 * Which segments a collection consists of right now.
 */
#include <inttypes.h>

#include "capture.h"
#include "capture_list.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define SETTLE_POLL_NS (UINT64_C(200) * 1000 * 1000)
/* From here on a segment is no set of files that we could copy. */
#define STORAGE_VERSION_OPAQUE 3

static bool
any_in_state(const GArray *infos, int32_t state)
{
    for (guint i = 0; i < infos->len; i++) {
        if (g_array_index(infos, struct milvus_segment_info, i).state == state) {
            return true;
        }
    }
    return false;
}

/* Segments, once none of them is on its way to storage any more. */
static bp_status
list_settled(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
             GArray *infos, struct bp_error *error)
{
    int64_t end_us = g_get_monotonic_time() + (int64_t)run->options.flush_timeout_ms * 1000;
    for (;;) {
        g_array_set_size(infos, 0);
        bp_status status = milvus_api_list_segments(run->source->api, op, unit->planned->db_name,
                                                    unit->planned->name, infos, error);
        if (status != BP_OK || !any_in_state(infos, MILVUS_SEGMENT_FLUSHING)) {
            return status;
        }
        g_autofree char *text = milvus_unit_text(unit);
        if (g_get_monotonic_time() > end_us) {
            return bp_fail(error, BP_ERR_TIMEOUT,
                           "%s: segments still flushing after %" PRIu64 " s (option flush_timeout)",
                           text, run->options.flush_timeout_ms / 1000);
        }
        status = run->source->host->sleep(op, SETTLE_POLL_NS);
        if (status != BP_OK) {
            return bp_fail(error, status, "%s: stopped while segments were flushing", text);
        }
    }
}

static struct milvus_partition *
partition_of(const struct milvus_collection *collection, int64_t partition_id)
{
    for (guint i = 0; i < collection->partitions->len; i++) {
        struct milvus_partition *partition = collection->partitions->pdata[i];
        if (partition->id == partition_id) {
            return partition;
        }
    }
    return NULL;
}

bool
milvus_segment_has_rows(const struct milvus_segment_info *info)
{
    return info->level != MILVUS_LEVEL_L0 && info->num_rows != 0 &&
           info->storage_version < STORAGE_VERSION_OPAQUE;
}

struct milvus_segment *
milvus_segment_from(const struct milvus_collection *collection,
                    const struct milvus_segment_info *info)
{
    struct milvus_segment *segment =
        milvus_segment_new(collection->id, info->partition_id, info->id);
    segment->num_rows = info->num_rows;
    segment->storage_version = info->storage_version;
    segment->level = info->level;
    segment->is_l0 = info->level == MILVUS_LEVEL_L0;
    segment->delta_rows = MILVUS_COUNT_UNKNOWN;
    segment->group_id = info->partition_id == MILVUS_ALL_PARTITIONS ? 0 : info->id;
    return segment;
}

/* Puts one segment where it belongs; one of a partition that is gone is left out. */
static bp_status
take_segment(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
             const struct milvus_segment_info *info, struct bp_error *error)
{
    struct milvus_collection *collection = unit->collection;
    g_autofree char *text = milvus_unit_text(unit);
    if (info->storage_version >= STORAGE_VERSION_OPAQUE) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "%s: segment %" PRId64 " is stored in format %" PRId64
                       ", which only snapshots of the server can save",
                       text, info->id, info->storage_version);
    }
    bool is_l0 = info->level == MILVUS_LEVEL_L0;
    if (info->num_rows == 0 && !is_l0) {
        return BP_OK;
    }
    GPtrArray *home = NULL;
    if (info->partition_id == MILVUS_ALL_PARTITIONS && is_l0) {
        home = collection->l0_segments;
    } else {
        struct milvus_partition *partition = partition_of(collection, info->partition_id);
        home = partition != NULL ? partition->segments : NULL;
    }
    if (home == NULL) {
        bp_hostlog(run->source->host, op, BP_LOG_WARN,
                   "%s: segment %" PRId64 " left out: its partition %" PRId64 " is gone", text,
                   info->id, info->partition_id);
        return BP_OK;
    }
    struct milvus_segment *segment = milvus_segment_from(collection, info);
    g_ptr_array_add(home, segment);
    g_ptr_array_add(unit->segments, segment);
    return BP_OK;
}

/* A partially loaded collection says so partition by partition. */
static bp_status
describe_partition_loads(struct bp_run *run, const struct bp_op *op,
                         struct milvus_collection *collection, struct bp_error *error)
{
    bool ask = collection->load_state != MILVUS_LOAD_NOT_LOADED;
    for (guint i = 0; i < collection->partitions->len; i++) {
        struct milvus_partition *partition = collection->partitions->pdata[i];
        partition->load_state = collection->load_state;
        if (!ask || collection->partitions->len == 1) {
            continue;
        }
        struct milvus_load_query query = {.db = collection->db_name,
                                          .collection = collection->name,
                                          .partition = partition->name};
        bp_status status =
            milvus_api_load_state(run->source->api, op, &query, &partition->load_state, error);
        if (status != BP_OK) {
            return status;
        }
    }
    return BP_OK;
}

bp_status
milvus_capture_segments(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
                        struct bp_error *error)
{
    struct milvus_collection *collection = unit->collection;
    g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    bp_status status = BP_OK;
    unit->generation++;
    g_ptr_array_set_size(unit->segments, 0);
    g_ptr_array_set_size(collection->l0_segments, 0);
    g_ptr_array_set_size(collection->partitions, 0);
    if (run->options.strategy != MILVUS_META_ONLY) {
        status = list_settled(run, op, unit, infos, error);
    }
    /* After the segments: a partition made meanwhile is known, a dropped one is not. */
    if (status == BP_OK) {
        status = milvus_api_list_partitions(run->source->api, op, collection,
                                            collection->partitions, error);
    }
    if (status == BP_OK) {
        status = describe_partition_loads(run, op, collection, error);
    }
    for (guint i = 0; status == BP_OK && i < infos->len; i++) {
        const struct milvus_segment_info *info =
            &g_array_index(infos, struct milvus_segment_info, i);
        if (info->state == MILVUS_SEGMENT_FLUSHED) {
            status = take_segment(run, op, unit, info, error);
        }
    }
    g_hash_table_remove_all(unit->delta_versions);
    if (status == BP_OK && unit->segments->len > 0) {
        status = milvus_list_deltas(run->source, op, collection->id, unit->segments,
                                    unit->delta_versions, error);
    }
    return status;
}

bp_status
milvus_segment_is_named(struct bp_run *run, const struct bp_op *op, const struct milvus_unit *unit,
                        int64_t segment_id, bool *out, struct bp_error *error)
{
    g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    bp_status status = milvus_api_list_segments(run->source->api, op, unit->planned->db_name,
                                                unit->planned->name, infos, error);
    *out = false;
    for (guint i = 0; status == BP_OK && i < infos->len; i++) {
        const struct milvus_segment_info *info =
            &g_array_index(infos, struct milvus_segment_info, i);
        if (info->id == segment_id && info->state == MILVUS_SEGMENT_FLUSHED) {
            *out = true;
        }
    }
    return status;
}
