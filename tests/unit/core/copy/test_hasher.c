/* SPDX-License-Identifier: Apache-2.0
 *
 * Known answers of each kind, in one go and in pieces.
 */
#include "core/copy/hasher.h"
#include "fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

static const struct {
    guint32 kind;
    const char *text, *hex;
} answers[] = {
    {BP_CHECKSUM_XXH3_128, "", "99aa06d3014798d86001c324468d497f"},
    {BP_CHECKSUM_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {BP_CHECKSUM_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {BP_CHECKSUM_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {BP_CHECKSUM_CRC32C, "", "00000000"},
    {BP_CHECKSUM_CRC32C, "123456789", "e3069283"},
    {BP_CHECKSUM_CRC32C, "The quick brown fox jumps over the lazy dog", "22620404"},
};

static void
assert_hex(const bp_hasher *hasher, const char *hex)
{
    struct bp_checksum sum;
    char found[BP_CHECKSUM_HEX_MAX];
    bp_hasher_get(hasher, &sum);
    bp_checksum_to_hex(&sum, found);
    ck_assert_str_eq(found, hex);
    ck_assert_uint_eq(sum.by, BP_CHECKSUM_BY_HOST);
}

START_TEST(test_hasher_get__known_answer)
{
    g_autoptr(bp_hasher) hasher = bp_hasher_new(answers[_i].kind);
    bp_hasher_update(hasher, answers[_i].text, strlen(answers[_i].text));
    assert_hex(hasher, answers[_i].hex);
}
END_TEST

START_TEST(test_hasher_update__pieces_equal_whole)
{
    for (guint32 kind = BP_CHECKSUM_XXH3_128; kind <= BP_CHECKSUM_MD5; kind++) {
        g_autoptr(GBytes) bytes = test_bytes(100003);
        const guint8 *data = g_bytes_get_data(bytes, NULL);
        g_autoptr(bp_hasher) whole = bp_hasher_new(kind);
        g_autoptr(bp_hasher) pieces = bp_hasher_new(kind);
        bp_hasher_update(whole, data, 100003);
        for (gsize at = 0, n; at < 100003; at += n) {
            n = MIN(at % 977 + 1, 100003 - at);
            bp_hasher_update(pieces, data + at, n);
        }
        struct bp_checksum a, b;
        bp_hasher_get(whole, &a);
        bp_hasher_get(pieces, &b);
        ck_assert(bp_checksum_equal(&a, &b));
    }
}
END_TEST

START_TEST(test_hasher_copy__goes_back_to_a_point)
{
    for (guint32 kind = BP_CHECKSUM_XXH3_128; kind <= BP_CHECKSUM_MD5; kind++) {
        g_autoptr(bp_hasher) hasher = bp_hasher_new(kind);
        g_autoptr(bp_hasher) saved = bp_hasher_new(kind);
        struct bp_checksum before, after;
        bp_hasher_update(hasher, "good", 4);
        bp_hasher_get(hasher, &before);
        bp_hasher_copy(saved, hasher);
        bp_hasher_update(hasher, "bad", 3);
        bp_hasher_copy(hasher, saved);
        bp_hasher_get(hasher, &after);
        ck_assert(bp_checksum_equal(&before, &after));
    }
}
END_TEST

START_TEST(test_crc32c_join__equals_whole)
{
    static const gsize cuts[] = {0, 1, 7, 8, 4096, 99999, 100003};
    g_autoptr(GBytes) bytes = test_bytes(100003);
    const guint8 *data = g_bytes_get_data(bytes, NULL);
    g_autoptr(bp_hasher) hasher = bp_hasher_new(BP_CHECKSUM_CRC32C);
    struct bp_checksum whole, first, second;
    bp_hasher_update(hasher, data, 100003);
    bp_hasher_get(hasher, &whole);
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        bp_hasher_reset(hasher);
        bp_hasher_update(hasher, data, cuts[i]);
        bp_hasher_get(hasher, &first);
        bp_hasher_reset(hasher);
        bp_hasher_update(hasher, data + cuts[i], 100003 - cuts[i]);
        bp_hasher_get(hasher, &second);
        bp_crc32c_join(&first, &second, 100003 - cuts[i]);
        ck_assert(bp_checksum_equal(&first, &whole));
    }
}
END_TEST

START_TEST(test_hasher_reset__is_as_new)
{
    g_autoptr(bp_hasher) hasher = bp_hasher_new(BP_CHECKSUM_XXH3_128);
    bp_hasher_update(hasher, "x", 1);
    bp_hasher_reset(hasher);
    assert_hex(hasher, "99aa06d3014798d86001c324468d497f");
}
END_TEST

START_TEST(test_hasher_new__nothing_for_none)
{
    ck_assert_ptr_null(bp_hasher_new(BP_CHECKSUM_NONE));
    ck_assert_ptr_null(bp_hasher_new(77));
    struct bp_checksum sum = {.kind = 1};
    bp_hasher_update(NULL, "x", 1);
    bp_hasher_get(NULL, &sum);
    ck_assert_uint_eq(sum.kind, BP_CHECKSUM_NONE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/hasher");
    TCase *tc = tcase_create("hasher");
    tcase_add_loop_test(tc, test_hasher_get__known_answer, 0, G_N_ELEMENTS(answers));
    tcase_add_test(tc, test_hasher_update__pieces_equal_whole);
    tcase_add_test(tc, test_hasher_copy__goes_back_to_a_point);
    tcase_add_test(tc, test_crc32c_join__equals_whole);
    tcase_add_test(tc, test_hasher_reset__is_as_new);
    tcase_add_test(tc, test_hasher_new__nothing_for_none);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
