/* SPDX-License-Identifier: Apache-2.0
 *
 * See tally.h.
 */
#include "core/jobs/tally.h"

#include <pthread.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/successes.h"
#include "core/jobs/tally_internal.h"
#include "core/plugin/stats.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

const guint64 bp_tally_bounds_s[BP_TALLY_BOUNDS] = {1,   5,    15,    60,    300,
                                                    900, 3600, 10800, 43200, 86400};

static const char *const verbs[] = {"create", "copy",  "restore", "delete",
                                    "verify", "prune", "other"};
#define N_VERBS G_N_ELEMENTS(verbs)
static const char *const states[] = {"queued", "running",   "cancelling",  "succeeded", "different",
                                     "failed", "cancelled", "interrupted", "unreadable"};
#define N_STATES G_N_ELEMENTS(states)

/* Of one verb. */
typedef struct {
    guint64 ended[N_STATES];
    guint64 items, bytes, rows, restarts;
    guint64 buckets[BP_TALLY_BOUNDS + 1], ms;
} verb_sums;

/* A job that was there at the last look. */
typedef struct {
    gsize verb, state;
    bool over; /* counted, and not to be looked at any more */
    bool there;
    json_t *stats; /* as they were counted; only while it is not over */
} known_job;

struct bp_tally {
    bp_jobs *jobs;
    pthread_mutex_t lock; /* guards all below, and is held while files are read */
    GHashTable *known;    /* ID -> known_job* */
    verb_sums sums[N_VERBS];
    json_t *stats; /* of all jobs, as bp_stats_json */
    bool readable;
};

static void
known_free(gpointer data)
{
    known_job *job = data;
    json_decref(job->stats);
    g_free(job);
}

static gsize
index_in(const char *const *names, gsize n, const char *name)
{
    gsize i = 0;
    while (i < n - 1 && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

/* A server takes up its own, so that is not the end. */
static bool
is_at_its_end(const json_t *record)
{
    const char *state = bp_json_text(record, "state", "");
    bool goes_on = strcmp(state, "interrupted") == 0 && bp_jobs__is_supervised(record);
    return bp_jobs_is_over(state) && !goes_on;
}

static guint64
sum_of(const json_t *list, const char *member)
{
    guint64 sum = 0;
    for (gsize i = 0; i < json_array_size(list); i++) {
        sum += bp_json_u64(json_array_get(list, i), member, 0);
    }
    return sum;
}

static void
count_duration(verb_sums *sums, const json_t *record)
{
    gint64 started = bp_clock_parse(bp_json_text(record, "started", ""));
    gint64 ended = bp_clock_parse(bp_json_text(record, "ended", ""));
    if (started == 0 || ended == 0) {
        return;
    }
    guint64 ms = (guint64)MAX(ended - started, 0) / BP_NS_PER_MS;
    gsize bucket = 0;
    while (bucket < BP_TALLY_BOUNDS && ms > bp_tally_bounds_s[bucket] * 1000) {
        bucket++;
    }
    sums->buckets[bucket]++;
    sums->ms += ms;
}

static void
count_end(verb_sums *sums, gsize state, const json_t *record, const json_t *result)
{
    guint64 attempt = bp_json_u64(record, "attempt", 1);
    sums->ended[state]++;
    sums->restarts += attempt > 1 ? attempt - 1 : 0;
    count_duration(sums, record);
    if (strcmp(states[state], "succeeded") != 0 && strcmp(states[state], "different") != 0) {
        return;
    }
    sums->items += bp_json_u64(result, "items", 0);
    sums->bytes += bp_json_u64(result, "bytes", 0);
    sums->rows += sum_of(json_object_get(result, "units"), "high") +
                  sum_of(json_object_get(result, "targets"), "found");
}

/* @count: false for what was there before us. */
static void
look_at(bp_tally *t, const char *id, known_job *known, bool count)
{
    g_autofree char *path = bp_jobs__path(t->jobs, id);
    g_autoptr(json_t) stats = bp_jobs__read_part(path, BP_JOB_STATS);
    g_autoptr(json_t) record = bp_jobs__current(t->jobs, id, NULL);
    if (record == NULL) {
        known->state = index_in(states, N_STATES, "unreadable");
        known->verb = N_VERBS - 1;
        return;
    }
    known->verb = index_in(verbs, N_VERBS, bp_json_text(record, "verb", ""));
    known->state = index_in(states, N_STATES, bp_json_text(record, "state", ""));
    known->over = is_at_its_end(record);
    if (known->over) {
        json_decref(stats);
        stats = bp_jobs__read_part(path, BP_JOB_STATS);
    }
    if (count) {
        bp_tally__add(t->stats, stats, known->stats);
    }
    if (count && known->over) {
        g_autoptr(json_t) result = bp_jobs__read_part(path, BP_JOB_RESULT);
        count_end(&t->sums[known->verb], known->state, record, result);
    }
    json_decref(known->stats);
    known->stats = known->over ? NULL : g_steal_pointer(&stats);
}

static gboolean
is_gone(gpointer id, gpointer value, gpointer ctx)
{
    (void)id;
    (void)ctx;
    return !((known_job *)value)->there;
}

static void
forget_job(gpointer id, gpointer value, gpointer ctx)
{
    (void)id;
    (void)ctx;
    ((known_job *)value)->there = false;
}

static void
look_at_all(bp_tally *t, bool count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) ids = bp_jobs__ids(t->jobs, &error);
    if (ids == NULL) {
        if (t->readable) {
            BP_WARN("the job directory cannot be read", "reason", error->message);
        }
        t->readable = false;
        return;
    }
    t->readable = true;
    g_hash_table_foreach(t->known, forget_job, NULL);
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        known_job *known = g_hash_table_lookup(t->known, id);
        if (known == NULL) {
            known = g_new0(known_job, 1);
            g_hash_table_insert(t->known, g_strdup(id), known);
        }
        known->there = true;
        if (!known->over) {
            look_at(t, id, known, count);
        }
    }
    g_hash_table_foreach_remove(t->known, is_gone, NULL);
}

