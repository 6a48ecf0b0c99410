/* SPDX-License-Identifier: Apache-2.0
 *
 * See http.h.  All callbacks of one connection come one after the other: its begin and end from the
 * thread that listens, the rest from its own.
 */
#include "core/server/http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/server/conns.h"
#include "core/server/listen.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "http"

#define TLS_VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct bp_http {
    bp_http_params params; /* texts are not kept */
    guint16 port;
    struct MHD_Daemon *daemon;
    bp_conns *conns;
    bp_cancel *stopping;
};

/* A connection and the request that is on it now. */
typedef struct {
    bp_conn *conn;
    char *line; /* target as it came */
    bp_http_target *target;
    GHashTable *headers;
    const char *twice; /* a header that may come once, and did not */
    const bp_route *route;
    GByteArray *body;
    bool has_begun, too_large;
    char id[64]; /* of the request, for logs */
} exchange;

/* The client's own, if it has the form of one: both sides' logs can be laid side by side then. */
static void
choose_id(exchange *x)
{
    static const char *const names[] = {"x-request-id", "request_id"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *given = g_hash_table_lookup(x->headers, names[i]);
        gsize n = 0;
        while (given != NULL && (g_ascii_isalnum(given[n]) ||
                                 (given[n] != '\0' && strchr("_-.", given[n]) != NULL))) {
            n++;
        }
        if (n > 0 && n < sizeof x->id && given[n] == '\0') {
            g_strlcpy(x->id, given, sizeof x->id);
            return;
        }
    }
    g_autofree char *made = bp_text_uuid();
    g_strlcpy(x->id, made, sizeof x->id);
}

/* Without its query: nothing secret belongs there, but somebody may have tried. */
static void
log_request(const exchange *x, const char *method, unsigned status)
{
    g_autofree char *path = g_strndup(x->line, strcspn(x->line, "?"));
    g_autofree char *code = g_strdup_printf("%u", status);
    BP_DEBUG("request", "method", method, "path", path, "status", code);
}

static void
exchange_clear(exchange *x)
{
    g_clear_pointer(&x->line, g_free);
    g_clear_pointer(&x->target, bp_http_target_free);
    g_clear_pointer(&x->headers, g_hash_table_unref);
    g_clear_pointer(&x->body, g_byte_array_unref);
    x->route = NULL;
    x->twice = NULL;
    x->has_begun = x->too_large = false;
    x->id[0] = '\0';
    bp_log_set_request(NULL);
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    bp_http *http = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        exchange *x = g_new0(exchange, 1);
        x->conn = bp_conns_add(
            http->conns,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
        *context = x;
    } else {
        exchange *x = *context;
        bp_conns_remove(http->conns, x->conn);
        exchange_clear(x);
        g_free(x);
    }
}

static exchange *
exchange_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The first line is there.  The path is taken from here, because it is not decoded yet. */
static void *
on_line(void *cls, const char *line, struct MHD_Connection *connection)
{
    bp_http *http = cls;
    exchange *x = exchange_of(connection);
    exchange_clear(x);
    x->line = g_strdup(line);
    bp_conns_set(http->conns, x->conn, BP_CONN_RECEIVING);
    return x;
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **request,
             enum MHD_RequestTerminationCode how)
{
    (void)request;
    (void)how;
    bp_http *http = cls;
    exchange *x = exchange_of(connection);
    exchange_clear(x);
    bp_conns_set(http->conns, x->conn, BP_CONN_IDLE);
}

/* Two of these would mean one thing to us and another one to a proxy before us. */
static bool
is_single(const char *name)
{
    static const char *const names[] = {
        "authorization",   "content-length", "content-type",      "host",
        "idempotency-key", "origin",         "transfer-encoding", NULL};
    return g_strv_contains(names, name);
}

