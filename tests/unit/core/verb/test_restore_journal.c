/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/restore_journal: what a run leaves behind, what the next one makes of it, and that two
 * never work on one target.
 */
#include "core/verb/restore_journal.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/core/verb/verb_fixture.h"

static GError *error;
static char *state_dir;

static void
setup(void)
{
    verb_setup();
    error = NULL;
    state_dir = g_build_filename(verb_root, "state", NULL);
}

static void
teardown(void)
{
    g_free(state_dir);
    verb_teardown();
}

typedef bp_restore_journal *(*opening)(const bp_restore_journal_params *, GError **);

static bp_restore_journal *
open_by(opening open, const char *run, const char *address, const char *target)
{
    const char *targets[] = {target, NULL};
    bp_restore_journal_params params = {.state_dir = state_dir,
                                        .address = address,
                                        .run_id = run,
                                        .backup = "nightly",
                                        .wanted = "nightly 1",
                                        .targets = targets};
    return open(&params, &error);
}

static bp_restore_journal *
open_as(const char *run, const char *address, const char *target)
{
    return open_by(bp_restore_journal_open, run, address, target);
}

static bp_restore_journal *
look(const char *target)
{
    return open_by(bp_restore_journal_look, "looker", "db1:19530", target);
}

static bp_restore_journal *
open_fine(const char *run, const char *target)
{
    bp_restore_journal *journal = open_as(run, "db1:19530", target);
    ASSERT_FINE(journal != NULL, error);
    return journal;
}

