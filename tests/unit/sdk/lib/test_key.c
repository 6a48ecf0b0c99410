/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/key: the key rules by table and by property.
 */
#include "sdk/lib/key.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const good[] = {
    "a",
    "a/b",
    "with space/100%+x",
    "..a/...",
    ".hidden",
    "gr\xC3\xBC\xC3\x9F/\xE4\xB8\xAD\xE6\x96\x87/\xF0\x9F\x98\x80",
    "back\\slash:colon",
    "~",
};

static const struct {
    const char *key, *why;
} bad[] = {
    {"", "is empty"},
    {"/a", "starts with '/'"},
    {"/", "starts with '/'"},
    {"a/", "has an empty part"},
    {"a//b", "has an empty part"},
    {".", "has a part \".\" or \"..\""},
    {"..", "has a part \".\" or \"..\""},
    {"a/..", "has a part \".\" or \"..\""},
    {"a/../b", "has a part \".\" or \"..\""},
    {"./a", "has a part \".\" or \"..\""},
    {"a\nb", "contains a control byte"},
    {"a\x7f", "contains a control byte"},
    {"\xC3", "is not valid UTF-8"},
    {"\xC0\xAF", "is not valid UTF-8"},     /* overlong '/' */
    {"\xE0\x80\xAF", "is not valid UTF-8"}, /* overlong */
    {"\xED\xA0\x80", "is not valid UTF-8"}, /* surrogate */
    {"\xF4\x90\x80\x80", "is not valid UTF-8"},
    {"\xFF", "is not valid UTF-8"},
    {"a\x80", "is not valid UTF-8"},
};

START_TEST(test_check__accepts)
{
    const char *why = "unset";
    ck_assert_int_eq(bp_key_check(good[_i], &why), 0);
    ck_assert_ptr_null(why);
}
END_TEST

START_TEST(test_check__refuses_with_reason)
{
    const char *why = NULL;
    ck_assert_int_eq(bp_key_check(bad[_i].key, &why), -1);
    ck_assert_str_eq(why, bad[_i].why);
    ck_assert_int_eq(bp_key_check(bad[_i].key, NULL), -1);
}
END_TEST

START_TEST(test_check__length_limit)
{
    char key[BP_KEY_MAX + 2];
    const char *why;
    memset(key, 'k', sizeof(key));
    key[BP_KEY_MAX + 1] = '\0';
    ck_assert_int_eq(bp_key_check(key, &why), -1);
    ck_assert_str_eq(why, "longer than 1024 bytes");
    key[BP_KEY_MAX] = '\0';
    ck_assert_int_eq(bp_key_check(key, &why), 0);
}
END_TEST

START_TEST(test_check_prefix__may_end_anywhere)
{
    ck_assert_int_eq(bp_key_check_prefix("", NULL), 0);
    ck_assert_int_eq(bp_key_check_prefix("a/", NULL), 0);
    ck_assert_int_eq(bp_key_check_prefix("a/b", NULL), 0);
    ck_assert_int_eq(bp_key_check_prefix("a/..", NULL), 0);
    ck_assert_int_eq(bp_key_check_prefix("a/../", NULL), -1);
    ck_assert_int_eq(bp_key_check_prefix("a//", NULL), -1);
    ck_assert_int_eq(bp_key_check_prefix("/", NULL), -1);
}
END_TEST

static const struct {
    const char *prefix, *rest, *out;
} joins[] = {
    {"", "a", "a"},      {"a", "b", "a/b"}, {"a/", "b", "a/b"},   {"a/b/", "c/d", "a/b/c/d"},
    {"a", "", NULL},     {"", "", NULL},    {"a", "../b", NULL},  {"a", "/b", NULL},
    {"a", "b//c", NULL}, {"/", "a", NULL},  {"a", "b\x01", NULL}, {"..", "a", NULL},
};

START_TEST(test_join__table)
{
    char out[64] = "left over";
    int status = bp_key_join(out, sizeof(out), joins[_i].prefix, joins[_i].rest);
    if (joins[_i].out != NULL) {
        ck_assert_int_eq(status, 0);
        ck_assert_str_eq(out, joins[_i].out);
    } else {
        ck_assert_int_eq(status, -1);
        ck_assert_str_eq(out, "");
    }
}
END_TEST

START_TEST(test_join__needs_room_for_the_nul)
{
    char out[4];
    ck_assert_int_eq(bp_key_join(out, sizeof(out), "a", "b"), 0);
    ck_assert_int_eq(bp_key_join(out, 3, "a", "b"), -1);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(bp_key_join(out, 0, "a", "b"), -1);
}
END_TEST

