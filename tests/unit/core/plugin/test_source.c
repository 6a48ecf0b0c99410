/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/source: the files source as it is, and with operations replaced by ones that break
 * their promises.
 */
#include "core/plugin/source.h"

#include "tests/unit/core/plugin/source_fixture.h"

static bool
only_b(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    return strcmp(unit->id, "b") == 0;
}

START_TEST(test_open__facts)
{
    ck_assert_str_eq(bp_source_kind(source), "files");
    ck_assert_str_eq(bp_source_facts(source)->commit_document, "meta/files.json");
    ck_assert(bp_source_can_restore(source));
    ck_assert(!bp_source_can_adopt(source));
}
END_TEST

static struct bp_source_info lying_info;

static bp_status
lie_of_facts(struct bp_source *self, struct bp_source_info *out, struct bp_error *error)
{
    (void)self;
    (void)error;
    *out = lying_info;
    return BP_OK;
}

/* A part of a name would be another unit's, or another document's. */
START_TEST(test_probe__names_that_may_be_cut)
{
    g_autoptr(GError) error = NULL;
    lying_info = *bp_source_facts(source);
    source_module->source.info = lie_of_facts;
    memset(lying_info.default_parent, 'x', sizeof lying_info.default_parent - 1);
    ck_assert(!bp_source_probe(source, &call, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "files info: answered a default parent that is not");
    lying_info.default_parent[0] = '\0';
    memset(lying_info.commit_document, 'x', sizeof lying_info.commit_document);
    ck_assert(!bp_source_probe(source, &call, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "files info: answered a commit document that is not");
}
END_TEST

START_TEST(test_open__plugin_refuses)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(bp_source_open(source_module, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "source files: setting \"storage\" is missing");
}
END_TEST

START_TEST(test_probe__storage_out_of_reach)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_source_probe(source, &call, NULL, &error), error);
    ck_assert(!bp_source_probe(source, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no storage \"db\" in reach of this call");
}
END_TEST

START_TEST(test_plan__all_and_filtered)
{
    g_autoptr(GError) error = NULL;
    bp_plan_fns fns = {.unit = note_unit};
    ASSERT_FINE(bp_source_plan(source, &call, &fns, &error), error);
    ck_assert_str_eq(seen->str, "directory:a directory:b ");
    g_string_truncate(seen, 0);
    fns.wants = only_b;
    ASSERT_FINE(bp_source_plan(source, &call, &fns, &error), error);
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
        {{.struct_size = sizeof(struct bp_unit), .flags = 1, .id = "i", .kind = "k", .name = "n"},
         "unit \"i\" has unknown flags"},
        {{.struct_size = sizeof(struct bp_unit),
          .id = "i",
          .kind = "k",
          .name = "n",
          .parent = "p"},
         "unit \"i\" comes before its parent \"p\""},
        {{.struct_size = sizeof(struct bp_unit), .id = "i", .kind = "k", .name = "n"},
         "unit \"i\" comes twice"},
    };
    bp_plan_fns fns = {.unit = note_unit};
    source_module->source.plan = lying_plan;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        lying_unit = cases[i].unit;
        ck_assert(!bp_source_plan(source, &call, &fns, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
}
END_TEST

static const char *script; /* u: unit, i: item, s: streamed item, x: of another unit, p: proof */

/* adopt: what it tells follows a script of letters. */
static bp_status
scripted_adopt(struct bp_source *self, const struct bp_op *op, const char *backup_ref,
               const struct bp_adopt_sink *sink, struct bp_adopt_info *info, struct bp_error *error)
{
    static const struct bp_unit unit = {
        .struct_size = sizeof unit, .id = "u", .kind = "directory", .name = "u"};
    static const struct bp_item item = {
        .struct_size = sizeof item, .id = "i", .key = "items/u/i", .size = 3};
    static const struct bp_item streamed = {
        .struct_size = sizeof item, .kind = BP_ITEM_STREAM, .id = "i", .key = "items/u/i"};
    struct bp_proof proof = {.struct_size = sizeof proof, .low = 1, .high = 2};
    (void)self;
    (void)op;
    (void)error;
    ck_assert_str_eq(backup_ref, "@backup");
    g_strlcpy(info->writer, "other tool \xff", sizeof info->writer);
    for (const char *step = script; *step != '\0'; step++) {
        int32_t stop = *step == 'u'   ? sink->unit(sink->ctx, &unit)
                       : *step == 'i' ? sink->item(sink->ctx, "u", &item)
                       : *step == 's' ? sink->item(sink->ctx, "u", &streamed)
                       : *step == 'x' ? sink->item(sink->ctx, "x", &item)
                                      : sink->proof(sink->ctx, "u", &proof);
        if (stop != 0) {
            break;
        }
    }
    return BP_OK;
}

static bool
note_adopted_item(void *ctx, const char *unit_id, const struct bp_item *item)
{
    (void)ctx;
    g_string_append_printf(seen, "%s:%s ", unit_id, item->key);
    return true;
}

static bool
note_adopted_proof(void *ctx, const char *unit_id, const struct bp_proof *proof)
{
    (void)ctx;
    g_string_append_printf(seen, "%s:%d..%d ", unit_id, (int)proof->low, (int)proof->high);
    return true;
}

START_TEST(test_adopt__units_items_proofs)
{
    g_autoptr(GError) error = NULL;
    struct bp_adopt_info info;
    bp_adopt_fns fns = {.unit = note_unit, .item = note_adopted_item, .proof = note_adopted_proof};
    source_module->source.adopt = scripted_adopt;
    script = "uip";
    ASSERT_FINE(bp_source_adopt(source, &call, "@backup", &fns, &info, &error), error);
    ck_assert_str_eq(seen->str, "directory:u u:items/u/i u:1..2 ");
    ck_assert_str_eq(info.writer, "other tool ");
    static const struct {
        const char *script, *message;
    } cases[] = {
        {"ux", "tells of unit \"x\" before the unit itself"},
        {"i", "tells of unit \"u\" before the unit itself"},
        {"p", "tells of unit \"u\" before the unit itself"},
        {"us", "item items/u/i has kind 1 in a backup"},
        {"uu", "unit \"u\" comes twice"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        script = cases[i].script;
        ck_assert(!bp_source_adopt(source, &call, "@backup", &fns, &info, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/source", source_setup, source_teardown, test_open__facts,
                     test_open__plugin_refuses, test_probe__storage_out_of_reach,
                     test_probe__names_that_may_be_cut, test_plan__all_and_filtered,
                     test_plan__lies, test_adopt__units_items_proofs);
}
