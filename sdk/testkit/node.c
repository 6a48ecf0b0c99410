/* SPDX-License-Identifier: Apache-2.0
 *
 * See node.h.
 */
#include "sdk/testkit/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define DEPTH_MAX 16

struct loading {
    const char *path;
    yaml_document_t document;
};

static bool
complain(const struct loading *self, unsigned line, const char *what, const char *name)
{
    (void)fprintf(stderr, "%s:%u: %s%s%s\n", self->path, line, name != NULL ? name : "",
                  name != NULL ? ": " : "", what);
    return false;
}

static unsigned
line_of(const yaml_node_t *from)
{
    return (unsigned)from->start_mark.line + 1;
}

static bool
is_nothing(const yaml_node_t *from)
{
    const char *text = (const char *)from->data.scalar.value;
    return from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool convert(struct loading *self, int index, unsigned depth, struct bp_kit_node *out);

static struct bp_kit_node *
add_kid(struct bp_kit_node *parent)
{
    parent->kids = bp_kit_grow(parent->kids, parent->n + 1, sizeof *parent->kids);
    struct bp_kit_node *kid = &parent->kids[parent->n];
    memset(kid, 0, sizeof *kid);
    parent->n++;
    return kid;
}

static bool
convert_map(struct loading *self, const yaml_node_t *from, unsigned depth, struct bp_kit_node *out)
{
    for (const yaml_node_pair_t *pair = from->data.mapping.pairs.start;
         pair < from->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&self->document, pair->key);
        if (key->type != YAML_SCALAR_NODE) {
            return complain(self, line_of(key), "expected a name", NULL);
        }
        const char *name = (const char *)key->data.scalar.value;
        if (bp_kit_node_get(out, name) != NULL) {
            return complain(self, line_of(key), "given twice", name);
        }
        struct bp_kit_node *kid = add_kid(out);
        kid->name = bp_kit_dup(name);
        if (!convert(self, pair->value, depth + 1, kid)) {
            return false;
        }
    }
    return true;
}

static bool
convert(struct loading *self, int index, unsigned depth, struct bp_kit_node *out)
{
    const yaml_node_t *from = yaml_document_get_node(&self->document, index);
    out->line = line_of(from);
    if (depth > DEPTH_MAX) {
        return complain(self, out->line, "nested too deeply", NULL);
    }
    if (from->type == YAML_SCALAR_NODE) {
        out->type = BP_KIT_TEXT;
        out->text = is_nothing(from) ? NULL : bp_kit_dup((const char *)from->data.scalar.value);
        return true;
    }
    if (from->type == YAML_MAPPING_NODE) {
        out->type = BP_KIT_MAP;
        return convert_map(self, from, depth, out);
    }
    out->type = BP_KIT_LIST;
    for (const yaml_node_item_t *item = from->data.sequence.items.start;
         item < from->data.sequence.items.top; item++) {
        if (!convert(self, *item, depth + 1, add_kid(out))) {
            return false;
        }
    }
    return true;
}

static struct bp_kit_node *
parse(struct loading *self, yaml_parser_t *parser)
{
    if (yaml_parser_load(parser, &self->document) == 0) {
        (void)complain(self, (unsigned)parser->problem_mark.line + 1,
                       parser->problem != NULL ? parser->problem : "not YAML", NULL);
        return NULL;
    }
    struct bp_kit_node *root = bp_kit_alloc(1, sizeof *root);
    bool fine = false;
    if (yaml_document_get_root_node(&self->document) == NULL) {
        (void)complain(self, 1, "the file is empty", NULL);
    } else {
        fine = convert(self, 1, 0, root);
        if (fine && root->type != BP_KIT_MAP) {
            fine = complain(self, root->line, "expected names with values", NULL);
        }
    }
    yaml_document_delete(&self->document);
    if (!fine) {
        bp_kit_node_free(root);
        root = NULL;
    }
    return root;
}

struct bp_kit_node *
bp_kit_node_load(const char *path)
{
    struct loading self = {.path = path};
    yaml_parser_t parser;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        perror(path);
        return NULL;
    }
    struct bp_kit_node *root = NULL;
    if (yaml_parser_initialize(&parser) != 0) {
        yaml_parser_set_input_file(&parser, file);
        root = parse(&self, &parser);
        yaml_parser_delete(&parser);
    }
    (void)fclose(file); /* opened for reading */
    return root;
}

static void
clear(struct bp_kit_node *node)
{
    for (size_t i = 0; i < node->n; i++) {
        clear(&node->kids[i]);
    }
    free(node->kids);
    free(node->name);
    free(node->text);
}

void
bp_kit_node_free(struct bp_kit_node *root)
{
    if (root != NULL) {
        clear(root);
    }
    free(root);
}

const struct bp_kit_node *
bp_kit_node_get(const struct bp_kit_node *map, const char *name)
{
    for (size_t i = 0; map != NULL && map->type == BP_KIT_MAP && i < map->n; i++) {
        if (map->kids[i].name != NULL && strcmp(map->kids[i].name, name) == 0) {
            return &map->kids[i];
        }
    }
    return NULL;
}

const char *
bp_kit_node_text(const struct bp_kit_node *map, const char *name, const char *fallback)
{
    const struct bp_kit_node *node = bp_kit_node_get(map, name);
    return node != NULL && node->type == BP_KIT_TEXT && node->text != NULL ? node->text : fallback;
}
