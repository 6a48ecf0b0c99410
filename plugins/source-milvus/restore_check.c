/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that can stand against a restore is found here, for all targets, before the first
 * change.
 */
#include <inttypes.h>
#include <string.h>

#include "restore_state.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* --- the server ----------------------------------------------------------------------------- */

static bp_status
check_version(struct bp_restore *restore, const struct bp_restore_args *args,
              const struct bp_note_sink *notes, struct bp_error *error)
{
    const char *captured = args->server_version != NULL && args->server_version[0] != '\0'
                               ? args->server_version
                               : restore->backup->server_version;
    const char *found = milvus_api_version(restore->api);
    struct milvus_version backup;
    struct milvus_version server;
    bool known = milvus_version_parse(captured != NULL ? captured : "", &backup) &&
                 milvus_version_parse(found, &server);
    if (!known || milvus_version_compare(&backup, &server) <= 0) {
        return BP_OK;
    }
    if ((args->flags & BP_RESTORE_FORCE) != 0) {
        return milvus_note(notes, BP_NOTE_WARN, "older-server", error,
                           "the backup is of Milvus %s and the target is %s, an older one: "
                           "restoring nevertheless, as asked",
                           captured, found);
    }
    return bp_fail(error, BP_ERR_UNSUPPORTED,
                   "the backup is of Milvus %s, the server at %s is %s: an older Milvus cannot be "
                   "expected to read it (force overrides this)",
                   captured, milvus_api_address(restore->api), found);
}

static bp_status
require(const struct bp_restore *restore, const struct milvus_target *target,
        enum milvus_feature feature, struct bp_error *error)
{
    if (milvus_api_can(restore->api, feature)) {
        return BP_OK;
    }
    return bp_fail(error, BP_ERR_UNSUPPORTED,
                   "collection %s.%s needs a Milvus that can %s: %s or later; the server is %s",
                   target->db, target->name, milvus_feature_text(feature),
                   milvus_feature_since(feature), milvus_api_version(restore->api));
}

/* What the collection's fields ask of a server. */
static uint64_t
features_of_fields(const struct milvus_schema *schema)
{
    uint64_t needed = 0;
    for (guint i = 0; i < schema->fields->len; i++) {
        const struct milvus_field *field = schema->fields->pdata[i];
        if (field->nullable || field->default_value != NULL) {
            needed |= UINT64_C(1) << MILVUS_CAN_NULLABLE;
        }
        if (field->data_type == MILVUS_TYPE_ARRAY) {
            needed |= UINT64_C(1) << MILVUS_CAN_ARRAYS;
        }
    }
    if (schema->functions->len > 0) {
        needed |= UINT64_C(1) << MILVUS_CAN_FUNCTIONS;
    }
    if (schema->struct_fields->len > 0) {
        needed |= UINT64_C(1) << MILVUS_CAN_STRUCT_FIELDS;
    }
    return needed;
}

static uint64_t
features_of_segments(const GPtrArray *segments)
{
    uint64_t needed = 0;
    for (guint i = 0; i < segments->len; i++) {
        const struct milvus_segment *segment = segments->pdata[i];
        if (segment->is_l0) {
            needed |= UINT64_C(1) << MILVUS_CAN_IMPORT_L0;
        }
        if (segment->storage_version >= 2) {
            needed |= UINT64_C(1) << MILVUS_CAN_STORAGE_V2;
        }
        if (segment->storage_version >= 3) {
            needed |= UINT64_C(1) << MILVUS_FEATURE_COUNT;
        }
    }
    return needed;
}

static bp_status
check_features(const struct bp_restore *restore, const struct milvus_target *target,
               struct bp_error *error)
{
    const struct milvus_collection *from = target->from;
    uint64_t needed = features_of_fields(from->schema) | features_of_segments(from->l0_segments);
    for (guint i = 0; i < from->partitions->len; i++) {
        const struct milvus_partition *partition = from->partitions->pdata[i];
        needed |= features_of_segments(partition->segments);
    }
    if ((needed & (UINT64_C(1) << MILVUS_FEATURE_COUNT)) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "collection %s.%s has segments of storage version 3, which no import of "
                       "log files can restore",
                       target->db, target->name);
    }
    bp_status status = BP_OK;
    for (int feature = 0; feature < MILVUS_FEATURE_COUNT && status == BP_OK; feature++) {
        if ((needed & (UINT64_C(1) << feature)) != 0) {
            status = require(restore, target, (enum milvus_feature)feature, error);
        }
    }
    return status;
}

