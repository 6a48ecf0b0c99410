/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: what refusals mean, by the table and over the wire.
 */
#include "plugins/storage-s3/errors.h"

#include "tests/unit/plugins/storage-s3/s3_test.h"

/* Written down a second time, by class: a row that moves is noticed. */
static const struct {
    bp_status cls;
    const char *codes;
} classes[] = {
    {BP_ERR_AUTH,
     "InvalidAccessKeyId InvalidClientTokenId UnrecognizedClientException InvalidSecurity "
     "XAdminUserNotFound SignatureDoesNotMatch ExpiredToken ExpiredTokenException "
     "TokenRefreshRequired SecurityTokenExpired InvalidToken InvalidTokenId InvalidSecurityToken "
     "InvalidIdentityToken IDPRejectedClaim CredentialsNotSupported MissingAuthenticationToken "
     "MissingSecurityHeader AuthFailure"},
    {BP_ERR_DENIED,
     "AccessDenied AccessDeniedException AccessForbidden AllAccessDisabled AccountProblem "
     "NotSignedUp UserSuspended InvalidPayer UnauthorizedAccess ObjectLocked FileImmutable "
     "InvalidWriteStreamingMode KMS.DisabledException KMS.InvalidStateException "
     "KMS.NotFoundException KMS.AccessDeniedException KMSDisabledException "
     "XMinioKMSKeyNotFoundException"},
    {BP_ERR_NOT_FOUND, "NoSuchKey NoSuchObject NoSuchVersion NoSuchUpload NoSuchBucket"},
    {BP_ERR_EXISTS,
     "PreconditionFailed FileAlreadyExists ObjectAlreadyExists PathConflict BucketAlreadyExists "
     "BucketAlreadyOwnedByYou XMinioObjectExistsAsDirectory XMinioParentIsObject "
     "ObjectExistsAsDirectory ObjectParentIsFile"},
    {BP_ERR_RANGE, "InvalidRange"},
    {BP_ERR_RETRYABLE,
     "ConditionalRequestConflict OperationAborted InternalError InternalFailure RequestTimeout "
     "RequestTimeoutException IncompleteBody UnexpectedContent BadDigest "
     "XAmzContentSHA256Mismatch XAmzContentChecksumMismatch XMinioContentChecksumMismatch "
     "InvalidChecksum TemporaryRedirect PriorRequestNotComplete ClientDisconnected "
     "XMinioServerNotInitialized XMinioServerNotReady IDPCommunicationError"},
    {BP_ERR_THROTTLED,
     "SlowDown SlowDownRead SlowDownWrite Busy ServiceUnavailable Throttling ThrottlingException "
     "RequestThrottled RequestLimitExceeded BandwidthLimitExceeded QpsLimitExceeded "
     "TooManyRequests TooManyRequestsException KMS.ThrottlingException"},
    {BP_ERR_NO_SPACE,
     "XMinioStorageFull XMinioAdminBucketQuotaExceeded QuotaExceeded StorageQuotaExceeded "
     "InsufficientStorage"},
    {BP_ERR_UNSUPPORTED,
     "NotImplemented MethodNotAllowed UnsupportedOperation OperationNotSupported "
     "KMSNotConfigured"},
    {BP_ERR_INVALID,
     "InvalidArgument InvalidRequest InvalidURI InvalidDigest MalformedXML InvalidPart "
     "InvalidPartOrder EntityTooSmall EntityTooLarge KeyTooLongError KeyTooLong "
     "XMinioInvalidObjectName InvalidObjectName InvalidBucketName XMinioInvalidBucketName "
     "InvalidStorageClass InvalidEncryptionAlgorithmError InvalidEncryptionMethod "
     "MissingContentLength IllegalLocationConstraintException InvalidLocationConstraint "
     "InvalidRegion AuthorizationHeaderMalformed PermanentRedirect Redirect InvalidEndpoint "
     "SecondLevelDomainForbidden TooManyBuckets ExcessHeaderValues"},
    {BP_ERR_PERMANENT,
     "RequestTimeTooSkewed RequestExpired InvalidObjectState ObjectNotInActiveTierError"},
};

START_TEST(test_codes__classes)
{
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_auto(GStrv) codes = g_strsplit(classes[i].codes, " ", -1);
        for (size_t k = 0; codes[k] != NULL; k++, n++) {
            const struct bp_http_code *row = bp_s3_code_find(codes[k]);
            ck_assert_msg(row != NULL, "%s is not in the table", codes[k]);
            ck_assert_msg(row->cls == classes[i].cls, "%s has class %d", codes[k], row->cls);
        }
    }
    ck_assert_ptr_nonnull(bp_s3_code_at(n - 1));
    ck_assert_ptr_null(bp_s3_code_at(n));
}
END_TEST

START_TEST(test_codes__each_once)
{
    for (size_t i = 0; bp_s3_code_at(i) != NULL; i++) {
        ck_assert_ptr_eq(bp_s3_code_find(bp_s3_code_at(i)->code), bp_s3_code_at(i));
    }
}
END_TEST

