/* SPDX-License-Identifier: Apache-2.0
 *
 * See source_fixture.h.
 */
#include "tests/unit/core/plugin/source_fixture.h"

#include "core/config/section.h"
#include "core/plugin/refs.h"

bp_module *source_module;
struct bp_source_ops honest;
bp_store *database, *backup;
bp_source_inst *source;
bp_call call;
GString *seen;

static bp_plugins *plugins;
static bp_refs *refs;

static bp_settings *
settings_with(const char *key, const char *value)
{
    bp_settings *settings = bp_settings__new();
    bp_value *text = bp_value__new();
    g_ptr_array_add(text->texts, g_strdup(value));
    bp_settings__put(settings, key, text);
    return settings;
}

void
source_setup(void)
{
    g_autoptr(GError) error = NULL;
    const char *dirs[] = {g_getenv("BAKPLANE_TEST_PLUGIN_DIR"), NULL};
    test_ops_reset();
    plugins = bp_plugins_new(dirs, NULL);
    source_module = bp_plugins_get(plugins, BP_PLUGIN_SOURCE, "files", &error);
    ASSERT_FINE(source_module != NULL, error);
    honest = source_module->source;
    test_ops_seed("db", "a/1", "one");
    test_ops_seed("db", "a/2", "two");
    test_ops_seed("db", "b/c/3", "three");
    test_ops_seed("bk", "nightly/items/a/1", "one");
    test_ops_seed("bk", "nightly/items/a/2", "two");
    test_ops_seed("db", "loose", "no unit");
    database = test_ops_open("database", "db");
    backup = test_ops_open("backups", "bk");
    refs = bp_refs_new();
    bp_refs_add(refs, "db", database, "", 0);
    bp_refs_add(refs, "@backup", backup, "nightly/", BP_VIEW_READ_ONLY);
    call = (bp_call){.refs = refs};
    source = bp_source_open(source_module, settings_with("storage", "db"), NULL, &error);
    ASSERT_FINE(source != NULL, error);
    seen = g_string_new(NULL);
}

void
source_teardown(void)
{
    source_module->source = honest;
    bp_source_free(source);
    bp_refs_free(refs);
    bp_store_free(database);
    bp_store_free(backup);
    bp_plugins_free(plugins);
    g_string_free(seen, TRUE);
}

bool
note_unit(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    g_string_append_printf(seen, "%s:%s ", unit->kind, unit->name);
    return true;
}

bool
note_item(void *ctx, const struct bp_item *item)
{
    (void)ctx;
    g_string_append_printf(seen, "%s=%s@%s ", item->key, item->ref_key, item->ref);
    return true;
}

bp_source_run *
begin_run(void)
{
    g_autoptr(GError) error = NULL;
    guint32 keepalive_ms = 9;
    struct bp_run_args args = {.struct_size = sizeof args, .run_id = "r1", .backup = "nightly"};
    bp_source_run *run = bp_source_run_begin(source, &call, &args, &keepalive_ms, &error);
    ASSERT_FINE(run != NULL, error);
    ck_assert_uint_eq(keepalive_ms, 0);
    ASSERT_FINE(bp_source_unit_begin(run, &call, "a", &error), error);
    return run;
}

void
end_run(bp_source_run *run)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_source_run_end(run, &call, BP_OUTCOME_DONE, &error), error);
}
