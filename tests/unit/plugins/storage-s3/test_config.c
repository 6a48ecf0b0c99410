/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: settings, addresses, facts.
 */
#include "plugins/storage-s3/config.h"

#include "plugins/storage-s3/request.h"
#include "tests/unit/plugins/storage-s3/s3_test.h"

#define KEYS "access_key", "a", "secret_key", "s"

static void
expect_refused(const char *text, const char *const *pairs)
{
    struct bp_storage *store = st_open_with(pairs);
    ck_assert_msg(store == NULL, "accepted instead of: %s", text);
    ck_assert_int_eq(st_error.cls, BP_ERR_INVALID);
    ck_assert_msg(strstr(st_error.message, text) != NULL, "message \"%s\"", st_error.message);
}
#define REFUSED(text, ...) expect_refused(text, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(test_keys__table_is_complete)
{
    static const char *const secrets[] = {"secret_key", "session_token", "key_password", "proxy",
                                          NULL};
    size_t n = 0;
    ck_assert_uint_eq(st_plugin->n_keys, BP_S3_N_KEYS);
    for (uint32_t i = 0; i < st_plugin->n_keys; i++) {
        ck_assert_ptr_nonnull(st_plugin->keys[i].name);
        ck_assert_ptr_nonnull(st_plugin->keys[i].help);
        bool is_secret = (st_plugin->keys[i].flags & BP_CONFIG_SECRET) != 0;
        ck_assert_int_eq(is_secret, g_strv_contains(secrets, st_plugin->keys[i].name));
        n += is_secret;
    }
    ck_assert_uint_eq(n, G_N_ELEMENTS(secrets) - 1);
}
END_TEST

START_TEST(test_load__names_the_setting)
{
    REFUSED("bucket: \"\" is no name", "endpoint", "h");
    REFUSED("bucket: \"a/b\" is no name", "endpoint", "h", "bucket", "a/b");
    REFUSED("endpoint: needed for provider s3", "bucket", "bkt");
    REFUSED("endpoint: needed for provider minio", "bucket", "bkt", "provider", "minio");
    REFUSED("region: needed for provider aliyun without an endpoint", "bucket", "bkt", "provider",
            "aliyun");
    REFUSED("region: needed for provider hwc; its endpoint does not tell it", "bucket", "bkt",
            "provider", "hwc", "endpoint", "h");
    REFUSED("region: \"a b\" is no name of a region", "bucket", "bkt", "endpoint", "h", "region",
            "a b");
    REFUSED("endpoint: \"ftp://h\" begins neither", "bucket", "bkt", "endpoint", "ftp://h");
    REFUSED("endpoint: \"http://h/bkt\" has more than a host", "bucket", "bkt", "endpoint",
            "http://h/bkt");
    REFUSED("endpoint: \"h:0\" has no valid port", "bucket", "bkt", "endpoint", "h:0");
    REFUSED("endpoint: \"h:x\" has no valid port", "bucket", "bkt", "endpoint", "h:x");
    REFUSED("endpoint: a login does not belong in an address", "bucket", "bkt", "endpoint",
            "http://u:p@h");
    REFUSED("endpoint: \"h_!\" is no address", "bucket", "bkt", "endpoint", "h_!");
    REFUSED("tls: is true, but endpoint is \"http://h\"", "bucket", "bkt", "endpoint", "http://h",
            "tls", "true");
    REFUSED("prefix: \"a//b\" ", "bucket", "bkt", "endpoint", "h", "prefix", "a//b");
    REFUSED("style: bucket bkt cannot stand before the host 127.0.0.1", "bucket", "bkt", "endpoint",
            "127.0.0.1:9000", "style", "virtual");
    REFUSED("ca_file: given, but the endpoint is not https", "bucket", "bkt", "endpoint",
            "http://h", "ca_file", "/x");
    REFUSED("key_file: missing beside cert_file", "bucket", "bkt", "endpoint", "h", "cert_file",
            "/x");
    REFUSED("kms_key: given without sse: kms", "bucket", "bkt", "endpoint", "h", "kms_key", "k");
    REFUSED("storage_class: \"A B\"", "bucket", "bkt", "endpoint", "h", "storage_class", "A B");
    REFUSED("checksum: provider gcp knows none of these", "bucket", "bkt", "provider", "gcp",
            "checksum", "crc32c");
}
END_TEST

