/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of a source: runs, items, proofs and documents.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/hostrefs.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/source.h"

#include "sdk/lib/ban.h"

#define UNKNOWN_FLAG (UINT32_C(1) << 30)

static void
judge_item(struct bp_kit_source *source, const struct bp_kit_unit *unit,
           const struct bp_kit_item *item)
{
    const struct bp_kit *kit = source->kit;
    struct bp_error error;
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    const char *why = "is missing";
    if (item->id == NULL || *item->id == '\0') {
        bp_kit_fail(kit, "an item of unit %s has no id", unit->id);
    }
    if (item->key == NULL || bp_key_check(item->key, &why) != 0) {
        bp_kit_fail(kit, "item %s: its key %s", item->id, why);
    }
    if (strncmp(item->key, "bakplane/", 9) == 0) {
        bp_kit_fail(kit, "item %s goes below bakplane/, which is the core's", item->id);
    }
    if (item->kind != BP_ITEM_REF && item->kind != BP_ITEM_STREAM) {
        bp_kit_fail(kit, "item %s is of kind %u", item->id, item->kind);
    }
    if (item->kind == BP_ITEM_STREAM) {
        return;
    }
    bp_error_init(&error);
    bp_status status =
        bp_kit_refs_stat(bp_kit_context(NULL), item->ref, item->ref_key, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "item %s, looked for at %s of storage %s", item->id,
                  item->ref_key != NULL ? item->ref_key : "?", item->ref != NULL ? item->ref : "?");
    if (item->size != BP_UNKNOWN && item->size != meta.size) {
        bp_kit_fail(kit, "item %s was said to have %" PRIu64 " bytes and has %" PRIu64, item->id,
                    item->size, meta.size);
    }
    if (item->etag != NULL && strncmp(item->etag, meta.etag, sizeof meta.etag) != 0) {
        bp_kit_fail(kit, "item %s was said to have etag \"%s\" and has \"%s\"", item->id,
                    item->etag, meta.etag);
    }
}

static int
by_id(const void *a, const void *b)
{
    return strcmp(((const struct bp_kit_item *)a)->id, ((const struct bp_kit_item *)b)->id);
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct bp_kit_item *)a)->key, ((const struct bp_kit_item *)b)->key);
}

static void
expect_once(const struct bp_kit *kit, struct bp_kit_unit *unit)
{
    qsort(unit->items, unit->n_items, sizeof *unit->items, by_key);
    for (size_t i = 1; i < unit->n_items; i++) {
        if (strcmp(unit->items[i - 1].key, unit->items[i].key) == 0) {
            bp_kit_fail(kit, "two items of unit %s go to %s", unit->id, unit->items[i].key);
        }
    }
    qsort(unit->items, unit->n_items, sizeof *unit->items, by_id);
    for (size_t i = 1; i < unit->n_items; i++) {
        if (strcmp(unit->items[i - 1].id, unit->items[i].id) == 0) {
            bp_kit_fail(kit, "item %s of unit %s was named twice", unit->items[i].id, unit->id);
        }
    }
}

static void
name_items(struct bp_kit_source *source, struct bp_kit_unit *unit)
{
    struct bp_run *run = bp_kit_run_begin(source, 0);
    bp_kit_unit_begin(source, run, unit->id);
    bp_kit_items(source, run, unit);
    for (size_t i = 0; i < unit->n_items; i++) {
        judge_item(source, unit, &unit->items[i]);
    }
    expect_once(source->kit, unit);
    bp_kit_unit_end(source, run, unit->id);
    bp_kit_run_end(source, run, BP_OUTCOME_DONE);
}

static void
check_items(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_kit_units units;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &units);
    (void)bp_kit_some_unit(&source, &units);
    for (size_t i = 0; i < units.n; i++) {
        struct bp_kit_unit *unit = &units.units[i];
        struct bp_kit_unit again = {.id = unit->id};
        if (!bp_kit_has_items(&source, unit)) {
            continue;
        }
        name_items(&source, unit);
        name_items(&source, &again);
        bool same = unit->n_items == again.n_items;
        for (size_t j = 0; same && j < unit->n_items; j++) {
            same = strcmp(unit->items[j].id, again.items[j].id) == 0;
        }
        if (!same) {
            bp_kit_fail(kit, "unit %s has %zu items, and other %zu in the next run", unit->id,
                        unit->n_items, again.n_items);
        }
        bp_kit_items_clear(&again);
    }
    bp_kit_source_close(&source);
}

static void
refuse_item(struct bp_kit_source *source, struct bp_run *run, const struct bp_item_open_args *args,
            bp_status expected)
{
    struct bp_error error;
    struct bp_item_reader *reader = NULL;
    bp_error_init(&error);
    bp_kit_step(source->kit, "item_open", args->item_id);
    bp_status status =
        source->kit->source.item_open(run, bp_kit_context(NULL), args, &reader, &error);
    bp_kit_expect(source->kit, status, expected, &error, "item_open of %s with %s", args->item_id,
                  args->flags != 0 ? "unknown flags" : "another etag");
}

