/* SPDX-License-Identifier: Apache-2.0
 *
 * From libcurl's codes to error classes and messages.
 */
#include <stdio.h>
#include <string.h>

#include "sdk/http/exchange.h"
#include "sdk/http/http.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define SHOWN_PATH 120
#define FIRST_PROXY_REFUSAL 300
#define PROXY_LOGIN 407

void
http_show(const char *method, const char *url, char *out, size_t cap)
{
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    size_t host_len = strcspn(host, "/?#");
    const char *at = host + host_len;
    while (at > host && at[-1] != '@') {
        at--;
    }
    size_t path_len = strcspn(at, "?#");
    int shown = path_len < SHOWN_PATH ? (int)path_len : SHOWN_PATH;
    (void)snprintf(out, cap, "%.16s %.*s%.*s%s", method, (int)(host - url), url, shown, at,
                   (size_t)shown < path_len ? "…" : "");
}

/* What a TLS handshake failed of: reset connections may heal, versions and certificates do not. */
static bp_status
class_of_handshake(const char *reason)
{
    static const char *const passing[] = {"unexpected eof", "internal error"};
    if (strstr(reason, "SSL routines") == NULL) {
        return BP_ERR_RETRYABLE;
    }
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (strstr(reason, passing[i]) != NULL) {
            return BP_ERR_RETRYABLE;
        }
    }
    return BP_ERR_PERMANENT;
}

/* TLS 1.3 servers refuse a client's certificate after the handshake, in the first read. */
static int
is_alert(const char *reason)
{
    return strstr(reason, " alert ") != NULL &&
           (strstr(reason, "certificate") != NULL || strstr(reason, "unknown ca") != NULL);
}

static bp_status
class_of(const bp_http_exchange *x, CURLcode code)
{
    long proxy = 0;
    (void)curl_easy_getinfo(x->lane->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
    if (x->no_memory) {
        return BP_ERR_NOMEM;
    }
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return BP_ERR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return BP_ERR_INVALID;
    case CURLE_UNSUPPORTED_PROTOCOL: /* of the URL, or HTTP/0.9 */
        return http_is_connected(x) ? BP_ERR_PERMANENT : BP_ERR_INVALID;
    case CURLE_OUT_OF_MEMORY:
        return BP_ERR_NOMEM;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR:
        return BP_ERR_PERMANENT;
    case CURLE_SSL_CONNECT_ERROR:
        return class_of_handshake(x->reason);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        if (proxy >= FIRST_PROXY_REFUSAL) {
            return bp_http_class((int)proxy);
        }
        return is_alert(x->reason) ? BP_ERR_PERMANENT : BP_ERR_RETRYABLE;
    default:
        return BP_ERR_RETRYABLE;
    }
}

static const char *
hint_of(const bp_http_exchange *x, CURLcode code)
{
    long proxy = 0;
    (void)curl_easy_getinfo(x->lane->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
    if (proxy == PROXY_LOGIN) {
        return "; the proxy wants a login, which its URL may hold";
    }
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        if (strstr(x->reason, "subject name") != NULL) {
            return "; its certificate is for another name";
        }
        return x->client->ca_file != NULL
                   ? "; the server's certificate was not signed by an authority in ca_file"
                   : "; for a private authority set ca_file";
    case CURLE_SSL_CERTPROBLEM:
        return "; see cert_file, key_file and the key's password";
    case CURLE_RECV_ERROR:
        return is_alert(x->reason) ? "; the server wants another client certificate" : "";
    default:
        return "";
    }
}

/* Keeps the failure, with what is known of the answer and of the request's fate. */
static void
keep(bp_http_exchange *x, bp_status cls, const char *reason, const char *hint)
{
    int is_sent = http_is_sent(x);
    (void)bp_fail(&x->failure, cls, "%s: %s%s", x->what, reason, hint);
    if (is_sent && cls != BP_ERR_INVALID) {
        x->failure.flags |= BP_ERROR_OUTCOME_UNKNOWN;
    }
    if (x->head_done) {
        bp_http_note(x, &x->failure);
    }
}

void
http_fault(bp_http_exchange *x, CURLcode code)
{
    const char *reason = x->reason[0] != '\0' ? x->reason : curl_easy_strerror(code);
    if (x->long_head) {
        reason = "the head of the answer is too long";
    } else if (x->no_memory) {
        reason = "no memory";
    } else if (code == CURLE_PARTIAL_FILE) {
        reason = "the connection closed before the end of the answer";
    }
    keep(x, class_of(x, code), reason, hint_of(x, code));
}

bp_status
http_fail(bp_http_exchange *x, bp_status cls, const char *reason)
{
    keep(x, cls, reason, "");
    return cls;
}

void
bp_http_note(const bp_http_exchange *x, struct bp_error *error)
{
    error->remote_status = x->status;
    error->retry_after_ms = bp_http_retry_after_ms(x);
    (void)snprintf(error->request_id, sizeof(error->request_id), "%s", bp_http_request_id(x));
}
