/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted server that holds one database with one collection, and the files of its segments in
 * a directory: what the tests of the API and of captures begin with.
 */
#ifndef BAKPLANE_TEST_SERVER_FIXTURE_H
#define BAKPLANE_TEST_SERVER_FIXTURE_H

#include "milvus_schema.pb-c.h"
#include "milvus_service.pb-c.h"
#include "tests/harness/fake_milvus.h"

#define FIXTURE_COLLECTION 1000
#define FIXTURE_PARTITION 2000

/** A segment as GetPersistentSegmentInfo answers it. */
struct fixture_segment {
    int64_t id, partition, rows;
    int32_t state, level;
    int64_t storage_version;
};

/** Everything but segments: version, database "default", collection "books", two partitions. */
void fixture_describe(fake_milvus *fake, const char *version);

/** From now on (`times` times, 0 = for ever) these segments. */
void fixture_segments(fake_milvus *fake, guint times, const struct fixture_segment *segments,
                      size_t n);

/** Flush answers at once that segment `sealed` (0 = none) was sealed and is on storage. */
void fixture_flush(fake_milvus *fake, int64_t sealed);

/** Files of fields 0, 1, 100, 101 with `n_logs` logs each, of `size` bytes. */
void fixture_insert_logs(const char *dir, const char *prefix, const struct fixture_segment *segment,
                         int n_logs);
/** One delta log of `rows` deletes. */
void fixture_delta_log(const char *dir, const char *prefix, const struct fixture_segment *segment,
                       uint8_t rows);

/** Answers `code` (2.3 and later) or `legacy` with a reason, to a call that returns a status. */
void fixture_fail(fake_milvus *fake, const char *method, guint times, int32_t code, int32_t legacy,
                  const char *reason);

#endif
