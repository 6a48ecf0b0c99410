/* SPDX-License-Identifier: Apache-2.0
 *
 * See option.h.
 */
#include "core/cli/option.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"

#include "sdk/lib/ban.h"

static bool
is_bool(const struct bp_config_key *key)
{
    return key->type == BP_CONFIG_BOOL && (key->flags & BP_CONFIG_LIST) == 0;
}

/* A bound as it may be written, in the largest unit that holds it exactly. */
static char *
bound_text(const struct bp_config_key *key, gint64 bound)
{
    static const struct {
        guint32 type;
        gint64 factor;
        const char *unit;
    } units[] = {
        {BP_CONFIG_SIZE, 1099511627776, "TiB"}, {BP_CONFIG_SIZE, 1073741824, "GiB"},
        {BP_CONFIG_SIZE, 1048576, "MiB"},       {BP_CONFIG_SIZE, 1024, "KiB"},
        {BP_CONFIG_DURATION, 86400000, "d"},    {BP_CONFIG_DURATION, 3600000, "h"},
        {BP_CONFIG_DURATION, 60000, "m"},       {BP_CONFIG_DURATION, 1000, "s"},
        {BP_CONFIG_DURATION, 1, "ms"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (units[i].type == key->type && bound != 0 && bound % units[i].factor == 0) {
            return g_strdup_printf("%" G_GINT64_FORMAT "%s", bound / units[i].factor,
                                   units[i].unit);
        }
    }
    return g_strdup_printf("%" G_GINT64_FORMAT, bound);
}

static char *
range_text(const struct bp_config_key *key)
{
    if (key->min == 0 && key->max == 0) {
        return NULL;
    }
    g_autofree char *low = bound_text(key, key->min);
    g_autofree char *high = bound_text(key, key->max);
    return key->max == G_MAXINT64 ? g_strdup_printf("from %s", low)
                                  : g_strdup_printf("%s to %s", low, high);
}

static char *
details_of(const struct bp_config_key *key, char *const *names)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    char *range = range_text(key);
    if (range != NULL) {
        g_ptr_array_add(parts, range);
    }
    if (key->type != BP_CONFIG_CHOICE && key->choices != NULL &&
        g_strcmp0(key->choices, key->def) != 0) {
        g_ptr_array_add(parts, g_strdup_printf("or %s", key->choices));
    }
    if ((key->flags & BP_CONFIG_LIST) != 0) {
        g_ptr_array_add(parts, g_strdup("a list"));
    }
    if (names == NULL && (key->flags & BP_CONFIG_REQUIRED) != 0) {
        g_ptr_array_add(parts, g_strdup("required"));
    }
    if (names == NULL && (key->flags & BP_CONFIG_SECRET) != 0) {
        g_ptr_array_add(parts, g_strdup("secret"));
    }
    const char *def = key->def;
    if (is_bool(key) && def != NULL) {
        bool yes = strcmp(def, "true") == 0;
        def = yes ? "yes" : (names == NULL ? "no" : NULL); /* a flag not given means no anyway */
    }
    if (def != NULL && *def != '\0') {
        g_ptr_array_add(parts, g_strdup_printf("default %s", def));
    }
    g_ptr_array_add(parts, NULL);
    return parts->len > 1 ? g_strjoinv("; ", (char **)parts->pdata) : NULL;
}

static char *
value_of(const struct bp_config_key *key)
{
    switch (key->type) {
    case BP_CONFIG_INT:
        return g_strdup("N");
    case BP_CONFIG_BOOL:
        return g_strdup("yes|no");
    case BP_CONFIG_SIZE:
        return g_strdup("SIZE");
    case BP_CONFIG_DURATION:
        return g_strdup("TIME");
    case BP_CONFIG_CHOICE:
        return g_strdup(key->choices);
    case BP_CONFIG_PATH:
        return g_strdup("PATH");
    default:
        return g_strdup("TEXT");
    }
}

bp_option *
bp_option_of_entry(const GOptionEntry *entry, bp_option_group group)
{
    bool none = entry->arg == G_OPTION_ARG_NONE || (entry->flags & G_OPTION_FLAG_NO_ARG) != 0;
    GPtrArray *names = g_ptr_array_new();
    if (entry->short_name != 0) {
        g_ptr_array_add(names, g_strdup_printf("-%c", entry->short_name));
    }
    g_ptr_array_add(names, g_strdup_printf("--%s", entry->long_name));
    g_ptr_array_add(names, NULL);
    bp_option *option = g_new0(bp_option, 1);
    *option = (bp_option){.group = group,
                          .names = (char **)g_ptr_array_free(names, FALSE),
                          .value = none ? NULL : g_strdup(entry->arg_description),
                          .help = g_strdup(entry->description),
                          .file = entry->arg == G_OPTION_ARG_FILENAME};
    return option;
}

bp_option *
bp_option_of_key(const struct bp_config_key *key, char **take_names, bp_option_group group)
{
    bp_option *option = g_new0(bp_option, 1);
    *option = (bp_option){.group = group,
                          .names = take_names,
                          .value = is_bool(key) ? NULL : value_of(key),
                          .help = g_strdup(key->help),
                          .details = details_of(key, take_names),
                          .file = key->type == BP_CONFIG_PATH};
    return option;
}

bp_option *
bp_option_of_setting(const struct bp_config_key *key)
{
    const char *const names[] = {key->name, key->alias, NULL};
    bp_option *option = g_new0(bp_option, 1);
    *option = (bp_option){.group = BP_OPTION_SECTION,
                          .names = g_strdupv((char **)names),
                          .value = value_of(key),
                          .help = g_strdup(key->help),
                          .details = details_of(key, NULL),
                          .file = key->type == BP_CONFIG_PATH};
    return option;
}

void
bp_option_free(bp_option *option)
{
    if (option == NULL) {
        return;
    }
    g_strfreev(option->names);
    g_free(option->value);
    g_free(option->help);
    g_free(option->details);
    g_free(option);
}
