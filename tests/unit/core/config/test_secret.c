/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/secret: where secrets may come from, and that none is shown.
 */
#include "core/base/log.h"

#include "demo_keys.h"
#include "fixture.h"

static GString *logged;

static void
keep_line(void *ctx G_GNUC_UNUSED, const char *line)
{
    g_string_append_printf(logged, "%s\n", line);
}

static void
listen(void)
{
    logged = g_string_new(NULL);
    bp_log_set_sink(keep_line, NULL);
}

static void
stop_listening(void)
{
    bp_log_set_sink(NULL, NULL);
    g_string_free(logged, TRUE);
}

static const char in_file[] = "source: {plugin: m, address: h, password: {file: pw}}\n";

static char *
password(const char *text, const char *const *env)
{
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_load(text, NULL, env, &error);
    ck_assert_ptr_null(error);
    g_autoptr(bp_settings) settings = demo_section(tree, NULL, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return g_strdup(bp_settings_get(settings, "password"));
}

static void
assert_refused(const char *text, const char *const *sets, const char *const *flags, int cls,
               const char *message)
{
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_load(text, sets, NULL, &error);
    ck_assert_ptr_null(error);
    ck_assert_ptr_null(demo_section(tree, flags, &error));
    ck_assert_ptr_null(strstr(error->message, "hunter2"));
    assert_error(error, cls, message);
}

static const struct {
    const char *content, *secret;
} files[] = {
    {"hunter2", "hunter2"},
    {"hunter2\n", "hunter2"},
    {"hunter2\r\n", "hunter2"},
    {"hunter2\n\n", "hunter2\n"},
    {" a b ", " a b "},
    {"\n", ""},
    {"", ""},
};

START_TEST(test_bp_config__secret__from_a_file_beside_the_config)
{
    g_autofree char *path = fixture_file("pw", files[_i].content);
    g_autofree char *got = password(in_file, NULL);
    ck_assert_str_eq(got, files[_i].secret);
}
END_TEST

START_TEST(test_bp_config__secret__from_the_environment)
{
    const char *const env[] = {"PW=hunter2", NULL};
    g_autofree char *named =
        password("source: {plugin: m, address: h, password: {env: PW}}\n", env);
    ck_assert_str_eq(named, "hunter2");
    const char *const direct[] = {"BAKPLANE__SOURCE__PASSWORD=other", NULL};
    g_autofree char *got = password(in_file, direct);
    ck_assert_str_eq(got, "other");
}
END_TEST

START_TEST(test_bp_config__secret__a_file_named_by_the_environment)
{
    g_autofree char *path = fixture_file("pw2", "hunter2\n");
    g_autofree char *entry = g_strconcat("BAKPLANE__SOURCE__PASSWORD__FILE=", path, NULL);
    const char *const env[] = {entry, NULL};
    g_autofree char *got = password("source: {plugin: m, address: h, password: text}\n", env);
    ck_assert_str_eq(got, "hunter2");
}
END_TEST

START_TEST(test_bp_config__secret__is_told_to_the_log)
{
    g_autofree char *path = fixture_file("pw", "hunter2-told\n");
    g_autofree char *got = password(in_file, NULL);
    g_autofree char *clean = bp_log_redact("with hunter2-told inside");
    ck_assert_str_eq(clean, "with *** inside");
}
END_TEST

START_TEST(test_bp_config__secret__bad_references)
{
    assert_refused("source: {plugin: m, address: h, password: {file: nowhere}}\n", NULL, NULL,
                   BP_ERR_NOT_FOUND, "source.password: secret file /");
    assert_refused("source: {plugin: m, address: h, password: {env: NOT_SET}}\n", NULL, NULL,
                   BP_ERR_INVALID, "source.password: environment variable NOT_SET is not set");
    assert_refused("source: {plugin: m, address: h, password: {fiel: hunter2}}\n", NULL, NULL,
                   BP_ERR_INVALID, "source.password: expected a secret\nhint: write {file: PATH}");
    assert_refused("source: {plugin: m, address: h, password: {file: a, env: b}}\n", NULL, NULL,
                   BP_ERR_INVALID, "expected a secret");
    assert_refused("source: {plugin: m, address: h, password: {file: [hunter2]}}\n", NULL, NULL,
                   BP_ERR_INVALID, "expected a secret");
    assert_refused("source: {plugin: m, address: h, password: [hunter2]}\n", NULL, NULL,
                   BP_ERR_INVALID, "expected a secret");
}
END_TEST

START_TEST(test_bp_config__secret__a_file_that_is_no_text)
{
    g_autofree char *path = fixture_path("pw");
    ck_assert(g_file_set_contents(path, "hun\0ter2", 8, NULL));
    assert_refused(in_file, NULL, NULL, BP_ERR_INVALID, "/pw: not UTF-8 text");
    g_autofree char *large = g_strnfill(64 * 1024 + 1, 'x');
    ck_assert(g_file_set_contents(path, large, -1, NULL));
    assert_refused(in_file, NULL, NULL, BP_ERR_INVALID, "/pw: larger than 65536 bytes");
}
END_TEST

START_TEST(test_bp_config_section__no_secret_on_the_command_line)
{
    const char *const sets[] = {"source.password=hunter2", NULL};
    const char *const flags[] = {"password=hunter2", NULL};
    const char *text = "source: {plugin: m, address: h}\n";
    assert_refused(text, sets, NULL, BP_ERR_INVALID,
                   "--set: source.password is a secret and not accepted on the command line");
    assert_refused(text, NULL, flags, BP_ERR_INVALID,
                   "flag --password: source.password is a secret and not accepted");
    assert_refused(text, sets, NULL, BP_ERR_INVALID, "\nhint: use BAKPLANE__SOURCE__PASSWORD");
}
END_TEST

START_TEST(test_bp_config_section__a_file_for_a_secret_may_be_set)
{
    g_autofree char *path = fixture_file("pw", "hunter2\n");
    g_autofree char *set = g_strconcat("source.password.file=", path, NULL);
    const char *const sets[] = {set, NULL};
    g_autoptr(bp_config_tree) tree =
        fixture_load("source: {plugin: m, address: h}\n", sets, NULL, NULL);
    g_autoptr(bp_settings) settings = demo_section(tree, NULL, NULL);
    ck_assert_ptr_nonnull(settings);
    ck_assert_str_eq(bp_settings_get(settings, "password"), "hunter2");
}
END_TEST

START_TEST(test_bp_config__secret__warns_when_everybody_can_read)
{
    g_autofree char *path = fixture_file("pw", "hunter2\n");
    g_autofree char *quiet = password(in_file, NULL);
    ck_assert_str_eq(logged->str, "");
    ck_assert_int_eq(chmod(path, 0644), 0);
    g_autofree char *loud = password(in_file, NULL);
    ck_assert_ptr_nonnull(strstr(logged->str, "everybody on this machine can read a secret file"));
    ck_assert_ptr_null(strstr(logged->str, "hunter2"));
}
END_TEST

START_TEST(test_bp_config__secret__warns_about_text_in_an_open_config_file)
{
    g_autofree char *path =
        fixture_file("open.yaml", "source: {plugin: m, address: h, password: hunter2}\n");
    ck_assert_int_eq(chmod(path, 0644), 0);
    bp_config_params params = {.path = path};
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, NULL);
    g_autoptr(bp_settings) settings = demo_section(tree, NULL, NULL);
    ck_assert_ptr_nonnull(settings);
    ck_assert_ptr_nonnull(strstr(logged->str, "can read a secret in the config file"));
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("secret");
    tcase_add_checked_fixture(cases, listen, stop_listening);
    tcase_add_loop_test(cases, test_bp_config__secret__from_a_file_beside_the_config, 0,
                        G_N_ELEMENTS(files));
    tcase_add_test(cases, test_bp_config__secret__from_the_environment);
    tcase_add_test(cases, test_bp_config__secret__a_file_named_by_the_environment);
    tcase_add_test(cases, test_bp_config__secret__is_told_to_the_log);
    tcase_add_test(cases, test_bp_config__secret__bad_references);
    tcase_add_test(cases, test_bp_config__secret__a_file_that_is_no_text);
    tcase_add_test(cases, test_bp_config_section__no_secret_on_the_command_line);
    tcase_add_test(cases, test_bp_config_section__a_file_for_a_secret_may_be_set);
    tcase_add_test(cases, test_bp_config__secret__warns_when_everybody_can_read);
    tcase_add_test(cases, test_bp_config__secret__warns_about_text_in_an_open_config_file);
    return fixture_run("secret", cases);
}
