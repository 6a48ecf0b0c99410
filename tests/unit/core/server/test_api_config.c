/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/api_config: what there is, without what only the machine needs to know.
 */
#include "core/server/api_config.h"

#include "tests/unit/core/server/api_fixture.h"

START_TEST(test_storages__names_and_kinds_only)
{
    g_autoptr(bp_reply) answer = api_ask("GET", "/api/v2/storages", NULL);
    ck_assert_uint_eq(answer->status, 200);
    ck_assert_ptr_null(strstr(answer->body, verb_root));
    g_autoptr(json_t) found = bp_json_parse(answer->body, answer->n, "storages", NULL);
    const json_t *list = json_object_get(found, "storages");
    ck_assert_uint_eq(json_array_size(list), 4);
    const json_t *first = json_array_get(list, 0);
    ck_assert_str_eq(bp_json_text(first, "name", ""), "backups");
    ck_assert_str_eq(bp_json_text(first, "plugin", ""), "local");
    ck_assert(json_is_true(json_object_get(first, "default")));
    ck_assert(json_is_false(json_object_get(json_array_get(list, 1), "default")));
}
END_TEST

START_TEST(test_plugins__without_paths)
{
    g_autoptr(bp_reply) answer = api_ask("GET", "/api/v2/plugins", NULL);
    ck_assert_uint_eq(answer->status, 200);
    ck_assert_ptr_null(strstr(answer->body, ".so"));
    g_autoptr(json_t) found = bp_json_parse(answer->body, answer->n, "plugins", NULL);
    const json_t *list = json_object_get(found, "plugins");
    bool is_there = false;
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        ck_assert_ptr_null(json_object_get(one, "path"));
        if (strcmp(bp_json_text(one, "name", ""), "local") == 0) {
            is_there = true;
            ck_assert_str_eq(bp_json_text(one, "state", ""), "fine");
            ck_assert_uint_eq(strlen(bp_json_text(one, "sha256", "")), 64);
        }
    }
    ck_assert(is_there);
}
END_TEST

START_TEST(test_parameters)
{
    ASSERT_REFUSED("GET", "/api/v2/storages?all=1", NULL, 400, "there is no parameter 'all'");
    ASSERT_REFUSED("GET", "/api/v2/plugins?path=1", NULL, 400, "there is no parameter 'path'");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/api_config", api_setup, api_teardown,
                     test_storages__names_and_kinds_only, test_plugins__without_paths,
                     test_parameters);
}
