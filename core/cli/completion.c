/* SPDX-License-Identifier: Apache-2.0
 *
 * See completion.h.
 */
#include "core/cli/completion.h"

#include <string.h>

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

bp_completed *
bp_completed_new(const char *name, const char *summary, char *take_words)
{
    bp_completed *self = g_new0(bp_completed, 1);
    self->name = name;
    self->summary = summary;
    self->words = take_words;
    self->options = g_ptr_array_new_with_free_func((GDestroyNotify)bp_option_free);
    return self;
}

void
bp_completed_free(bp_completed *self)
{
    if (self != NULL) {
        g_ptr_array_unref(self->options);
        g_free(self->words);
        g_free(self);
    }
}

GPtrArray *
bp_completion_commands(const bp_manual *manual)
{
    GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)bp_completed_free);
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        bp_completed *one = bp_completed_new(bp_commands[i]->name, bp_commands[i]->summary,
                                             words_of(bp_commands[i]));
        g_ptr_array_unref(one->options);
        one->options = bp_manual_options(manual, bp_commands[i]);
        g_ptr_array_add(out, one);
    }
    return out;
}

char *
bp_completion_names(const GPtrArray *commands)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < commands->len; i++) {
        const bp_completed *one = g_ptr_array_index(commands, i);
        g_string_append_printf(out, "%s%s", i > 0 ? " " : "", one->name);
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
bp_completion_bash(const GPtrArray *commands, GString *out)
{
    for (guint c = 0; c < commands->len; c++) {
        const bp_completed *one = g_ptr_array_index(commands, c);
        g_string_append_printf(out, "    %s)\n        words='%s", one->name, one->words);
        for (guint i = 0; i < one->options->len; i++) {
            const bp_option *option = g_ptr_array_index(one->options, i);
            g_autofree char *names = g_strjoinv(" ", option->names);
            g_string_append_printf(out, " %s", names);
        }
        g_string_append(out, "'\n        case $previous in\n");
        bash_values(one->options, out);
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
bp_completion_zsh(const GPtrArray *commands, GString *out)
{
    for (guint c = 0; c < commands->len; c++) {
        const bp_completed *one = g_ptr_array_index(commands, c);
        g_string_append_printf(out, "    %s)\n        _arguments \\\n", one->name);
        for (guint i = 0; i < one->options->len; i++) {
            zsh_option(g_ptr_array_index(one->options, i), out);
        }
        g_string_append_printf(out, "            '*:word:(%s)'\n        ;;\n", one->words);
    }
}

void
bp_completion_zsh_commands(const GPtrArray *commands, GString *out)
{
    for (guint i = 0; i < commands->len; i++) {
        const bp_completed *one = g_ptr_array_index(commands, i);
        g_autofree char *summary = quoted(one->summary, ":\\");
        g_string_append_printf(out, "        '%s:%s'\n", one->name, summary);
    }
}

static void
fish_option(const char *program, const char *command, const bp_option *option, GString *out)
{
    g_autofree char *help = quoted(option->help, "\\");
    for (gsize i = 0; option->names[i] != NULL; i++) {
        bool letter = option->names[i][1] != '-';
        g_string_append_printf(out, "complete -c %s -n '__fish_seen_subcommand_from %s' -%c %s",
                               program, command, letter ? 's' : 'l',
                               option->names[i] + (letter ? 1 : 2));
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
bp_completion_fish(const char *program, const GPtrArray *commands, GString *out)
{
    for (guint c = 0; c < commands->len; c++) {
        const bp_completed *one = g_ptr_array_index(commands, c);
        g_autofree char *summary = quoted(one->summary, "\\");
        g_string_append_printf(out, "complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n",
                               program, one->name, summary);
        if (*one->words != '\0') {
            g_string_append_printf(out,
                                   "complete -c %s -n '__fish_seen_subcommand_from %s' -a '%s'\n",
                                   program, one->name, one->words);
        }
        for (guint i = 0; i < one->options->len; i++) {
            fish_option(program, one->name, g_ptr_array_index(one->options, i), out);
        }
    }
}
