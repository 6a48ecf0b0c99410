/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks: Put Block and Put Block List.
 */
#include "plugins/storage-azure/blocks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "plugins/storage-azure/buffers.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/text.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define LEAST_BLOCK (UINT64_C(64) << 10)
#define GROW_EVERY 4500 /* blocks, where the size is not known: 600 GiB at the least */
#define UPLOAD_DIGITS (BP_AZURE_UPLOAD_ID - 1)

static uint64_t
random_bits(void)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits)) {
        bits = ((uint64_t)g_random_int() << 32) | g_random_int(); /* seeded by GLib */
    }
    return bits;
}

void
bp_azure_upload_id(char out[BP_AZURE_UPLOAD_ID])
{
    (void)snprintf(out, BP_AZURE_UPLOAD_ID, "%08" PRIx32 "%016" PRIx64, (uint32_t)time(NULL),
                   random_bits());
}

uint32_t
bp_azure_attempt(void)
{
    return (uint32_t)random_bits() & 0xFFFFFF;
}

int64_t
bp_azure_upload_started(const char *id)
{
    if (strlen(id) != UPLOAD_DIGITS || strspn(id, "0123456789abcdef") != UPLOAD_DIGITS) {
        return -1;
    }
    g_autofree char *seconds = g_strndup(id, 8);
    return (int64_t)g_ascii_strtoull(seconds, NULL, 16) * 1000000000;
}

void
bp_azure_block_id(const struct bp_azure_block_id *id, char out[BP_AZURE_BLOCK_ID])
{
    (void)snprintf(out, BP_AZURE_BLOCK_ID, "%.24s%06" PRIx32 "%06" PRIx32 "%04" PRIx32, id->upload,
                   id->part & 0xFFFFFF, id->attempt & 0xFFFFFF, id->index & 0xFFFF);
}

/* An object that nobody knows the end of must not run out of blocks: they grow. */
static uint64_t
least_now(const struct bp_azure_blocks *blocks)
{
    if (blocks->size != BP_UNKNOWN) {
        return blocks->least;
    }
    return MIN(MAX(blocks->least, LEAST_BLOCK << blocks->count / GROW_EVERY), BP_AZURE_MAX_BLOCK);
}

void
bp_azure_blocks_init(struct bp_azure_blocks *blocks, struct bp_storage *storage, const char *key,
                     uint64_t size, uint64_t least)
{
    memset(blocks, 0, sizeof(*blocks));
    blocks->storage = storage;
    blocks->key = key;
    blocks->size = size;
    if (size != BP_UNKNOWN) {
        least = MAX(least, size / (BP_AZURE_MAX_BLOCKS - 1) + 1);
    }
    blocks->least = MIN(MAX(least, LEAST_BLOCK), BP_AZURE_MAX_BLOCK);
    bp_azure_buffers_join(storage->buffers, 1);
}

void
bp_azure_blocks_clear(struct bp_azure_blocks *blocks)
{
    bp_azure_buffers_give(blocks->storage->buffers, &blocks->buffer);
    bp_azure_buffers_join(blocks->storage->buffers, -1);
}

/* For each block anew: how many writers there are changes. */
static bp_status
reserve(struct bp_azure_blocks *blocks, const struct bp_op *op, struct bp_error *error)
{
    const struct bp_azure_wish wish = {
        .least = MIN(least_now(blocks), blocks->size),
        .most = blocks->size,
        .first = blocks->count == 0,
    };
    if (blocks->buffer.at == NULL &&
        !bp_azure_buffers_take(blocks->storage->buffers, op, &wish, &blocks->buffer)) {
        return bp_fail(error, BP_ERR_NOMEM, "object %s: no memory for a block of %" PRIu64 " bytes",
                       blocks->key, wish.least);
    }
    return BP_OK;
}

static char *
md5_of(const void *bytes, size_t n)
{
    guint8 digest[16];
    gsize size = sizeof(digest);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(sum, bytes, (gssize)n);
    g_checksum_get_digest(sum, digest, &size);
    g_checksum_free(sum);
    return bp_azure_base64(digest, size);
}

