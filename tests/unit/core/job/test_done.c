/* SPDX-License-Identifier: Apache-2.0
 *
 * core/job/done: what tells that a job which was killed had done its work.
 */
#include "core/job/done.h"

#include "tests/unit/core/job/job_fixture.h"

static bool
created(const char *name, gint64 since_ns)
{
    bp_job job = job_open();
    bool done = bp_job_was_created(&job, NULL, name, since_ns);
    job_close(&job);
    return done;
}

static bool
copied(const char *name)
{
    bp_job job = job_open();
    bool done = bp_job_was_copied(&job, NULL, "other", name);
    job_close(&job);
    return done;
}

static void
copy(const char *name)
{
    g_autoptr(GError) error = NULL;
    bp_copy_job_params params = {.name = name, .to = "other"};
    ASSERT_FINE(job_copy(&params, &error) == BP_VERB_OK, error);
}

START_TEST(test_was_created__since_then)
{
    job_seed();
    job_seed_backup();
    ck_assert(created("b", 1));
    ck_assert_str_eq(bp_json_text(job_result, "state", ""), "success");
    ck_assert_uint_eq(job_number("items"), 4);
    ck_assert_uint_eq(job_length("units"), 3);
}
END_TEST

START_TEST(test_was_created__before)
{
    job_seed();
    job_seed_backup();
    ck_assert(!created("b", G_MAXINT64));
    ck_assert(!created("nothing", 1));
}
END_TEST

START_TEST(test_was_created__not_finished)
{
    g_autoptr(GError) error = NULL;
    bp_create_params params = {.name = "b"};
    job_seed();
    job_faults("create.sealed::class=permanent");
    ck_assert_int_eq(job_create(&params, &error), BP_VERB_FAILED);
    job_faults("");
    ck_assert(!created("b", 1));
}
END_TEST

START_TEST(test_was_copied__of_just_that_backup)
{
    bp_create_params again = {.name = "b", .replace = true};
    job_seed();
    job_seed_backup();
    ck_assert(!copied("b"));
    copy("b");
    ck_assert(copied("b"));
    ck_assert_uint_eq(job_number("items"), 4);
    ck_assert_str_eq(bp_json_text(job_result, "from", ""), "backups");
    ck_assert_int_eq(job_create(&again, NULL), BP_VERB_OK); /* the original is another one now */
    ck_assert(!copied("b"));
}
END_TEST

START_TEST(test_was_copied__of_another_tool)
{
    job_write("backups/theirs/meta/files.json", "{\"theirs\": true}");
    ck_assert(!copied("theirs"));
    job_write("other/theirs/meta/files.json", "{\"theirs\": true}");
    ck_assert(copied("theirs"));
    ck_assert(json_is_true(json_object_get(job_result, "foreign")));
    job_write("other/theirs/meta/files.json", "{\"theirs\": false}");
    ck_assert(!copied("theirs"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/job/done", job_setup, job_teardown, test_was_created__since_then,
                     test_was_created__before, test_was_created__not_finished,
                     test_was_copied__of_just_that_backup, test_was_copied__of_another_tool);
}
