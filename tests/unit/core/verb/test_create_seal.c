/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/create_seal: whatever moment a create is killed or fails at, nothing is taken for a
 * success that is none, and --resume makes one of it.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/core/verb/verb_fixture.h"

static GError *error;

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
    verb_seed();
    error = NULL;
}

static void
create_once(void)
{
    bp_create_params params = {.name = "b"};
    (void)verb_create(&params, NULL);
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
    bp_create_params params = {.name = "b", .resume = strcmp(was, "nothing") != 0};
    bp_verb_outcome outcome = verb_create(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert_str_eq(status(), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 4);
    ck_assert_uint_eq(verb_number("compared"), 4);
}

static void
restore_is_refused(void)
{
    bp_restore_params params = {.name = "b", .suffix = "_2"};
    ck_assert_int_eq(verb_restore(&params, &error), BP_VERB_FAILED);
    g_clear_error(&error);
    ck_assert(!verb_exists("data/restored"));
}

START_TEST(test_seal__killed_at_every_step)
{
    static const struct {
        const char *fault, *status;
    } steps[] = {
        {"create.running::abort", "running (stale)"},
        {"source.unit_items::abort", "running (stale)"},
        {"source.documents::abort", "running (stale)"},
        {"create.sealed::abort", "running (stale)"},
        {"catalog.document.before::abort", "running (stale)"},
        {"create.manifest::abort", "incomplete"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        verb_faults(steps[i].fault);
        verb_killed(create_once);
        verb_faults("");
        ck_assert_msg(strcmp(status(), steps[i].status) == 0, "after %s: %s", steps[i].fault,
                      status());
        restore_is_refused();
        resume_or_begin(steps[i].status);
        ASSERT_FINE(verb_delete("b", false, &error) == BP_VERB_OK, error);
    }
}
END_TEST

START_TEST(test_seal__killed_at_any_write)
{
    for (guint nth = 1; nth <= 12; nth++) {
        g_autofree char *rule =
            g_strdup_printf("storage.write_commit:backups:abort:nth=%u:after", nth);
        verb_faults(rule);
        pid_t child = fork();
        if (child == 0) {
            create_once();
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
END_TEST

START_TEST(test_seal__success_once_the_last_document_is_there)
{
    verb_faults("create.committed::abort");
    verb_killed(create_once);
    verb_faults("");
    ck_assert_str_eq(status(), "success");
    ASSERT_FINE(verb_verify("b", true, &error) == BP_VERB_OK, error);
}
END_TEST

START_TEST(test_seal__failure_after_the_manifest_takes_success_back)
{
    bp_create_params params = {.name = "b"};
    verb_faults("create.manifest::class=permanent");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "hint: go on with --resume");
    ck_assert_str_eq(bp_json_text(verb_result, "state", ""), "failed");
    ck_assert_str_eq(status(), "failed");
    resume_or_begin("failed");
}
END_TEST

static bp_status
bad_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
              struct bp_error *raw)
{
    (void)run;
    (void)op;
    if (sink->begin(sink->ctx, "bakplane/manifest.json", BP_DOCUMENT_COMMIT) == 0 &&
        sink->end(sink->ctx) == 0) {
        return BP_OK;
    }
    raw->cls = BP_ERR_CANCELLED;
    g_strlcpy(raw->message, "stopped", sizeof raw->message);
    return BP_ERR_CANCELLED;
}

static void
spoil_documents(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->documents = bad_documents;
}

START_TEST(test_seal__document_in_our_own_place)
{
    bp_create_params params = {.name = "b"};
    verb_spoil = spoil_documents;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "bakplane/manifest.json");
    ck_assert_str_eq(status(), "failed");
}
END_TEST

START_TEST(test_seal__unwritable_document_says_why)
{
    bp_create_params params = {.name = "b"};
    verb_faults("catalog.document.before::class=no-space");
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "injected");
}
END_TEST

static guint n_documents;

static bp_status
counting_documents(struct bp_run *run, const struct bp_op *op, const struct bp_document_sink *sink,
                   struct bp_error *raw)
{
    n_documents++;
    bool taken = sink->begin(sink->ctx, "meta/more.json", 0) == 0 &&
                 sink->write(sink->ctx, "{}", 2) == 0 && sink->end(sink->ctx) == 0;
    if (taken) {
        return verb_honest.documents(run, op, sink, raw);
    }
    raw->cls = BP_ERR_CANCELLED;
    g_strlcpy(raw->message, "the documents were stopped", sizeof raw->message);
    return raw->cls;
}

static bp_status
busy_for_documents(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_write_args *args, struct bp_writer **out, struct bp_error *raw)
{
    if (!g_str_has_suffix(args->key, "/meta/more.json")) {
        return verb_honest_store.write_open(storage, op, args, out, raw);
    }
    raw->cls = BP_ERR_RETRYABLE;
    g_strlcpy(raw->message, "the storage is busy", sizeof raw->message);
    return raw->cls;
}

static void
spoil_counting(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    source->documents = counting_documents;
    storage->write_open = busy_for_documents;
}

/* The storage was asked often enough: the source need not tell it all again. */
START_TEST(test_seal__busy_storage_is_not_asked_by_two)
{
    bp_create_params params = {.name = "b"};
    n_documents = 0;
    verb_spoil = spoil_counting;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "the storage is busy");
    ck_assert_uint_eq(n_documents, 1);
}
END_TEST

START_TEST(test_seal__journal_that_stays_is_a_warning)
{
    bp_create_params params = {.name = "b"};
    verb_faults("storage.remove*:backups:class=permanent");
    bp_verb_outcome outcome = verb_create(&params, &error);
    verb_faults("");
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    ck_assert(verb_noted("journal"));
}
END_TEST

static gint64 sealing_deadline_ns;

static bp_status
noting_write_open(struct bp_storage *storage, const struct bp_op *op,
                  const struct bp_write_args *args, struct bp_writer **out, struct bp_error *raw)
{
    if (g_str_has_suffix(args->key, "/items-1.jsonl")) {
        sealing_deadline_ns = op->deadline_ns;
    }
    return verb_honest_store.write_open(storage, op, args, out, raw);
}

static void
spoil_write_open(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)source;
    storage->write_open = noting_write_open;
}

/* What ends the job (its deadline, a lost lease) ends its last steps as well. */
START_TEST(test_seal__obeys_the_call_of_the_job)
{
    static const char *const overrides[] = {"timeout=1h", NULL};
    bp_create_params params = {.name = "b", .overrides = overrides};
    verb_spoil = spoil_write_open;
    sealing_deadline_ns = 0;
    ASSERT_FINE(verb_create(&params, &error) == BP_VERB_OK, error);
    ck_assert_int_gt(sealing_deadline_ns, 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/create_seal", setup, verb_teardown, test_seal__killed_at_every_step,
        test_seal__killed_at_any_write, test_seal__success_once_the_last_document_is_there,
        test_seal__failure_after_the_manifest_takes_success_back,
        test_seal__document_in_our_own_place, test_seal__unwritable_document_says_why,
        test_seal__busy_storage_is_not_asked_by_two, test_seal__journal_that_stays_is_a_warning,
        test_seal__obeys_the_call_of_the_job);
}
