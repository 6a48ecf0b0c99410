/* SPDX-License-Identifier: Apache-2.0
 *
 * See hooks.h.
 */
#include "sdk/testkit/hooks.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

/* A name, and what may stand behind it. */
struct entry {
    const char *name;
    enum bp_kit_node_type type;
    const struct entry *kids; /* of a map, or of each map in a list; NULL = any */
};

static const struct entry answer[] = {{"status", BP_KIT_TEXT, NULL},
                                      {"headers", BP_KIT_MAP, NULL},
                                      {"body", BP_KIT_TEXT, NULL},
                                      {"class", BP_KIT_TEXT, NULL},
                                      {NULL, BP_KIT_TEXT, NULL}};
static const struct entry server[] = {{"settings", BP_KIT_MAP, NULL},
                                      {"headers", BP_KIT_MAP, NULL},
                                      {"answers", BP_KIT_LIST, answer},
                                      {NULL, BP_KIT_TEXT, NULL}};
static const struct entry storage_hooks[] = {
    {"second", BP_KIT_MAP, NULL},    {"other_login", BP_KIT_MAP, NULL},
    {"denied", BP_KIT_MAP, NULL},    {"expired", BP_KIT_MAP, NULL},
    {"full", BP_KIT_MAP, NULL},      {"unreachable", BP_KIT_MAP, NULL},
    {"variants", BP_KIT_LIST, NULL}, {"bad_values", BP_KIT_MAP, NULL},
    {"many", BP_KIT_TEXT, NULL},     {"server", BP_KIT_MAP, server},
    {NULL, BP_KIT_TEXT, NULL},
};
static const struct entry source_hooks[] = {
    {"unreachable", BP_KIT_MAP, NULL}, {"seed", BP_KIT_TEXT, NULL},
    {"compare", BP_KIT_TEXT, NULL},    {"newer", BP_KIT_TEXT, NULL},
    {"older", BP_KIT_TEXT, NULL},      {"drop", BP_KIT_TEXT, NULL},
    {"pinned", BP_KIT_TEXT, NULL},     {"pin_lasts", BP_KIT_TEXT, NULL},
    {NULL, BP_KIT_TEXT, NULL},
};
static const struct entry storage_file[] = {{"storage", BP_KIT_MAP, NULL},
                                            {"prefix", BP_KIT_TEXT, NULL},
                                            {"hooks", BP_KIT_MAP, storage_hooks},
                                            {NULL, BP_KIT_TEXT, NULL}};
static const struct entry source_file[] = {
    {"source", BP_KIT_MAP, NULL},          {"backup", BP_KIT_TEXT, NULL},
    {"storages", BP_KIT_MAP, NULL},        {"options", BP_KIT_MAP, NULL},
    {"restore_options", BP_KIT_MAP, NULL}, {"prefix", BP_KIT_TEXT, NULL},
    {"hooks", BP_KIT_MAP, source_hooks},   {NULL, BP_KIT_TEXT, NULL}};

static char *
list_names(const struct entry *table)
{
    char *text = bp_kit_dup(table->name);
    for (const struct entry *entry = table + 1; entry->name != NULL; entry++) {
        char *longer = bp_kit_text("%s, %s", text, entry->name);
        free(text);
        text = longer;
    }
    return text;
}

static char *
say_unknown(const struct bp_kit_node *node, const char *where, const struct entry *table)
{
    char *names = list_names(table);
    char *why = bp_kit_text("%u: %s%s: there is no such name; known are %s", node->line, where,
                            node->name != NULL ? node->name : "(list)", names);
    free(names);
    return why;
}

static char *check_map(const struct bp_kit_node *map, const char *where, const struct entry *table);

static char *
check_entry(const struct bp_kit_node *node, const char *where, const struct entry *entry)
{
    static const char *const types[] = {"a plain value", "names with values", "a list"};
    char *why = NULL;
    bool nothing = node->type == BP_KIT_TEXT && node->text == NULL;
    bool empty_map = nothing && strcmp(where, "") == 0; /* `storage:` needs no setting */
    if (node->type != entry->type || nothing) {
        return empty_map ? NULL
                         : bp_kit_text("%u: %s%s: expected %s", node->line, where, entry->name,
                                       types[entry->type]);
    }
    char *below = bp_kit_text("%s%s.", where, entry->name);
    if (entry->kids != NULL && entry->type == BP_KIT_MAP) {
        why = check_map(node, below, entry->kids);
    }
    for (size_t i = 0; entry->type == BP_KIT_LIST && i < node->n && why == NULL; i++) {
        const struct bp_kit_node *kid = &node->kids[i];
        if (kid->type != BP_KIT_MAP) {
            why = bp_kit_text("%u: %s%s: expected names with values in it", kid->line, where,
                              entry->name);
        } else if (entry->kids != NULL) {
            why = check_map(kid, below, entry->kids);
        }
    }
    free(below);
    return why;
}

static char *
check_map(const struct bp_kit_node *map, const char *where, const struct entry *table)
{
    char *why = NULL;
    for (size_t i = 0; i < map->n && why == NULL; i++) {
        const struct bp_kit_node *node = &map->kids[i];
        const struct entry *entry = table;
        while (entry->name != NULL &&
               (node->name == NULL || strcmp(entry->name, node->name) != 0)) {
            entry++;
        }
        why =
            entry->name != NULL ? check_entry(node, where, entry) : say_unknown(node, where, table);
    }
    return why;
}

char *
bp_kit_hooks_check(const struct bp_kit_node *config, enum bp_kit_kind kind)
{
    return check_map(config, "", kind == BP_KIT_SOURCE ? source_file : storage_file);
}
