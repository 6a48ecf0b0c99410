/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/create_units: sources whose items vanish, that name wrong ones, count wrongly or are
 * stopped; and how their runs are ended.
 */
#include <stdatomic.h>

#include "core/plugin/host.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_create_params params;
static GError *error;
static atomic_uint generation, calls;
static atomic_int run_outcome, unit_outcome;
static const char *extra_ref, *extra_key, *second_key;
static guint vanishing; /* generations in which "extra" is named but gone */

static int32_t
name_item(const struct bp_item_sink *sink, const char *key, const char *from)
{
    struct bp_item item = {.struct_size = sizeof item,
                           .id = key,
                           .key = key,
                           .ref = extra_ref,
                           .ref_key = from,
                           .size = 3};
    return sink->item(sink->ctx, &item);
}

static bp_status
items_with_extra(struct bp_run *run, const struct bp_op *op, const char *unit, const char *token,
                 const struct bp_item_sink *sink, struct bp_error *raw)
{
    if (strcmp(unit, "default/films") == 0 && atomic_load(&generation) < vanishing &&
        (name_item(sink, "items/default/films/extra", extra_key) != 0 ||
         (second_key != NULL && name_item(sink, "items/default/films/second", second_key) != 0))) {
        raw->cls = BP_ERR_CANCELLED;
        g_strlcpy(raw->message, "stopped", sizeof raw->message);
        return BP_ERR_CANCELLED;
    }
    return verb_honest.unit_items(run, op, unit, token, sink, raw);
}

static bp_status
counting_refresh(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                 struct bp_error *raw)
{
    ck_assert_str_eq(args->unit_id, "default/films");
    atomic_fetch_add(&generation, 1);
    return verb_honest.unit_refresh(run, op, args, raw);
}

static bp_status
noting_unit_end(struct bp_run *run, const struct bp_op *op, const char *unit, int32_t outcome,
                struct bp_error *raw)
{
    if (outcome != BP_OUTCOME_DONE) {
        atomic_store(&unit_outcome, outcome);
    }
    return verb_honest.unit_end(run, op, unit, outcome, raw);
}

static bp_status
noting_run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome, struct bp_error *raw)
{
    atomic_store(&run_outcome, outcome);
    return verb_honest.run_end(run, op, outcome, raw);
}

static void
spoil_nothing(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->unit_end = noting_unit_end;
    source->run_end = noting_run_end;
}

static void
spoil_items(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_nothing(source, storage);
    source->unit_items = items_with_extra;
    source->unit_refresh = counting_refresh;
}

static void
setup(void)
{
    verb_setup();
    verb_seed();
    params = (bp_create_params){.name = "b"};
    error = NULL;
    extra_ref = "data";
    extra_key = "default/films/extra";
    second_key = NULL;
    vanishing = 0;
    atomic_store(&generation, 0);
    atomic_store(&calls, 0);
    atomic_store(&run_outcome, -1);
    atomic_store(&unit_outcome, BP_OUTCOME_DONE);
    verb_spoil = spoil_nothing;
}

static void
create_fine(void)
{
    bp_verb_outcome outcome = verb_create(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_int_eq(atomic_load(&run_outcome), BP_OUTCOME_DONE);
    ck_assert_int_eq(atomic_load(&unit_outcome), BP_OUTCOME_DONE);
}

static void
create_fails(int cls, const char *text)
{
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, cls, text);
    ck_assert_int_eq(atomic_load(&run_outcome),
                     cls == BP_ERR_CANCELLED ? BP_OUTCOME_CANCELLED : BP_OUTCOME_FAILED);
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "failed");
    ck_assert(!verb_exists("backups/b/meta/files.json"));
}

