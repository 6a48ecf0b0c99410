/* SPDX-License-Identifier: Apache-2.0
 *
 * From the JSON objects of the documents to the model.  Internal to document_*.c.
 */
#ifndef BAKPLANE_MILVUS_DOCUMENT_PARSE_H
#define BAKPLANE_MILVUS_DOCUMENT_PARSE_H

#include "json_reader.h"
#include "model.h"

/*
 * Each answers an object of its own, also after an error: the reader's status tells.  Nested
 * partitions and segments are read when they are there.
 */
struct milvus_collection *milvus_parse_collection(struct milvus_json_reader *reader,
                                                  const json_t *object);
struct milvus_partition *milvus_parse_partition(struct milvus_json_reader *reader,
                                                const json_t *object);
struct milvus_segment *milvus_parse_segment(struct milvus_json_reader *reader,
                                            const json_t *object);
struct milvus_database *milvus_parse_database(struct milvus_json_reader *reader,
                                              const json_t *object);
struct milvus_schema *milvus_parse_schema(struct milvus_json_reader *reader, const json_t *object);

/** Appends the list of {"key","value"} objects that is member `key`. */
void milvus_parse_kv_list(struct milvus_json_reader *reader, const json_t *object, const char *key,
                          GArray *out);

#endif
