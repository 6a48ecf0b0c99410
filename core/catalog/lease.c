/* SPDX-License-Identifier: Apache-2.0
 *
 * See lease.h: taking a lease, holding it, giving it back.
 *
 * The thread renews on its own call: neither the job's cancel nor its deadline may end the lease
 * while the job still cleans up.  A holder that could not renew for two periods regards the lease
 * as lost; observers wait for three.
 */
#include "core/catalog/lease.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/thread.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/lease_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "lease"

#define TAKE_ROUNDS 8 /* the object comes and goes under our eyes: somebody is always faster */
#define LOST_AFTER 2  /* periods without a renewal */
#define RETRIES_PER_PERIOD 6

struct bp_lease {
    bp_catalog catalog;
    char *key;
    gint64 renew_ns;
    bp_cancel *on_loss;

    /* Of whoever takes, then of the thread, then of whoever frees. */
    bp_lease_record *record;
    char etag[128];
    bool conditional; /* the storage replaces and removes by version */
    bool perhaps;     /* our record may lie there, whatever became of the taking */

    bp_cancel *stop; /* ends a renewal on its way */
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    bool stopping;
    char *lost;        /* why, or NULL */
    char *failed;      /* why the last renewal did, or NULL */
    gint64 renewed_ns; /* when the last good write began; monotonic */
};

static bp_lease *
lease_new(const bp_lease_params *params)
{
    bp_lease *lease = g_new0(bp_lease, 1);
    lease->catalog = *params->catalog;
    lease->key = g_strdup(params->key);
    lease->renew_ns = params->renew_ns;
    lease->on_loss = params->on_loss;
    lease->record = bp_lease_record_new(params->run_id, params->purpose, params->renew_ns);
    lease->conditional = bp_store_can(params->catalog->store, BP_STORE_IF_MATCH);
    lease->stop = bp_cancel_new();
    pthread_mutex_init(&lease->lock, NULL);
    bp_cond_init(&lease->wake);
    return lease;
}

static void
lease_destroy(bp_lease *lease)
{
    pthread_cond_destroy(&lease->wake);
    pthread_mutex_destroy(&lease->lock);
    bp_cancel_free(lease->stop);
    bp_lease_record_free(lease->record);
    g_free(lease->lost);
    g_free(lease->failed);
    g_free(lease->key);
    g_free(lease);
}

/** One attempt to become the holder. */
typedef struct {
    bp_lease *lease;
    bool exclusive;
    const char *if_match;
    bool taken;
    bp_lease_found found; /* whoever holds it, if not taken; text NULL = nobody */
} take_call;

/* A write that failed may have worked: what is there now decides. */
static bool
look_after_failure(take_call *take, GError *take_failed, GError **error)
{
    bp_lease *lease = take->lease;
    const bp_catalog *catalog = &lease->catalog;
    bool unknown = bp_error_outcome_unknown(take_failed);
    bool conflict = bp_error_is(take_failed, BP_ERR_EXISTS) ||
                    (take->if_match != NULL && bp_error_is(take_failed, BP_ERR_NOT_FOUND));
    g_autoptr(GError) read_failed = NULL;
    bool known = (unknown || conflict) && bp_lease__read(catalog->store, catalog->call, lease->key,
                                                         &take->found, &read_failed);
    if (!known || (unknown && take->found.text == NULL)) {
        /* After a conflict the reason is that nobody could see with whom. */
        if (read_failed != NULL && !unknown) {
            g_propagate_error(error, g_steal_pointer(&read_failed));
            g_error_free(take_failed);
        } else {
            g_propagate_error(error, take_failed);
        }
        return false;
    }
    g_error_free(take_failed);
    take->taken = bp_lease_found_is(&take->found, lease->record->run_id);
    if (take->taken) {
        g_strlcpy(lease->etag, take->found.etag, sizeof lease->etag);
    }
    return true;
}

static bool
try_take(void *ctx, GError **error)
{
    take_call *take = ctx;
    bp_lease *lease = take->lease;
    bp_lease_write write = {.store = lease->catalog.store,
                            .call = lease->catalog.call,
                            .key = lease->key,
                            .record = lease->record,
                            .exclusive = take->exclusive,
                            .if_match = take->if_match};
    GError *failed = NULL;
    lease->renewed_ns = bp_clock_mono_ns(); /* no thread yet */
    take->taken = bp_lease__write(&write, lease->etag, &failed);
    lease->perhaps = lease->perhaps || take->taken || bp_error_outcome_unknown(failed);
    return take->taken || look_after_failure(take, failed, error);
}

