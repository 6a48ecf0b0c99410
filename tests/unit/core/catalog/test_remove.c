/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/remove: what may be deleted, in which order, and what is refused.  Dying in the
 * middle is in test_order.c.
 */
#include "core/base/clock.h"
#include "core/catalog/catalog.h"
#include "tests/unit/core/catalog/fixture.h"

static void
set_text(const char *key, const char *text)
{
    fake_store_set_text(fix.store, key, text);
}

static void
create(const char *name)
{
    ASSERT_FINE(fixture_create(&fix.catalog, name, "run-1", false, &fix.error), fix.error);
}

static bool
remove_backup(const char *name, bool force)
{
    return bp_catalog_remove(&fix.catalog, name, force, NULL, NULL, &fix.error);
}

static void
note_key(void *ctx, const char *key)
{
    g_string_append_printf(ctx, "%s\n", key);
}

static void
note_progress(void *ctx, guint64 removed)
{
    ck_assert_uint_ge(removed, *(guint64 *)ctx);
    *(guint64 *)ctx = removed;
}

START_TEST(test_remove__documents_data_record_lease)
{
    create("b");
    g_autoptr(GString) seen = g_string_new(NULL);
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_REMOVE, .hook = note_key, .ctx = seen});
    guint64 removed = 0;
    ASSERT_FINE(bp_catalog_remove(&fix.catalog, "b", false, note_progress, &removed, &fix.error),
                fix.error);
    ck_assert_str_eq(seen->str, "b/meta/commit.json\n"
                                "b/meta/commit.json\n"
                                "b/meta/extra.json\n"
                                "b/meta/full.json\n"
                                "b/data/1/a\n"
                                "b/data/1/b\n"
                                "b/data/2/c\n"
                                "b/bakplane/items-1.jsonl\n"
                                "b/bakplane/manifest.json\n"
                                "b/bakplane/lease.json\n");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
    ck_assert_uint_eq(removed, 4); /* those that were listed */
}
END_TEST

START_TEST(test_remove__foreign_takes_its_whole_folder_of_documents_first)
{
    set_text("f/" COMMIT_DOCUMENT, "{}");
    set_text("f/meta/unknown.json", "{}");
    set_text("f/data/x", "x");
    g_autoptr(GString) seen = g_string_new(NULL);
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_REMOVE, .hook = note_key, .ctx = seen});
    ASSERT_FINE(remove_backup("f", false), fix.error);
    ck_assert_str_eq(seen->str, "f/meta/commit.json\n"
                                "f/meta/unknown.json\n"
                                "f/data/x\n"
                                "f/bakplane/manifest.json\n");
    /* Nothing was ever written into it. */
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_COMMIT), 0);
}
END_TEST

START_TEST(test_remove__only_this_directory)
{
    create("b_0");
    create("b_057");
    set_text("b_0x", "a file beside");
    guint before = fake_store_n_objects(fix.store);
    ASSERT_FINE(remove_backup("b_0", false), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), before - 8);
    g_autoptr(bp_backup_entry) other = bp_catalog_find(&fix.catalog, "b_057", &fix.error);
    ASSERT_FINE(other != NULL, fix.error);
    ck_assert_ptr_null(other->problem);
}
END_TEST

START_TEST(test_remove__nothing_there)
{
    create("b_057");
    ck_assert(!remove_backup("b_05", false));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "there is no backup \"b_05\" on storage backups");
    ck_assert(!remove_backup("", true));
    ASSERT_ERROR(fix.error, BP_ERR_INVALID, "is no name of a backup");
}
END_TEST

START_TEST(test_remove__unknown_directory_needs_force)
{
    set_text("files/x", "x");
    ck_assert(!remove_backup("files", false));
    ck_assert_ptr_nonnull(strstr(fix.error->message, "--force"));
    ASSERT_ERROR(fix.error, BP_ERR_INVALID, "\"files\" has neither a manifest nor");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
    ASSERT_FINE(remove_backup("files", true), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__held_by_a_living_writer)
{
    create("b");
    g_autofree char *text = fixture_lease_text("run-9", NULL, 0, BP_NS_PER_S);
    set_text("b/bakplane/lease.json", text);
    guint before = fake_store_n_objects(fix.store);
    ck_assert(!remove_backup("b", true)); /* not even by force */
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "b/bakplane/lease.json is held by create on host");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), before);
}
END_TEST

