/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying without bytes: one more name for the file of an immutable object.  It shows at once: its
 * bytes can be seen under another name already, and the next barrier makes both durable.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_LINK_H
#define BAKPLANE_STORAGE_LOCAL_LINK_H

#include "plugins/storage-local/local.h"

/**
 * UNSUPPORTED, with *error untouched, when the request or the settings do not allow a link, or
 * it cannot be made for whatever reason: then the copy of the bytes succeeds, or says why not.
 * EXISTS as for any exclusive copy.  The arguments were checked.
 */
bp_status bp_local_copy_by_link(struct bp_storage *storage, const struct bp_op *op,
                                const struct bp_copy_args *args, struct bp_object_meta *out,
                                struct bp_error *error);

#endif
