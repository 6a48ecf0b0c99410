/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of one instance: the declared table and its values, ready for use.
 */
#ifndef BAKPLANE_STORAGE_AZURE_CONFIG_H
#define BAKPLANE_STORAGE_AZURE_CONFIG_H

#include <bakplane/host.h>
#include <stdbool.h>

#include "sdk/lib/secret.h"

/** How requests are authorised. */
enum bp_azure_login {
    BP_AZURE_KEY,
    BP_AZURE_SAS,
    BP_AZURE_SERVICE_PRINCIPAL,
    BP_AZURE_MANAGED_IDENTITY,
    BP_AZURE_WORKLOAD_IDENTITY,
};

/** Values of one instance.  Texts are NULL where nothing was said, unless told otherwise. */
struct bp_azure_config {
    char *account; /**< never NULL */
    enum bp_azure_login login;
    bp_secret *key;  /**< base64 of it */
    bp_secret *sas;  /**< without '?' */
    char *tenant_id; /**< never NULL where the login needs it */
    char *client_id; /**< likewise */
    bp_secret *client_secret;
    char *token_file;
    char *authority;         /**< of logins, without '/' at its end; never NULL */
    char *identity_endpoint; /**< never NULL */
    char *endpoint;          /**< URL of the account, without '/' at its end; never NULL */
    char *path;              /**< path of that URL: "", or "/account" */
    char *cloud;     /**< suffix of the cloud, or scheme, host and port of an own endpoint */
    char *container; /**< never NULL */
    char *prefix;    /**< "", or ends in '/' */
    char *tier;      /**< as Azure spells it */
    bool create_container, check_md5;
    uint64_t memory, block_size, put_size, copy_size; /**< bytes */
    uint32_t copy_timeout_ms;
};

#define BP_AZURE_DEFAULT_SUFFIX "core.windows.net"
#define BP_AZURE_DEFAULT_IDENTITY_ENDPOINT "http://169.254.169.254/metadata/identity/oauth2/token"

/** The table (keys.c). */
#define BP_AZURE_N_KEYS 32
extern const struct bp_config_key bp_azure_keys[BP_AZURE_N_KEYS];

/** Fills *values (cleared by bp_azure_config_clear).  INVALID names the offending key. */
bp_status bp_azure_config_load(struct bp_azure_config *values, const struct bp_host *host,
                               const struct bp_config *config, struct bp_error *error);

void bp_azure_config_clear(struct bp_azure_config *values);

#endif
