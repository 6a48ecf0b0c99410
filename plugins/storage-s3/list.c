/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages and tokens.  A token is 't' and what the store gave, or 'k' and the last key where it gave
 * none although there is more.
 */
#include "plugins/storage-s3/list.h"

#include <string.h>

#include "plugins/storage-s3/request.h"
#include "sdk/http/text.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

struct page {
    struct bp_storage *storage;
    const struct bp_op *op;
    const struct bp_list_args *args;
    const struct bp_list_sink *sink;
    bool encoded;              /* the store did as we asked */
    char last[BP_KEY_MAX + 2]; /* with our prefix cut off; a group ends in '/' */
    unsigned skipped;
    struct bp_error *error;
};

void
bp_s3_decode(char *text)
{
    char *out = text;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '%' && g_ascii_isxdigit(c[1]) && g_ascii_isxdigit(c[2])) {
            *out++ = (char)(g_ascii_xdigit_value(c[1]) * 16 + g_ascii_xdigit_value(c[2]));
            c += 2;
        } else {
            *out++ = *c == '+' ? ' ' : *c;
        }
    }
    *out = '\0';
}

/* A page for people that a proxy sends with 200 would else be an empty bucket. */
bp_status
bp_s3_check_listing(const bp_xml_node *root, const char *name, struct bp_error *error)
{
    return strcmp(bp_xml_name(root), name) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_RETRYABLE, "the store's answer is <%.40s>, not a listing",
                         bp_xml_name(root));
}

static bp_status
check_args(const struct bp_list_args *args, struct bp_error *error)
{
    bp_status status = bp_check_list(args, error);
    if (status != BP_OK) {
        return status;
    }
    if (args->token != NULL &&
        ((args->token[0] != 't' && args->token[0] != 'k') || args->token[1] == '\0')) {
        return bp_fail(error, BP_ERR_INVALID, "the listing's token is not one of ours");
    }
    return BP_OK;
}

static bp_status
stopped(struct page *page)
{
    return bp_fail(page->error, BP_ERR_CANCELLED, "the listing was stopped by its reader");
}

/* The name without our prefix, or NULL for what no key can be: folders that a web console made,
 * names that begin with '/'.  They were not written by us, and the core could not name them. */
static const char *
take_name(struct page *page, char *text, bool group)
{
    const char *why;
    const char *ours = page->storage->set.prefix;
    if (page->encoded) {
        bp_s3_decode(text);
    }
    if (!g_str_has_prefix(text, ours)) {
        page->skipped++;
        return NULL;
    }
    const char *name = text + strlen(ours);
    int bad = group ? bp_key_check_prefix(name, &why) : bp_key_check(name, &why);
    if (bad != 0 || *name == '\0') {
        page->skipped += g_str_has_suffix(name, "/") || *name == '\0' ? 0 : 1;
        return NULL;
    }
    return name;
}

static bp_status
take_entry(struct page *page, const bp_xml_node *node)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    g_autofree char *text = g_strdup(bp_xml_text(node, "Key"));
    const char *class_name = bp_xml_text(node, "StorageClass");
    const char *size = bp_xml_text(node, "Size");
    if (text == NULL || size == NULL || bp_parse_u64(size, &meta.size) != 0) {
        return bp_fail(page->error, BP_ERR_RETRYABLE,
                       "the store lists an object without name or size");
    }
    const char *name = take_name(page, text, false);
    if (name == NULL) {
        return BP_OK;
    }
    meta.mtime_ns = bp_s3_time(bp_xml_text(node, "LastModified"));
    bp_http_etag(bp_xml_text(node, "ETag"), meta.etag);
    g_strlcpy(meta.storage_class, class_name == NULL ? "" : class_name, sizeof(meta.storage_class));
    if (page->sink->entry(page->sink->ctx, name, &meta) != 0) {
        return stopped(page);
    }
    g_strlcpy(page->last, name, sizeof(page->last));
    return BP_OK;
}

static bp_status
take_group(struct page *page, const bp_xml_node *node)
{
    g_autofree char *text = g_strdup(bp_xml_text(node, "Prefix"));
    const char *name = text == NULL ? NULL : take_name(page, text, true);
    if (name == NULL) {
        return BP_OK;
    }
    if (page->sink->prefix(page->sink->ctx, name) != 0) {
        return stopped(page);
    }
    if (strcmp(name, page->last) > 0) {
        g_strlcpy(page->last, name, sizeof(page->last));
    }
    return BP_OK;
}

/* The last possible key of a group comes just before its name with the next character. */
static void
token_behind(const struct page *page, char *token, size_t cap)
{
    size_t n = strlen(page->last);
    (void)g_strlcpy(token, "k", cap);
    (void)g_strlcat(token, page->last, cap);
    if (n > 0 && page->last[n - 1] == '/') {
        token[n] = '/' + 1;
    }
}

