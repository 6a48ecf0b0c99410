/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the documents of a backup: the whole tree from full_meta.json, or the levelled files
 * joined.  A broken full_meta.json is an error and no reason to join: the levelled files of some
 * writers lack deletes.
 */
#include "document.h"

#include <inttypes.h>
#include <string.h>

#include "document_parse.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

enum { STATE_FAIL = 3, STATE_TIMEOUT = 4 };

struct reading {
    const struct bp_host *host;
    const struct bp_op *op;
    const char *ref;
    struct milvus_backup *backup;
    struct milvus_json_reader json;
};

static bp_status
load(struct reading *reading, const char *key, json_t **out)
{
    const struct milvus_json_file file = {.host = reading->host,
                                          .op = reading->op,
                                          .ref = reading->ref,
                                          .key = key,
                                          .max_bytes = MILVUS_DOC_MAX_BYTES};
    reading->json.file = key;
    return milvus_json_load(&file, out, reading->json.error);
}

static void
parse_head(struct reading *reading, const json_t *root)
{
    struct milvus_json_reader *json = &reading->json;
    struct milvus_backup *backup = reading->backup;
    backup->id = g_strdup(milvus_json_get_text(json, root, "id"));
    backup->name = g_strdup(milvus_json_get_text(json, root, "name"));
    backup->state_code = milvus_json_get_i32(json, root, "state_code");
    backup->start_ms = milvus_json_get_i64(json, root, "start_time");
    backup->end_ms = milvus_json_get_i64(json, root, "end_time");
    backup->server_version = g_strdup(milvus_json_get_text(json, root, "milvus_version"));
    backup->format = g_strdup(milvus_json_get_text(json, root, "format"));
    backup->log_root = g_strdup(milvus_json_get_text(json, root, "bakplane_log_root"));
    if (backup->state_code == STATE_FAIL || backup->state_code == STATE_TIMEOUT) {
        const char *why = milvus_json_get_text(json, root, "errorMessage");
        milvus_json_reject(json, "the backup says of itself that it failed (state %" PRId32 "%s%s)",
                           backup->state_code, why != NULL ? ": " : "", why != NULL ? why : "");
    }
}

static void
parse_databases(struct reading *reading, const json_t *root)
{
    json_t *list = milvus_json_get_objects(&reading->json, root, "database_backups");
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        g_ptr_array_add(reading->backup->databases, milvus_parse_database(&reading->json, element));
    }
}

static void
parse_collections(struct reading *reading, const json_t *root, const char *key)
{
    json_t *list = milvus_json_get_objects(&reading->json, root, key);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        g_ptr_array_add(reading->backup->collections,
                        milvus_parse_collection(&reading->json, element));
    }
}

static struct milvus_collection *
find_collection(const struct milvus_backup *backup, int64_t id)
{
    for (guint i = 0; i < backup->collections->len; i++) {
        struct milvus_collection *collection = backup->collections->pdata[i];
        if (collection->id == id) {
            return collection;
        }
    }
    return NULL;
}

static struct milvus_partition *
find_partition(const struct milvus_collection *collection, int64_t id)
{
    for (guint i = 0; collection != NULL && i < collection->partitions->len; i++) {
        struct milvus_partition *partition = collection->partitions->pdata[i];
        if (partition->id == id) {
            return partition;
        }
    }
    return NULL;
}

/* The nested partitions of this file are dropped: the other two say the same and more. */
static void
join_collections(struct reading *reading, const json_t *root)
{
    parse_collections(reading, root, "infos");
    for (guint i = 0; i < reading->backup->collections->len; i++) {
        struct milvus_collection *collection = reading->backup->collections->pdata[i];
        g_ptr_array_set_size(collection->partitions, 0);
    }
}

static void
join_partitions(struct reading *reading, const json_t *root)
{
    json_t *list = milvus_json_get_objects(&reading->json, root, "infos");
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        struct milvus_partition *partition = milvus_parse_partition(&reading->json, element);
        struct milvus_collection *collection =
            find_collection(reading->backup, partition->collection_id);
        if (collection == NULL) {
            milvus_json_reject(&reading->json,
                               "partition %" PRId64 " belongs to no collection of the backup",
                               partition->id);
            milvus_partition_free(partition);
            return;
        }
        g_ptr_array_set_size(partition->segments, 0);
        g_ptr_array_add(collection->partitions, partition);
    }
}

