/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees of what was said.
 */
#include "core/config/node.h"

#include <string.h>

#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

bp_node *
bp_node_new(bp_node_kind kind)
{
    bp_node *node = g_new0(bp_node, 1);
    node->kind = kind;
    if (kind != BP_NODE_TEXT) {
        node->children = g_ptr_array_new_with_free_func((GDestroyNotify)bp_node_free);
    }
    return node;
}

void
bp_node_free(bp_node *node)
{
    if (node == NULL) {
        return;
    }
    if (node->text != NULL) {
        bp_secret_wipe(node->text, strlen(node->text));
    }
    if (node->children != NULL) {
        g_ptr_array_unref(node->children);
    }
    g_free(node->text);
    g_free(node->name);
    g_free(node->origin);
    g_free(node);
}

bool
bp_node_is_null(const bp_node *node)
{
    return node == NULL || (node->kind == BP_NODE_TEXT && node->text == NULL);
}

static bp_node *
child_named(const bp_node *node, const char *name, gsize n)
{
    if (node == NULL || node->kind != BP_NODE_MAP) {
        return NULL;
    }
    for (guint i = 0; i < node->children->len; i++) {
        bp_node *child = g_ptr_array_index(node->children, i);
        if (strncmp(child->name, name, n) == 0 && child->name[n] == '\0') {
            return child;
        }
    }
    return NULL;
}

bp_node *
bp_node_child(const bp_node *node, const char *name)
{
    return child_named(node, name, strlen(name));
}

bp_node *
bp_node_at(const bp_node *root, const char *path)
{
    bp_node *node = (bp_node *)root;
    while (node != NULL && *path != '\0') {
        gsize n = strcspn(path, ".");
        node = child_named(node, path, n);
        path += n + (path[n] == '.' ? 1 : 0);
    }
    return node;
}

void
bp_node_put(bp_node *root, const char *path, const char *text, const char *origin)
{
    bp_node *node = root;
    g_auto(GStrv) parts = g_strsplit(path, ".", -1);
    for (char **part = parts; *part != NULL; part++) {
        bp_node_kind kind = part[1] != NULL ? BP_NODE_MAP : BP_NODE_TEXT;
        bp_node *child = bp_node_child(node, *part);
        if (child != NULL && (child->kind != kind || kind == BP_NODE_TEXT)) {
            g_ptr_array_remove(node->children, child);
            child = NULL;
        }
        if (child == NULL) {
            child = bp_node_new(kind);
            child->name = g_strdup(*part);
            child->origin = g_strdup(origin);
            g_ptr_array_add(node->children, child);
        }
        node = child;
    }
    node->text = g_strdup(text);
}

char *
bp_node_where(const bp_node *node, const char *file)
{
    if (node->origin != NULL) {
        return g_strdup(node->origin);
    }
    return g_strdup_printf("%s:%u", file, node->line);
}

char *
bp_node_origin(const bp_node *node, const char *file)
{
    g_autofree char *where = bp_node_where(node, file);
    return node->origin != NULL ? g_steal_pointer(&where) : g_strdup_printf("file %s", where);
}
