/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores as milvus-backup's dialects know them, as storages of ours.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_STORES_H
#define BP_CORE_COMPAT_STORES_H

#include "core/compat/said.h"

/* Names of the two storages that come out. */
#define BP_COMPAT_MILVUS_STORE "milvus"
#define BP_COMPAT_BACKUP_STORE "backup"

typedef enum { BP_FAMILY_LOCAL, BP_FAMILY_S3, BP_FAMILY_AZURE } bp_compat_family;

typedef struct bp_compat_provider {
    const char *alias, *name;
    bp_compat_family family;
} bp_compat_provider;

typedef enum {
    BP_AUTH_KEYS,    /* what is written there */
    BP_AUTH_IAM,     /* roles of the machine */
    BP_AUTH_DEFAULT, /* whatever the machine has */
} bp_compat_auth;

/** One store, whichever dialect it was said in. */
typedef struct bp_compat_store {
    const char *name; /* one of the two above */
    const bp_compat_provider *provider;
    char *provider_origin;
    bp_compat_auth auth;
    bool use_tls;
    bp_said_value address, port, region, bucket, root, server_root;
    bp_said_value access_key, secret_key, session_token; /* S3 */
    bp_said_value account, account_key;                  /* Azure */
    bp_said_value iam_endpoint;
} bp_compat_store;
void bp_compat_store_clear(bp_compat_store *store);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_compat_store, bp_compat_store_clear)

/** By any of its names, without regard to case; NULL and a problem when there is none. */
const bp_compat_provider *bp_compat_provider_find(bp_said *said, const bp_said_value *value);

/** "host:port", "[v6]:port".  `port` may be NULL or "".  Returns: (transfer full) */
char *bp_compat_join_address(const char *host, const char *port);

/** Put the storage into `out`.  A problem of `said` when a local one has no root path. */
void bp_compat_store_put(bp_said *said, const bp_compat_store *store, bp_node *out);

#endif
