/* SPDX-License-Identifier: Apache-2.0
 *
 * Files are kept as numbers in one sorted array: 56 bytes each, however long their keys are.
 */
#include "inventory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "version.h"
#include <bakplane/storage.h>

#include "sdk/lib/ban.h"

#define PAGE 1000

/* How many bad files one message names. */
#define NAMED_MAX 3

struct file {
    bool is_delta;
    int64_t partition_id, group_id, segment_id, field_id, log_id;
    uint64_t size;
};

struct milvus_inventory {
    int64_t collection_id;
    GArray *files;      /* struct file, sorted */
    GHashTable *strays; /* partition ids with files that are no logs */
};

static int
compare_i64(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_files(const void *a, const void *b)
{
    const struct file *x = a;
    const struct file *y = b;
    const int64_t left[] = {x->is_delta,   x->partition_id, x->group_id,
                            x->segment_id, x->field_id,     x->log_id};
    const int64_t right[] = {y->is_delta,   y->partition_id, y->group_id,
                             y->segment_id, y->field_id,     y->log_id};
    int order = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(left) && order == 0; i++) {
        order = compare_i64(left[i], right[i]);
    }
    return order;
}

/* partition[/group]/segment[/field]/log, as far as the kind of log has them. */
static bool
parse_file(const char *rest, struct file *file)
{
    g_auto(GStrv) parts = g_strsplit(rest, "/", -1);
    guint n = g_strv_length(parts);
    guint n_least = file->is_delta ? 3 : 4;
    int64_t ids[5] = {0};
    if (n < n_least || n > n_least + 1) {
        return false;
    }
    for (guint i = 0; i < n; i++) {
        if (bp_parse_i64(parts[i], &ids[i]) != 0) {
            return false;
        }
    }
    guint at = 0;
    file->partition_id = ids[at++];
    file->group_id = n > n_least ? ids[at++] : 0;
    file->segment_id = ids[at++];
    file->field_id = file->is_delta ? 0 : ids[at++];
    file->log_id = ids[at];
    return true;
}

struct listing {
    struct milvus_inventory *inventory;
    size_t n_prefix; /* length of the listed prefix */
    bool is_delta;
    char *next; /* token of the next page, or NULL */
};

static int32_t
on_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct listing *listing = ctx;
    struct file file = {.is_delta = listing->is_delta, .size = meta->size};
    const char *rest = key + listing->n_prefix;
    if (parse_file(rest, &file)) {
        g_array_append_val(listing->inventory->files, file);
        return 0;
    }
    g_autofree char *first = g_strndup(rest, strcspn(rest, "/"));
    int64_t partition_id = 0;
    if (bp_parse_i64(first, &partition_id) == 0) {
        int64_t *id = g_new(int64_t, 1);
        *id = partition_id;
        g_hash_table_add(listing->inventory->strays, id);
    }
    return 0;
}

static int32_t
on_prefix(void *ctx, const char *prefix)
{
    (void)ctx;
    (void)prefix; /* none without a delimiter */
    return 0;
}

static int32_t
on_next(void *ctx, const char *token)
{
    struct listing *listing = ctx;
    g_free(listing->next);
    listing->next = g_strdup(token);
    return 0;
}

static bp_status
list_kind(const struct bp_host *host, const struct bp_op *op, const char *backup_ref,
          struct listing *listing, struct bp_error *error)
{
    g_autofree char *prefix = g_strdup_printf(
        "binlogs/%s/%" PRId64 "/", listing->is_delta ? MILVUS_DELTA_LOG : MILVUS_INSERT_LOG,
        listing->inventory->collection_id);
    listing->n_prefix = strlen(prefix);
    const struct bp_list_sink sink = {.struct_size = sizeof sink,
                                      .ctx = listing,
                                      .entry = on_entry,
                                      .prefix = on_prefix,
                                      .next = on_next};
    bp_status status = BP_OK;
    g_autofree char *token = NULL;
    do {
        g_free(token);
        token = g_steal_pointer(&listing->next);
        const struct bp_list_args args = {
            .struct_size = sizeof args, .prefix = prefix, .token = token, .max = PAGE};
        status = host->storage_list(op, backup_ref, &args, &sink, error);
    } while (status == BP_OK && listing->next != NULL);
    g_clear_pointer(&listing->next, g_free);
    return status == BP_ERR_NOT_FOUND ? BP_OK : status;
}

