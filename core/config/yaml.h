/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of YAML that settings need: maps, lists and scalars of one document, as a tree of
 * nodes with their lines.  Anchors, aliases and tags are refused (a few lines of them can stand
 * for gigabytes), so are duplicate keys, keys that are no plain text, and input beyond the limits.
 * Pure function, any thread.
 */
#ifndef BP_CORE_CONFIG_YAML_H
#define BP_CORE_CONFIG_YAML_H

#include "core/config/node.h"

#define BP_YAML_MAX_BYTES 1048576
#define BP_YAML_MAX_DEPTH 16
#define BP_YAML_MAX_NODES 10000

/**
 * @what: name of the input for messages, which start with "what:line: ".
 * INVALID for anything that is not allowed.  No text at all is an empty map.
 * Returns: (transfer full) (nullable) a map
 */
bp_node *bp_yaml_parse(const char *text, gsize n, const char *what, GError **error);

#endif
