/* SPDX-License-Identifier: Apache-2.0
 *
 * Writers, copies and uploads of the in-memory storage plugin.
 */
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/harness/memory.h"
#include "tests/harness/test_ops.h"

#include "sdk/lib/ban.h"

struct bp_writer {
    struct bp_storage *storage;
    GByteArray *bytes;
    char *key, *if_match;
    guint32 flags;
    char *upload; /* of a part, else NULL */
    guint32 part;
};

static struct bp_writer *
writer_new(struct bp_storage *self, const char *key)
{
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = self;
    writer->key = g_strdup(key);
    writer->bytes = g_byte_array_new();
    memory_handles_add(1);
    return writer;
}

static void
writer_free(struct bp_writer *writer)
{
    g_byte_array_unref(writer->bytes);
    g_free(writer->key);
    g_free(writer->if_match);
    g_free(writer->upload);
    g_free(writer);
    memory_handles_add(-1);
}

bp_status
memory_write_open(struct bp_storage *self, const struct bp_op *op, const struct bp_write_args *args,
                  struct bp_writer **out, struct bp_error *error)
{
    (void)op;
    memory_enter("write_open");
    bp_status status = BP_OK;
    if ((args->flags & ~(BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE)) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "unknown flags");
    } else if (memory_knob.lie != TEST_LIE_NO_HANDLE) {
        *out = writer_new(self, args->key);
        (*out)->flags = args->flags;
        (*out)->if_match = g_strdup(args->if_match);
    }
    memory_leave();
    return status;
}

bp_status
memory_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
             struct bp_error *error)
{
    (void)op;
    (void)error;
    memory_enter("write");
    g_byte_array_append(writer->bytes, bytes, (guint)n);
    memory_leave();
    return BP_OK;
}

static bp_status
check_condition(const char *key, const memory_object *old, guint32 flags, const char *if_match,
                struct bp_error *error)
{
    if (old != NULL && (flags & BP_WRITE_IF_NONE_MATCH) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "%s exists", key);
    }
    if (if_match != NULL) {
        struct bp_object_meta meta = {.struct_size = sizeof meta};
        if (old != NULL) {
            memory_fill_meta(old, &meta);
        }
        if (old == NULL || strcmp(meta.etag, if_match) != 0) {
            return bp_fail(error, BP_ERR_EXISTS, "%s is another version", key);
        }
    }
    return BP_OK;
}

static bp_status
store_object(struct bp_writer *writer, struct bp_object_meta *out, struct bp_error *error)
{
    memory_space *space = writer->storage->space;
    bp_status status = check_condition(writer->key, memory_find(space, writer->key), writer->flags,
                                       writer->if_match, error);
    if (status == BP_OK) {
        memory_store(space, writer->key, g_bytes_new(writer->bytes->data, writer->bytes->len));
        memory_fill_meta(memory_find(space, writer->key), out);
    }
    return status;
}

static bp_status
store_part(struct bp_writer *writer, struct bp_object_meta *out, struct bp_error *error)
{
    memory_upload *upload = g_hash_table_lookup(writer->storage->space->uploads, writer->upload);
    if (upload == NULL) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "no upload %s", writer->upload);
    }
    g_hash_table_replace(upload->parts, GUINT_TO_POINTER(writer->part),
                         g_bytes_new(writer->bytes->data, writer->bytes->len));
    out->size = writer->bytes->len;
    g_snprintf(out->etag, sizeof out->etag, "p%u", writer->part);
    return BP_OK;
}

bp_status
memory_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                    struct bp_error *error)
{
    (void)op;
    memory_enter("write_commit");
    if (memory_check_login(writer->storage, error) != BP_OK) {
        writer_free(writer);
        memory_leave();
        return BP_ERR_AUTH;
    }
    pthread_mutex_lock(&memory_lock);
    bp_status status =
        writer->upload != NULL ? store_part(writer, out, error) : store_object(writer, out, error);
    if (memory_knob.lie == TEST_LIE_COMMIT_SIZE) {
        out->size++;
    }
    pthread_mutex_unlock(&memory_lock);
    writer_free(writer);
    memory_leave();
    return status;
}

void
memory_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    (void)op;
    memory_enter("write_abort");
    writer_free(writer);
    memory_leave();
}

bp_status
memory_copy(struct bp_storage *self, const struct bp_op *op, const struct bp_copy_args *args,
            struct bp_object_meta *out, struct bp_error *error)
{
    (void)op;
    memory_enter("copy");
    pthread_mutex_lock(&memory_lock);
    memory_object *from = memory_find(args->src->space, args->src_key);
    bp_status status = BP_OK;
    if (from == NULL) {
        status = bp_fail(error, BP_ERR_NOT_FOUND, "no object %s", args->src_key);
    } else {
        status = check_condition(args->src_key, from, 0, args->src_if_match, error);
    }
    if (status == BP_OK && from != NULL) {
        memory_store(self->space, args->dst_key, g_bytes_ref(from->bytes));
        memory_fill_meta(memory_find(self->space, args->dst_key), out);
    }
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return status;
}