static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    exchange *x = cls;
    g_autofree char *lower = g_ascii_strdown(name, -1);
    if (!g_hash_table_contains(x->headers, lower)) {
        g_hash_table_insert(x->headers, g_steal_pointer(&lower),
                            g_strdup(value != NULL ? value : ""));
    } else if (is_single(lower)) {
        x->twice = g_intern_string(lower); /* one of a few */
    }
    return MHD_YES;
}

static bp_http_request
request_of(const bp_http *http, const exchange *x, const char *method)
{
    return (bp_http_request){
        .method = strcmp(method, "HEAD") == 0 ? "GET" : method,
        .target = x->target,
        .route = x->route,
        .headers = x->headers,
        .body = "",
        .stopping = http->stopping,
    };
}

static bp_reply *
refuse_framing(const bp_http *http, const exchange *x)
{
    const char *length = g_hash_table_lookup(x->headers, "content-length");
    guint64 n = 0;
    if (x->twice != NULL) {
        g_autofree char *why = g_strdup_printf("the header %s comes twice", x->twice);
        return bp_reply_problem(400, why, NULL);
    }
    if (length != NULL && g_hash_table_contains(x->headers, "transfer-encoding")) {
        return bp_reply_problem(400, "a body has either a length or chunks", NULL);
    }
    if (length != NULL && bp_parse_u64(length, &n) != 0) {
        return bp_reply_problem(400, "the length of the body is no number", NULL);
    }
    if (n > http->params.max_body) {
        return bp_reply_problem(413, "the body is too large", NULL);
    }
    return NULL;
}

/* The headers are there.  Returns: (transfer full) the refusal, or NULL */
static bp_reply *
begin(const bp_http *http, exchange *x, struct MHD_Connection *connection, const char *method)
{
    x->has_begun = true;
    x->body = g_byte_array_new();
    x->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, x); /* how many */
    choose_id(x);
    bp_log_set_request(x->id); /* each connection has a thread */

    g_autoptr(GError) error = NULL;
    x->target = bp_http_target_parse(x->line, &error);
    if (x->target == NULL) {
        return bp_reply_error(error);
    }
    bp_reply *refusal = refuse_framing(http, x);
    if (refusal != NULL) {
        return refusal;
    }
    g_autofree char *allow = NULL;
    bp_http_request request = request_of(http, x, method);
    x->route = bp_route_find(http->params.routes, http->params.n_routes, request.method, x->target,
                             &allow);
    request.route = x->route;
    refusal = http->params.guard != NULL ? http->params.guard(http->params.ctx, &request) : NULL;
    if (refusal != NULL || x->route != NULL) {
        return refusal;
    }
    if (allow == NULL) {
        return bp_reply_problem(404, "there is nothing at this address",
                                "GET /api/v2/docs shows what there is");
    }
    g_autofree char *hint = g_strdup_printf("it knows %s", allow);
    refusal = bp_reply_problem(405, "this address does not know that method", hint);
    bp_reply_add_header(refusal, "Allow", allow);
    return refusal;
}

static void
take_body(const bp_http *http, exchange *x, const char *bytes, gsize n)
{
    if (n > http->params.max_body - x->body->len) {
        x->too_large = true; /* the rest is read and dropped, as long as a request may take */
    } else {
        g_byte_array_append(x->body, (const guint8 *)bytes, (guint)n);
    }
}

static bp_reply *
work(const bp_http *http, exchange *x, const char *method)
{
    if (x->too_large) {
        return bp_reply_problem(413, "the body is too large", NULL);
    }
    gsize n = x->body->len;
    g_byte_array_append(x->body, (const guint8 *)"", 1);
    bp_http_request request = request_of(http, x, method);
    request.body = (const char *)x->body->data;
    request.n = n;
    return x->route->answer(http->params.ctx, &request);
}

