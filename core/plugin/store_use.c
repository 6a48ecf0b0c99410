/* SPDX-License-Identifier: Apache-2.0
 *
 * See store_internal.h: one use of a storage's instance, and opening it anew when its credentials
 * are refused.
 *
 * A plugin renews what it can by itself, so AUTH means that it could not, or that the server
 * refused what it has.  Opening anew reads files and asks for tokens from the start, which helps
 * when they were changed meanwhile.  It is done once: what was opened anew has to have one success
 * before it is opened anew again.
 */
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/plugin/host.h"
#include "core/plugin/store_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "store"

/* Nobody is inside the plugin. */
static bp_store_instance *
open_inside(bp_store *store, bp_frame *frame, bp_status *status)
{
    struct bp_storage *plugin = NULL;
    *status =
        store->ops->open(bp_host_table(), &frame->op, store->settings, &plugin, &frame->error);
    if (*status != BP_OK || plugin == NULL) {
        return NULL;
    }
    bp_store_instance *instance = g_new0(bp_store_instance, 1);
    instance->plugin = plugin;
    return instance;
}

/* Nobody is inside the plugin, and nobody reads or writes through it. */
static void
close_inside(bp_store *store, bp_store_instance *instance)
{
    store->ops->close(instance->plugin);
    g_free(instance);
}

/* What a plugin keeps to itself until the barrier would be lost with its instance. */
static bool
is_needed(const bp_store *store, bp_store_instance *old)
{
    return atomic_load(&old->streams) > 0 ||
           (store->ops->sync != NULL && atomic_load(&old->unsynced));
}

/* Those that were replaced and are of no use any more. */
static void
close_idle_inside(bp_store *store)
{
    bp_store_instance **at = &store->replaced;
    while (*at != NULL) {
        bp_store_instance *old = *at;
        if (is_needed(store, old)) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        close_inside(store, old);
    }
}

bp_store_instance *
bp_store__open_instance(bp_store *store, const bp_call *call, GError **error)
{
    bp_frame frame;
    bp_status status = BP_OK;
    bp_frame_enter_alone(&frame, &store->base, "open", call);
    bp_store_instance *instance = open_inside(store, &frame, &status);
    close_idle_inside(store);
    if (!bp_frame_leave_alone(&frame, status, error)) {
        if (instance != NULL) { /* an injected fault */
            instance->next = store->replaced;
            store->replaced = instance;
        }
        return NULL;
    }
    if (instance == NULL) {
        (void)bp_plugin_bug(&store->base, "open", error, "answered no instance");
    }
    return instance;
}

void
bp_store__close_instances(bp_store *store)
{
    bp_frame frame;
    if (store->current == NULL && store->replaced == NULL) {
        return;
    }
    bp_frame_enter_alone(&frame, &store->base, "close", NULL);
    while (store->replaced != NULL) {
        bp_store_instance *old = store->replaced;
        store->replaced = old->next;
        close_inside(store, old);
    }
    if (store->current != NULL) {
        close_inside(store, store->current);
    }
    (void)bp_frame_leave_alone(&frame, BP_OK, NULL); /* close cannot fail */
}

bp_store_instance *
bp_store__current(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return store->current;
}

typedef enum { STILL_REFUSED, REPLACED_BY_OTHERS, TO_BE_RENEWED } renewal;

static renewal
judge(bp_store *store, const bp_store_instance *refused)
{
    BP_LOCK_GUARD(&store->lock);
    return store->current != refused ? REPLACED_BY_OTHERS
           : store->unproven         ? STILL_REFUSED
                                     : TO_BE_RENEWED;
}

static void
replace(bp_store *store, bp_store_instance *take_fresh)
{
    BP_LOCK_GUARD(&store->lock);
    store->current->next = store->replaced;
    store->replaced = store->current;
    store->current = take_fresh;
    store->unproven = true;
}

static void
give_up(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    store->unproven = true; /* no better than what it would have replaced */
}