/* A run of that name registers, prepares "db.a", stages something, and dies. */
static void
leave_dead_run(const char *run)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        bp_restore_journal *journal = open_fine(run, "db.a");
        bool fine = bp_restore_journal_staging(journal, "data", "staged-1/", NULL) &&
                    bp_restore_journal_prepared(journal, "db.a", "id-1", NULL);
        _exit(fine ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static guint
n_files(void)
{
    return verb_count("state/restore") - 1; /* beside the lock file */
}

START_TEST(test_open__finished_run_leaves_nothing)
{
    bp_restore_journal *journal = open_fine("r1", "db.a");
    ck_assert_ptr_null(bp_restore_journal_ours(journal, "db.a"));
    ck_assert_uint_eq(bp_restore_journal_leftovers(journal)->len, 0);
    ck_assert(bp_restore_journal_prepared(journal, "db.a", "id", &error));
    ck_assert(bp_restore_journal_staging(journal, "data", "s/", &error));
    ck_assert_uint_eq(n_files(), 1);
    ck_assert(bp_restore_journal_done(journal, "db.a", 7, &error));
    ck_assert(bp_restore_journal_swept(journal, &error));
    bp_restore_journal_free(journal);
    ck_assert_uint_eq(n_files(), 0);
}
END_TEST

START_TEST(test_open__refuses_a_target_of_a_live_run)
{
    bp_restore_journal *first = open_fine("r1", "db.a");
    ck_assert_ptr_null(open_as("r2", "db1:19530", "db.a"));
    ASSERT_ERROR(error, BP_ERR_EXISTS,
                 "db.a is being restored by another run right now (from backup nightly)");
    bp_restore_journal_free(open_fine("r3", "db.b"));
    bp_restore_journal *elsewhere = open_as("r4", "db2:19530", "db.a");
    ASSERT_FINE(elsewhere != NULL, error);
    bp_restore_journal_free(elsewhere);
    bp_restore_journal_free(first);
    bp_restore_journal_free(open_fine("r5", "db.a"));
}
END_TEST

START_TEST(test_open__inherits_from_a_dead_run)
{
    leave_dead_run("r1");
    bp_restore_journal *journal = open_fine("r2", "db.a");
    ck_assert_str_eq(bp_restore_journal_ours(journal, "db.a"), "id-1");
    ck_assert_uint_eq(bp_restore_journal_leftovers(journal)->len, 1);
    const bp_leftover *left = g_ptr_array_index(bp_restore_journal_leftovers(journal), 0);
    ck_assert_str_eq(left->ref, "data");
    ck_assert_str_eq(left->key, "staged-1/");
    ck_assert_uint_eq(n_files(), 1);
    bp_restore_journal_free(journal); /* it has settled nothing: the next one has to */
    ck_assert_uint_eq(n_files(), 1);

    journal = open_fine("r3", "db.other");
    ck_assert_str_eq(bp_restore_journal_ours(journal, "db.a"), "id-1");
    ck_assert(bp_restore_journal_swept(journal, &error));
    bp_restore_journal_free(journal);

    journal = open_fine("r4", "db.a");
    ck_assert_uint_eq(bp_restore_journal_leftovers(journal)->len, 0);
    ck_assert(bp_restore_journal_prepared(journal, "db.a", "id-4", &error));
    ck_assert(bp_restore_journal_done(journal, "db.a", 7, &error));
    bp_restore_journal_free(journal);
    ck_assert_uint_eq(n_files(), 0);
}
END_TEST

START_TEST(test_open__other_source_is_left_alone)
{
    leave_dead_run("r1");
    bp_restore_journal *journal = open_as("r2", "db2:19530", "db.a");
    ASSERT_FINE(journal != NULL, error);
    ck_assert_ptr_null(bp_restore_journal_ours(journal, "db.a"));
    ck_assert_uint_eq(bp_restore_journal_leftovers(journal)->len, 0);
    bp_restore_journal_free(journal);
    ck_assert(verb_exists("state/restore/r1.jsonl"));
}
END_TEST

#define BEGIN \
    "{\"event\":\"begin\",\"address\":\"db1:19530\",\"backup\":\"b\",\"targets\":[\"db.a\"]}\n"
#define PREPARED "{\"event\":\"prepared\",\"target\":\"db.a\",\"identity\":\"id-1\"}\n"

#define UPLOAD "{\"event\":\"upload\",\"ref\":\"data\",\"key\":\"s/1\""
#define OVER "{\"event\":\"uploaded\",\"ref\":\"data\",\"key\":\"s/1\""

/* The first beginning was not heard of; the second got its id, and is complete. */
START_TEST(test_open__inherits_an_upload_that_may_have_begun)
{
    verb_write("state/restore/r1.jsonl",
               BEGIN UPLOAD "}\n" UPLOAD "}\n" UPLOAD ",\"upload\":\"id\"}\n" OVER "}\n" OVER
                            ",\"upload\":\"id\"}\n");
    bp_restore_journal *journal = open_fine("r2", "db.a");
    ck_assert_uint_eq(bp_restore_journal_leftovers(journal)->len, 1);
    const bp_leftover *left = g_ptr_array_index(bp_restore_journal_leftovers(journal), 0);
    ck_assert_str_eq(left->key, "s/1");
    ck_assert_str_eq(left->upload, "");
    bp_restore_journal_free(journal);
}
END_TEST

START_TEST(test_open__torn_last_line)
{
    verb_write("state/restore/r1.jsonl", BEGIN PREPARED "{\"event\":\"do");
    bp_restore_journal *journal = open_fine("r2", "db.a");
    ck_assert_str_eq(bp_restore_journal_ours(journal, "db.a"), "id-1");
    bp_restore_journal_free(journal);
}
END_TEST

START_TEST(test_open__finished_target_is_not_ours_any_more)
{
    verb_write("state/restore/r1.jsonl", BEGIN PREPARED "{\"event\":\"done\",\"target\":\"db.a\"}\n"
                                                        "{\"event\":\"of a later version\"}\n");
    bp_restore_journal *journal = open_fine("r2", "db.a");
    ck_assert_ptr_null(bp_restore_journal_ours(journal, "db.a"));
    ck_assert(!verb_exists("state/restore/r1.jsonl"));
    bp_restore_journal_free(journal);
    ck_assert_uint_eq(n_files(), 0);
}
END_TEST

#define BEGIN_SAME                                                                                \
    "{\"event\":\"begin\",\"address\":\"db1:19530\",\"backup\":\"nightly\",\"wanted\":\"nightly " \
    "1\","                                                                                        \
    "\"targets\":[\"db.a\",\"db.b\"]}\n"
#define DONE "{\"event\":\"done\",\"target\":\"db.a\",\"identity\":\"id-1\",\"found\":300}\n"
#define HALF_B "{\"event\":\"prepared\",\"target\":\"db.b\",\"identity\":\"id-2\"}\n"

START_TEST(test_open__what_is_complete_is_handed_on)
{
    guint64 found = 0;
    verb_write("state/restore/r1.jsonl", BEGIN_SAME PREPARED DONE HALF_B);
    for (int round = 2; round < 4; round++) { /* the next one dies, too, before it did anything */
        g_autofree char *run = g_strdup_printf("r%d", round);
        bp_restore_journal *journal = open_fine(run, "db.a");
        ck_assert_str_eq(bp_restore_journal_finished(journal, "db.a", &found), "id-1");
        ck_assert_uint_eq(found, 300);
        ck_assert_ptr_null(bp_restore_journal_finished(journal, "db.b", &found));
        ck_assert_str_eq(bp_restore_journal_ours(journal, "db.b"), "id-2");
        bp_restore_journal_free(journal);
    }
}
END_TEST

START_TEST(test_open__what_is_complete_counts_only_for_the_same)
{
    guint64 found = 0;
    verb_write("state/restore/r1.jsonl", BEGIN PREPARED DONE HALF_B);
    bp_restore_journal *journal = open_fine("r2", "db.a");
    ck_assert_ptr_null(bp_restore_journal_finished(journal, "db.a", &found));
    ck_assert_str_eq(bp_restore_journal_ours(journal, "db.b"), "id-2");
    bp_restore_journal_free(journal);
}
END_TEST

START_TEST(test_open__complete_and_then_made_again)
{
    guint64 found = 0;
    verb_write("state/restore/r1.jsonl", BEGIN_SAME DONE PREPARED);
    bp_restore_journal *journal = open_fine("r2", "db.a");
    ck_assert_ptr_null(bp_restore_journal_finished(journal, "db.a", &found));
    ck_assert_str_eq(bp_restore_journal_ours(journal, "db.a"), "id-1");
    ck_assert(bp_restore_journal_prepared(journal, "db.a", "id-3", &error));
    ck_assert(bp_restore_journal_staging(journal, "data", "s/", &error)); /* the file stays */
    ck_assert(bp_restore_journal_done(journal, "db.a", BP_UNKNOWN, &error));
    bp_restore_journal_free(journal);
    journal = open_fine("r3", "db.a");
    ck_assert_str_eq(bp_restore_journal_finished(journal, "db.a", &found), "id-3");
    ck_assert(found == BP_UNKNOWN);
    bp_restore_journal_free(journal);
}
END_TEST

START_TEST(test_open__rubbish_is_no_journal)
{
    verb_write("state/restore/r1.jsonl", "");
    verb_write("state/restore/r2.jsonl", "no json\n" PREPARED);
    verb_write("state/restore/r3.jsonl", PREPARED);
    verb_write("state/restore/r4.jsonl",
               "{\"event\":\"begin\",\"address\":\"db1:19530\",\"targets\":[1]}\n");
    verb_write("state/restore/notes.txt", BEGIN PREPARED);
    bp_restore_journal *journal = open_fine("r9", "db.a");
    ck_assert_ptr_null(bp_restore_journal_ours(journal, "db.a"));
    bp_restore_journal_free(journal);
}
END_TEST

START_TEST(test_open__run_id_must_be_new)
{
    verb_write("state/restore/r1.jsonl", "x");
    ck_assert_ptr_null(open_as("r1", "db1:19530", "db.a"));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "restore journal ");
}
END_TEST

