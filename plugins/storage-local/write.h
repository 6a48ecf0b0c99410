/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing: write_open, write, write_commit, write_abort of bp_storage_ops.  A writer fills a
 * temporary file of its own, or one part of the file of an upload (parts.h).
 */
#ifndef BAKPLANE_STORAGE_LOCAL_WRITE_H
#define BAKPLANE_STORAGE_LOCAL_WRITE_H

#include "plugins/storage-local/digest.h"
#include "plugins/storage-local/local.h"

struct bp_local_upload; /* parts.h */

struct bp_writer {
    struct bp_storage *storage;
    char *key;
    int fd;
    uint64_t number; /**< of the temporary file */
    uint64_t base;   /**< where the first byte goes */
    uint64_t size;   /**< announced, or BP_UNKNOWN */
    uint64_t written;
    uint32_t flags;          /**< BP_WRITE_… */
    char *if_match;          /**< or NULL */
    struct bp_checksum want; /**< what the content must have, or NONE */
    struct bp_local_digest *digest;
    struct bp_local_upload *upload; /**< part writers only: a reference */
    uint32_t part;
};

bp_status bp_local_write_open(struct bp_storage *storage, const struct bp_op *op,
                              const struct bp_write_args *args, struct bp_writer **out,
                              struct bp_error *error);
bp_status bp_local_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes,
                         size_t n, struct bp_error *error);
bp_status bp_local_write_commit(struct bp_writer *writer, const struct bp_op *op,
                                struct bp_object_meta *out, struct bp_error *error);
void bp_local_write_abort(struct bp_writer *writer, const struct bp_op *op);

#define BP_LOCAL_WRITE_FLAGS (BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE)

/** Checks what write_open and part_begin have in common, and that the root is there.  `known`:
 *  flags that are taken. */
bp_status bp_local_check_write(struct bp_storage *storage, const struct bp_op *op,
                               const struct bp_write_args *args, uint32_t known,
                               struct bp_error *error);

/**
 * Have the kernel start writing a large piece to the disk: the barrier finds less to do, and the
 * disk is busy meanwhile.  Small pieces are better gathered.  Never fails, promises nothing.
 */
void bp_local_start_writeback(int fd, uint64_t offset, size_t n);

/** Writes all n bytes at an offset; 0 or -errno.  Interrupted and short writes go on. */
int bp_local_pwrite(int fd, const void *bytes, size_t n, uint64_t offset);

#endif
