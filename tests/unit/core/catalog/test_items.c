/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/items: lines written, read back in any pieces, and refused when hostile.
 */
#include "core/catalog/items.h"

#include "core/catalog/items_internal.h"
#include "core/catalog/sumtext.h"
#include "tests/unit/core/catalog/fixture.h"

static bool
read_text(const char *text, bp_item_record_fn fn, void *ctx, GError **error)
{
    fake_store_set_text(fix.store, "b/items", text);
    return bp_item_records_read(fix.store, &fix.call, "b/items", fn, ctx, error);
}

static bool
keep_last(void *ctx, const bp_item_record *record, GError **error G_GNUC_UNUSED)
{
    GString *out = ctx;
    g_string_truncate(out, 0);
    bp_item_record_append(out, record);
    return true;
}

START_TEST(test_append__one_line)
{
    bp_item_record record = {
        .key = "binlogs/1/x", .unit_id = "coll:1", .size = 4711, .etag = "\"e\"", .generation = 3};
    bp_sumtext_hash("", 0, &record.checksum);
    g_autoptr(GString) out = g_string_new(NULL);
    bp_item_record_append(out, &record);
    ck_assert_str_eq(out->str, "{\"s\":4711,\"k\":\"binlogs/1/x\",\"u\":\"coll:1\","
                               "\"c\":\"xxh3-128:host:99aa06d3014798d86001c324468d497f\","
                               "\"e\":\"\\\"e\\\"\",\"g\":3}\n");
}
END_TEST

START_TEST(test_append__leaves_out_what_is_not_known)
{
    bp_item_record record = {.key = "k", .unit_id = "u", .etag = ""};
    g_autoptr(GString) out = g_string_new(NULL);
    bp_item_record_append(out, &record);
    ck_assert_str_eq(out->str, "{\"s\":0,\"k\":\"k\",\"u\":\"u\"}\n");
}
END_TEST

START_TEST(test_read__round_trip_of_odd_texts)
{
    static const char *const texts[] = {
        "a", "\"", "\\", "\\\"\\", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80", "{\"s\":1}", "a b%c+d"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        bp_item_record record = {.key = texts[i], .unit_id = texts[i], .size = i, .etag = texts[i]};
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(GString) back = g_string_new(NULL);
        bp_item_record_append(out, &record);
        ASSERT_FINE(read_text(out->str, keep_last, back, &fix.error), fix.error);
        ck_assert_str_eq(out->str, back->str);
    }
}
END_TEST

START_TEST(test_read__invalid_text_is_made_valid)
{
    bp_item_record record = {.key = "k", .unit_id = "u\x01", .size = 1, .etag = "\xFFx"};
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GString) back = g_string_new(NULL);
    bp_item_record_append(out, &record);
    ASSERT_FINE(read_text(out->str, keep_last, back, &fix.error), fix.error);
    ck_assert_ptr_nonnull(strstr(back->str, "\"u\\u0001\""));
}
END_TEST

START_TEST(test_read__any_pieces)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *key = g_strdup_printf("k/%u", i);
        bp_item_record record = {.key = key, .unit_id = "u", .size = i};
        bp_item_record_append(text, &record);
    }
    g_autoptr(GString) whole = g_string_new(NULL);
    ck_assert(read_text(text->str, fixture_note_item, whole, NULL));
    for (gsize piece = 1; piece < 70; piece++) {
        g_autoptr(GString) seen = g_string_new(NULL);
        fake_store_set_read_max(fix.store, piece);
        ck_assert(read_text(text->str, fixture_note_item, seen, NULL));
        ck_assert_str_eq(seen->str, whole->str);
    }
}
END_TEST

static bool
stop_at_once(void *ctx, const bp_item_record *record G_GNUC_UNUSED, GError **error)
{
    (*(guint *)ctx)++;
    if (error != NULL && *(guint *)ctx > 5) {
        bp_set_error(error, BP_ERR_NO_SPACE, "no more");
    }
    return false;
}

