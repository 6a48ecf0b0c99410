/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage through the host, for sources: references are looked up in the call, keys are moved
 * below the reference's prefix and back, rights of the reference are enforced.
 */
#include <inttypes.h>
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/answer.h"
#include "core/plugin/host.h"
#include "core/plugin/refs.h"
#include "core/plugin/store_internal.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define WRITE_SMALL_MAX (16u << 20)
/* More is a size that went wrong, such as BP_UNKNOWN. */
#define READ_SMALL_MAX (1u << 30)

/* What a reference of this call stands for. */
typedef struct {
    bp_store *store;
    const char *prefix;
    guint32 flags;
    const bp_call *call;
} target;

static bool
find_target(const struct bp_op *op, const char *ref, target *out, struct bp_error *raw)
{
    const bp_frame *frame = bp_frame_of(op);
    out->call = frame != NULL ? &frame->call : NULL;
    out->store =
        frame != NULL ? bp_refs_find(frame->call.refs, ref, &out->prefix, &out->flags) : NULL;
    if (out->store == NULL) {
        (void)bp_fail(raw, BP_ERR_NOT_FOUND, "there is no storage \"%s\" in reach of this call",
                      ref != NULL ? ref : "");
        return false;
    }
    return true;
}

/* A source does not try again: what fails for a moment is our business, as everywhere. */
static bool
persist(const target *to, bool (*step)(void *ctx, GError **error), void *ctx, GError **error)
{
    const bp_retry_params *retry = bp_refs_retry(to->call->refs);
    if (retry == NULL) {
        return step(ctx, error);
    }
    bp_retry_params params = *retry;
    params.cancel = to->call->cancel;
    params.deadline_ns = to->call->deadline_ns;
    return bp_retry(&params, step, ctx, error);
}

static bool
join_key(const target *to, const char *key, char *out, gsize cap, struct bp_error *raw)
{
    const char *why = "is missing";
    if (key == NULL || bp_key_check(key, &why) != 0) {
        (void)bp_fail(raw, BP_ERR_INVALID, "key \"%.200s\" %s", key != NULL ? key : "", why);
        return false;
    }
    if (bp_key_join(out, cap, to->prefix, key) != 0) {
        (void)bp_fail(raw, BP_ERR_INVALID, "key \"%.200s\" is too long below \"%.200s\"", key,
                      to->prefix);
        return false;
    }
    return true;
}

static bool
find_object(const struct bp_op *op, const char *ref, const char *key, target *to, char *full,
            struct bp_error *raw)
{
    return find_target(op, ref, to, raw) && join_key(to, key, full, BP_KEY_MAX + 1, raw);
}

static bp_status
hand_over(GError *take_failed, struct bp_error *raw)
{
    bp_status status = bp_error_to_plugin(take_failed, raw);
    g_error_free(take_failed);
    return status;
}

/* A part of a name would be another place's: whole or not at all. */
static void
join_identity(char *out, gsize cap, const char *identity, const char *prefix)
{
    gsize n = strlen(prefix);
    n -= n > 0 && prefix[n - 1] == '/' ? 1 : 0;
    if (*identity == '\0' ||
        g_snprintf(out, cap, "%s%s%.*s", identity, n > 0 ? "/" : "", (int)n, prefix) >= (gint)cap) {
        *out = '\0';
    }
}

static void
join_root(char *out, gsize cap, const char *root, const char *prefix)
{
    const char *slash = g_str_has_suffix(root, "/") ? "" : "/";
    if (*root == '\0') {
        *out = '\0';
    } else {
        g_snprintf(out, cap, "%s%s%s", root, slash, prefix);
    }
}

/* Where there is no path on this machine, a root is the beginning of keys, and may be empty. */
static void
join_server_root(char *out, gsize cap, const struct bp_storage_info *info, const char *prefix)
{
    if (*info->local_root == '\0' && *info->server_root == '\0') {
        g_strlcpy(out, prefix, cap);
    } else {
        join_root(out, cap, info->server_root, prefix);
    }
}

bp_status
bp_host__storage_info(const struct bp_op *op, const char *ref, struct bp_storage_view *out,
                      struct bp_error *raw)
{
    target to = {0};
    struct bp_storage_view view = {.struct_size = sizeof view};
    if (!find_target(op, ref, &to, raw)) {
        return raw->cls;
    }
    view.flags = to.flags;
    g_strlcpy(view.kind, bp_store_kind(to.store), sizeof view.kind);
    join_identity(view.identity, sizeof view.identity, to.store->info.identity, to.prefix);
    join_root(view.local_root, sizeof view.local_root, to.store->info.local_root, to.prefix);
    join_server_root(view.server_root, sizeof view.server_root, &to.store->info, to.prefix);
    guint32 size = MIN(out->struct_size, (guint32)sizeof view);
    view.struct_size = out->struct_size;
    memcpy(out, &view, size);
    return BP_OK;
}

