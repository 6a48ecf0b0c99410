/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranges of objects.
 */
#include "sdk/http/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define UNIT "bytes "
#define DIGITS 24

static int
is_whole(const struct bp_read_args *args)
{
    return args->offset == 0 && args->length == BP_UNKNOWN;
}

void
bp_http_range(const struct bp_read_args *args, char out[BP_HTTP_RANGE])
{
    int has_end = args->length != BP_UNKNOWN && args->length - 1 <= UINT64_MAX - args->offset;
    out[0] = '\0';
    if (has_end) {
        (void)snprintf(out, BP_HTTP_RANGE, "bytes=%" PRIu64 "-%" PRIu64, args->offset,
                       args->offset + args->length - 1);
    } else if (!is_whole(args)) {
        (void)snprintf(out, BP_HTTP_RANGE, "bytes=%" PRIu64 "-", args->offset);
    }
}

/* A number up to `end`, behind which *text then stands. */
static int
take_number(const char **text, char end, uint64_t *out)
{
    char digits[DIGITS];
    const char *stop = end == '\0' ? *text + strlen(*text) : strchr(*text, end);
    if (stop == NULL || (size_t)(stop - *text) >= sizeof(digits)) {
        return -1;
    }
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(stop - *text), *text);
    *text = stop + (end == '\0' ? 0 : 1);
    return bp_parse_u64(digits, out);
}

/* "bytes 5-9/10" */
static int
parse_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *size)
{
    if (text == NULL || strncmp(text, UNIT, strlen(UNIT)) != 0) {
        return -1;
    }
    text += strlen(UNIT);
    return take_number(&text, '-', first) == 0 && take_number(&text, '/', last) == 0 &&
                   take_number(&text, '\0', size) == 0 && *first <= *last && *last < *size
               ? 0
               : -1;
}

/* A range that begins where the object ends should be refused; Azurite sends "bytes 0--1/0". */
static int
is_nothing(const char *range, const char *length, uint64_t offset, uint64_t *size)
{
    const char *slash = range == NULL ? NULL : strchr(range, '/');
    return slash != NULL && length != NULL && strcmp(length, "0") == 0 &&
           bp_parse_u64(slash + 1, size) == 0 && *size == offset;
}

static bp_status
fail_range(const struct bp_read_args *args, const char *range, struct bp_error *error)
{
    return bp_fail(error, BP_ERR_PERMANENT,
                   "object %s: asked for bytes from %" PRIu64 " on, the server sends \"%s\"",
                   args->key, args->offset, range == NULL ? "all" : range);
}

/* Nobody asked for a part: it would pass for the whole. */
static int
is_part(const char *range, const char *length)
{
    uint64_t first = 0, last = 0, size = 0;
    return range != NULL && !is_nothing(range, length, 0, &size) &&
           (parse_range(range, &first, &last, &size) != 0 || first != 0 || last + 1 != size);
}

bp_status
bp_http_body_open(struct bp_http_body *body, bp_http_exchange *x, const struct bp_read_args *args,
                  uint64_t *size, struct bp_error *error)
{
    uint64_t first = 0, last = 0;
    const char *length = bp_http_header(x, "Content-Length");
    const char *range = bp_http_header(x, "Content-Range");
    *body = (struct bp_http_body){.x = x};
    (void)snprintf(body->key, sizeof(body->key), "%s", args->key);
    if (is_whole(args)) {
        if (is_part(range, length)) {
            return fail_range(args, range, error);
        }
        if (length == NULL || bp_parse_u64(length, size) != 0) {
            return bp_fail(error, BP_ERR_RETRYABLE, "object %s: the server does not tell its size",
                           args->key);
        }
        body->left = *size;
        return BP_OK;
    }
    if (is_nothing(range, length, args->offset, size)) {
        return BP_OK;
    }
    if (parse_range(range, &first, &last, size) != 0 || first != args->offset ||
        last - first >= args->length) {
        return fail_range(args, range, error);
    }
    body->left = last - first + 1;
    return BP_OK;
}

bp_status
bp_http_body_read(struct bp_http_body *body, const struct bp_op *op, void *buffer, size_t cap,
                  size_t *n, struct bp_error *error)
{
    *n = 0;
    if (body->left == 0) {
        return BP_OK;
    }
    if (cap == 0) {
        return bp_fail(error, BP_ERR_INVALID, "object %s: read into an empty buffer", body->key);
    }
    size_t want = cap < body->left ? cap : (size_t)body->left;
    bp_status status = bp_http_receive(body->x, op, buffer, want, n, error);
    if (status == BP_OK && *n == 0) {
        status = bp_fail(error, BP_ERR_RETRYABLE,
                         "object %s: the answer ended %" PRIu64 " bytes too early", body->key,
                         body->left);
    }
    body->left -= *n;
    return status;
}
