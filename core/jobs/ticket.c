/* SPDX-License-Identifier: Apache-2.0
 *
 * See ticket.h.  Who is let in, and whose turn it is, is decided under the directory's lock.
 */
#include "core/jobs/ticket.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/jobs/claims.h"
#include "core/jobs/ticket_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

#define TURN_NS (200 * BP_NS_PER_MS)

static void
refuse(const json_t *record, GError **error)
{
    const char *id = bp_json_text(record, "id", "?");
    bp_set_error(error, BP_ERR_EXISTS, "backup %s is being worked on by job %s (%s, since %s)",
                 bp_json_text(record, "name", "?"), id, bp_json_text(record, "verb", "?"),
                 bp_json_text(record, "created", "?"));
    bp_error_add_hint(error, "bakplane job watch %s waits for it, job cancel %s ends it", id, id);
}

static json_t *
new_record(const bp_ticket_params *params, const char *id, gint64 now_ns)
{
    g_autofree char *now = bp_clock_text(now_ns);
    json_t *record = json_object();
    bp_json_set_u64(record, "version", BP_JOBS_VERSION);
    bp_json_set_text(record, "id", id);
    bp_json_set_text(record, "verb", bp_json_text(params->request, "verb", ""));
    bp_json_set_text(record, "name", bp_json_text(params->request, "name", NULL));
    bp_json_set_text(record, "origin", params->origin);
    if (params->hold) {
        json_object_set_new(record, "supervised", json_true());
    }
    bp_json_set_text(record, "key", params->key);
    bp_json_set_text(record, "asked", params->asked);
    json_object_set_new(record, "request", bp_json_redact(params->request));
    json_object_set_new(record, "claims", json_deep_copy(params->claims));
    bp_json_set_text(record, "created", now);
    bp_json_set_u64(record, "attempt", 1);
    if (!params->hold) {
        json_object_set_new(record, "worker", bp_jobs__self());
    }
    return record;
}

bool
bp_ticket__write(bp_ticket *ticket, GError **error)
{
    ticket->unwritten = !bp_jobs__write_record(ticket->jobs, ticket->id, ticket->record, error);
    return !ticket->unwritten;
}

bool
bp_ticket__place(bp_ticket *ticket, const bp_obstacle *found, GError **error)
{
    const char *other = found->record != NULL ? bp_json_text(found->record, "id", NULL) : NULL;
    bool waits = found->verdict != BP_CLAIMS_FREE && other != NULL;
    bool queued = waits || ticket->held;
    bool is_new = json_object_get(ticket->record, "state") == NULL;
    if (queued && !is_new && !ticket->unwritten &&
        g_strcmp0(ticket->waits_for, waits ? other : NULL) == 0) {
        return true;
    }
    g_free(ticket->waits_for);
    ticket->waits_for = waits ? g_strdup(other) : NULL;
    bp_json_set_text(ticket->record, "state", queued ? "queued" : "running");
    (void)json_object_del(ticket->record, "waits_for");
    bp_json_set_text(ticket->record, "waits_for", ticket->waits_for);
    if (!queued) {
        g_autofree char *now = bp_clock_wall_text();
        bp_json_set_text(ticket->record, "started", now);
    }
    return bp_ticket__write(ticket, error);
}

bp_ticket *
bp_ticket__new(bp_jobs *jobs, const char *id)
{
    bp_ticket *ticket = g_new0(bp_ticket, 1);
    ticket->jobs = jobs;
    ticket->lock = -1;
    ticket->log = -1;
    ticket->id = g_strdup(id);
    ticket->path = bp_jobs__path(jobs, id);
    return ticket;
}

static bp_ticket *
make_job(const bp_ticket_params *params, const bp_obstacle *found, GError **error)
{
    gint64 now_ns = bp_clock_wall_ns();
    g_autofree char *id = bp_jobs__new_id(now_ns);
    g_autoptr(bp_ticket) ticket = bp_ticket__new(params->jobs, id);
    ticket->held = params->hold;
    ticket->record = new_record(params, id, now_ns);
    if (!bp_jobs__make_child(params->jobs->dir, id, error)) {
        return NULL;
    }
    bp_lock_wait once = {0}; /* nobody knows it yet */
    ticket->lock = bp_jobs__lock(ticket->path, BP_JOB_LOCK, &once, error);
    if (ticket->lock < 0 || !bp_ticket__place(ticket, found, error)) {
        bp_jobs__remove(ticket->path); /* it would look like a job that was killed */
        return NULL;
    }
    return g_steal_pointer(&ticket);
}

