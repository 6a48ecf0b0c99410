/* SPDX-License-Identifier: Apache-2.0
 *
 * What refusals mean.  The table is the tests' own copy of the REST reference: code, status, class.
 */
#include "plugins/storage-azure/errors.h"

#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define NOW 1795514400 /* 2026-11-24 10:00:00 */

static const struct {
    const char *code;
    int status;
    bp_status cls;
} table[] = {
    {"AccountBeingCreated", 403, BP_ERR_RETRYABLE},
    {"AccountIsDisabled", 403, BP_ERR_DENIED},
    {"AppendPositionConditionNotMet", 412, BP_ERR_EXISTS},
    {"AuthenticationFailed", 403, BP_ERR_AUTH},
    {"AuthorizationFailure", 403, BP_ERR_DENIED},
    {"AuthorizationPermissionMismatch", 403, BP_ERR_DENIED},
    {"AuthorizationProtocolMismatch", 403, BP_ERR_DENIED},
    {"AuthorizationResourceTypeMismatch", 403, BP_ERR_DENIED},
    {"AuthorizationServiceMismatch", 403, BP_ERR_DENIED},
    {"AuthorizationSourceIPMismatch", 403, BP_ERR_DENIED},
    {"BlobAlreadyExists", 409, BP_ERR_EXISTS},
    {"BlobArchived", 409, BP_ERR_DENIED},
    {"BlobBeingRehydrated", 409, BP_ERR_DENIED},
    {"BlobImmutableDueToLegalHold", 409, BP_ERR_DENIED},
    {"BlobImmutableDueToPolicy", 409, BP_ERR_DENIED},
    {"BlobNotFound", 404, BP_ERR_NOT_FOUND},
    {"BlobOperationNotSupported", 409, BP_ERR_UNSUPPORTED},
    {"BlobOverwritten", 409, BP_ERR_EXISTS},
    {"BlobTierInadequateForContentLength", 409, BP_ERR_INVALID},
    {"BlobUsesCustomerSpecifiedEncryption", 409, BP_ERR_DENIED},
    {"BlockCountExceedsLimit", 409, BP_ERR_PERMANENT},
    {"BlockListTooLong", 400, BP_ERR_PERMANENT},
    {"CannotVerifyCopySource", 401, BP_ERR_DENIED},
    {"CannotVerifyCopySource", 403, BP_ERR_DENIED},
    {"CannotVerifyCopySource", 404, BP_ERR_NOT_FOUND},
    {"CannotVerifyCopySource", 409, BP_ERR_UNSUPPORTED},
    {"CannotVerifyCopySource", 412, BP_ERR_EXISTS},
    {"CannotVerifyCopySource", 500, BP_ERR_UNSUPPORTED},
    {"CannotVerifyCopySource", 503, BP_ERR_THROTTLED},
    {"ConditionHeadersNotSupported", 400, BP_ERR_UNSUPPORTED},
    {"ConditionNotMet", 412, BP_ERR_EXISTS},
    {"ContainerAlreadyExists", 409, BP_ERR_EXISTS},
    {"ContainerBeingDeleted", 409, BP_ERR_RETRYABLE},
    {"ContainerDisabled", 409, BP_ERR_DENIED},
    {"ContainerNotFound", 404, BP_ERR_NOT_FOUND},
    {"CopyAcrossAccountsNotSupported", 400, BP_ERR_UNSUPPORTED},
    {"CopyIdMismatch", 409, BP_ERR_EXISTS},
    {"Crc64Mismatch", 400, BP_ERR_CORRUPT},
    {"FeatureVersionMismatch", 409, BP_ERR_UNSUPPORTED},
    {"InsufficientAccountPermissions", 403, BP_ERR_DENIED},
    {"InternalError", 500, BP_ERR_RETRYABLE},
    {"InvalidAuthenticationInfo", 400, BP_ERR_AUTH},
    {"InvalidBlobOrBlock", 400, BP_ERR_PERMANENT},
    {"InvalidBlobTier", 400, BP_ERR_INVALID},
    {"InvalidBlobType", 409, BP_ERR_INVALID},
    {"InvalidBlockList", 400, BP_ERR_NOT_FOUND},
    {"InvalidHeaderValue", 400, BP_ERR_INVALID},
    {"InvalidQueryParameterValue", 400, BP_ERR_INVALID},
    {"InvalidRange", 416, BP_ERR_RANGE},
    {"InvalidResourceName", 400, BP_ERR_INVALID},
    {"InvalidUri", 400, BP_ERR_INVALID},
    {"KeyBasedAuthenticationNotPermitted", 403, BP_ERR_DENIED},
    {"LeaseAlreadyPresent", 409, BP_ERR_DENIED},
    {"LeaseIdMismatchWithBlobOperation", 412, BP_ERR_DENIED},
    {"LeaseIdMissing", 412, BP_ERR_DENIED},
    {"LeaseLost", 412, BP_ERR_DENIED},
    {"Md5Mismatch", 400, BP_ERR_CORRUPT},
    {"NoAuthenticationInformation", 401, BP_ERR_AUTH},
    {"OperationTimedOut", 500, BP_ERR_RETRYABLE},
    {"PendingCopyOperation", 409, BP_ERR_RETRYABLE},
    {"PublicAccessNotPermitted", 409, BP_ERR_DENIED},
    {"RequestBodyTooLarge", 413, BP_ERR_INVALID},
    {"ResourceAlreadyExists", 409, BP_ERR_EXISTS},
    {"ResourceNotFound", 404, BP_ERR_NOT_FOUND},
    {"ResourceTypeMismatch", 409, BP_ERR_INVALID},
    {"ServerBusy", 503, BP_ERR_THROTTLED},
    {"SnapshotsPresent", 409, BP_ERR_DENIED},
    {"SourceConditionNotMet", 412, BP_ERR_EXISTS},
    {"SystemInUse", 409, BP_ERR_RETRYABLE},
    {"TargetConditionNotMet", 412, BP_ERR_EXISTS},
    {"UnauthorizedBlobOverwrite", 403, BP_ERR_DENIED},
    {"UnsupportedHeader", 400, BP_ERR_UNSUPPORTED},
    {"UnsupportedHttpVerb", 405, BP_ERR_UNSUPPORTED},
    {"UnsupportedQueryParameter", 400, BP_ERR_UNSUPPORTED},
    {"UnsupportedXmlNode", 400, BP_ERR_UNSUPPORTED},
    /* Codes that are not in the table, or none: a gateway's answer. */
    {"SomethingNew", 400, BP_ERR_INVALID},
    {NULL, 304, BP_ERR_EXISTS},
    {NULL, 401, BP_ERR_AUTH},
    {NULL, 403, BP_ERR_DENIED},
    {NULL, 404, BP_ERR_NOT_FOUND},
    {NULL, 405, BP_ERR_UNSUPPORTED},
    {NULL, 407, BP_ERR_DENIED},
    {NULL, 408, BP_ERR_RETRYABLE},
    {NULL, 412, BP_ERR_EXISTS},
    {NULL, 416, BP_ERR_RANGE},
    {NULL, 418, BP_ERR_PERMANENT},
    {NULL, 429, BP_ERR_THROTTLED},
    {NULL, 500, BP_ERR_RETRYABLE},
    {NULL, 501, BP_ERR_UNSUPPORTED},
    {NULL, 502, BP_ERR_RETRYABLE},
    {NULL, 503, BP_ERR_THROTTLED},
    {NULL, 504, BP_ERR_RETRYABLE},
    {NULL, 507, BP_ERR_NO_SPACE},
    {NULL, 301, BP_ERR_PERMANENT},
};