START_TEST(test_remove__newer_manifest_needs_force)
{
    create("b");
    set_text("b/bakplane/manifest.json", "{\"version\":2}");
    ck_assert(!remove_backup("b", false));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED, "has version 2, this bakplane reads up to 1");
    ASSERT_FINE(remove_backup("b", true), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__broken_manifest)
{
    create("b");
    set_text("b/bakplane/manifest.json", "[");
    ASSERT_FINE(remove_backup("b", false), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__claims_that_stayed_go_too)
{
    create("b");
    set_text("b/bakplane/lease-run-9.json", "{}");
    ASSERT_FINE(remove_backup("b", false), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__many_in_batches)
{
    for (guint i = 0; i < 2500; i++) {
        g_autofree char *key = g_strdup_printf("b/data/%u", i);
        set_text(key, "x");
    }
    guint64 removed = 0;
    ASSERT_FINE(bp_catalog_remove(&fix.catalog, "b", true, note_progress, &removed, &fix.error),
                fix.error);
    ck_assert_uint_eq(removed, 2500);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

/* What a listing does not show yet is found by its manifest. */
START_TEST(test_remove__storage_that_lists_late)
{
    create("b");
    fake_store_facts(fix.store)->caps &= ~BP_STORE_STRONG_LIST;
    fake_store_set_late(fix.store, 2);
    ASSERT_FINE(remove_backup("b", false), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__one_object_cannot_be_removed)
{
    create("b");
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_REMOVE,
                                                  .key = "b/data/1/b",
                                                  .cls = BP_ERR_DENIED,
                                                  .message = "held by law"});
    ck_assert(!remove_backup("b", false));
    ASSERT_ERROR(fix.error, BP_ERR_DENIED, "held by law");
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(entry != NULL, fix.error);
    ck_assert_int_eq(entry->state, BP_BACKUP_DELETING);
    ck_assert(entry->stale); /* its lease was given back */
}
END_TEST

START_TEST(test_remove__uploads_that_cannot_be_ended_are_no_obstacle)
{
    create("b");
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_UPLOADS_ABORT, .cls = BP_ERR_DENIED});
    ASSERT_FINE(remove_backup("b", false), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__full_storage)
{
    create("b");
    g_autofree char *stale = fixture_lease_text("run-9", NULL, G_MAXINT32, BP_NS_PER_S);
    set_text("b/bakplane/lease.json", stale);
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_NO_SPACE});
    ASSERT_FINE(remove_backup("b", false), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__full_storage_and_a_living_writer)
{
    create("b");
    g_autofree char *text = fixture_lease_text("run-9", "elsewhere", 1, BP_NS_PER_S);
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_NO_SPACE});
    set_text("b/bakplane/lease.json", text);
    guint before = fake_store_n_objects(fix.store);
    ck_assert(!remove_backup("b", false));
    ASSERT_ERROR(fix.error, BP_ERR_NO_SPACE, "injected");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), before);
}
END_TEST

static void
set_manifest(const char *run_id, bp_backup_state state)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(bp_manifest) manifest = bp_catalog_manifest(&fix.catalog, "b", &failed);
    ASSERT_FINE(manifest != NULL, failed);
    g_free(manifest->run_id);
    manifest->run_id = g_strdup(run_id);
    manifest->state = state;
    ASSERT_FINE(bp_catalog_save(&fix.catalog, manifest, &failed), failed);
}

static void
finish_another_run(void *ctx, const char *key G_GNUC_UNUSED)
{
    set_manifest(ctx, BP_BACKUP_SUCCESS);
}

