/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage plugin that speaks as much HTTP as the kit's own server hears: one request in each
 * connection.  Right in every way unless the environment says otherwise (wire_breaks.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "tests/plugins/broken/wire.h"

#include "sdk/lib/ban.h"

#define PATIENCE_MS 4000 /* broken: of who hears nothing else */

static long long
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until the call has to end; -1 = none. */
static int
left_ms(const struct bp_op *op, long long start)
{
    bool has_deadline = op->deadline_ns != 0 && !IS_BROKEN(BLIND_TO_DEADLINE);
    bool impatient = IS_BROKEN(DEAF_TO_CANCEL) || IS_BROKEN(BLIND_TO_DEADLINE);
    long long end = has_deadline ? op->deadline_ns / 1000000 : start + PATIENCE_MS;
    long long left = end - now_ms();
    return !has_deadline && !impatient ? -1 : left > 0 ? (int)left : 0;
}

bp_status
wire_wait(const struct connection *self, const struct bp_op *op, short events,
          struct bp_error *error)
{
    const bool deaf = IS_BROKEN(DEAF_TO_CANCEL);
    long long start = now_ms();
    struct pollfd fds[] = {{.fd = self->fd, .events = events},
                           {.fd = self->host->cancel_fd(op), .events = POLLIN}};
    for (;;) {
        int n = poll(fds, deaf ? 1 : 2, left_ms(op, start));
        if (!deaf && self->host->cancelled(op) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "cancelled");
        }
        if (n == 0) {
            return bp_fail(error, deaf && op->deadline_ns == 0 ? BP_ERR_CANCELLED : BP_ERR_TIMEOUT,
                           "the server said nothing in time");
        }
        if (n > 0 && fds[0].revents != 0) {
            return BP_OK;
        }
    }
}

static bp_status
fail_connection(struct bp_error *error, int errnum)
{
    return bp_fail(error, IS_BROKEN(RESET_IS_FINAL) ? BP_ERR_PERMANENT : BP_ERR_RETRYABLE,
                   "the connection broke: errno %d", errnum);
}

bp_status
wire_send(const struct connection *self, const struct bp_op *op, const void *bytes, size_t n,
          struct bp_error *error)
{
    int flags = MSG_DONTWAIT | (IS_BROKEN(RAISES_SIGPIPE) ? 0 : MSG_NOSIGNAL);
    for (size_t at = 0; at < n;) {
        bp_status status = wire_wait(self, op, POLLOUT, error);
        if (status != BP_OK) {
            return status;
        }
        ssize_t sent = send(self->fd, (const char *)bytes + at, n - at, flags);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return fail_connection(error, errno);
        }
        at += sent > 0 ? (size_t)sent : 0;
    }
    return BP_OK;
}

bp_status
wire_receive(struct connection *self, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
             struct bp_error *error)
{
    for (;;) {
        bp_status status = wire_wait(self, op, POLLIN, error);
        if (status != BP_OK) {
            return status;
        }
        ssize_t got = recv(self->fd, buffer, cap, MSG_DONTWAIT);
        if (got >= 0) {
            *n = (size_t)got;
            return BP_OK;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return fail_connection(error, errno);
        }
    }
}

void
wire_close(struct connection *self)
{
    if (self->fd >= 0) {
        (void)close(self->fd); /* what was on its way is lost, and known to be */
    }
    self->fd = -1;
}

bp_status
wire_request(const struct bp_storage *storage, const struct bp_op *op,
             const struct wire_request *request, struct connection *out, struct bp_error *error)
{
    char head[2048];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)storage->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *out = (struct connection){.host = storage->host};
    out->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (out->fd < 0 || connect(out->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        bp_status status = fail_connection(error, errno);
        wire_close(out);
        return status;
    }
    (void)snprintf(head, sizeof head,
                   "%s /%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: %llu\r\n\r\n",
                   request->verb, request->key, storage->port, (unsigned long long)request->size);
    bp_status status = wire_send(out, op, head, strlen(head), error);
    if (status != BP_OK) {
        wire_close(out);
    }
    return status;
}

/* Of a server that names codes of its own in a header. */
static bp_status
class_of(const struct connection *self)
{
    unsigned status = self->status;
    bool expired = strstr(self->head, "\r\nx-code: Expired\r\n") != NULL;
    if (status == 404) {
        return IS_BROKEN(MISSING_IS_A_FAULT) ? BP_ERR_RETRYABLE : BP_ERR_NOT_FOUND;
    }
    if (status == 401 || (status == 403 && expired && !IS_BROKEN(IGNORES_CODES))) {
        return BP_ERR_AUTH;
    }
    return status == 403                    ? BP_ERR_DENIED
           : status == 412                  ? BP_ERR_EXISTS
           : status == 429 || status == 503 ? BP_ERR_THROTTLED
           : status >= 500                  ? BP_ERR_RETRYABLE
                                            : BP_ERR_PERMANENT;
}

static uint64_t
wanted_wait_ms(const char *head)
{
    static const char name[] = "\r\nRetry-After: ";
    const char *at = strstr(head, name);
    struct tm then;
    if (IS_BROKEN(WAITS_FOR_EVER)) {
        return 3600000;
    }
    if (at == NULL) {
        return 0;
    }
    at += strlen(name);
    memset(&then, 0, sizeof then);
    if (strptime(at, "%a, %d %b %Y %H:%M:%S GMT", &then) != NULL) {
        time_t left = timegm(&then) - time(NULL);
        return left > 0 ? (uint64_t)left * 1000 : 0;
    }
    return strtoull(at, NULL, 10) * (IS_BROKEN(WAITS_IN_MS) ? 1 : 1000);
}

static bp_status
judge(struct connection *self, struct bp_error *error)
{
    const char *length = strstr(self->head, "\r\nContent-Length: ");
    self->left = length != NULL ? strtoull(length + strlen("\r\nContent-Length: "), NULL, 10) : 0;
    self->status = (unsigned)strtoul(self->head + strlen("HTTP/1.1 "), NULL, 10);
    if (self->status >= 200 && self->status < 300) {
        return BP_OK;
    }
    bp_status status = bp_fail(error, class_of(self), "the server answered %u", self->status);
    error->retry_after_ms = (uint32_t)wanted_wait_ms(self->head);
    return status;
}

/* The head of an answer; what came behind it stays in `head` from `at` on. */
bp_status
wire_answer(struct connection *self, const struct bp_op *op, struct bp_error *error)
{
    char *end = NULL;
    self->n = 0;
    self->head[0] = '\0';
    while ((end = strstr(self->head, "\r\n\r\n")) == NULL) {
        size_t got = 0;
        bp_status status =
            wire_receive(self, op, self->head + self->n, HEAD_MAX - self->n, &got, error);
        if (status != BP_OK) {
            return status;
        }
        if (got == 0) {
            return fail_connection(error, 0);
        }
        self->n += got;
        self->head[self->n] = '\0';
    }
    self->at = (size_t)(end + 4 - self->head);
    if (strncmp(self->head, "HTTP/1.1 ", strlen("HTTP/1.1 ")) != 0) {
        return IS_BROKEN(BABBLE_IS_CONTENT) ? BP_OK
                                            : bp_fail(error, BP_ERR_PERMANENT, "this is no HTTP");
    }
    return judge(self, error);
}
