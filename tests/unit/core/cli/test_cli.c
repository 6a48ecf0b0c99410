/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli: the built program, its exit codes and what it prints where.  The source is "files" in
 * a scratch directory.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/json.h"
#include "tests/harness/suite.h"

static char *root, *config;
static char *out, *err; /* of the last run */

static void
write_file(const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(root, name, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    ck_assert_int_eq(g_mkdir_with_parents(dir, 0700), 0);
    ASSERT_FINE(g_file_set_contents(path, text, -1, &error), error);
}

static char *
read_file(const char *name)
{
    char *text = NULL;
    g_autofree char *path = g_build_filename(root, name, NULL);
    (void)g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    root = g_dir_make_tmp("cli-XXXXXX", &error);
    ASSERT_FINE(root != NULL, error);
    g_autofree char *text =
        g_strdup_printf("source: {plugin: files, storage: data, databases: true}\n"
                        "storages:\n"
                        "  data: {plugin: local, root: %s/data}\n"
                        "  backups: {plugin: local, root: %s/backups}\n"
                        "  offsite: {plugin: local, root: %s/offsite}\n"
                        "backup: {storage: backups, retry: {attempts: 2, max_delay: 100ms}}\n"
                        "plugins: {dirs: ['%s', '%s']}\n"
                        "state_dir: %s/state\n",
                        root, root, root, g_getenv("BAKPLANE_PLUGIN_DIR"),
                        g_getenv("BAKPLANE_TEST_PLUGIN_DIR"), root);
    write_file("bakplane.yaml", text);
    write_file("data/default/books/1", "one");
    write_file("data/default/films/1", "a film");
    config = g_build_filename(root, "bakplane.yaml", NULL);
    g_unsetenv("BP_FAULT");
    g_unsetenv("BAKPLANE_CONFIG");
}

static void
remove_root(void)
{
    const char *argv[] = {"rm", "-rf", root, NULL};
    (void)g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                       NULL);
}

static void
teardown(void)
{
    remove_root();
    g_unsetenv("BP_FAULT");
    g_clear_pointer(&root, g_free);
    g_clear_pointer(&config, g_free);
    g_clear_pointer(&out, g_free);
    g_clear_pointer(&err, g_free);
}

static pid_t
start(const char *line, const char *stdout_name)
{
    g_autofree char *full = g_strconcat(g_getenv("BAKPLANE_BIN"), " ", line, NULL);
    g_auto(GStrv) argv = g_strsplit(full, " ", -1);
    g_autofree char *out_path =
        stdout_name[0] == '/' ? g_strdup(stdout_name) : g_build_filename(root, stdout_name, NULL);
    g_autofree char *err_path = g_build_filename(root, "stderr", NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int stdout_fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int stderr_fd = open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)dup2(stdout_fd, 1);
        (void)dup2(stderr_fd, 2);
        execv(argv[0], argv);
        _exit(99);
    }
    return child;
}

/* Exit code; `out` and `err` hold what was printed. */
static int
finish(pid_t child)
{
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    g_free(out);
    g_free(err);
    out = read_file("stdout");
    err = read_file("stderr");
    ck_assert_msg(WIFEXITED(status), "killed by signal %d: %s", WTERMSIG(status), err);
    return WEXITSTATUS(status);
}

/* The program under the name of another tool; `line` in that tool's words. */
static void
alias_runs(int code, const char *line)
{
    g_autofree char *program = g_build_filename(root, "milvus-backup", NULL);
    g_autofree char *before = g_strdup(g_getenv("BAKPLANE_BIN"));
    g_setenv("BAKPLANE_BIN", program, TRUE);
    int got = finish(start(line, "stdout"));
    g_setenv("BAKPLANE_BIN", before, TRUE);
    ck_assert_msg(got == code, "%s: exit code %d, not %d\n%s%s", line, got, code, out, err);
}

/* "-C" stands for the configuration. */
static int
run(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        if (strcmp(*word, "-C") == 0) { /* as a whole: a path may hold it */
            g_free(*word);
            *word = g_strdup_printf("--config %s", config);
        }
    }
    g_autofree char *full = g_strjoinv(" ", words);
    return finish(start(full, "stdout"));
}

