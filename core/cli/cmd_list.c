/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane list and get.
 */
#include "core/base/error.h"
#include "core/cli/cli.h"
#include "core/cli/show.h"

#include "sdk/lib/ban.h"

static char *collection, *name, *document;
static gboolean detail;

static const GOptionEntry list_entries[] = {
    {"collection", 'c', 0, G_OPTION_ARG_STRING, &collection,
     "only backups that hold it: coll, db.coll, or *.coll in any database", "NAME"},
    {0},
};

static const GOptionEntry get_entries[] = {
    {"name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the backup (required)", "NAME"},
    {"detail", 'd', 0, G_OPTION_ARG_NONE, &detail, "with everything it holds", NULL},
    {"document", 0, 0, G_OPTION_ARG_STRING, &document,
     "print one of its documents as it lies on the storage", "KEY"},
    {0},
};

static bp_verb_outcome
run_list(bp_cli *cli, const bp_verb *verb, GError **error)
{
    (void)cli;
    return bp_verb_list(verb, collection, error);
}

static bp_verb_outcome
run_get(bp_cli *cli, const bp_verb *verb, GError **error)
{
    (void)cli;
    if (name == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "get needs the name of a backup (-n NAME)");
        return BP_VERB_FAILED;
    }
    return document != NULL ? bp_verb_document(verb, name, document, error)
                            : bp_verb_get(verb, name, detail, error);
}

const bp_command bp_command_list = {
    .name = "list",
    .summary = "show all backups",
    .description = "Lists what is on the backup storage: finished, running, failed and incomplete\n"
                   "backups, and those that another tool wrote. The source need not be running.",
    .entries = list_entries,
    .needs_config = true,
    .run = run_list,
    .show = bp_show_list,
};

const bp_command bp_command_get = {
    .name = "get",
    .summary = "show one backup",
    .description = "Shows the record of one backup. The source need not be running.",
    .entries = get_entries,
    .needs_config = true,
    .run = run_get,
    .show = bp_show_get,
};
