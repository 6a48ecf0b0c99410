/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks: what large objects and those of unknown size are put together from.
 *
 * A block's id says who wrote it: 24 digits of the upload (its start in seconds and 64 random
 * bits), 6 of the part, 6 random ones of the attempt, 4 of the block in it.  So blocks of two
 * writers, or of an attempt whose answer was lost, never get into one object, and all ids are of
 * equal length, as the service demands.
 */
#ifndef BAKPLANE_STORAGE_AZURE_BLOCKS_H
#define BAKPLANE_STORAGE_AZURE_BLOCKS_H

#include "plugins/storage-azure/azure.h"
#include "plugins/storage-azure/buffers.h"

#define BP_AZURE_UPLOAD_ID 25 /* with the NUL */
#define BP_AZURE_BLOCK_ID 41

#define BP_AZURE_MAX_BLOCKS 50000
#define BP_AZURE_MAX_BLOCK (UINT64_C(4000) << 20)
#define BP_AZURE_MAX_INDEX 0xFFFF

/** A new upload's id. */
void bp_azure_upload_id(char out[BP_AZURE_UPLOAD_ID]);
/** 24 random bits that tell one attempt at a part from another. */
uint32_t bp_azure_attempt(void);
/** When it was started, in ns since the epoch; -1 for what is no id of ours. */
int64_t bp_azure_upload_started(const char *id);

/** A sequence of blocks that one attempt writes.  Init, add, (finish), clear. */
struct bp_azure_blocks {
    struct bp_storage *storage;
    const char *key; /**< borrowed */
    char upload[BP_AZURE_UPLOAD_ID];
    uint32_t part, attempt;
    uint32_t count; /**< blocks that the service has */
    uint64_t size;  /**< of what is still to be written, or BP_UNKNOWN */
    uint64_t least; /**< bytes of a block, so that there are enough of them */
    struct bp_azure_buffer buffer;
    size_t used;
};

/** `size` is what will be written, or BP_UNKNOWN; `least` bounds the blocks' size from below. */
void bp_azure_blocks_init(struct bp_azure_blocks *blocks, struct bp_storage *storage,
                          const char *key, uint64_t size, uint64_t least);
/** Buffers, and sends each full block. */
bp_status bp_azure_blocks_add(struct bp_azure_blocks *blocks, const struct bp_op *op,
                              const void *bytes, size_t n, struct bp_error *error);
/** Sends what is left in the buffer. */
bp_status bp_azure_blocks_flush(struct bp_azure_blocks *blocks, const struct bp_op *op,
                                struct bp_error *error);
void bp_azure_blocks_clear(struct bp_azure_blocks *blocks);

/** The id of one block, before base64. */
struct bp_azure_block_id {
    const char *upload;
    uint32_t part, attempt, index;
};
void bp_azure_block_id(const struct bp_azure_block_id *id, char out[BP_AZURE_BLOCK_ID]);

/** Appends blocks 0 to count - 1 of an attempt to the list that is committed. */
void bp_azure_block_list_add(GString *xml, const char *upload, uint32_t part, uint32_t attempt,
                             uint32_t count);

struct bp_azure_commit {
    const char *key;
    const GString *blocks; /**< as bp_azure_block_list_add makes them; may be empty */
    const char *if_match;  /**< or NULL */
    bool exclusive;        /**< only when there is no such object */
    const char *md5;       /**< of the whole object, base64, or NULL */
    uint64_t size;         /**< of all blocks together */
};

/** Put Block List: the object is there afterwards, whole.  OUTCOME_UNKNOWN where it may be. */
bp_status bp_azure_commit_blocks(struct bp_storage *storage, const struct bp_op *op,
                                 const struct bp_azure_commit *commit, struct bp_object_meta *out,
                                 struct bp_error *error);

/** Headers that all ways of making an object share: type of content, tier. */
struct bp_azure_request;
void bp_azure_add_object_headers(struct bp_azure_request *request,
                                 const struct bp_storage *storage);

#endif
