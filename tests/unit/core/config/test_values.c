/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/values: every type's texts, limits and errors.
 */
#include "core/config/values.h"

#include "fixture.h"

static const struct bp_config_key any_int = {.name = "n", .type = BP_CONFIG_INT};
static const struct bp_config_key small_int = {
    .name = "n", .type = BP_CONFIG_INT, .min = 1, .max = 256};
static const struct bp_config_key size = {
    .name = "s", .type = BP_CONFIG_SIZE, .min = 65536, .max = 8388608, .choices = "unlimited"};
static const struct bp_config_key duration = {
    .name = "d", .type = BP_CONFIG_DURATION, .min = 100, .max = 3600000};
static const struct bp_config_key yes_no = {.name = "b", .type = BP_CONFIG_BOOL};
static const struct bp_config_key choice = {
    .name = "c", .type = BP_CONFIG_CHOICE, .choices = "size|stream|read"};
static const struct bp_config_key path = {.name = "p", .type = BP_CONFIG_PATH};
static const struct bp_config_key secret = {
    .name = "x", .type = BP_CONFIG_INT, .flags = BP_CONFIG_SECRET};

static const struct {
    const struct bp_config_key *key;
    const char *in, *out;
} good[] = {
    {&any_int, "-0042", "-42"},        {&any_int, "9223372036854775807", "9223372036854775807"},
    {&small_int, "256", "256"},        {&size, "64KiB", "65536"},
    {&size, "8M", "8388608"},          {&size, "unlimited", "0"},
    {&duration, "250ms", "250"},       {&duration, "1h", "3600000"},
    {&yes_no, "Yes", "true"},          {&yes_no, "off", "false"},
    {&choice, "stream", "stream"},     {&path, "/a/../b", "/a/../b"},
    {&path, "./././x/y", "/base/x/y"}, {&path, "x", "/base/x"},
};

START_TEST(test_bp_config__normalise__good)
{
    GError *error = NULL;
    g_autofree char *out = bp_config__normalise(good[_i].key, good[_i].in, "/base", &error);
    ck_assert_ptr_null(error);
    ck_assert_str_eq(out, good[_i].out);
}
END_TEST

static const struct {
    const struct bp_config_key *key;
    const char *in, *message;
} bad[] = {
    {&any_int, "many", "\"many\" is no whole number"},
    {&any_int, "", "\"\" is no whole number"},
    {&any_int, "1.5", "\"1.5\" is no whole number"},
    {&any_int, " 1", "\" 1\" is no whole number"},
    {&any_int, "9223372036854775808", "is no whole number"},
    {&small_int, "0", "0 is out of range\nhint: allowed are 1 to 256"},
    {&small_int, "257", "257 is out of range\nhint: allowed are 1 to 256"},
    {&size, "64 KiB", "\"64 KiB\" is no size\nhint: write bytes or"},
    {&size, "1.5M", "\"1.5M\" is no size"},
    {&size, "-1", "\"-1\" is no size"},
    {&size, "18446744073709551615", "is no size"},
    {&size, "1", "1 is out of range\nhint: allowed are 64.0 KiB to 8.0 MiB, or unlimited"},
    {&duration, "5 minutes", "\"5 minutes\" is no duration\nhint: write a whole number"},
    {&duration, "2h", "2h is out of range\nhint: allowed are 100 ms to 1 h 0 min"},
    {&yes_no, "maybe", "\"maybe\" is neither true nor false"},
    {&choice, "strem", "\"strem\" is none of: size, stream, read\nhint: did you mean \"stream\"?"},
    {&choice, "", "\"\" is none of: size, stream, read"},
    {&path, "", "\"\" is no path"},
    {&secret, "hunter2", "\"***\" is no whole number"},
};

START_TEST(test_bp_config__normalise__bad)
{
    GError *error = NULL;
    ck_assert_ptr_null(bp_config__normalise(bad[_i].key, bad[_i].in, "/base", &error));
    assert_error(error, BP_ERR_INVALID, bad[_i].message);
}
END_TEST

START_TEST(test_bp_config__normalise__a_path_without_base_starts_here)
{
    g_autofree char *here = g_get_current_dir();
    g_autofree char *expected = g_build_filename(here, "x", NULL);
    g_autofree char *out = bp_config__normalise(&path, "x", NULL, NULL);
    ck_assert_str_eq(out, expected);
}
END_TEST

START_TEST(test_bp_config__normalise__a_type_from_the_future)
{
    struct bp_config_key future = {.name = "f", .type = 99};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config__normalise(&future, "x", NULL, &error));
    assert_error(error, BP_ERR_UNSUPPORTED, "declared with type 99");
}
END_TEST

/* Whatever comes in: one of both, and what came out is a fixed point. */
START_TEST(test_bp_config__normalise__is_idempotent)
{
    static const struct bp_config_key *const keys[] = {&any_int, &size,   &duration,
                                                       &yes_no,  &choice, &path};
    static const char letters[] = "0123456789-+.kKmMgsSihdB eEtru/|";
    g_autoptr(GRand) dice = g_rand_new_with_seed(20240607);
    for (guint round = 0; round < 20000; round++) {
        char text[8] = {0};
        guint n = (guint)g_rand_int_range(dice, 0, sizeof text);
        for (guint i = 0; i < n; i++) {
            text[i] = letters[g_rand_int_range(dice, 0, sizeof letters - 1)];
        }
        const struct bp_config_key *key = keys[round % G_N_ELEMENTS(keys)];
        GError *error = NULL;
        g_autofree char *once = bp_config__normalise(key, text, "/base", &error);
        ck_assert((once == NULL) == (error != NULL));
        if (once != NULL) {
            g_autofree char *twice = bp_config__normalise(key, once, "/other", NULL);
            ck_assert_str_eq(once, twice);
        }
        g_clear_error(&error);
    }
}
END_TEST

START_TEST(test_bp_config__range_text__says_what_is_allowed)
{
    g_autofree char *number = bp_config__range_text(&small_int);
    g_autofree char *words = bp_config__range_text(&choice);
    g_autofree char *nothing = bp_config__range_text(&any_int);
    ck_assert_str_eq(number, "1 to 256");
    ck_assert_str_eq(words, "size, stream, read");
    ck_assert_str_eq(nothing, "");
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("values");
    tcase_add_loop_test(cases, test_bp_config__normalise__good, 0, G_N_ELEMENTS(good));
    tcase_add_loop_test(cases, test_bp_config__normalise__bad, 0, G_N_ELEMENTS(bad));
    tcase_add_test(cases, test_bp_config__normalise__a_path_without_base_starts_here);
    tcase_add_test(cases, test_bp_config__normalise__a_type_from_the_future);
    tcase_add_test(cases, test_bp_config__normalise__is_idempotent);
    tcase_add_test(cases, test_bp_config__range_text__says_what_is_allowed);
    return fixture_run("values", cases);
}
