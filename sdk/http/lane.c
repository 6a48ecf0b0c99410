/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that libcurl is told about a transfer.
 */
#define _POSIX_C_SOURCE 200809L /* strncasecmp */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "sdk/http/exchange.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define KEEPALIVE_S 60L
#define MAX_HEADER ((size_t)64 * 1024)

struct http_lane *
http_lane_new(void)
{
    struct http_lane *lane = calloc(1, sizeof(*lane));
    if (lane == NULL) {
        return NULL;
    }
    lane->multi = curl_multi_init();
    lane->easy = curl_easy_init();
    if (lane->multi == NULL || lane->easy == NULL) {
        http_lane_free(lane);
        return NULL;
    }
    (void)curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, 1L);
    return lane;
}

void
http_lane_free(struct http_lane *lane)
{
    curl_easy_cleanup(lane->easy);
    (void)curl_multi_cleanup(lane->multi);
    free(lane);
}

static size_t
on_read(char *buffer, size_t size, size_t n, void *ctx)
{
    bp_http_exchange *x = ctx;
    n *= size; /* size is always 1 */
    if (x->send_left == 0) {
        if (x->send_ended) {
            return 0;
        }
        x->send_paused = 1;
        return CURL_READFUNC_PAUSE;
    }
    n = n < x->send_left ? n : x->send_left;
    memcpy(buffer, x->send_at, n);
    x->send_at += n;
    x->send_left -= n;
    x->taken += n;
    x->moved++;
    return n;
}

/* The body again from its beginning: libcurl found that a kept connection was dead. */
static int
on_seek(void *ctx, curl_off_t offset, int origin)
{
    bp_http_exchange *x = ctx;
    if (offset != 0 || origin != SEEK_SET) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    if (x->whole != NULL) {
        x->send_at = x->whole;
        x->send_left = (size_t)x->body_size;
        x->taken = 0;
    }
    return x->taken == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    bp_http_exchange *x = ctx;
    n *= size;
    size_t direct = n < x->dst_left ? n : x->dst_left;
    if (x->spill.used - x->spill_at > 0) {
        direct = 0; /* those before come first */
    }
    if (n - direct > HTTP_SPILL_MAX - x->spill.used) {
        x->recv_paused = 1;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (!http_bytes_add(&x->spill, bytes + direct, n - direct, HTTP_SPILL_MAX)) {
        x->no_memory = 1;
        return 0;
    }
    if (direct > 0) {
        memcpy(x->dst, bytes, direct);
        x->dst += direct;
        x->dst_left -= direct;
    }
    x->moved++;
    return n;
}

/* A host may start other programs: they must not inherit our connections. */
static curl_socket_t
on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    int fd = socket(address->family, address->socktype, address->protocol);
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

/* "Name: value" without control bytes: a line end in it would be a header of somebody else's. */
static int
is_header(const char *line)
{
    size_t name = strcspn(line, ": \t");
    if (name == 0 || line[name] != ':' || strlen(line) > MAX_HEADER) {
        return 0;
    }
    for (const unsigned char *c = (const unsigned char *)line; *c != '\0'; c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7F) {
            return 0;
        }
    }
    return 1;
}

static int
append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return 0;
    }
    *list = longer;
    return 1;
}

/* libcurl takes "Name:" as a wish not to send it; an empty value is spelled "Name;". */
static int
append_header(struct curl_slist **list, const char *line)
{
    size_t name = strcspn(line, ":");
    if (line[name + 1 + strspn(line + name + 1, " \t")] != '\0') {
        return append(list, line);
    }
    char *empty = malloc(name + 2);
    if (empty == NULL) {
        return 0;
    }
    memcpy(empty, line, name);
    empty[name] = ';';
    empty[name + 1] = '\0';
    int fine = append(list, empty);
    free(empty);
    return fine;
}

static bp_status
set_headers(bp_http_exchange *x, const char *const *lines, struct bp_error *error)
{
    /* No round trip to be asked for the body; no type that a signature does not know. */
    int fine = append(&x->headers, "Expect:");
    for (size_t i = 0; fine && lines != NULL && lines[i] != NULL; i++) {
        if (!is_header(lines[i])) {
            return bp_fail(error, BP_ERR_INVALID, "%s: header %.*s is malformed", x->what,
                           (int)strcspn(lines[i], ":"), lines[i]);
        }
        fine = append_header(&x->headers, lines[i]);
    }
    if (!fine) {
        return bp_fail(error, BP_ERR_NOMEM, "%s: no memory", x->what);
    }
    (void)curl_easy_setopt(x->lane->easy, CURLOPT_HTTPHEADER, x->headers);
    return BP_OK;
}

static void
set_tls(CURL *easy, const bp_http_client *client)
{
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, client->min_tls);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, client->min_tls);
    if (client->ca_file != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
        (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, client->ca_file);
        (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    } else if (client->has_ca_folder) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
    }
    if (client->cert_file != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_SSLCERT, client->cert_file);
        (void)curl_easy_setopt(easy, CURLOPT_SSLKEY,
                               client->key_file != NULL ? client->key_file : client->cert_file);
        /* Without one, OpenSSL asks on the terminal. */
        (void)curl_easy_setopt(easy, CURLOPT_KEYPASSWD, bp_secret_get(client->key_password));
    }
}

static void
set_net(CURL *easy, const bp_http_client *client)
{
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A cancel does not wait for a name server. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* One transfer on a connection: HTTP/2 would bring its windows and nothing else. */
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* Set, and be it to nothing: else the environment is asked. */
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, bp_secret_get(client->proxy));
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, HTTP_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER_BYTES);
    if (client->user_agent != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    }
}

static void
set_callbacks(CURL *easy, bp_http_exchange *x)
{
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->reason);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, x);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, x);
}

/* libcurl's upload mode for every method with a body: it adds no type of its own. */
static void
set_method(CURL *easy, const bp_http_exchange *x, const char *method)
{
    if (x->has_body) {
        (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                               x->body_size == BP_UNKNOWN ? (curl_off_t)-1
                                                          : (curl_off_t)x->body_size);
    } else if (strcmp(method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static int
is_method(const char *method)
{
    return method[0] != '\0' && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(method);
}

bp_status
http_lane_configure(bp_http_exchange *x, const struct bp_http_request *request,
                    struct bp_error *error)
{
    CURL *easy = x->lane->easy;
    const char *method = request->method != NULL ? request->method : "GET";
    if (!is_method(method)) {
        return bp_fail(error, BP_ERR_INVALID, "%s: not a method", x->what);
    }
    set_net(easy, x->client);
    set_tls(easy, x->client);
    set_callbacks(easy, x);
    set_method(easy, x, method);
    if (request->fresh) {
        (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* as it was signed */
    if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK) {
        return bp_fail(error, BP_ERR_NOMEM, "%s: no memory", x->what);
    }
    return set_headers(x, request->headers, error);
}
