/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying rights.
 */
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define GONE AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", "")
#define MADE AZ_CREATED(AZ_ETAG)
#define PAGE(blobs) AZ_OK("", "<EnumerationResults><Blobs>" blobs "</Blobs></EnumerationResults>")
#define TAKEN AZ_REFUSED("409 taken", "BlobAlreadyExists", "no")

static bp_status
probe(uint32_t need, const char *prefix)
{
    const struct bp_probe_args args = {.struct_size = sizeof(args), .need = need, .prefix = prefix};
    bp_error_init(&az_error);
    return az_ops->probe(az_store, &bp_fake.op, &args, &az_error);
}

START_TEST(test_probe__all_rights)
{
    const char *byte =
        AZ_ANSWER("206 Partial", "Content-Range: bytes 0-0/9\r\nContent-Length: 1\r\n", "x");
    const struct bp_httpd_step steps[] = {AZ_STEP(PAGE("<Blob><Name>p/d/k</Name></Blob>")),
                                          AZ_STEP(MADE),
                                          AZ_STEP(TAKEN),
                                          AZ_STEP(byte),
                                          AZ_STEP(GONE),
                                          AZ_STEP(byte)};
    az_start(steps, NULL);
    ASSERT_OK(probe(BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE, "d/"));
    ASSERT_SENT(1, "PUT /acct/box/p/d/.bakplane-probe-", "If-None-Match: *\r\n", NULL);
    ASSERT_SENT(3, "GET /acct/box/p/d/.bakplane-probe-", NULL);
    ASSERT_SENT(4, "DELETE /acct/box/p/d/.bakplane-probe-", NULL);
    ASSERT_SENT(5, "GET /acct/box/p/d/k ", "x-ms-range: bytes=0-0\r\n", NULL);
}
END_TEST

START_TEST(test_probe__server_that_ignores_the_condition)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(MADE), AZ_STEP(MADE), AZ_STEP(GONE)};
    az_start(steps, NULL);
    ASSERT_FAILED(probe(BP_NEED_EXCLUSIVE, ""), BP_ERR_UNSUPPORTED,
                  "does not keep exclusive creation");
    ASSERT_SENT(2, "DELETE ", NULL);
}
END_TEST

START_TEST(test_probe__names_the_missing_right)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")),
        AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no"))};
    az_start(steps, NULL);
    ASSERT_FAILED(probe(BP_NEED_WRITE, ""), BP_ERR_DENIED, "cannot write it");
    ASSERT_FAILED(probe(BP_NEED_LIST, ""), BP_ERR_DENIED,
                  "container box of account acct: cannot list it");
}
END_TEST

START_TEST(test_probe__container_is_made)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("404 no", "ContainerNotFound", "no")),
                                          AZ_STEP(MADE), AZ_STEP(MADE), AZ_STEP(GONE)};
    az_start(steps, "create_container", "true", NULL);
    ASSERT_OK(probe(BP_NEED_WRITE, ""));
    ASSERT_SENT(1, "PUT /acct/box?restype=container ", NULL);
}
END_TEST

START_TEST(test_probe__container_is_not_made_unasked)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("404 no", "ContainerNotFound", "no"))};
    az_start(steps, NULL);
    ASSERT_FAILED(probe(BP_NEED_WRITE, ""), BP_ERR_NOT_FOUND, "or set create_container");
    ck_assert_uint_eq(az_requests(), 1);
}
END_TEST

START_TEST(test_probe__what_cannot_be_seen)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(MADE)};
    az_start(steps, NULL);
    ASSERT_FAILED(probe(BP_NEED_SERVER_READ, ""), BP_ERR_UNSUPPORTED, "cannot be seen from here");
    ASSERT_FAILED(probe(1 << 20, ""), BP_ERR_INVALID, "unknown flags");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

AZ_MAIN("azure probe", test_probe__all_rights, test_probe__server_that_ignores_the_condition,
        test_probe__names_the_missing_right, test_probe__container_is_made,
        test_probe__container_is_not_made_unasked, test_probe__what_cannot_be_seen)
