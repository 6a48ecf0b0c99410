/* SPDX-License-Identifier: Apache-2.0
 *
 * See fixture.h.
 */
#include "tests/unit/core/catalog/fixture.h"

#include "core/base/clock.h"
#include "core/catalog/lease_internal.h"
#include "core/catalog/sumtext.h"

fixture fix;

const char *const small_items[SMALL_ITEMS] = {"data/1/a", "data/1/b", "data/2/c"};

void
fixture_setup(void)
{
    fix.store = fake_store_new("backups");
    fix.cancel = bp_cancel_new();
    fix.call = (bp_call){.cancel = fix.cancel};
    fix.catalog = (bp_catalog){.store = fix.store,
                               .call = &fix.call,
                               .attempts = 3,
                               .max_delay_ns = 1,
                               .commit_document = COMMIT_DOCUMENT};
    fix.error = NULL;
}

void
fixture_teardown(void)
{
    ck_assert_uint_eq(fake_store_n_open(fix.store), 0);
    g_clear_error(&fix.error);
    bp_store_free(fix.store);
    bp_cancel_free(fix.cancel);
}

bp_catalog
fixture_fresh(void)
{
    static const bp_call call = {0};
    bp_catalog catalog = fix.catalog;
    catalog.call = &call;
    return catalog;
}

static void
add_unit(bp_manifest *manifest, const char *id, const char *parent, bool has_items)
{
    bp_manifest_unit *unit = bp_manifest_unit_new();
    unit->id = g_strdup(id);
    unit->parent = g_strdup(parent);
    unit->kind = g_strdup(has_items ? "table" : "space");
    unit->name = g_strdup(id);
    unit->has_items = has_items;
    g_ptr_array_add(manifest->units, unit);
}

bp_manifest *
fixture_manifest(const char *name, const char *run_id)
{
    bp_manifest *manifest = bp_manifest_new(name);
    manifest->run_id = g_strdup(run_id);
    manifest->writer = g_strdup("bakplane test");
    manifest->source_plugin = g_strdup("test");
    manifest->started_ns = 1000 * BP_NS_PER_S;
    add_unit(manifest, "root", NULL, false);
    add_unit(manifest, "t1", "root", true);
    add_unit(manifest, "t2", "root", true);
    return manifest;
}

bool
fixture_write_data(const bp_catalog *catalog, const char *name, GError **error)
{
    for (guint i = 0; i < SMALL_ITEMS; i++) {
        g_autofree char *key = bp_catalog_key(name, small_items[i]);
        bp_store_put_params put = {
            .key = key, .bytes = small_items[i], .n = strlen(small_items[i])};
        if (!bp_store_put(catalog->store, catalog->call, &put, error)) {
            return false;
        }
    }
    return true;
}

void
fixture_add_items(bp_journal *journal, guint32 generation)
{
    for (guint i = 0; i < SMALL_ITEMS; i++) {
        bp_item_record record = {.key = small_items[i],
                                 .unit_id = i < 2 ? "t1" : "t2",
                                 .size = strlen(small_items[i]),
                                 .etag = "v1",
                                 .generation = generation};
        bp_sumtext_hash(small_items[i], strlen(small_items[i]), &record.checksum);
        bp_journal_add(journal, &record);
    }
}

bool
fixture_generation(void *ctx, const char *unit_id, guint32 *generation)
{
    *generation = ctx != NULL ? *(const guint32 *)ctx : 0;
    return strcmp(unit_id, "dropped") != 0;
}

static bool
hand_over(bp_documents *documents, const char *key, const char *text, bool commit)
{
    bp_document_fns fns = bp_documents_fns(documents);
    return fns.begin(fns.ctx, key, commit) && fns.write(fns.ctx, text, strlen(text)) &&
           fns.end(fns.ctx);
}

bool
fixture_write_documents(bp_documents *documents, GError **error)
{
    bool ok = hand_over(documents, "meta/full.json", "{\"all\":true}", false) &&
              hand_over(documents, "meta/extra.json", "{}", false) &&
              hand_over(documents, COMMIT_DOCUMENT, "{\"done\":1}", true);
    return bp_documents_check(documents, error) && ok;
}

bool
fixture_create(const bp_catalog *catalog, const char *name, const char *run_id, bool resume,
               GError **error)
{
    g_autoptr(bp_manifest) manifest = fixture_manifest(name, run_id);
    g_autoptr(bp_journal) journal = bp_journal_new(catalog, name, run_id);
    g_autoptr(bp_documents) documents = bp_documents_new(catalog, manifest);
    bp_seal_params seal = {.catalog = catalog,
                           .manifest = manifest,
                           .run_id = run_id,
                           .generation = fixture_generation,
                           .sweep = resume};
    manifest->state = BP_BACKUP_RUNNING;
    if (!bp_catalog_save(catalog, manifest, error) || !fixture_write_data(catalog, name, error)) {
        return false;
    }
    fixture_add_items(journal, 0);
    if (!bp_journal_write(journal, error)) {
        return false;
    }
    seal.chunks = bp_journal_chunks(journal);
    if (!bp_journal_seal(&seal, error) || !fixture_write_documents(documents, error)) {
        return false;
    }
    manifest->state = BP_BACKUP_SUCCESS;
    manifest->finished_ns = 2000 * BP_NS_PER_S;
    return bp_catalog_save(catalog, manifest, error) && bp_documents_commit(documents, error) &&
           bp_journal_remove(catalog, name, error);
}

bool
fixture_note_item(void *ctx, const bp_item_record *record, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(ctx, "%s %s %" G_GUINT64_FORMAT "\n", record->key, record->unit_id,
                           record->size);
    return true;
}

char *
fixture_text(const char *key)
{
    g_autoptr(GBytes) bytes = fake_store_content(fix.store, key);
    return bytes != NULL ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)) : NULL;
}

char *
fixture_lease_text(const char *run_id, const char *host, gint64 pid, gint64 renew_ns)
{
    g_autoptr(bp_lease_record) record = bp_lease_record_new(run_id, "create", renew_ns);
    if (host != NULL) {
        g_free(record->host);
        record->host = g_strdup(host);
    }
    if (pid != 0) {
        record->pid = pid;
        record->pid_start = 1;
    }
    return bp_lease_record_text(record);
}
