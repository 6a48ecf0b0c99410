/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage instances: open, facts, probe, stat, remove, barrier, space.  See store.h.
 */
#include "core/plugin/store.h"

#include <string.h>

#include "core/base/error.h"
#include "core/plugin/store_internal.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define KNOWN_NEEDS \
    (BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE | BP_NEED_SERVER_READ)

bool
bp_store__check_key(const bp_store *store, const char *what, const char *key, GError **error)
{
    const char *why = "is missing";
    if (key != NULL && bp_key_check(key, &why) == 0) {
        return true;
    }
    g_autofree char *shown = g_utf8_make_valid(key != NULL ? key : "", -1);
    bp_set_error(error, BP_ERR_INVALID, "storage %s: %s: key \"%.200s\" %s", store->base.name, what,
                 shown, why);
    return false;
}

bool
bp_store__check_new_key(const bp_store *store, const char *what, const char *key, GError **error)
{
    gsize most = store->info.max_key_part;
    if (!bp_store__check_key(store, what, key, error)) {
        return false;
    }
    for (const char *part = key; most > 0; part++) {
        gsize n = strcspn(part, "/");
        if (n > most) {
            bp_set_error(error, BP_ERR_INVALID,
                         "storage %s: it has no room for %" G_GSIZE_FORMAT
                         " bytes between two \"/\" of a key, at most %" G_GSIZE_FORMAT ": %s",
                         store->base.name, n, most, key);
            return false;
        }
        part += n;
        if (*part == '\0') {
            break;
        }
    }
    return true;
}

bool
bp_store__check_version(const bp_store *store, const char *what, const char *key,
                        const char *if_match, GError **error)
{
    if (if_match == NULL || *if_match != '\0') {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID, "storage %s: %s of %s: it is not known of which version",
                 store->base.name, what, key);
    return false;
}

const char *
bp_store__source_version(const char *if_match)
{
    return if_match != NULL && *if_match != '\0' ? if_match : NULL;
}

bool
bp_store__lacks(const bp_store *store, const char *what, GError **error)
{
    bp_set_error(error, BP_ERR_UNSUPPORTED, "storage %s (%s) has no %s", store->base.name,
                 bp_store_kind(store), what);
    return false;
}

struct bp_object_meta
bp_store__no_meta(void)
{
    return (struct bp_object_meta){.struct_size = sizeof(struct bp_object_meta),
                                   .size = BP_UNKNOWN};
}

bool
bp_store__take_meta(const bp_store *store, const char *what, const char *key,
                    struct bp_object_meta *meta, struct bp_object_meta *out, GError **error)
{
    bp_answer answer = {&store->base, what};
    if (!bp_answer_check_meta(&answer, key, meta, error)) {
        return false;
    }
    if (out != NULL) {
        *out = *meta;
        out->struct_size = sizeof *out;
    }
    return true;
}

/* A capability whose operations or limits are missing is none. */
static guint64
usable_caps(const bp_store *store)
{
    guint64 caps = store->info.caps;
    const struct bp_storage_ops *ops = store->ops;
    if (ops->copy == NULL || store->info.max_copy == 0) {
        caps &= ~BP_STORE_SERVER_COPY;
    }
    if (ops->part_begin == NULL || ops->part_open == NULL || ops->part_complete == NULL ||
        ops->part_abort == NULL) {
        caps &= ~(BP_STORE_PARTS | BP_STORE_PARTS_PARALLEL);
    }
    return caps & (BP_STORE_STRONG_LIST * 2 - 1); /* bits beyond are unknown to us */
}

static bool
check_info(bp_store *store, GError **error)
{
    struct bp_storage_info *info = &store->info;
    if ((info->caps & BP_STORE_RANGE_READ) == 0) {
        return bp_plugin_bug(&store->base, "info", error, "no ranged reads, which are required");
    }
    info->caps = usable_caps(store);
    info->max_object = info->max_object != 0 ? info->max_object : BP_UNKNOWN;
    if ((info->caps & BP_STORE_PARTS) != 0 &&
        (info->max_parts == 0 || info->max_part == 0 || info->min_part > info->max_part)) {
        return bp_plugin_bug(&store->base, "info", error, "parts without sane limits");
    }
    bp_answer_whole_text(info->identity, sizeof info->identity);
    bp_answer_whole_text(info->copy_scope, sizeof info->copy_scope);
    bp_answer_whole_text(info->local_root, sizeof info->local_root);
    bp_answer_whole_text(info->server_root, sizeof info->server_root);
    bp_answer_whole_text(info->place, sizeof info->place);
    if (g_str_has_suffix(info->identity, "/")) {
        return bp_plugin_bug(&store->base, "info", error, "identity \"%s\" ends in '/'",
                             info->identity);
    }
    if (info->local_root[0] != '\0' && info->local_root[0] != '/') {
        return bp_plugin_bug(&store->base, "info", error, "local root \"%s\" is no absolute path",
                             info->local_root);
    }
    return true;
}

