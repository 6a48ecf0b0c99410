/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing: write_open, write, write_commit, write_abort, remove of bp_storage_ops.  A writer sends
 * one request, of which it holds the end back until the commit, or blocks; or one part of an upload
 * (parts.h).
 */
#ifndef BAKPLANE_STORAGE_AZURE_WRITE_H
#define BAKPLANE_STORAGE_AZURE_WRITE_H

#include "plugins/storage-azure/blocks.h"

struct bp_azure_exchange;

enum bp_azure_manner {
    BP_AZURE_STREAM, /**< one Put Blob: the size is known and not too large */
    BP_AZURE_BLOCKS, /**< blocks, then their list */
    BP_AZURE_PART,   /**< blocks of one part */
};

struct bp_writer {
    struct bp_storage *storage;
    char *key;
    enum bp_azure_manner manner;
    uint64_t size; /**< announced, or BP_UNKNOWN */
    uint64_t written;
    uint32_t flags;              /**< BP_WRITE_… */
    char *if_match;              /**< or NULL */
    struct bp_checksum want;     /**< what the content must have, or NONE */
    GChecksum *sum, *md5;        /**< of `want`, and what the service is to say; or NULL */
    struct bp_azure_exchange *x; /**< STREAM, once something was sent */
    uint8_t *small;              /**< STREAM: the whole object until the commit, or NULL */
    uint8_t last;                /**< STREAM: the byte that is held back */
    struct bp_azure_blocks blocks;
};

bp_status bp_azure_write_open(struct bp_storage *storage, const struct bp_op *op,
                              const struct bp_write_args *args, struct bp_writer **out,
                              struct bp_error *error);
bp_status bp_azure_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes,
                         size_t n, struct bp_error *error);
bp_status bp_azure_write_commit(struct bp_writer *writer, const struct bp_op *op,
                                struct bp_object_meta *out, struct bp_error *error);
void bp_azure_write_abort(struct bp_writer *writer, const struct bp_op *op);

bp_status bp_azure_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
                          const char *if_match, struct bp_error *error);

/** A removal that failed so found nothing to remove, which is fine. */
bool bp_azure_is_gone(bp_status status, const char *code);

#define BP_AZURE_WRITE_FLAGS (BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE)

/** Checks what write_open and part_begin have in common.  `known`: flags that are taken. */
bp_status bp_azure_check_write(struct bp_storage *storage, const struct bp_op *op,
                               const struct bp_write_args *args, uint32_t known,
                               struct bp_error *error);

#endif
