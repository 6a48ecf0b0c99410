/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies that the plugin makes by itself, and uploads in parts.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/store_internal.h"

#include "sdk/lib/ban.h"

/* Both ends are one kind of storage and may know each other. */
static bool
check_copy_pair(const bp_store *dst, const bp_store *src, GError **error)
{
    if (!bp_store_can(dst, BP_STORE_SERVER_COPY)) {
        return bp_store__lacks(dst, "copy of its own", error);
    }
    if (!bp_store_same_plugin(dst, src) ||
        strcmp(dst->info.copy_scope, src->info.copy_scope) != 0) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "storage %s cannot copy from storage %s by itself",
                     dst->base.name, src->base.name);
        return false;
    }
    return true;
}

/* The host did not see the bytes pass: the size is what it can compare. */
static bool
check_copied(const bp_store *dst, const char *key, guint64 wanted,
             const struct bp_object_meta *made, GError **error)
{
    if (wanted == BP_UNKNOWN || made->size == wanted) {
        return true;
    }
    bp_set_error(error, BP_ERR_CORRUPT,
                 "storage %s: copy %s has %" G_GUINT64_FORMAT
                 " bytes instead of %" G_GUINT64_FORMAT,
                 dst->base.name, key, (guint64)made->size, wanted);
    return false;
}

bool
bp_store_copy(bp_store *dst, const bp_call *call, const bp_store_copy_params *params,
              struct bp_object_meta *out, GError **error)
{
    bp_store_use use = bp_store__use(dst, "copy", call);
    bp_status status = BP_OK;
    struct bp_object_meta meta;
    struct bp_copy_args args = {.struct_size = sizeof args,
                                .flags = params->flags,
                                .src_key = params->src_key,
                                .dst_key = params->dst_key,
                                .src_if_match = bp_store__source_version(params->src_if_match),
                                .size = params->size};
    if (!bp_store__check_key(params->src, "copy", params->src_key, error) ||
        !bp_store__check_new_key(dst, "copy", params->dst_key, error) ||
        !check_copy_pair(dst, params->src, error)) {
        return false;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        /* One plugin has both: nobody replaces the source's while we are inside. */
        args.src = bp_store__current(params->src)->plugin;
        meta = bp_store__no_meta();
        status =
            dst->ops->copy(use.instance->plugin, &use.frame.op, &args, &meta, &use.frame.error);
        use.frame.bytes = params->size != BP_UNKNOWN ? params->size : 0;
        bp_store__note_commit(use.instance);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error) &&
           bp_store__take_meta(dst, "copy", params->dst_key, &meta, out, error) &&
           check_copied(dst, params->dst_key, params->size, &meta, error);
}

/* The upload id, of which there must be exactly one. */
typedef struct {
    bp_answer answer;
    char *id;
    GError *bug;
} upload_id;

static int32_t
take_id(void *ctx, const char *text)
{
    upload_id *self = ctx;
    if (self->bug != NULL ||
        !bp_answer_check_text(&self->answer, "upload id", text, BP_TOKEN_MAX, &self->bug)) {
        return 1;
    }
    g_free(self->id);
    self->id = g_strdup(text);
    return 0;
}

char *
bp_store_part_begin(bp_store *store, const bp_call *call, const bp_store_write_params *params,
                    GError **error)
{
    bp_store_use use = bp_store__use(store, "part_begin", call);
    bp_status status = BP_OK;
    upload_id self = {.answer = {&store->base, "part_begin"}};
    struct bp_text_sink sink = {.struct_size = sizeof sink, .ctx = &self, .text = take_id};
    struct bp_write_args args = {.struct_size = sizeof args,
                                 .flags = params->flags,
                                 .key = params->key,
                                 .size = params->size,
                                 .if_match = params->if_match,
                                 .checksum = params->checksum};
    if (!bp_store__check_new_key(store, "part_begin", params->key, error) ||
        !bp_store__check_version(store, "part_begin", params->key, params->if_match, error)) {
        return NULL;
    }
    if (!bp_store_can(store, BP_STORE_PARTS)) {
        (void)bp_store__lacks(store, "uploads in parts", error);
        return NULL;
    }
    do {
        g_clear_pointer(&self.id, g_free); /* of the attempt before */
        if (!bp_store__enter(&use, error)) {
            return NULL;
        }
        status = store->ops->part_begin(use.instance->plugin, &use.frame.op, &args, &sink,
                                        &use.frame.error);
    } while (bp_store__refused(&use, status));
    g_autofree char *id = self.id;
    if (self.bug != NULL) {
        g_clear_error(&use.failed); /* follows from the bug */
        g_propagate_error(error, self.bug);
        return NULL;
    }
    if (!bp_store__result(&use, error)) {
        return NULL;
    }
    if (id == NULL) {
        (void)bp_plugin_bug(&store->base, "part_begin", error, "answered no upload id");
    }
    return g_steal_pointer(&id);
}

