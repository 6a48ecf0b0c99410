/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/run: what is on record of a job that was run, and that no job fails because of it.
 */
#include "core/jobs/run.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/jobs/run_internal.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/successes.h"
#include "core/jobs/ticket.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_verb_outcome
run(const char *text, GError **error)
{
    g_autoptr(json_t) request = bp_json_parse(text, strlen(text), "request", NULL);
    bp_verb verb = verb_open();
    bp_jobs_run_params params = {
        .verb = &verb, .request = request, .cancel = verb_cancel, .origin = "test"};
    bp_verb_outcome outcome = bp_jobs_run(&params, error);
    verb_close(&verb);
    return outcome;
}

static bp_jobs *
open_jobs(void)
{
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    return bp_jobs_open(state);
}

/* The only job that there is. */
static json_t *
only_job(void)
{
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(json_t) list = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_uint_eq(json_array_size(list), 1);
    const char *id = bp_json_text(json_array_get(list, 0), "id", "");
    return bp_jobs_get(jobs, id, NULL);
}

START_TEST(test_run__success_is_on_record)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\"}", &error), BP_VERB_OK);
    g_autoptr(json_t) job = only_job();
    ck_assert_str_eq(bp_json_text(job, "state", ""), "succeeded");
    ck_assert_str_eq(bp_json_text(job, "verb", ""), "create");
    ck_assert(g_str_has_prefix(bp_json_text(job, "name", ""), "backup_"));
    ck_assert_ptr_nonnull(json_object_get(job, "ended"));
    ck_assert(json_equal(json_object_get(job, "result"), verb_result));
    ck_assert_str_eq(bp_json_text(verb_result, "outcome", ""), "done");
    ck_assert_str_eq(bp_json_text(verb_result, "job_id", ""), bp_json_text(job, "id", "?"));
}
END_TEST

/* Faster than numbers are written while it runs, and later phases have none. */
START_TEST(test_run__its_last_numbers_are_on_record)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", &error), BP_VERB_OK);
    g_autoptr(json_t) job = only_job();
    const json_t *progress = json_object_get(job, "progress");
    ck_assert_str_eq(bp_json_text(progress, "phase", ""), "copy");
    ck_assert_uint_eq(bp_json_u64(progress, "items_done", 0), 4);
    ck_assert_uint_eq(bp_json_u64(progress, "items_total", 0), 4);
    ck_assert_uint_gt(verb_number("bytes"), 0);
    ck_assert_uint_eq(bp_json_u64(progress, "bytes_done", 0), verb_number("bytes"));
}
END_TEST

START_TEST(test_run__success_is_noted_for_its_series)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\",\"label\":\"l\"}", &error),
                     BP_VERB_OK);
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"m\",\"meta_only\":true}", NULL),
                     BP_VERB_OK);
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", NULL), BP_VERB_FAILED);
    ck_assert_int_eq(run("{\"verb\":\"delete\",\"name\":\"b\"}", NULL), BP_VERB_OK);
    g_autoptr(json_t) list = bp_successes_read(jobs, &error);
    ck_assert_uint_eq(json_array_size(list), 1);
    const json_t *only = json_array_get(list, 0);
    ck_assert_str_eq(bp_json_text(only, "label", ""), "l");
    ck_assert_str_eq(bp_json_text(only, "name", ""), "b");
    ck_assert_str_ne(bp_json_text(only, "source", ""), "");
}
END_TEST

START_TEST(test_run__what_it_asked_of_storages)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", &error), BP_VERB_OK);
    g_autofree char *path =
        g_build_filename("state/jobs", bp_json_text(verb_result, "job_id", ""), "stats.json", NULL);
    g_autofree char *text = verb_read(path);
    g_autoptr(json_t) stats = bp_json_parse(text, strlen(text), "stats", &error);
    ASSERT_FINE(stats != NULL, error);
    ck_assert_ptr_nonnull(json_object_get(stats, "run"));
    const json_t *backups = json_object_get(json_object_get(stats, "storages"), "backups");
    const json_t *commits = json_object_get(backups, "write_commit");
    ck_assert_uint_ge(bp_json_u64(json_object_get(commits, "outcomes"), "ok", 0), 4);
}
END_TEST

START_TEST(test_run__failure_is_on_record)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(run("{\"verb\":\"delete\",\"name\":\"nothing\"}", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "nothing");
    g_autoptr(json_t) job = only_job();
    ck_assert_str_eq(bp_json_text(job, "state", ""), "failed");
    ck_assert_str_eq(bp_json_text(json_object_get(job, "error"), "class", ""), "not-found");
    ck_assert_str_eq(bp_json_text(json_object_get(job, "result"), "outcome", ""), "failed");
}
END_TEST

START_TEST(test_run__differences_are_no_success)
{
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", NULL), BP_VERB_OK);
    verb_remove("state");
    verb_write("backups/b/items/default/books/1", "two");
    ck_assert_int_eq(run("{\"verb\":\"verify\",\"name\":\"b\",\"deep\":true}", NULL),
                     BP_VERB_DIFFERENT);
    g_autoptr(json_t) job = only_job();
    ck_assert_str_eq(bp_json_text(job, "state", ""), "different");
}
END_TEST

