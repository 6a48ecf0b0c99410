/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the harness: state of the in-memory storage plugin.
 */
#ifndef BP_TESTS_HARNESS_MEMORY_H
#define BP_TESTS_HARNESS_MEMORY_H

#include <bakplane/plugin.h>
#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

typedef struct memory_object {
    GBytes *bytes;
    guint64 version;
} memory_object;

typedef struct memory_upload {
    char *key;
    GHashTable *parts; /* number -> GBytes */
} memory_upload;

typedef struct memory_space {
    GTree *objects;      /* key -> memory_object, in byte order */
    GHashTable *uploads; /* id -> memory_upload */
} memory_space;

struct bp_storage {
    const struct bp_host *host;
    memory_space *space;
    char *name;
    guint64 caps;
    guint64 serial; /* from 1, of all instances of the process */
};

/* All state of the process's spaces; guarded by memory_lock. */
extern pthread_mutex_t memory_lock;

#define MEMORY_ALL_CAPS                                                                           \
    (BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH | BP_STORE_IF_MATCH | \
     BP_STORE_LIST_SORTED | BP_STORE_LIST_START_AFTER | BP_STORE_SERVER_COPY | BP_STORE_PARTS |   \
     BP_STORE_PARTS_PARALLEL | BP_STORE_UNKNOWN_SIZE | BP_STORE_KEY_IS_PREFIX |                   \
     BP_STORE_STRONG_LIST)

/* What test_ops.h sets; harmless defaults in the .so. */
typedef struct memory_knobs {
    int lie; /* test_lie */
    guint64 caps;
    gint64 delay_ns;
    guint64 expired; /* instances up to this one are refused */
    char secret[64];
    char space[64]; /* of the next open without a "space" setting */
} memory_knobs;
extern memory_knobs memory_knob;

void memory_reset(void);
/* BP_OK, or AUTH when its credentials have expired.  Caller does not hold memory_lock. */
bp_status memory_check_login(const struct bp_storage *self, struct bp_error *error);
/* Serial of the last instance that was opened. */
guint64 memory_last_serial(void);
/* Caller holds memory_lock. */
guint64 memory_next_serial(void);
/* Caller holds memory_lock. */
memory_space *memory_space_get(const char *name);
memory_object *memory_find(memory_space *space, const char *key);
void memory_store(memory_space *space, const char *key, GBytes *take_bytes);
void memory_fill_meta(const memory_object *object, struct bp_object_meta *out);

/* One call of an operation: counted, and how many are inside. */
void memory_enter(const char *op);
void memory_leave(void);
guint memory_calls(const char *op);
guint memory_most_inside(void);
/* Open readers and writers. */
void memory_handles_add(int n);
guint memory_handles(void);

/* memory_write.c */
bp_status memory_write_open(struct bp_storage *self, const struct bp_op *op,
                            const struct bp_write_args *args, struct bp_writer **out,
                            struct bp_error *error);
bp_status memory_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes,
                       size_t n, struct bp_error *error);
bp_status memory_write_commit(struct bp_writer *writer, const struct bp_op *op,
                              struct bp_object_meta *out, struct bp_error *error);
void memory_write_abort(struct bp_writer *writer, const struct bp_op *op);
bp_status memory_copy(struct bp_storage *self, const struct bp_op *op,
                      const struct bp_copy_args *args, struct bp_object_meta *out,
                      struct bp_error *error);
bp_status memory_part_begin(struct bp_storage *self, const struct bp_op *op,
                            const struct bp_write_args *args, const struct bp_text_sink *id,
                            struct bp_error *error);
bp_status memory_part_open(struct bp_storage *self, const struct bp_op *op,
                           const struct bp_part_args *args, struct bp_writer **out,
                           struct bp_error *error);
bp_status memory_part_copy(struct bp_storage *self, const struct bp_op *op,
                           const struct bp_part_args *args, struct bp_object_meta *out,
                           struct bp_error *error);
bp_status memory_part_complete(struct bp_storage *self, const struct bp_op *op,
                               const struct bp_complete_args *args, struct bp_object_meta *out,
                               struct bp_error *error);
bp_status memory_part_abort(struct bp_storage *self, const struct bp_op *op, const char *key,
                            const char *upload, struct bp_error *error);
bp_status memory_uploads_list(struct bp_storage *self, const struct bp_op *op, const char *prefix,
                              const struct bp_key_sink *sink, struct bp_error *error);
bp_status memory_uploads_abort(struct bp_storage *self, const struct bp_op *op, const char *prefix,
                               int64_t before_ns, const struct bp_key_sink *sink,
                               struct bp_error *error);

#endif
