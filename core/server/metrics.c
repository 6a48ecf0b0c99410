/* SPDX-License-Identifier: Apache-2.0
 *
 * See metrics.h.  Each function writes whole families, from the numbers of a tally.
 */
#include "core/server/metrics.h"

#include "bp_build.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/plugin/stats.h"
#include "core/server/metrics_process.h"
#include "core/server/prometheus.h"
#include "core/server/service.h"

#include "sdk/lib/ban.h"

static const bp_prom_family build_info = {"bakplane_build_info", BP_PROM_GAUGE,
                                          "1, with the version of the server."};
static const bp_prom_family readable = {"bakplane_job_directory_readable", BP_PROM_GAUGE,
                                        "1, or 0 when numbers of jobs are not up to date."};
static const bp_prom_family jobs = {"bakplane_jobs", BP_PROM_GAUGE,
                                    "Jobs in the job directory now, by verb and state."};
static const bp_prom_family ended = {"bakplane_jobs_ended_total", BP_PROM_COUNTER,
                                     "Jobs that have ended, by verb and how."};
static const bp_prom_family restarts = {
    "bakplane_job_restarts_total", BP_PROM_COUNTER,
    "Times a server took up a job again whose process was killed."};
static const bp_prom_family items = {"bakplane_job_items_total", BP_PROM_COUNTER,
                                     "Items of backups made, copied or verified."};
static const bp_prom_family bytes = {"bakplane_job_bytes_total", BP_PROM_COUNTER,
                                     "Bytes of these items."};
static const bp_prom_family rows = {"bakplane_job_rows_total", BP_PROM_COUNTER,
                                    "Rows of backups made or copied, and rows restored."};
static const bp_prom_family duration = {"bakplane_job_duration_seconds", BP_PROM_HISTOGRAM,
                                        "How long jobs ran that have ended."};
static const bp_prom_family last_success = {
    "bakplane_last_success_timestamp_seconds", BP_PROM_GAUGE,
    "When a backup last succeeded, by source and label of the series."};
static const bp_prom_family retries = {"bakplane_retries_total", BP_PROM_COUNTER,
                                       "Calls of jobs that were made again, by why."};
static const bp_prom_family requests = {"bakplane_storage_requests_total", BP_PROM_COUNTER,
                                        "Calls of storages, by operation and outcome."};
static const bp_prom_family throttled = {"bakplane_storage_throttled_total", BP_PROM_COUNTER,
                                         "Calls that a storage refused because of too many."};
static const bp_prom_family moved = {"bakplane_storage_bytes_total", BP_PROM_COUNTER,
                                     "Bytes of objects that went to and from storages."};
static const bp_prom_family latency = {"bakplane_storage_request_duration_seconds",
                                       BP_PROM_HISTOGRAM, "How long calls of storages took."};

static const json_t *
part(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

/* -- jobs */

static void
by_state(GString *out, const bp_prom_family *family, const json_t *by_verb)
{
    const char *verb = NULL;
    json_t *row = NULL;
    bp_prom_begin(out, family);
    json_object_foreach((json_t *)by_verb, verb, row)
    {
        const char *state = NULL;
        json_t *n = NULL;
        json_object_foreach(row, state, n)
        {
            const char *const labels[] = {"verb", verb, "state", state, NULL};
            bp_prom_sample(out, family, labels, (double)json_integer_value(n));
        }
    }
}

/* A counter with one label. */
static void
by_name(GString *out, const bp_prom_family *family, const char *label, const json_t *numbers)
{
    const char *name = NULL;
    json_t *n = NULL;
    bp_prom_begin(out, family);
    json_object_foreach((json_t *)numbers, name, n)
    {
        const char *const labels[] = {label, name, NULL};
        bp_prom_sample(out, family, labels, (double)json_integer_value(n));
    }
}

/* @n: bounds; there is one bucket more. */
static void
take_counts(const json_t *buckets, guint64 *out, gsize n)
{
    for (gsize i = 0; i <= n; i++) {
        out[i] = (guint64)json_integer_value(json_array_get(buckets, i));
    }
}

static void
durations(GString *out, const json_t *by_verb)
{
    const char *verb = NULL;
    json_t *row = NULL;
    bp_prom_begin(out, &duration);
    json_object_foreach((json_t *)by_verb, verb, row)
    {
        guint64 counts[BP_TALLY_BOUNDS + 1];
        const char *const labels[] = {"verb", verb, NULL};
        take_counts(part(row, "buckets"), counts, BP_TALLY_BOUNDS);
        guint64 bounds_ms[BP_TALLY_BOUNDS];
        for (gsize i = 0; i < BP_TALLY_BOUNDS; i++) {
            bounds_ms[i] = bp_tally_bounds_s[i] * 1000;
        }
        bp_prom_buckets buckets = {.bounds = bounds_ms,
                                   .counts = counts,
                                   .n = BP_TALLY_BOUNDS,
                                   .per_unit = 1e-3,
                                   .sum = bp_json_u64(row, "ms", 0)};
        bp_prom_histogram(out, &duration, labels, &buckets);
    }
}

static void
successes(GString *out, const json_t *list)
{
    bp_prom_begin(out, &last_success);
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *const labels[] = {"source", bp_json_text(one, "source", ""), "label",
                                      bp_json_text(one, "label", ""), NULL};
        gint64 ms = bp_clock_parse(bp_json_text(one, "time", "")) / BP_NS_PER_MS;
        bp_prom_sample(out, &last_success, labels, (double)ms / 1000);
    }
}

