/* SPDX-License-Identifier: Apache-2.0
 *
 * Error codes, classes and advice.
 */
#include "plugins/storage-azure/errors.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage-azure/text.h"
#include "sdk/http/refusal.h"
#include "sdk/http/text.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* The service takes signatures that are at most 15 minutes old; less already tells of a problem. */
#define MAX_SKEW_S 300

#define CHECK_LOGIN "check account, account_key, sas or the identity"
#define NEEDS_ROLE                                                                              \
    "the login needs the role \"Storage Blob Data Contributor\" (to read only: \"Reader\") on " \
    "the "                                                                                      \
    "container, a SAS the permissions racwdl"
#define NETWORK_RULES "the account's network rules, or the SAS' own limits, keep this machine out"

/* CannotVerifyCopySource depends on the status, see below. */
static const struct bp_http_code codes[] = {
    {"AccountBeingCreated", BP_ERR_RETRYABLE, NULL},
    {"AccountIsDisabled", BP_ERR_DENIED, "the storage account is switched off"},
    {"AppendPositionConditionNotMet", BP_ERR_EXISTS, NULL},
    {"AuthenticationFailed", BP_ERR_AUTH, CHECK_LOGIN},
    {"AuthorizationFailure", BP_ERR_DENIED, NETWORK_RULES " (or account_key is wrong)"},
    {"AuthorizationPermissionMismatch", BP_ERR_DENIED, NEEDS_ROLE},
    {"AuthorizationProtocolMismatch", BP_ERR_DENIED, "the SAS is for https only"},
    {"AuthorizationResourceTypeMismatch", BP_ERR_DENIED, NEEDS_ROLE},
    {"AuthorizationServiceMismatch", BP_ERR_DENIED, "the SAS is not for the blob service"},
    {"AuthorizationSourceIPMismatch", BP_ERR_DENIED, NETWORK_RULES},
    {"BlobAlreadyExists", BP_ERR_EXISTS, NULL},
    {"BlobArchived", BP_ERR_DENIED, "move it to an online tier first, which takes hours"},
    {"BlobBeingRehydrated", BP_ERR_DENIED, "it is on its way to an online tier: come back later"},
    {"BlobImmutableDueToLegalHold", BP_ERR_DENIED, "a legal hold of the container forbids it"},
    {"BlobImmutableDueToPolicy", BP_ERR_DENIED, "an immutability policy forbids it until it ends"},
    {"BlobNotFound", BP_ERR_NOT_FOUND, NULL},
    {"BlobOperationNotSupported", BP_ERR_UNSUPPORTED, NULL},
    {"BlobOverwritten", BP_ERR_EXISTS, NULL},
    {"BlobTierInadequateForContentLength", BP_ERR_INVALID, "check tier"},
    {"BlobUsesCustomerSpecifiedEncryption", BP_ERR_DENIED,
     "it is encrypted with a key of its owner's, which cannot be given here"},
    {"BlockCountExceedsLimit", BP_ERR_PERMANENT, "make block_size larger"},
    {"BlockListTooLong", BP_ERR_PERMANENT, "make block_size larger"},
    {"ConditionHeadersNotSupported", BP_ERR_UNSUPPORTED, NULL},
    {"ConditionNotMet", BP_ERR_EXISTS, NULL},
    {"ContainerAlreadyExists", BP_ERR_EXISTS, NULL},
    {"ContainerBeingDeleted", BP_ERR_RETRYABLE, "the container was deleted a moment ago"},
    {"ContainerDisabled", BP_ERR_DENIED, "the container is switched off"},
    {"ContainerNotFound", BP_ERR_NOT_FOUND,
     "check account and container, make it, or set create_container"},
    {"CopyAcrossAccountsNotSupported", BP_ERR_UNSUPPORTED, NULL},
    {"CopyIdMismatch", BP_ERR_EXISTS, NULL},
    {"Crc64Mismatch", BP_ERR_CORRUPT, "the bytes changed on their way"},
    {"FeatureVersionMismatch", BP_ERR_UNSUPPORTED, NULL},
    {"InsufficientAccountPermissions", BP_ERR_DENIED, NEEDS_ROLE},
    {"InternalError", BP_ERR_RETRYABLE, NULL},
    {"InvalidAuthenticationInfo", BP_ERR_AUTH, CHECK_LOGIN},
    {"InvalidBlobOrBlock", BP_ERR_PERMANENT,
     "another program's unfinished upload lies there and is gone in a week at the latest"},
    {"InvalidBlobTier", BP_ERR_INVALID, "check tier: this kind of account may not have it"},
    {"InvalidBlobType", BP_ERR_INVALID, "another program's page or append blob has this name"},
    {"InvalidBlockList", BP_ERR_NOT_FOUND,
     "its uploaded blocks are gone: another program wrote the object meanwhile"},
    {"InvalidHeaderValue", BP_ERR_INVALID, NULL},
    {"InvalidRange", BP_ERR_RANGE, NULL},
    {"InvalidResourceName", BP_ERR_INVALID, "check container: 3 to 63 of a-z, 0-9 and '-'"},
    {"KeyBasedAuthenticationNotPermitted", BP_ERR_DENIED,
     "the account takes no keys: use an identity (credentials)"},
    {"LeaseAlreadyPresent", BP_ERR_DENIED, "another program holds a lease on it"},
    {"LeaseIdMismatchWithBlobOperation", BP_ERR_DENIED, "another program holds a lease on it"},
    {"LeaseIdMissing", BP_ERR_DENIED, "another program holds a lease on it"},
    {"LeaseLost", BP_ERR_DENIED, NULL},
    {"Md5Mismatch", BP_ERR_CORRUPT, "the bytes changed on their way"},
    {"NoAuthenticationInformation", BP_ERR_AUTH, CHECK_LOGIN},
    {"OperationTimedOut", BP_ERR_RETRYABLE, NULL},
    {"PendingCopyOperation", BP_ERR_RETRYABLE, "a copy to there is still running"},
    {"PublicAccessNotPermitted", BP_ERR_DENIED, NULL},
    {"ResourceAlreadyExists", BP_ERR_EXISTS, NULL},
    {"ResourceNotFound", BP_ERR_NOT_FOUND, "check account, endpoint and container"},
    {"ResourceTypeMismatch", BP_ERR_INVALID, NULL},
    {"ServerBusy", BP_ERR_THROTTLED, NULL},
    {"SnapshotsPresent", BP_ERR_DENIED, "it has snapshots, which are not ours: delete them first"},
    {"SourceConditionNotMet", BP_ERR_EXISTS, NULL},
    {"SystemInUse", BP_ERR_RETRYABLE, NULL},
    {"TargetConditionNotMet", BP_ERR_EXISTS, NULL},
    {"UnauthorizedBlobOverwrite", BP_ERR_DENIED, NEEDS_ROLE},
    {"UnsupportedHeader", BP_ERR_UNSUPPORTED, NULL},
    {"UnsupportedHttpVerb", BP_ERR_UNSUPPORTED, NULL},
    {"UnsupportedQueryParameter", BP_ERR_UNSUPPORTED, NULL},
    {"UnsupportedXmlNode", BP_ERR_UNSUPPORTED, NULL},
};

