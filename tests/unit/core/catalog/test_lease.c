/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/lease: one holder, whoever competes, and what becomes of a lease whose holder is
 * gone.  Renewal periods are milliseconds; whoever waits, waits for an event.
 */
#include "core/catalog/lease.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/catalog/lease_internal.h"
#include "tests/unit/core/catalog/fixture.h"

#define KEY "b/bakplane/lease.json"
#define PATIENCE_NS (20 * BP_NS_PER_S)

static bp_lease_params
params_of(const char *run_id, gint64 renew_ms)
{
    return (bp_lease_params){.catalog = &fix.catalog,
                             .key = KEY,
                             .run_id = run_id,
                             .purpose = "create",
                             .renew_ns = renew_ms * BP_NS_PER_MS};
}

static void
set_lease(const char *run_id, const char *host, gint64 pid)
{
    g_autofree char *text = fixture_lease_text(run_id, host, pid, BP_NS_PER_MS);
    fake_store_set_text(fix.store, KEY, text);
}

static bool
holder_is(const char *run_id)
{
    g_autofree char *text = fixture_text(KEY);
    g_autofree char *wanted = g_strdup_printf("\"run\": \"%s\"", run_id);
    return text != NULL && strstr(text, wanted) != NULL;
}

/* A process id that was ours and is nobody's now. */
static gint64
dead_pid(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void
lose_exclusive(void)
{
    fake_store_facts(fix.store)->caps &= ~(guint64)BP_STORE_IF_NONE_MATCH;
}

static void
lose_conditional(void)
{
    fake_store_facts(fix.store)->caps &= ~(guint64)BP_STORE_IF_MATCH;
}

START_TEST(test_take__writes_and_removes)
{
    bp_lease_params params = params_of("run-1", 60000);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ASSERT_FINE(bp_lease_check(lease, &fix.error), fix.error);
    g_autofree char *text = fixture_text(KEY);
    g_autofree char *pid = g_strdup_printf("\"pid\": %d,", (int)getpid());
    ck_assert_ptr_nonnull(strstr(text, pid));
    ck_assert_ptr_nonnull(strstr(text, "\"purpose\": \"create\""));
    ck_assert_ptr_nonnull(strstr(text, "\"renew_ms\": 60000"));
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
    bp_lease_free(NULL);
}
END_TEST

START_TEST(test_take__held_by_a_living_process)
{
    bp_lease_params first = params_of("run-1", 60000);
    bp_lease_params second = params_of("run-2", 60000);
    second.wait_stale = true;
    bp_lease *lease = bp_lease_take(&first, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert_ptr_null(bp_lease_take(&second, &fix.error));
    g_autofree char *holder = g_strdup_printf(
        KEY " is held by create on host %s, process %d, since", g_get_host_name(), (int)getpid());
    ck_assert_ptr_nonnull(strstr(fix.error->message, "\nhint: wait until it has ended"));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, holder);
    ck_assert(holder_is("run-1"));
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_take__holder_is_dead)
{
    set_lease("run-1", NULL, dead_pid());
    bp_lease_params params = params_of("run-2", 60000);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert(holder_is("run-2"));
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_take__process_id_was_given_away_again)
{
    set_lease("run-1", NULL, getpid()); /* with another start time */
    bp_lease_params params = params_of("run-2", 60000);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert(holder_is("run-2"));
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_take__dead_holder_without_conditional_writes)
{
    lose_conditional();
    set_lease("run-1", NULL, dead_pid());
    bp_lease_params params = params_of("run-2", 12);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert(holder_is("run-2"));
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_take__other_host_without_waiting)
{
    set_lease("run-1", "elsewhere", 1);
    bp_lease_params params = params_of("run-2", 1);
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ck_assert_ptr_nonnull(strstr(fix.error->message, "delete the object " KEY));
    ASSERT_ERROR(fix.error, BP_ERR_EXISTS, "held by create on host elsewhere, process 1");
    ck_assert(holder_is("run-1"));
}
END_TEST

static void
cancel_now(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    bp_cancel_trigger(fix.cancel, 2);
}

START_TEST(test_take__unknown_outcome_that_worked)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT,
                                                  .times = 1,
                                                  .cls = BP_ERR_RETRYABLE,
                                                  .takes_effect = true});
    bp_lease_params params = params_of("run-1", 60000);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_COMMIT), 1);
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_take__cancelled_with_an_unknown_outcome_leaves_nothing)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT,
                                                  .times = 1,
                                                  .cls = BP_ERR_RETRYABLE,
                                                  .takes_effect = true,
                                                  .hook = cancel_now});
    bp_lease_params params = params_of("run-1", 60000);
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_take__storage_fails)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_DENIED});
    bp_lease_params params = params_of("run-1", 60000);
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_DENIED, "injected");
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_COMMIT), 1);
}
END_TEST

