/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/catalog_list: what is found on a storage, and what is said of it.
 */
#include <sys/wait.h>
#include <unistd.h>

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

static void
save(const char *name, bp_backup_state state, const char *problem)
{
    g_autoptr(bp_manifest) manifest = fixture_manifest(name, "run-1");
    manifest->state = state;
    manifest->error = g_strdup(problem);
    ASSERT_FINE(bp_catalog_save(&fix.catalog, manifest, &fix.error), fix.error);
}

static bp_backup_entry *
find(const char *name)
{
    bp_backup_entry *entry = bp_catalog_find(&fix.catalog, name, &fix.error);
    ASSERT_FINE(entry != NULL, fix.error);
    return entry;
}

static void
set_lease(const char *name, const char *host, gint64 pid)
{
    g_autofree char *key = bp_catalog_key(name, BP_CATALOG_LEASE);
    g_autofree char *text = fixture_lease_text("run-1", host, pid, BP_NS_PER_S);
    set_text(key, text);
}

static gint64
dead_pid(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    return pid;
}

START_TEST(test_find__success)
{
    create("b_1");
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert_int_eq(entry->state, BP_BACKUP_SUCCESS);
    ck_assert(!entry->foreign && !entry->incomplete && !entry->stale);
    ck_assert_ptr_null(entry->problem);
    ck_assert_int_eq(entry->started_ns, 1000 * BP_NS_PER_S);
    ck_assert_int_eq(entry->finished_ns, 2000 * BP_NS_PER_S);
    ck_assert_uint_eq(entry->items, 3);
    ck_assert_uint_eq(entry->bytes, 24);
    ck_assert_str_eq(entry->source_plugin, "test");
    ck_assert_str_eq(entry->writer, "bakplane test");
}
END_TEST

START_TEST(test_find__document_missing)
{
    create("b_1");
    ck_assert(bp_store_remove(fix.store, NULL, "b_1/meta/extra.json", NULL, NULL));
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert(entry->incomplete);
    ck_assert_str_eq(entry->problem, "document meta/extra.json is missing");
}
END_TEST

START_TEST(test_find__document_cut)
{
    create("b_1");
    set_text("b_1/meta/extra.json", "");
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert(entry->incomplete);
    ck_assert_str_eq(entry->problem, "document meta/extra.json has 0 bytes instead of 2");
}
END_TEST

START_TEST(test_find__failed_says_why)
{
    save("b_1", BP_BACKUP_FAILED, "disk full\nhint: buy one");
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert_int_eq(entry->state, BP_BACKUP_FAILED);
    ck_assert_str_eq(entry->problem, "disk full");
}
END_TEST

START_TEST(test_find__running)
{
    save("b_1", BP_BACKUP_RUNNING, NULL);
    set_lease("b_1", NULL, 0);
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert_int_eq(entry->state, BP_BACKUP_RUNNING);
    ck_assert(!entry->stale);
    ck_assert_ptr_nonnull(strstr(entry->problem, "is being written by create on host"));
}
END_TEST

START_TEST(test_find__running_elsewhere_may_live)
{
    save("b_1", BP_BACKUP_RUNNING, NULL);
    set_lease("b_1", "elsewhere", 1);
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert(!entry->stale);
}
END_TEST

START_TEST(test_find__running_but_dead)
{
    save("b_1", BP_BACKUP_RUNNING, NULL);
    set_lease("b_1", NULL, dead_pid());
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert(entry->stale);
    ck_assert_str_eq(entry->problem, "was being written, but nobody does so any more");
}
END_TEST

START_TEST(test_find__deleting_without_lease)
{
    save("b_1", BP_BACKUP_DELETING, NULL);
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert_int_eq(entry->state, BP_BACKUP_DELETING);
    ck_assert(entry->stale);
    ck_assert_str_eq(entry->problem, "was being deleted, but nobody does so any more");
}
END_TEST

START_TEST(test_find__foreign)
{
    set_text("f-1/" COMMIT_DOCUMENT, "{}");
    set_text("f-1/data/x", "x");
    g_autoptr(bp_backup_entry) entry = find("f-1");
    ck_assert(entry->foreign && !entry->incomplete);
    ck_assert_int_eq(entry->state, BP_BACKUP_SUCCESS);
    ck_assert_uint_eq(entry->items, BP_UNKNOWN);
    ck_assert_int_ne(entry->finished_ns, 0);
    ck_assert_ptr_null(entry->problem);
}
END_TEST

