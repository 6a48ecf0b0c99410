/* SPDX-License-Identifier: Apache-2.0
 *
 * Import over the REST interface of Milvus 2.4 and later, which takes many directories as one
 * job where gRPC takes one.
 */
#ifndef BAKPLANE_MILVUS_REST_H
#define BAKPLANE_MILVUS_REST_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

#include "api.h"
#include "config.h"

struct bp_source;
struct milvus_rest; /**< the REST side of one server */

/** Most directories of one job. */
#define MILVUS_REST_DIRS_MAX 256

/** Directories that are imported together; NULL = none. */
struct milvus_dirs {
    char *inserts, *deltas;
};

struct milvus_rest_import {
    const char *db, *collection, *partition; /**< partition "" = none named */
    const GPtrArray *dirs;                   /**< struct milvus_dirs * */
    const GArray *options;                   /**< struct milvus_kv */
};

/**
 * Looks with a harmless request whether the server's REST interface answers at its gRPC address,
 * which is where it is unless it was moved.  *out is NULL when it does not: gRPC does, too.  Fails
 * only with CANCELLED.
 */
bp_status milvus_rest_find(struct bp_source *source, const struct bp_op *op,
                           struct milvus_rest **out, struct bp_error *error);
void milvus_rest_free(struct milvus_rest *rest);

/** Not idempotent: a failure with OUTCOME_UNKNOWN may have started a job. */
bp_status milvus_rest_import(struct milvus_rest *rest, const struct bp_op *op,
                             const struct milvus_rest_import *import, int64_t *job,
                             struct bp_error *error);
/** As milvus_api_import_state; only phase, percent, rows and reason are filled. */
bp_status milvus_rest_import_state(struct milvus_rest *rest, const struct bp_op *op, const char *db,
                                   int64_t job, struct milvus_import_state *out,
                                   struct bp_error *error);

#endif
