/* SPDX-License-Identifier: Apache-2.0
 *
 * See store.h: reading the job directory.  Tickets write it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jobs/store_internal.h"

#include "sdk/lib/ban.h"

/* A record may be replaced while it is looked at; more often than that it is not. */
#define MAX_LOOKS 5

#define PROBE "probe"
#define PROBE_BYTES 4096

bp_jobs *
bp_jobs_open(const char *state_dir)
{
    bp_jobs *jobs = g_new0(bp_jobs, 1);
    jobs->dir = g_build_filename(state_dir, "jobs", NULL);
    jobs->lock_limit_ns = BP_JOBS_LOCK_NS;
    return jobs;
}

void
bp_jobs_close(bp_jobs *jobs)
{
    if (jobs != NULL) {
        g_free(jobs->dir);
        g_free(jobs);
    }
}

bool
bp_jobs_probe(bp_jobs *jobs, GError **error)
{
    g_autofree char *text = g_strnfill(PROBE_BYTES, '\n');
    g_autofree char *path = g_build_filename(jobs->dir, PROBE, NULL);
    if (!bp_jobs__make_dir(jobs->dir, error) ||
        !bp_jobs__write(jobs->dir, PROBE, text, true, error)) {
        return false;
    }
    (void)unlink(path); /* one that stays is replaced by the next */
    return true;
}

char *
bp_jobs__path(const bp_jobs *jobs, const char *id)
{
    return g_build_filename(jobs->dir, id, NULL);
}

static int
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
bp_jobs__ids(const bp_jobs *jobs, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) dir = g_dir_open(jobs->dir, 0, &problem);
    if (dir == NULL && !g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        bool denied = g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_ACCES);
        bp_set_error(error, denied ? BP_ERR_DENIED : BP_ERR_PERMANENT, "job directory: %s",
                     problem->message);
        return NULL;
    }
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (bp_jobs__id_ns(name) != 0) {
            g_ptr_array_add(ids, g_strdup(name));
        }
    }
    g_ptr_array_sort(ids, by_text);
    return g_steal_pointer(&ids);
}

static void
set_not_found(const char *id, GError **error)
{
    bp_set_error(error, BP_ERR_NOT_FOUND, "there is no job %s\nhint: bakplane job list shows all",
                 id);
}

json_t *
bp_jobs__record(const bp_jobs *jobs, const char *id, GError **error)
{
    GError *problem = NULL;
    g_autofree char *path = bp_jobs__path(jobs, id);
    g_autofree char *text =
        bp_jobs__id_ns(id) != 0 ? bp_jobs__read(path, BP_JOB_RECORD, &problem) : NULL;
    if (text == NULL) {
        if (problem != NULL) {
            g_propagate_error(error, problem);
        } else {
            set_not_found(id, error);
        }
        return NULL;
    }
    g_autofree char *what = g_strdup_printf("record of job %s", id);
    g_autoptr(json_t) record = bp_json_parse(text, strlen(text), what, error);
    if (record == NULL) {
        return NULL;
    }
    guint64 version = bp_json_u64(record, "version", 0);
    if (version != BP_JOBS_VERSION) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "%s has version %" G_GUINT64_FORMAT ", this bakplane reads %d", what, version,
                     BP_JOBS_VERSION);
        return NULL;
    }
    return g_steal_pointer(&record);
}

bool
bp_jobs_is_over(const char *state)
{
    static const char *const words[] = {"succeeded", "different",   "failed",
                                        "cancelled", "interrupted", NULL};
    return g_strv_contains(words, state);
}

bool
bp_jobs__is_supervised(const json_t *record)
{
    return json_is_true(json_object_get(record, "supervised"));
}

static bool
was_asked_to_stop(const char *path)
{
    g_autofree char *mark = g_build_filename(path, BP_JOB_CANCEL, NULL);
    return access(mark, F_OK) == 0;
}

