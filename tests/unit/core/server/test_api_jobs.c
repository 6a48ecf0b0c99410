/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/api_jobs: its handlers, on a supervisor with real workers.
 */
#include "core/server/api_jobs.h"

#include <sys/wait.h>

#include "core/base/clock.h"
#include "core/server/service.h"
#include "tests/unit/core/job/job_fixture.h"

#define PATIENCE_NS (60 * BP_NS_PER_S)
#define JOBS "/api/v2/jobs"

static bp_job job;
static bp_server_settings *settings;
static bp_service *service;

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    job_setup();
    job_seed();
    job = job_open();
    const bp_config_tree *config = bp_workspace_config(job.workspace);
    g_autofree char *state = g_build_filename(job_root, "state", NULL);
    settings = bp_server_settings_load(config, state, NULL, &error);
    ASSERT_FINE(settings != NULL, error);
    bp_service_params params = {.config = config,
                                .settings = settings,
                                .state_dir = state,
                                .program = g_getenv("BAKPLANE_BIN")};
    service = bp_service_new(&params, &error);
    ASSERT_FINE(service != NULL, error);
}

static void
teardown(void)
{
    g_clear_pointer(&service, bp_service_free);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    g_clear_pointer(&settings, bp_server_settings_free);
    job_close(&job);
    job_teardown();
}

/* Returns: (transfer full) */
static bp_reply *
ask(const char *method, const char *path, const char *body)
{
    g_autoptr(bp_http_target) target = bp_http_target_parse(path, NULL);
    ck_assert_ptr_nonnull(target);
    g_autofree char *allow = NULL;
    const bp_route *route =
        bp_route_find(bp_api_jobs_routes, bp_api_jobs_n_routes, method, target, &allow);
    ck_assert_ptr_nonnull(route);
    bp_http_request request = {.method = method,
                               .target = target,
                               .route = route,
                               .body = body != NULL ? body : "",
                               .n = body != NULL ? strlen(body) : 0};
    return route->answer(service, &request);
}

#define ASSERT_REFUSED(method, path, sent, wanted, text)                                      \
    do {                                                                                      \
        g_autoptr(bp_reply) refusal = ask(method, path, sent);                                \
        ck_assert_msg(refusal->status == (wanted), "%u: %s", refusal->status, refusal->body); \
        ck_assert_str_eq(refusal->type, "application/problem+json");                          \
        ck_assert_msg(strstr(refusal->body, text) != NULL, "%s", refusal->body);              \
    } while (0)

/* A GET that succeeds.  Returns: (transfer full) */
static json_t *
get(const char *path)
{
    g_autoptr(bp_reply) answer = ask("GET", path, NULL);
    ck_assert_msg(answer->status == 200, "%u: %s", answer->status, answer->body);
    return bp_json_parse(answer->body, answer->n, path, NULL);
}

/* Returns: (transfer full) where it is to be looked for */
static char *
start(const char *body)
{
    g_autoptr(bp_reply) answer = ask("POST", JOBS, body);
    ck_assert_msg(answer->status == 202, "%u: %s", answer->status, answer->body);
    ck_assert_str_eq(g_ptr_array_index(answer->headers, 0), "Location");
    return g_strdup(g_ptr_array_index(answer->headers, 1));
}

static void
wait_for(const char *path, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) found = bp_service_wait(service, path + strlen(JOBS "/"),
                                              bp_clock_mono_ns() + PATIENCE_NS, NULL, &error);
    ASSERT_FINE(found != NULL, error);
    ck_assert_str_eq(bp_json_text(found, "state", "?"), state);
}

START_TEST(test_start__is_done_and_can_be_looked_at)
{
    g_autofree char *path = start("{\"verb\":\"create\",\"name\":\"b\"}");
    ck_assert(g_str_has_prefix(path, JOBS "/2"));
    wait_for(path, "succeeded");
    g_autoptr(json_t) found = get(path);
    ck_assert_str_eq(bp_json_text(found, "name", ""), "b");
    ck_assert_str_eq(bp_json_text(json_object_get(found, "result"), "outcome", ""), "done");
    g_autofree char *log_path = g_strconcat(path, "/log", NULL);
    g_autoptr(bp_reply) log = ask("GET", log_path, NULL);
    ck_assert_uint_eq(log->status, 200);
    ck_assert_str_eq(log->type, "text/plain; charset=utf-8");
    g_autofree char *cancel = g_strconcat(path, "/cancel", NULL);
    ASSERT_REFUSED("POST", cancel, NULL, 409, "has ended: succeeded");
}
END_TEST

