/* SPDX-License-Identifier: Apache-2.0
 *
 * Refusals of the store.
 */
#include "plugins/storage-s3/errors.h"

#include <glib.h>
#include <string.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define CLOCK "set the clock of this machine"
#define KEYS "check access_key, and that it belongs to this endpoint"
#define SECRET "check secret_key, and that no proxy changes requests"
#define RIGHTS "give these credentials the right to do that, or check bucket and prefix"
#define EXPIRED "the session has expired: get new credentials"
#define TOKEN "check session_token"
#define BUCKET "check bucket and endpoint, or set create_bucket: true"
#define NAME "check bucket"
#define KMS "check kms_key, and the right to use it"
#define ADDRESS "check endpoint, region and style"

static const struct bp_http_code codes[] = {
    /* who are you */
    {"InvalidAccessKeyId", BP_ERR_AUTH, KEYS},
    {"InvalidClientTokenId", BP_ERR_AUTH, KEYS},
    {"UnrecognizedClientException", BP_ERR_AUTH, KEYS},
    {"InvalidSecurity", BP_ERR_AUTH, KEYS},
    {"XAdminUserNotFound", BP_ERR_AUTH, KEYS}, /* versitygw */
    {"SignatureDoesNotMatch", BP_ERR_AUTH, SECRET},
    {"ExpiredToken", BP_ERR_AUTH, EXPIRED},
    {"ExpiredTokenException", BP_ERR_AUTH, EXPIRED},
    {"TokenRefreshRequired", BP_ERR_AUTH, EXPIRED},
    {"SecurityTokenExpired", BP_ERR_AUTH, EXPIRED},
    {"InvalidToken", BP_ERR_AUTH, TOKEN},
    {"InvalidTokenId", BP_ERR_AUTH, TOKEN},
    {"InvalidSecurityToken", BP_ERR_AUTH, TOKEN},
    {"InvalidIdentityToken", BP_ERR_AUTH, "check the file of the web identity's token"},
    {"IDPRejectedClaim", BP_ERR_AUTH, "check the file of the web identity's token"},
    {"CredentialsNotSupported", BP_ERR_AUTH, KEYS},
    {"MissingAuthenticationToken", BP_ERR_AUTH, "give credentials"},
    {"MissingSecurityHeader", BP_ERR_AUTH, "give credentials"},
    {"AuthFailure", BP_ERR_AUTH, KEYS},

    /* you may not */
    {"AccessDenied", BP_ERR_DENIED, RIGHTS},
    {"AccessDeniedException", BP_ERR_DENIED, RIGHTS},
    {"AccessForbidden", BP_ERR_DENIED, RIGHTS},
    {"AllAccessDisabled", BP_ERR_DENIED, NULL},
    {"AccountProblem", BP_ERR_DENIED, "see to the account at the store's operator"},
    {"NotSignedUp", BP_ERR_DENIED, "see to the account at the store's operator"},
    {"UserSuspended", BP_ERR_DENIED, "see to the account at the store's operator"},
    {"InvalidPayer", BP_ERR_DENIED, NULL},
    {"UnauthorizedAccess", BP_ERR_DENIED, RIGHTS},
    {"ObjectLocked", BP_ERR_DENIED, "the object is under retention"},
    {"FileImmutable", BP_ERR_DENIED, "the object is under retention"},
    {"InvalidWriteStreamingMode", BP_ERR_DENIED, NULL},
    {"KMS.DisabledException", BP_ERR_DENIED, KMS},
    {"KMS.InvalidStateException", BP_ERR_DENIED, KMS},
    {"KMS.NotFoundException", BP_ERR_DENIED, KMS},
    {"KMS.AccessDeniedException", BP_ERR_DENIED, KMS},
    {"KMSDisabledException", BP_ERR_DENIED, KMS},
    {"XMinioKMSKeyNotFoundException", BP_ERR_DENIED, KMS},
    {"KMSNotConfigured", BP_ERR_UNSUPPORTED, "this store has no key service: set sse: none"},

    /* not there, or there already */
    {"NoSuchKey", BP_ERR_NOT_FOUND, NULL},
    {"NoSuchObject", BP_ERR_NOT_FOUND, NULL},
    {"NoSuchVersion", BP_ERR_NOT_FOUND, NULL},
    {"NoSuchUpload", BP_ERR_NOT_FOUND, "the upload was ended by somebody else"},
    {"NoSuchBucket", BP_ERR_NOT_FOUND, BUCKET},
    {"PreconditionFailed", BP_ERR_EXISTS, NULL},
    {"FileAlreadyExists", BP_ERR_EXISTS, NULL},
    {"ObjectAlreadyExists", BP_ERR_EXISTS, NULL},
    {"PathConflict", BP_ERR_EXISTS, NULL},
    {"BucketAlreadyExists", BP_ERR_EXISTS, "somebody else has a bucket of that name"},
    {"BucketAlreadyOwnedByYou", BP_ERR_EXISTS, NULL},
    {"XMinioObjectExistsAsDirectory", BP_ERR_EXISTS,
     "this server cannot have an object where "
     "others lie below it"},
    {"XMinioParentIsObject", BP_ERR_EXISTS, "this server cannot have objects below an object"},
    {"ObjectExistsAsDirectory", BP_ERR_EXISTS,
     "this server cannot have an object where others "
     "lie below it"},
    {"ObjectParentIsFile", BP_ERR_EXISTS, "this server cannot have objects below an object"},
    {"InvalidRange", BP_ERR_RANGE, NULL},

    /* once more, perhaps slower */
    {"ConditionalRequestConflict", BP_ERR_RETRYABLE, NULL},
    {"OperationAborted", BP_ERR_RETRYABLE, NULL},
    {"InternalError", BP_ERR_RETRYABLE, NULL},
    {"InternalFailure", BP_ERR_RETRYABLE, NULL},
    {"RequestTimeout", BP_ERR_RETRYABLE, NULL},
    {"RequestTimeoutException", BP_ERR_RETRYABLE, NULL},
    {"IncompleteBody", BP_ERR_RETRYABLE, NULL},
    {"UnexpectedContent", BP_ERR_RETRYABLE, NULL},
    {"BadDigest", BP_ERR_RETRYABLE, NULL}, /* damaged on its way; nothing was stored */
    {"XAmzContentSHA256Mismatch", BP_ERR_RETRYABLE, NULL},
    {"XAmzContentChecksumMismatch", BP_ERR_RETRYABLE, NULL},
    {"XMinioContentChecksumMismatch", BP_ERR_RETRYABLE, NULL},
    {"InvalidChecksum", BP_ERR_RETRYABLE, NULL},
    {"TemporaryRedirect", BP_ERR_RETRYABLE, NULL},
    {"PriorRequestNotComplete", BP_ERR_RETRYABLE, NULL},
    {"ClientDisconnected", BP_ERR_RETRYABLE, NULL},
    {"XMinioServerNotInitialized", BP_ERR_RETRYABLE, NULL},
    {"XMinioServerNotReady", BP_ERR_RETRYABLE, NULL},
    {"IDPCommunicationError", BP_ERR_RETRYABLE, NULL},
    {"SlowDown", BP_ERR_THROTTLED, NULL},
    {"SlowDownRead", BP_ERR_THROTTLED, NULL},
    {"SlowDownWrite", BP_ERR_THROTTLED, NULL},
    {"Busy", BP_ERR_THROTTLED, NULL},
    {"ServiceUnavailable", BP_ERR_THROTTLED, NULL},
    {"Throttling", BP_ERR_THROTTLED, NULL},
    {"ThrottlingException", BP_ERR_THROTTLED, NULL},
    {"RequestThrottled", BP_ERR_THROTTLED, NULL},
    {"RequestLimitExceeded", BP_ERR_THROTTLED, NULL},
    {"BandwidthLimitExceeded", BP_ERR_THROTTLED, NULL},
    {"QpsLimitExceeded", BP_ERR_THROTTLED, NULL},
    {"TooManyRequests", BP_ERR_THROTTLED, NULL},
    {"TooManyRequestsException", BP_ERR_THROTTLED, NULL},
    {"KMS.ThrottlingException", BP_ERR_THROTTLED, NULL},

    /* full */
    {"XMinioStorageFull", BP_ERR_NO_SPACE, NULL},
    {"XMinioAdminBucketQuotaExceeded", BP_ERR_NO_SPACE, NULL},
    {"QuotaExceeded", BP_ERR_NO_SPACE, NULL},
    {"StorageQuotaExceeded", BP_ERR_NO_SPACE, NULL},
    {"InsufficientStorage", BP_ERR_NO_SPACE, NULL},

    /* not like that */
    {"NotImplemented", BP_ERR_UNSUPPORTED, NULL},
    {"MethodNotAllowed", BP_ERR_UNSUPPORTED, NULL},
    {"UnsupportedOperation", BP_ERR_UNSUPPORTED, NULL},
    {"OperationNotSupported", BP_ERR_UNSUPPORTED, NULL},
    {"InvalidArgument", BP_ERR_INVALID, NULL},
    {"InvalidRequest", BP_ERR_INVALID, NULL},
    {"InvalidURI", BP_ERR_INVALID, NULL},
    {"InvalidDigest", BP_ERR_INVALID, NULL},
    {"MalformedXML", BP_ERR_INVALID, NULL},
    {"InvalidPart", BP_ERR_INVALID, NULL},
    {"InvalidPartOrder", BP_ERR_INVALID, NULL},
    {"EntityTooSmall", BP_ERR_INVALID, "make parts larger"},
    {"EntityTooLarge", BP_ERR_INVALID, "make parts smaller"},
    {"KeyTooLongError", BP_ERR_INVALID, "the store takes no key of that length"},
    {"KeyTooLong", BP_ERR_INVALID, "the store takes no key of that length"},
    {"XMinioInvalidObjectName", BP_ERR_INVALID, "the store cannot name an object like that"},
    {"InvalidObjectName", BP_ERR_INVALID, "the store cannot name an object like that"},
    {"InvalidBucketName", BP_ERR_INVALID, NAME},
    {"XMinioInvalidBucketName", BP_ERR_INVALID, NAME},
    {"InvalidStorageClass", BP_ERR_INVALID, "check storage_class"},
    {"InvalidEncryptionAlgorithmError", BP_ERR_INVALID, "check sse"},
    {"InvalidEncryptionMethod", BP_ERR_INVALID, "check sse"},
    {"MissingContentLength", BP_ERR_INVALID, NULL},
    {"IllegalLocationConstraintException", BP_ERR_INVALID, ADDRESS},
    {"InvalidLocationConstraint", BP_ERR_INVALID, ADDRESS},
    {"InvalidRegion", BP_ERR_INVALID, ADDRESS},
    {"AuthorizationHeaderMalformed", BP_ERR_INVALID, ADDRESS},
    {"PermanentRedirect", BP_ERR_INVALID, ADDRESS},
    {"Redirect", BP_ERR_INVALID, ADDRESS},
    {"InvalidEndpoint", BP_ERR_INVALID, ADDRESS},
    {"SecondLevelDomainForbidden", BP_ERR_INVALID, "set style: virtual"},
    {"TooManyBuckets", BP_ERR_INVALID, "make the bucket by hand"},
    {"ExcessHeaderValues", BP_ERR_INVALID, "check provider"},

    /* and no attempt would change that */
    {"RequestTimeTooSkewed", BP_ERR_PERMANENT, CLOCK},
    {"RequestExpired", BP_ERR_PERMANENT, CLOCK},
    {"InvalidObjectState", BP_ERR_PERMANENT, "the object is archived: have the store thaw it"},
    {"ObjectNotInActiveTierError", BP_ERR_PERMANENT,
     "the object is archived: have the store thaw "
     "it"},
};

