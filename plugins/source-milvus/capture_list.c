/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing through the host.  Keys are taken apart by number and exact element; what does not fit
 * is an error, since a file that nobody understands may be data.
 */
#include "capture_list.h"

#include <bakplane/storage.h>
#include <inttypes.h>
#include <string.h>

#include "layout.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define PAGE_ENTRIES 1000
/* How many names an error message shows of what lies at a place. */
#define SHOWN_NAMES 3
/* From here on a log file holds a group of fields. */
#define STORAGE_VERSION_GROUPS 2
#define FIELD_ROW_ID 0
#define FIELD_TIMESTAMP 1

struct listing {
    const char *prefix;
    GArray *logs;         /* struct milvus_log; of one segment, or … */
    GHashTable *segments; /* … of these, id -> struct milvus_segment */
    GHashTable *versions; /* key -> version tag, or NULL */
    bool with_field;      /* "<field>/<log>", else "<log>" */
    char *odd_key;        /* first key that is no log */
    char *next;           /* token of the next page */
};

/* "100/4711" or "4711" behind the prefix. */
static bool
take_log(const struct listing *listing, const char *key, struct milvus_log *log)
{
    if (!g_str_has_prefix(key, listing->prefix)) {
        return false;
    }
    const char *rest = key + strlen(listing->prefix);
    if (!listing->with_field) {
        return bp_parse_i64(rest, &log->log_id) == 0;
    }
    const char *slash = strchr(rest, '/');
    if (slash == NULL) {
        return false;
    }
    g_autofree char *field = g_strndup(rest, (gsize)(slash - rest));
    return bp_parse_i64(field, &log->field_id) == 0 && bp_parse_i64(slash + 1, &log->log_id) == 0;
}

static void
note_version(const struct listing *listing, const char *key, const struct bp_object_meta *meta)
{
    if (listing->versions != NULL && meta->etag[0] != '\0') {
        g_hash_table_insert(listing->versions, g_strdup(key), g_strdup(meta->etag));
    }
}

static int32_t
on_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct listing *listing = ctx;
    struct milvus_log log = {.size = (int64_t)meta->size};
    if (!take_log(listing, key, &log)) {
        listing->odd_key = g_strdup(key);
        return 1;
    }
    g_array_append_val(listing->logs, log);
    note_version(listing, key, meta);
    return 0;
}

/* "<partition>/<segment>/<log>"; what belongs to no segment of the listing is none of ours. */
static int32_t
on_delta(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct listing *listing = ctx;
    struct milvus_log log = {.size = (int64_t)meta->size};
    g_auto(GStrv) parts = g_strsplit(key + strlen(listing->prefix), "/", 3);
    int64_t partition = 0;
    int64_t id = 0;
    if (g_strv_length(parts) < 3 || bp_parse_i64(parts[0], &partition) != 0 ||
        bp_parse_i64(parts[1], &id) != 0) {
        return 0;
    }
    struct milvus_segment *segment = g_hash_table_lookup(listing->segments, &id);
    if (segment == NULL || segment->partition_id != partition) {
        return 0;
    }
    if (bp_parse_i64(parts[2], &log.log_id) != 0) {
        listing->odd_key = g_strdup(key);
        return 1;
    }
    g_array_append_val(segment->delta_logs, log);
    note_version(listing, key, meta);
    return 0;
}

static int32_t
ignore_prefix(void *ctx, const char *prefix)
{
    (void)ctx;
    (void)prefix;
    return 0;
}

static int32_t
on_next(void *ctx, const char *token)
{
    struct listing *listing = ctx;
    listing->next = g_strdup(token);
    return 0;
}

