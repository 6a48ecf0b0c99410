/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/restore_target: jobs that fail, proofs that do not hold, cancellation and kills; and
 * that the next run sets it right.
 */
#include <stdatomic.h>

#include "core/base/clock.h"
#include "tests/unit/core/verb/verb_restore_fixture.h"

static atomic_uint calls;
static guint cancel_at; /* the call that cancels */

static void
setup(void)
{
    verb_restore_setup();
    atomic_store(&calls, 0);
}

static bp_status
failing_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target, const char *token,
             struct bp_job_state *out, struct bp_error *raw)
{
    if (target != 1) {
        return verb_honest.job_poll(restore, op, target, token, out, raw);
    }
    out->phase = BP_JOB_FAILED;
    g_strlcpy(out->reason, "no such field", sizeof out->reason);
    return BP_OK;
}

static void
spoil_poll(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->job_poll = failing_poll;
}

START_TEST(test_target__failed_job_goes_on_when_asked_to)
{
    verb_spoil = spoil_poll;
    verb_params.continue_on_error = true;
    verb_restore_fails(
        BP_ERR_PERMANENT,
        "2 of 3 complete, 1 failed; default.films: the server failed: no such field");
    ck_assert(json_is_true(json_object_get(verb_result, "touched")));
    ck_assert_str_eq(verb_state_of("default.books"), "complete");
    ck_assert_str_eq(verb_state_of("default.films"), "failed");
    ck_assert_str_eq(verb_state_of("shop.books"), "complete");
    verb_params.select.children = "films";
    verb_next_run_is_fine();
    ck_assert_str_eq(verb_state_of("default.films"), "complete");
}
END_TEST

START_TEST(test_target__failure_leaves_the_others_untouched)
{
    static const char *const one[] = {"concurrency.units=1", NULL};
    verb_params.overrides = one;
    verb_spoil = spoil_poll;
    verb_restore_fails(BP_ERR_PERMANENT, "1 of 3 complete, 1 failed; default.films: ");
    ck_assert_str_eq(verb_state_of("default.films"), "failed");
    ck_assert_str_eq(verb_state_of("shop.books"), "untouched");
    ck_assert(!verb_exists("data/restored/shop"));
}
END_TEST

START_TEST(test_target__damaged_staging_is_of_one_target)
{
    static const char *const one[] = {"concurrency.units=1", NULL};
    verb_params.overrides = one;
    verb_params.continue_on_error = true;
    verb_write("backups/b/items/default/books/2", "secund");
    verb_restore_fails(BP_ERR_PERMANENT, "2 of 3 complete, 1 failed; default.books: ");
    ck_assert_str_eq(verb_state_of("default.films"), "complete");
}
END_TEST

START_TEST(test_prove__too_few_and_too_many_are_failures)
{
    static const guint64 wrong[] = {0, 1, 3};
    verb_params.select.children = "books";
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        verb_proof = (struct bp_proof){.found = wrong[i]};
        verb_spoil = verb_spoil_proof;
        g_autofree char *text =
            g_strdup_printf("restored %u objects, the backup holds 2 to 2", (guint)wrong[i]);
        verb_restore_fails(BP_ERR_PERMANENT, text);
        ck_assert_str_eq(verb_state_of("default.books"), "failed");
    }
    verb_next_run_is_fine();
    ck_assert_uint_eq(verb_count("data/restored"), 2);
}
END_TEST

START_TEST(test_prove__what_cannot_be_counted_is_a_difference)
{
    verb_proof =
        (struct bp_proof){.flags = BP_PROOF_UNPROVABLE, .note = "the server does not count"};
    verb_spoil = verb_spoil_proof;
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, verb_error);
    ck_assert_str_eq(verb_state_of("default.books"), "unprovable");
    ck_assert_str_eq(verb_item("targets", 0, "error"), "the server does not count");
    ck_assert_int_eq(atomic_load(&verb_ended), BP_OUTCOME_DONE);
    ck_assert_uint_eq(verb_count("state/restore"), 1);
}
END_TEST

