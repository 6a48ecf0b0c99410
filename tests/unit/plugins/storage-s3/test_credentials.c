/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: where keys come from, and when they are renewed.  One scripted server is the store
 * and all services that hand out keys.
 */
#include "plugins/storage-s3/credentials.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/plugins/storage-s3/s3_test.h"

static struct bp_httpd *server;
static struct bp_storage *store;
static char folder[256];

/* An answer of the store that ends a test's request. */
#define OBJECT st_answer(200, "ETag: \"e\"\r\n", "x")

static void
start(const struct bp_httpd_step *steps, size_t n, const char *const *pairs)
{
    const char *all[64] = {"bucket", "bkt", "region", "r1"};
    size_t used = 4;
    static const char *const addresses[] = {"endpoint", "sts_endpoint", "metadata_endpoint"};
    server = bp_httpd_start(steps, n);
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        all[used++] = addresses[i];
        all[used++] = bp_httpd_url(server);
    }
    for (; *pairs != NULL; pairs++) {
        all[used++] = *pairs;
    }
    store = st_open_with(all);
    ck_assert_msg(store != NULL, "%s", st_error.message);
}
#define START(steps, ...) \
    start((steps), G_N_ELEMENTS(steps), (const char *const[]){"prefix", "", ##__VA_ARGS__, NULL})

static void
read_fine(void)
{
    g_autofree char *text = st_read(store, "k");
    ck_assert_msg(text != NULL, "%s", st_error.message);
}

static void
read_fails(bp_status cls, const char *text)
{
    ck_assert_ptr_null(st_read(store, "k"));
    ck_assert_msg(st_error.cls == cls && strstr(st_error.message, text) != NULL,
                  "class %d, message \"%s\"", st_error.cls, st_error.message);
}

/* Closes all; then requests can be looked at. */
static const char *
request(size_t i)
{
    if (store != NULL) {
        st_ops->close(store);
        store = NULL;
        bp_httpd_stop(server);
    }
    return bp_httpd_request(server, i);
}

static void
has(size_t i, const char *text)
{
    ck_assert_msg(strstr(request(i), text) != NULL, "no \"%s\" in: %s", text, request(i));
}

static void
done(void)
{
    (void)request(0);
    bp_httpd_free(server);
}

static char *
put_file(const char *name, const char *text)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof(folder), "%s/s3.XXXXXX", g_get_tmp_dir());
        ck_assert_ptr_nonnull(mkdtemp(folder));
    }
    char *path = g_build_filename(folder, name, NULL);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void
remove_file(char *take_path)
{
    (void)unlink(take_path);
    if (rmdir(folder) == 0) { /* it was the last one */
        folder[0] = '\0';
    }
    g_free(take_path);
}

static const char *
expiry(int64_t seconds)
{
    static char text[40];
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) then = g_date_time_add_seconds(now, (gdouble)seconds);
    g_autofree char *iso = g_date_time_format(then, "%Y-%m-%dT%H:%M:%SZ");
    g_strlcpy(text, iso, sizeof(text));
    return text;
}

static const char *
role_keys(const char *action, const char *access, int64_t valid_s)
{
    g_autofree char *body = g_strdup_printf(
        "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult><Credentials>"
        "<AccessKeyId>%s</AccessKeyId><SecretAccessKey>sec</SecretAccessKey><SessionToken>tok-%s"
        "</SessionToken><Expiration>%s</Expiration></Credentials></%sResult></%sResponse>",
        action, action, access, access, expiry(valid_s), action, action);
    return st_answer(200, "", body);
}

static const char *
json_keys(const char *access, int64_t valid_s)
{
    g_autofree char *body = g_strdup_printf(
        "{\"Code\": \"Success\", \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"sec\", "
        "\"Token\": \"tok-%s\", \"Expiration\": \"%s\"}",
        access, access, expiry(valid_s));
    return st_answer(200, "", body);
}

