/* SPDX-License-Identifier: Apache-2.0
 *
 * What milvus-backup answers.  See messages_v1.h.
 *
 * Left out on purpose: rbac_meta of BackupInfo, which has hashes of passwords, and default_value of
 * FieldSchema, a oneof that JSON does not carry: default_value_base64 is its twin.
 */
#include "core/compat/messages_v1.h"
#include "core/compat/messages_v1_table.h"

#include "sdk/lib/ban.h"

static const bp_field key_value_pair_fields[] = {
    FIELD(1, "key", TEXT),
    FIELD(2, "value", TEXT),
};
static const bp_message key_value_pair = MESSAGE("KeyValuePair", key_value_pair_fields);

static const bp_field field_schema_fields[] = {
    FIELD(1, "fieldID", INT64),
    FIELD(2, "name", TEXT),
    FIELD(3, "is_primary_key", BOOL),
    FIELD(4, "description", TEXT),
    FIELD(5, "data_type", ENUM),
    LIST_OF(6, "type_params", key_value_pair),
    LIST_OF(7, "index_params", key_value_pair),
    FIELD(8, "autoID", BOOL),
    FIELD(9, "state", ENUM),
    FIELD(10, "element_type", ENUM),
    FIELD(12, "is_dynamic", BOOL),
    FIELD(13, "is_partition_key", BOOL),
    FIELD(14, "nullable", BOOL),
    FIELD(15, "default_value_proto", TEXT),
    FIELD(16, "is_function_output", BOOL),
    FIELD(17, "default_value_base64", TEXT),
};
static const bp_message field_schema = MESSAGE("FieldSchema", field_schema_fields);

static const bp_field function_schema_fields[] = {
    FIELD(1, "name", TEXT),
    FIELD(2, "id", INT64),
    FIELD(3, "description", TEXT),
    FIELD(4, "type", ENUM),
    LIST(5, "input_field_names", TEXT),
    LIST(6, "input_field_ids", INT64),
    LIST(7, "output_field_names", TEXT),
    LIST(8, "output_field_ids", INT64),
    LIST_OF(9, "params", key_value_pair),
};
static const bp_message function_schema = MESSAGE("FunctionSchema", function_schema_fields);

static const bp_field struct_array_field_schema_fields[] = {
    FIELD(1, "fieldID", INT64),
    FIELD(2, "name", TEXT),
    FIELD(3, "description", TEXT),
    LIST_OF(4, "fields", field_schema),
};
static const bp_message struct_array_field_schema =
    MESSAGE("StructArrayFieldSchema", struct_array_field_schema_fields);

static const bp_field collection_schema_fields[] = {
    FIELD(1, "name", TEXT),
    FIELD(2, "description", TEXT),
    FIELD(3, "autoID", BOOL),
    LIST_OF(4, "fields", field_schema),
    FIELD(5, "enable_dynamic_field", BOOL),
    LIST_OF(6, "properties", key_value_pair),
    LIST_OF(7, "functions", function_schema),
    LIST_OF(9, "struct_array_fields", struct_array_field_schema),
};
static const bp_message collection_schema = MESSAGE("CollectionSchema", collection_schema_fields);

static const bp_field binlog_fields[] = {
    FIELD(1, "entries_num", INT64),   FIELD(2, "timestamp_from", UINT64),
    FIELD(3, "timestamp_to", UINT64), FIELD(4, "log_path", TEXT),
    ALWAYS(5, "log_size", INT64),     FIELD(6, "log_id", INT64),
};
static const bp_message binlog = MESSAGE("Binlog", binlog_fields);

static const bp_field field_binlog_fields[] = {
    FIELD(1, "fieldID", INT64),
    LIST_OF(2, "binlogs", binlog),
};
static const bp_message field_binlog = MESSAGE("FieldBinlog", field_binlog_fields);

