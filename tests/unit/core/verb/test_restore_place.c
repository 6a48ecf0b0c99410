/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/restore_place: where bytes may be read from, and staging that goes wrong.
 */
#include "core/verb/restore_sweep.h"
#include "tests/unit/core/verb/verb_restore_fixture.h"

static bp_status
stage_elsewhere(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                const struct bp_place_sink *sink, struct bp_error *raw)
{
    (void)restore;
    (void)op;
    (void)target;
    if (sink->stage(sink->ctx, "items/default/books/1", "data", "default/books/1") != 0) {
        return verb_set_raw(raw, BP_ERR_CANCELLED, "stopped");
    }
    return BP_OK;
}

static bp_status
place_where_it_is(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                  const struct bp_place_sink *sink, struct bp_error *raw)
{
    (void)restore;
    (void)op;
    (void)target;
    if (sink->in_place(sink->ctx, "items/default/books/") != 0) {
        return verb_set_raw(raw, BP_ERR_CANCELLED, "stopped");
    }
    return BP_OK;
}

static void
spoil_place_elsewhere(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_place = stage_elsewhere;
}

static void
spoil_place_in_place(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_proof(source, storage);
    source->target_place = place_where_it_is;
}

START_TEST(test_place__staging_outside_of_the_prefix)
{
    verb_params.select.children = "books";
    verb_spoil = spoil_place_elsewhere;
    verb_restore_fails(BP_ERR_PERMANENT, "default.books: plugin bug: ");
    g_autofree char *data = verb_read("data/default/books/1");
    ck_assert_str_eq(data, "one");
}
END_TEST

/* As from a journal that was damaged. */
START_TEST(test_sweep__never_a_whole_storage)
{
    g_autoptr(GError) error = NULL;
    bp_verb verb = verb_open();
    const bp_call call = *bp_workspace_call(verb.workspace);
    const char *const prefixes[] = {"", "def"};
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        ck_assert(!bp_sweep_prefix(verb.workspace, &call, "data", prefixes[i], &error));
        ASSERT_ERROR(error, BP_ERR_CORRUPT, "no place for staging");
        g_clear_error(&error);
    }
    verb_close(&verb);
    ck_assert(verb_exists("data/default/books/1"));
}
END_TEST

START_TEST(test_place__in_place_needs_one_storage)
{
    verb_params.select.children = "books";
    verb_spoil = spoil_place_in_place;
    ck_assert_int_eq(verb_restore(&verb_params, &verb_error), BP_VERB_FAILED);
    g_clear_error(&verb_error);
}
END_TEST

START_TEST(test_place__in_place)
{
    verb_configure(", databases: true", "data");
    verb_spoil = NULL;
    bp_create_params create = {.name = "inside"};
    ASSERT_FINE(verb_create(&create, &verb_error) == BP_VERB_OK, verb_error);
    verb_params = (bp_restore_params){.name = "inside", .select.children = "books"};
    verb_spoil = spoil_place_in_place;
    verb_proof = (struct bp_proof){.found = 2};
    bp_verb_outcome outcome = verb_restore(&verb_params, &verb_error);
    ASSERT_FINE(outcome == BP_VERB_OK, verb_error);
    ck_assert_str_eq(verb_state_of("default.books"), "complete");
}
END_TEST

static guint n_scratches, n_denied;

static bp_status
deny_scratch(struct bp_storage *storage, const struct bp_op *op, const struct bp_write_args *args,
             struct bp_writer **out, struct bp_error *raw)
{
    if (g_str_has_prefix(args->key, "bakplane-scratch-") && n_scratches++ < n_denied) {
        return verb_set_raw(raw, BP_ERR_DENIED, "read-only");
    }
    return verb_honest_store.write_open(storage, op, args, out, raw);
}

static void
spoil_scratch(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    storage->write_open = deny_scratch;
}

