/* SPDX-License-Identifier: Apache-2.0
 *
 * Beginning and end of the server.  See server.h.
 */
#include "core/grpc/server.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/grpc/internal.h"
#include "core/server/listen.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "grpc"
#define EXPECTED 4 /* calls that may arrive on a queue at the same moment */
#define MAX_STREAMS 100
#define MAX_METADATA 16384
#define MEMORY_BYTES (256 * 1024 * 1024) /* of all connections' buffers */
#define HANDSHAKE_MS 10000
#define IDLE_MS 30000 /* a connection without a call */
#define KEEPALIVE_MS 60000
#define KEEPALIVE_TIMEOUT_MS 20000
#define MIN_PING_MS 10000
#define RECEIVE_NS (30 * BP_NS_PER_S)
#define MAX_ARGS 16
#define IDENTITY_ONLY 1 /* a set of compressions; a small message may not become a large one */

/* Threads, and what a lane holds besides. */
static const struct {
    guint threads, queued;
} lanes[BP_GRPC_N_LANES] = {
    [BP_GRPC_QUICK] = {.threads = 4, .queued = 256},
    [BP_GRPC_STORAGE] = {.threads = 8, .queued = 128},
    [BP_GRPC_WAITING] = {.threads = 64, .queued = 0},
};

typedef struct {
    grpc_arg args[MAX_ARGS];
    size_t n;
} arg_list;

/* It would write to stderr. */
static void
on_log(gpr_log_func_args *args)
{
    if (args->severity != GPR_LOG_SEVERITY_DEBUG) {
        BP_DEBUG(args->message);
    }
}

