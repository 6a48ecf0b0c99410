/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for plugins under test whose storages are directories and whose settings are a list of
 * texts.  Everything hangs on the operation (op.host_private), so that several exist side by side.
 */
#ifndef BP_TESTS_HARNESS_FILE_HOST_H
#define BP_TESTS_HARNESS_FILE_HOST_H

#include <bakplane/host.h>
#include <stdbool.h>

typedef struct file_host file_host;

file_host *file_host_new(void);
void file_host_free(file_host *host);

/** The one table; it finds the host by the operation. */
const struct bp_host *file_host_table(void);

/** An operation on this host without deadline. */
struct bp_op file_host_op(const file_host *host);

/** Makes `ref` a storage whose key "" is `root`; server_root is the same. */
void file_host_add_storage(file_host *host, const char *ref, const char *root);

/** From now on operations are cancelled (or no longer). */
void file_host_cancel(file_host *host, bool cancelled);

/** All sleeps return at once when set. */
void file_host_skip_sleeps(file_host *host, bool skip);

/** What was logged so far, lines "level text\n"; borrowed until the next line. */
const char *file_host_log(file_host *host);

/** "key=value" texts up to NULL. */
struct bp_config *file_host_config_new(const char *pair, ...) __attribute__((sentinel));
void file_host_config_set(struct bp_config *config, const char *pair);
void file_host_config_free(struct bp_config *config);

#endif