static void
check_refused_items(struct bp_kit_source *source, struct bp_run *run,
                    const struct bp_kit_unit *unit, const struct bp_kit_item *item)
{
    struct bp_item_open_args args = {.struct_size = sizeof args,
                                     .flags = UNKNOWN_FLAG,
                                     .unit_id = unit->id,
                                     .item_id = item->id,
                                     .etag = item->etag};
    refuse_item(source, run, &args, BP_ERR_INVALID);
    if (item->etag != NULL) {
        args.flags = 0;
        args.etag = "another";
        refuse_item(source, run, &args, BP_ERR_STALE);
    }
}

static void
check_streams(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_kit_units units;
    size_t streamed = 0;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &units);
    struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    struct bp_run *run = bp_kit_run_begin(&source, 0);
    bp_kit_unit_begin(&source, run, unit->id);
    bp_kit_items(&source, run, unit);
    for (size_t i = 0; i < unit->n_items && streamed < 20; i++) {
        const struct bp_kit_item *item = &unit->items[i];
        size_t n = 0, rest = 0;
        if (item->kind != BP_ITEM_STREAM) {
            continue;
        }
        streamed++;
        unsigned char *all = bp_kit_stream(&source, run, unit, item, 0, &n);
        unsigned char *tail = bp_kit_stream(&source, run, unit, item, n / 2, &rest);
        if ((item->size != BP_UNKNOWN && item->size != n) || rest != n - n / 2 ||
            (rest > 0 && memcmp(all + n / 2, tail, rest) != 0)) {
            bp_kit_fail(kit, "item %s has %zu bytes, and from %zu on other %zu", item->id, n, n / 2,
                        rest);
        }
        free(all);
        free(tail);
        check_refused_items(&source, run, unit, item);
    }
    bp_kit_unit_end(&source, run, unit->id);
    bp_kit_run_end(&source, run, BP_OUTCOME_DONE);
    bp_kit_source_close(&source);
    if (streamed == 0) {
        bp_kit_skip(kit, "its items lie in a storage");
    }
}

static void
check_proof(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    struct bp_kit_units units;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &units);
    (void)bp_kit_some_unit(&source, &units);
    struct bp_run *run = bp_kit_run_begin(&source, 0);
    for (size_t i = 0; i < units.n; i++) {
        struct bp_kit_unit *unit = &units.units[i];
        struct bp_proof proof = {.struct_size = sizeof proof};
        if (!bp_kit_has_items(&source, unit)) {
            continue;
        }
        bp_kit_unit_begin(&source, run, unit->id);
        bp_kit_items(&source, run, unit);
        bp_error_init(&error);
        bp_kit_step(kit, "unit_prove", unit->id);
        bp_status status =
            kit->source.unit_prove(run, bp_kit_context(NULL), unit->id, &proof, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "unit_prove of %s", unit->id);
        bool provable = (proof.flags & BP_PROOF_UNPROVABLE) == 0;
        if (provable && proof.low > proof.high) {
            bp_kit_fail(kit, "unit %s: low %" PRIu64 " is above high %" PRIu64, unit->id, proof.low,
                        proof.high);
        }
        if (provable && proof.low > 0 && unit->n_items == 0) {
            bp_kit_fail(kit, "unit %s has %" PRIu64 " %s and names no item", unit->id, proof.low,
                        source.info.proof_what);
        }
        bp_kit_unit_end(&source, run, unit->id);
    }
    bp_kit_run_end(&source, run, BP_OUTCOME_DONE);
    bp_kit_source_close(&source);
}

static void
check_run_end(struct bp_kit *kit)
{
    static const int32_t outcomes[] = {BP_OUTCOME_DONE, BP_OUTCOME_FAILED, BP_OUTCOME_CANCELLED};
    struct bp_kit_source source;
    struct bp_kit_units units;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &units);
    const struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        struct bp_run *run = bp_kit_run_begin(&source, 0);
        bp_kit_run_end(&source, run, outcomes[i]);
        run = bp_kit_run_begin(&source, 0);
        bp_kit_unit_begin(&source, run, unit->id);
        bp_kit_run_end(&source, run, outcomes[i]); /* its unit was not ended */
    }
    bp_kit_source_close(&source);
}

