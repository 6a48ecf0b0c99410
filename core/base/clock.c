/* SPDX-License-Identifier: Apache-2.0
 *
 * See clock.h.
 */
#include "core/base/clock.h"

#include <time.h>

#include "sdk/lib/ban.h"

static gint64
read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (gint64)now.tv_sec * BP_NS_PER_S + now.tv_nsec;
}

gint64
bp_clock_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

gint64
bp_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

char *
bp_clock_wall_text(void)
{
    return bp_clock_text(bp_clock_wall_ns());
}

char *
bp_clock_text(gint64 wall_ns)
{
    time_t seconds = (time_t)(wall_ns / BP_NS_PER_S);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                           utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                           (int)(wall_ns % BP_NS_PER_S / BP_NS_PER_MS));
}

gint64
bp_clock_parse(const char *text)
{
    g_autoptr(GDateTime) parsed = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    gint64 seconds = parsed != NULL ? g_date_time_to_unix(parsed) : 0;
    if (seconds <= 0 || seconds >= G_MAXINT64 / BP_NS_PER_S) {
        return 0; /* the year 9970 comes from a text that somebody altered */
    }
    return seconds * BP_NS_PER_S + (gint64)g_date_time_get_microsecond(parsed) * 1000;
}
