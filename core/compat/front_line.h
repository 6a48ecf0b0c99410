/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines of milvus-backup: what may be said, and what was.  For core/compat, and for what is
 * made of its tables.
 */
#ifndef BP_CORE_COMPAT_FRONT_LINE_H
#define BP_CORE_COMPAT_FRONT_LINE_H

#include <glib.h>
#include <stdbool.h>

/** What becomes of an option or a command; docs/compat.md has one row for each. */
typedef enum {
    BP_FATE_DONE,
    BP_FATE_IDLE,    /* nothing follows from it, for a reason that is no loss */
    BP_FATE_REFUSED, /* cannot be honoured */
} bp_front_fate;

typedef struct bp_front_option {
    const char *name;
    char letter; /* or 0 */
    bp_front_fate fate;
    const char *value; /* word for its value in the help; NULL = a switch */
    const char *help;  /* IDLE and REFUSED: why */
    const char *ours;  /* our own option, if that is all there is to it, else NULL */
} bp_front_option;

typedef struct bp_front_command {
    const char *name, *summary;
    const bp_front_option *options;
    gsize n_options;
    const char *refused; /* why all of it is, or NULL */
    const char *words; /* after it, with blanks between; "" = only such as are refused; NULL = none
                          may come */
} bp_front_command;

extern const bp_front_command bp_front_commands[];
extern const gsize bp_front_n_commands;
extern const bp_front_option bp_front_globals[];
extern const gsize bp_front_n_globals;

typedef struct bp_front_line {
    const bp_front_command *command; /* NULL = none was given */
    GHashTable *values; /* name of an option (static) -> char *; switches: true, false */
    GPtrArray *sets;    /* char *, "KEY=VALUE" */
    GPtrArray *words;   /* char *, after the command */
    bool help, version;
} bp_front_line;

/**
 * Read argv as that tool's parser does: options before and after the command, --name value,
 * --name=value, -nvalue, switches together.
 * INVALID for what is unknown or lacks a value, UNSUPPORTED for what is refused.
 */
bool bp_front_line_parse(const char *const *argv, bp_front_line *out, GError **error);
void bp_front_line_clear(bp_front_line *line);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_front_line, bp_front_line_clear)

/** Text of an option; NULL when it was not given or is empty. */
const char *bp_front_line_text(const bp_front_line *line, const char *name);
bool bp_front_line_is_on(const bp_front_line *line, const char *name);

/** Usage of one command, or of the whole.  Returns: (transfer full) */
char *bp_front_help(const bp_front_command *command);

#endif
