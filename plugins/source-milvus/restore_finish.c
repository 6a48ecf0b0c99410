/* SPDX-License-Identifier: Apache-2.0
 *
 * What a proven collection still lacks: indexes, properties that would have harmed the import,
 * aliases, and being loaded.
 */
#include <inttypes.h>
#include <string.h>

#include "restore.h"
#include "restore_state.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define PROPERTY_TTL "collection.ttl.seconds"
#define PROPERTY_UNCHECKED "disable_func_runtime_check"

/* Waiting for builds and loads: from 50 ms on, growing to a second. */
#define WAIT_FIRST_NS UINT64_C(50000000)
#define WAIT_MAX_NS UINT64_C(1000000000)

#define US_PER_MS 1000

/* --- indexes -------------------------------------------------------------------------------- */

/* Names of JSON path indexes may hold what the server refuses: then it names the index itself. */
static bool
is_index_name(const char *name)
{
    if (name == NULL || (!g_ascii_isalpha(name[0]) && name[0] != '_')) {
        return false;
    }
    for (const char *p = name; *p != '\0'; p++) {
        if (!g_ascii_isalnum(*p) && *p != '_') {
            return false;
        }
    }
    return true;
}

static void
add_params(const struct bp_restore *restore, const struct milvus_index *from, bool is_vector,
           GArray *params)
{
    if (is_vector && restore->options.use_auto_index) {
        const char *metric = milvus_kv_get(from->params, "metric_type");
        milvus_kv_add(params, "index_type", "AUTOINDEX");
        if (metric != NULL) {
            milvus_kv_add(params, "metric_type", metric);
        }
        return;
    }
    for (guint i = 0; i < from->params->len; i++) {
        const struct milvus_kv *kv = &g_array_index(from->params, struct milvus_kv, i);
        /* How DescribeIndex calls what CreateIndex knows under another name. */
        bool is_trie = g_strcmp0(kv->value, "marisa-trie") == 0;
        milvus_kv_add(params, kv->key, is_trie ? "Trie" : kv->value);
    }
}

static bp_status
create_index(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
             const struct milvus_index *from, bool is_vector, struct bp_error *error)
{
    const char *name = is_index_name(from->name) ? from->name : "";
    g_autoptr(milvus_index) index = milvus_index_new(from->field_name, name);
    add_params(restore, from, is_vector, index->params);
    bp_status status =
        milvus_api_create_index(restore->api, op, target->db, target->name, index, error);
    if (status != BP_OK) {
        g_autofree char *why = g_strdup(error->message);
        (void)g_snprintf(error->message, sizeof error->message,
                         "collection %s.%s: index %s of field %s: %s", target->db, target->name,
                         from->name != NULL ? from->name : "", from->field_name, why);
    }
    return status;
}

/* The server keeps the indexes of a loaded collection: it is released, and loaded again later. */
static bp_status
release(struct bp_restore *restore, const struct bp_op *op, struct milvus_target *target,
        const struct bp_note_sink *notes, struct bp_error *error)
{
    const struct milvus_load_query query = {.db = target->db, .collection = target->name};
    enum milvus_load_state state = MILVUS_LOAD_NOT_EXIST;
    bp_status status = milvus_api_load_state(restore->api, op, &query, &state, error);
    if (status != BP_OK || (state != MILVUS_LOAD_LOADED && state != MILVUS_LOAD_LOADING)) {
        return status;
    }
    target->was_loaded = true;
    status = milvus_api_release(restore->api, op, target->db, target->name, error);
    return status == BP_OK
               ? milvus_note(notes, BP_NOTE_INFO, "released", error,
                             "collection %s.%s is released while its indexes are replaced",
                             target->db, target->name)
               : status;
}

/* Those of a collection that was there; new ones may follow, or none. */
static bool
drops_indexes(const struct bp_restore *restore, const struct milvus_target *target)
{
    return target->fate == MILVUS_FATE_USE && restore->options.drop_exist_index;
}

static bp_status
drop_indexes(struct bp_restore *restore, const struct bp_op *op, struct milvus_target *target,
             const struct bp_note_sink *notes, struct bp_error *error)
{
    g_autoptr(GPtrArray) there = g_ptr_array_new_with_free_func((GDestroyNotify)milvus_index_free);
    bp_status status = release(restore, op, target, notes, error);
    if (status == BP_OK) {
        status = milvus_api_list_indexes(restore->api, op, target->db, target->name, there, error);
    }
    for (guint i = 0; i < there->len && status == BP_OK; i++) {
        status = milvus_api_drop_index(restore->api, op, target->db, target->name, there->pdata[i],
                                       error);
    }
    return status;
}

static bp_status
make_indexes(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
             struct bp_error *error)
{
    const GPtrArray *indexes = target->from->indexes;
    bp_status status = BP_OK;
    for (int round = 0; round < 2; round++) {
        bool want_vector = round == 0;
        for (guint i = 0; i < indexes->len && status == BP_OK; i++) {
            const struct milvus_index *index = indexes->pdata[i];
            bool is_vector = milvus_type_is_vector(
                milvus_schema_type_of(target->from->schema, index->field_name));
            if (is_vector == want_vector) {
                status = create_index(restore, op, target, index, is_vector, error);
            }
        }
    }
    return status;
}

