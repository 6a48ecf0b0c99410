/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/submit: who is let in by a server, and who asks again.  A job of another process has
 * the source, so that everything stays queued and no worker is needed.
 */
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/supervisor.h"
#include "core/jobs/ticket.h"
#include "tests/unit/core/verb/verb_fixture.h"

#define CREATE_B "{\"verb\":\"create\",\"name\":\"b\",\"meta_only\":true}"

static bp_verb verb;
static bp_jobs *jobs;
static bp_supervisor *supervisor;
static bp_ticket *other;

static void
supervise(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    bp_supervisor_params params = {
        .state_dir = state, .program = "/bin/false", .workspace = verb.workspace};
    supervisor = bp_supervisor_new(&params, &error);
    ASSERT_FINE(supervisor != NULL, error);
}

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    verb_setup();
    verb_seed();
    verb = verb_open();
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    jobs = bp_jobs_open(state);
    g_autofree char *source = g_strdup_printf("source local:%s/data", verb_root);
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "create", "name", "other");
    g_autoptr(json_t) claims = json_pack("[s]", source);
    bp_ticket_params params = {
        .jobs = jobs, .request = request, .claims = claims, .origin = "test"};
    other = bp_ticket_take(&params, &error);
    ASSERT_FINE(other != NULL, error);
    supervise();
}

static void
teardown(void)
{
    g_clear_pointer(&supervisor, bp_supervisor_free);
    g_clear_pointer(&other, bp_ticket_free);
    g_clear_pointer(&jobs, bp_jobs_close);
    verb_close(&verb);
    verb_teardown();
}

static char *
submit(const char *text, const char *key, GError **error)
{
    g_autoptr(json_t) request = bp_json_parse(text, strlen(text), "request", NULL);
    bp_submit_params params = {.request = request, .origin = "rest-v2", .key = key};
    return bp_supervisor_submit(supervisor, &params, error);
}

START_TEST(test_submit__is_queued_and_says_where_from)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit(CREATE_B, NULL, &error);
    ASSERT_FINE(id != NULL, error);
    g_autoptr(json_t) found = bp_jobs_get(jobs, id, NULL);
    ck_assert_str_eq(bp_json_text(found, "state", ""), "queued");
    ck_assert_str_eq(bp_json_text(found, "origin", ""), "rest-v2");
    ck_assert_ptr_null(bp_jobs_find_key(jobs, "k"));
}
END_TEST

START_TEST(test_submit__the_same_key_is_the_same_job)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit(CREATE_B, "k \"1\"", &error);
    ASSERT_FINE(id != NULL, error);
    g_autofree char *again =
        submit("{\"meta_only\":true,\"name\":\"b\",\"verb\":\"create\"}", "k \"1\"", &error);
    ASSERT_FINE(again != NULL, error);
    ck_assert_str_eq(again, id);
    g_autofree char *found = bp_jobs_find_key(jobs, "k \"1\"");
    ck_assert_str_eq(found, id);
    g_autoptr(json_t) all = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_uint_eq(json_array_size(all), 2);
}
END_TEST

START_TEST(test_submit__a_key_without_a_name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit("{\"verb\":\"create\"}", "k", &error);
    ASSERT_FINE(id != NULL, error);
    g_autofree char *again = submit("{\"verb\":\"create\"}", "k", &error);
    ASSERT_FINE(again != NULL, error);
    ck_assert_str_eq(again, id); /* although a name is made up each time */
}
END_TEST

START_TEST(test_submit__a_key_of_another_request)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit(CREATE_B, "k", &error);
    ASSERT_FINE(id != NULL, error);
    ck_assert_ptr_null(submit("{\"verb\":\"create\",\"name\":\"c\"}", "k", &error));
    ck_assert_ptr_nonnull(strstr(error->message, id));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "the key belongs to job");
}
END_TEST

START_TEST(test_submit__a_key_is_taken)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = submit(CREATE_B, "k", &error);
    ASSERT_FINE(first != NULL, error);
    g_autoptr(json_t) request = json_loads("{\"verb\":\"create\",\"name\":\"c\"}", 0, NULL);
    bp_submit_params params = {.request = request, .key = "k", .takes_key = true};
    gint64 then_ms = bp_clock_wall_ns() / BP_NS_PER_MS;
    while (bp_clock_wall_ns() / BP_NS_PER_MS == then_ms) { /* whose IDs have no order */
    }
    g_autofree char *second = bp_supervisor_submit(supervisor, &params, &error);
    ASSERT_FINE(second != NULL, error);
    ck_assert_str_ne(second, first);
    g_autofree char *found = bp_jobs_find_key(jobs, "k");
    ck_assert_str_eq(found, second);
}
END_TEST

START_TEST(test_submit__a_key_outlives_the_server)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit(CREATE_B, "k", &error);
    ASSERT_FINE(id != NULL, error);
    g_clear_pointer(&supervisor, bp_supervisor_free);
    supervise();
    g_autofree char *again = submit(CREATE_B, "k", &error);
    ASSERT_FINE(again != NULL, error);
    ck_assert_str_eq(again, id);
}
END_TEST

