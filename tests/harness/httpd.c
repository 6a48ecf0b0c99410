/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted HTTP server for tests.
 */
#include "tests/harness/httpd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_STEPS 16
#define MAX_REQUEST 8192

struct bp_httpd {
    const struct bp_httpd_step *steps;
    size_t n;
    int listener;
    int stop[2]; /* a pipe: readable = stop */
    pthread_t thread;
    char url[64];
    char requests[MAX_STEPS][MAX_REQUEST];
};

static bool
wait_for(const struct bp_httpd *server, int fd)
{
    struct pollfd fds[2] = {{.fd = server->stop[0], .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    while (poll(fds, fd < 0 ? 1 : 2, -1) < 0) {
    }
    return fds[0].revents == 0;
}

/* Header and, as far as it is announced, body. */
static bool
is_complete(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (end == NULL) {
        return false;
    }
    size_t body = length == NULL || length > end ? 0 : strtoul(length + 17, NULL, 10);
    return strlen(end + 4) >= body;
}

static bool
read_request(const struct bp_httpd *server, int fd, char *text)
{
    size_t len = 0;
    while (!is_complete(text) && len + 1 < MAX_REQUEST) {
        if (!wait_for(server, fd)) {
            return false;
        }
        ssize_t got = recv(fd, text + len, MAX_REQUEST - 1 - len, 0);
        if (got <= 0) {
            return true; /* the client left */
        }
        len += (size_t)got;
    }
    return true;
}

static void
send_all(int fd, const char *text)
{
    for (size_t left = text == NULL ? 0 : strlen(text); left > 0;) {
        ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* the client left */
        }
        text += sent;
        left -= (size_t)sent;
    }
}

static void
serve(struct bp_httpd *server, size_t i, int fd)
{
    const struct bp_httpd_step *step = &server->steps[i];
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (!read_request(server, fd, server->requests[i])) {
        return;
    }
    if (step->manner == BP_HTTPD_RESET) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        return;
    }
    send_all(fd, step->reply);
    if (step->manner == BP_HTTPD_STALL) {
        (void)wait_for(server, -1);
    }
}

static void *
run(void *data)
{
    struct bp_httpd *server = data;
    for (size_t i = 0; i < server->n && wait_for(server, server->listener); i++) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            break;
        }
        serve(server, i, fd);
        close(fd);
    }
    return NULL;
}

static void
die(const char *what)
{
    perror(what);
    abort();
}

struct bp_httpd *
bp_httpd_start(const struct bp_httpd_step *steps, size_t n)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    struct bp_httpd *server = calloc(1, sizeof(*server));
    if (server == NULL || n > MAX_STEPS || pipe(server->stop) != 0) {
        die("httpd");
    }
    server->steps = steps;
    server->n = n;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, 4) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0) {
        die("httpd: listen");
    }
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    if (pthread_create(&server->thread, NULL, run, server) != 0) {
        die("httpd: thread");
    }
    return server;
}

const char *
bp_httpd_url(const struct bp_httpd *server)
{
    return server->url;
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
    return server->requests[i];
}

void
bp_httpd_free(struct bp_httpd *server)
{
    close(server->listener);
    close(server->stop[0]);
    close(server->stop[1]);
    free(server);
}
