/* SPDX-License-Identifier: Apache-2.0
 *
 * core/job/list, remove, view and entry_json: what is shown of backups, also of other tools' and
 * of broken ones; deleting and pruning.
 */
#include "core/job/view.h"
#include "tests/unit/core/job/job_fixture.h"

static GError *error;

static void
setup(void)
{
    job_setup();
    error = NULL;
}

static void
create_backup(const char *name)
{
    bp_create_params params = {.name = name};
    ASSERT_FINE(job_create(&params, &error) == BP_VERB_OK, error);
}

static void
list_is(const char *wanted)
{
    ASSERT_FINE(job_list(NULL, &error) == BP_VERB_OK, error);
    g_autoptr(GString) text = g_string_new(NULL);
    for (gsize i = 0; i < job_length("backups"); i++) {
        g_string_append_printf(text, "%s=%s ", job_item("backups", i, "name"),
                               job_item("backups", i, "status"));
    }
    ck_assert_str_eq(text->str, wanted);
}

START_TEST(test_list__nothing)
{
    list_is("");
}
END_TEST

START_TEST(test_list__every_state)
{
    job_seed();
    create_backup("whole");
    create_backup("gone");
    job_remove("backups/gone/meta/files.json");
    bp_create_params params = {.name = "failed"};
    job_faults("create.sealed::class=permanent");
    ck_assert_int_eq(job_create(&params, NULL), BP_VERB_FAILED);
    job_faults("");
    job_write("backups/theirs/meta/files.json", "{}");
    job_write("backups/broken/bakplane/manifest.json", "{");
    job_write("backups/newer/bakplane/manifest.json", "{\"version\": 99}");
    job_write("backups/loose", "a file beside the backups");
    ASSERT_FINE(job_delete("whole", false, &error) == BP_VERB_OK, error);
    list_is("broken=incomplete failed=failed gone=incomplete newer=failed theirs=foreign ");
    ck_assert_ptr_nonnull(strstr(job_item("backups", 3, "problem"), "version 99"));
    ck_assert(json_is_true(
        json_object_get(json_array_get(json_object_get(job_result, "backups"), 4), "foreign")));
}
END_TEST

