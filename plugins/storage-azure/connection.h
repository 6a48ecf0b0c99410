/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an account is and how its connection string is spelled.  Pure functions, any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_CONNECTION_H
#define BAKPLANE_STORAGE_AZURE_CONNECTION_H

#include "plugins/storage-azure/config.h"

/** What a connection string says; members are NULL where it says nothing. */
struct bp_azure_connection {
    char *protocol, *account, *suffix, *endpoint;
    bp_secret *key, *sas;
};

/** Clear with bp_azure_connection_clear, also after INVALID, which never quotes the text. */
bp_status bp_azure_connection_parse(struct bp_azure_connection *out, const char *text,
                                    struct bp_error *error);
void bp_azure_connection_clear(struct bp_azure_connection *connection);

/**
 * Checks an endpoint's URL and splits it: without '/' at its end into *endpoint, its path into
 * *path, "scheme://host:port" into *origin.  (g_free)
 */
bp_status bp_azure_endpoint_split(const char *key, const char *url, char **endpoint, char **path,
                                  char **origin, struct bp_error *error);

/** The account that an endpoint names: its path's only part, else the first label of its host. */
char *bp_azure_endpoint_account(const char *path, const char *origin);

/** Where logins of the cloud with this suffix are made. */
const char *bp_azure_authority_of(const char *suffix);

#endif
