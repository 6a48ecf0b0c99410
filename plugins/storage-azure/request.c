/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests.  After a failure nothing of the query gets into a message: it may carry a SAS.
 */
#include "plugins/storage-azure/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-azure/errors.h"
#include "plugins/storage-azure/text.h"
#include "plugins/storage-azure/token.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define MAX_REFUSAL ((size_t)64 << 10)
#define MAX_DROPPED ((size_t)64 << 10)

struct bp_azure_exchange {
    struct bp_storage *storage;
    bp_http_exchange *http;
    char *subject;
    const char *what;
    uint64_t token; /* generation of the token that was sent, or 0 */
    bool is_head;   /* no body, whatever the headers say */
};

void
bp_azure_request_init(struct bp_azure_request *request, enum bp_azure_place place,
                      const char *method, const char *key, const char *what)
{
    memset(request, 0, sizeof(*request));
    request->place = place;
    request->method = method;
    request->key = key;
    request->what = what;
    request->headers = bp_azure_pairs_new();
    request->query = bp_azure_pairs_new();
}

void
bp_azure_request_clear(struct bp_azure_request *request)
{
    g_clear_pointer(&request->headers, g_array_unref);
    g_clear_pointer(&request->query, g_array_unref);
}

void
bp_azure_add_header(struct bp_azure_request *request, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bp_azure_pairs_add(request->headers, name, g_strdup_vprintf(format, args));
    va_end(args);
}

void
bp_azure_add_query(struct bp_azure_request *request, const char *name, const char *value)
{
    bp_azure_pairs_add(request->query, name, g_strdup(value));
}

void
bp_azure_add_conditions(struct bp_azure_request *request, const char *etag, bool exclusive)
{
    if (etag != NULL) {
        bp_azure_add_header(request, "If-Match", "\"%s\"", etag);
    }
    if (exclusive) {
        bp_azure_add_header(request, "If-None-Match", "*");
    }
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    request->once = request->once || (!reads && (etag != NULL || exclusive));
}

static char *
encoded_path(const struct bp_storage *storage, enum bp_azure_place place, const char *key)
{
    const struct bp_azure_config *set = &storage->set;
    if (place == BP_AZURE_SERVICE) {
        return g_strconcat(set->path, "/", NULL);
    }
    g_autofree char *container = bp_azure_encode(set->container, false);
    if (place == BP_AZURE_CONTAINER) {
        return g_strdup_printf("%s/%s", set->path, container);
    }
    g_autofree char *name = g_strconcat(set->prefix, key, NULL);
    g_autofree char *encoded = bp_azure_encode(name, true);
    return g_strdup_printf("%s/%s/%s", set->path, container, encoded);
}

/* Scheme, host and port: the endpoint without its path. */
static char *
url_of(const struct bp_storage *storage, const char *path)
{
    const struct bp_azure_config *set = &storage->set;
    size_t len = strlen(set->endpoint) - strlen(set->path);
    return g_strdup_printf("%.*s%s", (int)len, set->endpoint, path);
}

char *
bp_azure_blob_url(const struct bp_storage *storage, const char *key)
{
    g_autofree char *path = encoded_path(storage, BP_AZURE_BLOB, key);
    return url_of(storage, path);
}

static void
add_query_text(GString *url, const struct bp_azure_request *request, const bp_secret *sas)
{
    char separator = '?';
    for (guint i = 0; i < request->query->len; i++) {
        const struct bp_azure_pair *pair = &g_array_index(request->query, struct bp_azure_pair, i);
        g_autofree char *value = bp_azure_encode(pair->value, false);
        g_string_append_printf(url, "%c%s=%s", separator, pair->name, value);
        separator = '&';
    }
    if (sas != NULL) {
        g_string_append_printf(url, "%c%s", separator, bp_secret_get(sas));
    }
}

static const bp_secret *
sas_of(const struct bp_storage *storage)
{
    return storage->set.login == BP_AZURE_SAS ? storage->set.sas : NULL;
}

/* The lines of a request as they are sent.  The login's is added by authorize(). */
static GPtrArray *
header_lines(const struct bp_azure_request *request, const char *date)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < request->headers->len; i++) {
        const struct bp_azure_pair *pair =
            &g_array_index(request->headers, struct bp_azure_pair, i);
        g_ptr_array_add(lines, g_strdup_printf("%s: %s", pair->name, pair->value));
    }
    g_ptr_array_add(lines, g_strdup_printf("x-ms-date: %s", date));
    if (!request->inner) {
        g_ptr_array_add(lines, g_strdup("x-ms-version: " BP_AZURE_VERSION));
    }
    return lines;
}

