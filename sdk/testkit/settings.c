/* SPDX-License-Identifier: Apache-2.0
 *
 * See settings.h.
 */
#include "sdk/testkit/settings.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/parse.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define SECRET_MAX 65536

struct entry {
    const struct bp_config_key *key;
    char **values;
    size_t n;
    _Atomic int asked;
};

struct bp_config {
    struct entry *entries;
    size_t n;
};

static void
clear_values(struct entry *entry)
{
    for (size_t i = 0; i < entry->n; i++) {
        free(entry->values[i]);
    }
    free(entry->values);
    entry->values = NULL;
    entry->n = 0;
}

static void
add_value(struct entry *entry, char *take_text)
{
    entry->values = bp_kit_grow(entry->values, entry->n + 1, sizeof *entry->values);
    entry->values[entry->n++] = take_text;
}

static struct entry *
find(const struct bp_config *config, const char *key)
{
    for (size_t i = 0; config != NULL && i < config->n; i++) {
        if (strcmp(config->entries[i].key->name, key) == 0) {
            return &config->entries[i];
        }
    }
    return NULL;
}

static bool
is_choice(const struct bp_config_key *key, const char *text)
{
    size_t n = strlen(text);
    for (const char *at = key->choices; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, "|");
        if (word == n && strncmp(at, text, n) == 0) {
            return true;
        }
        at += word + (at[word] == '|' ? 1 : 0);
    }
    return false;
}

static bool
in_range(const struct bp_config_key *key, int64_t value)
{
    return (key->min == 0 && key->max == 0) || (value >= key->min && value <= key->max);
}

static char *
normal_amount(const struct bp_config_key *key, const char *text)
{
    uint64_t value = 0;
    if (is_choice(key, text)) {
        return bp_kit_dup("0");
    }
    int parsed = key->type == BP_CONFIG_SIZE ? bp_parse_size(text, &value)
                                             : bp_parse_duration_ms(text, &value);
    if (parsed != 0 || value > INT64_MAX || !in_range(key, (int64_t)value)) {
        return NULL;
    }
    return bp_kit_text("%" PRIu64, value);
}

static char *
normal_path(const char *text)
{
    char here[4096];
    if (*text == '/' || *text == '\0' || getcwd(here, sizeof here) == NULL) {
        return *text != '\0' ? bp_kit_dup(text) : NULL;
    }
    return bp_kit_text("%s/%s", here, text);
}

/* As the host hands it over; NULL when the text is no value of this key. */
static char *
normalise(const struct bp_config_key *key, const char *text)
{
    int64_t number = 0;
    bool yes = false;
    switch (key->type) {
    case BP_CONFIG_INT:
        return bp_parse_i64(text, &number) == 0 && in_range(key, number)
                   ? bp_kit_text("%" PRId64, number)
                   : NULL;
    case BP_CONFIG_BOOL:
        return bp_parse_bool(text, &yes) == 0 ? bp_kit_dup(yes ? "true" : "false") : NULL;
    case BP_CONFIG_SIZE:
    case BP_CONFIG_DURATION:
        return normal_amount(key, text);
    case BP_CONFIG_CHOICE:
        return is_choice(key, text) ? bp_kit_dup(text) : NULL;
    case BP_CONFIG_PATH:
        return normal_path(text);
    default:
        return bp_kit_dup(text);
    }
}

/* {port} becomes the port of the kit's own server. */
static char *
fill_in(const char *text, unsigned port)
{
    const char *at = port != 0 ? strstr(text, "{port}") : NULL;
    if (at == NULL) {
        return bp_kit_dup(text);
    }
    return bp_kit_text("%.*s%u%s", (int)(at - text), text, port, at + strlen("{port}"));
}

static bool
read_value(struct entry *entry, const struct bp_kit_node *node, unsigned port, char **why)
{
    if (node->type != BP_KIT_TEXT || node->text == NULL) {
        *why = bp_kit_text("line %u: %s: expected a plain value", node->line, entry->key->name);
        return false;
    }
    char *filled = fill_in(node->text, port);
    char *value = normalise(entry->key, filled);
    free(filled);
    if (value == NULL) {
        bool secret = (entry->key->flags & BP_CONFIG_SECRET) != 0;
        *why = bp_kit_text("line %u: %s: \"%s\" is no value of this setting", node->line,
                           entry->key->name, secret ? "***" : node->text);
        return false;
    }
    add_value(entry, value);
    return true;
}

static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    char *text = bp_kit_alloc(SECRET_MAX + 1, 1);
    size_t n = fread(text, 1, SECRET_MAX, file);
    (void)fclose(file); /* opened for reading */
    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = '\0';
    }
    return text;
}

/* {file: PATH} or {env: NAME}, as in bakplane.yaml. */
static bool
read_secret(struct entry *entry, const struct bp_kit_node *node, char **why)
{
    const char *path = bp_kit_node_text(node, "file", NULL);
    const char *name = bp_kit_node_text(node, "env", NULL);
    char *text = NULL;
    if (node->n == 1 && path != NULL) {
        text = read_file(path);
    } else if (node->n == 1 && name != NULL && getenv(name) != NULL) {
        text = bp_kit_dup(getenv(name));
    }
    if (text == NULL) {
        *why = bp_kit_text("line %u: %s: expected the secret itself, {file: PATH} of a readable "
                           "file, or {env: NAME} of a variable that is set",
                           node->line, entry->key->name);
        return false;
    }
    add_value(entry, text);
    return true;
}

