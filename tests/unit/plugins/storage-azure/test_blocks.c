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
    ck_assert(started >= now && started <= (int64_t)time(NULL));
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

static struct bp_azure_buffers *buffers;

/* What one more buffer has, 0 when it was refused. */
static size_t
take(struct bp_azure_buffer *buffer, uint64_t least, uint64_t most)
{
    const struct bp_azure_wish wish = {.least = least, .most = most, .first = 1};
    bp_azure_buffers_join(buffers, 1);
    return bp_azure_buffers_take(buffers, &bp_fake.op, &wish, buffer) ? buffer->cap : 0;
}

static void
give(struct bp_azure_buffer *buffer)
{
    bp_azure_buffers_give(buffers, buffer);
    bp_azure_buffers_join(buffers, -1);
}

START_TEST(test_buffers__of_one_writer)
{
    struct bp_azure_buffer buffer;
    static const uint64_t wanted[][3] = {/* least, most, got */
                                         {1, BP_UNKNOWN, 4 * MIB},
                                         {1, 4 * MIB, 4 * MIB},
                                         {1, 2 * MIB, 2 * MIB},
                                         {1, 2 * MIB + 1, 4 * MIB},
                                         {1, 10, MIB / 4},
                                         {0, 0, MIB / 4},
                                         {3 * MIB, 3 * MIB, 4 * MIB},
                                         {4 * MIB, BP_UNKNOWN, 4 * MIB},
                                         {7 * MIB, BP_UNKNOWN, 7 * MIB}};
    buffers = bp_azure_buffers_new(&bp_fake.host, 16 * MIB, 4 * MIB);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        ck_assert_uint_eq(take(&buffer, wanted[i][0], wanted[i][1]), wanted[i][2]);
        memset(buffer.at, 1, buffer.cap);
        give(&buffer);
    }
    /* What was larger than any share was not kept. */
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 1);
    bp_azure_buffers_free(buffers);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 0);
}
END_TEST

START_TEST(test_buffers__of_many_stay_within_the_limit)
{
    struct bp_azure_buffer all[16];
    size_t sum = 0;
    buffers = bp_azure_buffers_new(&bp_fake.host, 16 * MIB, 4 * MIB);
    /* The first ones do not know yet how many there will be … */
    for (size_t i = 0; i < 16; i++) {
        sum += take(&all[i], 1, BP_UNKNOWN);
        memset(all[i].at, (int)i, all[i].cap);
    }
    ck_assert_uint_eq(all[0].cap, 4 * MIB);
    ck_assert_uint_eq(sum, 16 * MIB);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 4);
    for (size_t i = 0; i < 16; i++) {
        ck_assert_int_eq(all[i].at[0], (int)i);
        ck_assert_int_eq(all[i].at[all[i].cap - 1], (int)i);
    }
    /* … but with their next blocks they do. */
    const struct bp_azure_wish next = {.least = 1, .most = BP_UNKNOWN};
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 16; i++) {
            bp_azure_buffers_give(buffers, &all[i]);
            ck_assert(bp_azure_buffers_take(buffers, &bp_fake.op, &next, &all[i]));
        }
    }
    for (size_t i = 0; i < 16; i++) {
        ck_assert_uint_eq(all[i].cap, MIB);
        give(&all[i]);
    }
    ck_assert_uint_eq(take(&all[0], 1, BP_UNKNOWN), 4 * MIB);
    give(&all[0]);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 4);
    bp_azure_buffers_free(buffers);
}
END_TEST

START_TEST(test_buffers__nobody_waits_for_memory)
{
    struct bp_azure_buffer all[3];
    buffers = bp_azure_buffers_new(&bp_fake.host, 64 << 10, 64 << 10);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(take(&all[i], 1, BP_UNKNOWN), 64 << 10);
        memset(all[i].at, 1, all[i].cap);
    }
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 3);
    for (size_t i = 0; i < 3; i++) {
        give(&all[i]);
    }
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 1);
    bp_azure_buffers_free(buffers);
}
END_TEST

START_TEST(test_buffers__refused_by_the_host)
{
    struct bp_azure_buffer buffer;
    buffers = bp_azure_buffers_new(&bp_fake.host, 16 * MIB, 4 * MIB);
    atomic_store(&bp_fake.fail_alloc, 1);
    ck_assert_uint_eq(take(&buffer, 1, BP_UNKNOWN), 0);
    give(&buffer);
    atomic_store(&bp_fake.fail_alloc, 0);
    ck_assert_uint_eq(take(&buffer, 1, BP_UNKNOWN), 4 * MIB);
    give(&buffer);
    bp_azure_buffers_free(buffers);
}
END_TEST

START_TEST(test_blocks__enough_of_them)
{
    struct bp_azure_blocks blocks;
    struct bp_storage storage = {.host = &bp_fake.host};
    storage.buffers = bp_azure_buffers_new(&bp_fake.host, MIB, MIB);
    uint64_t huge = (uint64_t)1 << 40;
    bp_azure_blocks_init(&blocks, &storage, "k", huge, 0);
    ck_assert_uint_ge(blocks.least * 49999, huge);
    bp_azure_blocks_clear(&blocks);
    bp_azure_blocks_init(&blocks, &storage, "k", 100 * MIB, 7 * MIB);
    ck_assert_uint_eq(blocks.least, 7 * MIB);
    bp_azure_blocks_clear(&blocks);
    /* Where nobody knows the end, they grow with their number. */
    bp_azure_blocks_init(&blocks, &storage, "k", BP_UNKNOWN, 0);
    ASSERT_OK(bp_azure_blocks_add(&blocks, &bp_fake.op, "x", 1, &az_error));
    ck_assert_uint_le(blocks.buffer.cap, MIB);
    bp_azure_blocks_clear(&blocks);
    bp_azure_blocks_init(&blocks, &storage, "k", BP_UNKNOWN, 0);
    blocks.count = 45000;
    ASSERT_OK(bp_azure_blocks_add(&blocks, &bp_fake.op, "x", 1, &az_error));
    ck_assert_uint_eq(blocks.buffer.cap, 64 * MIB);
    bp_azure_blocks_clear(&blocks);
    bp_azure_buffers_free(storage.buffers);
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
        test_buffers__of_one_writer, test_buffers__of_many_stay_within_the_limit,
        test_buffers__nobody_waits_for_memory, test_buffers__refused_by_the_host,
        test_blocks__enough_of_them, test_list__in_order)
