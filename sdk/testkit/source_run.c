/* SPDX-License-Identifier: Apache-2.0
 *
 * See source.h: runs, items, captures.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/testkit/hostrefs.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/source.h"

#include "sdk/lib/ban.h"

#define PIECE 65536
#define END_MS 30000

bp_status
bp_kit_try_run_begin(struct bp_kit_source *source, uint32_t flags, struct bp_kit_op *op,
                     struct bp_run **out, struct bp_error *error)
{
    struct bp_run_info info = {.struct_size = sizeof info};
    struct bp_run_args args = {.struct_size = sizeof args,
                               .flags = flags,
                               .run_id = "5b1f6c1e-94a5-4d0b-8a6e-0d8e35a80c11",
                               .backup = "kit",
                               .options = source->options};
    bp_error_init(error);
    *out = NULL;
    bp_kit_step(source->kit, "run_begin", NULL);
    bp_status status =
        source->kit->source.run_begin(source->it, bp_kit_context(op), &args, &info, out, error);
    if (status == BP_OK && *out == NULL) {
        bp_kit_fail(source->kit, "run_begin answered ok and no run");
    }
    source->keepalive_ms = info.keepalive_ms;
    return status;
}

struct bp_run *
bp_kit_run_begin(struct bp_kit_source *source, uint32_t flags)
{
    struct bp_error error;
    struct bp_run *run = NULL;
    bp_status status = bp_kit_try_run_begin(source, flags, NULL, &run, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "run_begin with flags %u", flags);
    return run;
}

void
bp_kit_run_end(struct bp_kit_source *source, struct bp_run *run, int32_t outcome)
{
    struct bp_error error;
    struct bp_kit_op op;
    bp_error_init(&error);
    bp_kit_op_init(&op, END_MS);
    bp_kit_step(source->kit, "run_end", NULL);
    bp_status status = source->kit->source.run_end(run, &op.op, outcome, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "run_end with outcome %d", outcome);
    bp_kit_op_clear(&op);
}

bp_status
bp_kit_try_unit_begin(struct bp_kit_source *source, struct bp_run *run, const char *unit_id,
                      struct bp_kit_op *op, struct bp_error *error)
{
    const struct bp_unit_args args = {
        .struct_size = sizeof args, .flags = source->unit_flags, .unit_id = unit_id};
    bp_error_init(error);
    bp_kit_step(source->kit, "unit_begin", unit_id);
    return source->kit->source.unit_begin(run, bp_kit_context(op), &args, error);
}

void
bp_kit_unit_begin(struct bp_kit_source *source, struct bp_run *run, const char *unit_id)
{
    struct bp_error error;
    bp_status status = bp_kit_try_unit_begin(source, run, unit_id, NULL, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "unit_begin of %s", unit_id);
}

void
bp_kit_unit_end(struct bp_kit_source *source, struct bp_run *run, const char *unit_id)
{
    struct bp_error error;
    bp_error_init(&error);
    bp_kit_step(source->kit, "unit_end", unit_id);
    bp_status status =
        source->kit->source.unit_end(run, bp_kit_context(NULL), unit_id, BP_OUTCOME_DONE, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "unit_end of %s", unit_id);
}

static char *
dup_or_null(const char *text)
{
    return text != NULL ? bp_kit_dup(text) : NULL;
}

struct page {
    struct bp_kit_unit *unit;
    char *next;
};

static int32_t
take_item(void *ctx, const struct bp_item *item)
{
    struct bp_kit_unit *unit = ((struct page *)ctx)->unit;
    if ((unit->n_items & (unit->n_items - 1)) == 0) { /* grows at each power of two */
        unit->items = bp_kit_grow(unit->items, unit->n_items > 0 ? unit->n_items * 2 : 1,
                                  sizeof *unit->items);
    }
    unit->items[unit->n_items++] = (struct bp_kit_item){.kind = item->kind,
                                                        .id = dup_or_null(item->id),
                                                        .key = dup_or_null(item->key),
                                                        .ref = dup_or_null(item->ref),
                                                        .ref_key = dup_or_null(item->ref_key),
                                                        .etag = dup_or_null(item->etag),
                                                        .size = item->size};
    return 0;
}

