/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a manifest's worth of facts from a foreign backup.  Parents come before children, and of
 * one collection first its unit, then its items, then what a restore of it has to yield.
 */
#include "adopt.h"

#include <inttypes.h>

#include "delta_log.h"
#include "document.h"
#include "inventory.h"
#include "layout.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define NS_PER_MS INT64_C(1000000)

/* Storage v3 segments cannot be imported: only a snapshot of the server holds them. */
#define STORAGE_V3 3

struct adoption {
    const struct bp_host *host;
    const struct bp_op *op;
    const char *ref;
    const struct bp_adopt_sink *sink;
    const struct milvus_backup *backup;
    struct bp_error *error;
};

static bp_status
stopped(const struct adoption *adoption)
{
    return bp_fail(adoption->error, BP_ERR_CANCELLED, "reading the backup was stopped");
}

static bp_status
emit_unit(const struct adoption *adoption, const struct bp_unit *unit)
{
    return adoption->sink->unit(adoption->sink->ctx, unit) != 0 ? stopped(adoption) : BP_OK;
}

static bp_status
emit_database(const struct adoption *adoption, GHashTable *seen, const char *name)
{
    if (!g_hash_table_add(seen, g_strdup(name))) {
        return BP_OK;
    }
    g_autofree char *id = milvus_unit_id_database(name);
    const struct bp_unit unit = {.struct_size = sizeof unit,
                                 .id = id,
                                 .kind = "database",
                                 .name = name,
                                 .bytes = BP_UNKNOWN,
                                 .objects = BP_UNKNOWN};
    return emit_unit(adoption, &unit);
}

/* 0.4.x lists no databases: those of the collections are there in any case. */
static bp_status
emit_databases(const struct adoption *adoption)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const struct milvus_backup *backup = adoption->backup;
    bp_status status = BP_OK;
    for (guint i = 0; i < backup->databases->len && status == BP_OK; i++) {
        const struct milvus_database *database = backup->databases->pdata[i];
        status = emit_database(adoption, seen, database->name);
    }
    for (guint i = 0; i < backup->collections->len && status == BP_OK; i++) {
        const struct milvus_collection *collection = backup->collections->pdata[i];
        status = emit_database(adoption, seen, collection->db_name);
    }
    return status;
}

/* What one collection adds up to. */
struct sums {
    uint64_t rows, deleted, objects;
    const char *uncounted; /* why deletes cannot be counted, or NULL */
};

static bp_status
emit_log(const struct adoption *adoption, const char *unit_id, const char *key,
         const struct milvus_log *log)
{
    bool is_known = log->size != 0 || log->found != MILVUS_LOG_MISSING;
    const struct bp_item item = {.struct_size = sizeof item,
                                 .kind = BP_ITEM_REF,
                                 .id = key,
                                 .key = key,
                                 .ref_key = key,
                                 .size = is_known ? (uint64_t)log->size : BP_UNKNOWN};
    return adoption->sink->item(adoption->sink->ctx, unit_id, &item) != 0 ? stopped(adoption)
                                                                          : BP_OK;
}

static bp_status
count_deletes(const struct adoption *adoption, const char *key, const struct milvus_log *log,
              struct sums *sums)
{
    int64_t rows = 0;
    struct milvus_object object = {.ref = adoption->ref, .key = key, .size = log->size};
    if (!milvus_inventory_is_whole(log)) {
        sums->uncounted = "delete logs are missing or damaged";
        return BP_OK;
    }
    bp_status status =
        milvus_delta_log_rows(adoption->host, adoption->op, &object, &rows, adoption->error);
    if (status == BP_ERR_UNSUPPORTED) {
        sums->uncounted = "deletes of this storage format cannot be counted";
        return BP_OK;
    }
    sums->deleted += (uint64_t)rows;
    return status;
}

static bp_status
emit_segment(const struct adoption *adoption, const char *unit_id,
             const struct milvus_segment *segment, struct sums *sums)
{
    bp_status status = BP_OK;
    if (segment->storage_version >= STORAGE_V3) {
        return bp_fail(adoption->error, BP_ERR_UNSUPPORTED,
                       "segment %" PRId64 " has storage version %" PRId64
                       ", which no import of log files can restore",
                       segment->id, segment->storage_version);
    }
    for (guint i = 0; i < segment->insert_logs->len && status == BP_OK; i++) {
        const struct milvus_log *log = &g_array_index(segment->insert_logs, struct milvus_log, i);
        g_autofree char *key = milvus_insert_key(segment, log);
        status = emit_log(adoption, unit_id, key, log);
    }
    for (guint i = 0; i < segment->delta_logs->len && status == BP_OK; i++) {
        const struct milvus_log *log = &g_array_index(segment->delta_logs, struct milvus_log, i);
        g_autofree char *key = milvus_delta_key(segment, log);
        status = emit_log(adoption, unit_id, key, log);
        if (status == BP_OK) {
            status = count_deletes(adoption, key, log, sums);
        }
    }
    sums->rows += segment->is_l0 ? 0 : (uint64_t)segment->num_rows;
    sums->objects += segment->insert_logs->len + segment->delta_logs->len;
    return status;
}

