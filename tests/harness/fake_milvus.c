/* SPDX-License-Identifier: Apache-2.0
 *
 * Each call goes through three events on one completion queue: it arrives, its message is read,
 * its answer is sent.
 */
#include "fake_milvus.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "milvus_service.pb-c.h"

#include "sdk/lib/ban.h"

#define PREFIX "/milvus.proto.milvus.MilvusService/"

enum kind { ANSWER, REFUSE, HANG };

struct rule {
    char *method;
    guint times; /* left; 0 = for ever */
    bool endless;
    enum kind kind;
    GBytes *bytes;
    int code;
    char *details;
};

/* What was asked of one method. */
struct record {
    guint calls;
    GBytes *request;
    GHashTable *headers;
};

struct fake_milvus {
    grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    char *address;
    pthread_mutex_t lock; /* guards rules and records */
    GPtrArray *rules;
    GHashTable *records;
};

enum phase { ARRIVING, READING, ANSWERING };

struct served {
    enum phase phase;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *request, *answer;
    grpc_slice status_details;
    int cancelled;
};

static void
rule_free(void *element)
{
    struct rule *rule = element;
    g_free(rule->method);
    g_free(rule->details);
    g_clear_pointer(&rule->bytes, g_bytes_unref);
    g_free(rule);
}

static void
record_free(void *element)
{
    struct record *record = element;
    g_clear_pointer(&record->request, g_bytes_unref);
    g_hash_table_unref(record->headers);
    g_free(record);
}

static void
served_free(struct served *served)
{
    if (served->call != NULL) {
        grpc_call_unref(served->call);
    }
    if (served->request != NULL) {
        grpc_byte_buffer_destroy(served->request);
    }
    if (served->answer != NULL) {
        grpc_byte_buffer_destroy(served->answer);
    }
    grpc_slice_unref(served->status_details);
    grpc_call_details_destroy(&served->details);
    grpc_metadata_array_destroy(&served->metadata);
    g_free(served);
}

