/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups as JSON: the one form that list, get and prune share.
 */
#ifndef BP_CORE_VERB_ENTRY_JSON_H
#define BP_CORE_VERB_ENTRY_JSON_H

#include <jansson.h>

#include "core/catalog/catalog.h"

/** Returns: (transfer full) */
json_t *bp_entry_json(const bp_backup_entry *entry);

/** One word for people: "success", "failed", "incomplete", "running (stale)", "foreign" … */
const char *bp_entry_status(const bp_backup_entry *entry);

/** One of its units: kind, names, and of those with items how many, bytes, proof.  (transfer full)
 */
json_t *bp_manifest_unit_json(const bp_manifest *manifest, const bp_manifest_unit *unit);

/** Units of a manifest with names of their parents, items, bytes, proof.  (transfer full) */
json_t *bp_manifest_units_json(const bp_manifest *manifest);
/** The same of those that have items.  Returns: (transfer full) */
json_t *bp_manifest_item_units_json(const bp_manifest *manifest);

#endif
