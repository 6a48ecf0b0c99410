/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1_internal.h: backups as they are on a storage, whoever made them.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/server/v1_internal.h"
#include "core/verb/entry_json.h"

#include "sdk/lib/ban.h"

#define DOCUMENT_MAX (256 << 20)

bool
bp_v1__look_borrow(bp_v1_look *look, bp_service *service, GError **error)
{
    *look = (bp_v1_look){.service = service};
    look->verb.workspace = bp_service_borrow(service, error);
    if (look->verb.workspace != NULL) {
        look->verb.monitor = bp_monitor_new();
        look->verb.result = json_object();
    }
    return look->verb.workspace != NULL;
}

bool
bp_v1__look_open(bp_v1_look *look, bp_service *service, const char *storage, GError **error)
{
    return bp_v1__look_borrow(look, service, error) &&
           bp_workspace_choose(look->verb.workspace, storage, error) &&
           bp_workspace_catalog(look->verb.workspace, &look->catalog, error);
}

void
bp_v1__look_close(bp_v1_look *look)
{
    if (look->verb.workspace != NULL) {
        (void)bp_workspace_choose(look->verb.workspace, NULL, NULL); /* as it was lent */
        bp_service_give_back(look->service, look->verb.workspace);
        bp_monitor_free(look->verb.monitor);
        json_decref(look->verb.result);
    }
    *look = (bp_v1_look){0};
}

json_t *
bp_v1__look_entry(const bp_v1_look *look, const char *name, GError **error)
{
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(look->catalog, name, error);
    return entry != NULL ? bp_entry_json(entry) : NULL;
}

bool
bp_v1__is_whole(const json_t *entry)
{
    const char *status = bp_json_text(entry, "status", "");
    return strcmp(status, "success") == 0 || strcmp(status, "foreign") == 0;
}

/* NULL without an error: another kind of source has no such document. */
static json_t *
info_of_document(const bp_v1_look *look, const bp_v1_told *told, GError **error)
{
    g_autoptr(GError) problem = NULL;
    const char *name = bp_json_text(told->entry, "name", "");
    g_autoptr(GBytes) bytes =
        bp_catalog_document(look->catalog, name, bp_v1_document, DOCUMENT_MAX, &problem);
    if (bytes == NULL) {
        if (!bp_error_is(problem, BP_ERR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&problem));
        }
        return NULL;
    }
    gsize n = 0;
    const char *text = g_bytes_get_data(bytes, &n);
    return bp_v1_tell_document(text, n, told, error);
}

json_t *
bp_v1__look_info(const bp_v1_look *look, const bp_v1_told *told, GError **error)
{
    g_autoptr(GError) problem = NULL;
    json_t *info = bp_v1__is_whole(told->entry) ? info_of_document(look, told, &problem) : NULL;
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    return info != NULL ? info : bp_v1_tell_entry(told);
}

json_t *
bp_v1__look_id(const bp_v1_look *look, const char *id, GError **error)
{
    g_autoptr(GPtrArray) entries = bp_catalog_list(look->catalog, error);
    for (guint i = 0; entries != NULL && i < entries->len; i++) {
        g_autoptr(json_t) entry = bp_entry_json(g_ptr_array_index(entries, i));
        bp_v1_told told = {.entry = entry};
        g_autoptr(json_t) info =
            bp_v1__is_whole(entry) ? info_of_document(look, &told, NULL) : NULL;
        if (strcmp(bp_json_text(info, "id", ""), id) == 0) {
            return g_steal_pointer(&entry);
        }
    }
    return NULL;
}
