/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts: each part is tried again by itself, so that a failure late in a large object
 * costs one part and not all of it.
 *
 * The parts of one object go one after the other: its checksum is made in one pass over the bytes
 * in order, and the other workers have other objects to keep the line full.
 */
#include "core/copy/transfer.h"

#include "core/base/error.h"
#include "core/base/log.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "copy"

#define DEFAULT_PART_BYTES (64 * 1024 * 1024) /* where parts are a must and not a wish */

typedef struct {
    bp_transfer *transfer;
    bp_store *dst;
    bp_store_write_params write; /* the whole object */
    bool direct;
    guint64 part_bytes;
    char *id;
    GPtrArray *etags;             /* of the parts that are done; their number + 1 is the next */
    bp_intake intake;             /* not direct only */
    bp_sums before;               /* as they were at the start of the next part */
    struct bp_object_meta source; /* direct only */
    struct bp_object_meta meta;
} upload;

bool
bp_parts_wanted(const bp_transfer *transfer, guint64 size, bool direct)
{
    const bp_copy_params *params = &transfer->env->params;
    if (!bp_store_can(params->dst, BP_STORE_PARTS) || size == 0) {
        return false;
    }
    const struct bp_storage_info *info = bp_store_info(params->dst);
    if (direct) {
        return size > info->max_copy;
    }
    return size > info->max_object || (params->part_bytes > 0 && size > params->part_bytes);
}

static guint64
part_size(const bp_copy_params *params, guint64 size)
{
    const struct bp_storage_info *info = bp_store_info(params->dst);
    guint64 wish = params->part_bytes > 0 ? params->part_bytes : DEFAULT_PART_BYTES;
    guint64 part = MAX(wish, MAX(info->min_part, 1));
    if (info->max_parts > 0) {
        part = MAX(part, (size - 1) / info->max_parts + 1);
    }
    return info->max_part > 0 ? MIN(part, info->max_part) : part;
}

static bool
write_part(upload *up, bp_store_writer *writer, guint64 bytes, GError **error)
{
    bp_transfer *transfer = up->transfer;
    gsize n = 0;
    for (guint64 left = bytes; left > 0; left -= n) {
        gsize cap = MIN(left, transfer->env->params.buffer_bytes);
        if (!bp_transfer__pump(transfer, &up->intake, writer, cap, &n, error)) {
            return false;
        }
        if (n == 0) {
            transfer->final = true;
            bp_set_error(error, BP_ERR_CORRUPT,
                         "source object %s has %" G_GUINT64_FORMAT
                         " bytes, it was named with %" G_GUINT64_FORMAT,
                         transfer->item->src_key, up->intake.offset, up->write.size);
            return false;
        }
    }
    return true;
}

static bool
stream_part(upload *up, const bp_store_part_params *part, GError **error)
{
    bp_transfer *transfer = up->transfer;
    const bp_call *call = &transfer->env->call;
    if (up->intake.offset != part->offset) { /* after a failure in the middle of this part */
        bp_intake_seek(&up->intake, part->offset);
    }
    bp_sums_copy(&transfer->sums, &up->before);
    bp_store_writer *writer = bp_store_part_open(up->dst, call, part, error);
    if (writer == NULL) {
        return false;
    }
    if (!write_part(up, writer, part->size, error)) {
        bp_store_write_abort(writer);
        return false;
    }
    if (!bp_store_write_commit(writer, call, &up->meta, error)) {
        return false;
    }
    bp_sums_copy(&up->before, &transfer->sums);
    return true;
}

static bool
put_part(void *ctx, GError **error)
{
    upload *up = ctx;
    bp_transfer *transfer = up->transfer;
    const bp_copy_item *item = transfer->item;
    guint64 offset = up->etags->len * up->part_bytes;
    bp_store_part_params part = {
        .key = item->dst_key,
        .upload = up->id,
        .number = up->etags->len + 1,
        .offset = offset,
        .size = MIN(up->part_bytes, up->write.size - offset),
        .src = up->direct ? item->src : NULL,
        .src_key = item->src_key,
        .src_if_match = item->src_etag != NULL ? item->src_etag : up->source.etag,
    };
    up->meta = (struct bp_object_meta){.struct_size = sizeof up->meta};
    bool ok = up->direct
                  ? bp_store_part_copy(up->dst, &transfer->env->call, &part, &up->meta, error)
                  : stream_part(up, &part, error);
    if (ok) {
        g_ptr_array_add(up->etags, g_strdup(up->meta.etag));
        bp_transfer__count(transfer, offset + part.size);
    }
    return ok;
}

