/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_fixture.h.
 */
#include "tests/unit/core/server/api_fixture.h"

#include <sys/wait.h>

#include "core/base/clock.h"
#include "core/server/api_backups.h"
#include "core/server/api_config.h"
#include "core/server/api_jobs.h"

#define PATIENCE_NS (60 * BP_NS_PER_S)

bp_service *api_service;
static bp_verb verb;
static bp_server_settings *settings;

void
api_setup(void)
{
    g_autoptr(GError) error = NULL;
    verb_setup();
    verb_seed();
    verb = verb_open();
    const bp_config_tree *config = bp_workspace_config(verb.workspace);
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    settings = bp_server_settings_load(config, state, NULL, &error);
    ASSERT_FINE(settings != NULL, error);
    bp_service_params params = {.config = config,
                                .settings = settings,
                                .state_dir = state,
                                .program = g_getenv("BAKPLANE_BIN")};
    api_service = bp_service_new(&params, &error);
    ASSERT_FINE(api_service != NULL, error);
}

void
api_teardown(void)
{
    g_clear_pointer(&api_service, bp_service_free);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    g_clear_pointer(&settings, bp_server_settings_free);
    verb_close(&verb);
    verb_teardown();
}

static const bp_route *
find(const char *method, const bp_http_target *target)
{
    const struct {
        const bp_route *routes;
        gsize n;
    } tables[] = {{bp_api_jobs_routes, bp_api_jobs_n_routes},
                  {bp_api_backups_routes, bp_api_backups_n_routes},
                  {bp_api_config_routes, bp_api_config_n_routes}};
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *allow = NULL;
        const bp_route *route =
            bp_route_find(tables[i].routes, tables[i].n, method, target, &allow);
        if (route != NULL) {
            return route;
        }
    }
    return NULL;
}

bp_reply *
api_ask_with_key(const char *method, const char *path, const char *body, const char *key)
{
    g_autoptr(bp_http_target) target = bp_http_target_parse(path, NULL);
    ck_assert_ptr_nonnull(target);
    g_autoptr(GHashTable) headers = g_hash_table_new(g_str_hash, g_str_equal);
    if (key != NULL) {
        g_hash_table_insert(headers, (char *)"idempotency-key", (char *)key);
    }
    const bp_route *route = find(method, target);
    ck_assert_msg(route != NULL, "no route for %s %s", method, path);
    bp_http_request request = {.method = method,
                               .target = target,
                               .route = route,
                               .headers = headers,
                               .body = body != NULL ? body : "",
                               .n = body != NULL ? strlen(body) : 0};
    return route->answer(api_service, &request);
}

bp_reply *
api_ask(const char *method, const char *path, const char *body)
{
    return api_ask_with_key(method, path, body, NULL);
}

json_t *
api_get(const char *path)
{
    g_autoptr(bp_reply) answer = api_ask("GET", path, NULL);
    ck_assert_msg(answer->status == 200, "%u: %s", answer->status, answer->body);
    return bp_json_parse(answer->body, answer->n, path, NULL);
}

const char *
api_header(const bp_reply *answer, const char *name)
{
    for (guint i = 0; i < answer->headers->len; i += 2) {
        if (strcmp(g_ptr_array_index(answer->headers, i), name) == 0) {
            return g_ptr_array_index(answer->headers, i + 1);
        }
    }
    return NULL;
}

char *
api_start(const char *method, const char *path, const char *body)
{
    g_autoptr(bp_reply) answer = api_ask(method, path, body);
    ck_assert_msg(answer->status == 202, "%u: %s", answer->status, answer->body);
    ck_assert_ptr_nonnull(api_header(answer, "Location"));
    return g_strdup(api_header(answer, "Location"));
}

void
api_wait_for(const char *path, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) found = bp_service_wait(api_service, path + strlen(API_JOBS "/"),
                                              bp_clock_mono_ns() + PATIENCE_NS, NULL, &error);
    ASSERT_FINE(found != NULL, error);
    ck_assert_str_eq(bp_json_text(found, "state", "?"), state);
}