START_TEST(test_status__classes_without_a_known_code)
{
    static const struct {
        int status;
        bp_status cls;
    } cases[] = {
        {200, BP_ERR_RETRYABLE},   {301, BP_ERR_INVALID},     {307, BP_ERR_RETRYABLE},
        {400, BP_ERR_INVALID},     {401, BP_ERR_AUTH},        {403, BP_ERR_DENIED},
        {404, BP_ERR_NOT_FOUND},   {405, BP_ERR_UNSUPPORTED}, {408, BP_ERR_RETRYABLE},
        {409, BP_ERR_EXISTS},      {412, BP_ERR_EXISTS},      {416, BP_ERR_RANGE},
        {418, BP_ERR_PERMANENT},   {429, BP_ERR_THROTTLED},   {500, BP_ERR_RETRYABLE},
        {501, BP_ERR_UNSUPPORTED}, {502, BP_ERR_RETRYABLE},   {503, BP_ERR_THROTTLED},
        {504, BP_ERR_RETRYABLE},   {507, BP_ERR_NO_SPACE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct bp_s3_refusal refusal = {.status = cases[i].status, .code = "NeverHeardOf"};
        ck_assert_msg(bp_s3_refusal_class(&refusal) == cases[i].cls, "%d", cases[i].status);
    }
}
END_TEST

/* Every row of the table, as the answer to a real request. */
START_TEST(test_refusal__over_the_wire)
{
    for (size_t i = 0; bp_s3_code_at(i) != NULL; i++) {
        const struct bp_http_code *row = bp_s3_code_at(i);
        if (row->cls == BP_ERR_RANGE) {
            continue; /* read_open looks closer */
        }
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = st_refusal(499, row->code)}};
        st_begin(&script, steps);
        ck_assert_ptr_null(st_read(script.store, "some/key"));
        ck_assert_msg(st_error.cls == row->cls, "%s: %d", row->code, st_error.cls);
        ck_assert_str_eq(st_error.code, row->code);
        ck_assert_str_eq(st_error.request_id, "RID");
        ck_assert_int_eq(st_error.remote_status, 499);
        g_autofree char *wanted = g_strdup_printf("it says (%s)", row->code);
        ck_assert_ptr_nonnull(strstr(st_error.message, "cannot read s3://bkt/some/key at http://"));
        ck_assert_ptr_nonnull(strstr(st_error.message, wanted));
        ck_assert(row->advice == NULL || strstr(st_error.message, row->advice) != NULL);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_refusal__outcome)
{
    static const struct {
        int status;
        const char *code;
        uint32_t flags;
    } cases[] = {{500, "InternalError", BP_ERROR_OUTCOME_UNKNOWN},
                 {502, "", BP_ERROR_OUTCOME_UNKNOWN},
                 {504, "", BP_ERROR_OUTCOME_UNKNOWN},
                 {503, "SlowDown", 0},
                 {501, "NotImplemented", 0},
                 {409, "OperationAborted", 0},
                 {403, "AccessDenied", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct st_script script;
        const struct bp_httpd_step steps[] = {
            {.reply = st_refusal(cases[i].status, cases[i].code)}};
        st_begin(&script, steps, "checksum", "none");
        ck_assert_int_ne(st_write(script.store, "k", "text", 0), BP_OK);
        ck_assert_uint_eq(st_error.flags, cases[i].flags);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_refusal__retry_after)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(503, "Retry-After: 7\r\n", "<Error><Code>SlowDown</Code></Error>")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_THROTTLED);
    ck_assert_uint_eq(st_error.retry_after_ms, 7000);
    st_end(&script);
}
END_TEST

START_TEST(test_refusal__no_xml_no_harm)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(502, "", "<html><body>Bad gateway<br>")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_RETRYABLE);
    ck_assert_ptr_nonnull(strstr(st_error.message, "refused (status 502)"));
    st_end(&script);
}
END_TEST

START_TEST(test_refusal__clock)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(
             403, "",
             "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large."
             "</Message><ServerTime>2026-01-02T03:04:05Z</ServerTime></Error>")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_PERMANENT);
    ck_assert_ptr_nonnull(strstr(st_error.message,
                                 "The difference is too large "
                                 "(RequestTimeTooSkewed); set the clock of this "
                                 "machine: the store's says 2026-01-02T03:04:05Z"));
    st_end(&script);
}
END_TEST

START_TEST(test_refusal__static_token_that_expired)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(400, "ExpiredToken")}};
    st_begin(&script, steps, "session_token", "tok-secret");
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_AUTH);
    ck_assert_ptr_nonnull(strstr(st_error.message, "the session has expired: get new credentials "
                                                   "(the keys come from the settings)"));
    ck_assert_ptr_null(strstr(st_error.message, "tok-secret"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "x-amz-security-token: tok-secret"));
    st_end(&script);
}
END_TEST

ST_MAIN("storage-s3 errors", test_codes__classes, test_codes__each_once,
        test_status__classes_without_a_known_code, test_refusal__over_the_wire,
        test_refusal__outcome, test_refusal__retry_after, test_refusal__no_xml_no_harm,
        test_refusal__clock, test_refusal__static_token_that_expired)
