/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/show and show_info: results as text for people, with names that want to rule the
 * terminal, and results that lack nearly everything.
 */
#include "core/cli/show.h"

#include "core/base/json.h"
#include "tests/harness/suite.h"

static char *
show(char *(*fn)(const json_t *, bool), const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) result = bp_json_parse(text, strlen(text), "test", &error);
    ASSERT_FINE(result != NULL, error);
    return fn(result, false);
}

static void
shows(char *(*fn)(const json_t *, bool), const char *result, const char *text)
{
    g_autofree char *shown = show(fn, result);
    ck_assert_str_eq(shown, text);
}

START_TEST(test_show_create__units_and_totals)
{
    shows(bp_show_create,
          "{\"name\":\"b\",\"state\":\"success\",\"items\":3,\"bytes\":2048,\"duration_ms\":420,"
          "\"units\":[{\"parent\":\"db\",\"name\":\"c\",\"items\":3,\"bytes\":2048,\"low\":5,"
          "\"high\":7},{\"parent\":\"db\",\"name\":\"d\",\"items\":0,\"bytes\":0}],"
          "\"notes\":[{\"level\":\"warning\",\"text\":\"mind\"},{\"level\":\"info\",\"text\":\"x\"}"
          "]}",
          "UNIT  OBJECTS     SIZE  ROWS\n"
          "db.c        3  2.0 KiB   5-7\n"
          "db.d        0      0 B     -\n"
          "warning: mind\n"
          "backup b: success, 3 objects, 2.0 KiB, 420 ms\n");
}
END_TEST

START_TEST(test_show_create__of_a_source_with_other_words)
{
    shows(bp_show_create,
          "{\"name\":\"b\",\"state\":\"success\",\"items\":3,\"bytes\":2048,\"duration_ms\":420,"
          "\"units\":[{\"name\":\"www\",\"items\":3,\"bytes\":2048,\"low\":5,\"high\":5,"
          "\"what\":\"entries\"}]}",
          "UNIT  OBJECTS     SIZE  ENTRIES\n"
          "www         3  2.0 KiB        5\n"
          "backup b: success, 3 objects, 2.0 KiB, 420 ms\n");
}
END_TEST

START_TEST(test_show_create__dry_run)
{
    g_autofree char *shown = show(bp_show_create, "{\"dry_run\":true,\"items\":3,\"bytes\":1}");
    ck_assert_ptr_nonnull(strstr(shown, "would copy 3 objects, 1 B (nothing was changed)\n"));
}
END_TEST

START_TEST(test_show_copy__from_where_to_where)
{
    shows(bp_show_copy,
          "{\"name\":\"b\",\"state\":\"success\",\"items\":3,\"bytes\":2048,\"duration_ms\":420,"
          "\"from\":\"near\",\"to\":\"far\",\"units\":[{\"parent\":\"db\",\"name\":\"c\","
          "\"items\":3,\"bytes\":2048}],\"notes\":[{\"level\":\"warning\",\"text\":\"mind\"}]}",
          "UNIT  OBJECTS     SIZE  ROWS\n"
          "db.c        3  2.0 KiB     -\n"
          "warning: mind\n"
          "backup b from near to far: success, 3 objects, 2.0 KiB, 420 ms\n");
    g_autofree char *dry = show(bp_show_copy, "{\"dry_run\":true,\"items\":3,\"bytes\":1,"
                                              "\"from\":\"near\",\"to\":\"far\"}");
    ck_assert_ptr_nonnull(
        strstr(dry, "would copy 3 objects, 1 B from near to far (nothing was changed)\n"));
}
END_TEST

START_TEST(test_show_restore__targets)
{
    g_autofree char *shown =
        show(bp_show_restore,
             "{\"name\":\"b\",\"outcome\":\"failed\",\"duration_ms\":1,\"targets\":["
             "{\"from\":\"d.a\",\"to\":\"d.a2\",\"state\":\"complete\",\"low\":5,\"high\":5,"
             "\"found\":5},{\"from\":\"d.b\",\"to\":\"d.b\",\"state\":\"failed\",\"high\":9,"
             "\"low\":9,\"error\":\"no\\nhint: try\"}]}");
    ck_assert_str_eq(shown, "FROM  TO    BACKUP  RESTORED  STATE     REASON\n"
                            "d.a   d.a2       5         5  complete\n"
                            "d.b   d.b        9         -  failed    no hint: try\n"
                            "restore of b: failed, 1 ms\n");
    g_autofree char *dry = show(
        bp_show_restore, "{\"dry_run\":true,\"targets\":[{\"from\":\"d.a\",\"to\":\"d.a2\"}]}");
    ck_assert_ptr_nonnull(strstr(dry, "would restore"));
    ck_assert_ptr_null(strstr(dry, "restore of"));
}
END_TEST

