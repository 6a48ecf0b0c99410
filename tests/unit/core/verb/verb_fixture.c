/* SPDX-License-Identifier: Apache-2.0
 *
 * See verb_fixture.h.
 */
#include "tests/unit/core/verb/verb_fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/config.h"

char *verb_root;
json_t *verb_result, *verb_notes;
bp_cancel *verb_cancel;
bp_monitor *verb_monitor;
struct bp_source_ops verb_honest;
struct bp_storage_ops verb_honest_store;
void (*verb_spoil)(struct bp_source_ops *source, struct bp_storage_ops *storage);

static bp_config_tree *config;
static const char *data_root = "data", *backups_root = "backups";

static char *
path_of(const char *path)
{
    return g_build_filename(verb_root, path, NULL);
}

void
verb_configure(const char *source, const char *backup)
{
    g_autofree char *text = g_strdup_printf(
        "source: {plugin: files, storage: data%s}\n"
        "storages:\n"
        "  data: {plugin: local, root: %s/%s}\n"
        "  backups: {plugin: local, root: %s/%s}\n"
        "  other: {plugin: local, root: %s/other}\n"
        "  twin: {plugin: local, root: %s/data}\n"
        "backup: {storage: %s, retry: {attempts: 2, max_delay: 100ms}}\n"
        "plugins: {dirs: ['%s', '%s']}\n"
        "state_dir: %s/state\n",
        source, verb_root, data_root, verb_root, backups_root, verb_root, verb_root, backup,
        g_getenv("BAKPLANE_PLUGIN_DIR"), g_getenv("BAKPLANE_TEST_PLUGIN_DIR"), verb_root);
    verb_write("bakplane.yaml", text);
    g_autofree char *path = path_of("bakplane.yaml");
    const char *no_environment[] = {NULL};
    bp_config_params params = {.path = path, .environ = no_environment};
    g_autoptr(GError) error = NULL;
    bp_config_tree_free(config);
    config = bp_config_load(&params, &error);
    ASSERT_FINE(config != NULL, error);
}

void
verb_nest(const char *data, const char *backups)
{
    data_root = data;
    backups_root = backups;
    verb_configure(", databases: true", "backups");
}

void
verb_setup(void)
{
    data_root = "data";
    backups_root = "backups";
    g_autoptr(GError) error = NULL;
    verb_root = g_dir_make_tmp("job-XXXXXX", &error);
    ASSERT_FINE(verb_root != NULL, error);
    verb_cancel = bp_cancel_new();
    verb_spoil = NULL;
    verb_faults("");
    verb_configure(", databases: true", "backups");
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK)) {
            remove_tree(child);
        } else {
            (void)g_unlink(child);
        }
    }
    (void)g_rmdir(path);
}

void
verb_teardown(void)
{
    verb_faults("");
    remove_tree(verb_root);
    g_clear_pointer(&verb_root, g_free);
    g_clear_pointer(&verb_result, json_decref);
    g_clear_pointer(&verb_notes, json_decref);
    g_clear_pointer(&config, bp_config_tree_free);
    g_clear_pointer(&verb_cancel, bp_cancel_free);
}

void
verb_write(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = path_of(path);
    g_autofree char *dir = g_path_get_dirname(file);
    ck_assert_int_eq(g_mkdir_with_parents(dir, 0700), 0);
    ASSERT_FINE(g_file_set_contents(file, text, -1, &error), error);
}

char *
verb_read(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = path_of(path);
    char *text = NULL;
    ASSERT_FINE(g_file_get_contents(file, &text, NULL, &error), error);
    return text;
}

bool
verb_exists(const char *path)
{
    g_autofree char *file = path_of(path);
    return g_file_test(file, G_FILE_TEST_EXISTS);
}

void
verb_remove(const char *path)
{
    g_autofree char *file = path_of(path);
    remove_tree(file);
    (void)g_unlink(file);
}

static guint
count_tree(const char *path)
{
    guint n = 0;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        n += g_file_test(child, G_FILE_TEST_IS_DIR) ? count_tree(child) : 1;
    }
    return n;
}

guint
verb_count(const char *dir)
{
    g_autofree char *path = path_of(dir);
    return count_tree(path);
}

void
verb_faults(const char *rules)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_fault_load(rules, &error), error);
}

void
verb_seed(void)
{
    verb_write("data/default/books/1", "one");
    verb_write("data/default/books/2", "second");
    verb_write("data/default/films/1", "a film");
    verb_write("data/shop/books/deep/1", "");
}

