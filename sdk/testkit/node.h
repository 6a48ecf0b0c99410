/* SPDX-License-Identifier: Apache-2.0
 *
 * The file that --config names, as a tree: YAML of maps, lists and plain values, as in
 * bakplane.yaml. Nothing changes after loading; any thread.
 */
#ifndef BAKPLANE_TESTKIT_NODE_H
#define BAKPLANE_TESTKIT_NODE_H

#include <stdbool.h>
#include <stddef.h>

enum bp_kit_node_type { BP_KIT_TEXT, BP_KIT_MAP, BP_KIT_LIST };

struct bp_kit_node {
    enum bp_kit_node_type type;
    unsigned line;
    char *name; /**< in a map, else NULL */
    char *text; /**< of a TEXT; NULL = written as nothing, or "~" */
    struct bp_kit_node *kids;
    size_t n;
};

/** NULL after a message to stderr that names file and line. */
struct bp_kit_node *bp_kit_node_load(const char *path);
/** NULL is fine. */
void bp_kit_node_free(struct bp_kit_node *root);

/** The member of a map, or NULL; `map` may be NULL. */
const struct bp_kit_node *bp_kit_node_get(const struct bp_kit_node *map, const char *name);

/** Text of a member of a map, or `fallback`. */
const char *bp_kit_node_text(const struct bp_kit_node *map, const char *name, const char *fallback);

#endif
