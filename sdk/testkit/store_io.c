/* SPDX-License-Identifier: Apache-2.0
 *
 * See store.h: writing and reading.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define PIECE 65536
/* What an undo has, and what is added for a machine under load. */
#define UNDO_MS 30000
#define UNDO_SLACK_NS 1500000000
/* Odd, so that no size that matters is a multiple of it. */
#define WRITE_PIECE 260017

unsigned char *
bp_kit_bytes(size_t n, unsigned seed)
{
    unsigned char *bytes = bp_kit_alloc(n, 1);
    uint32_t state = seed * 2654435761U + 1;
    for (size_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (unsigned char)(state >> 16);
    }
    return bytes;
}

bp_status
bp_kit_try_write_open(const struct bp_kit_store *store, const struct bp_write_args *args,
                      struct bp_kit_op *op, struct bp_writer **out, struct bp_error *error)
{
    bp_error_init(error);
    *out = NULL;
    bp_kit_step(store->kit, "write_open", args->key);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.write_open(store->it, bp_kit_context(op), args, out, error);
    bp_kit_leave(store);
    if (status == BP_OK && *out == NULL) {
        bp_kit_fail(store->kit, "write_open of %s answered ok and no writer", args->key);
    }
    return status;
}

struct bp_writer *
bp_kit_write_open(const struct bp_kit_store *store, const char *key, uint64_t size, uint32_t flags)
{
    struct bp_error error;
    struct bp_writer *writer = NULL;
    struct bp_write_args args = {
        .struct_size = sizeof args, .flags = flags, .key = key, .size = size};
    bp_status status = bp_kit_try_write_open(store, &args, NULL, &writer, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "write_open of %s", key);
    return writer;
}

bp_status
bp_kit_try_write(const struct bp_kit_store *store, struct bp_writer *writer, const void *bytes,
                 size_t n, struct bp_kit_op *op, struct bp_error *error)
{
    bp_error_init(error);
    bp_kit_step(store->kit, "write", NULL);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.write(writer, bp_kit_context(op), bytes, n, error);
    bp_kit_leave(store);
    return status;
}

void
bp_kit_write(const struct bp_kit_store *store, struct bp_writer *writer, const void *bytes,
             size_t n)
{
    struct bp_error error;
    bp_status status = bp_kit_try_write(store, writer, bytes, n, NULL, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "write of %zu bytes", n);
}

bp_status
bp_kit_try_commit(const struct bp_kit_store *store, struct bp_writer *writer, struct bp_kit_op *op,
                  struct bp_object_meta *out, struct bp_error *error)
{
    bp_error_init(error);
    *out = (struct bp_object_meta){.struct_size = sizeof *out, .size = BP_UNKNOWN};
    bp_kit_step(store->kit, "write_commit", NULL);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.write_commit(writer, bp_kit_context(op), out, error);
    bp_kit_leave(store);
    return status;
}

void
bp_kit_write_abort(const struct bp_kit_store *store, struct bp_writer *writer)
{
    struct bp_kit_op op;
    bp_kit_op_init(&op, UNDO_MS);
    bp_kit_step(store->kit, "write_abort", NULL);
    bp_kit_enter(store);
    store->kit->ops.write_abort(writer, &op.op);
    bp_kit_leave(store);
    if (bp_kit_now_ns() > op.op.deadline_ns + UNDO_SLACK_NS) {
        bp_kit_fail(store->kit, "write_abort, which has %d s, took longer", UNDO_MS / 1000);
    }
    bp_kit_op_clear(&op);
}

/* With a context of its own: its time is not that of the call which failed. */
static void
undo_put(const struct bp_kit_store *store, struct bp_writer *writer, struct bp_kit_op *op)
{
    long long start = bp_kit_now_ns();
    bp_kit_write_abort(store, writer);
    if (op != NULL) {
        op->undoing_ns += bp_kit_now_ns() - start;
    }
}

