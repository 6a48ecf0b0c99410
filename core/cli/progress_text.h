/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress as text: numbers in, one line out.  Pure functions.
 */
#ifndef BP_CORE_CLI_PROGRESS_TEXT_H
#define BP_CORE_CLI_PROGRESS_TEXT_H

#include "core/copy/rate.h"

/** Share that is done, 0 to 100, by bytes or, without any, by items; -1 = no total is known. */
int bp_progress_percent(const bp_progress *progress);

/**
 * "copy [=====>    ]  45 %  120/600  1.2 GiB/2.7 GiB  310 MiB/s  4.2 s left", shorter than
 * `columns`: the bar takes what is left, and parts go from the right where nothing is.
 * Returns: (transfer full)
 */
char *bp_progress_bar_text(const bp_progress *progress, const bp_rate *rate, guint columns);

/** The same in words, for a log or a pipe, without newline.  Returns: (transfer full) */
char *bp_progress_line_text(const bp_progress *progress, const bp_rate *rate);

#endif