static bp_status
refuse(const struct bp_azure_refusal *refusal)
{
    bp_error_init(&az_error);
    return bp_azure_refuse(&az_error, refusal, "object k", "read it", NOW);
}

START_TEST(test_class__of_each_code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        bp_status cls = bp_azure_class(table[i].status, table[i].code);
        ck_assert_msg(cls == table[i].cls, "%s %d is %d", table[i].code, table[i].status, cls);
    }
}
END_TEST

START_TEST(test_refuse__says_all)
{
    const struct bp_azure_refusal refusal = {
        .status = 404,
        .code = "ContainerNotFound",
        .message = "The specified container does not exist.\nRequestId:abc\nTime:now",
        .request_id = "r-42",
        .retry_after_ms = 1500,
    };
    ASSERT_FAILED(refuse(&refusal), BP_ERR_NOT_FOUND,
                  "object k: cannot read it: ContainerNotFound: The specified container does not "
                  "exist; check account and container, make it, or set create_container");
    ck_assert_int_eq(az_error.remote_status, 404);
    ck_assert_str_eq(az_error.code, "ContainerNotFound");
    ck_assert_str_eq(az_error.request_id, "r-42");
    ck_assert_uint_eq(az_error.retry_after_ms, 1500);
}
END_TEST

START_TEST(test_refuse__wrong_key)
{
    const struct bp_azure_refusal refusal = {
        .status = 403, .code = "AuthenticationFailed", .date = "Tue, 24 Nov 2026 10:00:10 GMT"};
    ASSERT_FAILED(refuse(&refusal), BP_ERR_AUTH, "check account, account_key, sas");
}
END_TEST

START_TEST(test_refuse__wrong_clock)
{
    struct bp_azure_refusal refusal = {
        .status = 403, .code = "AuthenticationFailed", .date = "Tue, 24 Nov 2026 09:40:00 GMT"};
    ASSERT_FAILED(refuse(&refusal), BP_ERR_AUTH,
                  "this machine's clock is 1200 s ahead of the server's: set it right");
    refusal.date = "Tue, 24 Nov 2026 10:20:00 GMT";
    ASSERT_FAILED(refuse(&refusal), BP_ERR_AUTH, "clock is 1200 s behind the server's");
}
END_TEST

START_TEST(test_refuse__hides_signatures)
{
    const struct bp_azure_refusal refusal = {
        .status = 403,
        .code = "CannotVerifyCopySource",
        .message = "https://a.blob.core.windows.net/c/b?sp=r&sig=sas-marker&se=1 was refused."};
    ASSERT_FAILED(refuse(&refusal), BP_ERR_DENIED, "sig=**********&se=1 was refused");
    az_error.message[0] = '\0';
}
END_TEST

START_TEST(test_refuse__answer_of_something_else)
{
    const struct bp_azure_refusal refusal = {.status = 502};
    ASSERT_FAILED(refuse(&refusal), BP_ERR_RETRYABLE, "the server's answer says no more");
    ck_assert_str_eq(az_error.code, "");
    ck_assert_str_eq(az_error.request_id, "");
}
END_TEST

AZ_MAIN("azure errors", test_class__of_each_code, test_refuse__says_all, test_refuse__wrong_key,
        test_refuse__wrong_clock, test_refuse__hides_signatures,
        test_refuse__answer_of_something_else)