static void
join_segments(struct reading *reading, const json_t *root)
{
    json_t *list = milvus_json_get_objects(&reading->json, root, "infos");
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        struct milvus_segment *segment = milvus_parse_segment(&reading->json, element);
        struct milvus_partition *partition = find_partition(
            find_collection(reading->backup, segment->collection_id), segment->partition_id);
        if (partition == NULL) {
            milvus_json_reject(&reading->json,
                               "segment %" PRId64 " belongs to no partition of the backup",
                               segment->id);
            milvus_segment_free(segment);
            return;
        }
        g_ptr_array_add(partition->segments, segment);
    }
}

struct level {
    const char *key;
    void (*parse)(struct reading *reading, const json_t *root);
};

static bp_status
read_levelled(struct reading *reading)
{
    static const struct level levels[] = {{MILVUS_DOC_BACKUP, parse_head},
                                          {MILVUS_DOC_COLLECTION, join_collections},
                                          {MILVUS_DOC_PARTITION, join_partitions},
                                          {MILVUS_DOC_SEGMENT, join_segments}};
    for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
        json_t *root = NULL;
        bp_status status = load(reading, levels[i].key, &root);
        if (status == BP_ERR_NOT_FOUND && i > 0) {
            return bp_fail(reading->json.error, BP_ERR_CORRUPT,
                           "%s is missing although %s exists: the backup is not complete",
                           levels[i].key, MILVUS_DOC_BACKUP);
        }
        if (status == BP_ERR_NOT_FOUND) {
            return bp_fail(reading->json.error, status, "neither %s nor %s is there",
                           MILVUS_DOC_FULL, MILVUS_DOC_BACKUP);
        }
        if (status != BP_OK) {
            return status;
        }
        levels[i].parse(reading, root);
        json_decref(root);
        if (reading->json.status != BP_OK) {
            return reading->json.status;
        }
        if (i == 0 && reading->backup->format != NULL) {
            return BP_OK; /* its content is not ours to read */
        }
    }
    return BP_OK;
}

static bool
has_key(const json_t *list, const char *key)
{
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (json_object_get(element, key) != NULL) {
            return true;
        }
    }
    return false;
}

/* The files carry no version: these are the differences that were found between the writers. */
static enum milvus_writer
detect_writer(const json_t *root)
{
    const json_t *collections = json_object_get(root, "collection_backups");
    const json_t *format = json_object_get(root, "format");
    int64_t state = json_integer_value(json_object_get(root, "state_code"));
    bool has_end = json_object_get(root, "end_time") != NULL;
    bool has_start = json_object_get(root, "start_time") != NULL;
    bool has_progress = json_object_get(root, "progress") != NULL;
    if (json_object_get(root, "bakplane_log_root") != NULL) {
        return MILVUS_WRITER_OURS;
    }
    if (g_strcmp0(json_string_value(format), "snapshot") == 0) {
        return MILVUS_WRITER_SNAPSHOT;
    }
    if (!has_start && !has_progress &&
        (has_key(collections, "db_id") || has_key(collections, "created_timestamp") ||
         has_key(collections, "virtual_channel_names") || state == 0)) {
        return MILVUS_WRITER_HEAD;
    }
    if (has_start && !has_end && state == 1) {
        return MILVUS_WRITER_05;
    }
    if (has_end && has_progress && state == 2) {
        return MILVUS_WRITER_04;
    }
    return has_end && state == 2 ? MILVUS_WRITER_0415 : MILVUS_WRITER_UNKNOWN;
}

const char *
milvus_writer_text(enum milvus_writer writer)
{
    switch (writer) {
    case MILVUS_WRITER_0415:
        return "milvus-backup 0.4.15 or older";
    case MILVUS_WRITER_04:
        return "milvus-backup 0.4.x";
    case MILVUS_WRITER_05:
        return "milvus-backup 0.5.x";
    case MILVUS_WRITER_HEAD:
        return "milvus-backup after 0.5";
    case MILVUS_WRITER_SNAPSHOT:
        return "milvus-backup after 0.5 (snapshot)";
    case MILVUS_WRITER_OURS:
        return "bakplane";
    case MILVUS_WRITER_UNKNOWN:
        break;
    }
    return "unknown";
}

/* An id that occurs twice would let rows be imported, or counted, twice. */
static bool
is_new(GHashTable *seen, int64_t id)
{
    int64_t *key = g_new(int64_t, 1);
    *key = id;
    return g_hash_table_add(seen, key);
}