/* When a dead job was last heard of. */
static gint64
last_seen_ns(const char *path)
{
    static const char *const names[] = {BP_JOB_RECORD, BP_JOB_PROGRESS, BP_JOB_LOG};
    gint64 seen = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL);
        struct stat found;
        if (stat(file, &found) == 0) {
            gint64 at = (gint64)found.st_mtim.tv_sec * BP_NS_PER_S + found.st_mtim.tv_nsec;
            seen = MAX(seen, at);
        }
    }
    return seen;
}

static void
set_interrupted(json_t *record, const char *path)
{
    g_autofree char *ended = bp_clock_text(last_seen_ns(path));
    GError *error = NULL;
    const char *verb = bp_json_text(record, "verb", "");
    const char *name = bp_json_text(record, "name", "");
    bool is_supervised = bp_jobs__is_supervised(record);
    bool waits = is_supervised && json_object_get(record, "started") == NULL;
    if (json_object_get(record, "left") != NULL) {
        bp_set_error(&error, BP_ERR_PERMANENT,
                     "it was stopped, as with its server\nhint: the server goes on with it");
    } else if (waits) {
        bp_set_error(&error, BP_ERR_PERMANENT, "it has not begun, and waits for its server");
    } else {
        bp_set_error(&error, BP_ERR_PERMANENT,
                     "it ended without saying how: killed, or the machine went down");
    }
    if (is_supervised && was_asked_to_stop(path)) {
        bp_error_add_hint(&error, "it was asked to stop: bakplane server puts that down");
    } else if (waits || (is_supervised && strcmp(verb, "restore") != 0)) {
        bp_error_add_hint(&error, "bakplane server goes on with it");
    } else if (strcmp(verb, "create") == 0 || strcmp(verb, "copy") == 0) {
        bp_error_add_hint(&error, "%s -n %s --resume goes on with it", verb, name);
    } else {
        bp_error_add_hint(&error, "the same command again goes on with it");
    }
    bp_json_set_text(record, "state", "interrupted");
    bp_json_set_text(record, "ended", ended);
    json_object_set_new(record, "error", bp_json_error(error));
    g_error_free(error);
}

/*
 * The record with the state that is true now.  The lock is looked at before the record: whoever
 * holds it may write the end and let go in between, and then the record says so.
 */
json_t *
bp_jobs__current(const bp_jobs *jobs, const char *id, GError **error)
{
    g_autofree char *path = bp_jobs__path(jobs, id);
    bp_lock_state before = bp_jobs__lock_state(path, BP_JOB_LOCK);
    for (guint i = 0; i < MAX_LOOKS; i++) {
        g_autoptr(json_t) record = bp_jobs__record(jobs, id, error);
        if (record == NULL || bp_jobs_is_over(bp_json_text(record, "state", ""))) {
            return g_steal_pointer(&record);
        }
        bp_lock_state after = bp_jobs__lock_state(path, BP_JOB_LOCK);
        if (after == BP_LOCK_HELD) {
            if (was_asked_to_stop(path)) {
                bp_json_set_text(record, "state", "cancelling");
            }
            return g_steal_pointer(&record);
        }
        if (before == after) {
            set_interrupted(record, path);
            return g_steal_pointer(&record);
        }
        before = after;
    }
    bp_set_error(error, BP_ERR_RETRYABLE, "job %s changes too fast to be looked at", id);
    return NULL;
}

json_t *
bp_jobs__read_part(const char *path, const char *name)
{
    g_autofree char *text = bp_jobs__read(path, name, NULL);
    return text != NULL ? bp_json_parse(text, strlen(text), name, NULL) : NULL;
}