START_TEST(test_show_list__backups_and_none)
{
    g_autofree char *shown =
        show(bp_show_list, "{\"backups\":[{\"name\":\"b\",\"status\":\"success\",\"items\":1,"
                           "\"bytes\":5,\"server_version\":\"2.3.5\","
                           "\"finished\":\"2020-01-01T00:00:00Z\"},{\"name\":\"f\",\"status\":"
                           "\"foreign (unusable)\",\"problem\":\"torn\"}]}");
    ck_assert_ptr_nonnull(strstr(shown, "2.3.5"));
    ck_assert_ptr_nonnull(strstr(shown, "foreign (unusable)"));
    ck_assert_ptr_nonnull(strstr(shown, "torn\n"));
    shows(bp_show_list, "{\"backups\":[]}", "no backups\n");
    shows(bp_show_list, "{}", "no backups\n");
}
END_TEST

START_TEST(test_show_prune__what_goes)
{
    g_autofree char *shown =
        show(bp_show_prune, "{\"backups\":[{\"name\":\"b\"}],\"dry_run\":true}");
    ck_assert_ptr_nonnull(strstr(shown, "would delete 1 backup"));
    g_autofree char *done = show(bp_show_prune, "{\"backups\":[{\"name\":\"b\"}]}");
    ck_assert_ptr_nonnull(strstr(done, "\ndeleted 1 backup"));
    shows(bp_show_prune, "{\"backups\":[]}", "nothing to delete\n");
}
END_TEST

START_TEST(test_show_get__facts)
{
    shows(bp_show_get,
          "{\"name\":\"b\",\"status\":\"failed\",\"error\":\"disk full\",\"items\":2,"
          "\"bytes\":1024,\"units\":[{\"name\":\"db\"},{\"parent\":\"db\",\"name\":\"c\","
          "\"items\":2,\"bytes\":1024}]}",
          "name       b\n"
          "status     failed\n"
          "error      disk full\n"
          "objects    2\n"
          "size       1.0 KiB\n"
          "\n"
          "UNIT  OBJECTS     SIZE  ROWS\n"
          "db.c        2  1.0 KiB     -\n");
}
END_TEST

START_TEST(test_show_verify__problems_and_sums)
{
    shows(bp_show_verify,
          "{\"name\":\"b\",\"items\":9,\"compared\":7,\"missing\":1,\"truncated\":1,\"problems\":["
          "{\"key\":\"k/1\",\"problem\":\"missing\",\"expected_bytes\":4},"
          "{\"key\":\"k/2\",\"problem\":\"truncated\",\"expected_bytes\":4,\"found_bytes\":1}]}",
          "PROBLEM    EXPECTED  FOUND  OBJECT\n"
          "missing           4      -  k/1\n"
          "truncated         4      1  k/2\n"
          "backup b: 9 objects, 7 compared by checksum, 1 missing, 1 truncated\n");
}
END_TEST

START_TEST(test_show_check__and_done)
{
    shows(bp_show_check,
          "{\"checks\":[{\"check\":\"source\",\"status\":\"failed\",\"text\":\"refused\"}]}",
          "CHECK   STATUS  DETAIL\n"
          "source  failed  refused\n");
    shows(bp_show_done, "{\"job\":\"delete\",\"name\":\"b\"}", "delete b: done\n");
}
END_TEST

START_TEST(test_show_plugins__list_and_detail)
{
    g_autofree char *list =
        show(bp_show_plugins,
             "{\"plugins\":[{\"kind\":\"storage\",\"name\":\"local\","
             "\"version\":\"1\",\"abi\":\"1.0\",\"path\":\"/p/l.so\",\"sha256\":\"ab\"},"
             "{\"kind\":\"source\",\"name\":\"x\",\"path\":\"/p/x.so\",\"refused\":"
             "\"not yours\\nhint: take it\"}]}");
    ck_assert_ptr_nonnull(strstr(list, "storage  local  1        1.0  fine     /p/l.so  ab\n"));
    ck_assert_ptr_nonnull(strstr(list, "source   x      -        -    refused  /p/x.so  -\n"));
    ck_assert_ptr_nonnull(strstr(list, "\n/p/x.so is refused: not yours\nhint: take it\n"));
    g_autofree char *detail =
        show(bp_show_plugins,
             "{\"detail\":true,\"plugins\":[{\"kind\":\"storage\",\"name\":\"local\",\"summary\":"
             "\"files\",\"sha256\":\"ab\",\"refused\":\"not yours\",\"settings\":["
             "{\"name\":\"root\",\"required\":true,\"help\":\"where\"},"
             "{\"name\":\"link\",\"default\":\"false\",\"help\":\"hard links\"}]}]}");
    ck_assert_ptr_nonnull(strstr(detail, "storage plugin local ? (ABI ?, ?)\nfiles\n?\nsha256 ab\n"
                                         "refused: not yours\n\nsettings:\n"));
    ck_assert_ptr_nonnull(strstr(detail, "root  (required)  where\n"));
    ck_assert_ptr_nonnull(strstr(detail, "link  false       hard links\n"));
    shows(bp_show_plugins, "{\"plugins\":[]}", "no plugins\n");
    shows(bp_show_plugins, "{\"folder\":\"./x\",\"files\":[\"a\",\"b\"]}",
          "wrote 2 files to ./x; try: make -C ./x check\n");
}
END_TEST

