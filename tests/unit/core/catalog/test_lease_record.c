/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/lease_record: a lease's text, and who is behind it.
 */
#include <unistd.h>

#include "core/base/clock.h"
#include "core/catalog/lease_internal.h"
#include "tests/harness/suite.h"

static bp_lease_record *
reparse(const bp_lease_record *record)
{
    g_autofree char *text = bp_lease_record_text(record);
    return bp_lease_record_parse(text, strlen(text));
}

START_TEST(test_text__round_trip)
{
    g_autoptr(bp_lease_record) record = bp_lease_record_new("run-1", "restore", 30 * BP_NS_PER_S);
    record->renewals = 7;
    g_autoptr(bp_lease_record) back = reparse(record);
    ck_assert(back->readable);
    ck_assert_str_eq(back->run_id, "run-1");
    ck_assert_str_eq(back->purpose, "restore");
    ck_assert_str_eq(back->boot, record->boot);
    ck_assert_str_eq(back->pid_space, record->pid_space);
    ck_assert_int_eq(back->pid, getpid());
    ck_assert_uint_ne(back->pid_start, 0);
    ck_assert_uint_eq(back->pid_start, record->pid_start);
    ck_assert_uint_eq(back->renewals, 7);
    ck_assert_int_eq(back->renew_ns, 30 * BP_NS_PER_S);
}
END_TEST

START_TEST(test_parse__what_is_no_lease)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[1]",
        "{\"version\":2,\"run\":\"x\"}",
        "{\"version\":1}",
        "{\"version\":1,\"run\":7}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(bp_lease_record) record = bp_lease_record_parse(bad[i], strlen(bad[i]));
        ck_assert_msg(!record->readable, "%s", bad[i]);
        ck_assert_int_eq(bp_lease_record_judge(record), BP_LEASE_UNKNOWN);
        g_autofree char *text = bp_lease_record_describe(record);
        ck_assert_str_eq(text, "somebody whose lease cannot be read");
    }
}
END_TEST

START_TEST(test_parse__hostile_numbers)
{
    static const char text[] = "{\"version\":1,\"run\":\"x\",\"pid\":9223372036854775807,"
                               "\"renew_ms\":9223372036854775807,\"since\":5}";
    g_autoptr(bp_lease_record) record = bp_lease_record_parse(text, strlen(text));
    ck_assert(record->readable);
    ck_assert_int_eq(record->pid, 0);
    ck_assert_int_eq(record->renew_ns, 0);
    ck_assert_int_eq(bp_lease_record_judge(record), BP_LEASE_UNKNOWN);
}
END_TEST

START_TEST(test_judge__ourselves_live)
{
    g_autoptr(bp_lease_record) record = bp_lease_record_new("run-1", "create", BP_NS_PER_S);
    ck_assert_int_eq(bp_lease_record_judge(record), BP_LEASE_LIVE);
    record->pid_start = 0; /* not known: the number alone decides */
    ck_assert_int_eq(bp_lease_record_judge(record), BP_LEASE_LIVE);
}
END_TEST

/* Each of these alone makes a process number mean nothing here. */
START_TEST(test_judge__only_where_the_number_means_something)
{
    for (guint i = 0; i < 3; i++) {
        g_autoptr(bp_lease_record) record = bp_lease_record_new("run-1", "create", BP_NS_PER_S);
        char **text = i == 0 ? &record->host : i == 1 ? &record->boot : &record->pid_space;
        record->pid = G_MAXINT32; /* would be dead */
        ck_assert_int_eq(bp_lease_record_judge(record), BP_LEASE_DEAD);
        g_free(*text);
        *text = g_strdup("other");
        ck_assert_int_eq(bp_lease_record_judge(record), BP_LEASE_UNKNOWN);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/lease_record", NULL, NULL, test_text__round_trip,
                     test_parse__what_is_no_lease, test_parse__hostile_numbers,
                     test_judge__ourselves_live, test_judge__only_where_the_number_means_something);
}
