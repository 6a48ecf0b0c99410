/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http over TLS: authorities, names, certificates of clients, versions.
 */
#include "http_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/harness/httpd_tls.h"

#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define LONG_BODY ((size_t)1000 * 1000)

static struct bp_httpd_tls *tls;
static char folder[200];

static void
setup(void)
{
    const char *scratch = getenv("TMPDIR");
    fixture_setup();
    (void)snprintf(folder, sizeof(folder), "%s/tls-XXXXXX", scratch != NULL ? scratch : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    tls = NULL;
}

static void
teardown(void)
{
    fixture_teardown();
    if (tls != NULL) {
        bp_httpd_tls_free(tls);
    }
    (void)rmdir(folder);
}

static void
serve(const struct bp_httpd_tls_config *config)
{
    static const struct bp_httpd_step step = {.manner = BP_HTTPD_KEEP, .reply = EMPTY, .times = 10};
    tls = bp_httpd_tls_new(folder, config);
    fix.server = bp_httpd_start_over(bp_httpd_tls_transport(tls), &step, 1);
}

/* Path of one of the files that were made for this test. */
static const char *
file(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* A GET with these settings from begin to the head. */
static bp_status
get(const struct bp_http_config *config)
{
    int status = 0;
    ASSERT_OK(fixture_client(config));
    bp_status result = fixture_begin(NULL);
    if (result == BP_OK) {
        result = bp_http_head(fix.x, &bp_fake.op, &status, &fix.error);
        ck_assert_int_eq(status, result == BP_OK ? 200 : 0);
    }
    bp_http_end(fix.x);
    fix.x = NULL;
    return result;
}

START_TEST(test_tls__private_authority)
{
    serve(&(struct bp_httpd_tls_config){0});
    const struct bp_http_config config = {.ca_file = file("ca.pem")};
    ASSERT_OK(fixture_client(&config));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(fixture_get(), 200);
    }
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 1);
}
END_TEST

START_TEST(test_tls__unknown_authority)
{
    serve(&(struct bp_httpd_tls_config){0});
    const struct bp_http_config others = {.ca_file = file("other-ca.pem")};
    ASSERT_FAILED(get(&others), BP_ERR_PERMANENT, 0, "not signed by an authority in ca_file");
    const struct bp_http_config of_the_system = {0};
    ASSERT_FAILED(get(&of_the_system), BP_ERR_PERMANENT, 0, "for a private authority set ca_file");
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 0);
}
END_TEST

START_TEST(test_tls__other_name)
{
    serve(&(struct bp_httpd_tls_config){.name = "DNS:storage.example"});
    const struct bp_http_config config = {.ca_file = file("ca.pem")};
    ASSERT_FAILED(get(&config), BP_ERR_PERMANENT, 0, "certificate is for another name");
}
END_TEST

START_TEST(test_tls__client_certificate)
{
    serve(&(struct bp_httpd_tls_config){.wants_client = 1});
    const struct bp_http_config in_two = {
        .ca_file = file("ca.pem"), .cert_file = file("client.pem"), .key_file = file("client.key")};
    ASSERT_OK(get(&in_two));
    const struct bp_http_config in_one = {.ca_file = file("ca.pem"), .cert_file = file("both.pem")};
    ASSERT_OK(get(&in_one));
    const struct bp_http_config locked = {.ca_file = file("ca.pem"),
                                          .cert_file = file("client.pem"),
                                          .key_file = file("locked.key"),
                                          .key_password = BP_HTTPD_KEY_PASSWORD};
    ASSERT_OK(get(&locked));
}
END_TEST

START_TEST(test_tls__key_stays_locked)
{
    serve(&(struct bp_httpd_tls_config){.wants_client = 1});
    struct bp_http_config config = {
        .ca_file = file("ca.pem"), .cert_file = file("client.pem"), .key_file = file("locked.key")};
    ASSERT_FAILED(get(&config), BP_ERR_INVALID, 0, "the key's password");
    config.key_password = "hunter2";
    ASSERT_FAILED(get(&config), BP_ERR_INVALID, 0, "the key's password");
    ck_assert_ptr_null(strstr(fix.error.message, "hunter2"));
}
END_TEST

START_TEST(test_tls__client_certificate_missing)
{
    serve(&(struct bp_httpd_tls_config){.wants_client = 1});
    const struct bp_http_config config = {.ca_file = file("ca.pem")};
    ck_assert_int_eq(get(&config), BP_ERR_PERMANENT);
    ck_assert_ptr_nonnull(strstr(fix.error.message, "certificate"));
}
END_TEST