static void
add_int(arg_list *list, const char *key, int value)
{
    g_assert(list->n < MAX_ARGS);
    list->args[list->n++] =
        (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_server *
make_server(void)
{
    arg_list list = {.n = 0};
    grpc_resource_quota *quota = grpc_resource_quota_create("bakplane");
    grpc_resource_quota_resize(quota, MEMORY_BYTES);
    list.args[list.n++] = (grpc_arg){
        .type = GRPC_ARG_POINTER,
        .key = (char *)GRPC_ARG_RESOURCE_QUOTA,
        .value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()},
    };
    add_int(&list, GRPC_ARG_ALLOW_REUSEPORT, 0); /* a second server is a mistake */
    add_int(&list, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, BP_GRPC_MAX_MESSAGE);
    add_int(&list, GRPC_ARG_MAX_CONCURRENT_STREAMS, MAX_STREAMS);
    add_int(&list, GRPC_ARG_MAX_METADATA_SIZE, MAX_METADATA);
    add_int(&list, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, IDENTITY_ONLY);
    add_int(&list, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    add_int(&list, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_MS);
    add_int(&list, GRPC_ARG_MAX_CONNECTION_IDLE_MS, IDLE_MS);
    /* Clients that have vanished end their streams; those that only ping are sent away. */
    add_int(&list, GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS);
    add_int(&list, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
    add_int(&list, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, MIN_PING_MS);
    grpc_channel_args args = {.num_args = list.n, .args = list.args};
    grpc_server *server = grpc_server_create(&args, NULL);
    grpc_resource_quota_unref(quota);
    return server;
}

static grpc_server_credentials *
make_credentials(const bp_grpc_params *params)
{
    if (params->tls_cert == NULL) {
        return grpc_insecure_server_credentials_create();
    }
    grpc_ssl_pem_key_cert_pair pair = {.private_key = params->tls_key,
                                       .cert_chain = params->tls_cert};
    return grpc_ssl_server_credentials_create_ex(
        params->tls_client_ca, &pair, 1,
        params->tls_client_ca != NULL ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        NULL);
}

/* gRPC says no more than that it cannot: whether the address is to blame is found out before. */
static bool
bind_server(bp_grpc *grpc, const bp_grpc_params *params, GError **error)
{
    guint16 port = params->port;
    int fd = bp_listen(params->address, &port, error);
    if (fd < 0) {
        return false;
    }
    close(fd);
    bool is_v6 = strchr(params->address, ':') != NULL;
    g_autofree char *address =
        g_strdup_printf(is_v6 ? "[%s]:%u" : "%s:%u", params->address, (guint)params->port);
    grpc_server_credentials *credentials = make_credentials(params);
    int bound =
        credentials != NULL ? grpc_server_add_http2_port(grpc->server, address, credentials) : 0;
    if (credentials != NULL) {
        grpc_server_credentials_release(credentials);
    }
    if (bound <= 0) {
        bp_set_error(error, params->tls_cert != NULL ? BP_ERR_INVALID : BP_ERR_PERMANENT,
                     "gRPC cannot listen on %s%s", address,
                     params->tls_cert != NULL ? ": certificate, key or CA is not usable" : "");
        return false;
    }
    grpc->port = (guint16)bound;
    return true;
}

typedef struct {
    bp_grpc *grpc;
    grpc_completion_queue *queue;
} poller;

static void *
poll_queue(void *ctx)
{
    poller *self = ctx;
    bp_grpc *grpc = self->grpc;
    grpc_completion_queue *queue = self->queue;
    g_free(self);
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        const bp_grpc_tag *tag = event.tag;
        if (tag->call != NULL) {
            bp_grpc_call_on_event(tag, event.success != 0);
            continue;
        }
        BP_LOCK_GUARD(&grpc->lock);
        grpc->is_down = true;
        pthread_cond_broadcast(&grpc->fewer);
    }
}

static void
begin(bp_grpc *grpc)
{
    grpc_server_start(grpc->server);
    for (guint i = 0; i < BP_GRPC_POLLERS; i++) {
        for (guint n = 0; n < EXPECTED; n++) {
            bp_grpc_call_expect(grpc, grpc->queues[i]);
        }
        poller self = {.grpc = grpc, .queue = grpc->queues[i]};
        bp_thread_start(&grpc->pollers[i], poll_queue, g_memdup2(&self, sizeof self));
    }
    bp_thread_start(&grpc->watcher, bp_grpc_watch, grpc);
}

static bp_grpc *
grpc_new(const bp_grpc_params *params)
{
    bp_grpc *grpc = g_new0(bp_grpc, 1);
    grpc->service = params->service;
    grpc->access = params->access;
    grpc->receive_ns = params->receive_ns > 0 ? params->receive_ns : RECEIVE_NS;
    grpc->methods = bp_grpc_methods_new();
    grpc->names = bp_grpc_names_new();
    grpc->stopping = bp_cancel_new();
    grpc->calls = g_hash_table_new(NULL, NULL);
    pthread_mutex_init(&grpc->lock, NULL);
    bp_cond_init(&grpc->fewer);
    for (guint i = 0; i < BP_GRPC_N_LANES; i++) {
        grpc->lanes[i] = bp_grpc_pool_new(lanes[i].threads, lanes[i].queued);
    }
    gpr_set_log_function(on_log);
    grpc_init();
    grpc->server = make_server();
    for (guint i = 0; i < BP_GRPC_POLLERS; i++) {
        grpc->queues[i] = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(grpc->server, grpc->queues[i], NULL);
    }
    return grpc;
}

/* Waits until gRPC is down and no call is left. */
static void
await_end(bp_grpc *grpc, gint64 deadline_ns)
{
    BP_LOCK_GUARD(&grpc->lock);
    while ((!grpc->is_down || grpc->n_objects > 0) && bp_clock_mono_ns() < deadline_ns) {
        (void)bp_cond_wait_until(&grpc->fewer, &grpc->lock, deadline_ns);
    }
}

static void
end(bp_grpc *grpc, gint64 grace_ns)
{
    bp_cancel_trigger(grpc->stopping, 0);
    grpc_server_shutdown_and_notify(grpc->server, grpc->queues[0], &grpc->down);
    await_end(grpc, bp_clock_mono_ns() + grace_ns);
    grpc_server_cancel_all_calls(grpc->server);
    await_end(grpc, G_MAXINT64);
    pthread_mutex_lock(&grpc->lock);
    grpc->is_ended = true;
    pthread_mutex_unlock(&grpc->lock);
    pthread_join(grpc->watcher, NULL);
}

static void
grpc_free(bp_grpc *grpc, bool has_begun)
{
    for (guint i = 0; i < BP_GRPC_N_LANES; i++) {
        bp_grpc_pool_free(grpc->lanes[i]);
    }
    for (guint i = 0; i < BP_GRPC_POLLERS; i++) {
        grpc_completion_queue_shutdown(grpc->queues[i]);
        if (has_begun) {
            pthread_join(grpc->pollers[i], NULL);
        } else {
            while (grpc_completion_queue_next(grpc->queues[i], gpr_inf_future(GPR_CLOCK_MONOTONIC),
                                              NULL)
                       .type != GRPC_QUEUE_SHUTDOWN) {
            }
        }
    }
    grpc_server_destroy(grpc->server);
    for (guint i = 0; i < BP_GRPC_POLLERS; i++) {
        grpc_completion_queue_destroy(grpc->queues[i]);
    }
    grpc_shutdown();
    g_hash_table_unref(grpc->methods);
    bp_grpc_names_free(grpc->names);
    g_hash_table_unref(grpc->calls);
    bp_cancel_free(grpc->stopping);
    pthread_cond_destroy(&grpc->fewer);
    pthread_mutex_destroy(&grpc->lock);
    g_free(grpc);
}

/* Of a server that was never started. */
static void
drop(bp_grpc *grpc)
{
    grpc_server_shutdown_and_notify(grpc->server, grpc->queues[0], &grpc->down);
    (void)grpc_completion_queue_next(grpc->queues[0], gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_free(grpc, false);
}

/* It has an address of its own, which bp_access_new did not see. */
static bool
check_openness(const bp_grpc_params *params, GError **error)
{
    const bp_server_settings *settings = bp_service_settings(params->service);
    if (settings->is_open && !settings->is_insecure && !bp_listen_is_loopback(params->address)) {
        bp_set_error(error, BP_ERR_INVALID,
                     "without authentication everybody who reaches %s could restore and delete",
                     params->address);
        bp_error_add_hint(error, "listen on 127.0.0.1, or say --insecure if that is wanted");
        return false;
    }
    return true;
}

bp_grpc *
bp_grpc_start(const bp_grpc_params *params, GError **error)
{
    if (!check_openness(params, error)) {
        return NULL;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* gRPC's threads inherit this */
    bp_grpc *grpc = grpc_new(params);
    if (bind_server(grpc, params, error)) {
        begin(grpc);
    } else {
        drop(grpc);
        grpc = NULL;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return grpc;
}

guint16
bp_grpc_port(const bp_grpc *grpc)
{
    return grpc->port;
}

void
bp_grpc_stop(bp_grpc *take_grpc, gint64 grace_ns)
{
    if (take_grpc != NULL) {
        end(take_grpc, grace_ns);
        grpc_free(take_grpc, true);
    }
}
