/* SPDX-License-Identifier: Apache-2.0
 *
 * See grpc_client.h.
 */
#include "tests/unit/core/grpc/grpc_client.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>

#include "core/base/json.h"
#include "core/grpc/messages.h"
#include "core/grpc/wire.h"
#include "tests/harness/suite.h"

#define PATIENCE_S 60
#define LEAST_WINDOW 5 /* bytes; gRPC takes no less */

struct exchange {
    grpc_completion_queue *queue;
    grpc_call *call;
    grpc_metadata header;
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *sent, *received;
    grpc_status_code code;
    grpc_slice details;
};

static client *
connect_to(guint16 port, const char *token, bool is_slow)
{
    client *self = g_new0(client, 1);
    g_autofree char *address = g_strdup_printf("127.0.0.1:%u", port);
    grpc_arg args[] = {
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
         .value.integer = 1},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
        /* Only of a slow one; the window is not to grow by itself either. */
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
         .value.integer = LEAST_WINDOW},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_HTTP2_BDP_PROBE, .value.integer = 0},
    };
    grpc_channel_args list = {.num_args = G_N_ELEMENTS(args) - (is_slow ? 0 : 2), .args = args};
    grpc_init();
    grpc_channel_credentials *open_to_all = grpc_insecure_credentials_create();
    self->channel = grpc_channel_create(address, open_to_all, &list);
    grpc_channel_credentials_release(open_to_all);
    self->authorization = token != NULL ? g_strconcat("Bearer ", token, NULL) : NULL;
    return self;
}

client *
client_new(guint16 port, const char *token)
{
    return connect_to(port, token, false);
}

client *
client_new_slow(guint16 port, const char *token)
{
    return connect_to(port, token, true);
}

void
client_free(client *self)
{
    grpc_channel_destroy(self->channel);
    grpc_shutdown();
    g_free(self->authorization);
    g_free(self);
}

static gpr_timespec
deadline(void)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_seconds(PATIENCE_S, GPR_TIMESPAN));
}

static void
await(exchange *x, const void *tag)
{
    grpc_event event = grpc_completion_queue_pluck(x->queue, (void *)tag, deadline(), NULL);
    ck_assert_msg(event.type == GRPC_OP_COMPLETE, "nothing came for a minute");
}

static void
start(exchange *x, const grpc_op *ops, size_t n, const void *tag)
{
    ck_assert_int_eq(grpc_call_start_batch(x->call, ops, n, (void *)tag, NULL), GRPC_CALL_OK);
}

/* @is_all: nothing comes after it. */
static void
send_first(exchange *x, const client *self, GBytes *bytes, bool is_all)
{
    grpc_op ops[3] = {0};
    size_t n = 0;
    ops[n].op = GRPC_OP_SEND_INITIAL_METADATA;
    if (self->authorization != NULL) {
        x->header.key = grpc_slice_from_static_string("authorization");
        x->header.value = grpc_slice_from_copied_string(self->authorization);
        ops[n].data.send_initial_metadata.count = 1;
        ops[n].data.send_initial_metadata.metadata = &x->header;
    }
    n++;
    if (bytes != NULL) {
        gsize size = 0;
        const char *data = g_bytes_get_data(bytes, &size);
        grpc_slice slice = grpc_slice_from_copied_buffer(size > 0 ? data : "", size);
        x->sent = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
        ops[n].op = GRPC_OP_SEND_MESSAGE;
        ops[n++].data.send_message.send_message = x->sent;
    }
    if (is_all) {
        ops[n++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    }
    start(x, ops, n, &x->sent);
}

static exchange *
begin(client *self, const char *path, GBytes *bytes, bool is_all)
{
    exchange *x = g_new0(exchange, 1);
    x->queue = grpc_completion_queue_create_for_pluck(NULL);
    x->details = grpc_empty_slice();
    x->header.value = grpc_empty_slice();
    grpc_metadata_array_init(&x->initial);
    grpc_metadata_array_init(&x->trailing);
    x->call = grpc_channel_create_call(self->channel, NULL, GRPC_PROPAGATE_DEFAULTS, x->queue,
                                       grpc_slice_from_copied_string(path), NULL, deadline(), NULL);
    send_first(x, self, bytes, is_all);
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};
    op.data.recv_initial_metadata.recv_initial_metadata = &x->initial;
    start(x, &op, 1, &x->initial);
    return x;
}

