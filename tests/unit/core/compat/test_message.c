/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/message, by the tables of messages_v1.
 */
#include "core/compat/message.h"

#include "core/base/json.h"
#include "core/compat/messages_v1.h"
#include "tests/harness/suite.h"

/* What was understood of a request, as one line; the error is asserted to be none. */
static char *
read_line(const bp_message *message, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) given = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(given);
    g_autoptr(json_t) read = bp_message_read(message, given, &error);
    ASSERT_FINE(read != NULL, error);
    return bp_json_line(read);
}

static char *
show_line(const bp_message *message, const char *text)
{
    g_autoptr(json_t) value = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(value);
    g_autoptr(json_t) shown = bp_message_show(message, value);
    return bp_json_line(shown);
}

START_TEST(test_read__names_in_any_case_and_unknown_ones)
{
    g_autofree char *line =
        read_line(&bp_v1_create_backup_request,
                  "{\"BACKUP_NAME\":\"n\",\"Async\":true,\"colour\":\"blue\",\"metaonly\":true,"
                  "\"meta_only\":true,\"force\":null,\"Collection_Names\":[\"a\",\"b\"]}");
    ck_assert_str_eq(line, "{\"backup_name\":\"n\",\"async\":true,\"meta_only\":true,"
                           "\"collection_names\":[\"a\",\"b\"]}");
}
END_TEST

START_TEST(test_read__nested_and_any_value)
{
    g_autofree char *filter = read_line(&bp_v1_create_backup_request,
                                        "{\"filter\":{\"db1\":{\"COLLS\":[\"*\"],\"x\":1}}}");
    ck_assert_str_eq(filter, "{\"filter\":{\"db1\":{\"colls\":[\"*\"]}}}");
    static const char as_text[] = "{\"db_collections\":\"{\\\"db\\\":[]}\"}";
    g_autofree char *text = read_line(&bp_v1_restore_backup_request, as_text);
    ck_assert_str_eq(text, as_text);
    static const char as_object[] = "{\"db_collections\":{\"Db\":[\"c\"]}}";
    g_autofree char *object = read_line(&bp_v1_restore_backup_request, as_object);
    ck_assert_str_eq(object, as_object);
    static const char plan[] =
        "{\"restorePlan\":{\"mapping\":[{\"source\":\"d\",\"target\":\"e\",\"withProp\":true,"
        "\"colls\":[{\"source\":\"c\",\"override\":{\"shardNum\":2}}]}]}}";
    g_autofree char *whole = read_line(&bp_v1_restore_backup_request, plan);
    ck_assert_str_eq(whole, plan);
}
END_TEST

START_TEST(test_read__of_another_type)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[]", "RestoreBackupRequest has to be an object"},
        {"\"x\"", "RestoreBackupRequest has to be an object"},
        {"{\"backup_name\":1}", "backup_name: it has to be a text"},
        {"{\"async\":\"true\"}", "async: it has to be true or false"},
        {"{\"maxShardNum\":\"2\"}", "maxShardNum: it has to be a whole number"},
        {"{\"maxShardNum\":1.5}", "maxShardNum: it has to be a whole number"},
        {"{\"maxShardNum\":2147483648}", "maxShardNum: it has to be a whole number"},
        {"{\"collection_names\":\"a\"}", "collection_names: it has to be a list"},
        {"{\"collection_names\":[\"a\",2]}", "collection_names: number 2: it has to be a text"},
        {"{\"collection_renames\":[]}", "collection_renames: it has to be an object"},
        {"{\"collection_renames\":{\"a\":1}}", "collection_renames: a: it has to be a text"},
        {"{\"skipParams\":true}", "skipParams: it has to be an object"},
        {"{\"restorePlan\":{\"mapping\":[{\"colls\":{}}]}}",
         "restorePlan: mapping: number 1: colls: it has to be a list"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) given = json_loads(cases[i].text, JSON_DECODE_ANY, NULL);
        ck_assert_ptr_null(bp_message_read(&bp_v1_restore_backup_request, given, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, cases[i].why);
    }
}
END_TEST

