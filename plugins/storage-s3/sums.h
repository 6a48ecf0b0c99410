/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksums that go along with bodies for the store to compare: whether it knows such headers, and
 * what has to be remembered of the parts of an upload.
 *
 * Nothing is kept in memory between the calls of an upload, because another instance may go on with
 * it: that parts carry checksums is said in the upload's id ("crc32c:ID"), and a part's checksum in
 * its ETag ("ETAG crc32c:BASE64"), as the core gets them and gives them back.
 *
 * Any thread.
 */
#ifndef BAKPLANE_STORAGE_S3_SUMS_H
#define BAKPLANE_STORAGE_S3_SUMS_H

#include "plugins/storage-s3/request.h"
#include "sdk/http/text.h"

/** What is known of the store; bp_storage.sums. */
enum bp_s3_sums { BP_S3_SUMS_NO = 0, BP_S3_SUMS_MAYBE, BP_S3_SUMS_YES };

/** Where an instance begins. */
enum bp_s3_sums bp_s3_sums_first(const struct bp_s3_config *set);

/** The kind to send with the next body, or BP_CHECKSUM_NONE.  @behind: in a trailer, or with parts,
 *  which a store that does not know them could take amiss; before one only ignores a header. */
uint32_t bp_s3_sums_kind(struct bp_storage *storage, bool behind);

/** Adds "x-amz-checksum-…" of the body. */
void bp_s3_sums_header(struct bp_s3_request *request, const struct bp_checksum *sum);

/**
 * After a success: a store that knows checksums repeats the one it got, of whatever kind that was.
 * @sum: what the body has, or kind NONE.  RETRYABLE: the store has got another body.
 */
bp_status bp_s3_sums_check(struct bp_storage *storage, const struct bp_s3_request *request,
                           const struct bp_s3_exchange *exchange, const struct bp_checksum *sum,
                           struct bp_error *error);

/** After a refusal: true when it may be because of a checksum; from then on none are sent. */
bool bp_s3_sums_refused(struct bp_storage *storage, const struct bp_op *op,
                        const struct bp_s3_request *request, const char *code);

/** The id of a new upload as the core gets it (newly allocated). */
char *bp_s3_upload_name(const char *id, uint32_t kind);
/** The store's id in it, and the kind of its parts' checksums. */
const char *bp_s3_upload_id(const char *name, uint32_t *kind);

/** Puts a checksum behind the ETag of a part.  Left out where there is no room for it. */
void bp_s3_part_note(char etag[BP_HTTP_ETAG], const struct bp_checksum *sum);
/** "<Part>…</Part>" of CompleteMultipartUpload. */
void bp_s3_part_element(GString *out, uint32_t number, const char *etag);

#endif
