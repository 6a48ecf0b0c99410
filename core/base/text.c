/* SPDX-License-Identifier: Apache-2.0
 *
 * See text.h.
 */
#include "core/base/text.h"

#include <bakplane/abi.h>
#include <string.h>

#include "core/base/clock.h"

#include "sdk/lib/ban.h"

char *
bp_text_size(guint64 bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes == BP_UNKNOWN) {
        return g_strdup("?");
    }
    double value = (double)bytes;
    guint unit = 0;
    while (value >= 1024.0 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1024.0;
        unit++;
    }
    return g_strdup_printf(unit == 0 || value >= 100.0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

char *
bp_text_duration(gint64 ns)
{
    gint64 s = ns / BP_NS_PER_S;
    if (s < 1) {
        return g_strdup_printf("%" G_GINT64_FORMAT " ms", ns / BP_NS_PER_MS);
    }
    if (s < 60) {
        return g_strdup_printf("%.1f s", (double)ns / (double)BP_NS_PER_S);
    }
    if (s < 3600) {
        return g_strdup_printf("%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", s / 60, s % 60);
    }
    if (s < 86400) {
        return g_strdup_printf("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", s / 3600,
                               s % 3600 / 60);
    }
    return g_strdup_printf("%" G_GINT64_FORMAT " d %" G_GINT64_FORMAT " h", s / 86400,
                           s % 86400 / 3600);
}

char *
bp_text_uuid(void)
{
    return g_uuid_string_random();
}

static gsize
edit_distance(const char *a, const char *b)
{
    gsize n = strlen(b);
    g_autofree gsize *row = g_new(gsize, n + 1);
    for (gsize j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (gsize i = 1; a[i - 1] != '\0'; i++) {
        gsize diagonal = row[0];
        row[0] = i;
        for (gsize j = 1; j <= n; j++) {
            gsize above = row[j];
            gsize replace = diagonal + (a[i - 1] != b[j - 1]);
            row[j] = MIN(MIN(above, row[j - 1]) + 1, replace);
            diagonal = above;
        }
    }
    return row[n];
}

const char *
bp_text_nearest(const char *word, const char *const *candidates, gsize n)
{
    const char *best = NULL;
    gsize length = strlen(word);
    gsize best_distance = length > 64 ? 0 : MAX((gsize)2, length / 3) + 1;
    for (gsize i = 0; i < n; i++) {
        gsize distance = edit_distance(word, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}
