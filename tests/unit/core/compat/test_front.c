/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/front, front_line and front_show: that tool's command lines, and its output.  What
 * becomes of each option is in test_page.c.
 */
#include "core/compat/front.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "tests/harness/suite.h"

#include "sdk/lib/ban.h"

static char *folder, *before;
static bp_front_call call;

static void
write_file(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    ck_assert_int_eq(g_mkdir_with_parents(dir, 0700), 0);
    ck_assert(g_file_set_contents(path, "milvus: {address: h}\n", -1, NULL));
}

static void
setup(void)
{
    folder = g_dir_make_tmp("front-XXXXXX", NULL);
    before = g_get_current_dir();
    ck_assert_int_eq(chdir(folder), 0);
    write_file("backup.yaml");
}

static void
teardown(void)
{
    const char *argv[] = {"rm", "-rf", folder, NULL};
    ck_assert_int_eq(chdir(before), 0);
    (void)g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                       NULL);
    g_clear_pointer(&folder, g_free);
    g_clear_pointer(&before, g_free);
    bp_front_call_clear(&call);
}

/* Words are separated by blanks. */
static bool
translate_in(const char *line, const char *const *env, bool terminal, GError **error)
{
    bp_front_call_clear(&call);
    g_autofree char *full = g_strconcat("milvus-backup ", line, NULL);
    g_auto(GStrv) words = g_strsplit(full, " ", -1);
    bp_front_in in = {.argv = (const char *const *)words, .environ = env, .terminal = terminal};
    return bp_compat_front.translate(&in, &call, error);
}

static bool
translate(const char *line, GError **error)
{
    static const char *const nothing[] = {NULL};
    return translate_in(line, nothing, true, error);
}

static void
becomes(const char *line, const char *expected)
{
    GError *error = NULL;
    ASSERT_FINE(translate(line, &error), error);
    g_autofree char *got = g_strjoinv(" ", call.words);
    g_autofree char *wanted = g_strconcat("bakplane ", expected, NULL);
    ck_assert_str_eq(got, wanted);
}

START_TEST(test_translate__spellings)
{
    const char *wanted = "create --name=b --strategy=skip_flush --config=backup.yaml --set=a=1";
    becomes("create -n b -f --set a=1", wanted);
    becomes("--set a=1 create -nb --force", wanted);
    becomes("create -fn b --set=a=1", wanted);
    becomes("create -n=b --force=true --set a=1 --rbac=false", wanted);
    becomes("create --name=b --set a=1 --strategy SKIP_FLUSH --config=backup.yaml", wanted);
    becomes("create --name - -n b -f --set a=1 -c= --", wanted);
}
END_TEST

START_TEST(test_translate__sets_are_csv)
{
    becomes("list --set a=1,\"b=2,3\",c=\"x\"\"y\" --set d=",
            "list --config=backup.yaml --set=a=1 --set=b=2,3 --set=c=x\"y --set=d=");
}
END_TEST

START_TEST(test_translate__restore_makes_no_index_and_loads_nothing)
{
    becomes("restore -n b", "restore --name=b --no-index --no-load --config=backup.yaml");
    becomes("restore -n b --rebuild_index --use_auto_index",
            "restore --name=b --index --no-load --use-auto-index --config=backup.yaml");
    becomes("restore -n b --use_auto_index --restore_index=false",
            "restore --name=b --no-index --no-load --config=backup.yaml");
    ck_assert_uint_eq(call.warnings->len, 1);
}
END_TEST

START_TEST(test_translate__rename_of_mixed_forms)
{
    becomes("restore -n b -r a:db2.c,db1.x:y,d:e,p.*:q.*",
            "restore --name=b --rename=default.a:db2.c,db1.x:default.y,d:e,p.*:q.* --no-index "
            "--no-load --config=backup.yaml");
}
END_TEST

START_TEST(test_translate__one_way_to_select_counts)
{
    becomes("create -c x -d y", "create --databases=y --config=backup.yaml");
    ck_assert_uint_eq(call.warnings->len, 1);
    ck_assert_str_eq(g_ptr_array_index(call.warnings, 0),
                     "--databases counts, --colls does not, as in milvus-backup");
    becomes("create -a {} -c x -d y --filter z", "create --filter=z --config=backup.yaml");
    ck_assert_uint_eq(call.warnings->len, 3);
}
END_TEST

START_TEST(test_translate__other_commands)
{
    becomes("get -n b -d", "get --name=b --document=meta/full_meta.json --config=backup.yaml");
    ck_assert(call.detail);
    ck_assert_str_eq(call.command, "get");
    becomes("check", "check --config=backup.yaml");
    becomes("check backup_yaml", "config show --config=backup.yaml");
    ck_assert_str_eq(call.command, "check backup_yaml");
    becomes("check config", "config show --config=backup.yaml");
    ck_assert_str_eq(call.command, "config");
    becomes("config show", "config show --config=backup.yaml");
    becomes("config migrate -o x --force",
            "config migrate --to=v2 --output=x --force --config=backup.yaml");
    becomes("create --strategy meta_only --format binlog",
            "create --meta-only --config=backup.yaml");
}
END_TEST