START_TEST(test_show_config__and_version)
{
    shows(bp_show_config,
          "{\"settings\":[{\"key\":\"a.b\",\"value\":\"***\",\"origin\":\"default\"}]}",
          "SETTING  VALUE  ORIGIN\n"
          "a.b      ***    default\n");
    shows(bp_show_version, "{\"version\":\"1\",\"revision\":\"r\",\"abi\":\"1.0\"}",
          "bakplane 1 (r), plugin ABI 1.0\n");
}
END_TEST

static char *(*const all[])(const json_t *, bool) = {
    bp_show_create, bp_show_copy,    bp_show_restore, bp_show_list,
    bp_show_get,    bp_show_prune,   bp_show_verify,  bp_show_check,
    bp_show_done,   bp_show_plugins, bp_show_config,  bp_show_version};

START_TEST(test_show__hostile_names_rule_no_terminal)
{
#define EVIL "a\\u001b[2J\\u0007\\nb\\u202e"
    static const char *const result =
        "{\"name\":\"" EVIL "\",\"status\":\"" EVIL "\",\"job\":\"" EVIL "\",\"state\":\"" EVIL
        "\",\"outcome\":\"" EVIL "\",\"error\":\"" EVIL "\",\"server_version\":\"" EVIL
        "\",\"items\":1,\"bytes\":1,\"detail\":true,"
        "\"units\":[{\"parent\":\"" EVIL "\",\"name\":\"" EVIL "\",\"items\":1}],"
        "\"targets\":[{\"from\":\"" EVIL "\",\"to\":\"" EVIL "\",\"error\":\"" EVIL "\"}],"
        "\"backups\":[{\"name\":\"" EVIL "\",\"problem\":\"" EVIL "\"}],"
        "\"problems\":[{\"key\":\"" EVIL "\",\"problem\":\"" EVIL "\"}],"
        "\"checks\":[{\"check\":\"" EVIL "\",\"text\":\"" EVIL "\"}],"
        "\"plugins\":[{\"name\":\"" EVIL "\",\"summary\":\"" EVIL "\",\"refused\":\"" EVIL
        "\",\"settings\":[{\"name\":\"" EVIL "\",\"help\":\"" EVIL "\"}]}],"
        "\"settings\":[{\"key\":\"" EVIL "\",\"value\":\"" EVIL "\"}],"
        "\"notes\":[{\"level\":\"warning\",\"text\":\"" EVIL "\"}]}";
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *shown = show(all[i], result);
        ck_assert_msg(strchr(shown, '\x1b') == NULL && strchr(shown, '\a') == NULL &&
                          g_utf8_strchr(shown, -1, 0x202e) == NULL,
                      "view %u: %s", (guint)i, shown);
    }
}
END_TEST

START_TEST(test_show__results_that_lack_everything)
{
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *shown = show(all[i], "{}");
        ck_assert(*shown == '\0' || g_str_has_suffix(shown, "\n"));
    }
}
END_TEST

START_TEST(test_show__colors_only_when_asked_for)
{
    g_autoptr(json_t) result = json_pack("{s:[{s:s,s:s}]}", "checks", "check", "a", "status", "ok");
    g_autofree char *plain = bp_show_check(result, false);
    g_autofree char *colored = bp_show_check(result, true);
    ck_assert_ptr_null(strchr(plain, '\x1b'));
    ck_assert_ptr_nonnull(strchr(colored, '\x1b'));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("cli/show", NULL, NULL, test_show_create__units_and_totals,
                     test_show_create__of_a_source_with_other_words, test_show_create__dry_run,
                     test_show_copy__from_where_to_where, test_show_restore__targets,
                     test_show_list__backups_and_none, test_show_prune__what_goes,
                     test_show_get__facts, test_show_verify__problems_and_sums,
                     test_show_check__and_done, test_show_plugins__list_and_detail,
                     test_show_config__and_version, test_show__hostile_names_rule_no_terminal,
                     test_show__results_that_lack_everything,
                     test_show__colors_only_when_asked_for);
}