START_TEST(test_take__no_exclusive_creation)
{
    lose_exclusive();
    bp_lease_params params = params_of("run-1", 60000);
    ck_assert_ptr_null(bp_lease_take(&params, &fix.error));
    ck_assert_ptr_nonnull(strstr(fix.error->message, "\"lock: advisory\""));
    ASSERT_ERROR(fix.error, BP_ERR_UNSUPPORTED,
                 "storage backups cannot create an object exclusively");
}
END_TEST

/** One of several that want the same lease. */
typedef struct {
    char run_id[16];
    bool advisory;
    pthread_barrier_t *start;
    bp_lease *lease;
    int cls;
} rival;

static void *
compete(void *ctx)
{
    rival *r = ctx;
    bp_lease_params params = params_of(r->run_id, r->advisory ? 120 : 60000);
    params.advisory = r->advisory;
    g_autoptr(GError) error = NULL;
    (void)pthread_barrier_wait(r->start);
    r->lease = bp_lease_take(&params, &error);
    r->cls = bp_error_class(error);
    return NULL;
}

enum { N = 4 };

/* Claims are promised to be seen within a part of the period, which is short here: nobody looks at
 * them before all are there. */
static void
wait_for_claims(void *claimed, const char *key G_GNUC_UNUSED)
{
    (void)pthread_barrier_wait(claimed);
}

static void
run_rivals(bool advisory)
{
    rival rivals[N] = {0};
    pthread_t threads[N];
    pthread_barrier_t start, claimed;
    guint winners = 0;
    pthread_barrier_init(&start, NULL, N);
    pthread_barrier_init(&claimed, NULL, N);
    fake_store_add_fault(
        fix.store,
        &(fake_fault){.op = FAKE_LIST, .times = N, .hook = wait_for_claims, .ctx = &claimed});
    for (guint i = 0; i < N; i++) {
        g_snprintf(rivals[i].run_id, sizeof rivals[i].run_id, "run-%u", i);
        rivals[i].advisory = advisory;
        rivals[i].start = &start;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, compete, &rivals[i]), 0);
    }
    for (guint i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        winners += rivals[i].lease != NULL;
        ck_assert(rivals[i].lease != NULL || rivals[i].cls == BP_ERR_EXISTS);
    }
    ck_assert_uint_eq(winners, 1);
    for (guint i = 0; i < N; i++) {
        if (rivals[i].lease != NULL) {
            ck_assert(holder_is(rivals[i].run_id));
        }
        bp_lease_free(rivals[i].lease);
    }
    pthread_barrier_destroy(&start);
    pthread_barrier_destroy(&claimed);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}

START_TEST(test_take__many_compete_one_wins)
{
    run_rivals(false);
}
END_TEST

START_TEST(test_take__many_compete_by_claims_one_wins)
{
    lose_exclusive();
    lose_conditional();
    run_rivals(true);
}
END_TEST

static bp_lease *
taken(void)
{
    bp_lease_params params = params_of("run-1", 60000);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    return lease;
}

static void
break_calls(fake_op op, int cls, guint times)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = op, .cls = cls, .times = times});
}

START_TEST(test_release__is_tried_again)
{
    bp_lease *lease = taken();
    break_calls(FAKE_READ_OPEN, BP_ERR_THROTTLED, 1);
    break_calls(FAKE_REMOVE, BP_ERR_RETRYABLE, 1);
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_REMOVE), 2);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_release__is_tried_again_after_a_cancel)
{
    bp_lease *lease = taken();
    bp_cancel_trigger(fix.cancel, 2);
    break_calls(FAKE_REMOVE, BP_ERR_RETRYABLE, 1);
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_release__is_given_up_with_a_warning)
{
    bp_lease *lease = taken();
    break_calls(FAKE_REMOVE, BP_ERR_RETRYABLE, 0);
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_REMOVE), fix.catalog.attempts);
    ck_assert(holder_is("run-1"));
}
END_TEST

