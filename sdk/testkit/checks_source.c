/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of a source: what it says of itself, its tree, cancel, and what it leaves behind.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/testkit/census.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/source.h"

#include "sdk/lib/ban.h"

#define LIMIT_MS 1500
#define ROUNDS 10

static bool
ends_within(const char *field, size_t cap)
{
    return memchr(field, '\0', cap) != NULL && bp_utf8_check(field) == 0;
}

static void
check_info(struct bp_kit *kit)
{
    struct bp_kit_source source;
    bp_kit_source_open(kit, NULL, &source);
    if (source.info.server_version[0] != '\0' && kit->source.probe != NULL) {
        bp_kit_note(kit, "it knows the version %.60s before probe", source.info.server_version);
    }
    bp_kit_source_close(&source);
    bp_kit_source_ready(kit, &source);
    const struct bp_source_info *info = &source.info;
    if (!ends_within(info->item_kind, sizeof info->item_kind) ||
        !ends_within(info->parent_kind, sizeof info->parent_kind) ||
        !ends_within(info->default_parent, sizeof info->default_parent) ||
        !ends_within(info->proof_what, sizeof info->proof_what) ||
        !ends_within(info->server_version, sizeof info->server_version) ||
        !ends_within(info->address, sizeof info->address) ||
        !ends_within(info->commit_document, sizeof info->commit_document)) {
        bp_kit_fail(kit, "one of its texts is not valid UTF-8 with an end");
    }
    if (info->item_kind[0] == '\0' || info->proof_what[0] == '\0') {
        bp_kit_fail(kit, "it does not say which units have items, or what is counted of them");
    }
    if (bp_key_check(info->commit_document, NULL) != 0 ||
        strncmp(info->commit_document, "bakplane/", 9) == 0) {
        bp_kit_fail(kit, "its commit document is \"%s\"", info->commit_document);
    }
    bp_kit_source_close(&source);
}

static void
check_unreachable(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    struct bp_kit_op op;
    long long start = bp_kit_now_ns();
    bp_kit_source_open(kit, bp_kit_hook(kit, "unreachable"), &source);
    if (bp_kit_now_ns() - start > 1000000000) {
        bp_kit_fail(kit, "open took more than a second: it reached for something");
    }
    bp_kit_op_init(&op, 3000);
    start = bp_kit_now_ns();
    bp_status status = bp_kit_source_try_probe(&source, &op, &error);
    long long ms = (bp_kit_now_ns() - start) / 1000000;
    if (status != BP_ERR_TIMEOUT && status != BP_ERR_RETRYABLE && status != BP_ERR_NOT_FOUND) {
        bp_kit_fail(kit,
                    "probe of a server that cannot be reached answered %s, not timeout, "
                    "retryable or not-found: %.*s",
                    bp_class_name(status), (int)sizeof error.message, error.message);
    }
    if (ms > 3000 + LIMIT_MS) {
        bp_kit_fail(kit, "probe with a deadline of 3 s came back after %lld ms", ms);
    }
    bp_kit_op_clear(&op);
    bp_kit_source_close(&source);
}

static void
check_plan(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_kit_units first, again;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &first);
    bp_kit_plan(&source, &again);
    (void)bp_kit_some_unit(&source, &first);
    for (size_t i = 0; i < first.n; i++) {
        const struct bp_kit_unit *unit = &first.units[i];
        bool has_parent = unit->parent == NULL, again_there = false;
        if (unit->id == NULL || *unit->id == '\0' || strlen(unit->id) > BP_TOKEN_MAX ||
            unit->kind == NULL || unit->name == NULL || *unit->name == '\0') {
            bp_kit_fail(kit, "unit number %zu lacks id, kind or name", i);
        }
        if (unit->flags != 0) {
            bp_kit_fail(kit, "unit %s has flags that ABI 1.0 does not know", unit->id);
        }
        for (size_t j = 0; j < i; j++) {
            has_parent = has_parent || strcmp(first.units[j].id, unit->parent) == 0;
            if (strcmp(first.units[j].id, unit->id) == 0) {
                bp_kit_fail(kit, "two units have the id %s", unit->id);
            }
        }
        for (size_t j = 0; j < again.n; j++) {
            again_there = again_there || strcmp(again.units[j].id, unit->id) == 0;
        }
        if (!has_parent || !again_there) {
            bp_kit_fail(kit, "unit %s %s", unit->id,
                        has_parent ? "was not there when asked again"
                                   : "comes before its parent, or without");
        }
    }
    bp_kit_source_close(&source);
}