START_TEST(test_environment__with_token)
{
    const struct bp_httpd_step steps[] = {{.reply = OBJECT}};
    g_setenv("AWS_ACCESS_KEY_ID", "ENVKEY", TRUE);
    g_setenv("AWS_SECRET_ACCESS_KEY", "sec", TRUE);
    g_setenv("AWS_SESSION_TOKEN", "envtok", TRUE);
    START(steps);
    read_fine();
    has(0, "Credential=ENVKEY/");
    has(0, "x-amz-security-token: envtok\r\n");
    done();
}
END_TEST

START_TEST(test_environment__half)
{
    const struct bp_httpd_step steps[] = {{.reply = OBJECT}};
    g_setenv("AWS_ACCESS_KEY_ID", "ENVKEY", TRUE);
    START(steps);
    read_fails(BP_ERR_AUTH, "AWS_SECRET_ACCESS_KEY is not");
    done();
}
END_TEST

START_TEST(test_none__says_what_to_set)
{
    static const struct {
        const char *source, *text;
    } cases[] = {
        {"auto", "set access_key and secret_key, or credentials: anonymous"},
        {"env", "AWS_ACCESS_KEY_ID is not set"},
        {"profile", "no AWS credentials file with such a profile"},
        {"web-identity", "AWS_WEB_IDENTITY_TOKEN_FILE is set"},
        {"ecs", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"},
        {"ec2", "metadata service of EC2 is out of reach"},
        {"iam", "no web identity, and neither ECS nor EC2"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct bp_httpd_step steps[] = {{.reply = OBJECT}};
        START(steps, "credentials", cases[i].source);
        read_fails(BP_ERR_AUTH, cases[i].text);
        done();
    }
}
END_TEST

START_TEST(test_profile__from_both_files)
{
    const struct bp_httpd_step steps[] = {{.reply = OBJECT}, {.reply = OBJECT}};
    char *credentials = put_file("credentials", "# comment\n[default]\naws_access_key_id=DEFKEY\n"
                                                "aws_secret_access_key = s\n[other]\n"
                                                "aws_access_key_id = OTHERKEY\n");
    char *config = put_file("config", "[default]\nregion=x\n[profile other]\n"
                                      "aws_secret_access_key = s2\naws_session_token = t2\n"
                                      "s3 =\n  aws_access_key_id = NESTED\n");
    START(steps, "credentials_file", credentials, "config_file", config);
    read_fine();
    has(0, "Credential=DEFKEY/");
    done();
    START(steps, "credentials_file", credentials, "config_file", config, "profile", "other");
    read_fine();
    has(0, "Credential=OTHERKEY/");
    has(0, "x-amz-security-token: t2\r\n");
    done();
    remove_file(credentials);
    remove_file(config);
}
END_TEST

START_TEST(test_profile__problems)
{
    static const struct {
        const char *profile, *text;
        bp_status cls;
    } cases[] = {
        {"gone", "profile: there is none called \"gone\"", BP_ERR_AUTH},
        {"half", "has no aws_secret_access_key", BP_ERR_AUTH},
        {"program", "credential_process would run a program", BP_ERR_UNSUPPORTED},
        {"a", "goes round in circles", BP_ERR_AUTH},
        {"lonely", "has neither source_profile nor credential_source", BP_ERR_AUTH},
        {"strange", "credential_source: \"Moon\" is not known", BP_ERR_INVALID},
    };
    char *config =
        put_file("config", "[profile half]\naws_access_key_id = A\n"
                           "[profile program]\ncredential_process = /bin/x\n"
                           "[profile a]\nrole_arn = r\nsource_profile = b\n"
                           "[profile b]\nrole_arn = r\nsource_profile = a\n"
                           "[profile lonely]\nrole_arn = r\n"
                           "[profile strange]\nrole_arn = r\ncredential_source = Moon\n");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct bp_httpd_step steps[] = {{.reply = OBJECT}};
        START(steps, "config_file", config, "profile", cases[i].profile);
        read_fails(cases[i].cls, cases[i].text);
        done();
    }
    remove_file(config);
    const struct bp_httpd_step steps[] = {{.reply = OBJECT}};
    START(steps, "credentials_file", "/nonexistent/x");
    read_fails(BP_ERR_AUTH, "cannot open /nonexistent/x: No such file");
    done();
}
END_TEST

START_TEST(test_profile__role_of_another_profile)
{
    const struct bp_httpd_step steps[] = {{.reply = role_keys("AssumeRole", "ROLEKEY", 3600)},
                                          {.reply = OBJECT}};
    char *config =
        put_file("config", "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"
                           "[profile r]\nrole_arn = arn:aws:iam::1:role/x\nexternal_id = ext\n"
                           "role_session_name = sess\nsource_profile = base\n");
    START(steps, "config_file", config, "profile", "r");
    read_fine();
    has(0, "Credential=BASE/");
    has(0, "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&RoleSessionName=sess");
    has(0, "ExternalId=ext");
    has(1, "Credential=ROLEKEY/");
    done();
    remove_file(config);
}
END_TEST

START_TEST(test_role__of_the_settings)
{
    const struct bp_httpd_step steps[] = {
        {.reply = role_keys("AssumeRole", "ROLEKEY", 3600)}, {.reply = OBJECT}, {.reply = OBJECT}};
    START(steps, "access_key", "A", "secret_key", "s", "role_arn", "arn:r", "external_id", "e");
    read_fine();
    read_fine();
    has(0, "POST / HTTP");
    has(0, "/r1/sts/aws4_request");
    has(0, "Action=AssumeRole&ExternalId=e&RoleArn=arn%3Ar&RoleSessionName=bakplane&Version="
           "2011-06-15");
    has(1, "Credential=ROLEKEY/");
    has(1, "x-amz-security-token: tok-ROLEKEY\r\n");
    has(2, "Credential=ROLEKEY/");
    done();
}
END_TEST

START_TEST(test_role__refused)
{
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(403, "",
                            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                            "<Message>User may not.</Message></Error><RequestId>S1</RequestId>"
                            "</ErrorResponse>")},
        {.reply = st_answer(200, "", "<R><S/></R>")},
        {.reply = st_answer(500, "", "")}};
    START(steps, "access_key", "A", "secret_key", "s", "role_arn", "arn:r");
    read_fails(BP_ERR_DENIED, "cannot get the keys of a role from 127.0.0.1");
    ck_assert_str_eq(st_error.request_id, "S1");
    read_fails(BP_ERR_PERMANENT, "has no keys in it");
    read_fails(BP_ERR_RETRYABLE, "refused (status 500)");
    done();
}
END_TEST

