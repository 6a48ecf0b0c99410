/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that sends bytes as they are, and reads what comes until the end.
 */
#ifndef BP_TESTS_UNIT_SERVER_FIXTURE_H
#define BP_TESTS_UNIT_SERVER_FIXTURE_H

#include "tests/harness/suite.h"

/** A connection to that port of the loopback device. */
int client_connect(guint16 port);
/** All of it, unless the other side closes. */
void client_send(int fd, const char *text);
/** Waits for the end of the connection, which is closed.  Returns: (transfer full) what came */
char *client_read(int fd);
/** Reads until `text` has come; fails at an end before it. */
void client_expect(int fd, const char *text);
/** A whole request in, a whole answer out.  Returns: (transfer full) */
char *client_ask(guint16 port, const char *text);

#endif
