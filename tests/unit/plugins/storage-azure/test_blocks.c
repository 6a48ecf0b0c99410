/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids of blocks, and how large blocks are.
 */
#include "plugins/storage-azure/blocks.h"

#include <time.h>

#include "plugins/storage-azure/buffers.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define MIB ((uint64_t)1 << 20)

START_TEST(test_upload_id__tells_its_start)
{
    char id[BP_AZURE_UPLOAD_ID], other[BP_AZURE_UPLOAD_ID];
    int64_t now = (int64_t)time(NULL);
    bp_azure_upload_id(id);
    bp_azure_upload_id(other);
    ck_assert_uint_eq(strlen(id), 24);
    ck_assert_str_ne(id, other);
    int64_t started = bp_azure_upload_started(id) / 1000000000;
    ck_assert(started >= now && started <= now + 5);
    ck_assert_int_eq(bp_azure_upload_started("too short"), -1);
    ck_assert_int_eq(bp_azure_upload_started("zz345678901234567890abcd"), -1);
}
END_TEST

START_TEST(test_block_id__all_of_one_length)
{
    char id[BP_AZURE_BLOCK_ID];
    const struct bp_azure_block_id first = {"0123456789abcdef01234567", 0, 0, 0};
    const struct bp_azure_block_id last = {"0123456789abcdef01234567", 9000, 0xFFFFFF, 0xFFFF};
    bp_azure_block_id(&first, id);
    ck_assert_str_eq(id, "0123456789abcdef012345670000000000000000");
    bp_azure_block_id(&last, id);
    ck_assert_str_eq(id, "0123456789abcdef01234567002328ffffffffff");
}
END_TEST

static size_t
cap_of(struct bp_storage *storage, uint64_t size, uint64_t least)
{
    struct bp_azure_blocks blocks;
    bp_azure_blocks_init(&blocks, storage, "k", size, least);
    return blocks.cap;
}

START_TEST(test_cap__by_size_and_memory)
{
    struct bp_storage storage = {.host = &bp_fake.host, .set = {.block_size = 4 * MIB}};
    storage.buffers = bp_azure_buffers_new(&bp_fake.host, 32 * MIB);
    ck_assert_uint_eq(cap_of(&storage, BP_UNKNOWN, 0), 4 * MIB);
    ck_assert_uint_eq(cap_of(&storage, 2 * MIB, 0), 2 * MIB); /* no more than there is */
    ck_assert_uint_eq(cap_of(&storage, 10, 0), 65536);
    ck_assert_uint_eq(cap_of(&storage, 100 * MIB, 7 * MIB), 7 * MIB);
    /* 50,000 blocks are enough for any size. */
    uint64_t huge = (uint64_t)1 << 40;
    ck_assert_uint_ge((uint64_t)cap_of(&storage, huge, 0) * 49999, huge);
    void *some = bp_azure_buffers_take(storage.buffers, &bp_fake.op, 28 * MIB);
    ck_assert_uint_eq(cap_of(&storage, BP_UNKNOWN, 0), 2 * MIB);
    void *more = bp_azure_buffers_take(storage.buffers, &bp_fake.op, 12 * MIB);
    ck_assert_uint_eq(cap_of(&storage, BP_UNKNOWN, 0), MIB); /* nobody waits: small ones */
    bp_azure_buffers_give(storage.buffers, some, 28 * MIB);
    bp_azure_buffers_give(storage.buffers, more, 12 * MIB);
    bp_azure_buffers_free(storage.buffers);
}
END_TEST

START_TEST(test_buffers__kept_within_the_limit)
{
    struct bp_azure_buffers *buffers = bp_azure_buffers_new(&bp_fake.host, 3000);
    void *first = bp_azure_buffers_take(buffers, &bp_fake.op, 1000);
    void *second = bp_azure_buffers_take(buffers, &bp_fake.op, 2000);
    ck_assert_uint_eq(bp_azure_buffers_left(buffers), 0);
    bp_azure_buffers_give(buffers, first, 1000);
    ck_assert_uint_eq(bp_azure_buffers_left(buffers), 1000);
    ck_assert_ptr_eq(bp_azure_buffers_take(buffers, &bp_fake.op, 1000), first);
    bp_azure_buffers_give(buffers, first, 1000);
    /* Another size: the one that is idle makes room. */
    void *third = bp_azure_buffers_take(buffers, &bp_fake.op, 500);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 2);
    bp_azure_buffers_give(buffers, third, 500);
    bp_azure_buffers_give(buffers, second, 2000);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 2);
    bp_azure_buffers_free(buffers);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 0);
}
END_TEST

START_TEST(test_buffers__refused_by_the_host)
{
    struct bp_azure_buffers *buffers = bp_azure_buffers_new(&bp_fake.host, 3000);
    atomic_store(&bp_fake.fail_alloc, 1);
    ck_assert_ptr_null(bp_azure_buffers_take(buffers, &bp_fake.op, 1000));
    ck_assert_uint_eq(bp_azure_buffers_left(buffers), 3000);
    bp_azure_buffers_free(buffers);
}
END_TEST

START_TEST(test_list__in_order)
{
    g_autoptr(GString) list = g_string_new(NULL);
    bp_azure_block_list_add(list, "0123456789abcdef01234567", 1, 2, 2);
    ck_assert_str_eq(list->str,
                     "<Latest>MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3MDAwMDAxMDAwMDAyMDAwMA==</Latest>"
                     "<Latest>MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3MDAwMDAxMDAwMDAyMDAwMQ==</Latest>");
}
END_TEST

AZ_MAIN("azure blocks", test_upload_id__tells_its_start, test_block_id__all_of_one_length,
        test_cap__by_size_and_memory, test_buffers__kept_within_the_limit,
        test_buffers__refused_by_the_host, test_list__in_order)
