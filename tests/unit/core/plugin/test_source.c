/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/source*: the files source on a memory storage, as it is and with operations replaced
 * by ones that break their promises.
 */
#include "core/plugin/source.h"

#include "core/config/section.h"
#include "core/plugin/module.h"
#include "core/plugin/refs.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static bp_plugins *plugins;
static bp_module *module;
static struct bp_source_ops honest;
static bp_store *database, *backup;
static bp_refs *refs;
static bp_source_inst *source;
static bp_call call;
static GString *seen;

static bp_settings *
settings_with(const char *key, const char *value)
{
    bp_settings *settings = bp_settings__new();
    bp_value *text = bp_value__new();
    g_ptr_array_add(text->texts, g_strdup(value));
    bp_settings__put(settings, key, text);
    return settings;
}

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    const char *dirs[] = {g_getenv("BAKPLANE_TEST_PLUGIN_DIR"), NULL};
    test_ops_reset();
    plugins = bp_plugins_new(dirs, NULL);
    module = bp_plugins_get(plugins, BP_PLUGIN_SOURCE, "files", &error);
    ASSERT_FINE(module != NULL, error);
    honest = module->source;
    test_ops_seed("db", "a/1", "one");
    test_ops_seed("db", "a/2", "two");
    test_ops_seed("db", "b/c/3", "three");
    test_ops_seed("db", "loose", "no unit");
    database = test_ops_open("database", "db");
    backup = test_ops_open("backups", "bk");
    refs = bp_refs_new();
    bp_refs_add(refs, "db", database, "", 0);
    bp_refs_add(refs, "@backup", backup, "nightly/", BP_VIEW_READ_ONLY);
    call = (bp_call){.refs = refs};
    source = bp_source_open(module, settings_with("storage", "db"), NULL, &error);
    ASSERT_FINE(source != NULL, error);
    seen = g_string_new(NULL);
}

static void
teardown(void)
{
    module->source = honest;
    bp_source_free(source);
    bp_refs_free(refs);
    bp_store_free(database);
    bp_store_free(backup);
    bp_plugins_free(plugins);
    g_string_free(seen, TRUE);
}

static bool
note_unit(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    g_string_append_printf(seen, "%s:%s ", unit->kind, unit->name);
    return true;
}

static bool
note_item(void *ctx, const struct bp_item *item)
{
    (void)ctx;
    g_string_append_printf(seen, "%s=%s@%s ", item->key, item->ref_key, item->ref);
    return true;
}

static bool
stop_item(void *ctx, const struct bp_item *item)
{
    (void)ctx;
    (void)item;
    return false;
}

static bool
only_b(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    return strcmp(unit->id, "b") == 0;
}

static bp_source_run *
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

static void
end_run(bp_source_run *run)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_source_run_end(run, &call, BP_OUTCOME_DONE, &error), error);
}

START_TEST(test_open__facts)
{
    ck_assert_str_eq(bp_source_kind(source), "files");
    ck_assert_str_eq(bp_source_facts(source)->commit_document, "meta/files.json");
    ck_assert(bp_source_can_restore(source));
    ck_assert(!bp_source_can_adopt(source));
}
END_TEST

START_TEST(test_open__plugin_refuses)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(bp_source_open(module, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "source files: setting \"storage\" is missing");
}
END_TEST

START_TEST(test_probe__storage_out_of_reach)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_source_probe(source, &call, NULL, NULL, &error), error);
    ck_assert(!bp_source_probe(source, NULL, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no storage \"db\" in reach of this call");
}
END_TEST

START_TEST(test_plan__all_and_filtered)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_source_plan(source, &call, NULL, note_unit, NULL, &error), error);
    ck_assert_str_eq(seen->str, "directory:a directory:b ");
    g_string_truncate(seen, 0);
    ASSERT_FINE(bp_source_plan(source, &call, only_b, note_unit, NULL, &error), error);
    ck_assert_str_eq(seen->str, "directory:b ");
}
END_TEST

static struct bp_unit lying_unit;

static bp_status
lying_plan(struct bp_source *self, const struct bp_op *op, const struct bp_unit_filter *filter,
           const struct bp_unit_sink *sink, struct bp_error *error)
{
    (void)self;
    (void)op;
    (void)filter;
    (void)error;
    return sink->unit(sink->ctx, &lying_unit) == 0 ? sink->unit(sink->ctx, &lying_unit) * 0 : BP_OK;
}