/* What others see of a record. */
static json_t *
view_of(const bp_jobs *jobs, const char *id, const json_t *record)
{
    static const char *const members[] = {"id",      "verb",    "name",    "state",
                                          "origin",  "created", "started", "ended",
                                          "attempt", "request", "error"};
    json_t *view = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_object_set(view, members[i], json_object_get(record, members[i]));
    }
    const char *state = bp_json_text(record, "state", "");
    g_autofree char *path = bp_jobs__path(jobs, id);
    if (!bp_jobs_is_over(state)) {
        bp_json_set_u64(view, "pid",
                        bp_json_u64(json_object_get(record, "worker"), "pid", G_MAXUINT64));
        bp_json_set_text(view, "waits_for", bp_json_text(record, "waits_for", NULL));
    }
    json_t *progress = bp_jobs__read_part(path, BP_JOB_PROGRESS);
    if (progress != NULL) {
        json_object_set_new(view, "progress", progress);
    }
    return view;
}

static json_t *
unreadable(const char *id, const GError *error)
{
    g_autofree char *created = bp_clock_text(bp_jobs__id_ns(id));
    json_t *view = json_object();
    bp_json_set_text(view, "id", id);
    bp_json_set_text(view, "state", "unreadable");
    bp_json_set_text(view, "created", created);
    json_object_set_new(view, "error", bp_json_error(error));
    return view;
}

json_t *
bp_jobs_list(bp_jobs *jobs, const char *state, GError **error)
{
    g_autoptr(GPtrArray) ids = bp_jobs__ids(jobs, error);
    if (ids == NULL) {
        return NULL;
    }
    json_t *list = json_array();
    for (guint i = ids->len; i > 0; i--) {
        const char *id = g_ptr_array_index(ids, i - 1);
        g_autoptr(GError) problem = NULL;
        g_autoptr(json_t) record = bp_jobs__current(jobs, id, &problem);
        if (bp_error_is(problem, BP_ERR_NOT_FOUND)) {
            continue; /* being made, or being removed */
        }
        g_autoptr(json_t) view =
            record != NULL ? view_of(jobs, id, record) : unreadable(id, problem);
        if (state == NULL || strcmp(bp_json_text(view, "state", ""), state) == 0) {
            json_array_append(list, view);
        }
    }
    return list;
}

json_t *
bp_jobs_get(bp_jobs *jobs, const char *id, GError **error)
{
    g_autoptr(json_t) record = bp_jobs__current(jobs, id, error);
    if (record == NULL) {
        return NULL;
    }
    json_t *view = view_of(jobs, id, record);
    g_autofree char *path = bp_jobs__path(jobs, id);
    json_t *result = bp_jobs__read_part(path, BP_JOB_RESULT);
    if (result != NULL) {
        json_object_set_new(view, "result", result);
    }
    return view;
}

char *
bp_jobs_log(bp_jobs *jobs, const char *id, GError **error)
{
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, error);
    if (record == NULL) {
        return NULL;
    }
    g_autofree char *path = bp_jobs__path(jobs, id);
    g_autofree char *older = bp_jobs__read(path, BP_JOB_OLD_LOG, NULL);
    g_autofree char *newer = bp_jobs__read(path, BP_JOB_LOG, NULL);
    g_autofree char *text =
        g_strconcat(older != NULL ? older : "", newer != NULL ? newer : "", NULL);
    return g_utf8_make_valid(text, -1);
}

bool
bp_jobs__write_record(const bp_jobs *jobs, const char *id, const json_t *record, GError **error)
{
    g_autofree char *path = bp_jobs__path(jobs, id);
    g_autofree char *text = bp_json_pretty(record);
    return bp_jobs__write(path, BP_JOB_RECORD, text, true, error);
}

bool
bp_jobs__settle(const bp_jobs *jobs, const char *id, GError **error)
{
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, error);
    g_autofree char *path = bp_jobs__path(jobs, id);
    if (record == NULL) {
        return false;
    }
    if (!bp_jobs_is_over(bp_json_text(record, "state", ""))) {
        set_interrupted(record, path);
        if (!bp_jobs__write_record(jobs, id, record, error)) {
            return false;
        }
    }
    g_autofree char *lock = g_build_filename(path, BP_JOB_LOCK, NULL);
    (void)unlink(lock); /* one that stays is found free and settled again */
    return true;
}
