/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging to stderr, as text or JSON lines.  info = what an operator wants once per phase of a
 * job, debug = per object, trace = per request.  Keeps errno.  Any thread.
 *
 * Known secrets (bp_log_add_secret) are blotted out of every line, whoever wrote it.
 */
#ifndef BP_CORE_BASE_LOG_H
#define BP_CORE_BASE_LOG_H

#include <bakplane/host.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum { BP_LOG_FORMAT_TEXT, BP_LOG_FORMAT_JSON } bp_log_format;

/** Most verbose level that is written; default BP_LOG_WARN.  Before threads start. */
void bp_log_set_level(enum bp_log_level level);
void bp_log_set_format(bp_log_format format);
/** "error", "warn", "info", "debug", "trace"; false for any other text. */
bool bp_log_level_parse(const char *text, enum bp_log_level *out);

/**
 * Sees each finished line (without newline) instead of stderr: lets a progress bar step aside.
 * NULL = stderr again.  Called under the log's lock: must not log.
 */
typedef void (*bp_log_sink)(void *ctx, const char *line);
void bp_log_set_sink(bp_log_sink sink, void *ctx);
/**
 * Sees each finished line as well, wherever it goes: keeps the log of a job.  NULL = nobody.
 * Called under the log's lock: must not log.
 */
void bp_log_set_copy(bp_log_sink copy, void *ctx);

/**
 * The job that this process works on: member "job_id" of each JSON line.  NULL = none.
 * @id: copied, at most 63 bytes.
 */
void bp_log_set_job(const char *id);
/**
 * Other jobs write to the same place: text lines, too, say "job_id=ID" at their end.  Else they are
 * read by people, one job at a time, and do without.
 */
void bp_log_set_shared(bool shared);
/** What this thread does is part of that request: member "request_id", likewise.  NULL = none. */
void bp_log_set_request(const char *id);

/** Never show this text in any line.  Texts shorter than 4 bytes are not recorded. */
void bp_log_add_secret(const char *secret);
/** Copy of `text` with every known secret replaced by "***".  Returns: (transfer full) */
char *bp_log_redact(const char *text);

bool bp_log_enabled(enum bp_log_level level);

/**
 * One line: message, then key/value pairs of C strings, ended by NULL.
 * @module: who speaks ("copy", "plugin:local" …).
 */
void bp_log(enum bp_log_level level, const char *module, const char *message,
            ...) G_GNUC_NULL_TERMINATED;

#define BP_LOG_AT(level, ...)                                  \
    do {                                                       \
        if (bp_log_enabled(level)) {                           \
            bp_log((level), BP_LOG_MODULE, __VA_ARGS__, NULL); \
        }                                                      \
    } while (0)

/* A file that logs defines BP_LOG_MODULE before the first use. */
#define BP_ERROR_LOG(...) BP_LOG_AT(BP_LOG_ERROR, __VA_ARGS__)
#define BP_WARN(...) BP_LOG_AT(BP_LOG_WARN, __VA_ARGS__)
#define BP_INFO(...) BP_LOG_AT(BP_LOG_INFO, __VA_ARGS__)
#define BP_DEBUG(...) BP_LOG_AT(BP_LOG_DEBUG, __VA_ARGS__)
#define BP_TRACE(...) BP_LOG_AT(BP_LOG_TRACE, __VA_ARGS__)

#endif
