/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a target ready to take data: the collection with its fields under the right numbers, and
 * its partitions.
 */
#include <inttypes.h>
#include <string.h>

#include "restore.h"
#include "restore_state.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

/* How often the server is asked whether imports have ended. */
#define DRAIN_POLL_NS UINT64_C(250000000)

#define NS_PER_US 1000

/*
 * Milvus 2.3 never ends an import whose collection was dropped after its rows were persisted, and
 * starts no other one until that task times out after 15 minutes (measured).  So imports of an
 * interrupted run have to end first.
 *
 * After a crash of Milvus one may not: what it had queued goes to the data node that died, until
 * the session of that one ends, and nobody hears of it again.  Every 5 minutes Milvus gives those
 * up that have run for longer than rootCoord.importTaskExpiration (internal/rootcoord/
 * import_manager.go of 2.2 and 2.3).
 */
static bp_status
fail_waiting(const struct milvus_target *target, uint32_t running, bp_status status,
             struct bp_error *error)
{
    const char *advice =
        status != BP_ERR_TIMEOUT
            ? ""
            : ": Milvus gives up one that does not move when it looks, every 5 minutes, and "
              "rootCoord.importTaskExpiration (900 s by default) has passed; the same command will "
              "work then, or with a longer timeout";
    return bp_fail(error, status,
                   "collection %s.%s: %" PRIu32 " import%s of an earlier run %s not "
                   "ended%s",
                   target->db, target->name, running, running == 1 ? "" : "s",
                   running == 1 ? "has" : "have", advice);
}

static bool
is_late(const struct bp_op *op)
{
    return op->deadline_ns != 0 && g_get_monotonic_time() >= op->deadline_ns / NS_PER_US;
}

static bp_status
wait_for_imports(struct bp_restore *restore, const struct bp_op *op,
                 const struct milvus_target *target, const struct milvus_collection *found,
                 struct bp_error *error)
{
    uint32_t running = 0;
    bool is_told = false;
    bp_status status =
        milvus_api_count_imports(restore->api, op, target->db, found, &running, error);
    while (status == BP_OK && running > 0) {
        if (!is_told) {
            bp_hostlog(restore->host, op, BP_LOG_INFO,
                       "waiting for imports of an earlier run (%" PRIu32
                       ") into %s.%s before it is "
                       "dropped",
                       running, target->db, target->name);
            is_told = true;
        }
        status = restore->host->sleep(op, DRAIN_POLL_NS);
        if (status != BP_OK) {
            return fail_waiting(target, running, status, error);
        }
        uint32_t before = running;
        status = milvus_api_count_imports(restore->api, op, target->db, found, &running, error);
        if (status == BP_ERR_TIMEOUT && is_late(op)) {
            return fail_waiting(target, before, status, error);
        }
    }
    return status;
}

/* A collection cannot be dropped while aliases point to it. */
static bp_status
drop_existing(struct bp_restore *restore, const struct bp_op *op,
              const struct milvus_target *target, const struct bp_note_sink *notes,
              struct bp_error *error)
{
    g_autoptr(milvus_collection) found = NULL;
    bp_status status =
        milvus_api_describe_collection(restore->api, op, target->db, target->name, &found, error);
    if (status == BP_ERR_NOT_FOUND) {
        return BP_OK;
    }
    if (status == BP_OK) {
        status = wait_for_imports(restore, op, target, found, error);
    }
    for (guint i = 0; status == BP_OK && i < found->aliases->len; i++) {
        const char *alias = found->aliases->pdata[i];
        status = milvus_api_drop_alias(restore->api, op, target->db, alias, error);
        if (status == BP_OK) {
            status = milvus_note(notes, BP_NOTE_INFO, "alias-dropped", error,
                                 "alias %s of the dropped collection %s.%s is gone", alias,
                                 target->db, target->name);
        }
    }
    return status == BP_OK
               ? milvus_api_drop_collection(restore->api, op, target->db, target->name, error)
               : status;
}

/* What was made just now and is of no use: whoever asked is told that nothing was touched. */
static void
undo(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target)
{
    struct bp_error why = {0};
    bp_error_init(&why);
    if (milvus_api_drop_collection(restore->api, op, target->db, target->name, &why) != BP_OK) {
        bp_hostlog(restore->host, op, BP_LOG_WARN,
                   "collection %s.%s was made and is empty, but cannot be dropped again: %s",
                   target->db, target->name, why.message);
    }
}

static bp_status
add_late_fields(struct bp_restore *restore, const struct bp_op *op,
                const struct milvus_target *target, const GPtrArray *fields, struct bp_error *error)
{
    bp_status status = BP_OK;
    for (guint i = 0; i < fields->len && status == BP_OK; i++) {
        status = milvus_api_add_field(restore->api, op, target->db, target->name, fields->pdata[i],
                                      error);
    }
    return status;
}

