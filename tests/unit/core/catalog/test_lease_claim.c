/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/lease_claim: agreeing without exclusive creation.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/catalog/lease.h"
#include "tests/unit/core/catalog/fixture.h"

#define KEY "b/bakplane/lease.json"
#define LOWER_CLAIM "b/bakplane/lease-run-1.json"

static void
setup(void)
{
    fixture_setup();
    fake_store_facts(fix.store)->caps &= ~(guint64)(BP_STORE_IF_NONE_MATCH | BP_STORE_IF_MATCH);
}

static bp_lease *
take(gint64 renew_ms)
{
    bp_lease_params params = {.catalog = &fix.catalog,
                              .key = KEY,
                              .run_id = "run-2",
                              .purpose = "create",
                              .advisory = true,
                              .wait_stale = true,
                              .renew_ns = renew_ms * BP_NS_PER_MS};
    return bp_lease_take(&params, &fix.error);
}

static void
set_claim(const char *key, const char *host, gint64 pid)
{
    g_autofree char *text = fixture_lease_text("run-1", host, pid, BP_NS_PER_MS);
    fake_store_set_text(fix.store, key, text);
}

static void
assert_taken(bp_lease *lease)
{
    ASSERT_FINE(lease != NULL, fix.error);
    g_autofree char *text = fixture_text(KEY);
    ck_assert_ptr_nonnull(strstr(text, "\"run\": \"run-2\""));
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1); /* no claim stays */
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}

START_TEST(test_claim__alone)
{
    assert_taken(take(60));
}
END_TEST

START_TEST(test_claim__lower_claim_of_nobody_known_is_outwaited)
{
    set_claim(LOWER_CLAIM, "elsewhere", 1);
    assert_taken(take(60));
}
END_TEST

START_TEST(test_claim__lower_claim_of_the_dead)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    set_claim(LOWER_CLAIM, NULL, pid);
    assert_taken(take(60));
}
END_TEST

START_TEST(test_claim__lower_claim_of_the_living_wins)
{
    set_claim(LOWER_CLAIM, NULL, 0);
    ck_assert_ptr_null(take(6));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, KEY " is about to be taken by another run");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1); /* only the other's claim */
}
END_TEST

static void
win_elsewhere(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    set_claim(KEY, "elsewhere", 1);
}

START_TEST(test_claim__the_other_takes_it_meanwhile)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_LIST, .hook = win_elsewhere});
    ck_assert_ptr_null(take(6));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "held by create on host elsewhere");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
}
END_TEST

START_TEST(test_claim__stale_lease_is_replaced)
{
    set_claim(KEY, "elsewhere", 1);
    assert_taken(take(60));
}
END_TEST

static void
cancel_now(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    bp_cancel_trigger(fix.cancel, 2);
}

START_TEST(test_claim__cancelled_leaves_nothing)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_LIST, .hook = cancel_now});
    ck_assert_ptr_null(take(6));
    ASSERT_ERROR(fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_claim__is_dropped_at_another_attempt)
{
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_REMOVE, .times = 1, .cls = BP_ERR_RETRYABLE});
    assert_taken(take(6));
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/catalog/lease_claim", setup, fixture_teardown, test_claim__alone,
        test_claim__lower_claim_of_nobody_known_is_outwaited, test_claim__lower_claim_of_the_dead,
        test_claim__lower_claim_of_the_living_wins, test_claim__the_other_takes_it_meanwhile,
        test_claim__stale_lease_is_replaced, test_claim__cancelled_leaves_nothing,
        test_claim__is_dropped_at_another_attempt);
}
