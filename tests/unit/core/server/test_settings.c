/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/settings
 */
#include "core/server/settings.h"

#include "core/base/clock.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_config_tree *config;

static void
load(const char *section)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("server: {%s}\n", section);
    g_autofree char *path = g_build_filename(verb_root, "server.yaml", NULL);
    const char *no_environment[] = {NULL};
    verb_write("server.yaml", text);
    bp_config_params params = {.path = path, .environ = no_environment};
    bp_config_tree_free(config);
    config = bp_config_load(&params, &error);
    ASSERT_FINE(config != NULL, error);
}

static void
teardown(void)
{
    g_clear_pointer(&config, bp_config_tree_free);
    verb_teardown();
}

/* Returns: (transfer full) */
static bp_server_settings *
loaded(const char *section, const bp_server_flags *flags)
{
    g_autoptr(GError) error = NULL;
    load(section);
    bp_server_settings *s = bp_server_settings_load(config, "/state", flags, &error);
    ASSERT_FINE(s != NULL, error);
    return s;
}

START_TEST(test_load__by_default)
{
    g_autoptr(bp_server_settings) s = loaded("", NULL);
    ck_assert_str_eq(s->listen.host, "127.0.0.1");
    ck_assert_uint_eq(s->listen.port, 8080);
    ck_assert_str_eq(s->grpc_listen.host, "127.0.0.1");
    ck_assert_uint_eq(s->grpc_listen.port, 8081);
    ck_assert(!s->is_open && !s->is_insecure);
    ck_assert_str_eq(s->token_file, "/state/server/token");
    ck_assert_ptr_null(s->read_token_file);
    ck_assert_ptr_null(s->hosts[0]);
    ck_assert_ptr_null(s->tls_cert);
    ck_assert_uint_eq(s->max_connections, 256);
    ck_assert_uint_eq(s->max_body, 1048576);
    ck_assert_int_eq(s->receive_ns, 30 * BP_NS_PER_S);
    ck_assert_int_eq(s->send_ns, 60 * BP_NS_PER_S);
    ck_assert_uint_eq(s->max_running, 4);
    ck_assert(!s->has_simple_answers);
}
END_TEST

START_TEST(test_load__as_written)
{
    g_autoptr(bp_server_settings) s =
        loaded("listen: '[::1]:9', grpc_listen: '', token_file: /t, read_token_file: /r, "
               "hosts: [a, b], origins: 'https://c', max_running: 1, simple_answers: true",
               NULL);
    ck_assert_str_eq(s->listen.host, "::1");
    ck_assert_uint_eq(s->listen.port, 9);
    ck_assert_ptr_null(s->grpc_listen.host);
    ck_assert_str_eq(s->token_file, "/t");
    ck_assert_str_eq(s->read_token_file, "/r");
    ck_assert_str_eq(s->hosts[1], "b");
    ck_assert_ptr_null(s->hosts[2]);
    ck_assert_str_eq(s->origins[0], "https://c");
    ck_assert_uint_eq(s->max_running, 1);
    ck_assert(s->has_simple_answers);
}
END_TEST

START_TEST(test_load__open_has_no_tokens)
{
    g_autoptr(bp_server_settings) s = loaded("auth: none, token_file: /t", NULL);
    ck_assert(s->is_open);
    ck_assert_ptr_null(s->token_file);
}
END_TEST

START_TEST(test_load__flags)
{
    bp_server_flags flags = {.port = "81", .insecure = true};
    g_autoptr(bp_server_settings) s = loaded("listen: '10.0.0.1:80'", &flags);
    ck_assert_str_eq(s->listen.host, "10.0.0.1");
    ck_assert_uint_eq(s->listen.port, 81);
    ck_assert(s->is_insecure);
    g_autoptr(GError) error = NULL;
    flags.port = "http";
    ck_assert_ptr_null(bp_server_settings_load(config, "/state", &flags, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "--port: 'http' is no port");
}
END_TEST

START_TEST(test_load__what_no_request_could_match)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"hosts: ['backup.example:8080']", "server.hosts: 'backup.example:8080' is no name"},
        {"hosts: [a, 'https://b']", "server.hosts: 'https://b' is no name"},
        {"origins: [console.example]", "server.origins: 'console.example' is no origin"},
        {"origins: ['https://c/']", "server.origins: 'https://c/' is no origin"},
        {"origins: ['https://']", "server.origins: 'https://' is no origin"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        load(rows[i].text);
        ck_assert_ptr_null(bp_server_settings_load(config, "/state", NULL, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, rows[i].message);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/settings", verb_setup, teardown, test_load__by_default,
                     test_load__as_written, test_load__open_has_no_tokens, test_load__flags,
                     test_load__what_no_request_could_match);
}
