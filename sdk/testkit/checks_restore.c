/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of restoring.  The hook `compare` says whether a target equals the unit that it was made
 * of, and `drop` removes a target; `newer` and `older` make documents of another version of those
 * that were captured.  All are commands that find the names in their environment.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/restoring.h"

#include "sdk/lib/ban.h"

#define UNKNOWN_FLAG (UINT32_C(1) << 30)
#define IDENTITY_MAX 1024

/* A captured unit, and what it is to become. */
struct plan {
    struct bp_kit_source source;
    struct bp_kit_units units;
    struct bp_kit_restoring restoring;
};

static const char *
name_of(const struct bp_kit_units *units, const char *id)
{
    for (size_t i = 0; id != NULL && i < units->n; i++) {
        if (strcmp(units->units[i].id, id) == 0) {
            return units->units[i].name;
        }
    }
    return NULL;
}

/* A name of its own for each check and run, beside the unit. */
static void
choose_target(struct plan *plan, const struct bp_kit_unit *unit)
{
    const struct bp_kit *kit = plan->source.kit;
    const char *parent = name_of(&plan->units, unit->parent);
    size_t n = strlen(kit->run_prefix);
    char *what = bp_kit_dup(strchr(kit->check->name, '.') + 1);
    plan->restoring.source = &plan->source;
    plan->restoring.unit = unit;
    plan->restoring.parent = parent != NULL ? parent : plan->source.info.default_parent;
    plan->restoring.target =
        bp_kit_text("%s_%.8s_%s", unit->name, n > 8 ? kit->run_prefix + n - 9 : "kit", what);
    free(what);
}

static void
need_restore(const struct bp_kit *kit)
{
    const struct bp_source_ops *ops = &kit->source;
    if (!ops->restore_begin || !ops->target_prepare || !ops->target_place || !ops->target_step ||
        !ops->job_poll || !ops->target_prove || !ops->target_finish || !ops->restore_end) {
        bp_kit_skip(kit, "it can only be captured");
    }
}

static void
prepare_plan(struct bp_kit *kit, struct plan *plan)
{
    memset(plan, 0, sizeof *plan);
    bp_kit_start(kit);
    need_restore(kit);
    bp_kit_source_ready(kit, &plan->source);
    bp_kit_capture(&plan->source, &plan->units);
    for (size_t i = 0; i < plan->units.n; i++) {
        if (plan->units.units[i].n_items > 0) {
            choose_target(plan, &plan->units.units[i]);
            return;
        }
    }
    bp_kit_fail(kit, "no unit of the source names an item (hooks.seed fills the source)");
}

static int
run_hook(const struct plan *plan, const char *hook)
{
    const struct bp_kit_restoring *r = &plan->restoring;
    const char *const variables[] = {
        "BAKPLANE_UNIT", r->unit->id,       "BAKPLANE_NAME", r->unit->name, "BAKPLANE_PARENT",
        r->parent,       "BAKPLANE_TARGET", r->target,       NULL,          NULL};
    return bp_kit_command(plan->source.kit, hook, variables);
}

static void
end_plan(struct plan *plan)
{
    if (run_hook(plan, "drop") > 0) {
        bp_kit_note(plan->source.kit, "hooks.drop did not remove %s", plan->restoring.target);
    }
    bp_kit_source_close(&plan->source);
}

static void
compare(const struct plan *plan)
{
    int code = run_hook(plan, "compare");
    if (code > 0) {
        bp_kit_fail(plan->source.kit, "hooks.compare says with code %d that %s is not what %s was",
                    code, plan->restoring.target, plan->restoring.unit->id);
    }
}

static bool
exists(struct plan *plan, const char *name)
{
    struct bp_kit_units units;
    bool there = false;
    bp_kit_plan(&plan->source, &units);
    for (size_t i = 0; i < units.n; i++) {
        there = there || strcmp(units.units[i].name, name) == 0;
    }
    bp_kit_units_clear(&units);
    return there;
}

