/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/journal: chunks.
 */
#include "core/catalog/journal.h"
#include "tests/unit/core/catalog/fixture.h"

#define CHUNK_1 "b/bakplane/journal/run-1-000001.jsonl"
#define CHUNK_2 "b/bakplane/journal/run-1-000002.jsonl"

static bp_journal *journal;

static void
setup(void)
{
    fixture_setup();
    journal = bp_journal_new(&fix.catalog, "b", "run-1");
}

static void
teardown(void)
{
    bp_journal_free(journal);
    fixture_teardown();
}

static void
add(const char *key)
{
    bp_item_record record = {.key = key, .unit_id = "u", .size = 1};
    bp_journal_add(journal, &record);
}

START_TEST(test_write__nothing_collected)
{
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_COMMIT), 0);
}
END_TEST

START_TEST(test_write__numbered_chunks)
{
    add("a");
    add("b");
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    add("c");
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    ck_assert(fake_store_has_text(fix.store, CHUNK_1,
                                  "{\"version\":1,\"run\":\"run-1\",\"seq\":1}\n"
                                  "{\"s\":1,\"k\":\"a\",\"u\":\"u\"}\n"
                                  "{\"s\":1,\"k\":\"b\",\"u\":\"u\"}\n"));
    ck_assert(fake_store_has_text(fix.store, CHUNK_2,
                                  "{\"version\":1,\"run\":\"run-1\",\"seq\":2}\n"
                                  "{\"s\":1,\"k\":\"c\",\"u\":\"u\"}\n"));
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 2);
}
END_TEST

START_TEST(test_write__failure_keeps_what_was_collected)
{
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_COMMIT, .times = 1, .cls = BP_ERR_NO_SPACE});
    add("a");
    ck_assert(!bp_journal_write(journal, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NO_SPACE, "injected");
    add("b");
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    g_autofree char *text = fixture_text(CHUNK_1);
    ck_assert_ptr_nonnull(strstr(text, "\"k\":\"a\""));
    ck_assert_ptr_nonnull(strstr(text, "\"k\":\"b\""));
}
END_TEST

START_TEST(test_write__large_collections_are_cut)
{
    g_autofree char *tail = g_strnfill(500, 'x');
    for (guint i = 0; i < 20000; i++) {
        g_autofree char *key = g_strdup_printf("%u%s", i, tail);
        add(key);
    }
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 3);
    g_autoptr(GBytes) first = fake_store_content(fix.store, CHUNK_1);
    ck_assert_uint_lt(g_bytes_get_size(first), (4 << 20) + 1000);
}
END_TEST

START_TEST(test_free__writes_nothing)
{
    add("a");
    bp_journal_free(g_steal_pointer(&journal));
    bp_journal_free(NULL);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_remove__chunks_of_all_runs_and_no_more)
{
    add("a");
    ASSERT_FINE(bp_journal_write(journal, &fix.error), fix.error);
    fake_store_set_text(fix.store, "b/bakplane/journal/run-0-000001.jsonl", "x");
    fake_store_set_text(fix.store, "b/bakplane/journalist", "x");
    fake_store_set_text(fix.store, "bb/bakplane/journal/run-0-000001.jsonl", "x");
    ASSERT_FINE(bp_journal_remove(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 2);
    ASSERT_FINE(bp_journal_remove(&fix.catalog, "b", &fix.error), fix.error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/journal", setup, teardown, test_write__nothing_collected,
                     test_write__numbered_chunks, test_write__failure_keeps_what_was_collected,
                     test_write__large_collections_are_cut, test_free__writes_nothing,
                     test_remove__chunks_of_all_runs_and_no_more);
}
