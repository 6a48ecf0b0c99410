/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of messages and the .proto files are two descriptions of one thing: here they are held
 * equal, field by field, beginning with what each method takes and gives.
 */
#include "core/grpc/messages.h"

#include "core/base/json.h"
#include "core/compat/messages_v1.h"
#include "core/grpc/descriptors.h"
#include "core/grpc/wire.h"
#include "tests/harness/suite.h"

/* Numbers of descriptor.proto. */
enum {
    TYPE_INT64 = 3,
    TYPE_UINT64 = 4,
    TYPE_INT32 = 5,
    TYPE_BOOL = 8,
    TYPE_STRING = 9,
    TYPE_MESSAGE = 11,
    TYPE_BYTES = 12,
    TYPE_ENUM = 14,
    LABEL_REPEATED = 3,
};

typedef struct {
    const char *method;
    const bp_message *request, *response;
} pair;

#define V1 BP_V1_SERVICE "."
#define JOBS "bakplane.v1.Jobs."

static const pair pairs[] = {
    {V1 "CreateBackup", &bp_v1_create_backup_request, &bp_v1_backup_info_response},
    {V1 "GetBackup", &bp_v1_get_backup_request, &bp_v1_backup_info_response},
    {V1 "ListBackups", &bp_v1_list_backups_request, &bp_v1_list_backups_response},
    {V1 "DeleteBackup", &bp_v1_delete_backup_request, &bp_v1_delete_backup_response},
    {V1 "RestoreBackup", &bp_v1_restore_backup_request, &bp_v1_restore_backup_response},
    {V1 "GetRestore", &bp_v1_get_restore_state_request, &bp_v1_restore_backup_response},
    {V1 "Check", &bp_v1_check_request, &bp_v1_check_response},
    {JOBS "Start", &bp_grpc_start_request, &bp_grpc_job},
    {JOBS "List", &bp_grpc_list_request, &bp_grpc_list_response},
    {JOBS "Get", &bp_grpc_get_request, &bp_grpc_job},
    {JOBS "Watch", &bp_grpc_watch_request, &bp_grpc_job},
    {JOBS "Cancel", &bp_grpc_cancel_request, &bp_grpc_job},
    {"grpc.health.v1.Health.Check", &bp_grpc_health_request, &bp_grpc_health_response},
    {"grpc.health.v1.Health.Watch", &bp_grpc_health_request, &bp_grpc_health_response},
    {"grpc.reflection.v1.ServerReflection.ServerReflectionInfo", &bp_grpc_reflection_request,
     &bp_grpc_reflection_response},
    {"grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo", &bp_grpc_reflection_request,
     &bp_grpc_reflection_response},
};

static json_t *types;   /* ".package.Message" -> DescriptorProto */
static json_t *methods; /* "package.Service.Method" -> MethodDescriptorProto */
static guint n_compared;

static void
add_types(const json_t *list, const char *scope)
{
    for (gsize i = 0; i < json_array_size(list); i++) {
        json_t *one = json_array_get(list, i);
        g_autofree char *full = g_strdup_printf("%s.%s", scope, bp_json_text(one, "name", ""));
        json_object_set(types, full, one);
        add_types(json_object_get(one, "nested_type"), full);
    }
}

static void
add_methods(const json_t *services, const char *package)
{
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        const json_t *list = json_object_get(service, "method");
        for (gsize k = 0; k < json_array_size(list); k++) {
            json_t *one = json_array_get(list, k);
            g_autofree char *full =
                g_strdup_printf("%s.%s.%s", package, bp_json_text(service, "name", ""),
                                bp_json_text(one, "name", ""));
            json_object_set(methods, full, one);
        }
    }
}

static void
setup(void)
{
    types = json_object();
    methods = json_object();
    g_autoptr(json_t) set =
        bp_wire_read(&bp_grpc_file_set, bp_grpc_descriptors, bp_grpc_n_descriptors, NULL);
    const json_t *files = json_object_get(set, "file");
    for (gsize i = 0; i < json_array_size(files); i++) {
        gsize n = 0;
        g_autofree guchar *bytes = g_base64_decode(json_string_value(json_array_get(files, i)), &n);
        g_autoptr(json_t) file = bp_wire_read(&bp_grpc_file, bytes, n, NULL);
        ck_assert_ptr_nonnull(file);
        const char *package = bp_json_text(file, "package", "");
        g_autofree char *scope = g_strconcat(".", package, NULL);
        add_types(json_object_get(file, "message_type"), scope);
        add_methods(json_object_get(file, "service"), package);
    }
}

