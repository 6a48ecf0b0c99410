/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/create: whole backups, what is refused before anything is written, and going on with
 * or replacing what is there.
 */
#include <sys/stat.h>

#include "core/catalog/lease.h"
#include "core/plugin/frame.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_create_params params;
static GError *error;

static void
setup(void)
{
    verb_setup();
    verb_seed();
    params = (bp_create_params){.name = "b"};
    error = NULL;
}

static ino_t
inode_of(const char *path)
{
    struct stat st;
    g_autofree char *file = g_build_filename(verb_root, path, NULL);
    ck_assert_int_eq(stat(file, &st), 0);
    return st.st_ino;
}

static void
create_fine(void)
{
    bp_verb_outcome outcome = verb_create(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_str_eq(bp_json_text(verb_result, "state", "success"), "success");
}

/* What list says of the only backup. */
static const char *
status(void)
{
    g_autoptr(GError) failed = NULL;
    ASSERT_FINE(verb_list(NULL, &failed) == BP_VERB_OK, failed);
    ck_assert_uint_eq(verb_length("backups"), 1);
    return verb_item("backups", 0, "status");
}

START_TEST(test_create__all_units)
{
    create_fine();
    ck_assert_str_eq(bp_json_text(verb_result, "name", ""), "b");
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("bytes"), 15);
    ck_assert_uint_eq(verb_length("units"), 3);
    g_autofree char *copied = verb_read("backups/b/items/default/books/2");
    ck_assert_str_eq(copied, "second");
    ck_assert(verb_exists("backups/b/items/shop/books/deep/1"));
    ck_assert(verb_exists("backups/b/meta/files.json"));
    ck_assert(!verb_exists("backups/b/bakplane/lease.json"));
    ck_assert_uint_eq(verb_count("backups/b/bakplane/journal"), 0);
    ck_assert_str_eq(status(), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("compared"), 4);
}
END_TEST

START_TEST(test_create__name_is_made_when_none_is_given)
{
    params.name = NULL;
    create_fine();
    ck_assert(g_str_has_prefix(bp_json_text(verb_result, "name", ""), "backup_"));
    ck_assert_str_eq(status(), "success");
}
END_TEST

START_TEST(test_create__refused_credentials_are_renewed)
{
    verb_faults("storage.sync:backups:class=auth:nth=1");
    create_fine();
}
END_TEST

START_TEST(test_create__credentials_that_stay_refused)
{
    verb_faults("storage.sync:backups:class=auth");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: renew the credentials, then go on with: "
                                                 "bakplane create -n b --resume"));
    ASSERT_ERROR(error, BP_ERR_AUTH, "storage backups: ");
    verb_faults("");
    params.resume = true;
    create_fine();
}
END_TEST

START_TEST(test_create__refuses_a_bad_name)
{
    params.name = "../b";
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "../b");
    ck_assert_uint_eq(verb_count("backups"), 0);
}
END_TEST

START_TEST(test_create__only_what_was_selected)
{
    params.select.filter = "books,shop.";
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 2);
    ck_assert_uint_eq(verb_length("units"), 1);
    ck_assert(!verb_exists("backups/b/items/default/films"));
    ck_assert(!verb_exists("backups/b/items/shop"));
    ASSERT_FINE(verb_get("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("units"), 3); /* with both parents */
}
END_TEST

START_TEST(test_create__refuses_a_selection_that_matches_nothing)
{
    params.select.filter = "books,shop.films";
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "nothing in the source matches: shop.films");
    ck_assert_uint_eq(verb_count("backups"), 0);
}
END_TEST

START_TEST(test_create__refuses_a_bad_selection)
{
    params.select.children = "a.*";
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "'a.*' is no valid term");
}
END_TEST

START_TEST(test_create__refuses_a_bad_setting)
{
    static const char *const overrides[] = {"prove=never", NULL};
    params.overrides = overrides;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "prove");
}
END_TEST

