/* SPDX-License-Identifier: Apache-2.0
 *
 * See http_fixture.h.
 */
#include "http_fixture.h"
#include "tests/harness/run.h"

#include <stdio.h>

struct fixture fix;

void
fixture_setup(void)
{
    const struct bp_http_config config = {0};
    fix = (struct fixture){0};
    bp_fake_reset();
    bp_error_init(&fix.error);
    ASSERT_OK(bp_http_init(&fix.error));
    ASSERT_OK(fixture_client(&config));
}

void
fixture_teardown(void)
{
    bp_http_end(fix.x);
    bp_http_client_free(fix.client);
    if (fix.server != NULL) {
        fixture_stop();
        bp_httpd_free(fix.server);
    }
    bp_http_fini();
}

bp_status
fixture_client(const struct bp_http_config *config)
{
    bp_http_client_free(fix.client);
    return bp_http_client_new(&bp_fake.host, config, &fix.client, &fix.error);
}

const char *
fixture_url(const char *path)
{
    snprintf(fix.url, sizeof(fix.url), "%s%s", bp_httpd_url(fix.server), path);
    return fix.url;
}

bp_status
fixture_begin(const struct bp_http_request *request)
{
    struct bp_http_request get = {.url = "/"};
    get = request != NULL ? *request : get;
    get.url = fixture_url(get.url != NULL ? get.url : "/");
    return bp_http_begin(fix.client, &bp_fake.op, &get, &fix.x, &fix.error);
}

size_t
fixture_receive(void)
{
    static const size_t caps[] = {1, 7, 1000, sizeof(fix.buffer)};
    size_t total = 0;
    size_t wrong = 0;
    size_t n = 1;
    for (size_t i = 0; n > 0; i++) {
        ASSERT_OK(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, caps[i % 4], &n, &fix.error));
        for (size_t k = 0; k < n; k++, total++) {
            wrong += fix.buffer[k] != bp_httpd_byte(total);
        }
    }
    ck_assert_uint_eq(wrong, 0);
    return total;
}

int
fixture_get(void)
{
    int status = 0;
    if (fixture_begin(NULL) != BP_OK ||
        bp_http_head(fix.x, &bp_fake.op, &status, &fix.error) != BP_OK) {
        return -1;
    }
    (void)fixture_receive();
    bp_http_end(fix.x);
    fix.x = NULL;
    return status;
}

void
fixture_stop(void)
{
    if (!fix.is_stopped) {
        bp_httpd_stop(fix.server);
        fix.is_stopped = 1;
    }
}

int
fixture_run(const char *title, void (*setup)(void), void (*teardown)(void),
            const TTest *const *tests)
{
    return bp_test_run(title, setup, teardown, tests);
}
