/* SPDX-License-Identifier: Apache-2.0
 *
 * See restoring.h.
 */
#include "sdk/testkit/restoring.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/hostrefs.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define JOBS_MAX 64
#define END_MS 30000
#define POLL_MS 50

static int32_t
take_note(void *ctx, int32_t level, const char *code, const char *text)
{
    (void)ctx;
    (void)level;
    (void)code;
    (void)text;
    return 0;
}

static const struct bp_note_sink notes = {.struct_size = sizeof notes, .note = take_note};

bp_status
bp_kit_try_restore_begin(struct bp_kit_restoring *self, struct bp_error *error)
{
    const struct bp_kit *kit = self->source->kit;
    bool counted = (self->unit->proof.flags & BP_PROOF_UNPROVABLE) == 0;
    struct bp_restore_pair pair = {.unit_id = self->unit->id,
                                   .target_parent = self->parent,
                                   .target_name = self->target,
                                   .ours = self->ours,
                                   .done = self->done,
                                   .low = counted ? self->unit->proof.low : 0,
                                   .high = counted ? self->unit->proof.high : BP_UNKNOWN,
                                   .flags = (counted ? 0 : BP_PROOF_UNPROVABLE) | self->pair_flags};
    struct bp_restore_args args = {.struct_size = sizeof args,
                                   .flags = self->flags,
                                   .run_id = "0d3c7f0a-6f2e-4b6e-9b52-3c0de0f6a7d1",
                                   .backup_ref = BP_KIT_BACKUP_REF,
                                   .server_version = self->source->info.server_version,
                                   .options = self->source->restore_options,
                                   .pairs = &pair,
                                   .pair_stride = sizeof pair,
                                   .n_pairs = 1,
                                   .notes = &notes};
    bp_error_init(error);
    self->it = NULL;
    self->info = (struct bp_restore_info){.struct_size = sizeof self->info};
    bp_kit_step(kit, "restore_begin", self->unit->id);
    bp_status status = kit->source.restore_begin(self->source->it, bp_kit_context(NULL), &args,
                                                 &self->info, &self->it, error);
    if (status == BP_OK && self->it == NULL) {
        bp_kit_fail(kit, "restore_begin answered ok and no restore");
    }
    return status;
}

static int32_t
take_identity(void *ctx, const char *text)
{
    char **identity = ctx;
    free(*identity);
    *identity = bp_kit_dup(text != NULL ? text : "");
    return 0;
}

bp_status
bp_kit_try_prepare(struct bp_kit_restoring *self, struct bp_error *error)
{
    const struct bp_kit *kit = self->source->kit;
    struct bp_text_sink sink = {
        .struct_size = sizeof sink, .ctx = &self->identity, .text = take_identity};
    bp_error_init(error);
    bp_kit_step(kit, "target_prepare", self->target);
    return kit->source.target_prepare(self->it, bp_kit_context(NULL), 0, &notes, &sink, error);
}

static int32_t
count_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)key;
    (void)meta;
    ++*(size_t *)ctx;
    return 0;
}

static int32_t
ignore_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return 0;
}

/* Whether its server can read there is the source's to know; that something lies there is ours. */
static int32_t
place_in_place(void *ctx, const char *prefix)
{
    struct bp_kit_restoring *self = ctx;
    struct bp_error error;
    size_t n = 0;
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = &n,
                                .entry = count_entry,
                                .prefix = ignore_text,
                                .next = ignore_text};
    struct bp_list_args args = {.struct_size = sizeof args, .prefix = prefix, .max = 1};
    bp_error_init(&error);
    bp_status status =
        bp_kit_refs_list(bp_kit_context(NULL), BP_KIT_BACKUP_REF, &args, &sink, &error);
    bp_kit_expect(self->source->kit, status, BP_OK, &error, "listing %s of the backup", prefix);
    if (n == 0) {
        bp_kit_fail(self->source->kit, "it reads %s of the backup in place, where nothing is",
                    prefix);
    }
    return 0;
}

