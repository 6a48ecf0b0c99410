/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts that a run has begun: one small record each, written before the first part and
 * removed when the upload is complete or aborted, so that the next run for that name can end what
 * a killed one left.  Listing the storage's uploads is not enough: MinIO lists them by exact key
 * only, and what is not listed costs money for ever.
 */
#ifndef BP_CORE_CATALOG_UPLOADS_H
#define BP_CORE_CATALOG_UPLOADS_H

#include "core/catalog/catalog.h"

typedef struct bp_uploads bp_uploads;

/** Of a running create.  @name, @run_id: copied.  Returns: (transfer full) */
bp_uploads *bp_uploads_new(const bp_catalog *catalog, const char *name, const char *run_id);
/** What is still on record stays there. */
void bp_uploads_free(bp_uploads *uploads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_uploads, bp_uploads_free)

/**
 * Durable when it returns true.  @key: below the backup, written by one thread.  @upload: its id;
 * "" before it has one, which the record then gets with the next call.  Once more "" is another
 * beginning: the record of the one before stays until it is swept.  Any thread.
 */
bool bp_uploads_add(bp_uploads *uploads, const char *key, const char *upload, GError **error);
/** It is over.  A record that cannot be removed is one that the next run looks at.  Any thread. */
void bp_uploads_forget(bp_uploads *uploads, const char *key, const char *upload);
/** Number of those that were added and not forgotten: their abort failed, or nobody knows whether
 *  they began.  Any thread. */
guint bp_uploads_left(bp_uploads *uploads);

/**
 * Abort all uploads on record below a backup, and remove the records.  Under the lease on its
 * name.  What cannot be aborted is named in a warning, keeps its record, and is no error: it is in
 * nobody's way.  CANCELLED.
 */
bool bp_uploads_abort(const bp_catalog *catalog, const char *name, GError **error);

#endif
