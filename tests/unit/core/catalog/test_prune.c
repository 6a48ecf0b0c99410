/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/prune: what the rules of retention give up, and what they never touch.
 */
#include "core/base/clock.h"
#include "core/catalog/catalog.h"
#include "tests/harness/suite.h"

#define DAY (86400 * BP_NS_PER_S)
#define NOW (1000 * DAY)

static GPtrArray *entries;

static void
free_entry(gpointer entry)
{
    bp_backup_entry_free(entry);
}

static bp_backup_entry *
add(const char *name, gint64 age)
{
    bp_backup_entry *entry = g_new0(bp_backup_entry, 1);
    entry->name = g_strdup(name);
    entry->state = BP_BACKUP_SUCCESS;
    entry->finished_ns = NOW - age;
    g_ptr_array_add(entries, entry);
    return entry;
}

static void
setup(void)
{
    entries = g_ptr_array_new_with_free_func(free_entry);
}

static void
teardown(void)
{
    g_ptr_array_unref(entries);
}

/* Names of the chosen ones, each with a blank behind. */
static char *
choose(guint keep_last, gint64 keep_within, bool foreign)
{
    bp_prune_rule rule = {
        .keep_last = keep_last, .keep_within_ns = keep_within, .now_ns = NOW, .foreign = foreign};
    g_autofree bool *chosen = g_new(bool, entries->len + 1);
    memset(chosen, 1, entries->len + 1); /* what is not written shows */
    bp_prune_choose(entries, &rule, chosen);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++) {
        const bp_backup_entry *entry = g_ptr_array_index(entries, i);
        if (chosen[i]) {
            g_string_append_printf(out, "%s ", entry->name);
        }
    }
    return g_string_free(out, FALSE);
}

static void
assert_chosen(guint keep_last, gint64 keep_within, bool foreign, const char *wanted)
{
    g_autofree char *chosen = choose(keep_last, keep_within, foreign);
    ck_assert_str_eq(chosen, wanted);
}

START_TEST(test_choose__keeps_the_newest)
{
    add("b", 2 * DAY);
    add("d", 4 * DAY);
    add("a", 1 * DAY);
    add("c", 3 * DAY);
    assert_chosen(1, 0, false, "b d c ");
    assert_chosen(3, 0, false, "d ");
    assert_chosen(4, 0, false, "");
    assert_chosen(99, 0, false, "");
}
END_TEST

START_TEST(test_choose__keeps_the_young)
{
    add("a", 1 * DAY);
    add("b", 30 * DAY);
    add("c", 31 * DAY);
    add("future", -5 * DAY);
    assert_chosen(0, 30 * DAY, false, "b c ");
}
END_TEST

START_TEST(test_choose__either_rule_keeps)
{
    add("a", 40 * DAY);
    add("b", 50 * DAY);
    add("c", 60 * DAY);
    assert_chosen(2, 30 * DAY, false, "c ");
    assert_chosen(1, 55 * DAY, false, "c ");
}
END_TEST

START_TEST(test_choose__no_rule_deletes_nothing)
{
    add("a", 40 * DAY);
    assert_chosen(0, 0, true, "");
}
END_TEST

START_TEST(test_choose__only_sound_successes)
{
    add("good", 40 * DAY);
    add("failed", 50 * DAY)->state = BP_BACKUP_FAILED;
    add("running", 50 * DAY)->state = BP_BACKUP_RUNNING;
    add("deleting", 50 * DAY)->state = BP_BACKUP_DELETING;
    add("incomplete", 50 * DAY)->incomplete = true;
    add("odd", 50 * DAY)->problem = g_strdup("newer");
    add("ageless", NOW);
    add("old", 50 * DAY);
    assert_chosen(1, 0, true, "old ");
    /* Those that do not count do not fill the places of those to keep either. */
    assert_chosen(2, 0, true, "");
}
END_TEST

START_TEST(test_choose__foreign_only_when_asked)
{
    add("ours", 50 * DAY);
    add("newer_foreign", 1 * DAY)->foreign = true;
    add("older_foreign", 90 * DAY)->foreign = true;
    assert_chosen(1, 0, false, "");
    assert_chosen(1, 0, true, "ours older_foreign ");
}
END_TEST

START_TEST(test_choose__same_age_by_name)
{
    add("b_1", DAY);
    add("b_3", DAY);
    add("b_2", DAY);
    assert_chosen(2, 0, false, "b_1 ");
}
END_TEST

START_TEST(test_choose__none)
{
    assert_chosen(1, DAY, true, "");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/prune", setup, teardown, test_choose__keeps_the_newest,
                     test_choose__keeps_the_young, test_choose__either_rule_keeps,
                     test_choose__no_rule_deletes_nothing, test_choose__only_sound_successes,
                     test_choose__foreign_only_when_asked, test_choose__same_age_by_name,
                     test_choose__none);
}
