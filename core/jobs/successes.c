/* SPDX-License-Identifier: Apache-2.0
 *
 * See successes.h.
 */
#include "core/jobs/successes.h"

#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/jobs/ticket_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

#define FILE_NAME "successes.json"
#define VERSION 1

json_t *
bp_successes_read(const bp_jobs *jobs, GError **error)
{
    GError *problem = NULL;
    g_autofree char *text = bp_jobs__read(jobs->dir, FILE_NAME, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return NULL;
    }
    if (text == NULL) {
        return json_array();
    }
    g_autoptr(json_t) file = bp_json_parse(text, strlen(text), FILE_NAME, error);
    if (file == NULL) {
        return NULL;
    }
    guint64 version = bp_json_u64(file, "version", 0);
    if (version != VERSION) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     FILE_NAME " has version %" G_GUINT64_FORMAT ", this bakplane reads %d",
                     version, VERSION);
        return NULL;
    }
    json_t *list = json_object_get(file, "successes");
    return json_is_array(list) ? json_incref(list) : json_array();
}

static json_t *
entry_of(const bp_success *success)
{
    g_autofree char *time = bp_clock_text(success->wall_ns);
    json_t *entry = json_object();
    bp_json_set_text(entry, "source", success->source);
    bp_json_set_text(entry, "label", success->label);
    bp_json_set_text(entry, "job", success->job);
    bp_json_set_text(entry, "name", success->name);
    bp_json_set_text(entry, "time", time);
    return entry;
}

static gint64
time_of(const json_t *entry)
{
    return bp_clock_parse(bp_json_text(entry, "time", ""));
}

static bool
is_same_series(const json_t *one, const json_t *other)
{
    return strcmp(bp_json_text(one, "source", ""), bp_json_text(other, "source", "")) == 0 &&
           strcmp(bp_json_text(one, "label", ""), bp_json_text(other, "label", "")) == 0;
}

/* The clock of the machine may have gone back: the later time is the true one for who alerts. */
static json_t *
with(const json_t *list, const json_t *entry)
{
    json_t *out = json_array();
    const json_t *latest = entry;
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *old = json_array_get(list, i);
        if (is_same_series(old, entry) && time_of(old) > time_of(latest)) {
            latest = old;
        }
    }
    bool placed = false;
    for (gsize i = 0; i < json_array_size(list); i++) {
        json_t *old = json_array_get(list, i);
        if (!placed && time_of(old) <= time_of(latest)) {
            json_array_append(out, (json_t *)latest);
            placed = true;
        }
        if (!is_same_series(old, entry)) {
            json_array_append(out, old);
        }
    }
    if (!placed) {
        json_array_append(out, (json_t *)latest);
    }
    while (json_array_size(out) > BP_SUCCESSES_MAX) {
        json_array_remove(out, json_array_size(out) - 1);
    }
    return out;
}

/* Under the directory's lock. */
static bool
note(bp_jobs *jobs, const bp_success *success, GError **error)
{
    GError *problem = NULL;
    g_autoptr(json_t) known = bp_successes_read(jobs, &problem);
    if (problem != NULL && !bp_error_is(problem, BP_ERR_CORRUPT)) {
        g_propagate_error(error, problem);
        return false;
    }
    if (problem != NULL) {
        BP_WARN("when backups last succeeded cannot be read, and is begun anew", "reason",
                problem->message);
        g_clear_error(&problem);
    }
    g_autoptr(json_t) entry = entry_of(success);
    g_autoptr(json_t) file = json_object();
    bp_json_set_u64(file, "version", VERSION);
    json_object_set_new(file, "successes", with(known, entry));
    g_autofree char *text = bp_json_pretty(file);
    return bp_jobs__write(jobs->dir, FILE_NAME, text, true, error);
}

bool
bp_successes_note(bp_jobs *jobs, const bp_success *success, GError **error)
{
    bp_lock_wait wait = {.limit_ns = jobs->lock_limit_ns};
    int guard = bp_jobs__lock(jobs->dir, BP_JOBS_DIR_LOCK, &wait, error);
    if (guard < 0) {
        return false;
    }
    bool fine = note(jobs, success, error);
    close(guard);
    return fine;
}
