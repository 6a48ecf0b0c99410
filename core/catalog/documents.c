/* SPDX-License-Identifier: Apache-2.0
 *
 * See catalog.h: documents as a source hands them over.
 *
 * A document is held until it ends, so that writing it can be retried and its size is known
 * before.  One that grows beyond HOLD_MAX goes to the storage as it comes, without retries.
 */
#include <string.h>
#include <xxhash.h>

#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/catalog/catalog.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/sumtext.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define HOLD_MAX (16 << 20)
#define READ_BYTES 65536

struct bp_documents {
    bp_catalog catalog;
    bp_manifest *manifest;
    GError *failed; /* what a sink function set aside */

    /* The open one; key NULL = none. */
    char *key; /* below the backup */
    bool is_commit;
    guint64 size;
    XXH3_state_t *hash;
    GByteArray *held;
    bp_store_writer *writer; /* beyond HOLD_MAX */

    /* The commit document, kept back. */
    char *commit_key;
    GByteArray *commit;
};

bp_documents *
bp_documents_new(const bp_catalog *catalog, bp_manifest *manifest)
{
    bp_documents *documents = g_new0(bp_documents, 1);
    documents->catalog = *catalog;
    documents->manifest = manifest;
    documents->hash = XXH3_createState();
    g_assert(documents->hash != NULL);
    g_ptr_array_set_size(manifest->documents, 0);
    return documents;
}

static void
close_open_one(bp_documents *documents)
{
    if (documents->writer != NULL) {
        bp_store_write_abort(documents->writer);
        documents->writer = NULL;
    }
    g_clear_pointer(&documents->key, g_free);
    g_clear_pointer(&documents->held, g_byte_array_unref);
}

void
bp_documents_free(bp_documents *documents)
{
    if (documents == NULL) {
        return;
    }
    close_open_one(documents);
    g_clear_pointer(&documents->commit, g_byte_array_unref);
    g_free(documents->commit_key);
    g_clear_error(&documents->failed);
    XXH3_freeState(documents->hash);
    g_free(documents);
}

static bool
sink_begin(void *ctx, const char *key, bool commit)
{
    bp_documents *documents = ctx;
    if (documents->failed != NULL) {
        return false;
    }
    const char *why = NULL;
    if (bp_key_check(key, &why) != 0 || g_str_has_prefix(key, BP_OURS)) {
        bp_set_error(&documents->failed, BP_ERR_PERMANENT, "plugin bug: document \"%s\" %s", key,
                     why != NULL ? why : "lies below " BP_OURS);
        return false;
    }
    if (documents->key != NULL || documents->commit != NULL ||
        bp_manifest_has_document(documents->manifest, key)) {
        bp_set_error(&documents->failed, BP_ERR_PERMANENT,
                     "plugin bug: document %s begins twice, inside another, or after the last one",
                     key);
        return false;
    }
    documents->key = g_strdup(key);
    documents->is_commit = commit;
    documents->size = 0;
    documents->held = g_byte_array_new();
    XXH3_128bits_reset(documents->hash);
    return true;
}

static bool
too_large(bp_documents *documents, const char *why)
{
    bp_set_error(&documents->failed, BP_ERR_UNSUPPORTED, "document %s is larger than %d MiB: %s",
                 documents->key, HOLD_MAX >> 20, why);
    return false;
}

static bool
stream(bp_documents *documents, const void *bytes, gsize n)
{
    return bp_store_write(documents->writer, documents->catalog.call, bytes, n, &documents->failed);
}

/* It became too large to be held: from here on it is streamed. */
static bool
begin_streaming(bp_documents *documents)
{
    if (documents->is_commit) {
        return too_large(documents, "the one that ends a backup must be small");
    }
    if (!bp_store_can(documents->catalog.store, BP_STORE_UNKNOWN_SIZE)) {
        return too_large(documents, "this storage must know sizes before it writes");
    }
    g_autofree char *key = bp_catalog_key(documents->manifest->name, documents->key);
    bp_store_write_params params = {.key = key, .size = BP_UNKNOWN, .flags = BP_WRITE_DURABLE};
    documents->writer = bp_store_write_open(documents->catalog.store, documents->catalog.call,
                                            &params, &documents->failed);
    if (documents->writer == NULL ||
        !stream(documents, documents->held->data, documents->held->len)) {
        return false;
    }
    g_clear_pointer(&documents->held, g_byte_array_unref);
    return true;
}

static bool
sink_write(void *ctx, const void *bytes, gsize n)
{
    bp_documents *documents = ctx;
    if (documents->failed != NULL) {
        return false;
    }
    if (documents->key == NULL) {
        bp_set_error(&documents->failed, BP_ERR_PERMANENT,
                     "plugin bug: text of a document that was not begun");
        return false;
    }
    if (documents->writer == NULL && n > HOLD_MAX - documents->held->len &&
        !begin_streaming(documents)) {
        return false;
    }
    XXH3_128bits_update(documents->hash, bytes, n);
    documents->size += n;
    if (documents->writer != NULL) {
        return stream(documents, bytes, n);
    }
    g_byte_array_append(documents->held, bytes, (guint)n);
    return true;
}

/* Nobody knows whether it is there: its size tells, and later its digest, when all are read again.
 */
