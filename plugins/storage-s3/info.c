/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of an instance.
 */
#include "plugins/storage-s3/info.h"

#include <stdio.h>
#include <string.h>

#include "sdk/lib/ban.h"

/* Buckets of one partition are one world, whatever the region. */
static const char *
aws_partition(const struct bp_storage *storage)
{
    const char *host = storage->set.endpoint.host;
    if (strcmp(storage->set.provider->name, "aws") != 0 || strstr(host, ".amazonaws.com") == NULL) {
        return NULL;
    }
    return g_str_has_suffix(host, ".cn")      ? "aws-cn"
           : strstr(host, ".us-gov-") != NULL ? "aws-us-gov"
                                              : "aws";
}

void
bp_s3_copy_scope(const struct bp_storage *storage, char out[BP_S3_SCOPE])
{
    const char *partition = aws_partition(storage);
    g_autofree char *endpoint = bp_s3_endpoint_canonical(&storage->set.endpoint);
    (void)snprintf(out, BP_S3_SCOPE, "s3:%s", partition != NULL ? partition : endpoint);
}

static void
put_identity(const struct bp_storage *storage, char *out, size_t cap)
{
    char scope[BP_S3_SCOPE];
    bp_s3_copy_scope(storage, scope);
    (void)bp_put_identity(out, cap, "%s/%s/%s", scope, storage->set.bucket, storage->set.prefix);
}

static void
put_place(const struct bp_storage *storage, char *out, size_t cap)
{
    char scope[BP_S3_SCOPE];
    bp_s3_copy_scope(storage, scope);
    (void)bp_put_whole(out, cap, "%s/%s", scope, storage->set.bucket);
}

/* The setting may say another prefix, where the server knows the bucket under one of its own. */
static void
put_server_root(const struct bp_storage *storage, char *out, size_t cap)
{
    const char *root = storage->set.server_root;
    root = root != NULL ? root : storage->set.prefix;
    const char *slash = *root == '\0' || g_str_has_suffix(root, "/") ? "" : "/";
    (void)snprintf(out, cap, "%s%s", root, slash);
}

static uint64_t
caps_of(const struct bp_s3_config *set)
{
    const struct bp_s3_provider *provider = set->provider;
    uint64_t caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_LIST_START_AFTER |
                    BP_STORE_SERVER_COPY | BP_STORE_PARTS | BP_STORE_PARTS_PARALLEL |
                    BP_STORE_UNKNOWN_SIZE | BP_STORE_KEY_IS_PREFIX | BP_STORE_CHECKSUM_CRC32C |
                    BP_STORE_CHECKSUM_SHA256 | BP_STORE_STRONG_LIST;
    caps |= provider->sorted ? BP_STORE_LIST_SORTED : 0;
    if (set->conditional) {
        caps |= provider->exclusive != NULL ? BP_STORE_IF_NONE_MATCH : 0;
        caps |= provider->if_match ? BP_STORE_IF_MATCH : 0;
    }
    return caps;
}

bp_status
bp_s3_info(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error; /* nothing here can fail */
    const struct bp_s3_config *set = &storage->set;
    bp_info_clear(out);
    out->caps = caps_of(set);
    out->min_part = BP_S3_MIN_PART;
    out->max_part = BP_S3_MAX_PART;
    out->max_parts = BP_S3_MAX_PARTS;
    out->max_object = BP_S3_MAX_PART; /* of one PUT */
    out->max_copy = set->max_copy;
    out->max_list = BP_S3_MAX_LIST;
    out->max_key_part = set->provider->key_part != 0 ? set->provider->key_part : BP_KEY_MAX;
    out->best_io = (uint64_t)1 << 20;
    put_identity(storage, out->identity, sizeof(out->identity));
    bp_s3_copy_scope(storage, out->copy_scope);
    put_server_root(storage, out->server_root, sizeof(out->server_root));
    put_place(storage, out->place, sizeof(out->place));
    return BP_OK;
}
