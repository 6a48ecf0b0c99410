/* SPDX-License-Identifier: Apache-2.0
 *
 * How the destination's service may read a source blob for a copy: a SAS signed with the source's
 * key; else the source's own SAS; else a SAS signed with a user delegation key; else its token.
 *
 * What is made here lets its holder read: it goes into one request and is wiped.
 */
#ifndef BAKPLANE_STORAGE_AZURE_SOURCE_H
#define BAKPLANE_STORAGE_AZURE_SOURCE_H

#include "plugins/storage-azure/azure.h"

struct bp_azure_request;

struct bp_azure_source {
    struct bp_storage *dst, *src;
    char *url;    /**< with the SAS, if there is one */
    char *bearer; /**< value of x-ms-copy-source-authorization, or NULL */
};

/** Signs anew with every call, so also for each retry: valid for an hour, from 15 minutes ago. */
bp_status bp_azure_source_open(struct bp_azure_source *source, struct bp_storage *dst,
                               struct bp_storage *src, const struct bp_op *op, const char *key,
                               struct bp_error *error);
void bp_azure_source_add(const struct bp_azure_source *source, struct bp_azure_request *request);

/**
 * What a failed copy means for the core: UNSUPPORTED where the bytes had better pass through it,
 * because the service cannot look at the source or does not know the verb.
 */
bp_status bp_azure_source_judge(const struct bp_azure_source *source, bp_status status,
                                struct bp_error *error);
void bp_azure_source_close(struct bp_azure_source *source);

#endif
