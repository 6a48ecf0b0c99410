/* SPDX-License-Identifier: Apache-2.0
 *
 * A small backup on disk, a Milvus in memory, and what a restore tells the core.
 *
 * The backup holds collection default.docs (id, vec) with partitions _default (two segments of 10
 * rows, one with deletes) and p1 (one of 5), an index, an alias, loaded with two replicas.
 */
#ifndef BAKPLANE_TEST_RESTORE_FIXTURE_H
#define BAKPLANE_TEST_RESTORE_FIXTURE_H

#include <check.h>

#include "fake_api.h"
#include "fake_host.h"
#include "plugins/source-milvus/restore.h"
#include "plugins/source-milvus/restore_state.h"

#define DOCS_ID 500
#define BASE "/srv/b/"

struct fixture {
    char *dir;
    struct milvus_backup *backup;
    struct milvus_collection *docs; /* of the backup */
    struct milvus_api *api;
    struct bp_source source;
    struct bp_config *options;
    struct bp_storage_view view; /* of the backup's storage */
    struct bp_restore *restore;
    struct bp_restore_info info;
    struct bp_error error;
    GString *told; /* notes, identities, places, jobs: one per line */
    const char *ours, *done, *target_db, *target_name, *version;
    uint32_t pair_flags;
    GPtrArray *tokens;
    int64_t prepare_until_ns; /* deadline of fixture_prepare, 0 = none */
    bool is_saved;
};

extern struct fixture fx;

/* Checked fixtures. */
void fixture_setup(void);
void fixture_teardown(void);

/** Another server version than 2.3.5. */
void fixture_server(const char *version);
void fixture_option(const char *key, const char *value);
/** Adds a segment with files for fields 0, 1, 100, 101 of 3 bytes each, and a delta log. */
struct milvus_segment *fixture_segment(struct milvus_partition *partition, int64_t id, int64_t rows,
                                       bool has_deltas);
/** A collection like docs for the server; the caller may change it before fake_api_add. */
struct milvus_collection *fixture_same_collection(const char *name);

bp_status fixture_begin(uint32_t flags);
bp_status fixture_prepare(void);
bp_status fixture_place(void);
bp_status fixture_step(uint32_t free_jobs, bool *all_started);
bp_status fixture_poll(const char *token, struct bp_job_state *state);
bp_status fixture_prove(struct bp_proof *proof);
bp_status fixture_finish(void);
/** begin, prepare, place. */
void fixture_until_placed(void);
/** Steps and polls until nothing is left; fails the test when a job fails. */
void fixture_import_all(void);

/** The text must occur in what was told, or in the server's log. */
void assert_told(const char *text);
void assert_not_told(const char *text);
void assert_called(const char *text);
void assert_not_called(const char *text);
void assert_failed(bp_status status, bp_status cls, const char *text);

#endif
