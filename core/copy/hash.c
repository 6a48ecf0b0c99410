/* SPDX-License-Identifier: Apache-2.0
 *
 * bp_copy_hash: one object read whole, for verifying.
 */
#include "core/base/error.h"
#include "core/copy/copy.h"
#include "core/copy/hasher.h"
#include "core/copy/intake.h"

#include "sdk/lib/ban.h"

#define DEFAULT_BUFFER_BYTES (1024 * 1024)

bool
bp_copy_hash(const bp_copy_hash_params *params, struct bp_checksum *out, guint64 *size,
             GError **error)
{
    g_autoptr(bp_hasher) hasher = bp_hasher_new(params->kind);
    if (hasher == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "object %s: no such kind of checksum: %d", params->key,
                     (int)params->kind);
        return false;
    }
    gsize cap = params->buffer_bytes > 0 ? params->buffer_bytes : DEFAULT_BUFFER_BYTES;
    g_autofree guint8 *buffer = g_try_malloc(cap);
    if (buffer == NULL) {
        bp_set_error(error, BP_ERR_NOMEM, "object %s: no memory for a buffer", params->key);
        return false;
    }
    bp_copy_retry retry = {.env = &bp_retry_env_system,
                           .params = {.cancel = params->call->cancel,
                                      .attempts = params->attempts,
                                      .max_delay_ns = params->max_delay_ns,
                                      .deadline_ns = params->call->deadline_ns}};
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &(bp_intake_params){.src = params->store,
                                                .key = params->key,
                                                .call = params->call,
                                                .retry = &retry});
    gsize n;
    do {
        if (!bp_intake_read(&intake, buffer, cap, &n, error)) {
            return false;
        }
        bp_hasher_update(hasher, buffer, n);
    } while (n == cap);
    bp_hasher_get(hasher, out);
    *size = intake.offset;
    return true;
}