/* While its lease is waited for, the other run gets to its end. */
static void
finish_before_the_lease(const char *run_id)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT,
                                                  .key = "b/bakplane/lease.json",
                                                  .times = 1,
                                                  .hook = finish_another_run,
                                                  .ctx = (void *)run_id});
    guint before = fake_store_n_objects(fix.store);
    ck_assert(!remove_backup("b", false));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "backup b was made anew by another run meanwhile");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), before);
    ASSERT_FINE(remove_backup("b", false), fix.error);
}

START_TEST(test_remove__what_replaced_it_before_the_lease_stays)
{
    create("b");
    finish_before_the_lease("run-2");
}
END_TEST

START_TEST(test_remove__what_was_finished_before_the_lease_stays)
{
    create("b");
    set_manifest("run-1", BP_BACKUP_RUNNING);
    finish_before_the_lease("run-1");
}
END_TEST

static bool
remove_listed(const bp_backup_entry *entry, bool *gone)
{
    return bp_catalog_remove_listed(&fix.catalog, entry, gone, &fix.error);
}

START_TEST(test_remove_listed__what_replaced_it_stays)
{
    bool gone = false;
    create("b");
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(&fix.catalog, "b", &fix.error);
    set_manifest("run-2", BP_BACKUP_SUCCESS);
    guint before = fake_store_n_objects(fix.store);
    ck_assert(!remove_listed(entry, &gone));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "backup b was made anew by another run meanwhile");
    ck_assert(!gone);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), before);
    set_manifest("run-1", BP_BACKUP_SUCCESS);
    ASSERT_FINE(remove_listed(entry, &gone), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
    ck_assert(!remove_listed(entry, &gone));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "there is no backup \"b\"");
    ck_assert(gone);
}
END_TEST

START_TEST(test_remove_listed__foreign)
{
    bool gone = false;
    set_text("f/" COMMIT_DOCUMENT, "{}");
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(&fix.catalog, "f", &fix.error);
    entry->finished_ns--; /* as if it were written again */
    ck_assert(!remove_listed(entry, &gone));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "backup f was made anew by another run meanwhile");
    entry->finished_ns++;
    ASSERT_FINE(remove_listed(entry, &gone), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

#define LATE_OBJECTS 500
#define RENEW_NS (5 * BP_NS_PER_MS)

/* Somebody else takes the lease while the first object goes. */
static void
take_lease_away(void *ctx, const char *key G_GNUC_UNUSED)
{
    g_autofree char *text = fixture_lease_text("run-9", "elsewhere", 1, BP_NS_PER_MS);
    set_text("b/bakplane/lease.json", text);
    *(bool *)ctx = true;
}

START_TEST(test_remove__stops_when_the_lease_is_lost)
{
    create("b");
    for (guint i = 0; i < LATE_OBJECTS; i++) {
        g_autofree char *key = g_strdup_printf("b/data/9/%u", i);
        set_text(key, "perhaps of the other run");
    }
    bool taken = false;
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_REMOVE,
                                                  .skip = 4, /* documents */
                                                  .times = 1,
                                                  .hook = take_lease_away,
                                                  .ctx = &taken,
                                                  .hangs = true}); /* until the loss is noticed */
    fix.catalog.renew_ns = RENEW_NS;
    ck_assert(!remove_backup("b", false));
    ASSERT_ERROR(fix.error, BP_ERR_STALE, "lease b/bakplane/lease.json was lost: somebody else");
    ck_assert(taken);
    ck_assert_uint_gt(fake_store_n_objects(fix.store), LATE_OBJECTS / 2);
    ck_assert(fake_store_has_text(fix.store, "b/data/9/99", "perhaps of the other run"));
}
END_TEST

START_TEST(test_remove__a_lost_lease_does_not_hide_the_first_error)
{
    create("b");
    bool taken = false;
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_REMOVE,
                                                  .skip = 4, /* documents */
                                                  .times = 1,
                                                  .hook = take_lease_away,
                                                  .ctx = &taken,
                                                  .hangs = true,
                                                  .cls = BP_ERR_DENIED});
    fix.catalog.renew_ns = RENEW_NS;
    ck_assert(!remove_backup("b", false));
    ck_assert(taken);
    ck_assert_ptr_nonnull(
        strstr(fix.error->message, "\nhint: lease b/bakplane/lease.json was lost: "));
    ASSERT_ERROR(fix.error, BP_ERR_DENIED, "injected");
}
END_TEST

