/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted HTTP server for tests: one thread on a free port of the loopback device.  Requests
 * take the steps of the script in the order in which they come, over whichever connection; each
 * step has a misbehaviour of choice.
 */
#ifndef BP_TESTS_HARNESS_HTTPD_H
#define BP_TESTS_HARNESS_HTTPD_H

#include <stddef.h>

enum bp_httpd_manner {
    BP_HTTPD_REPLY = 0, /**< reads a request, sends `reply`, closes */
    BP_HTTPD_STALL = 1, /**< reads a request, sends `reply`, then nothing until stopped */
    BP_HTTPD_RESET = 2, /**< reads a request, sends `reply`, resets the connection */
    BP_HTTPD_KEEP = 3,  /**< reads a request, sends `reply`, waits for the next on the connection */
    BP_HTTPD_EARLY =
        4,             /**< reads the head, sends `reply`, drops the rest until the client closes */
    BP_HTTPD_MUTE = 5, /**< reads the head, sends `reply`, then neither reads nor sends */
    BP_HTTPD_CUT = 6   /**< reads the head, resets the connection */
};

struct bp_httpd_step {
    enum bp_httpd_manner manner;
    const char *reply; /**< raw bytes, status line first; NULL = none */
    size_t fill;       /**< as many bytes behind `reply`: bp_httpd_byte(0), (1) … */
    size_t times;      /**< for so many requests; 0 = 1 */
    int in_drops;      /**< each byte of `reply` in a packet of its own */
};

/** What the i-th byte of a long body is. */
static inline char
bp_httpd_byte(size_t i)
{
    return (char)('a' + (i + i / 1000) % 26);
}

struct bp_httpd;

/** How bytes travel over a connection; a plain one without.  See httpd_tls.h. */
struct bp_httpd_transport {
    /** State of an accepted connection, or NULL when there is no agreement: it is closed. */
    void *(*accept)(void *ctx, int fd);
    /** As read() and write(); all of it is written. */
    long (*recv)(void *connection, void *bytes, size_t n);
    long (*send)(void *connection, const void *bytes, size_t n);
    /** More was read from the socket than was handed out: do not wait for it. */
    int (*has_more)(void *connection);
    void (*close)(void *connection);
    void *ctx;
};

/** Starts.  `transport` (NULL = plain) stays the caller's until stop; `steps` is copied. */
struct bp_httpd *bp_httpd_start(const struct bp_httpd_step *steps, size_t n);
struct bp_httpd *bp_httpd_start_over(const struct bp_httpd_transport *transport,
                                     const struct bp_httpd_step *steps, size_t n);

/** "http://127.0.0.1:port", with a transport "https://127.0.0.1:port". */
const char *bp_httpd_url(const struct bp_httpd *server);

/** Waits until `n` requests have been read as far as their steps say. */
void bp_httpd_wait(struct bp_httpd *server, size_t n);
/** Waits until it has closed `n` connections. */
void bp_httpd_wait_closed(struct bp_httpd *server, size_t n);

/** Ends the thread; afterwards can be asked: */
void bp_httpd_stop(struct bp_httpd *server);
/** head and body of the i-th request, chunks put together, with a NUL behind it; "" = none */
const char *bp_httpd_request(const struct bp_httpd *server, size_t i);
/** its body */
const char *bp_httpd_body(const struct bp_httpd *server, size_t i, size_t *size);
/** how many requests came, and over how many connections. */
size_t bp_httpd_requests(const struct bp_httpd *server);
size_t bp_httpd_connections(const struct bp_httpd *server);
void bp_httpd_free(struct bp_httpd *server);

#endif
