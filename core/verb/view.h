/* SPDX-License-Identifier: Apache-2.0
 *
 * A finished backup opened for reading, whoever wrote it: ours through its manifest, another
 * tool's through what the source adopts from its files.  Nothing is ever written here.
 */
#ifndef BP_CORE_VERB_VIEW_H
#define BP_CORE_VERB_VIEW_H

#include "core/verb/verb.h"

/** Reference by which the source reaches the opened backup. */
#define BP_BACKUP_REF "@backup"

typedef struct bp_view {
    const bp_verb *verb;
    const bp_catalog *catalog;
    bp_source_inst *source;
    bp_manifest *manifest; /* of a foreign backup: made from what the source adopted */
    bool foreign;
} bp_view;

/**
 * Opens a backup that may be used: success with all its documents, or a foreign one that the
 * source can adopt.  Makes it known to the source as BP_BACKUP_REF, read-only.
 * NOT_FOUND; CORRUPT; PERMANENT (not finished, with what to do).
 */
bool bp_view_open(const bp_verb *verb, const char *name, bp_view *view, GError **error);
/** The same on another storage than `backup.storage`. */
bool bp_view_open_on(const bp_verb *verb, const bp_catalog *catalog, const char *name,
                     bp_view *view, GError **error);
void bp_view_clear(bp_view *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_view, bp_view_clear)

/** All items; for a foreign backup the source names them anew at each call. */
bool bp_view_items(const bp_view *view, bp_item_record_fn fn, void *ctx, GError **error);

/**
 * What another run has made of the backup since it was opened: "deleted" or "replaced".  NULL when
 * it is still that, as far as can be seen.
 */
const char *bp_view_became(const bp_view *view);

/** "parent.child" of a unit.  Returns: (transfer full) */
char *bp_view_unit_name(const bp_view *view, const bp_manifest_unit *unit);

#endif
