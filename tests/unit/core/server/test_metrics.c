/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/metrics: what is told of jobs and of the process, by the handler of /metrics.
 */
#include "core/server/metrics.h"

#include "core/server/prometheus.h"
#include "tests/unit/core/server/api_fixture.h"

static char *
scrape(void)
{
    bp_http_request request = {.method = "GET", .body = ""};
    g_autoptr(bp_reply) reply = bp_metrics_routes[0].answer(api_service, &request);
    ck_assert_uint_eq(reply->status, 200);
    ck_assert_str_eq(reply->type, "text/plain; version=0.0.4; charset=utf-8");
    return g_strdup(reply->body);
}

/* The value of a sample by its name and labels as they are written, or -1. */
static double
value(const char *text, const char *sample)
{
    g_autofree char *start = g_strdup_printf("\n%s ", sample);
    const char *at = strstr(text, start);
    return at != NULL ? g_ascii_strtod(at + strlen(start), NULL) : -1;
}

START_TEST(test_metrics__a_backup)
{
    g_autofree char *before = scrape();
    ck_assert(value(before, "bakplane_jobs_ended_total{verb=\"create\",state=\"succeeded\"}") == 0);
    g_autofree char *path =
        api_start("POST", API_JOBS, "{\"verb\":\"create\",\"name\":\"b\",\"label\":\"nightly\"}");
    api_wait_for(path, "succeeded");
    g_autofree char *after = scrape();
    ck_assert(value(after, "bakplane_jobs_ended_total{verb=\"create\",state=\"succeeded\"}") == 1);
    ck_assert(value(after, "bakplane_jobs{verb=\"create\",state=\"succeeded\"}") == 1);
    ck_assert(value(after, "bakplane_job_items_total{verb=\"create\"}") == 4);
    ck_assert(value(after, "bakplane_job_bytes_total{verb=\"create\"}") > 0);
    ck_assert(value(after, "bakplane_job_rows_total{verb=\"create\"}") == 4);
    ck_assert(value(after, "bakplane_job_restarts_total{verb=\"create\"}") == 0);
    ck_assert(value(after, "bakplane_job_duration_seconds_count{verb=\"create\"}") == 1);
    ck_assert(value(after, "bakplane_job_duration_seconds_bucket{verb=\"create\",le=\"+Inf\"}") ==
              1);
    /* Its worker is another process. */
    ck_assert(value(after, "bakplane_storage_requests_total{storage=\"backups\","
                           "operation=\"write_commit\",outcome=\"ok\"}") >= 4);
    ck_assert(value(after, "bakplane_storage_request_duration_seconds_count{storage=\"backups\","
                           "operation=\"write_commit\"}") >= 4);
    ck_assert(value(after, "bakplane_storage_throttled_total{storage=\"backups\"}") == 0);
    ck_assert_ptr_nonnull(strstr(after, "\nbakplane_last_success_timestamp_seconds{source=\""));
    ck_assert_ptr_nonnull(strstr(after, "\",label=\"nightly\"} "));
}
END_TEST

START_TEST(test_metrics__the_process)
{
    g_autofree char *text = scrape();
    ck_assert(value(text, "process_open_fds") > 2);
    ck_assert(value(text, "process_threads") >= 2);
    ck_assert(value(text, "process_resident_memory_bytes") > 1e6);
    ck_assert(value(text, "process_virtual_memory_bytes") > 1e6);
    ck_assert(value(text, "process_start_time_seconds") > 1.6e9);
    ck_assert(value(text, "bakplane_job_directory_readable") == 1);
    ck_assert(g_str_has_prefix(text, "# HELP bakplane_build_info "));
}
END_TEST

START_TEST(test_metrics__is_for_readers)
{
    ck_assert_uint_eq(bp_metrics_n_routes, 1);
    ck_assert_str_eq(bp_metrics_routes[0].path, "/metrics");
    ck_assert_int_eq(bp_metrics_routes[0].role, BP_ROLE_READ);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/server/metrics", api_setup, api_teardown, test_metrics__a_backup,
                     test_metrics__the_process, test_metrics__is_for_readers);
}
