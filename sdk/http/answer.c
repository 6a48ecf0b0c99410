/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an answer: status, headers, and what is read from them.
 */
#define _POSIX_C_SOURCE 200809L /* strncasecmp */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sdk/http/exchange.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define FIRST_ROOM ((size_t)1024)

/* The longest pause that is passed on. */
#define RETRY_AFTER_MAX_S UINT64_C(86400)

int
http_bytes_add(struct http_bytes *bytes, const char *from, size_t n, size_t max)
{
    if (n > max - bytes->used) {
        return 0;
    }
    if (n > bytes->room - bytes->used) {
        size_t room = bytes->room == 0 ? FIRST_ROOM : bytes->room;
        while (room < bytes->used + n) {
            room *= 2;
        }
        room = room < max ? room : max;
        char *grown = realloc(bytes->at, room);
        if (grown == NULL) {
            return 0;
        }
        bytes->at = grown;
        bytes->room = room;
    }
    if (n > 0) {
        memcpy(bytes->at + bytes->used, from, n);
        bytes->used += n;
    }
    return 1;
}

void
http_bytes_clear(struct http_bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct http_bytes){0};
}

/* "HTTP/1.1 200 OK": 200. */
static int
status_of(const char *line, size_t n)
{
    const char *blank = memchr(line, ' ', n);
    int status = 0;
    if (blank == NULL) {
        return 0;
    }
    for (const char *c = blank + 1; c < line + n && *c >= '0' && *c <= '9' && status < 1000; c++) {
        status = status * 10 + (*c - '0');
    }
    return status;
}

static int
keep_line(bp_http_exchange *x, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);
    if (colon == NULL) {
        return 1; /* libcurl has refused what is no header */
    }
    const char *value = colon + 1;
    const char *end = line + n;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t name_len = (size_t)(colon - line);
    size_t value_len = (size_t)(end - value);
    return http_bytes_add(&x->lines, line, name_len, HTTP_HEADERS_MAX) &&
           http_bytes_add(&x->lines, "", 1, HTTP_HEADERS_MAX) &&
           http_bytes_add(&x->lines, value, value_len, HTTP_HEADERS_MAX) &&
           http_bytes_add(&x->lines, "", 1, HTTP_HEADERS_MAX);
}

/* One line at a time, status lines and the empty line at the end too; trailers of a chunked body
 * come here as well. */
size_t
http_on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    bp_http_exchange *x = ctx;
    size_t given = n * size;
    size_t len = given;
    x->moved++;
    while (len > 0 && (bytes[len - 1] == '\r' || bytes[len - 1] == '\n')) {
        len--;
    }
    if (x->head_done) {
        return given; /* a trailer */
    }
    if (!x->head_begun || (len > 5 && strncmp(bytes, "HTTP/", 5) == 0)) {
        x->head_begun = 1;
        x->status = status_of(bytes, len);
        x->lines.used = 0;
        return given;
    }
    if (len == 0) {
        x->head_done = x->status >= 200; /* 1xx: the answer is still to come */
        return given;
    }
    if (len + 2 > HTTP_HEADERS_MAX - x->lines.used) {
        x->long_head = 1;
        return 0;
    }
    if (!keep_line(x, bytes, len)) {
        x->no_memory = 1;
        return 0;
    }
    return given;
}

/* Steps through name, value, name, value …; NULL at the end. */
static const char *
next_line(const bp_http_exchange *x, const char *name)
{
    if (x->lines.used == 0) {
        return NULL;
    }
    if (name == NULL) {
        return x->lines.at;
    }
    name += strlen(name) + 1;
    name += strlen(name) + 1;
    return name < x->lines.at + x->lines.used ? name : NULL;
}

const char *
bp_http_header(const bp_http_exchange *x, const char *name)
{
    const char *value = NULL;
    for (const char *at = next_line(x, NULL); at != NULL; at = next_line(x, at)) {
        if (strcasecmp(at, name) == 0) {
            value = at + strlen(at) + 1;
        }
    }
    return value;
}

int
bp_http_header_at(const bp_http_exchange *x, const char *prefix, size_t n, const char **name,
                  const char **value)
{
    size_t len = strlen(prefix);
    for (const char *at = next_line(x, NULL); at != NULL; at = next_line(x, at)) {
        if (strncasecmp(at, prefix, len) == 0 && n-- == 0) {
            *name = at;
            *value = at + strlen(at) + 1;
            return 1;
        }
    }
    return 0;
}

/* By the server's own clock where it tells it: ours may be wrong. */
static uint64_t
seconds_until(const bp_http_exchange *x, const char *date)
{
    const char *sent = bp_http_header(x, "Date");
    time_t then = curl_getdate(date, NULL);
    time_t now = sent != NULL ? curl_getdate(sent, NULL) : -1;
    if (now == -1) {
        now = time(NULL);
    }
    return then != -1 && then > now ? (uint64_t)(then - now) : 0;
}

uint64_t
bp_http_retry_after_ms(const bp_http_exchange *x)
{
    static const char *const in_ms[] = {"x-ms-retry-after-ms", "retry-after-ms"};
    const char *value = NULL;
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof(in_ms) / sizeof(in_ms[0]); i++) {
        value = bp_http_header(x, in_ms[i]);
        if (value != NULL && bp_parse_u64(value, &number) == 0) {
            return number < RETRY_AFTER_MAX_S * 1000 ? number : RETRY_AFTER_MAX_S * 1000;
        }
    }
    value = bp_http_header(x, "Retry-After");
    if (value == NULL) {
        return 0;
    }
    if (bp_parse_u64(value, &number) != 0) {
        number = seconds_until(x, value);
    }
    return (number < RETRY_AFTER_MAX_S ? number : RETRY_AFTER_MAX_S) * 1000;
}

const char *
bp_http_request_id(const bp_http_exchange *x)
{
    static const char *const names[] = {"x-amz-request-id", "x-ms-request-id", "x-request-id"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = bp_http_header(x, names[i]);
        if (value != NULL) {
            return value;
        }
    }
    return "";
}