START_TEST(test_dry_run__counts_and_writes_nothing)
{
    params.dry_run = true;
    create_fine();
    ck_assert(json_is_true(json_object_get(verb_result, "dry_run")));
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("bytes"), 15);
    ck_assert_uint_eq(verb_length("units"), 3);
    ck_assert_uint_eq(verb_count("backups"), 0);
    ck_assert(json_object_get(verb_result, "state") == NULL);
}
END_TEST

START_TEST(test_dry_run__is_tried_again_and_fails_cleanly)
{
    params.dry_run = true;
    verb_faults("source.unit_begin::nth=1:class=retryable");
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 4);
    verb_faults("source.unit_items::nth=2:class=denied");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_DENIED, "directory films: ");
    ck_assert_uint_eq(verb_count("backups"), 0);
}
END_TEST

/* Each has done its work before it fails. */
START_TEST(test_create__calls_of_the_source_are_tried_again)
{
    verb_faults("source.plan::nth=1:class=retryable:after;"
                "source.run_begin::nth=1:class=throttled:after;"
                "source.documents::nth=1:class=retryable:after");
    create_fine();
    verb_faults("");
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_length("units"), 3);
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 4);
}
END_TEST

START_TEST(test_create__first_contact_is_not_tried_again)
{
    verb_faults("source.probe::nth=1:class=retryable");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "injected");
}
END_TEST

START_TEST(test_create__every_way_of_proving)
{
    static const char *const overrides[][2] = {{"prove=read"}, {"prove=stream"}, {"prove=size"}};
    static const guint64 compared[] = {4, 4, 0};
    for (gsize i = 0; i < G_N_ELEMENTS(overrides); i++) {
        params.overrides = overrides[i];
        params.replace = i > 0;
        create_fine();
        ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
        ck_assert_uint_eq(verb_number("compared"), compared[i]);
        ck_assert_uint_eq(verb_number("sealed"), 4 - compared[i]);
    }
}
END_TEST

START_TEST(test_create__without_items_holds_the_documents)
{
    params.without_items = true;
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 0);
    ck_assert(!verb_exists("backups/b/items"));
    ck_assert(verb_exists("backups/b/meta/files.json"));
    ck_assert_str_eq(status(), "success");
}
END_TEST

START_TEST(test_create__empty_source)
{
    verb_remove("data");
    verb_write("data/loose", "in no directory");
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 0);
    ck_assert_uint_eq(verb_length("units"), 0);
    ck_assert_str_eq(status(), "success");
}
END_TEST

START_TEST(test_create__name_is_taken)
{
    create_fine();
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup already exists with the name b (success)\nhint: ");
    params.resume = true;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup already exists with the name b");
    ck_assert_str_eq(status(), "success");
}
END_TEST

START_TEST(test_create__foreign_backup_is_never_touched)
{
    verb_write("backups/b/meta/files.json", "{}");
    for (int i = 0; i < 3; i++) {
        params.replace = i == 1;
        params.resume = i == 2;
        ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
        ASSERT_ERROR(error, BP_ERR_EXISTS, "backups of other tools are never changed");
    }
    ck_assert_uint_eq(verb_count("backups"), 1);
}
END_TEST

START_TEST(test_create__nothing_to_resume)
{
    params.resume = true;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no backup b to resume");
}
END_TEST

START_TEST(test_create__replaces)
{
    create_fine();
    verb_remove("data/default/books/1");
    verb_write("data/default/books/3", "third");
    params.replace = true;
    create_fine();
    ck_assert(!verb_exists("backups/b/items/default/books/1"));
    ck_assert(verb_exists("backups/b/items/default/books/3"));
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

static void
fail_once(const char *faults)
{
    verb_faults(faults);
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    verb_faults("");
}

START_TEST(test_create__full_storage)
{
    fail_once("storage.write_open:backups:class=no-space:from=3;storage.copy::class=no-space");
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "storage backups: ");
    ck_assert(verb_noted("record")); /* it could not even write down that it failed */
    ck_assert_str_eq(status(), "running (stale)");
    params.resume = true;
    create_fine();
}
END_TEST

