/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pieces of the Milvus in memory share.
 */
#ifndef BP_TESTS_FAKE_API_INTERNAL_H
#define BP_TESTS_FAKE_API_INTERNAL_H

#include "fake_api.h"

#define IMPORTS_MAX 16

struct milvus_api {
    char *version;
    uint64_t features;
    GHashTable *databases;
    GPtrArray *collections; /* struct fake_collection * */
    GString *log;
    int64_t next_id;
    struct fake_import answers[IMPORTS_MAX];
    size_t n_answers, n_imports;
    int polls[IMPORTS_MAX];
    struct fake_collection *import_into[IMPORTS_MAX];
    char *fail_method, *fail_message;
    bp_status fail_class;
    uint32_t fail_flags;
    int slow;
    uint32_t running;
    int running_looks;
};

struct milvus_rest {
    struct milvus_api *api;
};

/** Fails when the test asked for it. */
bp_status fake_api__enter(struct milvus_api *api, const char *method, struct bp_error *error);
/** The same, and notes what was changed. */
bp_status fake_api__change(struct milvus_api *api, const char *method, const char *object,
                           struct bp_error *error);

#endif