static char *
sign(struct bp_storage *storage, const struct bp_azure_request *request, const char *path,
     const char *date)
{
    g_autoptr(GArray) headers = bp_azure_pairs_new();
    for (guint i = 0; i < request->headers->len; i++) {
        const struct bp_azure_pair *pair =
            &g_array_index(request->headers, struct bp_azure_pair, i);
        bp_azure_pairs_add(headers, pair->name, g_strdup(pair->value));
    }
    bp_azure_pairs_add(headers, "x-ms-date", g_strdup(date));
    if (!request->inner) {
        bp_azure_pairs_add(headers, "x-ms-version", g_strdup(BP_AZURE_VERSION));
    }
    const struct bp_azure_signable what = {
        .method = request->method,
        .account = storage->set.account,
        .path = path,
        .headers = headers,
        .query = request->query,
        .content_length = request->body_size,
    };
    g_autofree char *text = bp_azure_string_to_sign(&what);
    g_autofree char *signature = bp_azure_signature(storage->set.key, text);
    return g_strdup_printf("Authorization: SharedKey %s:%s", storage->set.account, signature);
}

/* Path and date of a request that is about to be sent. */
struct dispatch {
    char *path;
    char date[BP_AZURE_TIME];
    char *login;    /* header line, or NULL where the URL carries it */
    uint64_t token; /* generation of the token in it, or 0 */
};

static bp_status
authorize(struct bp_storage *storage, const struct bp_op *op,
          const struct bp_azure_request *request, struct dispatch *dispatch, struct bp_error *error)
{
    if (storage->set.login == BP_AZURE_SAS) {
        return BP_OK;
    }
    if (storage->set.login == BP_AZURE_KEY) {
        dispatch->login = sign(storage, request, dispatch->path, dispatch->date);
        return BP_OK;
    }
    bp_secret *token = NULL;
    bp_status status = bp_azure_tokens_get(storage->tokens, op, &token, &dispatch->token, error);
    if (status == BP_OK) {
        dispatch->login = g_strdup_printf("Authorization: Bearer %s", bp_secret_get(token));
    }
    bp_secret_free(token);
    return status;
}

static void
wipe(char *text)
{
    if (text != NULL) {
        bp_secret_wipe(text, strlen(text));
    }
}

static char *
subject_of(const struct bp_storage *storage, const struct bp_azure_request *request)
{
    switch (request->place) {
    case BP_AZURE_BLOB:
        return g_strdup_printf("object %s", request->key);
    case BP_AZURE_CONTAINER:
        return g_strdup_printf("container %s of account %s", storage->set.container,
                               storage->set.account);
    default:
        return g_strdup_printf("account %s", storage->set.account);
    }
}

static bp_status
start(struct bp_azure_exchange *x, const struct bp_op *op, const struct bp_azure_request *request,
      struct bp_error *error)
{
    struct dispatch dispatch = {
        .path = encoded_path(x->storage, request->place, request->key),
    };
    g_autofree char *path = dispatch.path;
    bp_azure_http_date(time(NULL), dispatch.date);
    bp_status status = authorize(x->storage, op, request, &dispatch, error);
    if (status != BP_OK) {
        return status;
    }
    x->token = dispatch.token;
    g_autoptr(GPtrArray) lines = header_lines(request, dispatch.date);
    if (dispatch.login != NULL) {
        g_ptr_array_add(lines, dispatch.login);
    }
    g_ptr_array_add(lines, NULL);
    g_autofree char *base = url_of(x->storage, path);
    GString *url = g_string_new(base);
    add_query_text(url, request, sas_of(x->storage));
    const struct bp_http_request http = {
        .method = request->method,
        .url = url->str,
        .headers = (const char *const *)lines->pdata,
        .body = request->body,
        .body_size = request->body_size,
        .idle_timeout_ms = request->slow ? x->storage->set.copy_timeout_ms : 0,
        .fresh = request->once,
    };
    status = bp_http_begin(x->storage->client, op, &http, &x->http, error);
    bp_secret_wipe(url->str, url->allocated_len);
    g_string_free(url, TRUE);
    wipe(dispatch.login);
    return status;
}