START_TEST(test_create__newer_record_is_never_touched)
{
    static const char *const text = "{\"version\": 99, \"name\": \"b\"}";
    verb_write("backups/b/bakplane/manifest.json", text);
    for (int i = 0; i < 3; i++) {
        params.replace = i == 1;
        params.resume = i == 2;
        ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
        g_clear_error(&error);
        g_autofree char *now = verb_read("backups/b/bakplane/manifest.json");
        ck_assert_str_eq(now, text);
    }
}
END_TEST

START_TEST(test_create__failed_unit_names_itself)
{
    fail_once("source.unit_prove::class=permanent");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "directory ");
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "failed");
    ck_assert_str_eq(status(), "failed");
    ck_assert(!verb_exists("backups/b/meta/files.json"));
    ck_assert(!verb_exists("backups/b/bakplane/lease.json"));
    ASSERT_FINE(verb_get("b", false, &error) == BP_VERB_OK, error);
    ck_assert_ptr_nonnull(strstr(bp_json_text(verb_result, "error", ""), "injected"));
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "(failed)\nhint: go on with --resume");
}
END_TEST

START_TEST(test_resume__copies_nothing_twice)
{
    fail_once("create.sealed::class=permanent");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "--resume");
    ino_t before = inode_of("backups/b/items/default/books/2");
    verb_write("data/default/films/2", "another film");
    params.resume = true;
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 5);
    ck_assert(inode_of("backups/b/items/default/books/2") == before);
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("compared"), 5);
}
END_TEST

START_TEST(test_resume__copies_again_what_changed)
{
    fail_once("create.sealed::class=permanent");
    g_clear_error(&error);
    verb_write("data/default/books/2", "another second");
    verb_remove("data/default/books/1");
    verb_remove("backups/b/items/default/films/1");
    params.resume = true;
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 3);
    g_autofree char *copied = verb_read("backups/b/items/default/books/2");
    ck_assert_str_eq(copied, "another second");
    ck_assert(!verb_exists("backups/b/items/default/books/1"));
    ck_assert(verb_exists("backups/b/items/default/films/1"));
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

START_TEST(test_create__live_writer_is_respected)
{
    bp_verb verb = verb_open();
    const bp_catalog *catalog = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &catalog, &error), error);
    bp_lease_params lease_params = {.catalog = catalog,
                                    .key = "b/" BP_CATALOG_LEASE,
                                    .run_id = "somebody",
                                    .purpose = "create",
                                    .renew_ns = BP_LEASE_RENEW_NS};
    bp_lease *lease = bp_lease_take(&lease_params, &error);
    ASSERT_FINE(lease != NULL, error);
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_null(strstr(error->message, "--replace"));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "\nhint: it is being started by create on host ");
    ck_assert(!verb_exists("backups/b/bakplane/manifest.json"));
    bp_lease_free(lease);
    verb_close(&verb);
}
END_TEST

/* Another run takes the name between our look and our lease. */
static bp_status
plan_while_another_run_finishes(struct bp_source *source, const struct bp_op *op,
                                const struct bp_unit_filter *filter,
                                const struct bp_unit_sink *sink, struct bp_error *raw)
{
    verb_spoil = NULL;
    bp_create_params other = {.name = "b", .select.filter = "films", .replace = params.replace};
    g_autoptr(GError) failed = NULL;
    ASSERT_FINE(verb_create(&other, &failed) == BP_VERB_OK, failed);
    return verb_honest.plan(source, op, filter, sink, raw);
}

static void
spoil_plan(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->plan = plan_while_another_run_finishes;
}

START_TEST(test_create__looks_again_under_the_lease)
{
    verb_spoil = spoil_plan;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup already exists with the name b");
    ck_assert_str_eq(status(), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 1);
}
END_TEST

