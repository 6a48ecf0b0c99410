/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: uploads in parts.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "sdk/lib/checksum.h"
#include "tests/unit/plugins/storage-local/local_test.h"

struct found {
    GString *text;
    int stop;
};

static char id[BP_TOKEN_MAX + 1];

static int32_t
take_id(void *ctx, const char *text)
{
    g_strlcpy(id, text, sizeof(id));
    return ctx != NULL;
}

static bp_status
begin(const char *key, const char *sum_hex)
{
    const struct bp_text_sink sink = {sizeof(sink), 0, NULL, take_id};
    struct bp_write_args args = {sizeof(args), 0, key, BP_UNKNOWN, NULL, {0}};
    if (sum_hex != NULL) {
        bp_checksum_from_hex(&args.checksum, BP_CHECKSUM_XXH3_128, BP_CHECKSUM_BY_HOST, sum_hex);
    }
    return lt_ops->part_begin(lt_store, &bp_fake.op, &args, &sink, &lt_error);
}

static bp_status
put(const char *key, uint32_t number, uint64_t offset, const char *text, char *etag)
{
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_part_args args = {
        .struct_size = sizeof(args),
        .key = key,
        .upload = id,
        .number = number,
        .offset = offset,
        .size = strlen(text),
    };
    bp_status status = lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error);
    if (status != BP_OK) {
        return status;
    }
    status = lt_ops->write(writer, &bp_fake.op, text, strlen(text), &lt_error);
    ck_assert_int_eq(status, BP_OK);
    status = lt_ops->write_commit(writer, &bp_fake.op, &meta, &lt_error);
    if (etag != NULL) {
        g_strlcpy(etag, meta.etag, sizeof(meta.etag));
    }
    return status;
}

static bp_status
complete(const char *key, uint64_t size, uint32_t flags, const struct bp_part *parts, uint32_t n)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_complete_args args = {
        .struct_size = sizeof(args),
        .flags = flags,
        .key = key,
        .upload = id,
        .size = size,
        .parts = parts,
        .part_stride = sizeof(*parts),
        .n_parts = n,
    };
    return lt_ops->part_complete(lt_store, &bp_fake.op, &args, &meta, &lt_error);
}

static int32_t
take_upload(void *ctx, const char *key, const char *extra, int64_t started,
            const struct bp_error *error)
{
    struct found *found = ctx;
    ck_assert_ptr_null(error);
    ck_assert_int_gt(started, 0);
    ck_assert_uint_gt(strlen(extra), 4);
    g_string_append_printf(found->text, "%s ", key);
    return found->stop;
}

static char *
uploads(struct bp_storage *store, const char *prefix, int64_t abort_before)
{
    struct found found = {.text = g_string_new(NULL)};
    const struct bp_key_sink sink = {sizeof(sink), 0, &found, take_upload};
    bp_status status =
        abort_before == 0
            ? lt_ops->uploads_list(store, &bp_fake.op, prefix, &sink, &lt_error)
            : lt_ops->uploads_abort(store, &bp_fake.op, prefix, abort_before, &sink, &lt_error);
    ck_assert_msg(status == BP_OK, "%s", lt_error.message);
    return g_string_free(found.text, FALSE);
}

START_TEST(test_parts__out_of_order_and_repeated)
{
    char etag[3][128];
    ASSERT_OK(begin("d/k", "b5e9c1ad071b3e7fc779cfaa5e523818"));
    ASSERT_OK(put("d/k", 2, 2, "ll", etag[1]));
    ASSERT_OK(put("d/k", 1, 0, "xx", etag[0]));
    ASSERT_OK(put("d/k", 3, 4, "o", etag[2]));
    ASSERT_OK(put("d/k", 1, 0, "he", etag[0]));
    ck_assert(!lt_has_file("d/k"));
    const struct bp_part parts[] = {{1, 0, etag[0]}, {2, 0, etag[1]}, {3, 0, etag[2]}};
    ASSERT_OK(complete("d/k", 5, BP_WRITE_DURABLE, parts, 3));
    g_autofree char *text = lt_read(lt_store, "d/k");
    ck_assert_str_eq(text, "hello");
    ASSERT_FAILED(complete("d/k", 5, 0, parts, 3), BP_ERR_NOT_FOUND, "there is no upload");
    ASSERT_FAILED(put("d/k", 4, 5, "!", NULL), BP_ERR_NOT_FOUND, "there is no upload");
}
END_TEST

