/* SPDX-License-Identifier: Apache-2.0
 *
 * See front_run.h.
 */
#include "core/cli/front_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

extern char **environ;

const bp_front *
bp_front_named(const char *argv0)
{
    g_autofree char *name = g_path_get_basename(argv0 != NULL ? argv0 : "");
    return strcmp(name, bp_compat_front.name) == 0 ? &bp_compat_front : NULL;
}

static int
refuse(const bp_cli *cli, const GError *error)
{
    g_autofree char *text = bp_output_error_text(error, cli->output.color_stderr);
    fputs(text, stderr);
    if (bp_error_is(error, BP_ERR_NOT_FOUND)) {
        return BP_EXIT_USAGE; /* no configuration: a 2 there, too */
    }
    fprintf(stderr, "try: %s --help\n", cli->front->name);
    return BP_EXIT_FAILED;
}

bool
bp_front_take(bp_cli *cli, char **argv, int *code)
{
    g_autoptr(GError) error = NULL;
    bp_front_in in = {.argv = (const char *const *)argv,
                      .environ = (const char *const *)environ,
                      .terminal = isatty(STDERR_FILENO) == 1};
    if (!cli->front->translate(&in, &cli->call, &error)) {
        *code = refuse(cli, error);
        return false;
    }
    if (cli->call.text != NULL) {
        *code = bp_output_write(stdout, cli->call.text, &error) ? BP_EXIT_DONE : BP_EXIT_FAILED;
        return false;
    }
    for (guint i = 0; i < cli->call.warnings->len; i++) {
        bp_monitor_note(cli->monitor, BP_NOTE_WARN, "command line",
                        g_ptr_array_index(cli->call.warnings, i));
    }
    return true;
}

char *
bp_front_text(const bp_cli *cli, const json_t *result, bp_verb_outcome outcome)
{
    if (cli->front == NULL) {
        return NULL;
    }
    bp_front_result shown = {
        .call = &cli->call, .json = result, .config = cli->config, .done = outcome == BP_VERB_OK};
    return cli->front->show(&shown);
}
