/* SPDX-License-Identifier: Apache-2.0
 *
 * Small checks that all operations share.
 */
#include "plugins/storage-local/local.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

bp_status
bp_local_check_op(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    return bp_check_op(storage->host, op, error);
}

bp_status
bp_local_check_key(const char *key, struct bp_error *error)
{
    const char *why;
    if (bp_key_check(key, &why) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "key \"%s\": %s", key, why);
    }
    size_t len = strlen(BP_LOCAL_TMP);
    if (strncmp(key, BP_LOCAL_TMP, len) == 0 && (key[len] == '\0' || key[len] == '/')) {
        return bp_fail(error, BP_ERR_INVALID, "key \"%s\": " BP_LOCAL_TMP " is reserved", key);
    }
    return BP_OK;
}

/* Without the time of change (ctime): publishing renames, and a hard link made elsewhere touches
 * it, although the content stays.  Without the device: its number differs after a reboot. */
void
bp_local_etag(const struct stat *st, char *etag)
{
    (void)snprintf(etag, 64, "%" PRIx64 "-%" PRIx64 "-%" PRIx64 ".%" PRIx64, (uint64_t)st->st_ino,
                   (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
                   (uint64_t)st->st_mtim.tv_nsec);
}

void
bp_local_meta_fill(struct bp_object_meta *out, const struct stat *st)
{
    bp_meta_clear(out);
    out->size = (uint64_t)st->st_size;
    out->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    bp_local_etag(st, out->etag);
}

bp_status
bp_local_match(const char *key, const char *if_match, const struct stat *st, struct bp_error *error)
{
    char etag[64];
    if (if_match == NULL) {
        return BP_OK;
    }
    bp_local_etag(st, etag);
    if (strcmp(etag, if_match) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s: its version is %s, not %s", key, etag,
                       if_match);
    }
    return BP_OK;
}
