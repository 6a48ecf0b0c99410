/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane restore.
 */
#include "core/base/error.h"
#include "core/cli/ask.h"
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
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    json_t *request = bp_ask_new("restore");
    bp_ask_text(request, "name", name);
    bp_ask_text(request, "filter", filter);
    bp_ask_text(request, "collections", collections);
    bp_ask_text(request, "databases", databases);
    bp_ask_text(request, "database_collections", database_collections);
    bp_ask_text(request, "rename", renames);
    bp_ask_text(request, "suffix", suffix);
    bp_ask_settings(request, cli);
    bp_ask_switch(request, "dry_run", dry_run);
    bp_ask_switch(request, "force", force);
    bp_ask_switch(request, "continue_on_error", continue_on_error);
    bp_ask_switch(request, "meta_only", meta_only);
    return bp_ask_run(cli, verb, request, error);
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