static struct bp_part_args
part_args(const bp_store_part_params *params)
{
    return (struct bp_part_args){.struct_size = sizeof(struct bp_part_args),
                                 .key = params->key,
                                 .upload = params->upload,
                                 .number = params->number,
                                 .offset = params->offset,
                                 .size = params->size,
                                 .src_key = params->src_key,
                                 .src_if_match = bp_store__source_version(params->src_if_match)};
}

static bool
check_part(const bp_store *store, const char *what, const bp_store_part_params *params,
           GError **error)
{
    if (!bp_store_can(store, BP_STORE_PARTS)) {
        return bp_store__lacks(store, "uploads in parts", error);
    }
    if (params->number == 0 || params->number > store->info.max_parts ||
        params->size > store->info.max_part) {
        bp_set_error(error, BP_ERR_INVALID,
                     "storage %s: part %u of %s with %" G_GUINT64_FORMAT
                     " bytes is beyond its limits",
                     store->base.name, params->number, params->key, params->size);
        return false;
    }
    return bp_store__check_key(store, what, params->key, error);
}

bp_store_writer *
bp_store_part_open(bp_store *store, const bp_call *call, const bp_store_part_params *params,
                   GError **error)
{
    bp_store_use use = bp_store__use(store, "part_open", call);
    use.may_only_keep = true;
    bp_status status = BP_OK;
    bp_store_writer offer = {.key = (char *)params->key, .promised = params->size};
    struct bp_part_args args = part_args(params);
    if (!check_part(store, "part_open", params, error)) {
        return NULL;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return NULL;
        }
        offer.handle = NULL;
        status = store->ops->part_open(use.instance->plugin, &use.frame.op, &args, &offer.handle,
                                       &use.frame.error);
        bp_store__begin_writer(&use, status, &offer);
    } while (bp_store__refused(&use, status));
    return bp_store__take_writer(&use, status, &offer, error);
}

bool
bp_store_part_copy(bp_store *store, const bp_call *call, const bp_store_part_params *params,
                   struct bp_object_meta *out, GError **error)
{
    bp_store_use use = bp_store__use(store, "part_copy", call);
    bp_status status = BP_OK;
    struct bp_object_meta meta;
    struct bp_part_args args = part_args(params);
    if (store->ops->part_copy == NULL || params->src == NULL) {
        return bp_store__lacks(store, "copy of parts", error);
    }
    if (!check_part(store, "part_copy", params, error) ||
        !bp_store__check_key(params->src, "part_copy", params->src_key, error) ||
        !check_copy_pair(store, params->src, error)) {
        return false;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        args.src = bp_store__current(params->src)->plugin;
        meta = bp_store__no_meta();
        status = store->ops->part_copy(use.instance->plugin, &use.frame.op, &args, &meta,
                                       &use.frame.error);
        use.frame.bytes = params->size;
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error) &&
           bp_store__take_meta(store, "part_copy", params->key, &meta, out, error) &&
           check_copied(store, params->key, params->size, &meta, error);
}

bool
bp_store_part_complete(bp_store *store, const bp_call *call, const bp_store_complete_params *params,
                       struct bp_object_meta *out, GError **error)
{
    bp_store_use use = bp_store__use(store, "part_complete", call);
    bp_status status = BP_OK;
    const bp_store_write_params *write = params->write;
    struct bp_object_meta meta;
    g_autofree struct bp_part *parts = g_new0(struct bp_part, params->n);
    for (guint i = 0; i < params->n; i++) {
        parts[i] = (struct bp_part){.number = i + 1, .etag = params->etags[i]};
    }
    struct bp_complete_args args = {.struct_size = sizeof args,
                                    .flags = write->flags,
                                    .key = write->key,
                                    .upload = params->upload,
                                    .if_match = write->if_match,
                                    .size = write->size,
                                    .parts = parts,
                                    .part_stride = sizeof *parts,
                                    .n_parts = params->n};
    if (!bp_store_can(store, BP_STORE_PARTS)) {
        return bp_store__lacks(store, "uploads in parts", error);
    }
    if (!bp_store__check_key(store, "part_complete", write->key, error) ||
        !bp_store__check_version(store, "part_complete", write->key, write->if_match, error)) {
        return false;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        meta = bp_store__no_meta();
        status = store->ops->part_complete(use.instance->plugin, &use.frame.op, &args, &meta,
                                           &use.frame.error);
        bp_store__note_commit(use.instance);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error) &&
           bp_store__take_meta(store, "part_complete", write->key, &meta, out, error) &&
           check_copied(store, write->key, write->size, &meta, error);
}