static void
check_dry_run(struct bp_kit *kit)
{
    struct plan plan;
    prepare_plan(kit, &plan);
    plan.restoring.flags = BP_RESTORE_DRY_RUN;
    bp_kit_restore_to(&plan.restoring, BP_KIT_BEGUN);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    if (exists(&plan, plan.restoring.target)) {
        bp_kit_fail(kit, "after a dry run %s is there", plan.restoring.target);
    }
    plan.restoring.flags = UNKNOWN_FLAG;
    struct bp_error error;
    bp_status status = bp_kit_try_restore_begin(&plan.restoring, &error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "restore_begin with an unknown flag");
    plan.restoring.flags = BP_RESTORE_DRY_RUN;
    plan.restoring.pair_flags = UNKNOWN_FLAG;
    status = bp_kit_try_restore_begin(&plan.restoring, &error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, &error,
                  "restore_begin with an unknown flag of a pair");
    bp_kit_source_close(&plan.source);
}

static void
check_round_trip(struct bp_kit *kit)
{
    struct plan plan;
    prepare_plan(kit, &plan);
    bp_kit_restore_to(&plan.restoring, BP_KIT_FINISHED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    compare(&plan);
    end_plan(&plan);
}

static void
check_exists(struct bp_kit *kit)
{
    struct plan plan;
    struct bp_error error;
    prepare_plan(kit, &plan);
    bp_kit_restore_to(&plan.restoring, BP_KIT_FINISHED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    bp_status status = bp_kit_try_restore_begin(&plan.restoring, &error);
    if (status == BP_OK) {
        status = bp_kit_try_prepare(&plan.restoring, &error);
        bp_kit_restore_end(&plan.restoring, BP_OUTCOME_FAILED);
    }
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "restoring to a name that is taken");
    compare(&plan);
    end_plan(&plan);
}

static void
check_done(struct bp_kit *kit)
{
    struct plan plan;
    struct bp_error error;
    prepare_plan(kit, &plan);
    bp_kit_restore_to(&plan.restoring, BP_KIT_FINISHED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    char *identity = bp_kit_dup(plan.restoring.identity);
    plan.restoring.done = identity;
    bp_status status = bp_kit_try_restore_begin(&plan.restoring, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "restore_begin with `done`");
    status = bp_kit_try_prepare(&plan.restoring, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "target_prepare of what an earlier run completed");
    if (strcmp(plan.restoring.identity, identity) != 0) {
        bp_kit_fail(kit, "target_prepare answers the identity %s for what was done as %s",
                    plan.restoring.identity, identity);
    }
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    compare(&plan);
    free(identity);
    end_plan(&plan);
}

/* In a process of its own: restores up to a stage, tells the identity, and is gone. */
static _Noreturn void
restore_and_die(struct bp_kit *kit, enum bp_kit_stage stage, int go, int told)
{
    struct plan plan = {0};
    char byte = 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(go, &byte, 1) != 1) {
        _exit(1);
    }
    bp_kit_source_open(kit, NULL, &plan.source);
    bp_kit_source_probe(&plan.source);
    bp_kit_plan(&plan.source, &plan.units);
    struct bp_kit_unit *unit = bp_kit_some_unit(&plan.source, &plan.units);
    unit->proof = (struct bp_proof){.struct_size = sizeof unit->proof, .high = UINT64_MAX};
    choose_target(&plan, unit);
    bp_kit_restore_to(&plan.restoring, stage);
    if (write(told, plan.restoring.identity, strlen(plan.restoring.identity)) < 0) {
        _exit(1);
    }
    (void)raise(SIGKILL);
    _exit(1);
}

static void
interrupt_at(struct bp_kit *kit, enum bp_kit_stage stage)
{
    struct plan plan;
    int go[2], told[2];
    char identity[IDENTITY_MAX + 1] = "";
    if (pipe(go) != 0 || pipe(told) != 0) {
        bp_kit_skip(kit, "no pipe can be made here");
    }
    pid_t pid = fork(); /* before the plugin is loaded */
    if (pid == 0) {
        restore_and_die(kit, stage, go[0], told[1]);
    }
    prepare_plan(kit, &plan);
    (void)close(told[1]);
    ssize_t n = pid > 0 && write(go[1], "x", 1) == 1 ? read(told[0], identity, IDENTITY_MAX) : -1;
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
    }
    if (n <= 0) {
        bp_kit_fail(kit,
                    "a restore in another process did not come to the point where it is killed");
    }
    plan.restoring.ours = identity;
    bp_kit_restore_to(&plan.restoring, BP_KIT_FINISHED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    compare(&plan);
    end_plan(&plan);
}

static void
check_killed_prepared(struct bp_kit *kit)
{
    interrupt_at(kit, BP_KIT_PREPARED);
}

static void
check_killed_placed(struct bp_kit *kit)
{
    interrupt_at(kit, BP_KIT_PLACED);
}

static void
check_killed_stepped(struct bp_kit *kit)
{
    interrupt_at(kit, BP_KIT_STEPPED);
}

static void
check_failed(struct bp_kit *kit)
{
    struct plan plan;
    prepare_plan(kit, &plan);
    bp_kit_restore_to(&plan.restoring, BP_KIT_PREPARED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_FAILED);
    plan.restoring.ours = bp_kit_dup(plan.restoring.identity);
    bp_kit_restore_to(&plan.restoring, BP_KIT_FINISHED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    compare(&plan);
    end_plan(&plan);
}

/* What was captured becomes what another version of the plugin would have written. */
static void
change_documents(struct plan *plan, const char *hook)
{
    const struct bp_kit *kit = plan->source.kit;
    const char *root = plan->source.backup->info.local_root;
    if (*root == '\0') {
        bp_kit_skip(kit, "the storage that has the backup is not on this machine");
    }
    char *path = bp_kit_text("%s/%s", root, kit->prefix);
    const char *const variables[] = {"BAKPLANE_BACKUP", path, NULL, NULL};
    int code = bp_kit_command(kit, hook, variables);
    if (code != 0) {
        bp_kit_bail(kit, "hooks.%s ended with code %d", hook, code);
    }
    free(path);
}

static void
check_newer(struct bp_kit *kit)
{
    struct plan plan;
    struct bp_error error;
    prepare_plan(kit, &plan);
    change_documents(&plan, "newer");
    bp_status status = bp_kit_try_restore_begin(&plan.restoring, &error);
    if (status == BP_OK) {
        bp_kit_restore_end(&plan.restoring, BP_OUTCOME_FAILED);
    }
    bp_kit_expect(kit, status, BP_ERR_UNSUPPORTED, &error,
                  "restore_begin with documents of a later version (hooks.newer)");
    if (exists(&plan, plan.restoring.target)) {
        bp_kit_fail(kit, "after a restore that was refused %s is there", plan.restoring.target);
    }
    bp_kit_source_close(&plan.source);
}

static void
check_older(struct bp_kit *kit)
{
    struct plan plan;
    prepare_plan(kit, &plan);
    change_documents(&plan, "older");
    bp_kit_restore_to(&plan.restoring, BP_KIT_FINISHED);
    bp_kit_restore_end(&plan.restoring, BP_OUTCOME_DONE);
    compare(&plan);
    end_plan(&plan);
}

const struct bp_kit_check bp_kit_checks_restore[] = {
    {.name = "restore.dry_run",
     .contract = "a dry run only looks; an unknown flag is INVALID",
     .run = check_dry_run,
     .times = 5},
    {.name = "restore.round_trip",
     .contract = "what was captured comes back under another name: as many rows, and the same",
     .run = check_round_trip,
     .times = 5},
    {.name = "restore.older",
     .contract = "documents that an earlier version of the plugin wrote are restored",
     .run = check_older,
     .hook = "older",
     .times = 5},
    {.name = "restore.newer",
     .contract = "documents of a later version are UNSUPPORTED, before anything is made",
     .run = check_newer,
     .hook = "newer",
     .times = 5},
    {.name = "restore.exists",
     .contract = "a target that is there and not ours is EXISTS, and stays as it is",
     .run = check_exists,
     .times = 5},
    {.name = "restore.done",
     .contract = "what an earlier run completed stays, and target_prepare answers its identity",
     .run = check_done,
     .times = 5},
    {.name = "restore.failed",
     .contract = "a restore that failed after target_prepare can be run again with `ours`",
     .run = check_failed,
     .times = 5},
    {.name = "restore.killed_prepared",
     .contract = "a restore that was killed after target_prepare can be run again with `ours`",
     .run = check_killed_prepared,
     .times = 5},
    {.name = "restore.killed_placed",
     .contract = "a restore that was killed after target_place can be run again with `ours`",
     .run = check_killed_placed,
     .times = 5},
    {.name = "restore.killed_stepped",
     .contract = "a restore that was killed after its last job can be run again with `ours`",
     .run = check_killed_stepped,
     .times = 5},
    BP_KIT_CHECKS_END,
};
