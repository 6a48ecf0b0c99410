/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/workspace, check, monitor and space: what a job works with, and `check` that tries it.
 */
#include "core/verb/space.h"
#include "tests/unit/core/verb/verb_fixture.h"

static GError *error;
static bp_verb verb;

static void
setup(void)
{
    verb_setup();
    verb_seed();
    error = NULL;
    verb = verb_open();
}

static void
teardown(void)
{
    verb_close(&verb);
    verb_teardown();
}

static const char *
status_of(const char *check)
{
    for (gsize i = 0; i < verb_length("checks"); i++) {
        if (strcmp(verb_item("checks", i, "check"), check) == 0) {
            return verb_item("checks", i, "status");
        }
    }
    return "not there";
}

START_TEST(test_workspace__opens_a_storage_once)
{
    bp_store *store = bp_workspace_store(verb.workspace, "backups", &error);
    ASSERT_FINE(store != NULL, error);
    ck_assert_ptr_eq(bp_workspace_store(verb.workspace, "backups", &error), store);
    const char *name = NULL;
    ck_assert_ptr_ne(bp_workspace_source_store(verb.workspace, &name, &error), store);
    ck_assert_str_eq(name, "data");
    ck_assert_ptr_eq(bp_workspace_source(verb.workspace, &error),
                     bp_workspace_source(verb.workspace, &error));
}
END_TEST

START_TEST(test_workspace__storage_that_is_not_configured)
{
    ck_assert_ptr_null(bp_workspace_store(verb.workspace, "tape", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "'storages.tape.plugin' is not configured\nhint: set it");
}
END_TEST

START_TEST(test_workspace__a_catalog_on_each_storage)
{
    const bp_catalog *usual = NULL, *named = NULL, *other = NULL;
    ASSERT_FINE(bp_workspace_catalog_on(verb.workspace, "other", &other, &error), error);
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &usual, &error), error);
    ASSERT_FINE(bp_workspace_catalog_on(verb.workspace, "backups", &named, &error), error);
    ck_assert_ptr_eq(usual, named);
    ck_assert_ptr_ne(usual, other);
    ck_assert_str_eq(bp_store_name(other->store), "other");
    ck_assert_str_eq(other->commit_document, "meta/files.json");
    ck_assert(!bp_workspace_catalog_on(verb.workspace, "othr", &other, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID,
                 "there is no storage 'othr' in the configuration\nhint: did you mean 'other'?");
    g_autofree char *words = bp_workspace_words_for(verb.workspace, usual->store);
    ck_assert_str_eq(words, "");
    g_autofree char *more = bp_workspace_words_for(verb.workspace, other->store);
    ck_assert_str_eq(more, " --set backup.storage=other");
}
END_TEST

START_TEST(test_workspace__another_storage_is_chosen)
{
    const bp_catalog *usual = NULL, *chosen = NULL, *again = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &usual, &error), error);
    ASSERT_FINE(bp_workspace_choose(verb.workspace, "other", &error), error);
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &chosen, &error), error);
    ck_assert_str_eq(bp_store_name(chosen->store), "other");
    ck_assert(!bp_workspace_choose(verb.workspace, "othr", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "there is no storage 'othr'");
    ASSERT_FINE(bp_workspace_choose(verb.workspace, NULL, &error), error);
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &again, &error), error);
    ck_assert_ptr_eq(again, usual);
}
END_TEST

static bp_status
failing_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
             struct bp_storage **out, struct bp_error *raw)
{
    (void)host;
    (void)op;
    (void)config;
    (void)out;
    raw->cls = BP_ERR_DENIED;
    g_strlcpy(raw->message, "the door is shut", sizeof raw->message);
    return BP_ERR_DENIED;
}

static void
spoil_open(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->open = failing_open;
}

