/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/restore and restore_plan: which units go where, what is refused before anything is
 * touched, and whole restores.
 */
#include "tests/unit/core/verb/verb_fixture.h"

#include <stdatomic.h>

#include "core/base/clock.h"
#include "core/verb/restore_journal.h"

static bp_restore_params params;
static GError *error;

static void
setup(void)
{
    verb_setup();
    verb_seed_backup();
    params = (bp_restore_params){.name = "b"};
    error = NULL;
}

/* Nothing of a run stays but what it restored. */
static void
assert_swept(void)
{
    g_autofree char *path = g_build_filename(verb_root, "data", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *staging = g_build_filename("data", name, NULL);
        ck_assert_msg(!g_str_has_prefix(name, "restored-") || verb_count(staging) == 0,
                      "%s is left", name);
    }
}

static void
assert_no_journal(void)
{
    ck_assert_uint_eq(verb_count("state/restore"), 1); /* the lock file */
}

static void
restore_fine(void)
{
    bp_verb_outcome outcome = verb_restore(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    for (gsize i = 0; i < verb_length("targets"); i++) {
        ck_assert_str_eq(verb_item("targets", i, "state"), "complete");
    }
    assert_swept();
}

static void
restore_refused(int cls, const char *text)
{
    ck_assert_int_eq(verb_restore(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, cls, text);
    ck_assert_msg(!json_is_true(json_object_get(verb_result, "touched")), "it touched something");
    assert_swept();
}

START_TEST(test_restore__all_units)
{
    restore_fine();
    ck_assert_uint_eq(verb_length("targets"), 3);
    ck_assert_str_eq(verb_item("targets", 0, "from"), "default.books");
    ck_assert_str_eq(verb_item("targets", 0, "to"), "default.books");
    g_autofree char *text = verb_read("data/restored/default/books/2");
    ck_assert_str_eq(text, "second");
    ck_assert(verb_exists("data/restored/shop/books/deep/1"));
    ck_assert_uint_eq(verb_count("data/restored"), 4);
    assert_no_journal();
}
END_TEST

START_TEST(test_restore__selected_units)
{
    params.select.children = "films";
    params.select.parents = "shop";
    restore_fine();
    ck_assert_uint_eq(verb_length("targets"), 2);
    ck_assert_uint_eq(verb_count("data/restored"), 2);
}
END_TEST

START_TEST(test_restore__under_other_names)
{
    params.rename = "books:b2, shop.*:store.*";
    params.suffix = "_x";
    restore_fine();
    ck_assert(verb_exists("data/restored/default/b2/1"));
    ck_assert(verb_exists("data/restored/default/films_x/1"));
    ck_assert(verb_exists("data/restored/store/books_x/deep/1"));
}
END_TEST

static GString *seen_parents;

static bp_status
noting_begin(struct bp_source *source, const struct bp_op *op, const struct bp_restore_args *args,
             struct bp_restore_info *info, struct bp_restore **out, struct bp_error *raw)
{
    g_string_truncate(seen_parents, 0);
    for (guint32 i = 0; i < args->n_parents; i++) {
        g_string_append_printf(seen_parents, "%s ", args->parents[i]);
    }
    return verb_honest.restore_begin(source, op, args, info, out, raw);
}

static void
spoil_begin(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->restore_begin = noting_begin;
}

START_TEST(test_restore__parents_that_are_to_exist)
{
    static const struct {
        bp_restore_params params;
        const char *parents;
    } rows[] = {
        {{.name = "b"}, "default shop "},
        {{.name = "b", .select.children = "shop.books", .rename = "shop.books:store.b"}, "store "},
        {{.name = "b", .rename = "shop.books:store.b"}, "default store shop "},
        {{.name = "b", .rename = "shop.*:store.*"}, "default store "},
        {{.name = "b", .target_filter = "shop."}, "shop "},
        {{.name = "b", .target_filter = "films"}, "default "},
    };
    seen_parents = g_string_new(NULL);
    verb_spoil = spoil_begin;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        params = rows[i].params;
        params.dry_run = true;
        bp_verb_outcome outcome = verb_restore(&params, &error);
        ASSERT_FINE(outcome == BP_VERB_OK, error);
        ck_assert_str_eq(seen_parents->str, rows[i].parents);
    }
    g_string_free(seen_parents, TRUE);
}
END_TEST

START_TEST(test_restore__filter_is_about_new_names)
{
    params.suffix = "_x";
    params.target_filter = "films_x";
    restore_fine();
    ck_assert_uint_eq(verb_count("data/restored"), 1);
    params.target_filter = "films";
    restore_refused(BP_ERR_NOT_FOUND, "hint: --filter is compared with names after renaming");
}
END_TEST

START_TEST(test_restore__refuses_what_matches_nothing)
{
    params.select.children = "films,shop.films";
    restore_refused(BP_ERR_NOT_FOUND, "nothing in the backup matches: shop.films");
    params.select.children = NULL;
    params.rename = "shop.films:a.b";
    restore_refused(BP_ERR_NOT_FOUND, "nothing in the backup matches: shop.films:a.b");
}
END_TEST

START_TEST(test_restore__refuses_two_of_one_name)
{
    params.rename = "shop.books:default.films";
    restore_refused(BP_ERR_INVALID, "would be restored as default.films");
}
END_TEST

START_TEST(test_restore__refuses_bad_texts)
{
    params.target_filter = "a..b";
    restore_refused(BP_ERR_INVALID, "'a..b' is no valid term");
    params.target_filter = NULL;
    params.rename = "a";
    restore_refused(BP_ERR_INVALID, "rename: 'a' is no rule");
    params.rename = NULL;
    params.suffix = "*";
    restore_refused(BP_ERR_INVALID, "suffix '*'");
}
END_TEST

START_TEST(test_restore__refuses_a_bad_setting)
{
    static const char *const overrides[] = {"ingest=perhaps", NULL};
    params.overrides = overrides;
    restore_refused(BP_ERR_INVALID, "ingest");
}
END_TEST

START_TEST(test_restore__unknown_backup)
{
    params.name = "c";
    restore_refused(BP_ERR_NOT_FOUND, "there is no backup \"c\"");
}
END_TEST

START_TEST(test_restore__dry_run_touches_nothing)
{
    params.dry_run = true;
    bp_verb_outcome outcome = verb_restore(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert(json_is_true(json_object_get(verb_result, "dry_run")));
    ck_assert_uint_eq(verb_length("targets"), 3);
    ck_assert_str_eq(verb_item("targets", 0, "state"), "untouched");
    ck_assert(!verb_exists("data/restored"));
    ck_assert(!verb_exists("state/restore"));
}
END_TEST

START_TEST(test_restore__refuses_what_exists)
{
    verb_write("data/restored/default/films/mine", "precious");
    restore_refused(BP_ERR_EXISTS, "films exists already");
    ck_assert_uint_eq(verb_count("data/restored"), 1);
    assert_no_journal();
    params.dry_run = true;
    restore_refused(BP_ERR_EXISTS, "films exists already");
}
END_TEST

START_TEST(test_restore__refuses_a_damaged_backup)
{
    verb_remove("backups/b/items/default/books/1");
    verb_write("backups/b/items/default/books/2", "se");
    restore_refused(BP_ERR_CORRUPT, "backup b is damaged: 1 missing, 1 truncated, 0 altered");
    params.select.children = "films"; /* which is whole */
    restore_fine();
}
END_TEST

START_TEST(test_restore__deleted_meanwhile_is_not_damaged)
{
    verb_spoil = verb_spoil_by_deleting;
    restore_refused(BP_ERR_STALE,
                    "backup b was deleted while it was looked at; nothing was restored");
}
END_TEST

static atomic_bool second_failed;

/* The second target fails; then somebody cancels, and that ends the first. */
static bp_status
prepare_until_cancelled(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                        const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                        struct bp_error *raw)
{
    gint64 until = bp_clock_mono_ns() + 20 * BP_NS_PER_S;
    if (target == 1) {
        raw->cls = BP_ERR_DENIED;
        g_strlcpy(raw->message, "no right to make it", sizeof raw->message);
        atomic_store(&second_failed, true);
        return raw->cls;
    }
    while (!atomic_load(&second_failed) && bp_clock_mono_ns() < until) {
        (void)bp_cancel_sleep_ns(NULL, BP_NS_PER_MS);
    }
    bp_cancel_trigger(verb_cancel, 2);
    return verb_honest.target_prepare(restore, op, target, notes, identity, raw);
}

static void
spoil_prepare(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->target_prepare = prepare_until_cancelled;
}

START_TEST(test_restore__cancel_does_not_hide_what_had_failed)
{
    static const char *const two[] = {"concurrency.units=2", NULL};
    params.overrides = two;
    verb_spoil = spoil_prepare;
    ck_assert_int_eq(verb_restore(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "2 failed; default.films: source files: no right to");
}
END_TEST

START_TEST(test_restore__deep_verification_first)
{
    static const char *const overrides[] = {"verify=deep", NULL};
    verb_write("backups/b/items/default/books/2", "secund");
    params.overrides = overrides;
    restore_refused(BP_ERR_CORRUPT, "1 altered objects (items/default/books/2: altered)");
}
END_TEST

START_TEST(test_restore__staging_compares_checksums)
{
    verb_write("backups/b/items/default/books/2", "secund");
    ck_assert_int_eq(verb_restore(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "default/books/2: its xxh3-128 is "));
    g_clear_error(&error);
    ck_assert(!verb_exists("data/restored/default/books/2"));
    assert_swept();
}
END_TEST

START_TEST(test_restore__refuses_an_unfinished_backup)
{
    bp_create_params create = {.name = "half"};
    verb_faults("create.sealed::class=permanent");
    ck_assert_int_eq(verb_create(&create, NULL), BP_VERB_FAILED);
    verb_faults("");
    params.name = "half";
    restore_refused(BP_ERR_PERMANENT, "backup half cannot be used, it is failed");
}
END_TEST

START_TEST(test_restore__without_items)
{
    params.without_items = true;
    restore_fine();
    ck_assert(!verb_exists("data/restored"));
    assert_no_journal();
}
END_TEST

START_TEST(test_restore__server_that_may_not_read_the_backup)
{
    verb_faults("storage.probe:backups:class=denied");
    restore_fine(); /* by staging */
    verb_faults("");
    ck_assert(verb_noted("not-in-place"));
}
END_TEST

START_TEST(test_restore__unknown_whether_the_server_may_read)
{
    verb_faults("storage.probe:backups:class=permanent");
    restore_refused(BP_ERR_PERMANENT, "injected");
    verb_faults("");
    ck_assert(!verb_exists("data/restored"));
}
END_TEST

static bp_status
staging_nowhere(struct bp_source *source, const struct bp_op *op,
                const struct bp_restore_args *args, struct bp_restore_info *info,
                struct bp_restore **out, struct bp_error *raw)
{
    bp_status status = verb_honest.restore_begin(source, op, args, info, out, raw);
    g_strlcpy(info->staging_ref, "nowhere", sizeof info->staging_ref);
    return status;
}

static void
spoil_staging(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->restore_begin = staging_nowhere;
}

START_TEST(test_restore__staging_on_an_unknown_storage)
{
    verb_spoil = spoil_staging;
    ck_assert_int_eq(verb_restore(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "nowhere"));
    g_clear_error(&error);
    ck_assert(!verb_exists("data/restored"));
    assert_no_journal();
}
END_TEST

static bp_progress seen_progress;

static bp_status
looking_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
              struct bp_proof *out, struct bp_error *raw)
{
    ck_assert(bp_monitor_snapshot(verb_monitor, &seen_progress));
    return verb_honest.target_prove(restore, op, target, out, raw);
}

static void
spoil_to_look(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->target_prove = looking_prove;
}

START_TEST(test_restore__progress_is_what_was_proven)
{
    static const char *const one[] = {"concurrency.units=1", NULL};
    params.overrides = one;
    verb_spoil = spoil_to_look;
    restore_fine();
    ck_assert_str_eq(seen_progress.phase, "restore");
    ck_assert_uint_eq(seen_progress.items_total, 4);
    ck_assert_uint_eq(seen_progress.items_done, 3); /* when the last of them was looked at */
}
END_TEST

static void
spoil_to_capture_only(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->restore_begin = NULL;
}

START_TEST(test_restore__source_that_cannot)
{
    verb_spoil = spoil_to_capture_only;
    restore_refused(BP_ERR_UNSUPPORTED, "source plugin 'files' cannot restore");
}
END_TEST

START_TEST(test_restore__target_of_another_run)
{
    const char *targets[] = {"shop.books", NULL};
    g_autofree char *dir = g_build_filename(verb_root, "state", NULL);
    bp_restore_journal_params other_params = {.state_dir = dir,
                                              .address = "data",
                                              .run_id = "other",
                                              .backup = "nightly",
                                              .wanted = "",
                                              .targets = targets};
    g_autoptr(bp_restore_journal) other = bp_restore_journal_open(&other_params, &error);
    ASSERT_FINE(other != NULL, error);
    restore_refused(BP_ERR_EXISTS, "shop.books is being restored by another run right now");
}
END_TEST

START_TEST(test_restore__cancelled_before_it_began)
{
    bp_cancel_trigger(verb_cancel, 2);
    restore_refused(BP_ERR_CANCELLED, "");
    ck_assert(!verb_exists("data/restored"));
}
END_TEST

START_TEST(test_restore__backup_without_parents)
{
    verb_configure("", "backups");
    bp_create_params create = {.name = "flat"};
    ASSERT_FINE(verb_create(&create, &error) == BP_VERB_OK, error);
    params.name = "flat";
    params.rename = "shop:market";
    ASSERT_FINE(verb_restore(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("targets"), 2);
    ck_assert_str_eq(verb_item("targets", 1, "from"), "shop");
    ck_assert_str_eq(verb_item("targets", 1, "to"), "market");
    ck_assert(verb_exists("data/restored/default/books/1"));
    ck_assert(verb_exists("data/restored/market/books/deep/1"));
}
END_TEST

static bp_status
forget_parents(struct bp_source *source, const struct bp_op *op,
               const struct bp_unit_filter *filter, const struct bp_unit_sink *sink,
               struct bp_error *raw)
{
    (void)op;
    (void)filter;
    (void)raw;
    (void)source;
    const struct bp_unit unit = {
        .struct_size = sizeof unit, .id = "default/books", .kind = "directory", .name = "books"};
    return sink->unit(sink->ctx, &unit) == 0 ? BP_OK : BP_ERR_CANCELLED;
}

static void
spoil_parents(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->plan = forget_parents;
}

START_TEST(test_restore__selected_without_parents)
{
    verb_configure("", "backups");
    bp_create_params create = {.name = "flat", .select.filter = "shop"};
    ASSERT_FINE(verb_create(&create, &error) == BP_VERB_OK, error);
    params = (bp_restore_params){.name = "flat", .select.children = "default"};
    restore_refused(BP_ERR_NOT_FOUND, "nothing in the backup matches: default");
}
END_TEST

START_TEST(test_restore__unit_that_lost_its_parent)
{
    verb_spoil = spoil_parents;
    bp_create_params create = {.name = "lost"};
    ASSERT_FINE(verb_create(&create, &error) == BP_VERB_OK, error);
    params.name = "lost";
    restore_refused(BP_ERR_CORRUPT, "names no parent of directory books");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/restore", setup, verb_teardown, test_restore__all_units, test_restore__selected_units,
        test_restore__under_other_names, test_restore__parents_that_are_to_exist,
        test_restore__filter_is_about_new_names, test_restore__refuses_what_matches_nothing,
        test_restore__refuses_two_of_one_name, test_restore__refuses_bad_texts,
        test_restore__refuses_a_bad_setting, test_restore__unknown_backup,
        test_restore__dry_run_touches_nothing, test_restore__refuses_what_exists,
        test_restore__refuses_a_damaged_backup, test_restore__deleted_meanwhile_is_not_damaged,
        test_restore__cancel_does_not_hide_what_had_failed, test_restore__deep_verification_first,
        test_restore__staging_compares_checksums, test_restore__refuses_an_unfinished_backup,
        test_restore__server_that_may_not_read_the_backup,
        test_restore__unknown_whether_the_server_may_read,
        test_restore__staging_on_an_unknown_storage, test_restore__progress_is_what_was_proven,
        test_restore__without_items, test_restore__source_that_cannot,
        test_restore__target_of_another_run, test_restore__cancelled_before_it_began,
        test_restore__backup_without_parents, test_restore__selected_without_parents,
        test_restore__unit_that_lost_its_parent);
}
