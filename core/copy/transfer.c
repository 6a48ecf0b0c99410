/* SPDX-License-Identifier: Apache-2.0
 *
 * See transfer.h.  Nothing here knows the queue or the barrier.
 */
#include "core/copy/transfer.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "copy"

void
bp_transfer__count(bp_transfer *transfer, guint64 bytes)
{
    bp_counters_move(transfer->env->counters, &transfer->counted, bytes);
}

void
bp_transfer__begin_intake(bp_transfer *transfer, bp_intake *intake)
{
    const bp_copy_item *item = transfer->item;
    bp_intake_init(intake,
                   &(bp_intake_params){.src = item->src,
                                       .key = item->src_key,
                                       .etag = item->src_etag != NULL ? item->src_etag
                                                                      : transfer->result->src_etag,
                                       .run = item->run,
                                       .unit_id = item->unit_id,
                                       .call = &transfer->env->call,
                                       .throttle = transfer->env->throttle,
                                       .retry = &transfer->env->retry});
}

void
bp_transfer__judge_source(const bp_transfer *transfer, GError **error)
{
    if (error == NULL || *error == NULL) {
        return;
    }
    int cls = bp_error_class(*error);
    if (cls == BP_ERR_NOT_FOUND || cls == BP_ERR_EXISTS) {
        g_autofree char *why = g_strdup((*error)->message);
        g_clear_error(error);
        bp_set_error(error, BP_ERR_STALE, "source object %s is %s: %s", transfer->item->src_key,
                     cls == BP_ERR_NOT_FOUND ? "gone" : "another version now", why);
    }
}

bool
bp_transfer__pump(bp_transfer *transfer, bp_intake *intake, bp_store_writer *writer, gsize cap,
                  gsize *n, GError **error)
{
    const bp_transfer_env *env = transfer->env;
    g_autoptr(GError) failed = NULL;
    if (!bp_intake_read(intake, transfer->buffer, cap, n, &failed)) {
        transfer->final = true;
        bp_transfer__judge_source(transfer, &failed);
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    if (*n == 0) {
        return true;
    }
    bp_sums_update(&transfer->sums, transfer->buffer, *n);
    return bp_store_write(writer, &env->call, transfer->buffer, *n, error);
}

typedef struct {
    bp_transfer *transfer;
    bool (*step)(void *ctx, GError **error);
    void *ctx;
    GError *final; /* what ended the attempts */
} trial;

static bool
try_step(void *ctx, GError **error)
{
    trial *t = ctx;
    const bp_copy_retry *retry = &t->transfer->env->retry;
    GError *failed = NULL;
    if (t->step(t->ctx, &failed)) {
        return true;
    }
    if (t->transfer->final) {
        t->final = failed; /* success, as far as trying again goes */
        return true;
    }
    if (bp_error_is(failed, BP_ERR_THROTTLED) && retry->throttled != NULL) {
        retry->throttled(retry->ctx);
    }
    g_propagate_error(error, failed);
    return false;
}

bool
bp_transfer__try(bp_transfer *transfer, bool (*step)(void *ctx, GError **error), void *ctx,
                 GError **error)
{
    const bp_copy_retry *retry = &transfer->env->retry;
    trial t = {.transfer = transfer, .step = step, .ctx = ctx};
    transfer->final = false;
    if (!bp_retry__with(retry->env, &retry->params, try_step, &t, error)) {
        return false;
    }
    if (t.final != NULL) {
        g_propagate_error(error, t.final);
        return false;
    }
    return true;
}

static bool
differ(const struct bp_checksum *a, const struct bp_checksum *b)
{
    return a->kind != BP_CHECKSUM_NONE && a->kind == b->kind && !bp_checksum_equal(a, b);
}

static void
set_checksum_error(GError **error, const char *key, const struct bp_checksum *is,
                   const struct bp_checksum *must)
{
    char is_hex[BP_CHECKSUM_HEX_MAX], must_hex[BP_CHECKSUM_HEX_MAX];
    bp_checksum_to_hex(is, is_hex);
    bp_checksum_to_hex(must, must_hex);
    bp_set_error(error, BP_ERR_CORRUPT, "object %s: its %s is %s and must be %s", key,
                 bp_checksum_kind_name(is->kind), is_hex, must_hex);
}

/* What we saw, what the item must have, what the destination says: all that can be compared. */
static bool
compare_checksums(const bp_transfer *transfer, const struct bp_checksum *own,
                  const struct bp_object_meta *meta, GError **error)
{
    const bp_copy_item *item = transfer->item;
    struct bp_checksum named = *own;
    if (transfer->joined.kind == BP_CHECKSUM_NONE) {
        bp_hasher_get(transfer->sums.named, &named);
    }
    const struct bp_checksum *pairs[][2] = {
        {own, &item->checksum}, {&named, &item->checksum}, {&meta->checksum, &item->checksum},
        {&meta->checksum, own}, {&meta->checksum, &named},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (differ(pairs[i][0], pairs[i][1])) {
            set_checksum_error(error, item->dst_key, pairs[i][0], pairs[i][1]);
            return false;
        }
    }
    return true;
}

/* A wrong copy must not be found by anybody; the error that told of it stays the one to report. */
static void
remove_wrong_copy(const bp_transfer *transfer)
{
    bp_call undo = bp_call_undo(&transfer->env->call);
    g_autoptr(GError) failed = NULL;
    if (!bp_store_remove(transfer->env->params.dst, &undo, transfer->item->dst_key, NULL,
                         &failed)) {
        BP_WARN("a wrong copy could not be removed", "key", transfer->item->dst_key, "reason",
                failed->message);
    }
}

/* Of the bytes that passed here; kind NONE when none did. */
static struct bp_checksum
own_sum(const bp_transfer *transfer)
{
    struct bp_checksum own = transfer->joined;
    if (own.kind == BP_CHECKSUM_NONE) {
        bp_hasher_get(transfer->sums.own, &own);
    }
    return own;
}

bool
bp_transfer__accept(bp_transfer *transfer, const struct bp_object_meta *meta, guint64 size,
                    GError **error)
{
    bp_transfer_result *result = transfer->result;
    struct bp_checksum own = own_sum(transfer);
    if (meta->size != size) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "object %s: the destination holds %" G_GUINT64_FORMAT
                     " bytes, the source has %" G_GUINT64_FORMAT,
                     transfer->item->dst_key, meta->size, size);
    } else if (compare_checksums(transfer, &own, meta, error)) {
        result->size = size;
        result->checksum = own.kind != BP_CHECKSUM_NONE ? own : meta->checksum;
        bp_transfer__count(transfer, size);
        return true;
    }
    remove_wrong_copy(transfer);
    return false;
}