bp_verb
verb_open(void)
{
    g_autoptr(GError) error = NULL;
    bp_workspace *workspace = bp_workspace_new(config, verb_cancel, &error);
    ASSERT_FINE(workspace != NULL, error);
    bp_module *source = bp_workspace_source_module(workspace, &error);
    ASSERT_FINE(source != NULL, error);
    bp_module *storage =
        bp_plugins_get(bp_workspace_plugins(workspace), BP_PLUGIN_STORAGE, "local", &error);
    ASSERT_FINE(storage != NULL, error);
    storage->storage.space = NULL; /* else the disk decides whether create estimates first */
    verb_honest = source->source;
    verb_honest_store = storage->storage;
    if (verb_spoil != NULL) {
        verb_spoil(&source->source, &storage->storage);
    }
    verb_monitor = bp_monitor_new();
    return (bp_verb){.workspace = workspace, .monitor = verb_monitor, .result = json_object()};
}

void
verb_close(bp_verb *verb)
{
    json_decref(verb_result);
    json_decref(verb_notes);
    verb_result = verb->result;
    verb_notes = bp_monitor_notes(verb->monitor);
    bp_workspace_free(verb->workspace);
    bp_monitor_free(verb->monitor);
}

/* An error is set exactly when a verb failed. */
static bp_verb_outcome
closed(bp_verb *verb, bp_verb_outcome outcome, GError **error)
{
    verb_close(verb);
    if (outcome == BP_VERB_FAILED) {
        ck_assert_msg(error == NULL || *error != NULL, "failed without an error");
    } else {
        ck_assert_msg(error == NULL || *error == NULL, "an error, but it did not fail: %s",
                      error != NULL && *error != NULL ? (*error)->message : "");
    }
    return outcome;
}

bp_verb_outcome
verb_create(const bp_create_params *params, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_create(&verb, params, error), error);
}

bp_verb_outcome
verb_copy(const bp_copy_verb_params *params, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_copy(&verb, params, error), error);
}

bp_verb_outcome
verb_restore(const bp_restore_params *params, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_restore(&verb, params, error), error);
}

bp_verb_outcome
verb_verify(const char *name, bool deep, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_verify(&verb, name, deep, error), error);
}

bp_verb_outcome
verb_list(const char *child, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_list(&verb, child, error), error);
}

bp_verb_outcome
verb_get(const char *name, bool detail, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_get(&verb, name, detail, error), error);
}

bp_verb_outcome
verb_delete(const char *name, bool force, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_delete(&verb, name, force, error), error);
}

bp_verb_outcome
verb_prune(const bp_prune_params *params, GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_prune(&verb, params, error), error);
}

bp_verb_outcome
verb_check(GError **error)
{
    bp_verb verb = verb_open();
    return closed(&verb, bp_verb_check(&verb, error), error);
}

void
verb_seed_backup(void)
{
    g_autoptr(GError) error = NULL;
    verb_seed();
    bp_create_params params = {.name = "b"};
    bp_verb_outcome outcome = verb_create(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
}

guint64
verb_number(const char *member)
{
    return bp_json_u64(verb_result, member, G_MAXUINT64);
}

const char *
verb_item(const char *list, gsize i, const char *member)
{
    return bp_json_text(json_array_get(json_object_get(verb_result, list), i), member, "");
}

gsize
verb_length(const char *list)
{
    return json_array_size(json_object_get(verb_result, list));
}

bool
verb_noted(const char *code)
{
    for (gsize i = 0; i < json_array_size(verb_notes); i++) {
        if (strcmp(bp_json_text(json_array_get(verb_notes, i), "code", ""), code) == 0) {
            return true;
        }
    }
    return false;
}

void
verb_killed(void (*body)(void))
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        g_random_set_seed((guint32)getpid()); /* else its run ids are those of the next run here */
        body();
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "the child was not killed: status %d", status);
}

static bp_status
call_itself_nothing(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *raw)
{
    bp_status status = verb_honest_store.info(storage, out, raw);
    out->identity[0] = '\0';
    return status;
}

void
verb_spoil_identities(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->info = call_itself_nothing;
}

static atomic_flag deleting = ATOMIC_FLAG_INIT;

static bp_status
stat_while_it_is_deleted(struct bp_storage *storage, const struct bp_op *op, const char *key,
                         struct bp_object_meta *out, struct bp_error *raw)
{
    if (g_str_has_prefix(key, "b/items/") && !atomic_flag_test_and_set(&deleting)) {
        verb_remove("backups/b");
    }
    return verb_honest_store.stat(storage, op, key, out, raw);
}

void
verb_spoil_by_deleting(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    atomic_flag_clear(&deleting);
    storage->stat = stat_while_it_is_deleted;
}
