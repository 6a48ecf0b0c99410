/* SPDX-License-Identifier: Apache-2.0
 *
 * The fake's objects, faults, and the operations on whole objects.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "tests/harness/fake_store_internal.h"

#include "sdk/lib/ban.h"

#define HANGS_NS (60 * BP_NS_PER_S)

static const char *const op_names[FAKE_OPS] = {
    "probe",     "stat",          "list",       "read_open",     "read",  "write_open", "write",
    "commit",    "abort",         "remove",     "sync",          "copy",  "part_begin", "part_open",
    "part_copy", "part_complete", "part_abort", "uploads_abort", "space",
};

static void
free_object(void *data)
{
    fake_object *object = data;
    g_bytes_unref(object->bytes);
    g_free(object);
}

void
fake_upload_free(fake_upload *upload)
{
    g_free(upload->key);
    g_free(upload->id);
    g_ptr_array_unref(upload->parts);
    g_free(upload);
}

bp_store *
fake_store_new(const char *name)
{
    bp_store *store = g_new0(bp_store, 1);
    store->name = g_strdup(name);
    store->kind = g_strdup("fake");
    store->info = (struct bp_storage_info){
        .struct_size = sizeof store->info,
        .caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH |
                BP_STORE_IF_MATCH | BP_STORE_LIST_SORTED | BP_STORE_LIST_START_AFTER |
                BP_STORE_UNKNOWN_SIZE | BP_STORE_KEY_IS_PREFIX | BP_STORE_STRONG_LIST,
        .max_object = BP_UNKNOWN,
        .max_copy = BP_UNKNOWN,
        .max_list = 1000,
        .max_key_part = 255,
    };
    g_strlcpy(store->info.identity, name, sizeof store->info.identity);
    pthread_mutex_init(&store->lock, NULL);
    store->objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_object);
    store->staged = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_object);
    store->uploads = g_ptr_array_new_with_free_func((GDestroyNotify)fake_upload_free);
    store->rules = g_array_new(FALSE, FALSE, sizeof(fake_rule));
    store->synthetic = BP_UNKNOWN;
    return store;
}

void
bp_store_free(bp_store *store)
{
    if (store != NULL) {
        g_free(store->name);
        g_free(store->kind);
        g_hash_table_unref(store->objects);
        g_hash_table_unref(store->staged);
        g_ptr_array_unref(store->uploads);
        g_array_unref(store->rules);
        pthread_mutex_destroy(&store->lock);
        g_free(store);
    }
}

void
fake_set_error(GError **error, int cls, const bp_store *store, const char *op, const char *key,
               const char *why)
{
    bp_set_error(error, cls, "fake %s: %s %s: %s", store->name, op, key, why);
}

static void
raise_fault(const bp_store *store, const fake_fault *fault, const char *key, GError **error)
{
    struct bp_error raw = {.struct_size = sizeof raw,
                           .cls = fault->cls,
                           .retry_after_ms = fault->retry_after_ms,
                           .flags = fault->takes_effect || fault->unknown ? BP_ERROR_OUTCOME_UNKNOWN
                                                                          : 0};
    g_snprintf(raw.message, sizeof raw.message, "fake %s: %s %s: %s", store->name,
               op_names[fault->op], key, fault->message != NULL ? fault->message : "injected");
    bp_set_error_from_plugin(error, &raw);
}

/* The fault that strikes this call, if any. */
static bool
match(bp_store *store, fake_op op, const char *key, fake_fault *out)
{
    BP_LOCK_GUARD(&store->lock);
    store->calls[op]++;
    for (guint i = 0; i < store->rules->len; i++) {
        fake_rule *rule = &g_array_index(store->rules, fake_rule, i);
        if (rule->fault.op != op ||
            (rule->fault.key != NULL && strcmp(rule->fault.key, key) != 0) ||
            rule->seen++ < rule->fault.skip ||
            (rule->fault.times != 0 && rule->done >= rule->fault.times)) {
            continue;
        }
        rule->done++;
        *out = rule->fault;
        return true;
    }
    return false;
}

bool
fake_enter(bp_store *store, fake_op op, const char *key, const bp_call *call, bool *effect,
           GError **error)
{
    fake_fault fault;
    *effect = true;
    if (match(store, op, key, &fault)) {
        if (fault.hook != NULL) {
            fault.hook(fault.ctx, key);
        }
        if (fault.hangs && call != NULL) {
            (void)bp_cancel_sleep_ns(call->cancel, HANGS_NS);
        }
        if (fault.cls != BP_OK) {
            *effect = fault.takes_effect;
            raise_fault(store, &fault, key, error);
            return false;
        }
    }
    if (call != NULL && bp_cancel_is_set(call->cancel)) {
        *effect = false;
        fake_set_error(error, BP_ERR_CANCELLED, store, op_names[op], key, "cancelled");
        return false;
    }
    return true;
}

fake_object *
fake_find(bp_store *store, const char *key)
{
    if (store->synthetic == BP_UNKNOWN) {
        return g_hash_table_lookup(store->objects, key);
    }
    fake_object *object = g_hash_table_lookup(store->objects, "synthetic");
    if (object == NULL) {
        GBytes *bytes = g_bytes_new_take(g_malloc0(store->synthetic), store->synthetic);
        object = fake_insert(store, "synthetic", bytes, true);
    }
    return object;
}

