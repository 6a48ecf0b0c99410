/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed access to parsed JSON of others.  A missing member and null count as zero; a member of
 * another type is an error that sticks: the first one wins and every later getter answers zero.
 */
#ifndef BAKPLANE_MILVUS_JSON_READER_H
#define BAKPLANE_MILVUS_JSON_READER_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct milvus_json_reader {
    const char *file; /**< borrowed, for messages */
    struct bp_error *error;
    bp_status status; /**< BP_OK, or the class of the first error */
};

/** A document of a backup, all borrowed. */
struct milvus_json_file {
    const struct bp_host *host;
    const struct bp_op *op;
    const char *ref, *key;
    size_t max_bytes; /**< more is refused */
};

/**
 * Reads and parses a whole document.  NOT_FOUND when there is none; CORRUPT when it is too large
 * or not a JSON object.  Free with json_decref.
 */
bp_status milvus_json_load(const struct milvus_json_file *file, json_t **out,
                           struct bp_error *error);

/** The parsing alone; integers beyond 64 signed bits come out as strings of digits. */
bp_status milvus_json_parse(const char *file, const char *text, size_t n, json_t **out,
                            struct bp_error *error);

/** Records an error with class CORRUPT unless there is one already. */
void milvus_json_reject(struct milvus_json_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Numbers may also be strings of digits. */
int64_t milvus_json_get_i64(struct milvus_json_reader *reader, const json_t *object,
                            const char *key);
int32_t milvus_json_get_i32(struct milvus_json_reader *reader, const json_t *object,
                            const char *key);
uint64_t milvus_json_get_u64(struct milvus_json_reader *reader, const json_t *object,
                             const char *key);
/** As get_i64, but a negative number is an error. */
int64_t milvus_json_get_count(struct milvus_json_reader *reader, const json_t *object,
                              const char *key);
bool milvus_json_get_bool(struct milvus_json_reader *reader, const json_t *object, const char *key);
/** Borrowed; NULL when missing or empty. */
const char *milvus_json_get_text(struct milvus_json_reader *reader, const json_t *object,
                                 const char *key);
/** Decoded base64; NULL when missing. */
GBytes *milvus_json_get_base64(struct milvus_json_reader *reader, const json_t *object,
                               const char *key);
/** Borrowed; NULL when missing. */
json_t *milvus_json_get_object(struct milvus_json_reader *reader, const json_t *object,
                               const char *key);
/** Borrowed; NULL when missing.  Every element is an object. */
json_t *milvus_json_get_objects(struct milvus_json_reader *reader, const json_t *object,
                                const char *key);
/** Appends copies to `out`. */
void milvus_json_get_texts(struct milvus_json_reader *reader, const json_t *object, const char *key,
                           GPtrArray *out);
/** Appends int64_t to `out`. */
void milvus_json_get_ids(struct milvus_json_reader *reader, const json_t *object, const char *key,
                         GArray *out);

#endif