/* All parts must come from one version of the source. */
static bool
pin_source(void *ctx, GError **error)
{
    upload *up = ctx;
    const bp_transfer *transfer = up->transfer;
    up->source = (struct bp_object_meta){.struct_size = sizeof up->source};
    return !up->direct || transfer->item->src_etag != NULL ||
           bp_store_stat(transfer->item->src, &transfer->env->call, transfer->item->src_key,
                         &up->source, error);
}

static bool
begin_upload(void *ctx, GError **error)
{
    upload *up = ctx;
    up->id = bp_store_part_begin(up->dst, &up->transfer->env->call, &up->write, error);
    return up->id != NULL;
}

static bool
complete(void *ctx, GError **error)
{
    upload *up = ctx;
    up->meta = (struct bp_object_meta){.struct_size = sizeof up->meta, .size = BP_UNKNOWN};
    bp_store_complete_params params = {.write = &up->write,
                                       .upload = up->id,
                                       .etags = (const char *const *)up->etags->pdata,
                                       .n = up->etags->len};
    GError *failed = NULL;
    if (bp_store_part_complete(up->dst, &up->transfer->env->call, &params, &up->meta, &failed) ||
        bp_transfer__settled(up->transfer, up->write.size, &up->meta, failed)) {
        g_clear_error(&failed);
        return true;
    }
    g_propagate_error(error, failed);
    return false;
}

/* Each step has attempts of its own: what is done stays done. */
static bool
with_retry(upload *up, bool (*step)(void *ctx, GError **error), GError **error)
{
    return bp_transfer__try(up->transfer, step, up, error);
}

static bool
tell(const upload *up, bool finished, GError **error)
{
    const bp_copy_params *params = &up->transfer->env->params;
    return params->upload == NULL ||
           params->upload(params->ctx, up->write.key, up->id, finished, error);
}

static bool
run_upload(upload *up, GError **error)
{
    /* The id is on record before there is anything that a crash could leave behind. */
    if (!tell(up, false, error)) {
        return false;
    }
    while (up->etags->len * up->part_bytes < up->write.size) {
        if (!with_retry(up, put_part, error)) {
            return false;
        }
    }
    return with_retry(up, complete, error);
}

/* What cannot be aborted now stays on record, for a later run. */
static void
abort_upload(const upload *up)
{
    bp_call undo = bp_call_undo(&up->transfer->env->call);
    g_autoptr(GError) failed = NULL;
    if (!bp_store_part_abort(up->dst, &undo, up->write.key, up->id, &failed) ||
        !tell(up, true, &failed)) {
        BP_WARN("an upload could not be aborted", "key", up->write.key, "upload", up->id, "reason",
                failed->message);
    }
}

static bool
run_and_end(upload *up, GError **error)
{
    if (!with_retry(up, pin_source, error) || !with_retry(up, begin_upload, error)) {
        return false;
    }
    if (!run_upload(up, error)) {
        abort_upload(up);
        return false;
    }
    return tell(up, true, error) &&
           bp_transfer__accept(up->transfer, &up->meta, up->write.size, error);
}

bool
bp_parts_run(bp_transfer *transfer, guint64 size, bool direct, GError **error)
{
    const bp_copy_params *params = &transfer->env->params;
    upload up = {
        .transfer = transfer,
        .dst = params->dst,
        .write = {.key = transfer->item->dst_key, .size = size},
        .direct = direct,
        .part_bytes = part_size(params, size),
        .etags = g_ptr_array_new_with_free_func(g_free),
    };
    bp_transfer__begin_intake(transfer, &up.intake);
    bp_sums_init(&up.before, params, transfer->item->checksum.kind);
    bool ok = run_and_end(&up, error);
    transfer->final = !ok;
    bp_sums_clear(&up.before);
    bp_intake_close(&up.intake);
    g_ptr_array_unref(up.etags);
    g_free(up.id);
    return ok;
}
