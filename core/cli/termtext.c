/* SPDX-License-Identifier: Apache-2.0
 *
 * Text on a terminal.
 */
#include "core/cli/termtext.h"

#include "sdk/lib/ban.h"

guint
bp_term_columns(const char *text)
{
    guint columns = 0;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (!g_unichar_iszerowidth(c)) {
            columns += g_unichar_iswide(c) ? 2 : 1;
        }
    }
    return columns;
}

static bool
is_harmless(gunichar c, bool keep_lines)
{
    bool turns_direction = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    return (c == '\n' && keep_lines) || (!g_unichar_iscntrl(c) && !turns_direction);
}

char *
bp_term_safe(const char *text, bool keep_lines)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gunichar instead = c == '\n' ? ' ' : '?';
        g_string_append_unichar(out, is_harmless(c, keep_lines) ? c : instead);
    }
    return g_string_free(out, FALSE);
}

char *
bp_term_styled(const char *text, bp_term_style style, bool color)
{
    static const char *const codes[] = {
        [BP_TERM_PLAIN] = "0", [BP_TERM_BOLD] = "1",    [BP_TERM_DIM] = "2",
        [BP_TERM_RED] = "31",  [BP_TERM_YELLOW] = "33", [BP_TERM_GREEN] = "32",
    };
    if (!color || style == BP_TERM_PLAIN || *text == '\0') {
        return g_strdup(text);
    }
    return g_strdup_printf("\033[%sm%s\033[0m", codes[style], text);
}
