/* SPDX-License-Identifier: Apache-2.0
 *
 * A catalog on the storage in memory, and a small backup made through it as a job does.
 */
#ifndef BP_TESTS_UNIT_CORE_CATALOG_FIXTURE_H
#define BP_TESTS_UNIT_CORE_CATALOG_FIXTURE_H

#include "core/catalog/catalog.h"
#include "core/catalog/journal.h"
#include "core/catalog/lease.h"
#include "tests/harness/fake_store.h"
#include "tests/harness/suite.h"

#define COMMIT_DOCUMENT "meta/commit.json"

/** Everything that a test uses; made new for each. */
typedef struct {
    bp_store *store;
    bp_cancel *cancel;
    bp_call call;
    bp_catalog catalog;
    GError *error;
} fixture;

extern fixture fix;

void fixture_setup(void);
void fixture_teardown(void);

/** The call of a process that was not killed: same storage, never cancelled. */
bp_catalog fixture_fresh(void);

/** What the small backup consists of. */
#define SMALL_ITEMS 3
extern const char *const small_items[SMALL_ITEMS];

/** A manifest with the small backup's units, state running.  Returns: (transfer full) */
bp_manifest *fixture_manifest(const char *name, const char *run_id);

/** Writes the small backup's data to the store, as the copy engine would. */
bool fixture_write_data(const bp_catalog *catalog, const char *name, GError **error);
void fixture_add_items(bp_journal *journal, guint32 generation);
bool fixture_generation(void *ctx, const char *unit_id, guint32 *generation);

/** Hands over two documents and then the commit document. */
bool fixture_write_documents(bp_documents *documents, GError **error);

/** All of a create, in the order of a job. */
bool fixture_create(const bp_catalog *catalog, const char *name, const char *run_id, bool resume,
                    GError **error);

/** Item lines that were read back, one "key unit size" each. */
bool fixture_note_item(void *ctx, const bp_item_record *record, GError **error);

/** Text of an object, or NULL.  Returns: (transfer full) */
char *fixture_text(const char *key);

/** A lease by another process.  @host NULL = this one.  Returns: (transfer full) */
char *fixture_lease_text(const char *run_id, const char *host, gint64 pid, gint64 renew_ns);

#endif