START_TEST(test_clear__keeps_manifest_and_lease)
{
    create("b");
    set_text("b/bakplane/lease.json", "{}");
    set_text("b/bakplane/journal/run-1-000001.jsonl", "{\"version\":1}\n");
    ASSERT_FINE(bp_catalog_clear(&fix.catalog, "b", NULL, NULL, &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 2);
    ck_assert(fake_store_has_text(fix.store, "b/bakplane/lease.json", "{}"));
    g_autoptr(bp_manifest) manifest = bp_catalog_manifest(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(manifest != NULL, fix.error);
    ck_assert_int_eq(manifest->state, BP_BACKUP_DELETING);
}
END_TEST

START_TEST(test_clear__keeps_a_failed_state)
{
    g_autoptr(bp_manifest) manifest = fixture_manifest("b", "run-1");
    manifest->state = BP_BACKUP_FAILED;
    ASSERT_FINE(bp_catalog_save(&fix.catalog, manifest, &fix.error), fix.error);
    set_text("b/data/x", "x");
    ASSERT_FINE(bp_catalog_clear(&fix.catalog, "b", NULL, NULL, &fix.error), fix.error);
    g_autoptr(bp_manifest) back = bp_catalog_manifest(&fix.catalog, "b", &fix.error);
    ck_assert_int_eq(back->state, BP_BACKUP_FAILED);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
}
END_TEST

START_TEST(test_clear__nothing_there)
{
    ASSERT_FINE(bp_catalog_clear(&fix.catalog, "b", NULL, NULL, &fix.error), fix.error);
}
END_TEST

START_TEST(test_remove_record__leaves_what_is_not_ours)
{
    create("b");
    set_text("b/bakplane/journal/run-1-000001.jsonl", "{}");
    set_text("b/bakplane/lease.json", "{}");
    set_text("b_2/bakplane/manifest.json", "{}");
    g_autoptr(GString) seen = g_string_new(NULL);
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_REMOVE, .hook = note_key, .ctx = seen});
    ASSERT_FINE(bp_catalog_remove_record(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_str_eq(seen->str, "b/bakplane/journal/run-1-000001.jsonl\n"
                                "b/bakplane/items-1.jsonl\n"
                                "b/bakplane/manifest.json\n");
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(entry != NULL, fix.error);
    ck_assert(entry->foreign);
    ASSERT_FINE(bp_catalog_remove_record(&fix.catalog, "b", &fix.error), fix.error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/remove", fixture_setup, fixture_teardown,
                     test_remove__documents_data_record_lease,
                     test_remove__foreign_takes_its_whole_folder_of_documents_first,
                     test_remove__only_this_directory, test_remove__nothing_there,
                     test_remove__unknown_directory_needs_force,
                     test_remove__held_by_a_living_writer, test_remove__newer_manifest_needs_force,
                     test_remove__broken_manifest, test_remove__claims_that_stayed_go_too,
                     test_remove__many_in_batches, test_remove__storage_that_lists_late,
                     test_remove__one_object_cannot_be_removed,
                     test_remove__uploads_that_cannot_be_ended_are_no_obstacle,
                     test_remove__stops_when_the_lease_is_lost,
                     test_remove__a_lost_lease_does_not_hide_the_first_error,
                     test_remove__what_replaced_it_before_the_lease_stays,
                     test_remove__what_was_finished_before_the_lease_stays,
                     test_remove_listed__what_replaced_it_stays, test_remove_listed__foreign,
                     test_remove__full_storage, test_remove__full_storage_and_a_living_writer,
                     test_clear__keeps_manifest_and_lease, test_clear__keeps_a_failed_state,
                     test_clear__nothing_there, test_remove_record__leaves_what_is_not_ours);
}
