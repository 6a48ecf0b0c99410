/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalising values.
 */
#include "core/config/values.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

/* The value as it may be quoted to people. */
static const char *
quotable(const struct bp_config_key *key, const char *text)
{
    return (key->flags & BP_CONFIG_SECRET) != 0 ? BP_SECRET_MASK : text;
}

static char *
bad_type(const struct bp_config_key *key, const char *text, const char *what, GError **error)
{
    bp_set_error(error, BP_ERR_INVALID, "\"%s\" is %s", quotable(key, text), what);
    return NULL;
}

static bool
has_limits(const struct bp_config_key *key)
{
    return key->min != 0 || key->max != 0;
}

static char *
number_text(const struct bp_config_key *key, gint64 value)
{
    if (key->type == BP_CONFIG_SIZE) {
        return bp_text_size((guint64)value);
    }
    if (key->type == BP_CONFIG_DURATION && value < G_MAXINT64 / 1000000) {
        return bp_text_duration(value * 1000000);
    }
    return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

char *
bp_config__range_text(const struct bp_config_key *key)
{
    GString *out = g_string_new(NULL);
    bool is_number = key->type == BP_CONFIG_INT || key->type == BP_CONFIG_SIZE ||
                     key->type == BP_CONFIG_DURATION;
    if (is_number && has_limits(key)) {
        g_autofree char *min = number_text(key, key->min);
        g_autofree char *max = number_text(key, key->max);
        g_string_append_printf(out, "%s to %s", min, max);
    }
    if (key->choices != NULL) {
        g_auto(GStrv) words = g_strsplit(key->choices, "|", -1);
        g_autofree char *joined = g_strjoinv(", ", words);
        g_string_append_printf(out, "%s%s", out->len > 0 ? ", or " : "", joined);
    }
    return g_string_free(out, FALSE);
}

static char *
in_range(const struct bp_config_key *key, const char *text, gint64 value, GError **error)
{
    if (has_limits(key) && (value < key->min || value > key->max)) {
        g_autofree char *range = bp_config__range_text(key);
        bp_set_error(error, BP_ERR_INVALID, "%s is out of range", quotable(key, text));
        bp_error_add_hint(error, "allowed are %s", range);
        return NULL;
    }
    return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

static bool
is_choice(const struct bp_config_key *key, const char *text)
{
    if (key->choices == NULL) {
        return false;
    }
    g_auto(GStrv) words = g_strsplit(key->choices, "|", -1);
    return g_strv_contains((const char *const *)words, text);
}

static char *
normalise_choice(const struct bp_config_key *key, const char *text, GError **error)
{
    if (is_choice(key, text)) {
        return g_strdup(text);
    }
    g_auto(GStrv) words = g_strsplit(key->choices != NULL ? key->choices : "", "|", -1);
    g_autofree char *joined = g_strjoinv(", ", words);
    bp_set_error(error, BP_ERR_INVALID, "\"%s\" is none of: %s", quotable(key, text), joined);
    const char *nearest = bp_text_nearest(text, (const char *const *)words, g_strv_length(words));
    if (nearest != NULL) {
        bp_error_add_hint(error, "did you mean \"%s\"?", nearest);
    }
    return NULL;
}

static char *
normalise_int(const struct bp_config_key *key, const char *text, GError **error)
{
    gint64 value;
    if (bp_parse_i64(text, &value) != 0) {
        return bad_type(key, text, "no whole number", error);
    }
    return in_range(key, text, value, error);
}

static char *
normalise_bool(const struct bp_config_key *key, const char *text, GError **error)
{
    bool value;
    if (bp_parse_bool(text, &value) != 0) {
        return bad_type(key, text, "neither true nor false", error);
    }
    return g_strdup(value ? "true" : "false");
}

static char *
normalise_size(const struct bp_config_key *key, const char *text, GError **error)
{
    guint64 value;
    if (is_choice(key, text)) {
        return g_strdup("0");
    }
    if (bp_parse_size(text, &value) != 0 || value > G_MAXINT64) {
        bad_type(key, text, "no size", error);
        bp_error_add_hint(error, "write bytes or a whole number with a unit: 65536, 64MiB, 2G%s%s",
                          key->choices != NULL ? ", or " : "",
                          key->choices != NULL ? key->choices : "");
        return NULL;
    }
    return in_range(key, text, (gint64)value, error);
}

static char *
normalise_duration(const struct bp_config_key *key, const char *text, GError **error)
{
    guint64 value;
    if (is_choice(key, text)) {
        return g_strdup("0");
    }
    if (bp_parse_duration_ms(text, &value) != 0 || value > G_MAXINT64) {
        bad_type(key, text, "no duration", error);
        bp_error_add_hint(error, "write a whole number with a unit: 250ms, 30s, 5m, 2h, 7d%s%s",
                          key->choices != NULL ? ", or " : "",
                          key->choices != NULL ? key->choices : "");
        return NULL;
    }
    return in_range(key, text, (gint64)value, error);
}

static char *
normalise_path(const struct bp_config_key *key, const char *text, const char *base_dir,
               GError **error)
{
    if (*text == '\0') {
        return bad_type(key, text, "no path", error);
    }
    if (g_path_is_absolute(text)) {
        return g_strdup(text); /* as written: ".." behind a symlink is not ours to shorten */
    }
    g_autofree char *current = base_dir == NULL ? g_get_current_dir() : NULL;
    while (g_str_has_prefix(text, "./")) {
        text += 2;
    }
    return g_build_filename(base_dir != NULL ? base_dir : current, text, NULL);
}

char *
bp_config__normalise(const struct bp_config_key *key, const char *text, const char *base_dir,
                     GError **error)
{
    switch (key->type) {
    case BP_CONFIG_STRING:
        return g_strdup(text);
    case BP_CONFIG_INT:
        return normalise_int(key, text, error);
    case BP_CONFIG_BOOL:
        return normalise_bool(key, text, error);
    case BP_CONFIG_SIZE:
        return normalise_size(key, text, error);
    case BP_CONFIG_DURATION:
        return normalise_duration(key, text, error);
    case BP_CONFIG_CHOICE:
        return normalise_choice(key, text, error);
    case BP_CONFIG_PATH:
        return normalise_path(key, text, base_dir, error);
    default:
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "declared with type %u, which this host does not "
                     "know",
                     key->type);
        return NULL;
    }
}
