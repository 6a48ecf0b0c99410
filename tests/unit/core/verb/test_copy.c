/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/copy, copy_open and copy_items: whole copies of backups of ours, what is refused before
 * anything is written, and damage of the original.
 */
#include <stdatomic.h>
#include <unistd.h>

#include "core/catalog/lease.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_copy_verb_params params;
static GError *error;
static atomic_uint copies, links; /* asked of the plugin */

static void
setup(void)
{
    verb_setup();
    verb_seed_backup();
    params = (bp_copy_verb_params){.name = "b", .to = "other"};
    error = NULL;
    atomic_store(&copies, 0);
    atomic_store(&links, 0);
}

static void
copy_fine(void)
{
    bp_verb_outcome outcome = verb_copy(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_str_eq(bp_json_text(verb_result, "state", "success"), "success");
}

static void
refused(int cls, const char *message)
{
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, cls, message);
}

/* The verbs that follow look at the copies. */
static void
look_at_copies(void)
{
    verb_configure(", databases: true", "other");
}

static void
copy_is_whole(guint64 items)
{
    look_at_copies();
    ASSERT_FINE(verb_list(NULL, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("backups"), 1);
    ck_assert_str_eq(verb_item("backups", 0, "status"), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), items);
    ck_assert_uint_eq(verb_number("compared"), items);
    ck_assert_uint_eq(verb_number("unexpected"), 0);
}

static json_t *
manifest_of(const char *storage)
{
    g_autofree char *path = g_strdup_printf("%s/b/bakplane/manifest.json", storage);
    g_autofree char *text = verb_read(path);
    json_t *manifest = bp_json_parse(text, strlen(text), path, &error);
    ASSERT_FINE(manifest != NULL, error);
    return manifest;
}

START_TEST(test_copy__the_same_backup_elsewhere)
{
    copy_fine();
    ck_assert_str_eq(bp_json_text(verb_result, "job", ""), "copy");
    ck_assert_str_eq(bp_json_text(verb_result, "name", ""), "b");
    ck_assert_str_eq(bp_json_text(verb_result, "from", ""), "backups");
    ck_assert_str_eq(bp_json_text(verb_result, "to", ""), "other");
    ck_assert(json_is_false(json_object_get(verb_result, "foreign")));
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("bytes"), 15);
    ck_assert_uint_eq(verb_length("units"), 3);
    ck_assert(!verb_exists("other/b/bakplane/lease.json"));
    ck_assert_uint_eq(verb_count("other/b/bakplane/journal"), 0);
    ck_assert_uint_eq(verb_count("other"), 4 + 1 + 2); /* items, document, manifest, items file */
    ck_assert(!verb_exists("backups/b/bakplane/lease.json"));
    copy_is_whole(4);
}
END_TEST

START_TEST(test_copy__same_record)
{
    copy_fine();
    g_autoptr(json_t) original = manifest_of("backups");
    g_autoptr(json_t) copy = manifest_of("other");
    json_object_del(original, "item_files"); /* in order of proof */
    json_object_del(copy, "item_files");
    ck_assert(json_equal(original, copy));
}
END_TEST

static gint
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lines of an items file, sorted. */
static char *
records_of(const char *storage)
{
    g_autofree char *path = g_strdup_printf("%s/b/bakplane/items-1.jsonl", storage);
    g_autofree char *text = verb_read(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    for (gsize i = 0; lines[i] != NULL; i++) {
        g_ptr_array_add(sorted, lines[i]);
    }
    g_ptr_array_sort(sorted, by_text);
    g_ptr_array_add(sorted, NULL);
    return g_strjoinv("\n", (char **)sorted->pdata);
}

START_TEST(test_copy__records_keep_checksum_and_version_tag)
{
    copy_fine();
    g_autofree char *original = records_of("backups");
    g_autofree char *copy = records_of("other");
    ck_assert_str_eq(original, copy);
    ck_assert_ptr_nonnull(strstr(copy, "\"c\":\"xxh3-128:"));
    ck_assert_ptr_nonnull(strstr(copy, "\"e\":\""));
}
END_TEST

START_TEST(test_copy__records_gain_a_checksum)
{
    static const char *const overrides[] = {"prove=size", NULL};
    bp_create_params create = {.name = "b", .replace = true, .overrides = overrides};
    ASSERT_FINE(verb_create(&create, &error) == BP_VERB_OK, error);
    copy_fine();
    copy_is_whole(4);
    ck_assert_uint_eq(verb_number("sealed"), 0);
}
END_TEST

START_TEST(test_copy__every_way_of_proving)
{
    static const char *const ways[] = {"prove=size", "prove=stream", "prove=read"};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        const char *const overrides[] = {ways[i], "concurrency.copies=1", NULL};
        params.overrides = overrides;
        params.replace = i > 0;
        copy_fine();
    }
    copy_is_whole(4);
}
END_TEST

