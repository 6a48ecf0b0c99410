/* SPDX-License-Identifier: Apache-2.0
 *
 * One target of a restore: prepare, place, jobs until all are done, proof, finish.  Several
 * targets run at a time; the source's jobs are few and shared by all of them.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/verb/restore_run.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "restore"

/* Polling starts eager and grows: most jobs are short, long ones need not be asked often. */
#define POLL_FIRST_NS (50 * BP_NS_PER_MS)
#define POLL_MAX_NS (2 * BP_NS_PER_S)

typedef struct {
    bp_restoring *restore;
    guint32 index;
    bp_target *target;
    GPtrArray *jobs; /* char*: tokens that are not done */
    GError *error;
} target_work;

/* Takes all job slots that are free, waiting for one while none of our own jobs runs. */
static guint
take_slots(bp_restoring *restore, bool wait)
{
    BP_LOCK_GUARD(&restore->lock);
    while (wait && restore->free_jobs == 0 && !bp_cancel_is_set(restore->cancel)) {
        (void)bp_cond_wait_until(&restore->jobs_changed, &restore->lock,
                                 bp_clock_mono_ns() + 100 * BP_NS_PER_MS);
    }
    guint taken = restore->free_jobs;
    restore->free_jobs = 0;
    return taken;
}

static void
give_slots(bp_restoring *restore, guint n)
{
    BP_LOCK_GUARD(&restore->lock);
    restore->free_jobs += n;
    pthread_cond_broadcast(&restore->jobs_changed);
}

static bool
job_started(void *ctx, const char *token, guint64 weight)
{
    target_work *work = ctx;
    (void)weight;
    g_ptr_array_add(work->jobs, g_strdup(token));
    return true;
}

/* A call that changes the target, as bp_retry wants it. */
typedef struct {
    target_work *work;
    guint before, slots; /* jobs that ran before; how many more may */
    bool *all_started;
    GError *failed; /* what must not be tried again */
} step_call;

/* Jobs that an attempt has started are not started again: the source counts them, too. */
static bool
try_step(void *ctx, GError **error)
{
    step_call *c = ctx;
    target_work *work = c->work;
    bp_restoring *restore = work->restore;
    guint used = work->jobs->len - c->before;
    *c->all_started = false;
    if (used >= c->slots) {
        return true; /* the rest when one of them is done */
    }
    bp_step_params params = {
        .target = work->index, .free_jobs = c->slots - used, .job = job_started, .ctx = work};
    GError *failed = NULL;
    if (bp_source_target_step(restore->restore, &restore->call, &params, c->all_started, &failed)) {
        return true;
    }
    /* Else perhaps a job runs that nobody knows: the same data would come twice.  A source whose
       server is busy starts fewer, and says so by starting them. */
    if (work->error == NULL && bp_error_is(failed, BP_ERR_RETRYABLE) &&
        !bp_error_outcome_unknown(failed)) {
        g_propagate_error(error, failed);
        return false;
    }
    c->failed = failed;
    return true;
}

/* Starts as many jobs as there are free slots. */
static bool
start_jobs(target_work *work, bool *all_started, GError **error)
{
    bp_restoring *restore = work->restore;
    guint before = work->jobs->len;
    guint slots = take_slots(restore, before == 0);
    if (slots == 0) {
        return bp_cancel_check(restore->cancel, error);
    }
    step_call c = {.work = work, .before = before, .slots = slots, .all_started = all_started};
    bp_retry_params retry = bp_workspace_retry_for(restore->verb->workspace, &restore->call);
    bool fine = bp_retry(&retry, try_step, &c, error) && c.failed == NULL;
    if (c.failed != NULL) {
        g_propagate_error(error, c.failed);
    }
    guint used = work->jobs->len - before;
    if (used > slots) {
        bp_set_error(&work->error, BP_ERR_PERMANENT,
                     "plugin bug: it started %u jobs where %u were free", used, slots);
    }
    give_slots(restore, slots - MIN(used, slots));
    if (work->error != NULL) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&work->error));
        return false;
    }
    return fine;
}

typedef struct {
    target_work *work;
    const char *token;
    struct bp_job_state state;
} poll_call;

static bool
try_poll(void *ctx, GError **error)
{
    poll_call *poll = ctx;
    bp_restoring *restore = poll->work->restore;
    return bp_source_job_poll(restore->restore, &restore->call, poll->work->index, poll->token,
                              &poll->state, error);
}

