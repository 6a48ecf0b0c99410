/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/tally: what is counted of jobs, once, and that numbers never go down.
 */
#include "core/jobs/tally.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/tally_internal.h"
#include "core/plugin/stats.h"
#include "tests/unit/core/jobs/jobs_fixture.h"

static json_t *numbers; /* of the last look */

static void
setup(void)
{
    bp_log_set_level(BP_LOG_ERROR);
    jobs_setup();
}

static void
teardown(void)
{
    json_decref(numbers);
    numbers = NULL;
    jobs_teardown();
}

static void
look(bp_tally *tally)
{
    json_decref(numbers);
    numbers = bp_tally_look(tally);
}

/* The number at a path of members, "jobs/create/running"; 0 when there is none. */
static guint64
number(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    const json_t *at = numbers;
    for (guint i = 0; parts[i] != NULL; i++) {
        at = json_object_get(at, parts[i]);
    }
    return (guint64)json_integer_value(at);
}

static void
end(bp_ticket *ticket, const char *state, const char *result)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) parsed = bp_json_parse(result, strlen(result), "result", &error);
    ASSERT_FINE(parsed != NULL, error);
    ASSERT_FINE(bp_ticket_finish(ticket, state, parsed, &error), error);
    bp_ticket_free(ticket);
}

static json_t *
stats(const char *run, int stats_ok, int bytes)
{
    json_t *buckets = json_array();
    for (guint i = 0; i <= BP_STATS_BOUNDS; i++) {
        json_array_append_new(buckets, json_integer(i == 2 ? stats_ok : 0));
    }
    return json_pack("{s:s,s:{s:{s:{s:{s:i},s:i,s:i,s:o}}},s:{s:i}}", "run", run, "storages",
                     "backups", "write", "outcomes", "ok", stats_ok, "bytes", bytes, "us", 7,
                     "buckets", buckets, "retries", "throttled", 1);
}

static void
tell_stats(bp_ticket *ticket, json_t *take_stats)
{
    g_autoptr(json_t) told = take_stats;
    ck_assert(bp_ticket_stats(ticket, told, NULL));
}

START_TEST(test_look__a_life)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    look(tally);
    ck_assert(json_is_true(json_object_get(numbers, "readable")));
    ck_assert_uint_eq(number("jobs/create/running"), 0);

    bp_ticket *ticket = jobs_take("b", NULL, NULL);
    look(tally);
    ck_assert_uint_eq(number("jobs/create/running"), 1);
    ck_assert_uint_eq(number("ended/create/succeeded"), 0);

    end(ticket, "succeeded",
        "{\"items\":3,\"bytes\":70,\"units\":[{\"low\":1,\"high\":5},{\"high\":2}]}");
    for (guint i = 0; i < 2; i++) { /* it is counted once */
        look(tally);
        ck_assert_uint_eq(number("jobs/create/running"), 0);
        ck_assert_uint_eq(number("jobs/create/succeeded"), 1);
        ck_assert_uint_eq(number("ended/create/succeeded"), 1);
        ck_assert_uint_eq(number("items/create"), 3);
        ck_assert_uint_eq(number("bytes/create"), 70);
        ck_assert_uint_eq(number("rows/create"), 7);
        const json_t *seconds = json_object_get(json_object_get(numbers, "seconds"), "create");
        const json_t *buckets = json_object_get(seconds, "buckets");
        ck_assert_uint_eq(json_array_size(buckets), BP_TALLY_BOUNDS + 1);
        guint64 sum = 0;
        for (guint k = 0; k <= BP_TALLY_BOUNDS; k++) {
            sum += (guint64)json_integer_value(json_array_get(buckets, k));
        }
        ck_assert_uint_eq(sum, 1);
    }
}
END_TEST

START_TEST(test_look__what_failed_moved_nothing)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    end(jobs_take("b", NULL, NULL), "failed", "{\"items\":3,\"bytes\":70}");
    look(tally);
    ck_assert_uint_eq(number("ended/create/failed"), 1);
    ck_assert_uint_eq(number("items/create"), 0);
}
END_TEST

