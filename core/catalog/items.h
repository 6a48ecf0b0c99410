/* SPDX-License-Identifier: Apache-2.0
 *
 * Items as JSON lines: the manifest's items files and the journal's chunks share the form
 *
 *     {"k":"binlogs/…","s":4711,"u":"coll:1","c":"xxh3-128:host:0123…","e":"etag"}
 *
 * Written and read as streams, so that a million items never sit in memory.
 */
#ifndef BP_CORE_CATALOG_ITEMS_H
#define BP_CORE_CATALOG_ITEMS_H

#include <bakplane/storage.h>

#include "core/plugin/store.h"

/** One item of a backup.  Text is borrowed. */
typedef struct bp_item_record {
    const char *key; /* below the backup */
    const char *unit_id;
    guint64 size;
    struct bp_checksum checksum; /* kind NONE = nobody saw the bytes */
    const char *etag;            /* of the source, or NULL */
    guint32 generation;          /* of the unit, journal only */
} bp_item_record;

/** Append one line.  The record must be valid. */
void bp_item_record_append(GString *out, const bp_item_record *record);

/** false stops the reading, which is then an error only if `error` was set. */
typedef bool (*bp_item_record_fn)(void *ctx, const bp_item_record *record, GError **error);

/** Read a file of item lines from a store.  CORRUPT names key and line. */
bool bp_item_records_read(bp_store *store, const bp_call *call, const char *key,
                          bp_item_record_fn fn, void *ctx, GError **error);

#endif
