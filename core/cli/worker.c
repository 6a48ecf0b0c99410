/* SPDX-License-Identifier: Apache-2.0
 *
 * See worker.h.
 */
#include "core/cli/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/init.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/compat/dialect.h"
#include "core/jobs/work.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "worker"
#define MAX_DESCRIPTION 65536

static json_t *
read_description(GError **error)
{
    static char text[MAX_DESCRIPTION];
    gsize n = fread(text, 1, sizeof text, stdin);
    json_t *work = bp_json_parse(text, n, "what a worker is told", error);
    if (work != NULL &&
        (bp_json_text(work, "state_dir", NULL) == NULL || bp_json_text(work, "id", NULL) == NULL)) {
        bp_set_error(error, BP_ERR_INVALID, "a worker is told state_dir and id");
        json_decref(work);
        return NULL;
    }
    return work;
}

static bp_config_tree *
load_config(const json_t *work, GError **error)
{
    const json_t *list = json_object_get(work, "sets");
    g_autoptr(GPtrArray) sets = g_ptr_array_new();
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_ptr_array_add(sets, (gpointer)json_string_value(json_array_get(list, i)));
    }
    g_ptr_array_add(sets, NULL);
    /* Whoever started us has found out what it is, also where the file alone does not tell. */
    bool is_foreign = bp_json_text(work, "dialect", NULL) != NULL;
    bp_config_params params = {.path = bp_json_text(work, "config", NULL),
                               .sets = (const char *const *)sets->pdata,
                               .dialects =
                                   is_foreign ? &bp_compat_config_assumed : &bp_compat_config,
                               .n_dialects = 1};
    return bp_config_load(&params, error);
}

static void
set_log(const bp_config_tree *config)
{
    bool json = g_strcmp0(bp_config_peek(config, "log.format"), "json") == 0;
    enum bp_log_level level = BP_LOG_INFO;
    const char *configured = bp_config_peek(config, "log.level");
    if (configured != NULL) {
        (void)bp_log_level_parse(configured, &level); /* checked with the configuration */
    }
    bp_log_set_level(level);
    bp_log_set_format(json ? BP_LOG_FORMAT_JSON : BP_LOG_FORMAT_TEXT);
}

static bp_verb_outcome
work_on(bp_jobs *jobs, const json_t *work, bp_cancel *cancel, GError **error)
{
    const char *id = bp_json_text(work, "id", "");
    g_autoptr(GError) problem = NULL;
    g_autoptr(bp_config_tree) config = load_config(work, &problem);
    g_autoptr(bp_workspace) workspace =
        config != NULL ? bp_workspace_new(config, cancel, &problem) : NULL;
    if (workspace == NULL) {
        bp_jobs_work_failed(jobs, id, BP_WORK_LOCK_FD, problem);
        g_propagate_error(error, g_steal_pointer(&problem));
        return BP_VERB_FAILED;
    }
    set_log(config);
    g_autoptr(bp_monitor) monitor = bp_monitor_new();
    g_autoptr(json_t) result = json_object();
    bp_verb verb = {.workspace = workspace, .monitor = monitor, .result = result};
    bp_work_params params = {
        .jobs = jobs, .id = id, .take_lock = BP_WORK_LOCK_FD, .verb = &verb, .cancel = cancel};
    return bp_jobs_work(&params, error);
}

int
bp_cli_worker(bp_cancel *cancel)
{
    g_set_prgname("bakplane");
    bp_base_init();
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) work = read_description(&error);
    bool locked = fcntl(BP_WORK_LOCK_FD, F_SETFD, FD_CLOEXEC) == 0;
    if (work == NULL || !locked) {
        fprintf(stderr, "error: %s\n",
                error != NULL ? error->message : "only a server starts that");
        return BP_EXIT_USAGE;
    }
    bp_log_set_job(bp_json_text(work, "id", ""));
    bp_log_set_shared(true); /* its server's log */
    g_autoptr(bp_jobs) jobs = bp_jobs_open(bp_json_text(work, "state_dir", ""));
    bp_verb_outcome outcome = work_on(jobs, work, cancel, &error);
    if (error != NULL) {
        BP_ERROR_LOG(error->message);
    }
    static const int codes[] = {BP_EXIT_DONE, BP_EXIT_DIFFERENT, BP_EXIT_FAILED};
    return codes[outcome];
}
