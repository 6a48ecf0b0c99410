/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/address
 */
#include "core/config/address.h"

#include "fixture.h"

START_TEST(test_parse__what_people_write)
{
    static const struct {
        const char *text, *host;
        guint16 port;
    } good[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"[::1]:65535", "::1", 65535},
        {"[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *host = NULL;
        guint16 port = 1234;
        GError *error = NULL;
        ck_assert_msg(bp_address_parse(good[i].text, &host, &port, &error), "%s", good[i].text);
        ck_assert_str_eq(host, good[i].host);
        ck_assert_uint_eq(port, good[i].port);
    }
}
END_TEST

START_TEST(test_parse__no_names_and_no_guesses)
{
    static const char *const bad[] = {"",        ":8080",         "127.0.0.1", "localhost:8080",
                                      "::1:80",  "[::1]",         "[]:80",     "[127.0.0.1]:80",
                                      "[::1]80", "127.0.0.1 :80", "127.1:80",  "[::1:80"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        ck_assert_msg(!bp_address_parse(bad[i], NULL, NULL, &error), "%s", bad[i]);
        assert_error(error, BP_ERR_INVALID, "is no address with a port\nhint: write it as");
    }
}
END_TEST

START_TEST(test_parse__ports)
{
    static const char *const bad[] = {"1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:80x"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        ck_assert_msg(!bp_address_parse(bad[i], NULL, NULL, &error), "%s", bad[i]);
        assert_error(error, BP_ERR_INVALID, "is no port, 0 to 65535");
    }
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("address");
    tcase_add_test(cases, test_parse__what_people_write);
    tcase_add_test(cases, test_parse__no_names_and_no_guesses);
    tcase_add_test(cases, test_parse__ports);
    return fixture_run("address", cases);
}
