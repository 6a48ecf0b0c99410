/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing, in byte order of the full keys.  A directory counts as its name with '/' behind it, so
 * reading one directory after the other, each sorted, gives that order.
 *
 * Memory: the names of the directories on the way to the current key.  After each page the state
 * is parked in the instance (a few of them), so that the next page does not read again; a token
 * also holds the last key, which is enough to go on without it.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_LIST_H
#define BAKPLANE_STORAGE_LOCAL_LIST_H

#include "plugins/storage-local/local.h"

/** Most entries of one page. */
#define BP_LOCAL_MAX_LIST 4096u

bp_status bp_local_list(struct bp_storage *storage, const struct bp_op *op,
                        const struct bp_list_args *args, const struct bp_list_sink *sink,
                        struct bp_error *error);

/** At close: frees parked listings. */
void bp_local_list_clear(struct bp_storage *storage);

#endif