bool
bp_store_part_abort(bp_store *store, const bp_call *call, const char *key, const char *upload,
                    GError **error)
{
    bp_store_use use = bp_store__use(store, "part_abort", call);
    bp_status status = BP_OK;
    if (!bp_store_can(store, BP_STORE_PARTS)) {
        return bp_store__lacks(store, "uploads in parts", error);
    }
    if (!bp_store__check_key(store, "part_abort", key, error)) {
        return false;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        status = store->ops->part_abort(use.instance->plugin, &use.frame.op, key, upload,
                                        &use.frame.error);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error);
}

/* The first upload that could not be ended. */
static int32_t
upload_ended(void *ctx, const char *key, const char *extra, int64_t started_ns,
             const struct bp_error *error)
{
    GError **first = ctx;
    (void)extra;
    (void)started_ns;
    struct bp_error raw;
    if (error != NULL && *first == NULL &&
        bp_answer_copy(&raw, sizeof raw, sizeof(guint32), error)) {
        g_autofree char *shown = g_utf8_make_valid(key != NULL ? key : "?", -1);
        bp_set_error_from_plugin(first, &raw);
        g_prefix_error(first, "upload of %s: ", shown);
    }
    return 0;
}

bool
bp_store_uploads_abort(bp_store *store, const bp_call *call, const char *prefix, gint64 before_ns,
                       GError **error)
{
    bp_store_use use = bp_store__use(store, "uploads_abort", call);
    bp_status status = BP_OK;
    g_autoptr(GError) first = NULL;
    struct bp_key_sink sink = {.struct_size = sizeof sink, .ctx = &first, .key = upload_ended};
    if (store->ops->uploads_abort == NULL) {
        return true; /* uploads of this storage expire, or do not exist */
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        g_clear_error(&first); /* of the attempt before */
        status = store->ops->uploads_abort(use.instance->plugin, &use.frame.op, prefix, before_ns,
                                           &sink, &use.frame.error);
    } while (bp_store__refused(&use, status));
    if (!bp_store__result(&use, error)) {
        return false;
    }
    if (first != NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&first),
                                   "storage %s: ", store->base.name);
        return false;
    }
    return true;
}

typedef struct {
    const char *key;
    GPtrArray *ids;
} key_uploads;

static int32_t
note_upload(void *ctx, const char *key, const char *extra, int64_t started_ns,
            const struct bp_error *error)
{
    key_uploads *self = ctx;
    (void)started_ns;
    if (error == NULL && key != NULL && extra != NULL && strcmp(key, self->key) == 0) {
        g_ptr_array_add(self->ids, g_strdup(extra));
    }
    return 0;
}

static bool
list_uploads(bp_store *store, const bp_call *call, key_uploads *found, GError **error)
{
    bp_store_use use = bp_store__use(store, "uploads_list", call);
    bp_status status = BP_OK;
    struct bp_key_sink sink = {.struct_size = sizeof sink, .ctx = found, .key = note_upload};
    do {
        g_ptr_array_set_size(found->ids, 0);
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        status = store->ops->uploads_list(use.instance->plugin, &use.frame.op, found->key, &sink,
                                          &use.frame.error);
    } while (bp_store__refused(&use, status));
    return bp_store__result(&use, error);
}

bool
bp_store_uploads_abort_key(bp_store *store, const bp_call *call, const char *key, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    key_uploads found = {.key = key, .ids = ids};
    if (store->ops->uploads_list == NULL) {
        return true;
    }
    bool fine = bp_store__check_key(store, "uploads_list", key, error) &&
                list_uploads(store, call, &found, error);
    for (guint i = 0; i < ids->len && fine; i++) {
        fine = bp_store_part_abort(store, call, key, g_ptr_array_index(ids, i), error);
    }
    return fine;
}
