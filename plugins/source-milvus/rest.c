/* SPDX-License-Identifier: Apache-2.0
 *
 * Milvus answers most REST failures with HTTP status 200, so the member "code" is looked at, and
 * then whether what was asked for is there.
 */
#include "rest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json_reader.h"
#include "rpc_status.h"
#include "sdk/http/http.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/secret.h"
#include "source.h"

#include "sdk/lib/ban.h"

#define PATH_COLLECTIONS "/v2/vectordb/collections/list"
#define PATH_CREATE "/v2/vectordb/jobs/import/create"
#define PATH_PROGRESS "/v2/vectordb/jobs/import/get_progress"

/* Seconds that the server itself may take to answer. */
#define HEADER_SERVER_TIMEOUT "Request-Timeout: 600"
#define LONG_FACTOR 10

/* Early 2.4 answered 200 for success. */
#define CODE_EARLY_OK 200

struct milvus_rest {
    bp_http_client *http;     /* the source's */
    char *base;               /* "http://host:port" */
    bp_secret *authorization; /* header line, or NULL */
    uint32_t request_timeout_ms;
};

static bp_secret *
authorization_of(const struct milvus_config *config)
{
    g_autofree char *line = NULL;
    if (config->token != NULL) {
        line = g_strdup_printf("Authorization: Bearer %s", bp_secret_get(config->token));
    } else if (config->user != NULL) {
        line = g_strdup_printf("Authorization: Bearer %s:%s", config->user,
                               bp_secret_get(config->password));
    }
    bp_secret *secret = bp_secret_new(line);
    if (line != NULL) {
        bp_secret_wipe(line, strlen(line));
    }
    return secret;
}

void
milvus_rest_free(struct milvus_rest *rest)
{
    if (rest == NULL) {
        return;
    }
    g_free(rest->base);
    bp_secret_free(rest->authorization);
    g_free(rest);
}

/* What the answer says besides its content: BP_OK, or the server's own refusal. */
static bp_status
check_answer(const struct bp_http_answer *answer, const char *what, struct milvus_json_reader *json,
             const json_t *root, struct bp_error *error)
{
    int32_t code = milvus_json_get_i32(json, root, "code");
    const char *message = milvus_json_get_text(json, root, "message");
    if (json->status != BP_OK) {
        return json->status;
    }
    if (answer->status != 200 && code == 0) {
        bp_status cls = bp_http_class(answer->status);
        (void)bp_fail(error, cls != BP_OK ? cls : BP_ERR_PERMANENT, "%s: HTTP status %d", what,
                      answer->status);
        error->remote_status = answer->status;
        error->retry_after_ms = answer->retry_after_ms;
        return error->cls;
    }
    Mv__Status status = MV__STATUS__INIT;
    status.code = code == CODE_EARLY_OK ? 0 : code;
    g_autofree char *reason = g_strdup(message);
    status.reason = reason;
    return milvus_status_check(&status, what, error);
}

