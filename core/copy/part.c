/* SPDX-License-Identifier: Apache-2.0
 *
 * See parts.h: how one worker brings one part over.  A part is tried again by itself, so that a
 * failure late in a large object costs one part and not all of it.
 */
#include "core/base/error.h"
#include "core/copy/parts.h"

#include "sdk/lib/ban.h"

void
bp_part_hand_init(bp_part_hand *hand, bp_upload *up, void *buffer)
{
    const bp_transfer *owner = up->transfer;
    const bp_copy_params *params = &up->env.params;
    *hand = (bp_part_hand){.up = up};
    hand->transfer = (bp_transfer){
        .env = &up->env, .item = owner->item, .buffer = buffer, .result = owner->result};
    bp_transfer__begin_intake(&hand->transfer, &hand->intake);
    if (up->direct) {
        return;
    }
    if (!up->side_by_side) {
        bp_sums_init(&hand->transfer.sums, params, owner->item->checksum.kind);
        bp_sums_init(&hand->before, params, owner->item->checksum.kind);
    } else if (!params->no_checksum) {
        hand->transfer.sums.own = bp_hasher_new(BP_CHECKSUM_CRC32C);
    }
}

void
bp_part_hand_clear(bp_part_hand *hand)
{
    atomic_fetch_add(&hand->up->transfer->counted, atomic_load(&hand->transfer.counted));
    bp_sums_clear(&hand->transfer.sums);
    bp_sums_clear(&hand->before);
    bp_intake_close(&hand->intake);
}

static bool
write_part(bp_part_hand *hand, bp_store_writer *writer, guint64 bytes, GError **error)
{
    bp_transfer *transfer = &hand->transfer;
    gsize n = 0;
    for (guint64 left = bytes; left > 0; left -= n) {
        gsize cap = MIN(left, transfer->env->params.buffer_bytes);
        if (!bp_transfer__pump(transfer, &hand->intake, writer, cap, &n, error)) {
            return false;
        }
        if (n == 0) {
            transfer->final = true;
            bp_set_error(error, BP_ERR_CORRUPT,
                         "source object %s has %" G_GUINT64_FORMAT
                         " bytes, it was named with %" G_GUINT64_FORMAT,
                         transfer->item->src_key, hand->intake.offset, hand->up->write.size);
            return false;
        }
        bp_transfer__count(transfer, hand->done_bytes + (bytes - left) + n);
    }
    return true;
}

/* Where this part's bytes begin, and the sums as they are there. */
static void
go_to_part(bp_part_hand *hand, const bp_store_part_params *part)
{
    if (hand->up->side_by_side) {
        bp_intake_seek(&hand->intake, part->offset, part->size);
        bp_sums_reset(&hand->transfer.sums);
        return;
    }
    if (hand->intake.offset != part->offset) { /* after a failure in the middle of this part */
        bp_intake_seek(&hand->intake, part->offset, BP_UNKNOWN);
    }
    bp_sums_copy(&hand->transfer.sums, &hand->before);
}

static bool
stream_part(bp_part_hand *hand, const bp_store_part_params *part, struct bp_object_meta *meta,
            GError **error)
{
    bp_upload *up = hand->up;
    const bp_call *call = &up->env.call;
    go_to_part(hand, part);
    bp_store_writer *writer = bp_store_part_open(up->env.params.dst, call, part, error);
    if (writer == NULL) {
        return false;
    }
    if (!write_part(hand, writer, part->size, error)) {
        bp_store_write_abort(writer);
        return false;
    }
    if (!bp_store_write_commit(writer, call, meta, error)) {
        return false;
    }
    if (up->side_by_side) {
        bp_hasher_get(hand->transfer.sums.own, &up->done[hand->index].sum);
    } else {
        bp_sums_copy(&hand->before, &hand->transfer.sums);
    }
    return true;
}

static bool
put_part(void *ctx, GError **error)
{
    bp_part_hand *hand = ctx;
    bp_upload *up = hand->up;
    const bp_copy_item *item = hand->transfer.item;
    guint64 offset = hand->index * up->part_bytes;
    bp_store_part_params part = {
        .key = item->dst_key,
        .upload = up->id,
        .number = hand->index + 1,
        .offset = offset,
        .size = MIN(up->part_bytes, up->write.size - offset),
        .src = up->direct ? item->src : NULL,
        .src_key = item->src_key,
        .src_if_match = item->src_etag != NULL ? item->src_etag : up->source.etag,
    };
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    bool ok = up->direct
                  ? bp_throttle_take(up->env.throttle, up->env.call.cancel, part.size, error) &&
                        bp_store_part_copy(up->env.params.dst, &up->env.call, &part, &meta, error)
                  : stream_part(hand, &part, &meta, error);
    if (ok) {
        up->done[hand->index].etag = g_strdup(meta.etag);
        hand->done_bytes += part.size;
    }
    bp_transfer__count(&hand->transfer, hand->done_bytes);
    return ok;
}

bool
bp_part_hand_do(bp_part_hand *hand, guint index, GError **error)
{
    hand->index = index;
    return bp_transfer__try(&hand->transfer, put_part, hand, error);
}