static void
add_headers(const bp_http *http, const exchange *x, struct MHD_Response *response,
            const bp_reply *answer)
{
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Request-Id", x->id);
    for (guint i = 0; i < answer->headers->len; i += 2) {
        MHD_add_response_header(response, g_ptr_array_index(answer->headers, i),
                                g_ptr_array_index(answer->headers, i + 1));
    }
    if (bp_cancel_is_set(http->stopping)) {
        MHD_add_response_header(response, "Connection", "close");
    }
}

static enum MHD_Result
send_answer(bp_http *http, struct MHD_Connection *connection, const char *method,
            bp_reply *take_answer)
{
    g_autoptr(bp_reply) answer = take_answer;
    exchange *x = exchange_of(connection);
    log_request(x, method, answer->status);
    bp_conns_set(http->conns, x->conn, BP_CONN_SENDING);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(answer->n, answer->body, g_free);
    if (response == NULL) {
        return MHD_NO; /* no memory: the connection is closed */
    }
    answer->body = NULL; /* the response's now */
    add_headers(http, x, response, answer);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called when the headers are there, for each piece of the body, and when all is there. */
/* NOLINTBEGIN(readability-function-size): the parameters are libmicrohttpd's */
static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
           const char *version, const char *bytes, size_t *n, void **request)
{
    (void)url;
    (void)version;
    (void)request;
    bp_http *http = cls;
    exchange *x = exchange_of(connection);
    if (!x->has_begun) {
        bp_reply *refusal = begin(http, x, connection, method);
        return refusal != NULL ? send_answer(http, connection, method, refusal) : MHD_YES;
    }
    if (*n > 0) {
        take_body(http, x, bytes, *n);
        *n = 0;
        return MHD_YES;
    }
    bp_conns_set(http->conns, x->conn, BP_CONN_WORKING);
    return send_answer(http, connection, method, work(http, x, method));
}
/* NOLINTEND(readability-function-size) */

static bool
start_daemon(bp_http *http, const bp_http_params *params, int fd)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)params->tls_cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)params->tls_key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_VERSIONS},
        {MHD_OPTION_END, 0, NULL},
    };
    if (params->tls_cert != NULL) {
        flags |= MHD_USE_TLS;
    } else {
        tls[0] = tls[3];
    }
    /* Its threads inherit this: signals are for the main thread. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    http->daemon = MHD_start_daemon(
        flags, params->port, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, params->max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        params->max_head, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_line,
        http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return http->daemon != NULL;
}

static void
http_free(bp_http *http)
{
    bp_conns_free(http->conns);
    bp_cancel_free(http->stopping);
    g_free(http);
}

bp_http *
bp_http_start(const bp_http_params *params, GError **error)
{
    guint16 port = params->port;
    int fd = bp_listen(params->address, &port, error);
    if (fd < 0) {
        return NULL;
    }
    bp_http *http = g_new0(bp_http, 1);
    http->params = *params;
    http->params.address = http->params.tls_cert = http->params.tls_key = NULL;
    http->port = port;
    http->stopping = bp_cancel_new();
    http->conns = bp_conns_new(params->receive_ns, params->send_ns);
    if (start_daemon(http, params, fd)) {
        return http;
    }
    close(fd);
    http_free(http);
    if (params->tls_cert != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "TLS cannot be served: certificate or key is unusable");
        bp_error_add_hint(error, "both are PEM, the key belongs to the first certificate and has "
                                 "no password");
    } else {
        bp_set_error(error, BP_ERR_NOMEM, "no memory or threads for a server");
    }
    return NULL;
}

guint16
bp_http_port(const bp_http *http)
{
    return http->port;
}

void
bp_http_stop(bp_http *take_http, gint64 grace_ns)
{
    int fd = MHD_quiesce_daemon(take_http->daemon);
    bp_cancel_trigger(take_http->stopping, 0);
    bp_conns_drain(take_http->conns, grace_ns);
    MHD_stop_daemon(take_http->daemon);
    if (fd >= 0) {
        close(fd);
    }
    http_free(take_http);
}