exchange *
exchange_begin(client *self, const char *path, GBytes *bytes)
{
    return begin(self, path, bytes, true);
}

exchange *
exchange_open(client *self, const char *path)
{
    return begin(self, path, NULL, false);
}

json_t *
exchange_next(exchange *x, const bp_message *response)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &x->received;
    start(x, &op, 1, &x->received);
    await(x, &x->received);
    if (x->received == NULL) {
        return NULL;
    }
    grpc_byte_buffer_reader reader;
    ck_assert_int_ne(grpc_byte_buffer_reader_init(&reader, x->received), 0);
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    g_autoptr(GError) error = NULL;
    json_t *answer =
        bp_wire_read(response, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice), &error);
    ASSERT_FINE(answer != NULL, error);
    grpc_slice_unref(slice);
    grpc_byte_buffer_reader_destroy(&reader);
    g_clear_pointer(&x->received, grpc_byte_buffer_destroy);
    return answer;
}

void
exchange_cancel(exchange *x)
{
    (void)grpc_call_cancel(x->call, NULL);
}

int
exchange_end(exchange *x, char **details)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op.data.recv_status_on_client.trailing_metadata = &x->trailing;
    op.data.recv_status_on_client.status = &x->code;
    op.data.recv_status_on_client.status_details = &x->details;
    start(x, &op, 1, x);
    await(x, x);
    await(x, &x->sent);
    await(x, &x->initial);
    int code = x->code;
    if (details != NULL) {
        *details = g_strndup((const char *)GRPC_SLICE_START_PTR(x->details),
                             GRPC_SLICE_LENGTH(x->details));
    }
    if (x->sent != NULL) {
        grpc_byte_buffer_destroy(x->sent);
    }
    grpc_call_unref(x->call);
    grpc_completion_queue_shutdown(x->queue);
    grpc_completion_queue_destroy(x->queue);
    grpc_slice_unref(x->details);
    grpc_slice_unref(x->header.value);
    grpc_metadata_array_destroy(&x->initial);
    grpc_metadata_array_destroy(&x->trailing);
    g_free(x);
    return code;
}

int
client_call(client *self, const char *path, GBytes *bytes, const bp_message *response,
            json_t **answer)
{
    exchange *x = exchange_begin(self, path, bytes);
    json_t *got = exchange_next(x, response);
    int code = exchange_end(x, NULL);
    if (answer != NULL) {
        *answer = got;
    } else {
        json_decref(got);
    }
    return code;
}

GBytes *
message_of(const bp_message *message, const char *json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_loads(json, 0, NULL);
    ck_assert_ptr_nonnull(value);
    GBytes *bytes = bp_wire_write(message, value, &error);
    ASSERT_FINE(bytes != NULL, error);
    return bytes;
}

GBytes *
nothing(void)
{
    return g_bytes_new(NULL, 0);
}

GBytes *
id_message(const char *id)
{
    g_autofree char *text = g_strdup_printf("{\"id\":\"%s\"}", id);
    return message_of(&bp_grpc_get_request, text);
}

json_t *
ask(client *who, const char *path, GBytes *take_message, const bp_message *response)
{
    g_autoptr(GBytes) message = take_message;
    json_t *answer = NULL;
    int code = client_call(who, path, message, response, &answer);
    ck_assert_msg(code == GRPC_STATUS_OK && answer != NULL, "%s: %d", path, code);
    return answer;
}

void
assert_refused(client *who, const char *path, GBytes *take_message, int code, const char *text)
{
    g_autoptr(GBytes) message = take_message;
    g_autofree char *details = NULL;
    exchange *x = exchange_begin(who, path, message);
    ck_assert_ptr_null(exchange_next(x, &bp_grpc_job));
    int got = exchange_end(x, &details);
    ck_assert_msg(got == code && strstr(details, text) != NULL, "%s: %d, %s", path, got, details);
}
