/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/reference/openapi.json against the program: the same routes, methods, roles and members of
 * requests on both sides, and of /api/v1 the same fields of answers.
 */
#include "core/server/api_docs.h"

#include "core/base/json.h"
#include "core/compat/messages_v1.h"
#include "core/jobs/request.h"
#include "core/server/routes.h"
#include "tests/harness/suite.h"

static json_t *document;

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    document = bp_json_parse(bp_api__openapi, strlen(bp_api__openapi), "openapi.json", &error);
    ASSERT_FINE(document != NULL, error);
}

static void
teardown(void)
{
    g_clear_pointer(&document, json_decref);
}

static bp_role
role_of(const json_t *operation)
{
    const json_t *needs = json_object_get(operation, "security");
    ck_assert(json_is_array(needs));
    if (json_array_size(needs) == 0) {
        return BP_ROLE_NONE;
    }
    const json_t *roles = json_object_get(json_array_get(needs, 0), "token");
    const char *role = json_string_value(json_array_get(roles, 0));
    ck_assert(g_strcmp0(role, "read") == 0 || g_strcmp0(role, "operate") == 0);
    return strcmp(role, "read") == 0 ? BP_ROLE_READ : BP_ROLE_OPERATE;
}

static const json_t *
operation_at(const char *path, const char *method)
{
    g_autofree char *lower = g_ascii_strdown(method, -1);
    return json_object_get(json_object_get(json_object_get(document, "paths"), path), lower);
}

START_TEST(test_routes__are_described)
{
    g_autoptr(GArray) all = bp_routes_all();
    guint found = 0;
    for (guint i = 0; i < all->len; i++) {
        const bp_route *route = &g_array_index(all, bp_route, i);
        if (strcmp(route->path, "/") == 0) {
            continue; /* any method: a greeting */
        }
        const json_t *operation = operation_at(route->path, route->method);
        ck_assert_msg(operation != NULL, "nothing about %s %s", route->method, route->path);
        ck_assert_msg(role_of(operation) == route->role, "%s %s has another role", route->method,
                      route->path);
        found++;
    }
    ck_assert_uint_ge(found, 25);
}
END_TEST

