/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/ready, and what core/server/api_health makes of it.
 */
#include "core/server/ready.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "core/base/thread.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_verb verb;
static bp_ready *ready;

static void
setup(void)
{
    verb_setup();
    verb_seed();
    verb = verb_open();
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_workspace_load_plugins(verb.workspace, &error), error);
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    ready = bp_ready_new(bp_workspace_new_beside(verb.workspace, NULL), state);
}

static void
teardown(void)
{
    g_clear_pointer(&ready, bp_ready_free);
    verb_close(&verb);
    verb_teardown();
}

START_TEST(test_get__all_is_well)
{
    bp_ready_state state = bp_ready_get(ready);
    ck_assert(state.source && state.storage && state.jobs);
    ck_assert_uint_eq(verb_count("state/jobs"), 0);
}
END_TEST

START_TEST(test_get__one_does_not)
{
    verb_remove("backups");
    verb_write("backups", "no folder");
    bp_ready_state state = bp_ready_get(ready);
    ck_assert(state.source && !state.storage && state.jobs);
}
END_TEST

/* As on a full disk: files can be made, but nothing can be written to them. */
START_TEST(test_get__no_job_can_be_put_on_record)
{
    struct rlimit limit;
    ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit none = {.rlim_cur = 64, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    bp_ready_state state = bp_ready_get(ready);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(state.source && !state.jobs);
}
END_TEST

/* What was found is told for a while, whatever became of it. */
START_TEST(test_get__does_not_look_again_and_again)
{
    bp_ready_state first = bp_ready_get(ready);
    verb_remove("backups");
    verb_write("backups", "no folder");
    bp_ready_state second = bp_ready_get(ready);
    ck_assert(first.storage && second.storage);
}
END_TEST

static void *
ask(void *ctx)
{
    *(bp_ready_state *)ctx = bp_ready_get(ready);
    return NULL;
}

START_TEST(test_get__many_at_once_get_the_same)
{
    pthread_t threads[8];
    bp_ready_state states[G_N_ELEMENTS(threads)] = {0};
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        bp_thread_start(&threads[i], ask, &states[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
        ck_assert(states[i].source && states[i].storage);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/ready", setup, teardown, test_get__all_is_well, test_get__one_does_not,
                     test_get__no_job_can_be_put_on_record, test_get__does_not_look_again_and_again,
                     test_get__many_at_once_get_the_same);
}