bp_status
bp_azure_print(struct bp_storage *storage, const struct bp_op *op,
               const struct bp_azure_request *request, GString *out, struct bp_error *error)
{
    struct dispatch dispatch = {.path = encoded_path(storage, request->place, request->key)};
    g_autofree char *path = dispatch.path;
    bp_azure_http_date(time(NULL), dispatch.date);
    bp_status status = authorize(storage, op, request, &dispatch, error);
    if (status != BP_OK) {
        return status;
    }
    g_autoptr(GPtrArray) lines = header_lines(request, dispatch.date);
    g_string_append_printf(out, "%s %s", request->method, path);
    add_query_text(out, request, sas_of(storage));
    g_string_append(out, " HTTP/1.1\r\n");
    for (guint i = 0; i < lines->len; i++) {
        g_string_append_printf(out, "%s\r\n", (const char *)g_ptr_array_index(lines, i));
    }
    if (dispatch.login != NULL) {
        g_string_append_printf(out, "%s\r\n", dispatch.login);
        wipe(dispatch.login);
        g_free(dispatch.login);
    }
    g_string_append(out, "Content-Length: 0\r\n\r\n");
    return BP_OK;
}

bp_status
bp_azure_begin(struct bp_storage *storage, const struct bp_op *op,
               const struct bp_azure_request *request, struct bp_azure_exchange **out,
               struct bp_error *error)
{
    struct bp_azure_exchange *x = g_new0(struct bp_azure_exchange, 1);
    x->storage = storage;
    x->subject = subject_of(storage, request);
    x->what = request->what;
    x->is_head = strcmp(request->method, "HEAD") == 0;
    bp_status status = bp_azure_check_op(storage, op, error);
    if (status == BP_OK) {
        status = start(x, op, request, error);
    }
    if (status != BP_OK) {
        bp_azure_end(x);
        return status;
    }
    *out = x;
    return BP_OK;
}

/* The body of a refusal: <Error><Code/><Message/></Error>.  Not having one is no failure. */
static bp_xml *
read_refusal(struct bp_azure_exchange *x, const struct bp_op *op)
{
    char *body = NULL;
    size_t size = 0;
    bp_xml *xml = NULL;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    if (!x->is_head &&
        bp_http_receive_all(x->http, op, MAX_REFUSAL, &body, &size, &ignored) == BP_OK) {
        /* Some answers begin with a byte order mark, which libxml2 takes. */
        (void)bp_xml_parse(body, size, &xml, &ignored);
    }
    free(body);
    return xml;
}

static bp_status
refuse(struct bp_azure_exchange *x, const struct bp_op *op, int http_status, struct bp_error *error)
{
    bp_xml *xml = read_refusal(x, op);
    const char *code = bp_http_header(x->http, "x-ms-error-code");
    const char *message = xml == NULL ? NULL : bp_xml_text(bp_xml_root(xml), "Message");
    if (code == NULL && xml != NULL) {
        code = bp_xml_text(bp_xml_root(xml), "Code");
    }
    const struct bp_azure_refusal refusal = {
        .status = http_status,
        .code = code,
        .message = message,
        .request_id = bp_http_header(x->http, "x-ms-request-id"),
        .date = bp_http_header(x->http, "Date"),
        .retry_after_ms = bp_http_retry_after_ms(x->http),
    };
    bp_status cls = bp_azure_refuse(error, &refusal, x->subject, x->what, time(NULL));
    bp_xml_free(xml);
    if (cls == BP_ERR_AUTH && x->token != 0) {
        bp_azure_tokens_reject(x->storage->tokens, x->token);
    }
    if (http_status >= 500) {
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
    }
    return cls;
}

bp_status
bp_azure_head(struct bp_azure_exchange *x, const struct bp_op *op, struct bp_error *error)
{
    int http_status = 0;
    bp_status status = bp_http_head(x->http, op, &http_status, error);
    if (status != BP_OK) {
        return status;
    }
    return http_status >= 200 && http_status < 300 ? BP_OK : refuse(x, op, http_status, error);
}