static bp_status
low_is_nothing(struct bp_run *run, const struct bp_op *op, const char *unit, struct bp_proof *out,
               struct bp_error *raw)
{
    bp_status status = verb_honest.unit_prove(run, op, unit, out, raw);
    out->low = 0;
    out->flags = verb_proof.flags;
    g_strlcpy(out->note, "counted at capture", sizeof out->note);
    return status;
}

static void
spoil_capture(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->unit_prove = low_is_nothing;
}

static void
create_again(guint32 flags)
{
    bp_create_params create = {.name = "b", .replace = true};
    verb_proof = (struct bp_proof){.flags = flags};
    verb_spoil = spoil_capture;
    ASSERT_FINE(verb_create(&create, &verb_error) == BP_VERB_OK, verb_error);
    verb_proof = (struct bp_proof){.note = "rows imported"};
    verb_spoil = verb_spoil_proof;
}

START_TEST(test_prove__nothing_where_deletes_may_cover_all)
{
    create_again(0);
    verb_params.select.children = "books";
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, verb_error);
    ck_assert_str_eq(verb_item("targets", 0, "error"),
                     "0 objects came in; the deletes may cover all 2 of the backup");
}
END_TEST

static struct bp_restore_pair seen_pair;

static bp_status
see_pair(struct bp_source *source, const struct bp_op *op, const struct bp_restore_args *args,
         struct bp_restore_info *info, struct bp_restore **out, struct bp_error *raw)
{
    seen_pair = args->pairs[0];
    return verb_honest.restore_begin(source, op, args, info, out, raw);
}

static void
spoil_and_see(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_proof(source, storage);
    source->restore_begin = see_pair;
}

START_TEST(test_begin__pairs_say_what_was_counted)
{
    verb_params.select.children = "books";
    verb_proof = (struct bp_proof){.found = 2};
    verb_spoil = spoil_and_see;
    ASSERT_FINE(verb_restore(&verb_params, &verb_error) == BP_VERB_OK, verb_error);
    ck_assert_uint_eq(seen_pair.flags, 0);
    ck_assert(seen_pair.low == 2 && seen_pair.high == 2);
}
END_TEST

START_TEST(test_prove__unprovable_at_capture_says_why)
{
    create_again(BP_PROOF_UNPROVABLE);
    verb_spoil = spoil_and_see;
    verb_params.select.children = "books";
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, verb_error);
    ck_assert_str_eq(verb_item("targets", 0, "error"), "counted at capture");
    ck_assert_uint_eq(seen_pair.flags, BP_PROOF_UNPROVABLE);
    ck_assert(seen_pair.low == 0 && seen_pair.high == BP_UNKNOWN);
}
END_TEST

static void
cancel_when_due(void)
{
    if (atomic_fetch_add(&calls, 1) + 1 == cancel_at) {
        bp_cancel_trigger(verb_cancel, 2);
    }
}

static bp_status
cancelling_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                   const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                   struct bp_error *raw)
{
    cancel_when_due();
    return verb_honest.target_prepare(restore, op, target, notes, identity, raw);
}

static bp_status
cancelling_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                 const struct bp_place_sink *sink, struct bp_error *raw)
{
    bp_status status = verb_honest.target_place(restore, op, target, sink, raw);
    cancel_when_due();
    return status;
}

static bp_status
cancelling_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *raw)
{
    cancel_when_due();
    return verb_honest.target_step(restore, op, target, sink, out, raw);
}

static bp_status
cancelling_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                const char *token, struct bp_job_state *out, struct bp_error *raw)
{
    cancel_when_due();
    out->phase = BP_JOB_RUNNING;
    return atomic_load(&calls) < cancel_at
               ? BP_OK
               : verb_honest.job_poll(restore, op, target, token, out, raw);
}

static bp_status
cancelling_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                  const struct bp_note_sink *notes, struct bp_error *raw)
{
    cancel_when_due();
    return verb_honest.target_finish(restore, op, target, notes, raw);
}