static bp_status
take_next(struct page *page, const bp_xml_node *root)
{
    char token[BP_TOKEN_MAX + 1];
    const char *cut = bp_xml_text(root, "IsTruncated");
    const char *next = bp_xml_text(root, "NextContinuationToken");
    if (cut == NULL || strcmp(cut, "true") != 0) {
        return BP_OK;
    }
    if (next != NULL && *next != '\0') {
        if ((size_t)g_snprintf(token, sizeof(token), "t%s", next) >= sizeof(token)) {
            return bp_fail(page->error, BP_ERR_PERMANENT, "the store's token is too long");
        }
    } else if (page->last[0] != '\0') {
        token_behind(page, token, sizeof(token));
    } else {
        return bp_fail(page->error, BP_ERR_PERMANENT,
                       "the store cut the listing short without saying how it goes on");
    }
    if (page->args->token != NULL && strcmp(page->args->token, token) == 0) {
        return bp_fail(page->error, BP_ERR_PERMANENT, "the store lists bucket %s in circles",
                       page->storage->set.bucket);
    }
    return page->sink->next(page->sink->ctx, token) == 0 ? BP_OK : stopped(page);
}

static bp_status
take_page(struct page *page, const bp_xml_node *root)
{
    const char *encoding = bp_xml_text(root, "EncodingType");
    const bp_xml_node *node = bp_xml_first(root, "Contents");
    bp_status status = bp_s3_check_listing(root, "ListBucketResult", page->error);
    page->encoded = encoding != NULL && strcmp(encoding, "url") == 0;
    for (; status == BP_OK && node != NULL; node = bp_xml_next(node, "Contents")) {
        status = take_entry(page, node);
    }
    node = bp_xml_first(root, "CommonPrefixes");
    for (; status == BP_OK && node != NULL; node = bp_xml_next(node, "CommonPrefixes")) {
        status = take_group(page, node);
    }
    if (status == BP_OK) {
        status = take_next(page, root);
    }
    if (page->skipped > 0) {
        bp_hostlog(page->storage->host, page->op, BP_LOG_WARN,
                   "%u objects in bucket %s are left out of the listing: their names are no keys",
                   page->skipped, page->storage->set.bucket);
    }
    return status;
}

/* False when nothing can come behind: MinIO refuses a marker outside of the prefix. */
static bool
place_start(struct bp_s3_request *request, struct bp_storage *storage, const char *prefix,
            const char *start)
{
    if (start == NULL || (!g_str_has_prefix(start, prefix) && strcmp(start, prefix) < 0)) {
        return true;
    }
    if (!g_str_has_prefix(start, prefix)) {
        return false;
    }
    g_autofree char *full = g_strconcat(storage->set.prefix, start, NULL);
    bp_s3_request_query(request, "start-after", full);
    return true;
}

bp_status
bp_s3_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
           const struct bp_list_sink *sink, struct bp_error *error)
{
    struct bp_s3_request request;
    bp_xml *xml = NULL;
    bp_status status = check_args(args, error);
    if (status != BP_OK) {
        return status;
    }
    char number[16];
    uint32_t max = args->max == 0 ? BP_S3_MAX_LIST : MIN(args->max, BP_S3_MAX_LIST);
    g_snprintf(number, sizeof(number), "%u", max);
    g_autofree char *prefix = g_strconcat(storage->set.prefix, args->prefix, NULL);
    bp_s3_request_init(&request, "GET", "list", NULL);
    bp_s3_request_query(&request, "list-type", "2");
    bp_s3_request_query(&request, "encoding-type", "url");
    bp_s3_request_query(&request, "max-keys", number);
    if (prefix[0] != '\0') {
        bp_s3_request_query(&request, "prefix", prefix);
    }
    if (args->delimiter == '/') {
        bp_s3_request_query(&request, "delimiter", "/");
    }
    bool any = true;
    if (args->token != NULL && args->token[0] == 't') {
        bp_s3_request_query(&request, "continuation-token", args->token + 1);
    } else {
        any = place_start(&request, storage, args->prefix,
                          args->token != NULL ? args->token + 1 : args->start_after);
    }
    if (any) {
        status = bp_s3_send_for_xml(storage, op, &request, &xml, error);
    }
    if (status == BP_OK && xml != NULL) {
        struct page page = {
            .storage = storage, .op = op, .args = args, .sink = sink, .error = error};
        status = take_page(&page, bp_xml_root(xml));
    } else if (status == BP_OK && any) {
        status = bp_fail(error, BP_ERR_RETRYABLE, "the store answered a listing with nothing");
    }
    bp_xml_free(xml);
    bp_s3_request_clear(&request);
    return status;
}
