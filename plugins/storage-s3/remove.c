/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing.
 */
#include "plugins/storage-s3/remove.h"

#include <string.h>

#include "plugins/storage-s3/read.h"
#include "plugins/storage-s3/request.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

#define MAX_BATCH 1000

/* Where DELETE ignores conditions: not atomic, but no worse than what there is. */
static bp_status
check_version(struct bp_storage *storage, const struct bp_op *op, const char *key,
              const char *if_match, struct bp_error *error)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    return bp_s3_stat_version(storage, op, key, if_match, &meta, error);
}

bp_status
bp_s3_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
             const char *if_match, struct bp_error *error)
{
    char *full;
    struct bp_s3_request request;
    bp_status status = bp_s3_full_key(storage, key, &full, error);
    if (status != BP_OK) {
        return status;
    }
    bp_s3_request_init(&request, "DELETE", "remove", full);
    if (if_match != NULL && storage->set.provider->remove_if_match && storage->set.conditional) {
        bp_s3_request_header(&request, "If-Match: \"%s\"", if_match);
    } else if (if_match != NULL) {
        status = check_version(storage, op, key, if_match, error);
    }
    if (status == BP_OK) {
        status = bp_s3_send_simple(storage, op, &request, error);
    }
    bp_s3_request_clear(&request);
    if (status == BP_ERR_NOT_FOUND && strcmp(error->code, "NoSuchBucket") != 0) {
        status = BP_OK;
    }
    return status;
}

static bp_status
tell(const struct bp_key_sink *sink, const char *key, const struct bp_error *failed,
     struct bp_error *error)
{
    if (sink->key(sink->ctx, key, NULL, 0, failed) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "stopped by the receiver of the results");
    }
    return BP_OK;
}

static bp_status
remove_each(struct bp_storage *storage, const struct bp_op *op, const char *const *keys, size_t n,
            const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_status status = BP_OK;
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        struct bp_error one = {.struct_size = sizeof(one)};
        status = bp_s3_remove(storage, op, keys[i], NULL, &one);
        /* What concerns all keys ends it: after AUTH the host comes back with another login. */
        if (status == BP_ERR_CANCELLED || status == BP_ERR_TIMEOUT || status == BP_ERR_AUTH) {
            bp_result_copy(error, &one);
            return status;
        }
        status = tell(sink, keys[i], status == BP_OK ? NULL : &one, error);
    }
    return status;
}

/* <Delete>, or NULL when a key is none; *index finds a key's number by its full name. */
static GString *
list_of_keys(struct bp_storage *storage, const char *const *keys, size_t n, GHashTable *index,
             struct bp_error *error)
{
    GString *text = g_string_new("<Delete>");
    for (size_t i = 0; i < n; i++) {
        char *full;
        if (bp_s3_full_key(storage, keys[i], &full, error) != BP_OK) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_autofree char *escaped = g_markup_escape_text(full, -1);
        g_string_append_printf(text, "<Object><Key>%s</Key></Object>", escaped);
        g_hash_table_insert(index, full, GSIZE_TO_POINTER(i + 1));
    }
    return g_string_append(text, "</Delete>");
}

/* XML 1.0 has no way to write U+FFFE and U+FFFF: a list with one of them is refused as a whole. */
static bool
fits_xml(const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strstr(keys[i], "\xEF\xBF\xBE") != NULL || strstr(keys[i], "\xEF\xBF\xBF") != NULL) {
            return false;
        }
    }
    return true;
}

/* What became of each key; a class for those that the answer forgot. */
struct outcomes {
    struct bp_storage *storage;
    const char *const *keys;
    size_t n;
    GHashTable *index; /* full key -> number + 1 */
    bool *told;
    const struct bp_key_sink *sink;
    struct bp_error *error;
};

