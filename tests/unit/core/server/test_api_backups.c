/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/api_backups: what is on a storage, and jobs for one backup.
 */
#include "core/server/api_backups.h"

#include "tests/unit/core/server/api_fixture.h"

#define BACKUPS "/api/v2/backups"

static void
do_job(const char *method, const char *path, const char *body, const char *state)
{
    g_autofree char *where = api_start(method, path, body);
    api_wait_for(where, state);
}

static void
create(const char *name)
{
    g_autofree char *body = g_strdup_printf("{\"name\":\"%s\"}", name);
    do_job("POST", BACKUPS, body, "succeeded");
}

/* Names on a page, separated by blanks.  Returns: (transfer full) */
static char *
names_on(const json_t *page)
{
    GString *names = g_string_new(NULL);
    const json_t *list = json_object_get(page, "backups");
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_string_append_printf(names, "%s%s", i > 0 ? " " : "",
                               bp_json_text(json_array_get(list, i), "name", "?"));
    }
    return g_string_free(names, FALSE);
}

START_TEST(test_list__in_pages)
{
    create("b");
    create("a");
    create("c");
    g_autoptr(json_t) first = api_get(BACKUPS "?limit=2");
    ck_assert_str_eq(bp_json_text(first, "storage", ""), "backups");
    g_autofree char *names = names_on(first);
    ck_assert_str_eq(names, "a b");
    ck_assert_str_eq(bp_json_text(first, "next", ""), "b");
    ck_assert_ptr_null(json_object_get(first, "job"));
    do_job("DELETE", BACKUPS "/a", NULL, "succeeded"); /* the next page does not move */
    g_autoptr(json_t) second = api_get(BACKUPS "?limit=2&cursor=b");
    g_autofree char *rest = names_on(second);
    ck_assert_str_eq(rest, "c");
    ck_assert_ptr_null(json_object_get(second, "next"));
}
END_TEST

START_TEST(test_list__by_status_and_storage)
{
    create("b");
    g_autoptr(json_t) fine = api_get(BACKUPS "?status=success");
    g_autofree char *names = names_on(fine);
    ck_assert_str_eq(names, "b");
    g_autoptr(json_t) none = api_get(BACKUPS "?status=running%20(stale)");
    ck_assert_uint_eq(json_array_size(json_object_get(none, "backups")), 0);
    g_autoptr(json_t) elsewhere = api_get(BACKUPS "?storage=other");
    ck_assert_str_eq(bp_json_text(elsewhere, "storage", ""), "other");
    ck_assert_uint_eq(json_array_size(json_object_get(elsewhere, "backups")), 0);
}
END_TEST

START_TEST(test_list__parameters)
{
    ASSERT_REFUSED("GET", BACKUPS "?status=fine", NULL, 400, "there is no status 'fine'");
    ASSERT_REFUSED("GET", BACKUPS "?limit=0", NULL, 400, "limit is a number from 1 to 1000");
    ASSERT_REFUSED("GET", BACKUPS "?storage=evil", NULL, 400, "there is no storage 'evil'");
    ASSERT_REFUSED("GET", BACKUPS "?bucket=b", NULL, 400, "there is no parameter 'bucket'");
}
END_TEST

START_TEST(test_show__as_get_shows_it)
{
    create("b");
    g_autoptr(json_t) brief = api_get(BACKUPS "/b");
    ck_assert_str_eq(bp_json_text(brief, "name", ""), "b");
    ck_assert_str_eq(bp_json_text(brief, "status", ""), "success");
    ck_assert_ptr_null(json_object_get(brief, "units"));
    g_autoptr(json_t) detail = api_get(BACKUPS "/b?detail=true&storage=backups");
    ck_assert_uint_gt(json_array_size(json_object_get(detail, "units")), 0);
    ASSERT_REFUSED("GET", BACKUPS "/b?detail=yes", NULL, 400, "detail is true or false");
    ASSERT_REFUSED("GET", BACKUPS "/b?storage=other", NULL, 404, "b");
    ASSERT_REFUSED("GET", BACKUPS "/none", NULL, 404, "none");
    /* The choice of another storage was for that request only. */
    g_autoptr(json_t) page = api_get(BACKUPS);
    ck_assert_str_eq(bp_json_text(page, "storage", ""), "backups");
}
END_TEST

START_TEST(test_jobs__of_one_backup)
{
    create("b");
    do_job("POST", BACKUPS "/b/verify", "{\"deep\":true}", "succeeded");
    do_job("POST", BACKUPS "/b/copy", "{\"to\":\"other\"}", "succeeded");
    do_job("POST", BACKUPS "/b/restore", "{\"suffix\":\"_again\",\"storage\":\"other\"}",
           "succeeded");
    ck_assert(verb_exists("data/restored/default/books_again/1"));
    do_job("DELETE", BACKUPS "/b?storage=other&force=true", NULL, "succeeded");
    ASSERT_REFUSED("GET", BACKUPS "/b?storage=other", NULL, 404, "b");
    do_job("POST", BACKUPS "/none/verify", NULL, "failed");
}
END_TEST

START_TEST(test_jobs__refused)
{
    ASSERT_REFUSED("POST", BACKUPS, "{\"verb\":\"delete\"}", 400, "'verb' is said by the address");
    ASSERT_REFUSED("POST", BACKUPS, "{\"colour\":1}", 400, "create knows no 'colour'");
    ASSERT_REFUSED("POST", BACKUPS, "{\"name\":1}", 400, "'name' of create has to be a text");
    ASSERT_REFUSED("POST", BACKUPS, "{", 400, "the body is not valid JSON");
    ASSERT_REFUSED("POST", BACKUPS, "{\"settings\":[\"address=evil:1\"]}", 403, "settings are");
    ASSERT_REFUSED("POST", BACKUPS "?dry_run=true", NULL, 400, "there is no parameter 'dry_run'");
    ASSERT_REFUSED("POST", BACKUPS "/b/restore", "{\"name\":\"c\"}", 400, "'name' is said by");
    ASSERT_REFUSED("POST", BACKUPS "/b/copy", NULL, 400,
                   "copy needs the name of a backup and where");
    ASSERT_REFUSED("POST", BACKUPS "/b/copy", "{\"to\":\"evil\"}", 400, "no storage 'evil'");
    ASSERT_REFUSED("DELETE", BACKUPS "/b?forced=true", NULL, 400, "there is no parameter 'forced'");
    ASSERT_REFUSED("DELETE", BACKUPS "/b", "{\"force\":true}", 400, "knows no 'force'");
    g_autoptr(json_t) page = api_get(API_JOBS);
    ck_assert_uint_eq(json_array_size(json_object_get(page, "jobs")), 0);
}
END_TEST

START_TEST(test_list__storage_that_cannot_be_read)
{
    verb_write("other", "a file, no folder");
    ASSERT_REFUSED("GET", BACKUPS "?storage=other", NULL, 500, "is not a directory");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/api_backups", api_setup, api_teardown, test_list__in_pages,
                     test_list__by_status_and_storage, test_list__parameters,
                     test_list__storage_that_cannot_be_read, test_show__as_get_shows_it,
                     test_jobs__of_one_backup, test_jobs__refused);
}