static int32_t
take_next(void *ctx, const char *token)
{
    struct page *page = ctx;
    free(page->next);
    page->next = bp_kit_dup(token != NULL ? token : "");
    return 0;
}

bp_status
bp_kit_try_items(struct bp_kit_source *source, struct bp_run *run, struct bp_kit_unit *unit,
                 char **token, struct bp_kit_op *op, struct bp_error *error)
{
    struct page page = {.unit = unit};
    struct bp_item_sink sink = {
        .struct_size = sizeof sink, .ctx = &page, .item = take_item, .next = take_next};
    bp_error_init(error);
    bp_kit_step(source->kit, "unit_items", unit->id);
    bp_status status =
        source->kit->source.unit_items(run, bp_kit_context(op), unit->id, *token, &sink, error);
    if (status == BP_OK) {
        free(*token);
        *token = page.next;
    } else {
        free(page.next);
    }
    return status;
}

void
bp_kit_items(struct bp_kit_source *source, struct bp_run *run, struct bp_kit_unit *unit)
{
    char *token = NULL;
    do {
        struct bp_error error;
        size_t before = unit->n_items;
        bp_status status = bp_kit_try_items(source, run, unit, &token, NULL, &error);
        bp_kit_expect(source->kit, status, BP_OK, &error, "unit_items of %s", unit->id);
        if (unit->n_items - before > BP_ITEM_PAGE_MAX) {
            bp_kit_fail(source->kit, "unit_items of %s answered a page of %zu items, at most %d",
                        unit->id, unit->n_items - before, BP_ITEM_PAGE_MAX);
        }
    } while (token != NULL);
}

void
bp_kit_items_clear(struct bp_kit_unit *unit)
{
    for (size_t i = 0; i < unit->n_items; i++) {
        free(unit->items[i].id);
        free(unit->items[i].key);
        free(unit->items[i].ref);
        free(unit->items[i].ref_key);
        free(unit->items[i].etag);
    }
    free(unit->items);
    unit->items = NULL;
    unit->n_items = 0;
}

unsigned char *
bp_kit_stream(struct bp_kit_source *source, struct bp_run *run, const struct bp_kit_unit *unit,
              const struct bp_kit_item *item, uint64_t offset, size_t *n)
{
    const struct bp_source_ops *ops = &source->kit->source;
    struct bp_error error;
    struct bp_item_reader *reader = NULL;
    unsigned char *bytes = NULL;
    size_t room = 0, got = 0;
    if (ops->item_open == NULL || ops->item_read == NULL || ops->item_close == NULL) {
        bp_kit_fail(source->kit,
                    "it names STREAM items and has no item_open, item_read, item_close");
    }
    bp_error_init(&error);
    bp_kit_step(source->kit, "item_open", item->id);
    const struct bp_item_open_args args = {.struct_size = sizeof args,
                                           .unit_id = unit->id,
                                           .item_id = item->id,
                                           .etag = item->etag,
                                           .offset = offset};
    bp_status status = ops->item_open(run, bp_kit_context(NULL), &args, &reader, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "item_open of %s", item->id);
    *n = 0;
    do {
        if (room - *n < PIECE) {
            room = room * 2 + PIECE;
            bytes = bp_kit_grow(bytes, room, 1);
        }
        got = 0;
        bp_kit_step(source->kit, "item_read", item->id);
        status = ops->item_read(reader, bp_kit_context(NULL), bytes + *n, PIECE, &got, &error);
        bp_kit_expect(source->kit, status, BP_OK, &error, "item_read of %s", item->id);
        *n += got;
    } while (got > 0);
    bp_kit_step(source->kit, "item_close", item->id);
    ops->item_close(reader);
    return bytes;
}

