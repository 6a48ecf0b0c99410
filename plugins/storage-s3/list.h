/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing, by ListObjectsV2; see bp_storage_ops.list.
 */
#ifndef BAKPLANE_STORAGE_S3_LIST_H
#define BAKPLANE_STORAGE_S3_LIST_H

#include "plugins/storage-s3/s3.h"
#include "sdk/http/xml.h"

bp_status bp_s3_list(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_list_args *args, const struct bp_list_sink *sink,
                     struct bp_error *error);

/** RETRYABLE unless the root has that name. */
bp_status bp_s3_check_listing(const bp_xml_node *root, const char *name, struct bp_error *error);

/** Undoes %XX and '+' as in a query, in place. */
void bp_s3_decode(char *text);

#endif
