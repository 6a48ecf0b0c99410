/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane delete and prune.
 */
#include "core/base/error.h"
#include "core/cli/ask.h"
#include "core/cli/show.h"

#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

static char *name, *keep_within;
static gboolean force, dry_run, foreign;
static gint keep_last;

static const GOptionEntry delete_entries[] = {
    {"name", 'n', 0, G_OPTION_ARG_STRING, &name, "name of the backup (required)", "NAME"},
    {"force", 0, 0, G_OPTION_ARG_NONE, &force,
     "also what is not recognised as a backup below that name", NULL},
    {0},
};

static const GOptionEntry prune_entries[] = {
    {"keep-last", 0, 0, G_OPTION_ARG_INT, &keep_last, "keep the newest N successful backups", "N"},
    {"keep-within", 0, 0, G_OPTION_ARG_STRING, &keep_within,
     "keep successful backups younger than this (12h, 30d)", "TIME"},
    {"foreign", 0, 0, G_OPTION_ARG_NONE, &foreign, "count and delete other tools' backups too",
     NULL},
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "say what would be deleted", NULL},
    {0},
};

static bp_verb_outcome
run_delete(bp_cli *cli, const bp_verb *verb, GError **error)
{
    json_t *request = bp_ask_new("delete");
    bp_ask_text(request, "name", name);
    bp_ask_switch(request, "force", force);
    return bp_ask_run(cli, verb, request, error);
}

static bp_verb_outcome
run_prune(bp_cli *cli, const bp_verb *verb, GError **error)
{
    uint64_t within_ms = 0;
    if (keep_last < 0 || (keep_within != NULL && bp_parse_duration_ms(keep_within, &within_ms))) {
        bp_set_error(error, BP_ERR_INVALID,
                     "%s is no valid value\nhint: --keep-last 7, "
                     "--keep-within 30d",
                     keep_last < 0 ? "--keep-last" : keep_within);
        return BP_VERB_FAILED;
    }
    json_t *request = bp_ask_new("prune");
    json_object_set_new(request, "keep_last", json_integer(keep_last));
    json_object_set_new(request, "keep_within_ms",
                        json_integer((json_int_t)MIN(within_ms, G_MAXINT64)));
    bp_ask_switch(request, "dry_run", dry_run);
    bp_ask_switch(request, "foreign", foreign);
    return bp_ask_run(cli, verb, request, error);
}

const bp_command bp_command_delete = {
    .name = "delete",
    .summary = "delete one backup",
    .description = "Deletes a backup, in an order in which no tool takes the remains for a whole\n"
                   "one. Safe to repeat. The source need not be running.",
    .entries = delete_entries,
    .needs_config = true,
    .run = run_delete,
    .show = bp_show_done,
};

const bp_command bp_command_prune = {
    .name = "prune",
    .summary = "delete old backups by rule",
    .description = "Deletes successful backups that no rule keeps. Failed, running and incomplete\n"
                   "ones are never chosen.",
    .entries = prune_entries,
    .needs_config = true,
    .run = run_prune,
    .show = bp_show_prune,
};
