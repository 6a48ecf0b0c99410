/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress as text.
 */
#include "core/cli/progress_text.h"

#include <string.h>

#include "core/base/text.h"
#include "core/cli/termtext.h"

#include "sdk/lib/ban.h"

#define BAR_MIN 12 /* with its brackets; a shorter one says nothing */
#define BAR_MAX 42

static bool
is_known(guint64 total)
{
    return total > 0 && total != G_MAXUINT64;
}

int
bp_progress_percent(const bp_progress *progress)
{
    bool by_bytes = is_known(progress->bytes_total);
    guint64 total = by_bytes ? progress->bytes_total : progress->items_total;
    guint64 done = by_bytes ? progress->bytes_done : progress->items_done;
    if (!is_known(total)) {
        return -1;
    }
    return done >= total ? 100 : (int)((double)done / (double)total * 100.0);
}

static char *
items_text(const bp_progress *p, const char *of)
{
    if (is_known(p->items_total)) {
        return g_strdup_printf("%" G_GUINT64_FORMAT "%s%" G_GUINT64_FORMAT, p->items_done, of,
                               p->items_total);
    }
    return p->items_done > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, p->items_done) : NULL;
}

static char *
bytes_text(const bp_progress *p, const char *of)
{
    g_autofree char *done = bp_text_size(p->bytes_done);
    if (is_known(p->bytes_total)) {
        g_autofree char *total = bp_text_size(p->bytes_total);
        return g_strconcat(done, of, total, NULL);
    }
    return p->bytes_done > 0 ? g_steal_pointer(&done) : NULL;
}

static char *
rate_text(const bp_rate *rate)
{
    if (!rate->known || (rate->bytes_per_s < 1.0 && rate->items_per_s < 0.05)) {
        return NULL;
    }
    if (rate->bytes_per_s < 1.0) {
        return g_strdup_printf("%.1f/s", rate->items_per_s);
    }
    g_autofree char *size = bp_text_size((guint64)rate->bytes_per_s);
    return g_strconcat(size, "/s", NULL);
}

static char *
remaining_text(const bp_progress *p, const bp_rate *rate)
{
    gint64 ns = bp_rate_remaining_ns(rate, p);
    if (ns < 0 || bp_progress_percent(p) == 100) {
        return NULL;
    }
    g_autofree char *duration = bp_text_duration(ns);
    return g_strconcat(duration, " left", NULL);
}

static char *
elapsed_text(const bp_progress *p)
{
    return bp_text_duration(p->elapsed_ns);
}

/* What is known, in order of importance; the time that passed when nothing else is. */
static GPtrArray *
collect_parts(const bp_progress *p, const bp_rate *rate, const char *of)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    int percent = bp_progress_percent(p);
    char *texts[] = {
        percent >= 0 ? g_strdup_printf("%3d %%", percent) : NULL,
        items_text(p, of),
        bytes_text(p, of),
        rate_text(rate),
        remaining_text(p, rate),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (texts[i] != NULL) {
            g_ptr_array_add(parts, texts[i]);
        }
    }
    if (parts->len == 0) {
        g_ptr_array_add(parts, elapsed_text(p));
    }
    return parts;
}

/* "[=====>    ]", `width` columns wide. */
static char *
bar_text(guint width, int percent)
{
    guint inner = width - 2;
    guint filled = inner * (guint)percent / 100;
    g_autofree char *done = g_strnfill(filled, '=');
    g_autofree char *rest = g_strnfill(inner - filled, ' ');
    if (filled < inner) {
        rest[0] = '>';
    }
    return g_strdup_printf("[%s%s]", done, rest);
}

char *
bp_progress_bar_text(const bp_progress *progress, const bp_rate *rate, guint columns)
{
    g_autoptr(GPtrArray) parts = collect_parts(progress, rate, "/");
    g_autoptr(GString) tail = g_string_new(NULL);
    guint room = columns > 1 ? columns - 1 : 0; /* in the last column a terminal may wrap */
    guint used = bp_term_columns(progress->phase);
    for (guint i = 0; i < parts->len; i++) {
        const char *part = g_ptr_array_index(parts, i);
        guint width = 2 + bp_term_columns(part);
        if (used + tail->len + width > room) {
            break;
        }
        g_string_append_printf(tail, "  %s", part);
    }
    int percent = bp_progress_percent(progress);
    guint left = room - MIN(room, used + 1 + (guint)tail->len);
    if (percent < 0 || left < BAR_MIN) {
        return g_strconcat(used <= room ? progress->phase : "", tail->str, NULL);
    }
    g_autofree char *bar = bar_text(MIN(left, BAR_MAX), percent);
    return g_strdup_printf("%s %s%s", progress->phase, bar, tail->str);
}

char *
bp_progress_line_text(const bp_progress *progress, const bp_rate *rate)
{
    g_autoptr(GPtrArray) parts = collect_parts(progress, rate, " of ");
    g_ptr_array_add(parts, NULL);
    g_strstrip(g_ptr_array_index(parts, 0));
    g_autofree char *joined = g_strjoinv(", ", (char **)parts->pdata);
    return g_strdup_printf("%s: %s", progress->phase, joined);
}
