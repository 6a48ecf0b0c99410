/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/verify and verify_verb: damage is found and named, and sealing never loses what was
 * recorded.
 */
#include "core/verb/verify.h"

#include "core/base/clock.h"
#include "core/catalog/lease.h"
#include "core/plugin/host.h"
#include "tests/unit/core/verb/verb_fixture.h"

static GError *error;

static void
setup(void)
{
    verb_setup();
    verb_seed_backup();
    error = NULL;
}

static void
verify_finds(bool deep, const char *key, const char *problem)
{
    bp_verb_outcome outcome = verb_verify("b", deep, &error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(verb_length("problems"), 1);
    ck_assert_str_eq(verb_item("problems", 0, "key"), key);
    ck_assert_str_eq(verb_item("problems", 0, "problem"), problem);
}

static void
verify_is_fine(bool deep)
{
    bp_verb_outcome outcome = verb_verify("b", deep, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_length("problems"), 0);
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("bytes"), 15);
}

/* Records no checksum, so that there is something to seal. */
static void
create_unsealed(void)
{
    static const char *const overrides[] = {"prove=size", NULL};
    bp_create_params params = {.name = "b", .replace = true, .overrides = overrides};
    bp_verb_outcome outcome = verb_create(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
}

START_TEST(test_verify__sizes)
{
    verify_is_fine(false);
    ck_assert_uint_eq(verb_number("by_size"), 4);
    ck_assert_uint_eq(verb_number("compared"), 0);
}
END_TEST

START_TEST(test_verify__checksums)
{
    verify_is_fine(true);
    ck_assert_uint_eq(verb_number("by_size"), 0);
    ck_assert_uint_eq(verb_number("compared"), 4);
}
END_TEST

START_TEST(test_verify__missing_object)
{
    verb_remove("backups/b/items/default/books/2");
    verify_finds(false, "items/default/books/2", "missing");
    ck_assert_uint_eq(verb_number("missing"), 1);
}
END_TEST

START_TEST(test_verify__deleted_meanwhile_is_not_damaged)
{
    verb_spoil = verb_spoil_by_deleting;
    ck_assert_int_eq(verb_verify("b", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_STALE, "backup b was deleted while it was verified");
}
END_TEST

START_TEST(test_verify__truncated_object)
{
    verb_write("backups/b/items/default/books/2", "sec");
    verify_finds(true, "items/default/books/2", "truncated");
    ck_assert_uint_eq(verb_number("truncated"), 1);
}
END_TEST

START_TEST(test_verify__longer_object)
{
    verb_write("backups/b/items/default/books/2", "second and more");
    verify_finds(false, "items/default/books/2", "longer than recorded");
}
END_TEST

START_TEST(test_verify__altered_object)
{
    verb_write("backups/b/items/default/books/2", "secund");
    verify_is_fine(false);
    verify_finds(true, "items/default/books/2", "altered");
    ck_assert_uint_eq(verb_number("altered"), 1);
    ck_assert_uint_eq(verb_number("compared"), 3);
}
END_TEST

START_TEST(test_verify__unexpected_object)
{
    verb_write("backups/b/items/default/books/3", "who are you");
    verify_finds(false, "items/default/books/3", "unexpected");
    ck_assert_uint_eq(verb_number("unexpected"), 1);
}
END_TEST

START_TEST(test_verify__all_kinds_are_counted)
{
    verb_remove("backups/b/items/default/books/1");
    verb_write("backups/b/items/default/books/2", "s");
    verb_write("backups/b/items/default/films/1", "A film");
    verb_write("backups/b/extra", "x");
    bp_verb_outcome outcome = verb_verify("b", true, &error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(verb_length("problems"), 4);
    ck_assert_uint_eq(verb_number("missing"), 1);
    ck_assert_uint_eq(verb_number("truncated"), 1);
    ck_assert_uint_eq(verb_number("altered"), 1);
    ck_assert_uint_eq(verb_number("unexpected"), 1);
    ck_assert_uint_eq(verb_number("compared"), 1);
}
END_TEST

START_TEST(test_verify__problems_are_listed_up_to_a_limit)
{
    for (guint i = 0; i < BP_VERIFY_MAX_PROBLEMS + 5; i++) {
        g_autofree char *path = g_strdup_printf("backups/b/extra/%u", i);
        verb_write(path, "");
    }
    bp_verb_outcome outcome = verb_verify("b", false, &error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(verb_length("problems"), BP_VERIFY_MAX_PROBLEMS);
    ck_assert_uint_eq(verb_number("unexpected"), BP_VERIFY_MAX_PROBLEMS + 5);
}
END_TEST

START_TEST(test_verify__more_items_than_a_batch)
{
    for (guint i = 0; i < 1100; i++) {
        g_autofree char *path = g_strdup_printf("data/default/many/%u", i);
        verb_write(path, "x");
    }
    bp_create_params params = {.name = "many", .select.filter = "many"};
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    verb_remove("backups/many/items/default/many/1099");
    bp_verb_outcome outcome = verb_verify("many", true, &error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, error);
    ck_assert_uint_eq(verb_number("items"), 1100);
    ck_assert_uint_eq(verb_number("compared"), 1099);
}
END_TEST

START_TEST(test_verify__unreadable_object_is_an_error)
{
    verb_faults("storage.stat:backups:class=denied:from=2");
    ck_assert_int_eq(verb_verify("b", false, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_DENIED, "injected");
}
END_TEST

START_TEST(test_verify__reading_is_tried_again)
{
    verb_faults(
        "storage.read:backups:nth=9:class=retryable;storage.stat:backups:nth=3:class=retryable");
    verify_is_fine(true);
}
END_TEST

START_TEST(test_verify__cancelled)
{
    bp_cancel_trigger(verb_cancel, 2);
    ck_assert_int_eq(verb_verify("b", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
}
END_TEST

START_TEST(test_verify__unknown_backup)
{
    ck_assert_int_eq(verb_verify("c", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no backup \"c\"");
}
END_TEST

START_TEST(test_verify__damaged_items_file)
{
    g_autofree char *text = verb_read("backups/b/bakplane/items-1.jsonl");
    text[10] ^= 1;
    verb_write("backups/b/bakplane/items-1.jsonl", text);
    ck_assert_int_eq(verb_verify("b", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "items-1.jsonl");
}
END_TEST

START_TEST(test_verify__damaged_document)
{
    verb_write("backups/b/meta/files.json", "{}");
    ck_assert_int_eq(verb_verify("b", false, &error), BP_VERB_FAILED);
    ck_assert_ptr_nonnull(strstr(error->message, "meta/files.json"));
    g_clear_error(&error);
}
END_TEST

START_TEST(test_verify__seals_what_has_no_checksum)
{
    create_unsealed();
    verify_is_fine(false);
    verify_is_fine(true);
    ck_assert_uint_eq(verb_number("sealed"), 4);
    ck_assert_uint_eq(verb_number("compared"), 0);
    verify_is_fine(true);
    ck_assert_uint_eq(verb_number("sealed"), 0);
    ck_assert_uint_eq(verb_number("compared"), 4);
    ck_assert(!verb_exists("backups/b/bakplane/lease.json"));
    ck_assert(!verb_exists("backups/b/bakplane/items-1.jsonl"));
    ck_assert_uint_eq(verb_count("backups/b/bakplane"), 2); /* the items and the manifest */
}
END_TEST

START_TEST(test_verify__seals_beside_damage)
{
    create_unsealed();
    verb_remove("backups/b/items/default/books/1");
    verb_write("backups/b/items/default/books/2", "s");
    for (int i = 0; i < 2; i++) {
        bp_verb_outcome outcome = verb_verify("b", true, &error);
        ASSERT_FINE(outcome == BP_VERB_DIFFERENT, error);
        ck_assert_uint_eq(verb_number("items"), 4);
        ck_assert_uint_eq(verb_number("missing"), 1);
        ck_assert_uint_eq(verb_number("truncated"), 1);
        ck_assert_uint_eq(verb_number("sealed"), i == 0 ? 2 : 0);
    }
}
END_TEST

static void
seal_once(void)
{
    (void)verb_verify("b", true, NULL);
}

START_TEST(test_verify__killed_while_sealing)
{
    for (guint nth = 1; nth <= 3; nth++) { /* lease, items file, manifest */
        for (int after = 0; after < 2; after++) {
            create_unsealed();
            g_autofree char *rule = g_strdup_printf("storage.write_commit:backups:abort:nth=%u%s",
                                                    nth, after ? ":after" : "");
            verb_faults(rule);
            verb_killed(seal_once);
            verb_faults("");
            verify_is_fine(false);
            verify_is_fine(true);
            ck_assert_uint_eq(verb_count("backups/b/bakplane"), 2);
            verify_is_fine(true);
            ck_assert_uint_eq(verb_number("compared"), 4);
        }
    }
}
END_TEST

START_TEST(test_verify__sealing_fails_without_loss)
{
    create_unsealed();
    verb_faults("storage.write_open:backups:nth=2:class=no-space");
    ck_assert_int_eq(verb_verify("b", true, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "injected");
    verify_is_fine(true);
    ck_assert_uint_eq(verb_number("sealed"), 4);
}
END_TEST

START_TEST(test_verify__sealing_is_tried_again)
{
    create_unsealed();
    verb_faults("storage.write_open:backups:nth=2:class=retryable");
    verify_is_fine(true);
    ck_assert_uint_eq(verb_number("sealed"), 4);
}
END_TEST

START_TEST(test_verify__old_record_that_stays_is_no_failure)
{
    create_unsealed();
    verb_faults("storage.remove:backups:nth=1:class=denied");
    verify_is_fine(true);
    ck_assert(verb_noted("items"));
    ck_assert(verb_exists("backups/b/bakplane/items-1.jsonl"));
    ck_assert(!verb_exists("backups/b/bakplane/lease.json"));
    verb_faults("");
    verify_is_fine(true);
    ck_assert_uint_eq(verb_number("compared"), 4);
    ck_assert_uint_eq(verb_count("backups/b/bakplane"), 2);
}
END_TEST

/* Nothing is to be sealed, so that it needs no right to write. */
START_TEST(test_verify__old_record_where_nothing_may_be_written)
{
    verb_write("backups/b/bakplane/items-2.jsonl", "of a run that was killed");
    verb_faults("storage.write_open:backups:class=denied;storage.remove*:backups:class=denied");
    verify_is_fine(true);
    ck_assert(verb_exists("backups/b/bakplane/items-2.jsonl"));
    verb_faults("");
    verify_is_fine(false);
    ck_assert(verb_exists("backups/b/bakplane/items-2.jsonl"));
    verify_is_fine(true);
    ck_assert(!verb_exists("backups/b/bakplane/items-2.jsonl"));
}
END_TEST

static bp_status
info_without_exclusive(struct bp_storage *storage, struct bp_storage_info *out,
                       struct bp_error *raw)
{
    bp_status status = verb_honest_store.info(storage, out, raw);
    out->caps &= ~(uint64_t)BP_STORE_IF_NONE_MATCH;
    return status;
}

static bp_status
cancel_at_a_claim(struct bp_storage *storage, const struct bp_op *op,
                  const struct bp_write_args *args, struct bp_writer **out, struct bp_error *raw)
{
    if (g_str_has_prefix(args->key, "b/bakplane/lease-")) {
        bp_cancel_trigger(verb_cancel, 2); /* it takes seconds from here */
    }
    return verb_honest_store.write_open(storage, op, args, out, raw);
}

static void
spoil_exclusive(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->info = info_without_exclusive;
    storage->write_open = cancel_at_a_claim;
}

START_TEST(test_verify__seals_where_locks_are_advisory)
{
    create_unsealed();
    verb_spoil = spoil_exclusive;
    ck_assert_int_eq(verb_verify("b", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
}
END_TEST

START_TEST(test_verify__sealing_respects_a_live_writer)
{
    create_unsealed();
    bp_verb verb = verb_open();
    const bp_catalog *catalog = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &catalog, &error), error);
    bp_lease_params params = {.catalog = catalog,
                              .key = "b/" BP_CATALOG_LEASE,
                              .run_id = "somebody",
                              .purpose = "verify",
                              .renew_ns = BP_LEASE_RENEW_NS};
    bp_lease *lease = bp_lease_take(&params, &error);
    ASSERT_FINE(lease != NULL, error);
    ck_assert_int_eq(verb_verify("b", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "verify");
    bp_lease_free(lease);
    verb_close(&verb);
}
END_TEST

/* Another run replaces the backup after we looked at it and before we have the lease. */
static bp_status
write_after_a_replacement(struct bp_storage *storage, const struct bp_op *op,
                          const struct bp_write_args *args, struct bp_writer **out,
                          struct bp_error *raw)
{
    if (verb_spoil != NULL) {
        static const char *const overrides[] = {"prove=size", NULL};
        verb_spoil = NULL;
        bp_create_params params = {
            .name = "b", .replace = true, .select.filter = "films", .overrides = overrides};
        g_autoptr(GError) failed = NULL;
        ASSERT_FINE(verb_create(&params, &failed) == BP_VERB_OK, failed);
    }
    return verb_honest_store.write_open(storage, op, args, out, raw);
}

static void
spoil_write(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->write_open = write_after_a_replacement;
}

START_TEST(test_verify__seals_what_is_there_under_the_lease)
{
    create_unsealed();
    verb_spoil = spoil_write;
    bp_verb_outcome outcome = verb_verify("b", true, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 1);
    outcome = verb_verify("b", true, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("compared"), 1);
}
END_TEST

#define RENEW_NS (50 * BP_NS_PER_MS)

/* Somebody takes the lease before the first new record is there, and its holder notices. */
static bp_status
lose_lease_before_the_record(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_write_args *args, struct bp_writer **out,
                             struct bp_error *raw)
{
    if (g_str_has_prefix(args->key, "b/bakplane/items-")) {
        gint64 until = bp_clock_mono_ns() + 20 * BP_NS_PER_S;
        do { /* a renewal that is on its way may write over it */
            verb_write("backups/b/bakplane/lease.json", "{\"run\":\"another\"}");
            (void)bp_cancel_sleep_ns(NULL, BP_NS_PER_MS);
        } while (bp_host_table()->cancelled(op) == 0 && bp_clock_mono_ns() < until);
    }
    return verb_honest_store.write_open(storage, op, args, out, raw);
}

static void
spoil_lease(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->write_open = lose_lease_before_the_record;
}

START_TEST(test_verify__lost_lease_leaves_the_record_to_others)
{
    create_unsealed();
    g_autofree char *manifest = verb_read("backups/b/bakplane/manifest.json");
    verb_spoil = spoil_lease;
    bp_verb verb = verb_open();
    const bp_catalog *catalog = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &catalog, &error), error);
    ((bp_catalog *)catalog)->renew_ns = RENEW_NS;
    ck_assert_int_eq(bp_verb_verify(&verb, "b", true, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_STALE, "lease b/bakplane/lease.json was lost: ");
    verb_close(&verb);
    g_autofree char *now = verb_read("backups/b/bakplane/manifest.json");
    ck_assert_str_eq(now, manifest);
    ck_assert(verb_exists("backups/b/bakplane/items-1.jsonl"));
    g_autofree char *lease = verb_read("backups/b/bakplane/lease.json");
    ck_assert_str_eq(lease, "{\"run\":\"another\"}");
    ck_assert_uint_eq(verb_count("backups/b/bakplane"), 3); /* nothing of ours is left */
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/verify", setup, verb_teardown, test_verify__sizes, test_verify__checksums,
        test_verify__missing_object, test_verify__deleted_meanwhile_is_not_damaged,
        test_verify__truncated_object, test_verify__longer_object, test_verify__altered_object,
        test_verify__unexpected_object, test_verify__all_kinds_are_counted,
        test_verify__problems_are_listed_up_to_a_limit, test_verify__more_items_than_a_batch,
        test_verify__unreadable_object_is_an_error, test_verify__reading_is_tried_again,
        test_verify__cancelled, test_verify__unknown_backup, test_verify__damaged_items_file,
        test_verify__damaged_document, test_verify__seals_what_has_no_checksum,
        test_verify__seals_beside_damage, test_verify__killed_while_sealing,
        test_verify__sealing_fails_without_loss, test_verify__sealing_respects_a_live_writer,
        test_verify__seals_what_is_there_under_the_lease, test_verify__sealing_is_tried_again,
        test_verify__old_record_that_stays_is_no_failure,
        test_verify__old_record_where_nothing_may_be_written,
        test_verify__seals_where_locks_are_advisory,
        test_verify__lost_lease_leaves_the_record_to_others);
}