bp_status
milvus_inventory_load(const struct bp_host *host, const struct bp_op *op, const char *backup_ref,
                      int64_t collection_id, struct milvus_inventory **out, struct bp_error *error)
{
    g_autoptr(milvus_inventory) inventory = g_new0(struct milvus_inventory, 1);
    inventory->collection_id = collection_id;
    inventory->files = g_array_new(FALSE, FALSE, sizeof(struct file));
    inventory->strays = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    bp_status status = BP_OK;
    for (int kind = 0; kind < 2 && status == BP_OK; kind++) {
        struct listing listing = {.inventory = inventory, .is_delta = kind == 1};
        status = list_kind(host, op, backup_ref, &listing, error);
    }
    if (status != BP_OK) {
        return status;
    }
    g_array_sort(inventory->files, compare_files);
    *out = g_steal_pointer(&inventory);
    return BP_OK;
}

void
milvus_inventory_free(struct milvus_inventory *inventory)
{
    if (inventory == NULL) {
        return;
    }
    g_array_unref(inventory->files);
    g_hash_table_unref(inventory->strays);
    g_free(inventory);
}

/* First file that is not below `wanted`; the array's length when there is none. */
static guint
lower_bound(const struct milvus_inventory *inventory, const struct file *wanted)
{
    guint low = 0;
    guint high = inventory->files->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (compare_files(&g_array_index(inventory->files, struct file, middle), wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct file
first_of_segment(const struct milvus_segment *segment, bool is_delta)
{
    return (struct file){.is_delta = is_delta,
                         .partition_id = segment->partition_id,
                         .group_id = segment->group_id,
                         .segment_id = segment->id,
                         .field_id = INT64_MIN,
                         .log_id = INT64_MIN};
}

static const struct file *
file_of_segment(const struct milvus_inventory *inventory, guint i, const struct file *like)
{
    if (i >= inventory->files->len) {
        return NULL;
    }
    const struct file *file = &g_array_index(inventory->files, struct file, i);
    bool same = file->is_delta == like->is_delta && file->partition_id == like->partition_id &&
                file->group_id == like->group_id && file->segment_id == like->segment_id;
    return same ? file : NULL;
}

static void
take_files(const struct milvus_inventory *inventory, const struct milvus_segment *segment,
           bool is_delta, GArray *logs)
{
    g_array_set_size(logs, 0);
    const struct file like = first_of_segment(segment, is_delta);
    const struct file *file;
    for (guint i = lower_bound(inventory, &like);
         (file = file_of_segment(inventory, i, &like)) != NULL; i++) {
        milvus_log_add(logs, file->field_id, file->log_id, (int64_t)file->size);
    }
}

static void
find_logs(const struct milvus_inventory *inventory, const struct milvus_segment *segment,
          bool is_delta)
{
    GArray *logs = is_delta ? segment->delta_logs : segment->insert_logs;
    for (guint i = 0; i < logs->len; i++) {
        struct milvus_log *log = &g_array_index(logs, struct milvus_log, i);
        struct file wanted = first_of_segment(segment, is_delta);
        wanted.field_id = log->field_id;
        wanted.log_id = log->log_id;
        guint at = lower_bound(inventory, &wanted);
        const struct file *file = file_of_segment(inventory, at, &wanted);
        bool found = file != NULL && compare_files(file, &wanted) == 0;
        log->found = found ? (int64_t)file->size : MILVUS_LOG_MISSING;
        if (found && log->size == 0) {
            log->size = log->found;
        }
    }
}

/* Storage v1: file k of each field holds the same rows. */
static bool
is_aligned(const struct milvus_segment *segment)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, NULL);
    for (guint i = 0; i < segment->insert_logs->len; i++) {
        struct milvus_log *log = &g_array_index(segment->insert_logs, struct milvus_log, i);
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, &log->field_id));
        g_hash_table_replace(counts, &log->field_id, GUINT_TO_POINTER(n + 1));
    }
    GHashTableIter iter;
    void *count;
    void *first = NULL;
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, NULL, &count)) {
        if (first != NULL && first != count) {
            return false;
        }
        first = count;
    }
    return true;
}

