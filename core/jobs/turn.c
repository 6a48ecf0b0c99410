/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose turn it is: what lives in the job directory, and who of it is in somebody's way.
 */
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jobs/ticket_internal.h"

#include "sdk/lib/ban.h"

struct bp_turns {
    int guard;       /* the directory's lock */
    GPtrArray *live; /* as bp_jobs__live */
};

static void
record_free(gpointer data)
{
    json_decref(data);
}

/* A server's are left for it to go on with: to everybody else they are interrupted meanwhile. */
static void
settle(const bp_jobs *jobs, const char *id)
{
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, NULL);
    if (record != NULL && !bp_jobs__is_supervised(record)) {
        (void)bp_jobs__settle(jobs, id, NULL); /* as good as settled for who reads it */
    }
}

/* Adds its record, if somebody runs it.  false: nobody knows whether it is in the way. */
static bool
add_live(const bp_jobs *jobs, const char *id, GPtrArray *live, GError **error)
{
    g_autofree char *path = bp_jobs__path(jobs, id);
    bp_lock_state lock = bp_jobs__lock_state(path, BP_JOB_LOCK);
    if (lock == BP_LOCK_FREE) {
        settle(jobs, id);
    }
    if (lock != BP_LOCK_HELD) {
        return true;
    }
    g_autoptr(GError) why = NULL;
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, &why);
    if (record == NULL && !bp_error_is(why, BP_ERR_NOT_FOUND)) { /* else it is being removed */
        bp_set_error(error, BP_ERR_RETRYABLE, "job %s may be in the way, but: %s", id,
                     why->message);
        return false;
    }
    /* Who has said how it ended lets go of its lock a moment later, and does nothing more. */
    if (record != NULL && !bp_jobs_is_over(bp_json_text(record, "state", ""))) {
        g_ptr_array_add(live, g_steal_pointer(&record));
    }
    return true;
}

GPtrArray *
bp_jobs__live(const bp_jobs *jobs, GError **error)
{
    g_autoptr(GPtrArray) live = g_ptr_array_new_with_free_func(record_free);
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) ids = bp_jobs__ids(jobs, &why);
    if (ids == NULL) {
        bp_set_error(error, BP_ERR_RETRYABLE, "%s", why->message);
        return NULL;
    }
    for (guint i = 0; i < ids->len; i++) {
        if (!add_live(jobs, g_ptr_array_index(ids, i), live, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&live);
}

void
bp_obstacle_clear(bp_obstacle *found)
{
    json_decref(found->record);
}

/* Its worker may be there, although it has not said so yet. */
static bool
runs(const json_t *record)
{
    return strcmp(bp_json_text(record, "state", ""), "queued") != 0 ||
           json_is_true(json_object_get(record, "starting"));
}

/* Running, or queued before us; of those that wait the oldest goes first. */
static bool
is_before(const json_t *record, const char *id)
{
    return runs(record) || strcmp(bp_json_text(record, "id", ""), id) < 0;
}

void
bp_obstacle__find(const GPtrArray *live, const char *own_id, const json_t *claims,
                  bp_obstacle *found)
{
    for (guint i = 0; i < live->len; i++) {
        json_t *record = g_ptr_array_index(live, i);
        if (strcmp(bp_json_text(record, "id", ""), own_id) == 0 || !is_before(record, own_id)) {
            continue;
        }
        bp_claims_verdict verdict = bp_claims_compare(claims, json_object_get(record, "claims"));
        if (verdict > found->verdict) {
            found->verdict = verdict;
            json_decref(found->record);
            found->record = json_incref(record);
        }
    }
}

bp_turns *
bp_turns_begin(bp_jobs *jobs, GError **error)
{
    bp_lock_wait once = {0}; /* a server looks again by itself, and has others to look after */
    int guard = bp_jobs__lock(jobs->dir, BP_JOBS_DIR_LOCK, &once, error);
    if (guard < 0) {
        return NULL;
    }
    GPtrArray *live = bp_jobs__live(jobs, error);
    if (live == NULL) {
        close(guard);
        return NULL;
    }
    bp_turns *turns = g_new0(bp_turns, 1);
    turns->guard = guard;
    turns->live = live;
    return turns;
}

void
bp_turns_end(bp_turns *turns)
{
    if (turns != NULL) {
        close(turns->guard);
        g_ptr_array_unref(turns->live);
        g_free(turns);
    }
}

guint
bp_turns_running(const bp_turns *turns, GHashTable *but)
{
    guint n = 0;
    for (guint i = 0; i < turns->live->len; i++) {
        const json_t *record = g_ptr_array_index(turns->live, i);
        n += runs(record) && bp_jobs__is_supervised(record) &&
             !g_hash_table_contains(but, bp_json_text(record, "id", ""));
    }
    return n;
}

/* Its record says so only when its worker has begun. */
static void
count_as_running(const bp_turns *turns, const char *id)
{
    for (guint i = 0; i < turns->live->len; i++) {
        json_t *record = g_ptr_array_index(turns->live, i);
        if (strcmp(bp_json_text(record, "id", ""), id) == 0) {
            bp_json_set_text(record, "state", "running");
        }
    }
}

bool
bp_ticket_may_run(bp_ticket *ticket, bp_turns *turns, bool *out, GError **error)
{
    g_auto(bp_obstacle) found = {BP_CLAIMS_FREE, NULL};
    bp_obstacle__find(turns->live, ticket->id, json_object_get(ticket->record, "claims"), &found);
    bool fine = bp_ticket__place(ticket, &found, error);
    *out = fine && ticket->waits_for == NULL;
    if (*out) {
        count_as_running(turns, ticket->id);
    }
    return fine;
}