START_TEST(test_units__vanished_items_are_looked_for_again)
{
    verb_spoil = spoil_items;
    vanishing = 3;
    create_fine();
    ck_assert_uint_eq(atomic_load(&generation), 3);
    ck_assert_uint_eq(verb_number("items"), 4);
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

START_TEST(test_units__items_that_are_no_longer_named_are_dropped)
{
    verb_spoil = spoil_items;
    vanishing = 1;
    second_key = "default/books/1"; /* copied, but not named again after the other one vanished */
    create_fine();
    ck_assert_uint_eq(atomic_load(&generation), 1);
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert(!verb_exists("backups/b/items/default/films/second"));
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

START_TEST(test_units__unquiet_source_is_given_up)
{
    verb_spoil = spoil_items;
    vanishing = 1000;
    create_fails(BP_ERR_STALE, "directory films: its data was rewritten 8 times");
    ck_assert_int_eq(atomic_load(&unit_outcome), BP_OUTCOME_FAILED);
}
END_TEST

START_TEST(test_units__item_on_an_unknown_storage)
{
    verb_spoil = spoil_items;
    vanishing = 1;
    extra_ref = "nowhere";
    create_fails(BP_ERR_PERMANENT, "nowhere");
}
END_TEST

START_TEST(test_units__item_named_twice_is_found_when_sealing)
{
    verb_spoil = spoil_items;
    vanishing = 1;
    verb_write("data/default/films/extra", "two");
    create_fails(BP_ERR_CORRUPT, "items/default/films/extra");
}
END_TEST

START_TEST(test_units__item_of_another_size)
{
    verb_spoil = spoil_items;
    vanishing = 1;
    verb_write("data/default/books/1", "longer than said");
    extra_key = "default/books/1";
    create_fails(BP_ERR_CORRUPT, "has 16 bytes, it was named with 3");
}
END_TEST

static void
wait_for_cancel(const struct bp_op *op)
{
    while (bp_host_table()->cancelled(op) == 0) {
        g_usleep(100);
    }
}

static bp_status
say_cancelled(struct bp_error *raw)
{
    raw->cls = BP_ERR_CANCELLED;
    g_strlcpy(raw->message, "stopped", sizeof raw->message);
    return BP_ERR_CANCELLED;
}

/* "films" is still naming when the engine has failed with its item: another unit hears of it. */
static bp_status
items_still_named(struct bp_run *run, const struct bp_op *op, const char *unit, const char *token,
                  const struct bp_item_sink *sink, struct bp_error *raw)
{
    if (strcmp(unit, "default/films") != 0) {
        return verb_honest.unit_items(run, op, unit, token, sink, raw);
    }
    if (token == NULL) {
        (void)name_item(sink, "items/default/films/extra", extra_key);
        (void)sink->next(sink->ctx, "more");
        return BP_OK;
    }
    wait_for_cancel(op);
    return say_cancelled(raw);
}

static bp_status
copy_until_cancelled(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_copy_args *args, struct bp_object_meta *out,
                     struct bp_error *raw)
{
    if (strcmp(args->src_key, "default/films/extra") != 0) {
        wait_for_cancel(op);
        return say_cancelled(raw);
    }
    (void)storage;
    (void)out;
    raw->cls = BP_ERR_NO_SPACE;
    g_strlcpy(raw->message, "the disk is full", sizeof raw->message);
    return BP_ERR_NO_SPACE;
}

static void
spoil_elsewhere(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_nothing(source, storage);
    source->unit_items = items_still_named;
    storage->copy = copy_until_cancelled;
}

START_TEST(test_units__failed_copy_is_told_of_the_unit_of_its_item)
{
    verb_spoil = spoil_elsewhere;
    create_fails(BP_ERR_NO_SPACE, "directory films: copy of b/items/default/films/extra: ");
}
END_TEST

static bp_status
no_items(struct bp_run *run, const struct bp_op *op, const char *unit, const char *token,
         const struct bp_item_sink *sink, struct bp_error *raw)
{
    (void)run;
    (void)op;
    (void)unit;
    (void)token;
    (void)sink;
    (void)raw;
    return BP_OK;
}

static guint64 proof_high;
static guint32 proof_flags;

static bp_status
other_proof(struct bp_run *run, const struct bp_op *op, const char *unit, struct bp_proof *out,
            struct bp_error *raw)
{
    (void)run;
    (void)op;
    (void)unit;
    (void)raw;
    out->high = out->found = proof_high;
    out->flags = proof_flags;
    g_strlcpy(out->note, "counted by hand", sizeof out->note);
    return BP_OK;
}

static void
spoil_proof(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_nothing(source, storage);
    source->unit_items = no_items;
    source->unit_prove = other_proof;
}

START_TEST(test_units__rows_without_items_are_no_success)
{
    verb_spoil = spoil_proof;
    proof_high = 5;
    proof_flags = 0;
    create_fails(BP_ERR_CORRUPT, "the source has 5 objects in it but named nothing to copy");
}
END_TEST

START_TEST(test_units__no_rows_and_no_items_are_fine)
{
    verb_spoil = spoil_proof;
    proof_high = 0;
    proof_flags = BP_PROOF_UNPROVABLE;
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 0);
    g_autofree char *manifest = verb_read("backups/b/bakplane/manifest.json");
    ck_assert_ptr_nonnull(strstr(manifest, "counted by hand"));
    ck_assert_ptr_nonnull(strstr(manifest, "unprovable"));
}
END_TEST

static bp_status
cancelling_begin(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                 struct bp_error *raw)
{
    if (atomic_fetch_add(&calls, 1) == 1) {
        bp_cancel_trigger(verb_cancel, 2);
    }
    return verb_honest.unit_begin(run, op, args, raw);
}

static void
spoil_begin(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_nothing(source, storage);
    source->unit_begin = cancelling_begin;
}

START_TEST(test_units__cancelled_in_between)
{
    verb_spoil = spoil_begin;
    create_fails(BP_ERR_CANCELLED, "cancelled");
    ck_assert(!verb_exists("backups/b/bakplane/lease.json"));
    g_autofree char *manifest = verb_read("backups/b/bakplane/manifest.json");
    ck_assert_ptr_nonnull(strstr(manifest, "\"failed\""));
}
END_TEST

START_TEST(test_units__cancelled_before_it_began)
{
    bp_cancel_trigger(verb_cancel, 2);
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
    ck_assert_int_eq(atomic_load(&run_outcome), -1);
    ck_assert_uint_eq(verb_count("backups"), 0);
}
END_TEST

START_TEST(test_units__calls_are_tried_again)
{
    verb_faults("source.unit_begin::nth=1:class=retryable;"
                "source.unit_prove::nth=1:class=throttled");
    create_fine();
}
END_TEST

START_TEST(test_units__first_failure_is_the_one_that_counts)
{
    verb_faults("source.unit_begin::nth=2:class=auth");
    create_fails(BP_ERR_AUTH, "injected");
}
END_TEST

START_TEST(test_units__end_of_a_unit_counts)
{
    verb_faults("source.unit_end::nth=3:class=permanent:after");
    create_fails(BP_ERR_PERMANENT, "directory ");
}
END_TEST

static bp_status
begin_with_keepalive(struct bp_source *source, const struct bp_op *op,
                     const struct bp_run_args *args, struct bp_run_info *info, struct bp_run **out,
                     struct bp_error *raw)
{
    bp_status status = verb_honest.run_begin(source, op, args, info, out, raw);
    info->keepalive_ms = 1;
    return status;
}

static bp_status
failing_keepalive(struct bp_run *run, const struct bp_op *op, struct bp_error *raw)
{
    (void)run;
    (void)op;
    atomic_fetch_add(&calls, 1);
    raw->cls = BP_ERR_RETRYABLE;
    g_strlcpy(raw->message, "the pin is gone", sizeof raw->message);
    return BP_ERR_RETRYABLE;
}

static guint renewals_awaited;

/* The unit is not ready before the pin was renewed so often. */
static bp_status
begin_after_keepalive(struct bp_run *run, const struct bp_op *op, const struct bp_unit_args *args,
                      struct bp_error *raw)
{
    while (atomic_load(&calls) < renewals_awaited) {
        g_usleep(100);
    }
    return verb_honest.unit_begin(run, op, args, raw);
}

static bp_status
failing_run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome, struct bp_error *raw)
{
    (void)noting_run_end(run, op, outcome, raw);
    raw->cls = BP_ERR_PERMANENT;
    g_strlcpy(raw->message, "could not be released", sizeof raw->message);
    return BP_ERR_PERMANENT;
}

