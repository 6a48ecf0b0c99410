/* SPDX-License-Identifier: Apache-2.0
 *
 * How the stores that speak S3 differ.  What each can do was run against MinIO and versitygw; the
 * others are written after their documentation (docs/guide/storage-s3.md says which is which).
 *
 * Constant tables, any thread.
 */
#ifndef BAKPLANE_STORAGE_S3_PROVIDER_H
#define BAKPLANE_STORAGE_S3_PROVIDER_H

#include <stdbool.h>

#include "plugins/storage-s3/sign.h"

struct bp_s3_provider {
    const char *name;
    const struct bp_s3_dialect *dialect;
    const char *endpoint;          /**< with %s for the region; NULL = must be configured */
    const char *region_between[2]; /**< a host has its region between these, or NULL */
    const char *region;            /**< when nothing says otherwise; NULL = must be said */
    const char *exclusive; /**< header that makes a write fail when the key is taken, or NULL */
    uint32_t key_part;     /**< most bytes between two '/' of a key; 0 = no such limit */
    bool if_match;         /**< PUT obeys If-Match */
    bool remove_if_match;  /**< DELETE obeys it, too */
    bool whole_bodies;     /**< a body that is cut short makes no object */
    bool chunked;          /**< takes bodies signed chunk by chunk */
    bool checksums;        /**< knows x-amz-checksum-…, in headers and trailers */
    bool try_checksums;    /**< does, or may be asked whether it does */
    bool copy_checksum;    /**< CopyObject and UploadPartCopy compute one and tell it */
    bool md5_etag;         /**< the ETag of an object made in one piece is its MD5 */
    bool remove_many;      /**< has DeleteObjects */
    bool sorted;           /**< lists keys in byte order */
    bool virtual_host;     /**< is addressed as bucket.host by default */
};

/** NULL when there is none of that name. */
const struct bp_s3_provider *bp_s3_provider_find(const char *name);

#define BP_S3_PROVIDERS "s3|aws|minio|gcp|aliyun|tencent|hwc"

#endif
