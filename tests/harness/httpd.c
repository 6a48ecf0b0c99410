/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted HTTP server for tests.
 */
#include "tests/harness/httpd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define READ_STEP ((size_t)64 * 1024)

struct text {
    char *at;
    size_t len, room;
};

struct request {
    struct text text; /* head and body */
    size_t head_len;
};

struct connection {
    int fd;
    void *state; /* of the transport */
};

struct bp_httpd {
    const struct bp_httpd_transport *transport;
    struct bp_httpd_step *steps; /* with texts of its own */
    size_t n_steps;
    size_t n_expected; /* requests */
    int listener;
    int stop[2]; /* a pipe: readable = stop */
    pthread_t thread;
    char url[64];
    struct connection open[MAX_CONNECTIONS];
    size_t n_open, n_accepted;

    pthread_mutex_t lock; /* guards requests, n_requests, n_closed while the thread runs */
    pthread_cond_t came;
    struct request *requests; /* n_expected of them */
    size_t n_requests, n_closed;
};

static void
die(const char *what)
{
    perror(what);
    abort();
}

static void
append(struct text *text, const char *bytes, size_t n)
{
    if (text->at == NULL || text->len + n + 1 > text->room) {
        text->room = (text->len + n + 1) * 2;
        char *grown = realloc(text->at, text->room);
        if (grown == NULL) {
            die("httpd");
        }
        text->at = grown;
    }
    memcpy(text->at + text->len, bytes, n);
    text->len += n;
    text->at[text->len] = '\0';
}

