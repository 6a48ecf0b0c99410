/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of backups: 1..128 bytes, first an ASCII letter or '_', then letters, digits, '_'.  The
 * rule is the one of the existing tool, so that both list each other's backups.
 */
#ifndef BP_CORE_CATALOG_NAME_H
#define BP_CORE_CATALOG_NAME_H

#include <glib.h>
#include <stdbool.h>

/** INVALID says which rule is broken and proposes a name that is fine. */
bool bp_backup_name_check(const char *name, GError **error);

/** "backup_" + UTC YYYY_MM_DD_hh_mm_ss_ + nanoseconds.  Returns: (transfer full) */
char *bp_backup_name_generate(gint64 wall_ns);

/**
 * What an operator calls a series of backups: 1..64 ASCII letters, digits, '_', '-' and '.'.  It
 * becomes part of metrics, so it must not be free text.  INVALID
 */
bool bp_label_check(const char *label, GError **error);

#endif