START_TEST(test_show__empty_fields)
{
    g_autofree char *nothing = show_line(&bp_v1_backup_info_response, "{}");
    ck_assert_str_eq(nothing, "{\"code\":0,\"data\":null}");
    g_autofree char *none = show_line(&bp_v1_list_backups_response, "{\"msg\":\"\",\"data\":[]}");
    ck_assert_str_eq(none, "{\"code\":0,\"data\":null}");
    g_autofree char *one =
        show_line(&bp_v1_list_backups_response, "{\"data\":[{\"name\":\"n\",\"id\":\"\"}]}");
    ck_assert_str_eq(one, "{\"code\":0,\"data\":[{\"state_code\":0,\"progress\":0,\"name\":\"n\","
                          "\"size\":0,\"meta_size\":0}]}");
}
END_TEST

START_TEST(test_show__in_the_order_of_the_table)
{
    g_autofree char *line =
        show_line(&bp_v1_backup_info_response,
                  "{\"data\":{\"size\":7,\"password\":\"x\",\"state_code\":2,\"id\":\"i\","
                  "\"collection_backups\":[{\"index_infos\":[{\"params\":{\"M\":\"16\"}}],"
                  "\"has_index\":true,\"collection_id\":459}]},\"msg\":\"success\",\"code\":0}");
    ck_assert_str_eq(
        line,
        "{\"code\":0,\"msg\":\"success\",\"data\":{\"id\":\"i\",\"state_code\":2,\"progress\":0,"
        "\"collection_backups\":[{\"state_code\":0,\"progress\":0,\"collection_id\":459,\"size\":0,"
        "\"has_index\":true,\"index_infos\":[{\"params\":{\"M\":\"16\"}}]}],\"size\":7,"
        "\"meta_size\":0}}");
}
END_TEST

/* No two fields of a message share a name or a number, and so on below it. */
static guint
check_message(const bp_message *message)
{
    guint n = 1;
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        for (gsize k = 0; k < i; k++) {
            const bp_field *other = &message->fields[k];
            ck_assert_msg(g_ascii_strcasecmp(field->name, other->name) != 0, "%s.%s twice",
                          message->name, field->name);
            ck_assert_msg(field->number == 0 || field->number != other->number, "%s: %u twice",
                          message->name, field->number);
        }
        ck_assert_int_eq(field->type == BP_FIELD_MESSAGE, field->message != NULL);
        n += field->message != NULL ? check_message(field->message) : 0;
    }
    return n;
}

START_TEST(test_tables__are_sound)
{
    ck_assert_uint_gt(check_message(&bp_v1_create_backup_request), 1);
    ck_assert_uint_gt(check_message(&bp_v1_restore_backup_request), 5);
    ck_assert_uint_gt(check_message(&bp_v1_backup_info_response), 10);
    ck_assert_uint_gt(check_message(&bp_v1_list_backups_response), 10);
    ck_assert_uint_eq(check_message(&bp_v1_restore_backup_response), 3);
    ck_assert_uint_eq(check_message(&bp_v1_delete_backup_response), 1);
    ck_assert_uint_eq(check_message(&bp_v1_get_backup_request), 1);
    ck_assert_uint_eq(check_message(&bp_v1_list_backups_request), 1);
    ck_assert_uint_eq(check_message(&bp_v1_delete_backup_request), 1);
    ck_assert_uint_eq(check_message(&bp_v1_restore_secondary_request), 1);
    ck_assert_uint_eq(check_message(&bp_v1_get_restore_state_request), 1);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("compat/message", NULL, NULL, test_read__names_in_any_case_and_unknown_ones,
                     test_read__nested_and_any_value, test_read__of_another_type,
                     test_show__empty_fields, test_show__in_the_order_of_the_table,
                     test_tables__are_sound);
}