/* True when there is another instance now than the one that was refused. */
static bool
renew(bp_store *store, const bp_store_instance *refused, const bp_call *call, const GError *why)
{
    BP_LOCK_GUARD(&store->renew_lock); /* those who come next wait for the outcome */
    renewal what = judge(store, refused);
    if (what != TO_BE_RENEWED) {
        return what == REPLACED_BY_OTHERS;
    }
    g_autoptr(GError) failed = NULL;
    bp_store_instance *fresh = bp_store__open_instance(store, call, &failed);
    if (fresh == NULL) {
        BP_WARN("credentials were refused, and the storage cannot be opened anew", "storage",
                store->base.name, "reason", failed->message);
        give_up(store);
        return false;
    }
    BP_INFO("credentials were refused, the storage is opened anew", "storage", store->base.name,
            "reason", why->message);
    replace(store, fresh);
    return true;
}

void
bp_store__note_success(bp_store *store, const bp_store_instance *instance)
{
    BP_LOCK_GUARD(&store->lock);
    if (store->current == instance) {
        store->unproven = false;
    }
}

bp_store_use
bp_store__use(bp_store *store, const char *what, const bp_call *call)
{
    return (bp_store_use){.store = store, .what = what, .call = call};
}

/* Once for each use. */
static bool
renewed(bp_store_use *use, const bp_store_instance *refused, const GError *why)
{
    bool again =
        !use->again && bp_error_is(why, BP_ERR_AUTH) && renew(use->store, refused, use->call, why);
    use->again = use->again || again;
    return again;
}

bool
bp_store__enter(bp_store_use *use, GError **error)
{
    while (true) {
        GError *failed = NULL;
        const bp_store_instance *before = bp_store__current(use->store);
        if (bp_frame_enter(&use->frame, &use->store->base, use->what, use->call, &failed)) {
            use->instance = bp_store__current(use->store);
            return true;
        }
        if (!renewed(use, before, failed)) { /* the plugin was not asked: an injected fault */
            g_propagate_error(error, failed);
            return false;
        }
        g_clear_error(&failed);
    }
}

bool
bp_store__refused(bp_store_use *use, bp_status status)
{
    if (bp_frame_leave(&use->frame, status, &use->failed)) {
        if (!use->may_only_keep) {
            bp_store__note_success(use->store, use->instance);
        }
        return false;
    }
    /* What the plugin did is done, even if an injected fault says otherwise. */
    if (status == BP_OK || !renewed(use, use->instance, use->failed)) {
        return false;
    }
    g_clear_error(&use->failed);
    return true;
}

bool
bp_store__result(bp_store_use *use, GError **error)
{
    if (use->failed == NULL) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&use->failed));
    return false;
}

void
bp_store__begin_stream(bp_store_instance *instance)
{
    atomic_fetch_add(&instance->streams, 1);
}

void
bp_store__end_stream(bp_store_instance *instance)
{
    atomic_fetch_sub(&instance->streams, 1);
}

void
bp_store__note_commit(bp_store_instance *instance)
{
    atomic_store(&instance->unsynced, true);
}

bp_store_instance *
bp_store__unsynced(bp_store *store)
{
    BP_LOCK_GUARD(&store->renew_lock);
    for (bp_store_instance *old = store->replaced; old != NULL; old = old->next) {
        if (atomic_load(&old->unsynced)) {
            bp_store__begin_stream(old);
            return old;
        }
    }
    return NULL;
}

bool
bp_store__leave_stream(const bp_store_stream *stream, bp_frame *frame, bp_status status,
                       GError **error)
{
    g_autoptr(GError) failed = NULL;
    if (bp_frame_leave(frame, status, &failed)) {
        return true;
    }
    if (bp_error_is(failed, BP_ERR_AUTH) &&
        renew(stream->store, stream->instance, &frame->call, failed)) {
        bp_set_error(error, BP_ERR_RETRYABLE, "%s (the storage is opened anew)", failed->message);
        return false;
    }
    g_propagate_error(error, g_steal_pointer(&failed));
    return false;
}
