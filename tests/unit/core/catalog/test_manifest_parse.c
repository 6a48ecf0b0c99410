/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/manifest_parse: manifests that contradict themselves or mean harm.
 */
#include "core/catalog/manifest.h"
#include "tests/unit/core/catalog/fixture.h"

#define HEAD "{\"version\":1,\"name\":\"b\",\"state\":\"running\""
#define SUM "\"checksum\":\"xxh3-128:host:99aa06d3014798d86001c324468d497f\""
#define DOCUMENT "{\"key\":\"meta/c\",\"size\":1," SUM "}"

static const struct {
    const char *text, *why;
} bad[] = {
    {"", "m is not valid JSON"},
    {"null", "m is not valid JSON"},
    {"[]", "m is not a JSON object"},
    {"{}", "m: \"version\" is missing"},
    {"{\"version\":0}", "\"version\" is missing or no number from 1"},
    {"{\"version\":\"1\"}", "\"version\" is missing or no number from 1"},
    {"{\"version\":1,\"version\":1}", "duplicate"},
    {"{\"version\":1}", "\"name\" is missing"},
    {"{\"version\":1,\"name\":\"\"}", "\"name\" is not the text"},
    {"{\"version\":1,\"name\":1}", "\"name\" is not the text"},
    {"{\"version\":1,\"name\":\"b\"}", "\"state\" is none that there is"},
    {"{\"version\":1,\"name\":\"b\",\"state\":\"done\"}", "\"state\" is none that there is"},
    {HEAD ",\"started\":\"yesterday\"}", "\"started\" is no time"},
    {HEAD ",\"source\":[]}", "\"source\" is not an object"},
    {HEAD ",\"source\":{\"plugin\":{}}}", "\"plugin\" is not the text"},
    {HEAD ",\"items\":-1}", "\"items\" is not a number from 0"},
    {HEAD ",\"bytes\":1e3}", "\"bytes\" is not a number from 0"},
    {HEAD ",\"without_items\":1}", "\"without_items\" is neither true nor false"},
    {HEAD ",\"copying\":1}", "\"copying\" is neither true nor false"},
    {HEAD ",\"units\":{}}", "\"units\" is not a list"},
    {HEAD ",\"units\":[1]}", "\"units[0].id\" is missing"},
    {HEAD ",\"units\":[{\"id\":\"a\"}]}", "\"units[0].kind\" is missing"},
    {HEAD ",\"units\":[{\"id\":\"a\",\"kind\":\"k\"},{\"id\":\"a\",\"kind\":\"k\"}]}",
     "\"units[1].id\" is there twice"},
    {HEAD ",\"units\":[{\"id\":\"a\",\"kind\":\"k\",\"parent\":\"a\"}]}",
     "\"units[0].parent\" names no unit before it"},
    {HEAD ",\"units\":[{\"id\":\"a\",\"kind\":\"k\",\"proof\":7}]}",
     "\"units[0].proof\" is not an object"},
    {HEAD ",\"units\":[{\"id\":\"a\",\"kind\":\"k\",\"proof\":{\"low\":\"1\"}}]}",
     "\"units[0].low\" is not a number"},
    {HEAD ",\"documents\":7}", "\"documents\" is not a list"},
    {HEAD ",\"documents\":[{\"key\":\"a\"}]}", "\"documents[0].checksum\" is missing"},
    {HEAD ",\"documents\":[{\"key\":\"a\"," SUM "}]}", "\"documents[0].size\" is missing"},
    {HEAD ",\"documents\":[{\"key\":\"../a\",\"size\":1," SUM "}]}",
     "\"documents[0].key\" has a part"},
    {HEAD ",\"documents\":[{\"key\":\"bakplane/a\",\"size\":1," SUM "}]}",
     "\"documents[0].key\" lies below bakplane/"},
    {HEAD ",\"documents\":[" DOCUMENT "," DOCUMENT "]}", "\"documents[1].key\" is there twice"},
    {HEAD ",\"documents\":[{\"key\":\"a\",\"size\":1,\"checksum\":\"crc32c:host:01020304\"}]}",
     "\"documents[0].checksum\" is no XXH3-128"},
    {HEAD ",\"item_files\":[{\"key\":\"data/a\",\"size\":1," SUM "}]}",
     "\"item_files[0].key\" does not lie below bakplane/"},
    {"{\"version\":1,\"name\":\"b\",\"state\":\"success\"}",
     "\"documents\" is empty although the state is success"},
    {"{\"version\":1,\"name\":\"b\",\"state\":\"success\",\"items\":1,\"documents\":[" DOCUMENT
     "]}",
     "\"items\" is not the sum of its parts"},
    {"{\"version\":1,\"name\":\"b\",\"state\":\"success\",\"bytes\":1,\"documents\":[" DOCUMENT
     "]}",
     "\"bytes\" is not the sum of its parts"},
    {"{\"version\":1,\"name\":\"b\",\"state\":\"success\",\"documents\":[" DOCUMENT
     "],\"units\":[{\"id\":\"a\",\"kind\":\"k\",\"items\":9223372036854775807},"
     "{\"id\":\"b\",\"kind\":\"k\",\"items\":9223372036854775807},"
     "{\"id\":\"c\",\"kind\":\"k\",\"items\":9223372036854775807}]}",
     "\"units\" add up to more than there can be"},
    {"{\"version\":1,\"name\":\"b\\u0000c\",\"state\":\"running\"}", "not valid JSON"},
};

START_TEST(test_parse__refuses)
{
    g_autoptr(bp_manifest) manifest =
        bp_manifest_parse(bad[_i].text, strlen(bad[_i].text), "m", &fix.error);
    ck_assert_msg(manifest == NULL, "%s", bad[_i].text);
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, bad[_i].why);
}
END_TEST

START_TEST(test_parse__newer_version_names_both)
{
    static const char text[] = "{\"version\":2,\"name\":[\"all is different\"]}";
    ck_assert_ptr_null(
        bp_manifest_parse(text, strlen(text), "b/bakplane/manifest.json", &fix.error));
    ck_assert_ptr_nonnull(strstr(fix.error->message, "\nhint: use the bakplane that wrote it"));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED,
                 "b/bakplane/manifest.json has version 2, this bakplane reads up to 1");
}
END_TEST

START_TEST(test_parse__deep_nesting)
{
    g_autofree char *text = g_strnfill(1000000, '[');
    ck_assert_ptr_null(bp_manifest_parse(text, 1000000, "m", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "m is not valid JSON");
}
END_TEST

START_TEST(test_parse__unknown_members_are_passed_over)
{
    static const char text[] = HEAD ",\"later\":{\"x\":1},\"units\":[{\"id\":\"a\",\"kind\":\"k\","
                                    "\"color\":\"red\"}]}";
    g_autoptr(bp_manifest) manifest = bp_manifest_parse(text, strlen(text), "m", &fix.error);
    ASSERT_FINE(manifest != NULL, fix.error);
    ck_assert_uint_eq(manifest->units->len, 1);
    ck_assert_str_eq(bp_manifest_find_unit(manifest, "a")->name, "");
}
END_TEST

int
main(void)
{
    bp_base_init();
    Suite *suite = suite_create("core/catalog/manifest_parse");
    TCase *tcase = tcase_create("parse");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_add_loop_test(tcase, test_parse__refuses, 0, (int)G_N_ELEMENTS(bad));
    tcase_add_test(tcase, test_parse__newer_version_names_both);
    tcase_add_test(tcase, test_parse__deep_nesting);
    tcase_add_test(tcase, test_parse__unknown_members_are_passed_over);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
