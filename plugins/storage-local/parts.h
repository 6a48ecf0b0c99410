/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts: one temporary file, each part written at its offset, by any number of threads
 * at a time.  An upload lives no longer than the instance that began it; its id names the
 * instance's folder and the file, and a small file beside it tells the key, so that others can
 * list and end what a dead run left.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_PARTS_H
#define BAKPLANE_STORAGE_LOCAL_PARTS_H

#include "plugins/storage-local/local.h"

struct bp_local_upload;

bp_status bp_local_part_begin(struct bp_storage *storage, const struct bp_op *op,
                              const struct bp_write_args *args, const struct bp_text_sink *id,
                              struct bp_error *error);
bp_status bp_local_part_open(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_part_args *args, struct bp_writer **out,
                             struct bp_error *error);
bp_status bp_local_part_copy(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_part_args *args, struct bp_object_meta *out,
                             struct bp_error *error);
bp_status bp_local_part_complete(struct bp_storage *storage, const struct bp_op *op,
                                 const struct bp_complete_args *args, struct bp_object_meta *out,
                                 struct bp_error *error);
bp_status bp_local_part_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
                              const char *upload, struct bp_error *error);

/** Commit of a part's writer: remembers the part, out->etag becomes its tag. */
bp_status bp_local_upload_add(struct bp_writer *writer, struct bp_object_meta *out,
                              struct bp_error *error);

void bp_local_upload_unref(struct bp_local_upload *upload);

/** Table of the instance's uploads by file number. */
GHashTable *bp_local_uploads_new(void);

#endif
