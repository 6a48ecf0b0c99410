/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to the store.
 */
#include "plugins/storage-s3/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-s3/sums.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define MAX_ERROR_BODY ((size_t)64 << 10)
#define MAX_DRAIN ((size_t)64 << 10)
#define SHOWN_KEY 161 /* bytes of a key in a message, with the NUL */

void
bp_s3_request_init(struct bp_s3_request *request, const char *method, const char *verb,
                   char *take_full_key)
{
    *request = (struct bp_s3_request){
        .method = method,
        .verb = verb,
        .key = take_full_key,
        .query = g_ptr_array_new_with_free_func(g_free),
        .headers = g_ptr_array_new_with_free_func(g_free),
    };
}

void
bp_s3_request_clear(struct bp_s3_request *request)
{
    g_clear_pointer(&request->key, g_free);
    g_clear_pointer(&request->query, g_ptr_array_unref);
    g_clear_pointer(&request->headers, g_ptr_array_unref);
}

void
bp_s3_request_query(struct bp_s3_request *request, const char *name, const char *value)
{
    g_ptr_array_add(request->query, g_strdup(name));
    g_ptr_array_add(request->query, g_strdup(value));
}

void
bp_s3_request_header(struct bp_s3_request *request, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(request->headers, g_strdup_vprintf(format, args));
    va_end(args);
}

void
bp_s3_describe(struct bp_storage *storage, const struct bp_s3_request *request, char *out,
               size_t cap)
{
    char key[SHOWN_KEY];
    g_autofree char *endpoint = bp_s3_endpoint_canonical(&storage->set.endpoint);
    (void)bp_key_show(key, sizeof(key), request->key == NULL ? "" : request->key);
    (void)snprintf(out, cap, "%s s3://%.64s/%s at %.100s", request->verb, storage->set.bucket, key,
                   endpoint);
}

/* Where the host follows from the region, it does so from the region as it is known now. */
static char *
host_now(struct bp_storage *storage, const char *region)
{
    const struct bp_s3_config *set = &storage->set;
    const char *const *between = set->provider->region_between;
    g_autofree char *named = bp_s3_region_of_host(set->provider, set->endpoint.host);
    if (named == NULL || strcmp(named, region) == 0) {
        return g_strdup(set->endpoint.host);
    }
    g_autofree char *old = g_strconcat(between[0], named, between[1], NULL);
    g_autofree char *new = g_strconcat(between[0], region, between[1], NULL);
    g_auto(GStrv) around = g_strsplit(set->endpoint.host, old, 2);
    return g_strjoinv(new, around);
}

static void
address(struct bp_storage *storage, const char *region, const char *key, char **authority,
        char **path)
{
    const struct bp_s3_config *set = &storage->set;
    g_autofree char *host = host_now(storage, region);
    GString *text = g_string_new("/");
    if (set->virtual_host) {
        g_autofree char *whole = g_strconcat(set->bucket, ".", host, NULL);
        *authority = bp_s3_authority(&set->endpoint, whole);
    } else {
        *authority = bp_s3_authority(&set->endpoint, host);
        bp_s3_encode(text, set->bucket, false);
        if (key != NULL) {
            g_string_append_c(text, '/');
        }
    }
    if (key != NULL) {
        bp_s3_encode(text, key, true);
    }
    *path = g_string_free(text, FALSE);
}

void
bp_s3_address(struct bp_storage *storage, const char *key, char **authority, char **path)
{
    g_autofree char *region = bp_s3_region(storage);
    address(storage, region, key, authority, path);
}

/* Ours are written with Amazon's names. */
static char *
translate_header(const struct bp_s3_dialect *dialect, const char *line)
{
    const char *aws = bp_s3_dialect_aws.headers;
    return g_str_has_prefix(line, aws) ? g_strconcat(dialect->headers, line + strlen(aws), NULL)
                                       : g_strdup(line);
}

/* A request as it goes over the wire. */
struct wire {
    char *url;
    GPtrArray *headers;
};

static void
wire_clear(struct wire *wire)
{
    g_clear_pointer(&wire->url, g_free);
    g_clear_pointer(&wire->headers, g_ptr_array_unref);
}

