/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of providers.
 */
#include "plugins/storage-s3/provider.h"

#include <string.h>

#include "sdk/lib/ban.h"

static const struct bp_s3_provider providers[] = {
    {
        /* Whatever else: what nearly all of them have.  But not whole_bodies: versitygw 1.8 makes
         * an object of whatever came before the connection broke. */
        .name = "s3",
        .dialect = &bp_s3_dialect_aws,
        .region = "us-east-1",
        .exclusive = "If-None-Match: *",
        .if_match = true,
        .chunked = true,
        .try_checksums = true,
        .remove_many = true,
    },
    {
        .name = "aws",
        .dialect = &bp_s3_dialect_aws,
        .endpoint = "https://s3.%s.amazonaws.com",
        .region_between = {"s3.", ".amazonaws.com"},
        .region = "us-east-1",
        .exclusive = "If-None-Match: *",
        .if_match = true,
        .remove_if_match = true,
        .chunked = true,
        .checksums = true,
        .try_checksums = true,
        .copy_checksum = true,
        .md5_etag = true,
        .remove_many = true,
        .sorted = true,
        .virtual_host = true,
        .whole_bodies = true,
    },
    {
        .name = "minio",
        .key_part = 255, /* it is a file's name */
        .dialect = &bp_s3_dialect_aws,
        .region = "us-east-1",
        .exclusive = "If-None-Match: *",
        .if_match = true,
        .chunked = true,
        .checksums = true,
        .try_checksums = true,
        .md5_etag = true,
        .remove_many = true,
        .sorted = true,
        .whole_bodies = true,
    },
    {
        /* Conditions by generation only, which is not the ETag: no conditional replacement. */
        .name = "gcp",
        .dialect = &bp_s3_dialect_goog,
        .endpoint = "https://storage.googleapis.com",
        .region = "auto",
        .exclusive = "x-goog-if-generation-match: 0",
        .sorted = true,
        .whole_bodies = true,
    },
    {
        .name = "aliyun",
        .dialect = &bp_s3_dialect_aws,
        .endpoint = "https://s3.oss-%s.aliyuncs.com",
        .region_between = {"oss-", ".aliyuncs.com"},
        .exclusive = "x-oss-forbid-overwrite: true",
        .remove_many = true,
        .sorted = true,
        .virtual_host = true,
        .whole_bodies = true,
    },
    {
        .name = "tencent",
        .dialect = &bp_s3_dialect_aws,
        .endpoint = "https://cos.%s.myqcloud.com",
        .region_between = {"cos.", ".myqcloud.com"},
        .exclusive = "x-cos-forbid-overwrite: true",
        .remove_many = true,
        .sorted = true,
        .virtual_host = true,
        .whole_bodies = true,
    },
    {
        .name = "hwc",
        .dialect = &bp_s3_dialect_aws,
        .endpoint = "https://obs.%s.myhuaweicloud.com",
        .region_between = {"obs.", ".myhuaweicloud.com"},
        .remove_many = true,
        .sorted = true,
        .virtual_host = true,
        .whole_bodies = true,
    },
};

const struct bp_s3_provider *
bp_s3_provider_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(providers); i++) {
        if (strcmp(providers[i].name, name) == 0) {
            return &providers[i];
        }
    }
    return NULL;
}