START_TEST(test_look__the_past_is_not_counted)
{
    end(jobs_take("old", NULL, NULL), "succeeded", "{\"items\":3}");
    bp_ticket *running = jobs_take("b", NULL, NULL);
    tell_stats(running, stats("r", 10, 100));
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    tell_stats(running, stats("r", 12, 150));
    look(tally);
    ck_assert_uint_eq(number("jobs/create/succeeded"), 1);
    ck_assert_uint_eq(number("ended/create/succeeded"), 0);
    ck_assert_uint_eq(number("items/create"), 0);
    ck_assert_uint_eq(number("storages/backups/write/outcomes/ok"), 2);
    ck_assert_uint_eq(number("storages/backups/write/bytes"), 50);
    end(running, "succeeded", "{\"items\":4}");
    look(tally);
    ck_assert_uint_eq(number("ended/create/succeeded"), 1);
    ck_assert_uint_eq(number("items/create"), 4);
}
END_TEST

START_TEST(test_look__counts_stay_when_jobs_go)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    bp_ticket *ticket = jobs_take("b", NULL, NULL);
    g_autofree char *path = jobs_path(bp_ticket_id(ticket), NULL);
    tell_stats(ticket, stats("r", 3, 30));
    end(ticket, "succeeded", "{\"items\":3}");
    look(tally);
    bp_jobs__remove(path);
    look(tally);
    ck_assert_uint_eq(number("jobs/create/succeeded"), 0);
    ck_assert_uint_eq(number("ended/create/succeeded"), 1);
    ck_assert_uint_eq(number("items/create"), 3);
    ck_assert_uint_eq(number("storages/backups/write/outcomes/ok"), 3);
}
END_TEST

START_TEST(test_look__a_killed_job)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    bp_ticket_free(jobs_take("b", NULL, NULL));
    look(tally);
    ck_assert_uint_eq(number("jobs/create/interrupted"), 1);
    ck_assert_uint_eq(number("ended/create/interrupted"), 1);
}
END_TEST

START_TEST(test_look__a_killed_job_of_a_server)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    bp_ticket *ticket = jobs_take("b", NULL, NULL);
    g_autoptr(json_t) record = json_deep_copy(bp_ticket_record(ticket));
    json_object_set_new(record, "supervised", json_true());
    ck_assert(bp_jobs__write_record(jobs, bp_ticket_id(ticket), record, NULL));
    bp_ticket_free(ticket);
    look(tally);
    ck_assert_uint_eq(number("jobs/create/interrupted"), 1);
    ck_assert_uint_eq(number("ended/create/interrupted"), 0); /* it is taken up again */
}
END_TEST

START_TEST(test_look__what_was_taken_up_again)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    bp_ticket *ticket = jobs_take("b", NULL, NULL);
    g_autofree char *id = g_strdup(bp_ticket_id(ticket));
    end(ticket, "succeeded", "{}");
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, NULL);
    json_object_set_new(record, "attempt", json_integer(3));
    ck_assert(bp_jobs__write_record(jobs, id, record, NULL));
    for (guint i = 0; i < 2; i++) { /* it is counted once */
        look(tally);
        ck_assert_uint_eq(number("restarts/create"), 2);
        ck_assert_uint_eq(number("restarts/copy"), 0);
    }
}
END_TEST

START_TEST(test_look__directory_is_unreadable)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    end(jobs_take("b", NULL, NULL), "succeeded", "{}");
    look(tally);
    g_autofree char *aside = g_build_filename(jobs_root, "aside", NULL);
    ck_assert_int_eq(g_rename(jobs->dir, aside), 0);
    ck_assert(g_file_set_contents(jobs->dir, "", 0, NULL));
    look(tally);
    ck_assert(!json_is_true(json_object_get(numbers, "readable")));
    ck_assert_uint_eq(number("ended/create/succeeded"), 1);
    ck_assert_int_eq(g_remove(jobs->dir), 0);
}
END_TEST

