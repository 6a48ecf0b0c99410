/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/jsonout: results, errors and events that programs can rely on.
 */
#include "core/cli/jsonout.h"

#include "core/base/error.h"
#include "core/base/log.h"

#include "out_fixture.h"

START_TEST(test_bp_jsonout_event__everything_known)
{
    bp_rate rate = {.phase = "copy", .known = true, .items_per_s = 60, .bytes_per_s = 100.0 * MIB};
    bp_progress progress = progress_at(4.5, 270, 500 * MIB);
    g_autofree char *line = bp_jsonout_event("progress", &progress, &rate);
    ck_assert_str_eq(line, "{\"event\":\"progress\",\"phase\":\"copy\",\"items_done\":270,"
                           "\"items_total\":600,\"bytes_done\":524288000,"
                           "\"bytes_total\":1048576000,\"elapsed_ms\":4500,\"items_per_s\":60,"
                           "\"bytes_per_s\":104857600,\"remaining_ms\":5000}\n");
}
END_TEST

START_TEST(test_bp_jsonout_event__leaves_out_what_is_not_known)
{
    bp_rate rate = {0};
    bp_progress progress = {.phase = "list", .bytes_total = G_MAXUINT64};
    g_autofree char *line = bp_jsonout_event("phase", &progress, &rate);
    ck_assert_str_eq(line, "{\"event\":\"phase\",\"phase\":\"list\",\"items_done\":0,"
                           "\"bytes_done\":0,\"elapsed_ms\":0}\n");
}
END_TEST

START_TEST(test_bp_jsonout_result__written_or_failed)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    g_autoptr(json_t) result = json_pack("{s:s}", "state", "success");
    ck_assert(bp_jsonout_result(stream, result, NULL));
    fclose(stream);
    ck_assert_str_eq(text, "{\n  \"state\": \"success\"\n}\n");
    free(text);
    FILE *full = fopen("/dev/full", "w");
    GError *error = NULL;
    ck_assert(!bp_jsonout_result(full, result, &error));
    fclose(full);
    ck_assert_int_eq(bp_error_class(error), BP_ERR_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(error->message, "could not be written"));
    g_error_free(error);
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("jsonout");
    tcase_add_test(cases, test_bp_jsonout_event__everything_known);
    tcase_add_test(cases, test_bp_jsonout_event__leaves_out_what_is_not_known);
    tcase_add_test(cases, test_bp_jsonout_result__written_or_failed);
    return run_suite("jsonout", cases);
}
