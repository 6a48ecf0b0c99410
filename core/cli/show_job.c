/* SPDX-License-Identifier: Apache-2.0
 *
 * See show.h: jobs.
 */
#include <bakplane/abi.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/cli/cli.h"
#include "core/cli/show.h"
#include "core/cli/table.h"
#include "core/jobs/store.h"

#include "sdk/lib/ban.h"

static bp_term_style
style_of(const char *state)
{
    static const struct {
        const char *state;
        bp_term_style style;
    } styles[] = {
        {"succeeded", BP_TERM_GREEN},   {"failed", BP_TERM_RED},
        {"unreadable", BP_TERM_RED},    {"interrupted", BP_TERM_RED},
        {"different", BP_TERM_YELLOW},  {"cancelled", BP_TERM_YELLOW},
        {"cancelling", BP_TERM_YELLOW},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(styles); i++) {
        if (strcmp(styles[i].state, state) == 0) {
            return styles[i].style;
        }
    }
    return BP_TERM_PLAIN;
}

/* How long it has been running, or did.  NULL = it never began. */
static char *
duration_of(const json_t *job)
{
    gint64 started = bp_clock_parse(bp_json_text(job, "started", ""));
    gint64 ended = bp_clock_parse(bp_json_text(job, "ended", ""));
    bool over = bp_jobs_is_over(bp_json_text(job, "state", ""));
    if (started == 0 || (over && ended == 0)) {
        return NULL;
    }
    gint64 until = over ? ended : bp_clock_wall_ns();
    return bp_text_duration(MAX(until - started, 0));
}

/* "copy 45 %, 1.2 GiB of 2.7 GiB, 310 MiB/s, 4.2 s left", as far as it is known. */
static char *
progress_of(const json_t *progress)
{
    const char *phase = bp_json_text(progress, "phase", NULL);
    guint64 done = bp_json_u64(progress, "bytes_done", 0);
    guint64 total = bp_json_u64(progress, "bytes_total", 0);
    guint64 rate = bp_json_u64(progress, "bytes_per_s", 0);
    guint64 left_ms = bp_json_u64(progress, "remaining_ms", BP_UNKNOWN);
    if (phase == NULL) {
        return NULL;
    }
    GString *out = g_string_new(phase);
    if (total > 0) {
        g_autofree char *of = bp_text_size(done);
        g_autofree char *all = bp_text_size(total);
        g_string_append_printf(out, " %d %%, %s of %s", (int)(100.0 * (double)done / (double)total),
                               of, all);
    } else if (bp_json_u64(progress, "items_total", 0) > 0) {
        g_string_append_printf(out, " %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
                               bp_json_u64(progress, "items_done", 0),
                               bp_json_u64(progress, "items_total", 0));
    }
    if (rate > 0) {
        g_autofree char *speed = bp_text_size(rate);
        g_string_append_printf(out, ", %s/s", speed);
    }
    if (left_ms != BP_UNKNOWN) {
        g_autofree char *left = bp_text_duration((gint64)left_ms * BP_NS_PER_MS);
        g_string_append_printf(out, ", %s left", left);
    }
    return g_string_free(out, FALSE);
}

/* What there is to say of it in one cell. */
static char *
detail_of(const json_t *job)
{
    const char *other = bp_json_text(job, "waits_for", NULL);
    if (other != NULL) {
        return g_strdup_printf("waits for %s", other);
    }
    if (!bp_jobs_is_over(bp_json_text(job, "state", ""))) {
        return progress_of(json_object_get(job, "progress"));
    }
    return g_strdup(bp_json_text(json_object_get(job, "error"), "message", ""));
}

static char *
show_table(const json_t *jobs, bool color)
{
    static const bp_table_column columns[] = {
        {"JOB", false},     {"STATE", false},   {"VERB", false},   {"BACKUP", false},
        {"CREATED", false}, {"DURATION", true}, {"DETAIL", false}, {NULL, false}};
    g_autoptr(bp_table) table = bp_table_new(columns);
    for (gsize i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);
        const char *state = bp_json_text(job, "state", "?");
        g_autofree char *duration = duration_of(job);
        g_autofree char *detail = detail_of(job);
        const char *const cells[] = {
            bp_json_text(job, "id", "?"),       state,
            bp_json_text(job, "verb", NULL),    bp_json_text(job, "name", NULL),
            bp_json_text(job, "created", NULL), duration,
            detail != NULL ? detail : ""};
        bp_table_add(table, cells);
        bp_table_style_last(table, style_of(state));
    }
    return bp_table_render(table, color);
}

static void
append_fact(GString *out, const char *label, const char *value)
{
    if (value != NULL && *value != '\0') {
        g_autofree char *safe = bp_term_safe(value, false);
        g_string_append_printf(out, "%-10s %s\n", label, safe);
    }
}

/* The result as its own command shows it. */
static void
append_result(GString *out, const json_t *job, bool color)
{
    const json_t *result = json_object_get(job, "result");
    const char *verb = bp_json_text(job, "verb", "");
    bool failed = strcmp(bp_json_text(result, "outcome", "failed"), "failed") == 0;
    if (failed && !json_is_true(json_object_get(result, "touched"))) {
        return;
    }
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        if (strcmp(bp_commands[i]->name, verb) == 0) {
            g_autofree char *text = bp_commands[i]->show(result, color);
            g_string_append_printf(out, "\n%s", text);
        }
    }
}

static void
append_job(GString *out, const json_t *job, bool color)
{
    const json_t *error = json_object_get(job, "error");
    bool over = bp_jobs_is_over(bp_json_text(job, "state", ""));
    g_autofree char *duration = duration_of(job);
    g_autofree char *progress = over ? NULL : progress_of(json_object_get(job, "progress"));
    guint64 pid = bp_json_u64(job, "pid", 0);
    g_autofree char *process = pid > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, pid) : NULL;
    append_fact(out, "job", bp_json_text(job, "id", NULL));
    append_fact(out, "state", bp_json_text(job, "state", NULL));
    append_fact(out, "verb", bp_json_text(job, "verb", NULL));
    append_fact(out, "backup", bp_json_text(job, "name", NULL));
    append_fact(out, "waits for", bp_json_text(job, "waits_for", NULL));
    append_fact(out, "progress", progress);
    append_fact(out, "error", bp_json_text(error, "message", NULL));
    append_fact(out, "hint", bp_json_text(error, "hint", NULL));
    append_fact(out, "created", bp_json_text(job, "created", NULL));
    append_fact(out, "started", bp_json_text(job, "started", NULL));
    append_fact(out, "ended", bp_json_text(job, "ended", NULL));
    append_fact(out, "duration", duration);
    append_fact(out, "process", process);
    append_fact(out, "origin", bp_json_text(job, "origin", NULL));
    append_result(out, job, color);
    const char *log = bp_json_text(job, "log", NULL);
    if (log != NULL) {
        g_autofree char *safe = bp_term_safe(log, true);
        g_string_append_printf(out, "\n%s", safe);
    }
}

char *
bp_show_jobs(const json_t *result, bool color)
{
    const json_t *jobs = json_object_get(result, "jobs");
    if (json_array_size(jobs) == 0) {
        return g_strdup("no jobs\n");
    }
    if (!json_is_true(json_object_get(result, "detail"))) {
        return show_table(jobs, color);
    }
    GString *out = g_string_new(NULL);
    append_job(out, json_array_get(jobs, 0), color);
    return g_string_free(out, FALSE);
}