static void
sign(const struct bp_s3_exchange *exchange, const struct bp_s3_request *request, struct wire *wire)
{
    char hash[BP_S3_SHA256_HEX];
    struct bp_storage *storage = exchange->storage;
    const struct bp_s3_keys *keys = exchange->keys;
    const struct bp_s3_dialect *dialect = storage->set.provider->dialect;
    g_autofree char *authority = NULL, *path = NULL;
    g_autofree char *query = bp_s3_query(request->query);
    address(storage, exchange->region, request->key, &authority, &path);
    wire->url = g_strdup_printf("%s://%s%s%s%s", storage->set.endpoint.tls ? "https" : "http",
                                authority, path, query[0] != '\0' ? "?" : "", query);
    wire->headers = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < request->headers->len; i++) {
        g_ptr_array_add(wire->headers,
                        translate_header(dialect, g_ptr_array_index(request->headers, i)));
    }
    if (!keys->anonymous) {
        if (keys->session_token != NULL) {
            g_ptr_array_add(wire->headers, g_strdup_printf("%ssecurity-token: %s", dialect->headers,
                                                           bp_secret_get(keys->session_token)));
        }
        if (request->payload == NULL) {
            bp_s3_sha256_hex(request->body == NULL ? "" : request->body,
                             request->body == NULL ? 0 : (size_t)request->body_size, hash);
        }
        struct bp_s3_signing signing = {
            .dialect = dialect,
            .method = request->method,
            .host = authority,
            .path = path,
            .query = query,
            .region = exchange->region,
            .access_key = keys->access_key,
            .secret_key = bp_secret_get(keys->secret_key),
            .payload = request->payload != NULL ? request->payload : hash,
        };
        bp_s3_stamp((int64_t)time(NULL), signing.stamp);
        bp_s3_sign(&signing, wire->headers, exchange->seed);
    }
    g_ptr_array_add(wire->headers, NULL);
}

/* A name per bucket is what a resolver of a small installation does not know. */
static void
explain_no_host(const struct bp_storage *storage, struct bp_error *error)
{
    if (storage->set.virtual_host && error->remote_status == 0 &&
        strstr(error->message, "resolve") != NULL) {
        size_t n = strlen(error->message);
        (void)snprintf(error->message + n, sizeof(error->message) - n,
                       "; check endpoint and bucket, or set style: path");
    }
}

static bool
is_chunked(const struct bp_s3_request *request)
{
    return request->payload != NULL && (strcmp(request->payload, BP_S3_CHUNKED) == 0 ||
                                        strcmp(request->payload, BP_S3_CHUNKED_TRAILER) == 0);
}

bp_status
bp_s3_begin(struct bp_storage *storage, const struct bp_op *op, const struct bp_s3_request *request,
            struct bp_s3_exchange *out, struct bp_error *error)
{
    struct wire wire = {0};
    *out = (struct bp_s3_exchange){.storage = storage};
    bp_status status = bp_s3_check_op(storage, op, error);
    if (status == BP_OK) {
        status = bp_s3_keys_get(storage, op, &out->keys, error);
    }
    if (status != BP_OK) {
        return status;
    }
    if (is_chunked(request)) {
        out->seed = g_new0(struct bp_s3_seed, 1);
    }
    g_autofree char *region = bp_s3_region(storage);
    g_strlcpy(out->region, region, sizeof(out->region));
    sign(out, request, &wire);
    const struct bp_http_request http = {
        .method = request->method,
        .url = wire.url,
        .headers = (const char *const *)wire.headers->pdata,
        .body = request->body,
        .body_size = request->body_size,
        .idle_timeout_ms = request->slow ? storage->set.copy_ms : 0,
        .fresh = request->once,
    };
    status = bp_http_begin(storage->http, op, &http, &out->http, error);
    wire_clear(&wire);
    if (status != BP_OK) {
        explain_no_host(storage, error);
        bp_s3_end(out);
    }
    return status;
}

void
bp_s3_end(struct bp_s3_exchange *exchange)
{
    bp_http_end(exchange->http);
    if (exchange->seed != NULL) {
        bp_secret_wipe(exchange->seed, sizeof(*exchange->seed));
        g_free(exchange->seed);
    }
    bp_s3_keys_unref(exchange->keys);
    *exchange = (struct bp_s3_exchange){0};
}

/* Everything that the answer says about why.  The body of an error is small or not worth reading.
 */
static void
read_refusal(struct bp_s3_exchange *exchange, const struct bp_op *op, int status,
             struct bp_s3_refusal *out)
{
    size_t n = 0;
    char *body = NULL;
    bp_xml *xml = NULL;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    *out = (struct bp_s3_refusal){
        .status = status,
        .retry_after_ms = bp_http_retry_after_ms(exchange->http),
    };
    const char *region = bp_http_header(exchange->http, "x-amz-bucket-region");
    const char *id = bp_http_request_id(exchange->http);
    g_strlcpy(out->region, region == NULL ? "" : region, sizeof(out->region));
    g_strlcpy(out->request_id, id, sizeof(out->request_id));
    if (bp_http_receive_all(exchange->http, op, MAX_ERROR_BODY, &body, &n, &ignored) == BP_OK &&
        n > 0 && bp_xml_parse(body, n, &xml, &ignored) == BP_OK) {
        bp_s3_refusal_read(out, bp_xml_root(xml));
    }
    bp_xml_free(xml);
    free(body);
}

