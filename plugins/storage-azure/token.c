/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching and keeping tokens.  After "OAuth 2.0 client credentials flow" of the Microsoft identity
 * platform, and "How to use managed identities … to acquire an access token".
 */
#include "plugins/storage-azure/token.h"

#include <glib.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-azure/text.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define RESOURCE "https://storage.azure.com/"
#define SCOPE RESOURCE ".default"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#define NS_PER_S INT64_C(1000000000)
#define RENEW_BEFORE_NS (300 * NS_PER_S)
#define AGAIN_AFTER_NS (30 * NS_PER_S) /* a failed renewal, while the old token lasts */
#define LOOK_EVERY_NS (100 * 1000000)  /* who waits for another thread asks for a cancel */
#define MAX_ANSWER ((size_t)256 << 10)
#define MAX_TOKEN_FILE ((gsize)64 << 10)

struct bp_azure_tokens {
    const struct bp_host *host;
    const struct bp_azure_config *set;
    bp_http_client *client;
    int64_t (*clock)(void);
    pthread_mutex_t lock; /* guards all that follows; never held over a request */
    pthread_cond_t changed;
    bool fetching;
    bp_secret *token;
    uint64_t generation;
    int64_t renew_ns, end_ns; /* CLOCK_MONOTONIC */
};

static int64_t
real_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct bp_azure_tokens *
bp_azure_tokens_new(const struct bp_host *host, const struct bp_azure_config *set,
                    bp_http_client *client)
{
    pthread_condattr_t attr;
    struct bp_azure_tokens *tokens = g_new0(struct bp_azure_tokens, 1);
    tokens->host = host;
    tokens->set = set;
    tokens->client = client;
    tokens->clock = real_now_ns;
    pthread_mutex_init(&tokens->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&tokens->changed, &attr);
    pthread_condattr_destroy(&attr);
    return tokens;
}

void
bp_azure_tokens_free(struct bp_azure_tokens *tokens)
{
    if (tokens != NULL) {
        bp_secret_free(tokens->token);
        pthread_cond_destroy(&tokens->changed);
        pthread_mutex_destroy(&tokens->lock);
        g_free(tokens);
    }
}

void
bp_azure_tokens_set_clock(struct bp_azure_tokens *tokens, int64_t (*clock)(void))
{
    tokens->clock = clock;
}

static void
wipe_text(char *text)
{
    if (text != NULL) {
        bp_secret_wipe(text, strlen(text));
        g_free(text);
    }
}

static void
add_field(GString *form, const char *name, const char *value)
{
    char *encoded = bp_azure_encode(value, false);
    g_string_append_printf(form, "%s%s=%s", form->len > 0 ? "&" : "", name, encoded);
    wipe_text(encoded);
}

/* The federated token is exchanged by whoever runs the pod: it is read for each login. */
static bp_status
add_assertion(const struct bp_azure_tokens *tokens, GString *form, struct bp_error *error)
{
    gsize size;
    char *text = NULL;
    g_autoptr(GError) failed = NULL;
    const char *path = tokens->set->token_file;
    if (!g_file_get_contents(path, &text, &size, &failed)) {
        return bp_fail(error, BP_ERR_AUTH, "token_file: %s", failed->message);
    }
    g_strstrip(text);
    bool fine = size <= MAX_TOKEN_FILE && text[0] != '\0' && strlen(text) <= size;
    if (fine) {
        add_field(form, "client_assertion_type", ASSERTION_TYPE);
        add_field(form, "client_assertion", text);
    }
    bp_secret_wipe(text, size);
    g_free(text);
    return fine ? BP_OK : bp_fail(error, BP_ERR_AUTH, "token_file: %s holds no token", path);
}

static bp_status
make_form(const struct bp_azure_tokens *tokens, GString *form, struct bp_error *error)
{
    const struct bp_azure_config *set = tokens->set;
    add_field(form, "grant_type", "client_credentials");
    add_field(form, "client_id", set->client_id);
    add_field(form, "scope", SCOPE);
    if (set->login == BP_AZURE_WORKLOAD_IDENTITY) {
        return add_assertion(tokens, form, error);
    }
    add_field(form, "client_secret", bp_secret_get(set->client_secret));
    return BP_OK;
}

static char *
identity_url(const struct bp_azure_config *set)
{
    GString *query = g_string_new(NULL);
    add_field(query, "api-version", "2018-02-01");
    add_field(query, "resource", RESOURCE);
    if (set->client_id != NULL) {
        add_field(query, "client_id", set->client_id);
    }
    char *url = g_strconcat(set->identity_endpoint, "?", query->str, NULL);
    g_string_free(query, TRUE);
    return url;
}

