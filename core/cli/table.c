/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables for people.
 */
#include "core/cli/table.h"

#include "sdk/lib/ban.h"

#define GAP "  "

typedef struct {
    char **cells;
    bp_term_style style;
} table_row;

struct bp_table {
    guint n;
    bool *right;
    GPtrArray *rows; /* table_row *; the first are the headings */
};

static void
row_free(void *memory)
{
    table_row *row = memory;
    g_strfreev(row->cells);
    g_free(row);
}

static table_row *
row_new(guint n)
{
    table_row *row = g_new0(table_row, 1);
    row->cells = g_new0(char *, n + 1);
    return row;
}

bp_table *
bp_table_new(const bp_table_column *columns)
{
    bp_table *table = g_new0(bp_table, 1);
    while (columns[table->n].heading != NULL) {
        table->n++;
    }
    table->right = g_new0(bool, table->n);
    table->rows = g_ptr_array_new_with_free_func(row_free);
    table_row *headings = row_new(table->n);
    headings->style = BP_TERM_BOLD;
    for (guint i = 0; i < table->n; i++) {
        table->right[i] = columns[i].right;
        headings->cells[i] = g_strdup(columns[i].heading);
    }
    g_ptr_array_add(table->rows, headings);
    return table;
}

void
bp_table_free(bp_table *table)
{
    if (table != NULL) {
        g_ptr_array_unref(table->rows);
        g_free(table->right);
        g_free(table);
    }
}

void
bp_table_add(bp_table *table, const char *const *cells)
{
    table_row *row = row_new(table->n);
    for (guint i = 0; i < table->n; i++) {
        row->cells[i] = cells[i] != NULL ? bp_term_safe(cells[i], false) : g_strdup("-");
    }
    g_ptr_array_add(table->rows, row);
}

void
bp_table_style_last(bp_table *table, bp_term_style style)
{
    table_row *row = g_ptr_array_index(table->rows, table->rows->len - 1);
    row->style = style;
}

guint
bp_table_rows(const bp_table *table)
{
    return table->rows->len - 1;
}

static guint
column_width(const bp_table *table, guint column)
{
    guint width = 0;
    for (guint i = 0; i < table->rows->len; i++) {
        const table_row *row = g_ptr_array_index(table->rows, i);
        width = MAX(width, bp_term_columns(row->cells[column]));
    }
    return width;
}

static void
append_cell(GString *line, const char *text, guint width, bool right)
{
    guint fill = width - MIN(width, bp_term_columns(text));
    g_autofree char *blanks = g_strnfill(fill, ' ');
    g_string_append_printf(line, "%s%s", right ? blanks : text, right ? text : blanks);
}

static void
append_row(GString *out, const bp_table *table, const table_row *row, const guint *widths,
           bool color)
{
    g_autoptr(GString) line = g_string_new(NULL);
    for (guint i = 0; i < table->n; i++) {
        g_string_append(line, i > 0 ? GAP : "");
        append_cell(line, row->cells[i], widths[i], table->right[i]);
    }
    while (line->len > 0 && line->str[line->len - 1] == ' ') {
        g_string_truncate(line, line->len - 1);
    }
    g_autofree char *styled = bp_term_styled(line->str, row->style, color);
    g_string_append_printf(out, "%s\n", styled);
}

char *
bp_table_render(const bp_table *table, bool color)
{
    if (bp_table_rows(table) == 0) {
        return g_strdup("");
    }
    g_autofree guint *widths = g_new0(guint, table->n);
    for (guint i = 0; i < table->n; i++) {
        widths[i] = column_width(table, i);
    }
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < table->rows->len; i++) {
        append_row(out, table, g_ptr_array_index(table->rows, i), widths, color);
    }
    return g_string_free(out, FALSE);
}