/* A small generator of our own: the same keys in every run. */
static uint32_t
next_random(uint32_t *state)
{
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

/* The rules, written a second time as plainly as possible. */
static bool
plainly_valid(const char *key)
{
    size_t len = strlen(key);
    if (len == 0 || key[0] == '/' || key[len - 1] == '/' || strstr(key, "//") != NULL) {
        return false;
    }
    char padded[80] = "/";
    memcpy(padded + 1, key, len);
    memcpy(padded + 1 + len, "/", 2);
    return strstr(padded, "/./") == NULL && strstr(padded, "/../") == NULL;
}

START_TEST(test_root__as_people_write_it)
{
    static const char *const texts[][2] = {
        {NULL, ""},  {"", ""},      {"/", ""},         {"//", ""},
        {"a", "a/"}, {"/a/", "a/"}, {"a/b//", "a/b/"}, {"//a.b/c", "a.b/c/"}};
    char out[BP_KEY_MAX + 1];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(bp_key_root(out, sizeof(out), texts[i][0], NULL), 0);
        ck_assert_str_eq(out, texts[i][1]);
    }
}
END_TEST

START_TEST(test_root__what_is_none)
{
    char out[8];
    const char *why = NULL;
    ck_assert_int_eq(bp_key_root(out, sizeof(out), "a//b", &why), -1);
    ck_assert_str_eq(out, "");
    ck_assert_ptr_nonnull(why);
    ck_assert_int_eq(bp_key_root(out, sizeof(out), "a/../b", &why), -1);
    ck_assert_int_eq(bp_key_root(out, sizeof(out), "/abcdef/", &why), 0);
    ck_assert_int_eq(bp_key_root(out, sizeof(out), "/abcdefg/", &why), -1);
    ck_assert_str_eq(out, "");
    ck_assert_str_eq(why, "is too long");
}
END_TEST

START_TEST(test_check__agrees_with_the_plain_rules)
{
    static const char alphabet[] = "a./a.";
    uint32_t state = 42;
    unsigned valid = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char key[16];
        size_t len = next_random(&state) % 12;
        for (size_t i = 0; i < len; i++) {
            key[i] = alphabet[next_random(&state) % (sizeof(alphabet) - 1)];
        }
        key[len] = '\0';
        bool expected = plainly_valid(key);
        ck_assert_msg((bp_key_check(key, NULL) == 0) == expected, "key \"%s\"", key);
        valid += expected ? 1 : 0;
    }
    ck_assert_uint_gt(valid, 500);
}
END_TEST

START_TEST(test_join__result_is_always_a_key_below_the_prefix)
{
    static const char alphabet[] = "ab./";
    uint32_t state = 7;
    for (unsigned round = 0; round < 20000; round++) {
        char piece[2][8];
        for (unsigned p = 0; p < 2; p++) {
            size_t len = next_random(&state) % 7;
            for (size_t i = 0; i < len; i++) {
                piece[p][i] = alphabet[next_random(&state) % (sizeof(alphabet) - 1)];
            }
            piece[p][len] = '\0';
        }
        char out[32];
        if (bp_key_join(out, sizeof(out), piece[0], piece[1]) == 0) {
            ck_assert_int_eq(bp_key_check(out, NULL), 0);
            ck_assert_int_eq(strncmp(out, piece[0], strlen(piece[0])), 0);
        } else {
            ck_assert_str_eq(out, "");
        }
    }
}
END_TEST

START_TEST(test_show__what_fits_stays)
{
    char out[16];
    ck_assert_str_eq(bp_key_show(out, sizeof(out), "db/coll/part-01"), "db/coll/part-01");
    ck_assert_str_eq(bp_key_show(out, sizeof(out), ""), "");
}
END_TEST

START_TEST(test_show__beginning_and_end_stay)
{
    char out[16];
    ck_assert_str_eq(bp_key_show(out, sizeof(out), "db/collection/part-0001"),
                     "db/col\xE2\x80\xA6t-0001");
}
END_TEST

/* Whatever the place of the cut, and also in what is no UTF-8. */
START_TEST(test_show__cuts_between_characters)
{
    char key[256], out[64];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(key, 'x', sizeof(key));
        for (size_t i = shift; i + 4 < sizeof(key); i += 4) {
            memcpy(key + i, "\xF0\x9F\x98\x80", 4);
        }
        key[shift + 248] = '\0';
        ck_assert_int_eq(bp_utf8_check(bp_key_show(out, sizeof(out), key)), 0);
        ck_assert_uint_gt(strlen(out), sizeof(out) - 8);
    }
    memset(key, 0x80, sizeof(key));
    key[sizeof(key) - 1] = '\0';
    ck_assert_uint_lt(strlen(bp_key_show(out, sizeof(out), key)), sizeof(out));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/key");
    TCase *tcase = tcase_create("key");
    tcase_add_loop_test(tcase, test_check__accepts, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tcase, test_check__refuses_with_reason, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tcase, test_check__length_limit);
    tcase_add_test(tcase, test_check_prefix__may_end_anywhere);
    tcase_add_loop_test(tcase, test_join__table, 0, sizeof(joins) / sizeof(joins[0]));
    tcase_add_test(tcase, test_join__needs_room_for_the_nul);
    tcase_add_test(tcase, test_root__as_people_write_it);
    tcase_add_test(tcase, test_root__what_is_none);
    tcase_add_test(tcase, test_check__agrees_with_the_plain_rules);
    tcase_add_test(tcase, test_join__result_is_always_a_key_below_the_prefix);
    tcase_add_test(tcase, test_show__what_fits_stays);
    tcase_add_test(tcase, test_show__beginning_and_end_stay);
    tcase_add_test(tcase, test_show__cuts_between_characters);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
