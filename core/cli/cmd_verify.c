/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane verify and check.
 */
#include "core/cli/ask.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static char *name;
static gboolean deep;

static const GOptionEntry verify_entries[] = {
    {"name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the backup (required)", "NAME"},
    {"deep", 0, 0, G_OPTION_ARG_NONE, &deep,
     "read everything, compare checksums, record missing ones", NULL},
    {0},
};

static bp_verb_outcome
run_verify(bp_cli *cli, const bp_verb *verb, GError **error)
{
    json_t *request = bp_ask_new("verify");
    bp_ask_text(request, "name", name);
    bp_ask_switch(request, "deep", deep);
    return bp_ask_run(cli, verb, request, error);
}

static bp_verb_outcome
run_check(bp_cli *cli, const bp_verb *verb, GError **error)
{
    (void)cli;
    return bp_verb_check(verb, error);
}

const bp_command bp_command_verify = {
    .name = "verify",
    .summary = "compare a backup's objects with its record",
    .description =
        "Names every object that is missing, truncated, altered (--deep) or unexpected.\n"
        "Exit code 3 when there is one. The source need not be running.",
    .entries = verify_entries,
    .needs_config = true,
    .run = run_verify,
    .show = bp_show_verify,
};

const bp_command bp_command_check = {
    .name = "check",
    .summary = "try everything that backups and restores need",
    .description = "Checks configuration, plugins, connections, rights, and that the configured\n"
                   "storage really is the source's. Exit code 3 when something cannot be proven.",
    .needs_config = true,
    .run = run_check,
    .show = bp_show_check,
};
