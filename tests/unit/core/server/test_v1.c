/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/v1: its operations on a source of files.  That options of a restore reach a real
 * source: tests/integration/test_rest_v1.py.
 */
#include "core/server/v1.h"

#include "core/jobs/ticket.h"
#include "tests/unit/core/server/v1_fixture.h"

static json_t *
data_of(const json_t *answer)
{
    return json_object_get(answer, "data");
}

static void
create(const char *request)
{
    v1_answers("CreateBackup", request, BP_V1_SUCCESS, "success");
}

START_TEST(test_create__waits_until_it_is_there)
{
    g_autoptr(json_t) answer = v1_run_as("CreateBackup", "{\"backup_name\":\"b\"}", "r1");
    v1_expect(answer, BP_V1_SUCCESS, "success");
    ck_assert_str_eq(bp_json_text(answer, "requestId", ""), "r1");
    const json_t *info = data_of(answer);
    ck_assert_str_eq(bp_json_text(info, "name", ""), "b");
    ck_assert_int_eq(v1_number(info, "state_code"), 2);
    ck_assert_int_eq(v1_number(info, "progress"), 100);
    ck_assert_int_gt(v1_number(info, "start_time"), G_GINT64_CONSTANT(1000000000000));
    ck_assert_int_ge(v1_number(info, "end_time"), v1_number(info, "start_time"));
    ck_assert_int_gt(v1_number(info, "size"), 0);
    ck_assert(verb_exists("backups/b/bakplane/manifest.json"));
}
END_TEST

/* A job that has the source: who captures it as well has not ended before this one. */
static bp_ticket *
occupy_source(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *source = g_strdup_printf("source local:%s/data", verb_root);
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "create", "name", "other");
    g_autoptr(json_t) claims = json_pack("[s]", source);
    bp_ticket_params params = {.jobs = bp_service_jobs(v1_service),
                               .request = request,
                               .claims = claims,
                               .origin = "test"};
    bp_ticket *ticket = bp_ticket_take(&params, &error);
    ASSERT_FINE(ticket != NULL, error);
    return ticket;
}

START_TEST(test_create__does_not_wait)
{
    bp_ticket *other = occupy_source();
    g_autoptr(json_t) answer =
        v1_run_as("CreateBackup", "{\"backup_name\":\"b\",\"async\":true}", "r1");
    v1_expect(answer, BP_V1_SUCCESS, "create backup is executing asynchronously");
    const char *id = bp_json_text(data_of(answer), "id", "");
    ck_assert_int_le(v1_number(data_of(answer), "state_code"), 1);
    bp_ticket_free(other);
    v1_wait(answer);
    g_autofree char *by_id = g_strdup_printf("{\"backup_id\":\"%s\"}", id);
    const char *const ways[] = {by_id, "{\"backup_id\":\"r1\"}", "{\"backup_name\":\"b\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(json_t) found = v1_run("GetBackup", ways[i]);
        v1_expect(found, BP_V1_SUCCESS, "success");
        ck_assert_str_eq(bp_json_text(data_of(found), "id", ""), id);
        ck_assert_int_eq(v1_number(data_of(found), "state_code"), 2);
    }
}
END_TEST

START_TEST(test_create__makes_up_a_name)
{
    g_autoptr(json_t) answer = v1_run("CreateBackup", "{\"collection_names\":[\"films\"]}");
    v1_expect(answer, BP_V1_SUCCESS, "success");
    const char *name = bp_json_text(data_of(answer), "name", "");
    ck_assert_msg(g_str_has_prefix(name, "backup_20"), "%s", name);
    ck_assert_uint_eq(strlen(bp_json_text(answer, "requestId", "")), 36);
}
END_TEST

START_TEST(test_create__refused)
{
    create("{\"backup_name\":\"b\"}");
    v1_answers("CreateBackup", "{\"backup_name\":\"b\"}", BP_V1_PARAMETER_ERROR,
               "backup already exist with the name: b");
    v1_answers("CreateBackup", "{\"backup_name\":\"a b\"}", BP_V1_PARAMETER_ERROR,
               "backup name should not contain whitespace");
    v1_answers("CreateBackup", "{\"collection_names\":[\"a*\"]}", BP_V1_PARAMETER_ERROR, "a*");
    v1_answers("CreateBackup", "{\"rbac\":true}", BP_V1_PARAMETER_ERROR, "rbac: ");
    g_autoptr(json_t) jobs = bp_jobs_list(bp_service_jobs(v1_service), NULL, NULL);
    ck_assert_uint_eq(json_array_size(jobs), 1);
}
END_TEST

