/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1_rest.h.
 */
#include "core/server/v1_rest.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/server/service.h"
#include "core/server/v1.h"

#include "sdk/lib/ban.h"

#define HERE "/api/v1"
#define ORIGIN "rest-v1"

static bp_reply *
greet(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    (void)request;
    return bp_reply_text(200, "Hello, This is backup service");
}

/* Runs it, and takes the request.  Returns: (transfer full) a value of its response */
static json_t *
run(const bp_v1_operation *operation, void *ctx, const bp_http_request *request, json_t *take_read)
{
    g_autoptr(json_t) read = take_read;
    bp_v1_call call = {.request = read,
                       .request_id = bp_http_header(request, "request_id"),
                       .origin = ORIGIN,
                       .stopping = request->stopping};
    return operation->run(ctx, &call);
}

static bp_reply *
answer(const bp_v1_operation *operation, void *ctx, const bp_http_request *request,
       json_t *take_read)
{
    g_autoptr(json_t) value = run(operation, ctx, request, take_read);
    json_t *shown = bp_message_show(operation->response, value);
    /* A list that was made and holds nothing is one, as there. */
    bool is_list = json_is_array(json_object_get(value, "data"));
    if (is_list && json_is_null(json_object_get(shown, "data"))) {
        json_object_set_new(shown, "data", json_array());
    }
    return bp_reply_json(200, shown);
}

/* The words are those that clients know; what is wrong stands beside them. */
static bp_reply *
refuse_body(const GError *error)
{
    g_autoptr(json_t) parts = bp_json_error(error);
    json_t *refusal = json_pack("{s:s}", "error", "Invalid request body");
    bp_json_set_text(refusal, "reason", bp_json_text(parts, "message", NULL));
    return bp_reply_json(400, refusal);
}

static bp_reply *
answer_body(const char *name, void *ctx, const bp_http_request *request)
{
    const bp_v1_operation *operation = bp_v1_find(name);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = bp_json_parse(request->body, request->n, "the body", &error);
    json_t *read = body != NULL ? bp_message_read(operation->request, body, &error) : NULL;
    return read != NULL ? answer(operation, ctx, request, read) : refuse_body(error);
}

/* Parameters are texts; a switch is on when it says so.  Unknown ones are ignored, as there. */
static json_t *
read_query(const bp_message *message, const bp_http_target *target)
{
    json_t *read = json_object();
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        const char *value = bp_http_target_parameter(target, field->name);
        if (value == NULL) {
            continue;
        }
        if (field->type == BP_FIELD_BOOL) {
            bool on = g_ascii_strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0;
            json_object_set_new(read, field->name, json_boolean(on));
        } else {
            bp_json_set_text(read, field->name, value);
        }
    }
    return read;
}

static bp_reply *
answer_query(const char *name, void *ctx, const bp_http_request *request)
{
    const bp_v1_operation *operation = bp_v1_find(name);
    return answer(operation, ctx, request, read_query(operation->request, request->target));
}

static bp_reply *
create(void *ctx, const bp_http_request *request)
{
    return answer_body("CreateBackup", ctx, request);
}

static bp_reply *
restore(void *ctx, const bp_http_request *request)
{
    return answer_body("RestoreBackup", ctx, request);
}

static bp_reply *
restore_secondary(void *ctx, const bp_http_request *request)
{
    return answer_body("RestoreSecondary", ctx, request);
}

static bp_reply *
list(void *ctx, const bp_http_request *request)
{
    return answer_query("ListBackups", ctx, request);
}

static bp_reply *
get_backup(void *ctx, const bp_http_request *request)
{
    return answer_query("GetBackup", ctx, request);
}

static bp_reply *delete (void *ctx, const bp_http_request *request)
{
    return answer_query("DeleteBackup", ctx, request);
}

static bp_reply *
get_restore(void *ctx, const bp_http_request *request)
{
    return answer_query("GetRestore", ctx, request);
}

/* A text as JSON; one that says that something is wrong is no success. */
static bp_reply *
check(void *ctx, const bp_http_request *request)
{
    g_autoptr(json_t) value = run(bp_v1_find("Check"), ctx, request, json_object());
    json_t *text = json_object_get(value, "msg");
    if (json_integer_value(json_object_get(value, "code")) == BP_V1_SUCCESS) {
        return bp_reply_json(200, json_incref(text));
    }
    return bp_reply_json(500, json_pack("{s:O}", "error", text));
}

const bp_route bp_v1_rest_routes[] = {
    {.method = "GET", .path = "/", .role = BP_ROLE_NONE, .answer = greet},
    {.method = "POST", .path = "/", .role = BP_ROLE_NONE, .answer = greet},
    {.method = "PUT", .path = "/", .role = BP_ROLE_NONE, .answer = greet},
    {.method = "PATCH", .path = "/", .role = BP_ROLE_NONE, .answer = greet},
    {.method = "DELETE", .path = "/", .role = BP_ROLE_NONE, .answer = greet},
    {.method = "GET", .path = HERE "/hello", .role = BP_ROLE_NONE, .answer = greet},
    {.method = "POST", .path = HERE "/create", .role = BP_ROLE_OPERATE, .answer = create},
    {.method = "GET", .path = HERE "/list", .role = BP_ROLE_READ, .answer = list},
    {.method = "GET", .path = HERE "/get_backup", .role = BP_ROLE_READ, .answer = get_backup},
    {.method = "DELETE", .path = HERE "/delete", .role = BP_ROLE_OPERATE, .answer = delete},
    {.method = "POST", .path = HERE "/restore", .role = BP_ROLE_OPERATE, .answer = restore},
    {.method = "GET", .path = HERE "/get_restore", .role = BP_ROLE_READ, .answer = get_restore},
    {.method = "POST",
     .path = HERE "/restore_secondary",
     .role = BP_ROLE_OPERATE,
     .answer = restore_secondary},
    {.method = "GET", .path = HERE "/check", .role = BP_ROLE_OPERATE, .answer = check},
};
const gsize bp_v1_rest_n_routes = G_N_ELEMENTS(bp_v1_rest_routes);
