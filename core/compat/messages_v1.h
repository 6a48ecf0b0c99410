/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and answers of milvus-backup 0.5.7 (package milvus.proto.backup), and the fields that
 * later versions added.  Source of numbers, names and types: its backup.proto.  `code` is always
 * there, which its own answers leave out when all is well.
 */
#ifndef BP_CORE_COMPAT_MESSAGES_V1_H
#define BP_CORE_COMPAT_MESSAGES_V1_H

#include "core/compat/message.h"

/** The gRPC service that 0.5.7 declares. */
#define BP_V1_SERVICE "milvus.proto.backup.MilvusBackupService"

extern const bp_message bp_v1_create_backup_request, bp_v1_get_backup_request,
    bp_v1_list_backups_request, bp_v1_delete_backup_request, bp_v1_restore_backup_request,
    bp_v1_restore_secondary_request, bp_v1_get_restore_state_request, bp_v1_check_request;

extern const bp_message bp_v1_backup_info_response, bp_v1_list_backups_response,
    bp_v1_delete_backup_response, bp_v1_restore_backup_response, bp_v1_check_response;

/** ResponseCode. */
typedef enum {
    BP_V1_SUCCESS = 0,
    BP_V1_FAIL = 3,
    BP_V1_PARAMETER_ERROR = 400,
    BP_V1_NOT_FOUND = 404,
} bp_v1_code;

#endif