START_TEST(test_load__names_the_setting_about_credentials)
{
    REFUSED("secret_key: missing beside access_key", "bucket", "bkt", "endpoint", "h", "access_key",
            "a");
    REFUSED("access_key: missing beside secret_key", "bucket", "bkt", "endpoint", "h", "secret_key",
            "a");
    REFUSED("access_key: needed for credentials: static", "bucket", "bkt", "endpoint", "h",
            "credentials", "static");
    REFUSED("access_key: given, but credentials say", "bucket", "bkt", "endpoint", "h",
            "credentials", "ec2", KEYS);
    REFUSED("session_token: given without access_key", "bucket", "bkt", "endpoint", "h",
            "session_token", "t");
    REFUSED("profile: given, but", "bucket", "bkt", "endpoint", "h", "profile", "p", KEYS);
    REFUSED("role_arn: given, but", "bucket", "bkt", "endpoint", "h", "role_arn", "r",
            "credentials", "anonymous");
    REFUSED("external_id: given, but", "bucket", "bkt", "endpoint", "h", "external_id", "x", KEYS);
    REFUSED("web_identity_token_file: given, but", "bucket", "bkt", "endpoint", "h",
            "web_identity_token_file", "/x", "credentials", "env");
    REFUSED("sts_endpoint: \"h/x\" has more", "bucket", "bkt", "endpoint", "h", "sts_endpoint",
            "h/x");
    REFUSED("metadata_endpoint: \"://\" begins", "bucket", "bkt", "endpoint", "h",
            "metadata_endpoint", "://");
}
END_TEST

static const struct {
    const char *pairs[12];
    const char *authority, *path, *region;
} addresses[] = {
    {{"provider", "aws"}, "bkt.s3.us-east-1.amazonaws.com", "/a%20b/c", "us-east-1"},
    {{"provider", "aws", "region", "eu-west-3"},
     "bkt.s3.eu-west-3.amazonaws.com",
     "/a%20b/c",
     "eu-west-3"},
    {{"provider", "aws", "region", "cn-northwest-1"},
     "bkt.s3.cn-northwest-1.amazonaws.com.cn",
     "/a%20b/c",
     "cn-northwest-1"},
    {{"provider", "aws", "style", "path"},
     "s3.us-east-1.amazonaws.com",
     "/bkt/a%20b/c",
     "us-east-1"},
    {{"provider", "aws", "endpoint", "https://s3.cn-north-1.amazonaws.com.cn:443"},
     "bkt.s3.cn-north-1.amazonaws.com.cn",
     "/a%20b/c",
     "cn-north-1"},
    {{"provider", "aws", "endpoint", "s3.amazonaws.com"},
     "bkt.s3.amazonaws.com",
     "/a%20b/c",
     "us-east-1"},
    {{"provider", "aws", "endpoint", "s3.us-east-1.amazonaws.com", "region", "eu-west-1"},
     "bkt.s3.eu-west-1.amazonaws.com",
     "/a%20b/c",
     "eu-west-1"},
    {{"provider", "aws", "endpoint", "http://localhost:4566"},
     "localhost:4566",
     "/bkt/a%20b/c",
     "us-east-1"},
    {{"provider", "minio", "endpoint", "MinIO.local:9000"},
     "minio.local:9000",
     "/bkt/a%20b/c",
     "us-east-1"},
    {{"endpoint", "http://[::1]:80/", "style", "path"}, "[::1]", "/bkt/a%20b/c", "us-east-1"},
    {{"endpoint", "https://h:443", "style", "virtual"}, "bkt.h", "/a%20b/c", "us-east-1"},
    {{"provider", "gcp"}, "storage.googleapis.com", "/bkt/a%20b/c", "auto"},
    {{"provider", "aliyun", "region", "cn-hangzhou"},
     "bkt.s3.oss-cn-hangzhou.aliyuncs.com",
     "/a%20b/c",
     "cn-hangzhou"},
    {{"provider", "aliyun", "endpoint", "oss-cn-beijing-internal.aliyuncs.com"},
     "bkt.oss-cn-beijing-internal.aliyuncs.com",
     "/a%20b/c",
     "cn-beijing"},
    {{"provider", "tencent", "region", "ap-guangzhou"},
     "bkt.cos.ap-guangzhou.myqcloud.com",
     "/a%20b/c",
     "ap-guangzhou"},
    {{"provider", "hwc", "endpoint", "obs.cn-north-4.myhuaweicloud.com"},
     "bkt.obs.cn-north-4.myhuaweicloud.com",
     "/a%20b/c",
     "cn-north-4"},
};