/* As the core fills staging: byte by byte, from the backup to the source's storage. */
static int32_t
place_stage(void *ctx, const char *item_key, const char *ref, const char *key)
{
    struct bp_kit_restoring *self = ctx;
    const struct bp_kit *kit = self->source->kit;
    struct bp_error error;
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    size_t n = 0;
    if (strncmp(key, self->info.staging_prefix, strlen(self->info.staging_prefix)) != 0) {
        bp_kit_fail(kit, "%s is to be staged to %s, outside of the staging prefix %s", item_key,
                    key, self->info.staging_prefix);
    }
    bp_error_init(&error);
    bp_status status =
        bp_kit_refs_stat(bp_kit_context(NULL), BP_KIT_BACKUP_REF, item_key, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "item %s of the backup, which is to be staged",
                  item_key);
    unsigned char *bytes = bp_kit_alloc((size_t)meta.size + 1, 1);
    struct bp_read_args args = {.struct_size = sizeof args, .key = item_key, .length = meta.size};
    status = bp_kit_refs_read(bp_kit_context(NULL), BP_KIT_BACKUP_REF, &args, bytes, &n, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "reading item %s of the backup", item_key);
    status = bp_kit_refs_write(bp_kit_context(NULL), ref, key, bytes, n, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "staging %s to %s of storage %s", item_key, key, ref);
    self->staged = bp_kit_grow(self->staged, self->n_staged + 2, sizeof *self->staged);
    self->staged[self->n_staged++] = bp_kit_dup(ref);
    self->staged[self->n_staged++] = bp_kit_dup(key);
    free(bytes);
    return 0;
}

static void
place(struct bp_kit_restoring *self)
{
    const struct bp_kit *kit = self->source->kit;
    struct bp_error error;
    struct bp_place_sink sink = {
        .struct_size = sizeof sink, .ctx = self, .in_place = place_in_place, .stage = place_stage};
    bp_error_init(&error);
    bp_kit_step(kit, "target_place", self->target);
    bp_status status = kit->source.target_place(self->it, bp_kit_context(NULL), 0, &sink, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "target_place of %s", self->target);
}

struct jobs {
    const struct bp_kit *kit;
    char *tokens[JOBS_MAX];
    uint32_t n, free_jobs;
};

static int32_t
take_job(void *ctx, const char *token, uint64_t weight)
{
    struct jobs *self = ctx;
    (void)weight;
    if (self->free_jobs == 0 || self->n == JOBS_MAX) {
        bp_kit_fail(self->kit, "target_step started more jobs than there was room for");
    }
    if (token == NULL || *token == '\0' || strlen(token) > BP_TOKEN_MAX) {
        bp_kit_fail(self->kit, "a job has no token of 1 to %d bytes", BP_TOKEN_MAX);
    }
    self->tokens[self->n++] = bp_kit_dup(token);
    self->free_jobs--;
    return 0;
}

/* Asks for each job once; those that are done leave. */
static void
poll_jobs(struct bp_kit_restoring *self, struct jobs *jobs)
{
    const struct bp_kit *kit = self->source->kit;
    for (uint32_t i = 0; i < jobs->n;) {
        struct bp_error error;
        struct bp_job_state state = {.struct_size = sizeof state};
        bp_error_init(&error);
        bp_kit_step(kit, "job_poll", jobs->tokens[i]);
        bp_status status = kit->source.job_poll(self->it, bp_kit_context(NULL), 0, jobs->tokens[i],
                                                &state, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "job_poll of %s", jobs->tokens[i]);
        if (state.phase == BP_JOB_FAILED) {
            bp_kit_fail(kit, "job %s failed: %.*s", jobs->tokens[i], (int)sizeof state.reason,
                        state.reason);
        }
        if (state.phase == BP_JOB_DONE) {
            free(jobs->tokens[i]);
            jobs->tokens[i] = jobs->tokens[--jobs->n];
        } else {
            i++;
        }
    }
}

