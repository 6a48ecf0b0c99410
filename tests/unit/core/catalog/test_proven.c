/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/proven: what earlier runs proved, and what they did not.
 */
#include "core/catalog/journal.h"
#include "core/catalog/sumtext.h"
#include "tests/unit/core/catalog/fixture.h"

static void
set_chunk(const char *run, const char *lines)
{
    g_autofree char *key = g_strdup_printf("b/bakplane/journal/%s-000001.jsonl", run);
    g_autofree char *text = g_strconcat("{\"version\":1}\n", lines, NULL);
    fake_store_set_text(fix.store, key, text);
}

static bp_proven *
load(void)
{
    bp_proven *proven = bp_proven_load(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(proven != NULL, fix.error);
    return proven;
}

static bool
finds(const bp_proven *proven, const char *key, guint64 size, const char *etag)
{
    struct bp_checksum sum;
    return bp_proven_find(proven, key, size, etag, &sum);
}

START_TEST(test_load__no_journal)
{
    g_autoptr(bp_proven) proven = load();
    ck_assert_uint_eq(bp_proven_count(proven), 0);
    ck_assert(!finds(proven, "a", 1, NULL));
    bp_proven_free(NULL);
}
END_TEST

START_TEST(test_find__size_and_etag)
{
    set_chunk("run-1", "{\"s\":5,\"k\":\"a\",\"u\":\"u\",\"e\":\"v1\"}\n"
                       "{\"s\":6,\"k\":\"b\",\"u\":\"u\"}\n");
    g_autoptr(bp_proven) proven = load();
    ck_assert_uint_eq(bp_proven_count(proven), 2);
    ck_assert(finds(proven, "a", 5, "v1"));
    ck_assert(finds(proven, "a", 5, NULL));
    ck_assert(finds(proven, "a", 5, ""));
    ck_assert(!finds(proven, "a", 5, "v2"));
    ck_assert(!finds(proven, "a", 6, "v1"));
    ck_assert(finds(proven, "b", 6, "v9"));
    ck_assert(!finds(proven, "c", 5, NULL));
}
END_TEST

START_TEST(test_find__checksums_of_any_length)
{
    set_chunk("run-1", "{\"s\":1,\"k\":\"x\",\"u\":\"u\",\"c\":\"xxh3-128:host:"
                       "99aa06d3014798d86001c324468d497f\"}\n"
                       "{\"s\":1,\"k\":\"s1\",\"u\":\"u\",\"c\":\"sha256:store:"
                       "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}\n"
                       "{\"s\":1,\"k\":\"s2\",\"u\":\"u\",\"c\":\"sha256:plugin:"
                       "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\"}\n"
                       "{\"s\":1,\"k\":\"n\",\"u\":\"u\"}\n");
    static const struct {
        const char *key, *sum;
    } wanted[] = {
        {"x", "xxh3-128:host:99aa06d3014798d86001c324468d497f"},
        {"s1", "sha256:store:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
        {"s2", "sha256:plugin:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"},
    };
    g_autoptr(bp_proven) proven = load();
    struct bp_checksum sum;
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        ck_assert(bp_proven_find(proven, wanted[i].key, 1, NULL, &sum));
        g_autofree char *text = bp_sumtext_dup(&sum);
        ck_assert_str_eq(text, wanted[i].sum);
    }
    ck_assert(bp_proven_find(proven, "n", 1, NULL, &sum));
    ck_assert_uint_eq(sum.kind, BP_CHECKSUM_NONE);
}
END_TEST

START_TEST(test_load__runs_that_agree)
{
    set_chunk("run-1", "{\"s\":5,\"k\":\"a\",\"u\":\"u\",\"e\":\"v1\"}\n");
    set_chunk("run-2", "{\"s\":5,\"k\":\"a\",\"u\":\"u\",\"e\":\"v1\",\"g\":2}\n");
    g_autoptr(bp_proven) proven = load();
    ck_assert_uint_eq(bp_proven_count(proven), 1);
    ck_assert(finds(proven, "a", 5, "v1"));
}
END_TEST

/* Two runs copied different versions: nobody knows which of them lies there. */
START_TEST(test_load__runs_that_differ_prove_nothing)
{
    set_chunk("run-1", "{\"s\":5,\"k\":\"a\",\"u\":\"u\",\"e\":\"v1\"}\n"
                       "{\"s\":5,\"k\":\"b\",\"u\":\"u\"}\n");
    set_chunk("run-2", "{\"s\":5,\"k\":\"a\",\"u\":\"u\",\"e\":\"v2\"}\n");
    g_autoptr(bp_proven) proven = load();
    ck_assert_uint_eq(bp_proven_count(proven), 1);
    ck_assert(!finds(proven, "a", 5, "v1"));
    ck_assert(!finds(proven, "a", 5, "v2"));
    ck_assert(finds(proven, "b", 5, NULL));
}
END_TEST

START_TEST(test_load__broken_chunk)
{
    set_chunk("run-1", "{\"s\":5,\"k\":\"a\"");
    ck_assert_ptr_null(bp_proven_load(&fix.catalog, "b", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT,
                 "b/bakplane/journal/run-1-000001.jsonl is cut off in line 2");
}
END_TEST

START_TEST(test_load__newer_chunk)
{
    fake_store_set_text(fix.store, "b/bakplane/journal/run-1-000001.jsonl", "{\"version\":2}\n");
    ck_assert_ptr_null(bp_proven_load(&fix.catalog, "b", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED, "has version 2, this bakplane reads up to 1");
}
END_TEST

START_TEST(test_load__attempt_that_broke_off_counts_nothing_twice)
{
    set_chunk("run-1", "{\"s\":5,\"k\":\"a\",\"u\":\"u\"}\n{\"s\":6,\"k\":\"b\",\"u\":\"u\"}\n");
    fake_store_set_read_max(fix.store, 50);
    fake_store_add_fault(
        fix.store, &(fake_fault){.op = FAKE_READ, .skip = 1, .times = 1, .cls = BP_ERR_RETRYABLE});
    g_autoptr(bp_proven) proven = load();
    ck_assert_uint_eq(bp_proven_count(proven), 2);
}
END_TEST

START_TEST(test_from_manifest__items_of_a_finished_backup)
{
    ASSERT_FINE(fixture_create(&fix.catalog, "b", "run-1", false, &fix.error), fix.error);
    g_autoptr(bp_manifest) manifest = bp_catalog_manifest(&fix.catalog, "b", &fix.error);
    ASSERT_FINE(manifest != NULL, fix.error);
    g_autoptr(bp_proven) proven = bp_proven_from_manifest(&fix.catalog, manifest, &fix.error);
    ASSERT_FINE(proven != NULL, fix.error);
    ck_assert_uint_eq(bp_proven_count(proven), SMALL_ITEMS);
    ck_assert(finds(proven, "data/2/c", 8, "v1"));
    ck_assert(bp_store_remove(fix.store, NULL, "b/bakplane/items-1.jsonl", NULL, NULL));
    ck_assert_ptr_null(bp_proven_from_manifest(&fix.catalog, manifest, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "the manifest's items are incomplete");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/proven", fixture_setup, fixture_teardown, test_load__no_journal,
                     test_find__size_and_etag, test_find__checksums_of_any_length,
                     test_load__runs_that_agree, test_load__runs_that_differ_prove_nothing,
                     test_load__broken_chunk, test_load__newer_chunk,
                     test_load__attempt_that_broke_off_counts_nothing_twice,
                     test_from_manifest__items_of_a_finished_backup);
}
