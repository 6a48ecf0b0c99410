/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksums that storages promise to compare.  Pure functions, any thread.
 */
#ifndef BAKPLANE_TESTKIT_DIGEST_H
#define BAKPLANE_TESTKIT_DIGEST_H

#include <bakplane/storage.h>

/** SHA256 or CRC32C of n bytes, as from the host. */
struct bp_checksum bp_kit_digest(uint32_t kind, const void *bytes, size_t n);

#endif
