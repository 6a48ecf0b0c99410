/* SPDX-License-Identifier: Apache-2.0
 *
 * One call = one batch on a completion queue of its own, plucked in short slices so that a cancel
 * is noticed.
 */
#include "rpc.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "rpc_channel.h"
#include "rpc_status.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define SERVICE_PATH "/milvus.proto.milvus.MilvusService/"
#define SLICE_MS 100
#define MAX_HEADERS 3
#define MAX_OPS 6

struct milvus_rpc {
    const struct bp_host *host;
    grpc_channel *channel;
    char *address;
    bp_secret *authorization; /* base64 of user:password or token; NULL = none */
    uint32_t timeout_ms;
};

/* Everything that one batch points into; lives on the caller's stack until the tag came back. */
struct exchange {
    grpc_call *call;
    grpc_completion_queue *queue;
    grpc_metadata headers[MAX_HEADERS];
    size_t n_headers;
    grpc_byte_buffer *request, *answer;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice details;
    bool cancelled;
};

static bp_secret *
authorization_of(const struct milvus_config *config)
{
    const char *password = bp_secret_get(config->password);
    g_autofree char *plain = NULL;
    if (config->token != NULL) {
        plain = g_strdup(bp_secret_get(config->token));
    } else if (config->user != NULL || password[0] != '\0') {
        plain = g_strdup_printf("%s:%s", config->user != NULL ? config->user : "", password);
    } else {
        return NULL;
    }
    g_autofree char *encoded = g_base64_encode((const guchar *)plain, strlen(plain));
    bp_secret *secret = bp_secret_new(encoded);
    bp_secret_wipe(plain, strlen(plain));
    bp_secret_wipe(encoded, strlen(encoded));
    return secret;
}

bp_status
milvus_rpc_new(const struct bp_host *host, const struct milvus_config *config,
               struct milvus_rpc **out, struct bp_error *error)
{
    grpc_channel *channel = NULL;
    bp_status status = milvus_channel_new(config, &channel, error);
    if (status != BP_OK) {
        return status;
    }
    struct milvus_rpc *rpc = g_new0(struct milvus_rpc, 1);
    rpc->host = host;
    rpc->channel = channel;
    rpc->address = g_strdup(config->address);
    rpc->authorization = authorization_of(config);
    rpc->timeout_ms = config->request_timeout_ms;
    *out = rpc;
    return BP_OK;
}

void
milvus_rpc_free(struct milvus_rpc *rpc)
{
    if (rpc == NULL) {
        return;
    }
    grpc_channel_destroy(rpc->channel);
    bp_secret_free(rpc->authorization);
    g_free(rpc->address);
    g_free(rpc);
}

const char *
milvus_rpc_address(const struct milvus_rpc *rpc)
{
    return rpc->address;
}

static bp_status
add_header(struct exchange *exchange, const char *key, const char *value, struct bp_error *error)
{
    grpc_slice slice = grpc_slice_from_copied_string(value);
    if (!grpc_header_nonbin_value_is_legal(slice)) {
        grpc_slice_unref(slice);
        /* The value may be a secret. */
        return bp_fail(error, BP_ERR_INVALID, "header %s: only printable ASCII can be sent", key);
    }
    exchange->headers[exchange->n_headers++] =
        (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = slice};
    return BP_OK;
}

static bp_status
add_headers(const struct milvus_rpc *rpc, const struct milvus_rpc_call *call,
            struct exchange *exchange, struct bp_error *error)
{
    bp_status status = BP_OK;
    if (rpc->authorization != NULL) {
        status = add_header(exchange, "authorization", bp_secret_get(rpc->authorization), error);
    }
    if (status == BP_OK && call->db != NULL) {
        status = add_header(exchange, "dbname", call->db, error);
    }
    if (status == BP_OK && call->identifier != 0) {
        g_autofree char *text = g_strdup_printf("%" PRId64, call->identifier);
        status = add_header(exchange, "identifier", text, error);
    }
    return status;
}

