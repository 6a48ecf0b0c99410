/* SPDX-License-Identifier: Apache-2.0
 *
 * See lease_internal.h: reading and writing a lease object, and one look at it from outside.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/lease_internal.h"

#include "sdk/lib/ban.h"

#define LEASE_MAX 16384 /* bytes that are read; a longer one is not readable */

void
bp_lease_found_clear(bp_lease_found *found)
{
    g_clear_pointer(&found->text, g_free);
    g_clear_pointer(&found->record, bp_lease_record_free);
}

bool
bp_lease_found_is(const bp_lease_found *found, const char *run_id)
{
    return found->record != NULL && found->record->readable &&
           strcmp(found->record->run_id, run_id) == 0;
}

static bool
read_text(bp_store_reader *reader, const bp_call *call, GString *text, GError **error)
{
    char buffer[4096];
    gsize n = 0;
    do {
        if (!bp_store_read(reader, call, buffer, sizeof buffer, &n, error)) {
            return false;
        }
        g_string_append_len(text, buffer, (gssize)n);
    } while (n > 0 && text->len <= LEASE_MAX);
    return true;
}

bool
bp_lease__read(bp_store *store, const bp_call *call, const char *key, bp_lease_found *out,
               GError **error)
{
    bp_lease_found_clear(out);
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    GError *failed = NULL;
    bp_store_read_params params = {.key = key};
    bp_store_reader *reader = bp_store_read_open(store, call, &params, &meta, &failed);
    if (reader == NULL) {
        if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
            g_clear_error(&failed);
            return true;
        }
        g_propagate_error(error, failed);
        return false;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    bool ok = read_text(reader, call, text, error);
    bp_store_read_close(reader);
    if (!ok) {
        return false;
    }
    g_strlcpy(out->etag, meta.etag, sizeof out->etag);
    out->record = bp_lease_record_parse(text->str, text->len);
    out->text = g_string_free(g_steal_pointer(&text), FALSE);
    return true;
}

typedef struct {
    const bp_catalog *catalog;
    const char *key;
    bp_lease_found *out;
} get_call;

static bool
try_get(void *ctx, GError **error)
{
    const get_call *get = ctx;
    return bp_lease__read(get->catalog->store, get->catalog->call, get->key, get->out, error);
}

bool
bp_lease__get(const bp_catalog *catalog, const char *key, bp_lease_found *out, GError **error)
{
    get_call get = {.catalog = catalog, .key = key, .out = out};
    return bp_catalog__retry(catalog, try_get, &get, error);
}

bool
bp_lease__write(const bp_lease_write *write, char *etag, GError **error)
{
    g_autofree char *text = bp_lease_record_text(write->record);
    gsize n = strlen(text);
    bp_store_write_params params = {
        .key = write->key,
        .size = n,
        .flags = BP_WRITE_DURABLE | (write->exclusive ? BP_WRITE_IF_NONE_MATCH : 0),
        .if_match = write->if_match,
    };
    bp_store_writer *writer = bp_store_write_open(write->store, write->call, &params, error);
    if (writer == NULL) {
        return false;
    }
    if (!bp_store_write(writer, write->call, text, n, error)) {
        bp_store_write_abort(writer);
        return false;
    }
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    if (!bp_store_write_commit(writer, write->call, &meta, error)) {
        return false;
    }
    if (etag != NULL) {
        g_strlcpy(etag, meta.etag, sizeof meta.etag);
    }
    return true;
}

void
bp_lease__set_held(const bp_lease_params *params, const bp_lease_found *found, bp_lease_state state,
                   GError **error)
{
    g_autofree char *holder = bp_lease_record_describe(found->record);
    bp_set_error(error, BP_ERR_EXISTS, "%s is held by %s", params->key, holder);
    if (state == BP_LEASE_LIVE) {
        bp_error_add_hint(error, "wait until it has ended, or stop it");
    } else {
        bp_error_add_hint(error, "if that process is gone for good, delete the object %s",
                          params->key);
    }
}

bool
bp_lease_look(const bp_catalog *catalog, const char *key, bp_lease_state *state, char **holder,
              GError **error)
{
    g_auto(bp_lease_found) found = {0};
    if (!bp_lease__get(catalog, key, &found, error)) {
        return false;
    }
    *state = found.text != NULL ? bp_lease_record_judge(found.record) : BP_LEASE_NONE;
    if (holder != NULL) {
        *holder = found.text != NULL ? bp_lease_record_describe(found.record) : NULL;
    }
    return true;
}