static bp_status
emit_segments(const struct adoption *adoption, const char *unit_id, const GPtrArray *segments,
              struct sums *sums)
{
    bp_status status = BP_OK;
    for (guint i = 0; i < segments->len && status == BP_OK; i++) {
        status = emit_segment(adoption, unit_id, segments->pdata[i], sums);
    }
    return status;
}

static bp_status
emit_proof(const struct adoption *adoption, const char *unit_id, const struct sums *sums)
{
    struct bp_proof proof = {.struct_size = sizeof proof,
                             .low = sums->rows > sums->deleted ? sums->rows - sums->deleted : 0,
                             .high = sums->rows,
                             .found = sums->rows};
    if (sums->uncounted != NULL) {
        proof.flags = BP_PROOF_UNPROVABLE;
        proof.low = 0;
        (void)g_strlcpy(proof.note, sums->uncounted, sizeof proof.note);
    } else {
        (void)g_snprintf(proof.note, sizeof proof.note,
                         "%" PRIu64 " rows of segments, %" PRIu64 " rows of delete logs",
                         sums->rows, sums->deleted);
    }
    return adoption->sink->proof(adoption->sink->ctx, unit_id, &proof) != 0 ? stopped(adoption)
                                                                            : BP_OK;
}

static uint64_t
count_logs(const GPtrArray *segments)
{
    uint64_t n = 0;
    for (guint i = 0; i < segments->len; i++) {
        const struct milvus_segment *segment = segments->pdata[i];
        n += segment->insert_logs->len + segment->delta_logs->len;
    }
    return n;
}

static bp_status
emit_units(const struct adoption *adoption, const struct milvus_collection *collection,
           const char *unit_id)
{
    g_autofree char *parent = milvus_unit_id_database(collection->db_name);
    uint64_t objects = count_logs(collection->l0_segments);
    for (guint i = 0; i < collection->partitions->len; i++) {
        const struct milvus_partition *partition = collection->partitions->pdata[i];
        objects += count_logs(partition->segments);
    }
    const struct bp_unit unit = {.struct_size = sizeof unit,
                                 .id = unit_id,
                                 .parent = parent,
                                 .kind = "collection",
                                 .name = collection->name,
                                 .bytes = (uint64_t)milvus_collection_size(collection),
                                 .objects = objects};
    bp_status status = emit_unit(adoption, &unit);
    for (guint i = 0; i < collection->partitions->len && status == BP_OK; i++) {
        const struct milvus_partition *partition = collection->partitions->pdata[i];
        g_autofree char *id = milvus_unit_id_partition(partition->id);
        const struct bp_unit child = {.struct_size = sizeof child,
                                      .id = id,
                                      .parent = unit_id,
                                      .kind = "partition",
                                      .name = partition->name,
                                      .bytes = (uint64_t)milvus_partition_size(partition),
                                      .objects = count_logs(partition->segments)};
        status = emit_unit(adoption, &child);
    }
    return status;
}

static bp_status
adopt_collection(const struct adoption *adoption, struct milvus_collection *collection)
{
    g_autoptr(milvus_inventory) inventory = NULL;
    g_autofree char *unit_id = milvus_unit_id_collection(collection->id);
    struct sums sums = {0};
    bp_status status = milvus_inventory_load(adoption->host, adoption->op, adoption->ref,
                                             collection->id, &inventory, adoption->error);
    if (status == BP_OK) {
        status = milvus_inventory_settle(inventory, collection, adoption->backup->server_version,
                                         adoption->error);
    }
    if (status == BP_OK) {
        status = emit_units(adoption, collection, unit_id);
    }
    if (status == BP_OK) {
        status = emit_segments(adoption, unit_id, collection->l0_segments, &sums);
    }
    for (guint i = 0; i < collection->partitions->len && status == BP_OK; i++) {
        const struct milvus_partition *partition = collection->partitions->pdata[i];
        status = emit_segments(adoption, unit_id, partition->segments, &sums);
    }
    return status == BP_OK ? emit_proof(adoption, unit_id, &sums) : status;
}

bp_status
milvus_adopt(const struct bp_host *host, const struct bp_op *op, const char *backup_ref,
             const struct bp_adopt_sink *sink, struct bp_adopt_info *info, struct bp_error *error)
{
    g_autoptr(milvus_backup) backup = NULL;
    enum milvus_writer writer = MILVUS_WRITER_UNKNOWN;
    bp_status status = milvus_documents_read(host, op, backup_ref, &backup, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    info->created_ns = backup->start_ms * NS_PER_MS;
    (void)g_strlcpy(info->writer, milvus_writer_text(writer), sizeof info->writer);
    (void)g_strlcpy(info->server_version,
                    backup->server_version != NULL ? backup->server_version : "",
                    sizeof info->server_version);
    const struct adoption adoption = {
        .host = host, .op = op, .ref = backup_ref, .sink = sink, .backup = backup, .error = error};
    status = emit_databases(&adoption);
    for (guint i = 0; i < backup->collections->len && status == BP_OK; i++) {
        status = host->cancelled(op) ? stopped(&adoption)
                                     : adopt_collection(&adoption, backup->collections->pdata[i]);
    }
    return status;
}