START_TEST(test_address__by_provider_and_style)
{
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        const char *all[16] = {"bucket", "bkt"};
        for (size_t k = 0; addresses[i].pairs[k] != NULL; k++) {
            all[k + 2] = addresses[i].pairs[k];
        }
        struct bp_storage *store = st_open_with(all);
        ck_assert_msg(store != NULL, "%zu: %s", i, st_error.message);
        g_autofree char *authority = NULL, *path = NULL;
        g_autofree char *region = bp_s3_region(store);
        bp_s3_address(store, "a b/c", &authority, &path);
        ck_assert_str_eq(authority, addresses[i].authority);
        ck_assert_str_eq(path, addresses[i].path);
        ck_assert_str_eq(region, addresses[i].region);
        st_ops->close(store);
    }
}
END_TEST

START_TEST(test_address__dots_keep_the_bucket_in_the_path)
{
    struct bp_storage *store = st_open("bucket", "my.bucket", "provider", "aws");
    g_autofree char *authority = NULL, *path = NULL;
    bp_s3_address(store, NULL, &authority, &path);
    ck_assert_str_eq(authority, "s3.us-east-1.amazonaws.com");
    ck_assert_str_eq(path, "/my.bucket");
    st_ops->close(store);
}
END_TEST

static void
expect_info(const char *const *pairs, const char *identity, const char *scope)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    struct bp_storage *store = st_open_with(pairs);
    ck_assert_msg(store != NULL, "%s", st_error.message);
    ASSERT_OK(st_ops->info(store, &info, &st_error));
    ck_assert_str_eq(info.identity, identity);
    ck_assert_str_eq(info.copy_scope, scope);
    ck_assert_str_eq(info.local_root, "");
    st_ops->close(store);
}
#define INFO(identity, scope, ...) \
    expect_info((const char *const[]){__VA_ARGS__, NULL}, identity, scope)

START_TEST(test_info__identity_and_scope)
{
    INFO("s3:http://h:9000/bkt", "s3:http://h:9000", "bucket", "bkt", "endpoint", "http://H:9000");
    INFO("s3:https://h:443/bkt/a/b", "s3:https://h:443", "bucket", "bkt", "endpoint", "h", "prefix",
         "/a/b/");
    INFO("s3:aws/bkt", "s3:aws", "bucket", "bkt", "provider", "aws");
    INFO("s3:aws/bkt", "s3:aws", "bucket", "bkt", "provider", "aws", "region", "eu-west-1");
    INFO("s3:aws-cn/bkt", "s3:aws-cn", "bucket", "bkt", "provider", "aws", "endpoint",
         "s3.cn-north-1.amazonaws.com.cn");
}
END_TEST

