/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread for all calls that wait: it has streams looked at again when their job has changed,
 * and ends calls whose message does not come.
 *
 * A stream that is still being sent is not looked at; when it is through, it is compared again.
 * So a slow client costs one message, and gets the newest.
 */
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/grpc/internal.h"

#include "sdk/lib/ban.h"

#define LOOK_NS (1 * BP_NS_PER_S)
#define ENDING_NS (50 * BP_NS_PER_MS)

/* Under the lock. */
static bool
has_changed(const bp_grpc_call *call, bool is_ending)
{
    bp_grpc_ask ask = bp_grpc_ask_of(call);
    return is_ending || call->method->version(&ask) != call->seen;
}

/* Under the lock.  @look, @cut: get a reference to those that need it. */
static void
sort(bp_grpc *grpc, bool is_ending, GPtrArray *look, GPtrArray *cut)
{
    gint64 now_ns = bp_clock_mono_ns();
    GHashTableIter iter;
    gpointer element = NULL;
    g_hash_table_iter_init(&iter, grpc->calls);
    while (g_hash_table_iter_next(&iter, &element, NULL)) {
        bp_grpc_call *call = element;
        bool is_late = is_ending || now_ns - call->since_ns > grpc->receive_ns;
        if (call->is_gone) {
            continue;
        }
        if (call->state == BP_GRPC_WATCHING && has_changed(call, is_ending)) {
            call->state = BP_GRPC_WORKING;
            g_ptr_array_add(look, bp_grpc_call_ref(call));
        } else if (call->state == BP_GRPC_RECEIVING && is_late) {
            call->state = BP_GRPC_OVER;
            g_ptr_array_add(cut, bp_grpc_call_ref(call));
        }
    }
}

static void
cut_off(bp_grpc_call *call, bool is_ending)
{
    if (is_ending) {
        bp_grpc_call_cut(call, GRPC_STATUS_UNAVAILABLE, "the server ends");
    } else {
        g_autofree char *limit = bp_text_duration(call->grpc->receive_ns);
        g_autofree char *why = g_strdup_printf("no message has come for %s", limit);
        bp_grpc_call_cut(call, GRPC_STATUS_DEADLINE_EXCEEDED, why);
    }
    bp_grpc_call_unref(call);
}

/* Returns: not at the end */
static bool
walk(bp_grpc *grpc, bool is_ending)
{
    g_autoptr(GPtrArray) look = g_ptr_array_new();
    g_autoptr(GPtrArray) cut = g_ptr_array_new();
    pthread_mutex_lock(&grpc->lock);
    sort(grpc, is_ending, look, cut);
    bool is_ended = grpc->is_ended;
    pthread_mutex_unlock(&grpc->lock);
    for (guint i = 0; i < look->len; i++) {
        bp_grpc_call_look(look->pdata[i]);
        bp_grpc_call_unref(look->pdata[i]);
    }
    for (guint i = 0; i < cut->len; i++) {
        cut_off(cut->pdata[i], is_ending);
    }
    return !is_ended;
}

void *
bp_grpc_watch(void *ctx)
{
    bp_grpc *grpc = ctx;
    guint64 seen = bp_service_changes(grpc->service, NULL);
    while (walk(grpc, bp_cancel_is_set(grpc->stopping))) {
        gint64 now_ns = bp_clock_mono_ns();
        if (!bp_cancel_is_set(grpc->stopping)) {
            seen =
                bp_service_wait_change(grpc->service, NULL, seen, now_ns + LOOK_NS, grpc->stopping);
        } else {
            (void)bp_cancel_sleep_ns(NULL, ENDING_NS); /* what is on its way comes back to us */
        }
    }
    return NULL;
}