/* Wants one unit, and its parents. */
struct wanting {
    const struct bp_kit_units *all;
    const char *id;
    size_t asked;
};

static int32_t
wants_one(void *ctx, const struct bp_unit *unit)
{
    struct wanting *self = ctx;
    const char *id = self->id;
    self->asked++;
    while (id != NULL) {
        if (strcmp(id, unit->id) == 0) {
            return 1;
        }
        const char *parent = NULL;
        for (size_t i = 0; i < self->all->n; i++) {
            if (strcmp(self->all->units[i].id, id) == 0) {
                parent = self->all->units[i].parent;
            }
        }
        id = parent;
    }
    return 0;
}

static int32_t
wants_none(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    (void)unit;
    return 0;
}

static void
check_filter(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    struct bp_kit_units all, some;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &all);
    struct wanting wanting = {.all = &all, .id = bp_kit_some_unit(&source, &all)->id};
    struct bp_unit_filter filter = {
        .struct_size = sizeof filter, .ctx = &wanting, .wants = wants_one};
    bp_status status = bp_kit_try_plan(&source, &filter, NULL, &some, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "plan with a filter");
    bool there = false;
    for (size_t i = 0; i < some.n; i++) {
        bool items = bp_kit_has_items(&source, &some.units[i]);
        bool is_it = strcmp(some.units[i].id, wanting.id) == 0;
        there = there || is_it;
        if (items && !is_it) {
            bp_kit_fail(kit, "unit %s was told and not wanted", some.units[i].id);
        }
    }
    if (!there || wanting.asked == 0) {
        bp_kit_fail(kit, "unit %s was wanted and not told", wanting.id);
    }
    filter.wants = wants_none;
    status = bp_kit_try_plan(&source, &filter, NULL, &some, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "plan with a filter that wants nothing");
    if (some.n > 0) {
        bp_kit_fail(kit, "unit %s was told and not wanted", some.units[0].id);
    }
    bp_kit_source_close(&source);
}

static int32_t
stop_unit(void *ctx, const struct bp_unit *unit)
{
    (void)unit;
    ++*(size_t *)ctx;
    return 1;
}

static void
check_plan_stops(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    size_t told = 0;
    struct bp_unit_sink sink = {.struct_size = sizeof sink, .ctx = &told, .unit = stop_unit};
    bp_kit_source_ready(kit, &source);
    bp_error_init(&error);
    bp_kit_step(kit, "plan", "a sink that stops");
    bp_status status = kit->source.plan(source.it, bp_kit_context(NULL), NULL, &sink, &error);
    bp_kit_expect(kit, status, BP_ERR_CANCELLED, &error, "plan whose sink stops at once");
    if (told != 1) {
        bp_kit_fail(kit, "the sink stopped at the first unit and was told %zu", told);
    }
    bp_kit_source_close(&source);
}

/* Whether it noticed. */
static bool
judge_cancelled(const struct bp_kit *kit, const char *what, bp_status status, long long start_ns,
                const struct bp_error *error)
{
    long long ms = (bp_kit_now_ns() - start_ns) / 1000000;
    if (ms > LIMIT_MS) {
        bp_kit_fail(kit, "%s, cancelled before, came back after %lld ms", what, ms);
    }
    if (status != BP_OK) {
        bp_kit_expect(kit, status, BP_ERR_CANCELLED, error, "%s, cancelled before", what);
    }
    return status != BP_OK;
}

/* In a run each, which ends after a cancel as after anything else. */
static bool
cancel_in_run(struct bp_kit_source *source, struct bp_kit_unit *unit, struct bp_kit_op *op)
{
    struct bp_error error;
    char *token = NULL;
    struct bp_run *run = bp_kit_run_begin(source, 0);
    long long start = bp_kit_now_ns();
    bp_status status = bp_kit_try_unit_begin(source, run, unit->id, op, &error);
    bool noticed = judge_cancelled(source->kit, "unit_begin", status, start, &error);
    bp_kit_run_end(source, run, BP_OUTCOME_CANCELLED);
    run = bp_kit_run_begin(source, 0);
    bp_kit_unit_begin(source, run, unit->id);
    start = bp_kit_now_ns();
    status = bp_kit_try_items(source, run, unit, &token, op, &error);
    noticed = judge_cancelled(source->kit, "unit_items", status, start, &error) || noticed;
    bp_kit_run_end(source, run, BP_OUTCOME_CANCELLED);
    return noticed;
}

