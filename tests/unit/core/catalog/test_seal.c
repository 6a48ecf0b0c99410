/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/seal: from journal to items files; totals, generations, sweeping, and memory.
 */
#include <malloc.h>

#include "core/catalog/journal.h"
#include "tests/unit/core/catalog/fixture.h"

static bp_manifest *manifest;
static bp_journal *journal;
static guint32 final_generation;

static void
setup(void)
{
    fixture_setup();
    manifest = fixture_manifest("b", "run-1");
    journal = bp_journal_new(&fix.catalog, "b", "run-1");
    final_generation = 0;
}

static void
teardown(void)
{
    bp_manifest_free(manifest);
    bp_journal_free(journal);
    fixture_teardown();
}

static void
add(const char *key, const char *unit_id, guint32 generation)
{
    bp_item_record record = {.key = key, .unit_id = unit_id, .size = 10, .generation = generation};
    bp_journal_add(journal, &record);
}

static void
flush(void)
{
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
}

static bool
seal(bool sweep)
{
    bp_seal_params params = {.catalog = &fix.catalog,
                             .manifest = manifest,
                             .run_id = "run-1",
                             .chunks = bp_journal_chunks(journal),
                             .generation = fixture_generation,
                             .ctx = &final_generation,
                             .sweep = sweep};
    return bp_journal_seal(&params, &fix.error);
}

static char *
sealed_items(void)
{
    GString *items = g_string_new(NULL);
    ASSERT_FINE(bp_catalog_items(&fix.catalog, manifest, fixture_note_item, items, &fix.error),
                fix.error);
    return g_string_free(items, FALSE);
}

START_TEST(test_seal__totals)
{
    add("a", "t1", 0);
    flush();
    add("b", "t2", 0);
    add("c", "t2", 0);
    flush();
    ASSERT_FINE(seal(false), fix.error);
    ck_assert_uint_eq(manifest->items, 3);
    ck_assert_uint_eq(manifest->bytes, 30);
    ck_assert_uint_eq(bp_manifest_find_unit(manifest, "t2")->items, 2);
    ck_assert_uint_eq(bp_manifest_find_unit(manifest, "t2")->bytes, 20);
    ck_assert_uint_eq(bp_manifest_find_unit(manifest, "root")->items, 0);
    g_autofree char *items = sealed_items();
    ck_assert_str_eq(items, "a t1 10\nb t2 10\nc t2 10\n");
    ASSERT_FINE(seal(false), fix.error); /* again: the same, not twice as much */
    ck_assert_uint_eq(manifest->items, 3);
    ck_assert_uint_eq(manifest->item_files->len, 1);
}
END_TEST

START_TEST(test_seal__nothing)
{
    ASSERT_FINE(seal(true), fix.error);
    ck_assert_uint_eq(manifest->items, 0);
    ck_assert_uint_eq(manifest->item_files->len, 0);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_seal__only_the_final_generation)
{
    add("old", "t1", 0);
    add("kept", "t1", 0);
    flush();
    add("kept", "t1", 1);
    add("new", "t1", 1);
    add("gone", "dropped", 1);
    flush();
    final_generation = 1;
    ASSERT_FINE(seal(false), fix.error);
    g_autofree char *items = sealed_items();
    ck_assert_str_eq(items, "kept t1 10\nnew t1 10\n");
    g_autofree char *text = fixture_text("b/bakplane/items-1.jsonl");
    ck_assert_ptr_null(strstr(text, "\"g\""));
}
END_TEST

START_TEST(test_seal__same_key_twice)
{
    add("a", "t1", 0);
    flush();
    add("a", "t2", 0);
    flush();
    ck_assert(!seal(false));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT,
                 "item a is there twice, the second time in unit \"t2\"");
}
END_TEST

START_TEST(test_seal__unit_that_was_not_planned)
{
    add("a", "t9", 0);
    flush();
    ck_assert(!seal(false));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "item a belongs to unit \"t9\", which was not planned");
}
END_TEST

START_TEST(test_seal__sizes_overflow)
{
    for (guint i = 0; i < 3; i++) {
        g_autofree char *key = g_strdup_printf("k%u", i);
        bp_item_record record = {.key = key, .unit_id = "t1", .size = G_MAXINT64};
        bp_journal_add(journal, &record);
    }
    flush();
    ck_assert(!seal(false));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "sizes up to item k2 are more than can be");
}
END_TEST

START_TEST(test_seal__chunks_that_are_not_listed_yet)
{
    add("a", "t1", 0);
    flush();
    fake_store_set_late(fix.store, 9);
    ASSERT_FINE(seal(false), fix.error);
    ck_assert_uint_eq(manifest->items, 1);
}
END_TEST

