/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane create.
 */
#include "core/cli/ask.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static char *name, *label, *filter, *collections, *databases, *database_collections;
static gboolean resume, replace, dry_run, meta_only;

static const GOptionEntry entries[] = {
    {"name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the backup (default: from the time)",
     "NAME"},
    {"label", 0, 0, G_OPTION_ARG_STRING, &label,
     "name of the series that the backup is one of, for metrics and lists", "LABEL"},
    {"filter", 0, 0, G_OPTION_ARG_STRING, &filter,
     "what to back up: db., db.*, db.coll or coll (comma list; default everything)", "TERMS"},
    {"colls", 'c', 0, G_OPTION_ARG_STRING, &collections, "collections, coll or db.coll", "LIST"},
    {"databases", 'd', 0, G_OPTION_ARG_STRING, &databases, "databases, whole", "LIST"},
    {"database-collections", 'a', 0, G_OPTION_ARG_STRING, &database_collections,
     "JSON object: database -> list of collections", "JSON"},
    {"meta-only", 0, 0, G_OPTION_ARG_NONE, &meta_only, "schemas and indexes, no data", NULL},
    {"resume", 0, 0, G_OPTION_ARG_NONE, &resume,
     "go on with a backup that was interrupted or failed", NULL},
    {"replace", 0, 0, G_OPTION_ARG_NONE, &replace, "delete what the name holds, start over", NULL},
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "say what would be copied, copy nothing", NULL},
    {0},
};

static bp_verb_outcome
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    json_t *request = bp_ask_new("create");
    bp_ask_text(request, "name", name);
    bp_ask_text(request, "label", label);
    bp_ask_text(request, "filter", filter);
    bp_ask_text(request, "collections", collections);
    bp_ask_text(request, "databases", databases);
    bp_ask_text(request, "database_collections", database_collections);
    bp_ask_settings(request, cli);
    bp_ask_switch(request, "resume", resume);
    bp_ask_switch(request, "replace", replace);
    bp_ask_switch(request, "dry_run", dry_run);
    bp_ask_switch(request, "meta_only", meta_only);
    return bp_ask_run(cli, verb, request, error);
}

const bp_command bp_command_create = {
    .name = "create",
    .summary = "make a backup",
    .description = "Copies what the source holds to the backup storage. A success is only\n"
                   "reported when every object that the source named has arrived and its size\n"
                   "(and checksum, where both sides have one) agrees.",
    .entries = entries,
    .source = BP_OPTIONS_CREATE,
    .needs_config = true,
    .run = run,
    .show = bp_show_create,
};