static bool
args_are_fine(const struct bp_list_args *args, struct bp_error *raw)
{
    if (args->flags != 0 || args->max == 0 || (args->delimiter != 0 && args->delimiter != '/')) {
        (void)bp_fail(raw, BP_ERR_INVALID, "listing with flags %u, max %u, delimiter %d",
                      args->flags, args->max, args->delimiter);
        return false;
    }
    return true;
}

static bool
sink_is_whole(const struct bp_list_sink *sink, struct bp_error *raw)
{
    if (!BP_HAS(sink, struct bp_list_sink, entry) || !BP_HAS(sink, struct bp_list_sink, prefix) ||
        !BP_HAS(sink, struct bp_list_sink, next)) {
        (void)bp_fail(raw, BP_ERR_INVALID, "listing into a sink that lacks a function");
        return false;
    }
    return true;
}

/* Hand a page to the plugin, with keys as it knows them. */
static bp_status
pass_page(const target *to, const bp_list_page *page, const char *after,
          const struct bp_list_sink *sink, struct bp_error *raw)
{
    gsize skip = strlen(to->prefix);
    int32_t stop = 0;
    for (guint i = 0; i < page->entries->len && stop == 0; i++) {
        const bp_list_entry *entry = &g_array_index(page->entries, bp_list_entry, i);
        if (after != NULL && strcmp(entry->key, after) <= 0) {
            continue;
        }
        stop = entry->is_prefix ? sink->prefix(sink->ctx, entry->key + skip)
                                : sink->entry(sink->ctx, entry->key + skip, &entry->meta);
    }
    if (stop == 0 && page->next != NULL) {
        stop = sink->next(sink->ctx, page->next);
    }
    return stop == 0 ? BP_OK : bp_fail(raw, BP_ERR_CANCELLED, "the listing was stopped");
}

typedef struct {
    const target *to;
    const struct bp_list_args *args;
    bp_list_page page;
} listing;

static bool
try_list(void *ctx, GError **error)
{
    listing *self = ctx;
    bp_list_page_clear(&self->page);
    return bp_store__list_page(self->to->store, self->to->call, self->args, &self->page, error);
}

bp_status
bp_host__storage_list(const struct bp_op *op, const char *ref, const struct bp_list_args *args,
                      const struct bp_list_sink *sink, struct bp_error *raw)
{
    target to = {0};
    GError *failed = NULL;
    if (!find_target(op, ref, &to, raw) || !args_are_fine(args, raw) || !sink_is_whole(sink, raw)) {
        return raw->cls;
    }
    const char *prefix = args->prefix != NULL ? args->prefix : "";
    g_autofree char *full = g_strconcat(to.prefix, prefix, NULL);
    g_autofree char *after =
        args->start_after != NULL ? g_strconcat(to.prefix, args->start_after, NULL) : NULL;
    bool native = bp_store_can(to.store, BP_STORE_LIST_START_AFTER);
    struct bp_list_args inner = {.struct_size = sizeof inner,
                                 .prefix = full,
                                 .start_after = native ? after : NULL,
                                 .token = args->token,
                                 .max = MIN(args->max, bp_store__page_max(to.store)),
                                 .delimiter = args->delimiter};
    listing self = {.to = &to, .args = &inner};
    bp_status status = persist(&to, try_list, &self, &failed)
                           ? pass_page(&to, &self.page, after, sink, raw)
                           : hand_over(failed, raw);
    bp_list_page_clear(&self.page);
    return status;
}

/* One object of a reference, and what is to be done with it. */
typedef struct {
    const target *to;
    const char *key;
    struct bp_object_meta meta;        /* stat */
    const struct bp_read_args *args;   /* read */
    guint8 *buffer;                    /* read */
    gsize *n;                          /* read */
    const bp_store_put_params *params; /* write */
} object;

static bool
try_stat(void *ctx, GError **error)
{
    object *self = ctx;
    return bp_store_stat(self->to->store, self->to->call, self->key, &self->meta, error);
}

