/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing a restore to an end that was killed, without doing it again: what it left is named, and
 * its staging goes.
 */
#ifndef BP_CORE_VERB_RESTORE_SETTLE_H
#define BP_CORE_VERB_RESTORE_SETTLE_H

#include "core/verb/verb.h"

/**
 * @name: of the backup.  The journal of the run that was killed is found by verb->id, which must be
 * set.
 *
 * `result` gets "targets" as of a restore: complete, failed (begun and not complete) or untouched;
 * and "touched".  The journal stays for the next restore, which keeps what is complete.  The source
 * is not connected to.
 *
 * Done or different, as the restore would have been, when all targets were complete and only the
 * end was missing.  Else PERMANENT, naming what is complete and what is not; where its staging
 * cannot be swept, that is a note, and left to the next restore.  EXISTS while it runs.
 */
bp_verb_outcome bp_verb_restore_settle(const bp_verb *verb, const char *name, GError **error);

#endif