START_TEST(test_create__replaces_only_what_it_saw)
{
    verb_seed_backup();
    params.replace = true;
    verb_spoil = spoil_plan;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "(success), made by another run just now");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 1);
    create_fine(); /* asked for once more */
}
END_TEST

/* Somebody takes the lease while --replace still removes; every call of ours ends then. */
static bp_status
lose_lease_while_clearing(struct bp_storage *storage, const struct bp_op *op, const char *key,
                          const char *if_match, struct bp_error *raw)
{
    const bp_cancel *lost = bp_frame_of(op)->call.cancel;
    gint64 until = bp_clock_mono_ns() + 20 * BP_NS_PER_S;
    bool is_document = g_str_has_prefix(key, "b/meta/");
    while (is_document && !bp_cancel_is_set(lost) && bp_clock_mono_ns() < until) {
        verb_write("backups/b/bakplane/lease.json", "{\"run\":\"another\"}");
        (void)bp_cancel_sleep_ns(NULL, BP_NS_PER_MS); /* a renewal on its way may write over it */
    }
    return verb_honest_store.remove(storage, op, key, if_match, raw);
}

static void
spoil_clearing(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->remove = lose_lease_while_clearing;
}

START_TEST(test_create__lease_lost_before_it_has_begun)
{
    verb_seed_backup();
    verb_spoil = spoil_clearing;
    bp_verb verb = verb_open();
    const bp_catalog *catalog = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &catalog, &error), error);
    ((bp_catalog *)catalog)->renew_ns = 50 * BP_NS_PER_MS;
    bp_create_params again = {.name = "b", .replace = true};
    ck_assert_int_eq(bp_verb_create(&verb, &again, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_STALE, "lease b/bakplane/lease.json was lost: ");
    verb_close(&verb);
    ck_assert_str_eq(status(), "deleting"); /* nothing was written since */
}
END_TEST

static guint64 available;

static bp_status
little_space(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
             struct bp_error *raw)
{
    (void)storage;
    (void)op;
    (void)raw;
    out->total = 1000;
    out->available = available;
    return BP_OK;
}

static void
spoil_space(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->space = little_space;
}

START_TEST(test_create__refused_when_it_does_not_fit)
{
    verb_spoil = spoil_space;
    available = 14;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "the backup needs 15 B, storage 'backups' has 14 B left");
    ck_assert_uint_eq(verb_count("backups"), 0);
    params.dry_run = true;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "the backup needs 15 B");
}
END_TEST

START_TEST(test_create__estimate_is_not_added_to_the_result)
{
    verb_spoil = spoil_space;
    available = 400;
    create_fine();
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("bytes"), 15);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/create", setup, verb_teardown, test_create__all_units,
        test_create__name_is_made_when_none_is_given, test_create__refused_credentials_are_renewed,
        test_create__credentials_that_stay_refused, test_create__refuses_a_bad_name,
        test_create__only_what_was_selected, test_create__refuses_a_selection_that_matches_nothing,
        test_create__refuses_a_bad_selection, test_create__refuses_a_bad_setting,
        test_dry_run__counts_and_writes_nothing, test_dry_run__is_tried_again_and_fails_cleanly,
        test_create__calls_of_the_source_are_tried_again,
        test_create__first_contact_is_not_tried_again, test_create__every_way_of_proving,
        test_create__without_items_holds_the_documents, test_create__empty_source,
        test_create__name_is_taken, test_create__foreign_backup_is_never_touched,
        test_create__nothing_to_resume, test_create__replaces, test_create__full_storage,
        test_create__newer_record_is_never_touched, test_create__failed_unit_names_itself,
        test_resume__copies_nothing_twice, test_resume__copies_again_what_changed,
        test_create__live_writer_is_respected, test_create__looks_again_under_the_lease,
        test_create__replaces_only_what_it_saw, test_create__lease_lost_before_it_has_begun,
        test_create__refused_when_it_does_not_fit,
        test_create__estimate_is_not_added_to_the_result);
}
