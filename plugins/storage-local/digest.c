/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksums computed while bytes pass.
 */
#include "plugins/storage-local/digest.h"

#include <glib.h>
#include <string.h>
#include <xxhash.h>

#include "sdk/lib/ban.h"

struct bp_local_digest {
    uint32_t kind;
    XXH3_state_t *xxh3;
    GChecksum *glib;
};

struct bp_local_digest *
bp_local_digest_new(uint32_t kind)
{
    if (kind != BP_CHECKSUM_XXH3_128 && kind != BP_CHECKSUM_SHA256 && kind != BP_CHECKSUM_MD5) {
        return NULL;
    }
    struct bp_local_digest *digest = g_new0(struct bp_local_digest, 1);
    digest->kind = kind;
    if (kind == BP_CHECKSUM_XXH3_128) {
        digest->xxh3 = XXH3_createState(); /* aligned as it must be; g_new would not do */
        g_assert(digest->xxh3 != NULL);
        XXH3_128bits_reset(digest->xxh3);
    } else {
        digest->glib =
            g_checksum_new(kind == BP_CHECKSUM_SHA256 ? G_CHECKSUM_SHA256 : G_CHECKSUM_MD5);
    }
    return digest;
}

void
bp_local_digest_free(struct bp_local_digest *digest)
{
    if (digest != NULL) {
        XXH3_freeState(digest->xxh3);
        g_clear_pointer(&digest->glib, g_checksum_free);
        g_free(digest);
    }
}

void
bp_local_digest_add(struct bp_local_digest *digest, const void *bytes, size_t n)
{
    if (digest->xxh3 != NULL) {
        XXH3_128bits_update(digest->xxh3, bytes, n);
    } else {
        g_checksum_update(digest->glib, bytes, (gssize)n);
    }
}

static void
begin_sum(struct bp_checksum *out, uint32_t kind)
{
    memset(out, 0, sizeof(*out));
    out->kind = kind;
    out->by = BP_CHECKSUM_BY_PLUGIN;
}

static void
put_xxh3(struct bp_checksum *out, XXH128_hash_t hash)
{
    XXH128_canonical_t canonical;
    begin_sum(out, BP_CHECKSUM_XXH3_128);
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(out->value, canonical.digest, sizeof(canonical.digest));
}

void
bp_local_digest_end(struct bp_local_digest *digest, struct bp_checksum *out)
{
    if (digest->xxh3 != NULL) {
        put_xxh3(out, XXH3_128bits_digest(digest->xxh3));
        return;
    }
    gsize size = sizeof(out->value);
    begin_sum(out, digest->kind);
    g_checksum_get_digest(digest->glib, out->value, &size);
}

void
bp_local_digest_once(const void *bytes, size_t n, struct bp_checksum *out)
{
    put_xxh3(out, XXH3_128bits(bytes, n));
}
