/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces that a source reads of a backup, compared with what its items files record.
 */
#include <string.h>

#include "core/verb/restore_reads.h"
#include "core/verb/view.h"
#include "tests/unit/core/verb/verb_fixture.h"

#define KEY "items/default/films/1"

static bp_verb verb;
static bp_view view;
static bp_proven *proven;
static bp_restore_reads *reads;
static char *text;
static GError *error;

static void
setup(void)
{
    verb_setup();
    error = NULL;
    verb_seed_backup();
    verb = verb_open();
    ASSERT_FINE(bp_view_open(&verb, "b", &view, &error), error);
    proven = bp_proven_from_manifest(view.catalog, view.manifest, &error);
    ASSERT_FINE(proven != NULL, error);
    reads = bp_restore_reads_new(proven);
    text = verb_read("backups/b/" KEY);
    ck_assert_uint_gt(strlen(text), 3);
}

static void
teardown(void)
{
    bp_restore_reads_free(reads);
    bp_proven_free(proven);
    bp_view_clear(&view);
    verb_close(&verb);
    g_free(text);
    verb_teardown();
}

static bool
take(const char *key, guint64 offset, gsize n)
{
    const bp_ref_piece piece = {.key = key, .offset = offset, .bytes = text + offset, .n = n};
    return bp_restore_reads_take(reads, &piece, &error);
}

START_TEST(test_take__whole_and_right)
{
    ASSERT_FINE(take(KEY, 0, strlen(text)), error);
    ASSERT_FINE(take(KEY, 0, strlen(text)), error);
}
END_TEST

START_TEST(test_take__whole_and_wrong)
{
    text[1] ^= 1;
    ck_assert(!take(KEY, 0, strlen(text)));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, KEY " of the backup: its xxh3-128 is ");
}
END_TEST

START_TEST(test_take__wrong_in_an_early_piece)
{
    text[0] ^= 1;
    ASSERT_FINE(take(KEY, 0, 1), error);
    ASSERT_FINE(take(KEY, 1, 1), error);
    ck_assert(!take(KEY, 2, strlen(text) - 2));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "and must be ");
}
END_TEST

START_TEST(test_take__begun_anew)
{
    text[0] ^= 1;
    ASSERT_FINE(take(KEY, 0, 2), error);
    text[0] ^= 1;
    ASSERT_FINE(take(KEY, 0, 2), error);
    ASSERT_FINE(take(KEY, 2, strlen(text) - 2), error);
}
END_TEST

/* Only what comes in its order can be compared. */
START_TEST(test_take__out_of_order)
{
    text[0] ^= 1;
    ASSERT_FINE(take(KEY, 0, 1), error);
    ASSERT_FINE(take(KEY, 2, strlen(text) - 2), error);
    ASSERT_FINE(take(KEY, 1, strlen(text) - 1), error);
}
END_TEST

START_TEST(test_take__what_the_record_does_not_know)
{
    ASSERT_FINE(take("meta/files.json", 0, strlen(text)), error);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("verb/restore_reads", setup, teardown, test_take__whole_and_right,
                     test_take__whole_and_wrong, test_take__wrong_in_an_early_piece,
                     test_take__begun_anew, test_take__out_of_order,
                     test_take__what_the_record_does_not_know);
}