static bp_status
class_of_status(int status)
{
    switch (status) {
    case 304: /* a condition did not hold */
        return BP_ERR_EXISTS;
    case 409: /* of very different meanings; those that matter are in the table */
        return BP_ERR_PERMANENT;
    default:
        return bp_http_class(status);
    }
}

/* The destination could not look at the source.  Gone or changed is said as such; whatever else it
 * was, the bytes can still pass through here. */
static bp_status
class_of_copy_source(int status)
{
    switch (status) {
    case 404:
        return BP_ERR_NOT_FOUND;
    case 304:
    case 412:
        return BP_ERR_EXISTS;
    case 429:
    case 503:
        return BP_ERR_THROTTLED;
    case 401:
    case 403:
        return BP_ERR_DENIED;
    default:
        return BP_ERR_UNSUPPORTED;
    }
}

bp_status
bp_azure_class(int status, const char *code)
{
    if (code != NULL && strcmp(code, "CannotVerifyCopySource") == 0) {
        return class_of_copy_source(status);
    }
    const struct bp_http_code *known = bp_http_code_find(codes, G_N_ELEMENTS(codes), code);
    return known != NULL ? known->cls : class_of_status(status);
}

const char *
bp_azure_advice(const char *code)
{
    const struct bp_http_code *known = bp_http_code_find(codes, G_N_ELEMENTS(codes), code);
    return known == NULL ? NULL : known->advice;
}

/* "; this machine's clock is 1234 s ahead of the server's", or the usual advice. */
static char *
explain(const struct bp_azure_refusal *refusal, bp_status cls, time_t now)
{
    int64_t server = bp_http_date(refusal->date) / 1000000000;
    int64_t ahead = server == 0 ? 0 : (int64_t)now - server;
    if (cls == BP_ERR_AUTH && (ahead > MAX_SKEW_S || ahead < -MAX_SKEW_S)) {
        return g_strdup_printf("; this machine's clock is %" G_GINT64_FORMAT
                               " s %s the server's: set it right",
                               ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of");
    }
    const char *advice = bp_azure_advice(refusal->code);
    return advice == NULL ? g_strdup("") : g_strdup_printf("; %s", advice);
}

/* The first sentence: behind it come request id and time, which have places of their own. */
static char *
first_line(const char *message)
{
    const char *start = message == NULL ? "" : message + strspn(message, " \r\n");
    char *line = g_strndup(start, bp_http_first_line(start));
    bp_azure_redact(line);
    return line;
}

bp_status
bp_azure_refuse(struct bp_error *error, const struct bp_azure_refusal *refusal, const char *subject,
                const char *what, time_t now)
{
    bp_status cls = bp_azure_class(refusal->status, refusal->code);
    g_autofree char *line = first_line(refusal->message);
    g_autofree char *advice = explain(refusal, cls, now);
    const char *code = refusal->code != NULL ? refusal->code : "";
    (void)bp_fail(error, cls, "%s: cannot %s: %s%s%s%s%s", subject, what, code,
                  code[0] != '\0' && line[0] != '\0' ? ": " : "", line,
                  code[0] == '\0' && line[0] == '\0' ? "the server's answer says no more" : "",
                  advice);
    const struct bp_http_facts facts = {
        .status = refusal->status,
        .code = code,
        .request_id = refusal->request_id,
        .retry_after_ms = refusal->retry_after_ms,
    };
    bp_http_put_facts(error, &facts);
    return cls;
}
