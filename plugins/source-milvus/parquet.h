/* SPDX-License-Identifier: Apache-2.0
 *
 * The one number of a Parquet file that we need: how many rows it has.  Pure functions.
 */
#ifndef BAKPLANE_MILVUS_PARQUET_H
#define BAKPLANE_MILVUS_PARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the footer's length and of the magic behind it, at the very end of a file. */
#define MILVUS_PARQUET_TAIL 8

/** Length of the footer from the last MILVUS_PARQUET_TAIL bytes; false when they are no tail. */
bool milvus_parquet_tail(const uint8_t tail[MILVUS_PARQUET_TAIL], uint32_t *footer_bytes);

/** num_rows of a footer (FileMetaData in Thrift's compact form); false when it is not readable. */
bool milvus_parquet_rows(const uint8_t *footer, size_t n, int64_t *rows);

#endif
