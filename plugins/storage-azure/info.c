/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of an instance.
 */
#include "plugins/storage-azure/info.h"

#include <stdio.h>

#include "plugins/storage-azure/blocks.h"
#include "plugins/storage-azure/list.h"
#include "plugins/storage-azure/parts.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define BEST_IO (UINT64_C(1) << 20)
#define MAX_KEY_PART 1024

bp_status
bp_azure_info(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error; /* nothing here can fail */
    const struct bp_azure_config *set = &storage->set;
    bp_info_clear(out);
    /* Not LIST_SORTED: accounts with a hierarchical namespace list '/' before all else. */
    out->caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH |
                BP_STORE_IF_MATCH | BP_STORE_SERVER_COPY | BP_STORE_PARTS |
                BP_STORE_PARTS_PARALLEL | BP_STORE_PARTS_EXPIRE | BP_STORE_UNKNOWN_SIZE |
                BP_STORE_KEY_IS_PREFIX | BP_STORE_STRONG_LIST;
    out->min_part = 1;
    out->max_part = BP_AZURE_MAX_PART;
    out->max_parts = BP_AZURE_MAX_PARTS;
    out->max_object = BP_AZURE_MAX_BLOCKS * BP_AZURE_MAX_BLOCK;
    out->max_copy = set->copy_size;
    out->max_list = BP_AZURE_MAX_LIST;
    out->max_key_part = MAX_KEY_PART;
    out->best_io = BEST_IO;
    (void)bp_put_identity(out->identity, sizeof(out->identity), "azure:%s/%s/%s", set->endpoint,
                          set->container, set->prefix);
    (void)snprintf(out->server_root, sizeof(out->server_root), "%s", set->prefix);
    (void)bp_put_whole(out->place, sizeof(out->place), "azure:%s/%s", set->endpoint,
                       set->container);
    (void)bp_put_whole(out->copy_scope, sizeof(out->copy_scope), "azure:%s", set->cloud);
    return BP_OK;
}