static const bp_field segment_backup_info_fields[] = {
    FIELD(1, "segment_id", INT64),
    FIELD(2, "collection_id", INT64),
    FIELD(3, "partition_id", INT64),
    FIELD(4, "num_of_rows", INT64),
    LIST_OF(5, "binlogs", field_binlog),
    LIST_OF(6, "statslogs", field_binlog),
    LIST_OF(7, "deltalogs", field_binlog),
    ALWAYS(8, "size", INT64),
    FIELD(9, "group_id", INT64),
    FIELD(10, "backuped", BOOL),
    FIELD(11, "is_l0", BOOL),
    FIELD(12, "v_channel", TEXT),
    FIELD(13, "storage_version", INT64),
};
static const bp_message segment_backup_info =
    MESSAGE("SegmentBackupInfo", segment_backup_info_fields);

static const bp_field partition_backup_info_fields[] = {
    FIELD(1, "partition_id", INT64),  FIELD(2, "partition_name", TEXT),
    FIELD(3, "collection_id", INT64), LIST_OF(4, "segment_backups", segment_backup_info),
    ALWAYS(5, "size", INT64),         FIELD(6, "load_state", TEXT),
};
static const bp_message partition_backup_info =
    MESSAGE("PartitionBackupInfo", partition_backup_info_fields);

static const bp_field index_info_fields[] = {
    FIELD(1, "field_name", TEXT),
    FIELD(2, "index_name", TEXT),
    FIELD(3, "index_type", TEXT),
    MAP(4, "params", TEXT),
    FIELD(5, "index_id", INT64),
    FIELD(6, "field_id", INT64),
    FIELD(7, "create_time", UINT64),
    LIST_OF(8, "type_params", key_value_pair),
    LIST_OF(9, "index_params", key_value_pair),
    LIST_OF(10, "user_index_params", key_value_pair),
    FIELD(11, "is_auto_index", BOOL),
    FIELD(12, "min_index_version", INT32),
    FIELD(13, "max_index_version", INT32),
};
static const bp_message index_info = MESSAGE("IndexInfo", index_info_fields);

static const bp_field snapshot_backup_info_fields[] = {
    FIELD(1, "metadata_path", TEXT),
    FIELD(2, "total_files", INT64),
    FIELD(3, "total_bytes", INT64),
};
static const bp_message snapshot_backup_info =
    MESSAGE("SnapshotBackupInfo", snapshot_backup_info_fields);

static const bp_field collection_backup_info_fields[] = {
    FIELD(1, "id", TEXT),
    ALWAYS(2, "state_code", ENUM),
    FIELD(3, "errorMessage", TEXT),
    FIELD(4, "start_time", INT64),
    FIELD(5, "end_time", INT64),
    ALWAYS(6, "progress", INT32),
    FIELD(7, "collection_id", INT64),
    FIELD(8, "db_name", TEXT),
    FIELD(9, "collection_name", TEXT),
    OF(10, "schema", collection_schema),
    FIELD(11, "shards_num", INT32),
    FIELD(12, "consistency_level", ENUM),
    LIST_OF(13, "partition_backups", partition_backup_info),
    FIELD(14, "backup_timestamp", UINT64),
    ALWAYS(15, "size", INT64),
    ALWAYS(16, "has_index", BOOL),
    LIST_OF(17, "index_infos", index_info),
    FIELD(18, "load_state", TEXT),
    FIELD(19, "backup_physical_timestamp", UINT64),
    MAP(20, "channel_checkpoints", TEXT),
    LIST_OF(21, "l0_segments", segment_backup_info),
    LIST_OF(22, "properties", key_value_pair),
    FIELD(23, "db_id", INT64),
    FIELD(24, "created_timestamp", UINT64),
    LIST(25, "virtual_channel_names", TEXT),
    LIST(26, "physical_channel_names", TEXT),
    LIST(28, "aliases", TEXT),
    OF(29, "snapshot_backup", snapshot_backup_info),
};
static const bp_message collection_backup_info =
    MESSAGE("CollectionBackupInfo", collection_backup_info_fields);

static const bp_field rpc_channel_info_fields[] = {
    FIELD(1, "name", TEXT),
    FIELD(2, "position", TEXT),
};
static const bp_message rpc_channel_info = MESSAGE("RPCChannelInfo", rpc_channel_info_fields);

