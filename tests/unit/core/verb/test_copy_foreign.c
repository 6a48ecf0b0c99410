/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/copy: backups of other tools, copied as they are; nothing of ours stays in them.
 */
#include <unistd.h>

#include "core/verb/view.h"
#include "tests/unit/core/verb/verb_fixture.h"

static bp_copy_verb_params params;
static GError *error;
static guint64 size_of_x; /* as their documents tell it */

/* A source that knows what "theirs" holds: one unit, two items, and of one no size. */
static bp_status
adopt(struct bp_source *source, const struct bp_op *op, const char *ref,
      const struct bp_adopt_sink *sink, struct bp_adopt_info *info, struct bp_error *raw)
{
    (void)source;
    (void)op;
    struct bp_unit parent = {
        .struct_size = sizeof parent, .id = "1", .kind = "database", .name = "default"};
    struct bp_unit unit = {
        .struct_size = sizeof unit, .id = "2", .parent = "1", .kind = "directory", .name = "books"};
    struct bp_item x = {.struct_size = sizeof x, .id = "i", .key = "items/x", .size = size_of_x};
    struct bp_item y = {.struct_size = sizeof y, .id = "j", .key = "items/y", .size = BP_UNKNOWN};
    ck_assert_str_eq(ref, BP_BACKUP_REF);
    g_strlcpy(info->writer, "another tool 1.0", sizeof info->writer);
    g_strlcpy(info->server_version, "2.0", sizeof info->server_version);
    if (sink->unit(sink->ctx, &parent) != 0 || sink->unit(sink->ctx, &unit) != 0 ||
        sink->item(sink->ctx, "2", &x) != 0 || sink->item(sink->ctx, "2", &y) != 0) {
        raw->cls = BP_ERR_CANCELLED;
        g_strlcpy(raw->message, "stopped", sizeof raw->message);
        return BP_ERR_CANCELLED;
    }
    return BP_OK;
}

static void
spoil_adopt(struct bp_source_ops *source, struct bp_storage_ops *storage)
{
    (void)storage;
    source->adopt = adopt;
}

static void
setup(void)
{
    verb_setup();
    verb_seed();
    verb_spoil = spoil_adopt;
    size_of_x = 3;
    verb_write("backups/theirs/meta/files.json", "{\"theirs\": true}");
    verb_write("backups/theirs/meta/more.json", "[]");
    verb_write("backups/theirs/items/x", "abc");
    verb_write("backups/theirs/items/y", "abcd");
    verb_write("backups/theirs/extra/z", "not named by any document");
    params = (bp_copy_verb_params){.name = "theirs", .to = "other"};
    error = NULL;
}

static void
same_file(const char *path)
{
    g_autofree char *from = g_strconcat("backups/theirs/", path, NULL);
    g_autofree char *to = g_strconcat("other/theirs/", path, NULL);
    g_autofree char *original = verb_read(from);
    g_autofree char *copy = verb_read(to);
    ck_assert_str_eq(original, copy);
}

static void
copy_is_theirs(void)
{
    ck_assert_uint_eq(verb_count("other/theirs"), 5);
    same_file("meta/files.json");
    same_file("meta/more.json");
    same_file("items/x");
    same_file("items/y");
    same_file("extra/z");
}

static void
copy_fine(void)
{
    bp_verb_outcome outcome = verb_copy(&params, &error);
    ASSERT_FINE(outcome == BP_VERB_OK, error);
    copy_is_theirs();
}

static const char *
status_at_target(void)
{
    g_autoptr(GError) failed = NULL;
    verb_configure(", databases: true", "other");
    ASSERT_FINE(verb_list(NULL, &failed) == BP_VERB_OK, failed);
    verb_configure(", databases: true", "backups");
    return verb_length("backups") == 0 ? "nothing" : verb_item("backups", 0, "status");
}

START_TEST(test_copy__foreign_as_it_is)
{
    copy_fine();
    ck_assert(json_is_true(json_object_get(verb_result, "foreign")));
    ck_assert_str_eq(bp_json_text(verb_result, "server_version", ""), "2.0");
    ck_assert_uint_eq(verb_length("units"), 1);
    ck_assert_str_eq(verb_item("units", 0, "name"), "books");
    ck_assert_str_eq(status_at_target(), "foreign");
    ck_assert_uint_eq(verb_count("backups"), 5);
}
END_TEST

START_TEST(test_copy__foreign_without_what_is_ours)
{
    verb_write("backups/theirs/bakplane/lease.json", "{}"); /* of a delete that was killed */
    copy_fine();
}
END_TEST

START_TEST(test_copy__foreign_dry_run)
{
    params.dry_run = true;
    ASSERT_FINE(verb_copy(&params, &error) == BP_VERB_OK, error);
    ck_assert_uint_eq(verb_number("items"), 2);
    ck_assert_uint_eq(verb_count("other"), 0);
}
END_TEST

START_TEST(test_copy__foreign_listing_is_tried_again)
{
    for (guint nth = 1; nth <= 6; nth++) {
        g_autofree char *rule =
            g_strdup_printf("storage.list:backups:nth=%u:class=retryable:after", nth);
        verb_faults(rule);
        copy_fine();
        verb_remove("other");
    }
}
END_TEST

