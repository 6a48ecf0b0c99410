/* SPDX-License-Identifier: Apache-2.0
 *
 * What a source reads of a backup through the host, compared with the record: for sources that keep
 * nothing on a storage, whose items no copy engine brings.
 */
#ifndef BP_CORE_VERB_RESTORE_READS_H
#define BP_CORE_VERB_RESTORE_READS_H

#include "core/catalog/journal.h"
#include "core/plugin/refs.h"

typedef struct bp_restore_reads bp_restore_reads;

/** @index: of the backup's items; borrowed.  Returns: (transfer full) */
bp_restore_reads *bp_restore_reads_new(const bp_proven *index);
void bp_restore_reads_free(bp_restore_reads *reads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_restore_reads, bp_restore_reads_free)

/**
 * A piece was read.  CORRUPT when it is the last one of an item that was read from its beginning,
 * piece after piece, and is not what was recorded; what is read in another order is not compared.
 * Any thread, one at a time for each key.
 */
bool bp_restore_reads_take(bp_restore_reads *reads, const bp_ref_piece *piece, GError **error);

#endif