START_TEST(test_start__refused)
{
    ASSERT_REFUSED("POST", JOBS, "", 400, "the body is not valid JSON");
    ASSERT_REFUSED("POST", JOBS, "[]", 400, "the body is not a JSON object");
    ASSERT_REFUSED("POST", JOBS, "{\"verb\":\"format\"}", 400, "a job's verb is 'format'");
    ASSERT_REFUSED("POST", JOBS, "{\"verb\":\"delete\"}", 400, "needs the name");
    ASSERT_REFUSED("POST", JOBS, "{\"verb\":\"create\",\"colour\":1}", 400, "knows no 'colour'");
    ASSERT_REFUSED("POST", JOBS, "{\"verb\":\"create\",\"settings\":[\"address=evil:1\"]}", 403,
                   "settings are the configuration's");
    g_autoptr(json_t) page = get(JOBS);
    ck_assert_uint_eq(json_array_size(json_object_get(page, "jobs")), 0);
}
END_TEST

START_TEST(test_show__there_is_none)
{
    ASSERT_REFUSED("GET", JOBS "/20261126-014500-8c1f03", NULL, 404, "there is no job");
    ASSERT_REFUSED("GET", JOBS "/lock", NULL, 404, "there is no job");
    ASSERT_REFUSED("GET", JOBS "/x/log", NULL, 404, "there is no job");
    ASSERT_REFUSED("POST", JOBS "/x/cancel", NULL, 404, "there is no job");
}
END_TEST

START_TEST(test_list__in_pages)
{
    static const char *const bodies[] = {"{\"verb\":\"create\",\"name\":\"a\"}",
                                         "{\"verb\":\"create\",\"name\":\"b\"}",
                                         "{\"verb\":\"delete\",\"name\":\"none\"}"};
    static const char *const ends[] = {"succeeded", "succeeded", "failed"};
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *path = start(bodies[i]);
        wait_for(path, ends[i]);
    }
    g_autoptr(json_t) first = get(JOBS "?limit=2");
    const json_t *list = json_object_get(first, "jobs");
    ck_assert_uint_eq(json_array_size(list), 2);
    const char *cursor = bp_json_text(first, "next", "");
    ck_assert_str_eq(cursor, bp_json_text(json_array_get(list, 1), "id", "?"));
    g_autofree char *next = g_strconcat(JOBS "?limit=2&cursor=", cursor, NULL);
    g_autoptr(json_t) second = get(next);
    ck_assert_uint_eq(json_array_size(json_object_get(second, "jobs")), 1);
    ck_assert_ptr_null(json_object_get(second, "next"));
    g_autoptr(json_t) failed = get(JOBS "?state=failed");
    ck_assert_uint_eq(json_array_size(json_object_get(failed, "jobs")), 1);
}
END_TEST

START_TEST(test_list__parameters)
{
    ASSERT_REFUSED("GET", JOBS "?limit=0", NULL, 400, "limit is a number from 1 to 1000");
    ASSERT_REFUSED("GET", JOBS "?limit=1001", NULL, 400, "limit is a number");
    ASSERT_REFUSED("GET", JOBS "?limit=", NULL, 400, "limit is a number");
    ASSERT_REFUSED("GET", JOBS "?state=resting", NULL, 400, "there is no state 'resting'");
    ASSERT_REFUSED("GET", JOBS "?stat=failed", NULL, 400, "there is no parameter 'stat'");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/api_jobs", setup, teardown, test_start__is_done_and_can_be_looked_at,
                     test_start__refused, test_show__there_is_none, test_list__in_pages,
                     test_list__parameters);
}
