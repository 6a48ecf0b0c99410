/* SPDX-License-Identifier: Apache-2.0
 *
 * See call.h.  All events of a call come on one poller, one after the other; what its worker does
 * may come in between.
 */
#include "core/grpc/call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/grpc/internal.h"
#include "core/grpc/status.h"
#include "core/grpc/wire.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "grpc"
#define MAX_OPS 3

bp_grpc_ask
bp_grpc_ask_of(const bp_grpc_call *call)
{
    bp_grpc *grpc = call->grpc;
    return (bp_grpc_ask){.grpc = grpc,
                         .service = grpc->service,
                         .method = call->method,
                         .request = call->request,
                         .request_id = call->request_id,
                         .stopping = call->stopping != NULL ? call->stopping : grpc->stopping,
                         .is_ending = bp_cancel_is_set(grpc->stopping)};
}

bp_grpc_call *
bp_grpc_call_ref(bp_grpc_call *call)
{
    call->refs++; /* the caller has the lock */
    return call;
}

static bp_grpc_call *
ref(bp_grpc_call *call)
{
    BP_LOCK_GUARD(&call->grpc->lock);
    return bp_grpc_call_ref(call);
}

static void
call_free(bp_grpc_call *call)
{
    if (call->call != NULL) {
        grpc_call_unref(call->call);
    }
    g_clear_pointer(&call->message, grpc_byte_buffer_destroy);
    g_clear_pointer(&call->sent, grpc_byte_buffer_destroy);
    grpc_slice_unref(call->details_sent);
    grpc_slice_unref(call->id_sent.value);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    json_decref(call->request);
    g_clear_pointer(&call->stopping, bp_cancel_free);
    g_free(call->request_id);
    g_free(call);
}

static bool
is_open(const bp_grpc_call *call)
{
    return call->method->role == BP_ROLE_NONE;
}

static bp_grpc_crowd *
crowd_of(const bp_grpc_call *call)
{
    return is_open(call) ? &call->grpc->open : &call->grpc->known;
}

/* Under no lock.  Returns: there is room for a call */
static bool
enter(bp_grpc_call *call)
{
    guint most = is_open(call) ? BP_GRPC_MAX_OPEN_CALLS : BP_GRPC_MAX_CALLS;
    BP_LOCK_GUARD(&call->grpc->lock);
    call->has_place = crowd_of(call)->n_calls < most;
    crowd_of(call)->n_calls += call->has_place ? 1 : 0;
    return call->has_place;
}

/* Under no lock.  Returns: there is room, if it is a stream */
static bool
enter_watch(bp_grpc_call *call)
{
    guint most = is_open(call) ? BP_GRPC_MAX_OPEN_WATCHES : BP_GRPC_MAX_WATCHES;
    if (call->method->kind != BP_GRPC_STREAM) {
        return true;
    }
    BP_LOCK_GUARD(&call->grpc->lock);
    call->is_watch = crowd_of(call)->n_watches < most;
    crowd_of(call)->n_watches += call->is_watch ? 1 : 0;
    return call->is_watch;
}

/* Under the lock. */
static void
leave(const bp_grpc_call *call)
{
    if (call->has_place) {
        crowd_of(call)->n_calls--;
    }
    if (call->is_watch) {
        crowd_of(call)->n_watches--;
    }
}

void
bp_grpc_call_unref(bp_grpc_call *call)
{
    bp_grpc *grpc = call->grpc;
    pthread_mutex_lock(&grpc->lock);
    bool is_last = --call->refs == 0;
    if (is_last) {
        (void)g_hash_table_remove(grpc->calls, call);
        leave(call);
    }
    pthread_mutex_unlock(&grpc->lock);
    if (!is_last) {
        return;
    }
    call_free(call);
    pthread_mutex_lock(&grpc->lock); /* now nothing of it is left that gRPC could miss */
    grpc->n_objects--;
    pthread_cond_broadcast(&grpc->fewer);
    pthread_mutex_unlock(&grpc->lock);
}

