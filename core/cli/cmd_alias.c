/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane install-alias.
 */
#include <errno.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/cli/cli.h"

#include "sdk/lib/ban.h"

static char *dir;

static const GOptionEntry entries[] = {
    {"dir", 0, 0, G_OPTION_ARG_FILENAME, &dir,
     "where to make the link (default: beside this program)", "DIR"},
    {0},
};

/* Whether the link is there already, and leads here. */
static bool
is_ours(const char *link, const char *program)
{
    g_autofree char *target = g_file_read_link(link, NULL);
    return g_strcmp0(target, program) == 0;
}

static bp_verb_outcome
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    (void)cli;
    GError *problem = NULL;
    g_autofree char *program = g_file_read_link("/proc/self/exe", &problem);
    if (program == NULL) {
        bp_set_error(error, BP_ERR_PERMANENT, "the path of this program: %s", problem->message);
        g_error_free(problem);
        return BP_VERB_FAILED;
    }
    g_autofree char *beside = g_path_get_dirname(program);
    g_autofree char *link =
        g_build_filename(dir != NULL ? dir : beside, bp_compat_front.name, NULL);
    bp_json_set_text(verb->result, "link", link);
    bp_json_set_text(verb->result, "program", program);
    int why = symlink(program, link) != 0 ? errno : 0;
    if (why != 0 && (why != EEXIST || !is_ours(link, program))) {
        bp_set_error_errno(error, why, "link %s", link);
        if (why == EEXIST) {
            bp_error_add_hint(error, "move it away first, or choose another --dir");
        }
        return BP_VERB_FAILED;
    }
    return BP_VERB_OK;
}

static char *
show(const json_t *result, bool color)
{
    (void)color;
    return g_strdup_printf("%s is this program now\n", bp_json_text(result, "link", "?"));
}

const bp_command bp_command_install_alias = {
    .name = "install-alias",
    .summary = "take the name of the tool whose place is taken",
    .description =
        "Makes a link by which scripts that call the other tool find this program. Under\n"
        "that name it takes that tool's command lines and configuration, with its\n"
        "defaults, and prints what that tool prints.",
    .entries = entries,
    .run = run,
    .show = show,
};
