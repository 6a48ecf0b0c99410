/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/successes: one time for each source and label, and what becomes of others.
 */
#include "core/jobs/successes.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/jobs/store_internal.h"
#include "tests/unit/core/jobs/jobs_fixture.h"

static void
setup(void)
{
    bp_log_set_level(BP_LOG_ERROR);
    jobs_setup();
    ck_assert(bp_jobs__make_dir(jobs->dir, NULL));
}

static void
note(const char *source, const char *label, gint64 seconds)
{
    g_autoptr(GError) error = NULL;
    bp_success success = {.source = source,
                          .label = label,
                          .job = "20261126-014500-2e71f3",
                          .name = "b",
                          .wall_ns = seconds * BP_NS_PER_S};
    ASSERT_FINE(bp_successes_note(jobs, &success, &error), error);
}

/* Seconds of the time on record, 0 = none. */
static gint64
known(const char *source, const char *label)
{
    g_autoptr(json_t) list = bp_successes_read(jobs, NULL);
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (strcmp(bp_json_text(one, "source", ""), source) == 0 &&
            strcmp(bp_json_text(one, "label", ""), label) == 0) {
            return bp_clock_parse(bp_json_text(one, "time", "")) / BP_NS_PER_S;
        }
    }
    return 0;
}

START_TEST(test_note__the_last_of_each_series)
{
    g_autoptr(json_t) none = bp_successes_read(jobs, NULL);
    ck_assert_uint_eq(json_array_size(none), 0);
    note("a:1", "nightly", 1000);
    note("a:1", "", 2000);
    note("b:1", "nightly", 3000);
    note("a:1", "nightly", 4000);
    ck_assert_int_eq(known("a:1", "nightly"), 4000);
    ck_assert_int_eq(known("a:1", ""), 2000);
    ck_assert_int_eq(known("b:1", "nightly"), 3000);
    g_autoptr(json_t) list = bp_successes_read(jobs, NULL);
    ck_assert_uint_eq(json_array_size(list), 3);
    ck_assert_str_eq(bp_json_text(json_array_get(list, 0), "label", ""), "nightly");
    ck_assert_str_eq(bp_json_text(json_array_get(list, 1), "source", ""), "b:1");
}
END_TEST

START_TEST(test_note__a_clock_that_went_back)
{
    note("a:1", "nightly", 4000);
    note("a:1", "nightly", 3000);
    ck_assert_int_eq(known("a:1", "nightly"), 4000);
}
END_TEST

START_TEST(test_note__not_too_many)
{
    g_autoptr(json_t) full = json_object();
    json_t *list = json_array();
    for (guint i = 0; i < BP_SUCCESSES_MAX; i++) {
        g_autofree char *label = g_strdup_printf("l%u", i);
        g_autofree char *time = bp_clock_text((5000 - i) * BP_NS_PER_S);
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s}", "source", "a:1", "label", label, "time", time));
    }
    bp_json_set_u64(full, "version", 1);
    json_object_set_new(full, "successes", list);
    g_autofree char *text = bp_json_line(full);
    ck_assert(bp_jobs__write(jobs->dir, "successes.json", text, false, NULL));
    note("a:1", "new", 6000);
    ck_assert_int_eq(known("a:1", "new"), 6000);
    ck_assert_int_eq(known("a:1", "l0"), 5000);
    ck_assert_int_eq(known("a:1", "l199"), 0); /* longest ago */
}
END_TEST

START_TEST(test_note__what_was_there_is_broken)
{
    ck_assert(bp_jobs__write(jobs->dir, "successes.json", "{", false, NULL));
    note("a:1", "nightly", 1000);
    ck_assert_int_eq(known("a:1", "nightly"), 1000);
}
END_TEST

START_TEST(test_note__a_newer_version_is_left_alone)
{
    g_autoptr(GError) error = NULL;
    bp_success success = {.source = "a:1", .label = "", .wall_ns = BP_NS_PER_S};
    ck_assert(bp_jobs__write(jobs->dir, "successes.json", "{\"version\":2}", false, NULL));
    ck_assert(!bp_successes_note(jobs, &success, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "successes.json has version 2, this bakplane reads 1");
    g_autofree char *text = bp_jobs__read(jobs->dir, "successes.json", NULL);
    ck_assert_str_eq(text, "{\"version\":2}");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/jobs/successes", setup, jobs_teardown,
                     test_note__the_last_of_each_series, test_note__a_clock_that_went_back,
                     test_note__not_too_many, test_note__what_was_there_is_broken,
                     test_note__a_newer_version_is_left_alone);
}