/* MinIO names its region in every refusal: only these are about it. */
static bool
is_about_region(const struct bp_s3_refusal *refusal)
{
    static const char *const codes[] = {"AuthorizationHeaderMalformed", "PermanentRedirect",
                                        "IllegalLocationConstraintException", "InvalidRegion"};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (strcmp(codes[i], refusal->code) == 0) {
            return true;
        }
    }
    return refusal->status == 301 || refusal->status == 307 ||
           (refusal->status == 400 && refusal->code[0] == '\0');
}

/* What stores say when a byte of a body in chunks was changed: in a chunk, or around one. */
static bool
is_about_chunks(const struct bp_s3_request *request, const struct bp_s3_refusal *refusal)
{
    static const char *const codes[] = {"SignatureDoesNotMatch", "InvalidChunkSizeError",
                                        "MalformedTrailerError", "BadRequest" /* MinIO */};
    bool chunks = is_chunked(request) || (request->payload != NULL &&
                                          strcmp(request->payload, BP_S3_UNSIGNED_TRAILER) == 0);
    for (size_t i = 0; chunks && i < G_N_ELEMENTS(codes); i++) {
        if (strcmp(codes[i], refusal->code) == 0) {
            return true;
        }
    }
    return false;
}

static bp_status
refuse(struct bp_s3_exchange *exchange, const struct bp_op *op, const struct bp_s3_request *request,
       struct bp_s3_refusal *refusal, struct bp_error *error)
{
    char what[400];
    struct bp_storage *storage = exchange->storage;
    refusal->body_changed = is_about_chunks(request, refusal) && bp_s3_keys_trusted(exchange->keys);
    bp_s3_describe(storage, request, what, sizeof(what));
    bp_status status = bp_s3_refuse(error, refusal, what);
    if (status == BP_ERR_AUTH) {
        bp_s3_keys_refused(storage, exchange->keys);
        if (exchange->keys->from != NULL) {
            size_t n = strlen(error->message);
            (void)snprintf(error->message + n, sizeof(error->message) - n,
                           " (the keys come from %s)", exchange->keys->from);
        }
    }
    if (request->replaces && strcmp(refusal->code, "NoSuchKey") == 0) {
        error->cls = BP_ERR_EXISTS; /* the version is gone; NOT_FOUND would be of the upload */
    }
    /* A server that fails may have done it before, also if it began with 200; one that is busy has
     * not. */
    bool failed = refusal->status >= 500 || refusal->status == 200;
    if (failed && error->cls == BP_ERR_RETRYABLE) {
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
    }
    if (bp_s3_sums_refused(storage, op, request, refusal->code)) {
        error->cls = BP_ERR_RETRYABLE;
    }
    if (refusal->region[0] != '\0' && is_about_region(refusal)) {
        (void)bp_s3_learn_region(storage, op, refusal->region);
        /* Of several threads only one has learned it; the others were sent to the old one, too. */
        g_autofree char *now = bp_s3_region(storage);
        error->cls = strcmp(now, exchange->region) != 0 ? BP_ERR_RETRYABLE : error->cls;
    }
    return error->cls;
}

bp_status
bp_s3_finish(struct bp_s3_exchange *exchange, const struct bp_op *op,
             const struct bp_s3_request *request, struct bp_error *error)
{
    int code = 0;
    struct bp_s3_refusal refusal;
    bp_status status = bp_http_head(exchange->http, op, &code, error);
    if (status != BP_OK) {
        return status;
    }
    if (code >= 200 && code < 300) {
        bp_s3_keys_worked(exchange->keys);
        return BP_OK;
    }
    read_refusal(exchange, op, code, &refusal);
    return refuse(exchange, op, request, &refusal, error);
}

bp_status
bp_s3_send(struct bp_storage *storage, const struct bp_op *op, const struct bp_s3_request *request,
           struct bp_s3_exchange *out, struct bp_error *error)
{
    g_autofree char *region = bp_s3_region(storage);
    for (int attempt = 0;; attempt++) {
        bp_status status = bp_s3_begin(storage, op, request, out, error);
        if (status != BP_OK) {
            return status;
        }
        status = bp_s3_finish(out, op, request, error);
        if (status == BP_OK) {
            return BP_OK;
        }
        bp_s3_end(out);
        g_autofree char *now = bp_s3_region(storage);
        /* Another thread may have learned it meanwhile: what may have been done is not repeated. */
        bool refused = status == BP_ERR_RETRYABLE && (error->flags & BP_ERROR_OUTCOME_UNKNOWN) == 0;
        if (attempt > 0 || !refused || strcmp(region, now) == 0) {
            return status;
        }
    }
}

