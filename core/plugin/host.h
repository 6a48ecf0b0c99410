/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: the table of functions that every plugin gets.
 */
#ifndef BP_CORE_PLUGIN_HOST_H
#define BP_CORE_PLUGIN_HOST_H

#include <bakplane/host.h>
#include <bakplane/storage.h>
#include <glib.h>

const struct bp_host *bp_host_table(void);

/** Most bytes that all plugins together may hold of bp_host.alloc; default 512 MiB. */
void bp_host_set_alloc_limit(guint64 bytes);
/** What they hold now. */
guint64 bp_host_allocated(void);

/* The storage upcalls, see bakplane/host.h; host_storage.c. */
bp_status bp_host__storage_info(const struct bp_op *op, const char *ref,
                                struct bp_storage_view *out, struct bp_error *raw);
bp_status bp_host__storage_list(const struct bp_op *op, const char *ref,
                                const struct bp_list_args *args, const struct bp_list_sink *sink,
                                struct bp_error *raw);
bp_status bp_host__storage_stat(const struct bp_op *op, const char *ref, const char *key,
                                struct bp_object_meta *out, struct bp_error *raw);
bp_status bp_host__storage_read_small(const struct bp_op *op, const char *ref,
                                      const struct bp_read_args *args, void *buffer, size_t *n,
                                      struct bp_error *raw);
bp_status bp_host__storage_write_small(const struct bp_op *op, const char *ref, const char *key,
                                       const void *bytes, size_t n, struct bp_error *raw);
bp_status bp_host__storage_remove(const struct bp_op *op, const char *ref, const char *key,
                                  struct bp_error *raw);

#endif
