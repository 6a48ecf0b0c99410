/* SPDX-License-Identifier: Apache-2.0
 *
 * See uploads.h.  One object per upload: workers write and remove them side by side.
 */
#include "core/catalog/uploads.h"

#include <pthread.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/catalog/catalog_internal.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "catalog"

#define RECORD_MAX (64 << 10) /* a key and an upload id, escaped */

struct bp_uploads {
    bp_catalog catalog;
    char *name, *run_id;
    pthread_mutex_t lock; /* guards all below */
    GHashTable *numbers;  /* "<id> <key>" -> number of its record; id may be "" */
    guint unheard;        /* records without an id whose key was begun once more: they stay */
    guint last;
};

bp_uploads *
bp_uploads_new(const bp_catalog *catalog, const char *name, const char *run_id)
{
    bp_uploads *uploads = g_new0(bp_uploads, 1);
    uploads->catalog = *catalog;
    uploads->name = g_strdup(name);
    uploads->run_id = g_strdup(run_id);
    uploads->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pthread_mutex_init(&uploads->lock, NULL);
    return uploads;
}

void
bp_uploads_free(bp_uploads *uploads)
{
    if (uploads == NULL) {
        return;
    }
    pthread_mutex_destroy(&uploads->lock);
    g_hash_table_unref(uploads->numbers);
    g_free(uploads->run_id);
    g_free(uploads->name);
    g_free(uploads);
}

static char *
record_key(const bp_uploads *uploads, guint number)
{
    return g_strdup_printf("%s/" BP_UPLOADS_DIR "%s-%06u.json", uploads->name, uploads->run_id,
                           number);
}

/*
 * An id goes into the record that was made before the upload had one.  What is begun has a record
 * of its own: an upload of that key that nobody heard of may be there as well.
 */
static guint
number_for(bp_uploads *uploads, const char *key, const char *upload)
{
    g_autofree char *nameless = g_strconcat(" ", key, NULL);
    BP_LOCK_GUARD(&uploads->lock);
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(uploads->numbers, nameless));
    if (number != 0 && *upload == '\0') {
        uploads->unheard++;
        number = 0;
    }
    if (number == 0) {
        number = ++uploads->last;
    }
    g_hash_table_remove(uploads->numbers, nameless);
    g_hash_table_insert(uploads->numbers, g_strdup_printf("%s %s", upload, key),
                        GUINT_TO_POINTER(number));
    return number;
}

bool
bp_uploads_add(bp_uploads *uploads, const char *key, const char *upload, GError **error)
{
    g_autofree char *object = record_key(uploads, number_for(uploads, key, upload));
    g_autoptr(json_t) record = json_object();
    bp_json_set_u64(record, "version", BP_MANIFEST_VERSION);
    bp_json_set_text(record, "key", key);
    bp_json_set_text(record, "upload", upload);
    g_autofree char *text = bp_json_line(record);
    return bp_catalog__put(&uploads->catalog, "catalog.upload", object, text, strlen(text), error);
}

void
bp_uploads_forget(bp_uploads *uploads, const char *key, const char *upload)
{
    g_autofree char *id = g_strdup_printf("%s %s", upload, key);
    guint number = 0;
    {
        BP_LOCK_GUARD(&uploads->lock);
        number = GPOINTER_TO_UINT(g_hash_table_lookup(uploads->numbers, id));
        g_hash_table_remove(uploads->numbers, id);
    }
    if (number == 0) {
        return;
    }
    bp_call undo = bp_call_undo(uploads->catalog.call); /* also after a cancel */
    bp_catalog catalog = uploads->catalog;
    catalog.call = &undo;
    g_autofree char *object = record_key(uploads, number);
    g_autoptr(GError) failed = NULL;
    if (!bp_catalog__remove(&catalog, object, &failed)) {
        BP_INFO("the record of a finished upload stays", "record", object, "reason",
                failed->message);
    }
}

guint
bp_uploads_left(bp_uploads *uploads)
{
    BP_LOCK_GUARD(&uploads->lock);
    return g_hash_table_size(uploads->numbers) + uploads->unheard;
}

/** One upload of a dead run. */
typedef struct {
    const bp_catalog *catalog;
    const char *name, *record;
    char *key, *upload;
} remains;

static bool
read_record(remains *r, GError **error)
{
    g_autoptr(GBytes) text = bp_catalog__get(r->catalog, r->record, RECORD_MAX, error);
    if (text == NULL) {
        return false;
    }
    gsize n = 0;
    const char *bytes = g_bytes_get_data(text, &n);
    g_autoptr(json_t) record = bp_json_parse(bytes, n, r->record, error);
    if (record == NULL) {
        return false;
    }
    const char *key = bp_json_text(record, "key", "");
    const char *upload = bp_json_text(record, "upload", ""); /* "" is not written */
    const char *why = NULL;
    if (bp_json_u64(record, "version", 0) != BP_MANIFEST_VERSION || bp_key_check(key, &why) != 0) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s names no upload", r->record);
        return false;
    }
    r->key = bp_catalog_key(r->name, key);
    r->upload = g_strdup(upload);
    return true;
}

static bool
try_abort(void *ctx, GError **error)
{
    const remains *r = ctx;
    if (*r->upload == '\0') {
        return bp_store_uploads_abort_key(r->catalog->store, r->catalog->call, r->key, error);
    }
    return bp_store_part_abort(r->catalog->store, r->catalog->call, r->key, r->upload, error);
}

static bool
end_one(remains *r, GError **error)
{
    if (!read_record(r, error)) {
        return false;
    }
    GError *failed = NULL;
    if (!bp_catalog__retry(r->catalog, try_abort, r, &failed) &&
        !bp_error_is(failed, BP_ERR_NOT_FOUND)) { /* it was complete, or aborted before */
        g_propagate_error(error, failed);
        return false;
    }
    g_clear_error(&failed);
    return bp_catalog__remove(r->catalog, r->record, error);
}

static void
warn(const remains *r, const GError *why)
{
    BP_WARN("an unfinished upload could not be aborted", "key", r->key != NULL ? r->key : r->record,
            "upload", r->upload != NULL ? r->upload : "?", "reason", why->message);
}

static bool
end_all(const bp_catalog *catalog, const char *name, GError **error)
{
    g_autofree char *prefix = bp_catalog_key(name, BP_UPLOADS_DIR);
    g_autoptr(GPtrArray) records = bp_catalog__names(catalog, prefix, '\0', error);
    for (guint i = 0; records != NULL && i < records->len; i++) {
        remains r = {.catalog = catalog, .name = name, .record = g_ptr_array_index(records, i)};
        GError *failed = NULL;
        bool ended = end_one(&r, &failed);
        bool cancelled = bp_error_is(failed, BP_ERR_CANCELLED);
        if (!ended && !cancelled) {
            warn(&r, failed);
            g_clear_error(&failed);
        }
        g_free(r.key);
        g_free(r.upload);
        if (cancelled) {
            g_propagate_error(error, failed);
            return false;
        }
    }
    return records != NULL;
}

bool
bp_uploads_abort(const bp_catalog *catalog, const char *name, GError **error)
{
    GError *failed = NULL;
    if (end_all(catalog, name, &failed)) {
        return true;
    }
    if (bp_error_is(failed, BP_ERR_CANCELLED)) {
        g_propagate_error(error, failed);
        return false;
    }
    BP_WARN("unfinished uploads may remain", "backup", name, "reason", failed->message);
    g_clear_error(&failed);
    return true;
}
