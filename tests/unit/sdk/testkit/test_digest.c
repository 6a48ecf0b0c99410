/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/testkit/digest: the vectors of FIPS 180-4 and RFC 3720.
 */
#include "sdk/testkit/digest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/checksum.h"

static const struct {
    uint32_t kind;
    const char *text;
    size_t times;
    const char *hex;
} vectors[] = {
    {BP_CHECKSUM_SHA256, "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {BP_CHECKSUM_SHA256, "abc", 1,
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {BP_CHECKSUM_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {BP_CHECKSUM_SHA256, "a", 1000000,
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {BP_CHECKSUM_CRC32C, "", 1, "00000000"},
    {BP_CHECKSUM_CRC32C, "123456789", 1, "e3069283"},
};

START_TEST(test_digest__vectors)
{
    char hex[BP_CHECKSUM_HEX_MAX];
    size_t n = strlen(vectors[_i].text);
    char *bytes = malloc(n * vectors[_i].times + 1);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < vectors[_i].times; i++) {
        memcpy(bytes + i * n, vectors[_i].text, n);
    }
    struct bp_checksum sum = bp_kit_digest(vectors[_i].kind, bytes, n * vectors[_i].times);
    bp_checksum_to_hex(&sum, hex);
    ck_assert_str_eq(hex, vectors[_i].hex);
    free(bytes);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("testkit digest");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_digest__vectors, 0, sizeof vectors / sizeof *vectors);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