START_TEST(test_copy__original_is_only_read)
{
    verb_faults("storage.write_open:backups:class=denied;storage.remove*:backups:class=denied");
    copy_fine();
    copy_is_whole(4);
}
END_TEST

START_TEST(test_copy__from_another_storage_back)
{
    copy_fine();
    bp_verb_outcome outcome = verb_delete("b", false, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    params = (bp_copy_verb_params){.name = "b", .from = "other", .to = "backups"};
    copy_fine();
    ck_assert_str_eq(bp_json_text(verb_result, "from", ""), "other");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("compared"), 4);
}
END_TEST

START_TEST(test_copy__can_be_restored)
{
    copy_fine();
    look_at_copies();
    bp_restore_params restore = {.name = "b", .select.children = "books"};
    ASSERT_FINE(verb_restore(&restore, &error) == BP_VERB_OK, error);
    ck_assert(verb_exists("data/restored/default/books/2"));
}
END_TEST

static bp_status
count_links(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
            struct bp_object_meta *out, struct bp_error *raw)
{
    atomic_fetch_add(&copies, 1);
    atomic_fetch_add(&links, (args->flags & BP_COPY_MAY_LINK) != 0);
    return verb_honest_store.copy(storage, op, args, out, raw);
}

static void
spoil_links(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->copy = count_links;
}

/* Not even where the storage is set to: damage of one would be damage of both. */
START_TEST(test_copy__is_never_a_link)
{
    verb_spoil = spoil_links;
    copy_fine();
    ck_assert_uint_eq(atomic_load(&copies), 4 + 1);
    ck_assert_uint_eq(atomic_load(&links), 0);
}
END_TEST

START_TEST(test_copy__backup_without_items)
{
    bp_create_params create = {.name = "b", .replace = true, .without_items = true};
    ASSERT_FINE(verb_create(&create, &error) == BP_VERB_OK, error);
    copy_fine();
    copy_is_whole(0);
}
END_TEST

START_TEST(test_dry_run__says_how_much_and_writes_nothing)
{
    params.dry_run = true;
    copy_fine();
    ck_assert(json_is_true(json_object_get(verb_result, "dry_run")));
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("bytes"), 15);
    ck_assert_ptr_null(json_object_get(verb_result, "state"));
    ck_assert_uint_eq(verb_count("other"), 0);
}
END_TEST