START_TEST(test_copy__foreign_every_way_of_proving)
{
    static const char *const ways[] = {"prove=size", "prove=read"};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        const char *const overrides[] = {ways[i], NULL};
        params.overrides = overrides;
        copy_fine();
        verb_remove("other");
    }
}
END_TEST

START_TEST(test_damage__foreign_object_of_another_size)
{
    size_of_x = 4;
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CORRUPT,
                 "source object theirs/items/x has 3 bytes, it was named with 4");
    ck_assert_str_eq(status_at_target(), "failed");
    size_of_x = 3;
    params.resume = true;
    copy_fine();
}
END_TEST

START_TEST(test_damage__foreign_object_is_missing)
{
    verb_remove("backups/theirs/items/y");
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_CORRUPT,
                 "backup theirs on storage 'backups' is damaged: items/y is missing");
    ck_assert(!verb_exists("other/theirs/meta/files.json"));
}
END_TEST

START_TEST(test_copy__foreign_that_cannot_be_adopted)
{
    verb_spoil = NULL;
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "plugin 'files' cannot read");
    ck_assert_uint_eq(verb_count("other"), 0);
}
END_TEST

static void
copy_once(void)
{
    (void)verb_copy(&params, NULL);
}

START_TEST(test_seal__foreign_killed_at_every_step)
{
    static const struct {
        const char *fault, *status;
    } steps[] = {
        {"copy.running::abort", "running (stale)"},
        {"copy.copied::abort", "running (stale)"},
        {"copy.sealed::abort", "running (stale)"},
        {"copy.manifest::abort", "running (stale)"},
        {"copy.committed::abort", "running (stale)"},
        {"catalog.journal_remove.after::abort", "running (stale)"},
        {"catalog.remove_record.after::abort", "running (stale)"},
        {"catalog.remove_manifest.before::abort", "running (stale)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        verb_faults(steps[i].fault);
        verb_killed(copy_once);
        verb_faults("");
        ck_assert_msg(strcmp(status_at_target(), steps[i].status) == 0, "after %s: %s",
                      steps[i].fault, status_at_target());
        params.resume = true;
        copy_fine();
        params.resume = false;
        verb_remove("other");
    }
}
END_TEST

START_TEST(test_seal__foreign_is_whole_when_the_record_is_gone)
{
    verb_faults("catalog.remove_manifest.after::abort");
    verb_killed(copy_once);
    verb_faults("");
    ck_assert_str_eq(status_at_target(), "foreign");
    verb_remove("other/theirs/bakplane"); /* the lease of the dead */
    copy_is_theirs();
}
END_TEST

START_TEST(test_seal__foreign_record_that_cannot_be_removed)
{
    verb_faults("catalog.remove_manifest.before::class=permanent");
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "hint: go on with --resume");
    ck_assert_str_eq(status_at_target(), "failed");
    params.resume = true;
    copy_fine();
}
END_TEST

START_TEST(test_resume__foreign_only_of_the_same_backup)
{
    verb_faults("copy.sealed::class=permanent");
    ck_assert_int_eq(verb_copy(&params, NULL), BP_VERB_FAILED);
    verb_faults("");
    verb_write("backups/theirs/meta/files.json", "{\"theirs\": \"made anew\"}");
    params.resume = true;
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "no unfinished copy of this backup");
    params.resume = false;
    params.replace = true;
    copy_fine();
}
END_TEST

/* The target's folder is inside of the backup: the copy would find itself among the objects. */
static void
target_is_inside(void)
{
    g_autofree char *target = g_build_filename(verb_root, "other", NULL);
    verb_write("backups/theirs/inside/keep", "");
    g_autofree char *inside = g_build_filename(verb_root, "backups/theirs/inside", NULL);
    ck_assert_int_eq(symlink(inside, target), 0);
}

START_TEST(test_copy__foreign_into_itself)
{
    target_is_inside();
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    ASSERT_ERROR(error, BP_ERR_INVALID, "another backup is being written inside of theirs");
}
END_TEST

/* So do temporary objects of the copy: they change and go between listing and reading.  The slow
 * listing lets the object fail before the naming is told of the lease. */
START_TEST(test_copy__foreign_into_itself_fails_at_an_object)
{
    target_is_inside();
    size_of_x = 4;
    verb_faults("storage.list:backups:delay=60ms");
    ck_assert_int_eq(verb_copy(&params, &error), BP_VERB_FAILED);
    verb_faults("");
    ASSERT_ERROR(error, BP_ERR_INVALID, "another backup is being written inside of theirs");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/copy_foreign", setup, verb_teardown, test_copy__foreign_as_it_is,
        test_copy__foreign_without_what_is_ours, test_copy__foreign_dry_run,
        test_copy__foreign_every_way_of_proving, test_damage__foreign_object_of_another_size,
        test_damage__foreign_object_is_missing, test_copy__foreign_that_cannot_be_adopted,
        test_seal__foreign_killed_at_every_step,
        test_seal__foreign_is_whole_when_the_record_is_gone,
        test_seal__foreign_record_that_cannot_be_removed,
        test_resume__foreign_only_of_the_same_backup, test_copy__foreign_into_itself,
        test_copy__foreign_into_itself_fails_at_an_object,
        test_copy__foreign_listing_is_tried_again);
}