static guint step;

static void
spoil_a_step(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    switch (step) {
    case 0:
        source->target_prepare = cancelling_prepare;
        break;
    case 1:
        source->target_place = cancelling_place;
        break;
    case 2:
        source->target_step = cancelling_step;
        break;
    case 3:
        source->job_poll = cancelling_poll;
        break;
    default:
        source->target_finish = cancelling_finish;
        break;
    }
}

START_TEST(test_target__cancelled_at_each_step)
{
    static const char *const one[] = {"concurrency.units=1", NULL};
    verb_params.select.filter = NULL;
    for (step = 0; step < 5; step++) {
        verb_params.overrides = step == 4 ? one : NULL; /* else the third may be through as well */
        verb_spoil = spoil_a_step;
        atomic_store(&calls, 0);
        cancel_at = 2;
        verb_restore_fails(BP_ERR_CANCELLED, "of 3 complete");
        bp_cancel_free(verb_cancel);
        verb_cancel = bp_cancel_new();
        verb_remove("data/restored");
        verb_next_run_is_fine();
        verb_remove("data/restored");
    }
}
END_TEST

static bp_restore_params killed_params;

static void
restore_once(void)
{
    (void)verb_restore(&killed_params, NULL);
}

START_TEST(test_target__killed_at_any_step)
{
    static const char *const faults[] = {"source.target_prepare::abort:after",
                                         "restore.prepared::abort",
                                         "source.target_place::abort:after",
                                         "source.target_step::abort:after",
                                         "source.job_poll::abort",
                                         "source.job_poll::abort:after",
                                         "restore.imported::abort",
                                         "source.target_finish::abort:after"};
    verb_params.select.children = "books";
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
        killed_params = verb_params;
        verb_faults(faults[i]);
        verb_killed(restore_once);
        verb_next_run_is_fine();
        ck_assert_str_eq(verb_state_of("default.books"), "complete");
        ck_assert_uint_eq(verb_count("data/restored"), 2);
        verb_remove("data/restored");
    }
}
END_TEST

START_TEST(test_target__killed_run_gives_no_right_to_others)
{
    killed_params = verb_params;
    verb_params.select.children = killed_params.select.children = "books";
    verb_faults("restore.imported::abort");
    verb_killed(restore_once);
    verb_faults("");
    verb_write("data/restored/default/films/mine", "precious");
    verb_params.select.children = "books,films";
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_FAILED);
    ASSERT_ERROR(verb_error, BP_ERR_EXISTS, "films exists already");
    g_autofree char *mine = verb_read("data/restored/default/films/mine");
    ck_assert_str_eq(mine, "precious");
}
END_TEST

/* One target after the other, killed while the second is taken in. */
static void
kill_after_one_target(void)
{
    static const char *const one[] = {"concurrency.units=1", NULL};
    verb_params.overrides = one;
    killed_params = verb_params;
    verb_faults("restore.imported::abort:nth=2");
    verb_killed(restore_once);
    verb_faults("");
}

START_TEST(test_target__complete_one_of_a_killed_run_is_kept)
{
    kill_after_one_target();
    verb_write("data/restored/default/books/seen", "not made again");
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_OK);
    ck_assert(verb_exists("data/restored/default/books/seen"));
    ck_assert_str_eq(verb_item("targets", 0, "state"), "complete");
    ck_assert_str_eq(verb_item("targets", 0, "note"), "by the run before, which was interrupted");
    ck_assert_uint_eq(
        bp_json_u64(json_array_get(json_object_get(verb_result, "targets"), 0), "found", 0), 2);
    ck_assert_str_eq(verb_state_of("default.films"), "complete");
    ck_assert_str_eq(verb_state_of("shop.books"), "complete");
    ck_assert_uint_eq(verb_count("data/restored"), 5);
    /* All is settled: from now on it is somebody's. */
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_FAILED);
    ASSERT_ERROR(verb_error, BP_ERR_EXISTS, "books exists already");
}
END_TEST

