/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of uploads in parts.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/crowd.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/upload.h"

#include "sdk/lib/ban.h"

static void
open_store(struct bp_kit *kit, struct bp_kit_store *store)
{
    bp_kit_store_open(kit, NULL, 0, store);
    bp_kit_upload_need(store);
}

/* Completes, and what was put together has to be all of it. */
static void
complete(const struct bp_kit_upload *upload)
{
    struct bp_error error;
    struct bp_object_meta told, found;
    const struct bp_kit_store *store = upload->store;
    bp_status status = bp_kit_upload_try_complete(upload, 0, &told, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "part_complete of %s", upload->key);
    bp_kit_sync(store);
    bp_kit_stat(store, upload->key, &found);
    if (told.size != upload->n || found.size != upload->n ||
        strncmp(told.etag, found.etag, sizeof told.etag) != 0) {
        bp_kit_fail(store->kit,
                    "of %zu bytes part_complete says %" PRIu64 ", etag \"%s\", and stat %" PRIu64
                    ", etag \"%s\"",
                    upload->n, told.size, told.etag, found.size, found.etag);
    }
    bp_kit_expect_content(store, upload->key, upload->bytes, upload->n);
}

static void
check_whole(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    for (unsigned n_parts = 1; n_parts <= 3; n_parts += 2) {
        bp_kit_upload_begin(&store, bp_kit_key(kit, "object %u+%%", n_parts), n_parts, &upload);
        for (unsigned number = 1; number <= n_parts; number++) {
            bp_kit_expect_missing(&store, upload.key, "before part_complete");
            bp_kit_upload_part(&upload, number);
        }
        bp_kit_expect_missing(&store, upload.key, "after all parts and before part_complete");
        complete(&upload);
    }
    bp_kit_store_close(&store);
}

static void
check_order(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 3, &upload);
    bp_kit_upload_part(&upload, 3);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&upload, 2);
    complete(&upload);
    bp_kit_store_close(&store);
}

static void
check_repeated(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_status status = bp_kit_upload_try_part(&upload, 1, 77, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "part 1 with other content");
    bp_kit_upload_part(&upload, 2);
    bp_kit_upload_part(&upload, 1);
    complete(&upload);
    bp_kit_store_close(&store);
}

static void
check_missing(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_kit_upload_part(&upload, 1);
    upload.etags[1] = bp_kit_dup(upload.etags[0]);
    bp_status status = bp_kit_upload_try_complete(&upload, 0, &meta, &error);
    if (status == BP_OK) {
        bp_kit_fail(kit, "part_complete with a part that was never written answered ok");
    }
    bp_kit_expect_missing(&store, upload.key, "after a part_complete that failed");
    bp_kit_store_close(&store);
}

static void
check_twice(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&upload, 2);
    complete(&upload);
    bp_status status = bp_kit_upload_try_complete(&upload, 0, &meta, &error);
    if (status != BP_OK || meta.size != upload.n) {
        bp_kit_expect(kit, status, BP_ERR_NOT_FOUND, &error, "part_complete of a completed upload");
    }
    bp_kit_expect_content(&store, upload.key, upload.bytes, upload.n);
    bp_kit_store_close(&store);
}

static void
check_exclusive(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_store_need(&store, BP_STORE_IF_NONE_MATCH, "IF_NONE_MATCH");
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&upload, 2);
    bp_kit_put(&store, upload.key, "taken", 5);
    bp_status status = bp_kit_upload_try_complete(&upload, BP_WRITE_IF_NONE_MATCH, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error,
                  "part_complete with IF_NONE_MATCH to a key that is taken");
    bp_kit_expect_content(&store, upload.key, "taken", 5);
    bp_kit_store_close(&store);
}

static void
complete_version(const struct bp_kit_store *store, const char *key, const char *if_match,
                 bp_status wanted, const char *what)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_upload upload;
    bp_kit_upload_begin(store, key, 2, &upload);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&upload, 2);
    upload.if_match = if_match;
    bp_status status = bp_kit_upload_try_complete(&upload, 0, &meta, &error);
    bp_kit_expect(store->kit, status, wanted, &error, "part_complete with if_match %s", what);
    if (wanted == BP_OK) {
        bp_kit_expect_content(store, key, upload.bytes, upload.n);
    } else {
        (void)bp_kit_upload_try_abort(&upload, store, &error); /* it may have ended already */
    }
}

static void
check_if_match(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_object_meta old, now;
    open_store(kit, &store);
    bp_kit_store_need(&store, BP_STORE_IF_MATCH, "IF_MATCH");
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "first", 5);
    bp_kit_stat(&store, key, &old);
    bp_kit_remove(&store, key);
    complete_version(&store, key, old.etag, BP_ERR_EXISTS, "of a version that was removed");
    bp_kit_expect_missing(&store, key, "after a part_complete that failed");
    bp_kit_put(&store, key, "second", 6);
    complete_version(&store, key, old.etag, BP_ERR_EXISTS, "of a version that was replaced");
    bp_kit_expect_content(&store, key, "second", 6);
    bp_kit_stat(&store, key, &now);
    complete_version(&store, key, now.etag, BP_OK, "of the version that is there");
    bp_kit_store_close(&store);
}

