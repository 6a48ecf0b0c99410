/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/route
 */
#include "core/server/route.h"

#include "tests/harness/suite.h"

static const bp_route routes[] = {
    {.method = "GET", .path = "/"},
    {.method = "GET", .path = "/jobs"},
    {.method = "POST", .path = "/jobs"},
    {.method = "GET", .path = "/jobs/{id}/log"},
};

/* The path of the route, "METHODS" when there is another method only, or "". */
static char *
find(const char *method, const char *path)
{
    g_autoptr(bp_http_target) target = bp_http_target_parse(path, NULL);
    ck_assert_ptr_nonnull(target);
    char *allow = NULL;
    const bp_route *route = bp_route_find(routes, G_N_ELEMENTS(routes), method, target, &allow);
    if (route != NULL) {
        return g_strconcat(route->method, " ", route->path, NULL);
    }
    return allow != NULL ? allow : g_strdup("");
}

START_TEST(test_find__method_and_path)
{
    static const struct {
        const char *method, *path, *found;
    } cases[] = {
        {"GET", "/", "GET /"},
        {"GET", "/jobs", "GET /jobs"},
        {"POST", "/jobs?x=1", "POST /jobs"},
        {"GET", "/jobs/{id}/log", "GET /jobs/{id}/log"},
        {"GET", "/jobs/a%7b/log", "GET /jobs/{id}/log"},
        {"DELETE", "/jobs", "GET, POST"},
        {"get", "/jobs", "GET, POST"},
        {"GET", "/job", ""},
        {"GET", "/jobsx", ""},
        {"GET", "/Jobs", ""},
        {"GET", "/jobs/a", ""},
        {"GET", "/jobs/a/log/b", ""},
        {"GET", "/jobs/a/lo", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = find(cases[i].method, cases[i].path);
        ck_assert_str_eq(found, cases[i].found);
    }
}
END_TEST

START_TEST(test_part__by_name)
{
    g_autoptr(bp_http_target) target = bp_http_target_parse("/jobs/7%20a/log", NULL);
    bp_http_request request = {.target = target, .route = &routes[3]};
    ck_assert_str_eq(bp_http_part(&request, "id"), "7 a");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/route", NULL, NULL, test_find__method_and_path, test_part__by_name);
}
