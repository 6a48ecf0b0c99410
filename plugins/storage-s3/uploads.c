/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads that were begun and not ended.
 */
#include <string.h>

#include "plugins/storage-s3/list.h"
#include "plugins/storage-s3/parts.h"
#include "plugins/storage-s3/request.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

struct walk {
    struct bp_storage *storage;
    const struct bp_op *op;
    const char *prefix;
    const struct bp_key_sink *sink;
    bool abort; /* those older than before_ns; else tell of all */
    int64_t before_ns;
    char *key_marker, *id_marker;
    struct bp_error *error;
};

static bp_status
handle(const struct walk *walk, const char *key, const char *upload, int64_t started_ns)
{
    struct bp_error failed = {.struct_size = sizeof(failed)};
    bp_status status = BP_OK;
    if (walk->abort) {
        /* Unknown times are of no use: it may be one that is under way. */
        if (started_ns == 0 || started_ns >= walk->before_ns) {
            return BP_OK;
        }
        status = bp_s3_part_abort(walk->storage, walk->op, key, upload, &failed);
        if (status == BP_ERR_CANCELLED || status == BP_ERR_TIMEOUT) {
            return bp_fail(walk->error, status, "%s", failed.message);
        }
    }
    if (walk->sink->key(walk->sink->ctx, key, upload, started_ns,
                        status == BP_OK ? NULL : &failed) != 0) {
        return bp_fail(walk->error, BP_ERR_CANCELLED, "stopped by the receiver of the uploads");
    }
    return BP_OK;
}

static bp_status
take_upload(const struct walk *walk, const bp_xml_node *node, bool encoded)
{
    const char *ours = walk->storage->set.prefix;
    g_autofree char *key = g_strdup(bp_xml_text(node, "Key"));
    const char *id = bp_xml_text(node, "UploadId");
    if (key == NULL || id == NULL || *id == '\0') {
        return BP_OK;
    }
    if (encoded) {
        bp_s3_decode(key);
    }
    /* What does not lie below our prefix is not ours, whatever the store thinks. */
    if (!g_str_has_prefix(key, ours) || !g_str_has_prefix(key + strlen(ours), walk->prefix) ||
        bp_key_check(key + strlen(ours), NULL) != 0) {
        return BP_OK;
    }
    return handle(walk, key + strlen(ours), id, bp_s3_time(bp_xml_text(node, "Initiated")));
}

static bp_status
take_page(struct walk *walk, const bp_xml_node *root, bool *more)
{
    bp_status status = bp_s3_check_listing(root, "ListMultipartUploadsResult", walk->error);
    const char *cut = bp_xml_text(root, "IsTruncated");
    const char *encoding = bp_xml_text(root, "EncodingType");
    bool encoded = encoding != NULL && strcmp(encoding, "url") == 0;
    const bp_xml_node *node = bp_xml_first(root, "Upload");
    for (; status == BP_OK && node != NULL; node = bp_xml_next(node, "Upload")) {
        status = take_upload(walk, node, encoded);
    }
    g_autofree char *key = g_strdup(bp_xml_text(root, "NextKeyMarker"));
    g_autofree char *id = g_strdup(bp_xml_text(root, "NextUploadIdMarker"));
    *more = cut != NULL && strcmp(cut, "true") == 0;
    if (encoded && key != NULL) {
        bp_s3_decode(key);
    }
    if (status == BP_OK && *more && (key == NULL || *key == '\0')) {
        status = bp_fail(walk->error, BP_ERR_PERMANENT,
                         "the store cut the list of uploads short without saying how it goes on");
    } else if (status == BP_OK && *more && g_strcmp0(key, walk->key_marker) == 0 &&
               g_strcmp0(id, walk->id_marker) == 0) {
        status = bp_fail(walk->error, BP_ERR_PERMANENT, "the store lists uploads in circles");
    }
    g_free(walk->key_marker);
    g_free(walk->id_marker);
    walk->key_marker = g_steal_pointer(&key);
    walk->id_marker = g_steal_pointer(&id);
    return status;
}

static bp_status
next_page(struct walk *walk, bool *more)
{
    bp_xml *xml = NULL;
    struct bp_s3_request request;
    g_autofree char *prefix = g_strconcat(walk->storage->set.prefix, walk->prefix, NULL);
    *more = false;
    bp_s3_request_init(&request, "GET", "list uploads in", NULL);
    bp_s3_request_query(&request, "uploads", NULL);
    bp_s3_request_query(&request, "encoding-type", "url");
    bp_s3_request_query(&request, "prefix", prefix);
    if (walk->key_marker != NULL) {
        bp_s3_request_query(&request, "key-marker", walk->key_marker);
        bp_s3_request_query(&request, "upload-id-marker", walk->id_marker);
    }
    bp_status status = bp_s3_send_for_xml(walk->storage, walk->op, &request, &xml, walk->error);
    if (status == BP_OK && xml != NULL) {
        status = take_page(walk, bp_xml_root(xml), more);
    } else if (status == BP_OK) {
        status = bp_fail(walk->error, BP_ERR_RETRYABLE,
                         "the store answered a listing of uploads with nothing");
    }
    bp_xml_free(xml);
    bp_s3_request_clear(&request);
    return status;
}

static bp_status
walk_uploads(struct walk *walk)
{
    const char *why;
    bool more = true;
    bp_status status = BP_OK;
    if (bp_key_check_prefix(walk->prefix, &why) != 0) {
        return bp_fail(walk->error, BP_ERR_INVALID, "prefix \"%s\": %s", walk->prefix, why);
    }
    while (status == BP_OK && more) {
        status = next_page(walk, &more);
    }
    g_free(walk->key_marker);
    g_free(walk->id_marker);
    return status;
}

bp_status
bp_s3_uploads_list(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                   const struct bp_key_sink *sink, struct bp_error *error)
{
    struct walk walk = {
        .storage = storage, .op = op, .prefix = prefix, .sink = sink, .error = error};
    return walk_uploads(&walk);
}

bp_status
bp_s3_uploads_abort(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                    int64_t before_ns, const struct bp_key_sink *sink, struct bp_error *error)
{
    struct walk walk = {.storage = storage,
                        .op = op,
                        .prefix = prefix,
                        .sink = sink,
                        .abort = true,
                        .before_ns = before_ns,
                        .error = error};
    return walk_uploads(&walk);
}
