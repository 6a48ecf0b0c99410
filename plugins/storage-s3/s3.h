/* SPDX-License-Identifier: Apache-2.0
 *
 * The instance, and what each operation does first: check the key, ask for a cancel.
 *
 * Any number of threads work on one instance.  Its mutex guards only the members listed below it
 * and is never held over a request.
 */
#ifndef BAKPLANE_STORAGE_S3_S3_H
#define BAKPLANE_STORAGE_S3_S3_H

#include <bakplane/plugin.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "plugins/storage-s3/config.h"
#include "sdk/http/client.h"
#include "sdk/lib/storage.h"

#define BP_S3_MAX_LIST 1000
#define BP_S3_MIN_PART ((uint64_t)5 << 20)
#define BP_S3_MAX_PART ((uint64_t)5 << 30)
#define BP_S3_MAX_PARTS 10000
/** Objects up to this size are sent in one piece, at commit. */
#define BP_S3_SMALL ((uint64_t)64 << 10)

struct bp_s3_wallet; /* credentials.h */

struct bp_storage {
    const struct bp_host *host;
    struct bp_s3_config set;
    bp_http_client *http;
    bp_http_client *near; /**< without a proxy: for services of this machine */
    struct bp_s3_wallet *wallet;
    _Atomic bool no_remove_many; /**< the store turned out not to have it */
    _Atomic int sums;            /**< enum bp_s3_sums: does it compare checksums? */

    pthread_mutex_t lock; /**< guards all that follows */
    pthread_cond_t changed;
    char region[64];      /**< as far as we know; what the store says goes before the settings */
    uint64_t memory_used; /**< of set.memory, by bodies that are kept */
};

/** CANCELLED or TIMEOUT when the operation should stop. */
bp_status bp_s3_check_op(struct bp_storage *storage, const struct bp_op *op,
                         struct bp_error *error);

/** The key in the bucket, with the prefix (newly allocated); INVALID for what is no key. */
bp_status bp_s3_full_key(struct bp_storage *storage, const char *key, char **out,
                         struct bp_error *error);

/** A copy of the region as it is known now (newly allocated). */
char *bp_s3_region(struct bp_storage *storage);
/** True when that is news. */
bool bp_s3_learn_region(struct bp_storage *storage, const struct bp_op *op, const char *region);

/** Counts `n` bytes against the setting `memory`, waiting for others to end.  NOMEM when in vain.
 */
bp_status bp_s3_memory_take(struct bp_storage *storage, const struct bp_op *op, uint64_t n,
                            struct bp_error *error);
/** The same without waiting: for more, beside what one has. */
bool bp_s3_memory_try(struct bp_storage *storage, uint64_t n);
void bp_s3_memory_give(struct bp_storage *storage, uint64_t n);

/** Nanoseconds since the epoch of "2009-10-12T17:50:30.000Z" or of an HTTP date; 0 = not known. */
int64_t bp_s3_time(const char *text);

#endif
