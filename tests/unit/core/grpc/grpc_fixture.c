/* SPDX-License-Identifier: Apache-2.0
 *
 * See grpc_fixture.h.
 */
#include "tests/unit/core/grpc/grpc_fixture.h"

#include <sys/wait.h>

#include "core/base/clock.h"
#include "core/server/v1.h"
#include "tests/unit/core/verb/verb_fixture.h"

#define OPERATE "operate-0123456789abcdef"
#define GRACE_NS (30 * BP_NS_PER_S)

bp_grpc *server;
client *boss, *reader, *nobody;
atomic_int n_waiting, n_told;
static bp_verb verb;
static bp_server_settings *settings;
static bp_service *service;
static bp_access *access_rules;

static json_t *
play_list(bp_service *s, const bp_v1_call *call)
{
    ck_assert_ptr_eq(s, service);
    return json_pack("{s:s,s:[{s:s}]}", "msg",
                     bp_json_text(call->request, "collection_name", "none"), "data", "name", "b");
}

/* Until it is told not to wait any more. */
static json_t *
play_create(bp_service *s, const bp_v1_call *call)
{
    (void)s;
    atomic_fetch_add(&n_waiting, 1);
    bool was_told = !bp_cancel_sleep_ns(call->stopping, 60 * BP_NS_PER_S);
    atomic_fetch_add(&n_told, was_told ? 1 : 0);
    return json_pack("{s:s}", "msg", "its job goes on");
}

const bp_v1_operation bp_v1_operations[] = {
    {"ListBackups", &bp_v1_list_backups_request, &bp_v1_list_backups_response, BP_ROLE_READ, true,
     play_list},
    {"CreateBackup", &bp_v1_create_backup_request, &bp_v1_backup_info_response, BP_ROLE_OPERATE,
     true, play_create},
    {"RestoreSecondary", &bp_v1_restore_secondary_request, &bp_v1_restore_backup_response,
     BP_ROLE_OPERATE, false, play_create},
};
const gsize bp_v1_n_operations = G_N_ELEMENTS(bp_v1_operations);

bp_grpc_params
rig_params(void)
{
    return (bp_grpc_params){.address = "127.0.0.1", .service = service, .access = access_rules};
}

static void
start(const bp_grpc_params *params)
{
    g_autoptr(GError) error = NULL;
    server = bp_grpc_start(params, &error);
    ASSERT_FINE(server != NULL, error);
    boss = client_new(bp_grpc_port(server), OPERATE);
    reader = client_new(bp_grpc_port(server), READ);
    nobody = client_new(bp_grpc_port(server), NULL);
}

void
rig_setup(void)
{
    g_autoptr(GError) error = NULL;
    verb_setup();
    verb_seed();
    verb = verb_open();
    const bp_config_tree *config = bp_workspace_config(verb.workspace);
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    settings = bp_server_settings_load(config, state, NULL, &error);
    ASSERT_FINE(settings != NULL, error);
    bp_service_params for_service = {.config = config,
                                     .settings = settings,
                                     .state_dir = state,
                                     .program = g_getenv("BAKPLANE_BIN")};
    service = bp_service_new(&for_service, &error);
    ASSERT_FINE(service != NULL, error);
    static const bp_access_token tokens[] = {{OPERATE, BP_ROLE_OPERATE}, {READ, BP_ROLE_READ}};
    bp_access_params for_access = {.address = "127.0.0.1", .tokens = tokens, .n_tokens = 2};
    access_rules = bp_access_new(&for_access, &error);
    ASSERT_FINE(access_rules != NULL, error);
    bp_grpc_params for_server = rig_params();
    start(&for_server);
    atomic_store(&n_waiting, 0);
    atomic_store(&n_told, 0);
}

void
rig_stop(void)
{
    bp_grpc_stop(g_steal_pointer(&server), GRACE_NS);
}

static void
leave(void)
{
    client_free(boss);
    client_free(reader);
    client_free(nobody);
    rig_stop();
}

void
rig_start_again(const bp_grpc_params *params)
{
    leave();
    start(params);
}

void
rig_teardown(void)
{
    leave();
    bp_access_free(access_rules);
    g_clear_pointer(&service, bp_service_free);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    g_clear_pointer(&settings, bp_server_settings_free);
    verb_close(&verb);
    verb_teardown();
}

void
rig_wait_for(atomic_int *number, int wanted)
{
    gint64 deadline_ns = bp_clock_mono_ns() + 60 * BP_NS_PER_S;
    while (atomic_load(number) < wanted) {
        ck_assert_msg(bp_clock_mono_ns() < deadline_ns, "not within a minute");
        (void)bp_cancel_sleep_ns(NULL, BP_NS_PER_MS);
    }
}
