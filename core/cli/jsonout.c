/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON for programs.
 */
#include "core/cli/jsonout.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/cli/output.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

bool
bp_jsonout_result(FILE *stream, const json_t *result, GError **error)
{
    g_autofree char *text = bp_json_pretty(result);
    g_autofree char *redacted = bp_log_redact(text);
    return bp_output_write(stream, redacted, error);
}

json_t *
bp_jsonout_error(const GError *error)
{
    g_autofree char *redacted = bp_log_redact(error->message);
    g_auto(GStrv) halves = g_strsplit(redacted, "\nhint: ", 2);
    json_t *object = json_object();
    bp_json_set_text(object, "class", bp_class_name(bp_error_class(error)));
    bp_json_set_text(object, "message", halves[0]);
    bp_json_set_text(object, "hint", halves[0] != NULL ? halves[1] : NULL);
    return object;
}

static void
set_total(json_t *object, const char *key, guint64 total)
{
    if (total > 0) {
        bp_json_set_u64(object, key, total); /* leaves BP_UNKNOWN out by itself */
    }
}

char *
bp_jsonout_event(const char *event, const bp_progress *progress, const bp_rate *rate)
{
    g_autoptr(json_t) object = json_object();
    bp_json_set_text(object, "event", event);
    bp_json_set_text(object, "phase", progress->phase);
    bp_json_set_u64(object, "items_done", progress->items_done);
    set_total(object, "items_total", progress->items_total);
    bp_json_set_u64(object, "bytes_done", progress->bytes_done);
    set_total(object, "bytes_total", progress->bytes_total);
    bp_json_set_u64(object, "elapsed_ms", (guint64)(progress->elapsed_ns / BP_NS_PER_MS));
    if (rate->known) {
        bp_json_set_u64(object, "items_per_s", (guint64)rate->items_per_s);
        bp_json_set_u64(object, "bytes_per_s", (guint64)rate->bytes_per_s);
    }
    gint64 remaining_ns = bp_rate_remaining_ns(rate, progress);
    if (remaining_ns >= 0) {
        bp_json_set_u64(object, "remaining_ms", (guint64)(remaining_ns / BP_NS_PER_MS));
    }
    g_autofree char *line = bp_json_line(object);
    return g_strconcat(line, "\n", NULL);
}
