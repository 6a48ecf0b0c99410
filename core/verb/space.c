/* SPDX-License-Identifier: Apache-2.0
 *
 * See space.h.
 */
#include "core/verb/space.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include "sdk/lib/ban.h"

bool
bp_space_check(bp_store *store, const bp_call *call, guint64 bytes, const char *what,
               GError **error)
{
    struct bp_space space = {.struct_size = sizeof space};
    if (bytes == BP_UNKNOWN || bytes == 0) {
        return true;
    }
    if (!bp_store_space(store, call, &space, error)) {
        return false;
    }
    if (space.available == BP_UNKNOWN || space.available / 101 * 100 >= bytes) {
        return true;
    }
    g_autofree char *need = bp_text_size(bytes);
    g_autofree char *have = bp_text_size(space.available);
    bp_set_error(error, BP_ERR_NO_SPACE,
                 "%s needs %s, storage '%s' has %s left\nhint: free some space or choose another "
                 "storage",
                 what, need, bp_store_name(store), have);
    return false;
}
