/* SPDX-License-Identifier: Apache-2.0
 *
 * See conns.h.
 */
#include "core/server/conns.h"

#include <stdbool.h>
#include <sys/socket.h>

#include "core/base/clock.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

struct bp_conn {
    int fd;
    bp_conn_state state;
    gint64 deadline_ns; /* monotonic; G_MAXINT64 = none */
};

struct bp_conns {
    gint64 receive_ns, send_ns;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below, and that no descriptor here is closed */
    pthread_cond_t changed;
    GPtrArray *all; /* bp_conn * */
    gint64 wake_ns; /* when the thread looks again */
    bool draining, ended;
};

/* Under the lock, although it is a system call: it does not wait, and outside of it the descriptor
 * might be somebody else's by now. */
static void
shut_down(bp_conn *conn)
{
    (void)shutdown(conn->fd, SHUT_RDWR); /* fails only where the other side was faster */
    conn->deadline_ns = G_MAXINT64;
}

/* Returns: when to look again. */
static gint64
shut_down_late(bp_conns *conns, gint64 now_ns)
{
    gint64 next_ns = G_MAXINT64;
    for (guint i = 0; i < conns->all->len; i++) {
        bp_conn *conn = g_ptr_array_index(conns->all, i);
        if (conn->deadline_ns <= now_ns) {
            shut_down(conn);
        }
        next_ns = MIN(next_ns, conn->deadline_ns);
    }
    return next_ns;
}

static void *
watch(void *ctx)
{
    bp_conns *conns = ctx;
    BP_LOCK_GUARD(&conns->lock);
    while (!conns->ended) {
        conns->wake_ns = shut_down_late(conns, bp_clock_mono_ns());
        if (conns->wake_ns == G_MAXINT64) {
            pthread_cond_wait(&conns->changed, &conns->lock);
        } else {
            (void)bp_cond_wait_until(&conns->changed, &conns->lock, conns->wake_ns);
        }
    }
    return NULL;
}

bp_conns *
bp_conns_new(gint64 receive_ns, gint64 send_ns)
{
    bp_conns *conns = g_new0(bp_conns, 1);
    conns->receive_ns = receive_ns;
    conns->send_ns = send_ns;
    conns->all = g_ptr_array_new();
    pthread_mutex_init(&conns->lock, NULL);
    bp_cond_init(&conns->changed);
    bp_thread_start(&conns->thread, watch, conns);
    return conns;
}

static void
end_watch(bp_conns *conns)
{
    BP_LOCK_GUARD(&conns->lock);
    conns->ended = true;
    pthread_cond_broadcast(&conns->changed);
}

void
bp_conns_free(bp_conns *conns)
{
    if (conns == NULL) {
        return;
    }
    end_watch(conns);
    pthread_join(conns->thread, NULL);
    g_assert(conns->all->len == 0);
    g_ptr_array_unref(conns->all);
    pthread_cond_destroy(&conns->changed);
    pthread_mutex_destroy(&conns->lock);
    g_free(conns);
}

static void
set_state(bp_conns *conns, bp_conn *conn, bp_conn_state state)
{
    conn->state = state;
    if (state == BP_CONN_IDLE) {
        conn->deadline_ns = bp_clock_mono_ns() + conns->receive_ns;
    } else if (state == BP_CONN_WORKING) {
        conn->deadline_ns = G_MAXINT64;
    } else if (state == BP_CONN_SENDING) {
        conn->deadline_ns = bp_clock_mono_ns() + conns->send_ns;
    }
    if (conns->draining && state == BP_CONN_IDLE) {
        shut_down(conn);
    }
    if (conns->draining || conn->deadline_ns < conns->wake_ns) {
        pthread_cond_broadcast(&conns->changed);
    }
}

bp_conn *
bp_conns_add(bp_conns *conns, int fd)
{
    bp_conn *conn = g_new0(bp_conn, 1);
    conn->fd = fd;
    BP_LOCK_GUARD(&conns->lock);
    g_ptr_array_add(conns->all, conn);
    set_state(conns, conn, BP_CONN_IDLE);
    return conn;
}

void
bp_conns_remove(bp_conns *conns, bp_conn *take_conn)
{
    BP_LOCK_GUARD(&conns->lock);
    g_ptr_array_remove_fast(conns->all, take_conn);
    g_free(take_conn);
    pthread_cond_broadcast(&conns->changed);
}

void
bp_conns_set(bp_conns *conns, bp_conn *conn, bp_conn_state state)
{
    BP_LOCK_GUARD(&conns->lock);
    set_state(conns, conn, state);
}

/* Under the lock. */
static guint
shut_down_all(bp_conns *conns, bool also_busy)
{
    guint n_busy = 0;
    for (guint i = 0; i < conns->all->len; i++) {
        bp_conn *conn = g_ptr_array_index(conns->all, i);
        bool is_busy = conn->state != BP_CONN_IDLE;
        n_busy += is_busy ? 1 : 0;
        if (!is_busy || also_busy) {
            shut_down(conn);
        }
    }
    return n_busy;
}

void
bp_conns_drain(bp_conns *conns, gint64 grace_ns)
{
    gint64 until_ns = bp_clock_mono_ns() + grace_ns;
    BP_LOCK_GUARD(&conns->lock);
    conns->draining = true;
    while (shut_down_all(conns, false) > 0 &&
           bp_cond_wait_until(&conns->changed, &conns->lock, until_ns)) {
    }
    shut_down_all(conns, true);
}