static void
check_keepalive(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    bp_kit_source_ready(kit, &source);
    if (kit->source.run_keepalive == NULL) {
        bp_kit_skip(kit, "it has no run_keepalive");
    }
    struct bp_run *run = bp_kit_run_begin(&source, 0);
    for (int i = 0; i < 3; i++) {
        bp_error_init(&error);
        bp_kit_step(kit, "run_keepalive", NULL);
        bp_status status = kit->source.run_keepalive(run, bp_kit_context(NULL), &error);
        bp_kit_expect(kit, status, BP_OK, &error, "run_keepalive");
    }
    bp_kit_run_end(&source, run, BP_OUTCOME_DONE);
    bp_kit_source_close(&source);
}

static void
check_flags(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_kit_units units;
    struct bp_error error;
    struct bp_run *run = NULL;
    bp_kit_source_ready(kit, &source);
    bp_status status = bp_kit_try_run_begin(&source, UNKNOWN_FLAG, NULL, &run, &error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "run_begin with an unknown flag");
    bp_kit_plan(&source, &units);
    const struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    run = bp_kit_run_begin(&source, 0);
    source.unit_flags = UNKNOWN_FLAG;
    status = bp_kit_try_unit_begin(&source, run, unit->id, NULL, &error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "unit_begin with an unknown flag");
    bp_kit_run_end(&source, run, BP_OUTCOME_FAILED);
    bp_kit_source_close(&source);
}

/* Documents as they come: which was begun, and whether the last one had the flag. */
struct documents {
    const struct bp_kit *kit;
    bool is_open;
    size_t n, committed;
    char *last;
};

static int32_t
begin_document(void *ctx, const char *key, uint32_t flags)
{
    struct documents *self = ctx;
    if (self->is_open || self->committed > 0) {
        bp_kit_fail(self->kit, "document %s begins %s", key,
                    self->is_open ? "before another one has ended" : "after the commit document");
    }
    if (key == NULL || bp_key_check(key, NULL) != 0 || strncmp(key, "bakplane/", 9) == 0) {
        bp_kit_fail(self->kit, "a document has the key \"%s\"", key != NULL ? key : "");
    }
    self->is_open = true;
    self->n++;
    self->committed += (flags & BP_DOCUMENT_COMMIT) != 0 ? 1 : 0;
    free(self->last);
    self->last = bp_kit_dup(key);
    return 0;
}

static int32_t
write_document(void *ctx, const void *bytes, size_t n)
{
    struct documents *self = ctx;
    (void)bytes;
    (void)n;
    if (!self->is_open) {
        bp_kit_fail(self->kit, "a document is written that was not begun");
    }
    return 0;
}

static int32_t
end_document(void *ctx)
{
    ((struct documents *)ctx)->is_open = false;
    return 0;
}

static void
check_documents(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    struct bp_kit_units units;
    struct documents documents = {.kit = kit};
    struct bp_document_sink sink = {.struct_size = sizeof sink,
                                    .ctx = &documents,
                                    .begin = begin_document,
                                    .write = write_document,
                                    .end = end_document};
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &units);
    struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    struct bp_run *run = bp_kit_run_begin(&source, 0);
    bp_kit_unit_begin(&source, run, unit->id);
    bp_kit_items(&source, run, unit);
    bp_kit_unit_end(&source, run, unit->id);
    bp_error_init(&error);
    bp_kit_step(kit, "documents", NULL);
    bp_status status = kit->source.documents(run, bp_kit_context(NULL), &sink, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "documents");
    if (documents.is_open || documents.committed != 1) {
        bp_kit_fail(kit, "of %zu documents %zu carry COMMIT%s", documents.n, documents.committed,
                    documents.is_open ? ", and the last was not ended" : "");
    }
    if (strcmp(documents.last, source.info.commit_document) != 0) {
        bp_kit_fail(kit, "the last document is %s, and info says %s", documents.last,
                    source.info.commit_document);
    }
    bp_kit_run_end(&source, run, BP_OUTCOME_DONE);
    bp_kit_source_close(&source);
}

const struct bp_kit_check bp_kit_checks_capture[] = {
    {.name = "source.items",
     .contract = "each item is named exactly once, where it is, with a valid key, and again in the "
                 "next run",
     .run = check_items},
    {.name = "source.streams",
     .contract = "a STREAM item has the size that was told, can be read from any offset, and not "
                 "in another version",
     .run = check_streams},
    {.name = "source.proof",
     .contract = "unit_prove counts; a unit with rows names items",
     .run = check_proof},
    {.name = "source.run_end",
     .contract =
         "run_end ends a run after success, failure and cancel, also between unit_begin and "
         "unit_end",
     .run = check_run_end},
    {.name = "source.keepalive",
     .contract = "run_keepalive may be called at any time of a run",
     .run = check_keepalive},
    {.name = "source.flags",
     .contract = "unknown bits in the flags of a request are refused with INVALID",
     .run = check_flags},
    {.name = "source.documents",
     .contract = "documents come one after the other; the last, and only it, carries COMMIT",
     .run = check_documents},
    BP_KIT_CHECKS_END,
};
