/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted HTTP server for tests: one thread on a free port of the loopback device, one
 * connection per step of the script, each with a misbehaviour of choice.
 */
#ifndef BP_TESTS_HARNESS_HTTPD_H
#define BP_TESTS_HARNESS_HTTPD_H

#include <stddef.h>

enum bp_httpd_manner {
    BP_HTTPD_REPLY = 0, /**< reads a request, sends `reply`, closes */
    BP_HTTPD_STALL = 1, /**< reads a request, sends `reply`, then nothing until stopped */
    BP_HTTPD_RESET = 2  /**< reads a request and resets the connection */
};

struct bp_httpd_step {
    enum bp_httpd_manner manner;
    const char *reply; /**< raw bytes, status line first; NULL = none */
};

struct bp_httpd;

/** Starts; `steps` stay the caller's until stop. */
struct bp_httpd *bp_httpd_start(const struct bp_httpd_step *steps, size_t n);

/** "http://127.0.0.1:port". */
const char *bp_httpd_url(const struct bp_httpd *server);

/** Ends the thread; what came in as i-th request can be asked afterwards ("" = none). */
void bp_httpd_stop(struct bp_httpd *server);
const char *bp_httpd_request(const struct bp_httpd *server, size_t i);
void bp_httpd_free(struct bp_httpd *server);

#endif
