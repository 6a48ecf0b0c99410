/* SPDX-License-Identifier: Apache-2.0
 *
 * The fake's readers, writers, copies, and uploads in parts.
 */
#include <string.h>

#include "core/base/error.h"
#include "tests/harness/fake_store_internal.h"

#include "sdk/lib/ban.h"

struct bp_store_reader {
    bp_store *store;
    char *key;
    GBytes *bytes;
    gsize offset, end;
};

static void
count_readers(bp_store *store, int change)
{
    BP_LOCK_GUARD(&store->lock);
    store->open_readers += (guint)change;
}

bp_store_reader *
bp_store_read_open(bp_store *store, const bp_call *call, const bp_store_read_params *params,
                   struct bp_object_meta *meta, GError **error)
{
    const char *key = params->key;
    bool effect;
    if (!fake_enter(store, FAKE_READ_OPEN, key, call, &effect, error)) {
        return NULL;
    }
    g_autoptr(GBytes) bytes = fake_open(store, "read_open", key, params->if_match, meta, error);
    if (bytes == NULL) {
        return NULL;
    }
    if (params->offset > g_bytes_get_size(bytes)) {
        fake_set_error(error, BP_ERR_RANGE, store, "read_open", key, "offset beyond the end");
        return NULL;
    }
    bp_store_reader *reader = g_new0(bp_store_reader, 1);
    reader->store = store;
    reader->key = g_strdup(key);
    reader->offset = params->offset;
    reader->end = g_bytes_get_size(bytes);
    if (params->length != 0 && params->length < reader->end - reader->offset) {
        reader->end = reader->offset + params->length;
    }
    reader->bytes = g_steal_pointer(&bytes);
    count_readers(store, 1);
    return reader;
}

bool
bp_store_read(bp_store_reader *reader, const bp_call *call, void *buffer, gsize cap, gsize *n,
              GError **error)
{
    bool effect;
    if (!fake_enter(reader->store, FAKE_READ, reader->key, call, &effect, error)) {
        return false;
    }
    const char *data = g_bytes_get_data(reader->bytes, NULL);
    gsize max = reader->store->read_max;
    *n = MIN(cap, reader->end - reader->offset);
    if (max > 0) {
        *n = MIN(*n, max);
    }
    if (*n > 0) {
        memcpy(buffer, data + reader->offset, *n);
        reader->offset += *n;
    }
    return true;
}

void
bp_store_read_close(bp_store_reader *reader)
{
    count_readers(reader->store, -1);
    g_bytes_unref(reader->bytes);
    g_free(reader->key);
    g_free(reader);
}

/* STREAM items: the run is the store. */

bp_source_run *
fake_store_as_run(bp_store *store)
{
    return (bp_source_run *)store;
}

bp_source_reader *
bp_source_item_open(bp_source_run *run, const bp_call *call, const struct bp_item_open_args *args,
                    GError **error)
{
    bp_store_read_params params = {
        .key = args->item_id, .offset = args->offset, .if_match = args->etag};
    return (bp_source_reader *)bp_store_read_open((bp_store *)run, call, &params, NULL, error);
}

bool
bp_source_item_read(bp_source_reader *reader, const bp_call *call, void *buffer, gsize cap,
                    gsize *n, GError **error)
{
    return bp_store_read((bp_store_reader *)reader, call, buffer, cap, n, error);
}

void
bp_source_item_close(bp_source_reader *reader)
{
    bp_store_read_close((bp_store_reader *)reader);
}

static bp_store_writer *
new_writer(bp_store *store, const char *key)
{
    bp_store_writer *writer = g_new0(bp_store_writer, 1);
    writer->store = store;
    writer->key = g_strdup(key);
    writer->bytes = g_byte_array_new();
    BP_LOCK_GUARD(&store->lock);
    store->open_writers++;
    store->peak_writers = MAX(store->peak_writers, store->open_writers);
    return writer;
}

static void
free_writer(bp_store_writer *writer)
{
    {
        BP_LOCK_GUARD(&writer->store->lock);
        writer->store->open_writers--;
    }
    g_byte_array_unref(writer->bytes);
    g_free(writer->key);
    g_free(writer->if_match);
    g_free(writer->upload);
    g_free(writer);
}

bp_store_writer *
bp_store_write_open(bp_store *store, const bp_call *call, const bp_store_write_params *params,
                    GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_WRITE_OPEN, params->key, call, &effect, error)) {
        return NULL;
    }
    bp_store_writer *writer = new_writer(store, params->key);
    writer->flags = params->flags;
    writer->size = params->size;
    writer->if_match = g_strdup(params->if_match);
    return writer;
}

