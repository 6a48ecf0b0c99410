/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of one instance: the declared table and its values, ready for use.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_CONFIG_H
#define BAKPLANE_STORAGE_LOCAL_CONFIG_H

#include <bakplane/host.h>
#include <stdbool.h>
#include <sys/types.h>

/** Values of one instance.  Unset users and groups are (uid_t)-1 and (gid_t)-1. */
struct bp_local_config {
    char *root;        /**< absolute, without a '/' at its end unless it is "/" */
    char *server_root; /**< as the database server sees it, or NULL */
    mode_t file_mode, dir_mode;
    bool chmod_files, chmod_dirs; /**< the umask takes bits away: set them explicitly */
    uid_t owner;
    gid_t group;
    char *server_user; /**< as the operator wrote it, or NULL */
    uid_t server_uid;
    gid_t server_gid;
    bool create_root;
    bool link;
};

#define BP_LOCAL_N_KEYS 8
extern const struct bp_config_key bp_local_keys[BP_LOCAL_N_KEYS];

/** Fills *values (cleared by bp_local_config_clear).  INVALID names the offending key. */
bp_status bp_local_config_load(struct bp_local_config *values, const struct bp_host *host,
                               const struct bp_config *config, struct bp_error *error);

void bp_local_config_clear(struct bp_local_config *values);

#endif