START_TEST(test_run__cancelled_is_on_record)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    bp_cancel_trigger(verb_cancel, 15);
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", &error), BP_VERB_FAILED);
    g_autoptr(json_t) job = only_job();
    ck_assert_str_eq(bp_json_text(job, "state", ""), "cancelled");
}
END_TEST

START_TEST(test_run__what_only_reads_is_not_listed)
{
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\",\"dry_run\":true}", NULL),
                     BP_VERB_OK);
    ck_assert(!verb_exists("state"));
    ck_assert_ptr_null(json_object_get(verb_result, "job_id"));
}
END_TEST

START_TEST(test_run__without_a_job_directory_it_goes_on)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    verb_write("state", "a file where the directory should be");
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", &error), BP_VERB_OK);
    ck_assert(verb_exists("backups/b"));
    ck_assert_str_eq(bp_json_text(json_array_get(verb_notes, 0), "code", ""), "job-directory");
    ck_assert_str_eq(bp_json_text(json_array_get(verb_notes, 0), "level", ""), "warning");
    ck_assert(g_str_has_prefix(bp_json_text(json_array_get(verb_notes, 0), "text", ""),
                               "this job will not be listed, and no other create of its source "
                               "is kept apart from it: job directory "));
}
END_TEST

START_TEST(test_run__cancelled_before_it_is_let_in)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_build_filename(verb_root, "state", "jobs", NULL);
    ck_assert(bp_jobs__make_dir(dir, NULL));
    bp_lock_wait once = {0};
    int guard = bp_jobs__lock(dir, "lock", &once, &error);
    ASSERT_FINE(guard >= 0, error);
    verb_seed();
    bp_cancel_trigger(verb_cancel, 15);
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "state/jobs/lock");
    ck_assert(!verb_exists("backups/b"));
    close(guard);
}
END_TEST

/* Where the numbers should go is a directory until that has been said in the log. */
static char *in_the_way;

static void
clear_the_way(void *ctx, const char *line)
{
    (void)ctx;
    if (strstr(line, "progress cannot be written") != NULL) {
        ck_assert_int_eq(rmdir(in_the_way), 0);
    }
}

static bp_verb_outcome
wait_for_progress(const bp_verb *verb, const json_t *request, void *ctx, GError **error)
{
    (void)request;
    (void)error;
    g_autofree char *written = g_build_filename(ctx, "progress.json", NULL);
    gint64 until_ns = bp_clock_mono_ns() + 60 * BP_NS_PER_S;
    bp_monitor_begin(verb->monitor, "copy", NULL, NULL);
    while (!g_file_test(written, G_FILE_TEST_EXISTS) && bp_clock_mono_ns() < until_ns) {
        g_usleep(1000); /* nobody tells of files */
    }
    bp_monitor_end(verb->monitor);
    return g_file_test(written, G_FILE_TEST_EXISTS) ? BP_VERB_OK : BP_VERB_DIFFERENT;
}

START_TEST(test_run_seen__progress_goes_on_after_a_failed_write)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "delete", "name", "b");
    bp_ticket_params params = {.jobs = jobs, .request = request, .origin = "test"};
    g_autoptr(bp_ticket) ticket = bp_ticket_take(&params, &error);
    ASSERT_FINE(ticket != NULL, error);
    g_autofree char *path = g_build_filename(jobs->dir, bp_ticket_id(ticket), NULL);
    in_the_way = g_build_filename(path, "progress.json.part", NULL);
    ck_assert_int_eq(mkdir(in_the_way, 0700), 0);
    bp_verb verb = verb_open();
    bp_jobs_run_params run_params = {.verb = &verb, .request = request, .origin = "test"};
    bp_log_set_level(BP_LOG_INFO);
    bp_log_set_sink(clear_the_way, NULL);
    bp_verb_outcome outcome =
        bp_jobs__run_seen(&run_params, ticket, wait_for_progress, path, &error);
    bp_log_set_sink(NULL, NULL);
    bp_log_set_level(BP_LOG_WARN);
    verb_close(&verb);
    g_free(in_the_way);
    ck_assert_int_eq(outcome, BP_VERB_OK);
}
END_TEST

/* A ticket of this process, for a job that never ends. */
static bp_ticket *
occupy(bp_jobs *jobs, const char *kind, const char *place)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("%s local:%s/%s", kind, verb_root, place);
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "create", "name", "b");
    g_autoptr(json_t) claims = json_pack("[s]", text);
    bp_ticket_params params = {
        .jobs = jobs, .request = request, .claims = claims, .origin = "test"};
    bp_ticket *ticket = bp_ticket_take(&params, &error);
    ASSERT_FINE(ticket != NULL, error);
    return ticket;
}

START_TEST(test_run__second_writer_is_refused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(bp_ticket) other = occupy(jobs, "backup", "backups/b");
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"b\"}", &error), BP_VERB_FAILED);
    ck_assert(strstr(error->message, bp_ticket_id(other)) != NULL);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup b is being worked on by job");
    ck_assert(!verb_exists("backups/b"));
}
END_TEST