static void
spoil_keepalive(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_nothing(source, storage);
    source->run_begin = begin_with_keepalive;
    source->run_keepalive = failing_keepalive;
    source->unit_begin = begin_after_keepalive;
    source->run_end = failing_run_end;
}

START_TEST(test_keepalive__and_end_of_a_run_fail_with_a_warning)
{
    verb_spoil = spoil_keepalive;
    renewals_awaited = 2; /* the first one's failure has been told of by then */
    create_fine();
    ck_assert(verb_noted("keepalive"));
    ck_assert(verb_noted("run-end"));
}
END_TEST

/* A server that does not answer any more. */
static bp_status
silent_keepalive(struct bp_run *run, const struct bp_op *op, struct bp_error *raw)
{
    (void)run;
    atomic_fetch_add(&calls, 1);
    wait_for_cancel(op);
    return say_cancelled(raw);
}

static void
spoil_with_silence(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil_keepalive(source, storage);
    source->run_keepalive = silent_keepalive;
    source->run_end = noting_run_end;
}

START_TEST(test_keepalive__does_not_hold_up_the_end)
{
    verb_spoil = spoil_with_silence;
    renewals_awaited = 1;
    create_fine();
    ck_assert(!verb_noted("keepalive"));
}
END_TEST

START_TEST(test_run_begin__failure_is_the_jobs)
{
    verb_faults("source.run_begin::class=auth");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "injected"));
    g_clear_error(&error);
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "failed");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/create_units", setup, verb_teardown, test_units__vanished_items_are_looked_for_again,
        test_units__items_that_are_no_longer_named_are_dropped,
        test_units__unquiet_source_is_given_up, test_units__item_on_an_unknown_storage,
        test_units__item_named_twice_is_found_when_sealing, test_units__item_of_another_size,
        test_units__failed_copy_is_told_of_the_unit_of_its_item,
        test_units__rows_without_items_are_no_success, test_units__no_rows_and_no_items_are_fine,
        test_units__cancelled_in_between, test_units__cancelled_before_it_began,
        test_units__calls_are_tried_again, test_units__first_failure_is_the_one_that_counts,
        test_units__end_of_a_unit_counts, test_keepalive__and_end_of_a_run_fail_with_a_warning,
        test_keepalive__does_not_hold_up_the_end, test_run_begin__failure_is_the_jobs);
}