void
bp_grpc_call_expect(bp_grpc *grpc, grpc_completion_queue *queue)
{
    bp_grpc_call *call = g_new0(bp_grpc_call, 1);
    call->grpc = grpc;
    call->queue = queue;
    call->details_sent = grpc_empty_slice();
    call->id_sent.value = grpc_empty_slice();
    call->refs = 1;
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    for (guint i = 0; i < BP_GRPC_N_TAGS; i++) {
        call->tags[i] = (bp_grpc_tag){.call = call, .what = (bp_grpc_what)i};
    }
    pthread_mutex_lock(&grpc->lock);
    grpc->n_objects++;
    pthread_mutex_unlock(&grpc->lock);
    if (grpc_server_request_call(grpc->server, &call->call, &call->details, &call->metadata, queue,
                                 queue, &call->tags[BP_GRPC_ARRIVAL]) != GRPC_CALL_OK) {
        bp_grpc_call_unref(call);
    }
}

static void
begin(bp_grpc_call *call, const grpc_op *ops, size_t n, bp_grpc_what what)
{
    if (grpc_call_start_batch(call->call, ops, n, &ref(call)->tags[what], NULL) != GRPC_CALL_OK) {
        bp_grpc_call_unref(call);
        bp_grpc_call_cut(call, GRPC_STATUS_INTERNAL, "gRPC refused an operation");
    }
}

void
bp_grpc_call_cut(bp_grpc_call *call, grpc_status_code code, const char *why)
{
    (void)grpc_call_cancel_with_status(call->call, code, why, NULL); /* fails where it is over */
}

static void
log_end(const bp_grpc_call *call, int code)
{
    g_autofree char *status = g_strdup_printf("%d", code);
    BP_DEBUG("request", "method", call->method != NULL ? call->method->path : "unknown", "status",
             status);
}

/* @answer: NULL = none.  @code: ends it, with what `text` says; -1 = it goes on. */
static void
send(bp_grpc_call *call, GBytes *answer, int code, const char *text)
{
    grpc_op ops[MAX_OPS];
    size_t n = 0;
    memset(ops, 0, sizeof ops);
    if (!call->has_metadata_sent) {
        call->has_metadata_sent = true;
        call->id_sent.key = grpc_slice_from_static_string("x-request-id");
        call->id_sent.value = grpc_slice_from_copied_string(call->id);
        ops[n].data.send_initial_metadata.count = 1;
        ops[n].data.send_initial_metadata.metadata = &call->id_sent;
        ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
    }
    if (answer != NULL) {
        gsize size = 0;
        const char *bytes = g_bytes_get_data(answer, &size);
        grpc_slice slice = grpc_slice_from_copied_buffer(size > 0 ? bytes : "", size);
        call->sent = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
        ops[n].op = GRPC_OP_SEND_MESSAGE;
        ops[n++].data.send_message.send_message = call->sent;
    }
    if (code >= 0) {
        call->is_final = true;
        log_end(call, code);
        call->details_sent = grpc_slice_from_copied_string(text);
        ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        ops[n].data.send_status_from_server.status = (grpc_status_code)code;
        ops[n++].data.send_status_from_server.status_details = &call->details_sent;
    }
    begin(call, ops, n, BP_GRPC_SENDING);
}

static void
refuse(bp_grpc_call *call, grpc_status_code code, const char *text)
{
    send(call, NULL, code, text);
}

static void
fail(bp_grpc_call *call, const GError *error)
{
    g_autofree char *text = bp_grpc_status_text(error);
    refuse(call, bp_grpc_status_of(error), text);
}

/* Returns: (transfer full) (nullable) */
static json_t *
read_message(const bp_grpc_call *call, GError **error)
{
    grpc_byte_buffer_reader reader;
    if (grpc_byte_buffer_length(call->message) > BP_GRPC_MAX_MESSAGE ||
        grpc_byte_buffer_reader_init(&reader, call->message) == 0) {
        bp_set_error(error, BP_ERR_INVALID, "the message cannot be read");
        return NULL;
    }
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    json_t *request = bp_wire_read(call->method->request, GRPC_SLICE_START_PTR(slice),
                                   GRPC_SLICE_LENGTH(slice), error);
    grpc_slice_unref(slice);
    return request;
}

static bool
take_request(bp_grpc_call *call, GError **error)
{
    if (call->message == NULL) {
        return true; /* a stream looks once more */
    }
    json_decref(call->request);
    call->request = read_message(call, error);
    g_clear_pointer(&call->message, grpc_byte_buffer_destroy);
    return call->request != NULL;
}

