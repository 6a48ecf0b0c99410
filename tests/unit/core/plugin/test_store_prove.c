/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/store_prove: what the server behind one store has of another.
 */
#include "core/plugin/store_internal.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

#define KEY "b1/meta/last.json"

static bp_store *server, *other;

static bp_store *
open_in_place(const char *name, const char *space, const char *place)
{
    bp_store *store = test_ops_open(name, space);
    (void)g_strlcpy(store->info.place, place, sizeof store->info.place);
    return store;
}

static void
setup(void)
{
    test_ops_reset();
    server = open_in_place("server", "files", "memory:bucket");
    other = open_in_place("other", "backup", "memory:bucket");
    test_ops_seed("backup", KEY, "a document");
}

static void
teardown(void)
{
    bp_store_free(server);
    bp_store_free(other);
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

START_TEST(test_prove_reach__by_a_copy_that_goes_again)
{
    ck_assert(bp_store_prove_reach(server, other, KEY, NULL));
    ck_assert_uint_eq(test_ops_calls("copy"), 1);
    ck_assert_uint_eq(test_ops_count("files"), 0);
    ck_assert_uint_eq(test_ops_count("backup"), 1);
}
END_TEST

START_TEST(test_prove_reach__other_or_unknown_places_are_not_tried)
{
    server->info.place[0] = '\0';
    ck_assert(!bp_store_prove_reach(server, other, KEY, NULL));
    other->info.place[0] = '\0';
    ck_assert(!bp_store_prove_reach(server, other, KEY, NULL));
    (void)g_strlcpy(server->info.place, "memory:elsewhere", sizeof server->info.place);
    ck_assert(!bp_store_prove_reach(server, other, KEY, NULL));
    ck_assert_uint_eq(test_ops_calls("copy"), 0);
}
END_TEST

START_TEST(test_prove_reach__what_cannot_be_copied_is_not_reached)
{
    ck_assert(!bp_store_prove_reach(server, other, "b1/meta/none.json", NULL));
    server->info.caps &= ~BP_STORE_SERVER_COPY;
    ck_assert(!bp_store_prove_reach(server, other, KEY, NULL));
    ck_assert_uint_eq(test_ops_count("files"), 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store_prove", setup, teardown,
                     test_prove_reach__by_a_copy_that_goes_again,
                     test_prove_reach__other_or_unknown_places_are_not_tried,
                     test_prove_reach__what_cannot_be_copied_is_not_reached);
}
