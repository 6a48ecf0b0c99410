/* SPDX-License-Identifier: Apache-2.0
 *
 * Small checks that all operations share.
 */
#include "plugins/storage-azure/azure.h"

#include <string.h>

#include "plugins/storage-azure/text.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

/* "Naming and referencing containers, blobs, and metadata" of the REST reference. */
#define MAX_PARTS 254
#define MAX_NAME 1024

bp_status
bp_azure_check_op(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    return bp_check_op(storage->host, op, error);
}

bp_status
bp_azure_check_key(struct bp_storage *storage, const char *key, struct bp_error *error)
{
    const char *why;
    if (bp_key_check(key, &why) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "key \"%s\": %s", key, why);
    }
    if (strlen(storage->set.prefix) + strlen(key) > MAX_NAME) {
        return bp_fail(error, BP_ERR_INVALID, "key \"%s\": longer than %d bytes with the prefix",
                       key, MAX_NAME);
    }
    return BP_OK;
}

const char *
bp_azure_name_problem(const char *name)
{
    size_t parts = 1;
    if (strchr(name, '\\') != NULL) {
        return "contains '\\', which Azure takes for '/'";
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '.' && (at[1] == '/' || at[1] == '\0')) {
            return "has a part that ends in '.', which Azure drops";
        }
        if (at[0] == '\xEF' && at[1] == '\xBF' && (at[2] == '\xBE' || at[2] == '\xBF')) {
            return "contains U+FFFE or U+FFFF, which not every server can list";
        }
        parts += *at == '/' ? 1 : 0;
    }
    return parts > MAX_PARTS ? "has more than 254 parts with the prefix" : NULL;
}

bp_status
bp_azure_check_new_key(struct bp_storage *storage, const char *key, struct bp_error *error)
{
    bp_status status = bp_azure_check_key(storage, key, error);
    g_autofree char *name = g_strconcat(storage->set.prefix, key, NULL);
    const char *problem = status == BP_OK ? bp_azure_name_problem(name) : NULL;
    if (problem != NULL) {
        return bp_fail(error, BP_ERR_INVALID, "key \"%s\": %s", key, problem);
    }
    return status;
}

bp_status
bp_azure_check_flags(uint32_t flags, uint32_t known, struct bp_error *error)
{
    return bp_check_flags(flags, known, error);
}

void
bp_azure_meta_clear(struct bp_object_meta *out)
{
    bp_meta_clear(out);
}

void
bp_azure_meta_md5(struct bp_object_meta *out, const char *base64)
{
    if (bp_azure_parse_md5(base64, out->checksum.value)) {
        out->checksum.kind = BP_CHECKSUM_MD5;
        out->checksum.by = BP_CHECKSUM_BY_STORE;
    }
}