static void
runs(int code, const char *line)
{
    int got = run(line);
    ck_assert_msg(got == code, "%s: exit code %d, not %d\n%s%s", line, got, code, out, err);
}

static void
prints(const char *stream, const char *text)
{
    ck_assert_msg(stream != NULL && strstr(stream, text) != NULL, "no \"%s\" in:\n%s", text,
                  stream);
}

START_TEST(test_exit__done)
{
    runs(0, "create -C -n b");
    prints(out, "backup b: success, 2 objects, 9 B");
    runs(0, "-C list");
    prints(out, "success");
    runs(0, "-C list -c *.films");
    prints(out, "success");
    runs(0, "-C list -c *.nothing");
    prints(out, "no backups");
    runs(0, "get -C -n b --detail");
    prints(out, "default.films");
    runs(0, "get -C -n b --document bakplane/manifest.json");
    prints(out, "\"success\"");
    runs(0, "verify -n b -C --deep");
    prints(out, "2 compared by checksum");
    runs(0, "copy -C -n b --to offsite");
    prints(out, "backup b from backups to offsite: success, 2 objects, 9 B");
    runs(0, "verify -n b -C --deep --set backup.storage=offsite");
    runs(0, "restore -C -n b -s _2");
    prints(out, "complete");
    runs(0, "check -C");
    runs(0, "prune -C --keep-last 1");
    prints(out, "nothing to delete");
    runs(0, "delete -C -n b");
    runs(0, "list -C");
    prints(out, "no backups");
}
END_TEST

START_TEST(test_exit__failed)
{
    runs(1, "verify -C -n nothing");
    prints(err, "error: there is no backup \"nothing\"");
    ck_assert_str_eq(out, "");
    runs(0, "create -C -n b");
    runs(1, "create -C -n b");
    prints(err, "hint: choose another name, or --replace it");
    runs(1, "get -C -n b --document nothing.json");
    runs(2, "get -C -n b --document ../b");
    write_file("backups/b/items/default/books/1", "two");
    runs(1, "copy -C -n b --to offsite");
    prints(err, "b/items/default/books/1");
}
END_TEST

START_TEST(test_exit__usage)
{
    static const char *const lines[] = {
        "",
        "creat",
        "create -C --nam b",
        "create -C -n ../b",
        "create -C word",
        "create -C -n b --concurrency-units none",
        "create -C -n b --progress loud",
        "create -C -n b --log-format xml",
        "copy -C -n b",
        "copy -C --to offsite",
        "copy -C -n b --to nowhere",
        "copy -C -n b --to backups",
        "copy -C -n b --to offsite --concurrency-units 1",
        "copy -C -n b --to offsite --storage backups",
        "get -C",
        "verify -C",
        "restore -C",
        "restore -C -n b -s _2 -r a:b",
        "restore -C -n b --rbac",
        "delete -C",
        "prune -C",
        "prune -C --keep-within soon",
        "prune -C --keep-last -1",
        "plugin -C",
        "plugin -C info",
        "plugin -C list all",
        "plugin -C new storage",
        "plugin -C new storage Name",
        "plugin -C new source name",
        "config -C",
        "job -C",
        "job -C show",
        "job -C stop 20261126-014500-2e71f3",
        "job -C list --limit -1",
        "job -C list --state resting",
        "job -C list --log",
        "job -C show 20261126-014500-2e71f3 --limit 1",
        "list --config /nowhere.yaml",
        "list -C --set storages.data.root",
        "list -C --set source.plugin=nosuch",
        "list -C --set storages.backups.plugin=nosuch",
        "create -C -n b --set storages.data.plugin=nosuch",
        "check -C --set source.plugin=nosuch",
        "check -C --set storages.data.plugin=nosuch",
        "config show -C --set storages.data.plugin=nosuch",
        "help nothing",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        runs(2, lines[i]);
        ck_assert(*err != '\0' || i == 0);
    }
}
END_TEST

START_TEST(test_exit__different)
{
    runs(0, "create -C -n b");
    write_file("backups/b/items/default/books/2", "more");
    runs(3, "verify -C -n b");
    prints(out, "unexpected");
}
END_TEST

