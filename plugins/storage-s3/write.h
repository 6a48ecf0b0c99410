/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing: write_open, write, write_commit, write_abort of bp_storage_ops.
 *
 * A small body, and one whose hash has to be known before it is sent, is kept until commit.  One of
 * known size is streamed (body.h).  One of unknown size is kept until it fills a part; then the
 * writer makes an upload in parts of its own, which it ends in any case.
 */
#ifndef BAKPLANE_STORAGE_S3_WRITE_H
#define BAKPLANE_STORAGE_S3_WRITE_H

#include "plugins/storage-s3/body.h"

enum bp_s3_mode {
    BP_S3_KEEP,   /**< in memory until commit */
    BP_S3_STREAM, /**< sent as it comes */
    BP_S3_GATHER, /**< in memory until it is a part */
};

struct bp_writer {
    struct bp_storage *storage;
    enum bp_s3_mode mode;
    struct bp_s3_request request; /**< of the object, or of the part */
    char *key;                    /**< as the host says it */
    uint64_t size;                /**< announced, or BP_UNKNOWN */
    uint64_t written;
    uint32_t flags; /**< BP_WRITE_… */
    char *if_match; /**< or NULL */
    bool is_part;
    uint32_t part_kind;          /**< checksum that the upload's parts have, or NONE */
    struct bp_checksum want;     /**< what the content must have, or NONE */
    struct bp_s3_digest *digest; /**< of all bytes, when there is something to compare */
    struct bp_s3_body body;      /**< STREAM */

    /* KEEP and GATHER */
    uint8_t *kept; /**< from the host */
    size_t n_kept, room;
    uint64_t counted; /**< against the setting `memory` */

    /* GATHER */
    char *upload; /**< NULL until the first part is full */
    GPtrArray *etags;
};

bp_status bp_s3_write_open(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_write_args *args, struct bp_writer **out,
                           struct bp_error *error);
bp_status bp_s3_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
                      struct bp_error *error);
bp_status bp_s3_write_commit(struct bp_writer *writer, const struct bp_op *op,
                             struct bp_object_meta *out, struct bp_error *error);
void bp_s3_write_abort(struct bp_writer *writer, const struct bp_op *op);

/** The same as write_open, but leaves it to the store to find out whether the key is taken. */
bp_status bp_s3_writer_new(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_write_args *args, struct bp_writer **out,
                           struct bp_error *error);
/** A writer of one part; the request is filled (and the writer's from here on) but for its body. */
bp_status bp_s3_part_writer_new(struct bp_storage *storage, const struct bp_op *op,
                                const struct bp_part_args *args, struct bp_s3_request *take_request,
                                struct bp_writer **out, struct bp_error *error);

/* gather.c */

/** Bytes of the n-th part (from 0) of a body of unknown size. */
uint64_t bp_s3_gather_room(const struct bp_storage *storage, unsigned n);
/** What is kept becomes a part. */
bp_status bp_s3_gather_flush(struct bp_writer *writer, const struct bp_op *op,
                             struct bp_error *error);
/** Puts the parts together. */
bp_status bp_s3_gather_commit(struct bp_writer *writer, const struct bp_op *op,
                              struct bp_object_meta *out, struct bp_error *error);
/** Ends an upload that was begun; `op` is write_abort's. */
void bp_s3_gather_abort(struct bp_writer *writer, const struct bp_op *op);
/** The same after a commit that failed, whose operation may be over. */
void bp_s3_gather_fail(struct bp_writer *writer, const struct bp_op *op);

#endif