bp_status
bp_azure_send(struct bp_azure_exchange *x, const struct bp_op *op, const void *bytes, size_t n,
              struct bp_error *error)
{
    bp_status status = bp_http_send(x->http, op, bytes, n, error);
    if (status != BP_OK || !bp_http_answered(x->http)) {
        return status;
    }
    status = bp_azure_head(x, op, error);
    return status != BP_OK
               ? status
               : bp_fail(error, BP_ERR_RETRYABLE,
                         "%s: the server took it before all of it was sent", x->subject);
}

bp_status
bp_azure_finish(struct bp_azure_exchange *x, const struct bp_op *op, struct bp_error *error)
{
    bp_status status = bp_azure_head(x, op, error);
    if (status == BP_OK && !x->is_head) {
        char *body = NULL;
        size_t size;
        status = bp_http_receive_all(x->http, op, MAX_DROPPED, &body, &size, error);
        free(body);
    }
    return status;
}

bp_status
bp_azure_finish_xml(struct bp_azure_exchange *x, const struct bp_op *op, size_t max, bp_xml **out,
                    struct bp_error *error)
{
    char *body = NULL;
    size_t size = 0;
    struct bp_error why = {.struct_size = sizeof(why)};
    *out = NULL;
    bp_status status = bp_azure_head(x, op, error);
    if (status == BP_OK) {
        status = bp_http_receive_all(x->http, op, max, &body, &size, error);
    }
    if (status == BP_OK && bp_xml_parse(body, size, out, &why) != BP_OK) {
        /* Not CORRUPT, which is said of what is stored. */
        status = bp_fail(error, why.cls == BP_ERR_CORRUPT ? BP_ERR_RETRYABLE : why.cls,
                         "%s: cannot %s: the answer cannot be understood: %s", x->subject, x->what,
                         why.message);
    }
    if (body != NULL) {
        bp_secret_wipe(body, size); /* it may be a key */
    }
    free(body);
    return status;
}

bp_status
bp_azure_call(struct bp_storage *storage, const struct bp_op *op,
              const struct bp_azure_request *request, struct bp_azure_exchange **out,
              struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    bp_status status = bp_azure_begin(storage, op, request, &x, error);
    if (status == BP_OK) {
        status = bp_azure_finish(x, op, error);
    }
    if (status != BP_OK || out == NULL) {
        bp_azure_end(x);
        return status;
    }
    *out = x;
    return BP_OK;
}

const char *
bp_azure_header(const struct bp_azure_exchange *x, const char *name)
{
    return bp_http_header(x->http, name);
}

bp_http_exchange *
bp_azure_http(struct bp_azure_exchange *x)
{
    return x->http;
}

const char *
bp_azure_subject(const struct bp_azure_exchange *x)
{
    return x->subject;
}

void
bp_azure_end(struct bp_azure_exchange *x)
{
    if (x != NULL) {
        bp_http_end(x->http);
        g_free(x->subject);
        g_free(x);
    }
}

/* Of the whole blob: behind the '/' of Content-Range, else the length of the answer. */
static uint64_t
size_of(const struct bp_azure_exchange *x)
{
    uint64_t size;
    const char *range = bp_azure_header(x, "Content-Range");
    const char *slash = range == NULL ? NULL : strchr(range, '/');
    const char *text = slash != NULL ? slash + 1 : bp_azure_header(x, "Content-Length");
    return text != NULL && bp_parse_u64(text, &size) == 0 ? size : BP_UNKNOWN;
}

void
bp_azure_take_meta(const struct bp_azure_exchange *x, struct bp_object_meta *out)
{
    const char *tier = bp_azure_header(x, "x-ms-access-tier");
    const char *type = bp_azure_header(x, "x-ms-blob-type");
    bp_azure_meta_clear(out);
    out->size = size_of(x);
    out->mtime_ns = bp_azure_parse_http_date(bp_azure_header(x, "Last-Modified"));
    bp_azure_plain_etag(bp_azure_header(x, "ETag"), out->etag);
    g_strlcpy(out->storage_class, tier == NULL ? "" : tier, sizeof(out->storage_class));
    /* Page and append blobs keep the MD5 of what they once were. */
    if (type == NULL || strcmp(type, "BlockBlob") == 0) {
        /* Of the whole blob in answers to a range, where Content-MD5 would be the range's. */
        const char *whole = bp_azure_header(x, "x-ms-blob-content-md5");
        bool ranged = bp_azure_header(x, "Content-Range") != NULL;
        bp_azure_meta_md5(out, whole != NULL || ranged ? whole : bp_azure_header(x, "Content-MD5"));
    }
}