/* The ID of the newest job. */
static char *
newest_job(void)
{
    runs(0, "job -C list --json --limit 1");
    g_autoptr(json_t) result = bp_json_parse(out, strlen(out), "stdout", NULL);
    const json_t *job = json_array_get(json_object_get(result, "jobs"), 0);
    return g_strdup(bp_json_text(job, "id", "none"));
}

START_TEST(test_job__ended_ones)
{
    runs(0, "job -C list");
    prints(out, "no jobs");
    runs(0, "create -C -n b");
    g_autofree char *made = newest_job();
    runs(1, "delete -C -n nothing");
    g_autofree char *failed = newest_job();
    runs(0, "job -C list --state failed");
    prints(out, "delete  nothing");
    g_autofree char *show = g_strdup_printf("job show %s -C --log", made);
    runs(0, show);
    prints(out, "state      succeeded");
    prints(out, "backup b: success, 2 objects, 9 B");
    g_autofree char *watch = g_strdup_printf("job watch %s -C", made);
    runs(0, watch);
    g_autofree char *watch_failed = g_strdup_printf("job watch %s -C", failed);
    runs(1, watch_failed);
    prints(err, "failed: there is no backup \"nothing\"");
    g_autofree char *cancel = g_strdup_printf("job cancel %s -C", made);
    runs(1, cancel);
    prints(err, "has ended: succeeded: there is nothing to cancel");
    runs(1, "job show 20261126-014500-2e71f3 -C");
    prints(err, "there is no job");
}
END_TEST

START_TEST(test_job__cancelled_by_another_process)
{
    g_autofree char *line = g_strdup_printf("create --config %s -n b", config);
    g_autofree char *manifest = g_build_filename(root, "backups/b/bakplane/manifest.json", NULL);
    g_setenv("BP_FAULT", "source.documents::delay=20s", TRUE);
    pid_t child = start(line, "stdout.create");
    while (!g_file_test(manifest, G_FILE_TEST_EXISTS)) {
        g_usleep(1000);
    }
    g_unsetenv("BP_FAULT");
    g_autofree char *id = newest_job();
    runs(1, "create -C -n b --replace");
    prints(err, id);
    g_autofree char *cancel = g_strdup_printf("job cancel %s -C", id);
    runs(0, cancel);
    ck_assert_int_eq(finish(child), 128 + SIGTERM);
    runs(0, "job -C list");
    prints(out, "cancelled  create  b");
}
END_TEST

START_TEST(test_exit__signals)
{
    static const int signals[] = {SIGINT, SIGTERM};
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_autofree char *line = g_strdup_printf("create --config %s -n b%u", config, (guint)i);
        g_setenv("BP_FAULT", "source.documents::delay=20s", TRUE);
        pid_t child = start(line, "stdout");
        g_autofree char *manifest =
            g_strdup_printf("%s/backups/b%u/bakplane/manifest.json", root, (guint)i);
        while (!g_file_test(manifest, G_FILE_TEST_EXISTS)) {
            g_usleep(1000);
        }
        ck_assert_int_eq(kill(child, signals[i]), 0);
        ck_assert_int_eq(finish(child), 128 + signals[i]);
        g_unsetenv("BP_FAULT");
        prints(err, "error: ");
    }
    runs(0, "list -C");
    prints(out, "failed");
}
END_TEST

START_TEST(test_output__closed_stdout_is_a_failure)
{
    g_autofree char *line = g_strdup_printf("version --config %s", config);
    ck_assert_int_eq(finish(start(line, "/dev/full")), 1);
    prints(err, "the result could not be written");
}
END_TEST

START_TEST(test_output__json)
{
    runs(0, "create -C -n b --json");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) result = bp_json_parse(out, strlen(out), "stdout", &error);
    ASSERT_FINE(result != NULL, error);
    ck_assert_str_eq(bp_json_text(result, "outcome", ""), "done");
    ck_assert_str_eq(bp_json_text(result, "state", ""), "success");
    runs(1, "create -C -n b --json");
    g_autoptr(json_t) failed = bp_json_parse(out, strlen(out), "stdout", &error);
    ASSERT_FINE(failed != NULL, error);
    ck_assert_str_eq(bp_json_text(failed, "outcome", ""), "failed");
    ck_assert_str_eq(bp_json_text(json_object_get(failed, "error"), "class", ""), "exists");
}
END_TEST

