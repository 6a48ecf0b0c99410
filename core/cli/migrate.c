/* SPDX-License-Identifier: Apache-2.0
 *
 * See migrate.h.
 */
#include "core/cli/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/compat/migrate.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

extern char **environ;

#define OWNER_ONLY 0600

/* The name is taken first, so that nothing is replaced that came meanwhile. */
static bool
claim(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OWNER_ONLY);
    if (fd < 0) {
        int why = errno;
        bp_set_error_errno(error, why, "%s", path);
        if (why == EEXIST) {
            bp_error_add_hint(error, "replace it by --force");
        }
        return false;
    }
    (void)close(fd); /* nothing was written */
    return true;
}

static bool
write_file(const bp_migrate_params *params, const char *text, GError **error)
{
    GError *problem = NULL;
    if (!params->force && !claim(params->output, error)) {
        return false;
    }
    if (!g_file_set_contents_full(params->output, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  OWNER_ONLY, &problem)) {
        bp_set_error(error, BP_ERR_PERMANENT, "%s", problem->message);
        g_error_free(problem);
        if (!params->force) {
            (void)unlink(params->output); /* claim() made it; the error of the write counts */
        }
        return false;
    }
    return true;
}

static bool
has_file(const bp_migrate_params *params)
{
    return params->output != NULL && strcmp(params->output, "-") != 0;
}

static bool
is_second(const bp_migrate_params *params)
{
    return g_strcmp0(params->to, "v2") == 0;
}

static bool
check(const bp_cli *cli, const bp_migrate_params *params, GError **error)
{
    if (params->to != NULL && !is_second(params) && strcmp(params->to, "native") != 0) {
        bp_set_error(error, BP_ERR_INVALID, "--to: there is no dialect \"%s\"", params->to);
        bp_error_add_hint(error, "there are native and v2");
        return false;
    }
    const bp_config_dialect *dialect = bp_config_foreign_dialect(cli->config);
    const GPtrArray *warnings = bp_config_warnings(cli->config);
    if (dialect == NULL) {
        const char *path = bp_config_path(cli->config);
        bp_set_error(error, BP_ERR_INVALID, "%s: there is nothing to migrate",
                     path != NULL ? path : "no configuration file");
        bp_error_add_hint(error, "name another tool's file with --config FILE");
        return false;
    }
    if (params->strict && !is_second(params) && warnings->len > 0) {
        bp_set_error(error, BP_ERR_INVALID, "--strict: %u warnings about the configuration",
                     warnings->len);
        return false;
    }
    if (!has_file(params) && (cli->globals.json || cli->globals.report != NULL)) {
        bp_set_error(error, BP_ERR_INVALID,
                     "config migrate: secrets do not go into a report; name a file by --output");
        return false;
    }
    return true;
}

/* Returns: (transfer full) (nullable) text that may hold secrets */
static char *
make_text(const bp_cli *cli, const bp_migrate_params *params, GPtrArray *report, GError **error)
{
    const char *path = bp_config_path(cli->config);
    const char *from = path != NULL ? path : "no file";
    if (!is_second(params)) {
        return bp_migrate_text(bp_config_file_layer(cli->config), from, report, error);
    }
    bool valid = false;
    char *text = bp_migrate_second(bp_config_foreign_root(cli->config), from,
                                   (const char *const *)environ, report, &valid, error);
    if (text != NULL && !valid && params->strict) {
        bp_set_error(error, BP_ERR_INVALID, "--strict: %s",
                     (char *)g_ptr_array_index(report, report->len - 1));
        g_clear_pointer(&text, g_free);
    }
    return text;
}

bp_verb_outcome
bp_migrate_run(const bp_cli *cli, const bp_verb *verb, const bp_migrate_params *params,
               GError **error)
{
    if (!check(cli, params, error)) {
        return BP_VERB_FAILED;
    }
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    char *text = make_text(cli, params, report, error);
    if (text == NULL) {
        return BP_VERB_FAILED;
    }
    for (guint i = 0; i < report->len; i++) {
        bp_monitor_note(verb->monitor, BP_NOTE_WARN, "migrate", g_ptr_array_index(report, i));
    }
    bool fine = !has_file(params) || write_file(params, text, error);
    if (has_file(params)) {
        bp_json_set_text(verb->result, "file", params->output);
    } else {
        bp_json_set_text(verb->result, "text", text);
    }
    bp_secret_wipe(text, strlen(text));
    g_free(text);
    return fine ? BP_VERB_OK : BP_VERB_FAILED;
}
