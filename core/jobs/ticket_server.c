/* SPDX-License-Identifier: Apache-2.0
 *
 * See ticket.h: tickets that are held for a worker, handed over, and taken up again.
 */
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jobs/ticket_internal.h"

#include "sdk/lib/ban.h"

bool
bp_ticket_is_cancelled(const bp_ticket *ticket)
{
    g_autofree char *mark = g_build_filename(ticket->path, BP_JOB_CANCEL, NULL);
    return access(mark, F_OK) == 0;
}

const json_t *
bp_ticket_record(const bp_ticket *ticket)
{
    return ticket->record;
}

int
bp_ticket_lock_fd(const bp_ticket *ticket)
{
    return ticket->lock;
}

bool
bp_ticket_count_start(bp_ticket *ticket, GError **error)
{
    guint64 starts = bp_json_u64(ticket->record, "starts", 0);
    bp_json_set_u64(ticket->record, "starts", starts + 1);
    json_object_set_new(ticket->record, "starting", json_true());
    bool counted = bp_ticket__write(ticket, error);
    if (!counted) { /* it is not started either */
        bp_json_set_u64(ticket->record, "starts", starts);
        (void)json_object_del(ticket->record, "starting");
    }
    return counted;
}

void
bp_ticket_uncount_start(bp_ticket *ticket)
{
    guint64 starts = bp_json_u64(ticket->record, "starts", 1);
    bp_json_set_u64(ticket->record, "starts", starts > 0 ? starts - 1 : 0);
    (void)json_object_del(ticket->record, "starting");
    (void)bp_ticket__write(ticket, NULL); /* else when its turn is looked at again */
}

bool
bp_ticket_is_again(const bp_ticket *ticket)
{
    return ticket->again;
}

bp_ticket *
bp_ticket_adopt(bp_jobs *jobs, const char *id, int take_fd, GError **error)
{
    g_autoptr(bp_ticket) ticket = bp_ticket__new(jobs, id);
    ticket->lock = take_fd;
    ticket->record = bp_jobs__record(jobs, id, error);
    if (ticket->record == NULL) {
        return NULL;
    }
    json_t *record = ticket->record;
    g_autofree char *now = bp_clock_wall_text();
    json_object_set_new(record, "worker", bp_jobs__self());
    ticket->again = json_object_get(record, "again") != NULL;
    if (ticket->again && json_object_get(record, "left") == NULL) {
        bp_json_set_u64(record, "attempt", bp_json_u64(record, "attempt", 1) + 1);
    }
    (void)json_object_del(record, "starting");
    (void)json_object_del(record, "again");
    (void)json_object_del(record, "left");
    (void)json_object_del(record, "waits_for");
    bp_json_set_text(record, "state", "running");
    if (json_object_get(record, "started") == NULL) {
        bp_json_set_text(record, "started", now);
    }
    return bp_jobs__write_record(jobs, id, record, error) ? g_steal_pointer(&ticket) : NULL;
}

bool
bp_ticket_leave(bp_ticket *ticket, GError **error)
{
    json_t *record = ticket->record;
    if (!bp_jobs__is_supervised(record) || bp_ticket_is_cancelled(ticket)) {
        return false;
    }
    guint64 starts = bp_json_u64(record, "starts", 1);
    bp_json_set_u64(record, "starts", starts > 0 ? starts - 1 : 0);
    bp_json_set_text(record, "state", "queued");
    json_object_set_new(record, "again", json_true());
    json_object_set_new(record, "left", json_true());
    (void)json_object_del(record, "worker");
    return bp_jobs__write_record(ticket->jobs, ticket->id, record, error);
}

/* It lost its lock, but leases count a process until it is waited for. */
static bool
is_gone(const json_t *worker, const char *id, GError **error)
{
    g_autoptr(GError) why = NULL;
    int process = bp_jobs__process(worker, &why);
    if (process >= 0) {
        close(process);
        bp_set_error(error, BP_ERR_EXISTS, "the process of job %s is ending", id);
        return false;
    }
    if (!bp_error_is(why, BP_ERR_NOT_FOUND) && !bp_error_is(why, BP_ERR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    return true;
}

bp_ticket *
bp_ticket_revive(bp_jobs *jobs, const char *id, GError **error)
{
    g_autoptr(bp_ticket) ticket = bp_ticket__new(jobs, id);
    ticket->held = true;
    ticket->lock = bp_jobs__try_lock(ticket->path, BP_JOB_LOCK, error);
    ticket->record = ticket->lock >= 0 ? bp_jobs__record(jobs, id, error) : NULL;
    if (ticket->record == NULL) {
        return NULL;
    }
    const char *state = bp_json_text(ticket->record, "state", "");
    if (bp_jobs_is_over(state)) {
        bp_set_error(error, BP_ERR_INVALID, "job %s has ended: %s", id, state);
        return NULL;
    }
    const json_t *worker = json_object_get(ticket->record, "worker");
    if (worker != NULL && !is_gone(worker, id, error)) {
        return NULL;
    }
    if (worker != NULL) {
        json_object_set_new(ticket->record, "again", json_true());
        (void)json_object_del(ticket->record, "left");
        (void)json_object_del(ticket->record, "worker");
    }
    (void)json_object_del(ticket->record, "starting");
    bp_json_set_text(ticket->record, "state", "queued");
    return bp_jobs__write_record(jobs, id, ticket->record, error) ? g_steal_pointer(&ticket) : NULL;
}
