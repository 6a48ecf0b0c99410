/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the fake storage.
 */
#ifndef BP_TESTS_HARNESS_FAKE_STORE_INTERNAL_H
#define BP_TESTS_HARNESS_FAKE_STORE_INTERNAL_H

#include "core/base/thread.h"
#include "tests/harness/fake_store.h"

typedef struct {
    GBytes *bytes;
    char etag[32];
} fake_object;

typedef struct {
    fake_fault fault;
    guint seen, done;
} fake_rule;

typedef struct {
    char *key, *id;
    GPtrArray *parts; /* GBytes by number - 1; NULL = missing */
} fake_upload;

struct bp_store {
    char *name, *kind;
    struct bp_storage_info info;
    pthread_mutex_t lock;         /* guards all below */
    GHashTable *objects, *staged; /* key -> fake_object */
    GPtrArray *uploads;           /* fake_upload */
    GArray *rules;                /* fake_rule */
    guint calls[FAKE_OPS];
    guint open_readers, open_writers, peak_writers;
    guint versions;
    guint late;
    bool is_staged, blackhole;
    guint64 last_part;
    guint32 begun_flags;
    guint64 synthetic; /* BP_UNKNOWN = no */
    gsize read_max;
    gint64 lie_size;
    struct bp_checksum lie_checksum;
};

struct bp_store_writer {
    bp_store *store;
    char *key, *if_match, *upload;
    guint32 flags, part;
    guint64 size;
    GByteArray *bytes;
    guint64 written;
};

/** Counts the call, runs hooks, and raises what was asked for.  Without the lock. */
bool fake_enter(bp_store *store, fake_op op, const char *key, const bp_call *call, bool *effect,
                GError **error);
/** Visible or, for the fake itself, also staged.  Lock held. */
fake_object *fake_find(bp_store *store, const char *key);
/** Replaces; `take_bytes` is taken.  Lock held. */
fake_object *fake_insert(bp_store *store, const char *key, GBytes *take_bytes, bool visible);
void fake_fill_meta(bp_store *store, const fake_object *object, struct bp_object_meta *out);
void fake_set_error(GError **error, int cls, const bp_store *store, const char *op, const char *key,
                    const char *why);
/** Content as visible now.  NOT_FOUND.  Fills meta. */
GBytes *fake_open(bp_store *store, const char *op, const char *key, const char *if_match,
                  struct bp_object_meta *meta, GError **error);
void fake_upload_free(fake_upload *upload);

#endif
