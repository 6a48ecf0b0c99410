/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/settings: connections as the operator wants them.
 */
#include "sdk/http/settings.h"

#include <check.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/harness/fake_host.h"
#include "tests/harness/run.h"

static struct bp_http_config config;
static struct bp_error error;

static void
setup(void)
{
    bp_fake_reset();
    bp_error_init(&error);
}

START_TEST(test_config_load__nothing_said)
{
    const struct bp_config none = {.set = {{"ca_file", ""}}};
    ck_assert_int_eq(bp_http_config_load(&config, &bp_fake.host, &none, 0, &error), BP_OK);
    ck_assert_ptr_null(config.ca_file);
    ck_assert_ptr_null(config.proxy);
    ck_assert_uint_eq(config.min_tls, 12);
    ck_assert_uint_eq(config.connect_timeout_ms, 0);
}
END_TEST

START_TEST(test_config_load__everything_said)
{
    const struct bp_config all = {.set = {{"ca_file", "/ca"},
                                          {"cert_file", "/cert"},
                                          {"key_file", "/key"},
                                          {"key_password", "pw"},
                                          {"proxy", "http://p:1"},
                                          {"min_tls", "1.3"},
                                          {"connect_timeout", "1000"},
                                          {"idle_timeout", "2000"}}};
    ck_assert_int_eq(bp_http_config_load(&config, &bp_fake.host, &all, 1, &error), BP_OK);
    ck_assert_str_eq(config.ca_file, "/ca");
    ck_assert_str_eq(config.cert_file, "/cert");
    ck_assert_str_eq(config.key_file, "/key");
    ck_assert_str_eq(config.key_password, "pw");
    ck_assert_str_eq(config.proxy, "http://p:1");
    ck_assert_uint_eq(config.min_tls, 13);
    ck_assert_uint_eq(config.connect_timeout_ms, 1000);
    ck_assert_uint_eq(config.idle_timeout_ms, 2000);
}
END_TEST

START_TEST(test_config_load__what_does_not_fit_together)
{
    const struct bp_config ca = {.set = {{"ca_file", "/ca"}}};
    const struct bp_config cert = {.set = {{"cert_file", "/cert"}}};
    const struct bp_config key = {.set = {{"key_file", "/key"}}};
    ck_assert_int_eq(bp_http_config_load(&config, &bp_fake.host, &ca, 0, &error), BP_ERR_INVALID);
    ck_assert_str_eq(error.message, "ca_file: given, but the endpoint is not https");
    ck_assert_int_eq(bp_http_config_load(&config, &bp_fake.host, &cert, 1, &error), BP_ERR_INVALID);
    ck_assert_str_eq(error.message, "key_file: missing beside cert_file");
    ck_assert_int_eq(bp_http_config_load(&config, &bp_fake.host, &key, 1, &error), BP_ERR_INVALID);
    ck_assert_str_eq(error.message, "cert_file: missing beside key_file");
}
END_TEST

BP_TEST_MAIN("sdk/http/settings", setup, NULL, test_config_load__nothing_said,
             test_config_load__everything_said, test_config_load__what_does_not_fit_together)