static bp_status
warn_of_reinserts(const struct bp_restore *restore, const struct bp_note_sink *notes,
                  struct bp_error *error)
{
    bool has_deletes = false;
    for (guint i = 0; i < restore->targets->len; i++) {
        const struct milvus_target *target = restore->targets->pdata[i];
        has_deletes |= target->low < target->high;
    }
    if (!has_deletes || milvus_api_can(restore->api, MILVUS_CAN_REINSERT)) {
        return BP_OK;
    }
    return milvus_note(notes, BP_NOTE_WARN, "reinserted-keys", error,
                       "Milvus %s loses keys that were deleted and inserted again when it imports "
                       "a backup; the count of rows will tell",
                       milvus_api_version(restore->api));
}

bp_status
milvus_restore_check_server(struct bp_restore *restore, const struct bp_restore_args *args,
                            const struct bp_note_sink *notes, struct bp_error *error)
{
    bp_status status = check_version(restore, args, notes, error);
    for (guint i = 0; i < restore->targets->len && status == BP_OK; i++) {
        const struct milvus_target *target = restore->targets->pdata[i];
        struct milvus_blueprint blueprint = {0};
        status = check_features(restore, target, error);
        if (status == BP_OK && !restore->options.skip_create) {
            status = milvus_blueprint_make(restore, target, &blueprint, error);
            milvus_blueprint_clear(&blueprint);
        }
    }
    return status == BP_OK ? warn_of_reinserts(restore, notes, error) : status;
}

/* --- the targets ---------------------------------------------------------------------------- */

static bp_status
check_usable(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
             const struct milvus_collection *found, struct bp_error *error)
{
    bp_status status = milvus_schema_compare(target->from->schema, found->schema, error);
    if (status != BP_OK) {
        return milvus_target_fail(target, error);
    }
    const struct milvus_load_query query = {.db = target->db, .collection = target->name};
    enum milvus_load_state state = MILVUS_LOAD_NOT_EXIST;
    if (!milvus_target_has_l0(target) || restore->without_items) {
        return BP_OK;
    }
    status = milvus_api_load_state(restore->api, op, &query, &state, error);
    if (status == BP_OK && (state == MILVUS_LOAD_LOADED || state == MILVUS_LOAD_LOADING)) {
        status = bp_fail(error, BP_ERR_PERMANENT,
                         "collection %s.%s is loaded, and the server imports deletes only into "
                         "released collections: release it first",
                         target->db, target->name);
    }
    return status;
}

static bp_status
decide_existing(struct bp_restore *restore, const struct bp_op *op, struct milvus_target *target,
                const struct milvus_collection *found, struct bp_error *error)
{
    if (g_strcmp0(found->name, target->name) != 0) {
        return bp_fail(error, BP_ERR_EXISTS,
                       "cannot restore collection %s.%s: that name is an alias of %s", target->db,
                       target->name, found->name);
    }
    /* Only a collection that an earlier restore made has its identity. */
    g_autofree char *identity = milvus_target_identity(found);
    if (g_strcmp0(target->done, identity) == 0) {
        target->fate = MILVUS_FATE_KEEP;
        return BP_OK;
    }
    if (g_strcmp0(target->ours, identity) == 0 || restore->options.drop_exist) {
        target->fate = MILVUS_FATE_REPLACE;
        return BP_OK;
    }
    if (restore->options.skip_create) {
        target->fate = MILVUS_FATE_USE;
        return check_usable(restore, op, target, found, error);
    }
    return bp_fail(error, BP_ERR_EXISTS,
                   "collection %s.%s exists already (restore under another name with suffix or "
                   "rename, or use drop_exist_collection or skip_create_collection)",
                   target->db, target->name);
}

static bp_status
decide(struct bp_restore *restore, const struct bp_op *op, GHashTable *databases,
       struct milvus_target *target, struct bp_error *error)
{
    g_autoptr(milvus_collection) found = NULL;
    if (g_hash_table_contains(databases, target->db)) {
        bp_status status = milvus_api_describe_collection(restore->api, op, target->db,
                                                          target->name, &found, error);
        if (status == BP_OK) {
            return decide_existing(restore, op, target, found, error);
        }
        if (status != BP_ERR_NOT_FOUND) {
            return status;
        }
    }
    if (restore->options.skip_create) {
        return bp_fail(error, BP_ERR_NOT_FOUND,
                       "collection %s.%s does not exist, and skip_create_collection was asked for",
                       target->db, target->name);
    }
    target->fate = MILVUS_FATE_CREATE;
    return BP_OK;
}

static bp_status
tell_fate(const struct milvus_target *target, const struct bp_note_sink *notes,
          struct bp_error *error)
{
    static const struct {
        const char *code, *text;
    } fates[] = {
        [MILVUS_FATE_CREATE] = {"would-create", "would be created"},
        [MILVUS_FATE_REPLACE] = {"would-replace", "would be dropped with its data and created"},
        [MILVUS_FATE_USE] = {"would-use", "exists and would be filled"},
        [MILVUS_FATE_KEEP] = {"would-keep", "is complete and would stay"},
    };
    return milvus_note(notes, BP_NOTE_INFO, fates[target->fate].code, error, "collection %s.%s %s",
                       target->db, target->name, fates[target->fate].text);
}

