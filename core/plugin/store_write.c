/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing objects: as a stream, small ones whole, and the proof that two instances are the same
 * place.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/plugin/store_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "store"
#define SCRATCH_PREFIX "bakplane-scratch-"

static bool
check_flags(const bp_store *store, const bp_store_write_params *params, GError **error)
{
    if ((params->flags & BP_WRITE_IF_NONE_MATCH) != 0 &&
        !bp_store_can(store, BP_STORE_IF_NONE_MATCH)) {
        return bp_store__lacks(store, "exclusive creation", error);
    }
    if (params->if_match != NULL && !bp_store_can(store, BP_STORE_IF_MATCH)) {
        return bp_store__lacks(store, "conditional replacement", error);
    }
    if (params->size == BP_UNKNOWN && !bp_store_can(store, BP_STORE_UNKNOWN_SIZE)) {
        return bp_store__lacks(store, "writing of unknown length", error);
    }
    /* Before the first byte, not after the last. */
    guint64 most = store->info.max_object;
    if (params->size != BP_UNKNOWN && params->size > most) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "object %s has %" G_GUINT64_FORMAT
                     " bytes, and storage %s takes at most %" G_GUINT64_FORMAT " in one piece",
                     params->key, params->size, bp_store_name(store), most);
        return false;
    }
    return true;
}

bp_store_writer *
bp_store_write_open(bp_store *store, const bp_call *call, const bp_store_write_params *params,
                    GError **error)
{
    bp_store_use use = bp_store__use(store, "write_open", call);
    use.may_only_keep = true;
    bp_status status = BP_OK;
    bp_store_writer offer = {.key = (char *)params->key, .promised = params->size};
    struct bp_write_args args = {.struct_size = sizeof args,
                                 .flags = params->flags,
                                 .key = params->key,
                                 .size = params->size,
                                 .if_match = params->if_match,
                                 .checksum = params->checksum};
    if (!bp_store__check_new_key(store, "write_open", params->key, error) ||
        !bp_store__check_version(store, "write_open", params->key, params->if_match, error) ||
        !check_flags(store, params, error)) {
        return NULL;
    }
    do {
        if (!bp_store__enter(&use, error)) {
            return NULL;
        }
        offer.handle = NULL;
        status = store->ops->write_open(use.instance->plugin, &use.frame.op, &args, &offer.handle,
                                        &use.frame.error);
        bp_store__begin_writer(&use, status, &offer);
    } while (bp_store__refused(&use, status));
    return bp_store__take_writer(&use, status, &offer, error);
}

void
bp_store__begin_writer(const bp_store_use *use, bp_status status, const bp_store_writer *offer)
{
    if (status == BP_OK && offer->handle != NULL) {
        bp_store__begin_stream(use->instance);
    }
}

bp_store_writer *
bp_store__take_writer(bp_store_use *use, bp_status status, const bp_store_writer *offer,
                      GError **error)
{
    bool fine = bp_store__result(use, error);
    if (status != BP_OK) {
        return NULL;
    }
    if (offer->handle == NULL) {
        (void)bp_plugin_bug(&use->store->base, use->what, fine ? error : NULL,
                            "answered no writer");
        return NULL;
    }
    bp_store_writer *writer = g_memdup2(offer, sizeof *offer);
    writer->key = g_strdup(offer->key);
    writer->stream = (bp_store_stream){use->store, use->instance};
    writer->grace = use->call != NULL ? bp_cancel_grace(use->call->cancel) : NULL;
    if (!fine) {
        bp_store_write_abort(writer);
        return NULL;
    }
    return writer;
}

static void
writer_free(bp_store_writer *writer)
{
    bp_store__end_stream(writer->stream.instance);
    g_free(writer->key);
    g_free(writer);
}

static bool
check_promise(const bp_store_writer *writer, guint64 written, bool at_end, GError **error)
{
    bool broken = at_end ? written != writer->promised : written > writer->promised;
    if (writer->promised == BP_UNKNOWN || !broken) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID,
                 "storage %s: %s was to get %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT,
                 bp_store_name(writer->stream.store), writer->key, writer->promised, written);
    return false;
}

/* Injected: what a broken disk or network could do unseen by the plugin. */
static const void *
spoil(const bp_fault_effect *effect, const void *bytes, gsize *n, guint8 **copy)
{
    if (*n == 0 || (!effect->cut && !effect->corrupt)) {
        return bytes;
    }
    *copy = g_memdup2(bytes, *n);
    if (effect->corrupt) {
        (*copy)[0] ^= 0x01;
    }
    *n -= effect->cut ? 1 : 0;
    return *copy;
}

