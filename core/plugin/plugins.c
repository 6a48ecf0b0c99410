/* SPDX-License-Identifier: Apache-2.0
 *
 * See plugins.h.  Modules are known by the file they really are, so that a plugin found under two
 * names (behind a symlink) is loaded and initialised once.
 */
#include "core/plugin/plugins.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/plugin/module.h"
#include "core/plugin/trust.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "plugin"
#define FILE_PREFIX "bakplane-"
#define FILE_SUFFIX ".so"

struct bp_plugins {
    GStrv dirs, sha256;
    GPtrArray *modules; /* bp_module, in order of loading */
};

bp_plugins *
bp_plugins_new(const char *const *dirs, const char *const *sha256)
{
    bp_plugins *plugins = g_new0(bp_plugins, 1);
    plugins->dirs = g_strdupv((char **)dirs);
    plugins->sha256 = g_strdupv((char **)sha256);
    plugins->modules = g_ptr_array_new();
    return plugins;
}

void
bp_plugins_free(bp_plugins *plugins)
{
    if (plugins == NULL) {
        return;
    }
    while (plugins->modules->len > 0) { /* the last loaded ends first */
        bp_module_free(g_ptr_array_steal_index(plugins->modules, plugins->modules->len - 1));
    }
    g_ptr_array_unref(plugins->modules);
    g_strfreev(plugins->dirs);
    g_strfreev(plugins->sha256);
    g_free(plugins);
}

const char *
bp_plugin_kind_name(bp_plugin_kind kind)
{
    return kind == BP_PLUGIN_STORAGE ? "storage" : "source";
}

bool
bp_module_offers(const bp_module *module, bp_plugin_kind kind)
{
    return kind == BP_PLUGIN_STORAGE ? module->descriptor.storage != NULL
                                     : module->descriptor.source != NULL;
}

static bool
split_file_name(const char *file, bp_plugin_kind *kind, char **name)
{
    g_autofree char *stem = NULL;
    if (!g_str_has_prefix(file, FILE_PREFIX) || !g_str_has_suffix(file, FILE_SUFFIX)) {
        return false;
    }
    const char *rest = file + strlen(FILE_PREFIX);
    stem = g_strndup(rest, strlen(rest) - strlen(FILE_SUFFIX));
    for (bp_plugin_kind k = BP_PLUGIN_STORAGE; k <= BP_PLUGIN_SOURCE; k++) {
        g_autofree char *start = g_strconcat(bp_plugin_kind_name(k), "-", NULL);
        if (g_str_has_prefix(stem, start) && strlen(stem) > strlen(start)) {
            *kind = k;
            *name = g_strdup(stem + strlen(start));
            return true;
        }
    }
    return false;
}

static bp_module *
find_module(const bp_plugins *plugins, const char *path)
{
    for (guint i = 0; i < plugins->modules->len; i++) {
        bp_module *module = g_ptr_array_index(plugins->modules, i);
        if (strcmp(module->path, path) == 0) {
            return module;
        }
    }
    return NULL;
}

static void
log_loaded(const bp_module *module)
{
    const struct bp_plugin *plugin = &module->descriptor;
    g_autofree char *abi = g_strdup_printf("%u.%u", plugin->abi_major, plugin->abi_minor);
    BP_DEBUG("loaded", "name", plugin->name, "version", plugin->version, "abi", abi, "path",
             module->path, "sha256", module->sha256);
}

/* Trusted, mapped and described, but not initialised. */
static bp_module *
load_file(bp_plugins *plugins, const char *path, bp_plugin_kind kind, const char *name,
          GError **error)
{
    g_autofree char *sum = NULL;
    g_autofree char *real = bp_trust_check(path, (const char *const *)plugins->sha256, &sum, error);
    if (real == NULL) {
        return NULL;
    }
    bp_module *module = find_module(plugins, real);
    if (module != NULL) {
        if (!bp_module_offers(module, kind) || strcmp(module->descriptor.name, name) != 0) {
            bp_set_error(error, BP_ERR_PERMANENT, "%s is %s, which is no %s plugin \"%s\"", path,
                         real, bp_plugin_kind_name(kind), name);
            bp_error_add_hint(error, "remove that link");
            return NULL;
        }
        return module;
    }
    module = bp_module_load(real, sum, kind, name, error);
    if (module != NULL) {
        g_ptr_array_add(plugins->modules, module);
        log_loaded(module);
    }
    return module;
}

static gint
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Paths of the plugin files in one directory, sorted; empty when it cannot be read. */
static GPtrArray *
files_in(const char *dir)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) opened = g_dir_open(dir, 0, NULL);
    const char *file = NULL;
    while (opened != NULL && (file = g_dir_read_name(opened)) != NULL) {
        bp_plugin_kind kind = BP_PLUGIN_STORAGE;
        g_autofree char *name = NULL;
        if (split_file_name(file, &kind, &name)) {
            g_ptr_array_add(paths, g_build_filename(dir, file, NULL));
        }
    }
    g_ptr_array_sort(paths, by_text);
    return paths;
}

