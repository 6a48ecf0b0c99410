/* SPDX-License-Identifier: Apache-2.0
 *
 * See help.h.
 */
#include "core/cli/help.h"

#include <string.h>

#include "core/cli/args.h"
#include "core/cli/option.h"

#include "sdk/lib/ban.h"

#define WIDTH 80
#define INDENT 28 /* where the explanations begin */

/* Words of `text` from column `at` on, each further line indented. */
static void
append_wrapped(GString *out, const char *text, gsize at)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (gsize i = 0; words[i] != NULL; i++) {
        gsize length = strlen(words[i]);
        if (at > INDENT && at + 1 + length > WIDTH) {
            g_string_append_printf(out, "\n%*s", INDENT, "");
            at = INDENT;
        } else if (at > INDENT) {
            g_string_append_c(out, ' ');
            at++;
        }
        g_string_append(out, words[i]);
        at += length;
    }
    g_string_append_c(out, '\n');
}

static void
append_option(GString *out, const bp_option *option)
{
    g_autofree char *names = g_strjoinv(", ", option->names);
    gsize before = out->len;
    g_string_append_printf(out, "  %s%s%s%s", option->names[0][1] == '-' ? "    " : "", names,
                           option->value != NULL ? " " : "",
                           option->value != NULL ? option->value : "");
    gsize used = out->len - before;
    if (used + 2 > INDENT) {
        g_string_append_printf(out, "\n%*s", INDENT, "");
    } else {
        g_string_append_printf(out, "%*s", (int)(INDENT - used), "");
    }
    g_autofree char *text = option->details != NULL
                                ? g_strdup_printf("%s (%s)", option->help, option->details)
                                : g_strdup(option->help);
    append_wrapped(out, text, INDENT);
}

static void
append_group(GString *out, const GPtrArray *options, bp_option_group group, const char *heading)
{
    bool any = false;
    for (guint i = 0; i < options->len; i++) {
        const bp_option *option = g_ptr_array_index(options, i);
        if (option->group != group) {
            continue;
        }
        if (!any) {
            g_string_append_printf(out, "\n%s:\n", heading);
        }
        any = true;
        append_option(out, option);
    }
}

char *
bp_help_command(const bp_command *command, const bp_key_table *tables, gsize n_tables)
{
    const char *section = bp_command_section(command);
    g_autofree char *of_section = g_strdup_printf(
        "For this run, instead of '%s' in the configuration", section != NULL ? section : "");
    const char *const headings[BP_OPTION_N_GROUPS] = {
        [BP_OPTION_COMMAND] = "Options",
        [BP_OPTION_SECTION] = of_section,
        [BP_OPTION_PLUGIN] = "Likewise, of the source's plugin",
        [BP_OPTION_GLOBAL] = "Options of every command",
    };
    g_autoptr(GPtrArray) options = bp_args_options(command, tables, n_tables);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "Usage: bakplane %s [options]%s%s\n\n%s\n", command->name,
                           command->words != NULL ? " " : "",
                           command->words != NULL ? command->words : "", command->description);
    for (int group = 0; group < BP_OPTION_N_GROUPS; group++) {
        append_group(out, options, (bp_option_group)group, headings[group]);
    }
    return g_string_free(out, FALSE);
}

char *
bp_help_overview(void)
{
    GString *text = g_string_new("Usage: bakplane COMMAND [options]\n\n"
                                 "Backs up and restores databases through plugins.\n\nCommands:\n");
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        g_string_append_printf(text, "  %-15s%s\n", bp_commands[i]->name, bp_commands[i]->summary);
    }
    g_string_append(text, "  help           show this text, or the options of a command\n");
    g_autoptr(GPtrArray) globals = bp_args_options(NULL, NULL, 0);
    append_group(text, globals, BP_OPTION_GLOBAL, "Options of every command");
    g_string_append(text, "\n"
                          "bakplane help COMMAND lists the options of a command.\n"
                          "Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, "
                          "with\ndifferences or something that cannot be proven; 130, 143 "
                          "interrupted.\n");
    return g_string_free(text, FALSE);
}
