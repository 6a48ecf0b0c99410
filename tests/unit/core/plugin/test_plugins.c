/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/plugins: real shared objects, found and refused.
 */
#include "core/plugin/plugins.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "core/plugin/store.h"
#include "tests/harness/suite.h"

static const char *built;
static char *dir;

static void
setup(void)
{
    built = g_getenv("BAKPLANE_TEST_PLUGIN_DIR");
    ck_assert_ptr_nonnull(built);
    dir = g_dir_make_tmp("plugins-XXXXXX", NULL);
}

static void
teardown(void)
{
    g_autoptr(GDir) opened = g_dir_open(dir, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(opened)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(dir);
    g_free(dir);
}

static bp_plugins *
plugins_in(const char *first, const char *second)
{
    const char *dirs[] = {first, second, NULL};
    return bp_plugins_new(dirs, NULL);
}

static void
make_link(const char *target, const char *name)
{
    g_autofree char *from = g_build_filename(built, target, NULL);
    g_autofree char *to = g_build_filename(dir, name, NULL);
    ck_assert_int_eq(symlink(from, to), 0);
}

START_TEST(test_get__loads_once)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_plugins) plugins = plugins_in("/nowhere", built);
    bp_module *module = bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    ck_assert_ptr_eq(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "memory", &error), module);
    ck_assert_uint_eq(strlen(bp_module_sha256(module)), 64);
    bp_store *store = bp_store_open(module, "m", NULL, NULL, &error);
    ASSERT_FINE(store != NULL, error);
    bp_store_put_params put = {.key = "k", .bytes = "v", .n = 1};
    ASSERT_FINE(bp_store_put(store, NULL, &put, &error), error);
    bp_store_free(store);
}
END_TEST

START_TEST(test_get__behind_a_link_is_the_same)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_plugins) plugins = plugins_in(dir, built);
    make_link("bakplane-storage-memory.so", "bakplane-storage-memory.so");
    bp_module *module = bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    ck_assert(!g_str_has_prefix(bp_module_path(module), dir));
}
END_TEST

START_TEST(test_get__unknown_says_what_is_there)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_plugins) plugins = plugins_in(dir, built);
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "tape", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "bakplane-storage-memory.so"));
    ck_assert_ptr_nonnull(strstr(error->message, "(no plugins)"));
    ASSERT_ERROR(error, BP_ERR_INVALID, "there is no storage plugin \"tape\"; looked in ");
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "../memory", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "there is no storage plugin \"../memory\"");
}
END_TEST

START_TEST(test_get__relative_directory)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_plugins) plugins = plugins_in("plugins", NULL);
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "memory", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "plugin directory plugins is no absolute path");
}
END_TEST

START_TEST(test_get__no_plugin_at_all)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_plugins) plugins = plugins_in(built, dir);
    g_autofree char *text = g_build_filename(dir, "bakplane-storage-text.so", NULL);
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "noentry", &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED,
                 "offers no plugin ABI 1, which is all this host (1.0) speaks");
    ck_assert(g_file_set_contents(text, "no shared object", -1, NULL));
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "text", &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "cannot load ");
}
END_TEST

START_TEST(test_get__untrusted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_plugins) plugins = plugins_in(dir, NULL);
    make_link("bakplane-storage-memory.so", "bakplane-storage-copy.so");
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "copy", &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "it calls itself \"memory\", its file \"copy\"");
    g_autofree char *open_to_all = g_build_filename(dir, "bakplane-storage-all.so", NULL);
    ck_assert(g_file_set_contents(open_to_all, "x", -1, NULL));
    ck_assert_int_eq(g_chmod(open_to_all, 0666), 0);
    ck_assert_ptr_null(bp_plugins_get(plugins, BP_PLUGIN_STORAGE, "all", &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, "is not trusted: others may write to it");
}
END_TEST

static const bp_plugin_file *
find_file(const GPtrArray *files, const char *path_start, const char *name)
{
    for (guint i = 0; i < files->len; i++) {
        const bp_plugin_file *file = g_ptr_array_index(files, i);
        if (g_str_has_prefix(file->path, path_start) && strcmp(file->name, name) == 0) {
            return file;
        }
    }
    ck_abort_msg("%s was not found", name);
    return NULL;
}

START_TEST(test_scan__lists_all_and_says_why_not)
{
    g_autoptr(bp_plugins) plugins = plugins_in(built, dir);
    make_link("bakplane-storage-memory.so", "bakplane-storage-memory.so");
    make_link("bakplane-storage-memory.so", "libother.so");
    g_autoptr(GPtrArray) files = bp_plugins_scan(plugins);
    ck_assert_uint_eq(files->len, 4); /* memory, noentry, files; and memory in `dir` */
    const bp_plugin_file *memory = find_file(files, built, "memory");
    ck_assert_ptr_nonnull(memory->module);
    ck_assert_ptr_null(memory->refused);
    ck_assert_str_eq(memory->kind, "storage");
    ck_assert_str_eq(find_file(files, built, "files")->kind, "source");
    const bp_plugin_file *noentry = find_file(files, built, "noentry");
    ck_assert_ptr_null(noentry->module);
    ck_assert_ptr_nonnull(strstr(noentry->refused, "offers no plugin ABI 1"));
    ck_assert(g_str_has_prefix(find_file(files, dir, "memory")->refused, "hidden by "));
}
END_TEST

START_TEST(test_scan__relative_directory)
{
    g_autofree char *here = g_get_current_dir();
    g_autofree char *parent = g_path_get_dirname(built);
    g_autofree char *base = g_path_get_basename(built);
    ck_assert_int_eq(chdir(parent), 0);
    g_autoptr(bp_plugins) plugins = plugins_in(base, NULL);
    g_autoptr(GPtrArray) files = bp_plugins_scan(plugins);
    ck_assert_int_eq(chdir(here), 0);
    const bp_plugin_file *memory = find_file(files, base, "memory");
    ck_assert_ptr_null(memory->module);
    ck_assert_ptr_nonnull(strstr(memory->refused, "it is no absolute path\nhint: "));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/plugins", setup, teardown, test_get__loads_once,
                     test_get__behind_a_link_is_the_same, test_get__unknown_says_what_is_there,
                     test_get__relative_directory, test_get__no_plugin_at_all, test_get__untrusted,
                     test_scan__lists_all_and_says_why_not, test_scan__relative_directory);
}
