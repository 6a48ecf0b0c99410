/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and ending uploads, also those that dead runs left behind.
 */
#include "plugins/storage-azure/uploads.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/storage-azure/blocks.h"
#include "plugins/storage-azure/list.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/write.h"
#include "sdk/http/xml.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define MAX_BLOCK_LIST ((size_t)32 << 20) /* 100,000 uncommitted blocks */
#define UPLOAD_DIGITS (BP_AZURE_UPLOAD_ID - 1)

/* The upload of a listed block, or NULL where another program wrote it. */
static char *
upload_of(const char *block_id)
{
    gsize n;
    g_autofree guchar *raw = g_base64_decode(block_id == NULL ? "" : block_id, &n);
    if (n != BP_AZURE_BLOCK_ID - 1) {
        return NULL;
    }
    char *upload = g_strndup((const char *)raw, UPLOAD_DIGITS);
    if (bp_azure_upload_started(upload) < 0) {
        g_clear_pointer(&upload, g_free);
    }
    return upload;
}

/* Get Block List: the uploads that have uncommitted blocks under a name, NULL elements for those of
 * other programs.  NOT_FOUND when there is neither object nor block. */
static bp_status
uncommitted_uploads(struct bp_storage *storage, const struct bp_op *op, const char *key,
                    GPtrArray *out, struct bp_error *error)
{
    bp_xml *xml = NULL;
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_BLOB, "GET", key, "list its blocks");
    bp_azure_add_query(&request, "comp", "blocklist");
    bp_azure_add_query(&request, "blocklisttype", "uncommitted");
    bp_status status = bp_azure_begin(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        status = bp_azure_finish_xml(x, op, MAX_BLOCK_LIST, &xml, error);
    }
    const bp_xml_node *list =
        status == BP_OK ? bp_xml_first(bp_xml_root(xml), "UncommittedBlocks") : NULL;
    for (const bp_xml_node *block = list == NULL ? NULL : bp_xml_first(list, "Block");
         block != NULL; block = bp_xml_next(block, "Block")) {
        char *upload = upload_of(bp_xml_text(block, "Name"));
        const char *last = out->len == 0 ? "" : g_ptr_array_index(out, out->len - 1);
        if (out->len > 0 && g_strcmp0(last, upload) == 0) {
            g_free(upload); /* blocks of one upload come together, mostly */
        } else {
            g_ptr_array_add(out, upload);
        }
    }
    bp_xml_free(xml);
    bp_azure_end(x);
    return status;
}

static bool
is_alone(const GPtrArray *uploads, const char *upload)
{
    for (guint i = 0; i < uploads->len; i++) {
        if (g_strcmp0(g_ptr_array_index(uploads, i), upload) != 0) {
            return false;
        }
    }
    return uploads->len > 0;
}

bp_status
bp_azure_discard_blocks(struct bp_storage *storage, const struct bp_op *op, const char *key,
                        const char *upload, struct bp_error *error)
{
    g_autoptr(GPtrArray) uploads = g_ptr_array_new_with_free_func(g_free);
    bp_status status = uncommitted_uploads(storage, op, key, uploads, error);
    if (status != BP_OK) {
        return status == BP_ERR_NOT_FOUND && strcmp(error->code, "ContainerNotFound") != 0 ? BP_OK
                                                                                           : status;
    }
    if (!is_alone(uploads, upload)) {
        return BP_OK;
    }
    g_autoptr(GString) none = g_string_new(NULL);
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_azure_commit commit = {.key = key, .blocks = none, .exclusive = true};
    status = bp_azure_commit_blocks(storage, op, &commit, &meta, error);
    if (status == BP_ERR_EXISTS) {
        bp_hostlog(storage->host, op, BP_LOG_DEBUG,
                   "object %s exists: blocks of its unfinished upload expire within a week", key);
        return BP_OK;
    }
    return status == BP_OK ? bp_azure_remove(storage, op, key, meta.etag, error) : status;
}

bp_status
bp_azure_part_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
                    const char *upload, struct bp_error *error)
{
    bp_status status = bp_azure_check_key(storage, key, error);
    g_autofree char *id = g_strndup(upload, UPLOAD_DIGITS);
    if (status != BP_OK || bp_azure_upload_started(id) < 0) {
        return status; /* what was never begun has ended */
    }
    return bp_azure_discard_blocks(storage, op, key, id, error);
}

struct walk {
    struct bp_storage *storage;
    const struct bp_op *op;
    const struct bp_key_sink *sink;
    bool end_them;
    int64_t before_ns;
};

