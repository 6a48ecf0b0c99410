/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/documents: written as they come, the last one held back, verified later.
 */
#include "core/catalog/catalog.h"
#include "tests/unit/core/catalog/fixture.h"

#define MIB (1u << 20)

static bp_manifest *manifest;
static bp_documents *documents;

static void
setup(void)
{
    fixture_setup();
    manifest = fixture_manifest("b", "run-1");
    documents = bp_documents_new(&fix.catalog, manifest);
}

static void
teardown(void)
{
    bp_documents_free(documents);
    bp_manifest_free(manifest);
    fixture_teardown();
}

static bool
begin(const char *key, bool commit)
{
    bp_document_fns fns = bp_documents_fns(documents);
    return fns.begin(fns.ctx, key, commit);
}

static bool
add(const char *text)
{
    bp_document_fns fns = bp_documents_fns(documents);
    return fns.write(fns.ctx, text, strlen(text));
}

static bool
end(void)
{
    bp_document_fns fns = bp_documents_fns(documents);
    return fns.end(fns.ctx);
}

static void
write_all(void)
{
    ASSERT_FINE(fixture_write_documents(documents, &fix.error), fix.error);
}

START_TEST(test_sink__holds_back_the_last)
{
    write_all();
    ck_assert(fake_store_has_text(fix.store, "b/meta/full.json", "{\"all\":true}"));
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 2);
    ck_assert_uint_eq(manifest->documents->len, 3);
    const bp_manifest_file *last = g_ptr_array_index(manifest->documents, 2);
    ck_assert_str_eq(last->key, COMMIT_DOCUMENT);
    ck_assert_uint_eq(last->size, 10);
    ASSERT_FINE(bp_documents_commit(documents, &fix.error), fix.error);
    ck_assert(fake_store_has_text(fix.store, "b/" COMMIT_DOCUMENT, "{\"done\":1}"));
    ASSERT_FINE(bp_documents_verify(&fix.catalog, manifest, &fix.error), fix.error);
}
END_TEST

START_TEST(test_sink__in_pieces_and_empty)
{
    ck_assert(begin("meta/a", false) && add("one ") && add("") && add("two") && end());
    ck_assert(begin("meta/empty", false) && end());
    ck_assert(fake_store_has_text(fix.store, "b/meta/a", "one two"));
    ck_assert(fake_store_has_text(fix.store, "b/meta/empty", ""));
    ASSERT_FINE(bp_documents_verify(&fix.catalog, manifest, &fix.error), fix.error);
}
END_TEST

START_TEST(test_sink__small_ones_are_retried)
{
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_COMMIT, .times = 2, .cls = BP_ERR_RETRYABLE});
    ck_assert(begin("meta/a", false) && add("x") && end());
    ck_assert(fake_store_has_text(fix.store, "b/meta/a", "x"));
}
END_TEST

static bool
add_mib(guint n)
{
    g_autofree char *text = g_strnfill(MIB, 'x');
    bp_document_fns fns = bp_documents_fns(documents);
    bool ok = true;
    for (guint i = 0; ok && i < n; i++) {
        ok = fns.write(fns.ctx, text, MIB);
    }
    return ok;
}

START_TEST(test_sink__large_ones_are_streamed)
{
    ck_assert(begin("meta/large", false) && add_mib(40) && add("!") && end());
    g_autoptr(GBytes) bytes = fake_store_content(fix.store, "b/meta/large");
    ck_assert_uint_eq(g_bytes_get_size(bytes), 40 * MIB + 1);
    ck_assert_uint_gt(fake_store_calls(fix.store, FAKE_WRITE), 20);
    ASSERT_FINE(bp_documents_verify(&fix.catalog, manifest, &fix.error), fix.error);
}
END_TEST

START_TEST(test_sink__large_one_of_unknown_outcome)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT,
                                                  .times = 1,
                                                  .cls = BP_ERR_RETRYABLE,
                                                  .takes_effect = true});
    ck_assert(begin("meta/large", false) && add_mib(17) && end());
    ASSERT_FINE(bp_documents_check(documents, &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_COMMIT), 1);
}
END_TEST

START_TEST(test_sink__large_one_that_did_not_arrive)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_RETRYABLE});
    ck_assert(begin("meta/large", false) && add_mib(17) && !end());
    ck_assert(!bp_documents_check(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_RETRYABLE, "injected");
}
END_TEST

