/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings and create options: addresses, prefixes, contradictions, and the tables themselves.
 */
#include "plugins/source-milvus/config.h"

#include "wire_test.h"

static bp_status
load(const char *key, const char *value, struct milvus_config *out, struct bp_error *error)
{
    struct bp_config *config = fake_config_new(key, value, NULL);
    bp_status status = milvus_config_load(fake_host(), config, out, error);
    fake_config_free(config);
    return status;
}

START_TEST(test_load__addresses)
{
    static const char *const pairs[][2] = {{"milvus:19531", "milvus:19531"},
                                           {"milvus", "milvus:19530"},
                                           {"10.0.0.1:1", "10.0.0.1:1"},
                                           {"[::1]", "[::1]:19530"},
                                           {"[fe80::1]:99", "[fe80::1]:99"}};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        struct milvus_config config = {0};
        struct bp_error error = fake_error();
        ASSERT_OK(load("address", pairs[i][0], &config, &error), error);
        ck_assert_str_eq(config.address, pairs[i][1]);
        milvus_config_clear(&config);
    }
}
END_TEST

START_TEST(test_load__bad_addresses_name_the_setting)
{
    static const char *const texts[] = {
        "http://milvus:19530", "milvus/x", "::1", "milvus:", "milvus:0", ":19530",
        "milvus:66666",        "[::1"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct milvus_config config = {0};
        struct bp_error error = fake_error();
        bp_status status = load("address", texts[i], &config, &error);
        ASSERT_FAILED(status, error, BP_ERR_INVALID, "setting address");
        milvus_config_clear(&config);
    }
}
END_TEST

START_TEST(test_load__prefix_ends_in_one_slash)
{
    static const char *const pairs[][2] = {
        {"files", "files/"}, {"/files//", "files/"}, {"a/b/", "a/b/"}, {"/", ""}};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        struct bp_config *given =
            fake_config_new("address", "m", "storage_prefix", pairs[i][0], NULL);
        struct milvus_config config = {0};
        struct bp_error error = fake_error();
        ASSERT_OK(milvus_config_load(fake_host(), given, &config, &error), error);
        ck_assert_str_eq(config.storage_prefix, pairs[i][1]);
        milvus_config_clear(&config);
        fake_config_free(given);
    }
}
END_TEST

static void
assert_contradiction(struct bp_config *given, const char *text)
{
    struct milvus_config config = {0};
    struct bp_error error = fake_error();
    bp_status status = milvus_config_load(fake_host(), given, &config, &error);
    ASSERT_FAILED(status, error, BP_ERR_INVALID, text);
    ck_assert_ptr_null(strstr(error.message, "hush"));
    milvus_config_clear(&config);
    fake_config_free(given);
}

START_TEST(test_load__contradictions)
{
    assert_contradiction(fake_config_new("address", "m", "tls_mode", "2", "cert_file", "/c", NULL),
                         "tls_mode: 2 needs cert_file and key_file");
    assert_contradiction(fake_config_new("address", "m", "ca_file", "/ca", NULL),
                         "no effect with 0");
    assert_contradiction(fake_config_new("address", "m", "token", "hush", "password", "hush", NULL),
                         "either a token or user and password");
}
END_TEST

START_TEST(test_options__texts_and_defaults)
{
    struct milvus_create_options options = {0};
    struct bp_config *given =
        fake_config_new("strategy", "skip_flush", "gc_pause", "off", "flush_timeout", "1500", NULL);
    milvus_create_options_load(fake_host(), given, &options);
    ck_assert_int_eq(options.strategy, MILVUS_SKIP_FLUSH);
    ck_assert_int_eq(options.gc_pause, MILVUS_GC_OFF);
    ck_assert_uint_eq(options.flush_timeout_ms, 1500);
    fake_config_free(given);

    given = fake_config_new("strategy", "auto", "gc_pause", "require", NULL);
    milvus_create_options_load(fake_host(), given, &options);
    ck_assert_int_eq(options.strategy, MILVUS_SERIAL_FLUSH);
    ck_assert_int_eq(options.gc_pause, MILVUS_GC_REQUIRE);
    ck_assert_uint_eq(options.gc_pause_ms, 3600000);
    fake_config_free(given);
}
END_TEST

static void
check_table(const struct bp_config_key *keys, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ck_assert(g_regex_match_simple("^[a-z][a-z0-9_]*$", keys[i].name, 0, 0));
        ck_assert_ptr_nonnull(keys[i].help);
        ck_assert_int_le(keys[i].min, keys[i].max);
        for (uint32_t j = 0; j < i; j++) {
            ck_assert_str_ne(keys[i].name, keys[j].name);
        }
        bool is_secret = (keys[i].flags & BP_CONFIG_SECRET) != 0;
        ck_assert(is_secret ==
                  (strcmp(keys[i].name, "password") == 0 || strcmp(keys[i].name, "token") == 0));
    }
}

START_TEST(test_tables__are_well_formed)
{
    check_table(milvus_config_keys, milvus_n_config_keys);
    check_table(milvus_create_keys, milvus_n_create_keys);
}
END_TEST

WIRE_MAIN("config", fake_host_reset, NULL, test_load__addresses,
          test_load__bad_addresses_name_the_setting, test_load__prefix_ends_in_one_slash,
          test_load__contradictions, test_options__texts_and_defaults, test_tables__are_well_formed)
