/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks that storage plugins share.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "sdk/lib/storage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static int64_t
monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

bp_status
bp_check_op(const struct bp_host *host, const struct bp_op *op, struct bp_error *error)
{
    if (host->cancelled(op) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "cancelled");
    }
    if (op->deadline_ns != 0 && monotonic_ns() > op->deadline_ns) {
        return bp_fail(error, BP_ERR_TIMEOUT, "the deadline passed");
    }
    return BP_OK;
}

void
bp_undo_op(const struct bp_op *op, uint32_t ms, struct bp_op *out)
{
    (void)op; /* of another minor, perhaps, and its host_private is for the call that it is of */
    *out = (struct bp_op){
        .struct_size = (uint32_t)sizeof(*out),
        .deadline_ns = monotonic_ns() + ms * NS_PER_MS,
    };
}

bp_status
bp_check_flags(uint32_t flags, uint32_t known, struct bp_error *error)
{
    if ((flags & ~known) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "unknown flags 0x%" PRIx32, flags & ~known);
    }
    return BP_OK;
}

void
bp_meta_clear(struct bp_object_meta *out)
{
    bp_result_clear(out, sizeof(*out));
}

void
bp_info_clear(struct bp_storage_info *out)
{
    bp_result_clear(out, sizeof(*out));
}

/* One that fills its array would be taken for one that was cut. */
static int
keep_whole(char *out, size_t cap, int n)
{
    if (n >= 0 && (size_t)n < cap - 1) {
        return 0;
    }
    out[0] = '\0';
    return -1;
}

int
bp_put_whole(char *out, size_t cap, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out, cap, format, args);
    va_end(args);
    return keep_whole(out, cap, n);
}

int
bp_put_identity(char *out, size_t cap, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out, cap, format, args);
    va_end(args);
    int status = keep_whole(out, cap, n);
    for (size_t end = strlen(out); end > 0 && out[end - 1] == '/'; end--) {
        out[end - 1] = '\0';
    }
    return status;
}

bp_status
bp_check_list(const struct bp_list_args *args, struct bp_error *error)
{
    const char *why;
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK && bp_key_check_prefix(args->prefix, &why) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": %s", args->prefix, why);
    }
    if (status == BP_OK && args->delimiter != 0 && args->delimiter != '/') {
        status = bp_fail(error, BP_ERR_INVALID, "the delimiter can only be '/'");
    }
    return status;
}

bp_status
bp_check_empty_read(const struct bp_read_args *args, uint64_t size, struct bp_error *error)
{
    if (args->offset > size) {
        return bp_fail(error, BP_ERR_RANGE,
                       "object %s: offset %" PRIu64 " is beyond its end at %" PRIu64, args->key,
                       args->offset, size);
    }
    if (args->offset < size && args->length != 0) {
        return bp_fail(error, BP_ERR_RETRYABLE,
                       "object %s: the store says that offset %" PRIu64
                       " is beyond its end, and that it has %" PRIu64 " bytes",
                       args->key, args->offset, size);
    }
    return BP_OK;
}

bp_status
bp_check_written(const struct bp_written *written, struct bp_error *error)
{
    if (written->announced != BP_UNKNOWN && written->written != written->announced) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: %" PRIu64 " bytes were announced, %" PRIu64 " written",
                       written->key, written->announced, written->written);
    }
    if (written->sum != NULL && !bp_checksum_equal(written->sum, written->want)) {
        return bp_fail(error, BP_ERR_CORRUPT,
                       "object %s: what was written does not have the announced %s checksum",
                       written->key, bp_checksum_kind_name(written->sum->kind));
    }
    return BP_OK;
}
