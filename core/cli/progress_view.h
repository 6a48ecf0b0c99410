/* SPDX-License-Identifier: Apache-2.0
 *
 * Shows the progress of a running job: a bar that is redrawn at most ten times a second, a plain
 * line every few seconds, or JSON events once a second.  It asks for snapshots from a thread of
 * its own; while a bar is shown, log lines pass above it.
 *
 * start and stop: main thread.
 */
#ifndef BP_CORE_CLI_PROGRESS_VIEW_H
#define BP_CORE_CLI_PROGRESS_VIEW_H

#include "core/cli/output.h"
#include "core/copy/progress.h"

typedef struct bp_progress_view bp_progress_view;

typedef struct bp_progress_view_params {
    bp_progress_style style;
    FILE *stream; /* stderr */
    /** Numbers now; false when no phase is running.  Called by the view's thread, under no lock. */
    bool (*snapshot)(void *ctx, bp_progress *out);
    void *ctx;
    guint (*columns)(FILE *stream); /* NULL = bp_output_columns */
} bp_progress_view_params;

/** Returns: (transfer full) */
bp_progress_view *bp_progress_view_new(const bp_progress_view_params *params);
/** Stops. */
void bp_progress_view_free(bp_progress_view *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_progress_view, bp_progress_view_free)

/** Start to show; a bar takes over the log's sink.  Style NONE does nothing. */
void bp_progress_view_start(bp_progress_view *view);
/** Erase the bar, give the log's sink back.  A second call does nothing. */
void bp_progress_view_stop(bp_progress_view *view);

/** One look at the job, as the thread takes it every 100 ms.  @now_ns: monotonic. */
void bp_progress_view__tick(bp_progress_view *view, gint64 now_ns);

#endif
