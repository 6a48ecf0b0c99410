/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage references: what a source may reach through the host, by name.
 */
#ifndef BP_CORE_PLUGIN_REFS_H
#define BP_CORE_PLUGIN_REFS_H

#include "core/base/retry.h"
#include "core/plugin/store.h"

/** Returns: (transfer full) */
bp_refs *bp_refs_new(void);
void bp_refs_free(bp_refs *refs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_refs, bp_refs_free)

/** Make `store` below `prefix` ("" or ending in '/') known as `name`.  @flags: BP_VIEW_… */
void bp_refs_add(bp_refs *refs, const char *name, bp_store *store, const char *prefix,
                 guint32 flags);

/** Some bytes of an object that a source was given; `key` is relative to the reference. */
typedef struct bp_ref_piece {
    const char *key;
    guint64 offset;
    const void *bytes;
    gsize n;
} bp_ref_piece;

/** Sees each piece before the source does; false (error set) keeps it from it.  Any thread. */
typedef bool (*bp_ref_watch)(void *ctx, const bp_ref_piece *piece, GError **error);
/** Of one reference, until it is added anew; NULL ends it.  Not while it is in use. */
void bp_refs_watch(bp_refs *refs, const char *name, bp_ref_watch watch, void *ctx);
/** Shows a piece to whoever watches, if anybody does. */
bool bp_refs_show(const bp_refs *refs, const char *name, const bp_ref_piece *piece, GError **error);

/** How calls through references are tried again; without it they are made once. */
void bp_refs_set_retry(bp_refs *refs, const bp_retry_params *retry);
/** NULL when nobody set it.  Borrowed. */
const bp_retry_params *bp_refs_retry(const bp_refs *refs);

/** The store and prefix behind a name; NULL when there is none. */
bp_store *bp_refs_find(const bp_refs *refs, const char *name, const char **prefix, guint32 *flags);

#endif
