/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing: list of bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_AZURE_LIST_H
#define BAKPLANE_STORAGE_AZURE_LIST_H

#include "plugins/storage-azure/azure.h"
#include "sdk/http/xml.h"

/** The service's own bound of a page. */
#define BP_AZURE_MAX_LIST 5000

bp_status bp_azure_list(struct bp_storage *storage, const struct bp_op *op,
                        const struct bp_list_args *args, const struct bp_list_sink *sink,
                        struct bp_error *error);

struct bp_azure_page_params {
    const char *prefix; /**< below the instance's own */
    const char *marker; /**< or NULL */
    uint32_t max;
    bool grouped;     /**< by '/' */
    bool uncommitted; /**< blobs of which there are only blocks as well */
};

/** One page as the service tells it (bp_xml_free): EnumerationResults. */
bp_status bp_azure_list_page(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_azure_page_params *params, bp_xml **out,
                             struct bp_error *error);

/** What the page lists: Blobs.  NULL and PERMANENT where it is no listing. */
const bp_xml_node *bp_azure_listed(const struct bp_storage *storage, const bp_xml *xml,
                                   struct bp_error *error);

/** Name of a Blob or BlobPrefix without the instance's prefix, or NULL where it has another. */
char *bp_azure_listed_name(const struct bp_storage *storage, const bp_xml_node *node);

#endif
