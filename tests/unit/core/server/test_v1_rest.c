/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/v1_rest: paths, methods, bodies and parameters.
 */
#include "core/server/v1_rest.h"

#include "tests/unit/core/server/v1_fixture.h"

#define HERE "/api/v1"

static const bp_route *
route_of(const char *method, const bp_http_target *target, char **allow)
{
    return bp_route_find(bp_v1_rest_routes, bp_v1_rest_n_routes, method, target, allow);
}

/* @request_id: a header, or NULL.  Returns: (transfer full) */
static bp_reply *
ask(const char *method, const char *path, const char *body, const char *request_id)
{
    g_autoptr(bp_http_target) target = bp_http_target_parse(path, NULL);
    ck_assert_ptr_nonnull(target);
    g_autofree char *allow = NULL;
    const bp_route *route = route_of(method, target, &allow);
    ck_assert_msg(route != NULL, "%s %s", method, path);
    g_autoptr(GHashTable) headers = g_hash_table_new(g_str_hash, g_str_equal);
    if (request_id != NULL) {
        g_hash_table_insert(headers, (gpointer) "request_id", (gpointer)request_id);
    }
    bp_http_request request = {.method = method,
                               .target = target,
                               .route = route,
                               .headers = headers,
                               .body = body != NULL ? body : "",
                               .n = body != NULL ? strlen(body) : 0};
    return route->answer(v1_service, &request);
}

static void
expect(const char *method, const char *path, const char *body, unsigned status, const char *part)
{
    g_autoptr(bp_reply) reply = ask(method, path, body, NULL);
    ck_assert_msg(reply->status == status, "%s %s: %u %s", method, path, reply->status,
                  reply->body);
    ck_assert_msg(strstr(reply->body, part) != NULL, "%s %s: %s", method, path, reply->body);
}

START_TEST(test_routes__as_clients_know_them)
{
    static const struct {
        const char *path, *allow;
    } cases[] = {
        {HERE "/create", "POST"},
        {HERE "/list", "GET"},
        {HERE "/get_backup", "GET"},
        {HERE "/delete", "DELETE"},
        {HERE "/restore", "POST"},
        {HERE "/get_restore", "GET"},
        {HERE "/restore_secondary", "POST"},
        {HERE "/check", "GET"},
        {HERE "/hello", "GET"},
        {"/", "GET, POST, PUT, PATCH, DELETE"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(bp_http_target) target = bp_http_target_parse(cases[i].path, NULL);
        g_autofree char *allow = NULL;
        ck_assert_ptr_null(route_of("TRACE", target, &allow));
        ck_assert_msg(g_strcmp0(allow, cases[i].allow) == 0, "%s: %s", cases[i].path, allow);
    }
}
END_TEST

START_TEST(test_hello__is_for_everybody)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(bp_reply) reply = ask(methods[i], "/", "anything", NULL);
        ck_assert_uint_eq(reply->status, 200);
        ck_assert_str_eq(reply->body, "Hello, This is backup service");
        ck_assert_str_eq(reply->type, "text/plain; charset=utf-8");
    }
    expect("GET", HERE "/hello", NULL, 200, "Hello, This is backup service");
}
END_TEST

START_TEST(test_body__that_is_none)
{
    static const char *const paths[] = {HERE "/create", HERE "/restore", HERE "/restore_secondary"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        expect("POST", paths[i], "{", 400, "{\"error\":\"Invalid request body\",\"reason\":");
        expect("POST", paths[i], "", 400, "\"Invalid request body\"");
        expect("POST", paths[i], "[1]", 400, "\"Invalid request body\"");
        expect("POST", paths[i], "{\"backup_name\":7}", 400, "backup_name: it has to be a text");
    }
}
END_TEST

START_TEST(test_answers__in_their_shape)
{
    expect("GET", HERE "/list", NULL, 200, "\"msg\":\"success\",\"data\":[]}");
    g_autoptr(bp_reply) made =
        ask("POST", HERE "/create", "{\"BACKUP_NAME\":\"b\",\"x\":1}", "<1>");
    ck_assert_uint_eq(made->status, 200);
    ck_assert_str_eq(made->type, "application/json; charset=utf-8");
    static const char start[] = "{\"requestId\":\"\\u003c1\\u003e\",\"code\":0,"
                                "\"msg\":\"success\",\"data\":{\"id\":\"";
    ck_assert_msg(g_str_has_prefix(made->body, start), "%s", made->body);
    expect("GET", HERE "/get_backup?backup_name=b&colour=blue", NULL, 200, "\"name\":\"b\"");
    expect("GET", HERE "/get_backup?backup_name=none", NULL, 200, "\"code\":404");
    expect("GET", HERE "/list?collection_name=films", NULL, 200, "\"data\":[{\"id\":");
    expect("GET", HERE "/get_restore?id=none", NULL, 200, "restore id not exist in context");
    expect("POST", HERE "/restore", "{}", 200, "\"code\":400,\"msg\":\"empty backup name\"");
    expect("POST", HERE "/restore_secondary", "{}", 200, "\"code\":400");
    expect("DELETE", HERE "/delete?backup_name=b", NULL, 200, "\"code\":0,\"msg\":\"success\"}");
    expect("DELETE", HERE "/delete", NULL, 200, "\"code\":400,\"msg\":\"empty backup name\"");
}
END_TEST

START_TEST(test_check__is_a_text)
{
    expect("GET", HERE "/check", NULL, 200, "\"Succeed to connect to");
    verb_remove("backups");
    verb_write("backups", "no folder");
    expect("GET", HERE "/check", NULL, 500, "{\"error\":\"Failed to connect to storage");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/v1_rest", v1_setup, v1_teardown, test_routes__as_clients_know_them,
                     test_hello__is_for_everybody, test_body__that_is_none,
                     test_answers__in_their_shape, test_check__is_a_text);
}
