/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "plugins/storage-s3/info.h"
#include "plugins/storage-s3/list.h"
#include "plugins/storage-s3/read.h"
#include "plugins/storage-s3/remove.h"
#include "plugins/storage-s3/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"

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
        g_strlcpy(first, key, BP_KEY_MAX + 1);
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
find_first(struct bp_storage *storage, const struct bp_op *op, const char *prefix, char *first,
           struct bp_error *error)
{
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = prefix, .max = 1};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                      .ctx = first,
                                      .entry = take_first,
                                      .prefix = ignore_text,
                                      .next = ignore_text};
    first[0] = '\0';
    return bp_s3_list(storage, op, &args, &sink, error);
}

static bp_status
read_one(struct bp_storage *storage, const struct bp_op *op, const char *key,
         struct bp_error *error)
{
    struct bp_reader *reader;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {.struct_size = sizeof(args), .key = key, .length = 1};
    bp_status status = bp_s3_read_open(storage, op, &args, &meta, &reader, error);
    if (status == BP_OK) {
        bp_s3_read_close(reader);
    }
    return status;
}

static bp_status
write_scratch(struct bp_storage *storage, const struct bp_op *op, const char *key, uint32_t flags,
              struct bp_error *error)
{
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    size_t n = sizeof(scratch_text) - 1;
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .flags = flags, .key = key, .size = n};
    bp_status status = bp_s3_writer_new(storage, op, &args, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_s3_write(writer, op, scratch_text, n, error);
    if (status != BP_OK) {
        bp_s3_write_abort(writer, op);
        return status;
    }
    return bp_s3_write_commit(writer, op, &meta, error);
}

static bp_status
scratch_key(const char *prefix, char key[BP_KEY_MAX + 1], struct bp_error *error)
{
    uint64_t random = 0;
    char name[48];
    const char *slash = strrchr(prefix, '/');
    g_autofree char *dir = g_strndup(prefix, slash == NULL ? 0 : (size_t)(slash - prefix));
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        random = (uint64_t)g_get_monotonic_time();
    }
    (void)snprintf(name, sizeof(name), ".bakplane-probe-%016" PRIx64, random);
    if (bp_key_join(key, BP_KEY_MAX + 1, dir, name) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": too long to write below it", prefix);
    }
    return BP_OK;
}

/* Some stores take the condition and do not look at it. */
static bp_status
try_exclusive(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_error *error)
{
    bp_status status = write_scratch(storage, op, key, BP_WRITE_IF_NONE_MATCH, error);
    if (status == BP_ERR_EXISTS) {
        return BP_OK;
    }
    if (status == BP_OK || status == BP_ERR_UNSUPPORTED) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "the store of bucket %s does not keep exclusive creation: a second one was "
                       "accepted; set conditional_writes: false for this storage and lock: "
                       "advisory for backups",
                       storage->set.bucket);
    }
    return status;
}

static bp_status
try_write(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
          struct bp_error *error)
{
    char key[BP_KEY_MAX + 1];
    bool exclusive = (args->need & BP_NEED_EXCLUSIVE) != 0;
    bp_status status = scratch_key(args->prefix, key, error);
    if (status == BP_OK) {
        status = write_scratch(storage, op, key, exclusive ? BP_WRITE_IF_NONE_MATCH : 0, error);
    }
    if (status != BP_OK && (error->flags & BP_ERROR_OUTCOME_UNKNOWN) == 0) {
        return status;
    }
    if (status == BP_OK && exclusive) {
        status = try_exclusive(storage, op, key, error);
    }
    if (status == BP_OK && (args->need & BP_NEED_READ) != 0) {
        status = read_one(storage, op, key, error);
    }
    struct bp_op undo_op;
    struct bp_error undo = {.struct_size = sizeof(undo)};
    bp_s3_undo_op(op, &undo_op);
    bp_status removed = bp_s3_remove(storage, &undo_op, key, NULL, status == BP_OK ? error : &undo);
    return status == BP_OK ? removed : status;
}

static bp_status
try_all(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
        struct bp_error *error)
{
    char first[BP_KEY_MAX + 1] = "";
    bp_status status = BP_OK;
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    if ((args->need & (BP_NEED_LIST | BP_NEED_READ)) != 0) {
        status = find_first(storage, op, args->prefix, first, error);
    }
    if (status == BP_OK && writes) {
        status = try_write(storage, op, args, error);
    }
    if (status == BP_OK && (args->need & BP_NEED_READ) != 0 && first[0] != '\0') {
        status = read_one(storage, op, first, error);
        if (status == BP_ERR_NOT_FOUND) {
            status = BP_OK; /* it was there a moment ago */
        }
    }
    return status;
}

static bp_status
create_bucket(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    struct bp_s3_request request;
    g_autofree char *region = bp_s3_region(storage);
    g_autofree char *body =
        g_strdup_printf("<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint>"
                        "</CreateBucketConfiguration>",
                        region);
    bp_s3_request_init(&request, "PUT", "create bucket", NULL);
    if (strcmp(region, "us-east-1") != 0 && strcmp(region, "auto") != 0) {
        request.body = body;
        request.body_size = strlen(body);
    }
    bp_status status = bp_s3_send_simple(storage, op, &request, error);
    bp_s3_request_clear(&request);
    if (status == BP_OK) {
        bp_hostlog(storage->host, op, BP_LOG_INFO, "created bucket %s in region %s",
                   storage->set.bucket, region);
    }
    /* Another run was faster. */
    return strcmp(error->code, "BucketAlreadyOwnedByYou") == 0 ? BP_OK : status;
}

bp_status
bp_s3_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
            struct bp_error *error)
{
    const char *why;
    bp_status status = bp_s3_check_flags(args->need, KNOWN_NEEDS, error);
    if (status == BP_OK && bp_key_check_prefix(args->prefix, &why) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": %s", args->prefix, why);
    }
    if (status == BP_OK) {
        status = try_all(storage, op, args, error);
    }
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    if (status == BP_ERR_NOT_FOUND && strcmp(error->code, "NoSuchBucket") == 0 && writes &&
        storage->set.create_bucket) {
        error->code[0] = '\0';
        status = create_bucket(storage, op, error);
        if (status == BP_OK) {
            status = try_all(storage, op, args, error);
        }
    }
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "with which rights another program reads bucket %s cannot be seen from "
                         "here",
                         storage->set.bucket);
    }
    return status;
}
