/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON for programs: the result of a command on stdout, progress events on stderr.
 */
#ifndef BP_CORE_CLI_JSONOUT_H
#define BP_CORE_CLI_JSONOUT_H

#include <stdio.h>

#include "core/base/json.h"
#include "core/copy/rate.h"

/** The result of a command, indented; secrets blotted out.  Errors as bp_output_write. */
bool bp_jsonout_result(FILE *stream, const json_t *result, GError **error);

/**
 * One event, one line with its newline: {"event":"progress","phase":"copy","items_done":…}.
 * What is not known (a total, rate, remaining time) is left out.
 * @event: "phase" (it begins), "progress" or "done".  Returns: (transfer full)
 */
char *bp_jsonout_event(const char *event, const bp_progress *progress, const bp_rate *rate);

#endif
