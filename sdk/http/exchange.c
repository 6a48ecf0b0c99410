/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of an exchange.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/http/exchange.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define FIRST_REFUSAL 300
#define RECEIVE_STEP ((size_t)16 * 1024)

/* These announce a body even when it is empty: servers insist on its length. */
static int
wants_body(const char *method)
{
    return method != NULL && (strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0 ||
                              strcmp(method, "PATCH") == 0);
}

static void
prepare(bp_http_exchange *x, const struct bp_http_request *request)
{
    const bp_http_client *client = x->client;
    uint32_t idle_ms = request->idle_timeout_ms;
    uint32_t total_ms = request->total_timeout_ms;
    struct timespec now = {0};
    bp_error_init(&x->failure);
    http_show(request->method != NULL ? request->method : "GET", request->url, x->what,
              sizeof(x->what));
    x->has_body = request->body_size != 0 || wants_body(request->method);
    x->body_size = request->body_size;
    if (request->body != NULL || request->body_size == 0) {
        x->whole = request->body != NULL ? request->body : "";
        x->send_at = x->whole;
        x->send_left = (size_t)request->body_size;
        x->send_ended = 1;
    }
    x->idle_ns = HTTP_NS_PER_MS * (idle_ms != 0 ? idle_ms : client->idle_timeout_ms);
    total_ms = total_ms != 0 ? total_ms : client->total_timeout_ms;
    if (total_ms != 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        x->end_ns = ((int64_t)now.tv_sec * 1000 + total_ms) * HTTP_NS_PER_MS + now.tv_nsec;
    }
}

bp_status
bp_http_begin(bp_http_client *client, const struct bp_op *op, const struct bp_http_request *request,
              bp_http_exchange **out, struct bp_error *error)
{
    *out = NULL;
    if (request->body != NULL && request->body_size == BP_UNKNOWN) {
        return bp_fail(error, BP_ERR_INVALID, "a request body in memory needs its size");
    }
    bp_http_exchange *x = calloc(1, sizeof(*x));
    struct http_lane *lane = x != NULL ? http_client_take(client) : NULL;
    if (lane == NULL) {
        free(x);
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an HTTP request");
    }
    x->client = client;
    x->lane = lane;
    prepare(x, request);
    bp_status status = http_lane_configure(x, request, error);
    if (status == BP_OK && curl_multi_add_handle(lane->multi, lane->easy) != CURLM_OK) {
        status = bp_fail(error, BP_ERR_NOMEM, "%s: no memory", x->what);
    }
    if (status == BP_OK) {
        status = http_pump(x, op, http_is_connected, error);
    }
    if (status != BP_OK) {
        bp_http_end(x);
        return status;
    }
    *out = x;
    return BP_OK;
}

int
bp_http_answered(const bp_http_exchange *x)
{
    return x->head_done && (x->done || x->status >= FIRST_REFUSAL);
}

static int
is_taken(const bp_http_exchange *x)
{
    return x->send_left == 0 || bp_http_answered(x);
}

bp_status
bp_http_send(bp_http_exchange *x, const struct bp_op *op, const void *bytes, size_t n,
             struct bp_error *error)
{
    if (x->whole != NULL || x->send_ended) {
        return bp_fail(error, BP_ERR_INVALID, "%s: the body is complete already", x->what);
    }
    if (x->body_size != BP_UNKNOWN && n > x->body_size - x->offered) {
        return bp_fail(error, BP_ERR_INVALID, "%s: the body is longer than announced", x->what);
    }
    x->offered += n;
    if (n == 0 || bp_http_answered(x)) {
        return BP_OK;
    }
    x->send_at = bytes;
    x->send_left = n;
    bp_status status = http_pump(x, op, is_taken, error);
    x->send_at = NULL;
    x->send_left = 0;
    return status;
}

/* An answer that is no refusal counts when all was given: until then the server may think again. */
static int
has_head(const bp_http_exchange *x)
{
    return x->head_done && (x->status >= FIRST_REFUSAL || http_is_sent(x));
}

