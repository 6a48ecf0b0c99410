/* SPDX-License-Identifier: Apache-2.0
 *
 * A text that is wiped from memory when it is freed.  Opaque, so that it cannot be printed by
 * accident; whoever shows it to people writes BP_SECRET_MASK.
 */
#ifndef BAKPLANE_LIB_SECRET_H
#define BAKPLANE_LIB_SECRET_H

#include <bakplane/abi.h>
#include <stddef.h>

BP_BEGIN_DECLS

/** What people see instead. */
#define BP_SECRET_MASK "***"

typedef struct bp_secret bp_secret;

/** Copies `text`; the caller wipes its own copy.  NULL for NULL and when memory is gone. */
bp_secret *bp_secret_new(const char *text);

/** Wipes and frees; NULL is fine. */
void bp_secret_free(bp_secret *secret);

/** Borrowed text while the secret lives; "" for NULL. */
const char *bp_secret_get(const bp_secret *secret);

/** Zeroes memory in a way that the compiler keeps. */
void bp_secret_wipe(void *memory, size_t size);

BP_END_DECLS

#endif
