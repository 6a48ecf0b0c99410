/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `server` of the configuration, checked: how the server listens and whom it lets in.
 * Read-only after it was made; any thread.
 */
#ifndef BP_CORE_SERVER_SETTINGS_H
#define BP_CORE_SERVER_SETTINGS_H

#include "core/config/config.h"

/** Where to listen. */
typedef struct bp_server_address {
    char *host;   /* IPv4 or IPv6, without brackets; NULL = not at all */
    guint16 port; /* 0 = the system chooses */
} bp_server_address;

typedef struct bp_server_settings {
    bp_server_address listen, grpc_listen;
    bool is_open;             /* auth: none */
    bool is_insecure;         /* --insecure, which is no setting */
    char *token_file;         /* role operate; NULL if is_open */
    char *read_token_file;    /* role read, or NULL */
    char **hosts, **origins;  /* NULL-terminated */
    char *tls_cert, *tls_key; /* both or NULL */
    char *tls_client_ca;      /* of gRPC's clients, or NULL */
    guint max_connections;
    gsize max_head, max_body; /* bytes */
    gint64 receive_ns, send_ns;
    guint max_running;       /* workers at once */
    bool has_simple_answers; /* of /api/v1 */
} bp_server_settings;

/** What was said on the command line. */
typedef struct bp_server_flags {
    const char *port; /* instead of that of `listen`, or NULL */
    bool insecure;
} bp_server_flags;

/**
 * @state_dir: where token_file is by default.  @flags: may be NULL.
 * INVALID as bp_config_section, and for a port.  Returns: (transfer full) (nullable)
 */
bp_server_settings *bp_server_settings_load(const bp_config_tree *config, const char *state_dir,
                                            const bp_server_flags *flags, GError **error);
void bp_server_settings_free(bp_server_settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_server_settings, bp_server_settings_free)

#endif