bool
bp_store_write(bp_store_writer *writer, const bp_call *call, const void *bytes, gsize n,
               GError **error)
{
    bp_frame frame;
    bp_store *store = writer->stream.store;
    g_autofree guint8 *spoiled = NULL;
    gsize given = n;
    if (!check_promise(writer, writer->written + n, false, error) ||
        !bp_frame_enter(&frame, &store->base, "write", call, error)) {
        return false;
    }
    bytes = spoil(&frame.effect, bytes, &given, &spoiled);
    bp_status status = store->ops->write(writer->handle, &frame.op, bytes, given, &frame.error);
    frame.bytes = given;
    if (!bp_store__leave_stream(&writer->stream, &frame, status, error)) {
        return false;
    }
    writer->written += n;
    return true;
}

static bool
commit(bp_store_writer *writer, const bp_call *call, struct bp_object_meta *out, GError **error)
{
    bp_frame frame;
    bp_store *store = writer->stream.store;
    struct bp_object_meta meta = bp_store__no_meta();
    bp_status status =
        bp_frame_enter(&frame, &store->base, "write_commit", call, error) ? BP_OK : -1;
    if (status != BP_OK) {
        bp_store_write_abort(writer);
        return false;
    }
    status = store->ops->write_commit(writer->handle, &frame.op, &meta, &frame.error);
    bp_store__note_commit(writer->stream.instance);
    bool fine = bp_store__leave_stream(&writer->stream, &frame, status, error);
    if (fine) {
        bp_store__note_success(store, writer->stream.instance);
        fine = bp_store__take_meta(store, "write_commit", writer->key, &meta, out, error);
    }
    if (fine && meta.size != writer->written) {
        fine = bp_plugin_bug(&store->base, "write_commit", error,
                             "%s has %" G_GUINT64_FORMAT " bytes, written were %" G_GUINT64_FORMAT,
                             writer->key, (guint64)meta.size, writer->written);
    }
    writer_free(writer);
    return fine;
}

bool
bp_store_write_commit(bp_store_writer *writer, const bp_call *call, struct bp_object_meta *out,
                      GError **error)
{
    if (!check_promise(writer, writer->written, true, error)) {
        bp_store_write_abort(writer);
        return false;
    }
    return commit(writer, call, out, error);
}

void
bp_store_write_abort(bp_store_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    bp_frame frame;
    bp_call undo = bp_call_undo(&(bp_call){.cancel = writer->grace});
    bp_frame_enter_always(&frame, &writer->stream.store->base, "write_abort", &undo);
    writer->stream.store->ops->write_abort(writer->handle, &frame.op);
    (void)bp_frame_leave(&frame, BP_OK, NULL); /* write_abort cannot fail */
    writer_free(writer);
}

bool
bp_store_put(bp_store *store, const bp_call *call, const bp_store_put_params *params,
             GError **error)
{
    bp_store_write_params write = {.key = params->key, .size = params->n, .flags = params->flags};
    bp_store_writer *writer = bp_store_write_open(store, call, &write, error);
    if (writer == NULL) {
        return false;
    }
    if (params->n > 0 && !bp_store_write(writer, call, params->bytes, params->n, error)) {
        bp_store_write_abort(writer);
        return false;
    }
    return bp_store_write_commit(writer, call, NULL, error);
}

/* The other instance reads what was written: the same place, unless proven otherwise. */
static bool
read_scratch(bp_store *other, const bp_call *call, const char *key, const char *text, bool *same,
             GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(GBytes) found = bp_store_get(other, call, key, 256, &failed);
    if (found == NULL && !bp_error_is(failed, BP_ERR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    *same = found != NULL && g_bytes_get_size(found) == strlen(text) &&
            memcmp(g_bytes_get_data(found, NULL), text, strlen(text)) == 0;
    return true;
}

bool
bp_store_prove_same(bp_store *writable, bp_store *other, const bp_call *call, bool *same,
                    GError **error)
{
    bool hoped = bp_store_same_plugin(writable, other) &&
                 strcmp(writable->info.identity, other->info.identity) == 0;
    *same = writable == other;
    return *same || !hoped || bp_store_prove_shared(writable, other, call, same, error);
}

bool
bp_store_prove_shared(bp_store *writable, bp_store *other, const bp_call *call, bool *shared,
                      GError **error)
{
    *shared = writable == other;
    if (*shared) {
        return true;
    }
    g_autofree char *id = bp_text_uuid();
    g_autofree char *key = g_strconcat(SCRATCH_PREFIX, id, NULL);
    g_autofree char *text = bp_text_uuid();
    bp_store_put_params put = {
        .key = key, .bytes = text, .n = strlen(text), .flags = BP_WRITE_DURABLE};
    if (!bp_store_put(writable, call, &put, error)) {
        return false;
    }
    bool fine = read_scratch(other, call, key, text, shared, error);
    g_autoptr(GError) left = NULL;
    bp_call undo = bp_call_undo(call);
    if (!bp_store_remove(writable, &undo, key, NULL, &left)) {
        BP_WARN("a scratch object stays behind", "key", key, "reason", left->message);
    }
    return fine;
}