static bool
check_source_size(const bp_transfer *transfer, guint64 size, GError **error)
{
    guint64 named = transfer->item->size;
    if (named != BP_UNKNOWN && size != BP_UNKNOWN && size != named) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "source object %s has %" G_GUINT64_FORMAT
                     " bytes, it was named with %" G_GUINT64_FORMAT,
                     transfer->item->src_key, size, named);
        return false;
    }
    return true;
}

/* When nobody knows whether it worked, it is written again like after any other failure: an older
 * object of the same size may lie there, and writing twice harms nobody. */
static bool
commit(bp_transfer *transfer, bp_store_writer *take_writer, guint64 size, GError **error)
{
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    return bp_store_write_commit(take_writer, &transfer->env->call, &meta, error) &&
           bp_transfer__accept(transfer, &meta, size, error);
}

/* Where the store itself can check what the item must have, it is told. */
static struct bp_checksum
checksum_for_store(const bp_transfer *transfer)
{
    const struct bp_checksum *named = &transfer->item->checksum;
    guint64 cap = named->kind == BP_CHECKSUM_SHA256   ? BP_STORE_CHECKSUM_SHA256
                  : named->kind == BP_CHECKSUM_CRC32C ? BP_STORE_CHECKSUM_CRC32C
                                                      : 0;
    const bp_copy_params *params = &transfer->env->params;
    if (cap != 0 && !params->no_checksum && bp_store_can(params->dst, cap)) {
        return *named;
    }
    return (struct bp_checksum){.kind = BP_CHECKSUM_NONE};
}

static bool
stream_into(bp_transfer *transfer, bp_intake *intake, bp_store_writer *take_writer, GError **error)
{
    gsize cap = transfer->env->params.buffer_bytes;
    gsize n;
    do {
        if (!bp_transfer__pump(transfer, intake, take_writer, cap, &n, error)) {
            bp_store_write_abort(take_writer);
            return false;
        }
        bp_transfer__count(transfer, intake->offset);
    } while (n == cap);
    if (!check_source_size(transfer, intake->offset, error)) {
        bp_store_write_abort(take_writer);
        return false;
    }
    return commit(transfer, take_writer, intake->offset, error);
}

