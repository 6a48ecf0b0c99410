/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign backups: what the golden ones hold, and the ones that must be refused.
 */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_host.h"
#include "plugins/source-milvus/adopt.h"

#define ARTICLES "collection/470643041033135877"
#define ARTICLES_DIR "binlogs/insert_log/470643041033135877/470643041033135878/"

#define ARTICLES_LOG ARTICLES_DIR "470643041033135897/470643041033135897/1/470643041032932950"
#define ARTICLES_DELETES                                       \
    "binlogs/delta_log/470643041033135877/470643041033135878/" \
    "470643041033135897/470643041033135897/470643041032932976"

static char *dir;
static struct bp_error error;
static GString *units;
static GHashTable *items;
static struct bp_proof articles;
static unsigned n_proofs, stop_after;
static struct bp_adopt_info info;

static int32_t
stop(void)
{
    return stop_after > 0 && --stop_after == 0;
}

static int32_t
on_unit(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    g_string_append_printf(units, "%s:%s<%s ", unit->kind, unit->name,
                           unit->parent != NULL ? unit->parent : "");
    return stop();
}

static int32_t
on_item(void *ctx, const char *unit_id, const struct bp_item *item)
{
    (void)ctx;
    ck_assert(g_str_has_prefix(unit_id, "collection/"));
    ck_assert_ptr_null(item->ref);
    ck_assert_msg(g_hash_table_insert(items, g_strdup(item->key), GSIZE_TO_POINTER(item->size)),
                  "%s twice", item->key);
    return stop();
}

static int32_t
on_proof(void *ctx, const char *unit_id, const struct bp_proof *proof)
{
    (void)ctx;
    n_proofs++;
    if (strcmp(unit_id, ARTICLES) == 0) {
        articles = *proof;
    }
    return stop();
}

static bp_status
adopt(void)
{
    const struct bp_adopt_sink sink = {
        .struct_size = sizeof sink, .unit = on_unit, .item = on_item, .proof = on_proof};
    struct bp_op op = fake_op();
    return milvus_adopt(fake_host(), &op, "b", &sink, &info, &error);
}

static void
copy_tree(const char *from, const char *to)
{
    (void)g_mkdir_with_parents(to, 0755);
    GDir *folder = g_dir_open(from, 0, NULL);
    ck_assert_ptr_nonnull(folder);
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *a = g_build_filename(from, name, NULL);
        g_autofree char *b = g_build_filename(to, name, NULL);
        g_autofree char *bytes = NULL;
        gsize n = 0;
        if (g_file_test(a, G_FILE_TEST_IS_DIR)) {
            copy_tree(a, b);
        } else {
            ck_assert(g_file_get_contents(a, &bytes, &n, NULL));
            ck_assert(g_file_set_contents(b, bytes, (gssize)n, NULL));
        }
    }
    g_dir_close(folder);
}

/* As it is, or a copy that can be changed. */
static void
golden(const char *name)
{
    g_autofree char *path = g_build_filename(BAKPLANE_TEST_GOLDEN, name, NULL);
    fake_host_add_storage("b", path, NULL);
}

static void
golden_copy(const char *name)
{
    g_autofree char *path = g_build_filename(BAKPLANE_TEST_GOLDEN, name, NULL);
    copy_tree(path, dir);
}

static void
setup(void)
{
    fake_host_reset();
    dir = fake_dir_new();
    fake_host_add_storage("b", dir, NULL);
    fake_host_page_size(1000);
    error = fake_error();
    units = g_string_new(NULL);
    items = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    memset(&articles, 0, sizeof articles);
    info = (struct bp_adopt_info){.struct_size = sizeof info};
    n_proofs = 0;
    stop_after = 0;
}

static void
teardown(void)
{
    fake_dir_remove(dir);
    g_string_free(units, TRUE);
    g_hash_table_unref(items);
}

static const char *const goldens[] = {"g_057", "g_0430"};

START_TEST(test_adopt__golden)
{
    golden(goldens[_i]);
    fake_host_page_size(7);
    ck_assert_msg(adopt() == BP_OK, "%s", error.message);
    ck_assert_uint_eq(g_hash_table_size(items), 80);
    ck_assert_uint_eq(n_proofs, 3);
    ck_assert_uint_eq(articles.low, 293);
    ck_assert_uint_eq(articles.high, 300);
    ck_assert_uint_eq(articles.flags, 0);
    ck_assert_str_eq(info.server_version, "v2.3.5-lite");
    ck_assert_str_eq(info.writer, _i == 0 ? "milvus-backup 0.5.x" : "milvus-backup 0.4.x");
    ck_assert_int_eq(info.created_ns / 1000000000, _i == 0 ? 1795361341 : 1795361337);
    ck_assert_ptr_nonnull(strstr(units->str, "collection:articles<database/default "));
    ck_assert_ptr_nonnull(strstr(units->str, "partition:y2024<" ARTICLES " "));
    ck_assert_ptr_nonnull(strstr(units->str, "collection:empty<database/shop "));
    ck_assert(g_hash_table_contains(items, ARTICLES_LOG));
}
END_TEST

