/* SPDX-License-Identifier: Apache-2.0
 *
 * Are a backup's objects what its record says?  Used by `verify` and by restore before it begins.
 */
#ifndef BP_CORE_VERB_VERIFY_H
#define BP_CORE_VERB_VERIFY_H

#include "core/verb/view.h"

typedef struct bp_verify_params {
    const bp_view *view;
    const bp_call *call;
    GHashTable *units; /* ids of the units that matter, or NULL = all */
    bool deep;         /* read items and compare checksums */
    bool unexpected;   /* name objects that no item stands for */
    /** Items that carry no checksum, with the one just computed (deep only); may be NULL. */
    bool (*sealed)(void *ctx, const bp_item_record *record, GError **error);
    /** All other items, in the same order; may be NULL. */
    bool (*kept)(void *ctx, const bp_item_record *record, GError **error);
    void *ctx;
} bp_verify_params;

typedef struct bp_verify_sums {
    guint64 items, bytes;
    guint64 compared; /* read, and equal to the recorded checksum */
    guint64 sealed;   /* read, nothing to compare with */
    guint64 by_size;  /* only the size was compared */
    guint64 missing, truncated, altered, unexpected;
} bp_verify_sums;

/** At most this many problems are listed; the sums count all of them. */
#define BP_VERIFY_MAX_PROBLEMS 1000

/** Problems found are no error: they are counted and appended as {key, problem, …}. */
bool bp_verify_view(const bp_verify_params *params, bp_verify_sums *sums, json_t *problems,
                    GError **error);

#endif