static bool
stream(bp_transfer *transfer, bp_intake *intake, guint64 size, GError **error)
{
    bp_store *dst = transfer->env->params.dst;
    if (size == BP_UNKNOWN && !bp_store_can(dst, BP_STORE_UNKNOWN_SIZE)) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "storage %s takes no object without knowing its size before",
                     bp_store_name(dst));
        return false;
    }
    bp_store_write_params write = {
        .key = transfer->item->dst_key, .size = size, .checksum = checksum_for_store(transfer)};
    bp_store_writer *writer = bp_store_write_open(dst, &transfer->env->call, &write, error);
    return writer != NULL && stream_into(transfer, intake, writer, error);
}

/* The version that is copied, where the item does not name it. */
static void
note_version(bp_transfer *transfer, const struct bp_object_meta *meta)
{
    if (transfer->item->src_etag == NULL && meta->etag[0] != '\0') {
        transfer->result->src_etag = g_strdup(meta->etag);
    }
}

/* A source that is asked, as bp_transfer__try wants it. */
typedef struct {
    bp_transfer *transfer;
    struct bp_object_meta meta;
} source_look;

static bool
look_at_source(void *ctx, GError **error)
{
    source_look *look = ctx;
    const bp_copy_item *item = look->transfer->item;
    look->meta = (struct bp_object_meta){.struct_size = sizeof look->meta, .size = BP_UNKNOWN};
    return bp_store_stat(item->src, &look->transfer->env->call, item->src_key, &look->meta, error);
}

/* Each part is opened by itself: nobody wants the stream of the whole object. */
static bool
in_parts(bp_transfer *transfer, GError **error)
{
    const bp_copy_item *item = transfer->item;
    source_look look = {.transfer = transfer};
    GError *failed = NULL;
    if (item->src != NULL && !bp_transfer__try(transfer, look_at_source, &look, &failed)) {
        transfer->final = true;
        bp_transfer__judge_source(transfer, &failed);
        g_propagate_error(error, failed);
        return false;
    }
    if (item->src != NULL) {
        if (!check_source_size(transfer, look.meta.size, error)) {
            return false;
        }
        note_version(transfer, &look.meta);
    }
    return bp_parts_run(transfer, item->size, false, error);
}

/* The bytes pass through us, in one stream or in parts. */
static bool
pass_through(bp_transfer *transfer, GError **error)
{
    g_clear_pointer(&transfer->result->src_etag, g_free);
    bp_sums_reset(&transfer->sums);
    transfer->joined = (struct bp_checksum){.kind = BP_CHECKSUM_NONE};
    guint64 size = transfer->item->size;
    if (size != BP_UNKNOWN && bp_parts_wanted(transfer, size, false)) {
        return in_parts(transfer, error);
    }
    g_auto(bp_intake) intake;
    bp_transfer__begin_intake(transfer, &intake);
    GError *failed = NULL;
    if (!bp_intake_open(&intake, &failed)) {
        transfer->final = true;
        bp_transfer__judge_source(transfer, &failed);
        g_propagate_error(error, failed);
        return false;
    }
    if (!check_source_size(transfer, intake.meta.size, error)) {
        return false;
    }
    note_version(transfer, &intake.meta);
    if (size == BP_UNKNOWN) {
        size = intake.meta.size;
        if (size != BP_UNKNOWN && bp_parts_wanted(transfer, size, false)) {
            bp_intake_close(&intake);
            return bp_parts_run(transfer, size, false, error);
        }
    }
    return stream(transfer, &intake, size, error);
}

typedef enum { DIRECT_DONE, DIRECT_FAILED, DIRECT_STREAM } direct_outcome;

/* It was asked and refused: not again. */
static direct_outcome
avoid_route(bp_transfer *transfer, bool parts, const GError *refused)
{
    bp_routes *routes = transfer->env->routes;
    if (parts) {
        bp_routes_avoid_parts(routes, transfer->item->src, refused);
    } else {
        bp_routes_avoid(routes, transfer->item->src, refused);
    }
    return DIRECT_STREAM;
}

/* A direct copy says that something is missing or different; only the source can tell what. */
static direct_outcome
ask_source(bp_transfer *transfer, bool parts, const GError *refused, GError **error)
{
    const bp_copy_item *item = transfer->item;
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    if (!bp_store_stat(item->src, &transfer->env->call, item->src_key, &meta, error)) {
        bp_transfer__judge_source(transfer, error);
        return DIRECT_FAILED;
    }
    if (item->src_etag != NULL && strcmp(item->src_etag, meta.etag) != 0) {
        bp_set_error(error, BP_ERR_STALE, "source object %s is another version now: %s",
                     item->src_key, refused->message);
        return DIRECT_FAILED;
    }
    return avoid_route(transfer, parts, refused);
}

