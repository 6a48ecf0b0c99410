/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of writing and deleting, as a property: whatever write a process dies at, nothing is
 * ever shown as a success, by us or by another tool, unless all of it is there; and the next run
 * gets through.
 */
#include "tests/unit/core/catalog/fixture.h"

/** Dies at the n-th change of the storage. */
typedef struct {
    guint changes, die_at; /* 0 = never */
} death;

static death doom;

static void
count_change(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    if (++doom.changes == doom.die_at) {
        bp_cancel_trigger(fix.cancel, 9);
    }
}

static void
setup(void)
{
    fixture_setup();
    doom = (death){0};
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .hook = count_change});
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_REMOVE, .hook = count_change});
}

static void
begin_again(guint die_at)
{
    fixture_teardown();
    setup();
    doom.die_at = die_at;
}

static bool
is_there(const char *name, const char *rest)
{
    g_autofree char *key = bp_catalog_key(name, rest);
    g_autoptr(GBytes) bytes = fake_store_content(fix.store, key);
    return bytes != NULL;
}

/* Everything that makes up the small backup. */
static bool
is_whole(const char *name)
{
    bool whole = is_there(name, "meta/full.json") && is_there(name, "meta/extra.json") &&
                 is_there(name, COMMIT_DOCUMENT);
    for (guint i = 0; i < SMALL_ITEMS; i++) {
        whole = whole && is_there(name, small_items[i]);
    }
    return whole;
}

static bool
looks_usable(const bp_backup_entry *entry)
{
    return entry->state == BP_BACKUP_SUCCESS && !entry->incomplete && entry->problem == NULL;
}

static void
check_nothing_false(const char *name)
{
    bp_catalog fresh = fixture_fresh();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = bp_catalog_list(&fresh, &error);
    ASSERT_FINE(entries != NULL, error);
    for (guint i = 0; i < entries->len; i++) {
        const bp_backup_entry *entry = g_ptr_array_index(entries, i);
        ck_assert_msg(!looks_usable(entry) || is_whole(entry->name), "dying at change %u: %s",
                      doom.die_at, entry->name);
    }
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(&fresh, name, &error);
    ck_assert(entry != NULL || bp_error_is(error, BP_ERR_NOT_FOUND));
    ck_assert(entry == NULL || !looks_usable(entry) || is_whole(name));
    /* How another tool knows a backup. */
    ck_assert_msg(!is_there(name, COMMIT_DOCUMENT) || is_whole(name), "dying at change %u",
                  doom.die_at);
}

static void
check_success(const char *name)
{
    bp_catalog fresh = fixture_fresh();
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(&fresh, name, &error);
    ASSERT_FINE(entry != NULL, error);
    ck_assert(looks_usable(entry) && is_whole(name));
    g_autoptr(bp_manifest) manifest = bp_catalog_manifest(&fresh, name, &error);
    ASSERT_FINE(manifest != NULL && bp_documents_verify(&fresh, manifest, &error), error);
    g_autoptr(GString) items = g_string_new(NULL);
    ASSERT_FINE(bp_catalog_items(&fresh, manifest, fixture_note_item, items, &error), error);
    ck_assert_str_eq(items->str, "data/1/a t1 8\ndata/1/b t1 8\ndata/2/c t2 8\n");
}

START_TEST(test_create__killed_at_each_change_then_resumed)
{
    bool finished = false;
    for (guint die_at = 1; !finished; die_at++) {
        begin_again(die_at);
        finished = fixture_create(&fix.catalog, "b_0", "run-1", false, NULL);
        ck_assert(finished == !bp_cancel_is_set(fix.cancel));
        check_nothing_false("b_0");
        bp_catalog fresh = fixture_fresh();
        ASSERT_FINE(fixture_create(&fresh, "b_0", "run-2", true, &fix.error), fix.error);
        check_success("b_0");
    }
    ck_assert_uint_gt(doom.die_at, 11);
}
END_TEST

