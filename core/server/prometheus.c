/* SPDX-License-Identifier: Apache-2.0
 *
 * See prometheus.h.
 */
#include "core/server/prometheus.h"

#include <stdbool.h>

#include "sdk/lib/ban.h"

static void
append_escaped(GString *out, const char *text, bool quotes)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    for (const char *p = valid; *p != '\0'; p++) {
        if (*p == '\n') {
            g_string_append(out, "\\n");
        } else if (*p == '\\' || (*p == '"' && quotes)) {
            g_string_append_printf(out, "\\%c", *p);
        } else {
            g_string_append_c(out, *p);
        }
    }
}

void
bp_prom_begin(GString *out, const bp_prom_family *family)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    g_string_append_printf(out, "# HELP %s ", family->name);
    append_escaped(out, family->help, false);
    g_string_append_printf(out, "\n# TYPE %s %s\n", family->name, kinds[family->kind]);
}

/* Whole numbers as they are; a decimal point whatever the locale. */
static void
append_number(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(out, g_ascii_formatd(text, sizeof text, "%.16g", value));
}

static void
append_sample(GString *out, const char *name, const char *const *labels, const char *le)
{
    g_string_append(out, name);
    char before = '{';
    for (gsize i = 0; labels != NULL && labels[i] != NULL; i += 2) {
        g_string_append_printf(out, "%c%s=\"", before, labels[i]);
        append_escaped(out, labels[i + 1], true);
        g_string_append_c(out, '"');
        before = ',';
    }
    if (le != NULL) {
        g_string_append_printf(out, "%cle=\"%s\"", before, le);
        before = ',';
    }
    g_string_append(out, before == '{' ? " " : "} ");
}

void
bp_prom_sample(GString *out, const bp_prom_family *family, const char *const *labels, double value)
{
    append_sample(out, family->name, labels, NULL);
    append_number(out, value);
    g_string_append_c(out, '\n');
}

void
bp_prom_histogram(GString *out, const bp_prom_family *family, const char *const *labels,
                  const bp_prom_buckets *buckets)
{
    g_autofree char *bucket = g_strconcat(family->name, "_bucket", NULL);
    g_autofree char *sum = g_strconcat(family->name, "_sum", NULL);
    g_autofree char *count = g_strconcat(family->name, "_count", NULL);
    guint64 so_far = 0;
    for (gsize i = 0; i <= buckets->n; i++) {
        g_autoptr(GString) le = g_string_new(NULL);
        if (i < buckets->n) {
            append_number(le, (double)buckets->bounds[i] * buckets->per_unit);
        } else {
            g_string_append(le, "+Inf");
        }
        so_far += buckets->counts[i];
        append_sample(out, bucket, labels, le->str);
        g_string_append_printf(out, "%" G_GUINT64_FORMAT "\n", so_far);
    }
    append_sample(out, sum, labels, NULL);
    append_number(out, (double)buckets->sum * buckets->per_unit);
    g_string_append_c(out, '\n');
    append_sample(out, count, labels, NULL);
    g_string_append_printf(out, "%" G_GUINT64_FORMAT "\n", so_far);
}
