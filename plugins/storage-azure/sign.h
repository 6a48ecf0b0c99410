/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures: the shared key of a request, and shared access signatures (SAS) for one blob.
 *
 * After "Authorize with Shared Key", "Create a service SAS" and "Create a user delegation SAS" of
 * the Azure Storage REST reference, version 2021-12-02.  Pure functions, any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_SIGN_H
#define BAKPLANE_STORAGE_AZURE_SIGN_H

#include <glib.h>
#include <stdint.h>
#include <time.h>

#include "sdk/lib/secret.h"

/** What every request says, and what every SAS of ours is made for. */
#define BP_AZURE_VERSION "2021-12-02"

/** A header, or a parameter of the query: plain text, not encoded. */
struct bp_azure_pair {
    char *name, *value;
};

/** Array of struct bp_azure_pair that frees its texts.  (g_array_unref) */
GArray *bp_azure_pairs_new(void);
/** Appends; takes `take_value`. */
void bp_azure_pairs_add(GArray *pairs, const char *name, char *take_value);

struct bp_azure_signable {
    const char *method, *account;
    const char *path;              /**< of the URL, encoded as it is sent, from its first '/' */
    const GArray *headers, *query; /**< struct bp_azure_pair, in any order */
    uint64_t content_length;       /**< 0 = none */
};

/** What is signed with the account's key. (g_free) */
char *bp_azure_string_to_sign(const struct bp_azure_signable *what);

/** Base64 of the HMAC-SHA256 of `text`; `key` is the base64 form of an account's key. (g_free) */
char *bp_azure_signature(const bp_secret *key, const char *text);

/** A user delegation key: what the service handed out for a login. */
struct bp_azure_delegation {
    char *oid, *tid, *start, *expiry, *service, *version;
    bp_secret *value; /**< base64 */
};
void bp_azure_delegation_free(struct bp_azure_delegation *delegation);

struct bp_azure_sas_params {
    const char *account, *container;
    const char *blob;        /**< full name in the container, not encoded */
    const char *permissions; /**< "r" */
    time_t start, expiry;
    const char *protocol;                         /**< "https", or "https,http" */
    const bp_secret *key;                         /**< of the account, or NULL … */
    const struct bp_azure_delegation *delegation; /**< … and this instead */
};

/** The SAS as the query of a URL, without '?'.  Whoever has it may read the blob. (g_free) */
char *bp_azure_sas(const struct bp_azure_sas_params *params);

#endif