/* Under the directory's lock. */
static bp_ticket *
let_in(const bp_ticket_params *params, GError **error)
{
    g_auto(bp_obstacle) found = {BP_CLAIMS_FREE, NULL};
    bp_jobs__remove_old(params->jobs, BP_JOBS_MAX - 1, bp_clock_wall_ns());
    g_autoptr(GPtrArray) live = bp_jobs__live(params->jobs, error);
    if (live == NULL) {
        return NULL;
    }
    /* "~" is after every ID: whoever waits is before us. */
    bp_obstacle__find(live, "~", params->claims, &found);
    if (found.verdict == BP_CLAIMS_REFUSE) {
        refuse(found.record, error);
        return NULL;
    }
    return make_job(params, &found, error);
}

bp_ticket *
bp_ticket_take(const bp_ticket_params *params, GError **error)
{
    if (!bp_jobs__make_dir(params->jobs->dir, error)) {
        return NULL;
    }
    gint64 limit_ns = params->limit_ns > 0 ? params->limit_ns : params->jobs->lock_limit_ns;
    bp_lock_wait wait = {limit_ns, params->cancel};
    int guard = bp_jobs__lock(params->jobs->dir, BP_JOBS_DIR_LOCK, &wait, error);
    if (guard < 0) {
        return NULL;
    }
    bp_ticket *ticket = let_in(params, error);
    close(guard);
    return ticket;
}

void
bp_ticket_free(bp_ticket *ticket)
{
    if (ticket == NULL) {
        return;
    }
    if (ticket->log >= 0) {
        close(ticket->log);
    }
    if (ticket->lock >= 0) {
        close(ticket->lock);
    }
    json_decref(ticket->record);
    g_free(ticket->waits_for);
    g_free(ticket->path);
    g_free(ticket->id);
    g_free(ticket);
}

const char *
bp_ticket_id(const bp_ticket *ticket)
{
    return ticket->id;
}

const char *
bp_ticket_waits_for(const bp_ticket *ticket)
{
    return ticket->waits_for;
}

static bool
look_for_turn(bp_ticket *ticket, const bp_lock_wait *wait, GError **error)
{
    int guard = bp_jobs__lock(ticket->jobs->dir, BP_JOBS_DIR_LOCK, wait, error);
    if (guard < 0) {
        return false;
    }
    g_auto(bp_obstacle) found = {BP_CLAIMS_FREE, NULL};
    g_autoptr(GPtrArray) live = bp_jobs__live(ticket->jobs, error);
    if (live != NULL) {
        bp_obstacle__find(live, ticket->id, json_object_get(ticket->record, "claims"), &found);
    }
    bool fine = live != NULL && bp_fault_point("jobs.turn", error) &&
                bp_ticket__place(ticket, &found, error);
    close(guard);
    return fine;
}

/* What the machine is short of for a moment, descriptors or a readable record, is waited for as
 * long as the lock is: who runs without knowing is not kept apart from others. */
