/* SPDX-License-Identifier: Apache-2.0
 *
 * See manual.h: the parts in roff.
 */
#include "core/cli/manual.h"

#include <string.h>

#include "core/base/error.h"
#include "core/cli/args.h"
#include "core/cli/completion.h"

#include "sdk/lib/ban.h"

/* Text as roff shows it, whatever it holds. */
static void
append_roff(GString *out, const char *text)
{
    bool line_start = out->len == 0 || out->str[out->len - 1] == '\n';
    for (const char *c = text; *c != '\0'; c++) {
        if (line_start && (*c == '.' || *c == '\'')) {
            g_string_append(out, "\\&");
        }
        if (*c == '\\') {
            g_string_append(out, "\\e");
        } else if (*c == '-') {
            g_string_append(out, "\\-");
        } else {
            g_string_append_c(out, *c);
        }
        line_start = *c == '\n';
    }
}

static void
append_font(GString *out, char font, const char *text)
{
    g_string_append_printf(out, "\\f%c", font);
    append_roff(out, text);
    g_string_append(out, "\\fR");
}

/* "names of …" -> "Names of …", unless the first word is a name or a sign. */
static void
append_sentence(GString *out, const char *text)
{
    gsize letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    bool word = letters > 0 && (text[letters] == ' ' || text[letters] == ',');
    g_autofree char *copy = g_strdup(text);
    copy[0] = word ? g_ascii_toupper(copy[0]) : copy[0];
    append_roff(out, copy);
}

static void
append_option(GString *out, const bp_option *option)
{
    g_string_append(out, ".TP\n");
    for (gsize i = 0; option->names[i] != NULL; i++) {
        g_string_append(out, i > 0 ? ", " : "");
        append_font(out, 'B', option->names[i]);
    }
    if (option->value != NULL) {
        g_string_append_c(out, ' ');
        append_font(out, 'I', option->value);
    }
    g_string_append_c(out, '\n');
    append_sentence(out, option->help);
    g_string_append(out, ".\n");
    if (option->details != NULL) {
        g_autofree char *details = g_strconcat(option->details, ".", NULL);
        details[0] = g_ascii_toupper(details[0]);
        append_roff(out, details);
        g_string_append_c(out, '\n');
    }
}

static void
append_group(GString *out, const GPtrArray *options, bp_option_group group)
{
    for (guint i = 0; i < options->len; i++) {
        const bp_option *option = g_ptr_array_index(options, i);
        if (option->group == group) {
            append_option(out, option);
        }
    }
}

static void
append_settings(GString *out, bp_key_table table)
{
    for (guint32 i = 0; i < table.n; i++) {
        bp_option *setting = bp_option_of_setting(bp_key_table_at(&table, i));
        append_option(out, setting);
        bp_option_free(setting);
    }
}

GPtrArray *
bp_manual_options(const bp_manual *manual, const bp_command *command)
{
    g_autoptr(GArray) tables = g_array_new(FALSE, FALSE, sizeof(bp_key_table));
    if (command->source != BP_OPTIONS_NONE) {
        bp_key_table core = bp_command_core_keys(command);
        g_array_append_val(tables, core);
        for (guint i = 0; i < manual->modules->len; i++) {
            bp_key_table own;
            if (bp_command_source_keys(command, g_ptr_array_index(manual->modules, i), &own)) {
                g_array_append_val(tables, own);
            }
        }
    }
    return bp_args_options(command, (const bp_key_table *)tables->data, tables->len);
}

static const bp_command *
find_command(const char *name)
{
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        if (g_strcmp0(bp_commands[i]->name, name) == 0) {
            return bp_commands[i];
        }
    }
    return NULL;
}

static bool
fill_command(const bp_manual *manual, char **words, GString *out)
{
    const bp_command *command = find_command(words[1]);
    if (command == NULL) {
        return false;
    }
    g_autofree char *title = g_ascii_strup(command->name, -1);
    g_string_append_printf(out, ".TH BAKPLANE\\-%s 1 \"\" \"bakplane %s\" \"bakplane\"\n", title,
                           manual->version);
    g_string_append_printf(out, ".SH NAME\nbakplane\\-%s \\- %s\n", command->name,
                           command->summary);
    g_string_append_printf(out, ".SH SYNOPSIS\n.B bakplane %s\n[\\fIoptions\\fR]\n", command->name);
    if (command->words != NULL) {
        append_roff(out, command->words);
        g_string_append_c(out, '\n');
    }
    g_string_append(out, ".SH DESCRIPTION\n");
    append_roff(out, command->description);
    g_string_append_c(out, '\n');
    return true;
}

static bool
fill_options(const bp_manual *manual, char **words, GString *out)
{
    const bp_command *command = find_command(words[1]);
    if (command == NULL) {
        return false;
    }
    g_autoptr(GPtrArray) options = bp_manual_options(manual, command);
    g_string_append(out, ".SH OPTIONS\n");
    append_group(out, options, BP_OPTION_COMMAND);
    g_string_append(out, ".PP\nThe options of every command are in\n.BR bakplane (1).\n");
    if (command->source != BP_OPTIONS_NONE) {
        g_string_append_printf(out,
                               ".SS For this run, instead of the configuration\n"
                               "Each of these stands for the key of the section\n.B %s\n"
                               "with the same name, see\n.BR bakplane.yaml (5).\n",
                               bp_command_section(command));
        append_group(out, options, BP_OPTION_SECTION);
        append_group(out, options, BP_OPTION_PLUGIN);
    }
    return true;
}