START_TEST(test_look__record_of_a_newer_version)
{
    g_autoptr(bp_tally) tally = bp_tally_new(jobs_root);
    bp_ticket *ticket = jobs_take("b", NULL, NULL);
    jobs_write(bp_ticket_id(ticket), BP_JOB_RECORD, "{\"version\":99}");
    look(tally);
    ck_assert_uint_eq(number("jobs/other/unreadable"), 1);
    bp_ticket_free(ticket);
}
END_TEST

START_TEST(test_add__another_process_begins_at_0)
{
    numbers = json_object();
    g_autoptr(json_t) first = stats("one", 10, 100);
    g_autoptr(json_t) second = stats("two", 4, 40);
    bp_tally__add(numbers, first, NULL);
    bp_tally__add(numbers, second, first);
    ck_assert_uint_eq(number("storages/backups/write/outcomes/ok"), 14);
    ck_assert_uint_eq(number("storages/backups/write/bytes"), 140);
    ck_assert_uint_eq(number("retries/throttled"), 2);
}
END_TEST

START_TEST(test_add__never_goes_down)
{
    numbers = json_object();
    g_autoptr(json_t) first = stats("r", 10, 100);
    g_autoptr(json_t) less = stats("r", 4, 40);
    bp_tally__add(numbers, first, NULL);
    bp_tally__add(numbers, less, first);
    ck_assert_uint_eq(number("storages/backups/write/outcomes/ok"), 10);
    ck_assert_uint_eq(number("storages/backups/write/bytes"), 100);
}
END_TEST

START_TEST(test_add__what_is_not_as_expected)
{
    static const char *const texts[] = {
        "{}",
        "{\"storages\":7,\"retries\":[]}",
        "{\"storages\":{\"s\":7}}",
        "{\"storages\":{\"s\":{\"stat\":{\"outcomes\":{\"ok\":\"x\"},\"buckets\":[1,2]}}}}",
        "{\"storages\":{\"s\":{\"stat\":{\"outcomes\":{\"ok\":-5},\"bytes\":-1}}}}",
    };
    numbers = json_object();
    bp_tally__add(numbers, NULL, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(json_t) fresh = bp_json_parse(texts[i], strlen(texts[i]), "stats", NULL);
        bp_tally__add(numbers, fresh, NULL);
    }
    ck_assert_uint_eq(number("storages/s/stat/outcomes/ok"), 0);
    ck_assert_uint_eq(number("storages/s/stat/bytes"), 0);
}
END_TEST

START_TEST(test_add__not_too_many_storages)
{
    numbers = json_object();
    for (guint i = 0; i < 3 * BP_TALLY_STORAGES; i++) {
        g_autofree char *name = g_strdup_printf("s%u", i);
        g_autoptr(json_t) fresh =
            json_pack("{s:{s:{s:{s:{s:i}}}}}", "storages", name, "stat", "outcomes", "ok", 1);
        bp_tally__add(numbers, fresh, NULL);
    }
    ck_assert_uint_eq(json_object_size(json_object_get(numbers, "storages")),
                      BP_TALLY_STORAGES + 1);
    ck_assert_uint_eq(number("storages/other/stat/outcomes/ok"), 2 * BP_TALLY_STORAGES);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/jobs/tally", setup, teardown, test_look__a_life,
                     test_look__what_failed_moved_nothing, test_look__the_past_is_not_counted,
                     test_look__counts_stay_when_jobs_go, test_look__a_killed_job,
                     test_look__a_killed_job_of_a_server, test_look__what_was_taken_up_again,
                     test_look__directory_is_unreadable, test_look__record_of_a_newer_version,
                     test_add__another_process_begins_at_0, test_add__never_goes_down,
                     test_add__what_is_not_as_expected, test_add__not_too_many_storages);
}