START_TEST(test_remove__killed_at_each_change_then_repeated)
{
    bool finished = false;
    for (guint die_at = 1; !finished; die_at++) {
        begin_again(0);
        ASSERT_FINE(fixture_create(&fix.catalog, "b_0", "run-1", false, &fix.error), fix.error);
        ASSERT_FINE(fixture_create(&fix.catalog, "b_057", "run-2", false, &fix.error), fix.error);
        doom = (death){.die_at = die_at};
        finished = bp_catalog_remove(&fix.catalog, "b_0", false, NULL, NULL, NULL);
        check_nothing_false("b_0");
        bp_catalog fresh = fixture_fresh();
        g_autoptr(GError) error = NULL;
        if (!bp_catalog_remove(&fresh, "b_0", false, NULL, NULL, &error)) {
            ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no backup \"b_0\"");
        }
        check_success("b_057");
        g_autoptr(GPtrArray) entries = bp_catalog_list(&fresh, NULL);
        ck_assert_uint_eq(entries->len, 1);
        ck_assert_uint_eq(fake_store_n_objects(fix.store), 8); /* of b_057 alone */
    }
    ck_assert_uint_gt(doom.die_at, 9);
}
END_TEST

static void
write_foreign(const char *name)
{
    static const char *const documents[] = {"meta/full.json", "meta/extra.json", COMMIT_DOCUMENT};
    ck_assert(fixture_write_data(&fix.catalog, name, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *key = bp_catalog_key(name, documents[i]);
        fake_store_set_text(fix.store, key, "{}");
    }
}

START_TEST(test_remove__foreign_killed_at_each_change)
{
    bool finished = false;
    for (guint die_at = 1; !finished; die_at++) {
        begin_again(0);
        write_foreign("f_1");
        doom = (death){.die_at = die_at};
        finished = bp_catalog_remove(&fix.catalog, "f_1", false, NULL, NULL, NULL);
        check_nothing_false("f_1");
        bp_catalog fresh = fixture_fresh();
        g_autoptr(GError) error = NULL;
        bool removed = bp_catalog_remove(&fresh, "f_1", true, NULL, NULL, &error);
        ck_assert(removed || bp_error_is(error, BP_ERR_NOT_FOUND));
        ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
    }
    ck_assert_uint_gt(doom.die_at, 5);
}
END_TEST

START_TEST(test_clear__killed_at_each_change_proves_nothing_that_is_gone)
{
    bool finished = false;
    for (guint die_at = 1; !finished; die_at++) {
        begin_again(0);
        ASSERT_FINE(fixture_create(&fix.catalog, "b_0", "run-1", false, &fix.error), fix.error);
        g_autoptr(bp_journal) journal = bp_journal_new(&fix.catalog, "b_0", "run-9");
        fixture_add_items(journal, 0);
        ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
        doom = (death){.die_at = die_at};
        finished = bp_catalog_clear(&fix.catalog, "b_0", NULL, NULL, NULL);
        check_nothing_false("b_0");
        bp_catalog fresh = fixture_fresh();
        g_autoptr(bp_proven) proven = bp_proven_load(&fresh, "b_0", &fix.error);
        ASSERT_FINE(proven != NULL, fix.error);
        for (guint i = 0; i < SMALL_ITEMS; i++) {
            struct bp_checksum sum;
            ck_assert(!bp_proven_find(proven, small_items[i], 8, NULL, &sum) ||
                      is_there("b_0", small_items[i]));
        }
    }
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
    ck_assert(is_there("b_0", BP_CATALOG_MANIFEST));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog: order", setup, fixture_teardown,
                     test_create__killed_at_each_change_then_resumed,
                     test_remove__killed_at_each_change_then_repeated,
                     test_remove__foreign_killed_at_each_change,
                     test_clear__killed_at_each_change_proves_nothing_that_is_gone);
}
