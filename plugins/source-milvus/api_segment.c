/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments and flushes.
 */
#include <string.h>

#include "api_internal.h"

#include "sdk/lib/ban.h"

bp_status
milvus_api_list_segments(struct milvus_api *api, const struct bp_op *op, const char *db,
                         const char *collection, GArray *segments, struct bp_error *error)
{
    Mv__GetPersistentSegmentInfoRequest message = MV__GET_PERSISTENT_SEGMENT_INFO_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    g_autofree char *object = milvus_api__collection_text(db, collection);
    struct milvus_request request = {.method = "GetPersistentSegmentInfo",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer =
                                         &mv__get_persistent_segment_info_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    /* While compaction swaps segments, the server may miss one of its own for a moment. */
    if (status == BP_ERR_NOT_FOUND && strstr(error->message, "segment not found") != NULL) {
        error->cls = BP_ERR_RETRYABLE;
        return BP_ERR_RETRYABLE;
    }
    if (status != BP_OK) {
        return status;
    }
    const Mv__GetPersistentSegmentInfoResponse *response =
        (const Mv__GetPersistentSegmentInfoResponse *)answer;
    for (size_t i = 0; i < response->n_infos; i++) {
        const Mv__PersistentSegmentInfo *wire = response->infos[i];
        struct milvus_segment_info info = {
            .id = wire->segment_id,
            .collection_id = wire->collection_id,
            .partition_id = wire->partition_id,
            .num_rows = wire->num_rows,
            .storage_version = wire->storage_version,
            .state = wire->state,
            .level = wire->level,
        };
        g_array_append_val(segments, info);
    }
    return BP_OK;
}

static void
checkpoint_clear(void *element)
{
    struct milvus_checkpoint *checkpoint = element;
    g_free(checkpoint->channel);
    g_bytes_unref(checkpoint->position);
}

static void
flush_init(struct milvus_flush *flush)
{
    *flush = (struct milvus_flush){
        .segments = g_array_new(FALSE, FALSE, sizeof(int64_t)),
        .checkpoints = g_array_new(FALSE, FALSE, sizeof(struct milvus_checkpoint)),
    };
    g_array_set_clear_func(flush->checkpoints, checkpoint_clear);
}

void
milvus_flush_clear(struct milvus_flush *flush)
{
    g_clear_pointer(&flush->segments, g_array_unref);
    g_clear_pointer(&flush->checkpoints, g_array_unref);
}

static void
take_checkpoint(struct milvus_flush *flush, const Mv__ChannelCheckpointEntry *entry)
{
    if (entry->key == NULL || !entry->has_value) {
        return;
    }
    struct milvus_checkpoint checkpoint = {
        .channel = g_strdup(entry->key),
        .position = g_bytes_new(entry->value.data, entry->value.len),
    };
    g_array_append_val(flush->checkpoints, checkpoint);
    Mv__MsgPosition *position = mv__msg_position__unpack(NULL, entry->value.len, entry->value.data);
    if (position != NULL) {
        flush->checkpoint_max = MAX(flush->checkpoint_max, position->timestamp);
        mv__msg_position__free_unpacked(position, NULL);
    }
}

/* The maps are keyed by collection; one collection was asked for, so all entries are its own. */
static void
fill_flush(struct milvus_flush *flush, const Mv__FlushResponse *wire)
{
    for (size_t i = 0; i < wire->n_coll_seg_ids; i++) {
        const Mv__LongArray *ids = wire->coll_seg_ids[i]->value;
        if (ids != NULL && ids->n_data > 0) {
            g_array_append_vals(flush->segments, ids->data, (guint)ids->n_data);
        }
    }
    for (size_t i = 0; i < wire->n_coll_seal_times; i++) {
        flush->seal_time_s = (uint64_t)MAX(wire->coll_seal_times[i]->value, 0);
    }
    for (size_t i = 0; i < wire->n_coll_flush_ts; i++) {
        flush->flush_ts = wire->coll_flush_ts[i]->value;
    }
    for (size_t i = 0; i < wire->n_channel_cps; i++) {
        take_checkpoint(flush, wire->channel_cps[i]);
    }
}

bp_status
milvus_api_flush(struct milvus_api *api, const struct bp_op *op, const char *db,
                 const char *collection, struct milvus_flush *out, struct bp_error *error)
{
    char *names[] = {milvus_api__text(collection)};
    Mv__FlushRequest message = MV__FLUSH_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.n_collection_names = G_N_ELEMENTS(names);
    message.collection_names = names;
    g_autofree char *object = milvus_api__collection_text(db, collection);
    struct milvus_request request = {.method = "Flush",
                                     .object = object,
                                     .db = db,
                                     .patience = MILVUS_LONG,
                                     .message = &message.base,
                                     .answer = &mv__flush_response__descriptor};
    flush_init(out);
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_OK) {
        fill_flush(out, (const Mv__FlushResponse *)answer);
    }
    return status;
}

bp_status
milvus_api_flush_done(struct milvus_api *api, const struct bp_op *op,
                      const struct milvus_collection *collection, const struct milvus_flush *flush,
                      bool *out, struct bp_error *error)
{
    Mv__GetFlushStateRequest message = MV__GET_FLUSH_STATE_REQUEST__INIT;
    message.n_segment_ids = flush->segments->len;
    message.segment_ids = (int64_t *)(void *)flush->segments->data;
    message.has_flush_ts = flush->flush_ts != 0;
    message.flush_ts = flush->flush_ts;
    message.db_name = milvus_api__db(collection->db_name);
    message.collection_name = collection->name;
    g_autofree char *object = milvus_api__collection_text(collection->db_name, collection->name);
    struct milvus_request request = {.method = "GetFlushState",
                                     .object = object,
                                     .db = collection->db_name,
                                     .message = &message.base,
                                     .answer = &mv__get_flush_state_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_OK) {
        *out = ((const Mv__GetFlushStateResponse *)answer)->flushed;
    }
    return status;
}
