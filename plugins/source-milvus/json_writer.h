/* SPDX-License-Identifier: Apache-2.0
 *
 * Streaming JSON into a document sink: one line, members in the order written, numbers exact.
 *
 * A writer is on the caller's stack.  Failures of the sink stick; milvus_json_end reports them.
 */
#ifndef BAKPLANE_MILVUS_JSON_WRITER_H
#define BAKPLANE_MILVUS_JSON_WRITER_H

#include <bakplane/error.h>
#include <bakplane/source.h>
#include <glib.h>
#include <stdbool.h>

struct milvus_json {
    const struct bp_document_sink *sink;
    GString *buffer;
    bool comma;   /**< the next member or element is not the first one */
    bool stopped; /**< the sink asked to stop */
};

/** Opens document `key`; `flags` as in bp_document_sink.begin. */
void milvus_json_begin(struct milvus_json *json, const struct bp_document_sink *sink,
                       const char *key, uint32_t flags);
/** Closes the document and frees what the writer held.  CANCELLED when the sink stopped it. */
bp_status milvus_json_end(struct milvus_json *json, struct bp_error *error);

/* `key` is NULL inside a list. */
void milvus_json_open(struct milvus_json *json, const char *key, char bracket);
void milvus_json_close(struct milvus_json *json, char bracket);
void milvus_json_i64(struct milvus_json *json, const char *key, int64_t value);
void milvus_json_u64(struct milvus_json *json, const char *key, uint64_t value);
void milvus_json_bool(struct milvus_json *json, const char *key, bool value);
/** Bytes that are not UTF-8 become U+FFFD. */
void milvus_json_text(struct milvus_json *json, const char *key, const char *value);

/* The same, but a zero value is left out, as the format wants it. */
void milvus_json_i64_set(struct milvus_json *json, const char *key, int64_t value);
void milvus_json_u64_set(struct milvus_json *json, const char *key, uint64_t value);
void milvus_json_bool_set(struct milvus_json *json, const char *key, bool value);
void milvus_json_text_set(struct milvus_json *json, const char *key, const char *value);
void milvus_json_bytes_set(struct milvus_json *json, const char *key, GBytes *value);

#endif