START_TEST(test_list__those_that_hold_a_unit)
{
    job_seed();
    bp_create_params params = {.name = "films_only", .select.filter = "films"};
    ASSERT_FINE(job_create(&params, &error) == BP_VERB_OK, error);
    create_backup("all");
    job_write("backups/theirs/meta/files.json", "{}"); /* cannot be read: holds nothing */
    ASSERT_FINE(job_list("shop.books", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 1);
    ck_assert_str_eq(job_item("backups", 0, "name"), "all");
    ASSERT_FINE(job_list("films", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 2);
    ck_assert_int_eq(job_list("a.*", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "'a.*' is no valid term");
}
END_TEST

static bp_status
cancelling_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
                const struct bp_list_sink *sink, struct bp_error *raw)
{
    bp_status status = job_honest_store.list(storage, op, args, sink, raw);
    bp_cancel_trigger(job_cancel, 2);
    return status;
}

static void
spoil_list(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->list = cancelling_list;
}

START_TEST(test_list__cancelled_is_no_short_list)
{
    job_seed();
    create_backup("b");
    job_spoil = spoil_list;
    ck_assert_int_eq(job_list("films", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
}
END_TEST

START_TEST(test_list__unreadable_backup_is_named)
{
    job_seed();
    create_backup("b");
    g_autofree char *text = job_read("backups/b/meta/files.json");
    *strchr(text, 'b') = 'x';
    job_write("backups/b/meta/files.json", text);
    ASSERT_FINE(job_list("films", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 0);
    ck_assert(job_noted("list"));
}
END_TEST

START_TEST(test_list__unreadable_storage)
{
    job_faults("storage.list:backups:class=denied");
    ck_assert_int_eq(job_list(NULL, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_DENIED, "injected");
}
END_TEST

START_TEST(test_get__facts_and_units)
{
    job_seed_backup();
    ASSERT_FINE(job_get("b", false, &error) == BP_VERB_OK, error);
    ck_assert_str_eq(bp_json_text(job_result, "status", ""), "success");
    ck_assert_str_eq(bp_json_text(job_result, "source", ""), "files");
    ck_assert_uint_eq(job_number("items"), 4);
    ck_assert_ptr_null(json_object_get(job_result, "units"));
    ASSERT_FINE(job_get("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("units"), 5);
    ck_assert_uint_eq(job_length("documents"), 1);
    ck_assert_str_eq(job_item("units", 1, "parent"), "default");
    ck_assert_str_eq(job_item("units", 1, "name"), "books");
    ck_assert_str_eq(job_item("units", 1, "note"), "objects listed");
}
END_TEST

START_TEST(test_get__unknown)
{
    job_seed_backup();
    ck_assert_int_eq(job_get("bb", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "hint: did you mean \"b\"?");
}
END_TEST

START_TEST(test_get__foreign_that_cannot_be_read)
{
    job_write("backups/theirs/meta/files.json", "{}");
    ck_assert_int_eq(job_get("theirs", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "plugin 'files' cannot read");
}
END_TEST

START_TEST(test_get__units_that_cannot_be_read_now)
{
    job_seed_backup();
    job_faults("storage.read_open:backups:from=2:class=denied");
    ck_assert_int_eq(job_get("b", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_DENIED, "injected");
}
END_TEST

/* A source that knows what "theirs" holds: one unit, two items. */
static bp_status
adopt(struct bp_source *source, const struct bp_op *op, const char *ref,
      const struct bp_adopt_sink *sink, struct bp_adopt_info *info, struct bp_error *raw)
{
    (void)source;
    (void)op;
    struct bp_unit parent = {
        .struct_size = sizeof parent, .id = "1", .kind = "database", .name = "default"};
    struct bp_unit unit = {
        .struct_size = sizeof unit, .id = "2", .parent = "1", .kind = "directory", .name = "books"};
    struct bp_item item = {.struct_size = sizeof item, .id = "i", .key = "items/x", .size = 3};
    struct bp_item other = {.struct_size = sizeof other, .id = "j", .key = "items/y", .size = 4};
    struct bp_proof proof = {
        .struct_size = sizeof proof, .low = 1, .high = 2, .found = 2, .note = "told"};
    ck_assert_str_eq(ref, BP_BACKUP_REF);
    g_strlcpy(info->writer, "another tool 1.0", sizeof info->writer);
    g_strlcpy(info->server_version, "2.0", sizeof info->server_version);
    if (sink->unit(sink->ctx, &parent) != 0 || sink->unit(sink->ctx, &unit) != 0 ||
        sink->item(sink->ctx, "2", &item) != 0 || sink->item(sink->ctx, "2", &other) != 0 ||
        sink->proof(sink->ctx, "2", &proof) != 0) {
        raw->cls = BP_ERR_CANCELLED;
        g_strlcpy(raw->message, "stopped", sizeof raw->message);
        return BP_ERR_CANCELLED;
    }
    return BP_OK;
}

static void
spoil_adopt(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->adopt = adopt;
}

static void
write_foreign(void)
{
    job_spoil = spoil_adopt;
    job_write("backups/theirs/meta/files.json", "{}");
    job_write("backups/theirs/items/x", "abc");
    job_write("backups/theirs/items/y", "abcd");
}

START_TEST(test_view__foreign_backup)
{
    write_foreign();
    ASSERT_FINE(job_get("theirs", true, &error) == BP_VERB_OK, error);
    ck_assert_str_eq(bp_json_text(job_result, "status", ""), "foreign");
    ck_assert_str_eq(bp_json_text(job_result, "server_version", ""), "2.0");
    ck_assert_uint_eq(job_number("items"), 2);
    ck_assert_uint_eq(job_number("bytes"), 7);
    ck_assert_str_eq(job_item("units", 1, "note"), "told");
    ASSERT_FINE(job_list("books", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 1);
}
END_TEST

START_TEST(test_view__foreign_backup_is_verified)
{
    write_foreign();
    ASSERT_FINE(job_verify("theirs", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_number("by_size"), 2);
    ASSERT_FINE(job_verify("theirs", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_number("sealed"), 0); /* there is no record of ours to seal it in */
    ck_assert_uint_eq(job_number("by_size"), 2);
    job_write("backups/theirs/items/x", "a");
    job_remove("backups/theirs/items/y");
    job_write("backups/theirs/items/z", "new");
    ASSERT_FINE(job_verify("theirs", false, &error) == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(job_number("truncated"), 1);
    ck_assert_uint_eq(job_number("missing"), 1);
    ck_assert_uint_eq(job_number("unexpected"), 1);
    ck_assert_uint_eq(job_count("backups"), 3);
}
END_TEST

START_TEST(test_view__foreign_backup_that_is_damaged_is_not_restored)
{
    write_foreign();
    job_remove("backups/theirs/items/y");
    bp_restore_params params = {.name = "theirs"};
    ck_assert_int_eq(job_restore(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "backup theirs is damaged: 1 missing");
}
END_TEST

START_TEST(test_delete__all_of_it)
{
    job_seed_backup();
    create_backup("c");
    ASSERT_FINE(job_delete("b", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_count("backups/b"), 0);
    list_is("c=success ");
    ck_assert_int_eq(job_delete("b", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no backup \"b\"");
}
END_TEST

START_TEST(test_delete__again_after_a_failure)
{
    job_seed_backup();
    job_faults("catalog.remove_manifest.before::class=permanent");
    ck_assert_int_eq(job_delete("b", false, &error), BP_VERB_FAILED);
    job_faults("");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "injected");
    list_is("b=deleting ");
    bp_create_params params = {.name = "b", .replace = true};
    ck_assert_int_eq(job_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup b is half deleted\nhint: ");
    bp_restore_params restore = {.name = "b"};
    ck_assert_int_eq(job_restore(&restore, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "it is deleting");
    ASSERT_FINE(job_delete("b", false, &error) == BP_VERB_OK, error);
    list_is("");
}
END_TEST

START_TEST(test_prune__needs_a_rule)
{
    bp_prune_params params = {.dry_run = true};
    ck_assert_int_eq(job_prune(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "prune needs a rule\nhint: --keep-last");
}
END_TEST

START_TEST(test_prune__keeps_the_newest)
{
    job_seed_backup();
    create_backup("c");
    create_backup("d");
    bp_prune_params params = {.keep_last = 1, .dry_run = true};
    ASSERT_FINE(job_prune(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 2);
    list_is("b=success c=success d=success ");
    params.dry_run = false;
    ASSERT_FINE(job_prune(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 2);
    list_is("d=success ");
}
END_TEST

START_TEST(test_prune__one_that_fails_stops_no_other)
{
    job_seed_backup();
    create_backup("c");
    create_backup("d");
    job_faults("catalog.remove_manifest.before::nth=1:class=permanent");
    bp_prune_params params = {.keep_last = 1};
    ck_assert_int_eq(job_prune(&params, &error), BP_VERB_FAILED);
    job_faults("");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "1 of 2 backups could not be deleted");
    ck_assert(job_noted("prune"));
    ck_assert_uint_eq(job_length("backups"), 2);
    ASSERT_FINE(job_list(NULL, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(job_length("backups"), 2);
}
END_TEST

START_TEST(test_prune__cancelled_deletes_no_more)
{
    job_seed_backup();
    create_backup("c");
    job_spoil = spoil_list;
    bp_prune_params params = {.keep_last = 1};
    ck_assert_int_eq(job_prune(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
    bp_cancel_free(job_cancel);
    job_cancel = bp_cancel_new();
    job_spoil = NULL;
    list_is("b=success c=success ");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "job/list+remove+view", setup, job_teardown, test_list__nothing, test_list__every_state,
        test_list__those_that_hold_a_unit, test_list__cancelled_is_no_short_list,
        test_list__unreadable_backup_is_named, test_list__unreadable_storage,
        test_get__facts_and_units, test_get__unknown, test_get__foreign_that_cannot_be_read,
        test_get__units_that_cannot_be_read_now, test_view__foreign_backup,
        test_view__foreign_backup_is_verified,
        test_view__foreign_backup_that_is_damaged_is_not_restored, test_delete__all_of_it,
        test_delete__again_after_a_failure, test_prune__needs_a_rule, test_prune__keeps_the_newest,
        test_prune__one_that_fails_stops_no_other, test_prune__cancelled_deletes_no_more);
}