static bool
attempt(take_call *take, GError **error)
{
    take->taken = false;
    bp_lease_found_clear(&take->found);
    return bp_catalog__pass("catalog.lease", ".before", error) &&
           bp_catalog__retry(&take->lease->catalog, try_take, take, error) &&
           bp_catalog__pass("catalog.lease", ".after", error);
}

/* Who holds it?  true: it is stale, or gone meanwhile.  false: EXISTS, or the look failed. */
static bool
may_replace(const bp_lease_params *params, const bp_lease_found *found, bool *gone, GError **error)
{
    bp_lease_state state = bp_lease_record_judge(found->record);
    *gone = false;
    if (state == BP_LEASE_DEAD) {
        return true;
    }
    if (state == BP_LEASE_LIVE || !params->wait_stale) {
        bp_lease__set_held(params, found, state, error);
        return false;
    }
    bp_lease_verdict verdict = BP_LEASE_WATCH_ALIVE;
    if (!bp_lease__watch(params, found, &verdict, error)) {
        return false;
    }
    if (verdict == BP_LEASE_WATCH_ALIVE) {
        bp_lease__set_held(params, found, BP_LEASE_LIVE, error);
        return false;
    }
    *gone = verdict == BP_LEASE_WATCH_GONE;
    return true;
}

/*
 * Without conditional replacement a stale lease is removed and a new one created.  Between our
 * look and our removal another may have done the same: so look again, as late as possible.
 */
static bool
remove_stale(const bp_lease_params *params, const bp_lease_found *found, GError **error)
{
    g_auto(bp_lease_found) now = {0};
    if (!bp_lease__get(params->catalog, params->key, &now, error)) {
        return false;
    }
    return g_strcmp0(now.text, found->text) != 0 ||
           bp_catalog__remove(params->catalog, params->key, error);
}

/* … and look once more after others had time to do so. */
static bool
confirm(bp_lease *lease, const bp_lease_params *params, GError **error)
{
    const bp_cancel *cancel = params->catalog->call->cancel;
    g_auto(bp_lease_found) now = {0};
    if (!bp_cancel_sleep_ns(cancel, bp_lease__settle_ns(params))) {
        return bp_cancel_check(cancel, error);
    }
    if (!bp_lease__get(params->catalog, params->key, &now, error)) {
        return false;
    }
    if (bp_lease_found_is(&now, lease->record->run_id)) {
        return true;
    }
    bp_set_error(error, BP_ERR_EXISTS, "%s was taken by another run at the same time", params->key);
    return false;
}

/** How the taking goes on after a round. */
typedef struct {
    bool replaced;   /* a stale lease was removed: confirm the new one */
    bool by_version; /* replace the version in `etag` */
    char etag[128];
} approach;

/* One who holds it was found: prepare the next round, or fail. */
static bool
prepare_next(const bp_lease_params *params, const bp_lease_found *found, bool conditional,
             approach *next, GError **error)
{
    bool gone = found->text == NULL;
    next->by_version = false;
    if (!gone && !may_replace(params, found, &gone, error)) {
        return false;
    }
    if (gone) {
        return true;
    }
    g_autofree char *holder = bp_lease_record_describe(found->record);
    BP_WARN("taking over a stale lease", "key", params->key, "holder", holder);
    if (conditional) {
        next->by_version = true;
        g_strlcpy(next->etag, found->etag, sizeof next->etag);
        return true;
    }
    next->replaced = true;
    return remove_stale(params, found, error);
}

static bool
take(bp_lease *lease, const bp_lease_params *params, bool exclusive, GError **error)
{
    approach next = {0};
    take_call call = {.lease = lease};
    bool ok = true;
    for (guint round = 0; ok && !call.taken && round < TAKE_ROUNDS; round++) {
        call.exclusive = exclusive && !next.by_version;
        call.if_match = next.by_version ? next.etag : NULL;
        ok = attempt(&call, error) &&
             (call.taken || prepare_next(params, &call.found, lease->conditional, &next, error));
    }
    bp_lease_found_clear(&call.found);
    if (ok && !call.taken) {
        bp_set_error(error, BP_ERR_EXISTS, "%s changes hands all the time", params->key);
        return false;
    }
    return ok && (!next.replaced || confirm(lease, params, error));
}