bool
bp_store_write(bp_store_writer *writer, const bp_call *call, const void *bytes, gsize n,
               GError **error)
{
    bool effect;
    if (!fake_enter(writer->store, FAKE_WRITE, writer->key, call, &effect, error)) {
        return false;
    }
    writer->written += n;
    if (!writer->store->blackhole) {
        g_byte_array_append(writer->bytes, bytes, (guint)n);
    }
    return true;
}

static fake_upload *
find_upload(bp_store *store, const char *id)
{
    for (guint i = 0; i < store->uploads->len; i++) {
        fake_upload *upload = store->uploads->pdata[i];
        if (strcmp(upload->id, id) == 0) {
            return upload;
        }
    }
    return NULL;
}

static bool
commit_part(bp_store_writer *writer, GBytes *take_bytes, struct bp_object_meta *out, GError **error)
{
    fake_upload *upload = find_upload(writer->store, writer->upload);
    if (upload == NULL) {
        g_bytes_unref(take_bytes);
        fake_set_error(error, BP_ERR_NOT_FOUND, writer->store, "part", writer->key,
                       "no such upload");
        return false;
    }
    GPtrArray *parts = upload->parts;
    g_ptr_array_set_size(parts, (gint)MAX(parts->len, writer->part));
    g_clear_pointer(&parts->pdata[writer->part - 1], g_bytes_unref);
    parts->pdata[writer->part - 1] = take_bytes;
    g_snprintf(out->etag, sizeof out->etag, "part-%u", writer->part);
    out->size = g_bytes_get_size(take_bytes);
    return true;
}

static bool
may_replace(const bp_store_writer *writer, GError **error)
{
    const fake_object *old = g_hash_table_lookup(writer->store->objects, writer->key);
    if ((old != NULL && (writer->flags & BP_WRITE_IF_NONE_MATCH) != 0) ||
        (writer->if_match != NULL && (old == NULL || strcmp(old->etag, writer->if_match) != 0))) {
        fake_set_error(error, BP_ERR_EXISTS, writer->store, "commit", writer->key,
                       old != NULL ? "is there already" : "is not there any more");
        return false;
    }
    return true;
}

/* Lock held. */
static bool
store_bytes(bp_store_writer *writer, struct bp_object_meta *out, GError **error)
{
    bp_store *store = writer->store;
    struct bp_object_meta unwanted = {.struct_size = sizeof unwanted};
    out = out != NULL ? out : &unwanted;
    if (store->blackhole && writer->upload == NULL) {
        out->size = writer->written;
        return true;
    }
    GBytes *bytes = g_byte_array_free_to_bytes(g_byte_array_ref(writer->bytes));
    if (writer->upload != NULL) {
        return commit_part(writer, bytes, out, error);
    }
    if (!may_replace(writer, error)) {
        g_bytes_unref(bytes);
        return false;
    }
    bool visible = !store->is_staged || (writer->flags & BP_WRITE_DURABLE) != 0;
    fake_fill_meta(store, fake_insert(store, writer->key, bytes, visible), out);
    return true;
}

bool
bp_store_write_commit(bp_store_writer *writer, const bp_call *call, struct bp_object_meta *out,
                      GError **error)
{
    bool effect;
    bool ok = fake_enter(writer->store, FAKE_COMMIT, writer->key, call, &effect, error);
    if (effect) {
        BP_LOCK_GUARD(&writer->store->lock);
        ok = store_bytes(writer, out, ok ? error : NULL) && ok;
    }
    free_writer(writer);
    return ok;
}

void
bp_store_write_abort(bp_store_writer *writer)
{
    bool effect;
    (void)fake_enter(writer->store, FAKE_ABORT, writer->key, NULL, &effect, NULL);
    free_writer(writer);
}

bool
bp_store_copy(bp_store *dst, const bp_call *call, const bp_store_copy_params *params,
              struct bp_object_meta *out, GError **error)
{
    bool effect;
    if (!fake_enter(dst, FAKE_COPY, params->dst_key, call, &effect, error)) {
        return false;
    }
    GBytes *bytes =
        fake_open(params->src, "copy", params->src_key, params->src_if_match, NULL, error);
    if (bytes == NULL) {
        return false;
    }
    if (call->progress != NULL) {
        call->progress(call->progress_ctx, g_bytes_get_size(bytes) / 2, params->size);
    }
    BP_LOCK_GUARD(&dst->lock);
    fake_fill_meta(dst, fake_insert(dst, params->dst_key, bytes, !dst->is_staged), out);
    return true;
}

static void
unref_part(void *part)
{
    g_bytes_unref(part); /* NULL is fine */
}