static const char *
describe(const struct bp_azure_config *set)
{
    switch (set->login) {
    case BP_AZURE_MANAGED_IDENTITY:
        return "managed identity";
    case BP_AZURE_WORKLOAD_IDENTITY:
        return "workload identity";
    default:
        return "service principal";
    }
}

static const char *
advice_of(const struct bp_azure_config *set)
{
    switch (set->login) {
    case BP_AZURE_MANAGED_IDENTITY:
        return "check that this machine has an identity, and client_id if it has several";
    case BP_AZURE_WORKLOAD_IDENTITY:
        return "check tenant_id, client_id and the application's federated credential";
    default:
        return "check tenant_id, client_id, client_secret and authority";
    }
}

/* A number, or the digits of one: the metadata service writes them as text. */
static uint64_t
seconds_of(const json_t *member)
{
    uint64_t seconds = 0;
    if (json_is_integer(member) && json_integer_value(member) > 0) {
        seconds = (uint64_t)json_integer_value(member);
    } else if (json_is_string(member) && bp_parse_u64(json_string_value(member), &seconds) != 0) {
        seconds = 0;
    }
    return MIN(seconds, (uint64_t)7 * 24 * 3600);
}

static bp_status
class_of_login(const struct bp_azure_config *set, int status)
{
    if (status == 429 || status == 503) {
        return BP_ERR_THROTTLED;
    }
    /* 404 and 410: the metadata service is being updated. */
    bool updating = set->login == BP_AZURE_MANAGED_IDENTITY && (status == 404 || status == 410);
    return status >= 500 || status == 408 || updating ? BP_ERR_RETRYABLE : BP_ERR_AUTH;
}

static bp_status
fail_login(const struct bp_azure_tokens *tokens, int status, const json_t *answer,
           uint64_t retry_after_ms, struct bp_error *error)
{
    const char *code = json_string_value(json_object_get(answer, "error"));
    const char *text = json_string_value(json_object_get(answer, "error_description"));
    size_t len = text == NULL ? 0 : strcspn(text, "\r\n");
    bp_status cls = class_of_login(tokens->set, status);
    g_autofree char *line = g_strndup(text == NULL ? "" : text, MIN(len, 300));
    bp_azure_redact(line);
    (void)bp_fail(error, cls, "login as %s failed with status %d%s%s%s%s%s%s",
                  describe(tokens->set), status, code == NULL ? "" : ": ", code == NULL ? "" : code,
                  line[0] == '\0' ? "" : ": ", line, cls == BP_ERR_AUTH ? "; " : "",
                  cls == BP_ERR_AUTH ? advice_of(tokens->set) : "");
    error->remote_status = status;
    error->retry_after_ms = retry_after_ms;
    g_strlcpy(error->code, code == NULL ? "" : code, sizeof(error->code));
    return cls;
}

static bp_status
take_answer(const struct bp_azure_tokens *tokens, const json_t *answer, bp_secret **out,
            uint64_t *seconds, struct bp_error *error)
{
    *out = bp_secret_new(json_string_value(json_object_get(answer, "access_token")));
    *seconds = seconds_of(json_object_get(answer, "expires_in"));
    if (*out == NULL || bp_secret_get(*out)[0] == '\0' || *seconds == 0) {
        g_clear_pointer(out, bp_secret_free);
        return bp_fail(error, BP_ERR_RETRYABLE,
                       "login as %s: the answer holds no token with an end; %s",
                       describe(tokens->set), "check authority or identity_endpoint");
    }
    return BP_OK;
}

static bp_status
read_answer(const struct bp_azure_tokens *tokens, const struct bp_op *op, bp_http_exchange *x,
            bp_secret **out, uint64_t *seconds, struct bp_error *error)
{
    int code = 0;
    size_t size = 0;
    char *body = NULL;
    bp_status status = bp_http_head(x, op, &code, error);
    if (status == BP_OK) {
        status = bp_http_receive_all(x, op, MAX_ANSWER, &body, &size, error);
    }
    if (status != BP_OK) {
        return status;
    }
    json_t *answer = json_loadb(body, size, 0, NULL);
    bp_secret_wipe(body, size);
    free(body);
    status = code == 200 ? take_answer(tokens, answer, out, seconds, error)
                         : fail_login(tokens, code, answer, bp_http_retry_after_ms(x), error);
    json_decref(answer);
    return status;
}