static bp_status
take_outcome(struct outcomes *out, const bp_xml_node *node)
{
    const char *full = bp_xml_text(node, "Key");
    size_t number = full == NULL ? 0 : GPOINTER_TO_SIZE(g_hash_table_lookup(out->index, full));
    struct bp_s3_refusal refusal = {.status = 200};
    if (number == 0 || out->told[number - 1]) {
        return BP_OK; /* nothing that we asked for */
    }
    out->told[number - 1] = true;
    const char *key = out->keys[number - 1];
    if (strcmp(bp_xml_name(node), "Deleted") == 0) {
        return tell(out->sink, key, NULL, out->error);
    }
    bp_s3_refusal_read(&refusal, node);
    bp_status cls = bp_s3_refusal_class(&refusal);
    if (cls == BP_ERR_NOT_FOUND && strcmp(refusal.code, "NoSuchBucket") != 0) {
        return tell(out->sink, key, NULL, out->error);
    }
    struct bp_error one = {.struct_size = sizeof(one)};
    g_autofree char *what =
        g_strdup_printf("remove s3://%s/%.200s", out->storage->set.bucket, full);
    (void)bp_s3_refuse(&one, &refusal, what);
    return tell(out->sink, key, &one, out->error);
}

static bp_status
take_outcomes(struct outcomes *out, const bp_xml *xml)
{
    bp_status status = BP_OK;
    const bp_xml_node *node = xml == NULL ? NULL : bp_xml_first(bp_xml_root(xml), NULL);
    for (; status == BP_OK && node != NULL; node = bp_xml_next(node, NULL)) {
        const char *name = bp_xml_name(node);
        if (strcmp(name, "Deleted") == 0 || strcmp(name, "Error") == 0) {
            status = take_outcome(out, node);
        }
    }
    for (size_t i = 0; status == BP_OK && i < out->n; i++) {
        if (!out->told[i]) {
            struct bp_error one = {.struct_size = sizeof(one)};
            (void)bp_fail(&one, BP_ERR_RETRYABLE, "the store does not say whether it removed %s",
                          out->keys[i]);
            status = tell(out->sink, out->keys[i], &one, out->error);
        }
    }
    return status;
}

static bp_status
remove_batch(struct bp_storage *storage, const struct bp_op *op, const char *const *keys, size_t n,
             const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_xml *xml = NULL;
    struct bp_s3_request request;
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GString *body = list_of_keys(storage, keys, n, index, error);
    if (body == NULL) {
        return error->cls;
    }
    g_autofree char *md5 = bp_s3_md5_base64(body->str, body->len);
    bp_s3_request_init(&request, "POST", "remove objects in", NULL);
    bp_s3_request_query(&request, "delete", NULL);
    bp_s3_request_header(&request, "Content-MD5: %s", md5);
    bp_s3_request_header(&request, "Content-Type: application/xml");
    request.body = body->str;
    request.body_size = body->len;
    bp_status status = bp_s3_send_for_xml(storage, op, &request, &xml, error);
    if (status == BP_OK) {
        g_autofree bool *told = g_new0(bool, n);
        struct outcomes out = {storage, keys, n, index, told, sink, error};
        status = take_outcomes(&out, xml);
    }
    bp_xml_free(xml);
    bp_s3_request_clear(&request);
    g_string_free(body, TRUE);
    return status;
}

bp_status
bp_s3_remove_many(struct bp_storage *storage, const struct bp_op *op, const char *const *keys,
                  size_t n, const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_status status = bp_s3_check_op(storage, op, error);
    size_t done = 0;
    while (status == BP_OK && done < n) {
        size_t some = MIN(n - done, MAX_BATCH);
        if (!storage->set.provider->remove_many || atomic_load(&storage->no_remove_many) ||
            !fits_xml(keys + done, some)) {
            status = remove_each(storage, op, keys + done, some, sink, error);
        } else {
            status = remove_batch(storage, op, keys + done, some, sink, error);
            if (status == BP_ERR_UNSUPPORTED) {
                bp_hostlog(storage->host, op, BP_LOG_INFO,
                           "the store of bucket %s removes objects one by one only",
                           storage->set.bucket);
                atomic_store(&storage->no_remove_many, true);
                status = BP_OK;
                continue;
            }
        }
        done += some;
    }
    return status;
}
