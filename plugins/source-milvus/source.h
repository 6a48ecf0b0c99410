/* SPDX-License-Identifier: Apache-2.0
 *
 * One configured Milvus, and the operations on it that belong to no run.
 */
#ifndef BAKPLANE_MILVUS_SOURCE_H
#define BAKPLANE_MILVUS_SOURCE_H

#include <bakplane/source.h>
#include <pthread.h>

#include "api.h"
#include "config.h"
#include "sdk/http/client.h"

/** What the last plan selected: the next run works on it. */
struct milvus_plan {
    GPtrArray *databases;   /**< struct milvus_database * with name and id */
    GPtrArray *collections; /**< struct milvus_collection * with database, name and id */
};

struct bp_source {
    const struct bp_host *host;
    struct milvus_config config;
    struct milvus_api *api;
    bp_http_client *http;     /**< for what Milvus does not offer over gRPC */
    pthread_mutex_t lock;     /**< guards plan */
    struct milvus_plan *plan; /**< made by plan, taken by run_begin; or NULL */
};

struct milvus_plan *milvus_plan_new(void);
void milvus_plan_free(struct milvus_plan *plan);
typedef struct milvus_plan milvus_plan;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_plan, milvus_plan_free)

/** Asks the server and the filter (NULL = all), tells the sink (NULL = nobody). */
bp_status milvus_plan_make(struct bp_source *source, const struct bp_op *op,
                           const struct bp_unit_filter *filter, const struct bp_unit_sink *sink,
                           struct milvus_plan **out, struct bp_error *error);

/* Operations of struct bp_source_ops. */
bp_status milvus_source_open(const struct bp_host *host, const struct bp_op *op,
                             const struct bp_config *config, struct bp_source **out,
                             struct bp_error *error);
void milvus_source_close(struct bp_source *source);
bp_status milvus_source_info(struct bp_source *source, struct bp_source_info *out,
                             struct bp_error *error);
bp_status milvus_source_probe(struct bp_source *source, const struct bp_op *op,
                              const struct bp_note_sink *notes, struct bp_error *error);
bp_status milvus_source_plan(struct bp_source *source, const struct bp_op *op,
                             const struct bp_unit_filter *filter, const struct bp_unit_sink *sink,
                             struct bp_error *error);
bp_status milvus_source_adopt(struct bp_source *source, const struct bp_op *op,
                              const char *backup_ref, const struct bp_adopt_sink *sink,
                              struct bp_adopt_info *info, struct bp_error *error);

#endif
