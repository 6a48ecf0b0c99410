/* SPDX-License-Identifier: Apache-2.0
 *
 * The proof that the server behind one store has the objects of another, below another prefix.
 */
#include <string.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/plugin/store_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "store"
#define SCRATCH_PREFIX "bakplane-scratch-"
#define COMPARED_MAX (16 << 20) /* bytes of the object; larger ones prove nothing */

static bool
copies_same(bp_store *server, const bp_call *call, const bp_store_copy_params *copy, GError **error)
{
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    g_autoptr(GBytes) wanted = bp_store_get(copy->src, call, copy->src_key, COMPARED_MAX, error);
    if (wanted == NULL || !bp_store_copy(server, call, copy, &meta, error)) {
        return false;
    }
    g_autoptr(GBytes) found = bp_store_get(server, call, copy->dst_key, COMPARED_MAX, error);
    return found != NULL && g_bytes_equal(wanted, found);
}

/* Also after a failure: the copy may have come about. */
static void
remove_scratch(bp_store *server, const bp_call *call, const char *key)
{
    g_autoptr(GError) left = NULL;
    bp_call undo = bp_call_undo(call);
    if (!bp_store_remove(server, &undo, key, NULL, &left)) {
        BP_WARN("a scratch object may stay behind", "key", key, "reason", left->message);
    }
}

bool
bp_store_prove_reach(bp_store *server, bp_store *other, const char *key, const bp_call *call)
{
    g_autoptr(GError) failed = NULL;
    const char *place = server->info.place;
    if (!bp_store_same_plugin(server, other) || *place == '\0' ||
        strcmp(place, other->info.place) != 0) {
        return false;
    }
    g_autofree char *id = bp_text_uuid();
    g_autofree char *scratch = g_strconcat(SCRATCH_PREFIX, id, NULL);
    bp_store_copy_params copy = {
        .src = other, .src_key = key, .dst_key = scratch, .size = BP_UNKNOWN};
    bool reached = copies_same(server, call, &copy, &failed);
    if (!reached) {
        BP_INFO("the source's server is not known to read that storage", "storage",
                bp_store_name(other), "reason",
                failed != NULL ? failed->message : "it has another object there");
    }
    remove_scratch(server, call, scratch);
    return reached;
}
