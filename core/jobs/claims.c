/* SPDX-License-Identifier: Apache-2.0
 *
 * See claims.h.
 */
#include "core/jobs/claims.h"

#include <string.h>

#include "core/base/json.h"
#include "core/jobs/request.h"

#include "sdk/lib/ban.h"

static void
claim(json_t *claims, const char *kind, const char *place, const char *name)
{
    g_autofree char *text =
        g_strconcat(kind, " ", place, name != NULL ? "/" : "", name != NULL ? name : "", NULL);
    json_array_append_new(claims, json_string(text));
}

/* One that does not say which place it is goes by its name in the configuration: two of those are
 * not one place because neither says anything. */
static void
claim_place(json_t *claims, const char *kind, const bp_store *store, const char *storage,
            const char *name)
{
    const char *identity = bp_store_info(store)->identity;
    g_autofree char *unknown = g_strconcat("?", storage, NULL);
    claim(claims, kind, *identity != '\0' ? identity : unknown, name);
}

/* @storage: NULL = `backup.storage`. */
static void
claim_backup(json_t *claims, bp_workspace *workspace, const char *storage, const char *name)
{
    if (storage == NULL) {
        storage = bp_config_peek(bp_workspace_config(workspace), "backup.storage");
    }
    const bp_store *store = storage != NULL ? bp_workspace_store(workspace, storage, NULL) : NULL;
    if (store != NULL && name != NULL) {
        claim_place(claims, "backup", store, storage, name);
    }
}

/* Its data's place is more than an address, which may be written in many ways. */
static void
claim_source(json_t *claims, bp_workspace *workspace)
{
    const bp_config_tree *config = bp_workspace_config(workspace);
    const char *storage = bp_config_peek(config, "source.storage");
    const bp_store *store = storage != NULL ? bp_workspace_store(workspace, storage, NULL) : NULL;
    if (store != NULL) {
        claim_place(claims, "source", store, storage, NULL);
        return;
    }
    const char *plugin = bp_config_peek(config, "source.plugin");
    const char *address = bp_config_peek(config, "source.address");
    if (storage == NULL && plugin != NULL && address != NULL) {
        claim(claims, "source", plugin, address);
    }
}

json_t *
bp_claims_of(bp_workspace *workspace, const json_t *request)
{
    json_t *claims = json_array();
    if (!bp_request_writes(request)) { /* a look, or a dry run: in nobody's way */
        return claims;
    }
    const char *verb = bp_json_text(request, "verb", "");
    const char *name = bp_json_text(request, "name", NULL);
    const char *storage = bp_json_text(request, "storage", NULL);
    if (strcmp(verb, "create") == 0) {
        claim_backup(claims, workspace, storage, name);
        claim_source(claims, workspace);
    } else if (strcmp(verb, "copy") == 0) {
        claim_backup(claims, workspace, bp_json_text(request, "to", NULL), name);
    } else if (strcmp(verb, "delete") == 0 || strcmp(verb, "verify") == 0) {
        claim_backup(claims, workspace, storage, name);
    }
    return claims;
}

bp_claims_verdict
bp_claims_compare(const json_t *one, const json_t *other)
{
    bp_claims_verdict verdict = BP_CLAIMS_FREE;
    for (gsize i = 0; i < json_array_size(one); i++) {
        for (gsize k = 0; k < json_array_size(other); k++) {
            const char *ours = json_string_value(json_array_get(one, i));
            const char *theirs = json_string_value(json_array_get(other, k));
            if (ours == NULL || g_strcmp0(ours, theirs) != 0) {
                continue;
            }
            bool waits = g_str_has_prefix(ours, "source ");
            verdict = MAX(verdict, waits ? BP_CLAIMS_WAIT : BP_CLAIMS_REFUSE);
        }
    }
    return verdict;
}
