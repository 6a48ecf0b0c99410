/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/testkit/settings: as a host hands them over, and what it refuses.
 */
#include "sdk/testkit/settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct bp_config_key keys[] = {
    {.name = "root", .type = BP_CONFIG_PATH, .flags = BP_CONFIG_REQUIRED, .help = "place"},
    {.name = "size", .type = BP_CONFIG_SIZE, .def = "64KiB", .choices = "none", .help = "size"},
    {.name = "wait", .type = BP_CONFIG_DURATION, .min = 100, .max = 60000, .help = "time"},
    {.name = "yes", .type = BP_CONFIG_BOOL, .help = "whether"},
    {.name = "mode", .type = BP_CONFIG_CHOICE, .choices = "fast|safe", .help = "how"},
    {.name = "names", .type = BP_CONFIG_STRING, .flags = BP_CONFIG_LIST, .help = "names"},
    {.name = "secret", .type = BP_CONFIG_STRING, .flags = BP_CONFIG_SECRET, .help = "secret"},
    {.name = "url", .type = BP_CONFIG_STRING, .alias = "endpoint", .help = "address"},
};

static struct bp_kit_node *tree;

/* The members of a map in a file of its own. */
static const struct bp_kit_node *
load(const char *text)
{
    char path[] = "/tmp/test-settings-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    tree = bp_kit_node_load(path);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_ptr_nonnull(tree);
    return bp_kit_node_get(tree, "storage");
}

static void
drop(void)
{
    bp_kit_node_free(tree);
    tree = NULL;
}

static struct bp_config *
read_text(const char *text, unsigned port, char **why)
{
    const struct bp_kit_node *base = load(text);
    struct bp_kit_settings_params params = {.keys = keys,
                                            .n_keys = sizeof keys / sizeof *keys,
                                            .base = base,
                                            .other = bp_kit_node_get(tree, "other"),
                                            .port = port};
    return bp_kit_settings_new(&params, why);
}

static void
assert_value(const struct bp_config *config, const char *key, const char *value)
{
    const char *found = bp_kit_config_get(config, key);
    ck_assert_msg((found == NULL && value == NULL) ||
                      (found != NULL && value != NULL && strcmp(found, value) == 0),
                  "%s is %s", key, found != NULL ? found : "not set");
}

START_TEST(test_new__values_are_normalised)
{
    char *why = NULL;
    struct bp_config *config = read_text(
        "storage: {root: /x, wait: 2s, yes: on, mode: safe, url: 'http://h:{port}/'}", 80, &why);
    ck_assert_ptr_nonnull(config);
    assert_value(config, "root", "/x");
    assert_value(config, "size", "65536");
    assert_value(config, "wait", "2000");
    assert_value(config, "yes", "true");
    assert_value(config, "mode", "safe");
    assert_value(config, "url", "http://h:80/");
    assert_value(config, "secret", NULL);
    bp_kit_settings_free(config);
}
END_TEST

START_TEST(test_new__lists)
{
    char *why = NULL;
    struct bp_config *config = read_text("storage: {root: /x, names: [a, b]}", 0, &why);
    ck_assert_ptr_nonnull(config);
    ck_assert_uint_eq(bp_kit_config_count(config, "names"), 2);
    ck_assert_str_eq(bp_kit_config_at(config, "names", 1), "b");
    ck_assert_ptr_null(bp_kit_config_at(config, "names", 2));
    bp_kit_settings_free(config);
}
END_TEST

START_TEST(test_new__other_wins_and_takes_away)
{
    char *why = NULL;
    struct bp_config *config =
        read_text("storage: {root: /x, mode: safe, endpoint: a, size: none}\n"
                  "other: {root: /y, mode: ~}",
                  0, &why);
    ck_assert_ptr_nonnull(config);
    assert_value(config, "root", "/y");
    assert_value(config, "mode", NULL);
    assert_value(config, "url", "a");
    assert_value(config, "size", "0");
    bp_kit_settings_free(config);
}
END_TEST

START_TEST(test_new__secret_from_the_environment)
{
    char *why = NULL;
    ck_assert_int_eq(setenv("KIT_TEST_SECRET", "hidden", 1), 0);
    struct bp_config *config =
        read_text("storage: {root: /x, secret: {env: KIT_TEST_SECRET}}", 0, &why);
    ck_assert_ptr_nonnull(config);
    assert_value(config, "secret", "hidden");
    bp_kit_settings_free(config);
}
END_TEST

static const struct {
    const char *text, *why;
} refused[] = {
    {"storage: {}", "root is required"},
    {"storage: {root: /x, rooot: /y}", "no such setting"},
    {"storage: {root: /x, wait: 1ms}", "\"1ms\" is no value"},
    {"storage: {root: /x, size: much}", "\"much\" is no value"},
    {"storage: {root: /x, yes: perhaps}", "\"perhaps\" is no value"},
    {"storage: {root: /x, mode: slow}", "\"slow\" is no value"},
    {"storage: {root: [a]}", "expected a plain value"},
    {"storage: {root: /x, secret: {env: KIT_TEST_NOT_SET}}", "secret: expected"},
};

START_TEST(test_new__refused)
{
    char *why = NULL;
    struct bp_config *config = read_text(refused[_i].text, 0, &why);
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s", why);
    free(why);
}
END_TEST

START_TEST(test_asked__remembers)
{
    char *why = NULL;
    struct bp_config *config = read_text("storage: {root: /x}", 0, &why);
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(bp_kit_settings_peek(config, "root"), "/x");
    ck_assert(!bp_kit_settings_asked(config, "root"));
    assert_value(config, "root", "/x");
    ck_assert(bp_kit_settings_asked(config, "root"));
    bp_kit_settings_free(config);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("testkit settings");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, NULL, drop);
    tcase_add_test(tcase, test_new__values_are_normalised);
    tcase_add_test(tcase, test_new__lists);
    tcase_add_test(tcase, test_new__other_wins_and_takes_away);
    tcase_add_test(tcase, test_new__secret_from_the_environment);
    tcase_add_loop_test(tcase, test_new__refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tcase, test_asked__remembers);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