static bool
is_served(const GArray *all, const char *path, const char *method)
{
    for (guint i = 0; i < all->len; i++) {
        const bp_route *route = &g_array_index(all, bp_route, i);
        if (strcmp(route->path, path) == 0 && g_ascii_strcasecmp(route->method, method) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(test_description__is_served)
{
    g_autoptr(GArray) all = bp_routes_all();
    const char *path = NULL;
    json_t *methods = NULL;
    json_object_foreach(json_object_get(document, "paths"), path, methods)
    {
        const char *method = NULL;
        json_t *operation = NULL;
        json_object_foreach(methods, method, operation)
        {
            ck_assert_msg(is_served(all, path, method), "nobody serves %s %s", method, path);
        }
    }
}
END_TEST

/* Something that a member takes. */
static json_t *
value_for(const json_t *schema)
{
    const char *type = bp_json_text(schema, "type", "");
    if (json_object_get(schema, "const") != NULL) {
        return json_incref(json_object_get(schema, "const"));
    }
    if (strcmp(type, "boolean") == 0) {
        return json_true();
    }
    return strcmp(type, "integer") == 0 ? json_integer(1) : json_string("text");
}

/* The least that the schema lets through, but for one member.  Returns: (transfer full) */
static json_t *
least_of(const json_t *schema, const char *without)
{
    json_t *least = json_object();
    const json_t *required = json_object_get(schema, "required");
    for (gsize i = 0; i < json_array_size(required); i++) {
        const char *member = json_string_value(json_array_get(required, i));
        if (g_strcmp0(member, without) != 0) {
            const json_t *one = json_object_get(json_object_get(schema, "properties"), member);
            json_object_set_new(least, member, value_for(one));
        }
    }
    return least;
}

static bool
is_taken(const json_t *schema, const char *member, json_t *take_value)
{
    g_autoptr(json_t) request = least_of(schema, NULL);
    json_object_set_new(request, member, take_value);
    return bp_request_check(request, NULL);
}

static void
check_request(const char *name, const json_t *schema)
{
    ck_assert(json_is_false(json_object_get(schema, "additionalProperties")));
    const char *member = NULL;
    json_t *one = NULL;
    json_object_foreach(json_object_get(schema, "properties"), member, one)
    {
        ck_assert_msg(is_taken(schema, member, value_for(one)), "%s: no %s", name, member);
        ck_assert_msg(!is_taken(schema, member, json_real(0.5)), "%s: 0.5 for %s", name, member);
    }
    const json_t *required = json_object_get(schema, "required");
    for (gsize i = 0; i < json_array_size(required); i++) {
        const char *needed = json_string_value(json_array_get(required, i));
        g_autoptr(json_t) lacking = least_of(schema, needed);
        ck_assert_msg(!bp_request_check(lacking, NULL), "%s without %s", name, needed);
    }
}

START_TEST(test_requests__as_described)
{
    static const char *const names[] = {"CreateJob", "CopyJob",   "RestoreJob",
                                        "DeleteJob", "VerifyJob", "PruneJob"};
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        check_request(names[i], json_object_get(schemas, names[i]));
    }
}
END_TEST

/* Names of the parameters of a request, and of the members of its body. */
static json_t *
names_in(const json_t *operation)
{
    json_t *names = json_object();
    const json_t *parameters = json_object_get(operation, "parameters");
    for (gsize i = 0; i < json_array_size(parameters); i++) {
        const char *name = bp_json_text(json_array_get(parameters, i), "name", NULL);
        if (name != NULL) {
            json_object_set_new(names, name, json_true());
        }
    }
    const json_t *body = json_object_get(operation, "requestBody");
    const json_t *content = json_object_get(json_object_get(body, "content"), "application/json");
    const char *ref = bp_json_text(json_object_get(content, "schema"), "$ref", NULL);
    if (ref != NULL) {
        const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
        json_object_update(
            names, json_object_get(json_object_get(schemas, strrchr(ref, '/') + 1), "properties"));
    }
    return names;
}

/* Check is answered with a text. */
static const struct {
    const char *method, *path;
    const bp_message *request, *response;
} v1[] = {
    {"post", "create", &bp_v1_create_backup_request, &bp_v1_backup_info_response},
    {"get", "list", &bp_v1_list_backups_request, &bp_v1_list_backups_response},
    {"get", "get_backup", &bp_v1_get_backup_request, &bp_v1_backup_info_response},
    {"delete", "delete", &bp_v1_delete_backup_request, &bp_v1_delete_backup_response},
    {"post", "restore", &bp_v1_restore_backup_request, &bp_v1_restore_backup_response},
    {"get", "get_restore", &bp_v1_get_restore_state_request, &bp_v1_restore_backup_response},
    {"post", "restore_secondary", &bp_v1_restore_secondary_request, &bp_v1_restore_backup_response},
};

START_TEST(test_v1__each_field)
{
    for (gsize i = 0; i < G_N_ELEMENTS(v1); i++) {
        g_autofree char *path = g_strconcat("/api/v1/", v1[i].path, NULL);
        g_autoptr(json_t) names = names_in(operation_at(path, v1[i].method));
        for (gsize j = 0; j < v1[i].request->n; j++) {
            const char *field = v1[i].request->fields[j].name;
            ck_assert_msg(json_object_del(names, field) == 0, "%s: nothing about %s", path, field);
        }
        ck_assert_msg(json_object_size(names) == 0, "%s knows no %s", path,
                      json_object_iter_key(json_object_iter(names)));
    }
}
END_TEST

static json_t *
schema_ref(const bp_message *message)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", message->name));
}

/* What has to be said of a field, without words. */
static json_t *
schema_for(const bp_field *field)
{
    const char *word = field->type == BP_FIELD_TEXT   ? "string"
                       : field->type == BP_FIELD_BOOL ? "boolean"
                                                      : "integer";
    json_t *one = field->type == BP_FIELD_MESSAGE ? schema_ref(field->message)
                                                  : json_pack("{s:s}", "type", word);
    if (field->kind == BP_FIELD_LIST) {
        json_t *type = field->always ? json_pack("[ss]", "array", "null") : json_string("array");
        return json_pack("{s:o,s:o}", "type", type, "items", one);
    }
    if (field->kind == BP_FIELD_MAP) {
        return json_pack("{s:s,s:o}", "type", "object", "additionalProperties", one);
    }
    bool may_be_null = field->always && field->type == BP_FIELD_MESSAGE;
    return may_be_null ? json_pack("{s:[o,{s:s}]}", "oneOf", one, "type", "null") : one;
}

static void
check_field(const bp_message *message, const bp_field *field, const json_t *described)
{
    g_autoptr(json_t) expected = schema_for(field);
    g_autoptr(json_t) without_words = json_copy((json_t *)described);
    (void)json_object_del(without_words, "description");
    g_autofree char *line = bp_json_line(expected);
    ck_assert_msg(json_equal(without_words, expected), "%s %s is %s", message->name, field->name,
                  line);
}

/* The schema of a message, and those of what is in it: the same fields, the same always there. */
static void
check_answer(const bp_message *message, GHashTable *seen)
{
    if (!g_hash_table_add(seen, (gpointer)message->name)) {
        return;
    }
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    const json_t *schema = json_object_get(schemas, message->name);
    const json_t *properties = json_object_get(schema, "properties");
    g_autoptr(json_t) required = json_array();
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        const json_t *described = json_object_get(properties, field->name);
        ck_assert_msg(described != NULL, "nothing about %s %s", message->name, field->name);
        check_field(message, field, described);
        if (field->always) {
            json_array_append_new(required, json_string(field->name));
        }
        if (field->type == BP_FIELD_MESSAGE) {
            check_answer(field->message, seen);
        }
    }
    ck_assert_msg(json_object_size(properties) == message->n, "%s has more", message->name);
    const json_t *always = json_object_get(schema, "required");
    ck_assert_msg(always != NULL ? json_equal(always, required) : json_array_size(required) == 0,
                  "%s: what is always there", message->name);
}

