/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/restore_target and restore_place: calls of the source that are tried again, and those
 * that must not be; what class the failure of a restore has.
 */
#include <stdatomic.h>

#include "tests/unit/core/verb/verb_restore_fixture.h"

static atomic_uint n_calls, n_staged, n_jobs;

static void
setup(void)
{
    verb_restore_setup();
    atomic_store(&n_calls, 0);
    atomic_store(&n_staged, 0);
    atomic_store(&n_jobs, 0);
}

static void
restore_fine(void)
{
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
    verb_assert_no_staging();
}

/* Each has done its work before it fails. */
START_TEST(test_target__calls_are_tried_again)
{
    verb_faults("source.target_prepare::nth=1:class=retryable:after;"
                "source.target_place::nth=2:class=throttled:after;"
                "source.target_finish::nth=3:class=retryable:after");
    restore_fine();
    ck_assert_uint_eq(verb_count("data/restored"), 4);
}
END_TEST

static bp_status
failing_first_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                    const struct bp_place_sink *sink, struct bp_error *raw)
{
    bp_status status = verb_honest.target_place(restore, op, target, sink, raw);
    return atomic_fetch_add(&n_calls, 1) > 0 ? status
                                             : verb_set_raw(raw, BP_ERR_RETRYABLE, "reset");
}

static void
count_staged(const char *key)
{
    atomic_fetch_add(&n_staged, g_str_has_prefix(key, "restored-"));
}

static bp_status
counting_copy(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
              struct bp_object_meta *meta, struct bp_error *raw)
{
    count_staged(args->dst_key);
    return verb_honest_store.copy(storage, op, args, meta, raw);
}

static bp_status
counting_write_open(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_write_args *args, struct bp_writer **out, struct bp_error *raw)
{
    count_staged(args->key);
    return verb_honest_store.write_open(storage, op, args, out, raw);
}

static void
spoil_place(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_place = failing_first_place;
    storage->copy = counting_copy;
    storage->write_open = counting_write_open;
}

START_TEST(test_place__items_that_are_named_again_are_staged_once)
{
    verb_params.select.children = "films";
    verb_spoil = spoil_place;
    restore_fine();
    ck_assert_uint_eq(atomic_load(&n_calls), 2);
    ck_assert_uint_eq(atomic_load(&n_staged), 1);
}
END_TEST

static int32_t
counting_job(void *ctx, const char *token, uint64_t weight)
{
    const struct bp_job_sink *sink = ctx;
    atomic_fetch_add(&n_jobs, 1);
    return sink->job(sink->ctx, token, weight);
}

/* The first call fails after it has started its job; for the second there is nothing left. */
static bp_status
failing_steps(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
              const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *raw)
{
    struct bp_job_sink own = {.struct_size = sizeof own,
                              .free_jobs = sink->free_jobs,
                              .ctx = (void *)sink,
                              .job = counting_job};
    if (atomic_fetch_add(&n_calls, 1) == 0) {
        (void)verb_honest.target_step(restore, op, target, &own, out, raw);
        return verb_set_raw(raw, BP_ERR_RETRYABLE, "reset");
    }
    out->all_started = 1;
    return BP_OK;
}

static void
spoil_steps(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_step = failing_steps;
}

START_TEST(test_step__jobs_of_a_failed_attempt_go_on)
{
    verb_params.select.children = "films";
    verb_spoil = spoil_steps;
    restore_fine();
    ck_assert_uint_eq(atomic_load(&n_calls), 2);
    ck_assert_uint_eq(atomic_load(&n_jobs), 1);
}
END_TEST

static struct {
    int cls;
    uint32_t flags;
} unheard;

static bp_status
unheard_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
             const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *raw)
{
    (void)restore;
    (void)op;
    (void)target;
    (void)sink;
    (void)out;
    atomic_fetch_add(&n_calls, 1);
    raw->flags = unheard.flags;
    return verb_set_raw(raw, unheard.cls, "no answer");
}

static void
spoil_unheard_step(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_step = unheard_step;
}

/* A job that may run already would bring its data twice. */
START_TEST(test_step__not_again_when_it_may_have_begun)
{
    static const struct {
        int cls;
        uint32_t flags;
    } cases[] = {{BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN}, {BP_ERR_TIMEOUT, 0}};
    verb_params.select.children = "films";
    verb_spoil = spoil_unheard_step;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        unheard.cls = cases[i].cls;
        unheard.flags = cases[i].flags;
        atomic_store(&n_calls, 0);
        verb_restore_fails(cases[i].cls, "default.films: source files: no answer");
        ck_assert_uint_eq(atomic_load(&n_calls), 1);
    }
    verb_next_run_is_fine();
}
END_TEST

START_TEST(test_restore__first_contact_is_not_tried_again)
{
    verb_spoil = NULL;
    verb_faults("source.restore_begin::nth=1:class=retryable");
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_FAILED);
    ASSERT_ERROR(verb_error, BP_ERR_RETRYABLE, "injected");
}
END_TEST

START_TEST(test_restore__has_the_class_of_what_failed)
{
    verb_params.continue_on_error = true;
    verb_faults("source.target_finish::class=retryable");
    verb_restore_fails(BP_ERR_RETRYABLE, "0 of 3 complete, 3 failed");
    verb_faults("source.target_finish::nth=1:class=denied;source.target_finish::class=retryable");
    verb_restore_fails(BP_ERR_PERMANENT, "0 of 3 complete, 3 failed");
    verb_next_run_is_fine();
}
END_TEST

/* As its hint says: the same command makes what is missing, and keeps the rest. */
START_TEST(test_restore__same_command_after_a_failure)
{
    static const char *const one[] = {"concurrency.units=1", NULL};
    verb_params.overrides = one;
    verb_faults("source.target_prepare::nth=2:class=denied");
    verb_restore_fails(BP_ERR_PERMANENT, "1 of 3 complete, 1 failed; default.films: ");
    ck_assert_uint_eq(verb_count("state/restore"), 2);
    verb_write("data/restored/default/books/seen", "not made again");
    verb_next_run_is_fine();
    ck_assert(verb_exists("data/restored/default/books/seen"));
    ck_assert_str_eq(verb_item("targets", 0, "note"), "by the run before, which was interrupted");
    ck_assert_str_eq(verb_state_of("shop.books"), "complete");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/restore_again", setup, verb_teardown, test_target__calls_are_tried_again,
        test_place__items_that_are_named_again_are_staged_once,
        test_step__jobs_of_a_failed_attempt_go_on, test_step__not_again_when_it_may_have_begun,
        test_restore__first_contact_is_not_tried_again, test_restore__has_the_class_of_what_failed,
        test_restore__same_command_after_a_failure);
}
