/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents are written by the code under test; the log files are three bytes each.
 */
#include "restore_fixture.h"

#include <inttypes.h>
#include <string.h>

#include "plugins/source-milvus/document.h"
#include "plugins/source-milvus/layout.h"

struct fixture fx;

static void
put_log(const char *key)
{
    fake_dir_put(fx.dir, key, "abc");
}

struct milvus_segment *
fixture_segment(struct milvus_partition *partition, int64_t id, int64_t rows, bool has_deltas)
{
    struct milvus_segment *segment = milvus_segment_new(DOCS_ID, partition->id, id);
    static const int64_t fields[] = {0, 1, 100, 101};
    segment->num_rows = rows;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        milvus_log_add(segment->insert_logs, fields[i], id + 10 + (int64_t)i, 3);
    }
    if (has_deltas) {
        milvus_log_add(segment->delta_logs, 0, id + 20, 3);
    }
    g_ptr_array_add(partition->segments, segment);
    return segment;
}

static void
add_field(struct milvus_schema *schema, int64_t id, const char *name, int32_t type)
{
    struct milvus_field *field = milvus_field_new(id, name, type);
    field->is_primary_key = type == MILVUS_TYPE_INT64;
    if (milvus_type_is_vector(type)) {
        milvus_kv_add(field->type_params, "dim", "4");
    }
    g_ptr_array_add(schema->fields, field);
}

static void
make_backup(void)
{
    fx.backup = milvus_backup_new();
    fx.backup->server_version = g_strdup("v2.3.5");
    fx.backup->log_root = g_strdup("files");
    fx.docs = milvus_collection_new("default", "docs");
    fx.docs->id = DOCS_ID;
    fx.docs->shards_num = 4;
    fx.docs->replica_number = 2;
    fx.docs->load_state = MILVUS_LOAD_LOADED;
    /* Not in the order of their numbers, as servers may answer. */
    add_field(fx.docs->schema, 101, "vec", 101);
    add_field(fx.docs->schema, 100, "id", MILVUS_TYPE_INT64);
    milvus_kv_add(fx.docs->properties, "collection.ttl.seconds", "99");
    milvus_kv_add(fx.docs->properties, "mmap.enabled", "true");
    struct milvus_index *scalar = milvus_index_new("id", "id_idx");
    milvus_kv_add(scalar->params, "index_type", "marisa-trie");
    g_ptr_array_add(fx.docs->indexes, scalar);
    struct milvus_index *vector = milvus_index_new("vec", "vec_idx");
    milvus_kv_add(vector->params, "index_type", "HNSW");
    milvus_kv_add(vector->params, "metric_type", "L2");
    milvus_kv_add(vector->params, "params", "{\"M\":8}");
    g_ptr_array_add(fx.docs->indexes, vector);
    g_ptr_array_add(fx.docs->aliases, g_strdup("news"));
    struct milvus_partition *first = milvus_partition_new(DOCS_ID, 501, "_default");
    struct milvus_partition *second = milvus_partition_new(DOCS_ID, 502, "p1");
    g_ptr_array_add(fx.docs->partitions, first);
    g_ptr_array_add(fx.docs->partitions, second);
    (void)fixture_segment(first, 600, 10, false);
    fixture_segment(first, 650, 10, true)->delta_rows = 2;
    (void)fixture_segment(second, 700, 5, false);
    g_ptr_array_add(fx.backup->collections, fx.docs);
}

void
fixture_setup(void)
{
    memset(&fx, 0, sizeof fx);
    fake_host_reset();
    fx.dir = fake_dir_new();
    fx.error = fake_error();
    fx.told = g_string_new(NULL);
    fx.tokens = g_ptr_array_new_with_free_func(g_free);
    fx.options = fake_config_new(NULL, NULL);
    fx.target_db = "default";
    fx.target_name = "docs";
    (void)g_strlcpy(fx.view.kind, "local", sizeof fx.view.kind);
    (void)g_strlcpy(fx.view.server_root, BASE, sizeof fx.view.server_root);
    make_backup();
    fixture_server("v2.3.5");
}

void
fixture_server(const char *version)
{
    g_clear_pointer(&fx.api, fake_api_free);
    fx.api = fake_api_new(version);
    fx.source.host = fake_host();
    fx.source.api = fx.api;
}

void
fixture_option(const char *key, const char *value)
{
    g_hash_table_replace(fx.options->values, g_strdup(key), g_strdup(value));
}

