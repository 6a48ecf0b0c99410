/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a request, as far as that can be told before its turn has come: a job that is
 * bound to fail must not wait for hours first, nor let others wait.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/name.h"
#include "core/jobs/request.h"

#include "sdk/lib/ban.h"

static bool
is_verb(const json_t *request, const char *verb)
{
    return strcmp(bp_json_text(request, "verb", ""), verb) == 0;
}

static bool
check_name(const json_t *request, GError **error)
{
    const char *name = bp_json_text(request, "name", NULL);
    const char *label = bp_json_text(request, "label", NULL);
    return !is_verb(request, "create") || ((name == NULL || bp_backup_name_check(name, error)) &&
                                           (label == NULL || bp_label_check(label, error)));
}

static bool
check_storages(bp_workspace *workspace, const json_t *request, GError **error)
{
    static const char *const members[] = {"storage", "from", "to"};
    const char *const *names = bp_config_storages(bp_workspace_config(workspace));
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *name = bp_json_text(request, members[i], NULL);
        if (name != NULL && !g_strv_contains(names, name)) {
            bp_set_error(error, BP_ERR_INVALID, "%s: there is no storage '%s' in the configuration",
                         members[i], name);
            return false;
        }
    }
    const bp_catalog *catalog = NULL;
    const char *storage = bp_json_text(request, "storage", NULL);
    return storage == NULL || bp_workspace_catalog_on(workspace, storage, &catalog, error);
}

static bool
check_settings(bp_workspace *workspace, const json_t *request, GError **error)
{
    bool is_restore = is_verb(request, "restore");
    if (!is_restore && !is_verb(request, "create") && !is_verb(request, "copy")) {
        return true;
    }
    g_autoptr(GPtrArray) overrides = bp_request_settings(request);
    const char *const *texts = (const char *const *)overrides->pdata;
    g_autoptr(bp_settings) settings = is_restore
                                          ? bp_workspace_restore_settings(workspace, texts, error)
                                          : bp_workspace_backup_settings(workspace, texts, error);
    return settings != NULL;
}

/* Where bare names belong depends on the source; whether they are names does not. */
static bool
check_selection(const json_t *request, GError **error)
{
    bp_select_text text = {.filter = bp_json_text(request, "filter", NULL),
                           .children = bp_json_text(request, "collections", NULL),
                           .parents = bp_json_text(request, "databases", NULL),
                           .json = bp_json_text(request, "database_collections", NULL)};
    g_autoptr(bp_selection) selection = bp_select_parse(&text, "", error);
    if (selection == NULL) {
        return false;
    }
    g_autoptr(bp_renames) renames = bp_renames_new("", bp_json_text(request, "rename", NULL),
                                                   bp_json_text(request, "suffix", NULL), error);
    return renames != NULL;
}

bool
bp_request_check_early(bp_workspace *workspace, const json_t *request, GError **error)
{
    return check_name(request, error) && check_selection(request, error) &&
           check_storages(workspace, request, error) && check_settings(workspace, request, error);
}
