/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1.h: the table, and how an answer is made.
 */
#include "core/server/v1.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/server/v1_internal.h"

#include "sdk/lib/ban.h"

json_t *
bp_v1__answer(const bp_v1_call *call)
{
    json_t *answer = json_object();
    const char *given = call->request_id != NULL && *call->request_id != '\0'
                            ? call->request_id
                            : bp_json_text(call->request, "requestId", "");
    g_autofree char *made = *given == '\0' ? bp_text_uuid() : NULL;
    bp_json_set_text(answer, "requestId", made != NULL ? made : given);
    return answer;
}

json_t *
bp_v1__end(json_t *answer, bp_v1_code code, const char *msg, json_t *take_data)
{
    json_object_set_new(answer, "code", json_integer(code));
    bp_json_set_text(answer, "msg", msg);
    if (take_data != NULL) {
        json_object_set_new(answer, "data", take_data);
    }
    return answer;
}

json_t *
bp_v1__fail_with(json_t *answer, bp_v1_code code, const GError *error)
{
    g_autoptr(json_t) parts = bp_json_error(error); /* without secrets */
    const char *message = bp_json_text(parts, "message", "failed");
    const char *hint = bp_json_text(parts, "hint", NULL);
    g_autofree char *text =
        hint != NULL ? g_strdup_printf("%s (%s)", message, hint) : g_strdup(message);
    return bp_v1__end(answer, code, text, NULL);
}

json_t *
bp_v1__fail(json_t *answer, const GError *error)
{
    switch (bp_error_class(error)) {
    case BP_ERR_INVALID:
    case BP_ERR_UNSUPPORTED:
        return bp_v1__fail_with(answer, BP_V1_PARAMETER_ERROR, error);
    case BP_ERR_NOT_FOUND:
        return bp_v1__fail_with(answer, BP_V1_NOT_FOUND, error);
    default:
        return bp_v1__fail_with(answer, BP_V1_FAIL, error);
    }
}

static json_t *
restore_secondary(bp_service *service, const bp_v1_call *call)
{
    (void)service;
    return bp_v1__end(bp_v1__answer(call), BP_V1_PARAMETER_ERROR,
                      "restore_secondary: a standby cluster cannot be seeded by this version",
                      NULL);
}

const bp_v1_operation bp_v1_operations[] = {
    {.name = "CreateBackup",
     .request = &bp_v1_create_backup_request,
     .response = &bp_v1_backup_info_response,
     .role = BP_ROLE_OPERATE,
     .in_service = true,
     .run = bp_v1__create},
    {.name = "GetBackup",
     .request = &bp_v1_get_backup_request,
     .response = &bp_v1_backup_info_response,
     .role = BP_ROLE_READ,
     .in_service = true,
     .run = bp_v1__get},
    {.name = "ListBackups",
     .request = &bp_v1_list_backups_request,
     .response = &bp_v1_list_backups_response,
     .role = BP_ROLE_READ,
     .in_service = true,
     .run = bp_v1__list},
    {.name = "DeleteBackup",
     .request = &bp_v1_delete_backup_request,
     .response = &bp_v1_delete_backup_response,
     .role = BP_ROLE_OPERATE,
     .in_service = true,
     .run = bp_v1__delete},
    {.name = "RestoreBackup",
     .request = &bp_v1_restore_backup_request,
     .response = &bp_v1_restore_backup_response,
     .role = BP_ROLE_OPERATE,
     .in_service = true,
     .run = bp_v1__restore},
    {.name = "GetRestore",
     .request = &bp_v1_get_restore_state_request,
     .response = &bp_v1_restore_backup_response,
     .role = BP_ROLE_READ,
     .in_service = true,
     .run = bp_v1__get_restore},
    {.name = "Check",
     .request = &bp_v1_check_request,
     .response = &bp_v1_check_response,
     .role = BP_ROLE_OPERATE, /* it writes something small to try */
     .in_service = true,
     .run = bp_v1__check},
    {.name = "RestoreSecondary",
     .request = &bp_v1_restore_secondary_request,
     .response = &bp_v1_restore_backup_response,
     .role = BP_ROLE_OPERATE,
     .run = restore_secondary},
};
const gsize bp_v1_n_operations = G_N_ELEMENTS(bp_v1_operations);

const bp_v1_operation *
bp_v1_find(const char *name)
{
    for (gsize i = 0; i < bp_v1_n_operations; i++) {
        if (strcmp(bp_v1_operations[i].name, name) == 0) {
            return &bp_v1_operations[i];
        }
    }
    return NULL;
}
