/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane server: becomes bakplane-server, which is a program of its own because only it needs
 * libraries for serving.
 */
#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/cli/cli.h"

#include "sdk/lib/ban.h"

#define PROGRAM "bakplane-server"

static char *port;
static gboolean insecure;

static const GOptionEntry entries[] = {
    {"port", 'p', 0, G_OPTION_ARG_STRING, &port, "port of REST, instead of server.listen's",
     "PORT"},
    {"insecure", 0, 0, G_OPTION_ARG_NONE, &insecure,
     "serve other machines without authentication, if auth is none", NULL},
    {0},
};

static void
add_value(GPtrArray *words, const char *flag, const char *value)
{
    if (value != NULL) {
        g_ptr_array_add(words, g_strdup_printf("%s=%s", flag, value));
    }
}

/* Returns: (transfer full) char*, up to NULL */
static GPtrArray *
build_words(const bp_cli *cli)
{
    const bp_globals *g = &cli->globals;
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(words, g_strdup(PROGRAM));
    add_value(words, "--config", g->config);
    for (char **set = g->sets; set != NULL && *set != NULL; set++) {
        add_value(words, "--set", *set);
    }
    add_value(words, "--log-format", g->log_format);
    add_value(words, "--port", port);
    add_value(words, "--dialect", cli->front != NULL ? cli->front->name : NULL);
    if (insecure) {
        g_ptr_array_add(words, g_strdup("--insecure"));
    }
    if (g->quiet) {
        g_ptr_array_add(words, g_strdup("--quiet"));
    }
    for (gint i = 0; i < g->verbose; i++) {
        g_ptr_array_add(words, g_strdup("--verbose"));
    }
    g_ptr_array_add(words, NULL);
    return words;
}

static bp_verb_outcome
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    (void)verb;
    const bp_globals *g = &cli->globals;
    if (cli->args[0] != NULL || g->json || g->report != NULL || g->progress != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s",
                     cli->args[0] != NULL ? "server takes no words" : "server has no result");
        bp_error_add_hint(error, "leave away words, --json, --report and --progress");
        return BP_VERB_FAILED;
    }
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : "");
    g_autofree char *program = g_build_filename(folder, PROGRAM, NULL);
    g_autoptr(GPtrArray) words = build_words(cli);
    (void)execv(program, (char **)words->pdata); /* returns only where it failed */
    bp_set_error_errno(error, errno, "starting %s", program);
    return BP_VERB_FAILED;
}

const bp_command bp_command_server = {
    .name = "server",
    .summary = "serve jobs, backups and their state to programs, by REST and gRPC",
    .description =
        "Listens where the section server of the configuration says, and works on what\n"
        "clients ask for, in processes that go on when the server ends. Clients show the\n"
        "token that the server made for itself when it was first started.",
    .entries = entries,
    .run = run,
};
