/* SPDX-License-Identifier: Apache-2.0
 *
 * See front_line.h.
 */
#include "core/compat/front_line.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

typedef struct {
    bp_front_line *line;
    const char *const *rest; /* words that are still to be read */
} reading;

static const bp_front_option *
find_in(const bp_front_option *options, gsize n, const char *name, gsize length, char letter)
{
    for (gsize i = 0; i < n; i++) {
        bool same = strncmp(options[i].name, name, length) == 0 && options[i].name[length] == '\0';
        if (letter != 0 ? options[i].letter == letter : same) {
            return &options[i];
        }
    }
    return NULL;
}

static const bp_front_option *
find_option(const bp_front_line *line, const char *name, gsize length, char letter)
{
    const bp_front_option *own =
        line->command != NULL
            ? find_in(line->command->options, line->command->n_options, name, length, letter)
            : NULL;
    return own != NULL ? own : find_in(bp_front_globals, bp_front_n_globals, name, length, letter);
}

static const bp_front_command *
find_command(const char *name)
{
    for (gsize i = 0; i < bp_front_n_commands; i++) {
        if (strcmp(bp_front_commands[i].name, name) == 0) {
            return &bp_front_commands[i];
        }
    }
    return NULL;
}

/* "a=1,b=2" -> both; in "quotes" a comma is a comma, and "" a quote, as in CSV. */
static bool
take_sets(GPtrArray *sets, const char *text, GError **error)
{
    g_autoptr(GString) one = g_string_new(NULL);
    bool quoted = false;
    for (const char *p = text;; p++) {
        if (*p == '\0' || (*p == ',' && !quoted)) {
            if (strchr(one->str, '=') == NULL || *one->str == '=') {
                bp_set_error(error, BP_ERR_INVALID, "--set: expected KEY=VALUE");
                return false;
            }
            g_ptr_array_add(sets, g_strdup(one->str));
            g_string_truncate(one, 0);
        } else if (*p == '"' && quoted && p[1] == '"') {
            g_string_append_c(one, *++p);
        } else if (*p == '"') {
            quoted = !quoted;
        } else {
            g_string_append_c(one, *p);
        }
        if (*p == '\0') {
            break;
        }
    }
    if (quoted) {
        bp_set_error(error, BP_ERR_INVALID, "--set: a quote is not closed");
    }
    return !quoted;
}

static bool
take_switch(const reading *r, const bp_front_option *option, const char *text, GError **error)
{
    bool on = true;
    if (text != NULL && bp_parse_bool(text, &on) != 0) {
        bp_set_error(error, BP_ERR_INVALID, "--%s: \"%s\" is neither true nor false", option->name,
                     text);
        return false;
    }
    if (strcmp(option->name, "help") == 0) {
        r->line->help = on;
    } else if (strcmp(option->name, "version") == 0) {
        r->line->version = on;
    } else {
        g_hash_table_replace(r->line->values, (gpointer)option->name,
                             g_strdup(on ? "true" : "false"));
    }
    return true;
}

/* @text: what was joined to the option, or NULL: then the next word is its value. */
static bool
take_value(reading *r, const bp_front_option *option, const char *text, GError **error)
{
    if (option->value == NULL) {
        return take_switch(r, option, text, error);
    }
    if (text == NULL && *r->rest == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "flag needs an argument: --%s", option->name);
        return false;
    }
    const char *value = text != NULL ? text : *r->rest++;
    if (!g_utf8_validate(value, -1, NULL)) {
        bp_set_error(error, BP_ERR_INVALID, "--%s: not UTF-8 text", option->name);
        return false;
    }
    if (strcmp(option->name, "set") == 0) {
        return take_sets(r->line->sets, value, error);
    }
    g_hash_table_replace(r->line->values, (gpointer)option->name, g_strdup(value));
    return true;
}

static void
unknown_option(const bp_front_line *line, const char *name, gsize length, GError **error)
{
    g_autofree char *word = g_strndup(name, length);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (gsize i = 0; line->command != NULL && i < line->command->n_options; i++) {
        g_ptr_array_add(names, (gpointer)line->command->options[i].name);
    }
    for (gsize i = 0; i < bp_front_n_globals; i++) {
        g_ptr_array_add(names, (gpointer)bp_front_globals[i].name);
    }
    bp_set_error(error, BP_ERR_INVALID, "unknown flag: --%s", word);
    const char *near = bp_text_nearest(word, (const char *const *)names->pdata, names->len);
    if (near != NULL) {
        bp_error_add_hint(error, "did you mean --%s?", near);
    }
}

static bool
take_long(reading *r, const char *name, GError **error)
{
    gsize length = strcspn(name, "=");
    const bp_front_option *option = find_option(r->line, name, length, 0);
    if (option == NULL) {
        unknown_option(r->line, name, length, error);
        return false;
    }
    return take_value(r, option, name[length] == '=' ? name + length + 1 : NULL, error);
}

/* "-n", "-nNAME", "-n=NAME", "-fn NAME". */
static bool
take_letters(reading *r, const char *letters, GError **error)
{
    for (const char *p = letters; *p != '\0'; p++) {
        const bp_front_option *option = find_option(r->line, "", 0, *p);
        if (option == NULL) {
            bp_set_error(error, BP_ERR_INVALID, "unknown shorthand flag: '%c' in -%s", *p, letters);
            return false;
        }
        bool joined = p[1] == '=' || (option->value != NULL && p[1] != '\0');
        const char *text = joined ? p + (p[1] == '=' ? 2 : 1) : NULL;
        if (!take_value(r, option, text, error)) {
            return false;
        }
        if (joined) {
            break;
        }
    }
    return true;
}

