/* SPDX-License-Identifier: Apache-2.0
 *
 * See ready.h.
 */
#include "core/server/ready.h"

#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/jobs/store.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "server"

struct bp_ready {
    bp_workspace *workspace; /* of who looks */
    bp_jobs *jobs;           /* likewise */
    bool has_written;        /* likewise: since the storage was not ready */
    pthread_mutex_t lock;    /* guards all below */
    pthread_cond_t seen;
    bp_ready_state state;
    gint64 looked_ns; /* monotonic; 0 = never */
    bool looking;
};

bp_ready *
bp_ready_new(bp_workspace *take_workspace, const char *state_dir)
{
    bp_ready *ready = g_new0(bp_ready, 1);
    ready->workspace = take_workspace;
    ready->jobs = bp_jobs_open(state_dir);
    pthread_mutex_init(&ready->lock, NULL);
    bp_cond_init(&ready->seen);
    return ready;
}

void
bp_ready_free(bp_ready *ready)
{
    if (ready != NULL) {
        g_assert(!ready->looking);
        bp_workspace_free(ready->workspace);
        bp_jobs_close(ready->jobs);
        pthread_cond_destroy(&ready->seen);
        pthread_mutex_destroy(&ready->lock);
        g_free(ready);
    }
}

/* Whether it takes what a backup writes is tried once, and again after it was not ready; in between
 * nothing is written. */
static bool
look_at_storage(bp_ready *ready, const bp_call *call, GError **error)
{
    const bp_catalog *catalog = NULL;
    guint32 need = BP_NEED_LIST | (ready->has_written ? 0 : BP_NEED_READ | BP_NEED_WRITE);
    ready->has_written = bp_workspace_catalog(ready->workspace, &catalog, error) &&
                         bp_store_probe(catalog->store, call, need, "", error);
    return ready->has_written;
}

static bool
look_at_source(bp_workspace *workspace, const bp_call *call, GError **error)
{
    bp_source_inst *source = bp_workspace_source(workspace, error);
    return source != NULL && bp_source_probe(source, call, NULL, error);
}

static bool
said(const char *what, bool fine, GError *take_error)
{
    g_autoptr(GError) error = take_error;
    if (!fine) {
        BP_WARN("not ready", "what", what, "reason", error->message);
    }
    return fine;
}

static bp_ready_state
look(bp_ready *ready)
{
    bp_call call = *bp_workspace_call(ready->workspace);
    call.deadline_ns = bp_clock_mono_ns() + BP_READY_LIMIT_NS;
    GError *storage_error = NULL;
    GError *source_error = NULL;
    GError *jobs_error = NULL;
    bool storage = look_at_storage(ready, &call, &storage_error);
    bool source = look_at_source(ready->workspace, &call, &source_error);
    bool jobs = bp_jobs_probe(ready->jobs, &jobs_error);
    return (bp_ready_state){.storage = said("backup storage", storage, storage_error),
                            .source = said("source", source, source_error),
                            .jobs = said("job directory", jobs, jobs_error)};
}

/* Returns: this thread has to look. */
static bool
begin_look(bp_ready *ready)
{
    BP_LOCK_GUARD(&ready->lock);
    while (ready->looking && ready->looked_ns == 0) {
        pthread_cond_wait(&ready->seen, &ready->lock);
    }
    gint64 age_ns = bp_clock_mono_ns() - ready->looked_ns;
    if (ready->looking || (ready->looked_ns != 0 && age_ns < BP_READY_KEEP_NS)) {
        return false;
    }
    ready->looking = true;
    return true;
}

static void
end_look(bp_ready *ready, bp_ready_state state)
{
    BP_LOCK_GUARD(&ready->lock);
    ready->state = state;
    ready->looked_ns = bp_clock_mono_ns();
    ready->looking = false;
    pthread_cond_broadcast(&ready->seen);
}

bp_ready_state
bp_ready_get(bp_ready *ready)
{
    if (begin_look(ready)) {
        end_look(ready, look(ready));
    }
    BP_LOCK_GUARD(&ready->lock);
    return ready->state;
}
