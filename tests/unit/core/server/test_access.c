/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/access
 */
#include "core/server/access.h"

#include "core/base/log.h"
#include "tests/harness/suite.h"

#define READER "reader-0123456789"
#define OPERATOR "operator-0123456789"

static const bp_access_token tokens[] = {{READER, BP_ROLE_READ}, {OPERATOR, BP_ROLE_OPERATE}};
static const char *const hosts[] = {"backup.example", NULL};
static const char *const origins[] = {"https://console.example", NULL};

static bp_access *
make(const char *address, bool is_open, bool is_insecure, GError **error)
{
    bp_access_params params = {.address = address,
                               .is_open = is_open,
                               .is_insecure = is_insecure,
                               .tokens = is_open ? NULL : tokens,
                               .n_tokens = is_open ? 0 : G_N_ELEMENTS(tokens),
                               .hosts = hosts,
                               .origins = origins};
    return bp_access_new(&params, error);
}

typedef struct {
    const char *host, *origin, *authorization;
    int role; /* of the route; -1 = there is none */
} asked;

static void
put(GHashTable *headers, const char *name, const char *value)
{
    if (value != NULL) {
        g_hash_table_insert(headers, g_strdup(name), g_strdup(value));
    }
}

/* The status of the refusal, or 0. */
static unsigned
ask(const bp_access *access, asked what)
{
    g_autoptr(GHashTable) headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    put(headers, "host", what.host);
    put(headers, "origin", what.origin);
    put(headers, "authorization", what.authorization);
    bp_route route = {.role = (bp_role)what.role};
    bp_http_request request = {.route = what.role >= 0 ? &route : NULL, .headers = headers};
    g_autoptr(bp_reply) refusal = bp_access_check(access, &request);
    if (refusal != NULL && refusal->status == 401) {
        ck_assert_str_eq(g_ptr_array_index(refusal->headers, 0), "WWW-Authenticate");
    }
    return refusal != NULL ? refusal->status : 0;
}

START_TEST(test_check__token_and_role)
{
    g_autoptr(bp_access) access = make("127.0.0.1", false, false, NULL);
    static const struct {
        const char *authorization;
        unsigned none, read, operate, nothing; /* answers by the route's role */
    } cases[] = {
        {NULL, 0, 401, 401, 401},
        {"Bearer " READER, 0, 0, 403, 0},
        {"Bearer " OPERATOR, 0, 0, 0, 0},
        {"bearer " OPERATOR, 0, 0, 0, 0},
        {"Bearer", 0, 401, 401, 401},
        {"Bearer ", 0, 401, 401, 401},
        {"Bearer  " OPERATOR, 0, 401, 401, 401},
        {"Bearer " OPERATOR " ", 0, 401, 401, 401},
        {"Bearer " OPERATOR "0", 0, 401, 401, 401},
        {"Bearer operator-012345678", 0, 401, 401, 401},
        {"Bearer OPERATOR-0123456789", 0, 401, 401, 401},
        {"Basic " OPERATOR, 0, 401, 401, 401},
        {OPERATOR, 0, 401, 401, 401},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const unsigned wanted[] = {cases[i].nothing, cases[i].none, cases[i].read,
                                   cases[i].operate};
        for (int role = -1; role <= BP_ROLE_OPERATE; role++) {
            asked what = {
                .host = "127.0.0.1", .authorization = cases[i].authorization, .role = role};
            ck_assert_msg(ask(access, what) == wanted[role + 1], "%s, role %d",
                          cases[i].authorization, role);
        }
    }
}
END_TEST