START_TEST(test_release__refused_is_not_tried_again)
{
    bp_lease *lease = taken();
    break_calls(FAKE_REMOVE, BP_ERR_DENIED, 0);
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_REMOVE), 1);
}
END_TEST

/* Waits until the object was renewed often enough, is lost, or patience ends. */
static bool
wait_for_renewals(guint wanted, const bp_cancel *on_loss)
{
    gint64 until = bp_clock_mono_ns() + PATIENCE_NS;
    while (!bp_cancel_is_set(on_loss) && bp_clock_mono_ns() < until) {
        g_autofree char *text = fixture_text(KEY);
        g_autoptr(bp_lease_record) record =
            bp_lease_record_parse(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
        if (record->renewals >= wanted) {
            return true;
        }
        (void)bp_cancel_sleep_ns(NULL, BP_NS_PER_MS);
    }
    return false;
}

START_TEST(test_renew__goes_on_after_the_job_was_cancelled)
{
    bp_lease_params params = params_of("run-1", 100);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    bp_cancel_trigger(fix.cancel, 2);
    ck_assert(wait_for_renewals(2, NULL));
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_renew__without_conditional_writes)
{
    lose_conditional();
    bp_lease_params params = params_of("run-1", 20);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert(wait_for_renewals(2, NULL));
    bp_lease_free(lease);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

/* Whether a lease is renewed three times, whose first renewal worked without being told so. */
static bool
outlives_unknown_outcome(gint64 renew_ms)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT,
                                                  .skip = 1,
                                                  .times = 1,
                                                  .cls = BP_ERR_RETRYABLE,
                                                  .takes_effect = true});
    g_autoptr(bp_cancel) on_loss = bp_cancel_new();
    bp_lease_params params = params_of("run-1", renew_ms);
    params.on_loss = on_loss;
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    bool renewed = wait_for_renewals(3, on_loss);
    bp_lease_free(lease);
    return renewed;
}

/* On a busy machine it may be overdue when it fails, but then it is not with a longer period. */
START_TEST(test_renew__unknown_outcome_that_worked)
{
    bool renewed = false;
    for (gint64 renew_ms = 100; !renewed && renew_ms < 10000; renew_ms *= 4) {
        renewed = outlives_unknown_outcome(renew_ms);
    }
    ck_assert(renewed);
}
END_TEST

