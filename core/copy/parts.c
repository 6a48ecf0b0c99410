/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts.
 *
 * Where the destination takes parts side by side, idle workers join the item's own, each with its
 * own buffer, so that a few large objects fill the line, too.  Then nobody sees the bytes in their
 * order; what can be joined from pieces is a CRC32C, so that is the checksum of such an object.
 * Where the item names another checksum, the parts go in order by one worker: it has to be
 * compared.
 */
#include "core/copy/parts.h"

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/copy/pool.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "copy"

#define MIB ((guint64)1024 * 1024)

/* S3 allows 10 000; some room for stores that count otherwise. */
#define WANTED_PARTS 9000
/* With `few_whole`, so many are sent in parts even while all workers have other items to do. */
#define FEW_PARTS 4
/* Of a server-side copy: no bytes pass here, so what counts is the number of requests. */
#define DIRECT_PART_BYTES (64 * MIB)

/* Parts cost requests and another look at the source.  While enough other items wait, there are no
 * idle workers that would join, so one of a few parts goes faster as it is. */
static bool
is_worth_parts(const bp_transfer *transfer, guint64 size)
{
    const bp_copy_params *params = &transfer->env->params;
    bp_pool *pool = transfer->env->pool;
    if (params->part_bytes == 0 || size <= params->part_bytes) {
        return false;
    }
    return !params->few_whole || size / params->part_bytes >= FEW_PARTS || pool == NULL ||
           !bp_pool_is_busy(pool);
}

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
    return size > info->max_object || is_worth_parts(transfer, size);
}

static guint64
part_size(const bp_copy_params *params, guint64 size, bool direct)
{
    const struct bp_storage_info *info = bp_store_info(params->dst);
    guint64 part = params->part_bytes > 0 ? params->part_bytes : BP_COPY_PART_BYTES;
    if (direct) {
        part = MIN(MAX(part, DIRECT_PART_BYTES), info->max_copy);
    }
    guint64 most = info->max_parts > 0 ? MIN(info->max_parts, WANTED_PARTS) : WANTED_PARTS;
    guint64 least = (size - 1) / most + 1;
    if (part < least) {
        part = (least + MIB - 1) / MIB * MIB;
    }
    part = MAX(part, MAX(info->min_part, 1));
    return info->max_part > 0 ? MIN(part, info->max_part) : part;
}

/* Its checksum can be put together from those of its parts. */
static bool
sum_joins(const bp_transfer *transfer)
{
    guint32 kind = transfer->item->checksum.kind;
    return transfer->env->params.no_checksum || kind == BP_CHECKSUM_NONE ||
           kind == BP_CHECKSUM_CRC32C;
}

static bool
may_share(const bp_transfer *transfer, bool direct)
{
    return transfer->env->pool != NULL &&
           bp_store_can(transfer->env->params.dst, BP_STORE_PARTS_PARALLEL) &&
           (direct || (transfer->item->src != NULL && sum_joins(transfer)));
}

/* The first failure counts; what others are at is given up. */
static void
fail(bp_upload *up, GError *take_error)
{
    {
        BP_LOCK_GUARD(&up->lock);
        if (up->failure == NULL) {
            up->failure = take_error;
            take_error = NULL;
        }
    }
    g_clear_error(&take_error);
    bp_cancel_trigger(up->stop, 0);
}

/* The next part that nobody took; false when there is none, or no sense in it. */
static bool
do_next(bp_part_hand *hand)
{
    bp_upload *up = hand->up;
    guint index = bp_cancel_is_set(up->stop) ? up->n_parts : atomic_fetch_add(&up->next, 1);
    if (index >= up->n_parts) {
        return false;
    }
    GError *failed = NULL;
    if (!bp_part_hand_do(hand, index, &failed)) {
        fail(up, failed);
        return false;
    }
    return true;
}

/* On a worker that had nothing to do. */
static bool
help(void *ctx, guint worker)
{
    bp_upload *up = ctx;
    bp_part_hand hand;
    bp_part_hand_init(&hand, up, up->env.buffers + worker * up->env.params.buffer_bytes);
    bool done = do_next(&hand);
    bp_part_hand_clear(&hand);
    return done && atomic_load(&up->next) < up->n_parts;
}

