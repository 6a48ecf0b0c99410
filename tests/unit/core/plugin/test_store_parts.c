/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/store_parts: copies by the plugin, uploads in parts.
 */
#include "core/plugin/module.h"
#include "core/plugin/store.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static bp_store *store;

static void
setup(void)
{
    test_ops_reset();
    test_ops_seed("s", "k", "hello world");
    store = test_ops_open("data", "s");
}

static void
teardown(void)
{
    bp_store_free(store);
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

START_TEST(test_copy__between_instances)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    g_autoptr(bp_store) other = test_ops_open("other", "t");
    bp_store_copy_params params = {.src = store, .src_key = "k", .dst_key = "x/k", .size = 11};
    ASSERT_FINE(bp_store_copy(other, NULL, &params, &meta, &error), error);
    ck_assert_uint_eq(meta.size, 11);
    params.size = 12;
    ck_assert(!bp_store_copy(other, NULL, &params, &meta, &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "storage other: copy x/k has 11 bytes instead of 12");
    params.src_key = "none";
    ck_assert(!bp_store_copy(other, NULL, &params, &meta, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "no object none");
}
END_TEST

static const char *seen_match;

static bp_status
note_match(struct bp_storage *self, const struct bp_op *op, const struct bp_copy_args *args,
           struct bp_object_meta *out, struct bp_error *raw)
{
    (void)self;
    (void)op;
    (void)raw;
    seen_match = args->src_if_match;
    out->size = args->size;
    return BP_OK;
}

static bp_status
note_part_match(struct bp_storage *self, const struct bp_op *op, const struct bp_part_args *args,
                struct bp_object_meta *out, struct bp_error *raw)
{
    (void)self;
    (void)op;
    (void)raw;
    seen_match = args->src_if_match;
    out->size = args->size;
    return BP_OK;
}

/* A store that tells no version of the source: "" is none, and no plugin is to guess that. */
START_TEST(test_copy__without_a_version)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    struct bp_storage_ops *ops = &test_ops_module()->storage, honest = *ops;
    bp_store_copy_params params = {
        .src = store, .src_key = "k", .dst_key = "x/k", .size = 11, .src_if_match = ""};
    bp_store_part_params part = {.key = "big",
                                 .upload = "u",
                                 .number = 1,
                                 .size = 11,
                                 .src = store,
                                 .src_key = "k",
                                 .src_if_match = ""};
    ops->copy = note_match;
    ops->part_copy = note_part_match;
    seen_match = "unseen";
    ASSERT_FINE(bp_store_copy(store, NULL, &params, &meta, &error), error);
    ck_assert_ptr_null(seen_match);
    seen_match = "unseen";
    ASSERT_FINE(bp_store_part_copy(store, NULL, &part, &meta, &error), error);
    ck_assert_ptr_null(seen_match);
    *ops = honest;
}
END_TEST

static char *
begin_upload(void)
{
    g_autoptr(GError) error = NULL;
    bp_store_write_params params = {.key = "big", .size = BP_UNKNOWN};
    char *id = bp_store_part_begin(store, NULL, &params, &error);
    ASSERT_FINE(id != NULL, error);
    return id;
}

static void
write_part(const char *id, guint32 number, const char *text)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    bp_store_part_params params = {
        .key = "big", .upload = id, .number = number, .size = strlen(text)};
    bp_store_writer *writer = bp_store_part_open(store, NULL, &params, &error);
    ASSERT_FINE(writer != NULL, error);
    ASSERT_FINE(bp_store_write(writer, NULL, text, strlen(text), &error), error);
    ASSERT_FINE(bp_store_write_commit(writer, NULL, &meta, &error), error);
    ck_assert_uint_eq(meta.size, strlen(text));
}

START_TEST(test_parts__put_together)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = begin_upload();
    const char *const etags[] = {"p1", "p2"};
    bp_store_write_params params = {.key = "big", .size = 14};
    struct bp_object_meta meta;
    write_part(id, 1, "abc");
    bp_store_part_params copied = {
        .key = "big", .upload = id, .number = 2, .size = 11, .src = store, .src_key = "k"};
    ASSERT_FINE(bp_store_part_copy(store, NULL, &copied, &meta, &error), error);
    bp_store_complete_params all = {.write = &params, .upload = id, .etags = etags, .n = 2};
    ASSERT_FINE(bp_store_part_complete(store, NULL, &all, &meta, &error), error);
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "big", 100, &error);
    ck_assert_str_eq(g_bytes_get_data(bytes, NULL), "abchello world");
}
END_TEST

START_TEST(test_parts__aborted)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = begin_upload();
    g_autofree char *forgotten = begin_upload();
    ck_assert_str_ne(id, forgotten);
    ASSERT_FINE(bp_store_part_abort(store, NULL, "big", id, &error), error);
    ASSERT_FINE(bp_store_uploads_abort(store, NULL, "b", G_MAXINT64, &error), error);
    bp_store_write_params params = {.key = "big", .size = BP_UNKNOWN};
    bp_store_complete_params none = {.write = &params, .upload = forgotten};
    ck_assert(!bp_store_part_complete(store, NULL, &none, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "no upload");
}
END_TEST

START_TEST(test_uploads_abort_key__that_key_and_no_longer_one)
{
    g_autoptr(GError) error = NULL;
    bp_store_write_params longer = {.key = "bigger", .size = BP_UNKNOWN};
    g_autofree char *gone = begin_upload();
    g_autofree char *gone_too = begin_upload();
    g_autofree char *other = bp_store_part_begin(store, NULL, &longer, &error);
    ASSERT_FINE(bp_store_uploads_abort_key(store, NULL, "big", &error), error);
    bp_store_write_params params = {.key = "big", .size = BP_UNKNOWN};
    bp_store_complete_params none = {.write = &params, .upload = gone_too};
    ck_assert(!bp_store_part_complete(store, NULL, &none, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "no upload");
    g_clear_error(&error);
    ck_assert_uint_eq(test_ops_calls("part_abort"), 2);
    ASSERT_FINE(bp_store_part_abort(store, NULL, "bigger", other, &error), error);
}
END_TEST

START_TEST(test_part_open__beyond_limits)
{
    g_autoptr(GError) error = NULL;
    bp_store_part_params params = {.key = "big", .upload = "u", .number = 1001};
    ck_assert_ptr_null(bp_store_part_open(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "part 1001 of big");
    params.number = 0;
    ck_assert_ptr_null(bp_store_part_open(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "part 0 of big");
    ck_assert_uint_eq(test_ops_calls("part_open"), 0);
}
END_TEST

START_TEST(test_part_begin__no_id_or_capability)
{
    g_autoptr(GError) error = NULL;
    bp_store_write_params params = {.key = "big", .size = BP_UNKNOWN};
    test_ops_set_lie(TEST_LIE_NO_UPLOAD_ID);
    ck_assert_ptr_null(bp_store_part_begin(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: memory part_begin: answered no upload id");
    test_ops_set_caps(BP_STORE_RANGE_READ);
    g_autoptr(bp_store) poor = test_ops_open("poor", "s");
    ck_assert_ptr_null(bp_store_part_begin(poor, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "storage poor (memory) has no uploads in parts");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store_parts", setup, teardown, test_copy__between_instances,
                     test_copy__without_a_version, test_parts__put_together, test_parts__aborted,
                     test_uploads_abort_key__that_key_and_no_longer_one,
                     test_part_open__beyond_limits, test_part_begin__no_id_or_capability);
}
