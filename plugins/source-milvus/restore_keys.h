/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of a restore job: the declared table, and their values in C types.
 */
#ifndef BAKPLANE_MILVUS_RESTORE_KEYS_H
#define BAKPLANE_MILVUS_RESTORE_KEYS_H

#include <bakplane/config.h>
#include <bakplane/error.h>
#include <bakplane/host.h>
#include <stdbool.h>

extern const struct bp_config_key milvus_restore_keys[];
extern const uint32_t milvus_n_restore_keys;

enum milvus_placement {
    MILVUS_PLACE_AUTO,     /**< in place where the server can read the backup, else staged */
    MILVUS_PLACE_IN_PLACE, /**< in place or not at all */
    MILVUS_PLACE_STAGE     /**< copied next to the server's data first */
};

struct milvus_restore_options {
    bool skip_create, drop_exist, drop_exist_index, use_auto_index;
    bool index, load, wait;
    enum milvus_placement placement;
    uint32_t max_shards; /**< 0 = as in the backup */
    uint32_t max_jobs;   /**< 0 = what suits the server */
    uint64_t wait_timeout_ms, stall_timeout_ms;
    uint64_t max_task_bytes;
};

/** INVALID names the option, or the two that contradict each other. */
bp_status milvus_restore_options_load(const struct bp_host *host, const struct bp_config *options,
                                      struct milvus_restore_options *out, struct bp_error *error);

#endif
