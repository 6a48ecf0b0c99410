/* SPDX-License-Identifier: Apache-2.0
 *
 * Shows the progress of a running job.  One mutex orders what is written, as in the log; the log
 * calls in here with its own lock held, so nothing here logs under ours.
 */
#include "core/cli/progress_view.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/cli/jsonout.h"
#include "core/cli/progress_text.h"
#include "core/copy/rate.h"

#include "sdk/lib/ban.h"

#define TICK_NS (100 * BP_NS_PER_MS)
#define LINE_NS (5 * BP_NS_PER_S)
#define EVENT_NS BP_NS_PER_S
#define ERASE "\r\033[K"

struct bp_progress_view {
    bp_progress_view_params params;
    pthread_t thread;
    bool started; /* main thread only */
    /* The tick's own. */
    bp_progress last; /* phase NULL = none was running */
    bp_rate rate;
    gint64 shown_ns;
    /* Guards bar, stopping and the order of what is written. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    char *bar; /* on the screen now, or NULL */
    bool stopping;
};

bp_progress_view *
bp_progress_view_new(const bp_progress_view_params *params)
{
    bp_progress_view *view = g_new0(bp_progress_view, 1);
    view->params = *params;
    if (view->params.columns == NULL) {
        view->params.columns = bp_output_columns;
    }
    pthread_mutex_init(&view->lock, NULL);
    bp_cond_init(&view->wake);
    return view;
}

void
bp_progress_view_free(bp_progress_view *view)
{
    if (view != NULL) {
        bp_progress_view_stop(view);
        pthread_cond_destroy(&view->wake);
        pthread_mutex_destroy(&view->lock);
        g_free(view->bar);
        g_free(view);
    }
}

/* Nobody is there to be told when the terminal itself fails. */
static void
put(const bp_progress_view *view, const char *text)
{
    (void)fputs(text, view->params.stream);
    (void)fflush(view->params.stream);
}

static void
erase_bar(bp_progress_view *view)
{
    BP_LOCK_GUARD(&view->lock);
    if (view->bar != NULL) {
        put(view, ERASE);
        g_clear_pointer(&view->bar, g_free);
    }
}

static void
draw_bar(bp_progress_view *view, const bp_progress *progress)
{
    guint columns = view->params.columns(view->params.stream);
    g_autofree char *text = bp_progress_bar_text(progress, &view->rate, columns);
    BP_LOCK_GUARD(&view->lock);
    if (g_strcmp0(view->bar, text) == 0) {
        return;
    }
    g_autofree char *drawn = g_strconcat(ERASE, text, NULL);
    put(view, drawn);
    g_free(view->bar);
    view->bar = g_steal_pointer(&text);
}

static void
put_line(bp_progress_view *view, const bp_progress *progress)
{
    g_autofree char *text = bp_progress_line_text(progress, &view->rate);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    BP_LOCK_GUARD(&view->lock);
    put(view, line);
}

static void
put_event(bp_progress_view *view, const char *event, const bp_progress *progress)
{
    g_autofree char *line = bp_jsonout_event(event, progress, &view->rate);
    BP_LOCK_GUARD(&view->lock);
    put(view, line);
}

static void
phase_begins(bp_progress_view *view, const bp_progress *progress, gint64 now_ns)
{
    view->rate = (bp_rate){0};
    view->shown_ns = now_ns;
    if (view->params.style == BP_PROGRESS_JSON) {
        put_event(view, "phase", progress);
    } else if (view->params.style == BP_PROGRESS_LINES) {
        g_autofree char *line = g_strdup_printf("%s: started\n", progress->phase);
        BP_LOCK_GUARD(&view->lock);
        put(view, line);
    }
}

static void
phase_ends(bp_progress_view *view)
{
    if (view->params.style == BP_PROGRESS_JSON) {
        put_event(view, "done", &view->last);
    } else if (view->params.style == BP_PROGRESS_BAR) {
        erase_bar(view);
    }
    view->last.phase = NULL;
}

static void
phase_goes_on(bp_progress_view *view, const bp_progress *progress, gint64 now_ns)
{
    bp_progress_style style = view->params.style;
    gint64 pause_ns = style == BP_PROGRESS_LINES ? LINE_NS : EVENT_NS;
    if (style == BP_PROGRESS_BAR) {
        draw_bar(view, progress);
        return;
    }
    if (now_ns - view->shown_ns < pause_ns) {
        return;
    }
    view->shown_ns = now_ns;
    if (style == BP_PROGRESS_LINES) {
        put_line(view, progress);
    } else {
        put_event(view, "progress", progress);
    }
}

void
bp_progress_view__tick(bp_progress_view *view, gint64 now_ns)
{
    bp_progress progress = {0};
    bool is_running = view->params.snapshot(view->params.ctx, &progress);
    bool was_running = view->last.phase != NULL;
    bool is_new = is_running && (!was_running || strcmp(view->last.phase, progress.phase) != 0 ||
                                 progress.elapsed_ns < view->last.elapsed_ns);
    if (was_running && (is_new || !is_running)) {
        phase_ends(view);
    }
    if (!is_running) {
        return;
    }
    if (is_new) {
        phase_begins(view, &progress, now_ns);
    }
    bp_rate_update(&view->rate, &progress);
    view->last = progress;
    phase_goes_on(view, &progress, now_ns);
}

/* A log line while a bar is shown. */
static void
pass_line(void *ctx, const char *line)
{
    bp_progress_view *view = ctx;
    BP_LOCK_GUARD(&view->lock);
    bool has_bar = view->bar != NULL;
    g_autofree char *text =
        g_strconcat(has_bar ? ERASE : "", line, "\n", has_bar ? view->bar : "", NULL);
    put(view, text);
}

static bool
wait_for_tick(bp_progress_view *view)
{
    gint64 until_ns = bp_clock_mono_ns() + TICK_NS;
    BP_LOCK_GUARD(&view->lock);
    while (!view->stopping && bp_cond_wait_until(&view->wake, &view->lock, until_ns)) {
    }
    return !view->stopping;
}

static void *
run(void *ctx)
{
    bp_progress_view *view = ctx;
    do {
        bp_progress_view__tick(view, bp_clock_mono_ns());
    } while (wait_for_tick(view));
    return NULL;
}

void
bp_progress_view_start(bp_progress_view *view)
{
    if (view->params.style == BP_PROGRESS_NONE || view->started) {
        return;
    }
    view->started = true;
    if (view->params.style == BP_PROGRESS_BAR) {
        bp_log_set_sink(pass_line, view);
    }
    bp_thread_start(&view->thread, run, view);
}

void
bp_progress_view_stop(bp_progress_view *view)
{
    if (!view->started) {
        return;
    }
    pthread_mutex_lock(&view->lock);
    view->stopping = true;
    pthread_cond_signal(&view->wake);
    pthread_mutex_unlock(&view->lock);
    pthread_join(view->thread, NULL);
    view->started = false;
    if (view->last.phase != NULL) {
        phase_ends(view);
    }
    if (view->params.style == BP_PROGRESS_BAR) {
        bp_log_set_sink(NULL, NULL);
    }
}
