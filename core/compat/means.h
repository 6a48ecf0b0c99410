/* SPDX-License-Identifier: Apache-2.0
 *
 * What the words of milvus-backup mean here, whether they came by a command line or in a request.
 * Errors do not name the option or field: who asks knows it.  For core/compat only.  Pure.
 */
#ifndef BP_CORE_COMPAT_MEANS_H
#define BP_CORE_COMPAT_MEANS_H

#include <glib.h>
#include <stdbool.h>

#define BP_COMPAT_DATABASE "default"
/** The document that has everything of a backup. */
#define BP_COMPAT_WHOLE_DOCUMENT "meta/full_meta.json"

/** How a backup is made, in the newer and the older way to say it. */
typedef struct bp_compat_flush {
    const char *strategy; /* NULL = the older way: */
    bool force, meta_only;
} bp_compat_flush;

/**
 * @native: (transfer full) our `strategy`, or NULL for its default.  @meta_only: no data.
 * INVALID; UNSUPPORTED for bulk_flush.
 */
bool bp_compat_strategy(const bp_compat_flush *said, char **native, bool *meta_only,
                        GError **error);

/** NULL and what is written anyway are fine.  INVALID; UNSUPPORTED for snapshot. */
bool bp_compat_format(const char *format, GError **error);

/** One rule "from:to": a bare name beside one with a database means the database "default", as in
 * 0.4 and 0.5.  Returns: (transfer full) */
char *bp_compat_rename(const char *from, const char *to);

/** A collection that backups are listed by: a bare name is looked for in every database.
 * Returns: (transfer full) */
char *bp_compat_listed(const char *collection);

/** Settings of `restore` for indexes, "key=value" up to NULL; nothing is loaded in any case.
 * Returns: (transfer container) static texts */
GPtrArray *bp_compat_index_settings(bool index, bool auto_index);

#endif
