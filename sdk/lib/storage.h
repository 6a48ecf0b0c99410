/* SPDX-License-Identifier: Apache-2.0
 *
 * What the operations of every storage plugin begin and end with: cancel, flags, results to be
 * cleared, and the rules that storage.h has for the edges of reads and writes.  Any thread.
 */
#ifndef BAKPLANE_LIB_STORAGE_H
#define BAKPLANE_LIB_STORAGE_H

#include <bakplane/host.h>
#include <bakplane/storage.h>

BP_BEGIN_DECLS

/** CANCELLED or TIMEOUT when the operation should stop. */
bp_status bp_check_op(const struct bp_host *host, const struct bp_op *op, struct bp_error *error);

/**
 * How long undoing may take that no cancel reaches: who was stopped by a signal is waited for five
 * seconds, of which the cancelled call may need one.
 */
#define BP_UNDO_MS 3000

/**
 * An operation of `ms` milliseconds that no cancel reaches, for undoing what `op` began.  Where
 * `op` is not over, it is the better one: it has more time, and ends when the host says so.
 */
void bp_undo_op(const struct bp_op *op, uint32_t ms, struct bp_op *out);

/** INVALID when `flags` has bits outside `known`. */
bp_status bp_check_flags(uint32_t flags, uint32_t known, struct bp_error *error);

/** Zeroes a result; its struct_size stays. */
void bp_meta_clear(struct bp_object_meta *out);
void bp_info_clear(struct bp_storage_info *out);

/**
 * Text for place or copy_scope: whole or "", because one cut short would be another
 * place's.  Returns 0 when it fitted, else -1.
 */
int bp_put_whole(char *out, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The same for an identity, which does not end in '/': of "s3:box/" it is "s3:box". */
int bp_put_identity(char *out, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** INVALID for flags, for what is no prefix, and for a delimiter that is not '/'. */
bp_status bp_check_list(const struct bp_list_args *args, struct bp_error *error);

/**
 * What is to be said of a read that brings nothing, since it asks for nothing or the store takes
 * its offset for one beyond the end.  @size: the object's, as stat tells it.
 *
 * BP_OK: a reader that is at its end.  RANGE: the offset is beyond the end.  RETRYABLE: the store
 * contradicts itself, as it does when the object is replaced meanwhile.
 */
bp_status bp_check_empty_read(const struct bp_read_args *args, uint64_t size,
                              struct bp_error *error);

/** What a writer was told, and what it saw; see bp_check_written. */
struct bp_written {
    const char *key;
    uint64_t announced;             /**< or BP_UNKNOWN */
    uint64_t written;               /**< bytes */
    const struct bp_checksum *want; /**< announced; kind NONE where it was not */
    const struct bp_checksum *sum;  /**< of what was written; NULL where none was announced */
};

/** Before a commit: INVALID for more or fewer bytes than announced, CORRUPT for other ones. */
bp_status bp_check_written(const struct bp_written *written, struct bp_error *error);

BP_END_DECLS

#endif