bp_status
bp_host__storage_stat(const struct bp_op *op, const char *ref, const char *key,
                      struct bp_object_meta *out, struct bp_error *raw)
{
    target to = {0};
    char full[BP_KEY_MAX + 1];
    GError *failed = NULL;
    object self = {.to = &to, .key = full};
    if (!find_object(op, ref, key, &to, full, raw)) {
        return raw->cls;
    }
    if (!persist(&to, try_stat, &self, &failed)) {
        return hand_over(failed, raw);
    }
    guint32 size = MIN(out->struct_size, (guint32)sizeof self.meta);
    self.meta.struct_size = out->struct_size;
    memcpy(out, &self.meta, size);
    return BP_OK;
}

static bool
read_piece(bp_store_reader *reader, const bp_call *call, guint8 *buffer, gsize cap, gsize *n,
           GError **error)
{
    gsize got = 0;
    do {
        if (!bp_store_read(reader, call, buffer + *n, cap - *n, &got, error)) {
            return false;
        }
        *n += got;
    } while (got > 0 && *n < cap);
    return true;
}

static bool
try_read(void *ctx, GError **error)
{
    object *self = ctx;
    const bp_call *call = self->to->call;
    const struct bp_read_args *args = self->args;
    bp_store_read_params params = {.key = self->key,
                                   .offset = args->offset,
                                   .length = args->length,
                                   .if_match = args->if_match};
    *self->n = 0;
    bp_store_reader *reader = bp_store_read_open(self->to->store, call, &params, NULL, error);
    bool fine = reader != NULL && (args->length == 0 || read_piece(reader, call, self->buffer,
                                                                   args->length, self->n, error));
    bp_store_read_close(reader);
    return fine;
}

bp_status
bp_host__storage_read_small(const struct bp_op *op, const char *ref,
                            const struct bp_read_args *args, void *buffer, size_t *n,
                            struct bp_error *raw)
{
    target to = {0};
    char full[BP_KEY_MAX + 1];
    GError *failed = NULL;
    object self = {.to = &to, .key = full, .args = args, .buffer = buffer, .n = n};
    *n = 0;
    if (!find_object(op, ref, args->key, &to, full, raw)) {
        return raw->cls;
    }
    if (args->flags != 0 || args->length > READ_SMALL_MAX) {
        return bp_fail(raw, BP_ERR_INVALID, "%s: reading with flags %u, %" PRIu64 " bytes",
                       args->key, args->flags, args->length);
    }
    if (!persist(&to, try_read, &self, &failed)) {
        return hand_over(failed, raw);
    }
    const bp_ref_piece piece = {.key = args->key, .offset = args->offset, .bytes = buffer, .n = *n};
    return bp_refs_show(to.call->refs, ref, &piece, &failed) ? BP_OK : hand_over(failed, raw);
}

static bool
may_write(const target *to, const char *ref, struct bp_error *raw)
{
    if ((to->flags & BP_VIEW_READ_ONLY) != 0) {
        (void)bp_fail(raw, BP_ERR_DENIED, "storage \"%s\" is read-only for this call", ref);
        return false;
    }
    return true;
}

static bool
try_write(void *ctx, GError **error)
{
    object *self = ctx;
    return bp_store_put(self->to->store, self->to->call, self->params, error);
}

bp_status
bp_host__storage_write_small(const struct bp_op *op, const char *ref, const char *key,
                             const void *bytes, size_t n, struct bp_error *raw)
{
    target to = {0};
    char full[BP_KEY_MAX + 1];
    GError *failed = NULL;
    if (!find_object(op, ref, key, &to, full, raw) || !may_write(&to, ref, raw)) {
        return raw->cls;
    }
    if (n > WRITE_SMALL_MAX) {
        return bp_fail(raw, BP_ERR_INVALID, "%s: %zu bytes are no small object", key, n);
    }
    bp_store_put_params params = {.key = full, .bytes = bytes, .n = n, .flags = BP_WRITE_DURABLE};
    object self = {.to = &to, .params = &params};
    return persist(&to, try_write, &self, &failed) ? BP_OK : hand_over(failed, raw);
}

static bool
try_remove(void *ctx, GError **error)
{
    object *self = ctx;
    return bp_store_remove(self->to->store, self->to->call, self->key, NULL, error);
}

bp_status
bp_host__storage_remove(const struct bp_op *op, const char *ref, const char *key,
                        struct bp_error *raw)
{
    target to = {0};
    char full[BP_KEY_MAX + 1];
    GError *failed = NULL;
    if (!find_object(op, ref, key, &to, full, raw) || !may_write(&to, ref, raw)) {
        return raw->cls;
    }
    object self = {.to = &to, .key = full};
    return persist(&to, try_remove, &self, &failed) ? BP_OK : hand_over(failed, raw);
}