/* Asks once for every running job; done ones leave the list. */
static bool
poll_jobs(target_work *work, GError **error)
{
    bp_retry_params retry =
        bp_workspace_retry_for(work->restore->verb->workspace, &work->restore->call);
    for (guint i = 0; i < work->jobs->len;) {
        poll_call poll = {.work = work, .token = g_ptr_array_index(work->jobs, i)};
        poll.state.struct_size = sizeof poll.state;
        if (!bp_retry(&retry, try_poll, &poll, error)) {
            return false;
        }
        if (poll.state.phase == BP_JOB_FAILED) {
            bp_set_error(error, BP_ERR_PERMANENT, "the server failed: %s", poll.state.reason);
            return false;
        }
        if (poll.state.phase == BP_JOB_DONE) {
            g_ptr_array_remove_index(work->jobs, i);
            give_slots(work->restore, 1);
        } else {
            i++;
        }
    }
    return true;
}

static bool
run_jobs(target_work *work, GError **error)
{
    bool all_started = false;
    gint64 pause = POLL_FIRST_NS;
    while (true) {
        guint before = work->jobs->len;
        if ((!all_started && !start_jobs(work, &all_started, error)) || !poll_jobs(work, error)) {
            return false;
        }
        if (all_started && work->jobs->len == 0) {
            return true;
        }
        bool moved = work->jobs->len != before;
        /* About a twentieth of the time waited so far: what ended is seen so much later at most. */
        pause = moved ? POLL_FIRST_NS : MIN(pause * 21 / 20, POLL_MAX_NS);
        if (!bp_cancel_sleep_ns(work->restore->cancel, pause)) {
            return bp_cancel_check(work->restore->cancel, error);
        }
    }
}

typedef struct {
    const target_work *work;
    struct bp_proof proof;
} count_call;

static bool
try_count(void *ctx, GError **error)
{
    count_call *c = ctx;
    bp_restoring *restore = c->work->restore;
    return bp_source_target_prove(restore->restore, &restore->call, c->work->index, &c->proof,
                                  error);
}

/* The heart of it: what the server holds now against what the backup promises. */
static bool
prove(target_work *work, GError **error)
{
    const bp_manifest_unit *unit = work->target->unit;
    const char *what = work->restore->view.manifest->proof_what;
    count_call count = {.work = work};
    bp_retry_params retry =
        bp_workspace_retry_for(work->restore->verb->workspace, &work->restore->call);
    if (!bp_retry(&retry, try_count, &count, error)) {
        return false;
    }
    const struct bp_proof proof = count.proof;
    work->target->found = proof.found;
    if (!unit->has_proof || unit->unprovable || (proof.flags & BP_PROOF_UNPROVABLE) != 0) {
        bool now = (proof.flags & BP_PROOF_UNPROVABLE) != 0 && *proof.note != '\0';
        const char *why = now ? proof.note : unit->note;
        work->target->error = g_strdup(why != NULL ? why : "nothing was counted at capture");
        work->target->state = BP_TARGET_UNPROVABLE;
        return true;
    }
    if (proof.found < unit->low || proof.found > unit->high) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "restored %" G_GUINT64_FORMAT " %s, the backup holds %" G_GUINT64_FORMAT
                     " to %" G_GUINT64_FORMAT "%s%s",
                     proof.found, what, unit->low, unit->high, *proof.note != '\0' ? ": " : "",
                     proof.note);
        return false;
    }
    if (proof.found == 0 && unit->high > 0) {
        work->target->error = g_strdup_printf(
            "0 %s came in; the deletes may cover all %" G_GUINT64_FORMAT " of the backup", what,
            unit->high);
        work->target->state = BP_TARGET_UNPROVABLE;
        return true;
    }
    work->target->state = BP_TARGET_COMPLETE;
    atomic_fetch_add(&work->restore->found_sum, proof.found);
    return true;
}

/* An earlier run has done it all, and the source found its work as it was left. */
static void
keep_earlier(target_work *work)
{
    bp_target *target = work->target;
    bool proven = target->earlier_found != BP_UNKNOWN;
    target->state = proven ? BP_TARGET_COMPLETE : BP_TARGET_UNPROVABLE;
    target->found = proven ? target->earlier_found : 0;
    target->error = g_strdup(proven ? "by the run before, which was interrupted"
                                    : "the run before, which was interrupted, could not prove it");
    atomic_fetch_add(&work->restore->found_sum, target->found);
}

typedef struct {
    target_work *work;
    bool kept;      /* nothing was made, because an earlier run's work is there */
    GError *failed; /* what must not be tried again */
} prepare_call;

/*
 * Also a failure may have made something, which is then ours to replace, by the next attempt too:
 * what it said is on record before that.
 */
