/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a job that was killed had done its work before: looked up on the storages, where every
 * backup says so with its last write.
 */
#ifndef BP_CORE_VERB_DONE_H
#define BP_CORE_VERB_DONE_H

#include "core/verb/verb.h"

/**
 * The backup is there, finished, and was begun at that moment or later (wall clock); then the
 * result is filled as by a create.  @storage: NULL = `backup.storage`.  What cannot be read counts
 * as no.
 */
bool bp_verb_was_created(const bp_verb *verb, const char *storage, const char *name,
                         gint64 since_ns);

/**
 * The storage `to` holds a finished copy of just that backup, whoever made it; then the result is
 * filled as by a copy.  @from: NULL = `backup.storage`.
 */
bool bp_verb_was_copied(const bp_verb *verb, const char *from, const char *to, const char *name);

#endif