static bp_status
list_databases(struct bp_restore *restore, const struct bp_op *op, GHashTable **out,
               struct bp_error *error)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_database_free);
    bp_status status = milvus_api_list_databases(restore->api, op, list, error);
    if (status != BP_OK) {
        return status;
    }
    *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < list->len; i++) {
        const struct milvus_database *database = list->pdata[i];
        g_hash_table_add(*out, g_strdup(database->name));
    }
    return BP_OK;
}

bp_status
milvus_restore_check_targets(struct bp_restore *restore, const struct bp_op *op,
                             const struct bp_note_sink *notes, bool is_dry_run,
                             struct bp_error *error)
{
    g_autoptr(GHashTable) databases = NULL;
    bp_status status = list_databases(restore, op, &databases, error);
    for (guint i = 0; i < restore->targets->len && status == BP_OK; i++) {
        struct milvus_target *target = restore->targets->pdata[i];
        status = decide(restore, op, databases, target, error);
        if (status == BP_OK && is_dry_run) {
            status = tell_fate(target, notes, error);
        }
    }
    return status;
}

/* --- databases ------------------------------------------------------------------------------ */

static const struct milvus_database *
database_in_backup(const struct milvus_backup *backup, const char *name)
{
    for (guint i = 0; i < backup->databases->len; i++) {
        const struct milvus_database *database = backup->databases->pdata[i];
        if (g_strcmp0(database->name, name) == 0) {
            return database;
        }
    }
    return NULL;
}

/* Keys of encryption belong to the server that made them. */
static struct milvus_database *
database_to_create(const struct milvus_backup *backup, const char *name)
{
    struct milvus_database *made = milvus_database_new(name);
    const struct milvus_database *from = database_in_backup(backup, name);
    for (guint i = 0; from != NULL && i < from->properties->len; i++) {
        const struct milvus_kv *kv = &g_array_index(from->properties, struct milvus_kv, i);
        if (kv->key != NULL && !g_str_has_prefix(kv->key, "cipher.")) {
            milvus_kv_add(made->properties, kv->key, kv->value);
        }
    }
    return made;
}

static bp_status
create_database(struct bp_restore *restore, const struct bp_op *op, const char *name,
                const struct bp_note_sink *notes, struct bp_error *error)
{
    g_autoptr(milvus_database) database = database_to_create(restore->backup, name);
    bp_status status = milvus_api_create_database(restore->api, op, database, error);
    bool refused = status == BP_ERR_INVALID || status == BP_ERR_PERMANENT;
    if (refused && database->properties->len > 0) {
        g_autofree char *why = g_strdup(error->message);
        g_array_set_size(database->properties, 0);
        status = milvus_api_create_database(restore->api, op, database, error);
        if (status == BP_OK) {
            status = milvus_note(notes, BP_NOTE_WARN, "database-properties", error,
                                 "database %s was made without its properties: %s", name, why);
        }
    }
    return status == BP_ERR_EXISTS ? BP_OK : status;
}

static bp_status
need_database(struct bp_restore *restore, const struct bp_op *op, const char *name, bool is_dry_run,
              const struct bp_note_sink *notes, struct bp_error *error)
{
    if (!milvus_api_can(restore->api, MILVUS_CAN_DATABASES)) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "database %s cannot be made: Milvus %s does not %s yet, %s does", name,
                       milvus_api_version(restore->api), milvus_feature_text(MILVUS_CAN_DATABASES),
                       milvus_feature_since(MILVUS_CAN_DATABASES));
    }
    if (is_dry_run) {
        return milvus_note(notes, BP_NOTE_INFO, "would-create", error,
                           "database %s would be created", name);
    }
    return create_database(restore, op, name, notes, error);
}

bp_status
milvus_restore_databases(struct bp_restore *restore, const struct bp_op *op,
                         const struct bp_restore_args *args, const struct bp_note_sink *notes,
                         struct bp_error *error)
{
    g_autoptr(GHashTable) there = NULL;
    g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < restore->targets->len; i++) {
        const struct milvus_target *target = restore->targets->pdata[i];
        g_ptr_array_add(wanted, g_strdup(target->db));
    }
    for (uint32_t i = 0; i < args->n_parents; i++) {
        g_ptr_array_add(wanted, g_strdup(args->parents[i]));
    }
    bool is_dry_run = (args->flags & BP_RESTORE_DRY_RUN) != 0;
    bp_status status = list_databases(restore, op, &there, error);
    for (guint i = 0; i < wanted->len && status == BP_OK; i++) {
        if (g_hash_table_add(there, g_strdup(wanted->pdata[i]))) {
            status = need_database(restore, op, wanted->pdata[i], is_dry_run, notes, error);
        }
    }
    return status;
}
