/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane copy.
 */
#include "core/base/error.h"
#include "core/cli/cli.h"
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
run(bp_cli *cli, const bp_job *job, GError **error)
{
    if (name == NULL || to == NULL) {
        bp_set_error(error, BP_ERR_INVALID,
                     "copy needs the name of a backup and where to copy it (-n NAME --to STORAGE)");
        return BP_VERB_FAILED;
    }
    bp_copy_job_params params = {
        .name = name,
        .from = from,
        .to = to,
        .overrides = (const char *const *)cli->overrides->pdata,
        .resume = resume,
        .replace = replace,
        .dry_run = dry_run,
    };
    return bp_job_copy(job, &params, error);
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