static void
step(struct bp_kit_restoring *self)
{
    const struct bp_kit *kit = self->source->kit;
    struct jobs jobs = {.kit = kit};
    uint32_t most = self->info.max_jobs > 0 ? self->info.max_jobs : 1;
    bool all_started = false;
    most = most < JOBS_MAX ? most : JOBS_MAX;
    while (!all_started || jobs.n > 0) {
        struct bp_error error;
        struct bp_step_state state = {.struct_size = sizeof state};
        jobs.free_jobs = most - jobs.n;
        struct bp_job_sink sink = {
            .struct_size = sizeof sink, .free_jobs = jobs.free_jobs, .ctx = &jobs, .job = take_job};
        if (!all_started && jobs.free_jobs > 0) {
            bp_error_init(&error);
            bp_kit_step(kit, "target_step", self->target);
            bp_status status =
                kit->source.target_step(self->it, bp_kit_context(NULL), 0, &sink, &state, &error);
            bp_kit_expect(kit, status, BP_OK, &error, "target_step of %s", self->target);
            all_started = state.all_started != 0;
        }
        poll_jobs(self, &jobs);
        if (jobs.n > 0) {
            bp_kit_sleep_ms(POLL_MS);
        }
    }
}

static void
prove(struct bp_kit_restoring *self)
{
    const struct bp_kit *kit = self->source->kit;
    const struct bp_proof *captured = &self->unit->proof;
    struct bp_error error;
    struct bp_proof proof = {.struct_size = sizeof proof};
    bp_error_init(&error);
    bp_kit_step(kit, "target_prove", self->target);
    bp_status status = kit->source.target_prove(self->it, bp_kit_context(NULL), 0, &proof, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "target_prove of %s", self->target);
    bool unprovable = ((proof.flags | captured->flags) & BP_PROOF_UNPROVABLE) != 0;
    if (!unprovable && (proof.found < captured->low || proof.found > captured->high)) {
        bp_kit_fail(kit, "%s: %" PRIu64 " %s came in, and %" PRIu64 " to %" PRIu64 " were captured",
                    self->target, proof.found, self->source->info.proof_what, captured->low,
                    captured->high);
    }
}

static void
finish(struct bp_kit_restoring *self)
{
    const struct bp_kit *kit = self->source->kit;
    struct bp_error error;
    bp_error_init(&error);
    bp_kit_step(kit, "target_finish", self->target);
    bp_status status = kit->source.target_finish(self->it, bp_kit_context(NULL), 0, &notes, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "target_finish of %s", self->target);
}

void
bp_kit_restore_to(struct bp_kit_restoring *self, enum bp_kit_stage stage)
{
    const struct bp_kit *kit = self->source->kit;
    struct bp_error error;
    bp_status status = bp_kit_try_restore_begin(self, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "restore_begin of %s as %s", self->unit->id,
                  self->target);
    if (stage >= BP_KIT_PREPARED) {
        status = bp_kit_try_prepare(self, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "target_prepare of %s", self->target);
        if (self->identity == NULL || *self->identity == '\0') {
            bp_kit_fail(kit, "target_prepare of %s answered ok and no identity", self->target);
        }
    }
    if (stage >= BP_KIT_PLACED) {
        place(self);
    }
    if (stage >= BP_KIT_STEPPED) {
        step(self);
    }
    if (stage >= BP_KIT_PROVEN) {
        prove(self);
    }
    if (stage >= BP_KIT_FINISHED) {
        finish(self);
    }
}

static void
sweep(struct bp_kit_restoring *self)
{
    for (size_t i = 0; i < self->n_staged; i += 2) {
        struct bp_error error;
        bp_error_init(&error);
        bp_status status =
            bp_kit_refs_remove(bp_kit_context(NULL), self->staged[i], self->staged[i + 1], &error);
        if (status != BP_OK) {
            bp_kit_note(self->source->kit, "left behind: %s: %s", self->staged[i + 1],
                        error.message);
        }
    }
    self->n_staged = 0;
}

void
bp_kit_restore_end(struct bp_kit_restoring *self, int32_t outcome)
{
    const struct bp_kit *kit = self->source->kit;
    struct bp_error error;
    struct bp_kit_op op;
    bp_error_init(&error);
    bp_kit_op_init(&op, END_MS);
    bp_kit_step(kit, "restore_end", self->target);
    bp_status status = kit->source.restore_end(self->it, &op.op, outcome, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "restore_end with outcome %d", outcome);
    bp_kit_op_clear(&op);
    self->it = NULL;
    sweep(self);
}