static bool
learn_info(bp_store *store, GError **error)
{
    bp_frame frame;
    store->info.struct_size = sizeof store->info;
    if (!bp_frame_enter(&frame, &store->base, "info", NULL, error)) {
        return false;
    }
    bp_status status = store->ops->info(store->current->plugin, &store->info, &frame.error);
    return bp_frame_leave(&frame, status, error) && check_info(store, error);
}

bp_store *
bp_store_open(bp_module *module, const char *name, bp_settings *take_settings, const bp_call *call,
              GError **error)
{
    g_autoptr(bp_store) store = g_new0(bp_store, 1);
    bp_instance_init(&store->base, module, BP_PLUGIN_STORAGE, name);
    store->settings = take_settings;
    store->ops = &module->storage;
    pthread_mutex_init(&store->renew_lock, NULL);
    pthread_mutex_init(&store->lock, NULL);
    if (!bp_module_offers(module, BP_PLUGIN_STORAGE)) {
        bp_set_error(error, BP_ERR_INVALID, "%s is no storage plugin", module->path);
        return NULL;
    }
    store->current = bp_store__open_instance(store, call, error);
    if (store->current == NULL || !learn_info(store, error)) {
        return NULL;
    }
    return g_steal_pointer(&store);
}

void
bp_store_free(bp_store *store)
{
    if (store == NULL) {
        return;
    }
    bp_store__close_instances(store);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->renew_lock);
    bp_settings_free(store->settings);
    bp_instance_clear(&store->base);
    g_free(store);
}

const char *
bp_store_name(const bp_store *store)
{
    return store->base.name;
}

const char *
bp_store_kind(const bp_store *store)
{
    return store->base.module->descriptor.name;
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
    return a->base.module == b->base.module;
}

bool
bp_store_same_identity(const bp_store *a, const bp_store *b)
{
    return bp_store_same_plugin(a, b) && a->info.identity[0] != '\0' &&
           strcmp(a->info.identity, b->info.identity) == 0;
}

guint
bp_store_parallel(const bp_store *store, guint wanted)
{
    const struct bp_plugin *plugin = &store->base.module->descriptor;
    guint most = plugin->thread_model != BP_THREADS_PARALLEL ? 1
                 : plugin->max_parallel != 0                 ? plugin->max_parallel
                                                             : wanted;
    return MAX(MIN(most, wanted), 1u);
}

static bool
probe(bp_store *store, const bp_call *call, const struct bp_probe_args *args, GError **error)
{
    bp_store_use use = bp_store__use(store, "probe", call);
    bp_status status = BP_OK;
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        status = store->ops->probe(use.instance->plugin, &use.frame.op, args, &use.frame.error);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error);
}

bool
bp_store_probe(bp_store *store, const bp_call *call, guint32 need, const char *prefix,
               GError **error)
{
    g_assert((need & ~KNOWN_NEEDS) == 0);
    struct bp_probe_args args = {.struct_size = sizeof args, .need = need, .prefix = prefix};
    return probe(store, call, &args, error);
}

bool
bp_store_probe_server(bp_store *store, const bp_call *call, const char *prefix,
                      const char *server_path, GError **error)
{
    struct bp_probe_args args = {.struct_size = sizeof args,
                                 .need = BP_NEED_SERVER_READ,
                                 .prefix = prefix,
                                 .server_path = server_path};
    return probe(store, call, &args, error);
}

bool
bp_store_stat(bp_store *store, const bp_call *call, const char *key, struct bp_object_meta *out,
              GError **error)
{
    bp_store_use use = bp_store__use(store, "stat", call);
    bp_status status = BP_OK;
    struct bp_object_meta meta;
    if (!bp_store__check_key(store, "stat", key, error)) {
        return false;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        meta = bp_store__no_meta();
        status =
            store->ops->stat(use.instance->plugin, &use.frame.op, key, &meta, &use.frame.error);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error) &&
           bp_store__take_meta(store, "stat", key, &meta, out, error);
}

bool
bp_store_remove(bp_store *store, const bp_call *call, const char *key, const char *if_match,
                GError **error)
{
    bp_store_use use = bp_store__use(store, "remove", call);
    bp_status status = BP_OK;
    if (!bp_store__check_key(store, "remove", key, error) ||
        !bp_store__check_version(store, "remove", key, if_match, error)) {
        return false;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        status = store->ops->remove(use.instance->plugin, &use.frame.op, key, if_match,
                                    &use.frame.error);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error);
}

typedef struct {
    gsize reported;
    struct bp_error first; /* failure; cls is BP_OK while there is none */
    char *first_key;
} removal;

