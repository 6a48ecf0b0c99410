/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON for programs.
 */
#include "core/cli/jsonout.h"

#include "core/base/log.h"
#include "core/cli/output.h"

#include "sdk/lib/ban.h"

bool
bp_jsonout_result(FILE *stream, const json_t *result, GError **error)
{
    g_autofree char *text = bp_json_pretty(result);
    g_autofree char *redacted = bp_log_redact(text);
    return bp_output_write(stream, redacted, error);
}

char *
bp_jsonout_event(const char *event, const bp_progress *progress, const bp_rate *rate)
{
    g_autoptr(json_t) numbers = bp_progress_json(progress, rate);
    g_autoptr(json_t) object = json_object();
    bp_json_set_text(object, "event", event);
    (void)json_object_update(object, numbers); /* fails only without memory, which aborts before */
    g_autofree char *line = bp_json_line(object);
    return g_strconcat(line, "\n", NULL);
}