START_TEST(test_v1__each_field_of_answers)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < G_N_ELEMENTS(v1); i++) {
        g_autofree char *path = g_strconcat("/api/v1/", v1[i].path, NULL);
        const json_t *responses = json_object_get(operation_at(path, v1[i].method), "responses");
        const json_t *content = json_object_get(json_object_get(responses, "200"), "content");
        const json_t *body = json_object_get(content, "application/json");
        g_autoptr(json_t) ref = schema_ref(v1[i].response);
        ck_assert_msg(json_equal(json_object_get(body, "schema"), ref), "%s", path);
        check_answer(v1[i].response, seen);
    }
    ck_assert_uint_gt(g_hash_table_size(seen), 20);
}
END_TEST

START_TEST(test_page__loads_nothing)
{
    static const char *const signs[] = {"<script", "src=",  "<link", "@import",
                                        "url(",    "http:", "https:"};
    ck_assert(g_str_has_prefix(bp_api__page, "<!DOCTYPE html>"));
    for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
        ck_assert_msg(strstr(bp_api__page, signs[i]) == NULL, "the page has %s", signs[i]);
    }
    const char *path = NULL;
    json_t *methods = NULL;
    json_object_foreach(json_object_get(document, "paths"), path, methods)
    {
        ck_assert_msg(strstr(bp_api__page, path) != NULL, "the page has no %s", path);
    }
}
END_TEST

START_TEST(test_answers__with_their_types)
{
    bp_reply *(*const answers[])(void *, const bp_http_request *) = {bp_api_docs_routes[0].answer,
                                                                     bp_api_docs_routes[1].answer};
    static const char *const types[] = {"application/json; charset=utf-8",
                                        "text/html; charset=utf-8"};
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(bp_reply) answer = answers[i](NULL, NULL);
        ck_assert_uint_eq(answer->status, 200);
        ck_assert_str_eq(answer->type, types[i]);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/api_docs", setup, teardown, test_routes__are_described,
                     test_description__is_served, test_requests__as_described, test_v1__each_field,
                     test_v1__each_field_of_answers, test_page__loads_nothing,
                     test_answers__with_their_types);
}