static void
check_part_abort(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_writer *writer = NULL;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    struct bp_part_args args = {.struct_size = sizeof args,
                                .key = upload.key,
                                .upload = upload.id,
                                .number = 1,
                                .size = upload.part};
    bp_error_init(&error);
    bp_kit_step(kit, "part_open", upload.key);
    bp_status status = kit->ops.part_open(store.it, bp_kit_context(NULL), &args, &writer, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "part_open");
    bp_kit_write(&store, writer, upload.bytes + 1, 1000);
    bp_kit_write_abort(&store, writer);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&upload, 2);
    complete(&upload);
    bp_kit_store_close(&store);
}

struct parallel {
    struct bp_kit_upload *upload;
    bp_status status[BP_KIT_PARTS_MAX];
    struct bp_error error[BP_KIT_PARTS_MAX];
};

static void
write_one(void *ctx, unsigned i)
{
    struct parallel *self = ctx;
    self->status[i] = bp_kit_upload_try_part(self->upload, i + 1, 0, &self->error[i]);
}

static void
check_parallel(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_kit_upload upload;
    struct parallel *self = bp_kit_alloc(1, sizeof *self);
    open_store(kit, &store);
    bp_kit_store_need(&store, BP_STORE_PARTS_PARALLEL, "PARTS_PARALLEL");
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 6, &upload);
    self->upload = &upload;
    bp_kit_crowd(kit, 6, write_one, self);
    for (unsigned i = 0; i < 6; i++) {
        bp_kit_expect(kit, self->status[i], BP_OK, &self->error[i], "part %u beside others", i + 1);
    }
    complete(&upload);
    bp_kit_store_close(&store);
}

static void
expect_ended(struct bp_kit_upload *upload)
{
    struct bp_error error;
    struct bp_object_meta meta;
    const struct bp_kit *kit = upload->store->kit;
    bp_kit_expect_missing(upload->store, upload->key, "after part_abort");
    if (bp_kit_store_can(upload->store, BP_STORE_PARTS_EXPIRE)) {
        return; /* what expires may stay for a while */
    }
    upload->n_parts = 1;
    upload->n = upload->part;
    bp_status status = bp_kit_upload_try_complete(upload, 0, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_NOT_FOUND, &error, "part_complete after part_abort");
    bp_kit_expect_missing(upload->store, upload->key, "after part_abort");
}

static void
check_abort(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_kit_upload_part(&upload, 1);
    bp_status status = bp_kit_upload_try_abort(&upload, &store, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "part_abort");
    expect_ended(&upload);
    bp_kit_store_close(&store);
}

/* A later run has nothing but key and id. */
static void
check_abort_later(struct bp_kit *kit)
{
    struct bp_kit_store store, later;
    struct bp_error error;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_kit_upload_part(&upload, 1);
    bp_kit_store_close(&store);
    bp_kit_store_open(kit, NULL, 0, &later);
    upload.store = &later;
    bp_status status = bp_kit_upload_try_abort(&upload, &later, &error);
    if (status != BP_ERR_NOT_FOUND) { /* it may have ended with its instance */
        bp_kit_expect(kit, status, BP_OK, &error, "part_abort through a later instance");
    }
    expect_ended(&upload);
    bp_kit_store_close(&later);
}

static void
check_list(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_upload upload, other;
    open_store(kit, &store);
    if (kit->ops.uploads_list == NULL) {
        bp_kit_skip(kit, "it has no uploads_list");
    }
    bp_kit_upload_begin(&store, bp_kit_key(kit, "object"), 2, &upload);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "other"), 2, &other);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&other, 1);
    if (bp_kit_store_can(&store, BP_STORE_PARTS_EXPIRE) && bp_kit_upload_listed(&upload) == 0) {
        bp_kit_skip(kit, "its uploads expire and are not listed");
    }
    if (bp_kit_upload_listed(&upload) != 1 || bp_kit_upload_listed(&other) != 1) {
        bp_kit_fail(kit, "uploads_list does not name two unfinished uploads once each");
    }
    bp_status status = bp_kit_upload_try_abort(&upload, &store, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "part_abort");
    if (bp_kit_upload_listed(&upload) != 0 || bp_kit_upload_listed(&other) != 1) {
        bp_kit_fail(kit,
                    "after part_abort of one upload uploads_list names it %zu times and the "
                    "other %zu times",
                    bp_kit_upload_listed(&upload), bp_kit_upload_listed(&other));
    }
    bp_kit_store_close(&store);
}

static int32_t
ignore(void *ctx, const char *key, const char *extra, int64_t started_ns,
       const struct bp_error *error)
{
    (void)ctx;
    (void)key;
    (void)extra;
    (void)started_ns;
    (void)error;
    return 0;
}

static void
abort_before(const struct bp_kit_store *store, const char *prefix, int64_t before_ns)
{
    struct bp_error error;
    struct bp_key_sink sink = {.struct_size = sizeof sink, .key = ignore};
    bp_error_init(&error);
    bp_kit_step(store->kit, "uploads_abort", prefix);
    bp_status status = store->kit->ops.uploads_abort(store->it, bp_kit_context(NULL), prefix,
                                                     before_ns, &sink, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "uploads_abort of %s", prefix);
}

