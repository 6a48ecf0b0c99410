/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's storage functions for sources: a reference is a name of the config file, and an
 * instance of a storage plugin stands behind it.
 */
#ifndef BAKPLANE_TESTKIT_HOSTREFS_H
#define BAKPLANE_TESTKIT_HOSTREFS_H

#include "sdk/testkit/store.h"

/** Makes `store` known as `ref`, both for the life of the process; keys are put below `prefix`. */
void bp_kit_refs_add(const char *ref, const struct bp_kit_store *store, const char *prefix,
                     uint32_t flags);

/* The host's functions of these names. */
bp_status bp_kit_refs_info(const struct bp_op *op, const char *ref, struct bp_storage_view *out,
                           struct bp_error *error);
bp_status bp_kit_refs_list(const struct bp_op *op, const char *ref, const struct bp_list_args *args,
                           const struct bp_list_sink *sink, struct bp_error *error);
bp_status bp_kit_refs_stat(const struct bp_op *op, const char *ref, const char *key,
                           struct bp_object_meta *out, struct bp_error *error);
bp_status bp_kit_refs_read(const struct bp_op *op, const char *ref, const struct bp_read_args *args,
                           void *buffer, size_t *n, struct bp_error *error);
bp_status bp_kit_refs_write(const struct bp_op *op, const char *ref, const char *key,
                            const void *bytes, size_t n, struct bp_error *error);
bp_status bp_kit_refs_remove(const struct bp_op *op, const char *ref, const char *key,
                             struct bp_error *error);

#endif