static bool
unknown_command(const char *word, GError **error)
{
    const char *names[16];
    g_assert(bp_front_n_commands <= G_N_ELEMENTS(names));
    for (gsize i = 0; i < bp_front_n_commands; i++) {
        names[i] = bp_front_commands[i].name;
    }
    bp_set_error(error, BP_ERR_INVALID, "unknown command \"%s\"", word);
    const char *near = bp_text_nearest(word, names, bp_front_n_commands);
    if (near != NULL) {
        bp_error_add_hint(error, "did you mean %s?", near);
    }
    return false;
}

static bool
take_word(const reading *r, const char *word, GError **error)
{
    bp_front_line *line = r->line;
    if (line->command == NULL && strcmp(word, "help") == 0) {
        line->help = true;
        return true;
    }
    if (line->command == NULL) {
        line->command = find_command(word);
        return line->command != NULL || unknown_command(word, error);
    }
    if (line->command->words == NULL && !line->help) {
        bp_set_error(error, BP_ERR_INVALID, "%s: unexpected word '%s'", line->command->name, word);
        return false;
    }
    g_ptr_array_add(line->words, g_strdup(word));
    return true;
}

/* A switch that was turned off asks for nothing. */
static bool
check_refused(const bp_front_line *line, GError **error)
{
    const bp_front_command *command = line->command;
    if (command == NULL || line->help) {
        return true;
    }
    if (command->refused != NULL) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "%s: %s", command->name, command->refused);
        return false;
    }
    for (gsize i = 0; i < command->n_options; i++) {
        const bp_front_option *option = &command->options[i];
        if (option->fate == BP_FATE_REFUSED && bp_front_line_is_on(line, option->name)) {
            bp_set_error(error, BP_ERR_UNSUPPORTED, "--%s: %s", option->name, option->help);
            return false;
        }
    }
    return true;
}

bool
bp_front_line_parse(const char *const *argv, bp_front_line *out, GError **error)
{
    *out = (bp_front_line){.values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free),
                           .sets = g_ptr_array_new_with_free_func(g_free),
                           .words = g_ptr_array_new_with_free_func(g_free)};
    reading r = {.line = out, .rest = argv[0] != NULL ? argv + 1 : argv};
    bool only_words = false;
    while (*r.rest != NULL) {
        const char *word = *r.rest++;
        bool fine = true;
        if (only_words || word[0] != '-' || word[1] == '\0') {
            fine = take_word(&r, word, error);
        } else if (word[1] != '-') {
            fine = take_letters(&r, word + 1, error);
        } else if (word[2] != '\0') {
            fine = take_long(&r, word + 2, error);
        } else {
            only_words = true;
        }
        if (!fine) {
            return false;
        }
    }
    return check_refused(out, error);
}

void
bp_front_line_clear(bp_front_line *line)
{
    g_clear_pointer(&line->values, g_hash_table_unref);
    g_clear_pointer(&line->sets, g_ptr_array_unref);
    g_clear_pointer(&line->words, g_ptr_array_unref);
}

const char *
bp_front_line_text(const bp_front_line *line, const char *name)
{
    const char *text = g_hash_table_lookup(line->values, name);
    return text != NULL && *text != '\0' ? text : NULL;
}

bool
bp_front_line_is_on(const bp_front_line *line, const char *name)
{
    return g_strcmp0(bp_front_line_text(line, name), "true") == 0;
}

static void
append_options(GString *out, const char *heading, const bp_front_option *options, gsize n)
{
    g_string_append_printf(out, "\n%s:\n", heading);
    for (gsize i = 0; i < n; i++) {
        const bp_front_option *o = &options[i];
        g_autofree char *names = o->letter != 0 ? g_strdup_printf("-%c, --%s", o->letter, o->name)
                                                : g_strdup_printf("    --%s", o->name);
        g_autofree char *left =
            g_strconcat(names, o->value != NULL ? " " : "", o->value != NULL ? o->value : "", NULL);
        static const char *const fates[] = {"", "no effect: ", "refused: "};
        g_string_append_printf(out, "  %-33s %s%s\n", left, fates[o->fate], o->help);
    }
}

char *
bp_front_help(const bp_front_command *command)
{
    GString *out = g_string_new(NULL);
    if (command == NULL) {
        g_string_append(out, "Usage: milvus-backup COMMAND [flags]\n\nThis is bakplane under the "
                             "name of milvus-backup.\n\nCommands:\n");
        for (gsize i = 0; i < bp_front_n_commands; i++) {
            const bp_front_command *one = &bp_front_commands[i];
            g_string_append_printf(out, "  %-12s%s%s\n", one->name,
                                   one->refused != NULL ? "refused: " : "",
                                   one->refused != NULL ? one->refused : one->summary);
        }
    } else {
        g_string_append_printf(out, "Usage: milvus-backup %s [flags]\n\n%s\n", command->name,
                               command->refused != NULL ? command->refused : command->summary);
        if (command->n_options > 0) {
            append_options(out, "Flags", command->options, command->n_options);
        }
    }
    append_options(out, "Flags of every command", bp_front_globals, bp_front_n_globals);
    return g_string_free(out, FALSE);
}