static bp_status
fetch(const struct bp_azure_tokens *tokens, const struct bp_op *op, bp_secret **out,
      uint64_t *seconds, struct bp_error *error)
{
    static const char *const post[] = {"Content-Type: application/x-www-form-urlencoded",
                                       "Accept: application/json", NULL};
    static const char *const get[] = {"Metadata: true", "Accept: application/json", NULL};
    const struct bp_azure_config *set = tokens->set;
    bool managed = set->login == BP_AZURE_MANAGED_IDENTITY;
    bp_http_exchange *x = NULL;
    GString *form = g_string_new(NULL);
    g_autofree char *url =
        managed ? identity_url(set)
                : g_strdup_printf("%s/%s/oauth2/v2.0/token", set->authority, set->tenant_id);
    bp_status status = managed ? BP_OK : make_form(tokens, form, error);
    if (status == BP_OK) {
        const struct bp_http_request request = {.method = managed ? "GET" : "POST",
                                                .url = url,
                                                .headers = managed ? get : post,
                                                .body = managed ? NULL : form->str,
                                                .body_size = form->len};
        status = bp_http_begin(tokens->client, op, &request, &x, error);
    }
    if (status == BP_OK) {
        status = read_answer(tokens, op, x, out, seconds, error);
    }
    bp_http_end(x);
    bp_secret_wipe(form->str, form->allocated_len);
    g_string_free(form, TRUE);
    return status;
}

/* Called with the lock held. */
static void
put(struct bp_azure_tokens *tokens, bp_secret *take_token, uint64_t seconds)
{
    int64_t life = (int64_t)seconds * NS_PER_S;
    bp_secret *old = tokens->token;
    tokens->token = take_token;
    tokens->generation++;
    tokens->end_ns = tokens->clock() + life;
    /* One that lasts not even ten minutes would be renewed all the time. */
    tokens->renew_ns = tokens->end_ns - MIN(RENEW_BEFORE_NS, life / 2);
    bp_secret_free(old);
}

/* Called with the lock held, which is let go meanwhile. */
static bp_status
renew(struct bp_azure_tokens *tokens, const struct bp_op *op, struct bp_error *error)
{
    uint64_t seconds = 0;
    bp_secret *token = NULL;
    tokens->fetching = true;
    pthread_mutex_unlock(&tokens->lock);
    bp_status status = fetch(tokens, op, &token, &seconds, error);
    pthread_mutex_lock(&tokens->lock);
    tokens->fetching = false;
    pthread_cond_broadcast(&tokens->changed);
    if (status == BP_OK) {
        put(tokens, token, seconds);
        return BP_OK;
    }
    int64_t now = tokens->clock();
    if (tokens->token != NULL && now < tokens->end_ns && status != BP_ERR_CANCELLED) {
        tokens->renew_ns = now + AGAIN_AFTER_NS;
        bp_hostlog(tokens->host, op, BP_LOG_WARN, "the token could not be renewed yet: %s",
                   error->message);
        return BP_OK; /* the old one still holds */
    }
    return status;
}

/* Called with the lock held. */
static bp_status
wait_for_other(struct bp_azure_tokens *tokens, const struct bp_op *op, struct bp_error *error)
{
    int64_t until = real_now_ns() + LOOK_EVERY_NS;
    const struct timespec time = {until / NS_PER_S, until % NS_PER_S};
    (void)pthread_cond_timedwait(&tokens->changed, &tokens->lock, &time);
    if (tokens->host->cancelled(op) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "cancelled");
    }
    if (op->deadline_ns != 0 && real_now_ns() > op->deadline_ns) {
        return bp_fail(error, BP_ERR_TIMEOUT, "the deadline passed while waiting for a login");
    }
    return BP_OK;
}

bp_status
bp_azure_tokens_get(struct bp_azure_tokens *tokens, const struct bp_op *op, bp_secret **out,
                    uint64_t *generation, struct bp_error *error)
{
    bp_status status = BP_OK;
    pthread_mutex_lock(&tokens->lock);
    while (status == BP_OK) {
        int64_t now = tokens->clock();
        bool usable = tokens->token != NULL && now < tokens->end_ns;
        if (usable && (now < tokens->renew_ns || tokens->fetching)) {
            break;
        }
        status = tokens->fetching ? wait_for_other(tokens, op, error) : renew(tokens, op, error);
    }
    if (status == BP_OK) {
        *out = bp_secret_new(bp_secret_get(tokens->token));
        *generation = tokens->generation;
    }
    pthread_mutex_unlock(&tokens->lock);
    if (status == BP_OK && *out == NULL) {
        status = bp_fail(error, BP_ERR_NOMEM, "no memory for a token");
    }
    return status;
}

void
bp_azure_tokens_reject(struct bp_azure_tokens *tokens, uint64_t generation)
{
    pthread_mutex_lock(&tokens->lock);
    if (tokens->generation == generation) {
        tokens->end_ns = 0;
    }
    pthread_mutex_unlock(&tokens->lock);
}
