/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of calls and captures share: main, errors, a configured server.
 */
#ifndef BAKPLANE_TEST_WIRE_TEST_H
#define BAKPLANE_TEST_WIRE_TEST_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_host.h"
#include "plugins/source-milvus/config.h"

/** `status` and the error are of this class, and the message contains this text. */
#define ASSERT_FAILED(status, error, wanted, text)                   \
    ck_assert_msg((status) == (wanted) && (error).cls == (wanted) && \
                      strstr((error).message, (text)) != NULL,       \
                  "status %d, class %d, message \"%s\"", (status), (error).cls, (error).message)

#define ASSERT_OK(status, error) \
    ck_assert_msg((status) == BP_OK, "class %d: %s", (error).cls, (error).message)

/** Settings for a server at `address`, storage "data"; for milvus_config_clear. */
static inline struct milvus_config
wire_config(const char *address)
{
    return (struct milvus_config){.address = g_strdup(address),
                                  .storage = g_strdup("data"),
                                  .storage_prefix = g_strdup(""),
                                  .connect_timeout_ms = 20000,
                                  .request_timeout_ms = 60000};
}

static inline int
wire_run(const char *title, void (*setup)(void), void (*teardown)(void), const TTest *const *tests)
{
    Suite *suite = suite_create(title);
    TCase *tcase = tcase_create(title);
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (; *tests != NULL; tests++) {
        tcase_add_test(tcase, *tests);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define WIRE_MAIN(title, setup, teardown, ...)                                         \
    int main(void)                                                                     \
    {                                                                                  \
        return wire_run(title, setup, teardown, (const TTest *[]){__VA_ARGS__, NULL}); \
    }

#endif