static bool
fill_globals(const bp_manual *manual, char **words, GString *out)
{
    (void)manual;
    (void)words;
    g_autoptr(GPtrArray) options = bp_args_options(NULL, NULL, 0);
    append_group(out, options, BP_OPTION_GLOBAL);
    return true;
}

static bool
fill_commands(const bp_manual *manual, char **words, GString *out)
{
    (void)manual;
    (void)words;
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        g_string_append_printf(out, ".TP\n.BR bakplane\\-%s (1)\n", bp_commands[i]->name);
        append_sentence(out, bp_commands[i]->summary);
        g_string_append(out, ".\n");
    }
    return true;
}

static bool
fill_settings(const bp_manual *manual, char **words, GString *out)
{
    (void)manual;
    const struct {
        const char *name;
        const bp_key_table *table;
    } sections[] = {
        {"backup", &bp_config_backup_keys},   {"restore", &bp_config_restore_keys},
        {"plugins", &bp_config_plugins_keys}, {"log", &bp_config_log_keys},
        {"server", &bp_config_server_keys},   {"top", &bp_config_top_keys},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(sections); i++) {
        if (g_strcmp0(sections[i].name, words[1]) == 0) {
            append_settings(out, *sections[i].table);
            return true;
        }
    }
    return false;
}

static bool
fill_plugin(const bp_manual *manual, char **words, GString *out)
{
    if (words[1] == NULL || words[2] == NULL) {
        return false;
    }
    for (guint i = 0; i < manual->modules->len; i++) {
        const bp_module *module = g_ptr_array_index(manual->modules, i);
        if (strcmp(bp_module_descriptor(module)->name, words[1]) != 0) {
            continue;
        }
        if (strcmp(words[2], "settings") == 0) {
            append_settings(out, bp_module_keys(module));
        } else if (strcmp(words[2], "create") == 0) {
            append_settings(out, bp_module_create_keys(module));
        } else {
            append_settings(out, bp_module_restore_keys(module));
        }
        return true;
    }
    return false;
}

static bool
fill_shell(const bp_manual *manual, char **words, GString *out)
{
    bool alias = words[1] != NULL;
    if (alias && (strcmp(words[1], "alias") != 0 || words[2] != NULL)) {
        return false;
    }
    g_autoptr(GPtrArray) commands =
        alias ? bp_completion_front_commands() : bp_completion_commands(manual);
    if (strcmp(words[0], "@BASH") == 0) {
        bp_completion_bash(commands, out);
    } else if (strcmp(words[0], "@ZSH") == 0) {
        bp_completion_zsh(commands, out);
    } else if (strcmp(words[0], "@ZSH-COMMANDS") == 0) {
        bp_completion_zsh_commands(commands, out);
    } else {
        bp_completion_fish(alias ? bp_compat_front.name : "bakplane", commands, out);
    }
    return true;
}

static bool
fill_line(const bp_manual *manual, const char *line, GString *out)
{
    static const struct {
        const char *word;
        bool (*fill)(const bp_manual *manual, char **words, GString *out);
    } fills[] = {
        {"@COMMAND", fill_command},    {"@OPTIONS", fill_options}, {"@GLOBALS", fill_globals},
        {"@COMMANDS", fill_commands},  {"@PLUGIN", fill_plugin},   {"@SETTINGS", fill_settings},
        {"@BASH", fill_shell},         {"@ZSH", fill_shell},       {"@FISH", fill_shell},
        {"@ZSH-COMMANDS", fill_shell},
    };
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    for (gsize i = 0; i < G_N_ELEMENTS(fills); i++) {
        if (strcmp(fills[i].word, words[0]) == 0) {
            return fills[i].fill(manual, words, out);
        }
    }
    return false;
}

static void
fill_names(const bp_manual *manual, GString *out)
{
    g_autoptr(GPtrArray) commands = bp_completion_commands(manual);
    g_autoptr(GPtrArray) others = bp_completion_front_commands();
    g_autofree char *names = bp_completion_names(commands);
    g_autofree char *other_names = bp_completion_names(others);
    g_string_replace(out, "@COMMAND-NAMES@", names, 0);
    g_string_replace(out, "@ALIAS-COMMAND-NAMES@", other_names, 0);
    g_string_replace(out, "@ALIAS@", bp_compat_front.name, 0);
    g_string_replace(out, "@VERSION@", manual->version, 0);
}

char *
bp_manual_fill(const bp_manual *manual, const char *text, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (gsize i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] != '@') {
            g_string_append_printf(out, "%s%s", lines[i], lines[i + 1] != NULL ? "\n" : "");
        } else if (!fill_line(manual, lines[i], out)) {
            bp_set_error(error, BP_ERR_INVALID, "line %" G_GSIZE_FORMAT ": nothing is known of %s",
                         i + 1, lines[i]);
            return NULL;
        }
    }
    fill_names(manual, out);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