START_TEST(test_parts__visible_after_sync)
{
    char etag[128];
    ASSERT_OK(begin("k", NULL));
    ASSERT_OK(put("k", 1, 0, "hello", etag));
    const struct bp_part part = {1, 0, etag};
    ASSERT_OK(complete("k", BP_UNKNOWN, 0, &part, 1));
    ck_assert(!lt_has_file("k"));
    ASSERT_OK(lt_sync(lt_store));
    ck_assert(lt_has_file("k"));
}
END_TEST

START_TEST(test_parts__completion_is_checked)
{
    char etag[2][128];
    ASSERT_OK(begin("k", NULL));
    ASSERT_OK(put("k", 1, 0, "he", etag[0]));
    ASSERT_OK(put("k", 2, 3, "lo", etag[1]));
    const struct bp_part parts[] = {{1, 0, etag[0]}, {2, 0, etag[1]}};
    ASSERT_FAILED(complete("k", 4, 0, parts, 2), BP_ERR_INVALID,
                  "part 2 begins at 3, the ones before it end at 2");
    ASSERT_FAILED(complete("k", 4, 0, parts, 1), BP_ERR_INVALID, "its parts have 2 bytes of 4");
    const struct bp_part wrong[] = {{1, 0, "part-1-99"}};
    ASSERT_FAILED(complete("k", 2, 0, wrong, 1), BP_ERR_INVALID, "part 1 was not written so");
    const struct bp_part missing[] = {{7, 0, etag[0]}};
    ASSERT_FAILED(complete("k", 2, 0, missing, 1), BP_ERR_INVALID, "part 7 was not written so");
    ASSERT_FAILED(complete("k", 2, 64, parts, 1), BP_ERR_INVALID, "unknown flags");
    /* What is left out does not get in. */
    ASSERT_OK(complete("k", 2, BP_WRITE_DURABLE, parts, 1));
    g_autofree char *text = lt_read(lt_store, "k");
    ck_assert_str_eq(text, "he");
}
END_TEST

START_TEST(test_parts__wrong_checksum)
{
    char etag[128];
    ASSERT_OK(begin("k", "00000000000000000000000000000000"));
    ASSERT_OK(put("k", 1, 0, "hello", etag));
    const struct bp_part part = {1, 0, etag};
    ASSERT_FAILED(complete("k", 5, 0, &part, 1), BP_ERR_CORRUPT, "xxh3-128");
    ASSERT_OK(lt_ops->part_abort(lt_store, &bp_fake.op, "k", id, &lt_error));
}
END_TEST

START_TEST(test_parts__exclusive_completion)
{
    char etag[128];
    ASSERT_OK(begin("k", NULL));
    ASSERT_OK(put("k", 1, 0, "hello", etag));
    lt_put_file("k", "taken");
    const struct bp_part part = {1, 0, etag};
    ASSERT_FAILED(complete("k", 5, BP_WRITE_IF_NONE_MATCH, &part, 1), BP_ERR_EXISTS,
                  "k exists already");
    g_autofree char *left = uploads(lt_store, "", 0);
    ck_assert_str_eq(left, "");
}
END_TEST

START_TEST(test_parts__bad_places)
{
    struct bp_writer *writer;
    ASSERT_OK(begin("k", NULL));
    struct bp_part_args args = {.struct_size = sizeof(args), .key = "k", .upload = id, .size = 1};
    ASSERT_FAILED(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error),
                  BP_ERR_INVALID, "part 0 has no valid place");
    args.number = 1;
    args.offset = UINT64_MAX;
    ASSERT_FAILED(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error),
                  BP_ERR_INVALID, "part 1 has no valid place");
    args.offset = 0;
    args.upload = "../x/1";
    ASSERT_FAILED(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error),
                  BP_ERR_NOT_FOUND, "there is no upload ../x/1");
    args.upload = id;
    args.key = "other";
    ASSERT_FAILED(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error),
                  BP_ERR_NOT_FOUND, "object other: there is no upload");
}
END_TEST

