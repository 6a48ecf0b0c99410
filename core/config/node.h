/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody said, before anybody checked it: a tree of texts, maps and lists, each node with
 * the place it came from.  The YAML reader, the environment, --set and foreign dialects all end
 * in such trees.  Not shared between threads while it changes.
 */
#ifndef BP_CORE_CONFIG_NODE_H
#define BP_CORE_CONFIG_NODE_H

#include <glib.h>
#include <stdbool.h>

typedef enum { BP_NODE_TEXT, BP_NODE_MAP, BP_NODE_LIST } bp_node_kind;

typedef struct bp_node {
    bp_node_kind kind;
    char *name;          /* within its map, else NULL */
    char *text;          /* TEXT; NULL = written as nothing, "~" or "null" */
    GPtrArray *children; /* MAP, LIST: bp_node *, in order of appearance */
    guint line;          /* in the file, from 1; 0 = not from a file */
    char *origin;        /* where it was said, or NULL = in the file that was read */
} bp_node;

/** Returns: (transfer full) */
bp_node *bp_node_new(bp_node_kind kind);
/** Wipes the texts: any of them may be a secret. */
void bp_node_free(bp_node *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_node, bp_node_free)

/** A text that says nothing, or no node at all. */
bool bp_node_is_null(const bp_node *node);

/** Child of a map by its exact name; NULL when there is none or `node` is no map. */
bp_node *bp_node_child(const bp_node *node, const char *name);
/** Node at a path like "backup.concurrency.units"; "" is `root` itself. */
bp_node *bp_node_at(const bp_node *root, const char *path);

/**
 * Set a text at a path below the map `root`; whatever stood in the way is replaced.
 * @origin: as it shall be shown, e.g. "--set".
 */
void bp_node_put(bp_node *root, const char *path, const char *text, const char *origin);

/** "file /etc/x.yaml:7" or the node's own origin.  Returns: (transfer full) */
char *bp_node_origin(const bp_node *node, const char *file);
/** The same to start a message with: "/etc/x.yaml:7".  Returns: (transfer full) */
char *bp_node_where(const bp_node *node, const char *file);

#endif
