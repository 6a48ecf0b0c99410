/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables for people: columns as wide as their widest cell, also with wide characters.  Cells are
 * made safe for a terminal; nothing is ever cut off.  One thread.
 */
#ifndef BP_CORE_CLI_TABLE_H
#define BP_CORE_CLI_TABLE_H

#include "core/cli/termtext.h"

typedef struct bp_table bp_table;

typedef struct bp_table_column {
    const char *heading;
    bool right; /* numbers */
} bp_table_column;

/** @columns: ended by one without heading; copied.  Returns: (transfer full) */
bp_table *bp_table_new(const bp_table_column *columns);
void bp_table_free(bp_table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_table, bp_table_free)

/** One cell per column; NULL is shown as "-". */
void bp_table_add(bp_table *table, const char *const *cells);
/** The style of all cells of the row added last; only seen with colors. */
void bp_table_style_last(bp_table *table, bp_term_style style);
guint bp_table_rows(const bp_table *table);

/** Headings and rows, a newline after each; "" without rows.  Returns: (transfer full) */
char *bp_table_render(const bp_table *table, bool color);

#endif