START_TEST(test_find__remains)
{
    set_text("b_1/data/x", "x");
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert(entry->incomplete && !entry->foreign);
    ck_assert_int_eq(entry->state, BP_BACKUP_FAILED);
    ck_assert_str_eq(entry->problem, "has neither a manifest nor the document that ends a backup");
}
END_TEST

START_TEST(test_find__success_whose_writer_is_at_its_last_document)
{
    create("b_1");
    ck_assert(bp_store_remove(fix.store, NULL, "b_1/" COMMIT_DOCUMENT, NULL, NULL));
    set_lease("b_1", NULL, 0);
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert_int_eq(entry->state, BP_BACKUP_RUNNING);
    ck_assert(!entry->incomplete && !entry->stale);
    ck_assert(g_str_has_prefix(entry->problem, "is at its end: document " COMMIT_DOCUMENT
                                               " is missing, and create on host "));
    set_lease("b_1", NULL, dead_pid());
    g_autoptr(bp_backup_entry) dead = find("b_1");
    ck_assert(dead->incomplete);
    ck_assert_str_eq(dead->problem, "document " COMMIT_DOCUMENT " is missing");
}
END_TEST

/* It writes the rest and gives its lease back, between the look at that and the look at this. */
static void
finish_backup(void *ctx G_GNUC_UNUSED, const char *key)
{
    create("b_1");
    ck_assert(bp_store_remove(fix.store, NULL, key, NULL, NULL));
}

static void
finish_while_it_is_looked_at(void)
{
    set_lease("b_1", NULL, 0);
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_READ_OPEN,
                                                  .key = "b_1/" BP_CATALOG_LEASE,
                                                  .times = 1,
                                                  .hook = finish_backup});
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert_int_eq(entry->state, BP_BACKUP_SUCCESS);
    ck_assert(!entry->incomplete && !entry->stale);
    ck_assert_ptr_null(entry->problem);
}

START_TEST(test_find__ends_while_it_is_looked_at)
{
    save("b_1", BP_BACKUP_RUNNING, NULL);
    finish_while_it_is_looked_at();
}
END_TEST

START_TEST(test_find__last_document_comes_while_it_is_looked_at)
{
    create("b_1");
    ck_assert(bp_store_remove(fix.store, NULL, "b_1/" COMMIT_DOCUMENT, NULL, NULL));
    finish_while_it_is_looked_at();
}
END_TEST

START_TEST(test_find__only_a_lease)
{
    set_lease("b_1", NULL, dead_pid());
    g_autoptr(bp_backup_entry) dead = find("b_1");
    ck_assert(dead->incomplete);
    ck_assert_str_eq(dead->problem, "has no manifest: remains of a run that ended early");
    set_lease("b_1", NULL, 0);
    g_autoptr(bp_backup_entry) living = find("b_1");
    ck_assert_int_eq(living->state, BP_BACKUP_RUNNING);
    ck_assert(!living->incomplete);
}
END_TEST

START_TEST(test_find__newer_and_broken_manifest)
{
    set_text("b_1/bakplane/manifest.json", "{\"version\":9}");
    g_autoptr(bp_backup_entry) newer = find("b_1");
    ck_assert_str_eq(newer->problem, "b_1/bakplane/manifest.json has version 9, this bakplane "
                                     "reads up to 1");
    set_text("b_1/bakplane/manifest.json", "{\"ver");
    g_autoptr(bp_backup_entry) broken = find("b_1");
    ck_assert(broken->incomplete);
    ck_assert_ptr_nonnull(strstr(broken->problem, "is not valid JSON"));
}
END_TEST

START_TEST(test_find__a_name_is_a_directory)
{
    create("b_057");
    create("nightly");
    ck_assert_ptr_null(bp_catalog_find(&fix.catalog, "b_0", &fix.error));
    ck_assert_ptr_nonnull(strstr(fix.error->message, "\nhint: did you mean \"b_057\"?"));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "there is no backup \"b_0\" on storage backups");
    ck_assert_ptr_null(bp_catalog_find(&fix.catalog, "something_else", &fix.error));
    ck_assert_ptr_null(strstr(fix.error->message, "hint"));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "something_else");
}
END_TEST

