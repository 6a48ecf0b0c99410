/* SPDX-License-Identifier: Apache-2.0
 *
 * A body of known size that is sent while it comes in.  Its last byte (or chunk) is kept back until
 * the end: a body that is not complete makes no object.
 *
 * It travels as it is; or in chunks that carry signatures, a checksum behind them, or both
 * ("Transferring Payload in Multiple Chunks" of Amazon's S3 API reference).
 */
#ifndef BAKPLANE_STORAGE_S3_BODY_H
#define BAKPLANE_STORAGE_S3_BODY_H

#include "plugins/storage-s3/request.h"

/** Bytes of one chunk: whole ones are sent out of the caller's buffer. */
#define BP_S3_CHUNK ((size_t)256 << 10)

struct bp_s3_body {
    struct bp_s3_exchange exchange;
    uint64_t size, taken;
    bool chunks, is_signed;
    struct bp_s3_digest *trailer; /**< the checksum that goes behind, or NULL */
    struct bp_checksum sum;       /**< once it was sent */
    uint8_t *kept;                /**< from the host: what is kept back, NULL until needed */
    size_t n_kept;
    uint8_t last;
};

/** Bytes that go over the wire for a body of `size`. */
uint64_t bp_s3_body_length(uint64_t size, bool is_signed, uint32_t trailer_kind);

/**
 * Begins `request`, whose payload and body_size are set; the latter becomes what goes over the
 * wire, and headers are added that tell of chunks.
 * @trailer_kind: checksum to send behind, or BP_CHECKSUM_NONE.
 */
bp_status bp_s3_body_open(struct bp_s3_body *body, struct bp_storage *storage,
                          const struct bp_op *op, struct bp_s3_request *request,
                          uint32_t trailer_kind, struct bp_error *error);
/** All n bytes; the caller sees to it that there are never more than `size`. */
bp_status bp_s3_body_add(struct bp_s3_body *body, const struct bp_op *op,
                         const struct bp_s3_request *request, const void *bytes, size_t n,
                         struct bp_error *error);
/** The rest; then the answer can be waited for. */
bp_status bp_s3_body_end(struct bp_s3_body *body, const struct bp_op *op,
                         const struct bp_s3_request *request, struct bp_error *error);
/** At any point, also after a failed open; before the end, the connection is cut. */
void bp_s3_body_close(struct bp_s3_body *body);

#endif