START_TEST(test_parts__copied)
{
    struct bp_object_meta meta[2] = {{.struct_size = sizeof(meta[0])},
                                     {.struct_size = sizeof(meta[0])}};
    lt_put_file("src", "0123456789");
    ASSERT_OK(begin("k", NULL));
    struct bp_part_args args = {
        .struct_size = sizeof(args),
        .key = "k",
        .upload = id,
        .src = lt_store,
        .src_key = "src",
        .size = 5,
    };
    for (uint32_t i = 0; i < 2; i++) {
        args.number = i + 1;
        args.offset = 5 * i;
        ASSERT_OK(lt_ops->part_copy(lt_store, &bp_fake.op, &args, &meta[i], &lt_error));
    }
    const struct bp_part parts[] = {{1, 0, meta[0].etag}, {2, 0, meta[1].etag}};
    args.offset = 8;
    ASSERT_FAILED(lt_ops->part_copy(lt_store, &bp_fake.op, &args, &meta[0], &lt_error),
                  BP_ERR_RANGE, "object src ends before part 2 does");
    args.src_if_match = "1-2-3";
    ASSERT_FAILED(lt_ops->part_copy(lt_store, &bp_fake.op, &args, &meta[0], &lt_error),
                  BP_ERR_EXISTS, "its version is");
    ASSERT_OK(complete("k", 10, BP_WRITE_DURABLE, parts, 2));
    g_autofree char *text = lt_read(lt_store, "k");
    ck_assert_str_eq(text, "0123456789");
}
END_TEST

START_TEST(test_abort__while_a_part_is_open)
{
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    ASSERT_OK(begin("k", NULL));
    const struct bp_part_args args = {
        .struct_size = sizeof(args), .key = "k", .upload = id, .number = 1, .size = 1};
    ASSERT_OK(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error));
    ASSERT_OK(lt_ops->part_abort(lt_store, &bp_fake.op, "k", id, &lt_error));
    ASSERT_OK(lt_ops->part_abort(lt_store, &bp_fake.op, "k", id, &lt_error));
    ASSERT_OK(lt_ops->write(writer, &bp_fake.op, "x", 1, &lt_error));
    ASSERT_FAILED(lt_ops->write_commit(writer, &bp_fake.op, &meta, &lt_error), BP_ERR_NOT_FOUND,
                  "its upload has ended");
    ASSERT_OK(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error) ==
                      BP_ERR_NOT_FOUND
                  ? BP_OK
                  : BP_ERR_PERMANENT);
}
END_TEST

START_TEST(test_part_writer__aborted)
{
    struct bp_writer *writer;
    ASSERT_OK(begin("k", NULL));
    const struct bp_part_args args = {
        .struct_size = sizeof(args), .key = "k", .upload = id, .number = 1, .size = 1};
    ASSERT_OK(lt_ops->part_open(lt_store, &bp_fake.op, &args, &writer, &lt_error));
    lt_ops->write_abort(writer, &bp_fake.op);
    g_autofree char *open = uploads(lt_store, "", 0);
    ck_assert_str_eq(open, "k ");
}
END_TEST

START_TEST(test_begin__not_wanted)
{
    const struct bp_text_sink sink = {sizeof(sink), 0, id, take_id};
    const struct bp_write_args args = {sizeof(args), 0, "k", BP_UNKNOWN, NULL, {0}};
    ASSERT_FAILED(lt_ops->part_begin(lt_store, &bp_fake.op, &args, &sink, &lt_error),
                  BP_ERR_CANCELLED, "the upload was not wanted");
    g_autofree char *open = uploads(lt_store, "", 0);
    ck_assert_str_eq(open, "");
}
END_TEST

START_TEST(test_uploads__listed_and_ended_by_prefix_and_age)
{
    g_autofree char *none = uploads(lt_store, "", 0);
    ck_assert_str_eq(none, "");
    ASSERT_OK(begin("a/1", NULL));
    ASSERT_OK(begin("b/1", NULL));
    g_autofree char *only_a = uploads(lt_store, "a/", 0);
    ck_assert_str_eq(only_a, "a/1 ");
    g_autofree char *old = uploads(lt_store, "", 1000);
    ck_assert_str_eq(old, "");
    g_autofree char *ended = uploads(lt_store, "a/", INT64_MAX);
    ck_assert_str_eq(ended, "a/1 ");
    g_autofree char *left = uploads(lt_store, "", 0);
    ck_assert_str_eq(left, "b/1 ");
}
END_TEST