START_TEST(test_find__refuses_names_that_are_paths)
{
    static const char *const bad[] = {"", "a/b", "..", ".", "/", "a/", "\xFF"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        ck_assert_ptr_null(bp_catalog_find(&fix.catalog, bad[i], &fix.error));
        ASSERT_ERROR(fix.error, BP_ERR_INVALID, "is no name of a backup");
    }
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_READ_OPEN), 0);
}
END_TEST

START_TEST(test_find__storage_fails)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_READ_OPEN, .cls = BP_ERR_RETRYABLE});
    ck_assert_ptr_null(bp_catalog_find(&fix.catalog, "b_1", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_RETRYABLE, "(tried 3 times)");
}
END_TEST

START_TEST(test_find__without_a_commit_document)
{
    fix.catalog.commit_document = NULL; /* the source is not known */
    set_text("b_1/meta/commit.json", "{}");
    g_autoptr(bp_backup_entry) entry = find("b_1");
    ck_assert(entry->incomplete && !entry->foreign);
}
END_TEST

START_TEST(test_list__sorted_and_robust)
{
    create("b_0");
    create("b_057");
    set_text("b_bad/bakplane/manifest.json", "]");
    set_text("b-foreign/" COMMIT_DOCUMENT, "{}");
    set_text("not-a-backup/x", "x");
    set_text("remains/x", "x");
    set_text("file_in_the_root", "x");
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_STAT,
                                                  .key = "b_057/meta/full.json",
                                                  .cls = BP_ERR_DENIED,
                                                  .message = "not allowed"});
    g_autoptr(GPtrArray) entries = bp_catalog_list(&fix.catalog, &fix.error);
    ASSERT_FINE(entries != NULL, fix.error);
    static const char *const names[] = {"b-foreign", "b_0", "b_057", "b_bad", "remains"};
    ck_assert_uint_eq(entries->len, G_N_ELEMENTS(names));
    for (guint i = 0; i < entries->len; i++) {
        const bp_backup_entry *entry = g_ptr_array_index(entries, i);
        ck_assert_str_eq(entry->name, names[i]);
        ck_assert((entry->problem == NULL) == (i < 2));
        ck_assert(entry->incomplete == (i >= 2));
    }
    const bp_backup_entry *denied = g_ptr_array_index(entries, 2);
    ck_assert_ptr_nonnull(strstr(denied->problem, "not allowed"));
    ck_assert_int_ne(denied->state, BP_BACKUP_SUCCESS);
}
END_TEST

START_TEST(test_list__empty_storage)
{
    g_autoptr(GPtrArray) entries = bp_catalog_list(&fix.catalog, &fix.error);
    ASSERT_FINE(entries != NULL, fix.error);
    ck_assert_uint_eq(entries->len, 0);
}
END_TEST

START_TEST(test_list__few_calls_per_backup)
{
    create("b_1");
    guint before = fake_store_calls(fix.store, FAKE_LIST);
    guint reads = fake_store_calls(fix.store, FAKE_READ_OPEN);
    g_autoptr(GPtrArray) entries = bp_catalog_list(&fix.catalog, &fix.error);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_LIST) - before, 1);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_READ_OPEN) - reads, 1);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_STAT), 3);
}
END_TEST

START_TEST(test_list__cancelled)
{
    create("b_1");
    bp_cancel_trigger(fix.cancel, 2);
    ck_assert_ptr_null(bp_catalog_list(&fix.catalog, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CANCELLED, "cancelled");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/catalog/catalog_list", fixture_setup, fixture_teardown, test_find__success,
        test_find__document_missing, test_find__document_cut, test_find__failed_says_why,
        test_find__running, test_find__running_elsewhere_may_live, test_find__running_but_dead,
        test_find__deleting_without_lease, test_find__foreign, test_find__remains,
        test_find__only_a_lease, test_find__success_whose_writer_is_at_its_last_document,
        test_find__ends_while_it_is_looked_at, test_find__last_document_comes_while_it_is_looked_at,
        test_find__newer_and_broken_manifest, test_find__a_name_is_a_directory,
        test_find__refuses_names_that_are_paths, test_find__storage_fails,
        test_find__without_a_commit_document, test_list__sorted_and_robust,
        test_list__empty_storage, test_list__few_calls_per_backup, test_list__cancelled);
}