static int32_t
removal_key(void *ctx, const char *key, const char *extra, int64_t started_ns,
            const struct bp_error *error)
{
    removal *self = ctx;
    (void)extra;
    (void)started_ns;
    self->reported++;
    if (error != NULL && self->first_key == NULL) {
        (void)bp_answer_copy(&self->first, sizeof self->first, sizeof(guint32), error);
        self->first_key = g_utf8_make_valid(key != NULL ? key : "?", -1);
    }
    return 0;
}

static bool
remove_together(bp_store *store, const bp_call *call, const char *const *keys, gsize n,
                GError **error)
{
    bp_store_use use = bp_store__use(store, "remove_many", call);
    bp_status status = BP_OK;
    removal self = {0};
    struct bp_key_sink sink = {.struct_size = sizeof sink, .ctx = &self, .key = removal_key};
    do {
        g_free(self.first_key);
        self = (removal){0};
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        status = store->ops->remove_many(use.instance->plugin, &use.frame.op, keys, n, &sink,
                                         &use.frame.error);
    } while (bp_store__refused(&use, status));
    g_autofree char *first_key = self.first_key;
    if (!bp_store__result(&use, error)) {
        return false;
    }
    if (first_key != NULL) {
        bp_set_error_from_plugin(error, &self.first);
        g_prefix_error(error, "storage %s: cannot remove %s: ", store->base.name, first_key);
        return false;
    }
    return self.reported == n || bp_plugin_bug(&store->base, "remove_many", error,
                                               "reported %zu of %zu keys", self.reported, n);
}

bool
bp_store_remove_many(bp_store *store, const bp_call *call, const char *const *keys, gsize n,
                     GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (!bp_store__check_key(store, "remove_many", keys[i], error)) {
            return false;
        }
    }
    if (store->ops->remove_many != NULL && n > 0) {
        return remove_together(store, call, keys, n, error);
    }
    for (gsize i = 0; i < n; i++) {
        if (!bp_store_remove(store, call, keys[i], NULL, error)) {
            return false;
        }
    }
    return true;
}

/* Inside of a frame.  What is committed meanwhile may come too late for this barrier. */
static bp_status
sync_inside(const bp_store *store, bp_store_instance *instance, bp_frame *frame)
{
    bool before = atomic_exchange(&instance->unsynced, false);
    bp_status status = store->ops->sync(instance->plugin, &frame->op, &frame->error);
    if (status != BP_OK && before) {
        bp_store__note_commit(instance);
    }
    return status;
}

/*
 * An instance that was replaced may keep commits to itself.  If its login is refused once more it
 * does not: the barrier asks a server, and has been told of them by the one that took its place.
 */
static bool
sync_replaced(bp_store *store, bp_store_instance *old, const bp_call *call, GError **error)
{
    bp_frame frame;
    g_autoptr(GError) failed = NULL;
    bool fine = bp_frame_enter(&frame, &store->base, "sync", call, &failed);
    if (fine) {
        bp_status status = sync_inside(store, old, &frame);
        fine = bp_frame_leave(&frame, status, &failed);
    }
    if (!fine && bp_error_is(failed, BP_ERR_AUTH)) {
        atomic_store(&old->unsynced, false);
        return true;
    }
    if (!fine) {
        bp_store__note_commit(old);
        g_propagate_error(error, g_steal_pointer(&failed));
    }
    return fine;
}

bool
bp_store_sync(bp_store *store, const bp_call *call, GError **error)
{
    bp_store_use use = bp_store__use(store, "sync", call);
    bp_status status = BP_OK;
    if (store->ops->sync == NULL) {
        return true;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        status = sync_inside(store, use.instance, &use.frame);
    } while (bp_store__refused(&use, status));
    bool fine = bp_store__result(&use, error);
    bp_store_instance *old = fine ? bp_store__unsynced(store) : NULL;
    while (old != NULL) {
        fine = sync_replaced(store, old, call, error);
        bp_store__end_stream(old);
        old = fine ? bp_store__unsynced(store) : NULL;
    }
    return fine;
}

bool
bp_store_space(bp_store *store, const bp_call *call, struct bp_space *out, GError **error)
{
    bp_store_use use = bp_store__use(store, "space", call);
    bp_status status = BP_OK;
    const struct bp_space unknown = {
        .struct_size = sizeof *out, .total = BP_UNKNOWN, .available = BP_UNKNOWN};
    *out = unknown;
    if (store->ops->space == NULL) {
        return true;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        *out = unknown;
        status = store->ops->space(use.instance->plugin, &use.frame.op, out, &use.frame.error);
    } while (bp_store__refused(&use, status));
    if (!bp_store__result(&use, error)) {
        return false;
    }
    if (out->total != BP_UNKNOWN && out->available != BP_UNKNOWN && out->available > out->total) {
        return bp_plugin_bug(&store->base, "space", error, "more available than there is");
    }
    return true;
}