static bool
check_segments(struct reading *reading, const struct milvus_collection *collection,
               const struct milvus_partition *partition, GHashTable *seen)
{
    const GPtrArray *segments = partition != NULL ? partition->segments : collection->l0_segments;
    for (guint i = 0; i < segments->len; i++) {
        const struct milvus_segment *segment = segments->pdata[i];
        bool fits =
            segment->collection_id == collection->id &&
            segment->partition_id == (partition != NULL ? partition->id : MILVUS_ALL_PARTITIONS);
        if (!fits || !is_new(seen, segment->id)) {
            milvus_json_reject(&reading->json, "segment %" PRId64 " of collection %s.%s %s",
                               segment->id, collection->db_name, collection->name,
                               fits ? "is listed twice" : "lies in another one's place");
            return false;
        }
    }
    return true;
}

static bool
check_collection(struct reading *reading, const struct milvus_collection *collection,
                 GHashTable *seen)
{
    for (guint i = 0; i < collection->partitions->len; i++) {
        struct milvus_partition *partition = collection->partitions->pdata[i];
        if (partition->collection_id != collection->id || !is_new(seen, partition->id)) {
            milvus_json_reject(&reading->json,
                               "partition %" PRId64 " of collection %s.%s is listed twice or in "
                               "another one's place",
                               partition->id, collection->db_name, collection->name);
            return false;
        }
        if (!check_segments(reading, collection, partition, seen)) {
            return false;
        }
    }
    return check_segments(reading, collection, NULL, seen);
}

static bp_status
check_backup(struct reading *reading)
{
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < reading->backup->collections->len; i++) {
        const struct milvus_collection *collection = reading->backup->collections->pdata[i];
        char *name = g_strdup_printf("%s.%s", collection->db_name, collection->name);
        if (!is_new(ids, collection->id) || !g_hash_table_add(names, name)) {
            milvus_json_reject(&reading->json, "collection %s.%s is listed twice",
                               collection->db_name, collection->name);
            break;
        }
        if (!check_collection(reading, collection, ids)) {
            break;
        }
    }
    return reading->json.status;
}

static bp_status
check_format(struct reading *reading)
{
    const char *format = reading->backup->format;
    if (format == NULL) {
        return BP_OK;
    }
    if (strcmp(format, "snapshot") == 0) {
        return bp_fail(reading->json.error, BP_ERR_UNSUPPORTED,
                       "%s: this is a snapshot that Milvus 3 exported itself, not a backup of log "
                       "files; restore it with the tool that wrote it",
                       reading->json.file);
    }
    return bp_fail(reading->json.error, BP_ERR_UNSUPPORTED,
                   "%s: backup format \"%s\" is not known here", reading->json.file, format);
}

static bp_status
read_all(struct reading *reading, enum milvus_writer *writer)
{
    json_t *root = NULL;
    bp_status status = load(reading, MILVUS_DOC_FULL, &root);
    if (status == BP_ERR_NOT_FOUND) {
        *writer = MILVUS_WRITER_UNKNOWN;
        status = read_levelled(reading);
    } else if (status == BP_OK) {
        *writer = detect_writer(root);
        parse_head(reading, root);
        if (reading->backup->format == NULL) {
            parse_collections(reading, root, "collection_backups");
            parse_databases(reading, root);
        }
        json_decref(root);
        status = reading->json.status;
    }
    if (status == BP_OK) {
        status = check_format(reading);
    }
    return status == BP_OK ? check_backup(reading) : status;
}

bp_status
milvus_documents_read(const struct bp_host *host, const struct bp_op *op, const char *backup_ref,
                      struct milvus_backup **out, enum milvus_writer *writer,
                      struct bp_error *error)
{
    g_autoptr(milvus_backup) backup = milvus_backup_new();
    struct reading reading = {.host = host,
                              .op = op,
                              .ref = backup_ref,
                              .backup = backup,
                              .json = {.error = error, .file = MILVUS_DOC_FULL}};
    enum milvus_writer found = MILVUS_WRITER_UNKNOWN;
    bp_status status = read_all(&reading, &found);
    if (status != BP_OK) {
        return status;
    }
    if (writer != NULL) {
        *writer = found;
    }
    *out = g_steal_pointer(&backup);
    return BP_OK;
}
