/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of status codes.  Milvus 2.2 fills only error_code, whose value 1 ("unexpected")
 * says nothing: there, and only there, the text decides.
 */
#include "rpc_status.h"

#include <glib.h>
#include <grpc/status.h>
#include <stdbool.h>
#include <string.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* What a server that limits flushes to 0.1 per second needs, when it does not say its rate. */
#define RATE_PAUSE_MS 3000
#define RATE_PAUSE_MAX_MS 60000

struct code_class {
    int32_t code;
    bp_status cls;
    const char *word;
};

static const struct code_class grpc_codes[] = {
    {GRPC_STATUS_CANCELLED, BP_ERR_RETRYABLE, "CANCELLED"},
    {GRPC_STATUS_UNKNOWN, BP_ERR_PERMANENT, "UNKNOWN"},
    {GRPC_STATUS_INVALID_ARGUMENT, BP_ERR_INVALID, "INVALID_ARGUMENT"},
    {GRPC_STATUS_DEADLINE_EXCEEDED, BP_ERR_TIMEOUT, "DEADLINE_EXCEEDED"},
    {GRPC_STATUS_NOT_FOUND, BP_ERR_NOT_FOUND, "NOT_FOUND"},
    {GRPC_STATUS_ALREADY_EXISTS, BP_ERR_EXISTS, "ALREADY_EXISTS"},
    {GRPC_STATUS_PERMISSION_DENIED, BP_ERR_DENIED, "PERMISSION_DENIED"},
    {GRPC_STATUS_RESOURCE_EXHAUSTED, BP_ERR_THROTTLED, "RESOURCE_EXHAUSTED"},
    {GRPC_STATUS_FAILED_PRECONDITION, BP_ERR_PERMANENT, "FAILED_PRECONDITION"},
    {GRPC_STATUS_ABORTED, BP_ERR_RETRYABLE, "ABORTED"},
    {GRPC_STATUS_OUT_OF_RANGE, BP_ERR_RANGE, "OUT_OF_RANGE"},
    {GRPC_STATUS_UNIMPLEMENTED, BP_ERR_UNSUPPORTED, "UNIMPLEMENTED"},
    {GRPC_STATUS_INTERNAL, BP_ERR_RETRYABLE, "INTERNAL"},
    {GRPC_STATUS_UNAVAILABLE, BP_ERR_RETRYABLE, "UNAVAILABLE"},
    {GRPC_STATUS_DATA_LOSS, BP_ERR_CORRUPT, "DATA_LOSS"},
    {GRPC_STATUS_UNAUTHENTICATED, BP_ERR_AUTH, "UNAUTHENTICATED"},
};

/* Status.code, 2.3 and later. */
static const struct code_class milvus_codes[] = {
    {1, BP_ERR_RETRYABLE, "ServiceNotReady"},
    {2, BP_ERR_RETRYABLE, "ServiceUnavailable"},
    {3, BP_ERR_THROTTLED, "MemoryLimitExceeded"},
    {4, BP_ERR_THROTTLED, "RequestLimitExceeded"},
    {5, BP_ERR_PERMANENT, "ServiceInternal"},
    {7, BP_ERR_NO_SPACE, "DiskLimitExceeded"},
    {8, BP_ERR_THROTTLED, "RateLimit"},
    {9, BP_ERR_NO_SPACE, "QuotaExceeded"},
    {100, BP_ERR_NOT_FOUND, "CollectionNotFound"},
    {101, BP_ERR_PERMANENT, "CollectionNotLoaded"},
    {103, BP_ERR_RETRYABLE, "CollectionNotFullyLoaded"},
    {200, BP_ERR_NOT_FOUND, "PartitionNotFound"},
    {600, BP_ERR_NOT_FOUND, "SegmentNotFound"},
    {700, BP_ERR_NOT_FOUND, "IndexNotFound"},
    {800, BP_ERR_NOT_FOUND, "DatabaseNotFound"},
    {1000, BP_ERR_NOT_FOUND, "KeyNotFound"},
    {1100, BP_ERR_INVALID, "InvalidParameter"},
    {1400, BP_ERR_AUTH, "NotAuthenticated"},
    {1401, BP_ERR_DENIED, "PrivilegeNotPermitted"},
    {1600, BP_ERR_NOT_FOUND, "AliasNotFound"},
    {1601, BP_ERR_EXISTS, "AliasCollectionNameConflict"},
    {1602, BP_ERR_EXISTS, "AliasAlreadyExists"},
    {1800, BP_ERR_AUTH, "NeedAuthenticate"},
    {2100, BP_ERR_PERMANENT, "ImportFailed"},
};

/* Status.error_code, the older enumeration. */
static const struct code_class legacy_codes[] = {
    {3, BP_ERR_DENIED, "PermissionDenied"},  {4, BP_ERR_NOT_FOUND, "CollectionNotExists"},
    {25, BP_ERR_NOT_FOUND, "IndexNotExist"}, {47, BP_ERR_NOT_FOUND, "SegmentNotFound"},
    {48, BP_ERR_NO_SPACE, "ForceDeny"},      {49, BP_ERR_THROTTLED, "RateLimit"},
};