static char *
text_of(grpc_slice slice)
{
    return g_strndup((const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

static void
expect_call(fake_milvus *fake)
{
    struct served *served = g_new0(struct served, 1);
    served->status_details = grpc_empty_slice();
    grpc_call_details_init(&served->details);
    grpc_metadata_array_init(&served->metadata);
    if (grpc_server_request_call(fake->server, &served->call, &served->details, &served->metadata,
                                 fake->queue, fake->queue, served) != GRPC_CALL_OK) {
        served_free(served);
    }
}

static void
read_message(struct served *served)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &served->request;
    served->phase = READING;
    g_assert(grpc_call_start_batch(served->call, &op, 1, served, NULL) == GRPC_CALL_OK);
}

static GBytes *
bytes_of(grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    if (buffer == NULL || grpc_byte_buffer_reader_init(&reader, buffer) == 0) {
        return g_bytes_new(NULL, 0);
    }
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    GBytes *bytes = g_bytes_new(GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    grpc_slice_unref(slice);
    return bytes;
}

/* With the lock held. */
static void
take_record(fake_milvus *fake, const struct served *served, const char *method)
{
    struct record *record = g_hash_table_lookup(fake->records, method);
    if (record == NULL) {
        record = g_new0(struct record, 1);
        record->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        (void)g_hash_table_insert(fake->records, g_strdup(method), record);
    }
    record->calls++;
    g_clear_pointer(&record->request, g_bytes_unref);
    record->request = bytes_of(served->request);
    g_hash_table_remove_all(record->headers);
    for (size_t i = 0; i < served->metadata.count; i++) {
        const grpc_metadata *header = &served->metadata.metadata[i];
        (void)g_hash_table_replace(record->headers, text_of(header->key), text_of(header->value));
    }
}

/* With the lock held.  NULL = no rule left. */
static const struct rule *
take_rule(fake_milvus *fake, const char *method)
{
    for (guint i = 0; i < fake->rules->len; i++) {
        struct rule *rule = fake->rules->pdata[i];
        if (strcmp(rule->method, method) == 0 && (rule->endless || rule->times > 0)) {
            rule->times -= rule->endless ? 0 : 1;
            return rule;
        }
    }
    return NULL;
}

/* Sends initial metadata, the message if there is one, and the status; or only waits for the
 * client to go away. */
static void
send_answer(struct served *served, int code, bool hang)
{
    grpc_op ops[4];
    size_t n = 0;
    memset(ops, 0, sizeof(ops));
    ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[n++].data.recv_close_on_server.cancelled = &served->cancelled;
    if (!hang) {
        ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
        if (served->answer != NULL) {
            ops[n].op = GRPC_OP_SEND_MESSAGE;
            ops[n++].data.send_message.send_message = served->answer;
        }
        ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        ops[n].data.send_status_from_server.status = (grpc_status_code)code;
        ops[n++].data.send_status_from_server.status_details = &served->status_details;
    }
    served->phase = ANSWERING;
    g_assert(grpc_call_start_batch(served->call, ops, n, served, NULL) == GRPC_CALL_OK);
}

static void
answer(fake_milvus *fake, struct served *served)
{
    g_autofree char *path = text_of(served->details.method);
    const char *method = g_str_has_prefix(path, PREFIX) ? path + strlen(PREFIX) : path;
    int code = GRPC_STATUS_UNIMPLEMENTED;
    bool hang = false;
    (void)pthread_mutex_lock(&fake->lock);
    take_record(fake, served, method);
    const struct rule *rule = take_rule(fake, method);
    if (rule == NULL) {
        g_autofree char *text = g_strdup_printf(
            "unknown method %s for service milvus.proto.milvus.MilvusService", method);
        served->status_details = grpc_slice_from_copied_string(text);
    } else if (rule->kind == ANSWER) {
        gsize n = 0;
        const char *bytes = g_bytes_get_data(rule->bytes, &n);
        grpc_slice slice = grpc_slice_from_copied_buffer(bytes != NULL ? bytes : "", n);
        served->answer = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
        code = GRPC_STATUS_OK;
    } else {
        code = rule->code;
        hang = rule->kind == HANG;
        served->status_details = grpc_slice_from_copied_string(rule->details);
    }
    (void)pthread_mutex_unlock(&fake->lock);
    send_answer(served, code, hang);
}

static void *
serve(void *ctx)
{
    fake_milvus *fake = ctx;
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(fake->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        struct served *served = event.tag;
        if (served == NULL) {
            /* The server is down: nothing new comes, what was open has been answered. */
            grpc_completion_queue_shutdown(fake->queue);
        } else if (event.success == 0 || served->phase == ANSWERING) {
            served_free(served);
        } else if (served->phase == ARRIVING) {
            expect_call(fake);
            read_message(served);
        } else {
            answer(fake, served);
        }
    }
}

fake_milvus *
fake_milvus_start(void)
{
    fake_milvus *fake = g_new0(fake_milvus, 1);
    grpc_arg args[] = {
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_HTTP2_MAX_PING_STRIKES,
         .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
    };
    grpc_channel_args list = {.num_args = G_N_ELEMENTS(args), .args = args};
    (void)pthread_mutex_init(&fake->lock, NULL);
    fake->rules = g_ptr_array_new_with_free_func(rule_free);
    fake->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, record_free);
    fake->queue = grpc_completion_queue_create_for_next(NULL);
    fake->server = grpc_server_create(&list, NULL);
    grpc_server_register_completion_queue(fake->server, fake->queue, NULL);
    grpc_server_credentials *open_to_all = grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(fake->server, "127.0.0.1:0", open_to_all);
    grpc_server_credentials_release(open_to_all);
    g_assert(port > 0);
    fake->address = g_strdup_printf("127.0.0.1:%d", port);
    grpc_server_start(fake->server);
    expect_call(fake);
    g_assert(pthread_create(&fake->thread, NULL, serve, fake) == 0);
    return fake;
}

void
fake_milvus_stop(fake_milvus *fake)
{
    grpc_server_shutdown_and_notify(fake->server, fake->queue, NULL);
    grpc_server_cancel_all_calls(fake->server);
    (void)pthread_join(fake->thread, NULL);
    grpc_server_destroy(fake->server);
    grpc_completion_queue_destroy(fake->queue);
    g_ptr_array_unref(fake->rules);
    g_hash_table_unref(fake->records);
    (void)pthread_mutex_destroy(&fake->lock);
    g_free(fake->address);
    g_free(fake);
}

const char *
fake_milvus_address(const fake_milvus *fake)
{
    return fake->address;
}

/* The rule is the fake's from here on. */
static void
add_rule(fake_milvus *fake, const char *method, guint times, struct rule rule)
{
    struct rule *kept = g_new(struct rule, 1);
    *kept = rule;
    kept->method = g_strdup(method);
    kept->times = times;
    kept->endless = times == 0;
    (void)pthread_mutex_lock(&fake->lock);
    g_ptr_array_add(fake->rules, kept);
    (void)pthread_mutex_unlock(&fake->lock);
}

void
fake_milvus_answer_bytes(fake_milvus *fake, const char *method, guint times, const void *bytes,
                         size_t n)
{
    add_rule(fake, method, times, (struct rule){.kind = ANSWER, .bytes = g_bytes_new(bytes, n)});
}

void
fake_milvus_answer(fake_milvus *fake, const char *method, guint times,
                   const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    g_autofree uint8_t *bytes = g_malloc(MAX(n, 1));
    (void)protobuf_c_message_pack(message, bytes);
    fake_milvus_answer_bytes(fake, method, times, bytes, n);
}

void
fake_milvus_refuse(fake_milvus *fake, const char *method, guint times, int grpc_code,
                   const char *details)
{
    add_rule(fake, method, times,
             (struct rule){.kind = REFUSE, .code = grpc_code, .details = g_strdup(details)});
}

void
fake_milvus_hang(fake_milvus *fake, const char *method)
{
    add_rule(fake, method, 0, (struct rule){.kind = HANG, .details = g_strdup("")});
}

void
fake_milvus_forget(fake_milvus *fake, const char *method)
{
    (void)pthread_mutex_lock(&fake->lock);
    for (guint i = fake->rules->len; i > 0; i--) {
        const struct rule *rule = fake->rules->pdata[i - 1];
        if (strcmp(rule->method, method) == 0) {
            (void)g_ptr_array_remove_index(fake->rules, i - 1);
        }
    }
    (void)pthread_mutex_unlock(&fake->lock);
}

void
fake_milvus_hello(fake_milvus *fake, const char *build_tag)
{
    Mv__ServerInfo info = MV__SERVER_INFO__INIT;
    Mv__ConnectResponse response = MV__CONNECT_RESPONSE__INIT;
    info.build_tags = (char *)build_tag;
    response.server_info = &info;
    response.has_identifier = true;
    response.identifier = 7;
    fake_milvus_answer(fake, "Connect", 0, &response.base);
}

guint
fake_milvus_calls(fake_milvus *fake, const char *method)
{
    (void)pthread_mutex_lock(&fake->lock);
    const struct record *record = g_hash_table_lookup(fake->records, method);
    guint calls = record != NULL ? record->calls : 0;
    (void)pthread_mutex_unlock(&fake->lock);
    return calls;
}

GBytes *
fake_milvus_request(fake_milvus *fake, const char *method)
{
    (void)pthread_mutex_lock(&fake->lock);
    const struct record *record = g_hash_table_lookup(fake->records, method);
    GBytes *request = record != NULL ? g_bytes_ref(record->request) : NULL;
    (void)pthread_mutex_unlock(&fake->lock);
    return request;
}

char *
fake_milvus_header(fake_milvus *fake, const char *method, const char *name)
{
    (void)pthread_mutex_lock(&fake->lock);
    const struct record *record = g_hash_table_lookup(fake->records, method);
    char *value = record != NULL ? g_strdup(g_hash_table_lookup(record->headers, name)) : NULL;
    (void)pthread_mutex_unlock(&fake->lock);
    return value;
}