static bool
read_entry(struct entry *entry, const struct bp_kit_node *node, unsigned port, char **why)
{
    bool is_list = (entry->key->flags & BP_CONFIG_LIST) != 0;
    if (node->type == BP_KIT_MAP && (entry->key->flags & BP_CONFIG_SECRET) != 0) {
        return read_secret(entry, node, why);
    }
    if (node->type != BP_KIT_LIST || !is_list) {
        return read_value(entry, node, port, why);
    }
    for (size_t i = 0; i < node->n; i++) {
        if (!read_value(entry, &node->kids[i], port, why)) {
            return false;
        }
    }
    return true;
}

static const struct bp_kit_node *
node_of(const struct bp_kit_node *map, const struct bp_config_key *key)
{
    const struct bp_kit_node *node = bp_kit_node_get(map, key->name);
    return node != NULL || key->alias == NULL ? node : bp_kit_node_get(map, key->alias);
}

static bool
is_nothing(const struct bp_kit_node *node)
{
    return node == NULL || (node->type == BP_KIT_TEXT && node->text == NULL);
}

static bool
fill_entry(struct entry *entry, const struct bp_kit_settings_params *params, char **why)
{
    const struct bp_config_key *key = entry->key;
    const struct bp_kit_node *node = node_of(params->other, key);
    if (node == NULL) {
        node = node_of(params->base, key);
    }
    if (!is_nothing(node)) {
        return read_entry(entry, node, params->port, why);
    }
    if (key->def != NULL) {
        char *value = normalise(key, key->def);
        add_value(entry, value != NULL ? value : bp_kit_dup(key->def));
    } else if ((key->flags & BP_CONFIG_REQUIRED) != 0) {
        *why = bp_kit_text("the plugin's setting %s is required, and not given", key->name);
        return false;
    }
    return true;
}

/* `plugin` may stay where an entry of bakplane.yaml was copied as it is. */
static bool
all_known(const struct bp_kit_settings_params *params, const struct bp_kit_node *map, char **why)
{
    for (size_t i = 0; map != NULL && i < map->n; i++) {
        const char *name = map->kids[i].name;
        bool known = name != NULL && strcmp(name, "plugin") == 0;
        for (size_t j = 0; j < params->n_keys && !known; j++) {
            const struct bp_config_key *key = &params->keys[j];
            known = name != NULL && (strcmp(name, key->name) == 0 ||
                                     (key->alias != NULL && strcmp(name, key->alias) == 0));
        }
        if (!known) {
            *why = bp_kit_text("line %u: %s: the plugin has no such setting", map->kids[i].line,
                               name != NULL ? name : "(list)");
            return false;
        }
    }
    return true;
}

struct bp_config *
bp_kit_settings_new(const struct bp_kit_settings_params *params, char **why)
{
    struct bp_config *config = bp_kit_alloc(1, sizeof *config);
    config->entries = bp_kit_alloc(params->n_keys, sizeof *config->entries);
    config->n = params->n_keys;
    bool fine = all_known(params, params->base, why) && all_known(params, params->other, why);
    for (size_t i = 0; i < params->n_keys; i++) {
        config->entries[i].key = &params->keys[i];
        fine = fine && fill_entry(&config->entries[i], params, why);
    }
    if (!fine) {
        bp_kit_settings_free(config);
        return NULL;
    }
    return config;
}

void
bp_kit_settings_free(struct bp_config *config)
{
    for (size_t i = 0; config != NULL && i < config->n; i++) {
        clear_values(&config->entries[i]);
    }
    if (config != NULL) {
        free(config->entries);
    }
    free(config);
}

void
bp_kit_settings_set(struct bp_config *config, const char *key, const char *text)
{
    struct entry *entry = find(config, key);
    if (entry != NULL) {
        clear_values(entry);
        if (text != NULL) {
            add_value(entry, bp_kit_dup(text));
        }
    }
}

const char *
bp_kit_settings_peek(const struct bp_config *config, const char *key)
{
    const struct entry *entry = find(config, key);
    return entry != NULL && entry->n > 0 ? entry->values[0] : NULL;
}

bool
bp_kit_settings_asked(const struct bp_config *config, const char *key)
{
    struct entry *entry = find(config, key);
    return entry != NULL && atomic_load(&entry->asked) != 0;
}

size_t
bp_kit_config_count(const struct bp_config *config, const char *key)
{
    struct entry *entry = key != NULL ? find(config, key) : NULL;
    if (entry == NULL) {
        return 0;
    }
    atomic_store(&entry->asked, 1);
    return entry->n;
}

const char *
bp_kit_config_at(const struct bp_config *config, const char *key, size_t i)
{
    return i < bp_kit_config_count(config, key) ? find(config, key)->values[i] : NULL;
}

const char *
bp_kit_config_get(const struct bp_config *config, const char *key)
{
    return bp_kit_config_at(config, key, 0);
}