/* The answer, and how it goes on: a status, or -1. */
static GBytes *
answer(bp_grpc_call *call, int *code, GError **error)
{
    const bp_grpc_method *method = call->method;
    bp_grpc_reply reply = {0};
    bp_grpc_ask ask = bp_grpc_ask_of(call);
    if (method->version != NULL) {
        guint64 seen = method->version(&ask); /* before looking: no change is missed */
        BP_LOCK_GUARD(&call->grpc->lock);
        call->seen = seen;
    }
    if (!method->answer(&ask, &reply, error)) {
        return NULL;
    }
    *code = -1;
    if (method->kind == BP_GRPC_ONE || reply.is_last) {
        *code = GRPC_STATUS_OK;
    } else if (ask.is_ending) {
        *code = GRPC_STATUS_UNAVAILABLE;
    }
    g_autoptr(GError) problem = NULL;
    GBytes *bytes = bp_wire_write(method->response, reply.answer, &problem);
    json_decref(reply.answer);
    if (bytes == NULL) { /* nothing that the client could mend */
        bp_set_error(error, BP_ERR_PERMANENT, "the answer cannot be written: %s", problem->message);
    }
    return bytes;
}

/* On a worker, with a reference. */
static void
work(void *ctx)
{
    bp_grpc_call *call = ctx;
    g_autoptr(GError) error = NULL;
    int code = -1;
    pthread_mutex_lock(&call->grpc->lock);
    bool is_gone = call->is_gone;
    pthread_mutex_unlock(&call->grpc->lock);
    if (!is_gone) {
        bp_log_set_request(call->id);
        g_autoptr(GBytes) bytes = take_request(call, &error) ? answer(call, &code, &error) : NULL;
        if (bytes == NULL) {
            fail(call, error);
        } else {
            send(call, bytes, code, code == GRPC_STATUS_UNAVAILABLE ? "the server ends" : "");
        }
        bp_log_set_request(NULL);
    }
    bp_grpc_call_unref(call);
}

static bool
hand_over(bp_grpc_call *call)
{
    bool is_taken = bp_grpc_pool_push(call->grpc->lanes[call->method->lane], work, ref(call));
    if (!is_taken) {
        bp_grpc_call_unref(call);
    }
    return is_taken;
}

void
bp_grpc_call_look(bp_grpc_call *call)
{
    if (!hand_over(call)) { /* the watcher comes again */
        BP_LOCK_GUARD(&call->grpc->lock);
        call->state = BP_GRPC_WATCHING;
    }
}

static void
receive(bp_grpc_call *call)
{
    pthread_mutex_lock(&call->grpc->lock);
    call->state = BP_GRPC_RECEIVING;
    call->since_ns = bp_clock_mono_ns();
    pthread_mutex_unlock(&call->grpc->lock);
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &call->message;
    begin(call, &op, 1, BP_GRPC_RECEIPT);
}

static void
on_received(bp_grpc_call *call)
{
    pthread_mutex_lock(&call->grpc->lock);
    bool is_over = call->is_gone || call->state == BP_GRPC_OVER;
    call->state = is_over ? BP_GRPC_OVER : BP_GRPC_WORKING;
    pthread_mutex_unlock(&call->grpc->lock);
    if (is_over) {
        return;
    }
    if (call->message == NULL && call->method->kind == BP_GRPC_CHAT) {
        send(call, NULL, GRPC_STATUS_OK, ""); /* nothing more is asked */
    } else if (call->message == NULL) {
        refuse(call, GRPC_STATUS_INVALID_ARGUMENT, "the call has no message");
    } else if (!enter_watch(call)) {
        refuse(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "too many watch at the same time");
    } else {
        if (call->method->lane == BP_GRPC_WAITING) {
            call->stopping = bp_cancel_new_child(call->grpc->stopping);
        }
        if (!hand_over(call)) {
            refuse(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "too many requests at the same time");
        }
    }
}

/* Returns: (transfer full) (nullable) of several the last, counted in @n */
static char *
header_of(const bp_grpc_call *call, const char *name, guint *n)
{
    char *found = NULL;
    *n = 0;
    for (size_t i = 0; i < call->metadata.count; i++) {
        const grpc_metadata *header = &call->metadata.metadata[i];
        if (grpc_slice_str_cmp(header->key, name) == 0) {
            g_free(found);
            found = g_strndup((const char *)GRPC_SLICE_START_PTR(header->value),
                              GRPC_SLICE_LENGTH(header->value));
            ++*n;
        }
    }
    return found;
}