void
fixture_teardown(void)
{
    struct bp_op op = fake_op();
    if (fx.restore != NULL) {
        ck_assert_int_eq(milvus_restore_end(fx.restore, &op, BP_OUTCOME_DONE, &fx.error), BP_OK);
    }
    milvus_backup_free(fx.backup);
    fake_api_free(fx.api);
    fake_config_free(fx.options);
    g_string_free(fx.told, TRUE);
    g_ptr_array_unref(fx.tokens);
    g_free(fx.source.config.storage);
    fake_dir_remove(fx.dir);
}

struct milvus_collection *
fixture_same_collection(const char *name)
{
    struct milvus_collection *made = milvus_collection_new("default", name);
    add_field(made->schema, 100, "id", MILVUS_TYPE_INT64);
    add_field(made->schema, 101, "vec", 101);
    return made;
}

/* --- saving the backup ----------------------------------------------------------------------- */

static GString *document;
static char *document_key;

static int32_t
on_begin(void *ctx, const char *key, uint32_t flags)
{
    (void)ctx;
    (void)flags;
    document = g_string_new(NULL);
    document_key = g_strdup(key);
    return 0;
}

static int32_t
on_write(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    g_string_append_len(document, bytes, (gssize)n);
    return 0;
}

static int32_t
on_end(void *ctx)
{
    (void)ctx;
    fake_dir_put(fx.dir, document_key, document->str);
    g_string_free(document, TRUE);
    g_free(document_key);
    return 0;
}

static void
put_segments(const GPtrArray *segments)
{
    for (guint i = 0; i < segments->len; i++) {
        const struct milvus_segment *segment = segments->pdata[i];
        for (guint k = 0; k < segment->insert_logs->len; k++) {
            g_autofree char *key = milvus_insert_key(
                segment, &g_array_index(segment->insert_logs, struct milvus_log, k));
            put_log(key);
        }
        for (guint k = 0; k < segment->delta_logs->len; k++) {
            g_autofree char *key = milvus_delta_key(
                segment, &g_array_index(segment->delta_logs, struct milvus_log, k));
            put_log(key);
        }
    }
}

static void
save(void)
{
    const struct bp_document_sink sink = {
        .struct_size = sizeof sink, .begin = on_begin, .write = on_write, .end = on_end};
    ck_assert_int_eq(milvus_documents_write(fx.backup, &sink, &fx.error), BP_OK);
    put_segments(fx.docs->l0_segments);
    for (guint i = 0; i < fx.docs->partitions->len; i++) {
        put_segments(((struct milvus_partition *)fx.docs->partitions->pdata[i])->segments);
    }
    fx.is_saved = true;
}

/* --- what the core hears ---------------------------------------------------------------------- */

static int32_t
on_note(void *ctx, int32_t level, const char *code, const char *text)
{
    (void)ctx;
    g_string_append_printf(fx.told, "note %" PRId32 " %s: %s\n", level, code, text);
    return 0;
}

static int32_t
on_identity(void *ctx, const char *text)
{
    (void)ctx;
    g_string_append_printf(fx.told, "identity %s\n", text);
    return 0;
}

static int32_t
on_in_place(void *ctx, const char *prefix)
{
    (void)ctx;
    g_string_append_printf(fx.told, "in place %s\n", prefix);
    return 0;
}

static int32_t
on_stage(void *ctx, const char *item, const char *ref, const char *key)
{
    (void)ctx;
    g_string_append_printf(fx.told, "stage %s -> %s %s\n", item, ref, key);
    return 0;
}

static int32_t
on_job(void *ctx, const char *token, uint64_t weight)
{
    (void)ctx;
    g_string_append_printf(fx.told, "job %s %" PRIu64 "\n", token, weight);
    g_ptr_array_add(fx.tokens, g_strdup(token));
    return 0;
}

static const struct bp_note_sink notes = {.struct_size = sizeof notes, .note = on_note};