const struct bp_http_code *
bp_s3_code_at(size_t n)
{
    return n < G_N_ELEMENTS(codes) ? &codes[n] : NULL;
}

const struct bp_http_code *
bp_s3_code_find(const char *code)
{
    return bp_http_code_find(codes, G_N_ELEMENTS(codes), code);
}

static void
put(char *out, size_t cap, const char *text)
{
    if (text != NULL && *text != '\0') {
        g_strlcpy(out, text, cap);
    }
}

void
bp_s3_refusal_read(struct bp_s3_refusal *out, const bp_xml_node *root)
{
    const bp_xml_node *node = root;
    if (strcmp(bp_xml_name(root), "ErrorResponse") == 0) { /* STS wraps it */
        put(out->request_id, sizeof(out->request_id), bp_xml_text(root, "RequestId"));
        node = bp_xml_first(root, "Error");
    }
    if (node == NULL || strcmp(bp_xml_name(node), "Error") != 0) {
        return;
    }
    put(out->code, sizeof(out->code), bp_xml_text(node, "Code"));
    put(out->message, sizeof(out->message), bp_xml_text(node, "Message"));
    put(out->region, sizeof(out->region), bp_xml_text(node, "Region"));
    put(out->endpoint, sizeof(out->endpoint), bp_xml_text(node, "Endpoint"));
    put(out->request_id, sizeof(out->request_id), bp_xml_text(node, "RequestId"));
    put(out->server_time, sizeof(out->server_time), bp_xml_text(node, "ServerTime"));
}

