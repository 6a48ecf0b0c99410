/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/crc32c: known values, both ways, as a checksum of the ABI.
 */
#include "sdk/lib/crc32c.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3720, B.4 */
START_TEST(test_crc32c__known_values)
{
    uint8_t bytes[32];
    static const struct {
        int first, step;
        uint32_t crc;
    } cases[] = {
        {0, 0, 0x8a9136aa}, {0xff, 0, 0x62a8ab43}, {0, 1, 0x46dd794e}, {31, -1, 0x113fdb5c}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int k = 0; k < 32; k++) {
            bytes[k] = (uint8_t)(cases[i].first + k * cases[i].step);
        }
        ck_assert_uint_eq(bp_crc32c(0, bytes, 32), cases[i].crc);
        ck_assert_uint_eq(bp_crc32c_by_table(0, bytes, 32), cases[i].crc);
    }
}
END_TEST

START_TEST(test_crc32c__both_ways_agree_in_pieces)
{
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 7);
    }
    uint32_t whole = bp_crc32c_by_table(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut += 13) {
        uint32_t crc = bp_crc32c(0, bytes, cut);
        ck_assert_uint_eq(bp_crc32c(crc, bytes + cut, sizeof(bytes) - cut), whole);
        crc = bp_crc32c_by_table(0, bytes, cut);
        ck_assert_uint_eq(bp_crc32c_by_table(crc, bytes + cut, sizeof(bytes) - cut), whole);
    }
}
END_TEST

START_TEST(test_put__big_endian_and_back)
{
    static const uint8_t expected[] = {0xe3, 0x06, 0x92, 0x83};
    struct bp_checksum sum;
    memset(&sum, 0xff, sizeof(sum));
    bp_crc32c_put(bp_crc32c(0, "123456789", 9), BP_CHECKSUM_BY_PLUGIN, &sum);
    ck_assert_uint_eq(sum.kind, BP_CHECKSUM_CRC32C);
    ck_assert_uint_eq(sum.by, BP_CHECKSUM_BY_PLUGIN);
    ck_assert_mem_eq(sum.value, expected, sizeof(expected));
    ck_assert_uint_eq(sum.value[4], 0);
    ck_assert_uint_eq(bp_crc32c_get(&sum), 0xe3069283);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/crc32c");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_crc32c__known_values);
    tcase_add_test(tcase, test_crc32c__both_ways_agree_in_pieces);
    tcase_add_test(tcase, test_put__big_endian_and_back);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
