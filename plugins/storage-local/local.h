/* SPDX-License-Identifier: Apache-2.0
 *
 * The instance, and what each operation does first: check the key, ask for a cancel.
 *
 * Any number of threads work on one instance.  Its mutex guards only the members listed below it
 * and is never held over a system call on files.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_LOCAL_H
#define BAKPLANE_STORAGE_LOCAL_LOCAL_H

#include <bakplane/plugin.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "plugins/storage-local/config.h"

/** Our directory in the root: temporary files of running writers.  Never listed. */
#define BP_LOCAL_TMP ".bakplane-tmp"

/** Local I/O runs in pieces of at most this many bytes, a cancel is looked for between them. */
#define BP_LOCAL_CHUNK ((size_t)1 << 20)

/** How many directories are kept open for a moment, at most. */
#define BP_LOCAL_DIRS 64

struct bp_local_dir;     /* dirs.h */
struct bp_local_tmp;     /* tmp.h */
struct bp_local_pending; /* publish.h */

struct bp_storage {
    const struct bp_host *host;
    struct bp_local_config set;
    _Atomic uint64_t no_clone; /**< device of sources that cannot be cloned to here, plus 1 */

    pthread_mutex_t lock; /**< guards all that follows */
    pthread_cond_t changed;
    int root_fd; /**< -1 until the root was seen; then fixed */
    bool has_openat2;
    struct bp_local_tmp *tmp;         /**< NULL until the first write; then fixed */
    struct bp_local_pending *pending; /**< committed, not yet visible */
    GHashTable *durable;              /**< directories whose names survive power loss */
    GHashTable *uploads;              /**< number of the temporary file -> struct bp_local_upload */
    GQueue cursors;                   /**< parked listings */
    uint64_t last_cursor;
    struct bp_local_dir *dirs[BP_LOCAL_DIRS];
    bool dir_opening[BP_LOCAL_DIRS]; /**< somebody opens the directory for this slot */
};

/** CANCELLED or TIMEOUT when the operation should stop. */
bp_status bp_local_check_op(struct bp_storage *storage, const struct bp_op *op,
                            struct bp_error *error);

/** INVALID for what is no key, or a reserved one. */
bp_status bp_local_check_key(const char *key, struct bp_error *error);

/** Fills all of *out (its struct_size stays) except storage class and checksum. */
void bp_local_meta_fill(struct bp_object_meta *out, const struct stat *st);

/** The version tag of a file, into etag[64]: changes whenever the content does. */
void bp_local_etag(const struct stat *st, char *etag);

/** EXISTS when `if_match` is given and is not the file's version. */
bp_status bp_local_match(const char *key, const char *if_match, const struct stat *st,
                         struct bp_error *error);

#endif
