/* SPDX-License-Identifier: Apache-2.0
 *
 * See upload.h.
 */
#include "sdk/testkit/upload.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define PART_LIMIT ((uint64_t)12 << 20)
#define PART_LEAST 65536
#define LAST_PART 1001

void
bp_kit_upload_need(const struct bp_kit_store *store)
{
    bp_kit_store_need(store, BP_STORE_PARTS, "PARTS");
    if (store->info.min_part > PART_LIMIT) {
        bp_kit_skip(store->kit, "its smallest part is too large to try");
    }
}

static int32_t
take_id(void *ctx, const char *text)
{
    char **id = ctx;
    *id = bp_kit_dup(text != NULL ? text : "");
    return 0;
}

void
bp_kit_upload_begin(const struct bp_kit_store *store, const char *key, unsigned n_parts,
                    struct bp_kit_upload *out)
{
    bp_kit_upload_begin_as(store, key, n_parts, 0, out);
}

void
bp_kit_upload_begin_as(const struct bp_kit_store *store, const char *key, unsigned n_parts,
                       uint32_t flags, struct bp_kit_upload *out)
{
    struct bp_error error;
    size_t least = (size_t)store->info.min_part;
    *out = (struct bp_kit_upload){.store = store, .key = key, .n_parts = n_parts};
    out->part = least > PART_LEAST ? least : PART_LEAST;
    out->n = out->part * (n_parts - 1) + LAST_PART;
    out->bytes = bp_kit_bytes(out->n, 11);
    struct bp_write_args args = {
        .struct_size = sizeof args, .flags = flags, .key = key, .size = out->n};
    struct bp_text_sink sink = {.struct_size = sizeof sink, .ctx = &out->id, .text = take_id};
    bp_error_init(&error);
    bp_kit_step(store->kit, "part_begin", key);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.part_begin(store->it, bp_kit_context(NULL), &args, &sink, &error);
    bp_kit_leave(store);
    bp_kit_expect(store->kit, status, BP_OK, &error, "part_begin of %s", key);
    if (out->id == NULL || *out->id == '\0' || strlen(out->id) > BP_TOKEN_MAX) {
        bp_kit_fail(store->kit, "part_begin of %s answered ok and no id of 1 to %d bytes", key,
                    BP_TOKEN_MAX);
    }
}

size_t
bp_kit_upload_part_size(const struct bp_kit_upload *upload, unsigned number)
{
    return number < upload->n_parts ? upload->part : LAST_PART;
}

bp_status
bp_kit_upload_try_part(struct bp_kit_upload *upload, unsigned number, unsigned seed,
                       struct bp_error *error)
{
    const struct bp_kit_store *store = upload->store;
    struct bp_writer *writer = NULL;
    struct bp_object_meta meta;
    size_t n = bp_kit_upload_part_size(upload, number), at = upload->part * (number - 1);
    struct bp_part_args args = {.struct_size = sizeof args,
                                .key = upload->key,
                                .upload = upload->id,
                                .number = number,
                                .offset = at,
                                .size = n};
    bp_error_init(error);
    bp_kit_step(store->kit, "part_open", upload->key);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.part_open(store->it, bp_kit_context(NULL), &args, &writer, error);
    bp_kit_leave(store);
    if (status != BP_OK) {
        return status;
    }
    unsigned char *bytes = seed == 0 ? upload->bytes + at : bp_kit_bytes(n, seed);
    status = bp_kit_try_write(store, writer, bytes, n, NULL, error);
    if (seed != 0) {
        free(bytes);
    }
    if (status != BP_OK) {
        bp_kit_write_abort(store, writer);
        return status;
    }
    status = bp_kit_try_commit(store, writer, NULL, &meta, error);
    if (status == BP_OK) {
        free(upload->etags[number - 1]);
        upload->etags[number - 1] = bp_kit_text("%.*s", (int)sizeof meta.etag, meta.etag);
    }
    return status;
}

void
bp_kit_upload_part(struct bp_kit_upload *upload, unsigned number)
{
    struct bp_error error;
    bp_status status = bp_kit_upload_try_part(upload, number, 0, &error);
    bp_kit_expect(upload->store->kit, status, BP_OK, &error, "part %u of %s", number, upload->key);
}

bp_status
bp_kit_upload_try_complete(const struct bp_kit_upload *upload, uint32_t flags,
                           struct bp_object_meta *out, struct bp_error *error)
{
    const struct bp_kit_store *store = upload->store;
    struct bp_part parts[BP_KIT_PARTS_MAX];
    uint32_t n = 0;
    for (unsigned i = 0; i < upload->n_parts; i++) {
        if (upload->etags[i] != NULL) {
            parts[n++] = (struct bp_part){.number = i + 1, .etag = upload->etags[i]};
        }
    }
    struct bp_complete_args args = {.struct_size = sizeof args,
                                    .flags = flags,
                                    .key = upload->key,
                                    .upload = upload->id,
                                    .if_match = upload->if_match,
                                    .size = upload->n,
                                    .parts = parts,
                                    .part_stride = sizeof *parts,
                                    .n_parts = n};
    bp_error_init(error);
    *out = (struct bp_object_meta){.struct_size = sizeof *out, .size = BP_UNKNOWN};
    bp_kit_step(store->kit, "part_complete", upload->key);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.part_complete(store->it, bp_kit_context(NULL), &args, out, error);
    bp_kit_leave(store);
    return status;
}

bp_status
bp_kit_upload_try_abort(const struct bp_kit_upload *upload, const struct bp_kit_store *store,
                        struct bp_error *error)
{
    bp_error_init(error);
    bp_kit_step(store->kit, "part_abort", upload->key);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.part_abort(store->it, bp_kit_context(NULL), upload->key, upload->id, error);
    bp_kit_leave(store);
    return status;
}

struct looking {
    const struct bp_kit_upload *upload;
    size_t count;
};

static int32_t
look(void *ctx, const char *key, const char *extra, int64_t started_ns,
     const struct bp_error *error)
{
    struct looking *self = ctx;
    (void)started_ns;
    (void)error;
    if (strcmp(key, self->upload->key) == 0 && extra != NULL &&
        strcmp(extra, self->upload->id) == 0) {
        self->count++;
    }
    return 0;
}

size_t
bp_kit_upload_listed(const struct bp_kit_upload *upload)
{
    const struct bp_kit_store *store = upload->store;
    struct bp_error error;
    struct looking looking = {.upload = upload};
    struct bp_key_sink sink = {.struct_size = sizeof sink, .ctx = &looking, .key = look};
    bp_error_init(&error);
    bp_kit_step(store->kit, "uploads_list", upload->key);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.uploads_list(store->it, bp_kit_context(NULL), upload->key, &sink, &error);
    bp_kit_leave(store);
    bp_kit_expect(store->kit, status, BP_OK, &error, "uploads_list of %s", upload->key);
    return looking.count;
}