static void
remove_file(const char *key)
{
    g_autofree char *path = g_build_filename(dir, key, NULL);
    ck_assert_int_eq(g_remove(path), 0);
}

static void
adopts_all(void)
{
    ck_assert_msg(adopt() == BP_OK, "%s", error.message);
    ck_assert_uint_eq(g_hash_table_size(items), 80);
    ck_assert_uint_eq(n_proofs, 3);
}

START_TEST(test_adopt__missing_log_is_named_as_documented)
{
    golden_copy(goldens[_i]);
    remove_file(ARTICLES_LOG);
    adopts_all();
    ck_assert_uint_eq(GPOINTER_TO_SIZE(g_hash_table_lookup(items, ARTICLES_LOG)), 452);
    ck_assert_uint_eq(articles.low, 293);
    ck_assert_uint_eq(articles.flags, 0);
}
END_TEST

START_TEST(test_adopt__truncated_log_is_named_as_documented)
{
    golden_copy(goldens[_i]);
    fake_dir_put(dir, ARTICLES_LOG, "abc");
    adopts_all();
    ck_assert_uint_eq(GPOINTER_TO_SIZE(g_hash_table_lookup(items, ARTICLES_LOG)), 452);
}
END_TEST

START_TEST(test_adopt__damaged_delete_log_is_not_counted)
{
    golden_copy("g_057");
    if (_i == 0) {
        remove_file(ARTICLES_DELETES);
    } else {
        fake_dir_put(dir, ARTICLES_DELETES, "abc");
    }
    adopts_all();
    ck_assert(g_hash_table_contains(items, ARTICLES_DELETES));
    ck_assert_uint_eq(articles.flags, BP_PROOF_UNPROVABLE);
    ck_assert_uint_eq(articles.low, 0);
    ck_assert_uint_eq(articles.high, 300);
    ck_assert_str_eq(articles.note, "delete logs are missing or damaged");
}
END_TEST

START_TEST(test_adopt__extra_files_are_left_out)
{
    golden_copy("g_057");
    fake_dir_put(dir, ARTICLES_DIR "470643041033135897/470643041033135897/1/77", "abc");
    fake_dir_put(dir, ARTICLES_DIR ".DS_Store", "abc");
    ck_assert_msg(adopt() == BP_OK, "%s", error.message);
    ck_assert_uint_eq(g_hash_table_size(items), 80);
}
END_TEST

#define SEGMENT(members)                                                                      \
    "{\"milvus_version\":\"v2.3.5\",\"collection_backups\":[{\"collection_id\":1,"            \
    "\"collection_name\":\"c\",\"schema\":{\"fields\":[{\"fieldID\":100,\"name\":\"id\","     \
    "\"data_type\":5}]},\"partition_backups\":[{\"partition_id\":2,\"partition_name\":\"p\"," \
    "\"collection_id\":1,\"segment_backups\":[{\"segment_id\":3,\"collection_id\":1,"         \
    "\"partition_id\":2," members "}]}]}]}"

#define LOG(field, log)                                                                     \
    "{\"fieldID\":" field ",\"binlogs\":[{\"log_path\":\"f/insert_log/1/2/3/" field "/" log \
    "\",\"log_size\":3}]}"

START_TEST(test_adopt__empty_backup_of_0430)
{
    fake_dir_put(dir, "meta/full_meta.json",
                 SEGMENT("\"num_of_rows\":50,\"is_l0\":true,\"group_id\":3"));
    ck_assert_int_eq(adopt(), BP_ERR_CORRUPT);
    ck_assert_str_eq(error.message,
                     "collection default.c: segment 3 with 50 rows has no insert logs in the "
                     "backup: milvus-backup 0.4.x reports such an empty backup as success; its "
                     "data is not there");
}
END_TEST

START_TEST(test_adopt__missing_log_of_undocumented_size)
{
    fake_dir_put(dir, "meta/full_meta.json",
                 SEGMENT("\"num_of_rows\":5,\"binlogs\":[{\"fieldID\":1,\"binlogs\":[{"
                         "\"log_path\":\"f/insert_log/1/2/3/1/9\"}]}]"));
    ck_assert_msg(adopt() == BP_OK, "%s", error.message);
    uint64_t size = GPOINTER_TO_SIZE(g_hash_table_lookup(items, "binlogs/insert_log/1/2/3/1/9"));
    ck_assert_uint_eq(size, BP_UNKNOWN);
}
END_TEST

