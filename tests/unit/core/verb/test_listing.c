/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify, restore and resume of many items: by listing, not by a request for each of them.
 */
#include "tests/unit/core/verb/verb_restore_fixture.h"

#define MANY 200

static GError *error;
static atomic_uint n_stats;

static bp_status
counting_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_object_meta *out, struct bp_error *raw)
{
    if (strstr(key, "/items/") != NULL) {
        atomic_fetch_add(&n_stats, 1);
    }
    return verb_honest_store.stat(storage, op, key, out, raw);
}

/* Lists nothing of what lies below items/, as a storage that lists late. */
static int32_t
drop_items(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    const struct bp_list_sink *sink = ctx;
    return strstr(key, "/items/") != NULL ? 0 : sink->entry(sink->ctx, key, meta);
}

static int32_t
pass_prefix(void *ctx, const char *prefix)
{
    const struct bp_list_sink *sink = ctx;
    return sink->prefix(sink->ctx, prefix);
}

static int32_t
pass_next(void *ctx, const char *token)
{
    const struct bp_list_sink *sink = ctx;
    return sink->next(sink->ctx, token);
}

static bp_status
late_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
          const struct bp_list_sink *sink, struct bp_error *raw)
{
    struct bp_list_sink thin = {.struct_size = sizeof thin,
                                .ctx = (void *)sink,
                                .entry = drop_items,
                                .prefix = pass_prefix,
                                .next = pass_next};
    return verb_honest_store.list(storage, op, args, &thin, raw);
}

static void
spoil(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    storage->stat = counting_stat;
}

static void
spoil_late(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    spoil(source, storage);
    storage->list = late_list;
}

static void
setup(void)
{
    verb_setup();
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *path = g_strdup_printf("data/default/many/%u", i);
        verb_write(path, "some text");
    }
    verb_write("data/default/few/1", "some text");
    error = NULL;
    bp_create_params params = {.name = "b"};
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    atomic_store(&n_stats, 0);
    atomic_store(&verb_ended, -1);
    verb_spoil = spoil;
}

START_TEST(test_verify__lists)
{
    ASSERT_FINE(verb_verify("b", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("by_size"), MANY + 1);
    ck_assert_uint_eq(atomic_load(&n_stats), 0);
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("compared"), MANY + 1);
    ck_assert_uint_eq(atomic_load(&n_stats), 0);
}
END_TEST

START_TEST(test_verify__asks_for_what_looks_wrong)
{
    verb_remove("backups/b/items/default/many/7");
    verb_write("backups/b/items/default/many/8", "cut");
    verb_write("backups/b/items/default/many/new", "x");
    ASSERT_FINE(verb_verify("b", false, &error) == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(verb_number("missing"), 1);
    ck_assert_uint_eq(verb_number("truncated"), 1);
    ck_assert_uint_eq(verb_number("unexpected"), 1);
    ck_assert_uint_eq(verb_length("problems"), 3);
    ck_assert_uint_eq(atomic_load(&n_stats), 2);
}
END_TEST

START_TEST(test_verify__storage_that_lists_late)
{
    verb_spoil = spoil_late;
    ASSERT_FINE(verb_verify("b", false, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("by_size"), MANY + 1);
    ck_assert_uint_eq(atomic_load(&n_stats), MANY + 1);
}
END_TEST

START_TEST(test_restore__few_items_are_asked_for)
{
    verb_params = (bp_restore_params){.name = "b", .suffix = "_r", .select.children = "few"};
    verb_params.dry_run = true;
    ASSERT_FINE(verb_restore(&verb_params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(atomic_load(&n_stats), 1);
}
END_TEST

START_TEST(test_create__resume_lists)
{
    bp_create_params params = {.name = "c"};
    verb_faults("create.sealed::class=permanent");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    g_clear_error(&error);
    verb_faults("");
    verb_remove("backups/c/items/default/many/7");
    atomic_store(&n_stats, 0);
    params.resume = true;
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(atomic_load(&n_stats), 1); /* the one that was not listed */
    ck_assert(verb_exists("backups/c/items/default/many/7"));
    ASSERT_FINE(verb_verify("c", true, &error) == BP_VERB_OK, error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("verb/listing", setup, verb_teardown, test_verify__lists,
                     test_verify__asks_for_what_looks_wrong, test_verify__storage_that_lists_late,
                     test_restore__few_items_are_asked_for, test_create__resume_lists);
}