fake_object *
fake_insert(bp_store *store, const char *key, GBytes *take_bytes, bool visible)
{
    fake_object *object = g_new0(fake_object, 1);
    object->bytes = take_bytes;
    g_snprintf(object->etag, sizeof object->etag, "v%u", ++store->versions);
    g_hash_table_replace(visible ? store->objects : store->staged, g_strdup(key), object);
    return object;
}

void
fake_fill_meta(bp_store *store, const fake_object *object, struct bp_object_meta *out)
{
    if (out == NULL) {
        return;
    }
    *out = (struct bp_object_meta){.struct_size = sizeof *out,
                                   .size = g_bytes_get_size(object->bytes),
                                   .checksum = store->lie_checksum,
                                   .mtime_ns = 1};
    out->size += (guint64)store->lie_size;
    g_strlcpy(out->etag, object->etag, sizeof out->etag);
}

GBytes *
fake_open(bp_store *store, const char *op, const char *key, const char *if_match,
          struct bp_object_meta *meta, GError **error)
{
    BP_LOCK_GUARD(&store->lock);
    const fake_object *object = fake_find(store, key);
    if (object == NULL) {
        fake_set_error(error, BP_ERR_NOT_FOUND, store, op, key, "no such object");
        return NULL;
    }
    if (if_match != NULL && strcmp(if_match, object->etag) != 0) {
        fake_set_error(error, BP_ERR_EXISTS, store, op, key, "another version");
        return NULL;
    }
    fake_fill_meta(store, object, meta);
    return g_bytes_ref(object->bytes);
}

/* The store as the core sees it. */

bp_call
bp_call_undo(const bp_call *call)
{
    bp_call undo = {.deadline_ns = bp_clock_mono_ns() + 30 * BP_NS_PER_S};
    undo.refs = call != NULL ? call->refs : NULL;
    undo.cancel = call != NULL ? bp_cancel_grace(call->cancel) : NULL;
    return undo;
}

const char *
bp_store_name(const bp_store *store)
{
    return store->name;
}

const char *
bp_store_kind(const bp_store *store)
{
    return store->kind;
}

const struct bp_storage_info *
bp_store_info(const bp_store *store)
{
    return &store->info;
}

bool
bp_store_can(const bp_store *store, guint64 caps)
{
    return (store->info.caps & caps) == caps;
}

bool
bp_store_same_plugin(const bp_store *a, const bp_store *b)
{
    return strcmp(a->kind, b->kind) == 0;
}

guint
bp_store_parallel(const bp_store *store G_GNUC_UNUSED, guint wanted)
{
    return MAX(wanted, 1);
}

bool
bp_store_probe(bp_store *store, const bp_call *call, guint32 need G_GNUC_UNUSED, const char *prefix,
               GError **error)
{
    bool effect;
    return fake_enter(store, FAKE_PROBE, prefix, call, &effect, error);
}

bool
bp_store_stat(bp_store *store, const bp_call *call, const char *key, struct bp_object_meta *out,
              GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_STAT, key, call, &effect, error)) {
        return false;
    }
    g_autoptr(GBytes) bytes = fake_open(store, "stat", key, NULL, out, error);
    return bytes != NULL;
}

bool
bp_store_remove(bp_store *store, const bp_call *call, const char *key, const char *if_match,
                GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_REMOVE, key, call, &effect, error)) {
        return false;
    }
    BP_LOCK_GUARD(&store->lock);
    const fake_object *object = g_hash_table_lookup(store->objects, key);
    if (object != NULL && if_match != NULL && strcmp(if_match, object->etag) != 0) {
        fake_set_error(error, BP_ERR_EXISTS, store, "remove", key, "another version");
        return false;
    }
    g_hash_table_remove(store->objects, key);
    g_hash_table_remove(store->staged, key);
    return true;
}

bool
bp_store_remove_many(bp_store *store, const bp_call *call, const char *const *keys, gsize n,
                     GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (!bp_store_remove(store, call, keys[i], NULL, error)) {
            return false;
        }
    }
    return true;
}

static gboolean
publish(void *key, void *object, void *store)
{
    g_hash_table_replace(((bp_store *)store)->objects, key, object);
    return TRUE;
}

bool
bp_store_sync(bp_store *store, const bp_call *call, GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_SYNC, "", call, &effect, error)) {
        return false;
    }
    BP_LOCK_GUARD(&store->lock);
    g_hash_table_foreach_steal(store->staged, publish, store);
    return true;
}

bool
bp_store_space(bp_store *store, const bp_call *call, struct bp_space *out, GError **error)
{
    bool effect;
    *out =
        (struct bp_space){.struct_size = sizeof *out, .total = BP_UNKNOWN, .available = BP_UNKNOWN};
    return fake_enter(store, FAKE_SPACE, "", call, &effect, error);
}

bool
bp_store_prove_same(bp_store *writable, bp_store *other, const bp_call *call G_GNUC_UNUSED,
                    bool *same, GError **error G_GNUC_UNUSED)
{
    *same = strcmp(writable->info.identity, other->info.identity) == 0;
    return true;
}

bool
bp_store_prove_reach(bp_store *server, bp_store *other, const char *key,
                     const bp_call *call G_GNUC_UNUSED)
{
    BP_LOCK_GUARD(&other->lock);
    return *server->info.place != '\0' && strcmp(server->info.place, other->info.place) == 0 &&
           fake_find(other, key) != NULL;
}