/* Cut, or a hash, it would not show what lies in what. */
START_TEST(test_info__identity_of_a_long_prefix_is_whole)
{
    g_autofree char *prefix = g_strnfill(500, 'p');
    g_autofree char *identity = g_strconcat("s3:http://h:9000/bkt/", prefix, NULL);
    INFO(identity, "s3:http://h:9000", "bucket", "bkt", "endpoint", "http://h:9000", "prefix",
         prefix);
}
END_TEST

static uint64_t
caps_of(const char *const *pairs)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    struct bp_storage *store = st_open_with(pairs);
    ck_assert_msg(store != NULL, "%s", st_error.message);
    ASSERT_OK(st_ops->info(store, &info, &st_error));
    st_ops->close(store);
    return info.caps;
}
#define CAPS(...) caps_of((const char *const[]){"bucket", "bkt", __VA_ARGS__, NULL})

START_TEST(test_info__caps_follow_provider_and_settings)
{
    const uint64_t conditional = BP_STORE_IF_NONE_MATCH | BP_STORE_IF_MATCH;
    ck_assert_uint_eq(CAPS("provider", "aws") & conditional, conditional);
    ck_assert_uint_eq(CAPS("endpoint", "h") & conditional, conditional);
    ck_assert_uint_eq(CAPS("endpoint", "h", "conditional_writes", "false") & conditional, 0);
    ck_assert_uint_eq(CAPS("provider", "gcp") & conditional, BP_STORE_IF_NONE_MATCH);
    ck_assert_uint_eq(CAPS("provider", "hwc", "region", "x") & conditional, 0);
    ck_assert_uint_eq(CAPS("endpoint", "h") & BP_STORE_LIST_SORTED, 0);
    ck_assert_uint_ne(CAPS("provider", "minio", "endpoint", "h") & BP_STORE_LIST_SORTED, 0);
}
END_TEST

START_TEST(test_info__limits_and_server_root)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    struct bp_storage *store =
        st_open("bucket", "bkt", "endpoint", "h", "max_copy", "5242880", "server_root", "files");
    ASSERT_OK(st_ops->info(store, &info, &st_error));
    ck_assert_uint_eq(info.max_copy, 5242880);
    ck_assert_uint_eq(info.min_part, 5 << 20);
    ck_assert_uint_eq(info.max_parts, 10000);
    ck_assert_str_eq(info.server_root, "files/");
    ck_assert_uint_eq(info.max_key_part, BP_KEY_MAX);
    st_ops->close(store);
}
END_TEST

START_TEST(test_info__server_root_is_the_prefix)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    struct bp_storage *store =
        st_open("bucket", "bkt", "endpoint", "h:1", "provider", "minio", "prefix", "files/backup");
    ASSERT_OK(st_ops->info(store, &info, &st_error));
    ck_assert_str_eq(info.server_root, "files/backup/");
    ck_assert_str_eq(info.place, "s3:https://h:1/bkt");
    ck_assert_uint_eq(info.max_key_part, 255);
    st_ops->close(store);
}
END_TEST

START_TEST(test_time__both_forms)
{
    ck_assert_int_eq(bp_s3_time("2009-10-12T17:50:30.500Z"), INT64_C(1255369830500000000));
    ck_assert_int_eq(bp_s3_time("Mon, 12 Oct 2009 17:50:30 GMT"), INT64_C(1255369830000000000));
    ck_assert_int_eq(bp_s3_time("soon"), 0);
    ck_assert_int_eq(bp_s3_time("Mon, 12 Okt 2009 17:50:30 GMT"), 0);
    ck_assert_int_eq(bp_s3_time(NULL), 0);
}
END_TEST

ST_MAIN("storage-s3 config", test_keys__table_is_complete, test_load__names_the_setting,
        test_load__names_the_setting_about_credentials, test_address__by_provider_and_style,
        test_address__dots_keep_the_bucket_in_the_path, test_info__identity_and_scope,
        test_info__identity_of_a_long_prefix_is_whole, test_info__caps_follow_provider_and_settings,
        test_info__limits_and_server_root, test_info__server_root_is_the_prefix,
        test_time__both_forms)