bp_status
memory_part_begin(struct bp_storage *self, const struct bp_op *op, const struct bp_write_args *args,
                  const struct bp_text_sink *id, struct bp_error *error)
{
    static guint count;
    (void)op;
    (void)error;
    memory_enter("part_begin");
    pthread_mutex_lock(&memory_lock);
    g_autofree char *name = g_strdup_printf("upload-%u", ++count);
    memory_upload *upload = g_new0(memory_upload, 1);
    upload->key = g_strdup(args->key);
    upload->parts = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_bytes_unref);
    g_hash_table_insert(self->space->uploads, g_strdup(name), upload);
    pthread_mutex_unlock(&memory_lock);
    if (memory_knob.lie != TEST_LIE_NO_UPLOAD_ID) {
        (void)id->text(id->ctx, name);
    }
    memory_leave();
    return BP_OK;
}

bp_status
memory_part_open(struct bp_storage *self, const struct bp_op *op, const struct bp_part_args *args,
                 struct bp_writer **out, struct bp_error *error)
{
    (void)op;
    (void)error;
    memory_enter("part_open");
    *out = writer_new(self, args->key);
    (*out)->upload = g_strdup(args->upload);
    (*out)->part = args->number;
    memory_leave();
    return BP_OK;
}

bp_status
memory_part_copy(struct bp_storage *self, const struct bp_op *op, const struct bp_part_args *args,
                 struct bp_object_meta *out, struct bp_error *error)
{
    struct bp_writer *writer = NULL;
    memory_enter("part_copy");
    pthread_mutex_lock(&memory_lock);
    memory_object *from = memory_find(args->src->space, args->src_key);
    gsize size = from != NULL ? g_bytes_get_size(from->bytes) : 0;
    bool fits = from != NULL && args->offset <= size && args->size <= size - args->offset;
    g_autoptr(GBytes) piece =
        fits ? g_bytes_new_from_bytes(from->bytes, args->offset, args->size) : NULL;
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    if (!fits) {
        return bp_fail(error, BP_ERR_RANGE, "no such piece of %s", args->src_key);
    }
    (void)memory_part_open(self, op, args, &writer, error); /* cannot fail */
    (void)memory_write(writer, op, g_bytes_get_data(piece, NULL), g_bytes_get_size(piece), error);
    return memory_write_commit(writer, op, out, error);
}

bp_status
memory_part_complete(struct bp_storage *self, const struct bp_op *op,
                     const struct bp_complete_args *args, struct bp_object_meta *out,
                     struct bp_error *error)
{
    (void)op;
    memory_enter("part_complete");
    pthread_mutex_lock(&memory_lock);
    memory_upload *upload = g_hash_table_lookup(self->space->uploads, args->upload);
    bp_status status = upload != NULL ? BP_OK : bp_fail(error, BP_ERR_NOT_FOUND, "no upload");
    g_autoptr(GByteArray) whole = g_byte_array_new();
    for (guint32 i = 0; i < args->n_parts && upload != NULL && status == BP_OK; i++) {
        const struct bp_part *part =
            (const void *)((const char *)args->parts + (gsize)i * args->part_stride);
        GBytes *bytes = g_hash_table_lookup(upload->parts, GUINT_TO_POINTER(part->number));
        if (bytes == NULL) {
            status = bp_fail(error, BP_ERR_INVALID, "part %u is missing", part->number);
        } else {
            g_byte_array_append(whole, g_bytes_get_data(bytes, NULL),
                                (guint)g_bytes_get_size(bytes));
        }
    }
    if (status == BP_OK) {
        memory_store(self->space, args->key, g_bytes_new(whole->data, whole->len));
        memory_fill_meta(memory_find(self->space, args->key), out);
        g_hash_table_remove(self->space->uploads, args->upload);
    }
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return status;
}

bp_status
memory_part_abort(struct bp_storage *self, const struct bp_op *op, const char *key,
                  const char *upload, struct bp_error *error)
{
    (void)op;
    (void)key;
    (void)error;
    memory_enter("part_abort");
    pthread_mutex_lock(&memory_lock);
    g_hash_table_remove(self->space->uploads, upload);
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return BP_OK;
}

static void
each_upload(struct bp_storage *self, const char *prefix, const struct bp_key_sink *sink, bool end)
{
    GHashTableIter iter;
    gpointer id = NULL, data = NULL;
    g_hash_table_iter_init(&iter, self->space->uploads);
    while (g_hash_table_iter_next(&iter, &id, &data)) {
        const memory_upload *upload = data;
        if (g_str_has_prefix(upload->key, prefix)) {
            (void)sink->key(sink->ctx, upload->key, end ? NULL : id, 1, NULL);
            if (end) {
                g_hash_table_iter_remove(&iter);
            }
        }
    }
}

bp_status
memory_uploads_list(struct bp_storage *self, const struct bp_op *op, const char *prefix,
                    const struct bp_key_sink *sink, struct bp_error *error)
{
    (void)op;
    (void)error;
    memory_enter("uploads_list");
    pthread_mutex_lock(&memory_lock);
    each_upload(self, prefix, sink, false);
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return BP_OK;
}

bp_status
memory_uploads_abort(struct bp_storage *self, const struct bp_op *op, const char *prefix,
                     int64_t before_ns, const struct bp_key_sink *sink, struct bp_error *error)
{
    (void)op;
    (void)before_ns;
    (void)error;
    memory_enter("uploads_abort");
    pthread_mutex_lock(&memory_lock);
    each_upload(self, prefix, sink, true);
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return BP_OK;
}
