/* SPDX-License-Identifier: Apache-2.0
 *
 * A Milvus in memory behind the functions of api.h.  Linked before the real ones, it takes their
 * place; every changing call leaves a line in fake_api_log().
 */
#ifndef BAKPLANE_TEST_FAKE_API_H
#define BAKPLANE_TEST_FAKE_API_H

#include "plugins/source-milvus/api.h"

struct fake_collection {
    struct milvus_collection *is;
    GArray *segments; /* struct milvus_segment_info */
    enum milvus_load_state load_state;
    bool builds_fail;
};

/** What the next imports answer, one after the other; the last one stays. */
struct fake_import {
    int32_t phase;
    int64_t rows;
    const char *reason;
    int64_t missing_rows; /* reported, but in no segment */
    int polls;            /* how often it is still running before */
};

struct milvus_api *fake_api_new(const char *version);
void fake_api_free(struct milvus_api *api);

/** Adds a collection; its fields get numbers as a server gives them. */
struct fake_collection *fake_api_add(struct milvus_api *api, struct milvus_collection *collection);
struct fake_collection *fake_api_find(struct milvus_api *api, const char *db, const char *name);
void fake_api_add_database(struct milvus_api *api, const char *name);
void fake_api_import_answers(struct milvus_api *api, const struct fake_import *answers, size_t n);
/** The next call named `method` fails once. */
void fake_api_fail(struct milvus_api *api, const char *method, bp_status cls, const char *message,
                   uint32_t flags);
/** So many imports of an earlier run go on, for that many looks. */
void fake_api_running(struct milvus_api *api, uint32_t imports, int looks);
/** Looks that an index build or a load needs before it is done. */
void fake_api_slow(struct milvus_api *api, int looks);

/** From 2.4 on: imports may also go over REST. */
void fake_api_rest(struct milvus_api *api);

/** Changing calls, one per line. */
const char *fake_api_log(const struct milvus_api *api);

#endif