START_TEST(test_plan__lies)
{
    static const struct {
        struct bp_unit unit;
        const char *message;
    } cases[] = {
        {{.struct_size = 4}, "plugin bug: files plan: told of a unit that is too short"},
        {{.struct_size = sizeof(struct bp_unit), .id = "", .kind = "k", .name = "n"},
         "answered no unit id"},
        {{.struct_size = sizeof(struct bp_unit), .id = "i", .kind = "k", .name = "\xff"},
         "unit name that is not valid UTF-8"},
        {{.struct_size = sizeof(struct bp_unit),
          .id = "i",
          .kind = "k",
          .name = "n",
          .parent = "p"},
         "unit \"i\" comes before its parent \"p\""},
        {{.struct_size = sizeof(struct bp_unit), .id = "i", .kind = "k", .name = "n"},
         "unit \"i\" comes twice"},
    };
    module->source.plan = lying_plan;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        lying_unit = cases[i].unit;
        ck_assert(!bp_source_plan(source, &call, NULL, note_unit, NULL, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
}
END_TEST

START_TEST(test_items__named_and_proven)
{
    g_autoptr(GError) error = NULL;
    struct bp_proof proof;
    bp_source_run *run = begin_run();
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", note_item, NULL, &error), error);
    ck_assert_str_eq(seen->str, "items/a/1=a/1@db items/a/2=a/2@db ");
    ASSERT_FINE(bp_source_unit_prove(run, &call, "a", &proof, &error), error);
    ck_assert_uint_eq(proof.low, 2);
    ck_assert_uint_eq(proof.found, 2);
    ck_assert_str_eq(proof.note, "objects listed");
    ASSERT_FINE(bp_source_unit_refresh(run, &call, "a", &error), error);
    ASSERT_FINE(bp_source_unit_end(run, &call, "a", BP_OUTCOME_DONE, &error), error);
    end_run(run);
}
END_TEST

START_TEST(test_items__many_pages_and_stop)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 2500; i++) {
        g_autofree char *key = g_strdup_printf("a/k%04u", i);
        test_ops_seed("db", key, "x");
    }
    bp_source_run *run = begin_run();
    struct bp_proof proof;
    ASSERT_FINE(bp_source_unit_items(run, &call, "a", note_item, NULL, &error), error);
    ASSERT_FINE(bp_source_unit_prove(run, &call, "a", &proof, &error), error);
    ck_assert_uint_eq(proof.found, 2502);
    ck_assert(!bp_source_unit_items(run, &call, "a", stop_item, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "source files: unit_items was stopped");
    end_run(run);
}
END_TEST

START_TEST(test_items__stream_is_unsupported_here)
{
    g_autoptr(GError) error = NULL;
    bp_source_run *run = begin_run();
    ck_assert_ptr_null(bp_source_item_open(run, &call, "a", "x", 0, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "source files has no streamed items");
    end_run(run);
}
END_TEST

static struct bp_item lying_item;
static const char *lying_token;

static bp_status
lying_items(struct bp_run *run, const struct bp_op *op, const char *unit_id, const char *token,
            const struct bp_item_sink *sink, struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)unit_id;
    (void)token;
    (void)error;
    if (lying_token != NULL) {
        return sink->next(sink->ctx, lying_token) * 0;
    }
    return sink->item(sink->ctx, &lying_item) * 0;
}

#define ITEM .struct_size = sizeof(struct bp_item), .id = "i"

START_TEST(test_items__lies)
{
    static const struct {
        struct bp_item item;
        const char *message;
    } cases[] = {
        {{ITEM, .key = "bakplane/manifest.json"}, "lies where only the host may write"},
        {{ITEM, .key = "bakplane"}, "lies where only the host may write"},
        {{ITEM, .key = "../x"}, "item key \"../x\" has a part"},
        {{ITEM, .key = "k", .ref = "elsewhere", .ref_key = "k"},
         "item k lies on storage \"elsewhere\", which is out of its reach"},
        {{ITEM, .key = "k", .ref = "db", .ref_key = "/etc"}, "item's key on its storage"},
        {{ITEM, .key = "k", .ref = "db", .ref_key = "k", .size = G_MAXUINT64 - 1},
         "item k has an impossible size"},
        {{ITEM, .key = "k", .kind = BP_ITEM_STREAM}, "but item_open is missing"},
        {{ITEM, .key = "k", .kind = 7}, "item k has kind 7"},
    };
    bp_source_run *run = begin_run();
    module->source.unit_items = lying_items;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        lying_item = cases[i].item;
        ck_assert(!bp_source_unit_items(run, &call, "a", note_item, NULL, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
    g_autoptr(GError) error = NULL;
    lying_token = "again";
    ck_assert(!bp_source_unit_items(run, &call, "a", note_item, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "answered the same token again");
    lying_token = NULL;
    ck_assert_str_eq(seen->str, "");
    end_run(run);
}
END_TEST

static bool
note_begin(void *ctx, const char *key, bool commit)
{
    (void)ctx;
    g_string_append_printf(seen, "%s%s:", key, commit ? "!" : "");
    return true;
}

static bool
note_write(void *ctx, const void *bytes, gsize n)
{
    (void)ctx;
    g_string_append_len(seen, bytes, (gssize)n);
    return true;
}

static bool
note_end(void *ctx)
{
    (void)ctx;
    return true;
}

static bool
refuse_end(void *ctx)
{
    (void)ctx;
    return false;
}

static const bp_document_fns document_fns = {note_begin, note_write, note_end};

START_TEST(test_documents__one_with_commit)
{
    g_autoptr(GError) error = NULL;
    bp_source_run *run = begin_run();
    ASSERT_FINE(bp_source_documents(run, &call, &document_fns, NULL, &error), error);
    ck_assert_str_eq(seen->str,
                     "meta/files.json!:{\"units\": [\n  {\"name\": \"a\", \"objects\": 0}\n]}\n");
    bp_document_fns refusing = {note_begin, note_write, refuse_end};
    ck_assert(!bp_source_documents(run, &call, &refusing, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "documents was stopped");
    end_run(run);
}
END_TEST

static const char *script; /* b: begin, c: begin the commit document, w: write, e: end */

static bp_status
scripted_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
                   struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)error;
    int32_t stop = 0;
    for (const char *step = script; *step != '\0' && stop == 0; step++) {
        stop = *step == 'b'   ? sink->begin(sink->ctx, "meta/x.json", 0)
               : *step == 'c' ? sink->begin(sink->ctx, "meta/files.json", BP_DOCUMENT_COMMIT)
               : *step == 'x' ? sink->begin(sink->ctx, "meta/x.json", BP_DOCUMENT_COMMIT)
               : *step == 'w' ? sink->write(sink->ctx, "x", 1)
                              : sink->end(sink->ctx);
    }
    return BP_OK;
}

START_TEST(test_documents__lies)
{
    static const struct {
        const char *script, *message;
    } cases[] = {
        {"bwe", "there is no commit document"},
        {"cwebwe", "a document follows the commit document"},
        {"bb", "a document begins inside of another"},
        {"w", "text outside of a document"},
        {"e", "the end of a document that did not begin"},
        {"cw", "the last document has no end"},
        {"xwe", "the commit document is not the one that info names"},
    };
    bp_source_run *run = begin_run();
    module->source.documents = scripted_documents;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        script = cases[i].script;
        ck_assert(!bp_source_documents(run, &call, &document_fns, NULL, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
    end_run(run);
}
END_TEST

static bp_status
lying_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id, struct bp_proof *out,
            struct bp_error *error)
{
    (void)run;
    (void)op;
    (void)unit_id;
    (void)error;
    out->low = 5;
    out->high = 4;
    return BP_OK;
}

START_TEST(test_prove__bounds_upside_down)
{
    g_autoptr(GError) error = NULL;
    struct bp_proof proof;
    bp_source_run *run = begin_run();
    module->source.unit_prove = lying_prove;
    ck_assert(!bp_source_unit_prove(run, &call, "a", &proof, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "proof of a has low 5 above high 4");
    end_run(run);
}
END_TEST

START_TEST(test_optional__missing_operations)
{
    g_autoptr(GError) error = NULL;
    struct bp_adopt_info info;
    bp_adopt_fns fns = {NULL, NULL, NULL};
    bp_source_run *run = begin_run();
    ck_assert(!bp_source_adopt(source, &call, "@backup", &fns, NULL, &info, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED,
                 "source files has no way to read backups of other programs");
    ASSERT_FINE(bp_source_run_keepalive(run, &call, &error), error);
    module->source.unit_refresh = NULL;
    ck_assert(!bp_source_unit_refresh(run, &call, "a", &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "source files has no way to look at a unit again");
    end_run(run);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/source", setup, teardown, test_open__facts,
                     test_open__plugin_refuses, test_probe__storage_out_of_reach,
                     test_plan__all_and_filtered, test_plan__lies, test_items__named_and_proven,
                     test_items__many_pages_and_stop, test_items__stream_is_unsupported_here,
                     test_items__lies, test_documents__one_with_commit, test_documents__lies,
                     test_prove__bounds_upside_down, test_optional__missing_operations);
}