static bool
put_all(bp_upload *up, GError **error)
{
    bp_pool_share share = {.piece = help, .ctx = up};
    bp_part_hand hand;
    bp_part_hand_init(&hand, up, up->transfer->buffer);
    if (up->side_by_side) {
        bp_pool_offer(up->env.pool, &share);
    }
    while (do_next(&hand)) {
    }
    if (up->side_by_side) {
        bp_pool_withdraw(up->env.pool, &share);
    } else {
        bp_sums_copy(&up->transfer->sums, &hand.transfer.sums);
    }
    bp_part_hand_clear(&hand);
    if (up->failure != NULL) { /* nobody else is at it any more */
        g_propagate_error(error, g_steal_pointer(&up->failure));
        return false;
    }
    return bp_cancel_check(up->env.call.cancel, error);
}

static void
join_sums(bp_upload *up)
{
    struct bp_checksum *joined = &up->transfer->joined;
    *joined = up->done[0].sum;
    for (guint i = 1; i < up->n_parts; i++) {
        guint64 offset = i * up->part_bytes;
        bp_crc32c_join(joined, &up->done[i].sum, MIN(up->part_bytes, up->write.size - offset));
    }
}

/* All parts must come from one version of the source. */
static bool
pin_source(void *ctx, GError **error)
{
    bp_upload *up = ctx;
    const bp_transfer *transfer = up->transfer;
    up->source = (struct bp_object_meta){.struct_size = sizeof up->source};
    return !up->direct || transfer->item->src_etag != NULL ||
           bp_store_stat(transfer->item->src, &transfer->env->call, transfer->item->src_key,
                         &up->source, error);
}

/* One that began without our hearing of its id is nobody's; the key is only ours to write. */
static bool
abort_unheard(const bp_upload *up)
{
    bp_call undo = bp_call_undo(&up->transfer->env->call);
    g_autoptr(GError) failed = NULL;
    if (bp_store_uploads_abort_key(up->env.params.dst, &undo, up->write.key, &failed)) {
        return true;
    }
    BP_WARN("an upload may have begun unheard, and be left behind", "key", up->write.key, "reason",
            failed->message);
    return false;
}

/* That parts will be copied is told to help: who does not know the flag does without. */
static char *
begin_told(const bp_upload *up, GError **error)
{
    const bp_call *call = &up->transfer->env->call;
    bp_store_write_params told = up->write;
    told.flags |= BP_WRITE_PARTS_COPIED;
    GError *failed = NULL;
    char *id = bp_store_part_begin(up->env.params.dst, call, &told, &failed);
    if (id == NULL && bp_error_is(failed, BP_ERR_INVALID)) {
        g_clear_error(&failed);
        return bp_store_part_begin(up->env.params.dst, call, &up->write, error);
    }
    if (id == NULL) {
        g_propagate_error(error, failed);
    }
    return id;
}

static bool
begin_upload(void *ctx, GError **error)
{
    bp_upload *up = ctx;
    GError *failed = NULL;
    up->id = up->direct ? begin_told(up, &failed)
                        : bp_store_part_begin(up->env.params.dst, &up->transfer->env->call,
                                              &up->write, &failed);
    if (up->id != NULL) {
        return true;
    }
    /* After a cancel nobody waited: the server may still be about to begin it. */
    if (bp_error_outcome_unknown(failed)) {
        up->unheard = !abort_unheard(up) || bp_error_is(failed, BP_ERR_CANCELLED);
    }
    g_propagate_error(error, failed);
    return false;
}

static bool
try_complete(bp_upload *up, GError **error)
{
    up->meta = (struct bp_object_meta){.struct_size = sizeof up->meta, .size = BP_UNKNOWN};
    g_autofree const char **etags = g_new(const char *, up->n_parts);
    for (guint i = 0; i < up->n_parts; i++) {
        etags[i] = up->done[i].etag;
    }
    bp_store_complete_params params = {
        .write = &up->write, .upload = up->id, .etags = etags, .n = up->n_parts};
    return bp_store_part_complete(up->env.params.dst, &up->transfer->env->call, &params, &up->meta,
                                  error);
}

static bool
is_there(bp_upload *up)
{
    g_autoptr(GError) ignored = NULL; /* no answer: the upload has failed */
    const bp_transfer *transfer = up->transfer;
    return bp_store_stat(up->env.params.dst, &transfer->env->call, up->write.key, &up->meta,
                         &ignored) &&
           up->meta.size == up->write.size;
}

