/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/service, on a supervisor with real workers; routes and the guard that hang on it.
 */
#include "core/server/service.h"

#include <pthread.h>
#include <sys/wait.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/server/routes.h"
#include "tests/unit/core/verb/verb_fixture.h"

#define PATIENCE_NS (60 * BP_NS_PER_S)

static bp_verb verb;
static bp_server_settings *settings;
static bp_cancel *ending;
static bp_service *service;

static bp_service *
make(GError **error)
{
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    bp_service_params params = {.config = bp_workspace_config(verb.workspace),
                                .settings = settings,
                                .state_dir = state,
                                .program = g_getenv("BAKPLANE_BIN"),
                                .cancel = ending};
    return bp_service_new(&params, error);
}

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    verb_setup();
    verb_seed();
    verb = verb_open();
    ending = bp_cancel_new();
    settings =
        bp_server_settings_load(bp_workspace_config(verb.workspace), verb_root, NULL, &error);
    ASSERT_FINE(settings != NULL, error);
    service = make(&error);
    ASSERT_FINE(service != NULL, error);
}

static void
teardown(void)
{
    g_clear_pointer(&service, bp_service_free);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    g_clear_pointer(&settings, bp_server_settings_free);
    g_clear_pointer(&ending, bp_cancel_free);
    verb_close(&verb);
    verb_teardown();
}

START_TEST(test_new__one_for_a_state_dir)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(make(&error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "another server works on this state_dir");
}
END_TEST

static void *
borrow(void *out)
{
    *(bp_workspace **)out = bp_service_borrow(service, NULL);
    return NULL;
}

/* The fifth waits until one comes back, and gets that one. */
START_TEST(test_borrow__four_at_a_time)
{
    bp_workspace *lent[BP_SERVICE_WORKSPACES] = {NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(lent); i++) {
        g_autoptr(GError) error = NULL;
        const bp_catalog *catalog = NULL;
        lent[i] = bp_service_borrow(service, &error);
        ASSERT_FINE(lent[i] != NULL, error);
        ASSERT_FINE(bp_workspace_catalog(lent[i], &catalog, &error), error);
    }
    bp_workspace *fifth = NULL;
    pthread_t thread;
    bp_thread_start(&thread, borrow, &fifth);
    bp_service_give_back(service, lent[1]);
    pthread_join(thread, NULL);
    ck_assert_ptr_eq(fifth, lent[1]);
    for (gsize i = 0; i < G_N_ELEMENTS(lent); i++) {
        bp_service_give_back(service, lent[i]);
    }
}
END_TEST

START_TEST(test_borrow__not_when_it_ends)
{
    g_autoptr(GError) error = NULL;
    bp_cancel_trigger(ending, 0);
    ck_assert_ptr_null(bp_service_borrow(service, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "the server ends");
    bp_service_give_back(service, NULL);
}
END_TEST

static char *
submit(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) request = bp_json_parse(text, strlen(text), "request", &error);
    bp_submit_params params = {.request = request, .origin = "rest-v2"};
    char *id = bp_supervisor_submit(bp_service_supervisor(service), &params, &error);
    ASSERT_FINE(id != NULL, error);
    return id;
}

START_TEST(test_wait__until_it_is_over)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit("{\"verb\":\"create\",\"name\":\"b\"}");
    g_autoptr(json_t) done =
        bp_service_wait(service, id, bp_clock_mono_ns() + PATIENCE_NS, NULL, &error);
    ASSERT_FINE(done != NULL, error);
    ck_assert_str_eq(bp_json_text(done, "state", ""), "succeeded");
    ck_assert_ptr_nonnull(json_object_get(done, "result"));
    ck_assert_ptr_null(bp_service_wait(service, "20261126-014500-8c1f03", 0, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no job");
}
END_TEST

START_TEST(test_wait__not_longer_than_asked)
{
    g_autofree char *id = submit("{\"verb\":\"create\",\"name\":\"b\"}");
    g_autoptr(json_t) now = bp_service_wait(service, id, 0, NULL, NULL);
    ck_assert_ptr_nonnull(now);
    bp_cancel_trigger(ending, 0);
    g_autoptr(json_t) stopped =
        bp_service_wait(service, id, bp_clock_mono_ns() + 3600 * BP_NS_PER_S, ending, NULL);
    ck_assert_ptr_nonnull(stopped);
}
END_TEST

START_TEST(test_changes__of_one_and_of_any)
{
    gint64 until_ns = bp_clock_mono_ns() + PATIENCE_NS;
    guint64 before = bp_service_changes(service, NULL);
    g_autofree char *id = submit("{\"verb\":\"create\",\"name\":\"b\"}");
    guint64 seen = bp_service_wait_change(service, id, 0, until_ns, NULL);
    ck_assert_uint_ne(seen, 0);
    ck_assert_uint_ge(bp_service_changes(service, NULL), MAX(seen, before));
    ck_assert_uint_eq(bp_service_changes(service, "20261126-014500-8c1f03"), 0);
    ck_assert_uint_eq(bp_service_wait_change(service, "x", 0, 0, NULL), 0);
}
END_TEST

/* A path belongs to one table: the first would hide the others. */
START_TEST(test_routes__no_two_are_the_same)
{
    g_autoptr(GArray) all = bp_routes_all();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    ck_assert_uint_gt(all->len, 0);
    for (guint i = 0; i < all->len; i++) {
        const bp_route *route = &g_array_index(all, bp_route, i);
        char *key = g_strdup_printf("%s %s", route->method, route->path);
        ck_assert_msg(g_hash_table_add(seen, key), "%s is there twice", key);
        ck_assert_ptr_nonnull(route->answer);
    }
}
END_TEST

/* Nothing that changes anything may be asked for by who only looks. */
START_TEST(test_routes__who_looks_changes_nothing)
{
    g_autoptr(GArray) all = bp_routes_all();
    for (guint i = 0; i < all->len; i++) {
        const bp_route *route = &g_array_index(all, bp_route, i);
        bool is_greeting = strcmp(route->path, "/") == 0; /* by every method, as that tool's */
        bool looks = is_greeting || strcmp(route->method, "GET") == 0;
        ck_assert_msg(looks || route->role == BP_ROLE_OPERATE, "%s %s", route->method, route->path);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/service", setup, teardown, test_new__one_for_a_state_dir,
                     test_borrow__four_at_a_time, test_borrow__not_when_it_ends,
                     test_wait__until_it_is_over, test_wait__not_longer_than_asked,
                     test_changes__of_one_and_of_any, test_routes__no_two_are_the_same,
                     test_routes__who_looks_changes_nothing);
}