/* As soon as the job says that it waits, the directory goes and the other one ends. */
static void
lose_directory(void *ctx, const char *line)
{
    bp_ticket **other = ctx;
    if (*other != NULL && strstr(line, "waits for job") != NULL) {
        g_autofree char *state = g_build_filename(verb_root, "state", NULL);
        g_autofree char *lost = g_build_filename(verb_root, "lost", NULL);
        ck_assert_int_eq(rename(state, lost), 0);
        g_clear_pointer(other, bp_ticket_free);
    }
}

START_TEST(test_run__directory_is_lost_while_it_waits)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    bp_ticket *other = occupy(jobs, "source", "data");
    verb_seed();
    bp_log_set_sink(lose_directory, &other);
    bp_verb_outcome outcome = run("{\"verb\":\"create\",\"name\":\"c\"}", &error);
    bp_log_set_sink(NULL, NULL);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_ptr_null(other);
    ck_assert(verb_exists("backups/c"));
    const json_t *note = json_array_get(verb_notes, 1);
    ck_assert_str_eq(bp_json_text(note, "code", ""), "job-directory");
    ck_assert_ptr_nonnull(strstr(bp_json_text(note, "text", ""), "does not wait any longer"));
}
END_TEST

START_TEST(test_run__cancelled_while_it_waits)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(bp_ticket) other = occupy(jobs, "source", "data");
    verb_seed();
    bp_cancel_trigger(verb_cancel, 15);
    ck_assert_int_eq(run("{\"verb\":\"create\",\"name\":\"c\"}", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "cancelled while it waited for job");
    ck_assert(!verb_exists("backups/c"));
    const json_t *note = json_array_get(verb_notes, 0);
    g_autofree char *wanted = g_strdup_printf(
        "waits for job %s (create b, process %d), at most 12 h 0 min: ", bp_ticket_id(other),
        (int)getpid());
    ck_assert_str_eq(bp_json_text(note, "code", ""), "queued");
    ck_assert(g_str_has_prefix(bp_json_text(note, "text", ""), wanted));
}
END_TEST

START_TEST(test_run__may_not_wait)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(bp_ticket) other = occupy(jobs, "source", "data");
    verb_seed();
    ck_assert_int_eq(
        run("{\"verb\":\"create\",\"name\":\"c\",\"settings\":[\"wait_for_turn=0\"]}", &error),
        BP_VERB_FAILED);
    ck_assert(strstr(error->message, bp_ticket_id(other)) != NULL);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "captures the same source");
    ck_assert(!verb_exists("backups/c"));
    ck_assert(!verb_noted("queued"));
    g_autoptr(json_t) failed = bp_jobs_list(jobs, "failed", NULL);
    ck_assert_str_eq(bp_json_text(json_array_get(failed, 0), "name", ""), "c");
}
END_TEST

START_TEST(test_run__settings_are_wrong)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(bp_ticket) other = occupy(jobs, "source", "data");
    verb_seed();
    ck_assert_int_eq(run("{\"verb\":\"create\",\"settings\":[\"wait_for_turn=soon\"]}", &error),
                     BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "wait_for_turn: \"soon\" is no duration");
    ck_assert(!verb_noted("queued"));
}
END_TEST

START_TEST(test_run__bound_to_fail_does_not_wait)
{
    static const struct {
        const char *request, *wanted;
    } rows[] = {
        {"{\"verb\":\"create\",\"name\":\"1-b\"}", "backup name"},
        {"{\"verb\":\"create\",\"filter\":\"a..b\"}", "a..b"},
        {"{\"verb\":\"create\",\"database_collections\":\"[\"}", "database_collections"},
        {"{\"verb\":\"create\",\"storage\":\"nowhere\"}", "nowhere"},
        {"{\"verb\":\"create\",\"settings\":[\"prove=never\"]}", "prove"},
    };
    g_autoptr(bp_jobs) jobs = open_jobs();
    g_autoptr(bp_ticket) other = occupy(jobs, "source", "data");
    verb_seed();
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_int_eq(run(rows[i].request, &error), BP_VERB_FAILED);
        ASSERT_ERROR(error, BP_ERR_INVALID, rows[i].wanted);
        ck_assert(!verb_noted("queued"));
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/jobs/run", verb_setup, verb_teardown, test_run__success_is_on_record,
        test_run__its_last_numbers_are_on_record, test_run__success_is_noted_for_its_series,
        test_run__what_it_asked_of_storages, test_run__failure_is_on_record,
        test_run__differences_are_no_success, test_run__cancelled_is_on_record,
        test_run__what_only_reads_is_not_listed, test_run__without_a_job_directory_it_goes_on,
        test_run__cancelled_before_it_is_let_in, test_run__second_writer_is_refused,
        test_run__directory_is_lost_while_it_waits, test_run__cancelled_while_it_waits,
        test_run__may_not_wait, test_run__settings_are_wrong, test_run__bound_to_fail_does_not_wait,
        test_run_seen__progress_goes_on_after_a_failed_write);
}