static const bp_field database_backup_info_fields[] = {
    FIELD(1, "db_name", TEXT),
    FIELD(2, "db_id", INT64),
    LIST_OF(3, "properties", key_value_pair),
    FIELD(4, "ezk", TEXT),
};
static const bp_message database_backup_info =
    MESSAGE("DatabaseBackupInfo", database_backup_info_fields);

static const bp_field backup_info_fields[] = {
    FIELD(1, "id", TEXT),
    ALWAYS(2, "state_code", ENUM),
    FIELD(3, "errorMessage", TEXT),
    FIELD(4, "start_time", INT64),
    FIELD(5, "end_time", INT64),
    ALWAYS(6, "progress", INT32),
    FIELD(7, "name", TEXT),
    FIELD(8, "backup_timestamp", UINT64),
    LIST_OF(9, "collection_backups", collection_backup_info),
    ALWAYS(10, "size", INT64),
    FIELD(11, "milvus_version", TEXT),
    OF(13, "rpc_channel_info", rpc_channel_info),
    LIST_OF(14, "database_backups", database_backup_info),
    FIELD(18, "format", TEXT),
    ALWAYS(0, "meta_size", INT64),
};
static const bp_message backup_info = MESSAGE("BackupInfo", backup_info_fields);

static const bp_field backup_info_response_fields[] = {
    FIELD(1, "requestId", TEXT),
    ALWAYS(2, "code", ENUM),
    FIELD(3, "msg", TEXT),
    OF_ALWAYS(4, "data", backup_info),
};
const bp_message bp_v1_backup_info_response =
    MESSAGE("BackupInfoResponse", backup_info_response_fields);

static const bp_field list_backups_response_fields[] = {
    FIELD(1, "requestId", TEXT),
    ALWAYS(2, "code", ENUM),
    FIELD(3, "msg", TEXT),
    LIST_OF_ALWAYS(4, "data", backup_info),
};
const bp_message bp_v1_list_backups_response =
    MESSAGE("ListBackupsResponse", list_backups_response_fields);

static const bp_field delete_backup_response_fields[] = {
    FIELD(1, "requestId", TEXT),
    ALWAYS(2, "code", ENUM),
    FIELD(3, "msg", TEXT),
};
const bp_message bp_v1_delete_backup_response =
    MESSAGE("DeleteBackupResponse", delete_backup_response_fields);

static const bp_field restore_collection_task_response_fields[] = {
    FIELD(1, "id", TEXT),
    ALWAYS(2, "state_code", ENUM),
    FIELD(3, "errorMessage", TEXT),
    FIELD(4, "start_time", INT64),
    FIELD(5, "end_time", INT64),
    ALWAYS(6, "progress", INT32),
    FIELD(7, "target_db_name", TEXT),
    FIELD(8, "target_collection_name", TEXT),
};
static const bp_message restore_collection_task_response =
    MESSAGE("RestoreCollectionTaskResponse", restore_collection_task_response_fields);

static const bp_field restore_backup_task_response_fields[] = {
    FIELD(1, "id", TEXT),
    ALWAYS(2, "state_code", ENUM),
    FIELD(3, "errorMessage", TEXT),
    FIELD(4, "start_time", INT64),
    FIELD(5, "end_time", INT64),
    ALWAYS(6, "progress", INT32),
    LIST_OF(7, "collection_restore_tasks", restore_collection_task_response),
};
static const bp_message restore_backup_task_response =
    MESSAGE("RestoreBackupTaskResponse", restore_backup_task_response_fields);

static const bp_field restore_backup_response_fields[] = {
    FIELD(1, "requestId", TEXT),
    ALWAYS(2, "code", ENUM),
    FIELD(3, "msg", TEXT),
    OF_ALWAYS(4, "data", restore_backup_task_response),
};
const bp_message bp_v1_restore_backup_response =
    MESSAGE("RestoreBackupResponse", restore_backup_response_fields);

static const bp_field check_response_fields[] = {
    ALWAYS(1, "code", ENUM),
    FIELD(2, "msg", TEXT),
};
const bp_message bp_v1_check_response = MESSAGE("CheckResponse", check_response_fields);