static bool
look_until_told(bp_ticket *ticket, const bp_cancel *cancel, GError **error)
{
    bp_lock_wait lock = {ticket->jobs->lock_limit_ns, cancel};
    gint64 until_ns = bp_clock_mono_ns() + lock.limit_ns;
    for (;;) {
        g_autoptr(GError) problem = NULL;
        if (look_for_turn(ticket, &lock, &problem)) {
            return true;
        }
        if (!bp_error_is(problem, BP_ERR_RETRYABLE) || bp_clock_mono_ns() >= until_ns ||
            !bp_cancel_sleep_ns(cancel, TURN_NS)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
    }
}

char *
bp_ticket_other(const bp_ticket *ticket)
{
    if (ticket->waits_for == NULL) {
        return NULL;
    }
    g_autoptr(json_t) record = bp_jobs__record(ticket->jobs, ticket->waits_for, NULL);
    guint64 pid = bp_json_u64(json_object_get(record, "worker"), "pid", 0);
    g_autofree char *process =
        pid > 0 ? g_strdup_printf(", process %" G_GUINT64_FORMAT, pid) : g_strdup("");
    return g_strdup_printf("job %s (%s %s%s)", ticket->waits_for,
                           bp_json_text(record, "verb", "create"),
                           bp_json_text(record, "name", "?"), process);
}

static void
give_up(const bp_ticket *ticket, gint64 limit_ns, GError **error)
{
    g_autofree char *other = bp_ticket_other(ticket);
    if (limit_ns > 0) {
        g_autofree char *limit = bp_text_duration(limit_ns);
        bp_set_error(error, BP_ERR_TIMEOUT, "waited %s for %s, which has not ended", limit, other);
    } else {
        bp_set_error(error, BP_ERR_EXISTS, "%s captures the same source, and may not be waited for",
                     other);
    }
    bp_error_add_hint(error,
                      "bakplane job cancel %s ends it; backup.wait_for_turn says how long to wait",
                      ticket->waits_for);
}

bp_turn
bp_ticket_wait(bp_ticket *ticket, gint64 limit_ns, const bp_cancel *cancel, GError **error)
{
    gint64 until_ns = bp_clock_mono_ns() + limit_ns;
    while (ticket->waits_for != NULL) {
        if (bp_clock_mono_ns() >= until_ns) {
            give_up(ticket, limit_ns, error);
            return BP_TURN_GIVEN_UP;
        }
        if (!bp_cancel_sleep_ns(cancel, TURN_NS)) {
            bp_set_error(error, BP_ERR_CANCELLED, "cancelled while it waited for job %s",
                         ticket->waits_for);
            return BP_TURN_GIVEN_UP;
        }
        g_autofree char *before = g_strdup(ticket->waits_for);
        if (!look_until_told(ticket, cancel, error)) {
            if (bp_cancel_is_set(cancel)) {
                return BP_TURN_GIVEN_UP;
            }
            const bp_obstacle nobody = {BP_CLAIMS_FREE, NULL};
            (void)bp_ticket__place(ticket, &nobody,
                                   NULL); /* for who looks, if it can be written at all */
            return BP_TURN_UNKNOWN;
        }
        if (ticket->waits_for != NULL && strcmp(ticket->waits_for, before) != 0) {
            BP_INFO("waits for the next job before it", "job", ticket->waits_for);
        }
    }
    return BP_TURN_COME;
}

bool
bp_ticket_progress(bp_ticket *ticket, const json_t *progress, GError **error)
{
    g_autofree char *text = bp_json_line(progress);
    return bp_jobs__write(ticket->path, BP_JOB_PROGRESS, text, false, error);
}

bool
bp_ticket_stats(bp_ticket *ticket, const json_t *stats, GError **error)
{
    g_autofree char *text = bp_json_line(stats);
    return bp_jobs__write(ticket->path, BP_JOB_STATS, text, false, error);
}

static void
open_log(bp_ticket *ticket)
{
    g_autofree char *path = g_build_filename(ticket->path, BP_JOB_LOG, NULL);
    ticket->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    ticket->log_bytes = 0;
}

/* Two files of half the size each: the older one goes when the newer is full. */
static void
turn_log(bp_ticket *ticket)
{
    g_autofree char *path = g_build_filename(ticket->path, BP_JOB_LOG, NULL);
    g_autofree char *older = g_build_filename(ticket->path, BP_JOB_OLD_LOG, NULL);
    close(ticket->log);
    (void)rename(path, older); /* where it fails the file is begun anew */
    open_log(ticket);
}

void
bp_ticket_log_line(void *ctx, const char *line)
{
    bp_ticket *ticket = ctx;
    gsize n = strlen(line) + 1;
    if (n > BP_JOBS_LOG_BYTES / 2) {
        return;
    }
    if (ticket->log < 0) {
        open_log(ticket);
    } else if (ticket->log_bytes + n > BP_JOBS_LOG_BYTES / 2) {
        turn_log(ticket);
    }
    g_autofree char *text = g_strconcat(line, "\n", NULL);
    if (ticket->log >= 0 && write(ticket->log, text, n) == (ssize_t)n) {
        ticket->log_bytes += n; /* a full disk costs lines of a log, nothing else */
    }
}

bool
bp_ticket_keep_result(bp_ticket *ticket, const json_t *result, GError **error)
{
    g_autoptr(json_t) clean = bp_json_redact(result);
    g_autofree char *text = bp_json_pretty(clean);
    return bp_jobs__write(ticket->path, BP_JOB_RESULT, text, true, error);
}

json_t *
bp_ticket_kept_result(const bp_ticket *ticket)
{
    return bp_jobs__read_part(ticket->path, BP_JOB_RESULT);
}

bool
bp_ticket_finish(bp_ticket *ticket, const char *state, const json_t *result, GError **error)
{
    g_autofree char *now = bp_clock_wall_text();
    bool kept = bp_ticket_keep_result(ticket, result, error);
    bp_json_set_text(ticket->record, "state", state);
    bp_json_set_text(ticket->record, "ended", now);
    (void)json_object_del(ticket->record, "waits_for");
    const char *name = bp_json_text(result, "name", NULL);
    bp_json_set_text(ticket->record, "name", name);
    json_t *problem = json_object_get(result, "error");
    if (problem != NULL) {
        json_object_set_new(ticket->record, "error", bp_json_redact(problem));
    }
    GError *unwritten = NULL;
    if (!bp_jobs__write_record(ticket->jobs, ticket->id, ticket->record, &unwritten)) {
        if (kept) {
            g_propagate_error(error, unwritten);
        } else {
            g_error_free(unwritten);
        }
        return false;
    }
    g_autofree char *lock = g_build_filename(ticket->path, BP_JOB_LOCK, NULL);
    (void)unlink(lock); /* one that stays is found free, and the record says how it ended */
    return kept;
}
