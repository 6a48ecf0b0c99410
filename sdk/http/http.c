/* SPDX-License-Identifier: Apache-2.0
 *
 * A handle per request: what uses this asks rarely, so that no pool is worth its locks.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "sdk/http/http.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define CONNECT_TIMEOUT_MS 5000
#define TIMEOUT_MS 60000
#define MAX_ANSWER ((size_t)1024 * 1024)
#define NS_PER_MS 1000000
#define FIRST_ROOM 1024

struct transfer {
    const struct bp_host *host;
    const struct bp_op *op;
    const struct bp_http_request *request;
    struct bp_http_answer *answer;
    size_t room; /* bytes allocated for the body */
    int too_long, no_memory;
};

bp_status
bp_http_init(struct bp_error *error)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return bp_fail(error, BP_ERR_PERMANENT, "libcurl cannot be initialised");
    }
    return BP_OK;
}

void
bp_http_fini(void)
{
    curl_global_cleanup();
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct transfer *transfer = ctx;
    struct bp_http_answer *answer = transfer->answer;
    size_t limit = transfer->request->max_answer;
    if (limit == 0) {
        limit = MAX_ANSWER;
    }
    n *= size; /* size is always 1 */
    if (n > limit - answer->size) {
        transfer->too_long = 1;
        return 0;
    }
    if (answer->size + n + 1 > transfer->room) {
        size_t room = (answer->size + n + 1) * 2 + FIRST_ROOM;
        char *grown = realloc(answer->body, room);
        if (grown == NULL) {
            transfer->no_memory = 1;
            return 0;
        }
        answer->body = grown;
        transfer->room = room;
    }
    memcpy(answer->body + answer->size, bytes, n);
    answer->size += n;
    answer->body[answer->size] = '\0';
    return n;
}

static int
on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    const struct transfer *transfer = ctx;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return transfer->host->cancelled(transfer->op) != 0 ? 1 : 0;
}

/* What is left of the operation's time, at most the request's own; at least 1. */
static long
timeout_of(const struct bp_op *op, const struct bp_http_request *request)
{
    int64_t limit = request->timeout_ms != 0 ? (int64_t)request->timeout_ms : TIMEOUT_MS;
    struct timespec now = {0};
    if (op->deadline_ns != 0 && clock_gettime(CLOCK_MONOTONIC, &now) == 0) {
        int64_t now_ns = (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
        int64_t left = (op->deadline_ns - now_ns) / NS_PER_MS;
        limit = left < limit ? left : limit;
    }
    return limit > 0 ? (long)limit : 1;
}

static struct curl_slist *
headers_of(const struct bp_http_request *request, int *failed)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (longer == NULL) {
            *failed = 1;
            return list;
        }
        list = longer;
    }
    return list;
}

static void
configure(CURL *curl, struct transfer *transfer, struct curl_slist *headers, char *reason)
{
    const struct bp_http_request *request = transfer->request;
    uint32_t connect_ms = request->connect_timeout_ms;
    (void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                           connect_ms != 0 ? (long)connect_ms : (long)CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_of(transfer->op, request));
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    if (request->ca_file != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    }
    if (request->body != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    }
    if (request->method != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static bp_status
class_of_curl(CURLcode code, const struct transfer *transfer)
{
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return BP_ERR_CANCELLED;
    case CURLE_OPERATION_TIMEDOUT:
        return BP_ERR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return BP_ERR_INVALID;
    case CURLE_OUT_OF_MEMORY:
        return BP_ERR_NOMEM;
    case CURLE_WRITE_ERROR:
        return transfer->no_memory ? BP_ERR_NOMEM : BP_ERR_PERMANENT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return BP_ERR_PERMANENT;
    default:
        return BP_ERR_RETRYABLE;
    }
}

/* The address for messages: without a login and without the query, which may carry a token. */
static void
show_url(const char *url, char *out, size_t cap)
{
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    size_t host_len = strcspn(host, "/?#");
    const char *at = host + host_len;
    while (at > host && at[-1] != '@') {
        at--;
    }
    int path_len = (int)strcspn(at, "?#");
    (void)snprintf(out, cap, "%.*s%.*s", (int)(host - url), url, path_len, at);
}

static bp_status
report(CURLcode code, const struct transfer *transfer, const char *reason, struct bp_error *error)
{
    bp_status status = class_of_curl(code, transfer);
    const char *text = reason[0] != '\0' ? reason : curl_easy_strerror(code);
    if (transfer->too_long) {
        text = "the answer is too long";
    } else if (status == BP_ERR_CANCELLED) {
        text = "cancelled";
    }
    char url[256];
    show_url(transfer->request->url, url, sizeof(url));
    (void)bp_fail(error, status, "%s: %s", url, text);
    if (code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
        status != BP_ERR_INVALID) {
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
    }
    return status;
}

bp_status
bp_http_perform(const struct bp_host *host, const struct bp_op *op,
                const struct bp_http_request *request, struct bp_http_answer *out,
                struct bp_error *error)
{
    *out = (struct bp_http_answer){0};
    struct transfer transfer = {.host = host, .op = op, .request = request, .answer = out};
    if (host->cancelled(op) != 0) {
        (void)report(CURLE_ABORTED_BY_CALLBACK, &transfer, "", error);
        error->flags = 0; /* nothing was sent */
        return error->cls;
    }
    char reason[CURL_ERROR_SIZE] = "";
    int failed = 0;
    struct curl_slist *headers = headers_of(request, &failed);
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl != NULL && !failed) {
        configure(curl, &transfer, headers, reason);
        code = curl_easy_perform(curl);
    }
    if (code == CURLE_OK) {
        long status = 0;
        curl_off_t pause_s = 0;
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &pause_s);
        out->status = (int)status;
        out->retry_after_ms = pause_s > 0 ? (uint64_t)pause_s * 1000 : 0;
    }
    bp_status result = code == CURLE_OK ? BP_OK : report(code, &transfer, reason, error);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return result;
}

void
bp_http_answer_clear(struct bp_http_answer *answer)
{
    free(answer->body);
    *answer = (struct bp_http_answer){0};
}

bp_status
bp_http_class(int status)
{
    if (status >= 200 && status < 300) {
        return BP_OK;
    }
    switch (status) {
    case 400:
        return BP_ERR_INVALID;
    case 401:
        return BP_ERR_AUTH;
    case 403:
        return BP_ERR_DENIED;
    case 404:
        return BP_ERR_NOT_FOUND;
    case 405:
    case 501:
        return BP_ERR_UNSUPPORTED;
    case 408:
        return BP_ERR_TIMEOUT;
    case 409:
    case 412:
        return BP_ERR_EXISTS;
    case 416:
        return BP_ERR_RANGE;
    case 429:
    case 503:
        return BP_ERR_THROTTLED;
    case 507:
        return BP_ERR_NO_SPACE;
    default:
        return status >= 500 ? BP_ERR_RETRYABLE : BP_ERR_PERMANENT;
    }
}