START_TEST(test_uploads__of_others)
{
    ASSERT_OK(begin("a/1", NULL));
    struct bp_storage *other = lt_open("link", "false", NULL);
    g_autofree char *seen = uploads(other, "", 0);
    ck_assert_str_eq(seen, "a/1 ");
    g_autofree char *ended = uploads(other, "", INT64_MAX);
    ck_assert_str_eq(ended, "");
    ASSERT_FAILED(lt_ops->part_abort(other, &bp_fake.op, "a/1", id, &lt_error), BP_ERR_DENIED,
                  "belongs to a running process");
    ASSERT_FAILED(lt_ops->part_abort(other, &bp_fake.op, "a/1", "nonsense", &lt_error),
                  BP_ERR_INVALID, "end the upload of");
    ASSERT_OK(lt_ops->part_abort(other, &bp_fake.op, "a/1", "host-1-2/3", &lt_error));
    lt_ops->close(other);
}
END_TEST

/* A folder as a killed run leaves it: nobody holds its lock. */
#define DEAD ".bakplane-tmp/host-9-dead/"

START_TEST(test_uploads__of_a_dead_run)
{
    lt_put_file(DEAD "lock", "");
    lt_put_file(DEAD "0000000000000005", "data");
    lt_put_file(DEAD "0000000000000005.key", "a/1");
    lt_put_file(DEAD "0000000000000006", "data");
    lt_put_file(DEAD "0000000000000006.key", "a/2");
    g_autofree char *seen = uploads(lt_store, "a/", 0);
    ck_assert_uint_eq(strlen(seen), 8);
    ASSERT_OK(lt_ops->part_abort(lt_store, &bp_fake.op, "a/1", "host-9-dead/5", &lt_error));
    ck_assert(!lt_has_file(DEAD "0000000000000005"));
    g_autofree char *ended = uploads(lt_store, "a/", INT64_MAX);
    ck_assert_str_eq(ended, "a/2 ");
    ck_assert(!lt_has_file(DEAD "0000000000000006"));
    ASSERT_OK(lt_write(lt_store, "k", "x", 0));
    ck_assert(!lt_has_file(".bakplane-tmp/host-9-dead"));
}
END_TEST

START_TEST(test_uploads__sink_stops)
{
    struct found found = {.text = g_string_new(NULL), .stop = 1};
    const struct bp_key_sink sink = {sizeof(sink), 0, &found, take_upload};
    ASSERT_OK(begin("a", NULL));
    ASSERT_OK(begin("b", NULL));
    ASSERT_FAILED(lt_ops->uploads_list(lt_store, &bp_fake.op, "", &sink, &lt_error),
                  BP_ERR_CANCELLED, "stopped by its reader");
    g_string_free(found.text, TRUE);
}
END_TEST

#define PARALLEL 8
static char etags[PARALLEL][128];

static void *
put_one(void *number)
{
    uint32_t i = GPOINTER_TO_UINT(number);
    char text[9];
    snprintf(text, sizeof(text), "%08u", i);
    ck_assert_int_eq(put("par", i + 1, i * 8, text, etags[i]), BP_OK);
    return NULL;
}

START_TEST(test_parts__in_parallel)
{
    pthread_t thread[PARALLEL];
    struct bp_part parts[PARALLEL];
    ASSERT_OK(begin("par", NULL));
    for (uint32_t i = 0; i < PARALLEL; i++) {
        ck_assert_int_eq(pthread_create(&thread[i], NULL, put_one, GUINT_TO_POINTER(i)), 0);
    }
    for (uint32_t i = 0; i < PARALLEL; i++) {
        pthread_join(thread[i], NULL);
        parts[i] = (struct bp_part){i + 1, 0, etags[i]};
    }
    ASSERT_OK(complete("par", PARALLEL * 8, BP_WRITE_DURABLE, parts, PARALLEL));
    g_autofree char *text = lt_read(lt_store, "par");
    ck_assert_int_eq(strncmp(text, "000000000000000100000002", 24), 0);
}
END_TEST

LT_MAIN("storage-local/parts", test_parts__out_of_order_and_repeated,
        test_parts__visible_after_sync, test_parts__completion_is_checked,
        test_parts__wrong_checksum, test_parts__exclusive_completion, test_parts__bad_places,
        test_parts__copied, test_abort__while_a_part_is_open, test_part_writer__aborted,
        test_begin__not_wanted, test_uploads__listed_and_ended_by_prefix_and_age,
        test_uploads__of_others, test_uploads__of_a_dead_run, test_uploads__sink_stops,
        test_parts__in_parallel)
