/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/manifest: what is written is read back the same.
 */
#include "core/catalog/manifest.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/catalog/sumtext.h"
#include "tests/unit/core/catalog/fixture.h"

static bp_manifest *
full_manifest(void)
{
    bp_manifest *manifest = fixture_manifest("b_1", "run-1");
    manifest->state = BP_BACKUP_SUCCESS;
    manifest->finished_ns = 1000 * BP_NS_PER_S + 5 * BP_NS_PER_MS;
    manifest->source_address = g_strdup("localhost:1");
    manifest->server_version = g_strdup("v2.3.5");
    manifest->proof_what = g_strdup("rows");
    manifest->label = g_strdup("nightly");
    manifest->copying = true;
    manifest->error = g_strdup("no \"error\"\nhint: none");
    bp_manifest_unit *unit = bp_manifest_find_unit(manifest, "t1");
    unit->has_proof = true;
    unit->low = 293;
    unit->high = 300;
    unit->found = BP_UNKNOWN;
    unit->note = g_strdup("counted");
    unit->items = manifest->items = 2;
    unit->bytes = manifest->bytes = 17;
    struct bp_checksum sum;
    bp_sumtext_hash("x", 1, &sum);
    g_ptr_array_add(manifest->documents, bp_manifest_file_new(COMMIT_DOCUMENT, 1, &sum));
    bp_manifest_file *file = bp_manifest_file_new("bakplane/items-1.jsonl", 1, &sum);
    file->items = 2;
    g_ptr_array_add(manifest->item_files, file);
    return manifest;
}

static char *
text_of(const bp_manifest *manifest)
{
    g_autoptr(json_t) json = bp_manifest_to_json(manifest);
    return bp_json_pretty(json);
}

START_TEST(test_to_json__round_trip)
{
    g_autoptr(bp_manifest) manifest = full_manifest();
    g_autofree char *text = text_of(manifest);
    g_autoptr(bp_manifest) back = bp_manifest_parse(text, strlen(text), "m", &fix.error);
    ASSERT_FINE(back != NULL, fix.error);
    g_autofree char *again = text_of(back);
    ck_assert_str_eq(text, again);

    ck_assert_int_eq(back->started_ns, manifest->started_ns);
    ck_assert_int_eq(back->finished_ns, manifest->finished_ns);
    ck_assert_str_eq(back->error, manifest->error);
    ck_assert_str_eq(back->label, "nightly");
    ck_assert(back->copying);
    const bp_manifest_unit *unit = bp_manifest_find_unit(back, "t1");
    ck_assert_str_eq(unit->parent, "root");
    ck_assert(unit->has_items && unit->has_proof && !unit->unprovable);
    ck_assert_uint_eq(unit->low, 293);
    ck_assert_uint_eq(unit->found, BP_UNKNOWN);
    ck_assert_ptr_null(((bp_manifest_unit *)g_ptr_array_index(back->units, 0))->parent);
    ck_assert_ptr_null(bp_manifest_find_unit(back, "t"));
}
END_TEST

START_TEST(test_has_document__by_its_whole_key)
{
    g_autoptr(bp_manifest) manifest = full_manifest();
    ck_assert(bp_manifest_has_document(manifest, COMMIT_DOCUMENT));
    ck_assert(!bp_manifest_has_document(manifest, COMMIT_DOCUMENT "x"));
    ck_assert(!bp_manifest_has_document(manifest, "bakplane/items-1.jsonl"));
}
END_TEST

START_TEST(test_state_name__all)
{
    ck_assert_str_eq(bp_backup_state_name(BP_BACKUP_RUNNING), "running");
    ck_assert_str_eq(bp_backup_state_name(BP_BACKUP_SUCCESS), "success");
    ck_assert_str_eq(bp_backup_state_name(BP_BACKUP_FAILED), "failed");
    ck_assert_str_eq(bp_backup_state_name(BP_BACKUP_DELETING), "deleting");
}
END_TEST

START_TEST(test_free__null)
{
    bp_manifest_free(NULL);
    bp_manifest_unit_free(NULL);
    bp_manifest_file_free(NULL);
}
END_TEST

/* Any byte lost or changed: refused, or read as something consistent; never a crash. */
START_TEST(test_parse__every_mutation_is_survived)
{
    g_autoptr(bp_manifest) manifest = full_manifest();
    g_autofree char *text = text_of(manifest);
    gsize n = strlen(text);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(bp_manifest) cut = bp_manifest_parse(text, i, "m", NULL);
        ck_assert(cut == NULL || i == n - 1); /* all but the newline at the end */
        static const char replacements[] = {'\0', '"', '9', '-', '}', '[', '\xFF'};
        for (gsize r = 0; r < sizeof replacements; r++) {
            char old = text[i];
            text[i] = replacements[r];
            g_autoptr(GError) error = NULL;
            g_autoptr(bp_manifest) changed = bp_manifest_parse(text, n, "m", &error);
            ck_assert((changed == NULL) == (error != NULL));
            ck_assert(changed == NULL || changed->units->len == 3);
            text[i] = old;
        }
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/manifest", fixture_setup, fixture_teardown,
                     test_to_json__round_trip, test_has_document__by_its_whole_key,
                     test_state_name__all, test_free__null, test_parse__every_mutation_is_survived);
}