START_TEST(test_tls__minimum_version)
{
    serve(&(struct bp_httpd_tls_config){.max_tls = 12});
    struct bp_http_config config = {.ca_file = file("ca.pem"), .min_tls = 12};
    ASSERT_OK(get(&config));
    config.min_tls = 13;
    ASSERT_FAILED(get(&config), BP_ERR_PERMANENT, 0, "version");
}
END_TEST

START_TEST(test_tls__not_spoken_there)
{
    static const struct bp_httpd_step step = {.reply = EMPTY};
    fix.server = bp_httpd_start(&step, 1);
    char url[128];
    (void)snprintf(url, sizeof(url), "https%s/", bp_httpd_url(fix.server) + 4);
    const struct bp_http_request request = {.url = url};
    /* The server waits for the end of a head that never comes: so does nobody else. */
    const struct bp_http_config config = {.connect_timeout_ms = 100};
    ASSERT_OK(fixture_client(&config));
    ASSERT_FAILED(bp_http_begin(fix.client, &bp_fake.op, &request, &fix.x, &fix.error),
                  BP_ERR_TIMEOUT, 0, "GET https://127.0.0.1:");
}
END_TEST

START_TEST(test_tls__long_bodies)
{
    static const struct bp_httpd_step step = {
        .reply = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", .fill = 1000000};
    tls = bp_httpd_tls_new(folder, &(struct bp_httpd_tls_config){0});
    fix.server = bp_httpd_start_over(bp_httpd_tls_transport(tls), &step, 1);
    const struct bp_http_config config = {.ca_file = file("ca.pem")};
    const struct bp_http_request request = {.method = "PUT", .body_size = LONG_BODY};
    char *body = malloc(LONG_BODY);
    int status = 0;
    for (size_t i = 0; i < LONG_BODY; i++) {
        body[i] = bp_httpd_byte(i);
    }
    ASSERT_OK(fixture_client(&config));
    ASSERT_OK(fixture_begin(&request));
    ASSERT_OK(bp_http_send(fix.x, &bp_fake.op, body, LONG_BODY, &fix.error));
    ASSERT_OK(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error));
    ck_assert_uint_eq(fixture_receive(), LONG_BODY);
    fixture_stop();
    size_t size = 0;
    const char *came = bp_httpd_body(fix.server, 0, &size);
    ck_assert_uint_eq(size, LONG_BODY);
    ck_assert_int_eq(memcmp(came, body, size), 0);
    free(body);
}
END_TEST

START_TEST(test_tls__kept_connection_closed_while_idle)
{
    static const struct bp_httpd_step step = {.reply = EMPTY, .times = 3};
    tls = bp_httpd_tls_new(folder, &(struct bp_httpd_tls_config){0});
    fix.server = bp_httpd_start_over(bp_httpd_tls_transport(tls), &step, 1);
    const struct bp_http_config config = {.ca_file = file("ca.pem")};
    ASSERT_OK(fixture_client(&config));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(fixture_get(), 200);
    }
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 3);
}
END_TEST

/* No signal either: the process lives. */
START_TEST(test_tls__reset_while_sending)
{
    static const struct bp_httpd_step step = {.manner = BP_HTTPD_CUT};
    tls = bp_httpd_tls_new(folder, &(struct bp_httpd_tls_config){0});
    fix.server = bp_httpd_start_over(bp_httpd_tls_transport(tls), &step, 1);
    const struct bp_http_config config = {.ca_file = file("ca.pem")};
    const struct bp_http_request request = {.method = "PUT", .body_size = LONG_BODY * 1000};
    bp_status result = BP_OK;
    ASSERT_OK(fixture_client(&config));
    ASSERT_OK(fixture_begin(&request));
    for (size_t i = 0; result == BP_OK && i < 1000; i++) {
        result = bp_http_send(fix.x, &bp_fake.op, fix.buffer, sizeof(fix.buffer), &fix.error);
    }
    ASSERT_FAILED(result, BP_ERR_RETRYABLE, 0, "PUT https://127.0.0.1:");
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_tls__private_authority,   test_tls__unknown_authority,
        test_tls__other_name,          test_tls__client_certificate,
        test_tls__key_stays_locked,    test_tls__client_certificate_missing,
        test_tls__minimum_version,     test_tls__not_spoken_there,
        test_tls__long_bodies,         test_tls__kept_connection_closed_while_idle,
        test_tls__reset_while_sending, NULL};
    return fixture_run("sdk/http/tls", setup, teardown, tests);
}
