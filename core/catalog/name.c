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
#define LABEL_MAX_BYTES 64

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

/* Whatever it is, on one line that is not too long. */
static char *
readable(const char *name)
{
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    char *shown = g_strescape(valid, NULL);
    if (strlen(shown) > NAME_MAX_BYTES) {
        memcpy(shown + NAME_MAX_BYTES - 3, "...", sizeof "...");
    }
    return shown;
}

bool
bp_backup_name_check(const char *name, GError **error)
{
    const char *problem = problem_of(name);
    if (problem == NULL) {
        return true;
    }
    g_autofree char *shown = readable(name);
    bp_set_error(error, BP_ERR_INVALID, "backup name \"%s\" %s", shown, problem);
    if (*name != '\0') {
        g_autofree char *proposal = propose(name);
        bp_error_add_hint(error, "\"%s\" would be fine", proposal);
    }
    return false;
}

bool
bp_label_check(const char *label, GError **error)
{
    gsize n = 0;
    while (g_ascii_isalnum(label[n]) || (label[n] != '\0' && strchr("_-.", label[n]) != NULL)) {
        n++;
    }
    if (n >= 1 && n <= LABEL_MAX_BYTES && label[n] == '\0') {
        return true;
    }
    g_autofree char *shown = readable(label);
    bp_set_error(error, BP_ERR_INVALID,
                 "label \"%s\" has to be 1 to %d letters, digits, '_', '-' and '.'", shown,
                 LABEL_MAX_BYTES);
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
