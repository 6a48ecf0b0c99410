/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (Castagnoli), by the processor's instruction or by tables.  Any thread.
 */
#ifndef BAKPLANE_LIB_CRC32C_H
#define BAKPLANE_LIB_CRC32C_H

#include <bakplane/storage.h>

BP_BEGIN_DECLS

/** Of bytes that follow those of `crc`, which is 0 at the start. */
uint32_t bp_crc32c(uint32_t crc, const void *bytes, size_t n);

/** The same without the processor's instruction, for tests. */
uint32_t bp_crc32c_by_table(uint32_t crc, const void *bytes, size_t n);

/** As the ABI has it: kind CRC32C, big-endian.  @by: enum bp_checksum_origin. */
void bp_crc32c_put(uint32_t crc, uint32_t by, struct bp_checksum *out);

/** The number again, out of a checksum of kind CRC32C. */
uint32_t bp_crc32c_get(const struct bp_checksum *sum);

BP_END_DECLS

#endif
