/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/request: what is refused, and that members reach their verb.
 */
#include "core/jobs/request.h"

#include "core/base/json.h"
#include "tests/unit/core/verb/verb_fixture.h"

static json_t *
parsed(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *request = bp_json_parse(text, strlen(text), "request", &error);
    ASSERT_FINE(request != NULL, error);
    return request;
}

START_TEST(test_check__names_what_is_wrong)
{
    static const char *const table[][2] = {
        {"{}", "a job's verb is ''"},
        {"{\"verb\":\"list\"}", "a job's verb is 'list'"},
        {"{\"verb\":\"create\",\"nmae\":\"b\"}", "create knows no 'nmae'"},
        {"{\"verb\":\"create\",\"name\":7}", "'name' of create has to be a text"},
        {"{\"verb\":\"create\",\"resume\":1}", "'resume' of create has to be true or false"},
        {"{\"verb\":\"create\",\"settings\":[1]}",
         "'settings' of create has to be a list of texts"},
        {"{\"verb\":\"prune\",\"keep_last\":-1}", "'keep_last' of prune has to be a number from 0"},
        {"{\"verb\":\"delete\",\"name\":\"b\",\"settings\":[]}", "delete knows no 'settings'"},
        {"{\"verb\":\"create\",\"label\":\"\"}", "label \"\" has to be 1 to 64 letters"},
        {"{\"verb\":\"delete\",\"name\":\"b\",\"label\":\"l\"}", "delete knows no 'label'"},
        {"{\"verb\":\"copy\",\"name\":\"b\"}", "copy needs the name of a backup and where"},
        {"{\"verb\":\"restore\"}", "restore needs the name of a backup"},
        {"{\"verb\":\"restore\",\"name\":\"b\",\"suffix\":\"_2\",\"rename\":\"a:b\"}",
         "exclude each other"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) request = parsed(table[i][0]);
        ck_assert(!bp_request_check(request, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, table[i][1]);
    }
}
END_TEST

START_TEST(test_writes__but_not_when_it_only_looks)
{
    static const struct {
        const char *text;
        bool writes;
    } table[] = {
        {"{\"verb\":\"create\"}", true},
        {"{\"verb\":\"create\",\"dry_run\":true}", false},
        {"{\"verb\":\"verify\",\"name\":\"b\"}", false},
        {"{\"verb\":\"verify\",\"name\":\"b\",\"deep\":true}", true},
        {"{\"verb\":\"delete\",\"name\":\"b\"}", true},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(json_t) request = parsed(table[i].text);
        ck_assert_msg(bp_request_writes(request) == table[i].writes, "%s", table[i].text);
    }
}
END_TEST

static bp_verb_outcome
run(const char *text, GError **error)
{
    g_autoptr(json_t) request = parsed(text);
    bp_verb verb = verb_open();
    bp_verb_outcome outcome = bp_request_run(&verb, request, error);
    verb_close(&verb);
    return outcome;
}

START_TEST(test_run__members_reach_their_verb)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\",\"filter\":\"shop.*\"}", &error),
                     BP_VERB_OK);
    ck_assert_uint_eq(bp_json_u64(verb_result, "items", 0), 1);
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\",\"replace\":true,"
                         "\"settings\":[\"concurrency.units=1\"]}",
                         &error),
                     BP_VERB_OK);
    ck_assert_uint_eq(bp_json_u64(verb_result, "items", 0), 4);
    ck_assert_int_eq(run("{\"verb\":\"verify\",\"name\":\"b\",\"deep\":true}", &error), BP_VERB_OK);
    ck_assert_uint_eq(bp_json_u64(verb_result, "compared", 0), 4);
    ck_assert_int_eq(run("{\"verb\":\"copy\",\"name\":\"b\",\"to\":\"other\"}", &error),
                     BP_VERB_OK);
    ck_assert(verb_exists("other/b"));
    ck_assert_int_eq(
        run("{\"verb\":\"restore\",\"name\":\"b\",\"suffix\":\"_2\",\"collections\":\"books\"}",
            &error),
        BP_VERB_OK);
    ck_assert(verb_exists("data/restored/default/books_2/1"));
    ck_assert(!verb_exists("data/restored/default/films_2"));
    ck_assert_int_eq(run("{\"verb\":\"prune\",\"keep_last\":1,\"dry_run\":true}", &error),
                     BP_VERB_OK);
    ck_assert_int_eq(run("{\"verb\":\"delete\",\"name\":\"b\"}", &error), BP_VERB_OK);
    ck_assert(!verb_exists("backups/b"));
}
END_TEST

START_TEST(test_run__a_label_stays_with_the_backup)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\",\"label\":\"nightly\"}", &error),
                     BP_VERB_OK);
    ck_assert_str_eq(bp_json_text(verb_result, "label", ""), "nightly");
    ck_assert_int_eq(verb_get("b", false, &error), BP_VERB_OK);
    ck_assert_str_eq(bp_json_text(verb_result, "label", ""), "nightly");
    ck_assert_int_eq(run("{\"verb\":\"copy\",\"name\":\"b\",\"to\":\"other\"}", &error),
                     BP_VERB_OK);
    g_autofree char *record = verb_read("other/b/bakplane/manifest.json");
    ck_assert_ptr_nonnull(strstr(record, "\"label\": \"nightly\""));
}
END_TEST

START_TEST(test_run__on_another_storage)
{
    static const char *const rest[] = {
        "{\"verb\":\"verify\",\"name\":\"b\",\"storage\":\"other\",\"deep\":true}",
        "{\"verb\":\"restore\",\"name\":\"b\",\"storage\":\"other\",\"suffix\":\"_2\"}",
        "{\"verb\":\"delete\",\"name\":\"b\",\"storage\":\"other\"}",
    };
    g_autoptr(GError) error = NULL;
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\",\"storage\":\"other\"}", &error),
                     BP_VERB_OK);
    ck_assert(verb_exists("other/b") && !verb_exists("backups/b"));
    for (gsize i = 0; i < G_N_ELEMENTS(rest); i++) {
        ck_assert_msg(run(rest[i], &error) == BP_VERB_OK, "%s: %s", rest[i],
                      error != NULL ? error->message : "");
    }
    ck_assert(verb_exists("data/restored/shop/books_2/deep/1"));
    ck_assert(!verb_exists("other/b"));
    ck_assert_int_eq(run("{\"verb\":\"delete\",\"name\":\"b\",\"storage\":\"ohter\"}", &error),
                     BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "there is no storage 'ohter' in the configuration");
}
END_TEST

START_TEST(test_run__a_setting_that_is_none)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(run("{\"verb\":\"create\",\"settings\":[\"nothing=1\"]}", &error),
                     BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "nothing");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/jobs/request", verb_setup, verb_teardown,
                     test_check__names_what_is_wrong, test_writes__but_not_when_it_only_looks,
                     test_run__members_reach_their_verb, test_run__a_label_stays_with_the_backup,
                     test_run__on_another_storage, test_run__a_setting_that_is_none);
}
