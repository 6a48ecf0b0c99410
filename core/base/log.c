/* SPDX-License-Identifier: Apache-2.0
 *
 * See log.h.  One mutex orders the lines; they are made and written under it, nothing else.
 */
#include "core/base/log.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/clock.h"

#include "sdk/lib/ban.h"

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};

static _Atomic int max_level = BP_LOG_WARN;
static _Atomic int line_format = BP_LOG_FORMAT_TEXT;
static _Atomic bool is_shared;

/* Guards both sinks and what they are called with, secrets and the order of lines. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bp_log_sink line_sink;
static void *line_sink_ctx;
static bp_log_sink line_copy;
static void *line_copy_ctx;
static GPtrArray *secrets;
static char job_id[64]; /* "" = none */

/* What this thread works on for somebody outside; "" = nothing. */
static _Thread_local char request_id[64];

void
bp_log_set_job(const char *id)
{
    pthread_mutex_lock(&lock);
    g_strlcpy(job_id, id != NULL ? id : "", sizeof job_id);
    pthread_mutex_unlock(&lock);
}

void
bp_log_set_shared(bool shared)
{
    atomic_store(&is_shared, shared);
}

void
bp_log_set_request(const char *id)
{
    g_strlcpy(request_id, id != NULL ? id : "", sizeof request_id);
}

void
bp_log_set_level(enum bp_log_level level)
{
    atomic_store(&max_level, (int)level);
}

void
bp_log_set_format(bp_log_format format)
{
    atomic_store(&line_format, (int)format);
}

bool
bp_log_level_parse(const char *text, enum bp_log_level *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum bp_log_level)i;
            return true;
        }
    }
    return false;
}

void
bp_log_set_sink(bp_log_sink sink, void *ctx)
{
    pthread_mutex_lock(&lock);
    line_sink = sink;
    line_sink_ctx = ctx;
    pthread_mutex_unlock(&lock);
}

void
bp_log_set_copy(bp_log_sink copy, void *ctx)
{
    pthread_mutex_lock(&lock);
    line_copy = copy;
    line_copy_ctx = ctx;
    pthread_mutex_unlock(&lock);
}

static int
compare_length(const void *a, const void *b)
{
    gsize n = strlen(*(const char *const *)a);
    gsize m = strlen(*(const char *const *)b);
    return (n < m) - (n > m);
}

void
bp_log_add_secret(const char *secret)
{
    if (secret == NULL || strlen(secret) < 4) {
        return; /* blotting out "a" would make every line unreadable */
    }
    pthread_mutex_lock(&lock);
    if (secrets == NULL) {
        secrets = g_ptr_array_new_with_free_func(g_free);
    }
    if (!g_ptr_array_find_with_equal_func(secrets, secret, g_str_equal, NULL)) {
        g_ptr_array_add(secrets, g_strdup(secret));
        g_ptr_array_sort(secrets,
                         compare_length); /* else "abcd" would uncover the end of "abcdef" */
    }
    pthread_mutex_unlock(&lock);
}

static char *
redact_locked(const char *text)
{
    GString *out = g_string_new(text);
    for (guint i = 0; secrets != NULL && i < secrets->len; i++) {
        g_string_replace(out, g_ptr_array_index(secrets, i), "***", 0);
    }
    return g_string_free(out, FALSE);
}

char *
bp_log_redact(const char *text)
{
    pthread_mutex_lock(&lock);
    char *out = redact_locked(text);
    pthread_mutex_unlock(&lock);
    return out;
}

bool
bp_log_enabled(enum bp_log_level level)
{
    return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/* A line ends where it ends, and nothing in it is what a terminal or a parser would trip over. */
static char *
clean_locked(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "-", -1);
    return redact_locked(valid);
}

static char *
text_line(enum bp_log_level level, const char *module, const char *message, va_list pairs)
{
    g_autofree char *now = bp_clock_wall_text();
    g_autofree char *said = clean_locked(message);
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "%s %-5s %s: %s", now, level_names[level], module, said);
    const char *key = NULL;
    while ((key = va_arg(pairs, const char *)) != NULL) {
        g_autofree char *value = clean_locked(va_arg(pairs, const char *));
        g_string_append_printf(line, " %s=%s", key, value);
    }
    if (atomic_load(&is_shared) && job_id[0] != '\0') {
        g_string_append_printf(line, " job_id=%s", job_id);
    }
    for (char *p = line->str; *p != '\0'; p++) {
        if (*p == '\n') {
            *p = ' ';
        }
    }
    return g_string_free(line, FALSE);
}

static void
set_text(json_t *line, const char *key, const char *value)
{
    g_autofree char *clean = clean_locked(value);
    json_object_set_new(line, key, json_string(clean));
}

/* Secrets are looked for before they are escaped: a quote in one would hide it afterwards. */
static char *
json_line(enum bp_log_level level, const char *module, const char *message, va_list pairs)
{
    g_autofree char *now = bp_clock_wall_text();
    json_t *line = json_object();
    const char *key = NULL;
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        set_text(line, key, value != NULL ? value : "");
    }
    json_t *whole = json_object();
    set_text(whole, "time", now);
    set_text(whole, "level", level_names[level]);
    set_text(whole, "module", module);
    set_text(whole, "message", message);
    if (job_id[0] != '\0') {
        set_text(whole, "job_id", job_id);
    }
    if (request_id[0] != '\0') {
        set_text(whole, "request_id", request_id);
    }
    json_object_update_missing(whole, line); /* a pair cannot take the place of these */
    json_decref(line);
    char *dumped = json_dumps(whole, JSON_COMPACT);
    json_decref(whole);
    char *out = g_strdup(dumped != NULL ? dumped : "{}");
    free(dumped);
    return out;
}

void
bp_log(enum bp_log_level level, const char *module, const char *message, ...)
{
    if (!bp_log_enabled(level)) {
        return;
    }
    int saved = errno;
    va_list pairs;
    pthread_mutex_lock(&lock);
    va_start(pairs, message);
    g_autofree char *line = atomic_load(&line_format) == BP_LOG_FORMAT_JSON
                                ? json_line(level, module, message, pairs)
                                : text_line(level, module, message, pairs);
    va_end(pairs);
    if (line_sink != NULL) {
        line_sink(line_sink_ctx, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
    if (line_copy != NULL) {
        line_copy(line_copy_ctx, line);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}
