/* SPDX-License-Identifier: Apache-2.0
 *
 * See name.h.
 */
#include "core/catalog/name.h"

#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/error.h"

#include "sdk/lib/ban.h"

#define NAME_MAX_BYTES 128

static bool
may_start(char c)
{
    return g_ascii_isalpha(c) || c == '_';
}

static bool
may_follow(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

static const char *
problem_of(const char *name)
{
    if (*name == '\0') {
        return "is empty";
    }
    if (strlen(name) > NAME_MAX_BYTES) {
        return "is longer than 128 bytes";
    }
    if (!may_start(*name)) {
        return "does not begin with a letter or '_'";
    }
    for (const char *p = name; *p != '\0'; p++) {
        if (!may_follow(*p)) {
            return "contains something else than letters, digits and '_'";
        }
    }
    return NULL;
}

/* The nearest name that is fine: what is not allowed becomes '_', one '_' per run of it. */
static char *
propose(const char *name)
{
    GString *out = g_string_new(may_start(*name) || !may_follow(*name) ? "" : "_");
    for (const char *p = name; *p != '\0' && out->len < NAME_MAX_BYTES; p++) {
        if (may_follow(*p)) {
            g_string_append_c(out, *p);
        } else if (out->len == 0 || out->str[out->len - 1] != '_') {
            g_string_append_c(out, '_');
        }
    }
    return g_string_free(out, FALSE);
}

bool
bp_backup_name_check(const char *name, GError **error)
{
    const char *problem = problem_of(name);
    if (problem == NULL) {
        return true;
    }
    g_autofree char *readable = g_utf8_make_valid(name, -1);
    g_autofree char *shown = g_strescape(readable, NULL);
    if (strlen(shown) > NAME_MAX_BYTES) {
        memcpy(shown + NAME_MAX_BYTES - 3, "...", sizeof "...");
    }
    bp_set_error(error, BP_ERR_INVALID, "backup name \"%s\" %s", shown, problem);
    if (*name != '\0') {
        g_autofree char *proposal = propose(name);
        bp_error_add_hint(error, "\"%s\" would be fine", proposal);
    }
    return false;
}

char *
bp_backup_name_generate(gint64 wall_ns)
{
    time_t seconds = (time_t)(wall_ns / BP_NS_PER_S);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    return g_strdup_printf("backup_%04d_%02d_%02d_%02d_%02d_%02d_%" G_GINT64_FORMAT,
                           utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                           utc.tm_sec, wall_ns % BP_NS_PER_S);
}