START_TEST(test_target__dry_run_finds_what_a_killed_run_left)
{
    kill_after_one_target();
    guint journals = verb_count("state/restore");
    verb_params.dry_run = true;
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
    ck_assert_uint_eq(verb_count("state/restore"), journals);
    ck_assert_int_eq(atomic_exchange(&verb_ended, -1), BP_OUTCOME_DONE);
    verb_params.dry_run = false;
    verb_next_run_is_fine();
    ck_assert_str_eq(verb_item("targets", 0, "note"), "by the run before, which was interrupted");
}
END_TEST

START_TEST(test_target__complete_one_that_is_gone_is_made_again)
{
    kill_after_one_target();
    verb_remove("data/restored/default/books");
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_OK);
    ck_assert(verb_exists("data/restored/default/books/2"));
    ck_assert_str_eq(verb_item("targets", 0, "note"), "");
}
END_TEST

START_TEST(test_target__complete_one_was_made_otherwise)
{
    static const char *const other[] = {"concurrency.units=1", "ingest=false", NULL};
    kill_after_one_target();
    verb_params.overrides = other;
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_FAILED);
    ASSERT_ERROR(verb_error, BP_ERR_EXISTS, "books exists already");
}
END_TEST

static bp_status
half_made(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
          const struct bp_note_sink *notes, const struct bp_text_sink *identity,
          struct bp_error *raw)
{
    (void)verb_honest.target_prepare(restore, op, target, notes, identity, raw);
    verb_write("data/restored/default/books/half", "made");
    return verb_set_raw(raw, BP_ERR_PERMANENT, "the server went away");
}

static void
spoil_prepare(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_prepare = half_made;
}

START_TEST(test_prepare__what_a_failure_made_is_ours)
{
    verb_params.select.children = "books";
    verb_spoil = spoil_prepare;
    verb_restore_fails(BP_ERR_PERMANENT, "default.books: ");
    ck_assert_str_eq(verb_state_of("default.books"), "failed");
    verb_next_run_is_fine();
    ck_assert(!verb_exists("data/restored/default/books/half"));
}
END_TEST

START_TEST(test_prepare__failure_that_made_nothing)
{
    verb_params.select.children = "books";
    verb_faults("source.target_prepare::class=denied");
    verb_restore_fails(BP_ERR_PERMANENT, "0 of 1 complete, 1 failed; default.books: ");
    ck_assert_str_eq(verb_state_of("default.books"), "untouched");
    ck_assert_str_eq(verb_item("targets", 0, "to"), "default.books");
    ck_assert_uint_eq(verb_count("state/restore"), 1);
}
END_TEST

START_TEST(test_target__failures_of_every_call_are_the_targets)
{
    static const char *const faults[] = {
        "source.target_place::class=permanent",  "source.target_step::class=permanent",
        "source.job_poll::class=permanent",      "source.target_prove::class=permanent",
        "source.target_finish::class=permanent", "storage.sync:data:class=permanent"};
    verb_params.select.children = "books";
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
        verb_spoil = verb_spoil_end;
        verb_faults(faults[i]);
        verb_restore_fails(BP_ERR_PERMANENT, "0 of 1 complete, 1 failed; default.books: ");
        ck_assert_str_eq(verb_state_of("default.books"), "failed");
    }
    verb_next_run_is_fine();
}
END_TEST

START_TEST(test_target__questions_are_tried_again)
{
    verb_faults("source.job_poll::nth=1:class=retryable;"
                "source.target_prove::nth=1:class=retryable");
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
}
END_TEST

static bp_status
failing_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
            struct bp_error *raw)
{
    (void)verb_noting_end(restore, op, outcome, raw);
    return verb_set_raw(raw, BP_ERR_PERMANENT, "could not end");
}

static void
spoil_the_end(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->restore_end = failing_end;
}

START_TEST(test_restore__failing_end_is_a_warning)
{
    verb_spoil = spoil_the_end;
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
    ck_assert(verb_noted("restore-end"));
}
END_TEST

