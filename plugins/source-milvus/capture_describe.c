/* SPDX-License-Identifier: Apache-2.0
 *
 * What a collection is, without its rows.
 */
#include <inttypes.h>

#include "capture.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

/* The load state, and what only a loaded collection has. */
static bp_status
describe_load(struct bp_run *run, const struct bp_op *op, struct milvus_collection *collection,
              struct bp_error *error)
{
    struct milvus_load_query query = {.db = collection->db_name, .collection = collection->name};
    bp_status status =
        milvus_api_load_state(run->source->api, op, &query, &collection->load_state, error);
    if (status != BP_OK || collection->load_state != MILVUS_LOAD_LOADED) {
        return status;
    }
    status =
        milvus_api_replicas(run->source->api, op, collection, &collection->replica_number, error);
    if (status != BP_OK && status != BP_ERR_CANCELLED) {
        /* Released since, or not known to this server: the default will do. */
        bp_hostlog(run->source->host, op, BP_LOG_DEBUG, "replicas unknown: %s", error->message);
        status = BP_OK;
    }
    return status;
}

static bp_status
check_kind(const struct milvus_unit *unit, const struct milvus_collection *found,
           struct bp_error *error)
{
    g_autofree char *text = milvus_unit_text(unit);
    if (found->id != unit->planned->id) {
        return bp_fail(error, BP_ERR_STALE,
                       "%s: dropped and made again while the backup began (id %" PRId64
                       ", now %" PRId64 ")",
                       text, unit->planned->id, found->id);
    }
    if (found->schema->external_source != NULL && found->schema->external_source[0] != '\0') {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "%s: its data is outside of Milvus (external collection) and cannot be "
                       "backed up; leave it out by a filter",
                       text);
    }
    return BP_OK;
}

bp_status
milvus_capture_describe(struct bp_run *run, const struct bp_op *op, struct milvus_unit *unit,
                        struct bp_error *error)
{
    struct milvus_api *api = run->source->api;
    g_autoptr(milvus_collection) found = NULL;
    int64_t start_s = g_get_real_time() / G_USEC_PER_SEC;
    bp_status status = milvus_api_describe_collection(api, op, unit->planned->db_name,
                                                      unit->planned->name, &found, error);
    if (status == BP_OK) {
        status = check_kind(unit, found, error);
    }
    if (status == BP_OK) {
        status =
            milvus_api_list_indexes(api, op, found->db_name, found->name, found->indexes, error);
    }
    if (status == BP_OK) {
        status = describe_load(run, op, found, error);
    }
    if (status != BP_OK) {
        return status;
    }
    found->start_s = start_s;
    g_ptr_array_set_size(unit->segments, 0);
    milvus_collection_free(unit->collection);
    unit->collection = g_steal_pointer(&found);
    return BP_OK;
}