char *
bp_store_part_begin(bp_store *store, const bp_call *call, const bp_store_write_params *params,
                    GError **error)
{
    bool effect;
    bool ok = fake_enter(store, FAKE_PART_BEGIN, params->key, call, &effect, error);
    if (!effect) {
        return NULL;
    }
    fake_upload *upload = g_new0(fake_upload, 1);
    upload->key = g_strdup(params->key);
    upload->parts = g_ptr_array_new_with_free_func(unref_part);
    BP_LOCK_GUARD(&store->lock);
    store->begun_flags = params->flags;
    upload->id = g_strdup_printf("upload-%u", ++store->versions);
    g_ptr_array_add(store->uploads, upload);
    return ok ? g_strdup(upload->id) : NULL;
}

bp_store_writer *
bp_store_part_open(bp_store *store, const bp_call *call, const bp_store_part_params *params,
                   GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_PART_OPEN, params->key, call, &effect, error)) {
        return NULL;
    }
    bp_store_writer *writer = new_writer(store, params->key);
    writer->upload = g_strdup(params->upload);
    writer->part = params->number;
    BP_LOCK_GUARD(&store->lock);
    store->last_part = params->size;
    return writer;
}

bool
bp_store_part_copy(bp_store *store, const bp_call *call, const bp_store_part_params *params,
                   struct bp_object_meta *out, GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_PART_COPY, params->key, call, &effect, error)) {
        return false;
    }
    g_autoptr(GBytes) all =
        fake_open(params->src, "part_copy", params->src_key, params->src_if_match, NULL, error);
    if (all == NULL) {
        return false;
    }
    bp_store_writer part = {.store = store,
                            .key = (char *)params->key,
                            .upload = (char *)params->upload,
                            .part = params->number};
    BP_LOCK_GUARD(&store->lock);
    return commit_part(&part, g_bytes_new_from_bytes(all, params->offset, params->size), out,
                       error);
}

/* Parts 1..n joined, or NULL when one is missing.  Lock held. */
static GBytes *
join(const fake_upload *upload, guint n)
{
    GByteArray *all = g_byte_array_new();
    for (guint i = 0; i < n; i++) {
        GBytes *part = i < upload->parts->len ? upload->parts->pdata[i] : NULL;
        if (part == NULL) {
            g_byte_array_unref(all);
            return NULL;
        }
        g_byte_array_append(all, g_bytes_get_data(part, NULL), (guint)g_bytes_get_size(part));
    }
    return g_byte_array_free_to_bytes(all);
}

bool
bp_store_part_complete(bp_store *store, const bp_call *call, const bp_store_complete_params *params,
                       struct bp_object_meta *out, GError **error)
{
    bool effect;
    const char *key = params->write->key;
    bool ok = fake_enter(store, FAKE_PART_COMPLETE, key, call, &effect, error);
    if (!effect) {
        return false;
    }
    BP_LOCK_GUARD(&store->lock);
    fake_upload *upload = find_upload(store, params->upload);
    GBytes *all = upload != NULL ? join(upload, params->n) : NULL;
    if (all == NULL) {
        int cls = upload == NULL ? BP_ERR_NOT_FOUND : BP_ERR_INVALID;
        fake_set_error(ok ? error : NULL, cls, store, "part_complete", key,
                       upload == NULL ? "no such upload" : "a part is missing");
        return false;
    }
    g_ptr_array_remove(store->uploads, upload);
    fake_fill_meta(store, fake_insert(store, key, all, !store->is_staged), out);
    return ok;
}

bool
bp_store_part_abort(bp_store *store, const bp_call *call, const char *key, const char *id,
                    GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_PART_ABORT, key, call, &effect, error)) {
        return false;
    }
    BP_LOCK_GUARD(&store->lock);
    fake_upload *upload = find_upload(store, id);
    if (upload != NULL) {
        g_ptr_array_remove(store->uploads, upload);
    }
    return true;
}

bool
bp_store_uploads_abort_key(bp_store *store, const bp_call *call, const char *key, GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_UPLOADS_ABORT, key, call, &effect, error)) {
        return false;
    }
    BP_LOCK_GUARD(&store->lock);
    for (guint i = store->uploads->len; i > 0; i--) {
        fake_upload *upload = store->uploads->pdata[i - 1];
        if (strcmp(upload->key, key) == 0) {
            g_ptr_array_remove_index(store->uploads, i - 1);
        }
    }
    return true;
}

bool
bp_store_uploads_abort(bp_store *store, const bp_call *call, const char *prefix,
                       gint64 before_ns G_GNUC_UNUSED, GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_UPLOADS_ABORT, prefix, call, &effect, error)) {
        return false;
    }
    BP_LOCK_GUARD(&store->lock);
    for (guint i = store->uploads->len; i > 0; i--) {
        fake_upload *upload = store->uploads->pdata[i - 1];
        if (g_str_has_prefix(upload->key, prefix)) {
            g_ptr_array_remove_index(store->uploads, i - 1);
        }
    }
    return true;
}
