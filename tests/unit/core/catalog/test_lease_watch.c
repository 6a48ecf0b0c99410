/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/lease_watch: whether a lease is still renewed whose holder cannot be looked for.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/catalog/lease.h"
#include "tests/unit/core/catalog/fixture.h"

#define KEY "b/bakplane/lease.json"

static bp_lease_params
watching(gint64 renew_ms)
{
    return (bp_lease_params){.catalog = &fix.catalog,
                             .key = KEY,
                             .run_id = "run-2",
                             .purpose = "create",
                             .wait_stale = true,
                             .renew_ns = renew_ms * BP_NS_PER_MS};
}

/* Of another host, so that nobody can tell whether its process is alive. */
static void
set_lease(void)
{
    g_autofree char *text = fixture_lease_text("run-1", "elsewhere", 1, BP_NS_PER_MS);
    fake_store_set_text(fix.store, KEY, text);
}

static bool
holder_is(const char *run_id)
{
    g_autofree char *text = fixture_text(KEY);
    g_autofree char *wanted = g_strdup_printf("\"run\": \"%s\"", run_id);
    return text != NULL && strstr(text, wanted) != NULL;
}

START_TEST(test_take__other_host_that_renews_no_more)
{
    set_lease();
    bp_lease_params params = watching(4);
    gint64 begun = bp_clock_mono_ns();
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert_int_ge(bp_clock_mono_ns() - begun, 12 * BP_NS_PER_MS); /* three periods */
    ck_assert(holder_is("run-2"));
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_take__unreadable_lease_is_watched_too)
{
    fake_store_set_text(fix.store, KEY, "not json");
    bp_lease_params params = watching(2);
    params.wait_stale = false;
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "held by somebody whose lease cannot be read");
    params.wait_stale = true;
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    bp_lease_free(lease);
}
END_TEST

static void
renew_elsewhere(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    set_lease(); /* a new version */
}

START_TEST(test_take__other_host_that_renews)
{
    set_lease();
    fake_store_add_fault(
        fix.store,
        &(fake_fault){.op = FAKE_READ_OPEN, .key = KEY, .skip = 1, .hook = renew_elsewhere});
    bp_lease_params params = watching(4);
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "held by create on host elsewhere");
    ck_assert(holder_is("run-1"));
}
END_TEST

/* The watcher is stopped before its first look, for longer than it meant to watch. */
static void
be_late(void *ctx, const char *line)
{
    if (strstr(line, "watching whether a lease is still renewed") != NULL) {
        (void)bp_cancel_sleep_ns(NULL, *(const gint64 *)ctx);
    }
}

START_TEST(test_take__other_host_that_renews_is_seen_however_late)
{
    bp_lease_params params = watching(4);
    gint64 too_long_ns = 4 * params.renew_ns;
    set_lease();
    fake_store_add_fault(
        fix.store,
        &(fake_fault){.op = FAKE_READ_OPEN, .key = KEY, .skip = 1, .hook = renew_elsewhere});
    bp_log_set_sink(be_late, &too_long_ns);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    bp_log_set_sink(NULL, NULL);
    ck_assert_ptr_null(lease);
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "held by create on host elsewhere");
    ck_assert(holder_is("run-1"));
}
END_TEST

static void
remove_lease(void *ctx G_GNUC_UNUSED, const char *key)
{
    (void)bp_store_remove(fix.store, NULL, key, NULL, NULL);
}

START_TEST(test_take__released_while_watched)
{
    set_lease();
    fake_store_add_fault(
        fix.store,
        &(fake_fault){
            .op = FAKE_READ_OPEN, .key = KEY, .skip = 1, .times = 1, .hook = remove_lease});
    bp_lease_params params = watching(600000); /* would take half an hour */
    params.renew_ns = 30 * BP_NS_PER_MS;
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert(holder_is("run-2"));
    bp_lease_free(lease);
}
END_TEST

static void
cancel_now(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    bp_cancel_trigger(fix.cancel, 2);
}

START_TEST(test_take__cancelled_while_watching)
{
    set_lease();
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_READ_OPEN, .key = KEY, .hook = cancel_now});
    bp_lease_params params = watching(600000);
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert(holder_is("run-1"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/lease_watch", fixture_setup, fixture_teardown,
                     test_take__other_host_that_renews_no_more,
                     test_take__unreadable_lease_is_watched_too, test_take__other_host_that_renews,
                     test_take__other_host_that_renews_is_seen_however_late,
                     test_take__released_while_watched, test_take__cancelled_while_watching);
}
