/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/uploads: records of uploads in parts, and ending what a dead run left.
 */
#include "core/base/log.h"
#include "core/catalog/uploads.h"
#include "tests/unit/core/catalog/fixture.h"

#define RECORD_1 "b/bakplane/uploads/run-1-000001.json"
#define RECORD_2 "b/bakplane/uploads/run-1-000002.json"

static bp_uploads *uploads;
static guint n_warnings;

static void
setup(void)
{
    fixture_setup();
    fake_store_facts(fix.store)->caps |= BP_STORE_PARTS;
    uploads = bp_uploads_new(&fix.catalog, "b", "run-1");
    n_warnings = 0;
}

static void
teardown(void)
{
    bp_uploads_free(uploads);
    fixture_teardown();
}

/* Begins an upload of "b/<key>" and puts it on record.  Returns: (transfer full) its id */
static char *
begin(const char *key)
{
    g_autofree char *full = bp_catalog_key("b", key);
    bp_store_write_params write = {.key = full, .size = 100};
    char *id = bp_store_part_begin(fix.store, &fix.call, &write, &fix.error);
    ASSERT_FINE(id != NULL && bp_uploads_add(uploads, key, id, &fix.error), fix.error);
    return id;
}

START_TEST(test_add__one_small_object_each)
{
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "id \"1\"", &fix.error), fix.error);
    ASSERT_FINE(bp_uploads_add(uploads, "data/2", "id2", &fix.error), fix.error);
    ck_assert(fake_store_has_text(
        fix.store, RECORD_1, "{\"version\":1,\"key\":\"data/1\",\"upload\":\"id \\\"1\\\"\"}"));
    ck_assert(fake_store_has_text(fix.store, RECORD_2,
                                  "{\"version\":1,\"key\":\"data/2\",\"upload\":\"id2\"}"));
    ck_assert_uint_eq(bp_uploads_left(uploads), 2);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 2);
}
END_TEST

START_TEST(test_add__gets_its_id_later)
{
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "", &fix.error), fix.error);
    ck_assert(fake_store_has_text(fix.store, RECORD_1, "{\"version\":1,\"key\":\"data/1\"}"));
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "id", &fix.error), fix.error);
    ck_assert(fake_store_has_text(fix.store, RECORD_1,
                                  "{\"version\":1,\"key\":\"data/1\",\"upload\":\"id\"}"));
    ck_assert_uint_eq(bp_uploads_left(uploads), 1);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
    bp_uploads_forget(uploads, "data/1", "id");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

/* Nobody knows whether the first one began: its record stays for whoever sweeps. */
START_TEST(test_add__a_second_beginning_keeps_the_record_of_the_first)
{
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "", &fix.error), fix.error);
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "", &fix.error), fix.error);
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "id", &fix.error), fix.error);
    ck_assert(fake_store_has_text(fix.store, RECORD_1, "{\"version\":1,\"key\":\"data/1\"}"));
    ck_assert(fake_store_has_text(fix.store, RECORD_2,
                                  "{\"version\":1,\"key\":\"data/1\",\"upload\":\"id\"}"));
    bp_uploads_forget(uploads, "data/1", "id");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
    ck_assert_uint_eq(bp_uploads_left(uploads), 1);
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_UPLOADS_ABORT), 1);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_add__fails_when_it_is_not_durable)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_NO_SPACE});
    ck_assert(!bp_uploads_add(uploads, "data/1", "id", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_NO_SPACE, "injected");
}
END_TEST

START_TEST(test_forget__only_that_one)
{
    g_autofree char *first = begin("data/1");
    g_autofree char *second = begin("data/2");
    bp_uploads_forget(uploads, "data/1", first);
    bp_uploads_forget(uploads, "data/1", first);
    bp_uploads_forget(uploads, "data/2", "another");
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
    ck_assert_uint_eq(bp_uploads_left(uploads), 1);
    g_autofree char *text = fixture_text(RECORD_2);
    ck_assert_ptr_nonnull(text);
}
END_TEST

