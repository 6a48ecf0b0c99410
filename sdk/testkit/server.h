/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on a port of this machine that gives every request the same answer, wrong in the way
 * that a check asks for.  It runs in a thread of the check's process and speaks HTTP/1.1 without
 * TLS.
 */
#ifndef BAKPLANE_TESTKIT_SERVER_H
#define BAKPLANE_TESTKIT_SERVER_H

#include "sdk/testkit/kit.h"

enum bp_kit_mood {
    BP_KIT_ANSWERS,  /**< as told */
    BP_KIT_CUTS,     /**< announces more than it sends, and closes */
    BP_KIT_RESETS,   /**< takes the request and resets the connection */
    BP_KIT_HANGS_UP, /**< is gone after the head, so that writing on raises SIGPIPE */
    BP_KIT_STALLS,   /**< takes the request and says nothing more */
    BP_KIT_BABBLES   /**< answers what is no HTTP */
};

struct bp_kit_answer {
    enum bp_kit_mood mood;
    unsigned status;
    const char *headers; /**< lines that end in CR LF, or NULL */
    const char *body;    /**< or NULL */
};

struct bp_kit_server;

/** Starts it with an answer that refuses everything; skips the check where that is not possible. */
struct bp_kit_server *bp_kit_server_start(const struct bp_kit *kit);
unsigned bp_kit_server_port(const struct bp_kit_server *server);
/** What requests get from now on; the answer's texts stay the caller's. */
void bp_kit_server_set(struct bp_kit_server *server, const struct bp_kit_answer *answer);
/** Requests that came since the last bp_kit_server_set. */
unsigned bp_kit_server_requests(struct bp_kit_server *server);

/** Some seconds from now as HTTP writes dates. */
void bp_kit_server_date(char *out, size_t cap, unsigned in_s);

#endif