bp_status
fixture_begin(uint32_t flags)
{
    static const char *const parents[] = {"default"};
    if (!fx.is_saved) {
        save();
    }
    fake_host_add_storage("b", fx.dir, &fx.view);
    const struct bp_restore_pair pair = {.unit_id = "collection/500",
                                         .target_parent = fx.target_db,
                                         .target_name = fx.target_name,
                                         .ours = fx.ours,
                                         .done = fx.done,
                                         .low = 23,
                                         .high = 25,
                                         .flags = fx.pair_flags};
    const struct bp_restore_args args = {.struct_size = sizeof args,
                                         .flags = flags,
                                         .run_id = "run-1",
                                         .backup_ref = "b",
                                         .server_version = fx.version,
                                         .options = fx.options,
                                         .pairs = &pair,
                                         .pair_stride = sizeof pair,
                                         .n_pairs = 1,
                                         .parents = parents,
                                         .n_parents = 1,
                                         .notes = &notes};
    struct bp_op op = fake_op();
    fx.info.struct_size = sizeof fx.info;
    return milvus_restore_begin(&fx.source, &op, &args, &fx.info, &fx.restore, &fx.error);
}

bp_status
fixture_prepare(void)
{
    const struct bp_text_sink identity = {.struct_size = sizeof identity, .text = on_identity};
    struct bp_op op = fake_op();
    op.deadline_ns = fx.prepare_until_ns;
    return milvus_target_prepare(fx.restore, &op, 0, &notes, &identity, &fx.error);
}

bp_status
fixture_place(void)
{
    const struct bp_place_sink sink = {
        .struct_size = sizeof sink, .in_place = on_in_place, .stage = on_stage};
    struct bp_op op = fake_op();
    return milvus_target_place(fx.restore, &op, 0, &sink, &fx.error);
}

bp_status
fixture_step(uint32_t free_jobs, bool *all_started)
{
    const struct bp_job_sink sink = {
        .struct_size = sizeof sink, .free_jobs = free_jobs, .job = on_job};
    struct bp_step_state state = {.struct_size = sizeof state};
    struct bp_op op = fake_op();
    bp_status status = milvus_target_step(fx.restore, &op, 0, &sink, &state, &fx.error);
    *all_started = state.all_started != 0;
    return status;
}

bp_status
fixture_poll(const char *token, struct bp_job_state *state)
{
    struct bp_op op = fake_op();
    *state = (struct bp_job_state){.struct_size = sizeof *state};
    return milvus_job_poll(fx.restore, &op, 0, token, state, &fx.error);
}

bp_status
fixture_prove(struct bp_proof *proof)
{
    struct bp_op op = fake_op();
    *proof = (struct bp_proof){.struct_size = sizeof *proof};
    return milvus_target_prove(fx.restore, &op, 0, proof, &fx.error);
}

bp_status
fixture_finish(void)
{
    struct bp_op op = fake_op();
    return milvus_target_finish(fx.restore, &op, 0, &notes, &fx.error);
}

void
fixture_until_placed(void)
{
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_msg(fixture_prepare() == BP_OK, "%s", fx.error.message);
    ck_assert_msg(fixture_place() == BP_OK, "%s", fx.error.message);
}

void
fixture_import_all(void)
{
    bool all_started = false;
    while (!all_started || fx.tokens->len > 0) {
        if (!all_started) {
            ck_assert_msg(fixture_step(2, &all_started) == BP_OK, "%s", fx.error.message);
        }
        for (guint i = 0; i < fx.tokens->len;) {
            struct bp_job_state state;
            ck_assert_int_eq(fixture_poll(fx.tokens->pdata[i], &state), BP_OK);
            ck_assert_msg(state.phase != BP_JOB_FAILED, "%s", state.reason);
            if (state.phase == BP_JOB_DONE) {
                g_ptr_array_remove_index(fx.tokens, i);
            } else {
                i++;
            }
        }
    }
}

void
assert_told(const char *text)
{
    ck_assert_msg(strstr(fx.told->str, text) != NULL, "not told: %s\n%s", text, fx.told->str);
}

void
assert_not_told(const char *text)
{
    ck_assert_msg(strstr(fx.told->str, text) == NULL, "told: %s\n%s", text, fx.told->str);
}

void
assert_called(const char *text)
{
    ck_assert_msg(strstr(fake_api_log(fx.api), text) != NULL, "not called: %s\n%s", text,
                  fake_api_log(fx.api));
}

void
assert_not_called(const char *text)
{
    ck_assert_msg(strstr(fake_api_log(fx.api), text) == NULL, "called: %s\n%s", text,
                  fake_api_log(fx.api));
}

void
assert_failed(bp_status status, bp_status cls, const char *text)
{
    ck_assert_msg(status == cls && fx.error.cls == cls, "class %d: %s", status, fx.error.message);
    ck_assert_msg(strstr(fx.error.message, text) != NULL, "%s", fx.error.message);
}