/* Our claim won; what is there now is ours or stale and may be written over. */
static bool
take_by_claim(bp_lease *lease, const bp_lease_params *params, GError **error)
{
    g_auto(bp_lease_found) found = {0};
    if (!bp_lease__get(params->catalog, params->key, &found, error)) {
        return false;
    }
    bool gone = false;
    if (found.text != NULL && (!may_replace(params, &found, &gone, error) ||
                               (!gone && !remove_stale(params, &found, error)))) {
        return false;
    }
    if (!bp_lease__claim(params, lease->record, error)) {
        return false;
    }
    bool ok = take(lease, params, false, error);
    bp_lease__drop_claim(params);
    return ok;
}

/** What came of one renewal. */
typedef enum { RENEWED, FAILED, LOST } renewal;

/* The version we know is not there any more: replaced by another, or by our own last write. */
static renewal
after_conflict(bp_lease *lease, const bp_call *call)
{
    g_auto(bp_lease_found) now = {0};
    if (!bp_lease__read(lease->catalog.store, call, lease->key, &now, NULL)) {
        return FAILED;
    }
    if (!bp_lease_found_is(&now, lease->record->run_id)) {
        return LOST;
    }
    g_strlcpy(lease->etag, now.etag, sizeof lease->etag);
    return FAILED; /* ours: the next write names the right version */
}

/* @why: (out) (transfer full) of one that failed */
static renewal
renew(bp_lease *lease, char **why)
{
    bp_call call = {.cancel = lease->stop, .deadline_ns = bp_clock_mono_ns() + lease->renew_ns};
    if (!lease->conditional) {
        renewal seen = after_conflict(lease, &call);
        if (seen == LOST) {
            return LOST;
        }
    }
    lease->record->renewals++;
    bp_lease_write write = {.store = lease->catalog.store,
                            .call = &call,
                            .key = lease->key,
                            .record = lease->record,
                            .if_match = lease->conditional ? lease->etag : NULL};
    g_autoptr(GError) failed = NULL;
    if (bp_lease__write(&write, lease->etag, &failed)) {
        return RENEWED;
    }
    if (!bp_error_is(failed, BP_ERR_CANCELLED)) {
        BP_WARN("a lease could not be renewed", "key", lease->key, "error", failed->message);
        *why = g_strndup(failed->message, strcspn(failed->message, "\n"));
    }
    bool conflict = bp_error_is(failed, BP_ERR_EXISTS) || bp_error_is(failed, BP_ERR_NOT_FOUND);
    return conflict ? after_conflict(lease, &call) : FAILED;
}

static bool
is_overdue(const bp_lease *lease)
{
    return bp_clock_mono_ns() - lease->renewed_ns > LOST_AFTER * lease->renew_ns;
}

/* Lock held.  What keeps us from renewing is also what the job suffers from, and has to be mended.
 * Returns: (transfer full) */
static char *
with_reason(const bp_lease *lease, const char *what)
{
    return g_strconcat(what, lease->failed != NULL ? ": " : "", lease->failed, NULL);
}

/* Lock held. */
static void
lose(bp_lease *lease, char *take_why)
{
    lease->lost = take_why;
    if (lease->on_loss != NULL) {
        bp_cancel_trigger(lease->on_loss, 0);
    }
}

/* Lock held before and after, not while waiting or renewing. */
static gint64
renew_once(bp_lease *lease)
{
    gint64 begun = bp_clock_mono_ns();
    pthread_mutex_unlock(&lease->lock);
    char *why = NULL;
    renewal result = renew(lease, &why);
    pthread_mutex_lock(&lease->lock);
    g_free(lease->failed);
    lease->failed = why;
    if (result == RENEWED) {
        lease->renewed_ns = begun;
        return begun + lease->renew_ns;
    }
    if (result == LOST) {
        lose(lease, g_strdup("somebody else took it"));
    } else if (is_overdue(lease) && !lease->stopping) {
        lose(lease, with_reason(lease, "it could not be renewed for too long"));
    }
    return bp_clock_mono_ns() + lease->renew_ns / RETRIES_PER_PERIOD;
}