/* One POST of a JSON object; `*out` is the whole answer, for json_decref. */
static bp_status
post(struct milvus_rest *rest, const struct bp_op *op, const char *path, const json_t *body,
     json_t **out, struct bp_error *error)
{
    uint32_t timeout_ms =
        rest->request_timeout_ms * (strcmp(path, PATH_CREATE) == 0 ? LONG_FACTOR : 1);
    g_autofree char *url = g_strconcat(rest->base, path, NULL);
    char *text = json_dumps(body, JSON_COMPACT);
    if (text == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "%s: a name or path is not UTF-8", url);
    }
    const char *headers[] = {
        "Content-Type: application/json", HEADER_SERVER_TIMEOUT,
        rest->authorization != NULL ? bp_secret_get(rest->authorization) : NULL, NULL};
    const struct bp_http_request request = {.method = "POST",
                                            .url = url,
                                            .headers = headers,
                                            .body = text,
                                            .body_size = strlen(text),
                                            .idle_timeout_ms = timeout_ms,
                                            .total_timeout_ms = timeout_ms};
    struct bp_http_answer answer = {0};
    bp_status status = bp_http_perform(rest->http, op, &request, 0, &answer, error);
    free(text);
    if (status == BP_OK && answer.status == 404) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED, "%s: 404", url);
    } else if (status == BP_OK) {
        struct milvus_json_reader json = {.file = url, .error = error};
        const char *answered = answer.body != NULL ? answer.body : "";
        status = milvus_json_parse(url, answered, answer.size, out, error);
        status = status == BP_OK ? check_answer(&answer, url, &json, *out, error) : status;
    }
    bp_http_answer_clear(&answer);
    if (status != BP_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

bp_status
milvus_rest_find(struct bp_source *source, const struct bp_op *op, struct milvus_rest **out,
                 struct bp_error *error)
{
    const struct milvus_config *config = &source->config;
    *out = NULL;
    if (config->tls_mode == MILVUS_TLS_MUTUAL || config->server_name != NULL) {
        return BP_OK; /* such a connection is made for gRPC only */
    }
    struct milvus_rest *rest = g_new0(struct milvus_rest, 1);
    rest->http = source->http;
    rest->base = g_strconcat(config->tls_mode == MILVUS_TLS_OFF ? "http://" : "https://",
                             config->address, NULL);
    rest->authorization = authorization_of(config);
    rest->request_timeout_ms = config->request_timeout_ms;
    json_t *body = json_pack("{s:s}", "dbName", "default");
    json_t *answer = NULL;
    bp_status status = post(rest, op, PATH_COLLECTIONS, body, &answer, error);
    json_decref(body);
    json_decref(answer);
    if (status == BP_OK) {
        *out = rest;
        return BP_OK;
    }
    milvus_rest_free(rest);
    if (status == BP_ERR_CANCELLED) {
        return status;
    }
    bp_hostlog(source->host, op, BP_LOG_INFO, "imports go over gRPC, one directory each: %s",
               error->message);
    return BP_OK;
}

static json_t *
import_body(const struct milvus_rest_import *import)
{
    json_t *files = json_array();
    for (guint i = 0; i < import->dirs->len; i++) {
        const struct milvus_dirs *dirs = import->dirs->pdata[i];
        json_t *one = json_array();
        if (dirs->inserts != NULL) {
            json_array_append_new(one, json_string(dirs->inserts));
        }
        if (dirs->deltas != NULL) {
            json_array_append_new(one, json_string(dirs->deltas));
        }
        json_array_append_new(files, one);
    }
    json_t *options = json_object();
    for (guint i = 0; i < import->options->len; i++) {
        const struct milvus_kv *kv = &g_array_index(import->options, struct milvus_kv, i);
        json_object_set_new(options, kv->key, json_string(kv->value));
    }
    json_t *body = json_pack("{s:s, s:s, s:o, s:o}", "dbName", import->db, "collectionName",
                             import->collection, "files", files, "options", options);
    if (import->partition[0] != '\0') {
        json_object_set_new(body, "partitionName", json_string(import->partition));
    }
    return body;
}

bp_status
milvus_rest_import(struct milvus_rest *rest, const struct bp_op *op,
                   const struct milvus_rest_import *import, int64_t *job, struct bp_error *error)
{
    json_t *body = import_body(import);
    json_t *answer = NULL;
    bp_status status = post(rest, op, PATH_CREATE, body, &answer, error);
    json_decref(body);
    if (status == BP_OK) {
        struct milvus_json_reader json = {.file = rest->base, .error = error};
        const json_t *data = milvus_json_get_object(&json, answer, "data");
        *job = milvus_json_get_count(&json, data, "jobId");
        status = json.status;
        if (status == BP_OK && *job == 0) {
            status =
                bp_fail(error, BP_ERR_PERMANENT, "%s%s: the server took an import but named no job",
                        rest->base, PATH_CREATE);
        }
    }
    json_decref(answer);
    return status;
}

/* Completed, Failed and the states in between; an unknown one counts as still running. */
static void
fill_state(struct milvus_json_reader *json, const json_t *data, struct milvus_import_state *out)
{
    const char *state = milvus_json_get_text(json, data, "state");
    const char *reason = milvus_json_get_text(json, data, "reason");
    out->percent = milvus_json_get_i32(json, data, "progress");
    out->rows = milvus_json_get_count(json, data, "importedRows");
    out->phase = MILVUS_IMPORT_STARTED;
    if (state == NULL) {
        milvus_json_reject(json, "the answer tells no state of the job");
    } else if (strcmp(state, "Completed") == 0) {
        out->phase = MILVUS_IMPORT_COMPLETED;
    } else if (strcmp(state, "Failed") == 0) {
        out->phase = MILVUS_IMPORT_FAILED;
    } else if (strcmp(state, "Uncommitted") == 0) {
        out->phase = MILVUS_IMPORT_FAILED;
        reason = "the server waits for the job to be committed by hand";
    } else if (strcmp(state, "Pending") == 0) {
        out->phase = MILVUS_IMPORT_PENDING;
    }
    (void)g_strlcpy(out->reason, reason != NULL ? reason : "", sizeof out->reason);
}

bp_status
milvus_rest_import_state(struct milvus_rest *rest, const struct bp_op *op, const char *db,
                         int64_t job, struct milvus_import_state *out, struct bp_error *error)
{
    g_autofree char *id = g_strdup_printf("%" PRId64, job);
    json_t *body = json_pack("{s:s, s:s}", "dbName", db, "jobId", id);
    json_t *answer = NULL;
    bp_status status = post(rest, op, PATH_PROGRESS, body, &answer, error);
    json_decref(body);
    if (status == BP_OK) {
        struct milvus_json_reader json = {.file = rest->base, .error = error};
        fill_state(&json, milvus_json_get_object(&json, answer, "data"), out);
        status = json.status;
    }
    json_decref(answer);
    return status;
}