START_TEST(test_read__stop_is_no_error)
{
    guint calls = 0;
    ASSERT_FINE(
        read_text("{\"s\":1,\"k\":\"a\",\"u\":\"u\"}\n{broken", stop_at_once, &calls, &fix.error),
        fix.error);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(test_read__error_of_the_callback)
{
    guint calls = 5;
    ck_assert(!read_text("{\"s\":1,\"k\":\"a\",\"u\":\"u\"}\n", stop_at_once, &calls, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NO_SPACE, "no more");
}
END_TEST

START_TEST(test_read__refuses)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"{\"s\":1,\"k\":\"a\",\"u\":\"u\"}", "b/items is cut off in line 1"},
        {"x\n", "b/items line 1 is not a JSON object"},
        {"\n", "b/items line 1 is not a JSON object"},
        {"[]\n", "line 1 is not a JSON object"},
        {"{\"s\":1,\"k\":\"a\",\"u\":\"u\"}\n{\"k\":\"b\",\"u\":\"u\"}\n",
         "line 2: item \"b\" has no size"},
        {"{\"s\":-1,\"k\":\"a\",\"u\":\"u\"}\n", "has no size"},
        {"{\"s\":1.5,\"k\":\"a\",\"u\":\"u\"}\n", "has no size"},
        {"{\"s\":99999999999999999999,\"k\":\"a\",\"u\":\"u\"}\n", "not a JSON object"},
        {"{\"s\":1,\"u\":\"u\"}\n", "item \"\" is empty"},
        {"{\"s\":1,\"k\":7,\"u\":\"u\"}\n", "item \"\" is empty"},
        {"{\"s\":1,\"k\":\"../x\",\"u\":\"u\"}\n", "has a part \".\" or \"..\""},
        {"{\"s\":1,\"k\":\"/etc\",\"u\":\"u\"}\n", "starts with '/'"},
        {"{\"s\":1,\"k\":\"bakplane/manifest.json\",\"u\":\"u\"}\n", "lies below bakplane/"},
        {"{\"s\":1,\"k\":\"a\"}\n", "has no unit"},
        {"{\"s\":1,\"k\":\"a\",\"u\":\"u\",\"c\":\"md5:host:00\"}\n", "malformed checksum"},
        {"{\"s\":1,\"k\":\"a\",\"u\":\"u\",\"c\":5}\n", "malformed checksum"},
        {"{\"s\":1,\"k\":\"a\",\"u\":\"u\",\"g\":4294967296}\n", "impossible generation"},
        {"{\"s\":1,\"s\":2,\"k\":\"a\",\"u\":\"u\"}\n", "duplicate"},
        {"{\"s\":1,\"k\":\"a\\u0000b\",\"u\":\"u\"}\n", "not a JSON object"},
        {"{\"version\":\"x\"}\n", "\"version\" is no number"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GString) seen = g_string_new(NULL);
        ck_assert_msg(!read_text(bad[i].text, fixture_note_item, seen, &fix.error), "%s",
                      bad[i].text);
        ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, bad[i].why);
    }
}
END_TEST

START_TEST(test_read__newer_version)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    ck_assert(!read_text("{\"version\":2}\n", fixture_note_item, seen, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED,
                 "b/items has version 2, this bakplane reads up to 1");
}
END_TEST

START_TEST(test_read__head_is_no_item)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bp_item_head_append(text, "run-1", 7);
    ck_assert_str_eq(text->str, "{\"version\":1,\"run\":\"run-1\",\"seq\":7}\n");
    g_autoptr(GString) seen = g_string_new(NULL);
    ASSERT_FINE(read_text(text->str, fixture_note_item, seen, &fix.error), fix.error);
    ck_assert_str_eq(seen->str, "");
}
END_TEST

START_TEST(test_read__endless_line)
{
    g_autofree char *text = g_strnfill(10 << 20, ' ');
    g_autoptr(GString) seen = g_string_new(NULL);
    ck_assert(!read_text(text, fixture_note_item, seen, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "b/items line 1 is longer than 32768 bytes");
}
END_TEST

START_TEST(test_read__longest_line_that_can_be)
{
    g_autofree char *key = g_strnfill(BP_KEY_MAX, '\\');
    g_autofree char *unit = g_strnfill(4096, '\x01');
    bp_item_record record = {.key = key, .unit_id = unit, .size = G_MAXINT64, .etag = key};
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GString) back = g_string_new(NULL);
    bp_item_record_append(out, &record);
    ASSERT_FINE(read_text(out->str, keep_last, back, &fix.error), fix.error);
    ck_assert_str_eq(out->str, back->str);
}
END_TEST

START_TEST(test_read__missing_and_broken_storage)
{
    ck_assert(!bp_item_records_read(fix.store, &fix.call, "none", keep_last, NULL, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NOT_FOUND, "none");
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_READ, .cls = BP_ERR_RETRYABLE});
    ck_assert(!read_text("{}\n", keep_last, NULL, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_RETRYABLE, "injected");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/items", fixture_setup, fixture_teardown, test_append__one_line,
                     test_append__leaves_out_what_is_not_known, test_read__round_trip_of_odd_texts,
                     test_read__invalid_text_is_made_valid, test_read__any_pieces,
                     test_read__stop_is_no_error, test_read__error_of_the_callback,
                     test_read__refuses, test_read__newer_version, test_read__head_is_no_item,
                     test_read__endless_line, test_read__longest_line_that_can_be,
                     test_read__missing_and_broken_storage);
}
