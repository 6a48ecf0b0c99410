/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane config and version: what this program is and how it is set up.
 */
#include <string.h>

#include "bp_build.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/cli/cli.h"
#include "core/cli/migrate.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static char *output, *to;
static gboolean force, strict;

static const GOptionEntry config_entries[] = {
    {"to", 0, 0, G_OPTION_ARG_STRING, &to,
     "migrate: this program's dialect (default), or the other tool's second", "native|v2"},
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
     "migrate: file to write (default: standard output)", "FILE"},
    {"force", 0, 0, G_OPTION_ARG_NONE, &force, "migrate: replace that file", NULL},
    {"strict", 0, 0, G_OPTION_ARG_NONE, &strict, "migrate: fail where something is lost", NULL},
    {0},
};

static bool
append_section(const bp_config_tree *config, const char *path, const bp_key_table *tables, gsize n,
               json_t *list, GError **error)
{
    static const char *const ignore[] = {"plugin", NULL};
    bp_config_section_params params = {
        .path = path, .tables = tables, .n_tables = n, .ignore = ignore};
    g_autoptr(GPtrArray) rows = bp_config_rows(config, &params, error);
    for (guint i = 0; rows != NULL && i < rows->len; i++) {
        const bp_config_row *row = g_ptr_array_index(rows, i);
        json_t *one = json_object();
        bp_json_set_text(one, "key", row->key);
        json_object_set_new(one, "value", json_string(row->value != NULL ? row->value : ""));
        bp_json_set_text(one, "origin", row->origin);
        json_array_append_new(list, one);
    }
    return rows != NULL;
}

static bool
append_storages(bp_cli *cli, json_t *list, GError **error)
{
    for (const char *const *name = bp_config_storages(cli->config); *name != NULL; name++) {
        g_autofree char *path = g_strdup_printf("storages.%s", *name);
        g_autofree char *plugin_path = g_strdup_printf("%s.plugin", path);
        const char *plugin = bp_config_peek(cli->config, plugin_path);
        bp_module *module = bp_plugins_get(bp_workspace_plugins(cli->workspace), BP_PLUGIN_STORAGE,
                                           plugin != NULL ? plugin : "", error);
        if (module == NULL) {
            g_prefix_error(error, "storage '%s': ", *name);
            return false;
        }
        bp_key_table keys = bp_module_keys(module);
        if (!append_section(cli->config, path, &keys, 1, list, error)) {
            return false;
        }
    }
    return true;
}

static bp_verb_outcome
show_config(bp_cli *cli, const bp_verb *verb, GError **error)
{
    json_t *list = json_array();
    json_object_set_new(verb->result, "settings", list);
    bp_json_set_text(verb->result, "file", bp_config_path(cli->config));
    bp_module *source = bp_workspace_source_module(cli->workspace, error);
    if (source == NULL) {
        return BP_VERB_FAILED;
    }
    bp_key_table keys = bp_module_keys(source);
    bp_key_table backup[] = {bp_config_backup_keys, bp_module_create_keys(source)};
    bp_key_table restore[] = {bp_config_restore_keys, bp_module_restore_keys(source)};
    bool fine = append_section(cli->config, "source", &keys, 1, list, error) &&
                append_storages(cli, list, error) &&
                append_section(cli->config, "backup", backup, 2, list, error) &&
                append_section(cli->config, "restore", restore, 2, list, error) &&
                append_section(cli->config, "plugins", &bp_config_plugins_keys, 1, list, error) &&
                append_section(cli->config, "log", &bp_config_log_keys, 1, list, error) &&
                append_section(cli->config, "server", &bp_config_server_keys, 1, list, error) &&
                append_section(cli->config, "", &bp_config_top_keys, 1, list, error);
    return fine ? BP_VERB_OK : BP_VERB_FAILED;
}

static bp_verb_outcome
run_config(bp_cli *cli, const bp_verb *verb, GError **error)
{
    const char *word = cli->args[0] != NULL && cli->args[1] == NULL ? cli->args[0] : "";
    if (strcmp(word, "migrate") == 0) {
        bp_migrate_params params = {.to = to, .output = output, .force = force, .strict = strict};
        return bp_migrate_run(cli, verb, &params, error);
    }
    if (strcmp(word, "show") != 0 || output != NULL || to != NULL || force || strict) {
        bp_set_error(error, BP_ERR_INVALID,
                     "write config show, or config migrate with its options");
        return BP_VERB_FAILED;
    }
    return show_config(cli, verb, error);
}

static bp_verb_outcome
run_version(bp_cli *cli, const bp_verb *verb, GError **error)
{
    (void)cli;
    (void)error;
    g_autofree char *abi = g_strdup_printf("%d.%d", BP_ABI_MAJOR, BP_ABI_MINOR);
    bp_json_set_text(verb->result, "version", BP_BUILD_VERSION);
    bp_json_set_text(verb->result, "revision", BP_BUILD_REVISION);
    bp_json_set_text(verb->result, "abi", abi);
    return BP_VERB_OK;
}

const bp_command bp_command_config = {
    .name = "config",
    .words = "show | migrate",
    .summary = "show every setting, or migrate another tool's",
    .description = "show prints the value of every setting and its origin: a flag, the\n"
                   "environment, the file with its line, or the default. Secrets are masked.\n"
                   "migrate writes another tool's configuration as a file in this program's own\n"
                   "dialect. Secrets are written as they are, so only you can read that file;\n"
                   "those that stand in a variable stay there.",
    .entries = config_entries,
    .needs_config = true,
    .run = run_config,
    .show = bp_show_config,
};

const bp_command bp_command_version = {
    .name = "version",
    .summary = "show the version",
    .description = "Shows the versions of the program and of the plugin interface.",
    .run = run_version,
    .show = bp_show_version,
};