static void
write_jobs(GString *out, const json_t *numbers)
{
    bp_prom_begin(out, &readable);
    bp_prom_sample(out, &readable, NULL, json_is_true(part(numbers, "readable")));
    by_state(out, &jobs, part(numbers, "jobs"));
    by_state(out, &ended, part(numbers, "ended"));
    by_name(out, &restarts, "verb", part(numbers, "restarts"));
    by_name(out, &items, "verb", part(numbers, "items"));
    by_name(out, &bytes, "verb", part(numbers, "bytes"));
    by_name(out, &rows, "verb", part(numbers, "rows"));
    durations(out, part(numbers, "seconds"));
    successes(out, part(numbers, "successes"));
    by_name(out, &retries, "why", part(numbers, "retries"));
}

/* -- storages */

/* One operation of one storage. */
typedef void (*write_operation)(GString *out, const char *storage, const char *name,
                                const json_t *operation);

static void
for_operations(GString *out, const bp_prom_family *family, const json_t *storages,
               write_operation write)
{
    const char *storage = NULL;
    json_t *operations = NULL;
    bp_prom_begin(out, family);
    json_object_foreach((json_t *)storages, storage, operations)
    {
        const char *name = NULL;
        json_t *operation = NULL;
        json_object_foreach(operations, name, operation)
        {
            write(out, storage, name, operation);
        }
    }
}

static void
write_outcomes(GString *out, const char *storage, const char *name, const json_t *operation)
{
    const char *outcome = NULL;
    json_t *n = NULL;
    json_object_foreach((json_t *)part(operation, "outcomes"), outcome, n)
    {
        const char *const labels[] = {"storage", storage, "operation", name,
                                      "outcome", outcome, NULL};
        bp_prom_sample(out, &requests, labels, (double)json_integer_value(n));
    }
}

static void
write_bytes(GString *out, const char *storage, const char *name, const json_t *operation)
{
    guint64 n = bp_json_u64(operation, "bytes", 0);
    const char *const labels[] = {"storage", storage, "operation", name, NULL};
    if (n > 0) {
        bp_prom_sample(out, &moved, labels, (double)n);
    }
}

static void
write_latency(GString *out, const char *storage, const char *name, const json_t *operation)
{
    guint64 counts[BP_STATS_BOUNDS + 1];
    const char *const labels[] = {"storage", storage, "operation", name, NULL};
    take_counts(part(operation, "buckets"), counts, BP_STATS_BOUNDS);
    bp_prom_buckets buckets = {.bounds = bp_stats_bounds_us,
                               .counts = counts,
                               .n = BP_STATS_BOUNDS,
                               .per_unit = 1e-6,
                               .sum = bp_json_u64(operation, "us", 0)};
    bp_prom_histogram(out, &latency, labels, &buckets);
}

static void
write_throttled(GString *out, const json_t *storages)
{
    const char *storage = NULL;
    json_t *operations = NULL;
    bp_prom_begin(out, &throttled);
    json_object_foreach((json_t *)storages, storage, operations)
    {
        const char *name = NULL;
        json_t *operation = NULL;
        guint64 n = 0;
        const char *const labels[] = {"storage", storage, NULL};
        json_object_foreach(operations, name, operation)
        {
            n += bp_json_u64(part(operation, "outcomes"), "throttled", 0);
        }
        bp_prom_sample(out, &throttled, labels, (double)n);
    }
}

static void
write_storages(GString *out, const json_t *storages)
{
    for_operations(out, &requests, storages, write_outcomes);
    write_throttled(out, storages);
    for_operations(out, &moved, storages, write_bytes);
    for_operations(out, &latency, storages, write_latency);
}

/* -- all of it */

char *
bp_metrics_text(bp_tally *tally)
{
    g_autoptr(json_t) numbers = bp_tally_look(tally);
    const char *const version[] = {"version", BP_BUILD_VERSION, NULL};
    GString *out = g_string_new(NULL);
    bp_prom_begin(out, &build_info);
    bp_prom_sample(out, &build_info, version, 1);
    write_jobs(out, numbers);
    write_storages(out, part(numbers, "storages"));
    bp_metrics_process(out);
    return g_string_free(out, FALSE);
}

static bp_reply *
show_metrics(void *ctx, const bp_http_request *request)
{
    (void)request;
    g_autofree char *text = bp_metrics_text(bp_service_tally(ctx));
    bp_reply *reply = bp_reply_text(200, text);
    reply->type = BP_PROM_TYPE;
    return reply;
}

const bp_route bp_metrics_routes[] = {
    {.method = "GET", .path = "/metrics", .role = BP_ROLE_READ, .answer = show_metrics},
};
const gsize bp_metrics_n_routes = G_N_ELEMENTS(bp_metrics_routes);