START_TEST(test_copy__refuses_the_same_place)
{
    for (int dry = 0; dry < 2; dry++) {
        params.to = "backups";
        params.replace = true;
        params.dry_run = dry == 1;
        refused(BP_ERR_INVALID, "storages 'backups' and 'backups' are one place");
    }
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

/* Another path to the same folder: what the plugin says of itself differs. */
START_TEST(test_copy__refuses_the_same_place_by_another_name)
{
    g_autofree char *link = g_build_filename(verb_root, "other", NULL);
    ck_assert_int_eq(symlink("backups", link), 0);
    params.replace = true;
    refused(BP_ERR_INVALID, "storages 'backups' and 'other' are one place");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

/* "" is what a storage says that does not know, and none is like another. */
START_TEST(test_copy__unknown_identities_are_not_alike)
{
    verb_spoil = verb_spoil_identities;
    copy_fine();
    copy_is_whole(4);
}
END_TEST

START_TEST(test_copy__unknown_identities_of_one_place)
{
    g_autofree char *link = g_build_filename(verb_root, "other", NULL);
    ck_assert_int_eq(symlink("backups", link), 0);
    verb_spoil = verb_spoil_identities;
    params.replace = true;
    refused(BP_ERR_INVALID, "storages 'backups' and 'other' are one place");
}
END_TEST

START_TEST(test_copy__refuses_a_storage_that_is_not_configured)
{
    params.to = "backup";
    refused(BP_ERR_INVALID, "there is no storage 'backup' in the configuration\nhint: did you mean "
                            "'backups'?");
    params = (bp_copy_verb_params){.name = "b", .from = "tape", .to = "other"};
    refused(BP_ERR_INVALID, "there is no storage 'tape'");
}
END_TEST

START_TEST(test_copy__refuses_what_is_not_finished)
{
    bp_create_params create = {.name = "half"};
    verb_faults("create.sealed::class=permanent");
    ck_assert_int_eq(verb_create(&create, NULL), BP_VERB_FAILED);
    verb_faults("");
    params.name = "half";
    refused(BP_ERR_PERMANENT, "backup half cannot be used, it is failed");
    params.name = "none";
    refused(BP_ERR_NOT_FOUND, "there is no backup \"none\" on storage backups");
    ck_assert_uint_eq(verb_count("other"), 0);
}
END_TEST

static void
set_state(const char *state)
{
    g_autoptr(json_t) manifest = manifest_of("backups");
    json_object_set_new(manifest, "state", json_string(state));
    g_autofree char *text = bp_json_pretty(manifest);
    verb_write("backups/b/bakplane/manifest.json", text);
}

START_TEST(test_copy__says_what_to_do_with_an_unfinished_one)
{
    set_state("deleting");
    refused(BP_ERR_PERMANENT, "hint: finish that with: bakplane delete -n b");
    set_state("running");
    refused(BP_ERR_PERMANENT, "hint: finish it with: bakplane create -n b --resume, or delete it");
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
    refused(BP_ERR_PERMANENT, "hint: wait until it is finished");
    bp_lease_free(lease);
    verb_close(&verb);
    look_at_copies();
    params = (bp_copy_verb_params){.name = "b", .from = "backups", .to = "other"};
    set_state("deleting");
    refused(BP_ERR_PERMANENT, "bakplane delete -n b --set backup.storage=backups");
}
END_TEST

START_TEST(test_copy__name_is_taken)
{
    copy_fine();
    refused(BP_ERR_EXISTS, "backup already exists with the name b (success)\nhint: choose another");
    params.resume = true;
    refused(BP_ERR_EXISTS, "backup already exists with the name b (success)");
    params.resume = false;
    params.replace = true;
    verb_write("other/b/items/stray", "from earlier");
    copy_fine();
    copy_is_whole(4);
}
END_TEST

START_TEST(test_copy__foreign_backup_at_the_target_is_never_touched)
{
    verb_write("other/b/meta/files.json", "{}");
    params.replace = true;
    refused(BP_ERR_EXISTS, "backups of other tools are never changed");
    params.replace = false;
    params.resume = true;
    refused(BP_ERR_EXISTS, "backups of other tools are never changed");
    ck_assert_uint_eq(verb_count("other"), 1);
}
END_TEST

START_TEST(test_copy__nothing_to_resume)
{
    params.resume = true;
    refused(BP_ERR_NOT_FOUND, "there is no backup b to resume");
}
END_TEST

START_TEST(test_copy__target_that_cannot_be_written)
{
    verb_faults("storage.probe:other:class=denied");
    refused(BP_ERR_DENIED, "injected");
    verb_faults("");
    ck_assert_uint_eq(verb_count("other"), 0);
}
END_TEST

static bp_status
little_space(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
             struct bp_error *raw)
{
    (void)storage;
    (void)op;
    (void)raw;
    out->total = 1000;
    out->available = 14;
    return BP_OK;
}

static void
spoil_space(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->space = little_space;
}

START_TEST(test_copy__refused_when_it_does_not_fit)
{
    verb_spoil = spoil_space;
    refused(BP_ERR_NO_SPACE, "the copy needs ");
    ck_assert(!verb_exists("other/b/bakplane/manifest.json"));
    params.dry_run = true;
    refused(BP_ERR_NO_SPACE, "storage 'other' has 14 B left");
}
END_TEST

static const char *
status_at_target(void)
{
    g_autoptr(GError) failed = NULL;
    look_at_copies();
    ASSERT_FINE(verb_list(NULL, &failed) == BP_VERB_OK, failed);
    ck_assert_uint_eq(verb_length("backups"), 1);
    verb_configure(", databases: true", "backups");
    return verb_item("backups", 0, "status");
}

START_TEST(test_damage__altered_object_is_named)
{
    verb_write("backups/b/items/default/books/2", "secund");
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "hint: bakplane verify -n b --deep tells"));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "object b/items/default/books/2: its xxh3-128 is ");
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "failed");
    ck_assert_str_eq(status_at_target(), "failed");
    ck_assert(!verb_exists("other/b/items/default/books/2"));
    ck_assert(!verb_exists("other/b/meta/files.json"));
    verb_write("backups/b/items/default/books/2", "second");
    params.resume = true;
    copy_fine();
    copy_is_whole(4);
}
END_TEST