/* False = stopped. */
static bool
wait_for(const struct bp_httpd *server, int fd)
{
    struct pollfd fds[2] = {{.fd = server->stop[0], .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    while (poll(fds, fd < 0 ? 1 : 2, -1) < 0) {
    }
    return fds[0].revents == 0;
}

/* Adds what comes next; false when the client left or the server is stopped. */
static bool
read_more(const struct bp_httpd *server, struct connection *connection, struct text *raw)
{
    const struct bp_httpd_transport *transport = server->transport;
    char bytes[READ_STEP];
    long n = 0;
    if (transport == NULL || !transport->has_more(connection->state)) {
        if (!wait_for(server, connection->fd)) {
            return false;
        }
    }
    if (transport != NULL) {
        n = transport->recv(connection->state, bytes, sizeof(bytes));
    } else {
        n = recv(connection->fd, bytes, sizeof(bytes), 0);
    }
    if (n <= 0) {
        return false;
    }
    append(raw, bytes, (size_t)n);
    return true;
}

/* Takes whole chunks from raw[*at …]; true after the last one. */
static bool
take_chunks(const struct text *raw, size_t *at, struct text *body)
{
    for (;;) {
        const char *begin = raw->at + *at;
        const char *line_end = memmem(begin, raw->len - *at, "\r\n", 2);
        if (line_end == NULL) {
            return false;
        }
        size_t size = strtoul(begin, NULL, 16);
        size_t whole = (size_t)(line_end - begin) + 2 + size + 2;
        if (raw->len - *at < whole) {
            return false;
        }
        append(body, line_end + 2, size);
        *at += whole;
        if (size == 0) {
            return true;
        }
    }
}

/* Reads a request, as far as it comes; false when there was none at all. */
static bool
read_request(const struct bp_httpd *server, struct connection *connection, bool head_only,
             struct request *out)
{
    struct text raw = {0};
    const char *end = NULL;
    append(&raw, "", 0);
    while ((end = strstr(raw.at, "\r\n\r\n")) == NULL && read_more(server, connection, &raw)) {
    }
    if (end == NULL) {
        bool came = raw.len > 0;
        out->text = raw;
        out->head_len = raw.len;
        return came;
    }
    size_t at = (size_t)(end - raw.at) + 4;
    append(&out->text, raw.at, at);
    out->head_len = at;
    const char *length = strcasestr(out->text.at, "\r\nContent-Length:");
    bool is_chunked = strcasestr(out->text.at, "\r\nTransfer-Encoding: chunked") != NULL;
    size_t left = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    if (head_only) {
        left = 0;
    } else if (is_chunked) {
        while (!take_chunks(&raw, &at, &out->text) && read_more(server, connection, &raw)) {
        }
    }
    while (!is_chunked && raw.len - at < left && read_more(server, connection, &raw)) {
    }
    left = raw.len - at < left ? raw.len - at : left;
    append(&out->text, raw.at + at, is_chunked ? 0 : left);
    free(raw.at);
    return true;
}

static void
send_bytes(const struct bp_httpd *server, struct connection *connection, const char *bytes,
           size_t n)
{
    while (n > 0) {
        long sent = server->transport != NULL ? server->transport->send(connection->state, bytes, n)
                                              : send(connection->fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* the client left */
        }
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void
answer(const struct bp_httpd *server, struct connection *connection,
       const struct bp_httpd_step *step)
{
    size_t n = step->reply == NULL ? 0 : strlen(step->reply);
    if (step->in_drops) {
        for (size_t i = 0; i < n; i++) {
            send_bytes(server, connection, step->reply + i, 1);
        }
    } else {
        send_bytes(server, connection, step->reply, n);
    }
    char block[4096];
    for (size_t done = 0; done < step->fill;) {
        size_t size = 0;
        for (; size < sizeof(block) && done < step->fill; size++, done++) {
            block[size] = bp_httpd_byte(done);
        }
        send_bytes(server, connection, block, size);
    }
}

static void
close_connection(struct bp_httpd *server, size_t which, bool reset)
{
    struct connection *connection = &server->open[which];
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (reset) {
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    if (server->transport != NULL && connection->state != NULL) {
        server->transport->close(connection->state);
    }
    close(connection->fd);
    *connection = server->open[--server->n_open];
    pthread_mutex_lock(&server->lock);
    server->n_closed++;
    pthread_cond_broadcast(&server->came);
    pthread_mutex_unlock(&server->lock);
}

static const struct bp_httpd_step *
step_of(const struct bp_httpd *server, size_t i)
{
    const struct bp_httpd_step *step = server->steps;
    for (size_t last = 0;; step++) {
        last += step->times != 0 ? step->times : 1;
        if (i < last) {
            return step;
        }
    }
}

static void
serve(struct bp_httpd *server, size_t which)
{
    struct connection *connection = &server->open[which];
    const struct bp_httpd_step *step = step_of(server, server->n_requests);
    bool head_only = step->manner == BP_HTTPD_EARLY || step->manner == BP_HTTPD_MUTE ||
                     step->manner == BP_HTTPD_CUT;
    struct request request = {0};
    if (!read_request(server, connection, head_only, &request)) {
        free(request.text.at);
        close_connection(server, which, false);
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->requests[server->n_requests++] = request;
    pthread_cond_broadcast(&server->came);
    pthread_mutex_unlock(&server->lock);

    answer(server, connection, step);
    if (step->manner == BP_HTTPD_STALL || step->manner == BP_HTTPD_MUTE) {
        (void)wait_for(server, -1);
    } else if (step->manner == BP_HTTPD_EARLY) {
        struct text rest = {0};
        while (read_more(server, connection, &rest)) {
            rest.len = 0;
        }
        free(rest.at);
    }
    if (step->manner != BP_HTTPD_KEEP) {
        bool reset = step->manner == BP_HTTPD_RESET || step->manner == BP_HTTPD_CUT;
        close_connection(server, which, reset);
    }
}

static void
accept_one(struct bp_httpd *server)
{
    struct connection connection = {.fd = accept(server->listener, NULL, NULL)};
    const int on = 1;
    if (connection.fd < 0 || server->n_open == MAX_CONNECTIONS) {
        die("httpd: accept");
    }
    (void)setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    server->n_accepted++;
    if (server->transport != NULL) {
        connection.state = server->transport->accept(server->transport->ctx, connection.fd);
        if (connection.state == NULL) {
            close(connection.fd);
            return;
        }
    }
    server->open[server->n_open++] = connection;
}

/* A connection with something to read, MAX_CONNECTIONS = a new one, -1 = stopped. */
static int
next_event(const struct bp_httpd *server)
{
    struct pollfd fds[MAX_CONNECTIONS + 2] = {{.fd = server->stop[0], .events = POLLIN},
                                              {.fd = server->listener, .events = POLLIN}};
    for (size_t i = 0; i < server->n_open; i++) {
        fds[i + 2] = (struct pollfd){.fd = server->open[i].fd, .events = POLLIN};
    }
    while (poll(fds, server->n_open + 2, -1) < 0) {
    }
    if (fds[0].revents != 0) {
        return -1;
    }
    for (size_t i = 0; i < server->n_open; i++) {
        if (fds[i + 2].revents != 0) {
            return (int)i;
        }
    }
    return MAX_CONNECTIONS;
}

static void *
run(void *data)
{
    struct bp_httpd *server = data;
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE); /* of this thread alone: the client has to see to itself */
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    while (server->n_requests < server->n_expected) {
        int event = next_event(server);
        if (event < 0) {
            break;
        }
        if (event == MAX_CONNECTIONS) {
            accept_one(server);
        } else {
            serve(server, (size_t)event);
        }
    }
    (void)wait_for(server, -1);
    while (server->n_open > 0) {
        close_connection(server, 0, false);
    }
    return NULL;
}

/* With their texts: a test may return while its last answer is on its way. */
static void
copy_steps(struct bp_httpd *server, const struct bp_httpd_step *steps, size_t n)
{
    server->steps = calloc(n, sizeof(steps[0]));
    if (server->steps == NULL) {
        die("httpd: steps");
    }
    server->n_steps = n;
    memcpy(server->steps, steps, n * sizeof(steps[0]));
    for (size_t i = 0; i < n; i++) {
        server->n_expected += steps[i].times != 0 ? steps[i].times : 1;
        if (steps[i].reply != NULL && (server->steps[i].reply = strdup(steps[i].reply)) == NULL) {
            die("httpd: reply");
        }
    }
}

struct bp_httpd *
bp_httpd_start_over(const struct bp_httpd_transport *transport, const struct bp_httpd_step *steps,
                    size_t n)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    struct bp_httpd *server = calloc(1, sizeof(*server));
    if (server == NULL || pipe(server->stop) != 0) {
        die("httpd");
    }
    server->transport = transport;
    copy_steps(server, steps, n);
    server->requests = calloc(server->n_expected, sizeof(server->requests[0]));
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->came, NULL);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->requests == NULL || server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, MAX_CONNECTIONS) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0) {
        die("httpd: listen");
    }
    snprintf(server->url, sizeof(server->url), "%s://127.0.0.1:%d",
             transport != NULL ? "https" : "http", ntohs(address.sin_port));
    if (pthread_create(&server->thread, NULL, run, server) != 0) {
        die("httpd: thread");
    }
    return server;
}

struct bp_httpd *
bp_httpd_start(const struct bp_httpd_step *steps, size_t n)
{
    return bp_httpd_start_over(NULL, steps, n);
}

const char *
bp_httpd_url(const struct bp_httpd *server)
{
    return server->url;
}

void
bp_httpd_wait(struct bp_httpd *server, size_t n)
{
    pthread_mutex_lock(&server->lock);
    while (server->n_requests < n) {
        pthread_cond_wait(&server->came, &server->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

void
bp_httpd_wait_closed(struct bp_httpd *server, size_t n)
{
    pthread_mutex_lock(&server->lock);
    while (server->n_closed < n) {
        pthread_cond_wait(&server->came, &server->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

void
bp_httpd_stop(struct bp_httpd *server)
{
    if (write(server->stop[1], "x", 1) != 1) {
        die("httpd: stop");
    }
    pthread_join(server->thread, NULL);
}

const char *
bp_httpd_request(const struct bp_httpd *server, size_t i)
{
    return i < server->n_requests ? server->requests[i].text.at : "";
}

const char *
bp_httpd_body(const struct bp_httpd *server, size_t i, size_t *size)
{
    if (i >= server->n_requests) {
        *size = 0;
        return "";
    }
    const struct request *request = &server->requests[i];
    *size = request->text.len - request->head_len;
    return request->text.at + request->head_len;
}

size_t
bp_httpd_requests(const struct bp_httpd *server)
{
    return server->n_requests;
}

size_t
bp_httpd_connections(const struct bp_httpd *server)
{
    return server->n_accepted;
}

void
bp_httpd_free(struct bp_httpd *server)
{
    for (size_t i = 0; i < server->n_requests; i++) {
        free(server->requests[i].text.at);
    }
    free(server->requests);
    for (size_t i = 0; i < server->n_steps; i++) {
        free((char *)server->steps[i].reply);
    }
    free(server->steps);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->came);
    close(server->listener);
    close(server->stop[0]);
    close(server->stop[1]);
    free(server);
}