START_TEST(test_web_identity__reads_the_file_each_time)
{
    const char *action = "AssumeRoleWithWebIdentity";
    const struct bp_httpd_step steps[] = {{.reply = role_keys(action, "W1", 3600)},
                                          {.reply = st_refusal(400, "ExpiredToken")},
                                          {.reply = role_keys(action, "W2", 3600)},
                                          {.reply = OBJECT}};
    char *file = put_file("token", "jwt+one\n");
    g_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file, TRUE);
    g_setenv("AWS_ROLE_ARN", "arn:web", TRUE);
    START(steps);
    read_fails(BP_ERR_AUTH, "(the keys come from an assumed role)");
    ck_assert(g_file_set_contents(file, "jwt-two", -1, NULL));
    read_fine();
    has(0, "WebIdentityToken=jwt%2Bone");
    has(0, "RoleArn=arn%3Aweb");
    ck_assert_ptr_null(strstr(request(0), "Authorization"));
    has(1, "Credential=W1/");
    has(2, "WebIdentityToken=jwt-two");
    has(3, "Credential=W2/");
    done();
    remove_file(file);
}
END_TEST

START_TEST(test_ecs__relative_with_authorization)
{
    const struct bp_httpd_step steps[] = {{.reply = json_keys("ECSKEY", 3600)}, {.reply = OBJECT}};
    char *file = put_file("auth", "Basic abc\n");
    g_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/id", TRUE);
    g_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file, TRUE);
    START(steps, "credentials", "ecs");
    read_fine();
    has(0, "GET /v2/credentials/id HTTP");
    has(0, "Authorization: Basic abc\r\n");
    has(1, "Credential=ECSKEY/");
    has(1, "x-amz-security-token: tok-ECSKEY\r\n");
    done();
    remove_file(file);
    g_unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
}
END_TEST