/* --- properties ----------------------------------------------------------------------------- */

static const char *
property(const struct milvus_collection *from, const char *key)
{
    const char *value = milvus_kv_get(from->properties, key);
    return value != NULL ? value : milvus_kv_get(from->schema->properties, key);
}

static bp_status
set_properties(struct bp_restore *restore, const struct bp_op *op,
               const struct milvus_target *target, const struct bp_note_sink *notes,
               struct bp_error *error)
{
    if (target->fate == MILVUS_FATE_USE) {
        return BP_OK; /* its properties are its owner's */
    }
    g_autoptr(GArray) properties = milvus_kv_list_new();
    const char *ttl = property(target->from, PROPERTY_TTL);
    if (ttl != NULL) {
        milvus_kv_add(properties, PROPERTY_TTL, ttl);
    }
    const char *unchecked = property(target->from, PROPERTY_UNCHECKED);
    if (target->from->schema->functions->len > 0 && g_strcmp0(unchecked, "true") != 0 &&
        milvus_api_can(restore->api, MILVUS_CAN_FUNCTION_UNCHECKED)) {
        milvus_kv_add(properties, PROPERTY_UNCHECKED, "false");
    }
    if (properties->len == 0) {
        return BP_OK;
    }
    bp_status status =
        milvus_api_alter_collection(restore->api, op, target->db, target->name, properties, error);
    if (status == BP_OK && ttl != NULL && target->high > 0 && !restore->without_items) {
        status = milvus_note(notes, BP_NOTE_INFO, "ttl", error,
                             "collection %s.%s: rows older than %s s expire again "
                             "(" PROPERTY_TTL " is set as in the backup, and restored rows keep "
                             "their age)",
                             target->db, target->name, ttl);
    }
    return status;
}

/* --- aliases -------------------------------------------------------------------------------- */

static bp_status
note_taken(const struct milvus_target *target, const char *alias, const char *by,
           const struct bp_note_sink *notes, struct bp_error *error)
{
    return milvus_note(notes, BP_NOTE_WARN, "alias-taken", error,
                       "alias %s of collection %s.%s was not restored: it points to %s", alias,
                       target->db, target->name, by);
}

static bp_status
make_alias(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
           const char *alias, const struct bp_note_sink *notes, struct bp_error *error)
{
    g_autoptr(milvus_collection) found = NULL;
    bp_status status =
        milvus_api_describe_collection(restore->api, op, target->db, alias, &found, error);
    if (status == BP_OK) {
        return g_strcmp0(found->name, target->name) == 0
                   ? BP_OK
                   : note_taken(target, alias, found->name, notes, error);
    }
    if (status == BP_ERR_NOT_FOUND) {
        status = milvus_api_create_alias(restore->api, op, target->db, target->name, alias, error);
    }
    return status == BP_ERR_EXISTS ? note_taken(target, alias, "another collection", notes, error)
                                   : status;
}

static bp_status
make_aliases(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
             const struct bp_note_sink *notes, struct bp_error *error)
{
    bp_status status = BP_OK;
    for (guint i = 0; i < target->from->aliases->len && status == BP_OK; i++) {
        status = make_alias(restore, op, target, target->from->aliases->pdata[i], notes, error);
    }
    return status;
}

/* --- waiting -------------------------------------------------------------------------------- */

/* One look at something that takes its time: done, still going on (`state` says how far), or an
 * error. */
typedef bp_status (*look_fn)(struct bp_restore *restore, const struct bp_op *op,
                             const struct milvus_target *target, bool *is_done, GString *state,
                             struct bp_error *error);

static bp_status
look_at_indexes(struct bp_restore *restore, const struct bp_op *op,
                const struct milvus_target *target, bool *is_done, GString *state,
                struct bp_error *error)
{
    struct milvus_index_progress progress = {0};
    bp_status status =
        milvus_api_index_progress(restore->api, op, target->db, target->name, &progress, error);
    if (status == BP_OK && progress.n_failed > 0) {
        status = bp_fail(error, BP_ERR_PERMANENT, "collection %s.%s: building index %s", target->db,
                         target->name, progress.failed);
    }
    *is_done = progress.n_unfinished == 0;
    g_string_printf(state, "%" PRIu32 " of %" PRIu32 " indexes unfinished", progress.n_unfinished,
                    progress.n_indexes);
    return status;
}

static bp_status
look_at_load(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
             bool *is_done, GString *state, struct bp_error *error)
{
    const struct milvus_load_query query = {.db = target->db, .collection = target->name};
    int64_t percent = 0;
    bp_status status = milvus_api_load_progress(restore->api, op, &query, &percent, error);
    *is_done = percent >= 100;
    g_string_printf(state, "loaded to %" PRId64 " %%", percent);
    return status;
}