START_TEST(test_output__report)
{
    g_autofree char *path = g_build_filename(root, "report.json", NULL);
    g_autofree char *line = g_strdup_printf("create -C -n b --report %s", path);
    runs(0, line);
    g_autofree char *report = read_file("report.json");
    prints(report, "\"outcome\": \"done\"");
    runs(1, "list -C --report /nowhere/report.json");
    prints(err, "report: ");
}
END_TEST

START_TEST(test_output__events_and_silence)
{
    g_setenv("BP_FAULT", "source.documents::delay=1500ms", TRUE); /* long enough to be shown */
    runs(0, "create -C -n b --progress json");
    g_unsetenv("BP_FAULT");
    prints(err, "{\"event\":");
    runs(0, "create -C -n c --quiet");
    ck_assert_str_eq(err, "");
    runs(0, "create -C -n d -vv");
    prints(err, "debug");
}
END_TEST

START_TEST(test_info__refused_plugin)
{
    write_file("plugins/bakplane-storage-loose.so", "no plugin");
    g_autofree char *path = g_build_filename(root, "plugins/bakplane-storage-loose.so", NULL);
    g_autofree char *line = g_strdup_printf("plugin -C list --set plugins.dirs=%s/plugins", root);
    ck_assert_int_eq(g_chmod(path, 0666), 0);
    runs(0, line);
    prints(out, "storage  loose  -        -    refused  ");
    prints(out, "bakplane-storage-loose.so is refused: ");
    prints(out, "others may write to it (mode 0666)\nhint: chmod go-w ");
}
END_TEST

START_TEST(test_info__plugins_config_help)
{
    runs(0, "plugin -C list");
    prints(out, "local");
    prints(out, "files");
    runs(0, "plugin -C info local");
    prints(out, "sha256");
    prints(out, "settings:");
    runs(1, "plugin -C info nothing");
    prints(err, "there is no plugin 'nothing'");
    runs(0, "config -C show --set backup.prove=read");
    prints(out, "backup.prove");
    prints(out, "--set");
    runs(0, "help create");
    prints(out, "Usage: bakplane create");
    runs(0, "create -C --help");
    prints(out, "--concurrency-units");
    runs(0, "restore -C --help");
    prints(out, "--no-ingest");
    runs(0, "--version");
    prints(out, "plugin ABI");
    runs(0, "--help");
    prints(out, "Commands:");
}
END_TEST

START_TEST(test_alias__speaks_as_the_other_tool)
{
    g_autofree char *install = g_strdup_printf("install-alias --dir %s", root);
    g_autofree char *create = g_strdup_printf("--config %s create -n b", config);
    g_autofree char *list = g_strdup_printf("list --config=%s", config);
    g_autofree char *get = g_strdup_printf("get -nb --config=%s", config);
    g_autofree char *show = g_strdup_printf("check config --config=%s", config);
    g_autofree char *delete = g_strdup_printf("delete -n b --config=%s", config);
    runs(0, install);
    prints(out, "/milvus-backup is this program now");
    runs(0, install); /* it is there, and leads here */
    alias_runs(0, create);
    ck_assert(g_str_has_prefix(out, "success\nduration:"));
    ck_assert_str_eq(err, "");
    alias_runs(1, create);
    ck_assert_str_eq(out, "");
    prints(err, "error: backup already exists");
    alias_runs(0, list);
    ck_assert_str_eq(out, ">> Backups:\nb\n");
    alias_runs(1, get); /* the document that tool prints is none of this source's */
    prints(err, "error: ");
    alias_runs(0, show);
    prints(out, "storages.backups.root");
    alias_runs(0, delete);
    ck_assert_str_eq(out, "success\n");
    alias_runs(0, list);
    ck_assert_str_eq(out, ">> Backups:\n");
}
END_TEST