START_TEST(test_forget__after_a_cancel)
{
    g_autofree char *id = begin("data/1");
    bp_cancel_trigger(fix.cancel, 0);
    bp_uploads_forget(uploads, "data/1", id);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_abort__all_of_a_dead_run)
{
    g_autofree char *first = begin("data/1");
    g_autofree char *second = begin("data/2");
    fake_store_set_text(fix.store, "bb/bakplane/uploads/run-1-000001.json",
                        "{\"version\":1,\"key\":\"data/1\",\"upload\":\"other\"}");
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_uploads(fix.store), 0);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1); /* not ours */
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_PART_ABORT), 2);
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_PART_ABORT), 2);
}
END_TEST

/* Killed before the id was heard or noted: the key tells. */
START_TEST(test_abort__without_an_id)
{
    g_autofree char *unheard = begin("data/1");
    bp_uploads_forget(uploads, "data/1", unheard);
    g_autofree char *other = begin("data/11");
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "", &fix.error), fix.error);
    bp_uploads_forget(uploads, "data/11", other);
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_uploads(fix.store), 1); /* of data/11 */
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_abort__one_that_is_over_already)
{
    ASSERT_FINE(bp_uploads_add(uploads, "data/1", "complete", &fix.error), fix.error);
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_PART_ABORT, .cls = BP_ERR_NOT_FOUND});
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

static void
count_warning(void *ctx, const char *line)
{
    if (strstr(line, "an unfinished upload could not be aborted") != NULL) {
        ck_assert_msg(strstr(line, ctx) != NULL, "no %s in: %s", (const char *)ctx, line);
        n_warnings++;
    }
}

static void
abort_warning_of(const char *what)
{
    bp_log_set_sink(count_warning, (void *)what);
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    bp_log_set_sink(NULL, NULL);
    ck_assert_uint_eq(n_warnings, 1);
}

START_TEST(test_abort__failure_is_a_warning_and_tried_again)
{
    g_autofree char *first = begin("data/1");
    g_autofree char *second = begin("data/2");
    fake_store_add_fault(
        fix.store,
        &(fake_fault){.op = FAKE_PART_ABORT, .key = "b/data/1", .times = 1, .cls = BP_ERR_DENIED});
    abort_warning_of("b/data/1");
    ck_assert_uint_eq(fake_store_n_uploads(fix.store), 1);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 1);
    ASSERT_FINE(bp_uploads_abort(&fix.catalog, "b", &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_uploads(fix.store), 0);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

START_TEST(test_abort__records_that_say_nothing)
{
    const char *texts[] = {"", "{\"version\":1,\"upload\":\"id\"}",
                           "{\"version\":1,\"key\":\"../x\",\"upload\":\"id\"}",
                           "{\"version\":2,\"key\":\"data/1\",\"upload\":\"id\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        n_warnings = 0;
        fake_store_set_text(fix.store, RECORD_1, texts[i]);
        abort_warning_of(RECORD_1);
        ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_PART_ABORT), 0);
    }
}
END_TEST

START_TEST(test_abort__cancelled)
{
    g_autofree char *id = begin("data/1");
    bp_cancel_trigger(fix.cancel, 0);
    ck_assert(!bp_uploads_abort(&fix.catalog, "b", &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(fake_store_n_uploads(fix.store), 1);
}
END_TEST

START_TEST(test_remove__aborts_them_first)
{
    g_autofree char *id = begin("data/1");
    /* As on MinIO: what was not on record would not be found. */
    fake_store_add_fault(fix.store,
                         &(fake_fault){.op = FAKE_UPLOADS_ABORT, .cls = BP_ERR_UNSUPPORTED});
    ASSERT_FINE(bp_catalog_remove(&fix.catalog, "b", false, NULL, NULL, &fix.error), fix.error);
    ck_assert_uint_eq(fake_store_n_uploads(fix.store), 0);
    ck_assert_uint_eq(fake_store_n_objects(fix.store), 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/catalog/uploads", setup, teardown, test_add__one_small_object_each,
        test_add__gets_its_id_later, test_add__a_second_beginning_keeps_the_record_of_the_first,
        test_add__fails_when_it_is_not_durable, test_forget__only_that_one,
        test_forget__after_a_cancel, test_abort__all_of_a_dead_run,
        test_abort__one_that_is_over_already, test_abort__without_an_id,
        test_abort__failure_is_a_warning_and_tried_again, test_abort__records_that_say_nothing,
        test_abort__cancelled, test_remove__aborts_them_first);
}
