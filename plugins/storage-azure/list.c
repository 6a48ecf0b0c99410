/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing: List Blobs, page by page.  Its marker is our token.
 */
#include "plugins/storage-azure/list.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/text.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* 5000 entries of 1 KiB names, each name percent encoded at worst, and properties. */
#define MAX_PAGE ((size_t)64 << 20)

bp_status
bp_azure_list_page(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_azure_page_params *params, bp_xml **out, struct bp_error *error)
{
    char max[16];
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    (void)g_snprintf(max, sizeof(max), "%u", params->max);
    g_autofree char *prefix = g_strconcat(storage->set.prefix, params->prefix, NULL);
    bp_azure_request_init(&request, BP_AZURE_CONTAINER, "GET", NULL, "list it");
    bp_azure_add_query(&request, "restype", "container");
    bp_azure_add_query(&request, "comp", "list");
    bp_azure_add_query(&request, "maxresults", max);
    if (prefix[0] != '\0') {
        bp_azure_add_query(&request, "prefix", prefix);
    }
    if (params->marker != NULL) {
        bp_azure_add_query(&request, "marker", params->marker);
    }
    if (params->grouped) {
        bp_azure_add_query(&request, "delimiter", "/");
    }
    if (params->uncommitted) {
        bp_azure_add_query(&request, "include", "uncommittedblobs");
    }
    bp_status status = bp_azure_begin(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        status = bp_azure_finish_xml(x, op, MAX_PAGE, out, error);
    }
    bp_azure_end(x);
    return status;
}

/* From version 2021-02-12 on, names with characters that XML cannot hold come percent encoded. */
static char *
name_of(const bp_xml_node *node)
{
    const bp_xml_node *name = bp_xml_first(node, "Name");
    if (name == NULL) {
        return NULL;
    }
    const char *encoded = bp_xml_attribute(name, "Encoded");
    return encoded != NULL && g_ascii_strcasecmp(encoded, "true") == 0
               ? g_uri_unescape_string(bp_xml_own_text(name), NULL)
               : g_strdup(bp_xml_own_text(name));
}

char *
bp_azure_listed_name(const struct bp_storage *storage, const bp_xml_node *node)
{
    g_autofree char *name = name_of(node);
    size_t len = strlen(storage->set.prefix);
    return name == NULL || strncmp(name, storage->set.prefix, len) != 0 ? NULL
                                                                        : g_strdup(name + len);
}

static bp_status
fail_stopped(struct bp_error *error)
{
    return bp_fail(error, BP_ERR_CANCELLED, "the listing was stopped by its reader");
}

static const char *
text_or_empty(const bp_xml_node *node, const char *name)
{
    const char *text = node == NULL ? NULL : bp_xml_text(node, name);
    return text == NULL ? "" : text;
}

static void
fill_meta(struct bp_object_meta *meta, const bp_xml_node *properties)
{
    const char *type = text_or_empty(properties, "BlobType");
    if (bp_parse_u64(text_or_empty(properties, "Content-Length"), &meta->size) != 0) {
        meta->size = BP_UNKNOWN;
    }
    meta->mtime_ns = bp_azure_parse_http_date(text_or_empty(properties, "Last-Modified"));
    bp_azure_plain_etag(text_or_empty(properties, "Etag"), meta->etag);
    g_strlcpy(meta->storage_class, text_or_empty(properties, "AccessTier"),
              sizeof(meta->storage_class));
    if (type[0] == '\0' || strcmp(type, "BlockBlob") == 0) {
        bp_azure_meta_md5(meta, text_or_empty(properties, "Content-MD5"));
    }
}

/* Names that are no keys of ours are left out: "a//b", or the "a/" that some tools make. */
static bool
is_listable(struct bp_storage *storage, const struct bp_op *op, const char *name, bool is_prefix)
{
    const char *why = "lies elsewhere";
    if (name != NULL &&
        (is_prefix ? bp_key_check_prefix(name, &why) : bp_key_check(name, &why)) == 0) {
        return true;
    }
    size_t len = name == NULL ? 0 : strlen(name);
    bool marker = len > 0 && name[len - 1] == '/';
    bp_hostlog(storage->host, op, marker ? BP_LOG_DEBUG : BP_LOG_WARN,
               "container %s: \"%s\" is left out: it %s", storage->set.container,
               name == NULL ? "" : name, why);
    return false;
}

