/* SPDX-License-Identifier: Apache-2.0
 *
 * Instances of the storage plugin under test, and what checks do with them over and over.
 *
 * "try" functions hand on what the plugin answered; all others fail the check when it is not what
 * they are about.  Any thread; calls wait where the plugin's model wants it.  `op` may be NULL
 * everywhere.
 */
#ifndef BAKPLANE_TESTKIT_STORE_H
#define BAKPLANE_TESTKIT_STORE_H

#include "sdk/testkit/kit.h"

/** An open instance. */
struct bp_kit_store {
    struct bp_kit *kit;
    struct bp_storage *it;
    struct bp_config *config;
    struct bp_storage_info info;
    struct bp_kit_gate *gate; /**< lets in as many calls at once as the plugin takes */
};

/** Around each call of an operation: waits until the plugin's thread model allows one more. */
void bp_kit_enter(const struct bp_kit_store *store);
void bp_kit_leave(const struct bp_kit_store *store);

/** Settings as the file's `storage` says, changed by `other` (may be NULL); port fills {port}. */
struct bp_config *bp_kit_store_settings(struct bp_kit *kit, const struct bp_kit_node *other,
                                        unsigned port);
/** Opens with those settings and asks for the facts; starts the plugin first. */
void bp_kit_store_open(struct bp_kit *kit, const struct bp_kit_node *other, unsigned port,
                       struct bp_kit_store *out);
/** With settings at hand, which it takes; hands on the answer. */
bp_status bp_kit_store_try_open(struct bp_kit *kit, struct bp_config *take_config,
                                struct bp_kit_store *out, struct bp_error *error);
void bp_kit_store_close(struct bp_kit_store *store);
bool bp_kit_store_can(const struct bp_kit_store *store, uint64_t caps);
/** Skips the check where a promise or an operation is missing; `name` is for people. */
void bp_kit_store_need(const struct bp_kit_store *store, uint64_t cap, const char *name);

/** The context to call with: op's, or one without deadline that nobody cancels. */
const struct bp_op *bp_kit_context(struct bp_kit_op *op);

/** Fails unless status is what the contract wants; what was tried is told by `format`. */
void bp_kit_expect(const struct bp_kit *kit, bp_status status, bp_status wanted,
                   const struct bp_error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** n bytes that differ with `seed`; free() them or not. */
unsigned char *bp_kit_bytes(size_t n, unsigned seed);

struct bp_kit_put {
    const char *key;
    const void *bytes;
    size_t n;
    uint32_t flags; /**< BP_WRITE_… */
    bool unknown_size;
    const char *if_match;
    struct bp_checksum checksum;
    struct bp_kit_op *op;
};

/** Writes an object whole; aborts it after a failure before commit. */
bp_status bp_kit_try_put(const struct bp_kit_store *store, const struct bp_kit_put *put,
                         struct bp_object_meta *out, struct bp_error *error);
/** Writes an object whole, to be visible at once. */
void bp_kit_put(const struct bp_kit_store *store, const char *key, const void *bytes, size_t n);

/** Opens a writer (and fails otherwise). */
struct bp_writer *bp_kit_write_open(const struct bp_kit_store *store, const char *key,
                                    uint64_t size, uint32_t flags);
bp_status bp_kit_try_write_open(const struct bp_kit_store *store, const struct bp_write_args *args,
                                struct bp_kit_op *op, struct bp_writer **out,
                                struct bp_error *error);
void bp_kit_write(const struct bp_kit_store *store, struct bp_writer *writer, const void *bytes,
                  size_t n);
bp_status bp_kit_try_write(const struct bp_kit_store *store, struct bp_writer *writer,
                           const void *bytes, size_t n, struct bp_kit_op *op,
                           struct bp_error *error);
bp_status bp_kit_try_commit(const struct bp_kit_store *store, struct bp_writer *writer,
                            struct bp_kit_op *op, struct bp_object_meta *out,
                            struct bp_error *error);
void bp_kit_write_abort(const struct bp_kit_store *store, struct bp_writer *writer);

struct bp_kit_get {
    const char *key;
    uint64_t offset;
    uint64_t length; /**< BP_UNKNOWN = to the end */
    const char *if_match;
    size_t piece; /**< bytes asked for at once; 0 = 64 KiB */
    struct bp_kit_op *op;
};

/** One call of read. */
struct bp_kit_piece {
    void *buffer;
    size_t cap;
    struct bp_kit_op *op;
    size_t n; /**< what it answered */
};

/** Reads what was asked for into new memory; *out and *n are set on BP_OK alone. */
bp_status bp_kit_try_get(const struct bp_kit_store *store, const struct bp_kit_get *get,
                         struct bp_object_meta *meta, unsigned char **out, size_t *n,
                         struct bp_error *error);
bp_status bp_kit_try_read_open(const struct bp_kit_store *store, const struct bp_kit_get *get,
                               struct bp_object_meta *meta, struct bp_reader **out,
                               struct bp_error *error);
bp_status bp_kit_try_read(const struct bp_kit_store *store, struct bp_reader *reader,
                          struct bp_kit_piece *piece, struct bp_error *error);
void bp_kit_read_close(const struct bp_kit_store *store, struct bp_reader *reader);
/** Fails unless the object holds exactly this. */
void bp_kit_expect_content(const struct bp_kit_store *store, const char *key, const void *bytes,
                           size_t n);
/** Fails unless stat says NOT_FOUND; `when` completes the sentence. */
void bp_kit_expect_missing(const struct bp_kit_store *store, const char *key, const char *when);

bp_status bp_kit_try_stat(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
                          struct bp_object_meta *out, struct bp_error *error);
/** The facts of an object that is there. */
void bp_kit_stat(const struct bp_kit_store *store, const char *key, struct bp_object_meta *out);
bp_status bp_kit_try_remove(const struct bp_kit_store *store, const char *key, const char *if_match,
                            struct bp_kit_op *op, struct bp_error *error);
void bp_kit_remove(const struct bp_kit_store *store, const char *key);
/** The barrier, where there is one. */
void bp_kit_sync(const struct bp_kit_store *store);

#endif
