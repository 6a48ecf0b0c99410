/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins in JSON: what --json prints of them, and what a server tells.
 */
#ifndef BP_CORE_PLUGIN_DESCRIBE_H
#define BP_CORE_PLUGIN_DESCRIBE_H

#include <jansson.h>

#include "core/plugin/plugins.h"

/** @detail: with its settings and options.  Any thread.  Returns: (transfer full) */
json_t *bp_plugin_file_json(const bp_plugin_file *file, bool detail);

#endif
