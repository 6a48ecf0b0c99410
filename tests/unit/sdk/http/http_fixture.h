/* SPDX-License-Identifier: Apache-2.0
 *
 * A client and a scripted server for each test of sdk/http.
 */
#ifndef BP_TESTS_UNIT_SDK_HTTP_FIXTURE_H
#define BP_TESTS_UNIT_SDK_HTTP_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/http/http.h"
#include "sdk/lib/errors.h"
#include "tests/harness/fake_host.h"
#include "tests/harness/httpd.h"

struct fixture {
    bp_http_client *client; /**< with settings of zeros */
    struct bp_httpd *server;
    int is_stopped;
    struct bp_error error;
    bp_http_exchange *x;  /**< the exchange that is open; ended by teardown */
    char url[256];        /**< written by fixture_url */
    char buffer[1 << 16]; /**< what was received */
};

extern struct fixture fix;

void fixture_setup(void);
void fixture_teardown(void);

/** Another client instead of the first. */
bp_status fixture_client(const struct bp_http_config *config);

/** Starts the server; it is stopped and freed by teardown. */
#define SERVE(...)                                                            \
    do {                                                                      \
        static const struct bp_httpd_step steps[] = {__VA_ARGS__};            \
        fix.server = bp_httpd_start(steps, sizeof(steps) / sizeof(steps[0])); \
    } while (0)

/** Path below the server's URL; valid until the next call. */
const char *fixture_url(const char *path);

/** Begins fix.x: a GET when request is NULL; its url is a path. */
bp_status fixture_begin(const struct bp_http_request *request);

/** Receives all with small and large buffers in turn; returns how much. */
size_t fixture_receive(void);

/** One GET from begin to end, read to its end; the status, or -1 after a failure. */
int fixture_get(void);

/** Stops the server, so that its counts can be read. */
void fixture_stop(void);

#define ASSERT_OK(call) ck_assert_msg((call) == BP_OK, "%s", fix.error.message)

/** `call` fails with this class; flags and a part of the message are as told. */
#define ASSERT_FAILED(call, wanted, wanted_flags, text)                                        \
    do {                                                                                       \
        bp_status status_ = (call);                                                            \
        ck_assert_msg(status_ == (wanted) && fix.error.cls == (wanted) &&                      \
                          fix.error.flags == (wanted_flags) &&                                 \
                          strstr(fix.error.message, (text)) != NULL,                           \
                      "status %d, flags %u: %s", status_, fix.error.flags, fix.error.message); \
    } while (0)

/** Runs `tests` (ended by NULL), each between setup and teardown. */
int fixture_run(const char *title, void (*setup)(void), void (*teardown)(void),
                const TTest *const *tests);
/** The main function of those that need no more than this. */
#define FIXTURE_MAIN(title, ...)                                   \
    int main(void)                                                 \
    {                                                              \
        return fixture_run(title, fixture_setup, fixture_teardown, \
                           (const TTest *[]){__VA_ARGS__, NULL});  \
    }

#endif
