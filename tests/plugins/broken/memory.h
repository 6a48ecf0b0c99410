/* SPDX-License-Identifier: Apache-2.0
 *
 * A small storage plugin that keeps its objects in this process: right in every way unless built
 * otherwise (breaks.h).  Content lies in memory of the host's, so that it can be refused.
 */
#ifndef BP_TESTS_BROKEN_MEMORY_H
#define BP_TESTS_BROKEN_MEMORY_H

#include <bakplane/plugin.h>
#include <pthread.h>
#include <stdbool.h>

#include "tests/plugins/broken/breaks.h"

#define PARTS_MAX 16
#define MAX_LIST 100
#define LATE_NS 150000000 /* unusual: how far a listing is behind */
#define LONG_ROOT 100     /* unusual: bytes that all keys begin with */

struct object {
    char key[BP_KEY_MAX + 1];
    unsigned char *bytes; /* of the host */
    size_t n;
    uint64_t version;
    bool hidden;      /* broken: until the barrier, or never */
    int64_t since_ns; /* unusual: when it was written */
};

struct upload {
    char key[BP_KEY_MAX + 1];
    uint64_t id; /* 0 = no upload */
    int64_t started_ns;
    struct {
        unsigned char *bytes;
        size_t n;
        uint64_t version; /* 0 = not there */
    } parts[PARTS_MAX];
};

#define UPLOADS_MAX 64

struct space {
    char name[64];
    struct object **objects; /* by key */
    size_t n, room, used;    /* used: bytes of all objects */
    struct upload uploads[UPLOADS_MAX];
};

struct bp_storage {
    const struct bp_host *host;
    struct space *space;
    uint64_t quota;
    bool read_only, expired;
    char token[64];    /* broken: what it tells of */
    bool removed_many; /* broken: what close stumbles over */
    int inside;        /* broken: calls that are inside */
    char *shelf;       /* broken: what an instance keeps */
};

struct bp_reader {
    struct bp_storage *storage;
    unsigned char *bytes;
    size_t at, end;
    int fd; /* broken: what it holds until its end */
};

struct bp_writer {
    struct bp_storage *storage;
    char key[BP_KEY_MAX + 1];
    char if_match[64];
    uint32_t flags;
    uint64_t announced; /* bytes, or BP_UNKNOWN */
    struct bp_checksum checksum;
    unsigned char *bytes;
    size_t n, room;
    uint64_t upload;
    uint32_t number; /* of a part; 0 = an object */
};

extern pthread_mutex_t memory_lock; /* guards all spaces */
extern const struct bp_storage_ops memory_ops;

struct space *memory_space(const char *name);
/* What comes before everything: flags, cancel, deadline, login. */
bp_status memory_begin(struct bp_storage *self, const struct bp_op *op, uint32_t flags,
                       uint32_t known, struct bp_error *error);
bp_status memory_check_op(const struct bp_storage *self, const struct bp_op *op,
                          struct bp_error *error);
bp_status memory_missing(struct bp_error *error, const char *key);
/* The caller holds memory_lock. */
struct object *memory_find(const struct space *space, const char *key);
/* Index of the first object at or after a key; the caller holds memory_lock. */
size_t memory_lower_bound(const struct space *space, const char *key);
/* Puts content under a key, which takes the bytes; the caller holds memory_lock. */
bp_status memory_store(struct bp_storage *self, const char *key, unsigned char *take_bytes,
                       size_t n, struct bp_error *error);
void memory_drop(struct bp_storage *self, const char *key);
void memory_etag(uint64_t version, char *out, size_t cap);
void memory_meta(const struct object *object, struct bp_object_meta *out);
/* EXISTS when if_match is given and not the object's version; object may be NULL. */
bp_status memory_match(const struct object *object, const char *if_match, struct bp_error *error);
/* The same for what is to be replaced. */
bp_status memory_match_new(const struct object *object, const char *if_match,
                           struct bp_error *error);
uint64_t memory_next_version(void);
uint64_t memory_version(void); /* the last */
int64_t memory_now_ns(void);

/* io.c */
bp_status memory_read_open(struct bp_storage *self, const struct bp_op *op,
                           const struct bp_read_args *args, struct bp_object_meta *meta,
                           struct bp_reader **out, struct bp_error *error);
bp_status memory_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                      size_t *n, struct bp_error *error);
void memory_read_close(struct bp_reader *reader);
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

/* list.c */
bp_status memory_list(struct bp_storage *self, const struct bp_op *op,
                      const struct bp_list_args *args, const struct bp_list_sink *sink,
                      struct bp_error *error);

/* parts.c */
struct upload *memory_begin_upload(struct bp_storage *self, const char *key);
bp_status memory_part_begin(struct bp_storage *self, const struct bp_op *op,
                            const struct bp_write_args *args, const struct bp_text_sink *id,
                            struct bp_error *error);
bp_status memory_part_open(struct bp_storage *self, const struct bp_op *op,
                           const struct bp_part_args *args, struct bp_writer **out,
                           struct bp_error *error);
/* The end of a writer of a part; takes its bytes when it works. */
bp_status memory_part_commit(struct bp_writer *writer, struct bp_object_meta *out,
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