static bp_status
settle_segment(const struct milvus_inventory *inventory, struct milvus_segment *segment,
               bool server_has_l0, struct bp_error *error)
{
    if (segment->trust_files || (segment->is_l0 && segment->insert_logs->len == 0)) {
        take_files(inventory, segment, false, segment->insert_logs);
        take_files(inventory, segment, true, segment->delta_logs);
    }
    if (segment->is_l0 && segment->insert_logs->len > 0) {
        segment->is_l0 = false; /* 0.4.x calls what it cannot list an L0 segment */
    }
    milvus_logs_sort(segment->insert_logs);
    milvus_logs_sort(segment->delta_logs);
    bool has_files = segment->insert_logs->len > 0 || segment->delta_logs->len > 0;
    if (segment->is_l0 && !has_files && segment->num_rows == 0 && !server_has_l0) {
        return BP_OK;
    }
    if (segment->is_l0 && (!has_files || !server_has_l0)) {
        return bp_fail(error, BP_ERR_CORRUPT,
                       "segment %" PRId64 " with %" PRId64 " rows has no insert logs in the "
                       "backup: milvus-backup 0.4.x reports such an empty backup as success; its "
                       "data is not there",
                       segment->id, segment->num_rows);
    }
    if (!segment->is_l0 && segment->num_rows > 0 && segment->insert_logs->len == 0) {
        return bp_fail(error, BP_ERR_CORRUPT,
                       "segment %" PRId64 " with %" PRId64 " rows has no insert logs in the backup",
                       segment->id, segment->num_rows);
    }
    if (segment->storage_version < 2 && !is_aligned(segment)) {
        return bp_fail(error, BP_ERR_CORRUPT,
                       "segment %" PRId64 " has not the same number of files for each field",
                       segment->id);
    }
    return BP_OK;
}

static bp_status
settle_list(const struct milvus_inventory *inventory, GPtrArray *segments, bool server_has_l0,
            struct bp_error *error)
{
    for (guint i = 0; i < segments->len; i++) {
        struct milvus_segment *segment = segments->pdata[i];
        bp_status status = settle_segment(inventory, segment, server_has_l0, error);
        if (status != BP_OK) {
            return status;
        }
        find_logs(inventory, segment, false);
        find_logs(inventory, segment, true);
    }
    return BP_OK;
}

static bp_status
settle_all(const struct milvus_inventory *inventory, struct milvus_collection *collection,
           bool server_has_l0, struct bp_error *error)
{
    bp_status status = settle_list(inventory, collection->l0_segments, server_has_l0, error);
    for (guint i = 0; i < collection->partitions->len && status == BP_OK; i++) {
        struct milvus_partition *partition = collection->partitions->pdata[i];
        status = settle_list(inventory, partition->segments, server_has_l0, error);
    }
    return status;
}

/* Files of a partition (group_id 0), or of one group in it. */
static guint
count_files(const struct milvus_inventory *inventory, int64_t partition_id, int64_t group_id)
{
    guint n = 0;
    for (int kind = 0; kind < 2; kind++) {
        struct file first = {.is_delta = kind == 1,
                             .partition_id = partition_id,
                             .group_id = group_id != 0 ? group_id : INT64_MIN,
                             .segment_id = INT64_MIN};
        struct file last = {.is_delta = kind == 1,
                            .partition_id = partition_id,
                            .group_id = group_id != 0 ? group_id : INT64_MAX,
                            .segment_id = INT64_MAX};
        n += lower_bound(inventory, &last) - lower_bound(inventory, &first);
    }
    return n;
}

static guint
count_segment_files(const struct milvus_inventory *inventory, const struct milvus_segment *segment)
{
    guint n = 0;
    for (int kind = 0; kind < 2; kind++) {
        const struct file like = first_of_segment(segment, kind == 1);
        for (guint i = lower_bound(inventory, &like); file_of_segment(inventory, i, &like) != NULL;
             i++) {
            n++;
        }
    }
    return n;
}

