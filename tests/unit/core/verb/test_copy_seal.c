/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/copy_seal: whatever moment a copy is killed or fails at, nothing is taken for a success
 * that is none, and --resume makes one of it without copying twice what is proven.
 */
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/catalog/lease.h"
#include "tests/unit/core/verb/verb_fixture.h"

static GError *error;
static atomic_uint copies; /* made at the target, by the plugin */

/* One more document, so that not all of them is the last one. */
static bp_status
two_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
              struct bp_error *raw)
{
    if (sink->begin(sink->ctx, "meta/more.json", 0) != 0 || sink->write(sink->ctx, "{}", 2) != 0 ||
        sink->end(sink->ctx) != 0) {
        raw->cls = BP_ERR_CANCELLED;
        g_strlcpy(raw->message, "stopped", sizeof raw->message);
        return BP_ERR_CANCELLED;
    }
    return verb_honest.documents(run, op, sink, raw);
}

static void
spoil_with_two(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->documents = two_documents;
}

static void
setup(void)
{
    verb_setup();
    verb_spoil = spoil_with_two;
    verb_seed_backup();
    verb_spoil = NULL;
    verb_configure(", databases: true", "other"); /* what is looked at is the copy */
    error = NULL;
    atomic_store(&copies, 0);
}

static bp_copy_verb_params params = {.name = "b", .from = "backups", .to = "other"};

static void
copy_once(void)
{
    (void)verb_copy(&params, NULL);
}

static const char *
status(void)
{
    g_autoptr(GError) failed = NULL;
    ASSERT_FINE(verb_list(NULL, &failed) == BP_VERB_OK, failed);
    return verb_length("backups") == 0 ? "nothing" : verb_item("backups", 0, "status");
}