START_TEST(test_check__host)
{
    g_autoptr(bp_access) access = make("127.0.0.1", true, false, NULL);
    static const struct {
        const char *host;
        unsigned status;
    } cases[] = {
        {"127.0.0.1", 0},
        {"127.0.0.1:8080", 0},
        {"10.1.2.3:80", 0},
        {"[::1]:8080", 0},
        {"localhost", 0},
        {"LOCALHOST:8080", 0},
        {"backup.example", 0},
        {"Backup.Example:443", 0},
        {NULL, 421},
        {"", 421},
        {":8080", 421},
        {"evil.example", 421},
        {"localhost.evil.example", 421},
        {"localhost.", 421},
        {"evil.example:127.0.0.1", 421},
        {"127.0.0.1:", 421},
        {"127.0.0.1:80x", 421},
        {"127.0.0.1@evil.example", 421},
        {"127.0.0.1.evil.example", 421},
        {"[::1", 421},
        {"[evil.example]", 421},
        {"[::1]evil.example", 421},
        {"localhost:80,evil.example", 421},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        asked what = {.host = cases[i].host, .role = BP_ROLE_NONE};
        ck_assert_msg(ask(access, what) == cases[i].status, "%s", cases[i].host);
    }
}
END_TEST

START_TEST(test_check__localhost_is_nobody_elsewhere)
{
    g_autoptr(bp_access) access = make("0.0.0.0", false, false, NULL);
    asked what = {.host = "localhost", .role = BP_ROLE_NONE};
    ck_assert_uint_eq(ask(access, what), 421);
}
END_TEST

START_TEST(test_check__origin)
{
    g_autoptr(bp_access) access = make("127.0.0.1", true, false, NULL);
    static const struct {
        const char *origin;
        unsigned status;
    } cases[] = {
        {NULL, 0},
        {"http://localhost:8080", 0},
        {"https://console.example", 0},
        {"https://localhost:8080", 403}, /* not what we speak */
        {"http://localhost:8081", 403},
        {"http://localhost", 403},
        {"http://console.example", 403},
        {"https://console.example.evil.example", 403},
        {"http://evil.example", 403},
        {"null", 403},
        {"", 403},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        asked what = {.host = "localhost:8080", .origin = cases[i].origin, .role = BP_ROLE_OPERATE};
        ck_assert_msg(ask(access, what) == cases[i].status, "%s", cases[i].origin);
    }
}
END_TEST

START_TEST(test_check__open)
{
    g_autoptr(bp_access) access = make("127.0.0.1", true, false, NULL);
    for (int role = -1; role <= BP_ROLE_OPERATE; role++) {
        asked what = {.host = "127.0.0.1", .role = role};
        ck_assert_uint_eq(ask(access, what), 0);
    }
}
END_TEST

START_TEST(test_new__open_to_others_has_to_be_said_twice)
{
    static const char *const addresses[] = {"0.0.0.0", "::", "192.0.2.1", "::ffff:127.0.0.1"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(make(addresses[i], true, false, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, "--insecure");
        g_autoptr(bp_access) access = make(addresses[i], true, true, &error);
        ASSERT_FINE(access != NULL, error);
    }
}
END_TEST

START_TEST(test_new__a_token_or_none)
{
    g_autoptr(GError) error = NULL;
    bp_access_params params = {.address = "127.0.0.1"};
    ck_assert_ptr_null(bp_access_new(&params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "needs a token");
    params.tokens = tokens;
    params.n_tokens = 1;
    params.is_open = true;
    ck_assert_ptr_null(bp_access_new(&params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "has no tokens");
    static const bp_access_token weak = {"secret", BP_ROLE_OPERATE};
    params = (bp_access_params){.address = "127.0.0.1", .tokens = &weak, .n_tokens = 1};
    ck_assert_ptr_null(bp_access_new(&params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "characters, not 6");
}
END_TEST

START_TEST(test_new__tokens_are_secrets)
{
    g_autoptr(bp_access) access = make("127.0.0.1", false, false, NULL);
    g_autofree char *line = bp_log_redact("got " READER);
    ck_assert_str_eq(line, "got ***");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/access", NULL, NULL, test_check__token_and_role, test_check__host,
                     test_check__localhost_is_nobody_elsewhere, test_check__origin,
                     test_check__open, test_new__open_to_others_has_to_be_said_twice,
                     test_new__a_token_or_none, test_new__tokens_are_secrets);
}
