/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/catalog: the manifest of one backup, and its items checked before they are told.
 */
#include "core/catalog/catalog.h"
#include "tests/unit/core/catalog/fixture.h"

static bp_manifest *
created(void)
{
    ASSERT_FINE(fixture_create(&fix.catalog, "b", "run-1", false, &fix.error), fix.error);
    bp_manifest *manifest = bp_catalog_manifest(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(manifest != NULL, fix.error);
    return manifest;
}

static bool
read_items(const bp_manifest *manifest, GString *out)
{
    return bp_catalog_items(&fix.catalog, manifest, fixture_note_item, out, &fix.error);
}

START_TEST(test_key__joins)
{
    g_autofree char *key = bp_catalog_key("b_0", "meta/x");
    ck_assert_str_eq(key, "b_0/meta/x");
}
END_TEST

START_TEST(test_save__replaces_and_is_retried)
{
    g_autoptr(bp_manifest) manifest = fixture_manifest("b", "run-1");
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_COMMIT, .times = 2, .cls = BP_ERR_RETRYABLE});
    ASSERT_FINE(bp_catalog_save(&fix.catalog, manifest, &fix.error), fix.error);
    manifest->state = BP_BACKUP_FAILED;
    ASSERT_FINE(bp_catalog_save(&fix.catalog, manifest, &fix.error), fix.error);
    g_autoptr(bp_manifest) back = bp_catalog_manifest(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(back != NULL, fix.error);
    ck_assert_int_eq(back->state, BP_BACKUP_FAILED);
}
END_TEST

START_TEST(test_manifest__is_called_as_its_directory)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autofree char *text = fixture_text("b/bakplane/manifest.json");
    fake_store_set_text(fix.store, "copy/bakplane/manifest.json", text);
    g_autoptr(bp_manifest) copy = bp_catalog_manifest(&fix.catalog, "copy", &fix.error);
    ASSERT_FINE(copy != NULL, fix.error);
    ck_assert_str_eq(copy->name, "copy");
}
END_TEST

START_TEST(test_manifest__none)
{
    ck_assert_ptr_null(bp_catalog_manifest(&fix.catalog, "b", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "b/bakplane/manifest.json");
    ck_assert_ptr_null(bp_catalog_manifest(&fix.catalog, "../b", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_INVALID, "\"../b\" is no name of a backup");
}
END_TEST

START_TEST(test_items__in_order)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autoptr(GString) items = g_string_new(NULL);
    ASSERT_FINE(read_items(manifest, items), fix.error);
    ck_assert_str_eq(items->str, "data/1/a t1 8\ndata/1/b t1 8\ndata/2/c t2 8\n");
}
END_TEST

static bool
stop(void *ctx, const bp_item_record *record G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    (*(guint *)ctx)++;
    return false;
}

START_TEST(test_items__stopped)
{
    g_autoptr(bp_manifest) manifest = created();
    guint calls = 0;
    ASSERT_FINE(bp_catalog_items(&fix.catalog, manifest, stop, &calls, &fix.error), fix.error);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(test_items__file_missing)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autoptr(GString) items = g_string_new(NULL);
    ck_assert(bp_store_remove(fix.store, NULL, "b/bakplane/items-1.jsonl", NULL, NULL));
    ck_assert(!read_items(manifest, items));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "the manifest's items are incomplete: ");
}
END_TEST

/* One byte differs: not one item is told. */
START_TEST(test_items__file_altered)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autoptr(GString) items = g_string_new(NULL);
    g_autofree char *text = fixture_text("b/bakplane/items-1.jsonl");
    *strstr(text, "data/2/c") = 'D';
    fake_store_set_text(fix.store, "b/bakplane/items-1.jsonl", text);
    ck_assert(!read_items(manifest, items));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT,
                 "b/bakplane/items-1.jsonl differs from what the manifest says of it");
    ck_assert_str_eq(items->str, "");
}
END_TEST

START_TEST(test_items__count_differs)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autoptr(GString) items = g_string_new(NULL);
    ((bp_manifest_file *)g_ptr_array_index(manifest->item_files, 0))->items = 4;
    ck_assert(!read_items(manifest, items));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "has 3 items, the manifest says 4");
}
END_TEST

START_TEST(test_items__impossible_size)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autoptr(GString) items = g_string_new(NULL);
    ((bp_manifest_file *)g_ptr_array_index(manifest->item_files, 0))->size = G_MAXINT64;
    ck_assert(!read_items(manifest, items));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "the manifest gives it 9223372036854775807 bytes");
}
END_TEST

START_TEST(test_items__unknown_unit)
{
    g_autoptr(bp_manifest) manifest = created();
    g_autoptr(GString) items = g_string_new(NULL);
    g_ptr_array_remove_index(manifest->units, 2);
    ck_assert(!read_items(manifest, items));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "item \"data/2/c\" belongs to no unit of the backup");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/catalog", fixture_setup, fixture_teardown, test_key__joins,
                     test_save__replaces_and_is_retried, test_manifest__is_called_as_its_directory,
                     test_manifest__none, test_items__in_order, test_items__stopped,
                     test_items__file_missing, test_items__file_altered, test_items__count_differs,
                     test_items__impossible_size, test_items__unknown_unit);
}
