/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1_fixture.h.
 */
#include "tests/unit/core/server/v1_fixture.h"

#include <sys/wait.h>

bp_service *v1_service;

static bp_verb verb;
static bp_server_settings *settings;

static void
start(void)
{
    g_autoptr(GError) error = NULL;
    const bp_config_tree *config = bp_workspace_config(verb.workspace);
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    bp_service_params params = {.config = config,
                                .settings = settings,
                                .state_dir = state,
                                .program = g_getenv("BAKPLANE_BIN")};
    v1_service = bp_service_new(&params, &error);
    ASSERT_FINE(v1_service != NULL, error);
}

static void
stop(void)
{
    g_clear_pointer(&v1_service, bp_service_free);
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

void
v1_setup(void)
{
    g_autoptr(GError) error = NULL;
    verb_setup();
    verb_seed();
    verb = verb_open();
    settings =
        bp_server_settings_load(bp_workspace_config(verb.workspace), verb_root, NULL, &error);
    ASSERT_FINE(settings != NULL, error);
    start();
}

void
v1_teardown(void)
{
    stop();
    g_clear_pointer(&settings, bp_server_settings_free);
    verb_close(&verb);
    verb_teardown();
}

void
v1_restart(void)
{
    stop();
    start();
}

json_t *
v1_run_as(const char *operation, const char *request, const char *request_id)
{
    g_autoptr(GError) error = NULL;
    const bp_v1_operation *found = bp_v1_find(operation);
    ck_assert_msg(found != NULL, "%s", operation);
    g_autoptr(json_t) given = json_loads(request, 0, NULL);
    g_autoptr(json_t) read = bp_message_read(found->request, given, &error);
    ASSERT_FINE(read != NULL, error);
    bp_v1_call call = {.request = read, .request_id = request_id, .origin = "test"};
    g_autoptr(json_t) answer = found->run(v1_service, &call);
    return bp_message_show(found->response, answer);
}

json_t *
v1_run(const char *operation, const char *request)
{
    return v1_run_as(operation, request, NULL);
}

json_int_t
v1_number(const json_t *object, const char *key)
{
    ck_assert_msg(json_is_integer(json_object_get(object, key)), "no number %s", key);
    return json_integer_value(json_object_get(object, key));
}

void
v1_expect(const json_t *answer, bp_v1_code code, const char *part)
{
    g_autofree char *line = bp_json_line(answer);
    ck_assert_msg(v1_number(answer, "code") == (json_int_t)code, "%s", line);
    ck_assert_msg(strstr(bp_json_text(answer, "msg", ""), part) != NULL, "%s lacks %s", line, part);
}

void
v1_answers(const char *operation, const char *request, bp_v1_code code, const char *part)
{
    g_autoptr(json_t) answer = v1_run(operation, request);
    v1_expect(answer, code, part);
}

void
v1_wait(const json_t *answer)
{
    g_autoptr(GError) error = NULL;
    const char *id = bp_json_text(json_object_get(answer, "data"), "id", "");
    g_autoptr(json_t) over = bp_service_wait(v1_service, id, G_MAXINT64, NULL, &error);
    ASSERT_FINE(over != NULL, error);
}
