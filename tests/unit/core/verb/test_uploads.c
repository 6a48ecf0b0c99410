/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts of create and restore that die in the middle: on record before their first
 * part, and ended by the next run for that name.
 */
#include "tests/unit/core/verb/verb_restore_fixture.h"

#define BIG (9 << 20)

static bp_create_params params;
static GError *error;
static guint n_begun, n_aborted, n_records_at_first_part;
static bool refuse_abort;

static bp_status
noting_begin(struct bp_storage *storage, const struct bp_op *op, const struct bp_write_args *args,
             const struct bp_text_sink *id, struct bp_error *raw)
{
    n_begun++;
    return verb_honest_store.part_begin(storage, op, args, id, raw);
}

static bp_status
noting_part(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
            struct bp_writer **out, struct bp_error *raw)
{
    if (args->number == 1) {
        n_records_at_first_part = verb_count("backups/b/bakplane/uploads");
    }
    return verb_honest_store.part_open(storage, op, args, out, raw);
}

static bp_status
noting_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
             const char *upload, struct bp_error *raw)
{
    if (refuse_abort) {
        return verb_set_raw(raw, BP_ERR_DENIED, "no abort for you");
    }
    n_aborted++;
    return verb_honest_store.part_abort(storage, op, key, upload, raw);
}

/* Objects pass through the host, in parts, and the uploads are not found by listing. */
static void
spoil(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    storage->copy = NULL;
    storage->part_begin = noting_begin;
    storage->part_open = noting_part;
    storage->part_abort = noting_abort;
    storage->uploads_list = NULL;
    storage->uploads_abort = NULL;
}

static void
setup(void)
{
    verb_setup();
    g_autofree char *text = g_strnfill(BIG, 'x');
    verb_write("data/default/big/1", text);
    static const char *const overrides[] = {"part_size=5MiB", NULL};
    params = (bp_create_params){.name = "b", .overrides = overrides};
    error = NULL;
    verb_error = NULL;
    n_begun = n_aborted = n_records_at_first_part = 0;
    refuse_abort = false;
    atomic_store(&verb_ended, -1);
    verb_spoil = spoil;
}

static void
create_once(void)
{
    (void)verb_create(&params, NULL);
}

static void
create_fine(void)
{
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_count("backups/b/bakplane/uploads"), 0);
}

static void
die_in_the_middle(void)
{
    verb_faults("storage.part_open:backups:abort:nth=2");
    verb_killed(create_once);
    verb_faults("");
    ck_assert_uint_eq(verb_count("backups/b/bakplane/uploads"), 1);
}

START_TEST(test_create__record_comes_before_the_first_part)
{
    create_fine();
    ck_assert_uint_eq(n_begun, 1);
    ck_assert_uint_eq(n_records_at_first_part, 1);
    ck_assert_uint_eq(n_aborted, 0);
}
END_TEST

START_TEST(test_create__resume_ends_what_a_killed_run_left)
{
    die_in_the_middle();
    params.resume = true;
    create_fine();
    ck_assert_uint_eq(n_aborted, 1);
}
END_TEST

START_TEST(test_create__replace_ends_what_a_killed_run_left)
{
    die_in_the_middle();
    params.replace = true;
    create_fine();
    ck_assert_uint_eq(n_aborted, 1);
}
END_TEST

START_TEST(test_delete__ends_what_a_killed_run_left)
{
    die_in_the_middle();
    ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(n_aborted, 1);
    ck_assert_uint_eq(verb_count("backups/b"), 0);
}
END_TEST

START_TEST(test_create__failed_abort_stops_nobody)
{
    die_in_the_middle();
    params.resume = true;
    refuse_abort = true;
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_count("backups/b/bakplane/uploads"), 1); /* for another try */
    ASSERT_FINE(verb_verify("b", false, &error) == BP_VERB_OK, error);
}
END_TEST

START_TEST(test_create__failed_part_leaves_no_record)
{
    verb_faults("storage.part_open:backups:class=denied:nth=2");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_DENIED, "part_open");
    ck_assert_uint_eq(n_aborted, 1);
    ck_assert_uint_eq(verb_count("backups/b/bakplane/uploads"), 0);
}
END_TEST

static void
restore_once(void)
{
    (void)verb_restore(&verb_params, NULL);
}

static void
die_while_staging(void)
{
    create_fine();
    n_begun = 0;
    verb_params = (bp_restore_params){.name = "b", .suffix = "_r"};
    verb_faults("storage.part_open:data:abort:nth=2");
    verb_killed(restore_once);
    verb_faults("");
}

START_TEST(test_restore__next_run_ends_what_a_killed_one_left)
{
    die_while_staging();
    ASSERT_FINE(verb_restore(&verb_params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(n_begun, 1); /* its own; the other was in the child */
    ck_assert_uint_eq(n_aborted, 1);
    verb_assert_no_staging();
    ck_assert_uint_eq(verb_count("state/restore"), 1); /* the lock file */
}
END_TEST

START_TEST(test_restore__failed_abort_stays_on_record)
{
    die_while_staging();
    refuse_abort = true;
    ASSERT_FINE(verb_restore(&verb_params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_count("state/restore"), 2);
    refuse_abort = false;
    verb_params.suffix = "_s";
    atomic_store(&verb_ended, -1);
    ASSERT_FINE(verb_restore(&verb_params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(n_aborted, 1);
    ck_assert_uint_eq(verb_count("state/restore"), 1);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/uploads", setup, verb_teardown, test_create__record_comes_before_the_first_part,
        test_create__resume_ends_what_a_killed_run_left,
        test_create__replace_ends_what_a_killed_run_left, test_delete__ends_what_a_killed_run_left,
        test_create__failed_abort_stops_nobody, test_create__failed_part_leaves_no_record,
        test_restore__next_run_ends_what_a_killed_one_left,
        test_restore__failed_abort_stays_on_record);
}