START_TEST(test_seal__missing_chunk)
{
    for (guint i = 0; i < 3; i++) {
        g_autofree char *key = g_strdup_printf("k%u", i);
        add(key, "t1", 0);
        flush();
    }
    ck_assert(
        bp_store_remove(fix.store, NULL, "b/bakplane/journal/run-1-000002.jsonl", NULL, NULL));
    ck_assert(!seal(false));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT,
                 "b/bakplane/journal/run-1-000002.jsonl is missing from the journal");
}
END_TEST

START_TEST(test_seal__only_this_run)
{
    fake_store_set_text(fix.store, "b/bakplane/journal/run-0-000001.jsonl", "broken");
    fake_store_set_text(fix.store, "b/bakplane/journal/run-10-000001.jsonl", "broken");
    add("a", "t1", 0);
    flush();
    ASSERT_FINE(seal(false), fix.error);
    ck_assert_uint_eq(manifest->items, 1);
}
END_TEST

START_TEST(test_seal__sweeps_what_no_item_names)
{
    static const char *const there[] = {"b/a",
                                        "b/old",
                                        "b/meta/commit.json",
                                        "b/meta/stale",
                                        "bb/a",
                                        "b/bakplane/lease.json",
                                        "b/bakplane/items-7.jsonl"};
    for (guint i = 0; i < G_N_ELEMENTS(there); i++) {
        fake_store_set_text(fix.store, there[i], "x");
    }
    add("a", "t1", 0);
    flush();
    ASSERT_FINE(seal(true), fix.error);
    static const char *const left[] = {"b/a", "bb/a", "b/bakplane/lease.json",
                                       "b/bakplane/items-1.jsonl",
                                       "b/bakplane/journal/run-1-000001.jsonl"};
    for (guint i = 0; i < G_N_ELEMENTS(left); i++) {
        g_autoptr(GBytes) bytes = fake_store_content(fix.store, left[i]);
        ck_assert_msg(bytes != NULL, "%s", left[i]);
    }
    ck_assert_uint_eq(fake_store_n_objects(fix.store), G_N_ELEMENTS(left));
}
END_TEST

/** Heap beyond what the storage in memory itself keeps. */
static gint64 heap_peak;
static gint64 stored;

static gint64
heap(void)
{
    return (gint64)mallinfo2().uordblks + (gint64)mallinfo2().hblkhd;
}

static void
measure(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    heap_peak = MAX(heap_peak, heap() - stored);
}

static bool
count_item(void *ctx, const bp_item_record *record G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    (*(guint *)ctx)++;
    return true;
}

START_TEST(test_seal__two_hundred_thousand_items_in_flat_memory)
{
    enum { N = 200000, BATCH = 1000 };
    for (guint i = 0; i < N; i++) {
        g_autofree char *key = g_strdup_printf("binlogs/insert_log/%020u/%020u", i / 7, i);
        add(key, i % 2 != 0 ? "t1" : "t2", 0);
        if (i % BATCH == BATCH - 1) {
            flush();
        }
    }
    fake_store_set_blackhole(fix.store, true); /* items files are counted, not kept */
    stored = heap();
    heap_peak = 0;
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .hook = measure});
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_READ_OPEN, .hook = measure});
    ASSERT_FINE(seal(false), fix.error);
    ck_assert_uint_eq(manifest->items, N);
    ck_assert_uint_eq(manifest->item_files->len, 20);
    ck_assert_int_lt(heap_peak, 16 << 20); /* at most 12 MiB of hashes, one file, one chunk */

    heap_peak = 0;
    stored = heap();
    g_autoptr(bp_proven) proven = bp_proven_load(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(proven != NULL, fix.error);
    ck_assert_uint_eq(bp_proven_count(proven), N);
    ck_assert_int_lt(heap_peak, 32 << 20); /* 56 bytes each, doubled while growing */
}
END_TEST

START_TEST(test_seal__many_items_read_back)
{
    enum { N = 25000 };
    for (guint i = 0; i < N; i++) {
        g_autofree char *key = g_strdup_printf("k/%u", i);
        add(key, "t1", 0);
    }
    flush();
    ASSERT_FINE(seal(false), fix.error);
    ck_assert_uint_eq(manifest->item_files->len, 3);
    guint seen = 0;
    ASSERT_FINE(bp_catalog_items(&fix.catalog, manifest, count_item, &seen, &fix.error), fix.error);
    ck_assert_uint_eq(seen, N);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/seal", setup, teardown, test_seal__totals, test_seal__nothing,
                     test_seal__only_the_final_generation, test_seal__same_key_twice,
                     test_seal__unit_that_was_not_planned, test_seal__sizes_overflow,
                     test_seal__chunks_that_are_not_listed_yet, test_seal__missing_chunk,
                     test_seal__only_this_run, test_seal__sweeps_what_no_item_names,
                     test_seal__two_hundred_thousand_items_in_flat_memory,
                     test_seal__many_items_read_back);
}