static grpc_byte_buffer *
pack(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    grpc_slice slice = grpc_slice_malloc(size);
    (void)protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

/* The nearer of the operation's deadline and the call's own. */
static gpr_timespec
deadline_of(const struct bp_op *op, uint32_t timeout_ms, int64_t grace_ns)
{
    gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);
    gpr_timespec limit = gpr_time_add(now, gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
    if (op->deadline_ns == 0) {
        return limit;
    }
    /* gRPC's monotonic clock need not be the system's, hence the detour over what is left. */
    struct timespec clock = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &clock);
    int64_t left = op->deadline_ns - ((int64_t)clock.tv_sec * 1000000000 + clock.tv_nsec);
    gpr_timespec wanted = gpr_time_add(now, gpr_time_from_nanos(left + grace_ns, GPR_TIMESPAN));
    return gpr_time_min(limit, wanted);
}

static size_t
fill_ops(struct exchange *x, grpc_op ops[MAX_OPS])
{
    memset(ops, 0, sizeof(grpc_op) * MAX_OPS);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[0].data.send_initial_metadata.count = x->n_headers;
    ops[0].data.send_initial_metadata.metadata = x->headers;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = x->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &x->initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &x->answer;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &x->trailing;
    ops[5].data.recv_status_on_client.status = &x->code;
    ops[5].data.recv_status_on_client.status_details = &x->details;
    return MAX_OPS;
}

/* Waits for the batch; a cancel ends the call, after which gRPC gives the tag back at once. */
static void
await(const struct milvus_rpc *rpc, const struct bp_op *op, int64_t grace_ns, struct exchange *x)
{
    int64_t cut_at_us = 0;
    for (;;) {
        gpr_timespec slice = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_millis(SLICE_MS, GPR_TIMESPAN));
        grpc_event event = grpc_completion_queue_pluck(x->queue, x, slice, NULL);
        if (event.type == GRPC_OP_COMPLETE) {
            return;
        }
        if (cut_at_us == 0 && rpc->host->cancelled(op) != 0) {
            cut_at_us = g_get_monotonic_time() + grace_ns / 1000;
        }
        if (!x->cancelled && cut_at_us != 0 && g_get_monotonic_time() >= cut_at_us) {
            x->cancelled = true;
            (void)grpc_call_cancel(x->call, NULL);
        }
    }
}

static bp_status
transfer(const struct milvus_rpc *rpc, const struct bp_op *op, const struct milvus_rpc_call *call,
         struct exchange *x, struct bp_error *error)
{
    uint32_t timeout_ms = call->timeout_ms != 0 ? call->timeout_ms : rpc->timeout_ms;
    int64_t grace_ns = call->is_fragile ? MILVUS_RPC_GRACE_MS * INT64_C(1000000) : 0;
    g_autofree char *path = g_strconcat(SERVICE_PATH, call->method, NULL);
    x->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_slice path_slice = grpc_slice_from_copied_string(path);
    x->call =
        grpc_channel_create_call(rpc->channel, NULL, GRPC_PROPAGATE_DEFAULTS, x->queue, path_slice,
                                 NULL, deadline_of(op, timeout_ms, grace_ns), NULL);
    grpc_slice_unref(path_slice);
    x->request = pack(call->request);
    grpc_op ops[MAX_OPS];
    size_t n_ops = fill_ops(x, ops);
    grpc_call_error refused = grpc_call_start_batch(x->call, ops, n_ops, x, NULL);
    if (refused != GRPC_CALL_OK) {
        return bp_fail(error, BP_ERR_PERMANENT, "%s: gRPC refused the call (%s)", call->method,
                       grpc_call_error_to_string(refused));
    }
    await(rpc, op, grace_ns, x);
    return BP_OK;
}

