/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/prometheus: the text format, to the letter.
 */
#include "core/server/prometheus.h"

#include "tests/harness/suite.h"

static const bp_prom_family counter = {"a_total", BP_PROM_COUNTER, "Back\\slash,\n\"quotes\"."};
static const bp_prom_family histogram = {"h_seconds", BP_PROM_HISTOGRAM, "How long."};

START_TEST(test_begin__help_and_type)
{
    g_autoptr(GString) out = g_string_new(NULL);
    bp_prom_begin(out, &counter);
    ck_assert_str_eq(out->str, "# HELP a_total Back\\\\slash,\\n\"quotes\".\n"
                               "# TYPE a_total counter\n");
}
END_TEST

START_TEST(test_sample__values_are_escaped)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *const labels[] = {"one", "a\"b\\c\nd", "two", "\xff", NULL};
    bp_prom_sample(out, &counter, labels, 1);
    ck_assert_str_eq(out->str, "a_total{one=\"a\\\"b\\\\c\\nd\",two=\"\xef\xbf\xbd\"} 1\n");
}
END_TEST

START_TEST(test_sample__numbers)
{
    g_autoptr(GString) out = g_string_new(NULL);
    bp_prom_sample(out, &counter, NULL, 0);
    bp_prom_sample(out, &counter, NULL, 4503599627370496.0); /* no exponent, nothing lost */
    bp_prom_sample(out, &counter, NULL, 0.25);
    bp_prom_sample(out, &counter, NULL, 1795312345.678);
    ck_assert_str_eq(out->str, "a_total 0\na_total 4503599627370496\na_total 0.25\n"
                               "a_total 1795312345.678\n");
}
END_TEST

START_TEST(test_histogram__adds_up)
{
    static const guint64 bounds[] = {1000, 2500000};
    static const guint64 counts[] = {3, 0, 2};
    bp_prom_buckets buckets = {
        .bounds = bounds, .counts = counts, .n = 2, .per_unit = 1e-6, .sum = 1500000};
    g_autoptr(GString) out = g_string_new(NULL);
    const char *const labels[] = {"x", "y", NULL};
    bp_prom_histogram(out, &histogram, labels, &buckets);
    ck_assert_str_eq(out->str, "h_seconds_bucket{x=\"y\",le=\"0.001\"} 3\n"
                               "h_seconds_bucket{x=\"y\",le=\"2.5\"} 3\n"
                               "h_seconds_bucket{x=\"y\",le=\"+Inf\"} 5\n"
                               "h_seconds_sum{x=\"y\"} 1.5\n"
                               "h_seconds_count{x=\"y\"} 5\n");
}
END_TEST

START_TEST(test_histogram__without_labels)
{
    static const guint64 bounds[] = {1};
    static const guint64 counts[] = {0, 0};
    bp_prom_buckets buckets = {.bounds = bounds, .counts = counts, .n = 1, .per_unit = 1};
    g_autoptr(GString) out = g_string_new(NULL);
    bp_prom_histogram(out, &histogram, NULL, &buckets);
    ck_assert_str_eq(out->str, "h_seconds_bucket{le=\"1\"} 0\nh_seconds_bucket{le=\"+Inf\"} 0\n"
                               "h_seconds_sum 0\nh_seconds_count 0\n");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/server/prometheus", NULL, NULL, test_begin__help_and_type,
                     test_sample__values_are_escaped, test_sample__numbers, test_histogram__adds_up,
                     test_histogram__without_labels);
}
