/* SPDX-License-Identifier: Apache-2.0
 *
 * A body of unknown size: an upload in parts inside of a writer.
 */
#include <string.h>

#include "plugins/storage-s3/parts.h"
#include "plugins/storage-s3/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define FIRST_PART ((uint64_t)8 << 20)
/* With 10 000 parts of 8 MiB an object would end at 78 GiB: parts double after so many. */
#define PARTS_OF_A_SIZE 1000

uint64_t
bp_s3_gather_room(const struct bp_storage *storage, unsigned n)
{
    unsigned doublings = MIN(n / PARTS_OF_A_SIZE, 9);
    return MIN(FIRST_PART << doublings, storage->set.memory / 2);
}

static int32_t
take_id(void *ctx, const char *text)
{
    struct bp_writer *writer = ctx;
    g_free(writer->upload);
    writer->upload = g_strdup(text);
    return 0;
}

static bp_status
begin(struct bp_writer *writer, const struct bp_op *op, struct bp_error *error)
{
    const struct bp_text_sink sink = {.struct_size = sizeof(sink), .ctx = writer, .text = take_id};
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .key = writer->key, .size = BP_UNKNOWN};
    writer->etags = g_ptr_array_new_with_free_func(g_free);
    return bp_s3_part_begin(writer->storage, op, &args, &sink, error);
}

bp_status
bp_s3_gather_flush(struct bp_writer *writer, const struct bp_op *op, struct bp_error *error)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    bp_status status = writer->etags == NULL ? begin(writer, op, error) : BP_OK;
    if (status != BP_OK) {
        return status;
    }
    const struct bp_part_args args = {
        .struct_size = sizeof(args),
        .key = writer->key,
        .upload = writer->upload,
        .number = writer->etags->len + 1,
        .size = writer->n_kept,
    };
    status = bp_s3_part_put(writer->storage, op, &args, writer->kept, &meta, error);
    if (status == BP_OK) {
        g_ptr_array_add(writer->etags, g_strdup(meta.etag));
        writer->n_kept = 0;
    }
    return status;
}

bp_status
bp_s3_gather_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                    struct bp_error *error)
{
    bp_status status = writer->n_kept > 0 ? bp_s3_gather_flush(writer, op, error) : BP_OK;
    if (status != BP_OK) {
        return status;
    }
    guint n = writer->etags->len;
    g_autofree struct bp_part *parts = g_new0(struct bp_part, n);
    for (guint i = 0; i < n; i++) {
        parts[i].number = i + 1;
        parts[i].etag = g_ptr_array_index(writer->etags, i);
    }
    const struct bp_complete_args args = {
        .struct_size = sizeof(args),
        .flags = writer->flags,
        .key = writer->key,
        .upload = writer->upload,
        .if_match = writer->if_match,
        .size = writer->written,
        .parts = parts,
        .part_stride = sizeof(*parts),
        .n_parts = n,
    };
    status = bp_s3_part_complete(writer->storage, op, &args, out, error);
    if (status == BP_OK) {
        g_clear_pointer(&writer->upload, g_free);
    }
    return status;
}

static void
end_upload(struct bp_writer *writer, const struct bp_op *op, bool insist)
{
    struct bp_error why = {.struct_size = sizeof(why)};
    struct bp_op undo;
    if (writer->upload == NULL) {
        return;
    }
    bp_status status = bp_s3_part_abort(writer->storage, op, writer->key, writer->upload, &why);
    if (insist && (status == BP_ERR_CANCELLED || status == BP_ERR_TIMEOUT)) {
        bp_undo_op(op, BP_UNDO_MS, &undo);
        status = bp_s3_part_abort(writer->storage, &undo, writer->key, writer->upload, &why);
    }
    if (status != BP_OK) {
        bp_hostlog(writer->storage->host, op, BP_LOG_WARN,
                   "upload %s of %s stays behind and takes space: %s", writer->upload, writer->key,
                   why.message);
    }
    g_clear_pointer(&writer->upload, g_free);
}

void
bp_s3_gather_abort(struct bp_writer *writer, const struct bp_op *op)
{
    end_upload(writer, op, false); /* the host has given it the time that there is */
}

void
bp_s3_gather_fail(struct bp_writer *writer, const struct bp_op *op)
{
    end_upload(writer, op, true);
}
