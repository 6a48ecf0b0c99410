/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of one instance: the declared table and its values, ready for use.
 */
#ifndef BAKPLANE_STORAGE_S3_CONFIG_H
#define BAKPLANE_STORAGE_S3_CONFIG_H

#include <bakplane/host.h>

#include "plugins/storage-s3/endpoint.h"
#include "sdk/lib/secret.h"

enum bp_s3_source {
    BP_S3_AUTO = 0,
    BP_S3_STATIC,
    BP_S3_ENV,
    BP_S3_PROFILE,
    BP_S3_WEB_IDENTITY,
    BP_S3_ECS,
    BP_S3_EC2,
    BP_S3_IAM, /**< web identity, ECS or EC2, whichever is there */
    BP_S3_ANONYMOUS,
};

enum bp_s3_payload { BP_S3_PAYLOAD_AUTO = 0, BP_S3_PAYLOAD_SIGNED, BP_S3_PAYLOAD_UNSIGNED };
enum bp_s3_sse { BP_S3_SSE_NONE = 0, BP_S3_SSE_S3, BP_S3_SSE_KMS };

/** How to get credentials.  Texts are NULL when not set. */
struct bp_s3_login {
    enum bp_s3_source source;
    char *access_key;
    bp_secret *secret_key, *session_token;
    char *profile, *credentials_file, *config_file;
    char *role_arn, *external_id, *session_name, *token_file;
    char *sts_endpoint, *metadata_endpoint;
};

/** Values of one instance.  Texts are NULL when not set. */
struct bp_s3_config {
    const struct bp_s3_provider *provider;
    struct bp_s3_endpoint endpoint;
    char *bucket;
    char *prefix; /**< "" or ends in '/' */
    char *region; /**< where the bucket is supposed to be; the instance may learn better */
    char *server_root;
    bool virtual_host;
    bool create_bucket;
    bool conditional; /**< the store obeys conditions */
    struct bp_s3_login login;

    uint32_t copy_ms;
    enum bp_s3_payload payload;
    enum bp_s3_sse sse;
    char *kms_key, *storage_class;
    uint32_t
        checksum; /**< enum bp_checksum_kind that goes along with bodies; NONE, CRC32C, SHA256 */
    bool checksum_unsure; /**< the store may not know it */
    uint64_t max_copy, memory;
};

#define BP_S3_N_KEYS 39
extern const struct bp_config_key bp_s3_keys[BP_S3_N_KEYS];

/** Fills *values (cleared by bp_s3_config_clear).  INVALID names the offending key. */
bp_status bp_s3_config_load(struct bp_s3_config *values, const struct bp_host *host,
                            const struct bp_config *config, struct bp_error *error);
void bp_s3_config_clear(struct bp_s3_config *values);

/** The part of it that is about credentials, in config_login.c. */
bp_status bp_s3_login_load(struct bp_s3_login *login, const struct bp_host *host,
                           const struct bp_config *config, struct bp_error *error);
void bp_s3_login_clear(struct bp_s3_login *login);

#endif
