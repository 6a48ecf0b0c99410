/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading objects: as a stream, and small ones whole.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/store_internal.h"

#include "sdk/lib/ban.h"

struct bp_store_reader {
    bp_store_stream stream;
    struct bp_reader *handle;
    char *key;
    guint64 at, end; /* position in the object, and where reading ends */
    bool cut;        /* a fault ended it early */
};

static void
close_handle(const bp_store_stream *stream, struct bp_reader *handle)
{
    bp_frame frame;
    bp_frame_enter_always(&frame, &stream->store->base, "read_close", NULL);
    stream->store->ops->read_close(handle);
    (void)bp_frame_leave(&frame, BP_OK, NULL); /* read_close cannot fail */
    bp_store__end_stream(stream->instance);
}

/* The plugin's reader; NULL with `fine` if it answered none. */
static struct bp_reader *
open_handle(bp_store_use *use, const struct bp_read_args *args, struct bp_object_meta *told,
            bool *fine, GError **error)
{
    struct bp_reader *handle = NULL;
    bp_status status = BP_OK;
    do {
        if (!bp_store__enter(use, error)) {
            *fine = false;
            return NULL;
        }
        *told = bp_store__no_meta();
        handle = NULL;
        status = use->store->ops->read_open(use->instance->plugin, &use->frame.op, args, told,
                                            &handle, &use->frame.error);
        if (status == BP_OK && handle != NULL) {
            bp_store__begin_stream(use->instance); /* inside: else it could be closed already */
        }
    } while (bp_store__refused(use, status));
    *fine = bp_store__result(use, error);
    return status == BP_OK ? handle : NULL;
}

bp_store_reader *
bp_store_read_open(bp_store *store, const bp_call *call, const bp_store_read_params *params,
                   struct bp_object_meta *meta, GError **error)
{
    bp_store_use use = bp_store__use(store, "read_open", call);
    bool fine = true;
    struct bp_object_meta told;
    struct bp_read_args args = {.struct_size = sizeof args,
                                .key = params->key,
                                .offset = params->offset,
                                .length = params->length != 0 ? params->length : BP_UNKNOWN,
                                .if_match = bp_store__source_version(params->if_match)};
    if (!bp_store__check_key(store, "read_open", params->key, error)) {
        return NULL;
    }
    struct bp_reader *handle = open_handle(&use, &args, &told, &fine, error);
    if (handle == NULL) {
        if (fine) {
            (void)bp_plugin_bug(&store->base, "read_open", error, "answered no reader");
        }
        return NULL;
    }
    bp_store_stream stream = {store, use.instance};
    fine = fine && bp_store__take_meta(store, "read_open", params->key, &told, meta, error);
    if (fine && params->offset > told.size) {
        fine = bp_plugin_bug(&store->base, "read_open", error,
                             "opened %s beyond its end without saying so", params->key);
    }
    if (!fine) {
        close_handle(&stream, handle);
        return NULL;
    }
    bp_store_reader *reader = g_new0(bp_store_reader, 1);
    *reader = (bp_store_reader){.stream = stream,
                                .handle = handle,
                                .key = g_strdup(params->key),
                                .at = params->offset,
                                .end = told.size};
    if (params->length != 0 && params->length < told.size - params->offset) {
        reader->end = params->offset + params->length;
    }
    return reader;
}

/* Injected: what a broken disk or network could do unseen by the plugin. */
static void
spoil(bp_store_reader *reader, const bp_fault_effect *effect, void *buffer, gsize *n)
{
    if (effect->cut) {
        reader->cut = true;
        *n = 0;
    }
    if (effect->corrupt && *n > 0) {
        ((guint8 *)buffer)[0] ^= 0x01;
    }
}

static bool
check_amount(bp_store_reader *reader, gsize got, gsize cap, GError **error)
{
    const bp_store *store = reader->stream.store;
    if (got > cap) {
        return bp_plugin_bug(&store->base, "read", error, "answered %zu bytes into room for %zu",
                             got, cap);
    }
    if (got > reader->end - reader->at) {
        return bp_plugin_bug(&store->base, "read", error,
                             "%s is longer than the %" G_GUINT64_FORMAT " bytes announced",
                             reader->key, reader->end);
    }
    if (got == 0 && cap > 0 && reader->at < reader->end && !reader->cut) {
        bp_set_error(error, BP_ERR_RETRYABLE,
                     "storage %s: %s ended after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                     " bytes",
                     store->base.name, reader->key, reader->at, reader->end);
        return false;
    }
    return true;
}

bool
bp_store_read(bp_store_reader *reader, const bp_call *call, void *buffer, gsize cap, gsize *n,
              GError **error)
{
    bp_frame frame;
    bp_store *store = reader->stream.store;
    size_t got = 0;
    *n = 0;
    if (reader->cut) {
        return true;
    }
    if (!bp_frame_enter(&frame, &store->base, "read", call, error)) {
        return false;
    }
    bp_status status = store->ops->read(reader->handle, &frame.op, buffer, cap, &got, &frame.error);
    frame.bytes = MIN(got, cap);
    if (!bp_store__leave_stream(&reader->stream, &frame, status, error)) {
        return false;
    }
    spoil(reader, &frame.effect, buffer, &got);
    if (!check_amount(reader, got, cap, error)) {
        return false;
    }
    reader->at += got;
    *n = got;
    return true;
}

void
bp_store_read_close(bp_store_reader *reader)
{
    if (reader != NULL) {
        close_handle(&reader->stream, reader->handle);
        g_free(reader->key);
        g_free(reader);
    }
}

static bool
read_whole(bp_store_reader *reader, const bp_call *call, guint8 *buffer, gsize size, GError **error)
{
    gsize at = 0;
    while (at < size) {
        gsize n = 0;
        if (!bp_store_read(reader, call, buffer + at, size - at, &n, error)) {
            return false;
        }
        if (n == 0) {
            bp_set_error(error, BP_ERR_RETRYABLE, "storage %s: %s ended after %zu of %zu bytes",
                         bp_store_name(reader->stream.store), reader->key, at, size);
            return false;
        }
        at += n;
    }
    buffer[size] = '\0';
    return true;
}

GBytes *
bp_store_get(bp_store *store, const bp_call *call, const char *key, gsize max, GError **error)
{
    struct bp_object_meta meta;
    bp_store_read_params params = {.key = key};
    bp_store_reader *reader = bp_store_read_open(store, call, &params, &meta, error);
    if (reader == NULL) {
        return NULL;
    }
    g_autofree guint8 *buffer = NULL;
    bool fine = false;
    if (meta.size > max) {
        bp_set_error(error, BP_ERR_INVALID,
                     "storage %s: %s has %" G_GUINT64_FORMAT " bytes, at most %zu are expected",
                     store->base.name, key, (guint64)meta.size, max);
    } else if ((buffer = g_try_malloc(meta.size + 1)) == NULL) {
        bp_set_error(error, BP_ERR_NOMEM, "no memory for the %" G_GUINT64_FORMAT " bytes of %s",
                     (guint64)meta.size, key);
    } else {
        fine = read_whole(reader, call, buffer, meta.size, error);
    }
    bp_store_read_close(reader);
    return fine ? g_bytes_new_take(g_steal_pointer(&buffer), meta.size) : NULL;
}
