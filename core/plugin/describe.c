/* SPDX-License-Identifier: Apache-2.0
 *
 * See describe.h.
 */
#include "core/plugin/describe.h"

#include "core/base/json.h"

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

json_t *
bp_plugin_file_json(const bp_plugin_file *file, bool detail)
{
    json_t *one = json_object();
    bp_json_set_text(one, "name", file->name);
    bp_json_set_text(one, "kind", file->kind);
    bp_json_set_text(one, "path", file->path);
    bp_json_set_text(one, "state", file->module != NULL ? "fine" : "refused");
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