START_TEST(test_create__that_fails)
{
    g_autoptr(json_t) answer =
        v1_run("CreateBackup", "{\"backup_name\":\"b\",\"collection_names\":[\"nothing\"]}");
    v1_expect(answer, BP_V1_FAIL, "nothing in the source matches: nothing");
    ck_assert_int_eq(v1_number(data_of(answer), "state_code"), 3);
    g_autoptr(json_t) found = v1_run("GetBackup", "{\"backup_name\":\"b\"}");
    v1_expect(found, BP_V1_SUCCESS, "success");
    ck_assert_int_eq(v1_number(data_of(found), "state_code"), 3);
    ck_assert_ptr_nonnull(
        strstr(bp_json_text(data_of(found), "errorMessage", ""), "matches: nothing"));
}
END_TEST

/* The same request under the same ID is another backup of the same name, not its old answer. */
START_TEST(test_create__again_after_it_was_deleted)
{
    for (guint i = 0; i < 2; i++) {
        g_autoptr(json_t) made = v1_run_as("CreateBackup", "{\"backup_name\":\"b\"}", "r1");
        v1_expect(made, BP_V1_SUCCESS, "success");
        ck_assert(verb_exists("backups/b"));
        v1_answers("DeleteBackup", "{\"backup_name\":\"b\"}", BP_V1_SUCCESS, "success");
        ck_assert(!verb_exists("backups/b"));
    }
}
END_TEST

START_TEST(test_create__on_another_storage)
{
    g_autofree char *path = g_build_filename(verb_root, "other", NULL);
    g_autofree char *request =
        g_strdup_printf("{\"backup_name\":\"b\",\"backup_root_path\":\"%s\"}", path);
    create(request);
    ck_assert(verb_exists("other/b") && !verb_exists("backups/b"));
    v1_answers("GetBackup", "{\"backup_name\":\"b\"}", BP_V1_NOT_FOUND, "not found");
    g_autofree char *there = g_strdup_printf("{\"backup_name\":\"b\",\"path\":\"%s\"}", path);
    v1_answers("GetBackup", there, BP_V1_SUCCESS, "success");
    v1_answers("GetBackup", "{\"backup_name\":\"b\",\"path\":\"/etc\"}", BP_V1_PARAMETER_ERROR,
               "no storage of the configuration");
}
END_TEST

START_TEST(test_get__of_what_is_not_there)
{
    v1_answers("GetBackup", "{}", BP_V1_PARAMETER_ERROR,
               "empty backup name and backup id, please set a backup name or id");
    v1_answers("GetBackup", "{\"backup_name\":\"none\"}", BP_V1_NOT_FOUND, "not found");
    v1_answers("GetBackup", "{\"backup_id\":\"none\"}", BP_V1_NOT_FOUND, "not found");
    v1_answers("GetBackup", "{\"backup_id\":\"../lock\"}", BP_V1_NOT_FOUND, "not found");
}
END_TEST

START_TEST(test_get__of_another_process)
{
    bp_create_params params = {.name = "mine"};
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(verb_create(&params, &error), BP_VERB_OK);
    verb_write("backups/mine/meta/full_meta.json", "{\"id\":\"own\",\"size\":7}");
    g_autoptr(json_t) found = v1_run("GetBackup", "{\"backup_name\":\"mine\"}");
    v1_expect(found, BP_V1_SUCCESS, "success");
    ck_assert_str_eq(bp_json_text(data_of(found), "id", ""), "own");
    ck_assert_int_eq(v1_number(data_of(found), "size"), 7);
    g_autoptr(json_t) by_id = v1_run("GetBackup", "{\"backup_id\":\"own\"}");
    v1_expect(by_id, BP_V1_SUCCESS, "success");
    ck_assert_str_eq(bp_json_text(data_of(by_id), "name", ""), "mine");
}
END_TEST

