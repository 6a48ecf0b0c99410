/* SPDX-License-Identifier: Apache-2.0
 *
 * See restore_sweep.h.
 */
#include "core/verb/restore_sweep.h"

#include "core/base/error.h"
#include "core/base/log.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "restore"

#define SWEEP_PASSES 10 /* a storage that lists late may name for a while what is gone */

typedef struct {
    bp_store *store;
    const bp_call *call;
    const char *prefix;
    GPtrArray *keys;
    guint64 found; /* by this pass */
    GError *error;
} sweep_work;

static bool
remove_batch(sweep_work *work)
{
    bool fine =
        bp_store_remove_many(work->store, work->call, (const char *const *)work->keys->pdata,
                             work->keys->len, &work->error);
    g_ptr_array_set_size(work->keys, 0);
    return fine;
}

static bool
collect_key(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    sweep_work *work = ctx;
    if (meta != NULL) {
        g_ptr_array_add(work->keys, g_strdup(key));
        work->found++;
    }
    return work->keys->len < 1000 || remove_batch(work);
}

static bool
try_sweep(void *ctx, GError **error)
{
    sweep_work *work = ctx;
    bp_store_list_params params = {.prefix = work->prefix};
    g_ptr_array_set_size(work->keys, 0);
    bool fine = bp_store_list(work->store, work->call, &params, collect_key, work, error) &&
                work->error == NULL && remove_batch(work);
    if (work->error != NULL) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&work->error));
    }
    return fine;
}

/* Until a listing finds nothing: one that is made while objects go may pass over some. */
bool
bp_sweep_prefix(bp_workspace *workspace, const bp_call *call, const char *ref, const char *prefix,
                GError **error)
{
    if (!g_str_has_suffix(prefix, "/")) { /* a journal that lost it; "" would be the whole store */
        bp_set_error(error, BP_ERR_CORRUPT,
                     "what an interrupted restore left on storage %s cannot be removed: its record "
                     "names \"%s\", which is no place for staging",
                     ref, prefix);
        return false;
    }
    bp_store *store = bp_workspace_store(workspace, ref, error);
    if (store == NULL) {
        return false;
    }
    sweep_work work = {.store = store,
                       .call = call,
                       .prefix = prefix,
                       .keys = g_ptr_array_new_with_free_func(g_free)};
    bp_retry_params retry = bp_workspace_retry_for(workspace, call);
    bool fine = true;
    guint pass = 0;
    do {
        work.found = 0;
        fine = bp_retry(&retry, try_sweep, &work, error);
    } while (fine && work.found > 0 && ++pass < SWEEP_PASSES);
    g_ptr_array_unref(work.keys);
    return fine;
}

bool
bp_sweep_upload(bp_workspace *workspace, const bp_call *call, const bp_leftover *leftover)
{
    g_autoptr(GError) failed = NULL;
    bp_store *store = bp_workspace_store(workspace, leftover->ref, &failed);
    bool known = *leftover->upload != '\0';
    if (store != NULL &&
        ((known ? bp_store_part_abort(store, call, leftover->key, leftover->upload, &failed)
                : bp_store_uploads_abort_key(store, call, leftover->key, &failed)) ||
         bp_error_is(failed, BP_ERR_NOT_FOUND))) { /* complete, or aborted before */
        return true;
    }
    BP_WARN("an unfinished upload could not be aborted", "key", leftover->key, "upload",
            leftover->upload, "reason", failed->message);
    return false;
}
