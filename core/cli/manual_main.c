/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane-man FOLDER PLUGIN.so... TEMPLATE.in...: writes each template, filled in, to the folder.
 * Runs while building, is not installed.
 */
#include <stdio.h>
#include <string.h>

#include "bp_build.h"
#include "core/base/error.h"
#include "core/base/init.h"
#include "core/cli/manual.h"
#include "core/plugin/module.h"

#include "sdk/lib/ban.h"

/* A plugin that was just built is not asked for trust: building would fail where the umask lets a
 * group write.  The entry has no effects, so nothing is to be ended afterwards. */
static bp_module *
load_module(const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    g_auto(GStrv) parts = g_strsplit_set(name, "-.", 4); /* bakplane-storage-local.so */
    if (g_strv_length(parts) != 4) {
        bp_set_error(error, BP_ERR_INVALID, "%s is no name of a plugin", path);
        return NULL;
    }
    bp_plugin_kind kind = strcmp(parts[1], "source") == 0 ? BP_PLUGIN_SOURCE : BP_PLUGIN_STORAGE;
    return bp_module_load(path, "", kind, parts[2], error);
}

static bool
fill_file(const bp_manual *manual, const char *path, const char *folder, GError **error)
{
    g_autofree char *text = NULL;
    GError *problem = NULL;
    if (!g_file_get_contents(path, &text, NULL, &problem)) {
        g_propagate_error(error, problem);
        return false;
    }
    g_autofree char *filled = bp_manual_fill(manual, text, error);
    if (filled == NULL) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    g_autofree char *name = g_path_get_basename(path);
    if (g_str_has_suffix(name, ".in")) {
        name[strlen(name) - strlen(".in")] = '\0';
    }
    g_autofree char *to = g_build_filename(folder, name, NULL);
    return g_file_set_contents(to, filled, -1, error);
}

static bool
take_file(bp_manual *manual, const char *path, const char *folder, GError **error)
{
    if (!g_str_has_suffix(path, ".so")) {
        return fill_file(manual, path, folder, error);
    }
    bp_module *module = load_module(path, error);
    if (module != NULL) {
        g_ptr_array_add(manual->modules, module);
    }
    return module != NULL;
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bakplane-man FOLDER PLUGIN.so... TEMPLATE.in...\n");
        return BP_EXIT_USAGE;
    }
    bp_base_init();
    g_autoptr(GPtrArray) modules = g_ptr_array_new_with_free_func((GDestroyNotify)bp_module_free);
    bp_manual manual = {.modules = modules, .version = BP_BUILD_VERSION};
    g_autoptr(GError) error = NULL;
    bool fine = true;
    for (int i = 2; fine && i < argc; i++) {
        fine = take_file(&manual, argv[i], argv[1], &error);
    }
    if (!fine) {
        fprintf(stderr, "bakplane-man: %s\n", error->message);
        return BP_EXIT_FAILED;
    }
    return BP_EXIT_DONE;
}