bp_status
bp_http_head(bp_http_exchange *x, const struct bp_op *op, int *status, struct bp_error *error)
{
    *status = 0;
    if (x->body_size != BP_UNKNOWN && x->whole == NULL && x->offered < x->body_size &&
        !bp_http_answered(x)) {
        return bp_fail(error, BP_ERR_INVALID, "%s: the body is shorter than announced", x->what);
    }
    x->send_ended = 1;
    if (!has_head(x)) {
        bp_status result = http_pump(x, op, has_head, error);
        if (result != BP_OK) {
            return result;
        }
    }
    *status = x->status;
    return BP_OK;
}

/* Moves what came early to the caller's buffer. */
static void
take_spill(bp_http_exchange *x)
{
    size_t n = x->spill.used - x->spill_at;
    n = n < x->dst_left ? n : x->dst_left;
    if (n == 0) {
        return;
    }
    memcpy(x->dst, x->spill.at + x->spill_at, n);
    x->dst += n;
    x->dst_left -= n;
    x->spill_at += n;
    if (x->spill_at == x->spill.used) {
        x->spill_at = 0;
        x->spill.used = 0;
    }
}

static int
is_filled(const bp_http_exchange *x)
{
    return x->dst_left == 0;
}

bp_status
bp_http_receive(bp_http_exchange *x, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
                struct bp_error *error)
{
    *n = 0;
    x->dst = buffer;
    x->dst_left = cap;
    take_spill(x);
    int is_over = x->done && (x->failure.cls == BP_OK || x->dst_left < cap);
    bp_status status = BP_OK;
    if (x->dst_left > 0 && !is_over) {
        status = http_pump(x, op, is_filled, error);
    }
    *n = cap - x->dst_left;
    x->dst = NULL;
    x->dst_left = 0;
    /* What came is good; the reader can go on from there. */
    return *n > 0 && status != BP_ERR_CANCELLED ? BP_OK : status;
}

bp_status
bp_http_receive_all(bp_http_exchange *x, const struct bp_op *op, size_t max, char **out,
                    size_t *size, struct bp_error *error)
{
    size_t room = max < RECEIVE_STEP ? max : RECEIVE_STEP;
    size_t used = 0;
    size_t n = 0;
    char *text = malloc(room + 2);
    bp_status status = BP_OK;
    *out = NULL;
    *size = 0;
    /* One byte more than may come, to see that it does. */
    while (text != NULL && used <= max) {
        status = bp_http_receive(x, op, text + used, room + 1 - used, &n, error);
        used += n;
        if (status != BP_OK || n == 0) {
            break;
        }
        if (used > room && room < max) {
            room = room < max / 2 ? room * 2 : max;
            char *grown = realloc(text, room + 2);
            if (grown == NULL) {
                free(text);
            }
            text = grown;
        }
    }
    if (text == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "%s: no memory for the answer", x->what);
    }
    if (status == BP_OK && used > max) {
        (void)bp_fail(error, BP_ERR_PERMANENT, "%s: the answer is longer than %zu bytes", x->what,
                      max);
        bp_http_note(x, error);
        status = error->cls;
    }
    if (status != BP_OK) {
        free(text);
        return status;
    }
    text[used] = '\0';
    *out = text;
    *size = used;
    return BP_OK;
}

void
bp_http_end(bp_http_exchange *x)
{
    if (x == NULL) {
        return;
    }
    if (x->head_done && !x->done && x->failure.cls == BP_OK) {
        http_pump_once(x);
    }
    /* Of a transfer that is not through, this closes the connection. */
    (void)curl_multi_remove_handle(x->lane->multi, x->lane->easy);
    curl_easy_reset(x->lane->easy);
    http_client_give(x->client, x->lane);
    curl_slist_free_all(x->headers);
    http_bytes_clear(&x->lines);
    http_bytes_clear(&x->spill);
    free(x);
}
