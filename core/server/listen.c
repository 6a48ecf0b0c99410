/* SPDX-License-Identifier: Apache-2.0
 *
 * See listen.h.
 */
#include "core/server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"

#include "sdk/lib/ban.h"

#define BACKLOG SOMAXCONN /* whoever does not fit in asks again after a second */

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} socket_address;

/* Returns: its size, or 0 for what is no address. */
static socklen_t
parse(const char *address, guint16 port, socket_address *out)
{
    *out = (socket_address){0};
    if (inet_pton(AF_INET, address, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        return sizeof out->v4;
    }
    if (inet_pton(AF_INET6, address, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        return sizeof out->v6;
    }
    return 0;
}

bool
bp_listen_is_loopback(const char *address)
{
    socket_address parsed;
    if (parse(address, 0, &parsed) == 0) {
        return false;
    }
    if (parsed.any.sa_family == AF_INET) {
        return ntohl(parsed.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    return IN6_IS_ADDR_LOOPBACK(&parsed.v6.sin6_addr);
}

static bool
bind_to(int fd, socket_address *where, socklen_t n)
{
    int on = 1;
    bool is_v6 = where->any.sa_family == AF_INET6;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           (!is_v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
           bind(fd, &where->any, n) == 0 && listen(fd, BACKLOG) == 0 &&
           getsockname(fd, &where->any, &n) == 0;
}

int
bp_listen(const char *address, guint16 *port, GError **error)
{
    socket_address where;
    socklen_t n = parse(address, *port, &where);
    if (n == 0) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' is no address to listen on", address);
        bp_error_add_hint(error, "write an IPv4 or IPv6 address, as 127.0.0.1 or ::1");
        return -1;
    }
    int fd = socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind_to(fd, &where, n)) {
        *port = ntohs(where.any.sa_family == AF_INET ? where.v4.sin_port : where.v6.sin6_port);
        return fd;
    }
    int why = errno;
    if (why == EADDRINUSE) {
        bp_set_error(error, BP_ERR_EXISTS, "port %u of %s is taken by another program", *port,
                     address);
    } else {
        bp_set_error_errno(error, why, "listening on port %u of %s", *port, address);
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* False at the deadline. */
static bool
wait_for(int fd, short events, gint64 deadline_ns)
{
    gint64 left_ns = deadline_ns - bp_clock_mono_ns();
    struct pollfd wait = {.fd = fd, .events = events};
    return left_ns > 0 && poll(&wait, 1, (int)MIN(left_ns / BP_NS_PER_MS + 1, G_MAXINT)) == 1;
}

static bool
is_connected(int fd, const socket_address *where, socklen_t n, gint64 deadline_ns)
{
    int problem = 0;
    socklen_t size = sizeof problem;
    if (connect(fd, &where->any, n) == 0) {
        return true;
    }
    return errno == EINPROGRESS && wait_for(fd, POLLOUT, deadline_ns) &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
}

/* A reset is an end, too: a server that has enough connections ends new ones like that. */
static bool
is_ended(int fd, gint64 deadline_ns)
{
    char scrap[256];
    ssize_t got = 1;
    while (got > 0) {
        if (!wait_for(fd, POLLIN, deadline_ns)) {
            return false;
        }
        got = recv(fd, scrap, sizeof scrap, 0);
    }
    return true;
}

bool
bp_listen_answers(const char *address, guint16 port, gint64 limit_ns)
{
    gint64 deadline_ns = bp_clock_mono_ns() + limit_ns;
    socket_address where;
    socklen_t n = parse(address, port, &where);
    int fd =
        n > 0 ? socket(where.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (fd < 0) {
        return false;
    }
    bool fine = is_connected(fd, &where, n, deadline_ns) && shutdown(fd, SHUT_WR) == 0 &&
                is_ended(fd, deadline_ns);
    close(fd);
    return fine;
}
