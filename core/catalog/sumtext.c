/* SPDX-License-Identifier: Apache-2.0
 *
 * See sumtext.h.
 */
#include "core/catalog/sumtext.h"

#include <string.h>

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

static const char *const origins[] = {
    [BP_CHECKSUM_BY_HOST] = "host",
    [BP_CHECKSUM_BY_PLUGIN] = "plugin",
    [BP_CHECKSUM_BY_STORE] = "store",
};

char *
bp_sumtext_dup(const struct bp_checksum *sum)
{
    if (bp_checksum_length(sum->kind) == 0) {
        return NULL;
    }
    bool known = sum->by < G_N_ELEMENTS(origins) && origins[sum->by] != NULL;
    const char *by = known ? origins[sum->by] : origins[BP_CHECKSUM_BY_PLUGIN];
    char hex[BP_CHECKSUM_HEX_MAX];
    bp_checksum_to_hex(sum, hex);
    return g_strconcat(bp_checksum_kind_name(sum->kind), ":", by, ":", hex, NULL);
}

static bool
parse_origin(const char *text, uint32_t *by)
{
    for (uint32_t i = 0; i < G_N_ELEMENTS(origins); i++) {
        if (origins[i] != NULL && strcmp(origins[i], text) == 0) {
            *by = i;
            return true;
        }
    }
    return false;
}

bool
bp_sumtext_parse(const char *text, struct bp_checksum *out)
{
    memset(out, 0, sizeof *out);
    if (text == NULL) {
        return true;
    }
    g_auto(GStrv) parts = g_strsplit(text, ":", 4);
    uint32_t kind = 0;
    uint32_t by = 0;
    return g_strv_length(parts) == 3 && bp_checksum_kind_parse(parts[0], &kind) == 0 &&
           parse_origin(parts[1], &by) && bp_checksum_from_hex(out, kind, by, parts[2]) == 0;
}

static void
fill(XXH128_hash_t hash, struct bp_checksum *out)
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    memset(out, 0, sizeof *out);
    out->kind = BP_CHECKSUM_XXH3_128;
    out->by = BP_CHECKSUM_BY_HOST;
    memcpy(out->value, canonical.digest, sizeof canonical.digest);
}

void
bp_sumtext_hash(const void *bytes, gsize n, struct bp_checksum *out)
{
    fill(XXH3_128bits(bytes, n), out);
}

void
bp_sumtext_digest(const XXH3_state_t *state, struct bp_checksum *out)
{
    fill(XXH3_128bits_digest(state), out);
}