/* Texts of failures that come as "unexpected error", or with a code that says less. */
static const struct {
    const char *text;
    bp_status cls;
} phrases[] = {
    {"rate limit exceeded", BP_ERR_THROTTLED},
    {"auth check failure", BP_ERR_AUTH},
    {"permission deny", BP_ERR_DENIED},
    {"privilege not permitted", BP_ERR_DENIED},
    {"can't find collection", BP_ERR_NOT_FOUND},
    {"collection not found", BP_ERR_NOT_FOUND},
    {"index not found", BP_ERR_NOT_FOUND},
    {"index doesn't exist", BP_ERR_NOT_FOUND},
    {"database not found", BP_ERR_NOT_FOUND},
    {"database not exist", BP_ERR_NOT_FOUND},
    {"already exist", BP_ERR_EXISTS},
    {"Stream removed", BP_ERR_RETRYABLE},
    {"proxy not healthy", BP_ERR_RETRYABLE},
    /* After a restart, until the server has noticed that it is another one. */
    {"node not found", BP_ERR_RETRYABLE},
    {"node not match", BP_ERR_RETRYABLE},
};

static const struct code_class *
find_code(const struct code_class *table, size_t n, int32_t code)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return NULL;
}

/* The class that the text tells, or `otherwise`. */
static bp_status
class_of_text(const char *text, bp_status otherwise)
{
    for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++) {
        if (strstr(text, phrases[i].text) != NULL) {
            return phrases[i].cls;
        }
    }
    return otherwise;
}

/* "…[rate=0.1]" means one in ten seconds. */
static uint64_t
pause_of_text(const char *text)
{
    const char *rate_text = strstr(text, "rate=");
    if (rate_text == NULL) {
        return RATE_PAUSE_MS;
    }
    double rate = g_ascii_strtod(rate_text + strlen("rate="), NULL);
    if (!(rate > 0.0)) {
        return RATE_PAUSE_MS;
    }
    double pause = 1000.0 / rate;
    return pause > RATE_PAUSE_MAX_MS ? RATE_PAUSE_MAX_MS : (uint64_t)pause;
}

/* bp_fail starts afresh, so what belongs to the failure is set after it. */
static bp_status
finish(struct bp_error *error, bp_status cls, int32_t code, const char *word, const char *text)
{
    error->remote_status = code;
    g_strlcpy(error->code, word, sizeof(error->code));
    if (cls == BP_ERR_THROTTLED) {
        error->retry_after_ms = pause_of_text(text);
    }
    return cls;
}

/* Comes as UNAVAILABLE, but trying again does not help. */
static bool
is_tls_failure(const char *details)
{
    return strstr(details, "Ssl handshake failed") != NULL ||
           strstr(details, "is not in peer certificate") != NULL;
}

bp_status
milvus_status_grpc(int grpc_code, const char *details, const char *what, struct bp_error *error)
{
    const struct code_class *known = find_code(grpc_codes, G_N_ELEMENTS(grpc_codes), grpc_code);
    bp_status cls = known != NULL ? known->cls : BP_ERR_PERMANENT;
    const char *word = known != NULL ? known->word : "UNKNOWN";
    if (grpc_code == GRPC_STATUS_UNKNOWN) {
        cls = class_of_text(details, cls);
    }
    /* Too big a message is no matter of load: it fails again and again. */
    if (grpc_code == GRPC_STATUS_RESOURCE_EXHAUSTED && strstr(details, "larger than max") != NULL) {
        cls = BP_ERR_PERMANENT;
    }
    const char *advice = "";
    if (is_tls_failure(details)) {
        cls = BP_ERR_PERMANENT;
        advice = "; check the settings tls_mode, ca_file and server_name";
    }
    (void)bp_fail(error, cls, "%s: %s (%s)%s", what,
                  details[0] != '\0' ? details : "no reason given", word, advice);
    return finish(error, cls, grpc_code, word, details);
}

/* The server's words without the stack traces of its inside, which would crowd out the reason:
 * "attempt #0: stack trace: /a.go:1 f\n/b.go:2 g: node not found" tells in the end. */
static char *
without_trace(const char *reason)
{
    const char *trace = strstr(reason, "stack trace: ");
    const char *last_frame = trace != NULL ? strrchr(trace, '\n') : NULL;
    const char *rest = last_frame != NULL ? strstr(last_frame, ": ") : NULL;
    return rest != NULL ? g_strdup_printf("%.*s%s", (int)(trace - reason), reason, rest + 2)
                        : g_strdup(reason);
}

bp_status
milvus_status_check(const Mv__Status *status, const char *what, struct bp_error *error)
{
    int32_t code = status != NULL ? status->code : 0;
    int32_t legacy = status != NULL ? status->error_code : 0;
    if (code == 0 && legacy == 0) {
        return BP_OK;
    }
    bool has_reason = status->reason != NULL && status->reason[0] != '\0';
    g_autofree char *reason = without_trace(has_reason ? status->reason : "no reason given");
    const struct code_class *known =
        code != 0 ? find_code(milvus_codes, G_N_ELEMENTS(milvus_codes), code)
                  : find_code(legacy_codes, G_N_ELEMENTS(legacy_codes), legacy);
    bp_status cls = BP_ERR_PERMANENT;
    if (known != NULL) {
        cls = known->cls;
    } else {
        cls = class_of_text(reason, status->retriable ? BP_ERR_RETRYABLE : BP_ERR_PERMANENT);
    }
    int32_t number = code != 0 ? code : legacy;
    g_autofree char *word = known != NULL ? g_strdup(known->word) : g_strdup_printf("%d", number);
    (void)bp_fail(error, cls, "%s: %s (%s)", what, reason, word);
    return finish(error, cls, number, word, reason);
}
