/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane plugin: what there is, and a new one.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/cli/cli.h"
#include "core/cli/show.h"
#include "core/plugin/describe.h"
#include "core/plugin/project.h"

#include "sdk/lib/ban.h"

static bp_verb_outcome
run_look(const bp_cli *cli, const bp_verb *verb, const char *name, GError **error)
{
    g_autoptr(GPtrArray) files = bp_plugins_scan(bp_workspace_plugins(cli->workspace));
    json_t *list = json_array();
    json_object_set_new(verb->result, "plugins", list);
    json_object_set_new(verb->result, "detail", json_boolean(name != NULL));
    for (guint i = 0; i < files->len; i++) {
        const bp_plugin_file *file = g_ptr_array_index(files, i);
        if (name == NULL || strcmp(file->name, name) == 0) {
            json_array_append_new(list, bp_plugin_file_json(file, name != NULL));
        }
    }
    if (name != NULL && json_array_size(list) == 0) {
        bp_set_error(error, BP_ERR_NOT_FOUND,
                     "there is no plugin '%s'\nhint: bakplane plugin list shows all", name);
        return BP_VERB_FAILED;
    }
    return BP_VERB_OK;
}

static bp_verb_outcome
run_new(const bp_verb *verb, const char *kind, const char *name, GError **error)
{
    if (strcmp(kind, "storage") != 0) {
        bp_set_error(error, BP_ERR_INVALID,
                     "there is a template for storage plugins, none for '%s'", kind);
        bp_error_add_hint(error, "bakplane-source-plugin(3) begins with a complete source plugin");
        return BP_VERB_FAILED;
    }
    g_autofree char *folder = bp_project_write(".", name, error);
    if (folder == NULL) {
        return BP_VERB_FAILED;
    }
    json_t *files = json_array();
    for (const bp_project_file *file = bp_project_storage; file->path != NULL; file++) {
        json_array_append_new(files, json_string(file->path));
    }
    bp_json_set_text(verb->result, "folder", folder);
    json_object_set_new(verb->result, "files", files);
    return BP_VERB_OK;
}

static bp_verb_outcome
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    char **args = cli->args;
    guint n = g_strv_length(args);
    if (n == 1 && strcmp(args[0], "list") == 0) {
        return run_look(cli, verb, NULL, error);
    }
    if (n == 2 && strcmp(args[0], "info") == 0) {
        return run_look(cli, verb, args[1], error);
    }
    if (n == 3 && strcmp(args[0], "new") == 0) {
        return run_new(verb, args[1], args[2], error);
    }
    bp_set_error(error, BP_ERR_INVALID,
                 "write plugin list, plugin info NAME, or plugin new storage NAME");
    return BP_VERB_FAILED;
}

const bp_command bp_command_plugin = {
    .name = "plugin",
    .words = "list | info NAME | new storage NAME",
    .summary = "show plugins, their settings and options, or begin a new one",
    .description = "Looks at every plugin file in the plugin directories and says which would be\n"
                   "loaded, and why the others would not; or writes the project of a new storage\n"
                   "plugin, complete and ready to be built, into the folder bakplane-storage-NAME.",
    .needs_config = true,
    .run = run,
    .show = bp_show_plugins,
};