static bool
is_there(const bp_documents *documents)
{
    g_autofree char *key = bp_catalog_key(documents->manifest->name, documents->key);
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    return bp_catalog__stat(&documents->catalog, key, &meta, NULL) && meta.size == documents->size;
}

/* A stream cannot be written again. */
static bool
end_stream(bp_documents *documents)
{
    bp_store_writer *writer = g_steal_pointer(&documents->writer);
    if (!bp_fault_point("catalog.document.before", &documents->failed)) {
        bp_store_write_abort(writer);
        return false;
    }
    if (!bp_store_write_commit(writer, documents->catalog.call, NULL, &documents->failed)) {
        if (!bp_error_outcome_unknown(documents->failed) || !is_there(documents)) {
            return false;
        }
        g_clear_error(&documents->failed);
    }
    return bp_fault_point("catalog.document.after", &documents->failed);
}

/* The open document reaches the storage; a commit document only memory. */
static bool
store_open_one(bp_documents *documents)
{
    const bp_catalog *catalog = &documents->catalog;
    if (documents->is_commit) {
        documents->commit_key = g_strdup(documents->key);
        documents->commit = g_steal_pointer(&documents->held);
        return true;
    }
    if (documents->writer != NULL) {
        return end_stream(documents);
    }
    g_autofree char *key = bp_catalog_key(documents->manifest->name, documents->key);
    return bp_catalog__put(catalog, "catalog.document", key, documents->held->data,
                           documents->held->len, &documents->failed);
}

static bool
sink_end(void *ctx)
{
    bp_documents *documents = ctx;
    if (documents->failed != NULL || documents->key == NULL) {
        return false;
    }
    bool ok = store_open_one(documents);
    if (ok) {
        struct bp_checksum sum;
        bp_sumtext_digest(documents->hash, &sum);
        g_ptr_array_add(documents->manifest->documents,
                        bp_manifest_file_new(documents->key, documents->size, &sum));
    }
    close_open_one(documents);
    return ok;
}

bp_document_fns
bp_documents_fns(bp_documents *documents)
{
    return (bp_document_fns){
        .begin = sink_begin, .write = sink_write, .end = sink_end, .ctx = documents};
}

bool
bp_documents_check(bp_documents *documents, GError **error)
{
    if (documents->failed == NULL) {
        return true;
    }
    if (error != NULL) {
        *error = g_error_copy(documents->failed);
    }
    return false;
}

bool
bp_documents_commit(bp_documents *documents, GError **error)
{
    if (!bp_documents_check(documents, error)) {
        return false;
    }
    if (documents->commit == NULL) {
        bp_set_error(error, BP_ERR_PERMANENT, "plugin bug: no document ends backup %s",
                     documents->manifest->name);
        return false;
    }
    g_autofree char *key = bp_catalog_key(documents->manifest->name, documents->commit_key);
    return bp_catalog__put(&documents->catalog, "catalog.commit", key, documents->commit->data,
                           documents->commit->len, error);
}

/** One document being read again. */
typedef struct {
    const bp_catalog *catalog;
    const char *key;
    guint64 size;
    struct bp_checksum sum;
} reread;

static bool
try_reread(void *ctx, GError **error)
{
    reread *r = ctx;
    const bp_call *call = r->catalog->call;
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    bp_store_read_params params = {.key = r->key};
    bp_store_reader *reader = bp_store_read_open(r->catalog->store, call, &params, &meta, error);
    if (reader == NULL) {
        return false;
    }
    XXH3_state_t *hash = XXH3_createState();
    g_assert(hash != NULL);
    XXH3_128bits_reset(hash);
    g_autofree char *buffer = g_malloc(READ_BYTES);
    gsize n = 0;
    bool ok = false;
    r->size = 0;
    do {
        ok = bp_store_read(reader, call, buffer, READ_BYTES, &n, error);
        XXH3_128bits_update(hash, buffer, ok ? n : 0);
        r->size += ok ? n : 0;
    } while (ok && n > 0);
    bp_sumtext_digest(hash, &r->sum);
    XXH3_freeState(hash);
    bp_store_read_close(reader);
    return ok;
}

static bool
verify_one(const bp_catalog *catalog, const char *name, const bp_manifest_file *document,
           GError **error)
{
    g_autofree char *key = bp_catalog_key(name, document->key);
    reread r = {.catalog = catalog, .key = key};
    GError *failed = NULL;
    if (!bp_catalog__retry(catalog, try_reread, &r, &failed)) {
        g_propagate_prefixed_error(error, failed, "document %s of backup %s: ", document->key,
                                   name);
        return false;
    }
    if (r.size != document->size) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "document %s of backup %s has %" G_GUINT64_FORMAT
                     " bytes, the manifest says %" G_GUINT64_FORMAT,
                     document->key, name, r.size, document->size);
        return false;
    }
    if (!bp_checksum_equal(&r.sum, &document->checksum)) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "document %s of backup %s was altered: its checksum "
                     "differs from the manifest's",
                     document->key, name);
        return false;
    }
    return true;
}

bool
bp_documents_verify(const bp_catalog *catalog, const bp_manifest *manifest, GError **error)
{
    for (guint i = 0; i < manifest->documents->len; i++) {
        if (!verify_one(catalog, manifest->name, g_ptr_array_index(manifest->documents, i),
                        error)) {
            return false;
        }
    }
    return true;
}