static void
exchange_clear(struct exchange *x)
{
    for (size_t i = 0; i < x->n_headers; i++) {
        grpc_slice_unref(x->headers[i].value);
    }
    if (x->request != NULL) {
        grpc_byte_buffer_destroy(x->request);
    }
    if (x->answer != NULL) {
        grpc_byte_buffer_destroy(x->answer);
    }
    if (x->call != NULL) {
        grpc_call_unref(x->call);
    }
    if (x->queue != NULL) {
        grpc_completion_queue_destroy(x->queue);
    }
    grpc_slice_unref(x->details);
    grpc_metadata_array_destroy(&x->initial);
    grpc_metadata_array_destroy(&x->trailing);
}

/* Every answer of this service is a status or has one as its member `status`. */
static const Mv__Status *
status_of(const ProtobufCMessage *answer)
{
    if (answer->descriptor == &mv__status__descriptor) {
        return (const Mv__Status *)answer;
    }
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(answer->descriptor, "status");
    if (field == NULL) {
        return NULL;
    }
    const void *member = (const char *)answer + field->offset;
    return *(const Mv__Status *const *)member;
}

static bp_status
unpack(const struct milvus_rpc_call *call, const struct exchange *x, const char *what,
       ProtobufCMessage **out, struct bp_error *error)
{
    grpc_byte_buffer_reader reader;
    if (x->answer == NULL || grpc_byte_buffer_reader_init(&reader, x->answer) == 0) {
        return bp_fail(error, BP_ERR_CORRUPT, "%s: the answer is empty or not readable", what);
    }
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    ProtobufCMessage *answer = protobuf_c_message_unpack(
        call->answer, NULL, GRPC_SLICE_LENGTH(slice), GRPC_SLICE_START_PTR(slice));
    size_t size = GRPC_SLICE_LENGTH(slice);
    grpc_slice_unref(slice);
    if (answer == NULL) {
        return bp_fail(error, BP_ERR_CORRUPT, "%s: the answer of %zu bytes is no %s", what, size,
                       call->answer->short_name);
    }
    bp_status status = milvus_status_check(status_of(answer), what, error);
    if (status == BP_OK && out != NULL) {
        *out = answer;
    } else {
        protobuf_c_message_free_unpacked(answer, NULL);
    }
    return status;
}

/* What gRPC says of an exchange that did not end well. */
static bp_status
transport_failure(const struct exchange *x, const char *what, struct bp_error *error)
{
    g_autofree char *details =
        g_strndup((const char *)GRPC_SLICE_START_PTR(x->details), GRPC_SLICE_LENGTH(x->details));
    bp_status status = BP_OK;
    if (x->cancelled) {
        status = bp_fail(error, BP_ERR_CANCELLED, "%s: cancelled", what);
    } else {
        status = milvus_status_grpc((int)x->code, details, what, error);
    }
    bool sent = strstr(details, "failed to connect") == NULL &&
                strstr(details, "DNS resolution failed") == NULL;
    bool open_end = status == BP_ERR_RETRYABLE || status == BP_ERR_TIMEOUT ||
                    status == BP_ERR_CANCELLED || status == BP_ERR_PERMANENT;
    if (sent && open_end) {
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
    }
    return status;
}

bp_status
milvus_rpc_call(struct milvus_rpc *rpc, const struct bp_op *op, const struct milvus_rpc_call *call,
                ProtobufCMessage **answer, struct bp_error *error)
{
    g_autofree char *what =
        g_strdup_printf("milvus %s: %s%s%s", rpc->address, call->method,
                        call->object != NULL ? " " : "", call->object != NULL ? call->object : "");
    if (rpc->host->cancelled(op) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "%s: cancelled", what);
    }
    bp_hostlog(rpc->host, op, BP_LOG_TRACE, "%s", what);
    struct exchange x = {.details = grpc_empty_slice()};
    grpc_metadata_array_init(&x.initial);
    grpc_metadata_array_init(&x.trailing);
    bp_status status = add_headers(rpc, call, &x, error);
    if (status == BP_OK) {
        status = transfer(rpc, op, call, &x, error);
    }
    if (status == BP_OK && x.code == GRPC_STATUS_OK) {
        status = unpack(call, &x, what, answer, error);
    } else if (status == BP_OK) {
        status = transport_failure(&x, what, error);
    }
    exchange_clear(&x);
    return status;
}
