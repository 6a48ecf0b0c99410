/* SPDX-License-Identifier: Apache-2.0
 *
 * Driving libcurl: move bytes, look whether the caller has what it came for, look whether it has to
 * stop, wait for the sockets or the cancel.
 *
 * libcurl is only driven while there is room for what comes or something to send, so that its own
 * way of pausing, which copies, is the exception.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <limits.h>
#include <time.h>

#include "sdk/http/exchange.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

/* How long a cancel may go unseen where the host has no descriptor for it. */
#define SLICE_MS 250

static int64_t
now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * HTTP_NS_PER_MS + now.tv_nsec;
}

int
http_is_connected(const bp_http_exchange *x)
{
    curl_off_t us = 0;
    (void)curl_easy_getinfo(x->lane->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
    return us > 0;
}

int
http_is_sent(const bp_http_exchange *x)
{
    int is_given = !x->has_body || (x->body_size == BP_UNKNOWN ? x->send_ended && x->send_left == 0
                                                               : x->taken == x->body_size);
    return is_given && http_is_connected(x);
}

/* Counts up with everything that moved, also below our callbacks: what they hand over leaves the
 * upload buffer slowly. */
static uint64_t
moved(const bp_http_exchange *x)
{
    curl_off_t up = 0;
    long head = 0;
    (void)curl_easy_getinfo(x->lane->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    (void)curl_easy_getinfo(x->lane->easy, CURLINFO_REQUEST_SIZE, &head);
    return x->moved + (uint64_t)up + (uint64_t)head;
}

/* Goes on with what a callback had paused, if there is room or something to send. */
static void
unpause(bp_http_exchange *x)
{
    int recv = x->recv_paused && x->spill.used == 0;
    int send = x->send_paused && (x->send_left > 0 || x->send_ended);
    if (!recv && !send) {
        return;
    }
    x->recv_paused = x->recv_paused && !recv;
    x->send_paused = x->send_paused && !send;
    int still = (x->recv_paused ? CURLPAUSE_RECV : 0) | (x->send_paused ? CURLPAUSE_SEND : 0);
    /* It hands out what it kept from within; a failure of that shows in the transfer, too. */
    (void)curl_easy_pause(x->lane->easy, still);
}

/* libcurl does this by itself where reading fails; where writing does, it does not. */
static int
restart(bp_http_exchange *x, CURLcode code)
{
    CURL *easy = x->lane->easy;
    long connects = 0;
    int is_stale =
        code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
    (void)curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    if (!is_stale || connects != 0 || x->restarted || x->head_begun ||
        (x->whole == NULL && x->taken > 0)) {
        return 0;
    }
    x->restarted = 1;
    if (x->whole != NULL) {
        x->send_at = x->whole;
        x->send_left = (size_t)x->body_size;
        x->taken = 0;
    }
    x->send_paused = 0;
    x->reason[0] = '\0';
    (void)curl_multi_remove_handle(x->lane->multi, easy);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    return curl_multi_add_handle(x->lane->multi, easy) == CURLM_OK;
}

static void
perform(bp_http_exchange *x)
{
    int running = 0;
    int left = 0;
    unpause(x);
    if (curl_multi_perform(x->lane->multi, &running) != CURLM_OK) {
        x->no_memory = 1;
        x->done = 1;
        http_fault(x, CURLE_OUT_OF_MEMORY);
        return;
    }
    const CURLMsg *message = curl_multi_info_read(x->lane->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE) {
        return;
    }
    CURLcode code = message->data.result;
    if (code != CURLE_OK && restart(x, code)) {
        return;
    }
    x->done = 1;
    if (code != CURLE_OK) {
        http_fault(x, code);
    }
}

void
http_pump_once(bp_http_exchange *x)
{
    x->dst = NULL;
    x->dst_left = 0;
    perform(x);
}

/* Nearest end of the wait: *limit_ns, and what it is for. */
static const char *
nearest(const bp_http_exchange *x, const struct bp_op *op, int64_t idle_since_ns, int64_t *limit_ns)
{
    const char *why = "the operation's deadline has passed";
    *limit_ns = op->deadline_ns != 0 ? op->deadline_ns : INT64_MAX;
    if (x->end_ns != 0 && x->end_ns < *limit_ns) {
        *limit_ns = x->end_ns;
        why = "not done within the total timeout";
    }
    /* While it connects, libcurl's own timeout counts. */
    if (http_is_connected(x) && idle_since_ns + x->idle_ns < *limit_ns) {
        *limit_ns = idle_since_ns + x->idle_ns;
        why = x->head_begun || !http_is_sent(x) ? "no byte moved within the idle timeout"
                                                : "no answer within the idle timeout";
    }
    return why;
}

/* Waits, unless something has just moved: then the next round asks the sockets anyhow. */
static bp_status
wait_for_more(bp_http_exchange *x, const struct bp_op *op, int64_t idle_since_ns, int has_moved)
{
    int64_t limit_ns = 0;
    const char *why = nearest(x, op, idle_since_ns, &limit_ns);
    int64_t now = now_ns();
    if (now >= limit_ns) {
        return http_fail(x, BP_ERR_TIMEOUT, why);
    }
    if (has_moved) {
        return BP_OK;
    }
    int64_t ms = (limit_ns - now) / HTTP_NS_PER_MS + 1;
    int fd = x->client->host->cancel_fd(op);
    struct curl_waitfd cancel = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int longest = fd < 0 ? SLICE_MS : INT_MAX;
    int slice = ms < longest ? (int)ms : longest;
    if (curl_multi_poll(x->lane->multi, &cancel, fd < 0 ? 0 : 1, slice, NULL) != CURLM_OK) {
        return http_fail(x, BP_ERR_NOMEM, "no memory");
    }
    return BP_OK;
}

bp_status
http_pump(bp_http_exchange *x, const struct bp_op *op, int (*is_ready)(const bp_http_exchange *),
          struct bp_error *error)
{
    int64_t idle_since_ns = now_ns();
    while (x->failure.cls == BP_OK) {
        if (x->client->host->cancelled(op) != 0) {
            (void)http_fail(x, BP_ERR_CANCELLED, "cancelled");
            break;
        }
        uint64_t before = moved(x);
        int was_connected = http_is_connected(x);
        perform(x);
        /* Enough came, even if the connection broke right behind it: the next call tells. */
        if (is_ready(x) || (x->done && x->failure.cls == BP_OK)) {
            return BP_OK;
        }
        if (x->done) {
            break;
        }
        int has_moved = moved(x) != before || was_connected != http_is_connected(x);
        if (has_moved) {
            idle_since_ns = now_ns();
        }
        (void)wait_for_more(x, op, idle_since_ns, has_moved);
    }
    bp_result_copy(error, &x->failure);
    return error->cls;
}