/* As REST does: the client's own, if it has the form of one. */
static void
choose_id(bp_grpc_call *call)
{
    guint n_own = 0;
    g_autofree char *own = header_of(call, "x-request-id", &n_own);
    const char *given = own != NULL ? own : call->request_id;
    gsize n = 0;
    while (given != NULL &&
           (g_ascii_isalnum(given[n]) || (given[n] != '\0' && strchr("_-.", given[n]) != NULL))) {
        n++;
    }
    g_autofree char *made =
        n == 0 || n >= sizeof call->id || given[n] != '\0' ? bp_text_uuid() : NULL;
    g_strlcpy(call->id, made != NULL ? made : given, sizeof call->id);
}

/* Where nothing is, nobody learns so without a token.  Returns: it may go on */
static bool
check_access(bp_grpc_call *call)
{
    guint n = 0;
    char *token = header_of(call, "authorization", &n);
    bp_role role = bp_access_role(call->grpc->access, n > 1 ? NULL : token);
    bp_role wanted = call->method != NULL ? call->method->role : BP_ROLE_READ;
    if (token != NULL) {
        explicit_bzero(token, strlen(token));
        g_free(token);
    }
    if (role >= wanted) {
        return true;
    }
    if (role == BP_ROLE_NONE) {
        refuse(call, GRPC_STATUS_UNAUTHENTICATED,
               "a valid token is needed, in the metadata authorization: Bearer TOKEN");
    } else {
        refuse(call, GRPC_STATUS_PERMISSION_DENIED, "this token may look, but not operate");
    }
    return false;
}

static void
on_arrival(bp_grpc_call *call)
{
    bp_grpc *grpc = call->grpc;
    guint n = 0;
    pthread_mutex_lock(&grpc->lock);
    call->state = BP_GRPC_WORKING;
    (void)g_hash_table_add(grpc->calls, call);
    pthread_mutex_unlock(&grpc->lock);

    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    op.data.recv_close_on_server.cancelled = &call->is_cancelled;
    begin(call, &op, 1, BP_GRPC_END);

    g_autofree char *path = g_strndup((const char *)GRPC_SLICE_START_PTR(call->details.method),
                                      GRPC_SLICE_LENGTH(call->details.method));
    call->method = g_hash_table_lookup(grpc->methods, path);
    call->request_id = header_of(call, "request_id", &n);
    choose_id(call);
    bp_log_set_request(call->id);
    if (!check_access(call)) {
        return;
    }
    if (call->method == NULL) {
        refuse(call, GRPC_STATUS_UNIMPLEMENTED, "there is no such method");
    } else if (!enter(call)) {
        refuse(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "too many calls at the same time");
    } else {
        receive(call);
    }
}

static void
on_sent(bp_grpc_call *call, bool success)
{
    pthread_mutex_lock(&call->grpc->lock);
    bool goes_on = success && !call->is_final && !call->is_gone;
    bool is_stream = goes_on && call->method->kind == BP_GRPC_STREAM;
    bool has_changed = false;
    g_clear_pointer(&call->sent, grpc_byte_buffer_destroy);
    if (is_stream) {
        bp_grpc_ask ask = bp_grpc_ask_of(call);
        has_changed = ask.is_ending || call->method->version(&ask) != call->seen;
    }
    call->state = is_stream && !has_changed ? BP_GRPC_WATCHING
                  : goes_on                 ? BP_GRPC_WORKING
                                            : BP_GRPC_OVER;
    pthread_mutex_unlock(&call->grpc->lock);
    if (has_changed) {
        bp_grpc_call_look(call);
    } else if (goes_on && !is_stream) {
        receive(call);
    }
}

/* Its client is gone, or has the status. */
static void
on_end(bp_grpc_call *call)
{
    pthread_mutex_lock(&call->grpc->lock);
    call->is_gone = true;
    pthread_mutex_unlock(&call->grpc->lock);
    if (call->stopping != NULL) {
        bp_cancel_trigger(call->stopping, 0); /* what waits for a job need not wait any more */
    }
}

void
bp_grpc_call_on_event(const bp_grpc_tag *tag, bool success)
{
    bp_grpc_call *call = tag->call;
    switch (tag->what) {
    case BP_GRPC_ARRIVAL:
        if (success) {
            bp_grpc_call_expect(call->grpc, call->queue);
            on_arrival(call);
            bp_log_set_request(NULL);
        }
        break;
    case BP_GRPC_RECEIPT:
        if (success) {
            on_received(call);
        }
        break;
    case BP_GRPC_SENDING:
        on_sent(call, success);
        break;
    default:
        on_end(call);
        break;
    }
    bp_grpc_call_unref(call);
}