/* All pages below one directory.  A directory that is missing is empty. */
static bp_status
list_logs(const struct bp_source *source, const struct bp_op *op, struct listing *listing,
          struct bp_error *error)
{
    struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                .ctx = listing,
                                .entry = listing->segments != NULL ? on_delta : on_entry,
                                .prefix = ignore_prefix,
                                .next = on_next};
    g_autofree char *token = NULL;
    do {
        struct bp_list_args args = {.struct_size = sizeof(args),
                                    .prefix = listing->prefix,
                                    .token = token,
                                    .max = PAGE_ENTRIES};
        bp_status status =
            source->host->storage_list(op, source->config.storage, &args, &sink, error);
        if (listing->odd_key != NULL) {
            g_autofree char *odd = g_steal_pointer(&listing->odd_key);
            g_clear_pointer(&listing->next, g_free);
            return bp_fail(error, BP_ERR_CORRUPT, "storage %s: %s is no log file of Milvus",
                           source->config.storage, odd);
        }
        if (status != BP_OK) {
            g_clear_pointer(&listing->next, g_free);
            return status;
        }
        g_free(token);
        token = g_steal_pointer(&listing->next);
    } while (token != NULL);
    return BP_OK;
}

static char *
segment_dir(const struct bp_source *source, const struct milvus_segment *segment, const char *kind)
{
    return g_strdup_printf("%s%s/%" PRId64 "/%" PRId64 "/%" PRId64 "/",
                           source->config.storage_prefix, kind, segment->collection_id,
                           segment->partition_id, segment->id);
}

bp_status
milvus_list_inserts(const struct bp_source *source, const struct bp_op *op,
                    struct milvus_segment *segment, GHashTable *versions, struct bp_error *error)
{
    g_array_set_size(segment->insert_logs, 0);
    if (segment->is_l0) {
        return BP_OK;
    }
    g_autofree char *dir = segment_dir(source, segment, MILVUS_INSERT_LOG);
    struct listing listing = {
        .prefix = dir, .logs = segment->insert_logs, .versions = versions, .with_field = true};
    bp_status status = list_logs(source, op, &listing, error);
    milvus_logs_sort(segment->insert_logs);
    return status;
}

bp_status
milvus_list_deltas(const struct bp_source *source, const struct bp_op *op, int64_t collection_id,
                   const GPtrArray *segments, GHashTable *versions, struct bp_error *error)
{
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < segments->len; i++) {
        struct milvus_segment *segment = segments->pdata[i];
        g_array_set_size(segment->delta_logs, 0);
        g_hash_table_insert(by_id, &segment->id, segment);
    }
    g_autofree char *dir = g_strdup_printf("%s%s/%" PRId64 "/", source->config.storage_prefix,
                                           MILVUS_DELTA_LOG, collection_id);
    struct listing listing = {.prefix = dir, .segments = by_id, .versions = versions};
    bp_status status = list_logs(source, op, &listing, error);
    for (guint i = 0; i < segments->len; i++) {
        milvus_logs_sort(((struct milvus_segment *)segments->pdata[i])->delta_logs);
    }
    return status;
}

static bool
has_log_of(const struct milvus_segment *segment, int64_t field_id)
{
    for (guint i = 0; i < segment->insert_logs->len; i++) {
        if (g_array_index(segment->insert_logs, struct milvus_log, i).field_id == field_id) {
            return true;
        }
    }
    return false;
}

/* A server that lost the only log of a field still names the segment.  A field that may be null
 * or has a default value can be younger than the segment. */
static char *
missing_field(const struct milvus_segment *segment, const struct milvus_schema *schema)
{
    for (int64_t id = FIELD_ROW_ID; id <= FIELD_TIMESTAMP; id++) {
        if (!has_log_of(segment, id)) {
            return g_strdup_printf("has no log file for the system's field %" PRId64, id);
        }
    }
    for (guint i = 0; i < schema->fields->len; i++) {
        const struct milvus_field *field = schema->fields->pdata[i];
        bool optional = field->nullable || field->default_value != NULL || field->is_dynamic;
        if (!optional && !has_log_of(segment, field->id)) {
            return g_strdup_printf("has no log file for field %s (%" PRId64 ")", field->name,
                                   field->id);
        }
    }
    return NULL;
}

