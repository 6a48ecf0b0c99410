/* SPDX-License-Identifier: Apache-2.0
 *
 * What milvus-backup is asked.  See messages_v1.h.
 */
#include "core/compat/messages_v1.h"
#include "core/compat/messages_v1_table.h"

#include "sdk/lib/ban.h"

static const bp_field coll_filter_fields[] = {
    LIST(1, "colls", TEXT),
};
static const bp_message coll_filter = MESSAGE("CollFilter", coll_filter_fields);

static const bp_field create_backup_request_fields[] = {
    FIELD(1, "requestId", TEXT),
    FIELD(2, "backup_name", TEXT),
    LIST(3, "collection_names", TEXT),
    FIELD(4, "async", BOOL),
    FIELD(5, "db_collections", VALUE),
    FIELD(6, "force", BOOL),
    FIELD(7, "meta_only", BOOL),
    FIELD(8, "gc_pause_enable", BOOL),
    FIELD(9, "gc_pause_seconds", INT32),
    FIELD(10, "gc_pause_address", TEXT),
    FIELD(11, "rbac", BOOL),
    FIELD(12, "backup_root_path", TEXT),
    MAP_OF(13, "filter", coll_filter),
    FIELD(14, "strategy", TEXT),
    FIELD(15, "with_index_extra", BOOL),
    FIELD(16, "format", TEXT),
};
const bp_message bp_v1_create_backup_request =
    MESSAGE("CreateBackupRequest", create_backup_request_fields);

static const bp_field get_backup_request_fields[] = {
    FIELD(1, "requestId", TEXT),   FIELD(2, "backup_name", TEXT), FIELD(3, "backup_id", TEXT),
    FIELD(4, "bucket_name", TEXT), FIELD(5, "path", TEXT),        FIELD(6, "without_detail", BOOL),
};
const bp_message bp_v1_get_backup_request = MESSAGE("GetBackupRequest", get_backup_request_fields);

static const bp_field list_backups_request_fields[] = {
    FIELD(1, "requestId", TEXT),
    FIELD(2, "collection_name", TEXT),
};
const bp_message bp_v1_list_backups_request =
    MESSAGE("ListBackupsRequest", list_backups_request_fields);

static const bp_field delete_backup_request_fields[] = {
    FIELD(1, "requestId", TEXT),
    FIELD(2, "backup_name", TEXT),
};
const bp_message bp_v1_delete_backup_request =
    MESSAGE("DeleteBackupRequest", delete_backup_request_fields);

static const bp_field skip_params_fields[] = {
    LIST(1, "collectionProperties", TEXT),
    LIST(2, "fieldIndexParams", TEXT),
    LIST(3, "fieldTypeParams", TEXT),
    LIST(4, "indexParams", TEXT),
};
static const bp_message skip_params = MESSAGE("SkipParams", skip_params_fields);

static const bp_field restore_collection_override_fields[] = {
    FIELD(1, "shardNum", INT32),
    FIELD(2, "description", TEXT),
};
static const bp_message restore_collection_override =
    MESSAGE("RestoreCollectionOverride", restore_collection_override_fields);

static const bp_field restore_collection_mapping_fields[] = {
    FIELD(1, "source", TEXT),
    FIELD(2, "target", TEXT),
    OF(3, "override", restore_collection_override),
};
static const bp_message restore_collection_mapping =
    MESSAGE("RestoreCollectionMapping", restore_collection_mapping_fields);

static const bp_field restore_mapping_fields[] = {
    FIELD(1, "source", TEXT),
    FIELD(2, "target", TEXT),
    FIELD(3, "withProp", BOOL),
    LIST_OF(4, "colls", restore_collection_mapping),
};
static const bp_message restore_mapping = MESSAGE("RestoreMapping", restore_mapping_fields);

static const bp_field restore_plan_fields[] = {
    LIST_OF(1, "mapping", restore_mapping),
    MAP_OF(2, "filter", coll_filter),
};
static const bp_message restore_plan = MESSAGE("RestorePlan", restore_plan_fields);

static const bp_field restore_backup_request_fields[] = {
    FIELD(1, "requestId", TEXT),
    FIELD(2, "backup_name", TEXT),
    LIST(3, "collection_names", TEXT),
    FIELD(4, "collection_suffix", TEXT),
    MAP(5, "collection_renames", TEXT),
    FIELD(6, "async", BOOL),
    FIELD(7, "bucket_name", TEXT),
    FIELD(8, "path", TEXT),
    FIELD(9, "db_collections", VALUE),
    FIELD(10, "metaOnly", BOOL),
    FIELD(11, "restoreIndex", BOOL),
    FIELD(12, "useAutoIndex", BOOL),
    FIELD(13, "dropExistCollection", BOOL),
    FIELD(14, "dropExistIndex", BOOL),
    FIELD(15, "skipCreateCollection", BOOL),
    FIELD(16, "id", TEXT),
    FIELD(17, "skipImportDiskQuotaCheck", BOOL),
    FIELD(18, "rbac", BOOL),
    FIELD(19, "maxShardNum", INT32),
    OF(20, "skipParams", skip_params),
    FIELD(21, "useV2Restore", BOOL),
    FIELD(22, "truncateBinlogByTs", BOOL),
    FIELD(23, "db_collections_after_rename", VALUE),
    OF(24, "restorePlan", restore_plan),
    MAP(25, "ezkMapping", TEXT),
};
const bp_message bp_v1_restore_backup_request =
    MESSAGE("RestoreBackupRequest", restore_backup_request_fields);

static const bp_field restore_secondary_request_fields[] = {
    FIELD(1, "requestId", TEXT),       FIELD(2, "backup_name", TEXT),
    FIELD(3, "sourceClusterID", TEXT), FIELD(4, "targetClusterID", TEXT),
    FIELD(5, "async", BOOL),           FIELD(6, "path", TEXT),
};
const bp_message bp_v1_restore_secondary_request =
    MESSAGE("RestoreSecondaryRequest", restore_secondary_request_fields);

static const bp_field get_restore_state_request_fields[] = {
    FIELD(1, "requestId", TEXT),
    FIELD(2, "id", TEXT),
};
const bp_message bp_v1_get_restore_state_request =
    MESSAGE("GetRestoreStateRequest", get_restore_state_request_fields);

const bp_message bp_v1_check_request = {.name = "CheckRequest"};
