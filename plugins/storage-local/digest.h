/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksums computed while bytes pass: XXH3-128, SHA-256 and MD5.  One thread at a time.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_DIGEST_H
#define BAKPLANE_STORAGE_LOCAL_DIGEST_H

#include <bakplane/storage.h>
#include <stdbool.h>

struct bp_local_digest;

/** NULL for kinds that are not computed here. */
struct bp_local_digest *bp_local_digest_new(uint32_t kind);
void bp_local_digest_free(struct bp_local_digest *digest);
void bp_local_digest_add(struct bp_local_digest *digest, const void *bytes, size_t n);

/** Ends the computation; `by` becomes BP_CHECKSUM_BY_PLUGIN. */
void bp_local_digest_end(struct bp_local_digest *digest, struct bp_checksum *out);

/** XXH3-128 of one buffer, without a state. */
void bp_local_digest_once(const void *bytes, size_t n, struct bp_checksum *out);

#endif
