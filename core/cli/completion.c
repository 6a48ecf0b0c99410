/* SPDX-License-Identifier: Apache-2.0
 *
 * See manual.h: commands and options in the words of three shells.
 */
#include <string.h>

#include "core/cli/manual.h"

#include "sdk/lib/ban.h"

static bool
is_choice(const bp_option *option)
{
    return option->value != NULL && strchr(option->value, '|') != NULL;
}

/* "size|stream|read" -> "size stream read". */
static char *
choices_of(const bp_option *option)
{
    return g_strdelimit(g_strdup(option->value), "|", ' ');
}

/* Words that a command knows besides options: "list | info NAME" -> "list info". */
static char *
words_of(const bp_command *command)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) words = g_strsplit(command->words != NULL ? command->words : "", " ", -1);
    for (gsize i = 0; words[i] != NULL; i++) {
        if (g_ascii_islower(words[i][0])) {
            g_string_append_printf(out, "%s%s", out->len > 0 ? " " : "", words[i]);
        }
    }
    return g_string_free(out, FALSE);
}

/* Inside single quotes; @special: characters that take a backslash. */
static char *
quoted(const char *text, const char *special)
{
    GString *out = g_string_new(NULL);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            g_string_append(out, "'\\''");
            continue;
        }
        if (strchr(special, *c) != NULL) {
            g_string_append_c(out, '\\');
        }
        g_string_append_c(out, *c);
    }
    return g_string_free(out, FALSE);
}

static void
bash_values(const GPtrArray *options, GString *out)
{
    for (guint i = 0; i < options->len; i++) {
        const bp_option *option = g_ptr_array_index(options, i);
        if (option->value == NULL) {
            continue;
        }
        g_autofree char *names = g_strjoinv(" | ", option->names);
        if (is_choice(option)) {
            g_autofree char *choices = choices_of(option);
            g_string_append_printf(out, "        %s) values='%s' ;;\n", names, choices);
        } else {
            g_string_append_printf(out, "        %s) values=%s ;;\n", names,
                                   option->file ? "FILE" : option->value);
        }
    }
}

void
bp_completion_bash(const bp_manual *manual, GString *out)
{
    for (gsize c = 0; bp_commands[c] != NULL; c++) {
        g_autoptr(GPtrArray) options = bp_manual_options(manual, bp_commands[c]);
        g_autofree char *words = words_of(bp_commands[c]);
        g_string_append_printf(out, "    %s)\n        words='%s", bp_commands[c]->name, words);
        for (guint i = 0; i < options->len; i++) {
            const bp_option *option = g_ptr_array_index(options, i);
            g_autofree char *names = g_strjoinv(" ", option->names);
            g_string_append_printf(out, " %s", names);
        }
        g_string_append(out, "'\n        case $previous in\n");
        bash_values(options, out);
        g_string_append(out, "        esac\n        ;;\n");
    }
}

static void
zsh_option(const bp_option *option, GString *out)
{
    g_autofree char *help = quoted(option->help, "[]:\\");
    for (gsize i = 0; option->names[i] != NULL; i++) {
        g_string_append_printf(out, "            '%s[%s]", option->names[i], help);
        if (is_choice(option)) {
            g_autofree char *choices = choices_of(option);
            g_string_append_printf(out, ":choice:(%s)", choices);
        } else if (option->value != NULL) {
            g_string_append_printf(out, ":%s:%s", option->value, option->file ? "_files" : "");
        }
        g_string_append(out, "' \\\n");
    }
}

void
bp_completion_zsh(const bp_manual *manual, GString *out)
{
    for (gsize c = 0; bp_commands[c] != NULL; c++) {
        g_autoptr(GPtrArray) options = bp_manual_options(manual, bp_commands[c]);
        g_autofree char *words = words_of(bp_commands[c]);
        g_string_append_printf(out, "    %s)\n        _arguments \\\n", bp_commands[c]->name);
        for (guint i = 0; i < options->len; i++) {
            zsh_option(g_ptr_array_index(options, i), out);
        }
        g_string_append_printf(out, "            '*:word:(%s)'\n        ;;\n", words);
    }
}

void
bp_completion_zsh_commands(GString *out)
{
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        g_autofree char *summary = quoted(bp_commands[i]->summary, ":\\");
        g_string_append_printf(out, "        '%s:%s'\n", bp_commands[i]->name, summary);
    }
}

static void
fish_option(const char *command, const bp_option *option, GString *out)
{
    g_autofree char *help = quoted(option->help, "\\");
    for (gsize i = 0; option->names[i] != NULL; i++) {
        bool letter = option->names[i][1] != '-';
        g_string_append_printf(out,
                               "complete -c bakplane -n '__fish_seen_subcommand_from %s' -%c %s",
                               command, letter ? 's' : 'l', option->names[i] + (letter ? 1 : 2));
        if (is_choice(option)) {
            g_autofree char *choices = choices_of(option);
            g_string_append_printf(out, " -x -a '%s'", choices);
        } else if (option->value != NULL) {
            g_string_append(out, option->file ? " -r -F" : " -x");
        }
        g_string_append_printf(out, " -d '%s'\n", help);
    }
}

void
bp_completion_fish(const bp_manual *manual, GString *out)
{
    for (gsize c = 0; bp_commands[c] != NULL; c++) {
        const bp_command *command = bp_commands[c];
        g_autoptr(GPtrArray) options = bp_manual_options(manual, command);
        g_autofree char *summary = quoted(command->summary, "\\");
        g_autofree char *words = words_of(command);
        g_string_append_printf(out, "complete -c bakplane -n __fish_use_subcommand -a %s -d '%s'\n",
                               command->name, summary);
        if (*words != '\0') {
            g_string_append_printf(
                out, "complete -c bakplane -n '__fish_seen_subcommand_from %s' -a '%s'\n",
                command->name, words);
        }
        for (guint i = 0; i < options->len; i++) {
            fish_option(command->name, g_ptr_array_index(options, i), out);
        }
    }
}
