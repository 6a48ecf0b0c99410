/* SPDX-License-Identifier: Apache-2.0
 *
 * Text on a terminal: how wide it is, and what of it must not reach one.  Names come from servers
 * and storages; an escape sequence in one of them must not rule the operator's screen.  Pure.
 */
#ifndef BP_CORE_CLI_TERMTEXT_H
#define BP_CORE_CLI_TERMTEXT_H

#include <glib.h>
#include <stdbool.h>

/** Columns that valid UTF-8 text takes: 2 for wide characters, 0 for combining marks. */
guint bp_term_columns(const char *text);

/**
 * `text` as valid UTF-8 without control characters and marks that turn the writing direction;
 * '?' stands in their place.  @keep_lines: newlines stay, else they become blanks.
 * Returns: (transfer full)
 */
char *bp_term_safe(const char *text, bool keep_lines);

typedef enum {
    BP_TERM_PLAIN,
    BP_TERM_BOLD,
    BP_TERM_DIM,
    BP_TERM_RED,
    BP_TERM_YELLOW,
    BP_TERM_GREEN
} bp_term_style;

/** `text` in a style, or as it is without `color`.  Returns: (transfer full) */
char *bp_term_styled(const char *text, bp_term_style style, bool color);

#endif
