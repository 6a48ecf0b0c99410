/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/keyset: a set that grows.
 */
#include "core/catalog/keyset.h"

#include "tests/harness/suite.h"

START_TEST(test_add__tells_what_is_new)
{
    g_autoptr(bp_keyset) set = bp_keyset_new();
    ck_assert(bp_keyset_add(set, "a/b"));
    ck_assert(!bp_keyset_add(set, "a/b"));
    ck_assert(bp_keyset_add(set, "a/c"));
    ck_assert(bp_keyset_has(set, "a/b"));
    ck_assert(!bp_keyset_has(set, "a"));
}
END_TEST

START_TEST(test_add__many)
{
    g_autoptr(bp_keyset) set = bp_keyset_new();
    char key[32];
    for (guint i = 0; i < 100000; i++) {
        g_snprintf(key, sizeof key, "item/%u", i);
        ck_assert(bp_keyset_add(set, key));
    }
    for (guint i = 0; i < 200000; i++) {
        g_snprintf(key, sizeof key, "item/%u", i);
        ck_assert(bp_keyset_has(set, key) == (i < 100000));
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/keyset", NULL, NULL, test_add__tells_what_is_new,
                     test_add__many);
}
