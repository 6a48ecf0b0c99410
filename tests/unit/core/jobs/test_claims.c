/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/claims: which jobs are in each other's way.
 */
#include "core/jobs/claims.h"

#include "core/base/json.h"
#include "tests/unit/core/verb/verb_fixture.h"

static json_t *
claims_of(const char *text)
{
    bp_verb verb = verb_open();
    g_autoptr(json_t) request = bp_json_parse(text, strlen(text), "request", NULL);
    json_t *claims = bp_claims_of(verb.workspace, request);
    verb_close(&verb);
    return claims;
}

static bp_claims_verdict
compare(const char *one, const char *other)
{
    g_autoptr(json_t) ours = claims_of(one);
    g_autoptr(json_t) theirs = claims_of(other);
    return bp_claims_compare(ours, theirs);
}

#define CREATE_A "{\"verb\":\"create\",\"name\":\"a\"}"
#define CREATE_B "{\"verb\":\"create\",\"name\":\"b\"}"

START_TEST(test_compare__two_writers_of_one_backup)
{
    ck_assert_int_eq(compare(CREATE_A, CREATE_A), BP_CLAIMS_REFUSE);
    ck_assert_int_eq(compare(CREATE_A, "{\"verb\":\"delete\",\"name\":\"a\"}"), BP_CLAIMS_REFUSE);
    ck_assert_int_eq(compare("{\"verb\":\"verify\",\"name\":\"a\",\"deep\":true}",
                             "{\"verb\":\"delete\",\"name\":\"a\"}"),
                     BP_CLAIMS_REFUSE);
    ck_assert_int_eq(compare(CREATE_A, "{\"verb\":\"copy\",\"name\":\"a\",\"to\":\"backups\"}"),
                     BP_CLAIMS_REFUSE);
}
END_TEST

START_TEST(test_compare__by_where_the_backup_lies)
{
    static const char on_other[] = "{\"verb\":\"delete\",\"name\":\"a\",\"storage\":\"other\"}";
    ck_assert_int_eq(compare(CREATE_A, on_other), BP_CLAIMS_FREE);
    ck_assert_int_eq(compare("{\"verb\":\"copy\",\"name\":\"a\",\"to\":\"other\"}", on_other),
                     BP_CLAIMS_REFUSE);
}
END_TEST

START_TEST(test_compare__two_creates_of_one_source)
{
    ck_assert_int_eq(compare(CREATE_A, CREATE_B), BP_CLAIMS_WAIT);
}
END_TEST

START_TEST(test_compare__others_do_not_care)
{
    ck_assert_int_eq(compare(CREATE_A, "{\"verb\":\"delete\",\"name\":\"b\"}"), BP_CLAIMS_FREE);
    ck_assert_int_eq(compare(CREATE_A, "{\"verb\":\"copy\",\"name\":\"a\",\"to\":\"other\"}"),
                     BP_CLAIMS_FREE);
    ck_assert_int_eq(
        compare("{\"verb\":\"restore\",\"name\":\"a\"}", "{\"verb\":\"restore\",\"name\":\"a\"}"),
        BP_CLAIMS_FREE); /* the restore's journal knows their targets */
    ck_assert_int_eq(compare("{\"verb\":\"copy\",\"name\":\"a\",\"to\":\"nowhere\"}", CREATE_A),
                     BP_CLAIMS_FREE);
}
END_TEST

START_TEST(test_compare__what_only_looks)
{
    static const char verify[] = "{\"verb\":\"verify\",\"name\":\"a\"}";
    static const char dry_run[] = "{\"verb\":\"create\",\"name\":\"a\",\"dry_run\":true}";
    ck_assert_int_eq(compare(verify, verify), BP_CLAIMS_FREE);
    ck_assert_int_eq(compare(verify, CREATE_A), BP_CLAIMS_FREE);
    ck_assert_int_eq(compare(dry_run, CREATE_A), BP_CLAIMS_FREE);
    ck_assert_int_eq(compare(dry_run, CREATE_B), BP_CLAIMS_FREE);
}
END_TEST

/* What does not say where it is, is known by its name, and not taken for any other such. */
START_TEST(test_compare__storages_that_call_themselves_nothing)
{
    verb_spoil = verb_spoil_identities;
    ck_assert_int_eq(compare(CREATE_A, CREATE_A), BP_CLAIMS_REFUSE);
    ck_assert_int_eq(compare(CREATE_A, CREATE_B), BP_CLAIMS_WAIT);
    ck_assert_int_eq(compare(CREATE_A, "{\"verb\":\"copy\",\"name\":\"a\",\"to\":\"other\"}"),
                     BP_CLAIMS_FREE);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/jobs/claims", verb_setup, verb_teardown, test_compare__two_writers_of_one_backup,
        test_compare__by_where_the_backup_lies, test_compare__two_creates_of_one_source,
        test_compare__others_do_not_care, test_compare__what_only_looks,
        test_compare__storages_that_call_themselves_nothing);
}
