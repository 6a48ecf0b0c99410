/* SPDX-License-Identifier: Apache-2.0
 *
 * A source in the host of few lines: facts, and unless it needs an "address" the capture of a unit
 * in which there is nothing, and its restore to two targets.
 */
#include <string.h>

#include "tests/abi/host.h"

#define TEXT_MAX 128 /* identities and tokens */

static int32_t
begin_document(void *ctx, const char *key, uint32_t flags)
{
    int *documents = ctx;
    (void)key, (void)flags;
    ++*documents;
    return 0;
}

static int32_t
write_document(void *ctx, const void *bytes, size_t n)
{
    (void)ctx, (void)bytes, (void)n;
    return 0;
}

static int32_t
end_document(void *ctx)
{
    (void)ctx;
    return 0;
}

static int32_t
refuse_item(void *ctx, const struct bp_item *item)
{
    (void)ctx, (void)item;
    return 1;
}

static void
capture(const struct bp_source_ops *ops, struct bp_source *source)
{
    int documents = 0;
    struct bp_run *run = NULL;
    GUARDED(bp_run_info) info;
    GUARDED(bp_proof) proof;
    const struct bp_run_args args = {
        .struct_size = sizeof(args), .run_id = "1", .backup = "b", .options = &config};
    const struct bp_unit_args unit = {.struct_size = sizeof(unit), .unit_id = "books"};
    const struct bp_item_sink items = {
        .struct_size = sizeof(items), .item = refuse_item, .next = refuse_text};
    const struct bp_document_sink sink = {.struct_size = sizeof(sink),
                                          .ctx = &documents,
                                          .begin = begin_document,
                                          .write = write_document,
                                          .end = end_document};
    PREPARE(info);
    CHECK(ops->run_begin(source, &op, &args, &info.it, &run, &error) == BP_OK);
    CHECK_GUARD(info);
    CHECK(ops->unit_begin(run, &op, &unit, &error) == BP_OK);
    CHECK(ops->unit_items(run, &op, "books", NULL, &items, &error) == BP_OK);
    PREPARE(proof);
    CHECK(ops->unit_prove(run, &op, "books", &proof.it, &error) == BP_OK);
    CHECK_GUARD(proof);
    CHECK(proof.it.high == 0 && proof.it.note[0] != '\0');
    CHECK(ops->unit_end(run, &op, "books", BP_OUTCOME_DONE, &error) == BP_OK);
    CHECK(ops->documents(run, &op, &sink, &error) == BP_OK && documents == 1);
    CHECK(ops->run_end(run, &op, BP_OUTCOME_DONE, &error) == BP_OK);
}

static int32_t
take_note(void *ctx, int32_t level, const char *code, const char *text)
{
    int *found = ctx;
    (void)level, (void)code;
    *found += strcmp(text, "second") == 0 ? 1 : 100;
    return 0;
}

static int32_t
take_text(void *ctx, const char *text)
{
    (void)snprintf(ctx, TEXT_MAX, "%s", text);
    return 0;
}

static int32_t
take_job(void *ctx, const char *token, uint64_t weight)
{
    (void)weight;
    return take_text(ctx, token);
}

static int32_t
refuse_stage(void *ctx, const char *item_key, const char *ref, const char *key)
{
    (void)ctx, (void)item_key, (void)ref, (void)key;
    return 1;
}

static void
fill_target(const struct bp_source_ops *ops, struct bp_restore *restore, uint32_t target,
            const struct bp_note_sink *notes)
{
    char identity[TEXT_MAX] = "", token[TEXT_MAX] = "";
    GUARDED(bp_step_state) step;
    GUARDED(bp_job_state) job;
    GUARDED(bp_proof) proof;
    const struct bp_text_sink text = {
        .struct_size = sizeof(text), .ctx = identity, .text = take_text};
    const struct bp_place_sink places = {
        .struct_size = sizeof(places), .in_place = refuse_text, .stage = refuse_stage};
    const struct bp_job_sink jobs = {
        .struct_size = sizeof(jobs), .free_jobs = 1, .ctx = token, .job = take_job};
    CHECK(ops->target_prepare(restore, &op, target, notes, &text, &error) == BP_OK);
    CHECK(ops->target_place(restore, &op, target, &places, &error) == BP_OK);
    PREPARE(step);
    CHECK(ops->target_step(restore, &op, target, &jobs, &step.it, &error) == BP_OK);
    CHECK_GUARD(step);
    CHECK(identity[0] != '\0' && step.it.all_started != 0 && token[0] != '\0');
    PREPARE(job);
    CHECK(ops->job_poll(restore, &op, target, token, &job.it, &error) == BP_OK);
    CHECK_GUARD(job);
    CHECK(job.it.phase == BP_JOB_DONE);
    PREPARE(proof);
    CHECK(ops->target_prove(restore, &op, target, &proof.it, &error) == BP_OK);
    CHECK_GUARD(proof);
    CHECK(proof.it.found == 0);
}

/* Of two targets, so that the second one is only found by the stride of the pairs. */
static void
restore_unit(const struct bp_source_ops *ops, struct bp_source *source)
{
    int found = 0;
    struct bp_restore *restore = NULL;
    GUARDED(bp_restore_info) info;
    const struct bp_note_sink notes = {
        .struct_size = sizeof(notes), .ctx = &found, .note = take_note};
    const struct bp_restore_pair pairs[] = {
        {.unit_id = "books", .target_parent = "", .target_name = "first"},
        {.unit_id = "books", .target_parent = "", .target_name = "second"}};
    const struct bp_restore_args args = {.struct_size = sizeof(args),
                                         .run_id = "1",
                                         .backup_ref = "backup",
                                         .server_version = "",
                                         .options = &config,
                                         .pairs = pairs,
                                         .pair_stride = sizeof(pairs[0]),
                                         .n_pairs = 2,
                                         .notes = &notes};
    PREPARE(info);
    CHECK(ops->restore_begin(source, &op, &args, &info.it, &restore, &error) == BP_OK);
    CHECK_GUARD(info);
    CHECK(info.it.max_jobs > 0 && info.it.staging_prefix[0] != '\0');
    fill_target(ops, restore, 0, &notes);
    fill_target(ops, restore, 1, &notes);
    CHECK(ops->target_finish(restore, &op, 1, &notes, &error) == BP_OK && found == 1);
    CHECK(ops->restore_end(restore, &op, BP_OUTCOME_DONE, &error) == BP_OK);
}

void
use_source(const struct bp_plugin *plugin)
{
    struct bp_source_ops ops;
    struct bp_source *source = NULL;
    GUARDED(bp_source_info) info;
    CHECK(plugin->source != NULL);
    take(&ops, sizeof(ops), plugin->source);
    CHECK(ops.open(&host, &op, &config, &source, &error) == BP_OK);
    PREPARE(info);
    CHECK(ops.info(source, &info.it, &error) == BP_OK);
    CHECK_GUARD(info);
    CHECK(info.it.proof_what[0] != '\0');
    if (config_get(&config, "address") == NULL) {
        capture(&ops, source);
        restore_unit(&ops, source);
    }
    ops.close(source);
}