START_TEST(test_workspace__storage_that_cannot_be_opened)
{
    const bp_catalog *catalog = NULL;
    verb_close(&verb);
    verb_spoil = spoil_open;
    verb = verb_open();
    ck_assert(!bp_workspace_catalog(verb.workspace, &catalog, &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, "the door is shut");
}
END_TEST

START_TEST(test_workspace__source_with_an_unknown_key)
{
    verb_close(&verb);
    verb_configure(", databasse: true", "backups");
    verb = verb_open();
    ck_assert_ptr_null(bp_workspace_source(verb.workspace, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "databasse");
}
END_TEST

START_TEST(test_workspace__settings_of_both_verbs)
{
    static const char *const overrides[] = {"concurrency.units=7", NULL};
    g_autoptr(bp_settings) backup = bp_workspace_backup_settings(verb.workspace, overrides, &error);
    ASSERT_FINE(backup != NULL, error);
    ck_assert_uint_eq(bp_settings_u64(backup, "concurrency.units"), 7);
    ck_assert_uint_eq(bp_settings_u64(backup, "retry.attempts"), 2);
    g_autoptr(bp_settings) restore = bp_workspace_restore_settings(verb.workspace, NULL, &error);
    ASSERT_FINE(restore != NULL, error);
    ck_assert(bp_settings_bool(restore, "ingest")); /* an option of the source */
}
END_TEST

START_TEST(test_workspace__deadline_of_a_job)
{
    static const char *const overrides[] = {"timeout=1h", NULL};
    g_autoptr(bp_settings) none = bp_workspace_backup_settings(verb.workspace, NULL, &error);
    g_autoptr(bp_settings) hour = bp_workspace_backup_settings(verb.workspace, overrides, &error);
    ASSERT_FINE(none != NULL && hour != NULL, error);
    ck_assert_int_eq(bp_workspace_verb_call(verb.workspace, verb_cancel, none).deadline_ns, 0);
    bp_call call = bp_workspace_verb_call(verb.workspace, verb_cancel, hour);
    ck_assert_int_gt(call.deadline_ns, g_get_monotonic_time() * 1000);
    ck_assert_ptr_eq(call.cancel, verb_cancel);
}
END_TEST

START_TEST(test_workspace__retries_end_with_their_call)
{
    const bp_catalog *catalog = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &catalog, &error), error);
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_call call = {.cancel = cancel, .deadline_ns = 4711};
    bp_retry_params retry = bp_workspace_retry_for(verb.workspace, &call);
    ck_assert_ptr_eq(retry.cancel, cancel);
    ck_assert_int_eq(retry.deadline_ns, 4711);
    ck_assert_uint_eq(retry.attempts, 2);
}
END_TEST

START_TEST(test_workspace__state_dir_is_named_only)
{
    g_autofree char *dir = bp_workspace_state_dir(verb.workspace, &error);
    ASSERT_FINE(dir != NULL, error);
    ck_assert(g_str_has_suffix(dir, "/state"));
    ck_assert(!verb_exists("state"));
}
END_TEST

