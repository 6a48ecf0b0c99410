/* SPDX-License-Identifier: Apache-2.0
 *
 * See server.h.  One thread accepts, and one serves each connection; they end with the process.
 */
#include "sdk/testkit/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sdk/lib/parse.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define HEAD_MAX 32768
#define CUT_SAYS 1000000
#define CUT_SENDS 5000

struct bp_kit_server {
    int fd;
    unsigned port;
    pthread_mutex_t lock; /* guards what follows */
    struct bp_kit_answer answer;
    unsigned requests;
};

struct connection {
    struct bp_kit_server *server;
    int fd;
    char head[HEAD_MAX + 1];
    size_t n;
};

/* Sockets do not raise SIGPIPE: the plugin's are being tested, not ours. */
static void
send_all(int fd, const char *text, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(fd, text + at, n - at, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        at += (size_t)sent;
    }
}

static void
send_text(int fd, char *take_text)
{
    send_all(fd, take_text, strlen(take_text));
    free(take_text);
}

/* Bytes of the body that belongs to a head. */
static uint64_t
length_of(const char *head)
{
    static const char name[] = "content-length:";
    uint64_t n = 0;
    for (const char *line = head; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncasecmp(line, name, strlen(name)) == 0) {
            char digits[24];
            const char *start = line + strlen(name) + strspn(line + strlen(name), " ");
            (void)snprintf(digits, sizeof digits, "%.*s", (int)strspn(start, "0123456789"), start);
            return bp_parse_u64(digits, &n) == 0 ? n : 0;
        }
    }
    return n;
}

/* False at the end of the connection. */
static bool
take_head(struct connection *self)
{
    self->n = 0;
    self->head[0] = '\0';
    while (strstr(self->head, "\r\n\r\n") == NULL) {
        ssize_t got = recv(self->fd, self->head + self->n, HEAD_MAX - self->n, 0);
        if (got <= 0) {
            return false;
        }
        self->n += (size_t)got;
        self->head[self->n] = '\0';
    }
    return true;
}

/* What comes behind a head; false at the end of the connection. */
static bool
take_body(const struct connection *self)
{
    const char *end = strstr(self->head, "\r\n\r\n");
    size_t have = self->n - (size_t)(end + 4 - self->head);
    uint64_t left = length_of(self->head);
    left = left > have ? left - have : 0;
    if (strcasestr(self->head, "\r\nexpect: 100-continue") != NULL) {
        return true; /* it waits for an answer before it sends more */
    }
    while (left > 0) {
        char rest[16384];
        ssize_t got = recv(self->fd, rest, left < sizeof rest ? (size_t)left : sizeof rest, 0);
        if (got <= 0) {
            return false;
        }
        left -= (uint64_t)got;
    }
    return true;
}

static void
reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* else it ends in order */
}

void
bp_kit_server_date(char *out, size_t cap, unsigned in_s)
{
    struct tm parts;
    time_t then = time(NULL) + (time_t)in_s;
    (void)gmtime_r(&then, &parts); /* fits for ages */
    (void)strftime(out, cap, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

static void
send_answer(const struct connection *self, const struct bp_kit_answer *answer)
{
    const char *headers = answer->headers != NULL ? answer->headers : "";
    const char *body = answer->body != NULL ? answer->body : "";
    char date[64];
    bp_kit_server_date(date, sizeof date, 0);
    bool bodiless = strncmp(self->head, "HEAD ", 5) == 0;
    size_t says = answer->mood == BP_KIT_CUTS ? CUT_SAYS : strlen(body);
    send_text(self->fd, bp_kit_text("HTTP/1.1 %u Kit\r\nDate: %s\r\n"
                                    "Connection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
                                    answer->status, date, says, headers, bodiless ? "" : body));
    if (answer->mood == BP_KIT_CUTS && !bodiless) {
        char *piece = bp_kit_alloc(CUT_SENDS + 1, 1);
        memset(piece, 'c', CUT_SENDS);
        send_text(self->fd, piece);
    }
}

/* In order first: who writes on to what was only reset would get ECONNRESET, and no signal. */
static void
hang_up(int fd)
{
    (void)shutdown(fd, SHUT_WR); /* whether it still stood does not matter */
    reset(fd);
}

static void
serve_as(struct connection *self, const struct bp_kit_answer *answer)
{
    if (answer->mood == BP_KIT_STALLS) {
        char byte = 0;
        while (recv(self->fd, &byte, 1, 0) > 0) { /* until the other side has had enough */
        }
    } else if (answer->mood == BP_KIT_RESETS) {
        reset(self->fd);
    } else if (answer->mood == BP_KIT_BABBLES) {
        send_text(self->fd, bp_kit_dup("%$#!\r\n\r\nthis is no HTTP\r\n\r\n"));
    } else {
        send_answer(self, answer);
        (void)shutdown(self->fd, SHUT_WR);
    }
}

static struct bp_kit_answer
count_request(struct bp_kit_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    struct bp_kit_answer answer = server->answer;
    server->requests++;
    (void)pthread_mutex_unlock(&server->lock);
    return answer;
}

static void *
serve(void *ctx)
{
    struct connection *self = ctx;
    if (take_head(self)) {
        struct bp_kit_answer answer = count_request(self->server);
        if (answer.mood == BP_KIT_HANGS_UP) {
            hang_up(self->fd);
        } else if (take_body(self)) {
            serve_as(self, &answer);
        }
    }
    (void)close(self->fd);
    free(self);
    return NULL;
}

static void *
accept_all(void *ctx)
{
    struct bp_kit_server *server = ctx;
    for (;;) {
        pthread_t thread;
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        struct connection *connection = bp_kit_alloc(1, sizeof *connection);
        connection->server = server;
        connection->fd = fd;
        if (pthread_create(&thread, NULL, serve, connection) == 0) {
            (void)pthread_detach(thread); /* it is ours, and ends with the process */
        }
    }
}

struct bp_kit_server *
bp_kit_server_start(const struct bp_kit *kit)
{
    struct bp_kit_server *server = bp_kit_alloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t thread;
    server->answer = (struct bp_kit_answer){.mood = BP_KIT_ANSWERS, .status = 503};
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)pthread_mutex_init(&server->lock, NULL); /* cannot fail without attributes */
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->fd, 64) != 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, accept_all, server) != 0) {
        bp_kit_skip(kit, "no server can be started on 127.0.0.1 here");
    }
    (void)pthread_detach(thread); /* ends with the process */
    server->port = ntohs(address.sin_port);
    return server;
}

unsigned
bp_kit_server_port(const struct bp_kit_server *server)
{
    return server->port;
}

void
bp_kit_server_set(struct bp_kit_server *server, const struct bp_kit_answer *answer)
{
    (void)pthread_mutex_lock(&server->lock);
    server->answer = *answer;
    server->requests = 0;
    (void)pthread_mutex_unlock(&server->lock);
}

unsigned
bp_kit_server_requests(struct bp_kit_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    unsigned n = server->requests;
    (void)pthread_mutex_unlock(&server->lock);
    return n;
}
