/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked values and the tables that declare them.
 */
#include "core/config/settings.h"

#include <string.h>

#include "core/config/section.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

const struct bp_config_key *
bp_key_table_at(const bp_key_table *table, guint32 i)
{
    const char *first = (const char *)table->keys;
    return (const struct bp_config_key *)(const void *)(first + (gsize)i * table->stride);
}

const struct bp_config_key *
bp_key_table_find(const bp_key_table *table, const char *name)
{
    for (guint32 i = 0; i < table->n; i++) {
        const struct bp_config_key *key = bp_key_table_at(table, i);
        if (strcmp(key->name, name) == 0 || g_strcmp0(key->alias, name) == 0) {
            return key;
        }
    }
    return NULL;
}

static void
wipe_and_free(void *text)
{
    bp_secret_wipe(text, strlen(text));
    g_free(text);
}

bp_value *
bp_value__new(void)
{
    bp_value *value = g_new0(bp_value, 1);
    value->texts = g_ptr_array_new_with_free_func(wipe_and_free);
    return value;
}

void
bp_value__free(bp_value *value)
{
    if (value != NULL) {
        g_ptr_array_unref(value->texts);
        g_free(value->shown);
        g_free(value->origin);
        g_free(value);
    }
}

bp_settings *
bp_settings__new(void)
{
    bp_settings *settings = g_new0(bp_settings, 1);
    settings->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)bp_value__free);
    return settings;
}

void
bp_settings__put(bp_settings *settings, const char *key, bp_value *take_value)
{
    g_hash_table_replace(settings->values, g_strdup(key), take_value);
}

const bp_value *
bp_settings__value(const bp_settings *settings, const char *key)
{
    return g_hash_table_lookup(settings->values, key);
}

void
bp_settings_free(bp_settings *settings)
{
    if (settings != NULL) {
        g_hash_table_unref(settings->values);
        g_free(settings);
    }
}

const char *
bp_settings_get(const bp_settings *settings, const char *key)
{
    return bp_settings_at(settings, key, 0);
}

gsize
bp_settings_count(const bp_settings *settings, const char *key)
{
    const bp_value *value = bp_settings__value(settings, key);
    return value != NULL ? value->texts->len : 0;
}

const char *
bp_settings_at(const bp_settings *settings, const char *key, gsize i)
{
    const bp_value *value = bp_settings__value(settings, key);
    return value != NULL && i < value->texts->len ? g_ptr_array_index(value->texts, i) : NULL;
}

guint64
bp_settings_u64(const bp_settings *settings, const char *key)
{
    guint64 number = 0;
    const char *text = bp_settings_get(settings, key);
    g_assert(text != NULL && bp_parse_u64(text, &number) == 0);
    return number;
}

bool
bp_settings_bool(const bp_settings *settings, const char *key)
{
    bool yes = false;
    const char *text = bp_settings_get(settings, key);
    g_assert(text != NULL && bp_parse_bool(text, &yes) == 0);
    return yes;
}

bool
bp_settings_is_given(const bp_settings *settings, const char *key)
{
    const bp_value *value = bp_settings__value(settings, key);
    return value != NULL && value->given;
}
