/* SPDX-License-Identifier: Apache-2.0
 *
 * Where output goes and how it looks.
 */
#include "core/cli/output.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/cli/termtext.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define DEFAULT_COLUMNS 80
#define MAX_COLUMNS 1000

void
bp_output_look(bp_output_facts *facts)
{
    facts->stdout_is_terminal = isatty(STDOUT_FILENO) == 1;
    facts->stderr_is_terminal = isatty(STDERR_FILENO) == 1;
    facts->term = g_getenv("TERM");
    facts->no_color = g_getenv("NO_COLOR");
}

static bool
parse_progress(const char *text, bool can_redraw, bool quiet, bp_progress_style *out)
{
    static const struct {
        const char *name;
        bp_progress_style style;
    } styles[] = {
        {"bar", BP_PROGRESS_BAR},
        {"plain", BP_PROGRESS_LINES},
        {"json", BP_PROGRESS_JSON},
        {"none", BP_PROGRESS_NONE},
    };
    if (text == NULL || strcmp(text, "auto") == 0) {
        bp_progress_style seen = can_redraw ? BP_PROGRESS_BAR : BP_PROGRESS_LINES;
        *out = quiet ? BP_PROGRESS_NONE : seen;
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(styles); i++) {
        if (strcmp(styles[i].name, text) == 0) {
            *out = styles[i].style;
            return true;
        }
    }
    return false;
}

bool
bp_output_decide(const bp_output_facts *facts, const bp_output_wishes *wishes, bp_output *out,
                 GError **error)
{
    bool is_dumb = facts->term == NULL || *facts->term == '\0' || strcmp(facts->term, "dumb") == 0;
    bool wants_color = facts->no_color == NULL || *facts->no_color == '\0';
    *out = (bp_output){
        .color_stdout = facts->stdout_is_terminal && !is_dumb && wants_color,
        .color_stderr = facts->stderr_is_terminal && !is_dumb && wants_color,
        .quiet = wishes->quiet,
    };
    bool can_redraw = facts->stderr_is_terminal && !is_dumb;
    if (!parse_progress(wishes->progress, can_redraw, wishes->quiet, &out->progress)) {
        bp_set_error(error, BP_ERR_INVALID, "--progress=%s: there is no such style",
                     wishes->progress);
        bp_error_add_hint(error, "styles are auto, bar, plain, json, none");
        return false;
    }
    if (out->progress == BP_PROGRESS_BAR && !can_redraw) {
        out->progress = BP_PROGRESS_LINES; /* a file would be full of erased bars */
    }
    return true;
}

guint
bp_output_columns(FILE *stream)
{
    struct winsize size = {0};
    uint64_t columns = 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    } else {
        const char *text = g_getenv("COLUMNS");
        if (text == NULL || bp_parse_u64(text, &columns) != 0 || columns == 0) {
            columns = DEFAULT_COLUMNS;
        }
    }
    return (guint)MIN(columns, MAX_COLUMNS);
}

bool
bp_output_write(FILE *stream, const char *text, GError **error)
{
    errno = 0;
    if (fputs(text, stream) == EOF || fflush(stream) != 0 || ferror(stream)) {
        bp_set_error_errno(error, errno != 0 ? errno : EIO, "the result could not be written");
        return false;
    }
    return true;
}

char *
bp_output_error_text(const GError *error, bool color)
{
    g_autofree char *redacted = bp_log_redact(error->message);
    g_autofree char *safe = bp_term_safe(redacted, true);
    g_autofree char *head = bp_term_styled("error:", BP_TERM_RED, color);
    return g_strdup_printf("%s %s\n", head, safe);
}

char *
bp_output_warning_text(const char *text, bool color)
{
    g_autofree char *redacted = bp_log_redact(text);
    g_autofree char *safe = bp_term_safe(redacted, true);
    g_autofree char *head = bp_term_styled("warning:", BP_TERM_YELLOW, color);
    return g_strdup_printf("%s %s\n", head, safe);
}