bp_status
bp_s3_read_xml(struct bp_s3_exchange *exchange, const struct bp_op *op,
               const struct bp_s3_request *request, bp_xml **out, struct bp_error *error)
{
    size_t n = 0;
    char *body = NULL;
    *out = NULL;
    bp_status status = bp_http_receive_all(exchange->http, op, BP_S3_MAX_XML, &body, &n, error);
    if (status != BP_OK) {
        return status;
    }
    /* While a copy lasts, blanks are sent to keep the connection alive. */
    size_t blanks = strspn(body, " \r\n\t");
    if (blanks == n) {
        free(body);
        return BP_OK;
    }
    status = bp_xml_parse(body + blanks, n - blanks, out, error);
    free(body);
    if (status != BP_OK) {
        char what[400], why[sizeof(error->message)];
        g_strlcpy(why, error->message, sizeof(why));
        bp_s3_describe(exchange->storage, request, what, sizeof(what));
        return bp_fail(error, BP_ERR_RETRYABLE, "cannot %s: the answer cannot be understood: %s",
                       what, why);
    }
    if (strcmp(bp_xml_name(bp_xml_root(*out)), "Error") == 0) {
        struct bp_s3_refusal refusal = {.status = 200};
        g_strlcpy(refusal.request_id, bp_http_request_id(exchange->http),
                  sizeof(refusal.request_id));
        bp_s3_refusal_read(&refusal, bp_xml_root(*out));
        bp_xml_free(*out);
        *out = NULL;
        return refuse(exchange, op, request, &refusal, error);
    }
    return BP_OK;
}

bp_status
bp_s3_send_for_xml(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_s3_request *request, bp_xml **out, struct bp_error *error)
{
    struct bp_s3_exchange exchange;
    *out = NULL;
    bp_status status = bp_s3_send(storage, op, request, &exchange, error);
    if (status == BP_OK) {
        status = bp_s3_read_xml(&exchange, op, request, out, error);
        bp_s3_end(&exchange);
    }
    return status;
}

bp_status
bp_s3_send_simple(struct bp_storage *storage, const struct bp_op *op,
                  const struct bp_s3_request *request, struct bp_error *error)
{
    size_t n = 0;
    char *body = NULL;
    struct bp_s3_exchange exchange;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    bp_status status = bp_s3_send(storage, op, request, &exchange, error);
    if (status == BP_OK) {
        (void)bp_http_receive_all(exchange.http, op, MAX_DRAIN, &body, &n, &ignored);
        free(body);
        bp_s3_end(&exchange);
    }
    return status;
}

void
bp_s3_request_new_object(struct bp_s3_request *request, struct bp_storage *storage)
{
    const struct bp_s3_config *set = &storage->set;
    bool aws = set->provider->dialect == &bp_s3_dialect_aws;
    if (set->storage_class != NULL) {
        bp_s3_request_header(request, "x-amz-storage-class: %s", set->storage_class);
    }
    if (!aws && set->sse == BP_S3_SSE_KMS) {
        bp_s3_request_header(request, "x-goog-encryption-kms-key-name: %s", set->kms_key);
    } else if (aws && set->sse != BP_S3_SSE_NONE) { /* Google encrypts anyway */
        bp_s3_request_header(request, "x-amz-server-side-encryption: %s",
                             set->sse == BP_S3_SSE_KMS ? "aws:kms" : "AES256");
        if (set->kms_key != NULL) {
            bp_s3_request_header(request, "x-amz-server-side-encryption-aws-kms-key-id: %s",
                                 set->kms_key);
        }
    }
}

bp_status
bp_s3_request_condition(struct bp_s3_request *request, struct bp_storage *storage,
                        uint32_t write_flags, const char *if_match, struct bp_error *error)
{
    const struct bp_s3_config *set = &storage->set;
    bool exclusive = (write_flags & BP_WRITE_IF_NONE_MATCH) != 0;
    if (exclusive && if_match != NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: if_match and IF_NONE_MATCH exclude each other", request->key);
    }
    if ((exclusive && (set->provider->exclusive == NULL || !set->conditional)) ||
        (if_match != NULL && (!set->provider->if_match || !set->conditional))) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "object %s: provider %s has no conditional writes of that kind%s",
                       request->key, set->provider->name,
                       set->conditional ? "" : ", as conditional_writes says");
    }
    if (exclusive) {
        bp_s3_request_header(request, "%s", set->provider->exclusive);
    } else if (if_match != NULL) {
        bp_s3_request_header(request, "If-Match: \"%s\"", if_match);
        request->replaces = true;
    }
    request->once = request->once || exclusive || if_match != NULL;
    return BP_OK;
}