START_TEST(test_open__state_directory_that_is_none)
{
    verb_write("state", "a file");
    ck_assert_ptr_null(open_as("r1", "db1:19530", "db.a"));
    ck_assert_ptr_nonnull(strstr(error->message, "state directory "));
    g_clear_error(&error);
}
END_TEST

START_TEST(test_open__state_directory_without_a_lock_file)
{
    verb_write("state/restore/lock/x", "");
    ck_assert_ptr_null(open_as("r1", "db1:19530", "db.a"));
    ck_assert_ptr_nonnull(strstr(error->message, "lock file "));
    g_clear_error(&error);
}
END_TEST

START_TEST(test_look__finds_what_open_would_and_changes_nothing)
{
    leave_dead_run("r1");
    g_autofree char *before = verb_read("state/restore/r1.jsonl");
    bp_restore_journal *journal = look("db.a");
    ASSERT_FINE(journal != NULL, error);
    ck_assert_str_eq(bp_restore_journal_ours(journal, "db.a"), "id-1");
    bp_restore_journal_free(journal);
    g_autofree char *after = verb_read("state/restore/r1.jsonl");
    ck_assert_str_eq(before, after);
    ck_assert_uint_eq(n_files(), 1);
}
END_TEST

START_TEST(test_look__target_of_a_live_run)
{
    bp_restore_journal *live = open_fine("r1", "db.a");
    ck_assert_ptr_null(look("db.a"));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "db.a is being restored by another run right now");
    bp_restore_journal_free(look("db.b"));
    bp_restore_journal_free(live);
}
END_TEST

START_TEST(test_look__there_never_was_a_run)
{
    bp_restore_journal *journal = look("db.a");
    ASSERT_FINE(journal != NULL, error);
    ck_assert_ptr_null(bp_restore_journal_ours(journal, "db.a"));
    bp_restore_journal_free(journal);
    ck_assert(!verb_exists("state"));
}
END_TEST

START_TEST(test_look__state_directory_that_is_none)
{
    verb_write("state", "a file");
    ck_assert_ptr_null(look("db.a"));
    ck_assert_ptr_nonnull(strstr(error->message, "lock file "));
    g_clear_error(&error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/restore_journal", setup, teardown, test_open__finished_run_leaves_nothing,
        test_open__refuses_a_target_of_a_live_run, test_open__inherits_from_a_dead_run,
        test_open__other_source_is_left_alone, test_open__torn_last_line,
        test_open__inherits_an_upload_that_may_have_begun,
        test_open__finished_target_is_not_ours_any_more, test_open__what_is_complete_is_handed_on,
        test_open__what_is_complete_counts_only_for_the_same,
        test_open__complete_and_then_made_again, test_open__rubbish_is_no_journal,
        test_open__run_id_must_be_new, test_open__state_directory_that_is_none,
        test_open__state_directory_without_a_lock_file,
        test_look__finds_what_open_would_and_changes_nothing, test_look__target_of_a_live_run,
        test_look__there_never_was_a_run, test_look__state_directory_that_is_none);
}