static void
resume_or_begin(const char *was)
{
    bp_copy_verb_params again = params;
    again.resume = strcmp(was, "nothing") != 0;
    bp_verb_outcome outcome = verb_copy(&again, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_str_eq(status(), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("compared"), 4);
    ck_assert_uint_eq(verb_number("unexpected"), 0);
    ck_assert(verb_exists("other/b/meta/more.json"));
    ck_assert_uint_eq(verb_count("other/b/bakplane/journal"), 0);
}

static void
restore_is_refused(void)
{
    bp_restore_params restore = {.name = "b", .suffix = "_2"};
    ck_assert_int_eq(verb_restore(&restore, &error), BP_VERB_FAILED);
    g_clear_error(&error);
    ck_assert(!verb_exists("data/restored"));
}

START_TEST(test_seal__killed_at_every_step)
{
    static const struct {
        const char *fault, *status;
    } steps[] = {
        {"copy.running::abort", "running (stale)"},
        {"catalog.journal.before::abort", "running (stale)"},
        {"catalog.journal.after::abort", "running (stale)"},
        {"copy.copied::abort", "running (stale)"},
        {"catalog.items.after::abort", "running (stale)"},
        {"copy.sealed::abort", "running (stale)"},
        {"copy.compared::abort", "running (stale)"},
        {"copy.manifest::abort", "incomplete"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        verb_faults(steps[i].fault);
        verb_killed(copy_once);
        verb_faults("");
        ck_assert_msg(strcmp(status(), steps[i].status) == 0, "after %s: %s", steps[i].fault,
                      status());
        restore_is_refused();
        resume_or_begin(steps[i].status);
        ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    }
}
END_TEST

/* Writes of ours go through write_commit, copies through copy: neither leaves a false success. */
static void
killed_at_any(const char *operation, guint times)
{
    for (guint nth = 1; nth <= times; nth++) {
        g_autofree char *rule = g_strdup_printf("%s:other:abort:nth=%u:after", operation, nth);
        verb_faults(rule);
        pid_t child = fork();
        if (child == 0) {
            g_random_set_seed((guint32)getpid());
            copy_once();
            _exit(0);
        }
        int how = 0;
        ck_assert_int_eq(waitpid(child, &how, 0), child);
        verb_faults("");
        g_autofree char *was = g_strdup(status());
        if (WIFEXITED(how) || strcmp(was, "success") == 0) {
            ck_assert_str_eq(was, "success");
            ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
        } else {
            restore_is_refused();
            resume_or_begin(was);
        }
        ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    }
}

START_TEST(test_seal__killed_at_any_write)
{
    killed_at_any("storage.write_commit", 8);
}
END_TEST

START_TEST(test_seal__killed_at_any_copy)
{
    killed_at_any("storage.copy", 7);
}
END_TEST

START_TEST(test_seal__success_once_the_last_document_is_there)
{
    verb_faults("copy.committed::abort");
    verb_killed(copy_once);
    verb_faults("");
    ck_assert_str_eq(status(), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

static void
fail_once(const char *faults)
{
    verb_faults(faults);
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    verb_faults("");
}

START_TEST(test_seal__failure_after_the_manifest_takes_success_back)
{
    fail_once("copy.manifest::class=permanent");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "hint: go on with --resume");
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "failed");
    ck_assert_str_eq(status(), "failed");
    resume_or_begin("failed");
}
END_TEST

static bp_status
count_copies(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
             struct bp_object_meta *out, struct bp_error *raw)
{
    atomic_fetch_add(&copies, 1);
    return verb_honest_store.copy(storage, op, args, out, raw);
}

static void
spoil_copies(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->copy = count_copies;
}

START_TEST(test_resume__copies_nothing_twice)
{
    fail_once("copy.sealed::class=permanent");
    g_clear_error(&error);
    verb_remove("other/b/items/default/films/1"); /* was proven, and got lost since */
    verb_write("other/b/items/default/stray", "of nobody");
    verb_spoil = spoil_copies;
    resume_or_begin("failed");
    ck_assert_uint_eq(atomic_load(&copies), 1 + 2); /* it, and the documents */
}
END_TEST

START_TEST(test_resume__proof_that_contradicts_the_record_counts_for_nothing)
{
    fail_once("copy.sealed::class=permanent");
    g_clear_error(&error);
    g_autofree char *dir = g_build_filename(verb_root, "other/b/bakplane/journal", NULL);
    g_autoptr(GDir) journal = g_dir_open(dir, 0, NULL);
    g_autofree char *chunk =
        g_strconcat("other/b/bakplane/journal/", g_dir_read_name(journal), NULL);
    g_autofree char *text = verb_read(chunk);
    for (char *sum = text; (sum = strstr(sum, "\"c\":\"xxh3-128:")) != NULL;) {
        char *end = strchr(sum + strlen("\"c\":\""), '"');
        memset(end - 32, '0', 32);
        sum = end;
    }
    verb_write(chunk, text);
    verb_spoil = spoil_copies;
    resume_or_begin("failed");
    ck_assert_uint_eq(atomic_load(&copies), 4 + 2);
}
END_TEST

START_TEST(test_resume__not_by_create)
{
    fail_once("copy.sealed::class=permanent");
    g_clear_error(&error);
    bp_create_params create = {.name = "b", .resume = true};
    ck_assert_int_eq(verb_create(&create, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS,
                 "b is an unfinished copy of a backup\nhint: go on with: bakplane copy -n b --to "
                 "other --resume");
    ck_assert_int_eq(verb_verify("b", false, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "hint: finish it with: bakplane copy -n b --to other");
    resume_or_begin("failed");
    g_autofree char *manifest = verb_read("other/b/bakplane/manifest.json");
    ck_assert_ptr_null(strstr(manifest, "copying"));
}
END_TEST

START_TEST(test_resume__only_of_the_same_backup)
{
    fail_once("copy.sealed::class=permanent");
    g_clear_error(&error);
    verb_configure(", databases: true", "backups");
    bp_create_params create = {.name = "b", .replace = true};
    ASSERT_FINE(verb_create(&create, &error) == BP_VERB_OK, error);
    bp_copy_verb_params again = params;
    again.resume = true;
    ck_assert_int_eq(verb_copy(&again, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS,
                 "what storage 'other' holds as b is no unfinished copy of this backup\n"
                 "hint: start over with --replace");
    verb_configure(", databases: true", "other");
    ck_assert_str_eq(status(), "failed");
    again.resume = false;
    again.replace = true;
    ASSERT_FINE(verb_copy(&again, &error) == BP_VERB_OK, error);
    ck_assert_str_eq(status(), "success");
}
END_TEST

START_TEST(test_resume__of_an_unreadable_manifest)
{
    verb_write("other/b/bakplane/manifest.json", "{");
    bp_copy_verb_params again = params;
    again.resume = true;
    ck_assert_int_eq(verb_copy(&again, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "no unfinished copy of this backup");
    again.replace = true;
    ASSERT_FINE(verb_copy(&again, &error) == BP_VERB_OK, error);
    ck_assert_str_eq(status(), "success");
}
END_TEST

START_TEST(test_seal__object_that_changes_at_the_target)
{
    fail_once("copy.sealed::class=permanent");
    g_clear_error(&error);
    verb_write("other/b/items/default/books/2", "sec");
    resume_or_begin("failed"); /* another size: copied again */
}
END_TEST

static bp_status
list_with_a_stranger(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_list_args *args, const struct bp_list_sink *sink,
                     struct bp_error *raw)
{
    if (g_str_equal(args->prefix, "b/") && verb_exists("other/b/bakplane/items-1.jsonl") &&
        !verb_exists("other/b/items/stranger")) {
        verb_write("other/b/items/stranger", "hello");
    }
    return verb_honest_store.list(storage, op, args, sink, raw);
}

static void
spoil_list(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->list = list_with_a_stranger;
}

START_TEST(test_seal__object_that_nobody_copied)
{
    verb_spoil = spoil_list;
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    verb_spoil = NULL;
    ASSERT_ERROR(error, BP_ERR_CORRUPT,
                 "object b/items/stranger on storage 'other' (5 bytes) is not what was copied");
    ck_assert_str_eq(status(), "failed");
    resume_or_begin("failed");
}
END_TEST

static bp_status
list_less(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
          const struct bp_list_sink *sink, struct bp_error *raw)
{
    if (g_str_equal(args->prefix, "b/") && verb_exists("other/b/bakplane/items-1.jsonl")) {
        verb_remove("other/b/items/default/films/1");
    }
    return verb_honest_store.list(storage, op, args, sink, raw);
}

static void
spoil_list_less(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->list = list_less;
}

START_TEST(test_seal__object_that_got_lost)
{
    verb_spoil = spoil_list_less;
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    verb_spoil = NULL;
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "storage 'other' shows 3 of 4 objects");
    resume_or_begin("failed");
}
END_TEST

static bp_status
info_of_a_lagging_list(struct bp_storage *storage, struct bp_storage_info *out,
                       struct bp_error *raw)
{
    bp_status result = verb_honest_store.info(storage, out, raw);
    out->caps &= ~BP_STORE_STRONG_LIST;
    return result;
}

static bool lose_one;

static bp_status
stat_and_lose(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_object_meta *out, struct bp_error *raw)
{
    if (lose_one && g_str_equal(key, "b/items/default/films/1")) {
        verb_remove("other/b/items/default/films/1");
    }
    return verb_honest_store.stat(storage, op, key, out, raw);
}

static void
spoil_lagging(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->info = info_of_a_lagging_list;
    storage->stat = stat_and_lose;
}

START_TEST(test_seal__where_a_listing_lags_each_is_asked_for)
{
    verb_spoil = spoil_lagging;
    lose_one = true;
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "1 objects on storage 'other' are not what was copied");
    lose_one = false;
    resume_or_begin("failed");
}
END_TEST

START_TEST(test_seal__journal_that_stays_is_a_warning)
{
    verb_faults("storage.remove*:other:class=permanent");
    bp_verb_outcome outcome = verb_copy(&params, &error);
    verb_faults("");
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert(verb_noted("journal"));
}
END_TEST

START_TEST(test_copy__live_writer_is_respected)
{
    bp_verb verb = verb_open();
    const bp_catalog *catalog = NULL;
    ASSERT_FINE(bp_workspace_catalog(verb.workspace, &catalog, &error), error);
    bp_lease_params lease_params = {.catalog = catalog,
                                    .key = "b/" BP_CATALOG_LEASE,
                                    .run_id = "somebody",
                                    .purpose = "create",
                                    .renew_ns = BP_LEASE_RENEW_NS};
    bp_lease *lease = bp_lease_take(&lease_params, &error);
    ASSERT_FINE(lease != NULL, error);
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "b");
    ck_assert(!verb_exists("other/b/bakplane/manifest.json"));
    bp_lease_free(lease);
    verb_close(&verb);
}
END_TEST

START_TEST(test_copy__full_target)
{
    fail_once("storage.write_open:other:class=no-space:from=5;storage.copy:other:class=no-space");
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "storage other: ");
    resume_or_begin("failed");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/copy_seal", setup, verb_teardown, test_seal__killed_at_every_step,
        test_seal__killed_at_any_write, test_seal__killed_at_any_copy,
        test_seal__success_once_the_last_document_is_there,
        test_seal__failure_after_the_manifest_takes_success_back, test_resume__copies_nothing_twice,
        test_resume__proof_that_contradicts_the_record_counts_for_nothing,
        test_resume__not_by_create, test_resume__only_of_the_same_backup,
        test_resume__of_an_unreadable_manifest, test_seal__object_that_changes_at_the_target,
        test_seal__object_that_nobody_copied, test_seal__object_that_got_lost,
        test_seal__where_a_listing_lags_each_is_asked_for,
        test_seal__journal_that_stays_is_a_warning, test_copy__live_writer_is_respected,
        test_copy__full_target);
}
