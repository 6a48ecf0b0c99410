/* SPDX-License-Identifier: Apache-2.0
 *
 * Where output goes and how it looks: results on stdout, everything else on stderr; colors and
 * bars only where a person looks on.
 */
#ifndef BP_CORE_CLI_OUTPUT_H
#define BP_CORE_CLI_OUTPUT_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum {
    BP_PROGRESS_NONE,
    BP_PROGRESS_BAR,   /* redrawn in place, on a terminal */
    BP_PROGRESS_LINES, /* one plain line every few seconds */
    BP_PROGRESS_JSON   /* one JSON object per line */
} bp_progress_style;

/** What is known of the surroundings. */
typedef struct bp_output_facts {
    bool stdout_is_terminal, stderr_is_terminal;
    const char *term;     /* $TERM, or NULL */
    const char *no_color; /* $NO_COLOR, or NULL; "" counts as not set */
} bp_output_facts;

/** What the operator asked for. */
typedef struct bp_output_wishes {
    const char *progress; /* auto bar plain json none, or NULL = auto */
    bool quiet;           /* no progress unless asked for, no notes */
} bp_output_wishes;

typedef struct bp_output {
    bool color_stdout, color_stderr, quiet;
    bp_progress_style progress;
} bp_output;

/** Of this process. */
void bp_output_look(bp_output_facts *facts);

/** INVALID for an unknown progress style.  Pure. */
bool bp_output_decide(const bp_output_facts *facts, const bp_output_wishes *wishes, bp_output *out,
                      GError **error);

/** Columns of the terminal behind `stream`; $COLUMNS, else 80 where it does not say. */
guint bp_output_columns(FILE *stream);

/**
 * Write a result whole and flush it: a result that nobody got is a failure.
 * Errors: by errno (NO_SPACE …), PERMANENT for a closed pipe.
 */
bool bp_output_write(FILE *stream, const char *text, GError **error);

/** "error: …" and "hint: …", secrets blotted out, safe for a terminal.  Returns: (transfer full) */
char *bp_output_error_text(const GError *error, bool color);
/** "warning: …" likewise.  Returns: (transfer full) */
char *bp_output_warning_text(const char *text, bool color);

#endif