static void
check_abort_many(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_upload upload, other;
    int64_t now = (int64_t)time(NULL) * 1000000000;
    open_store(kit, &store);
    if (kit->ops.uploads_abort == NULL) {
        bp_kit_skip(kit, "it has no uploads_abort");
    }
    bp_kit_upload_begin(&store, bp_kit_key(kit, "a/object"), 1, &upload);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "b/object"), 1, &other);
    bp_kit_upload_part(&upload, 1);
    bp_kit_upload_part(&other, 1);
    abort_before(&store, upload.key, now - INT64_C(3600) * 1000000000);
    abort_before(&store, bp_kit_key(kit, "c/"), now + INT64_C(3600) * 1000000000);
    complete(&upload);
    bp_kit_upload_begin(&store, bp_kit_key(kit, "a/second"), 1, &upload);
    bp_kit_upload_part(&upload, 1);
    abort_before(&store, upload.key, now + INT64_C(3600) * 1000000000);
    complete(&other);
    bp_kit_expect_missing(&store, upload.key, "after uploads_abort");
    if (!bp_kit_store_can(&store, BP_STORE_PARTS_EXPIRE)) {
        bp_status status = bp_kit_upload_try_complete(&upload, 0, &meta, &error);
        bp_kit_expect(kit, status, BP_ERR_NOT_FOUND, &error, "part_complete after uploads_abort");
    }
    bp_kit_store_close(&store);
}

static void
check_copy(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_upload upload;
    open_store(kit, &store);
    if (kit->ops.part_copy == NULL) {
        bp_kit_skip(kit, "it has no part_copy");
    }
    bp_kit_upload_begin_as(&store, bp_kit_key(kit, "object"), 2, BP_WRITE_PARTS_COPIED, &upload);
    const char *source = bp_kit_key(kit, "source +%%");
    bp_kit_put(&store, source, upload.bytes, upload.n);
    for (unsigned number = 1; number <= 2; number++) {
        struct bp_part_args args = {.struct_size = sizeof args,
                                    .key = upload.key,
                                    .upload = upload.id,
                                    .number = number,
                                    .offset = upload.part * (number - 1),
                                    .size = bp_kit_upload_part_size(&upload, number),
                                    .src = store.it,
                                    .src_key = source};
        bp_error_init(&error);
        meta = (struct bp_object_meta){.struct_size = sizeof meta, .size = BP_UNKNOWN};
        bp_kit_step(kit, "part_copy", upload.key);
        bp_status status = kit->ops.part_copy(store.it, bp_kit_context(NULL), &args, &meta, &error);
        if (status == BP_ERR_UNSUPPORTED) {
            bp_kit_skip(kit, "its server cannot do that, and it says so");
        }
        bp_kit_expect(kit, status, BP_OK, &error, "part_copy of part %u", number);
        upload.etags[number - 1] = bp_kit_text("%.*s", (int)sizeof meta.etag, meta.etag);
    }
    complete(&upload);
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_parts[] = {
    {.name = "parts.whole",
     .contract = "PARTS: an upload is seen when it is complete and not before, and is whole",
     .run = check_whole},
    {.name = "parts.any_order",
     .contract = "parts may be written in any order",
     .run = check_order},
    {.name = "parts.repeated",
     .contract = "a part may be written again under its number; the last one counts",
     .run = check_repeated},
    {.name = "parts.missing",
     .contract = "part_complete with a part that is not there fails and makes no object",
     .run = check_missing},
    {.name = "parts.twice",
     .contract =
         "part_complete of an upload that is complete is NOT_FOUND, or ok with the same object",
     .run = check_twice},
    {.name = "parts.if_match",
     .contract = "IF_MATCH: part_complete replaces only the given version, else EXISTS, also where "
                 "there is none",
     .run = check_if_match},
    {.name = "parts.exclusive",
     .contract = "part_complete with IF_NONE_MATCH to a key that is taken is EXISTS",
     .run = check_exclusive},
    {.name = "parts.writer_abort",
     .contract = "write_abort of one part leaves the upload as it was",
     .run = check_part_abort},
    {.name = "parts.parallel",
     .contract = "PARTS_PARALLEL: parts of one upload are written at the same time",
     .run = check_parallel,
     .times = 2},
    {.name = "parts.abort", .contract = "part_abort ends an upload", .run = check_abort},
    {.name = "parts.abort_later",
     .contract = "part_abort ends an upload of an instance that is gone",
     .run = check_abort_later},
    {.name = "parts.list",
     .contract = "uploads_list names unfinished uploads with their ids",
     .run = check_list},
    {.name = "parts.abort_many",
     .contract = "uploads_abort ends those below the prefix that were begun before, and no others",
     .run = check_abort_many},
    {.name = "parts.copy",
     .contract = "part_copy fills a part from a range of another object",
     .run = check_copy},
    BP_KIT_CHECKS_END,
};
