/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies that the store makes, with the destination's credentials; see bp_storage_ops.copy.
 */
#ifndef BAKPLANE_STORAGE_S3_COPY_H
#define BAKPLANE_STORAGE_S3_COPY_H

#include "plugins/storage-s3/request.h"
#include "sdk/http/text.h"

bp_status bp_s3_copy(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_copy_args *args, struct bp_object_meta *out,
                     struct bp_error *error);

/** Headers that say what is copied, and which version of it (`if_match` may be NULL). */
bp_status bp_s3_request_copy_source(struct bp_s3_request *request, struct bp_storage *dst,
                                    struct bp_storage *src, const char *src_key,
                                    const char *if_match, struct bp_error *error);

/** The ETag in the answer about a copy, or about parts that were put together; "" for one that is
 * too long.  RETRYABLE, outcome unknown: there is none. */
bp_status bp_s3_take_etag(const bp_xml *xml, const char *key, char etag[BP_HTTP_ETAG],
                          struct bp_error *error);

/** The checksum in the XML of a copy's result, if there is one. */
void bp_s3_take_checksum(const bp_xml_node *root, struct bp_checksum *out);

#endif
