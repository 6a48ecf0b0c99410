/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/progress_view: what is written, tick by tick.  Snapshots and time are scripted.
 */
#include "core/cli/progress_view.h"

#include "core/base/log.h"

#include "out_fixture.h"

static char *text;
static size_t size, seen;
static FILE *stream;
static bp_progress current;
static bool running;

static void
setup(void)
{
    stream = open_memstream(&text, &size);
    seen = 0;
    current = progress_at(0, 0, 0);
    running = true;
}

static void
teardown(void)
{
    fclose(stream);
    free(text);
    text = NULL;
}

static bool
snapshot(void *ctx G_GNUC_UNUSED, bp_progress *out)
{
    *out = current;
    return running;
}

static guint
columns(FILE *of G_GNUC_UNUSED)
{
    return 60;
}

static bp_progress_view *
view_of(bp_progress_style style)
{
    bp_progress_view_params params = {
        .style = style, .stream = stream, .snapshot = snapshot, .columns = columns};
    return bp_progress_view_new(&params);
}

/* Let `seconds` of the phase pass in one tick. */
static void
tick_at(bp_progress_view *view, double seconds, guint64 items, guint64 bytes)
{
    current = progress_at(seconds, items, bytes);
    bp_progress_view__tick(view, current.elapsed_ns);
}

/* What was written since the last call. */
static char *
written(void)
{
    fflush(stream);
    char *out = g_strdup(text + seen);
    seen = size;
    return out;
}

START_TEST(test_bp_progress_view__tick__draws_a_bar_and_erases_it)
{
    g_autoptr(bp_progress_view) view = view_of(BP_PROGRESS_BAR);
    tick_at(view, 0.0, 0, 0);
    g_autofree char *first = written();
    ck_assert(g_str_has_prefix(first, "\r\033[Kcopy ["));
    ck_assert_ptr_null(strchr(first, '\n'));
    tick_at(view, 0.01, 0, 0);
    g_autofree char *same = written();
    ck_assert_str_eq(same, "");
    tick_at(view, 1.0, 60, 100 * MIB);
    g_autofree char *next = written();
    ck_assert_ptr_nonnull(strstr(next, "10 %"));
    running = false;
    bp_progress_view__tick(view, 2 * BP_NS_PER_S);
    g_autofree char *last = written();
    ck_assert_str_eq(last, "\r\033[K");
}
END_TEST

START_TEST(test_bp_progress_view__tick__plain_lines_every_few_seconds)
{
    g_autoptr(bp_progress_view) view = view_of(BP_PROGRESS_LINES);
    for (int i = 0; i <= 110; i++) {
        tick_at(view, i / 10.0, (guint64)i, (guint64)i * MIB);
    }
    g_autofree char *all = written();
    g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 4);
    ck_assert_str_eq(lines[0], "copy: started");
    ck_assert(g_str_has_prefix(lines[1], "copy: 5 %, 50 of 600, 50.0 MiB of 1000 MiB"));
    ck_assert(g_str_has_prefix(lines[2], "copy: 10 %, 100 of 600"));
    ck_assert_ptr_null(strchr(all, '\033'));
}
END_TEST

START_TEST(test_bp_progress_view__tick__json_events)
{
    g_autoptr(bp_progress_view) view = view_of(BP_PROGRESS_JSON);
    for (int i = 0; i <= 15; i++) {
        tick_at(view, i / 10.0, (guint64)i, (guint64)i * MIB);
    }
    current.phase = "import";
    current.elapsed_ns = 0;
    bp_progress_view__tick(view, 2 * BP_NS_PER_S);
    running = false;
    bp_progress_view__tick(view, 3 * BP_NS_PER_S);
    g_autofree char *all = written();
    g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 6);
    ck_assert(g_str_has_prefix(lines[0], "{\"event\":\"phase\",\"phase\":\"copy\""));
    ck_assert(g_str_has_prefix(lines[1], "{\"event\":\"progress\",\"phase\":\"copy\""));
    ck_assert(
        g_str_has_prefix(lines[2], "{\"event\":\"done\",\"phase\":\"copy\",\"items_done\":15"));
    ck_assert(g_str_has_prefix(lines[3], "{\"event\":\"phase\",\"phase\":\"import\""));
    ck_assert(g_str_has_prefix(lines[4], "{\"event\":\"done\",\"phase\":\"import\""));
}
END_TEST

START_TEST(test_bp_progress_view__tick__nothing_runs)
{
    g_autoptr(bp_progress_view) view = view_of(BP_PROGRESS_BAR);
    running = false;
    bp_progress_view__tick(view, 0);
    g_autofree char *nothing = written();
    ck_assert_str_eq(nothing, "");
}
END_TEST

/* With its thread: log lines appear whole, above the bar, and the log gets its stderr back. */
START_TEST(test_bp_progress_view_start__log_lines_step_aside)
{
    g_autoptr(bp_progress_view) view = view_of(BP_PROGRESS_BAR);
    bp_progress_view_start(view);
    bp_progress_view_start(view);
    bp_log(BP_LOG_ERROR, "test", "in between", NULL);
    bp_progress_view_stop(view);
    bp_progress_view_stop(view);
    g_autofree char *all = written();
    const char *line = strstr(all, " error test: in between\n");
    ck_assert_ptr_nonnull(line);
    ck_assert(g_str_has_suffix(all, "\r\033[K"));
    /* Either nothing is on the screen yet, or the bar is erased before the line. */
    const char *bar = strstr(all, "copy [");
    if (bar != NULL && bar < line) {
        const char *erase = strstr(bar, "\r\033[K");
        ck_assert(erase != NULL && erase < line);
    }
}
END_TEST

START_TEST(test_bp_progress_view_start__none_is_silent)
{
    g_autoptr(bp_progress_view) view = view_of(BP_PROGRESS_NONE);
    bp_progress_view_start(view);
    bp_progress_view_stop(view);
    g_autofree char *nothing = written();
    ck_assert_str_eq(nothing, "");
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("progress_view");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_bp_progress_view__tick__draws_a_bar_and_erases_it);
    tcase_add_test(cases, test_bp_progress_view__tick__plain_lines_every_few_seconds);
    tcase_add_test(cases, test_bp_progress_view__tick__json_events);
    tcase_add_test(cases, test_bp_progress_view__tick__nothing_runs);
    tcase_add_test(cases, test_bp_progress_view_start__log_lines_step_aside);
    tcase_add_test(cases, test_bp_progress_view_start__none_is_silent);
    return run_suite("progress_view", cases);
}