START_TEST(test_damage__object_of_another_size_is_named)
{
    verb_write("backups/b/items/default/books/2", "sec");
    refused(BP_ERR_CORRUPT, "source object b/items/default/books/2 has 3 bytes, it was named with");
    ck_assert_str_eq(status_at_target(), "failed");
}
END_TEST

START_TEST(test_damage__missing_object_is_named)
{
    verb_remove("backups/b/items/default/books/2");
    refused(BP_ERR_CORRUPT, "backup b on storage 'backups' is damaged: items/default/books/2 is "
                            "missing (1 objects");
    ck_assert_str_eq(status_at_target(), "failed");
}
END_TEST

START_TEST(test_damage__document_is_found_before_anything)
{
    verb_write("backups/b/meta/files.json", "{}");
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "meta/files.json"));
    g_clear_error(&error);
    ck_assert_uint_eq(verb_count("other"), 0);
}
END_TEST

START_TEST(test_damage__reading_is_tried_again)
{
    verb_faults(
        "storage.copy:other:nth=1:class=retryable;storage.list:other:nth=4:class=retryable");
    copy_fine();
    copy_is_whole(4);
}
END_TEST

/* The original goes when its first object is about to be copied. */
static const char *other_verb;

static bp_status
copy_after_a_change(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_copy_args *args, struct bp_object_meta *out,
                    struct bp_error *raw)
{
    if (verb_spoil != NULL) {
        g_autoptr(GError) failed = NULL;
        verb_spoil = NULL;
        if (g_str_equal(other_verb, "delete")) {
            ASSERT_FINE(verb_delete("b", false, &failed) == BP_VERB_OK, failed);
        } else {
            bp_create_params create = {.name = "b", .replace = true, .select.filter = "shop."};
            ASSERT_FINE(verb_create(&create, &failed) == BP_VERB_OK, failed);
        }
    }
    return verb_honest_store.copy(storage, op, args, out, raw);
}

static void
spoil_copy(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->copy = copy_after_a_change;
}

START_TEST(test_copy__original_that_vanishes)
{
    static const char *const overrides[] = {"concurrency.copies=1", NULL};
    params.overrides = overrides;
    other_verb = "delete";
    verb_spoil = spoil_copy;
    refused(BP_ERR_STALE, "backup b on storage 'backups' was deleted while it was copied");
    ck_assert_str_eq(status_at_target(), "failed");
    verb_seed_backup();
    other_verb = "replace";
    verb_spoil = spoil_copy;
    params.replace = true;
    refused(BP_ERR_STALE, "backup b on storage 'backups' was replaced while it was copied");
}
END_TEST

START_TEST(test_copy__cancelled)
{
    bp_cancel_trigger(verb_cancel, 2);
    refused(BP_ERR_CANCELLED, "");
    ck_assert(!verb_exists("other/b/bakplane/manifest.json"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/copy", setup, verb_teardown, test_copy__the_same_backup_elsewhere,
        test_copy__same_record, test_copy__records_keep_checksum_and_version_tag,
        test_copy__records_gain_a_checksum, test_copy__every_way_of_proving,
        test_copy__original_is_only_read, test_copy__from_another_storage_back,
        test_copy__can_be_restored, test_copy__is_never_a_link, test_copy__backup_without_items,
        test_dry_run__says_how_much_and_writes_nothing, test_copy__refuses_the_same_place,
        test_copy__refuses_the_same_place_by_another_name,
        test_copy__unknown_identities_are_not_alike, test_copy__unknown_identities_of_one_place,
        test_copy__refuses_a_storage_that_is_not_configured,
        test_copy__refuses_what_is_not_finished, test_copy__says_what_to_do_with_an_unfinished_one,
        test_copy__name_is_taken, test_copy__foreign_backup_at_the_target_is_never_touched,
        test_copy__nothing_to_resume, test_copy__target_that_cannot_be_written,
        test_copy__refused_when_it_does_not_fit, test_damage__altered_object_is_named,
        test_damage__object_of_another_size_is_named, test_damage__missing_object_is_named,
        test_damage__document_is_found_before_anything, test_damage__reading_is_tried_again,
        test_copy__original_that_vanishes, test_copy__cancelled);
}
