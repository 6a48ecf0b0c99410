/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling struct bp_error.  Everything here works without allocating and from any thread.
 */
#ifndef BAKPLANE_LIB_ERRORS_H
#define BAKPLANE_LIB_ERRORS_H

#include <bakplane/error.h>
#include <stddef.h>

BP_BEGIN_DECLS

/** Clears *error and sets its struct_size, so that it can be handed to an operation. */
void bp_error_init(struct bp_error *error);

/**
 * Fills *error (its struct_size stays) and returns the class, for `return bp_fail(…)`.
 *
 * A text that does not fit is shortened by bp_error_fit; control bytes, which a file name may bring
 * along, become '?', because a message is one line.  BP_OK as class counts as BP_ERR_PERMANENT.
 */
bp_status bp_fail(struct bp_error *error, bp_status cls, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** bp_fail with the class of `errnum`; its text is appended after ": ", sys_errno is set. */
bp_status bp_fail_errno(struct bp_error *error, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Writes a message to `out`.  What does not fit into `cap` bytes (256 or more) is taken from the
 * middles of its longest words, which are keys and paths; what failed and why stays readable.
 * Only where there are none, from the middle of the whole.
 */
void bp_error_fit(char *out, size_t cap, const char *text);

/** The class that an errno value stands for; BP_ERR_PERMANENT when unknown. */
bp_status bp_errno_class(int errnum);

/** Static short name: "ok", "no-space", "not-found" …; "unknown" beyond the enum. */
const char *bp_class_name(bp_status cls);

BP_END_DECLS

#endif