static void
check_cancel(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_error error;
    struct bp_kit_op op;
    struct bp_kit_units units, none;
    struct bp_run *run = NULL;
    bp_kit_source_ready(kit, &source);
    bp_kit_plan(&source, &units);
    struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    bp_kit_op_init(&op, 0);
    bp_kit_op_cancel(&op);
    long long start = bp_kit_now_ns();
    bp_status status = bp_kit_source_try_probe(&source, &op, &error);
    bool noticed = judge_cancelled(kit, "probe", status, start, &error);
    start = bp_kit_now_ns();
    status = bp_kit_try_plan(&source, NULL, &op, &none, &error);
    noticed = judge_cancelled(kit, "plan", status, start, &error) || noticed;
    start = bp_kit_now_ns();
    status = bp_kit_try_run_begin(&source, 0, &op, &run, &error);
    noticed = judge_cancelled(kit, "run_begin", status, start, &error) || noticed;
    if (status == BP_OK) {
        bp_kit_run_end(&source, run, BP_OUTCOME_CANCELLED);
    }
    noticed = cancel_in_run(&source, unit, &op) || noticed || atomic_load(&op.asked) > 0;
    bp_kit_op_clear(&op);
    bp_kit_source_close(&source);
    if (!noticed) {
        bp_kit_skip(kit, "no operation asks for a cancel; right only where nothing is waited for");
    }
}

static void
live(struct bp_kit *kit)
{
    struct bp_kit_source source;
    struct bp_kit_units units;
    bp_kit_source_open(kit, NULL, &source);
    bp_kit_source_probe(&source);
    bp_kit_plan(&source, &units);
    struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    struct bp_run *run = bp_kit_run_begin(&source, BP_RUN_DRY);
    bp_kit_run_end(&source, run, BP_OUTCOME_DONE);
    run = bp_kit_run_begin(&source, 0);
    bp_kit_unit_begin(&source, run, unit->id);
    bp_kit_items(&source, run, unit);
    bp_kit_unit_end(&source, run, unit->id);
    bp_kit_run_end(&source, run, BP_OUTCOME_DONE);
    bp_kit_units_clear(&units);
    bp_kit_source_close(&source);
}

static void
check_leaks(struct bp_kit *kit)
{
    struct bp_kit_source source;
    bp_kit_source_ready(kit, &source);
    bp_kit_source_close(&source);
    live(kit);
    live(kit);
    size_t descriptors = bp_kit_count_descriptors();
    size_t threads = bp_kit_count_threads(0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        live(kit);
    }
    size_t more_threads = bp_kit_count_threads(threads, 2000);
    size_t more = bp_kit_count_descriptors();
    if (more > descriptors || more_threads > threads) {
        bp_kit_fail(kit, "%d instances that were closed left %zu descriptors and %zu threads",
                    ROUNDS, more > descriptors ? more - descriptors : 0,
                    more_threads > threads ? more_threads - threads : 0);
    }
}

static void
check_state(struct bp_kit *kit)
{
    struct bp_kit_source source;
    char *before = bp_kit_process_state();
    bp_kit_source_ready(kit, &source);
    bp_kit_source_close(&source);
    live(kit);
    if (strcmp(before, bp_kit_process_state()) != 0) {
        bp_kit_fail(kit, "signals, working directory, umask, locale or environment are other ones");
    }
}

const struct bp_kit_check bp_kit_checks_source[] = {
    {.name = "source.info",
     .contract = "info tells which units have items, what is counted, and the commit document",
     .run = check_info},
    {.name = "source.unreachable",
     .contract = "open never connects; a server that does not answer is TIMEOUT, RETRYABLE or "
                 "NOT_FOUND within the deadline",
     .run = check_unreachable,
     .hook = "unreachable"},
    {.name = "source.plan",
     .contract = "plan tells units with unique, stable ids, parents before children",
     .run = check_plan},
    {.name = "source.filter",
     .contract = "plan tells only units that the filter wants",
     .run = check_filter},
    {.name = "source.plan_stops",
     .contract = "a sink that answers non-zero stops the call, with CANCELLED, and hears no more",
     .run = check_plan_stops},
    {.name = "source.cancel",
     .contract =
         "an operation that is cancelled already ends within a second, with CANCELLED or ok",
     .run = check_cancel},
    {.name = "source.leaks",
     .contract = "a closed instance leaves no descriptor and no thread",
     .run = check_leaks,
     .times = 2},
    {.name = "source.process_state",
     .contract = "a plugin leaves signals, working directory, umask, locale and environment alone",
     .run = check_state},
    BP_KIT_CHECKS_END,
};