/* A backup on a storage that is the source's own by another name. */
static void
create_on_twin(void)
{
    verb_configure(", databases: true", "twin");
    verb_spoil = NULL;
    n_denied = 0;
    bp_create_params create = {.name = "inside", .select.children = "books"};
    ASSERT_FINE(verb_create(&create, &verb_error) == BP_VERB_OK, verb_error);
    verb_params = (bp_restore_params){.name = "inside", .suffix = "_r"};
    n_scratches = 0;
    verb_spoil = spoil_scratch;
}

START_TEST(test_place__scratch_object_by_whoever_may_write)
{
    create_on_twin();
    n_denied = 1;
    ASSERT_FINE(verb_restore(&verb_params, &verb_error) == BP_VERB_OK, verb_error);
    ck_assert(!verb_noted("not-in-place"));
    ck_assert_uint_eq(n_scratches, 2);
}
END_TEST

START_TEST(test_place__nothing_is_proven_where_nobody_may_write)
{
    create_on_twin();
    n_denied = 2;
    ASSERT_FINE(verb_restore(&verb_params, &verb_error) == BP_VERB_OK, verb_error);
    ck_assert(verb_noted("not-in-place"));
    ck_assert_uint_eq(n_scratches, 2);
}
END_TEST

static bp_status
little_space(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
             struct bp_error *raw)
{
    (void)storage;
    (void)op;
    (void)raw;
    out->total = out->available = 8;
    return BP_OK;
}

static void
spoil_space(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    storage->space = little_space;
}

START_TEST(test_place__staging_that_does_not_fit)
{
    verb_params.select.children = "books";
    verb_spoil = spoil_space;
    verb_restore_fails(BP_ERR_PERMANENT, "staging needs 9 B, storage 'data' has 8 B left");
    verb_next_run_is_fine();
}
END_TEST

static guint n_looks;

static bp_status
counting_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_object_meta *meta, struct bp_error *raw)
{
    n_looks += g_str_has_prefix(key, "b/items/");
    return verb_honest_store.stat(storage, op, key, meta, raw);
}

/* Who verified the backup has asked for each item; from here on they are counted. */
static bp_status
begin_counting(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
               const struct bp_place_sink *sink, struct bp_error *raw)
{
    n_looks = 0;
    return verb_honest.target_place(restore, op, target, sink, raw);
}

static void
spoil_stat(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_place = begin_counting;
    storage->stat = counting_stat;
}

START_TEST(test_place__staged_items_are_not_looked_at_one_by_one)
{
    verb_params.select.children = "films";
    verb_spoil = spoil_stat;
    ASSERT_FINE(verb_restore(&verb_params, &verb_error) == BP_VERB_OK, verb_error);
    ck_assert_uint_eq(n_looks, 0);
}
END_TEST

static const char *spoiled; /* what an item is after it was verified */

static bp_status
spoil_after_verify(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                   const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                   struct bp_error *raw)
{
    verb_write("backups/b/items/default/films/1", spoiled);
    return verb_honest.target_prepare(restore, op, target, notes, identity, raw);
}

static void
spoil_late(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    verb_spoil_end(source, storage);
    source->target_prepare = spoil_after_verify;
}

START_TEST(test_place__item_that_changes_after_it_was_verified)
{
    static const char *const texts[] = {"a", "a film and more", "A film"};
    verb_params.select.children = "films";
    verb_spoil = spoil_late;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *whole = verb_read("backups/b/items/default/films/1");
        spoiled = texts[i];
        verb_restore_fails(BP_ERR_PERMANENT, "default/films/1");
        verb_write("backups/b/items/default/films/1", whole);
    }
    verb_next_run_is_fine();
}
END_TEST

int
main(void)
{
    return RUN_SUITE("verb/restore_place", verb_restore_setup, verb_teardown,
                     test_place__staging_outside_of_the_prefix, test_sweep__never_a_whole_storage,
                     test_place__in_place_needs_one_storage, test_place__in_place,
                     test_place__scratch_object_by_whoever_may_write,
                     test_place__nothing_is_proven_where_nobody_may_write,
                     test_place__staging_that_does_not_fit,
                     test_place__staged_items_are_not_looked_at_one_by_one,
                     test_place__item_that_changes_after_it_was_verified);
}
