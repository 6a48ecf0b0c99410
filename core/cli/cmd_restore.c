/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane restore.
 */
#include "core/base/error.h"
#include "core/cli/cli.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static char *name, *filter, *collections, *databases, *database_collections, *suffix, *renames;
static gboolean dry_run, force, continue_on_error, meta_only;

static gboolean
refuse_rbac(const char *flag, const char *value, gpointer data, GError **error)
{
    (void)value;
    (void)data;
    bp_set_error(error, BP_ERR_UNSUPPORTED,
                 "%s: users, roles and grants cannot be restored by this version", flag);
    return FALSE;
}

static const GOptionEntry entries[] = {
    {"name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the backup (required)", "NAME"},
    {"filter", 0, 0, G_OPTION_ARG_STRING, &filter,
     "what to restore, by names after renaming: db., db.*, db.coll or coll (comma list)", "TERMS"},
    {"collections", 'c', 0, G_OPTION_ARG_STRING, &collections,
     "collections by their names in the backup", "LIST"},
    {"databases", 'd', 0, G_OPTION_ARG_STRING, &databases, "databases of the backup, whole",
     "LIST"},
    {"database-collections", 'a', 0, G_OPTION_ARG_STRING, &database_collections,
     "JSON object: database -> list of collections, names in the backup", "JSON"},
    {"suffix", 's', 0, G_OPTION_ARG_STRING, &suffix, "appended to every collection's name", "TEXT"},
    {"rename", 'r', 0, G_OPTION_ARG_STRING, &renames,
     "c1:c2, db1.c1:db2.c2 or db1.*:db2.* (comma list)", "RULES"},
    {"meta-only", 0, 0, G_OPTION_ARG_NONE, &meta_only, "make the collections, bring no data", NULL},
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "check everything, change nothing", NULL},
    {"force", 0, 0, G_OPTION_ARG_NONE, &force,
     "also into an older server than the backup was taken from", NULL},
    {"continue-on-error", 0, 0, G_OPTION_ARG_NONE, &continue_on_error,
     "try all collections although one has failed", NULL},
    {"rbac", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (gpointer)refuse_rbac,
     "refused: not in this version", NULL},
    {0},
};

static bp_verb_outcome
run(bp_cli *cli, const bp_job *job, GError **error)
{
    if (name == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "restore needs the name of a backup (-n NAME)");
        return BP_VERB_FAILED;
    }
    if (suffix != NULL && renames != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "--suffix and --rename exclude each other");
        return BP_VERB_FAILED;
    }
    bp_restore_params params = {
        .name = name,
        .select = {.children = collections, .parents = databases, .json = database_collections},
        .target_filter = filter,
        .rename = renames,
        .suffix = suffix,
        .overrides = (const char *const *)cli->overrides->pdata,
        .dry_run = dry_run,
        .force = force,
        .continue_on_error = continue_on_error,
        .without_items = meta_only,
    };
    return bp_job_restore(job, &params, error);
}

const bp_command bp_command_restore = {
    .name = "restore",
    .summary = "bring a backup's collections back",
    .description = "Creates the collections of a backup, brings their data in, and proves that\n"
                   "the rows are there. Indexes, aliases, properties and the load state come\n"
                   "back too. Nothing is touched before everything that can be checked has been.",
    .entries = entries,
    .source = BP_OPTIONS_RESTORE,
    .needs_config = true,
    .run = run,
    .show = bp_show_restore,
};