START_TEST(test_adopt__mislabelled_l0_is_a_segment)
{
    fake_dir_put(dir, "meta/full_meta.json",
                 SEGMENT("\"num_of_rows\":50,\"is_l0\":true,\"group_id\":3"));
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/3/0/8", "abc");
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/3/1/9", "abc");
    ck_assert_msg(adopt() == BP_OK, "%s", error.message);
    ck_assert_uint_eq(g_hash_table_size(items), 2);
}
END_TEST

START_TEST(test_adopt__rows_without_files)
{
    fake_dir_put(dir, "meta/full_meta.json", SEGMENT("\"num_of_rows\":50,\"group_id\":3"));
    ck_assert_int_eq(adopt(), BP_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "collection default.c: segment 3 with 50 rows has no insert "
                                    "logs in the backup");
}
END_TEST

START_TEST(test_adopt__group_zero_has_no_directory)
{
    fake_dir_put(dir, "meta/full_meta.json",
                 SEGMENT("\"num_of_rows\":5,\"binlogs\":[" LOG("0", "8") "," LOG("1", "9") "]"));
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/0/8", "abc");
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/1/9", "abc");
    ck_assert_msg(adopt() == BP_OK, "%s", error.message);
    ck_assert(g_hash_table_contains(items, "binlogs/insert_log/1/2/3/0/8"));
}
END_TEST

START_TEST(test_adopt__fields_with_unequal_file_counts)
{
    fake_dir_put(dir, "meta/full_meta.json",
                 SEGMENT("\"num_of_rows\":5,\"binlogs\":[" LOG("0", "8") "," LOG("1", "9") "," LOG(
                     "1", "10") "]"));
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/0/8", "abc");
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/1/9", "abc");
    fake_dir_put(dir, "binlogs/insert_log/1/2/3/1/10", "abc");
    ck_assert_int_eq(adopt(), BP_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "collection default.c: segment 3 has not the same number of "
                                    "files for each field");
}
END_TEST

START_TEST(test_adopt__storage_v3)
{
    fake_dir_put(dir, "meta/full_meta.json", SEGMENT("\"storage_version\":3,\"num_of_rows\":0"));
    ck_assert_int_eq(adopt(), BP_ERR_UNSUPPORTED);
    ck_assert_str_eq(error.message, "segment 3 has storage version 3, which no import of log "
                                    "files can restore");
}
END_TEST

START_TEST(test_adopt__sink_stops_anywhere)
{
    golden("g_057");
    stop_after = (unsigned)_i + 1;
    ck_assert_int_eq(adopt(), BP_ERR_CANCELLED);
    ck_assert_str_eq(error.message, "reading the backup was stopped");
}
END_TEST

START_TEST(test_adopt__cancelled_anywhere)
{
    golden("g_057");
    fake_host_cancel_after((unsigned)_i + 1);
    ck_assert_int_eq(adopt(), BP_ERR_CANCELLED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("adopt");
    TCase *tcase = tcase_create("adopt");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_adopt__golden, 0, G_N_ELEMENTS(goldens));
    tcase_add_loop_test(tcase, test_adopt__missing_log_is_named_as_documented, 0,
                        G_N_ELEMENTS(goldens));
    tcase_add_loop_test(tcase, test_adopt__truncated_log_is_named_as_documented, 0,
                        G_N_ELEMENTS(goldens));
    tcase_add_loop_test(tcase, test_adopt__damaged_delete_log_is_not_counted, 0, 2);
    tcase_add_test(tcase, test_adopt__missing_log_of_undocumented_size);
    tcase_add_test(tcase, test_adopt__extra_files_are_left_out);
    tcase_add_test(tcase, test_adopt__empty_backup_of_0430);
    tcase_add_test(tcase, test_adopt__mislabelled_l0_is_a_segment);
    tcase_add_test(tcase, test_adopt__rows_without_files);
    tcase_add_test(tcase, test_adopt__group_zero_has_no_directory);
    tcase_add_test(tcase, test_adopt__fields_with_unequal_file_counts);
    tcase_add_test(tcase, test_adopt__storage_v3);
    tcase_add_loop_test(tcase, test_adopt__sink_stops_anywhere, 0, 20);
    tcase_add_loop_test(tcase, test_adopt__cancelled_anywhere, 0, 8);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