char *
milvus_segment_defect(const struct milvus_segment *segment, const struct milvus_schema *schema)
{
    if (segment->is_l0) {
        return segment->delta_logs->len > 0 ? NULL : g_strdup("has no delete logs");
    }
    const GArray *logs = segment->insert_logs;
    if (logs->len == 0) {
        return g_strdup_printf("has %" PRId64 " rows but no insert logs", segment->num_rows);
    }
    guint expected = 0;
    for (guint begin = 0; begin < logs->len;) {
        int64_t field = g_array_index(logs, struct milvus_log, begin).field_id;
        guint end = begin;
        while (end < logs->len && g_array_index(logs, struct milvus_log, end).field_id == field) {
            end++;
        }
        if (begin == 0) {
            expected = end;
        } else if (end - begin != expected) {
            return g_strdup_printf(
                "has %u log files for field %" PRId64 " and %u for field %" PRId64, end - begin,
                field, expected, g_array_index(logs, struct milvus_log, 0).field_id);
        }
        begin = end;
    }
    bool by_field = schema != NULL && segment->storage_version < STORAGE_VERSION_GROUPS;
    return by_field ? missing_field(segment, schema) : NULL;
}

/* Names one level below a place, for an error message. */
struct glance {
    size_t skip; /* length of the prefix */
    guint n;
    GString *names;
};

static int32_t
glance_at(struct glance *glance, const char *key)
{
    if (glance->n < SHOWN_NAMES) {
        g_string_append_printf(glance->names, "%s%s", glance->n > 0 ? ", " : "",
                               key + MIN(glance->skip, strlen(key)));
    }
    glance->n++;
    return glance->n > SHOWN_NAMES ? 1 : 0;
}

static int32_t
glance_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)meta;
    return glance_at(ctx, key);
}

static int32_t
glance_prefix(void *ctx, const char *prefix)
{
    return glance_at(ctx, prefix);
}

static int32_t
glance_next(void *ctx, const char *token)
{
    (void)ctx;
    (void)token;
    return 0;
}

/* "1/, 2/" or "nothing", or why it cannot be listed. */
static char *
look(const struct bp_source *source, const struct bp_op *op, const char *prefix)
{
    g_autoptr(GString) names = g_string_new(NULL);
    struct glance glance = {.skip = strlen(prefix), .names = names};
    struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                .ctx = &glance,
                                .entry = glance_entry,
                                .prefix = glance_prefix,
                                .next = glance_next};
    struct bp_list_args args = {
        .struct_size = sizeof(args), .prefix = prefix, .max = SHOWN_NAMES + 1, .delimiter = '/'};
    struct bp_error error = {.struct_size = sizeof(error)};
    bp_status status = source->host->storage_list(op, source->config.storage, &args, &sink, &error);
    if (status != BP_OK && glance.n == 0) {
        return g_strdup_printf("(not listable: %.80s)", error.message);
    }
    if (glance.n == 0) {
        return g_strdup("nothing");
    }
    return g_strdup_printf("%s%s", names->str, glance.n > SHOWN_NAMES ? ", …" : "");
}

char *
milvus_describe_place(const struct bp_source *source, const struct bp_op *op,
                      const struct milvus_segment *segment)
{
    const char *prefix = source->config.storage_prefix;
    const char *kind = segment->is_l0 ? MILVUS_DELTA_LOG : MILVUS_INSERT_LOG;
    struct bp_storage_view view = {.struct_size = sizeof(view)};
    struct bp_error error = {.struct_size = sizeof(error)};
    const char *where = "";
    if (source->host->storage_info(op, source->config.storage, &view, &error) == BP_OK) {
        where = view.local_root[0] != '\0' ? view.local_root : view.identity;
    }
    g_autofree char *collection_dir =
        g_strdup_printf("%s%s/%" PRId64 "/", prefix, kind, segment->collection_id);
    g_autofree char *kind_dir = g_strdup_printf("%s%s/", prefix, kind);
    g_autofree char *in_collection = look(source, op, collection_dir);
    g_autofree char *in_kind = look(source, op, kind_dir);
    g_autofree char *in_root = look(source, op, prefix);
    return g_strdup_printf("storage %s (%.120s) holds below %s %s, below %s/ %s, at its root %s; "
                           "check the settings storage and storage_prefix, and that storage's root",
                           source->config.storage, where, collection_dir, in_collection, kind,
                           in_kind, in_root);
}