/* Without a code we know, the status of HTTP has to do. */
static bp_status
class_of_status(int status)
{
    switch (status) {
    case 200: /* an error where a result should be */
    case 307:
        return BP_ERR_RETRYABLE;
    case 301:
    case 302:
    case 308:
        return BP_ERR_INVALID;
    default:
        return bp_http_class(status);
    }
}

bp_status
bp_s3_refusal_class(const struct bp_s3_refusal *refusal)
{
    if (refusal->body_changed) {
        return BP_ERR_RETRYABLE;
    }
    const struct bp_http_code *known = bp_s3_code_find(refusal->code);
    return known != NULL ? known->cls : class_of_status(refusal->status);
}

/* In words, where the store sent none (HEAD has no body). */
static const char *
words_of_status(int status)
{
    switch (status) {
    case 301:
    case 307:
        return "the bucket is elsewhere";
    case 400:
        return "bad request";
    case 401:
        return "login needed";
    case 403:
        return "access denied";
    case 404:
        return "not there";
    case 412:
        return "another version is there";
    case 416:
        return "beyond the end";
    case 503:
        return "the store is busy";
    default:
        return "refused";
    }
}

static const char *
advice_of(const struct bp_s3_refusal *refusal, char *room, size_t cap)
{
    const struct bp_http_code *known = bp_s3_code_find(refusal->code);
    if (refusal->body_changed) {
        return "the keys have worked before: the body was changed on its way";
    }
    if (refusal->region[0] != '\0' && known != NULL && known->advice != NULL &&
        strcmp(known->advice, ADDRESS) == 0) {
        g_snprintf(room, (gulong)cap, "set region: %s", refusal->region);
        return room;
    }
    if (refusal->endpoint[0] != '\0' && (refusal->status == 301 || refusal->status == 307)) {
        g_snprintf(room, (gulong)cap, "it wants to be addressed as %s: check endpoint and region",
                   refusal->endpoint);
        return room;
    }
    if (known != NULL && known->advice != NULL && strcmp(known->advice, CLOCK) == 0 &&
        refusal->server_time[0] != '\0') {
        g_snprintf(room, (gulong)cap, CLOCK ": the store's says %s", refusal->server_time);
        return room;
    }
    return known != NULL ? known->advice : NULL;
}

bp_status
bp_s3_refuse(struct bp_error *error, const struct bp_s3_refusal *refusal, const char *what)
{
    char room[256], number[16];
    const char *said =
        refusal->message[0] != '\0' ? refusal->message : words_of_status(refusal->status);
    size_t n = bp_http_first_line(said);
    const char *code = refusal->code;
    const char *advice = advice_of(refusal, room, sizeof(room));
    if (code[0] == '\0') {
        g_snprintf(number, sizeof(number), "status %d", refusal->status);
        code = number;
    }
    (void)bp_fail(error, bp_s3_refusal_class(refusal), "cannot %s: %.*s (%s)%s%s", what, (int)n,
                  said, code, advice != NULL ? "; " : "", advice != NULL ? advice : "");
    const struct bp_http_facts facts = {
        .status = refusal->status,
        .code = refusal->code,
        .request_id = refusal->request_id,
        .retry_after_ms = refusal->retry_after_ms,
    };
    bp_http_put_facts(error, &facts);
    return error->cls;
}