static void
lose_to_another(void)
{
    g_autoptr(bp_cancel) on_loss = bp_cancel_new();
    bp_lease_params params = params_of("run-1", 10);
    params.on_loss = on_loss;
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    gint64 until = bp_clock_mono_ns() + PATIENCE_NS;
    do { /* a renewal that is on its way may write over it */
        set_lease("run-2", "elsewhere", 1);
    } while (bp_cancel_sleep_ns(on_loss, BP_NS_PER_MS) && bp_clock_mono_ns() < until);
    ck_assert(bp_cancel_is_set(on_loss));
    ck_assert(!bp_lease_check(lease, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_STALE, "lease " KEY " was lost: ");
    bp_lease_free(lease);
    ck_assert(holder_is("run-2")); /* another's lease is not ours to remove */
}

START_TEST(test_renew__taken_by_another)
{
    lose_to_another();
}
END_TEST

START_TEST(test_renew__taken_by_another_without_conditional_writes)
{
    lose_conditional();
    lose_to_another();
}
END_TEST

START_TEST(test_blame__not_while_it_is_held)
{
    bp_lease_params params = params_of("run-1", 3600 * 1000);
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    bp_set_error(&fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert(bp_lease_blame(lease, NULL, &fix.error));
    ck_assert_str_eq(fix.error->message, "cancelled");
    g_clear_error(&fix.error);
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_blame__only_what_the_loss_has_stopped)
{
    g_autoptr(bp_cancel) user = bp_cancel_new();
    bp_lease_params params = params_of("run-1", 10);
    g_autoptr(bp_cancel) on_loss = params.on_loss = bp_cancel_new();
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    set_lease("run-2", "elsewhere", 1);
    ck_assert(!bp_cancel_sleep_ns(on_loss, PATIENCE_NS));
    ck_assert(!bp_lease_blame(lease, user, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_STALE, "lease " KEY " was lost: ");
    bp_set_error(&fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert(!bp_lease_blame(lease, user, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_STALE, "lease " KEY " was lost: ");
    bp_set_error(&fix.error, BP_ERR_DENIED, "no right");
    ck_assert(!bp_lease_blame(lease, user, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_DENIED, "no right\nhint: lease " KEY " was lost: ");
    bp_set_error(&fix.error, BP_ERR_CORRUPT, "not there\nhint: verify it");
    ck_assert(!bp_lease_blame(lease, user, &fix.error));
    ck_assert(g_str_has_suffix(fix.error->message, "took it\nhint: verify it"));
    ASSERT_ERROR(fix.error, BP_ERR_CORRUPT, "not there; lease " KEY " was lost: somebody else");
    bp_cancel_trigger(user, 2);
    bp_set_error(&fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert(!bp_lease_blame(lease, user, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CANCELLED, "cancelled\nhint: ");
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_renew__fails_for_too_long)
{
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_COMMIT, .skip = 1, .cls = BP_ERR_RETRYABLE});
    g_autoptr(bp_cancel) on_loss = bp_cancel_new();
    bp_lease_params params = params_of("run-1", 10);
    params.on_loss = on_loss;
    bp_lease *lease = bp_lease_take(&params, &fix.error);
    ASSERT_FINE(lease != NULL, fix.error);
    ck_assert(!bp_cancel_sleep_ns(on_loss, PATIENCE_NS));
    ck_assert(!bp_lease_check(lease, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_STALE, "lost: it could not be renewed for too long: ");
    bp_lease_free(lease);
}
END_TEST

START_TEST(test_look__all_states)
{
    bp_lease_state state = BP_LEASE_LIVE;
    g_autofree char *holder = NULL;
    ck_assert(bp_lease_look(&fix.catalog, KEY, &state, &holder, NULL));
    ck_assert_int_eq(state, BP_LEASE_NONE);
    ck_assert_ptr_null(holder);
    set_lease("run-1", NULL, 0);
    ck_assert(bp_lease_look(&fix.catalog, KEY, &state, &holder, NULL));
    ck_assert_int_eq(state, BP_LEASE_LIVE);
    ck_assert_ptr_nonnull(strstr(holder, "create on host "));
    set_lease("run-1", NULL, dead_pid());
    ck_assert(bp_lease_look(&fix.catalog, KEY, &state, NULL, NULL));
    ck_assert_int_eq(state, BP_LEASE_DEAD);
    set_lease("run-1", "elsewhere", 1);
    ck_assert(bp_lease_look(&fix.catalog, KEY, &state, NULL, NULL));
    ck_assert_int_eq(state, BP_LEASE_UNKNOWN);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/catalog/lease", fixture_setup, fixture_teardown, test_take__writes_and_removes,
        test_take__held_by_a_living_process, test_take__holder_is_dead,
        test_take__process_id_was_given_away_again,
        test_take__dead_holder_without_conditional_writes, test_take__other_host_without_waiting,
        test_take__unknown_outcome_that_worked,
        test_take__cancelled_with_an_unknown_outcome_leaves_nothing, test_take__storage_fails,
        test_take__no_exclusive_creation, test_take__many_compete_one_wins,
        test_take__many_compete_by_claims_one_wins, test_release__is_tried_again,
        test_release__is_tried_again_after_a_cancel, test_release__is_given_up_with_a_warning,
        test_release__refused_is_not_tried_again, test_renew__goes_on_after_the_job_was_cancelled,
        test_renew__without_conditional_writes, test_renew__unknown_outcome_that_worked,
        test_renew__taken_by_another, test_renew__taken_by_another_without_conditional_writes,
        test_renew__fails_for_too_long, test_blame__only_what_the_loss_has_stopped,
        test_blame__not_while_it_is_held, test_look__all_states);
}