/* Content of an item that lies in a storage. */
static unsigned char *
fetch(struct bp_kit_source *source, const struct bp_kit_item *item, size_t *n)
{
    struct bp_error error;
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    bp_error_init(&error);
    bp_status status =
        bp_kit_refs_stat(bp_kit_context(NULL), item->ref, item->ref_key, &meta, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "item %s, looked for where it is said to be",
                  item->id);
    unsigned char *bytes = bp_kit_alloc((size_t)meta.size + 1, 1);
    struct bp_read_args args = {
        .struct_size = sizeof args, .key = item->ref_key, .length = meta.size};
    status = bp_kit_refs_read(bp_kit_context(NULL), item->ref, &args, bytes, n, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "reading item %s", item->id);
    return bytes;
}

static void
copy_item(struct bp_kit_source *source, struct bp_run *run, const struct bp_kit_unit *unit,
          const struct bp_kit_item *item)
{
    size_t n = 0;
    unsigned char *bytes = item->kind == BP_ITEM_STREAM
                               ? bp_kit_stream(source, run, unit, item, 0, &n)
                               : fetch(source, item, &n);
    if (item->size != BP_UNKNOWN && item->size != n) {
        bp_kit_fail(source->kit, "item %s was said to have %" PRIu64 " bytes and has %zu", item->id,
                    item->size, n);
    }
    char *key = bp_kit_text("%s%s", source->kit->prefix, item->key);
    bp_kit_put(source->backup, key, bytes, n);
    free(key);
    free(bytes);
}

/* A document on its way into the backup. */
struct document {
    struct bp_kit_source *source;
    char *key;
    unsigned char *bytes;
    size_t n;
};

static int32_t
begin_document(void *ctx, const char *key, uint32_t flags)
{
    struct document *self = ctx;
    (void)flags;
    self->key = bp_kit_text("%s%s", self->source->kit->prefix, key);
    self->n = 0;
    return 0;
}

static int32_t
write_document(void *ctx, const void *bytes, size_t n)
{
    struct document *self = ctx;
    self->bytes = bp_kit_grow(self->bytes, self->n + n + 1, 1);
    memcpy(self->bytes + self->n, bytes, n);
    self->n += n;
    return 0;
}

static int32_t
end_document(void *ctx)
{
    struct document *self = ctx;
    bp_kit_put(self->source->backup, self->key, self->bytes, self->n);
    free(self->key);
    self->key = NULL;
    return 0;
}

static void
write_documents(struct bp_kit_source *source, struct bp_run *run)
{
    struct bp_error error;
    struct document document = {.source = source};
    struct bp_document_sink sink = {.struct_size = sizeof sink,
                                    .ctx = &document,
                                    .begin = begin_document,
                                    .write = write_document,
                                    .end = end_document};
    bp_error_init(&error);
    bp_kit_step(source->kit, "documents", NULL);
    bp_status status = source->kit->source.documents(run, bp_kit_context(NULL), &sink, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "documents");
    free(document.bytes);
}

static void
capture_unit(struct bp_kit_source *source, struct bp_run *run, struct bp_kit_unit *unit)
{
    struct bp_error error;
    bp_kit_unit_begin(source, run, unit->id);
    bp_kit_items(source, run, unit);
    for (size_t i = 0; i < unit->n_items; i++) {
        copy_item(source, run, unit, &unit->items[i]);
    }
    unit->proof = (struct bp_proof){.struct_size = sizeof unit->proof};
    bp_error_init(&error);
    bp_kit_step(source->kit, "unit_prove", unit->id);
    bp_status status =
        source->kit->source.unit_prove(run, bp_kit_context(NULL), unit->id, &unit->proof, &error);
    bp_kit_expect(source->kit, status, BP_OK, &error, "unit_prove of %s", unit->id);
    bp_kit_unit_end(source, run, unit->id);
}

void
bp_kit_capture(struct bp_kit_source *source, struct bp_kit_units *out)
{
    if (source->backup == NULL) {
        bp_kit_skip(source->kit, "needs a storage \"backup\" among storages");
    }
    bp_kit_plan(source, out);
    (void)bp_kit_some_unit(source, out);
    struct bp_run *run = bp_kit_run_begin(source, 0);
    for (size_t i = 0; i < out->n; i++) {
        if (bp_kit_has_items(source, &out->units[i])) {
            capture_unit(source, run, &out->units[i]);
        }
    }
    write_documents(source, run);
    bp_kit_run_end(source, run, BP_OUTCOME_DONE);
}