static bp_status
create(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
       struct bp_error *error)
{
    struct milvus_blueprint blueprint = {0};
    bp_status status = milvus_blueprint_make(restore, target, &blueprint, error);
    if (status == BP_OK) {
        status = milvus_api_create_collection(restore->api, op, blueprint.collection, error);
    }
    if (status == BP_OK) {
        status = add_late_fields(restore, op, target, blueprint.late_fields, error);
        if (status != BP_OK) {
            undo(restore, op, target);
        }
    }
    milvus_blueprint_clear(&blueprint);
    return status;
}

/* What the server made of the request is looked at, always: files are matched by field number. */
static bp_status
verify(struct bp_restore *restore, const struct bp_op *op, struct milvus_target *target,
       const struct bp_text_sink *identity, struct bp_error *error)
{
    g_autoptr(milvus_collection) made = NULL;
    bp_status status =
        milvus_api_describe_collection(restore->api, op, target->db, target->name, &made, error);
    if (status != BP_OK) {
        return status;
    }
    target->id = made->id;
    if (target->fate != MILVUS_FATE_USE && identity != NULL) {
        g_autofree char *text = milvus_target_identity(made);
        if (identity->text(identity->ctx, text) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
        }
    }
    status = milvus_schema_compare(target->from->schema, made->schema, error);
    return status == BP_OK ? BP_OK : milvus_target_fail(target, error);
}

static bool
has_partition(const GPtrArray *partitions, const char *name)
{
    for (guint i = 0; i < partitions->len; i++) {
        if (g_strcmp0(((struct milvus_partition *)partitions->pdata[i])->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
has_partition_key(const struct milvus_schema *schema)
{
    for (guint i = 0; i < schema->fields->len; i++) {
        if (((struct milvus_field *)schema->fields->pdata[i])->is_partition_key) {
            return true;
        }
    }
    return false;
}

static bp_status
create_partitions(struct bp_restore *restore, const struct bp_op *op,
                  const struct milvus_target *target, struct bp_error *error)
{
    g_autoptr(milvus_collection) named = milvus_collection_new(target->db, target->name);
    g_autoptr(GPtrArray) there =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_partition_free);
    named->id = target->id;
    bp_status status = milvus_api_list_partitions(restore->api, op, named, there, error);
    bool by_server = has_partition_key(target->from->schema);
    for (guint i = 0; i < target->from->partitions->len && status == BP_OK; i++) {
        const char *name = ((struct milvus_partition *)target->from->partitions->pdata[i])->name;
        if (has_partition(there, name)) {
            continue;
        }
        if (by_server) {
            return bp_fail(error, BP_ERR_PERMANENT,
                           "collection %s.%s has no partition %s although it has a partition key",
                           target->db, target->name, name);
        }
        status =
            milvus_api_create_partition(restore->api, op, target->db, target->name, name, error);
        status = status == BP_ERR_EXISTS ? BP_OK : status;
    }
    return status;
}

/* Rows that were there before do not count as restored. */
static bp_status
remember_segments(struct bp_restore *restore, const struct bp_op *op, struct milvus_target *target,
                  struct bp_error *error)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    bp_status status =
        milvus_api_list_segments(restore->api, op, target->db, target->name, segments, error);
    if (status != BP_OK) {
        return status;
    }
    target->earlier = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < segments->len; i++) {
        int64_t *id = g_new(int64_t, 1);
        *id = g_array_index(segments, struct milvus_segment_info, i).id;
        g_hash_table_add(target->earlier, id);
    }
    return BP_OK;
}

static bp_status
make_ready(struct bp_restore *restore, const struct bp_op *op, struct milvus_target *target,
           const struct bp_text_sink *identity, struct bp_error *error)
{
    bp_status status = verify(restore, op, target, identity, error);
    if (status == BP_OK) {
        status = create_partitions(restore, op, target, error);
    }
    if (status == BP_OK && target->fate == MILVUS_FATE_USE) {
        status = remember_segments(restore, op, target, error);
    }
    return status;
}

bp_status
milvus_target_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
                      const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                      struct bp_error *error)
{
    struct milvus_target *target = restore->targets->pdata[number];
    bp_status status = BP_OK;
    if (target->fate == MILVUS_FATE_KEEP) {
        return identity->text(identity->ctx, target->done) == 0
                   ? BP_OK
                   : bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
    }
    if (target->fate == MILVUS_FATE_REPLACE) {
        status = drop_existing(restore, op, target, notes, error);
    }
    if (status == BP_OK && target->fate != MILVUS_FATE_USE) {
        status = create(restore, op, target, error);
    }
    if (status != BP_OK) {
        return status;
    }
    status = make_ready(restore, op, target, identity, error);
    if (status != BP_OK && target->fate != MILVUS_FATE_USE) {
        undo(restore, op, target);
    }
    return status;
}