START_TEST(test_list__also_by_what_it_holds)
{
    g_autoptr(json_t) none = v1_run("ListBackups", "{}");
    v1_expect(none, BP_V1_SUCCESS, "success");
    ck_assert(json_is_null(data_of(none)));
    create("{\"backup_name\":\"all\"}");
    create("{\"backup_name\":\"part\",\"collection_names\":[\"films\"]}");
    static const struct {
        const char *request;
        gsize n;
    } cases[] = {
        {"{}", 2},
        {"{\"collection_name\":\"films\"}", 2},
        {"{\"collection_name\":\"books\"}", 1},
        {"{\"collection_name\":\"shop.books\"}", 1},
        {"{\"collection_name\":\"nothing\"}", 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) answer = v1_run("ListBackups", cases[i].request);
        v1_expect(answer, BP_V1_SUCCESS, "success");
        ck_assert_msg(json_array_size(data_of(answer)) == cases[i].n, "%s", cases[i].request);
    }
}
END_TEST

START_TEST(test_list__marks_what_is_not_whole)
{
    create("{\"backup_name\":\"b\"}");
    verb_remove("backups/b/meta/files.json");
    g_autoptr(json_t) answer = v1_run("ListBackups", "{}");
    const json_t *one = json_array_get(data_of(answer), 0);
    ck_assert_str_eq(bp_json_text(one, "name", ""), "b");
    ck_assert_int_eq(v1_number(one, "state_code"), 3);
    ck_assert_str_ne(bp_json_text(one, "errorMessage", ""), "");
}
END_TEST

START_TEST(test_delete__of_what_is_not_there)
{
    v1_answers("DeleteBackup", "{}", BP_V1_PARAMETER_ERROR, "empty backup name");
    v1_answers("DeleteBackup", "{\"backup_name\":\"none\"}", BP_V1_NOT_FOUND, "not found");
    v1_answers("DeleteBackup", "{\"backup_name\":\"../data\"}", BP_V1_PARAMETER_ERROR, "");
    ck_assert(verb_exists("data/default/films/1"));
}
END_TEST

START_TEST(test_restore__waits_until_it_is_there)
{
    create("{\"backup_name\":\"b\"}");
    g_autoptr(json_t) answer =
        v1_run("RestoreBackup", "{\"backup_name\":\"b\",\"collection_names\":[\"books\"],"
                                "\"collection_suffix\":\"_x\"}");
    v1_expect(answer, BP_V1_SUCCESS, "success");
    const json_t *task = data_of(answer);
    ck_assert_msg(g_str_has_prefix(bp_json_text(task, "id", ""), "restore_20"), "another id");
    ck_assert_int_eq(v1_number(task, "state_code"), 2);
    ck_assert_int_eq(v1_number(task, "progress"), 100);
    const json_t *tasks = json_object_get(task, "collection_restore_tasks");
    ck_assert_uint_eq(json_array_size(tasks), 1);
    const json_t *one = json_array_get(tasks, 0);
    ck_assert_str_eq(bp_json_text(one, "target_db_name", ""), "default");
    ck_assert_str_eq(bp_json_text(one, "target_collection_name", ""), "books_x");
    ck_assert(verb_exists("data/restored/default/books_x/1"));
}
END_TEST

START_TEST(test_restore__is_found_again_by_a_later_server)
{
    create("{\"backup_name\":\"b\"}");
    static const char request[] =
        "{\"backup_name\":\"b\",\"collection_suffix\":\"_x\",\"id\":\"mine\",\"async\":true}";
    g_autoptr(json_t) answer = v1_run("RestoreBackup", request);
    v1_expect(answer, BP_V1_SUCCESS, "restore backup is executing asynchronously");
    ck_assert_str_eq(bp_json_text(data_of(answer), "id", ""), "mine");
    v1_restart();
    g_autoptr(json_t) found = v1_run("GetRestore", "{\"id\":\"mine\"}");
    v1_expect(found, BP_V1_SUCCESS, "success");
    ck_assert_str_eq(bp_json_text(data_of(found), "id", ""), "mine");
}
END_TEST

/* As a script that runs each night does. */
START_TEST(test_restore__under_the_same_id_again)
{
    create("{\"backup_name\":\"b\"}");
    for (guint i = 0; i < 2; i++) {
        g_autofree char *request = g_strdup_printf(
            "{\"backup_name\":\"b\",\"collection_suffix\":\"_%u\",\"id\":\"mine\"}", i);
        v1_answers("RestoreBackup", request, BP_V1_SUCCESS, "success");
    }
    g_autoptr(json_t) found = v1_run("GetRestore", "{\"id\":\"mine\"}");
    const json_t *tasks = json_object_get(data_of(found), "collection_restore_tasks");
    ck_assert_str_eq(bp_json_text(json_array_get(tasks, 0), "target_collection_name", ""),
                     "books_1");
}
END_TEST

