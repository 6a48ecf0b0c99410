/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying rights.  The scratch object's name is random: several jobs may do this at a time.
 */
#define _GNU_SOURCE /* getrandom */

#include "sdk/lib/probe.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define KNOWN_NEEDS \
    (BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE | BP_NEED_SERVER_READ)

static const char scratch_text[] = "bakplane probe\n";

static int32_t
take_first(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    char *first = ctx;
    (void)meta;
    if (first[0] == '\0') {
        (void)snprintf(first, BP_KEY_MAX + 1, "%s", key);
    }
    return 0;
}

static int32_t
ignore_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return 0;
}

/* "" when there is none. */
static bp_status
find_first(const struct bp_probe_params *params, const struct bp_op *op, const char *prefix,
           char *first, struct bp_error *error)
{
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = prefix, .max = 1};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                      .ctx = first,
                                      .entry = take_first,
                                      .prefix = ignore_text,
                                      .next = ignore_text};
    return params->ops->list(params->storage, op, &args, &sink, error);
}

static bp_status
open_one(const struct bp_probe_params *params, const struct bp_op *op, const char *key,
         struct bp_error *error)
{
    struct bp_reader *reader;
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = BP_UNKNOWN};
    const struct bp_read_args args = {.struct_size = sizeof(args), .key = key, .length = 1};
    bp_status status = params->ops->read_open(params->storage, op, &args, &meta, &reader, error);
    if (status == BP_OK) {
        params->ops->read_close(reader);
    }
    return status;
}

/* Durable, so that it is there at once and not at the next barrier. */
static bp_status
write_scratch(const struct bp_probe_params *params, const struct bp_op *op, const char *key,
              bool exclusive, struct bp_error *error)
{
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = BP_UNKNOWN};
    size_t n = sizeof(scratch_text) - 1;
    const struct bp_write_args args = {
        .struct_size = sizeof(args),
        .flags = BP_WRITE_DURABLE | (exclusive ? BP_WRITE_IF_NONE_MATCH : 0),
        .key = key,
        .size = n,
    };
    bp_status status = params->ops->write_open(params->storage, op, &args, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    status = params->ops->write(writer, op, scratch_text, n, error);
    if (status != BP_OK) {
        struct bp_op undo;
        bp_undo_op(op, BP_UNDO_MS, &undo);
        params->ops->write_abort(writer, &undo);
        return status;
    }
    return params->ops->write_commit(writer, op, &meta, error);
}

static bp_status
scratch_key(const char *prefix, char key[BP_KEY_MAX + 1], struct bp_error *error)
{
    uint64_t random = 0;
    char name[48], dir[BP_KEY_MAX + 1];
    const char *slash = strrchr(prefix, '/');
    (void)snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 0 : (int)(slash - prefix), prefix);
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        random = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    }
    (void)snprintf(name, sizeof(name), ".bakplane-probe-%016" PRIx64, random);
    if (bp_key_join(key, BP_KEY_MAX + 1, dir, name) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": too long to write below it", prefix);
    }
    return BP_OK;
}

/* Some stores take the condition and do not look at it. */
static bp_status
try_exclusive(const struct bp_probe_params *params, const struct bp_op *op, const char *key,
              struct bp_error *error)
{
    bp_status status = write_scratch(params, op, key, true, error);
    if (status == BP_ERR_EXISTS) {
        return BP_OK;
    }
    if (status == BP_OK || status == BP_ERR_UNSUPPORTED) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "%s does not keep exclusive creation: a second one was accepted%s%s",
                       params->where, params->advice != NULL ? "; " : "",
                       params->advice != NULL ? params->advice : "");
    }
    return status;
}

/* With the operation that wrote it, and where that is over, or is so meanwhile, with another. */
static bp_status
remove_scratch(const struct bp_probe_params *params, const struct bp_op *op, const char *key,
               struct bp_error *error)
{
    struct bp_op undo;
    bp_status status = params->ops->remove(params->storage, op, key, NULL, error);
    if (status != BP_ERR_CANCELLED && status != BP_ERR_TIMEOUT) {
        return status;
    }
    bp_undo_op(op, BP_UNDO_MS, &undo);
    return params->ops->remove(params->storage, &undo, key, NULL, error);
}

static bp_status
try_write(const struct bp_probe_params *params, const struct bp_op *op,
          const struct bp_probe_args *args, struct bp_error *error)
{
    char key[BP_KEY_MAX + 1];
    bool exclusive = (args->need & BP_NEED_EXCLUSIVE) != 0;
    bp_status status = scratch_key(args->prefix, key, error);
    if (status == BP_OK) {
        status = write_scratch(params, op, key, exclusive, error);
    }
    if (status != BP_OK && (error->flags & BP_ERROR_OUTCOME_UNKNOWN) == 0) {
        return status;
    }
    if (status == BP_OK && exclusive) {
        status = try_exclusive(params, op, key, error);
    }
    if (status == BP_OK && (args->need & BP_NEED_READ) != 0) {
        status = open_one(params, op, key, error);
    }
    struct bp_error undo = {.struct_size = sizeof(undo)};
    bp_status removed = remove_scratch(params, op, key, status == BP_OK ? error : &undo);
    return status == BP_OK ? removed : status;
}

bp_status
bp_probe_rights(const struct bp_probe_params *params, const struct bp_op *op,
                const struct bp_probe_args *args, struct bp_error *error)
{
    const char *why;
    char first[BP_KEY_MAX + 1] = "";
    bp_status status = bp_check_flags(args->need, KNOWN_NEEDS, error);
    if (status == BP_OK && bp_key_check_prefix(args->prefix, &why) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": %s", args->prefix, why);
    }
    if (status == BP_OK && (args->need & (BP_NEED_LIST | BP_NEED_READ)) != 0) {
        status = find_first(params, op, args->prefix, first, error);
    }
    if (status == BP_OK && (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0) {
        status = try_write(params, op, args, error);
    }
    if (status == BP_OK && (args->need & BP_NEED_READ) != 0 && first[0] != '\0') {
        status = open_one(params, op, first, error);
        if (status == BP_ERR_NOT_FOUND) {
            status = BP_OK; /* it was there a moment ago */
        }
    }
    return status;
}