START_TEST(test_submit__no_more_than_may_wait)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = submit(CREATE_B, "first", &error);
    ASSERT_FINE(first != NULL, error);
    for (guint i = 1; i < BP_SUPERVISOR_QUEUE_MAX; i++) {
        g_autofree char *text =
            g_strdup_printf("{\"verb\":\"create\",\"name\":\"b%u\",\"meta_only\":true}", i);
        g_autofree char *id = submit(text, NULL, &error);
        ASSERT_FINE(id != NULL, error);
    }
    ck_assert_ptr_null(submit("{\"verb\":\"create\",\"name\":\"c\"}", NULL, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "200 jobs wait already");
    g_clear_error(&error);
    g_autofree char *again = submit(CREATE_B, "first", &error);
    ASSERT_FINE(again != NULL, error); /* it is in there */
    ck_assert_str_eq(again, first);
}
END_TEST

START_TEST(test_submit__what_is_no_key)
{
    g_autofree char *longest = g_strnfill(BP_SUBMIT_KEY_BYTES, 'k');
    g_autofree char *longer = g_strnfill(BP_SUBMIT_KEY_BYTES + 1, 'k');
    const char *const wrong[] = {"", "a\nb", "\xc3\xa9", longer};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(submit(CREATE_B, wrong[i], &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, "a request's key has 1 to 200 printable characters");
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit(CREATE_B, longest, &error);
    ASSERT_FINE(id != NULL, error);
}
END_TEST

START_TEST(test_submit__holds_a_secret)
{
    g_autoptr(GError) error = NULL;
    bp_log_add_secret("verb\"x");
    ck_assert_ptr_null(submit("{\"verb\":\"create\",\"filter\":\"a,verb\\\"x\"}", NULL, &error));
    ck_assert_ptr_null(strstr(error->message, "verb\"x"));
    ASSERT_ERROR(error, BP_ERR_INVALID, "'filter' of this request holds a secret");
    ck_assert_ptr_null(
        submit("{\"verb\":\"create\",\"settings\":[\"prove=verb\\\"x\"]}", NULL, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "'settings' of this request holds a secret");
    ck_assert_ptr_null(submit(CREATE_B, "verb\"x", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "'key' of this request holds a secret");
    g_autoptr(json_t) all = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_uint_eq(json_array_size(all), 1);
}
END_TEST

START_TEST(test_submit__bound_to_fail_is_not_let_in)
{
    static const struct {
        const char *request, *wanted;
    } rows[] = {
        {"{\"verb\":\"create\",\"name\":\"1-b\"}", "backup name"},
        {"{\"verb\":\"create\",\"filter\":\"a..b\"}", "a..b"},
        {"{\"verb\":\"restore\",\"name\":\"b\",\"rename\":\"a\"}", "a"},
        {"{\"verb\":\"restore\",\"name\":\"b\",\"settings\":[\"verify=never\"]}", "verify"},
        {"{\"verb\":\"delete\",\"name\":\"b\",\"storage\":\"nowhere\"}", "nowhere"},
        {"{\"verb\":\"copy\",\"name\":\"b\",\"from\":\"nowhere\",\"to\":\"other\"}",
         "from: there is no storage"},
        {"{\"verb\":\"copy\",\"name\":\"b\",\"to\":\"nowhere\"}", "to: there is no storage"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(submit(rows[i].request, NULL, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, rows[i].wanted);
    }
    g_autoptr(json_t) all = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_uint_eq(json_array_size(all), 1);
}
END_TEST

START_TEST(test_submit__somebody_has_the_directory)
{
    g_autoptr(GError) error = NULL;
    bp_lock_wait patient = {.limit_ns = 40 * BP_NS_PER_S};
    int guard = bp_jobs__lock(jobs->dir, "lock", &patient, &error);
    ASSERT_FINE(guard >= 0, error);
    gint64 began_ns = bp_clock_mono_ns();
    ck_assert_ptr_null(submit(CREATE_B, NULL, &error));
    ck_assert_int_lt(bp_clock_mono_ns() - began_ns, BP_JOBS_LOCK_NS);
    ck_assert_uint_eq(bp_error_retry_after_ms(error), BP_SUBMIT_RETRY_MS);
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "is held by another process");
    close(guard);
    g_autofree char *id = submit(CREATE_B, NULL, &error);
    ASSERT_FINE(id != NULL, error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/jobs/submit", setup, teardown, test_submit__is_queued_and_says_where_from,
        test_submit__the_same_key_is_the_same_job, test_submit__a_key_without_a_name,
        test_submit__a_key_of_another_request, test_submit__a_key_is_taken,
        test_submit__a_key_outlives_the_server, test_submit__no_more_than_may_wait,
        test_submit__what_is_no_key, test_submit__holds_a_secret,
        test_submit__bound_to_fail_is_not_let_in, test_submit__somebody_has_the_directory);
}