static bp_status
put_block(struct bp_azure_blocks *blocks, const struct bp_op *op, const void *bytes, size_t n,
          struct bp_error *error)
{
    char raw[BP_AZURE_BLOCK_ID];
    const struct bp_azure_block_id parts = {blocks->upload, blocks->part, blocks->attempt,
                                            blocks->count};
    if (blocks->count >= BP_AZURE_MAX_BLOCKS) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: it would need more than %d blocks; make block_size larger",
                       blocks->key, BP_AZURE_MAX_BLOCKS);
    }
    bp_azure_block_id(&parts, raw);
    g_autofree char *id = bp_azure_base64(raw, strlen(raw));
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_BLOB, "PUT", blocks->key, "write a block of it");
    bp_azure_add_query(&request, "comp", "block");
    bp_azure_add_query(&request, "blockid", id);
    bp_azure_add_header(&request, "Content-Type", "application/octet-stream");
    if (blocks->storage->set.check_md5) {
        g_autofree char *md5 = md5_of(bytes, n);
        bp_azure_add_header(&request, "Content-MD5", "%s", md5);
    }
    request.body = bytes;
    request.body_size = n;
    bp_status status = bp_azure_call(blocks->storage, op, &request, NULL, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        blocks->count++;
    }
    error->flags &= ~BP_ERROR_OUTCOME_UNKNOWN; /* nothing can be seen of it */
    return status;
}

bp_status
bp_azure_blocks_flush(struct bp_azure_blocks *blocks, const struct bp_op *op,
                      struct bp_error *error)
{
    if (blocks->used == 0) {
        return BP_OK;
    }
    bp_status status = put_block(blocks, op, blocks->buffer.at, blocks->used, error);
    if (status == BP_OK) {
        blocks->size -= blocks->size != BP_UNKNOWN ? blocks->used : 0;
        blocks->used = 0;
        bp_azure_buffers_give(blocks->storage->buffers, &blocks->buffer);
    }
    return status;
}

bp_status
bp_azure_blocks_add(struct bp_azure_blocks *blocks, const struct bp_op *op, const void *bytes,
                    size_t n, struct bp_error *error)
{
    const uint8_t *next = bytes;
    bp_status status = BP_OK;
    while (status == BP_OK && n > 0) {
        /* A full block is sent when more comes, so that a single one can become a whole object. */
        if (blocks->used == blocks->buffer.cap) {
            status = bp_azure_blocks_flush(blocks, op, error);
        }
        if (status == BP_OK) {
            status = reserve(blocks, op, error);
        }
        if (status == BP_OK) {
            size_t piece = MIN(n, blocks->buffer.cap - blocks->used);
            memcpy(blocks->buffer.at + blocks->used, next, piece);
            blocks->used += piece;
            next += piece;
            n -= piece;
        }
    }
    return status;
}

void
bp_azure_block_list_add(GString *xml, const char *upload, uint32_t part, uint32_t attempt,
                        uint32_t count)
{
    char raw[BP_AZURE_BLOCK_ID];
    for (uint32_t i = 0; i < count; i++) {
        const struct bp_azure_block_id parts = {upload, part, attempt, i};
        bp_azure_block_id(&parts, raw);
        g_autofree char *id = bp_azure_base64(raw, strlen(raw));
        /* Latest and not Uncommitted: the same list may be sent again after a lost answer. */
        g_string_append_printf(xml, "<Latest>%s</Latest>", id);
    }
}

void
bp_azure_add_object_headers(struct bp_azure_request *request, const struct bp_storage *storage)
{
    bp_azure_add_header(request, "x-ms-blob-content-type", "application/octet-stream");
    if (storage->set.tier != NULL) {
        bp_azure_add_header(request, "x-ms-access-tier", "%s", storage->set.tier);
    }
}

bp_status
bp_azure_commit_blocks(struct bp_storage *storage, const struct bp_op *op,
                       const struct bp_azure_commit *commit, struct bp_object_meta *out,
                       struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    g_autofree char *body = g_strdup_printf(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>%s</BlockList>", commit->blocks->str);
    bp_azure_request_init(&request, BP_AZURE_BLOB, "PUT", commit->key, "put it together");
    bp_azure_add_query(&request, "comp", "blocklist");
    bp_azure_add_header(&request, "Content-Type", "application/xml");
    bp_azure_add_object_headers(&request, storage);
    if (commit->md5 != NULL) {
        bp_azure_add_header(&request, "x-ms-blob-content-md5", "%s", commit->md5);
    }
    bp_azure_add_conditions(&request, commit->if_match, commit->exclusive);
    request.body = body;
    request.body_size = strlen(body);
    bp_status status = bp_azure_call(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status != BP_OK) {
        return status;
    }
    bp_azure_take_meta(x, out);
    out->size = commit->size;
    /* The header of the answer is about the list. */
    memset(&out->checksum, 0, sizeof(out->checksum));
    bp_azure_meta_md5(out, commit->md5);
    bp_azure_end(x);
    return BP_OK;
}