static void *
renewer(void *ctx)
{
    bp_lease *lease = ctx;
    BP_LOCK_GUARD(&lease->lock);
    gint64 next = lease->renewed_ns + lease->renew_ns;
    while (!lease->stopping && lease->lost == NULL) {
        if (bp_clock_mono_ns() >= next) {
            next = renew_once(lease);
        } else {
            (void)bp_cond_wait_until(&lease->wake, &lease->lock, next);
        }
    }
    return NULL;
}

/* One attempt to give a lease back. */
typedef struct {
    const bp_lease *lease;
    const bp_call *call;
} release_call;

/* Only while it is ours; another's stays.  Looks anew each time: a removal that failed may have
 * worked, and somebody else may be the holder since. */
static bool
try_release(void *ctx, GError **error)
{
    const release_call *c = ctx;
    const bp_lease *lease = c->lease;
    g_auto(bp_lease_found) now = {0};
    if (!bp_lease__read(lease->catalog.store, c->call, lease->key, &now, error)) {
        return false;
    }
    const char *if_match = lease->conditional ? now.etag : NULL;
    return !bp_lease_found_is(&now, lease->record->run_id) ||
           bp_store_remove(lease->catalog.store, c->call, lease->key, if_match, error);
}

static void
release(const bp_lease *lease)
{
    bp_call undo = bp_call_undo(lease->catalog.call);
    bp_catalog catalog = lease->catalog;
    catalog.call = &undo; /* also the retries: after a cancel, and not for ever */
    release_call call = {.lease = lease, .call = &undo};
    g_autoptr(GError) failed = NULL;
    if (!bp_catalog__retry(&catalog, try_release, &call, &failed)) {
        BP_WARN("a lease stays behind", "key", lease->key, "error", failed->message);
    }
}

bp_lease *
bp_lease_take(const bp_lease_params *params, GError **error)
{
    bool exclusive = bp_store_can(params->catalog->store, BP_STORE_IF_NONE_MATCH);
    if (!exclusive && !params->advisory) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "storage %s cannot create an object exclusively, so two runs could write %s",
                     bp_store_name(params->catalog->store), params->key);
        bp_error_add_hint(error, "\"lock: advisory\" makes runs agree among themselves instead");
        return NULL;
    }
    bp_lease *lease = lease_new(params);
    bool ok = exclusive ? take(lease, params, true, error) : take_by_claim(lease, params, error);
    if (!ok) {
        if (lease->perhaps) {
            release(lease); /* else all others would have to find out that it is nobody's */
        }
        lease_destroy(lease);
        return NULL;
    }
    bp_thread_start(&lease->thread, renewer, lease);
    return lease;
}

bool
bp_lease_check(const bp_lease *lease, GError **error)
{
    BP_LOCK_GUARD((pthread_mutex_t *)&lease->lock);
    g_autofree char *why = g_strdup(lease->lost);
    if (why == NULL && is_overdue(lease)) {
        why = with_reason(lease, "it was not renewed in time");
    }
    if (why != NULL) {
        bp_set_error(error, BP_ERR_STALE, "lease %s was lost: %s", lease->key, why);
    }
    return why == NULL;
}

/* Who has a hint already keeps it. */
static void
add_loss(GError *error, const char *loss)
{
    char *hint = strstr(error->message, "\nhint: ");
    if (hint == NULL) {
        bp_error_add_hint(&error, "%s, so another run may be at work there", loss);
        return;
    }
    g_autofree char *old = error->message;
    error->message = g_strdup_printf("%.*s; %s%s", (int)(hint - old), old, loss, hint);
}

bool
bp_lease_blame(const bp_lease *lease, const bp_cancel *user, GError **error)
{
    g_autoptr(GError) lost = NULL;
    if (bp_lease_check(lease, &lost)) {
        return true;
    }
    bool stopped = bp_error_is(*error, BP_ERR_CANCELLED) && !bp_cancel_is_set(user);
    if (*error == NULL || stopped) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&lost));
    } else if (strstr((*error)->message, lost->message) == NULL) {
        add_loss(*error, lost->message);
    }
    return false;
}

void
bp_lease_free(bp_lease *lease)
{
    if (lease == NULL) {
        return;
    }
    pthread_mutex_lock(&lease->lock);
    lease->stopping = true;
    pthread_cond_signal(&lease->wake);
    pthread_mutex_unlock(&lease->lock);
    bp_cancel_trigger(lease->stop, 0);
    pthread_join(lease->thread, NULL);
    release(lease);
    lease_destroy(lease);
}
