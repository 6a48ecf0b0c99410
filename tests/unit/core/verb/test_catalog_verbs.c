/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/list, remove, view and entry_json: what is shown of backups, also of other tools' and
 * of broken ones; deleting and pruning.
 */
#include "core/verb/view.h"
#include "tests/unit/core/verb/verb_fixture.h"

static GError *error;

static void
setup(void)
{
    verb_setup();
    error = NULL;
}

static void
create_backup(const char *name)
{
    bp_create_params params = {.name = name};
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
}

static void
list_is(const char *wanted)
{
    ASSERT_FINE(verb_list(NULL, &error) == BP_VERB_OK, error);
    g_autoptr(GString) text = g_string_new(NULL);
    for (gsize i = 0; i < verb_length("backups"); i++) {
        g_string_append_printf(text, "%s=%s ", verb_item("backups", i, "name"),
                               verb_item("backups", i, "status"));
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
    verb_seed();
    create_backup("whole");
    create_backup("gone");
    verb_remove("backups/gone/meta/files.json");
    bp_create_params params = {.name = "failed"};
    verb_faults("create.sealed::class=permanent");
    ck_assert_int_eq(verb_create(&params, NULL), BP_VERB_FAILED);
    verb_faults("");
    verb_write("backups/theirs/meta/files.json", "{}");
    verb_write("backups/broken/bakplane/manifest.json", "{");
    verb_write("backups/newer/bakplane/manifest.json", "{\"version\": 99}");
    verb_write("backups/loose", "a file beside the backups");
    ASSERT_FINE(verb_delete("whole", false, &error) == BP_VERB_OK, error);
    list_is("broken=incomplete failed=failed gone=incomplete newer=failed theirs=foreign ");
    ck_assert_ptr_nonnull(strstr(verb_item("backups", 3, "problem"), "version 99"));
    ck_assert(json_is_true(
        json_object_get(json_array_get(json_object_get(verb_result, "backups"), 4), "foreign")));
}
END_TEST

START_TEST(test_list__those_that_hold_a_unit)
{
    verb_seed();
    bp_create_params params = {.name = "films_only", .select.filter = "films"};
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    create_backup("all");
    verb_write("backups/theirs/meta/files.json", "{}"); /* cannot be read: holds nothing */
    ASSERT_FINE(verb_list("shop.books", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 1);
    ck_assert_str_eq(verb_item("backups", 0, "name"), "all");
    ASSERT_FINE(verb_list("films", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 2);
    ck_assert_int_eq(verb_list("a.*", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "'a.*' is no valid term");
}
END_TEST

static bp_status
cancelling_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
                const struct bp_list_sink *sink, struct bp_error *raw)
{
    bp_status status = verb_honest_store.list(storage, op, args, sink, raw);
    bp_cancel_trigger(verb_cancel, 2);
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
    verb_seed();
    create_backup("b");
    verb_spoil = spoil_list;
    ck_assert_int_eq(verb_list("films", &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
}
END_TEST

START_TEST(test_list__unreadable_backup_is_named)
{
    verb_seed();
    create_backup("b");
    g_autofree char *text = verb_read("backups/b/meta/files.json");
    *strchr(text, 'b') = 'x';
    verb_write("backups/b/meta/files.json", text);
    ASSERT_FINE(verb_list("films", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 0);
    ck_assert(verb_noted("list"));
}
END_TEST

START_TEST(test_list__unreadable_storage)
{
    verb_faults("storage.list:backups:class=denied");
    ck_assert_int_eq(verb_list(NULL, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_DENIED, "injected");
}
END_TEST

START_TEST(test_get__facts_and_units)
{
    verb_seed_backup();
    ASSERT_FINE(verb_get("b", false, &error) == BP_VERB_OK, error);
    ck_assert_str_eq(bp_json_text(verb_result, "status", ""), "success");
    ck_assert_str_eq(bp_json_text(verb_result, "source", ""), "files");
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_ptr_null(json_object_get(verb_result, "units"));
    ASSERT_FINE(verb_get("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("units"), 5);
    ck_assert_uint_eq(verb_length("documents"), 1);
    ck_assert_str_eq(verb_item("units", 1, "parent"), "default");
    ck_assert_str_eq(verb_item("units", 1, "name"), "books");
    ck_assert_str_eq(verb_item("units", 1, "note"), "objects listed");
}
END_TEST

START_TEST(test_get__unknown)
{
    verb_seed_backup();
    ck_assert_int_eq(verb_get("bb", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "hint: did you mean \"b\"?");
}
END_TEST

START_TEST(test_get__foreign_that_cannot_be_read)
{
    verb_write("backups/theirs/meta/files.json", "{}");
    ck_assert_int_eq(verb_get("theirs", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "plugin 'files' cannot read");
}
END_TEST

START_TEST(test_get__units_that_cannot_be_read_now)
{
    verb_seed_backup();
    verb_faults("storage.read_open:backups:from=2:class=denied");
    ck_assert_int_eq(verb_get("b", true, &error), BP_VERB_FAILED);
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
    verb_spoil = spoil_adopt;
    verb_write("backups/theirs/meta/files.json", "{}");
    verb_write("backups/theirs/items/x", "abc");
    verb_write("backups/theirs/items/y", "abcd");
}

START_TEST(test_view__foreign_backup)
{
    write_foreign();
    ASSERT_FINE(verb_get("theirs", true, &error) == BP_VERB_OK, error);
    ck_assert_str_eq(bp_json_text(verb_result, "status", ""), "foreign");
    ck_assert_str_eq(bp_json_text(verb_result, "server_version", ""), "2.0");
    ck_assert_uint_eq(verb_number("items"), 2);
    ck_assert_uint_eq(verb_number("bytes"), 7);
    ck_assert_str_eq(verb_item("units", 1, "note"), "told");
    ASSERT_FINE(verb_list("books", &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 1);
}
END_TEST

START_TEST(test_view__foreign_backup_is_verified)
{
    write_foreign();
    ASSERT_FINE(verb_verify("theirs", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("by_size"), 2);
    ASSERT_FINE(verb_verify("theirs", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("sealed"), 0); /* there is no record of ours to seal it in */
    ck_assert_uint_eq(verb_number("by_size"), 2);
    verb_write("backups/theirs/items/x", "a");
    verb_remove("backups/theirs/items/y");
    verb_write("backups/theirs/items/z", "new");
    ASSERT_FINE(verb_verify("theirs", false, &error) == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(verb_number("truncated"), 1);
    ck_assert_uint_eq(verb_number("missing"), 1);
    ck_assert_uint_eq(verb_number("unexpected"), 1);
    ck_assert_uint_eq(verb_count("backups"), 3);
}
END_TEST

START_TEST(test_view__foreign_backup_that_is_damaged_is_not_restored)
{
    write_foreign();
    verb_remove("backups/theirs/items/y");
    bp_restore_params params = {.name = "theirs"};
    ck_assert_int_eq(verb_restore(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "backup theirs is damaged: 1 missing");
}
END_TEST

START_TEST(test_delete__all_of_it)
{
    verb_seed_backup();
    create_backup("c");
    ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_count("backups/b"), 0);
    list_is("c=success ");
    ck_assert_int_eq(verb_delete("b", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no backup \"b\"");
}
END_TEST

START_TEST(test_delete__again_after_a_failure)
{
    verb_seed_backup();
    verb_faults("catalog.remove_manifest.before::class=permanent");
    ck_assert_int_eq(verb_delete("b", false, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "injected");
    list_is("b=deleting ");
    bp_create_params params = {.name = "b", .replace = true};
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup b is half deleted\nhint: ");
    bp_restore_params restore = {.name = "b"};
    ck_assert_int_eq(verb_restore(&restore, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "it is deleting");
    ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    list_is("");
}
END_TEST

START_TEST(test_prune__needs_a_rule)
{
    bp_prune_params params = {.dry_run = true};
    ck_assert_int_eq(verb_prune(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "prune needs a rule\nhint: --keep-last");
}
END_TEST

START_TEST(test_prune__keeps_the_newest)
{
    verb_seed_backup();
    create_backup("c");
    create_backup("d");
    bp_prune_params params = {.keep_last = 1, .dry_run = true};
    ASSERT_FINE(verb_prune(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 2);
    list_is("b=success c=success d=success ");
    params.dry_run = false;
    ASSERT_FINE(verb_prune(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 2);
    list_is("d=success ");
}
END_TEST

START_TEST(test_prune__one_that_fails_stops_no_other)
{
    verb_seed_backup();
    create_backup("c");
    create_backup("d");
    verb_faults("catalog.remove_manifest.before::nth=1:class=permanent");
    bp_prune_params params = {.keep_last = 1};
    ck_assert_int_eq(verb_prune(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "1 of 2 backups could not be deleted");
    ck_assert(verb_noted("prune"));
    ck_assert_uint_eq(verb_length("backups"), 2);
    ASSERT_FINE(verb_list(NULL, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 2);
}
END_TEST

static bp_status
remove_while_another_prunes(struct bp_storage *storage, const struct bp_op *op, const char *key,
                            const char *if_match, struct bp_error *raw)
{
    if (g_str_has_prefix(key, "b/meta/")) {
        verb_remove("backups/c");
    }
    return verb_honest_store.remove(storage, op, key, if_match, raw);
}

static void
spoil_remove(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->remove = remove_while_another_prunes;
}

START_TEST(test_prune__one_that_another_deleted_is_no_failure)
{
    verb_seed_backup();
    create_backup("c");
    create_backup("d");
    verb_spoil = spoil_remove;
    bp_prune_params params = {.keep_last = 1};
    ASSERT_FINE(verb_prune(&params, &error) == BP_VERB_OK, error);
    verb_spoil = NULL;
    ck_assert(verb_noted("prune"));
    ck_assert_uint_eq(verb_length("backups"), 1);
    ck_assert_str_eq(verb_item("backups", 0, "name"), "b");
    list_is("d=success ");
}
END_TEST

START_TEST(test_prune__cancelled_deletes_no_more)
{
    verb_seed_backup();
    create_backup("c");
    verb_spoil = spoil_list;
    bp_prune_params params = {.keep_last = 1};
    ck_assert_int_eq(verb_prune(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
    bp_cancel_free(verb_cancel);
    verb_cancel = bp_cancel_new();
    verb_spoil = NULL;
    list_is("b=success c=success ");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/list+remove+view", setup, verb_teardown, test_list__nothing, test_list__every_state,
        test_list__those_that_hold_a_unit, test_list__cancelled_is_no_short_list,
        test_list__unreadable_backup_is_named, test_list__unreadable_storage,
        test_get__facts_and_units, test_get__unknown, test_get__foreign_that_cannot_be_read,
        test_get__units_that_cannot_be_read_now, test_view__foreign_backup,
        test_view__foreign_backup_is_verified,
        test_view__foreign_backup_that_is_damaged_is_not_restored, test_delete__all_of_it,
        test_delete__again_after_a_failure, test_prune__needs_a_rule, test_prune__keeps_the_newest,
        test_prune__one_that_fails_stops_no_other,
        test_prune__one_that_another_deleted_is_no_failure, test_prune__cancelled_deletes_no_more);
}
