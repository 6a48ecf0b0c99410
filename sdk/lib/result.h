/* SPDX-License-Identifier: Apache-2.0
 *
 * Results: structures that the caller made and sized, and the callee fills.  The caller may be of
 * another minor and know fewer members.  Pure functions, any thread.
 */
#ifndef BAKPLANE_LIB_RESULT_H
#define BAKPLANE_LIB_RESULT_H

#include <bakplane/abi.h>
#include <stddef.h>

BP_BEGIN_DECLS

/**
 * Zeroes *result as far as both sides know it: its struct_size, which stays, and `ours`, the
 * sizeof of its type here.  Members newer than minor 0 are written only after BP_COVERS.
 */
void bp_result_clear(void *result, size_t ours);

/**
 * *from into *to, as far as both know it; the struct_size of *to stays, and so does what it has
 * beyond.  Both are of one type, and each says its size: a plugin hands on what it got into a
 * structure of its own.
 */
void bp_result_copy(void *to, const void *from);

BP_END_DECLS

#endif
