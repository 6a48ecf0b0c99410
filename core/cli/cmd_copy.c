/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane copy.
 */
#include "core/cli/ask.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static char *name, *from, *to;
static gboolean resume, replace, dry_run;

static const GOptionEntry entries[] = {
    {"name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the backup (required)", "NAME"},
    {"to", 0, 0, G_OPTION_ARG_STRING, &to, "storage that it is copied to (required)", "STORAGE"},
    {"from", 0, 0, G_OPTION_ARG_STRING, &from,
     "storage that holds it (default: backup.storage of the configuration)", "STORAGE"},
    {"resume", 0, 0, G_OPTION_ARG_NONE, &resume, "go on with a copy that was interrupted or failed",
     NULL},
    {"replace", 0, 0, G_OPTION_ARG_NONE, &replace,
     "delete what the name holds at the target, start over", NULL},
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "say what would be copied, copy nothing", NULL},
    {0},
};

static bp_verb_outcome
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    json_t *request = bp_ask_new("copy");
    bp_ask_text(request, "name", name);
    bp_ask_text(request, "from", from);
    bp_ask_text(request, "to", to);
    bp_ask_settings(request, cli);
    bp_ask_switch(request, "resume", resume);
    bp_ask_switch(request, "replace", replace);
    bp_ask_switch(request, "dry_run", dry_run);
    return bp_ask_run(cli, verb, request, error);
}

const bp_command bp_command_copy = {
    .name = "copy",
    .summary = "copy a finished backup to another storage",
    .description =
        "Copies a backup, whoever wrote it, to another of the configured storages. What\n"
        "passes through is compared with the recorded checksums, and the sizes of all\n"
        "objects at the target with the record. The source need not be running.",
    .entries = entries,
    .source = BP_OPTIONS_COPY,
    .needs_config = true,
    .run = run,
    .show = bp_show_copy,
};