START_TEST(test_sweep__what_stays_is_swept_by_the_next_run)
{
    verb_params.select.children = "books";
    verb_faults("storage.remove_many:data:class=permanent;storage.remove:data:class=permanent");
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
    ck_assert(verb_noted("staging"));
    ck_assert_uint_eq(verb_count("state/restore"), 2);
    verb_faults("");
    verb_params.select.children = "films";
    verb_next_run_is_fine();
}
END_TEST

static atomic_bool sweep_was_limited;

static bp_status
noting_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
            const struct bp_list_sink *sink, struct bp_error *raw)
{
    if (strstr(args->prefix, "restored-") != NULL && op->deadline_ns != 0) {
        atomic_store(&sweep_was_limited, true);
    }
    return verb_honest_store.list(storage, op, args, sink, raw);
}

static void
spoil_list(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    storage->list = noting_list;
}

static void
spoil_list_and_step(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_a_step(source, storage);
    storage->list = noting_list;
}

/* Half a minute is not enough for a hundred thousand objects. */
START_TEST(test_sweep__has_time_unless_it_was_cancelled)
{
    verb_spoil = spoil_list;
    atomic_store(&sweep_was_limited, false);
    ASSERT_FINE(verb_restore(&verb_params, &verb_error) == BP_VERB_OK, verb_error);
    ck_assert(!atomic_load(&sweep_was_limited));
    verb_remove("data/restored");
    atomic_store(&verb_ended, -1);
    atomic_store(&calls, 0);
    step = 2;
    cancel_at = 2;
    verb_spoil = spoil_list_and_step;
    verb_restore_fails(BP_ERR_CANCELLED, "of 3 complete");
    ck_assert(atomic_load(&sweep_was_limited));
}
END_TEST

static atomic_llong sweep_left_ns; /* what was left of the deadline when the sweep began */

static bp_status
noting_deadline(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
                const struct bp_list_sink *sink, struct bp_error *raw)
{
    if (strstr(args->prefix, "restored-") != NULL) {
        atomic_store(&sweep_left_ns, op->deadline_ns - bp_clock_mono_ns());
    }
    return verb_honest_store.list(storage, op, args, sink, raw);
}

static void
spoil_deadline(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    storage->list = noting_deadline;
}

START_TEST(test_sweep__has_half_a_minute_near_the_end_of_the_job)
{
    static const char *const soon[] = {"timeout=20s", NULL};
    verb_params.overrides = soon;
    verb_spoil = spoil_deadline;
    atomic_store(&sweep_left_ns, 0);
    ASSERT_FINE(verb_restore(&verb_params, &verb_error) == BP_VERB_OK, verb_error);
    ck_assert_int_gt(atomic_load(&sweep_left_ns), 25 * BP_NS_PER_S);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/restore_target", setup, verb_teardown, test_target__failed_job_goes_on_when_asked_to,
        test_target__failure_leaves_the_others_untouched,
        test_target__damaged_staging_is_of_one_target,
        test_prove__too_few_and_too_many_are_failures,
        test_prove__what_cannot_be_counted_is_a_difference,
        test_prove__nothing_where_deletes_may_cover_all, test_begin__pairs_say_what_was_counted,
        test_prove__unprovable_at_capture_says_why, test_target__cancelled_at_each_step,
        test_target__killed_at_any_step, test_target__killed_run_gives_no_right_to_others,
        test_target__complete_one_of_a_killed_run_is_kept,
        test_target__dry_run_finds_what_a_killed_run_left,
        test_target__complete_one_that_is_gone_is_made_again,
        test_target__complete_one_was_made_otherwise, test_prepare__what_a_failure_made_is_ours,
        test_prepare__failure_that_made_nothing,
        test_target__failures_of_every_call_are_the_targets, test_target__questions_are_tried_again,
        test_restore__failing_end_is_a_warning, test_sweep__what_stays_is_swept_by_the_next_run,
        test_sweep__has_time_unless_it_was_cancelled,
        test_sweep__has_half_a_minute_near_the_end_of_the_job);
}
