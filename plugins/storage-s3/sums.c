/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksums beside bodies.
 */
#include "plugins/storage-s3/sums.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

static const struct {
    uint32_t kind;
    const char *mark;    /* in ids and ETags */
    const char *element; /* of a part */
} kinds[] = {
    {BP_CHECKSUM_CRC32C, "crc32c:", "ChecksumCRC32C"},
    {BP_CHECKSUM_SHA256, "sha256:", "ChecksumSHA256"},
};

enum bp_s3_sums
bp_s3_sums_first(const struct bp_s3_config *set)
{
    return set->checksum == BP_CHECKSUM_NONE ? BP_S3_SUMS_NO
           : set->checksum_unsure            ? BP_S3_SUMS_MAYBE
                                             : BP_S3_SUMS_YES;
}

uint32_t
bp_s3_sums_kind(struct bp_storage *storage, bool behind)
{
    int known = atomic_load(&storage->sums);
    return known == BP_S3_SUMS_YES || (known == BP_S3_SUMS_MAYBE && !behind) ? storage->set.checksum
                                                                             : BP_CHECKSUM_NONE;
}

void
bp_s3_sums_header(struct bp_s3_request *request, const struct bp_checksum *sum)
{
    request->sums = true;
    g_ptr_array_add(request->headers, bp_s3_checksum_header(sum));
}

bp_status
bp_s3_sums_check(struct bp_storage *storage, const struct bp_s3_request *request,
                 const struct bp_s3_exchange *exchange, const struct bp_checksum *sum,
                 struct bp_error *error)
{
    int maybe = BP_S3_SUMS_MAYBE;
    struct bp_checksum theirs = {0};
    const char *kind = bp_checksum_kind_name(sum->kind);
    g_autofree char *name = g_strconcat("x-amz-checksum-", kind, NULL);
    bool repeats =
        sum->kind != BP_CHECKSUM_NONE &&
        bp_s3_checksum_parse(bp_http_header(exchange->http, name), sum->kind, &theirs) != 0;
    if (repeats && !bp_checksum_equal(&theirs, sum)) {
        return bp_fail(error, BP_ERR_RETRYABLE,
                       "object %s: the store got bytes with another %s than was sent: they changed "
                       "on their way",
                       request->key, kind);
    }
    /* One of a kind that it was not given, it has computed unasked, and compared with nothing. */
    if (request->sums && sum->kind != BP_CHECKSUM_NONE) {
        (void)atomic_compare_exchange_strong(&storage->sums, &maybe,
                                             repeats ? BP_S3_SUMS_YES : BP_S3_SUMS_NO);
    }
    return BP_OK;
}

bool
bp_s3_sums_refused(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_s3_request *request, const char *code)
{
    bool lacks = strcmp(code, "NotImplemented") == 0;
    bool vague = strcmp(code, "InvalidArgument") == 0 || strcmp(code, "InvalidRequest") == 0;
    /* Of those who have them by their documentation, such words are about something else. */
    if (!request->sums || (!lacks && !(vague && !storage->set.provider->checksums))) {
        return false;
    }
    /* Of those who asked at the same time, all are told to ask again, without. */
    if (atomic_exchange(&storage->sums, BP_S3_SUMS_NO) != BP_S3_SUMS_NO) {
        bp_hostlog(
            storage->host, op, BP_LOG_WARN,
            "bucket %s: the store refuses checksums (%s): bodies go without them from now on",
            storage->set.bucket, code);
    }
    return true;
}

char *
bp_s3_upload_name(const char *id, uint32_t kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].kind == kind) {
            return g_strconcat(kinds[i].mark, id, NULL);
        }
    }
    return g_strdup(id);
}

const char *
bp_s3_upload_id(const char *name, uint32_t *kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(name, kinds[i].mark)) {
            *kind = kinds[i].kind;
            return name + strlen(kinds[i].mark);
        }
    }
    *kind = BP_CHECKSUM_NONE;
    return name;
}

void
bp_s3_part_note(char etag[BP_HTTP_ETAG], const struct bp_checksum *sum)
{
    g_autofree char *value = g_base64_encode(sum->value, bp_checksum_length(sum->kind));
    g_autofree char *name = bp_s3_upload_name(value, sum->kind);
    size_t n = strlen(etag), room = BP_HTTP_ETAG - n;
    if (sum->kind != BP_CHECKSUM_NONE && n > 0 && strlen(name) + 1 < room) {
        (void)snprintf(etag + n, room, " %s", name);
    }
}

void
bp_s3_part_element(GString *out, uint32_t number, const char *etag)
{
    const char *blank = strchr(etag, ' ');
    g_autofree char *bare = g_markup_escape_text(etag, blank == NULL ? -1 : (gssize)(blank - etag));
    g_string_append_printf(
        out, "<Part><PartNumber>%" PRIu32 "</PartNumber><ETag>&quot;%s&quot;</ETag>", number, bare);
    for (size_t i = 0; blank != NULL && i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(blank + 1, kinds[i].mark)) {
            g_string_append_printf(out, "<%s>%s</%s>", kinds[i].element,
                                   blank + 1 + strlen(kinds[i].mark), kinds[i].element);
        }
    }
    g_string_append(out, "</Part>");
}
