/* SPDX-License-Identifier: Apache-2.0
 *
 * Bookkeeping of uploads in parts: the instance's table, ids, the small file beside each, and
 * what other instances left.  Any thread.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_UPLOAD_H
#define BAKPLANE_STORAGE_LOCAL_UPLOAD_H

#include "plugins/storage-local/local.h"

#define BP_LOCAL_UPLOAD_ID 160

/** A written part.  Its generation grows with every write of an upload, never 0. */
struct bp_local_part {
    uint64_t offset, size, generation;
};

/** Counted; the table holds one reference while the upload is open. */
struct bp_local_upload {
    _Atomic unsigned refs;
    char *key;
    int fd;
    uint64_t number; /**< of the temporary file */
    struct bp_checksum want;
    /* The rest is guarded by the instance's lock. */
    bool open;
    uint64_t last_generation;
    GHashTable *parts; /* number -> struct bp_local_part */
};

struct bp_local_upload *bp_local_upload_new(const struct bp_write_args *args, int take_fd,
                                            uint64_t number);

/** Writes the file that tells others the key. */
bp_status bp_local_upload_describe(struct bp_storage *storage, struct bp_local_upload *upload,
                                   struct bp_error *error);

/** Puts it in the table; the caller's reference becomes the table's. */
void bp_local_upload_register(struct bp_storage *storage, struct bp_local_upload *upload);
/** Takes it out again; false when another call was faster. */
bool bp_local_upload_unregister(struct bp_storage *storage, struct bp_local_upload *upload);

/** A reference to the open upload of this instance with that key and id, or NULL. */
struct bp_local_upload *bp_local_upload_ref(struct bp_storage *storage, const char *key,
                                            const char *id);

/** Removes its files and drops the reference. */
void bp_local_upload_discard(struct bp_storage *storage, struct bp_local_upload *upload);
/** Removes only the small file: the object is published. */
void bp_local_upload_forget(struct bp_storage *storage, struct bp_local_upload *upload);

/** Remembers a part; its generation, or 0 when the upload has ended. */
uint64_t bp_local_upload_put(struct bp_storage *storage, struct bp_local_upload *upload,
                             uint32_t number, const struct bp_local_part *part);
bool bp_local_upload_get(struct bp_storage *storage, struct bp_local_upload *upload,
                         uint32_t number, struct bp_local_part *part);

/** Text of a part's tag into etag[64], and of an upload's id. */
void bp_local_part_etag(uint32_t number, uint64_t generation, char *etag);
void bp_local_upload_id(struct bp_storage *storage, uint64_t number, char *id);

/** Splits an id into folder and number; false when it is not one of ours. */
bool bp_local_upload_parse_id(const char *id, char *folder, size_t cap, uint64_t *number);
bool bp_local_upload_is_ours(struct bp_storage *storage, const char *folder);

/** Name of the small file that tells the key. */
#define BP_LOCAL_KEY_SUFFIX ".key"
#define BP_LOCAL_KEY_NAME (BP_LOCAL_TMP_NAME + sizeof(BP_LOCAL_KEY_SUFFIX))
void bp_local_upload_key_name(uint64_t number, char *name);

/* In uploads.c; see bp_storage_ops. */

bp_status bp_local_uploads_list(struct bp_storage *storage, const struct bp_op *op,
                                const char *prefix, const struct bp_key_sink *sink,
                                struct bp_error *error);

/** Spares those of other running instances. */
bp_status bp_local_uploads_abort(struct bp_storage *storage, const struct bp_op *op,
                                 const char *prefix, int64_t before_ns,
                                 const struct bp_key_sink *sink, struct bp_error *error);

#endif