START_TEST(test_ecs__full_uri)
{
    const struct bp_httpd_step steps[] = {{.reply = json_keys("FULL", 3600)}, {.reply = OBJECT}};
    START(steps, "credentials", "iam");
    g_autofree char *uri = g_strconcat(bp_httpd_url(server), "/full", NULL);
    static const char *const far[] = {
        "http://example.org/x",           "http://127.example.org/x",
        "http://127.0.0.1@example.org/x", "http://localhost.example.org:80/x",
        "http://localhost:x@h/",          "ftp://127.0.0.1/x"};
    for (size_t i = 0; i < G_N_ELEMENTS(far); i++) {
        g_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", far[i], TRUE);
        read_fails(BP_ERR_AUTH, "neither https nor on this machine");
    }
    g_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri, TRUE);
    read_fine();
    has(0, "GET /full HTTP");
    done();
}
END_TEST

START_TEST(test_ecs__answers)
{
    const struct bp_httpd_step steps[] = {{.reply = st_answer(500, "", "")},
                                          {.reply = st_answer(403, "", "")},
                                          {.reply = st_answer(200, "", "{\"Code\": \"Sorry\"}")},
                                          {.reply = st_answer(200, "", "no json")}};
    g_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", TRUE);
    START(steps, "credentials", "ecs");
    read_fails(BP_ERR_RETRYABLE, "answered 500");
    read_fails(BP_ERR_AUTH, "answered 403");
    read_fails(BP_ERR_AUTH, "without keys: Sorry");
    read_fails(BP_ERR_AUTH, "answered without keys");
    done();
}
END_TEST

START_TEST(test_ec2__version_two)
{
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", "session-token")},
                                          {.reply = st_answer(200, "", "my-role\n")},
                                          {.reply = json_keys("EC2KEY", 3600)},
                                          {.reply = OBJECT}};
    g_unsetenv("AWS_EC2_METADATA_DISABLED");
    START(steps);
    read_fine();
    has(0, "PUT /latest/api/token HTTP");
    has(0, "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n");
    has(1, "GET /latest/meta-data/iam/security-credentials/ HTTP");
    has(1, "X-aws-ec2-metadata-token: session-token\r\n");
    has(2, "GET /latest/meta-data/iam/security-credentials/my-role HTTP");
    has(3, "Credential=EC2KEY/");
    done();
}
END_TEST

START_TEST(test_ec2__no_role)
{
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", "session-token")},
                                          {.reply = st_answer(404, "", "")}};
    g_unsetenv("AWS_EC2_METADATA_DISABLED");
    START(steps);
    read_fails(BP_ERR_AUTH, "this EC2 instance has no role");
    done();
}
END_TEST

START_TEST(test_renewal__five_minutes_before)
{
    const struct bp_httpd_step steps[] = {{.reply = json_keys("K1", 3600)},
                                          {.reply = OBJECT},
                                          {.reply = OBJECT},
                                          {.reply = json_keys("K2", 7200)},
                                          {.reply = OBJECT}};
    g_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", TRUE);
    START(steps);
    read_fine();
    atomic_store(&bp_s3_clock_shift_s, 3600 - BP_S3_RENEW_BEFORE_S - 60);
    read_fine();
    atomic_store(&bp_s3_clock_shift_s, 3600 - BP_S3_RENEW_BEFORE_S + 1);
    read_fine();
    atomic_store(&bp_s3_clock_shift_s, 0);
    has(2, "Credential=K1/");
    has(4, "Credential=K2/");
    done();
}
END_TEST

