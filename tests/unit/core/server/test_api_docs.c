/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/reference/openapi.json against the program: the same routes, methods, roles and members of
 * requests on both sides.
 */
#include "core/server/api_docs.h"

#include "core/base/json.h"
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
        if (!g_str_has_prefix(route->path, "/api/v2")) {
            continue;
        }
        const json_t *operation = operation_at(route->path, route->method);
        ck_assert_msg(operation != NULL, "nothing about %s %s", route->method, route->path);
        ck_assert_msg(role_of(operation) == route->role, "%s %s has another role", route->method,
                      route->path);
        found++;
    }
    ck_assert_uint_ge(found, 15);
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
                     test_description__is_served, test_requests__as_described,
                     test_page__loads_nothing, test_answers__with_their_types);
}