/* An import takes everything that lies in the directories it is given. */
static void
mark_exact(const struct milvus_inventory *inventory, struct milvus_partition *partition)
{
    bool is_clean = !g_hash_table_contains(inventory->strays, &partition->id);
    g_autoptr(GHashTable) logs_of = g_hash_table_new(g_int64_hash, g_int64_equal);
    guint n_all = 0;
    for (guint i = 0; i < partition->segments->len; i++) {
        struct milvus_segment *segment = partition->segments->pdata[i];
        guint n = segment->insert_logs->len + segment->delta_logs->len;
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(logs_of, &segment->group_id));
        g_hash_table_replace(logs_of, &segment->group_id, GUINT_TO_POINTER(before + n));
        n_all += n;
    }
    for (guint i = 0; i < partition->segments->len; i++) {
        struct milvus_segment *segment = partition->segments->pdata[i];
        guint listed = segment->group_id == 0
                           ? segment->insert_logs->len + segment->delta_logs->len
                           : GPOINTER_TO_UINT(g_hash_table_lookup(logs_of, &segment->group_id));
        guint found = segment->group_id == 0
                          ? count_segment_files(inventory, segment)
                          : count_files(inventory, partition->id, segment->group_id);
        segment->is_exact = is_clean && found == listed;
    }
    partition->is_exact = is_clean && count_files(inventory, partition->id, 0) == n_all;
}

static bool
had_l0(const char *server_version)
{
    struct milvus_version version;
    (void)milvus_version_parse(server_version != NULL ? server_version : "", &version);
    return (milvus_features(&version) & (UINT64_C(1) << MILVUS_CAN_L0)) != 0;
}

bp_status
milvus_inventory_settle(const struct milvus_inventory *inventory,
                        struct milvus_collection *collection, const char *server_version,
                        struct bp_error *error)
{
    bp_status status = settle_all(inventory, collection, had_l0(server_version), error);
    if (status != BP_OK) {
        g_autofree char *why = g_strdup(error->message);
        return bp_fail(error, status, "collection %s.%s: %s", collection->db_name, collection->name,
                       why);
    }
    for (guint i = 0; i < collection->partitions->len; i++) {
        mark_exact(inventory, collection->partitions->pdata[i]);
    }
    return BP_OK;
}

bool
milvus_inventory_is_whole(const struct milvus_log *log)
{
    return log->found != MILVUS_LOG_MISSING && log->found == log->size;
}

/* What is wrong with a collection's files: all counted, the first ones named. */
struct findings {
    guint n_logs, n_bad;
    GString *names;
};

static void
check_logs(const struct milvus_segment *segment, bool is_delta, struct findings *findings)
{
    const GArray *logs = is_delta ? segment->delta_logs : segment->insert_logs;
    findings->n_logs += logs->len;
    for (guint i = 0; i < logs->len; i++) {
        const struct milvus_log *log = &g_array_index(logs, struct milvus_log, i);
        if (milvus_inventory_is_whole(log) || findings->n_bad++ >= NAMED_MAX) {
            continue;
        }
        g_autofree char *key =
            is_delta ? milvus_delta_key(segment, log) : milvus_insert_key(segment, log);
        g_string_append_printf(findings->names, "%s%s", findings->n_bad > 1 ? ", " : "", key);
        if (log->found == MILVUS_LOG_MISSING) {
            g_string_append(findings->names, " (missing)");
        } else {
            g_string_append_printf(findings->names, " (%" PRId64 " bytes, not %" PRId64 ")",
                                   log->found, log->size);
        }
    }
}

static void
check_list(const GPtrArray *segments, struct findings *findings)
{
    for (guint i = 0; i < segments->len; i++) {
        check_logs(segments->pdata[i], false, findings);
        check_logs(segments->pdata[i], true, findings);
    }
}

bp_status
milvus_inventory_check(const struct milvus_collection *collection, struct bp_error *error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    struct findings findings = {.names = names};
    check_list(collection->l0_segments, &findings);
    for (guint i = 0; i < collection->partitions->len; i++) {
        const struct milvus_partition *partition = collection->partitions->pdata[i];
        check_list(partition->segments, &findings);
    }
    return findings.n_bad == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CORRUPT,
                         "collection %s.%s: %u of %u log files are missing or damaged: %s%s",
                         collection->db_name, collection->name, findings.n_bad, findings.n_logs,
                         names->str, findings.n_bad > NAMED_MAX ? " …" : "");
}