static bp_status
wait_for(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
         look_fn look, struct bp_error *error)
{
    g_autoptr(GString) state = g_string_new(NULL);
    int64_t end_us = g_get_monotonic_time() + (int64_t)restore->options.wait_timeout_ms * US_PER_MS;
    bool is_done = false;
    for (uint64_t pause = WAIT_FIRST_NS;; pause = MIN(pause * 2, WAIT_MAX_NS)) {
        bp_status status = look(restore, op, target, &is_done, state, error);
        if (status != BP_OK || is_done) {
            return status;
        }
        if (g_get_monotonic_time() > end_us) {
            return bp_fail(error, BP_ERR_PERMANENT,
                           "collection %s.%s: its rows are restored, but waiting ended after "
                           "%" PRIu64 " s with %s (wait_timeout)",
                           target->db, target->name, restore->options.wait_timeout_ms / 1000,
                           state->str);
        }
        status = restore->host->sleep(op, pause);
        if (status != BP_OK) {
            return bp_fail(error, status, "waiting for collection %s.%s was interrupted at %s",
                           target->db, target->name, state->str);
        }
    }
}

/* --- load ----------------------------------------------------------------------------------- */

static bool
has_vector_index(const struct milvus_target *target)
{
    for (guint i = 0; i < target->from->indexes->len; i++) {
        const struct milvus_index *index = target->from->indexes->pdata[i];
        if (milvus_type_is_vector(milvus_schema_type_of(target->from->schema, index->field_name))) {
            return true;
        }
    }
    return false;
}

/* Names of the partitions that were loaded, or NULL when all of them were, or when nobody knows
 * better than the collection (milvus-backup calls every partition of a loaded one not loaded). */
static GPtrArray *
loaded_partitions(const struct milvus_target *target)
{
    const GPtrArray *partitions = target->from->partitions;
    g_autoptr(GPtrArray) loaded = g_ptr_array_new();
    for (guint i = 0; i < partitions->len && target->fate != MILVUS_FATE_USE; i++) {
        const struct milvus_partition *partition = partitions->pdata[i];
        if (partition->load_state == MILVUS_LOAD_LOADED) {
            g_ptr_array_add(loaded, partition->name);
        }
    }
    bool some = loaded->len > 0 && loaded->len < partitions->len;
    return some ? g_steal_pointer(&loaded) : NULL;
}

static bp_status
start_load(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
           const struct bp_note_sink *notes, struct bp_error *error)
{
    g_autoptr(GPtrArray) partitions = loaded_partitions(target);
    struct milvus_load load = {.db = target->db,
                               .collection = target->name,
                               .partitions = partitions,
                               .replicas = target->from->replica_number};
    bp_status status = milvus_api_load(restore->api, op, &load, error);
    bool refused = status == BP_ERR_INVALID || status == BP_ERR_PERMANENT ||
                   status == BP_ERR_THROTTLED || status == BP_ERR_NO_SPACE;
    if (refused && load.replicas > 1) {
        g_autofree char *why = g_strdup(error->message);
        load.replicas = 0;
        status = milvus_api_load(restore->api, op, &load, error);
        if (status == BP_OK) {
            status = milvus_note(notes, BP_NOTE_WARN, "fewer-replicas", error,
                                 "collection %s.%s was loaded with one replica instead of %" PRId32
                                 ": %s",
                                 target->db, target->name, target->from->replica_number, why);
        }
    }
    return status;
}

static bp_status
load(struct bp_restore *restore, const struct bp_op *op, const struct milvus_target *target,
     const struct bp_note_sink *notes, struct bp_error *error)
{
    bool was_loaded = restore->options.load && target->from->load_state == MILVUS_LOAD_LOADED;
    if (!was_loaded && !target->was_loaded) {
        return BP_OK;
    }
    bool bare = target->fate != MILVUS_FATE_USE || drops_indexes(restore, target);
    if (bare && (!restore->options.index || !has_vector_index(target))) {
        return milvus_note(notes, BP_NOTE_WARN, "not-loaded", error,
                           "collection %s.%s was loaded%s; without a vector index it cannot be "
                           "loaded",
                           target->db, target->name,
                           target->was_loaded ? "" : " when it was backed up");
    }
    bp_status status = start_load(restore, op, target, notes, error);
    return status == BP_OK && restore->options.wait
               ? wait_for(restore, op, target, look_at_load, error)
               : status;
}

bp_status
milvus_target_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
                     const struct bp_note_sink *notes, struct bp_error *error)
{
    struct milvus_target *target = restore->targets->pdata[number];
    bp_status status = BP_OK;
    if (drops_indexes(restore, target)) {
        status = drop_indexes(restore, op, target, notes, error);
    }
    if (status == BP_OK && restore->options.index) {
        status = make_indexes(restore, op, target, error);
    }
    if (status == BP_OK && restore->options.index && restore->options.wait) {
        status = wait_for(restore, op, target, look_at_indexes, error);
    }
    if (status == BP_OK) {
        status = make_aliases(restore, op, target, notes, error);
    }
    if (status == BP_OK) {
        status = load(restore, op, target, notes, error);
    }
    return status == BP_OK ? set_properties(restore, op, target, notes, error) : status;
}