START_TEST(test_alias__exit_codes_of_the_other_tool)
{
    g_autofree char *install = g_strdup_printf("install-alias --dir %s", root);
    g_autofree char *unknown = g_strdup_printf("list --config=%s --nam", config);
    g_autofree char *name = g_strdup_printf("create --config=%s -n a/b", config);
    g_autofree char *wrong = g_strdup_printf("list --config=%s/wrong.yaml", root);
    runs(0, install);
    write_file("wrong.yaml", "milvus: {port: x}\n");
    alias_runs(1, "");
    alias_runs(1, unknown);
    prints(err, "try: milvus-backup --help");
    alias_runs(1, name);
    alias_runs(2, "list --config=/nowhere.yaml");
    alias_runs(2, wrong);
    prints(err, "(milvus.port): \"x\" is no number");
    alias_runs(0, "restore --help");
    prints(out, "Usage: milvus-backup restore");
}
END_TEST

START_TEST(test_alias__nothing_is_replaced)
{
    g_autofree char *install = g_strdup_printf("install-alias --dir %s", root);
    write_file("milvus-backup", "the tool itself");
    runs(1, install);
    prints(err, "hint: move it away first");
    g_autofree char *kept = read_file("milvus-backup");
    ck_assert_str_eq(kept, "the tool itself");
}
END_TEST

START_TEST(test_config__migrate)
{
    write_file("backup.yaml", "milvus: {address: h, password: hush}\n"
                              "minio: {backupRootPath: b}\n"
                              "http: {enabled: true}\n");
    g_autofree char *theirs = g_strdup_printf("--config %s/backup.yaml config migrate", root);
    g_autofree char *to_file = g_strdup_printf("%s -o %s/ours.yaml", theirs, root);
    g_autofree char *strict = g_strdup_printf("%s --strict", theirs);
    g_autofree char *json = g_strdup_printf("%s --json", theirs);
    g_autofree char *forced = g_strdup_printf("%s --force", to_file);
    runs(0, theirs);
    prints(out, "  password: \"hush\"\n");
    prints(err, "keys without effect here: http.enabled (line 3)");
    runs(0, to_file);
    g_autofree char *ours = read_file("ours.yaml");
    prints(ours, "address: \"h:19530\"");
    g_autofree char *path = g_build_filename(root, "ours.yaml", NULL);
    GStatBuf info;
    ck_assert_int_eq(g_stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    runs(1, to_file);
    prints(err, "hint: replace it by --force");
    runs(0, forced);
    runs(2, strict);
    g_autofree char *second = g_strdup_printf("%s --to v2", theirs);
    g_autofree char *third = g_strdup_printf("%s --to v3", theirs);
    runs(0, second);
    ck_assert(g_str_has_prefix(out, "configVersion: v2\n"));
    runs(2, third);
    runs(2, json);
    runs(2, "-C config migrate");
    prints(err, "there is nothing to migrate");
    runs(2, "-C config show --strict");
}
END_TEST

START_TEST(test_flags__reach_the_job)
{
    runs(0, "create -C -n b --concurrency-units 1 --prove=size");
    runs(0, "verify -C -n b");
    runs(0, "copy -C -n b --to offsite --prove size --concurrency_copies=1");
    runs(0, "verify -C -n b --deep");
    prints(out, "2 sealed");
    runs(0, "verify -C -n b --deep --set backup.storage=offsite");
    prints(out, "2 sealed");
    runs(0, "restore -C -n b --dry_run --no-ingest");
    prints(out, "would restore");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "cli/cli", setup, teardown, test_exit__done, test_exit__failed, test_exit__usage,
        test_exit__different, test_exit__signals, test_job__ended_ones,
        test_job__cancelled_by_another_process, test_output__closed_stdout_is_a_failure,
        test_output__json, test_output__report, test_output__events_and_silence,
        test_info__refused_plugin, test_info__plugins_config_help,
        test_alias__speaks_as_the_other_tool, test_alias__exit_codes_of_the_other_tool,
        test_alias__nothing_is_replaced, test_config__migrate, test_flags__reach_the_job);
}