static char *
what_is_there(const bp_plugins *plugins)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; plugins->dirs[i] != NULL; i++) {
        g_autoptr(GPtrArray) paths = files_in(plugins->dirs[i]);
        g_string_append_printf(text, "%s%s (", i > 0 ? ", " : "", plugins->dirs[i]);
        for (guint j = 0; j < paths->len; j++) {
            g_autofree char *file = g_path_get_basename(g_ptr_array_index(paths, j));
            g_string_append_printf(text, "%s%s", j > 0 ? " " : "", file);
        }
        g_string_append(text, paths->len == 0 ? "no plugins)" : ")");
    }
    return g_string_free(text, FALSE);
}

bp_module *
bp_plugins_get(bp_plugins *plugins, bp_plugin_kind kind, const char *name, GError **error)
{
    g_autofree char *file =
        g_strconcat(FILE_PREFIX, bp_plugin_kind_name(kind), "-", name, FILE_SUFFIX, NULL);
    for (guint i = 0; plugins->dirs[i] != NULL && strchr(name, '/') == NULL; i++) {
        g_autofree char *path = g_build_filename(plugins->dirs[i], file, NULL);
        if (!g_path_is_absolute(path)) {
            bp_set_error(error, BP_ERR_INVALID, "plugin directory %s is no absolute path",
                         plugins->dirs[i]);
            bp_error_add_hint(error, "write it in plugins.dirs from / on");
            return NULL;
        }
        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            bp_module *module = load_file(plugins, path, kind, name, error);
            return module != NULL && bp_module_init(module, error) ? module : NULL;
        }
    }
    g_autofree char *there = what_is_there(plugins);
    bp_set_error(error, BP_ERR_INVALID, "there is no %s plugin \"%s\"; looked in %s",
                 bp_plugin_kind_name(kind), name, *there != '\0' ? there : "no directory");
    bp_error_add_hint(error, "plugins.dirs names the directories");
    return NULL;
}

static bp_plugin_file *
look_at(bp_plugins *plugins, const char *path, GHashTable *seen)
{
    bp_plugin_file *found = g_new0(bp_plugin_file, 1);
    bp_plugin_kind kind = BP_PLUGIN_STORAGE;
    g_autofree char *file = g_path_get_basename(path);
    found->path = g_strdup(path);
    if (!split_file_name(file, &kind, &found->name)) {
        g_assert_not_reached(); /* files_in has asked before */
    }
    found->kind = g_strdup(bp_plugin_kind_name(kind));
    const char *first = g_hash_table_lookup(seen, file);
    if (first != NULL) {
        found->refused = g_strdup_printf("hidden by %s", first);
        return found;
    }
    g_hash_table_insert(seen, g_steal_pointer(&file), g_strdup(path));
    g_autoptr(GError) refused = NULL;
    found->module = load_file(plugins, path, kind, found->name, &refused);
    found->refused = refused != NULL ? g_strdup(refused->message) : NULL;
    return found;
}

GPtrArray *
bp_plugins_scan(bp_plugins *plugins)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)bp_plugin_file_free);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; plugins->dirs[i] != NULL; i++) {
        g_autoptr(GPtrArray) paths = files_in(plugins->dirs[i]);
        for (guint j = 0; j < paths->len; j++) {
            g_ptr_array_add(found, look_at(plugins, g_ptr_array_index(paths, j), seen));
        }
    }
    return found;
}

void
bp_plugin_file_free(bp_plugin_file *file)
{
    if (file != NULL) {
        g_free(file->path);
        g_free(file->kind);
        g_free(file->name);
        g_free(file->refused);
        g_free(file);
    }
}

const struct bp_plugin *
bp_module_descriptor(const bp_module *module)
{
    return &module->descriptor;
}

const char *
bp_module_path(const bp_module *module)
{
    return module->path;
}

const char *
bp_module_sha256(const bp_module *module)
{
    return module->sha256;
}

static bp_key_table
table(const struct bp_config_key *keys, guint32 n)
{
    return (bp_key_table){.keys = keys, .stride = sizeof *keys, .n = n};
}

bp_key_table
bp_module_keys(const bp_module *module)
{
    return table(module->keys, module->descriptor.n_keys);
}

bp_key_table
bp_module_create_keys(const bp_module *module)
{
    return table(module->create_keys, module->source.n_create_keys);
}

bp_key_table
bp_module_restore_keys(const bp_module *module)
{
    return table(module->restore_keys, module->source.n_restore_keys);
}