static bp_status
emit(struct bp_storage *storage, const struct bp_op *op, const bp_xml_node *node,
     const struct bp_list_sink *sink, struct bp_error *error)
{
    bool is_prefix = strcmp(bp_xml_name(node), "BlobPrefix") == 0;
    const bp_xml_node *properties = bp_xml_first(node, "Properties");
    if (!is_prefix && (strcmp(bp_xml_name(node), "Blob") != 0 ||
                       strcmp(text_or_empty(properties, "ResourceType"), "directory") == 0)) {
        return BP_OK;
    }
    g_autofree char *name = bp_azure_listed_name(storage, node);
    if (!is_listable(storage, op, name, is_prefix)) {
        return BP_OK;
    }
    if (is_prefix) {
        return sink->prefix(sink->ctx, name) != 0 ? fail_stopped(error) : BP_OK;
    }
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    fill_meta(&meta, properties);
    return sink->entry(sink->ctx, name, &meta) != 0 ? fail_stopped(error) : BP_OK;
}

const bp_xml_node *
bp_azure_listed(const struct bp_storage *storage, const bp_xml *xml, struct bp_error *error)
{
    const bp_xml_node *blobs = bp_xml_first(bp_xml_root(xml), "Blobs");
    if (blobs == NULL) {
        (void)bp_fail(error, BP_ERR_PERMANENT, "container %s: the server's answer is no listing",
                      storage->set.container);
    }
    return blobs;
}

static bp_status
emit_page(struct bp_storage *storage, const struct bp_op *op, const bp_xml *xml, const char *marker,
          const struct bp_list_sink *sink, struct bp_error *error)
{
    const bp_xml_node *root = bp_xml_root(xml);
    const bp_xml_node *blobs = bp_azure_listed(storage, xml, error);
    if (blobs == NULL) {
        return error->cls;
    }
    for (const bp_xml_node *node = bp_xml_first(blobs, NULL); node != NULL;
         node = bp_xml_next(node, NULL)) {
        bp_status status = emit(storage, op, node, sink, error);
        if (status != BP_OK) {
            return status;
        }
    }
    const char *next = text_or_empty(root, "NextMarker");
    if (next[0] != '\0' && g_strcmp0(marker, next) == 0) {
        return bp_fail(error, BP_ERR_PERMANENT, "container %s: the server lists it in circles",
                       storage->set.container);
    }
    if (strlen(next) > BP_TOKEN_MAX) {
        return bp_fail(error, BP_ERR_PERMANENT,
                       "container %s: the marker of the next page is longer "
                       "than %d bytes",
                       storage->set.container, BP_TOKEN_MAX);
    }
    return next[0] != '\0' && sink->next(sink->ctx, next) != 0 ? fail_stopped(error) : BP_OK;
}

static bp_status
check_args(const struct bp_list_args *args, struct bp_error *error)
{
    const char *why;
    bp_status status = bp_azure_check_flags(args->flags, 0, error);
    if (status == BP_OK && bp_key_check_prefix(args->prefix, &why) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": %s", args->prefix, why);
    }
    if (status == BP_OK && args->delimiter != 0 && args->delimiter != '/') {
        status = bp_fail(error, BP_ERR_INVALID, "the delimiter can only be '/'");
    }
    if (status == BP_OK && args->start_after != NULL) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "Azure lists from the beginning: start_after is not offered");
    }
    return status;
}

bp_status
bp_azure_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
              const struct bp_list_sink *sink, struct bp_error *error)
{
    bp_xml *xml = NULL;
    const struct bp_azure_page_params params = {
        .prefix = args->prefix,
        .marker = args->token,
        .max = args->max == 0 ? BP_AZURE_MAX_LIST : MIN(args->max, BP_AZURE_MAX_LIST),
        .grouped = args->delimiter == '/',
    };
    bp_status status = check_args(args, error);
    if (status == BP_OK) {
        status = bp_azure_list_page(storage, op, &params, &xml, error);
        if (status == BP_ERR_NOT_FOUND && storage->set.create_container) {
            return BP_OK; /* it comes into being with the first write */
        }
    }
    if (status == BP_OK) {
        status = emit_page(storage, op, xml, args->token, sink, error);
    }
    bp_xml_free(xml);
    return status;
}
