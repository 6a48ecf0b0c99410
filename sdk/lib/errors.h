/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling struct bp_error.  Everything here works without allocating and from any thread.
 */
#ifndef BAKPLANE_LIB_ERRORS_H
#define BAKPLANE_LIB_ERRORS_H

#include <bakplane/error.h>

/** Clears *error and sets its struct_size, so that it can be handed to an operation. */
void bp_error_init(struct bp_error *error);

/**
 * Fills *error (its struct_size stays) and returns the class, for `return bp_fail(…)`.
 *
 * The text is cut to what fits at a UTF-8 boundary; control bytes, which a file name may bring
 * along, become '?', because a message is one line.  BP_OK as class counts as BP_ERR_PERMANENT.
 */
bp_status bp_fail(struct bp_error *error, bp_status cls, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** bp_fail with the class of `errnum`; its text is appended after ": ", sys_errno is set. */
bp_status bp_fail_errno(struct bp_error *error, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The class that an errno value stands for; BP_ERR_PERMANENT when unknown. */
bp_status bp_errno_class(int errnum);

/** Static short name: "ok", "no-space", "not-found" …; "unknown" beyond the enum. */
const char *bp_class_name(bp_status cls);

#endif
