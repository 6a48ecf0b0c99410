/* SPDX-License-Identifier: Apache-2.0
 *
 * The instance, and what each operation does first: check the key, ask for a cancel.
 *
 * Any number of threads work on one instance.
 */
#ifndef BAKPLANE_STORAGE_AZURE_AZURE_H
#define BAKPLANE_STORAGE_AZURE_AZURE_H

#include <bakplane/plugin.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "plugins/storage-azure/config.h"
#include "plugins/storage-azure/sign.h"
#include "sdk/http/client.h"

struct bp_azure_buffers; /* buffers.h */
struct bp_azure_tokens;  /* token.h */

struct bp_storage {
    const struct bp_host *host;
    struct bp_azure_config set;
    bp_http_client *client, *login_client; /**< login_client: only where it differs, or NULL */
    struct bp_azure_tokens *tokens;        /**< NULL where no identity logs in */
    struct bp_azure_buffers *buffers;      /**< of blocks */
    _Atomic uint32_t no_bearer;            /**< the service takes no tokens for copy sources */
    _Atomic uint32_t no_batch;             /**< nor does it know several removals at once */

    pthread_mutex_t lock; /**< guards all that follows; never held over a request */
    struct bp_azure_delegation *delegation; /**< user delegation key, or NULL */
    time_t delegation_until;                /**< when a new one is to be fetched */
};

/** CANCELLED or TIMEOUT when the operation should stop. */
bp_status bp_azure_check_op(struct bp_storage *storage, const struct bp_op *op,
                            struct bp_error *error);

/** What the service or the programs on the way would change or refuse of a name; NULL when all is
 *  well. */
const char *bp_azure_name_problem(const char *name);

/** INVALID for what is no key. */
bp_status bp_azure_check_key(struct bp_storage *storage, const char *key, struct bp_error *error);

/** The same, and for what Azure would store under another name: '\', a part that ends in '.', … */
bp_status bp_azure_check_new_key(struct bp_storage *storage, const char *key,
                                 struct bp_error *error);

/** INVALID when `flags` has bits outside `known`. */
bp_status bp_azure_check_flags(uint32_t flags, uint32_t known, struct bp_error *error);

/** Clears *out; its struct_size stays. */
void bp_azure_meta_clear(struct bp_object_meta *out);

/** Fills *out as MD5 that the service says, from base64; nothing where it is none. */
void bp_azure_meta_md5(struct bp_object_meta *out, const char *base64);

#endif