START_TEST(test_renewal__old_keys_serve_until_they_expire)
{
    const struct bp_httpd_step steps[] = {{.reply = json_keys("K1", 3600)},
                                          {.reply = OBJECT},
                                          {.reply = st_answer(500, "", "")},
                                          {.reply = OBJECT},
                                          {.reply = OBJECT},
                                          {.reply = st_answer(500, "", "")}};
    g_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", TRUE);
    START(steps);
    read_fine();
    atomic_store(&bp_s3_clock_shift_s, 3600 - 60);
    read_fine();
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "could not be renewed yet"));
    read_fine(); /* the service is not asked again at once */
    atomic_store(&bp_s3_clock_shift_s, 3601);
    read_fails(BP_ERR_RETRYABLE, "answered 500");
    atomic_store(&bp_s3_clock_shift_s, 0);
    has(4, "Credential=K1/");
    done();
}
END_TEST

START_TEST(test_renewal__refused_keys_are_replaced_once)
{
    const struct bp_httpd_step steps[] = {{.reply = json_keys("K1", 3600)},
                                          {.reply = st_refusal(403, "InvalidAccessKeyId")},
                                          {.reply = json_keys("K2", 3600)},
                                          {.reply = OBJECT},
                                          {.reply = OBJECT}};
    g_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", TRUE);
    START(steps);
    read_fails(BP_ERR_AUTH, "(the keys come from the container's service for keys)");
    read_fine();
    read_fine();
    has(3, "Credential=K2/");
    has(4, "Credential=K2/");
    done();
}
END_TEST

struct reader {
    pthread_t thread;
    bp_status status;
};

static void *
read_once(void *data)
{
    struct reader *reader = data;
    struct bp_s3_keys *keys = NULL;
    struct bp_error error = {.struct_size = sizeof(error)};
    reader->status = bp_s3_keys_get(store, &bp_fake.op, &keys, &error);
    bp_s3_keys_unref(keys);
    return NULL;
}

START_TEST(test_renewal__one_thread_for_all)
{
    struct reader readers[8];
    const struct bp_httpd_step steps[] = {{.reply = json_keys("K1", 3600)}};
    g_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", TRUE);
    START(steps);
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
        ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, read_once, &readers[i]), 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
        pthread_join(readers[i].thread, NULL);
        ck_assert_int_eq(readers[i].status, BP_OK);
    }
    (void)request(0);
    ck_assert_uint_eq(bp_httpd_requests(server), 1);
    done();
}
END_TEST

START_TEST(test_secrets__never_in_messages_or_logs)
{
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(403, "SignatureDoesNotMatch")}};
    START(steps, "access_key", "A", "secret_key", "MARKED-SECRET", "session_token", "MARKED-TOK");
    read_fails(BP_ERR_AUTH, "check secret_key");
    ck_assert_ptr_null(strstr(st_error.message, "MARKED"));
    ck_assert_ptr_null(strstr(bp_fake.last_log, "MARKED"));
    ck_assert_ptr_null(strstr(request(0), "MARKED-SECRET"));
    done();
}
END_TEST

ST_MAIN("storage-s3 credentials", test_environment__with_token, test_environment__half,
        test_none__says_what_to_set, test_profile__from_both_files, test_profile__problems,
        test_profile__role_of_another_profile, test_role__of_the_settings, test_role__refused,
        test_web_identity__reads_the_file_each_time, test_ecs__relative_with_authorization,
        test_ecs__full_uri, test_ecs__answers, test_ec2__version_two, test_ec2__no_role,
        test_renewal__five_minutes_before, test_renewal__old_keys_serve_until_they_expire,
        test_renewal__refused_keys_are_replaced_once, test_renewal__one_thread_for_all,
        test_secrets__never_in_messages_or_logs)
