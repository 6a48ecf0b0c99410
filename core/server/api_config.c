/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_config.h.
 */
#include "core/server/api_config.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/plugin/describe.h"
#include "core/server/api.h"

#include "sdk/lib/ban.h"

static const char *const no_parameters[] = {NULL};

static bp_reply *
list_storages(void *ctx, const bp_http_request *request)
{
    const bp_config_tree *config = bp_service_config(ctx);
    const char *usual = bp_config_peek(config, "backup.storage");
    g_autoptr(GError) error = NULL;
    if (!bp_api__check_parameters(request, no_parameters, &error)) {
        return bp_reply_error(error);
    }
    json_t *list = json_array();
    const char *const *names = bp_config_storages(config);
    for (gsize i = 0; names[i] != NULL; i++) {
        g_autofree char *plugin = g_strdup_printf("storages.%s.plugin", names[i]);
        json_t *one = json_object();
        bp_json_set_text(one, "name", names[i]);
        bp_json_set_text(one, "plugin", bp_config_peek(config, plugin));
        json_object_set_new(one, "default", json_boolean(g_strcmp0(usual, names[i]) == 0));
        json_array_append_new(list, one);
    }
    json_t *answer = json_object();
    json_object_set_new(answer, "storages", list);
    return bp_reply_json(200, answer);
}

/* The plugins that work are other threads', so these are looked for anew, and none is begun. */
static bp_reply *
list_plugins(void *ctx, const bp_http_request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_workspace) workspace = bp_api__check_parameters(request, no_parameters, &error)
                                            ? bp_workspace_new(bp_service_config(ctx), NULL, &error)
                                            : NULL;
    if (workspace == NULL) {
        return bp_reply_error(error);
    }
    g_autoptr(GPtrArray) files = bp_plugins_scan(bp_workspace_plugins(workspace));
    json_t *list = json_array();
    for (guint i = 0; i < files->len; i++) {
        json_t *one = bp_plugin_file_json(g_ptr_array_index(files, i), false);
        json_object_del(one, "path");
        json_object_del(one, "refused");
        json_array_append_new(list, one);
    }
    json_t *answer = json_object();
    json_object_set_new(answer, "plugins", list);
    return bp_reply_json(200, answer);
}

const bp_route bp_api_config_routes[] = {
    {.method = "GET",
     .path = BP_API_HERE "/storages",
     .role = BP_ROLE_READ,
     .answer = list_storages},
    {.method = "GET", .path = BP_API_HERE "/plugins", .role = BP_ROLE_READ, .answer = list_plugins},
};
const gsize bp_api_config_n_routes = G_N_ELEMENTS(bp_api_config_routes);