static direct_outcome
judge_direct(bp_transfer *transfer, bool parts, GError *take_failed, GError **error)
{
    g_autoptr(GError) failed = take_failed;
    switch (bp_error_class(failed)) {
    case BP_ERR_UNSUPPORTED:
    case BP_ERR_DENIED:
    case BP_ERR_AUTH:
        return avoid_route(transfer, parts, failed);
    case BP_ERR_NOT_FOUND:
    case BP_ERR_EXISTS:
        return ask_source(transfer, parts, failed, error);
    default:
        g_propagate_error(error, g_steal_pointer(&failed));
        return DIRECT_FAILED;
    }
}

static void
on_direct_progress(void *ctx, guint64 done, guint64 total)
{
    bp_transfer__count(ctx, MIN(done, total));
}

static bool
copy_whole(bp_transfer *transfer, guint64 size, GError **error)
{
    const bp_transfer_env *env = transfer->env;
    const bp_copy_item *item = transfer->item;
    bp_call call = env->call;
    call.progress = on_direct_progress;
    call.progress_ctx = transfer;
    bp_store_copy_params copy = {
        .src = item->src,
        .src_key = item->src_key,
        .dst_key = item->dst_key,
        .src_if_match = item->src_etag,
        .size = size,
        .flags = (env->params.no_checksum ? 0 : BP_COPY_WANT_CHECKSUM) |
                 (env->params.may_link ? BP_COPY_MAY_LINK : 0),
    };
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    return bp_throttle_take(env->throttle, env->call.cancel, size, error) &&
           bp_store_copy(env->params.dst, &call, &copy, &meta, error) &&
           bp_transfer__accept(transfer, &meta, size, error);
}

static direct_outcome
try_direct(bp_transfer *transfer, GError **error)
{
    const bp_copy_item *item = transfer->item;
    guint64 size = item->size;
    if (size == BP_UNKNOWN) {
        /* Without a size of the source there would be nothing to compare the copy with. */
        struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
        if (!bp_store_stat(item->src, &transfer->env->call, item->src_key, &meta, error)) {
            bp_transfer__judge_source(transfer, error);
            return DIRECT_FAILED;
        }
        size = meta.size;
    }
    bool parts = bp_parts_wanted(transfer, size, true);
    if (parts ? !bp_routes_has_parts(transfer->env->routes, item->src)
              : size > bp_store_info(transfer->env->params.dst)->max_copy) {
        return DIRECT_STREAM;
    }
    GError *failed = NULL;
    bp_sums_clear(&transfer->sums); /* we see no bytes: nothing of ours to compare with */
    if (parts ? bp_parts_run(transfer, size, true, &failed) : copy_whole(transfer, size, &failed)) {
        return DIRECT_DONE;
    }
    return judge_direct(transfer, parts, failed, error);
}

static bool
copy_once(bp_transfer *transfer, GError **error)
{
    if (bp_routes_is_direct(transfer->env->routes, transfer->item->src)) {
        direct_outcome outcome = try_direct(transfer, error);
        if (outcome != DIRECT_STREAM) {
            return outcome == DIRECT_DONE;
        }
    }
    transfer->final = false;
    bp_sums_clear(&transfer->sums);
    bp_sums_init(&transfer->sums, &transfer->env->params, transfer->item->checksum.kind);
    return pass_through(transfer, error);
}

static bool
attempt(void *ctx, GError **error)
{
    if (copy_once(ctx, error)) {
        return true;
    }
    bp_transfer__count(ctx, 0);
    return false;
}

bool
bp_transfer_run(const bp_transfer_env *env, const bp_copy_item *item, void *buffer,
                bp_transfer_result *result, GError **error)
{
    bp_transfer transfer = {.env = env, .item = item, .buffer = buffer, .result = result};
    *result = (bp_transfer_result){.size = BP_UNKNOWN};
    bool ok = bp_transfer__try(&transfer, attempt, &transfer, error);
    if (!ok) {
        g_prefix_error(error, "copy of %s: ", item->dst_key);
    }
    bp_sums_clear(&transfer.sums);
    return ok;
}