static void
teardown(void)
{
    json_decref(types);
    json_decref(methods);
}

static json_int_t
number_of(const json_t *field, const char *member)
{
    return json_integer_value(json_object_get(field, member));
}

static const json_t *
field_of(const json_t *message, guint number)
{
    const json_t *fields = json_object_get(message, "field");
    for (gsize i = 0; i < json_array_size(fields); i++) {
        if (number_of(json_array_get(fields, i), "number") == number) {
            return json_array_get(fields, i);
        }
    }
    return NULL;
}

static json_int_t
type_of(const bp_field *field)
{
    static const json_int_t numbers[] = {
        [BP_FIELD_TEXT] = TYPE_STRING,     [BP_FIELD_BOOL] = TYPE_BOOL,
        [BP_FIELD_INT32] = TYPE_INT32,     [BP_FIELD_INT64] = TYPE_INT64,
        [BP_FIELD_UINT64] = TYPE_UINT64,   [BP_FIELD_ENUM] = TYPE_ENUM,
        [BP_FIELD_BYTES] = TYPE_BYTES,     [BP_FIELD_VALUE] = TYPE_MESSAGE,
        [BP_FIELD_MESSAGE] = TYPE_MESSAGE,
    };
    return numbers[field->type];
}

static void compare(const bp_message *table, const char *type);

/* A field, or the value of a map's entry. */
static void
compare_type(const bp_field *field, const json_t *described)
{
    const char *type = bp_json_text(described, "type_name", "");
    ck_assert_msg(number_of(described, "type") == type_of(field), "%s: type", field->name);
    if (field->type == BP_FIELD_VALUE) {
        ck_assert_str_eq(type, ".google.protobuf.Value");
    } else if (field->type == BP_FIELD_MESSAGE) {
        compare(field->message, type);
    }
}

static void
compare_field(const bp_field *field, const json_t *described)
{
    ck_assert_msg(described != NULL, "%s has no number %u in its .proto", field->name,
                  field->number);
    ck_assert_str_eq(bp_json_text(described, "name", ""), field->name);
    bool is_many = number_of(described, "label") == LABEL_REPEATED;
    ck_assert_msg(is_many == (field->kind != BP_FIELD_ONE), "%s: repeated", field->name);
    if (field->kind != BP_FIELD_MAP) {
        compare_type(field, described);
        return;
    }
    const json_t *entry = json_object_get(types, bp_json_text(described, "type_name", ""));
    ck_assert_msg(entry != NULL, "%s is no map", field->name);
    ck_assert_int_eq(number_of(field_of(entry, 1), "type"), TYPE_STRING);
    compare_type(field, field_of(entry, 2));
}

static void
compare(const bp_message *table, const char *type)
{
    const json_t *described = json_object_get(types, type);
    ck_assert_msg(described != NULL, "%s is not described", type);
    ck_assert_str_eq(bp_json_text(described, "name", ""), table->name);
    gsize n = 0;
    for (gsize i = 0; i < table->n; i++) {
        if (table->fields[i].number > 0) { /* 0 is only in JSON */
            compare_field(&table->fields[i], field_of(described, table->fields[i].number));
            n++;
        }
    }
    ck_assert_msg(n == json_array_size(json_object_get(described, "field")),
                  "%s: %zu fields in the table", type, n);
    n_compared++;
}

START_TEST(test_tables__are_those_of_the_proto_files)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        const json_t *method = json_object_get(methods, pairs[i].method);
        ck_assert_msg(method != NULL, "%s is not described", pairs[i].method);
        compare(pairs[i].request, bp_json_text(method, "input_type", ""));
        compare(pairs[i].response, bp_json_text(method, "output_type", ""));
    }
    ck_assert_uint_gt(n_compared, 2 * G_N_ELEMENTS(pairs));
}
END_TEST

START_TEST(test_methods__are_all_known_here)
{
    ck_assert_uint_eq(json_object_size(methods), G_N_ELEMENTS(pairs));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("grpc_messages", setup, teardown, test_tables__are_those_of_the_proto_files,
                     test_methods__are_all_known_here);
}
