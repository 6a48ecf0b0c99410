/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/copy: one upload in parts, shared by all workers that have a hand in it (parts.c),
 * and one worker's hand (part.c).
 */
#ifndef BP_CORE_COPY_PARTS_H
#define BP_CORE_COPY_PARTS_H

#include "core/copy/transfer.h"

/** A part that is done; written by the worker that took it. */
typedef struct bp_part_done {
    char *etag;
    struct bp_checksum sum; /* CRC32C of its bytes, when parts go side by side */
} bp_part_done;

typedef struct bp_upload {
    bp_transfer_env env;   /* the transfer's, but cancelled also by the first failure of a part */
    bp_transfer *transfer; /* of the item's own worker */
    bp_store_write_params write; /* the whole object */
    bool direct;
    bool side_by_side; /* idle workers join; else in order, by the item's own worker alone */
    guint64 part_bytes;
    guint n_parts;
    char *id;
    bp_part_done *done;           /* n_parts of them */
    struct bp_object_meta source; /* direct only */
    struct bp_object_meta meta;
    bool unheard;         /* one may have begun whose id nobody knows, and is not aborted */
    bool may_be_complete; /* the outcome of an attempt to complete it is not known */
    atomic_uint next;     /* part that nobody took yet, from 0 */
    bp_cancel *stop;
    pthread_mutex_t lock; /* guards failure */
    GError *failure;      /* the first one */
} bp_upload;

/** A value on a worker's stack. */
typedef struct bp_part_hand {
    bp_upload *up;
    bp_transfer transfer; /* its own: buffer, sums, bytes counted */
    bp_intake intake;     /* not direct only */
    bp_sums before;       /* in order only: as they were at the start of the next part */
    guint64 done_bytes;   /* of parts it finished */
    guint index;          /* of the part it is at, from 0 */
} bp_part_hand;

/** @buffer: of the worker that calls. */
void bp_part_hand_init(bp_part_hand *hand, bp_upload *up, void *buffer);
/** What it counted goes over to the item's own transfer. */
void bp_part_hand_clear(bp_part_hand *hand);
/** Part `index`, with attempts of its own.  Errors are final. */
bool bp_part_hand_do(bp_part_hand *hand, guint index, GError **error);

#endif
