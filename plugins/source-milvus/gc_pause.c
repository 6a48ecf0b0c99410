/* SPDX-License-Identifier: Apache-2.0
 *
 * The management port's garbage_collection requests.  Only an answer with status 200 and
 * "msg":"OK" counts as paused: an old server answers 404, and others have answered anything.
 */
#include "gc_pause.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "sdk/http/http.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "source.h"

#include "sdk/lib/ban.h"

#define GC_PATH "/management/datacoord/garbage_collection/"
#define REQUEST_TIMEOUT_MS 10000
#define STATUS_OK 200
#define STATUS_NOT_FOUND 404

struct milvus_gc_pause_state {
    bp_http_client *http; /* the source's */
    char *base;           /* of the management port, without a slash at the end */
    uint64_t pause_s;
    char *ticket; /* of the newest pause, where the server gives one; else NULL */
};

/* A text member of the answer, "" when there is none; owned by the caller. */
static char *
text_of(const struct bp_http_answer *answer, const char *member)
{
    json_error_t ignored;
    json_t *root =
        answer->body != NULL ? json_loadb(answer->body, answer->size, 0, &ignored) : NULL;
    const char *text = json_string_value(json_object_get(root, member));
    char *copy = g_strdup(text != NULL ? text : "");
    json_decref(root);
    return copy;
}

static bp_status
judge(const struct bp_http_answer *answer, const char *url, struct bp_error *error)
{
    g_autofree char *message = text_of(answer, "msg");
    if (answer->status == STATUS_OK && strcmp(message, "OK") == 0) {
        return BP_OK;
    }
    bp_status cls = BP_ERR_PERMANENT;
    if (answer->status == STATUS_NOT_FOUND) {
        cls = bp_fail(error, BP_ERR_UNSUPPORTED,
                      "%s: this Milvus cannot pause its garbage collection (404)", url);
    } else {
        cls = bp_http_class(answer->status);
        cls = bp_fail(error, cls != BP_OK ? cls : BP_ERR_PERMANENT,
                      "%s: status %d, message \"%.200s\"", url, answer->status, message);
    }
    error->remote_status = answer->status;
    error->retry_after_ms = answer->retry_after_ms;
    return cls;
}

static bp_status
ask(struct milvus_gc_pause_state *state, const struct bp_op *op, const char *verb,
    struct bp_error *error)
{
    g_autofree char *url = g_strconcat(state->base, GC_PATH, verb, NULL);
    const struct bp_http_request request = {
        .url = url, .idle_timeout_ms = REQUEST_TIMEOUT_MS, .total_timeout_ms = REQUEST_TIMEOUT_MS};
    struct bp_http_answer answer = {0};
    bp_status status = bp_http_perform(state->http, op, &request, 0, &answer, error);
    if (status == BP_OK) {
        status = judge(&answer, url, error);
    }
    if (status == BP_OK) {
        g_autofree char *ticket = text_of(&answer, "ticket");
        g_free(state->ticket);
        state->ticket = ticket[0] != '\0' ? g_uri_escape_string(ticket, NULL, FALSE) : NULL;
    }
    bp_http_answer_clear(&answer);
    return status;
}

bp_status
milvus_gc_renew(struct milvus_gc_pause_state *pause, const struct bp_op *op, struct bp_error *error)
{
    g_autofree char *verb = g_strdup_printf("pause?pause_seconds=%" PRIu64, pause->pause_s);
    return ask(pause, op, verb, error);
}

static void
pause_free(struct milvus_gc_pause_state *pause)
{
    g_free(pause->base);
    g_free(pause->ticket);
    g_free(pause);
}

/* A pause that did not work: fatal only where it is required. */
static bp_status
tolerate(const struct bp_host *host, const struct bp_op *op,
         const struct milvus_create_options *options, bp_status status, struct bp_error *error)
{
    if (status == BP_ERR_CANCELLED || options->gc_pause == MILVUS_GC_REQUIRE) {
        return status;
    }
    bp_hostlog(host, op, status == BP_ERR_UNSUPPORTED ? BP_LOG_INFO : BP_LOG_WARN,
               "garbage collection is not paused: %s", error->message);
    return BP_OK;
}

bp_status
milvus_gc_pause(struct bp_source *source, const struct bp_op *op,
                const struct milvus_create_options *options, struct milvus_gc_pause_state **out,
                struct bp_error *error)
{
    const struct milvus_config *config = &source->config;
    *out = NULL;
    if (options->gc_pause == MILVUS_GC_OFF) {
        return BP_OK;
    }
    if (config->management == NULL) {
        if (options->gc_pause == MILVUS_GC_REQUIRE) {
            return bp_fail(error, BP_ERR_INVALID,
                           "option gc_pause: require needs the setting management of the source");
        }
        return BP_OK;
    }
    struct milvus_gc_pause_state *pause = g_new0(struct milvus_gc_pause_state, 1);
    size_t n = strlen(config->management);
    while (n > 0 && config->management[n - 1] == '/') {
        n--;
    }
    pause->http = source->http;
    pause->base = g_strndup(config->management, n);
    pause->pause_s = options->gc_pause_ms / 1000;
    bp_status status = milvus_gc_renew(pause, op, error);
    if (status != BP_OK) {
        pause_free(pause);
        return tolerate(source->host, op, options, status, error);
    }
    bp_hostlog(source->host, op, BP_LOG_INFO,
               "garbage collection is paused for %" PRIu64 " s at a time", pause->pause_s);
    *out = pause;
    return BP_OK;
}

bp_status
milvus_gc_resume(struct milvus_gc_pause_state *pause, const struct bp_op *op,
                 struct bp_error *error)
{
    if (pause == NULL) {
        return BP_OK;
    }
    g_autofree char *verb = pause->ticket != NULL
                                ? g_strconcat("resume?ticket=", pause->ticket, NULL)
                                : g_strdup("resume");
    bp_status status = ask(pause, op, verb, error);
    pause_free(pause);
    return status;
}
