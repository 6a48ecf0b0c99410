/* SPDX-License-Identifier: Apache-2.0
 *
 * A scratch folder, config files in it, and assertions on errors: for the tests of core/config.
 */
#ifndef BP_TESTS_CONFIG_FIXTURE_H
#define BP_TESTS_CONFIG_FIXTURE_H

#include <bakplane/error.h>
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/init.h"
#include "core/config/config.h"

static char *fixture_dir;

static inline void
fixture_setup(void)
{
    bp_base_init();
    fixture_dir = g_dir_make_tmp("bakplane-config-XXXXXX", NULL);
    ck_assert_ptr_nonnull(fixture_dir);
}

static inline void
fixture_teardown(void)
{
    GDir *dir = g_dir_open(fixture_dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(fixture_dir, name, NULL);
        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(fixture_dir);
    g_clear_pointer(&fixture_dir, g_free);
}

static inline char *
fixture_path(const char *name)
{
    return g_build_filename(fixture_dir, name, NULL);
}

static inline char *
fixture_file(const char *name, const char *text)
{
    char *path = fixture_path(name);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    ck_assert_int_eq(chmod(path, 0600), 0);
    return path;
}

/** Load "b.yaml" with this text, --set and environment (NULL = none). */
static inline bp_config_tree *
fixture_load(const char *text, const char *const *sets, const char *const *environment,
             GError **error)
{
    static const char *const nothing[] = {NULL};
    g_autofree char *path = fixture_file("b.yaml", text);
    bp_config_params params = {
        .path = path, .sets = sets, .environ = environment != NULL ? environment : nothing};
    return bp_config_load(&params, error);
}

static inline bp_config_tree *
fixture_loaded(const char *text)
{
    GError *error = NULL;
    bp_config_tree *tree = fixture_load(text, NULL, NULL, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return tree;
}

/** `error` has this class and a message with this part; it is freed. */
static inline void
assert_error(GError *error, int cls, const char *part)
{
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, part) != NULL, "\"%s\" lacks \"%s\"", error->message,
                  part);
    ck_assert_int_eq(bp_error_class(error), cls);
    g_error_free(error);
}

static inline int
fixture_run(const char *name, TCase *cases)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline TCase *
fixture_cases(const char *name)
{
    TCase *cases = tcase_create(name);
    tcase_add_checked_fixture(cases, fixture_setup, fixture_teardown);
    return cases;
}

#endif
