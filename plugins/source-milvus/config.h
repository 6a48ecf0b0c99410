/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of an instance and options of a create job: the declared tables, and their values in
 * C types.  The options of a restore are declared in restore_keys.h.
 */
#ifndef BAKPLANE_MILVUS_CONFIG_H
#define BAKPLANE_MILVUS_CONFIG_H

#include <bakplane/config.h>
#include <bakplane/error.h>
#include <bakplane/host.h>
#include <glib.h>
#include <stdbool.h>

#include "sdk/lib/secret.h"

extern const struct bp_config_key milvus_config_keys[];
extern const uint32_t milvus_n_config_keys;
extern const struct bp_config_key milvus_create_keys[];
extern const uint32_t milvus_n_create_keys;

enum milvus_tls_mode { MILVUS_TLS_OFF = 0, MILVUS_TLS_SERVER = 1, MILVUS_TLS_MUTUAL = 2 };

/** Settings of one instance.  Text is owned; NULL = not set. */
struct milvus_config {
    char *address; /**< host:port */
    char *user;
    bp_secret *password, *token;
    char *ca_file, *cert_file, *key_file, *server_name;
    char *storage;        /**< name of the operator's storage that holds the server's data */
    char *storage_prefix; /**< the server's root path below that storage: "" or ends in '/' */
    char *management;     /**< base URL of the management port */
    enum milvus_tls_mode tls_mode;
    uint32_t connect_timeout_ms, request_timeout_ms;
};

enum milvus_strategy {
    MILVUS_SERIAL_FLUSH, /**< flush each collection right before its data */
    MILVUS_SKIP_FLUSH,   /**< take what lies there */
    MILVUS_META_ONLY     /**< neither flush nor data: BP_RUN_WITHOUT_ITEMS */
};

enum milvus_gc_pause { MILVUS_GC_AUTO, MILVUS_GC_OFF, MILVUS_GC_REQUIRE };

/** Options of one create. */
struct milvus_create_options {
    enum milvus_strategy strategy;
    enum milvus_gc_pause gc_pause;
    uint64_t gc_pause_ms, flush_timeout_ms;
};

/** INVALID names the key. `out` is for milvus_config_clear, also after failure. */
bp_status milvus_config_load(const struct bp_host *host, const struct bp_config *config,
                             struct milvus_config *out, struct bp_error *error);
void milvus_config_clear(struct milvus_config *config);

/** The core has checked the texts against the table: this cannot fail. */
void milvus_create_options_load(const struct bp_host *host, const struct bp_config *options,
                                struct milvus_create_options *out);

#endif
