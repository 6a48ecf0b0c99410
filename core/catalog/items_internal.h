/* SPDX-License-Identifier: Apache-2.0
 *
 * Item lines fed piece by piece, for files that were read whole and verified before.
 */
#ifndef BP_CORE_CATALOG_ITEMS_INTERNAL_H
#define BP_CORE_CATALOG_ITEMS_INTERNAL_H

#include "core/catalog/items.h"

/** Longest line that is accepted: a key, an etag and a unit id, all of them escaped. */
#define BP_ITEM_LINE_MAX 32768

/** Head line of a journal's chunk: names the version, so that an older reader refuses it. */
void bp_item_head_append(GString *out, const char *run_id, guint seq);

typedef struct bp_item_lines {
    const char *what; /* key, for messages */
    bp_item_record_fn fn;
    void *ctx;
    GString *rest; /* a line that is not complete yet */
    guint64 line;  /* number of the current one */
    guint64 records;
    bool stopped; /* fn wanted no more */
} bp_item_lines;

void bp_item_lines_init(bp_item_lines *lines, const char *what, bp_item_record_fn fn, void *ctx);
void bp_item_lines_clear(bp_item_lines *lines);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_item_lines, bp_item_lines_clear)
/** false only with `error` set; nothing more is looked at once `stopped`. */
bool bp_item_lines_feed(bp_item_lines *lines, const char *bytes, gsize n, GError **error);
/** CORRUPT when the last line has no end. */
bool bp_item_lines_end(bp_item_lines *lines, GError **error);

#endif