START_TEST(test_translate__nobody_looks)
{
    static const char *const nothing[] = {NULL};
    GError *error = NULL;
    ASSERT_FINE(translate_in("list", nothing, false, &error), error);
    ck_assert(g_strv_contains((const char *const *)call.words, "--progress=none"));
}
END_TEST

START_TEST(test_translate__finds_the_file)
{
    GError *error = NULL;
    g_autofree char *variable = g_strdup_printf("MILVUSCONF=%s/conf", folder);
    g_autofree char *there = g_strdup_printf("--config=%s/conf/backup.yaml", folder);
    const char *const env[] = {variable, NULL};
    write_file("configs/other.yaml");
    becomes("list --config other.yaml", "list --config=configs/other.yaml");
    becomes("list --config=", "list --config=");
    ASSERT_FINE(translate_in("list", env, true, &error), error);
    ck_assert_str_eq(call.words[2], "--config=backup.yaml");
    write_file("conf/backup.yaml");
    ASSERT_FINE(translate_in("list", env, true, &error), error);
    ck_assert_str_eq(call.words[2], there);
    ck_assert_uint_eq(call.warnings->len, 1);
    ck_assert(!translate("list --config no.yaml", &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "tried no.yaml and configs/no.yaml");
}
END_TEST

START_TEST(test_translate__port_of_the_server)
{
    static const char *const set[] = {"SERVER_PORT=81", NULL};
    static const char *const empty[] = {"SERVER_PORT=", NULL};
    static const char *const wrong[] = {"SERVER_PORT=tcp://h:1", NULL};
    GError *error = NULL;
    ASSERT_FINE(translate_in("server", set, false, &error), error);
    ck_assert_str_eq(call.words[2], "--port=81");
    ck_assert_str_eq(call.words[3], "--config=backup.yaml");
    ck_assert_ptr_null(call.words[4]); /* --progress is not for a server */
    ASSERT_FINE(translate_in("server -p 82", wrong, false, &error), error);
    ck_assert_str_eq(call.words[2], "--port=82");
    ASSERT_FINE(translate_in("server", empty, false, &error), error);
    ck_assert_str_eq(call.words[2], "--config=backup.yaml");
    ck_assert(!translate_in("server", wrong, false, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "SERVER_PORT: 'tcp://h:1' is no port");
    ck_assert(!translate("server -p eighty", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "--port: 'eighty' is no port");
}
END_TEST

START_TEST(test_translate__help_and_version)
{
    static const char *const lines[] = {"--help",     "help",          "help restore",
                                        "restore -h", "server --help", "restore --help word"};
    GError *error = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        ASSERT_FINE(translate(lines[i], &error), error);
        ck_assert_ptr_nonnull(strstr(call.text, "Usage: milvus-backup"));
    }
    ASSERT_FINE(translate("-v", &error), error);
    ck_assert_ptr_nonnull(strstr(call.text, "under the name of milvus-backup"));
}
END_TEST

START_TEST(test_translate__wrong_lines)
{
    static const struct {
        const char *line, *message;
        int cls;
    } cases[] = {
        {"", "unknown command \"\"", BP_ERR_INVALID},
        {"creat", "hint: did you mean create?", BP_ERR_INVALID},
        {"create --nam b", "unknown flag: --nam\nhint: did you mean --name?", BP_ERR_INVALID},
        {"create -x", "unknown shorthand flag: 'x' in -x", BP_ERR_INVALID},
        {"create -n", "flag needs an argument: --name", BP_ERR_INVALID},
        {"create --force=si", "--force: \"si\" is neither true nor false", BP_ERR_INVALID},
        {"create word", "create: unexpected word 'word'", BP_ERR_INVALID},
        {"create --set a", "--set: expected KEY=VALUE", BP_ERR_INVALID},
        {"create --set a=\"1", "--set: a quote is not closed", BP_ERR_INVALID},
        {"create --strategy bulk_flush", "--strategy: bulk_flush needs", BP_ERR_UNSUPPORTED},
        {"create --strategy snapshot", "hint: that is a format", BP_ERR_INVALID},
        {"create --strategy x", "there is no \"x\"", BP_ERR_INVALID},
        {"create --format snapshot", "snapshot format cannot be made", BP_ERR_UNSUPPORTED},
        {"create --format x", "there is no \"x\"", BP_ERR_INVALID},
        {"restore", "restore needs --name", BP_ERR_INVALID},
        {"restore -n", "flag needs an argument", BP_ERR_INVALID},
        {"restore -n b -s x -r a:b", "--suffix and --rename exclude each other", BP_ERR_INVALID},
        {"restore -n b --drop_exist_collection --skip_create_collection", "exclude each other",
         BP_ERR_INVALID},
        {"restore secondary -n b", "a standby cluster cannot be seeded", BP_ERR_UNSUPPORTED},
        {"restore b", "restore: unexpected word 'b'", BP_ERR_INVALID},
        {"get", "get needs --name", BP_ERR_INVALID},
        {"delete", "delete needs --name", BP_ERR_INVALID},
        {"check all", "check: unexpected word 'all'", BP_ERR_INVALID},
        {"config", "write config show or config migrate", BP_ERR_INVALID},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        ck_assert_msg(!translate(cases[i].line, &error), "%s", cases[i].line);
        ASSERT_ERROR(error, cases[i].cls, cases[i].message);
    }
}
END_TEST

static void
shows(const char *command, bool done, const char *json, const char *expected)
{
    GError *error = NULL;
    g_autoptr(json_t) parsed = bp_json_parse(json, strlen(json), "test", &error);
    ASSERT_FINE(parsed != NULL, error);
    call.command = command;
    bp_front_result result = {.call = &call, .json = parsed, .done = done};
    g_autofree char *text = bp_compat_front.show(&result);
    ck_assert_str_eq(text, expected);
}

START_TEST(test_show__jobs)
{
    shows("create", true, "{\"duration_ms\": 12345}", "success\nduration:12.35 s\n");
    shows("restore", false,
          "{\"duration_ms\": 10, \"targets\": [{\"to\": \"a.b\", \"state\": \"complete\"},"
          "{\"to\": \"a.c\", \"state\": \"failed\", \"error\": \"why\"}]}",
          "a.c: failed: why\nduration:0.01 s\n");
    shows("delete", true, "{}", "success\n");
}
END_TEST

static void
keep_line(void *ctx, const char *line)
{
    g_string_append_printf(ctx, "%s\n", line);
}

START_TEST(test_show__list)
{
    g_autoptr(GString) log = g_string_new(NULL);
    bp_log_set_sink(keep_line, log);
    shows("list", true,
          "{\"backups\": [{\"name\": \"a\", \"status\": \"success\"},"
          "{\"name\": \"b\", \"status\": \"failed\"}, {\"name\": \"c\", \"status\": \"foreign\"},"
          "{\"name\": \"d\", \"status\": \"incomplete\"}]}",
          ">> Backups:\na\nc\n");
    ck_assert_msg(strstr(log->str, "b (failed), d (incomplete)") != NULL, "%s", log->str);
    g_string_truncate(log, 0);
    shows("list", true, "{\"backups\": []}", ">> Backups:\n");
    bp_log_set_sink(NULL, NULL);
    ck_assert_str_eq(log->str, "");
}
END_TEST

START_TEST(test_show__get)
{
    const char *json = "{\"text\": \"{\\\"id\\\": \\\"1\\\", \\\"collection_backups\\\": "
                       "[{\\\"partition_backups\\\": [], \\\"size\\\": 2}]}\"}";
    shows("get", true, json,
          "{\n    \"id\": \"1\",\n    \"collection_backups\": [\n        {\n            \"size\": "
          "2\n        }\n    ]\n}\nSuccess\n");
    call.detail = true;
    shows("get", true, json,
          "{\n    \"id\": \"1\",\n    \"collection_backups\": [\n        {\n            "
          "\"partition_backups\": [],\n            \"size\": 2\n        }\n    ]\n}\nSuccess\n");
}
END_TEST

START_TEST(test_show__check)
{
    shows("check", true,
          "{\"checks\": [{\"check\": \"source: connection, version\", \"status\": \"ok\","
          "\"text\": \"h:1, version v2.3.5\"}]}",
          "Succeed to connect to milvus and storage.\nMilvus version: v2.3.5\nStorage:\n");
    shows("check", false,
          "{\"checks\": [{\"check\": \"backup storage: list\", \"status\": \"failed\","
          "\"text\": \"why\"}]}",
          "Failed to connect to storage backup path\nbackup storage: list: why\nStorage:\n");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "compat/front", setup, teardown, test_translate__spellings, test_translate__sets_are_csv,
        test_translate__restore_makes_no_index_and_loads_nothing,
        test_translate__rename_of_mixed_forms, test_translate__one_way_to_select_counts,
        test_translate__other_commands, test_translate__nobody_looks,
        test_translate__finds_the_file, test_translate__port_of_the_server,
        test_translate__help_and_version, test_translate__wrong_lines, test_show__jobs,
        test_show__list, test_show__get, test_show__check);
}
