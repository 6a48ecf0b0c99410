/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of units: databases, also empty ones, their collections, and partitions for people to
 * see.  The filter is asked before any work is done for a unit.
 */
#include <string.h>

#include "layout.h"
#include "sdk/lib/errors.h"
#include "source.h"

#include "sdk/lib/ban.h"

struct planner {
    struct bp_source *source;
    const struct bp_op *op;
    const struct bp_unit_filter *filter;
    const struct bp_unit_sink *sink;
    struct milvus_plan *plan;
};

struct milvus_plan *
milvus_plan_new(void)
{
    struct milvus_plan *plan = g_new0(struct milvus_plan, 1);
    plan->databases = g_ptr_array_new_with_free_func((GDestroyNotify)milvus_database_free);
    plan->collections = g_ptr_array_new_with_free_func((GDestroyNotify)milvus_collection_free);
    return plan;
}

void
milvus_plan_free(struct milvus_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    g_ptr_array_unref(plan->databases);
    g_ptr_array_unref(plan->collections);
    g_free(plan);
}

static bool
is_wanted(const struct planner *planner, const struct bp_unit *unit)
{
    const struct bp_unit_filter *filter = planner->filter;
    return filter == NULL || filter->wants == NULL || filter->wants(filter->ctx, unit) != 0;
}

static bp_status
tell(const struct planner *planner, const struct bp_unit *unit, struct bp_error *error)
{
    if (planner->sink != NULL && planner->sink->unit(planner->sink->ctx, unit) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "plan: stopped by the caller");
    }
    return BP_OK;
}

/* Partitions carry no items; they are told so that people see them. */
static bp_status
plan_partitions(const struct planner *planner, const struct milvus_collection *collection,
                const char *parent, struct bp_error *error)
{
    if (planner->sink == NULL) {
        return BP_OK;
    }
    g_autoptr(GPtrArray) partitions =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_partition_free);
    bp_status status = milvus_api_list_partitions(planner->source->api, planner->op, collection,
                                                  partitions, error);
    for (guint i = 0; status == BP_OK && i < partitions->len; i++) {
        const struct milvus_partition *partition = partitions->pdata[i];
        g_autofree char *id = milvus_unit_id_partition(partition->id);
        struct bp_unit unit = {.struct_size = sizeof(unit),
                               .id = id,
                               .parent = parent,
                               .kind = "partition",
                               .name = partition->name,
                               .bytes = BP_UNKNOWN,
                               .objects = BP_UNKNOWN};
        status = tell(planner, &unit, error);
    }
    return status;
}

static bp_status
plan_collection(const struct planner *planner, struct milvus_collection *collection,
                const char *parent, struct bp_error *error)
{
    g_autofree char *id = milvus_unit_id_collection(collection->id);
    struct bp_unit unit = {.struct_size = sizeof(unit),
                           .id = id,
                           .parent = parent,
                           .kind = "collection",
                           .name = collection->name,
                           .bytes = BP_UNKNOWN,
                           .objects = BP_UNKNOWN};
    if (!is_wanted(planner, &unit)) {
        return BP_OK;
    }
    bp_status status = tell(planner, &unit, error);
    if (status == BP_OK) {
        status = plan_partitions(planner, collection, id, error);
        if (status == BP_ERR_NOT_FOUND) {
            /* Dropped since the listing; creating the backup will say so if it matters. */
            status = BP_OK;
        }
    }
    if (status == BP_OK) {
        struct milvus_collection *kept =
            milvus_collection_new(collection->db_name, collection->name);
        kept->id = collection->id;
        g_ptr_array_add(planner->plan->collections, kept);
    }
    return status;
}

static bp_status
plan_database(const struct planner *planner, const struct milvus_database *database,
              struct bp_error *error)
{
    g_autofree char *id = milvus_unit_id_database(database->name);
    struct bp_unit unit = {.struct_size = sizeof(unit),
                           .id = id,
                           .kind = "database",
                           .name = database->name,
                           .bytes = BP_UNKNOWN,
                           .objects = BP_UNKNOWN};
    if (!is_wanted(planner, &unit)) {
        return BP_OK;
    }
    g_autoptr(GPtrArray) collections =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_collection_free);
    bp_status status = tell(planner, &unit, error);
    if (status == BP_OK) {
        status = milvus_api_list_collections(planner->source->api, planner->op, database->name,
                                             collections, error);
    }
    for (guint i = 0; status == BP_OK && i < collections->len; i++) {
        status = plan_collection(planner, collections->pdata[i], id, error);
    }
    if (status == BP_OK) {
        struct milvus_database *kept = milvus_database_new(database->name);
        kept->id = database->id;
        g_ptr_array_add(planner->plan->databases, kept);
    }
    return status;
}

bp_status
milvus_plan_make(struct bp_source *source, const struct bp_op *op,
                 const struct bp_unit_filter *filter, const struct bp_unit_sink *sink,
                 struct milvus_plan **out, struct bp_error *error)
{
    g_autoptr(GPtrArray) databases =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_database_free);
    g_autoptr(milvus_plan) plan = milvus_plan_new();
    struct planner planner = {
        .source = source, .op = op, .filter = filter, .sink = sink, .plan = plan};
    bp_status status = milvus_api_list_databases(source->api, op, databases, error);
    for (guint i = 0; status == BP_OK && i < databases->len; i++) {
        status = plan_database(&planner, databases->pdata[i], error);
    }
    if (status == BP_OK) {
        *out = g_steal_pointer(&plan);
    }
    return status;
}

bp_status
milvus_source_plan(struct bp_source *source, const struct bp_op *op,
                   const struct bp_unit_filter *filter, const struct bp_unit_sink *sink,
                   struct bp_error *error)
{
    g_autoptr(milvus_plan) plan = NULL;
    bp_status status = milvus_plan_make(source, op, filter, sink, &plan, error);
    if (status != BP_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&source->lock);
    milvus_plan *old = source->plan;
    source->plan = g_steal_pointer(&plan);
    (void)pthread_mutex_unlock(&source->lock);
    milvus_plan_free(old);
    return BP_OK;
}