static bool
try_prepare(void *ctx, GError **error)
{
    prepare_call *c = ctx;
    bp_restoring *restore = c->work->restore;
    bp_target *target = c->work->target;
    g_autofree char *identity = NULL;
    bp_note_fns notes = bp_monitor_note_fns(restore->verb->monitor);
    bool made = bp_source_target_prepare(restore->restore, &restore->call, c->work->index, &notes,
                                         &identity, error);
    c->kept = made && target->earlier != NULL && g_strcmp0(identity, target->earlier) == 0;
    if (c->kept) {
        return true;
    }
    target->prepared = target->prepared || made || identity != NULL;
    /* A journal that takes no line any more is no matter for another attempt. */
    if (identity != NULL) {
        (void)bp_restore_journal_prepared(restore->journal, target->path, identity,
                                          made ? &c->failed : NULL);
    }
    return made;
}

/* @kept: (out) see prepare_call */
static bool
prepare(target_work *work, bool *kept, GError **error)
{
    prepare_call c = {.work = work};
    bp_retry_params retry =
        bp_workspace_retry_for(work->restore->verb->workspace, &work->restore->call);
    bool made = bp_retry(&retry, try_prepare, &c, error);
    *kept = c.kept;
    if (c.failed != NULL) {
        g_propagate_error(error, c.failed);
        return false;
    }
    if (*kept) {
        keep_earlier(work);
        return true;
    }
    return made && bp_fault_point("restore.prepared", error);
}

static bool
try_finish(void *ctx, GError **error)
{
    const target_work *work = ctx;
    bp_restoring *restore = work->restore;
    bp_note_fns notes = bp_monitor_note_fns(restore->verb->monitor);
    return bp_source_target_finish(restore->restore, &restore->call, work->index, &notes, error);
}

/* Indexes, aliases, load state: what is there already is found and left, as after a crash. */
static bool
finish(target_work *work, GError **error)
{
    bp_retry_params retry =
        bp_workspace_retry_for(work->restore->verb->workspace, &work->restore->call);
    return bp_retry(&retry, try_finish, work, error);
}

static bool
fill_target(target_work *work, GError **error)
{
    bp_restoring *restore = work->restore;
    if (restore->params->without_items) {
        work->target->state = BP_TARGET_COMPLETE;
        return true;
    }
    return bp_restore_place(restore, work->index, error) && run_jobs(work, error) &&
           bp_fault_point("restore.imported", error) && prove(work, error);
}

static bool
run_target(target_work *work, GError **error)
{
    bool kept = false;
    bp_restoring *restore = work->restore;
    const bp_target *target = work->target;
    if (!prepare(work, &kept, error)) {
        return false;
    }
    if (kept) {
        return true;
    }
    return fill_target(work, error) && finish(work, error) &&
           bp_restore_journal_done(restore->journal, target->path,
                                   target->state == BP_TARGET_COMPLETE ? target->found : BP_UNKNOWN,
                                   error);
}

static void
fail_target(bp_restoring *restore, bp_target *target, const GError *error)
{
    target->state = target->prepared ? BP_TARGET_FAILED : BP_TARGET_UNTOUCHED;
    g_free(target->error);
    target->error = g_strdup(error->message);
    target->error_class = bp_error_class(error);
    BP_LOCK_GUARD(&restore->lock);
    restore->failed = true;
}

static bool
goes_on(bp_restoring *restore)
{
    if (bp_cancel_is_set(restore->cancel)) {
        return false;
    }
    BP_LOCK_GUARD(&restore->lock);
    return !restore->failed || restore->params->continue_on_error;
}

static void *
target_worker(void *ctx)
{
    bp_restoring *restore = ctx;
    guint index = 0;
    while (goes_on(restore) &&
           (index = atomic_fetch_add(&restore->next_target, 1)) < restore->targets->len) {
        target_work work = {.restore = restore,
                            .index = index,
                            .target = g_ptr_array_index(restore->targets, index),
                            .jobs = g_ptr_array_new_with_free_func(g_free)};
        g_autoptr(GError) error = NULL;
        if (!run_target(&work, &error)) {
            fail_target(restore, work.target, error);
        }
        give_slots(restore, work.jobs->len);
        g_ptr_array_unref(work.jobs);
    }
    return NULL;
}

void
bp_restore_run_targets(bp_restoring *restore)
{
    guint wanted = (guint)bp_settings_u64(restore->settings, "concurrency.units");
    const struct bp_source_info *facts = bp_source_facts(restore->view.source);
    bool parallel = (facts->features & BP_SOURCE_CONCURRENT_UNITS) != 0;
    guint n = parallel ? CLAMP(restore->targets->len, 1, wanted) : 1;
    restore->parallel = n;
    restore->free_jobs = MAX(restore->info.max_jobs, 1);
    g_autofree pthread_t *threads = g_new(pthread_t, n);
    for (guint i = 0; i < n; i++) {
        bp_thread_start(&threads[i], target_worker, restore);
    }
    for (guint i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}