START_TEST(test_restore__while_another_has_its_id)
{
    g_autoptr(GError) error = NULL;
    create("{\"backup_name\":\"b\"}");
    g_autoptr(json_t) other = json_loads("{\"verb\":\"restore\",\"name\":\"b\"}", 0, NULL);
    g_autoptr(json_t) claims = json_array();
    bp_ticket_params params = {.jobs = bp_service_jobs(v1_service),
                               .request = other,
                               .claims = claims,
                               .origin = "test",
                               .key = "v1/restore/mine"};
    g_autoptr(bp_ticket) runs = bp_ticket_take(&params, &error);
    ASSERT_FINE(runs != NULL, error);
    v1_answers("RestoreBackup", "{\"backup_name\":\"b\",\"id\":\"mine\"}", BP_V1_PARAMETER_ERROR,
               "id: a restore with it has not ended");
    g_autoptr(json_t) result = json_object();
    ck_assert(bp_ticket_finish(runs, "failed", result, NULL));
}
END_TEST

START_TEST(test_restore__that_fails)
{
    create("{\"backup_name\":\"b\"}");
    g_autoptr(json_t) answer =
        v1_run("RestoreBackup", "{\"backup_name\":\"b\",\"collection_names\":[\"nothing\"]}");
    v1_expect(answer, BP_V1_FAIL, "nothing in the backup matches: nothing");
    ck_assert_int_eq(v1_number(data_of(answer), "state_code"), 3);
    v1_answers("RestoreBackup", "{\"backup_name\":\"b\",\"dropExistIndex\":true}",
               BP_V1_PARAMETER_ERROR, "unknown key \"drop_exist_index\"");
}
END_TEST

START_TEST(test_restore__refused)
{
    v1_answers("RestoreBackup", "{}", BP_V1_PARAMETER_ERROR, "empty backup name");
    v1_answers("RestoreBackup", "{\"backup_name\":\"none\"}", BP_V1_NOT_FOUND, "none");
    v1_answers("RestoreBackup", "{\"backup_name\":\"b\",\"ezkMapping\":{\"a\":\"b\"}}",
               BP_V1_PARAMETER_ERROR, "ezkMapping: ");
    v1_answers("RestoreBackup", "{\"backup_name\":\"b\",\"id\":\"a b\"}", BP_V1_PARAMETER_ERROR,
               "id: it has to be");
    v1_answers("RestoreBackup", "{\"backup_name\":\"b\",\"collection_renames\":{\"a.*\":\"b.c\"}}",
               BP_V1_PARAMETER_ERROR, "rename: ");
    v1_answers("GetRestore", "{}", BP_V1_FAIL, "empty restore id");
    v1_answers("GetRestore", "{\"id\":\"none\"}", BP_V1_FAIL, "restore id not exist in context");
    v1_answers("RestoreSecondary", "{\"backup_name\":\"b\"}", BP_V1_PARAMETER_ERROR,
               "restore_secondary: ");
}
END_TEST

START_TEST(test_check__says_what_it_found)
{
    v1_answers("Check", "{}", BP_V1_SUCCESS, "Succeed to connect");
    verb_remove("backups");
    verb_write("backups", "no folder");
    v1_answers("Check", "{}", BP_V1_FAIL, "Failed to connect to storage");
}
END_TEST

START_TEST(test_table__is_whole)
{
    guint in_service = 0;
    for (gsize i = 0; i < bp_v1_n_operations; i++) {
        const bp_v1_operation *one = &bp_v1_operations[i];
        ck_assert_ptr_eq(bp_v1_find(one->name), one);
        in_service += one->in_service;
    }
    ck_assert_uint_eq(in_service, 7);
    ck_assert_ptr_null(bp_v1_find("createbackup"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/v1", v1_setup, v1_teardown, test_create__waits_until_it_is_there,
                     test_create__does_not_wait, test_create__makes_up_a_name, test_create__refused,
                     test_create__that_fails, test_create__again_after_it_was_deleted,
                     test_create__on_another_storage, test_get__of_what_is_not_there,
                     test_get__of_another_process, test_list__also_by_what_it_holds,
                     test_list__marks_what_is_not_whole, test_delete__of_what_is_not_there,
                     test_restore__waits_until_it_is_there,
                     test_restore__is_found_again_by_a_later_server,
                     test_restore__under_the_same_id_again, test_restore__while_another_has_its_id,
                     test_restore__that_fails, test_restore__refused,
                     test_check__says_what_it_found, test_table__is_whole);
}
