/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/done: what tells that a job which was killed had done its work.
 */
#include "core/verb/done.h"

#include "tests/unit/core/verb/verb_fixture.h"

static bool
created(const char *name, gint64 since_ns)
{
    bp_verb verb = verb_open();
    bool done = bp_verb_was_created(&verb, NULL, name, since_ns);
    verb_close(&verb);
    return done;
}

static bool
copied(const char *name)
{
    bp_verb verb = verb_open();
    bool done = bp_verb_was_copied(&verb, NULL, "other", name);
    verb_close(&verb);
    return done;
}

static void
copy(const char *name)
{
    g_autoptr(GError) error = NULL;
    bp_copy_verb_params params = {.name = name, .to = "other"};
    ASSERT_FINE(verb_copy(&params, &error) == BP_VERB_OK, error);
}

START_TEST(test_was_created__since_then)
{
    verb_seed();
    verb_seed_backup();
    ck_assert(created("b", 1));
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "success");
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_length("units"), 3);
}
END_TEST

START_TEST(test_was_created__before)
{
    verb_seed();
    verb_seed_backup();
    ck_assert(!created("b", G_MAXINT64));
    ck_assert(!created("nothing", 1));
}
END_TEST

START_TEST(test_was_created__not_finished)
{
    g_autoptr(GError) error = NULL;
    bp_create_params params = {.name = "b"};
    verb_seed();
    verb_faults("create.sealed::class=permanent");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ck_assert(!created("b", 1));
}
END_TEST

START_TEST(test_was_copied__of_just_that_backup)
{
    bp_create_params again = {.name = "b", .replace = true};
    verb_seed();
    verb_seed_backup();
    ck_assert(!copied("b"));
    copy("b");
    ck_assert(copied("b"));
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_str_eq(bp_json_text(verb_result, "from", ""), "backups");
    ck_assert_int_eq(verb_create(&again, NULL), BP_VERB_OK); /* the original is another one now */
    ck_assert(!copied("b"));
}
END_TEST

START_TEST(test_was_copied__of_another_tool)
{
    verb_write("backups/theirs/meta/files.json", "{\"theirs\": true}");
    ck_assert(!copied("theirs"));
    verb_write("other/theirs/meta/files.json", "{\"theirs\": true}");
    ck_assert(copied("theirs"));
    ck_assert(json_is_true(json_object_get(verb_result, "foreign")));
    verb_write("other/theirs/meta/files.json", "{\"theirs\": false}");
    ck_assert(!copied("theirs"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/verb/done", verb_setup, verb_teardown, test_was_created__since_then,
                     test_was_created__before, test_was_created__not_finished,
                     test_was_copied__of_just_that_backup, test_was_copied__of_another_tool);
}
