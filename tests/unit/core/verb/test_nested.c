/* SPDX-License-Identifier: Apache-2.0
 *
 * Roots that lie in each other, as configurations of other tools have them: backups below the
 * source's root, and the source's data below the backups'.  Each touches only its own.
 */
#include "tests/unit/core/verb/verb_restore_fixture.h"

static GError *error;
static bp_create_params params;

static void
setup(void)
{
    verb_setup();
    error = NULL;
    verb_error = NULL;
    atomic_store(&verb_ended, -1);
    params = (bp_create_params){.name = "b", .select.children = "books,films"};
}

static void
seed(const char *root)
{
    g_autofree char *one = g_strdup_printf("%s/default/books/1", root);
    g_autofree char *two = g_strdup_printf("%s/default/films/1", root);
    g_autofree char *loose = g_strdup_printf("%s/loose", root);
    verb_write(one, "one");
    verb_write(two, "a film");
    verb_write(loose, "of the source");
}

static void
create_fine(void)
{
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 2);
}

static void
restore_fine(void)
{
    verb_params = (bp_restore_params){.name = "b", .suffix = "_r"};
    ASSERT_FINE(verb_restore(&verb_params, &error) == BP_VERB_OK, error);
}

START_TEST(test_backups_below_the_source__create_verify_restore)
{
    verb_nest("data", "data/backup");
    seed("data");
    create_fine();
    ck_assert(verb_exists("data/backup/b/items/default/books/1"));
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    restore_fine();
    ck_assert(verb_exists("data/restored/default/books_r/1"));
    ck_assert(verb_exists("data/loose"));
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

START_TEST(test_backups_below_the_source__delete_and_prune)
{
    verb_nest("data", "data/backup");
    seed("data");
    create_fine();
    params.name = "c";
    create_fine();
    bp_prune_params prune = {.keep_last = 1};
    ASSERT_FINE(verb_prune(&prune, &error) == BP_VERB_OK, error);
    ck_assert(!verb_exists("data/backup/b/meta/files.json"));
    ASSERT_FINE(verb_delete("c", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_count("data/backup/c"), 0);
    ck_assert(verb_exists("data/default/books/1"));
    ck_assert(verb_exists("data/default/films/1"));
    ck_assert(verb_exists("data/loose"));
    ck_assert_int_eq(verb_delete("default", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no backup \"default\"");
}
END_TEST

START_TEST(test_source_below_the_backups__create_verify_restore)
{
    verb_nest("all/files", "all");
    seed("all/files");
    create_fine();
    ck_assert(verb_exists("all/b/items/default/books/1"));
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    restore_fine();
    ck_assert(verb_exists("all/files/restored/default/books_r/1"));
    ASSERT_FINE(verb_list(NULL, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 1); /* the source's directory is none */
    ck_assert_str_eq(verb_item("backups", 0, "name"), "b");
}
END_TEST

/* Each of these would be the end of the source's data. */
START_TEST(test_source_below_the_backups__is_never_a_backup)
{
    verb_nest("all/files/deep", "all");
    seed("all/files/deep");
    create_fine();
    params.name = "files";
    for (int i = 0; i < 3; i++) {
        params.replace = i == 1;
        params.resume = i == 2;
        ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
        ASSERT_ERROR(error, BP_ERR_INVALID, "there the source keeps its own data");
    }
    ck_assert_int_eq(verb_delete("files", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "there the source keeps its own data");
    ck_assert_int_eq(verb_verify("files", false, &error), BP_VERB_FAILED);
    g_clear_error(&error);
    bp_prune_params prune = {.keep_within_ns = 1, .foreign = true};
    ASSERT_FINE(verb_prune(&prune, &error) == BP_VERB_OK, error);
    ASSERT_FINE(verb_list(NULL, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 0);
    ck_assert(verb_exists("all/files/deep/default/books/1"));
    ck_assert(verb_exists("all/files/deep/loose"));
}
END_TEST

/* The same without any configuration that says whose it is. */
START_TEST(test_directory_of_others__is_not_replaced)
{
    verb_nest("data", "backups");
    seed("data");
    verb_write("backups/files/insert_log/1", "of somebody");
    params.name = "files";
    for (int i = 0; i < 3; i++) {
        params.replace = i == 1;
        params.resume = i == 2;
        ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
        ASSERT_ERROR(error, BP_ERR_EXISTS, "something that is no backup lies below files/");
    }
    ck_assert(verb_exists("backups/files/insert_log/1"));
}
END_TEST

/* A name that is only the beginning of another one is not inside. */
/* As other tools have it where nobody says a place for the backups. */
START_TEST(test_one_root_for_both__only_backups_are_backups)
{
    verb_nest("all", "all");
    seed("all");
    create_fine();
    restore_fine();
    ASSERT_FINE(verb_list(NULL, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 1);
    ck_assert_int_eq(verb_delete("default", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "\"default\" is no backup: there the source keeps");
    g_clear_error(&error);
    params.name = "default";
    params.replace = true;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ck_assert(verb_exists("all/default/books/1"));
    g_clear_error(&error);
    ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    ck_assert(verb_exists("all/default/films/1"));
    ck_assert(verb_exists("all/loose"));
}
END_TEST

START_TEST(test_names_that_begin_alike__are_beside)
{
    verb_nest("allfiles/files", "all");
    seed("allfiles/files");
    params.name = "files";
    create_fine();
    ASSERT_FINE(verb_delete("files", false, &error) == BP_VERB_OK, error);
    ck_assert(verb_exists("allfiles/files/loose"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/nested", setup, verb_teardown, test_backups_below_the_source__create_verify_restore,
        test_backups_below_the_source__delete_and_prune,
        test_source_below_the_backups__create_verify_restore,
        test_source_below_the_backups__is_never_a_backup, test_directory_of_others__is_not_replaced,
        test_one_root_for_both__only_backups_are_backups, test_names_that_begin_alike__are_beside);
}