bp_tally *
bp_tally_new(const char *state_dir)
{
    bp_tally *t = g_new0(bp_tally, 1);
    t->jobs = bp_jobs_open(state_dir);
    t->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
    t->stats = json_object();
    t->readable = true;
    pthread_mutex_init(&t->lock, NULL);
    look_at_all(t, false);
    return t;
}

void
bp_tally_free(bp_tally *t)
{
    if (t == NULL) {
        return;
    }
    json_decref(t->stats);
    g_hash_table_unref(t->known);
    pthread_mutex_destroy(&t->lock);
    bp_jobs_close(t->jobs);
    g_free(t);
}

static json_t *
by_state(const guint64 numbers[N_VERBS][N_STATES], bool only_ends)
{
    json_t *out = json_object();
    for (gsize v = 0; v < N_VERBS; v++) {
        json_t *row = json_object();
        for (gsize s = 0; s < N_STATES; s++) {
            if (!only_ends || bp_jobs_is_over(states[s])) {
                bp_json_set_u64(row, states[s], numbers[v][s]);
            }
        }
        json_object_set_new(out, verbs[v], row);
    }
    return out;
}

static json_t *
jobs_now(const bp_tally *t)
{
    guint64 numbers[N_VERBS][N_STATES] = {{0}};
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, t->known);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const known_job *job = value;
        numbers[job->verb][job->state]++;
    }
    return by_state(numbers, false);
}

static json_t *
ended(const bp_tally *t)
{
    guint64 numbers[N_VERBS][N_STATES] = {{0}};
    for (gsize v = 0; v < N_VERBS; v++) {
        memcpy(numbers[v], t->sums[v].ended, sizeof numbers[v]);
    }
    return by_state(numbers, true);
}

static json_t *
seconds(const verb_sums *sums)
{
    json_t *out = json_object();
    json_t *buckets = json_array();
    for (gsize i = 0; i <= BP_TALLY_BOUNDS; i++) {
        json_array_append_new(buckets, json_integer((json_int_t)sums->buckets[i]));
    }
    json_object_set_new(out, "buckets", buckets);
    bp_json_set_u64(out, "ms", sums->ms);
    return out;
}

static void
add_sums(const bp_tally *t, json_t *out)
{
    static const char *const names[] = {"items", "bytes", "rows", "restarts", "seconds"};
    json_t *by_name[G_N_ELEMENTS(names)];
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        by_name[i] = json_object();
        json_object_set_new(out, names[i], by_name[i]);
    }
    for (gsize v = 0; v < N_VERBS; v++) {
        const verb_sums *sums = &t->sums[v];
        const guint64 numbers[] = {sums->items, sums->bytes, sums->rows, sums->restarts};
        for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
            bp_json_set_u64(by_name[i], verbs[v], numbers[i]);
        }
        json_object_set_new(by_name[G_N_ELEMENTS(numbers)], verbs[v], seconds(sums));
    }
}

json_t *
bp_tally_look(bp_tally *t)
{
    json_t *out = json_object();
    g_autoptr(json_t) own = bp_stats_json();
    BP_LOCK_GUARD(&t->lock);
    look_at_all(t, true);
    json_t *stats = json_deep_copy(t->stats);
    bp_tally__add(stats, own, NULL);
    json_object_set_new(out, "readable", json_boolean(t->readable));
    json_object_set_new(out, "jobs", jobs_now(t));
    json_object_set_new(out, "ended", ended(t));
    add_sums(t, out);
    json_object_update(out, stats);
    json_decref(stats);
    json_t *successes = bp_successes_read(t->jobs, NULL);
    json_object_set_new(out, "successes", successes != NULL ? successes : json_array());
    return out;
}