bp_status
bp_kit_try_put(const struct bp_kit_store *store, const struct bp_kit_put *put,
               struct bp_object_meta *out, struct bp_error *error)
{
    struct bp_writer *writer = NULL;
    struct bp_write_args args = {.struct_size = sizeof args,
                                 .flags = put->flags,
                                 .key = put->key,
                                 .size = put->unknown_size ? BP_UNKNOWN : put->n,
                                 .if_match = put->if_match,
                                 .checksum = put->checksum};
    bp_status status = bp_kit_try_write_open(store, &args, put->op, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    for (size_t at = 0; at < put->n && status == BP_OK;) {
        size_t n = put->n - at < WRITE_PIECE ? put->n - at : WRITE_PIECE;
        status = bp_kit_try_write(store, writer, (const unsigned char *)put->bytes + at, n, put->op,
                                  error);
        at += n;
    }
    if (status != BP_OK) {
        undo_put(store, writer, put->op);
        return status;
    }
    return bp_kit_try_commit(store, writer, put->op, out, error);
}

void
bp_kit_put(const struct bp_kit_store *store, const char *key, const void *bytes, size_t n)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_put put = {.key = key, .bytes = bytes, .n = n, .flags = BP_WRITE_DURABLE};
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "writing %s with %zu bytes", key, n);
}

bp_status
bp_kit_try_read_open(const struct bp_kit_store *store, const struct bp_kit_get *get,
                     struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    struct bp_read_args args = {.struct_size = sizeof args,
                                .key = get->key,
                                .offset = get->offset,
                                .length = get->length,
                                .if_match = get->if_match};
    bp_error_init(error);
    *out = NULL;
    *meta = (struct bp_object_meta){.struct_size = sizeof *meta, .size = BP_UNKNOWN};
    bp_kit_step(store->kit, "read_open", get->key);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.read_open(store->it, bp_kit_context(get->op), &args, meta, out, error);
    bp_kit_leave(store);
    if (status == BP_OK && *out == NULL) {
        bp_kit_fail(store->kit, "read_open of %s answered ok and no reader", get->key);
    }
    return status;
}

bp_status
bp_kit_try_read(const struct bp_kit_store *store, struct bp_reader *reader,
                struct bp_kit_piece *piece, struct bp_error *error)
{
    bp_error_init(error);
    piece->n = 0;
    bp_kit_step(store->kit, "read", NULL);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.read(reader, bp_kit_context(piece->op), piece->buffer,
                                            piece->cap, &piece->n, error);
    bp_kit_leave(store);
    if (status == BP_OK && piece->n > piece->cap) {
        bp_kit_fail(store->kit, "read answered %zu bytes where there was room for %zu", piece->n,
                    piece->cap);
    }
    return status;
}

void
bp_kit_read_close(const struct bp_kit_store *store, struct bp_reader *reader)
{
    bp_kit_step(store->kit, "read_close", NULL);
    bp_kit_enter(store);
    store->kit->ops.read_close(reader);
    bp_kit_leave(store);
}

bp_status
bp_kit_try_get(const struct bp_kit_store *store, const struct bp_kit_get *get,
               struct bp_object_meta *meta, unsigned char **out, size_t *n, struct bp_error *error)
{
    struct bp_kit_piece piece = {.cap = get->piece > 0 ? get->piece : PIECE, .op = get->op};
    size_t room = 0;
    struct bp_reader *reader = NULL;
    unsigned char *bytes = NULL;
    *n = 0;
    bp_status status = bp_kit_try_read_open(store, get, meta, &reader, error);
    if (status != BP_OK) {
        return status;
    }
    do {
        if (room - *n < piece.cap) {
            room = room * 2 + piece.cap;
            bytes = bp_kit_grow(bytes, room, 1);
        }
        piece.buffer = bytes + *n;
        status = bp_kit_try_read(store, reader, &piece, error);
        *n += piece.n;
    } while (status == BP_OK && piece.n > 0);
    bp_kit_read_close(store, reader);
    if (status != BP_OK) {
        free(bytes);
        return status;
    }
    *out = bytes;
    return BP_OK;
}

void
bp_kit_expect_content(const struct bp_kit_store *store, const char *key, const void *bytes,
                      size_t n)
{
    struct bp_error error;
    struct bp_object_meta meta;
    unsigned char *found = NULL;
    size_t n_found = 0;
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN};
    bp_status status = bp_kit_try_get(store, &get, &meta, &found, &n_found, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "reading %s", key);
    if (n_found != n) {
        bp_kit_fail(store->kit, "%s has %zu bytes when read, and %zu were written", key, n_found,
                    n);
    }
    for (size_t i = 0; found != NULL && i < n; i++) {
        if (found[i] != ((const unsigned char *)bytes)[i]) {
            bp_kit_fail(store->kit, "%s differs from what was written at byte %zu", key, i);
        }
    }
    free(found);
}