START_TEST(test_check__everything_is_fine)
{
    bp_verb_outcome outcome = verb_check(&error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_str_eq(status_of("source plugin"), "ok");
    ck_assert_str_eq(status_of("storage data"), "ok");
    ck_assert_str_eq(status_of("backup storage: list, read, write"), "ok");
    ck_assert_str_eq(status_of("backup storage: exclusive creation"), "ok");
    ck_assert_str_eq(status_of("source: connection, version, rights, storage"), "ok");
    ck_assert_uint_eq(verb_count("backups"), 0); /* its scratch objects are gone */
}
END_TEST

START_TEST(test_check__one_failure_hides_no_other)
{
    verb_faults("source.probe::class=auth;storage.probe:backups:nth=1:class=denied");
    ck_assert_int_eq(verb_check(&error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "2 of ");
    ck_assert_str_eq(status_of("backup storage: list, read, write"), "failed");
    ck_assert_str_eq(status_of("backup storage: exclusive creation"), "ok");
    ck_assert_str_eq(status_of("source: connection, version, rights, storage"), "failed");
}
END_TEST

START_TEST(test_check__root_of_the_source_is_missing)
{
    verb_remove("data");
    ck_assert_int_eq(verb_check(&error), BP_VERB_FAILED);
    g_clear_error(&error);
    ck_assert_str_eq(status_of("source storage: list, read"), "failed");
}
END_TEST

START_TEST(test_check__storages_that_cannot_be_opened)
{
    verb_spoil = spoil_open;
    ck_assert_int_eq(verb_check(&error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "checks failed");
    ck_assert_str_eq(status_of("source plugin"), "ok");
    ck_assert_str_eq(status_of("storage other"), "failed");
    ck_assert_str_eq(status_of("backup storage"), "failed");
    ck_assert_str_eq(status_of("source storage: list, read"), "failed");
}
END_TEST

START_TEST(test_check__wrong_configuration)
{
    verb_configure(", databasse: true", "backups");
    ck_assert_int_eq(verb_check(&error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "checks failed");
    ck_assert_str_eq(status_of("storage data"), "ok");
    ck_assert_str_eq(status_of("source"), "failed");
}
END_TEST

START_TEST(test_check__advisory_lock_needs_no_exclusive_creation)
{
    verb_configure(", databases: true", "backups, lock: advisory");
    verb_faults("storage.probe:backups:nth=2:class=unsupported");
    bp_verb_outcome outcome = verb_check(&error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_str_eq(status_of("backup storage: exclusive creation"), "not there");
}
END_TEST

static bp_status
unsure_probe(struct bp_source *source, const struct bp_op *op, const struct bp_note_sink *notes,
             struct bp_error *raw)
{
    (void)notes->note(notes->ctx, BP_NOTE_WARN, "no-segments", "nothing to compare with");
    return verb_honest.probe(source, op, notes, raw);
}

static void
spoil_probe(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->probe = unsure_probe;
}

START_TEST(test_check__what_cannot_be_proven)
{
    verb_spoil = spoil_probe;
    bp_verb_outcome outcome = verb_check(&error);
    ASSERT_FINE(outcome == BP_VERB_DIFFERENT, error);
    ck_assert_str_eq(status_of("no-segments"), "unproven");
}
END_TEST

START_TEST(test_check__cancelled)
{
    bp_cancel_trigger(verb_cancel, 2);
    ck_assert_int_eq(verb_check(&error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "");
}
END_TEST

static void
count_calls(void *ctx, bp_progress *out)
{
    out->items_done = ++*(guint *)ctx;
}

START_TEST(test_monitor__shows_the_phase_that_runs)
{
    bp_progress progress;
    guint calls = 0;
    ck_assert(!bp_monitor_snapshot(verb.monitor, &progress));
    bp_monitor_begin(verb.monitor, "copy", count_calls, &calls);
    ck_assert(bp_monitor_snapshot(verb.monitor, &progress));
    ck_assert_str_eq(progress.phase, "copy");
    ck_assert_uint_eq(progress.items_done, 1);
    ck_assert_int_ge(progress.elapsed_ns, 0);
    bp_monitor_end(verb.monitor);
    ck_assert(!bp_monitor_snapshot(verb.monitor, &progress));
    bp_monitor_begin(verb.monitor, "seal", NULL, NULL);
    ck_assert(bp_monitor_snapshot(verb.monitor, &progress));
    ck_assert_uint_eq(progress.items_done, 0);
    ck_assert_uint_eq(calls, 2); /* and at its end */
}
END_TEST

START_TEST(test_monitor__keeps_the_last_numbers)
{
    bp_progress progress;
    guint calls = 0;
    ck_assert(!bp_monitor_last(verb.monitor, &progress));
    bp_monitor_begin(verb.monitor, "copy", count_calls, &calls);
    ck_assert(!bp_monitor_last(verb.monitor, &progress));
    bp_monitor_end(verb.monitor);
    bp_monitor_begin(verb.monitor, "seal", NULL, NULL);
    bp_monitor_end(verb.monitor);
    ck_assert(bp_monitor_last(verb.monitor, &progress));
    ck_assert_str_eq(progress.phase, "copy");
    ck_assert_uint_eq(progress.items_done, 1);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(test_monitor__keeps_notes)
{
    bp_monitor_note(verb.monitor, BP_NOTE_INFO, "a", "first");
    bp_monitor_note(verb.monitor, BP_NOTE_WARN, "b", "second");
    g_autoptr(json_t) notes = bp_monitor_notes(verb.monitor);
    ck_assert_uint_eq(json_array_size(notes), 2);
    ck_assert_str_eq(bp_json_text(json_array_get(notes, 0), "level", ""), "info");
    ck_assert_str_eq(bp_json_text(json_array_get(notes, 1), "level", ""), "warning");
    ck_assert_str_eq(bp_json_text(json_array_get(notes, 1), "text", ""), "second");
    ck_assert_uint_eq(bp_monitor_warnings(verb.monitor), 1);
}
END_TEST

static guint64 available;

static bp_status
given_space(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
            struct bp_error *raw)
{
    (void)storage;
    (void)op;
    (void)raw;
    out->available = available;
    return BP_OK;
}

static void
spoil_space(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->space = given_space;
}

START_TEST(test_space__with_a_reserve)
{
    static const struct {
        guint64 available, bytes;
        bool fits;
    } rows[] = {{101, 100, true},
                {100, 100, false},
                {0, 0, true},
                {0, 1, false},
                {1, BP_UNKNOWN, true},
                {BP_UNKNOWN, G_MAXUINT64 - 1, true},
                {G_MAXUINT64 - 1, 1ull << 62, true}};
    verb_spoil = spoil_space;
    bp_verb spoilt = verb_open();
    bp_store *store = bp_workspace_store(spoilt.workspace, "backups", &error);
    ASSERT_FINE(store != NULL, error);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        available = rows[i].available;
        bool fits = bp_space_check(store, bp_workspace_call(spoilt.workspace), rows[i].bytes,
                                   "staging", &error);
        ck_assert_msg(fits == rows[i].fits, "row %u", (guint)i);
        if (!fits) {
            ASSERT_ERROR(error, BP_ERR_NO_SPACE, "staging needs ");
        }
    }
    verb_faults("storage.space:backups:class=permanent");
    ck_assert(!bp_space_check(store, bp_workspace_call(spoilt.workspace), 1, "x", &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "injected");
    verb_close(&spoilt);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/workspace+check+monitor+space", setup, teardown, test_workspace__opens_a_storage_once,
        test_workspace__storage_that_is_not_configured, test_workspace__a_catalog_on_each_storage,
        test_workspace__another_storage_is_chosen, test_workspace__storage_that_cannot_be_opened,
        test_workspace__source_with_an_unknown_key, test_workspace__settings_of_both_verbs,
        test_workspace__deadline_of_a_job, test_workspace__state_dir_is_named_only,
        test_workspace__retries_end_with_their_call, test_check__everything_is_fine,
        test_check__one_failure_hides_no_other, test_check__root_of_the_source_is_missing,
        test_check__storages_that_cannot_be_opened, test_check__wrong_configuration,
        test_check__advisory_lock_needs_no_exclusive_creation, test_check__what_cannot_be_proven,
        test_check__cancelled, test_monitor__shows_the_phase_that_runs,
        test_monitor__keeps_the_last_numbers, test_monitor__keeps_notes,
        test_space__with_a_reserve);
}