static bp_status
visit_upload(const struct walk *walk, const char *key, const char *upload, struct bp_error *error)
{
    int64_t started_ns = bp_azure_upload_started(upload);
    struct bp_error failed = {.struct_size = sizeof(failed)};
    bp_status status = BP_OK;
    if (walk->end_them) {
        if (started_ns >= walk->before_ns) {
            return BP_OK;
        }
        status = bp_azure_discard_blocks(walk->storage, walk->op, key, upload, &failed);
        if (status == BP_ERR_CANCELLED || status == BP_ERR_TIMEOUT) {
            return bp_fail(error, status, "%s", failed.message);
        }
    }
    if (walk->sink->key(walk->sink->ctx, key, upload, started_ns,
                        status == BP_OK ? NULL : &failed) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the listing of uploads was stopped by its reader");
    }
    return BP_OK;
}

static bp_status
visit_blob(const struct walk *walk, const bp_xml_node *blob, struct bp_error *error)
{
    const char *why;
    const bp_xml_node *properties = bp_xml_first(blob, "Properties");
    const char *size = properties == NULL ? NULL : bp_xml_text(properties, "Content-Length");
    g_autofree char *key = bp_azure_listed_name(walk->storage, blob);
    /* Of committed objects only empty ones are looked at: that is how blobs of which there are but
     * blocks appear in a listing. */
    if (key == NULL || bp_key_check(key, &why) != 0 ||
        (size != NULL && size[0] != '\0' && strcmp(size, "0") != 0)) {
        return BP_OK;
    }
    g_autoptr(GPtrArray) uploads = g_ptr_array_new_with_free_func(g_free);
    bp_status status = uncommitted_uploads(walk->storage, walk->op, key, uploads, error);
    if (status != BP_OK) {
        return status == BP_ERR_NOT_FOUND ? BP_OK : status;
    }
    for (guint i = 0; i < uploads->len && status == BP_OK; i++) {
        const char *upload = g_ptr_array_index(uploads, i);
        bool seen = false;
        for (guint j = 0; j < i; j++) {
            seen = seen || g_strcmp0(g_ptr_array_index(uploads, j), upload) == 0;
        }
        status = upload == NULL || seen ? BP_OK : visit_upload(walk, key, upload, error);
    }
    return status;
}

static bp_status
visit_all(const struct walk *walk, const char *prefix, struct bp_error *error)
{
    g_autofree char *marker = NULL;
    bp_status status = BP_OK;
    do {
        bp_xml *xml = NULL;
        const struct bp_azure_page_params params = {
            .prefix = prefix, .marker = marker, .max = BP_AZURE_MAX_LIST, .uncommitted = true};
        status = bp_azure_list_page(walk->storage, walk->op, &params, &xml, error);
        if (status != BP_OK) {
            break;
        }
        const bp_xml_node *blobs = bp_azure_listed(walk->storage, xml, error);
        status = blobs == NULL ? error->cls : BP_OK;
        for (const bp_xml_node *blob = blobs == NULL ? NULL : bp_xml_first(blobs, "Blob");
             blob != NULL && status == BP_OK; blob = bp_xml_next(blob, "Blob")) {
            status = visit_blob(walk, blob, error);
        }
        const char *next = bp_xml_text(bp_xml_root(xml), "NextMarker");
        if (status == BP_OK && next != NULL && next[0] != '\0' && g_strcmp0(marker, next) == 0) {
            status =
                bp_fail(error, BP_ERR_PERMANENT, "container %s: the server lists it in circles",
                        walk->storage->set.container);
        }
        g_free(marker);
        marker = g_strdup(next);
        bp_xml_free(xml);
    } while (status == BP_OK && marker != NULL && marker[0] != '\0');
    return status == BP_ERR_NOT_FOUND && walk->storage->set.create_container ? BP_OK : status;
}

bp_status
bp_azure_uploads_list(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                      const struct bp_key_sink *sink, struct bp_error *error)
{
    const struct walk walk = {.storage = storage, .op = op, .sink = sink};
    return visit_all(&walk, prefix, error);
}

bp_status
bp_azure_uploads_abort(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                       int64_t before_ns, const struct bp_key_sink *sink, struct bp_error *error)
{
    const struct walk walk = {
        .storage = storage, .op = op, .sink = sink, .end_them = true, .before_ns = before_ns};
    return visit_all(&walk, prefix, error);
}