/*
 * When nobody knows whether it worked, it is tried again.  An attempt that worked unseen leaves no
 * upload behind: only when the upload is gone does an object of the right size stand for it.
 */
static bool
complete(void *ctx, GError **error)
{
    bp_upload *up = ctx;
    GError *failed = NULL;
    if (try_complete(up, &failed)) {
        return true;
    }
    if (up->may_be_complete && bp_error_is(failed, BP_ERR_NOT_FOUND) && is_there(up)) {
        g_clear_error(&failed);
        return true;
    }
    up->may_be_complete = up->may_be_complete || bp_error_outcome_unknown(failed);
    g_propagate_error(error, failed);
    return false;
}

/* Each step has attempts of its own: what is done stays done. */
static bool
with_retry(bp_upload *up, bool (*step)(void *ctx, GError **error), GError **error)
{
    return bp_transfer__try(up->transfer, step, up, error);
}

static bool
tell(const bp_upload *up, const char *id, bool finished, GError **error)
{
    const bp_copy_params *params = &up->env.params;
    return params->upload == NULL ||
           params->upload(params->ctx, up->write.key, id, finished, error);
}

/* The key is on record before there can be an upload, its id before there is a part. */
static bool
begin_on_record(bp_upload *up, GError **error)
{
    if (!tell(up, "", false, error)) {
        return false;
    }
    if (with_retry(up, begin_upload, error)) {
        return true;
    }
    if (!up->unheard) {
        (void)tell(up, "", true, NULL); /* a record that stays is looked at by the next run */
    }
    return false;
}

static bool
run_upload(bp_upload *up, GError **error)
{
    /* An attempt before this one may have begun one, too: that one keeps the record that is. */
    if ((up->unheard && !tell(up, "", false, error)) || !tell(up, up->id, false, error) ||
        !put_all(up, error)) {
        return false;
    }
    if (up->side_by_side && !up->direct && !up->env.params.no_checksum) {
        join_sums(up);
    }
    return with_retry(up, complete, error);
}

/* What cannot be aborted now stays on record, for a later run. */
static void
abort_upload(const bp_upload *up)
{
    bp_call undo = bp_call_undo(&up->env.call);
    g_autoptr(GError) failed = NULL;
    if (!bp_store_part_abort(up->env.params.dst, &undo, up->write.key, up->id, &failed) ||
        !tell(up, up->id, true, &failed)) {
        BP_WARN("an upload could not be aborted", "key", up->write.key, "upload", up->id, "reason",
                failed->message);
    }
}

static bool
run_and_end(bp_upload *up, GError **error)
{
    if (!with_retry(up, pin_source, error) || !begin_on_record(up, error)) {
        return false;
    }
    if (!run_upload(up, error)) {
        abort_upload(up);
        return false;
    }
    return tell(up, up->id, true, error) &&
           bp_transfer__accept(up->transfer, &up->meta, up->write.size, error);
}

static void
upload_init(bp_upload *up, bp_transfer *transfer, guint64 size, bool direct)
{
    *up = (bp_upload){
        .env = *transfer->env,
        .transfer = transfer,
        .write = {.key = transfer->item->dst_key, .size = size},
        .direct = direct,
        .part_bytes = part_size(&transfer->env->params, size, direct),
        .stop = bp_cancel_new_child(transfer->env->call.cancel),
    };
    up->env.call.cancel = up->env.retry.params.cancel = up->stop;
    up->n_parts = (guint)((size - 1) / up->part_bytes + 1);
    up->side_by_side = up->n_parts > 1 && may_share(transfer, direct);
    up->done = g_new0(bp_part_done, up->n_parts);
    pthread_mutex_init(&up->lock, NULL);
}

static void
upload_clear(bp_upload *up)
{
    for (guint i = 0; i < up->n_parts; i++) {
        g_free(up->done[i].etag);
    }
    g_free(up->done);
    g_free(up->id);
    bp_cancel_free(up->stop);
    pthread_mutex_destroy(&up->lock);
}

bool
bp_parts_run(bp_transfer *transfer, guint64 size, bool direct, GError **error)
{
    bp_upload up;
    upload_init(&up, transfer, size, direct);
    bool ok = run_and_end(&up, error);
    transfer->final = !ok;
    upload_clear(&up);
    return ok;
}
