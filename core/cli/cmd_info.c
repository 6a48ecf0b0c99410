/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane plugin, config and version: what this program is and how it is set up.
 */
#include <string.h>

#include "bp_build.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/cli/cli.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static json_t *
key_json(const struct bp_config_key *key)
{
    json_t *one = json_object();
    bp_json_set_text(one, "name", key->name);
    bp_json_set_text(one, "default", key->def);
    bp_json_set_text(one, "choices", key->choices);
    bp_json_set_text(one, "unit", key->unit);
    bp_json_set_text(one, "help", key->help);
    json_object_set_new(one, "required", json_boolean(key->flags & BP_CONFIG_REQUIRED));
    json_object_set_new(one, "secret", json_boolean(key->flags & BP_CONFIG_SECRET));
    return one;
}

static json_t *
keys_json(bp_key_table table)
{
    json_t *list = json_array();
    for (guint32 i = 0; i < table.n; i++) {
        json_array_append_new(list, key_json(bp_key_table_at(&table, i)));
    }
    return list;
}

static json_t *
plugin_json(const bp_plugin_file *file, bool detail)
{
    json_t *one = json_object();
    bp_json_set_text(one, "name", file->name);
    bp_json_set_text(one, "kind", file->kind);
    bp_json_set_text(one, "path", file->path);
    bp_json_set_text(one, "refused", file->refused);
    if (file->module == NULL) {
        return one;
    }
    const struct bp_plugin *plugin = bp_module_descriptor(file->module);
    g_autofree char *abi = g_strdup_printf("%u.%u", plugin->abi_major, plugin->abi_minor);
    bp_json_set_text(one, "version", plugin->version);
    bp_json_set_text(one, "summary", plugin->summary);
    bp_json_set_text(one, "license", plugin->license);
    bp_json_set_text(one, "abi", abi);
    bp_json_set_text(one, "sha256", bp_module_sha256(file->module));
    if (detail) {
        json_object_set_new(one, "settings", keys_json(bp_module_keys(file->module)));
        json_object_set_new(one, "create_options", keys_json(bp_module_create_keys(file->module)));
        json_object_set_new(one, "restore_options",
                            keys_json(bp_module_restore_keys(file->module)));
    }
    return one;
}

static bp_verb_outcome
run_plugin(bp_cli *cli, const bp_job *job, GError **error)
{
    const char *verb = cli->args[0];
    bool info = verb != NULL && strcmp(verb, "info") == 0;
    if (verb == NULL || (!info && strcmp(verb, "list") != 0) || (info && cli->args[1] == NULL)) {
        bp_set_error(error, BP_ERR_INVALID, "write plugin list, or plugin info NAME");
        return BP_VERB_FAILED;
    }
    g_autoptr(GPtrArray) files = bp_plugins_scan(bp_workspace_plugins(cli->workspace));
    json_t *list = json_array();
    json_object_set_new(job->result, "plugins", list);
    json_object_set_new(job->result, "detail", json_boolean(info));
    for (guint i = 0; i < files->len; i++) {
        const bp_plugin_file *file = g_ptr_array_index(files, i);
        if (!info || strcmp(file->name, cli->args[1]) == 0) {
            json_array_append_new(list, plugin_json(file, info));
        }
    }
    if (info && json_array_size(list) == 0) {
        bp_set_error(error, BP_ERR_NOT_FOUND,
                     "there is no plugin '%s'\nhint: bakplane plugin list shows all", cli->args[1]);
        return BP_VERB_FAILED;
    }
    return BP_VERB_OK;
}

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
run_config(bp_cli *cli, const bp_job *job, GError **error)
{
    if (cli->args[0] == NULL || strcmp(cli->args[0], "show") != 0) {
        bp_set_error(error, BP_ERR_INVALID, "write config show");
        return BP_VERB_FAILED;
    }
    json_t *list = json_array();
    json_object_set_new(job->result, "settings", list);
    bp_json_set_text(job->result, "file", bp_config_path(cli->config));
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
                append_section(cli->config, "", &bp_config_top_keys, 1, list, error);
    return fine ? BP_VERB_OK : BP_VERB_FAILED;
}

static bp_verb_outcome
run_version(bp_cli *cli, const bp_job *job, GError **error)
{
    (void)cli;
    (void)error;
    g_autofree char *abi = g_strdup_printf("%d.%d-rc", BP_ABI_MAJOR, BP_ABI_MINOR);
    bp_json_set_text(job->result, "version", BP_BUILD_VERSION);
    bp_json_set_text(job->result, "revision", BP_BUILD_REVISION);
    bp_json_set_text(job->result, "abi", abi);
    return BP_VERB_OK;
}

const bp_command bp_command_plugin = {
    .name = "plugin",
    .words = "list | info NAME",
    .summary = "show plugins, their settings and options",
    .description = "Looks at every plugin file in the plugin directories and says which would be\n"
                   "loaded, and why the others would not.",
    .needs_config = true,
    .run = run_plugin,
    .show = bp_show_plugins,
};

const bp_command bp_command_config = {
    .name = "config",
    .words = "show",
    .summary = "show every setting and where it came from",
    .description = "Shows the value of every setting and its origin: a flag, the environment, the\n"
                   "file with its line, or the default. Secrets are masked.",
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
