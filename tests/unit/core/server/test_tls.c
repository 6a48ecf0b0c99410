/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/http with TLS.
 */
#include <openssl/ssl.h>

#include "core/base/clock.h"
#include "core/server/http.h"
#include "tests/harness/httpd_tls.h"
#include "tests/unit/core/server/server_fixture.h"

static char *folder;
static struct bp_httpd_tls *files;

static char *
pem(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void
setup(void)
{
    static const struct bp_httpd_tls_config config = {0};
    folder = g_dir_make_tmp("tls-XXXXXX", NULL);
    files = bp_httpd_tls_new(folder, &config);
}

static void
teardown(void)
{
    bp_httpd_tls_free(files);
    g_free(folder);
}

static bp_reply *
hello(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    (void)request;
    return bp_reply_text(200, "hello");
}

static const bp_route route = {.method = "GET", .path = "/", .answer = hello};

static bp_http *
start(const char *cert, const char *key, GError **error)
{
    bp_http_params params = {.address = "127.0.0.1",
                             .routes = &route,
                             .n_routes = 1,
                             .tls_cert = cert,
                             .tls_key = key,
                             .max_connections = 4,
                             .max_head = 8192,
                             .receive_ns = 1000 * BP_NS_PER_S,
                             .send_ns = 1000 * BP_NS_PER_S};
    return bp_http_start(&params, error);
}

/* @newest: of TLS that the client offers.  Returns: (transfer full) the answer; NULL when they did
 * not agree */
static char *
ask(guint16 port, int newest)
{
    g_autofree char *ca = g_build_filename(folder, "ca.pem", NULL);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_max_proto_version(context, newest);
    ck_assert_int_eq(SSL_CTX_load_verify_locations(context, ca, NULL), 1);
    SSL *ssl = SSL_new(context);
    int fd = client_connect(port);
    SSL_set_fd(ssl, fd);
    char buffer[4096] = "";
    GString *all = NULL;
    if (SSL_connect(ssl) == 1) {
        all = g_string_new(NULL);
        static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        ck_assert_int_gt(SSL_write(ssl, text, sizeof text - 1), 0);
        int n = 0;
        while ((n = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
            g_string_append_len(all, buffer, n);
        }
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    g_free(client_read(fd));
    return all != NULL ? g_string_free(all, FALSE) : NULL;
}

START_TEST(test_tls__answers_and_refuses_old_versions)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *both = pem("both.pem");
    bp_http *http = start(both, both, &error);
    ASSERT_FINE(http != NULL, error);
    g_autofree char *newest = ask(bp_http_port(http), TLS1_3_VERSION);
    ck_assert_ptr_nonnull(newest);
    ck_assert(g_str_has_suffix(newest, "hello"));
    g_autofree char *older = ask(bp_http_port(http), TLS1_2_VERSION);
    ck_assert_ptr_nonnull(older);
    ck_assert_ptr_null(ask(bp_http_port(http), TLS1_1_VERSION));
    bp_http_stop(http, 0);
}
END_TEST

START_TEST(test_tls__no_plain_text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *both = pem("both.pem");
    bp_http *http = start(both, both, &error);
    ASSERT_FINE(http != NULL, error);
    g_autofree char *answer =
        client_ask(bp_http_port(http), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    ck_assert_ptr_null(strstr(answer, "hello"));
    bp_http_stop(http, 0);
}
END_TEST

START_TEST(test_tls__unusable_files)
{
    g_autofree char *both = pem("both.pem");
    g_autofree char *locked = pem("locked.key");
    g_autofree char *ca = pem("ca.pem");
    const char *const pairs[][2] = {{both, locked}, {both, "no key"}, {ca, both}, {"", both}};
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(start(pairs[i][0], pairs[i][1], &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, "certificate or key is unusable");
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/tls", setup, teardown, test_tls__answers_and_refuses_old_versions,
                     test_tls__no_plain_text, test_tls__unusable_files);
}