START_TEST(test_sink__large_one_where_sizes_must_be_known)
{
    fake_store_facts(fix.store)->caps &= ~(guint64)BP_STORE_UNKNOWN_SIZE;
    ck_assert(begin("meta/large", false) && !add_mib(17) && !end());
    ck_assert(!bp_documents_check(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED, "document meta/large is larger than 16 MiB");
}
END_TEST

START_TEST(test_sink__last_one_must_be_small)
{
    ck_assert(begin(COMMIT_DOCUMENT, true) && !add_mib(17));
    ck_assert(!bp_documents_check(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED, "the one that ends a backup must be small");
}
END_TEST

START_TEST(test_sink__unfinished_large_one_is_aborted)
{
    ck_assert(begin("meta/large", false) && add_mib(20));
    bp_documents_free(g_steal_pointer(&documents));
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_ABORT), 1);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_sink__error_is_set_aside_and_final)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_NO_SPACE});
    ck_assert(begin("meta/a", false) && add("x") && !end());
    ck_assert(!begin("meta/b", false));
    ck_assert(!bp_documents_commit(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NO_SPACE, "injected");
    ck_assert_uint_eq(manifest->documents->len, 0);
    ck_assert(!bp_documents_check(documents, NULL));
}
END_TEST

static const char *const bad_keys[] = {"", "/a", "a/../b", "bakplane/manifest.json", "a\nb"};

START_TEST(test_sink__refuses_keys)
{
    for (guint i = 0; i < G_N_ELEMENTS(bad_keys); i++) {
        teardown();
        setup();
        ck_assert(!begin(bad_keys[i], false));
        ck_assert(!bp_documents_check(documents, &fix.error));
        ASSERT_ERROR(fix.error, BP_ERR_PERMANENT, "plugin bug: document ");
    }
}
END_TEST

START_TEST(test_sink__refuses_twice_and_after_the_last)
{
    ck_assert(begin("meta/a", false) && end() && !begin("meta/a", false));
    ck_assert(!bp_documents_check(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_PERMANENT, "document meta/a begins twice");
    teardown();
    setup();
    ck_assert(begin(COMMIT_DOCUMENT, true) && end() && !begin("meta/b", false));
    ck_assert(!bp_documents_check(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_PERMANENT, "after the last one");
}
END_TEST

START_TEST(test_sink__refuses_text_of_no_document)
{
    ck_assert(!add("x"));
    ck_assert(!end());
    ck_assert(!bp_documents_check(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_PERMANENT, "text of a document that was not begun");
}
END_TEST

START_TEST(test_commit__without_a_last_document)
{
    ck_assert(begin("meta/a", false) && end());
    ck_assert(!bp_documents_commit(documents, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_PERMANENT, "no document ends backup b");
}
END_TEST

START_TEST(test_verify__missing)
{
    write_all();
    ck_assert(!bp_documents_verify(&fix.catalog, manifest, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "document " COMMIT_DOCUMENT " of backup b: ");
}
END_TEST

START_TEST(test_verify__cut)
{
    write_all();
    fake_store_set_text(fix.store, "b/meta/full.json", "{\"all\":tru");
    ck_assert(!bp_documents_verify(&fix.catalog, manifest, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT,
                 "document meta/full.json of backup b has 10 bytes, the manifest says 12");
}
END_TEST

START_TEST(test_verify__altered)
{
    write_all();
    fake_store_set_text(fix.store, "b/meta/full.json", "{\"all\":trUe}");
    ck_assert(!bp_documents_verify(&fix.catalog, manifest, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "document meta/full.json of backup b was altered");
}
END_TEST

START_TEST(test_verify__reads_again_after_a_cut_connection)
{
    write_all();
    ASSERT_FINE(bp_documents_commit(documents, &fix.error), fix.error);
    fake_store_set_read_max(fix.store, 3);
    fake_store_add_fault(
        fix.store, &(fake_fault){.op = FAKE_READ, .skip = 2, .times = 1, .cls = BP_ERR_RETRYABLE});
    ASSERT_FINE(bp_documents_verify(&fix.catalog, manifest, &fix.error), fix.error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/catalog/documents", setup, teardown, test_sink__holds_back_the_last,
        test_sink__in_pieces_and_empty, test_sink__small_ones_are_retried,
        test_sink__large_ones_are_streamed, test_sink__large_one_of_unknown_outcome,
        test_sink__large_one_that_did_not_arrive, test_sink__large_one_where_sizes_must_be_known,
        test_sink__last_one_must_be_small, test_sink__unfinished_large_one_is_aborted,
        test_sink__error_is_set_aside_and_final, test_sink__refuses_keys,
        test_sink__refuses_twice_and_after_the_last, test_sink__refuses_text_of_no_document,
        test_commit__without_a_last_document, test_verify__missing, test_verify__cut,
        test_verify__altered, test_verify__reads_again_after_a_cut_connection);
}
