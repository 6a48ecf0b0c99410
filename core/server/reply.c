/* SPDX-License-Identifier: Apache-2.0
 *
 * See reply.h.
 */
#include "core/server/reply.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"

#include "sdk/lib/ban.h"

#define RETRY_S 5 /* where nobody knows better */

static bp_reply *
answer_new(unsigned status, const char *type, char *take_body)
{
    bp_reply *answer = g_new0(bp_reply, 1);
    answer->status = status;
    answer->type = type;
    answer->body = take_body;
    answer->n = strlen(take_body);
    answer->headers = g_ptr_array_new_with_free_func(g_free);
    return answer;
}

/* In JSON these characters only occur inside of texts, where an escape means the same. */
static char *
escape_for_pages(const char *line)
{
    GString *out = g_string_sized_new(strlen(line));
    for (; *line != '\0'; line++) {
        if (strchr("<>&", *line) != NULL) {
            g_string_append_printf(out, "\\u%04x", (unsigned)*line);
        } else {
            g_string_append_c(out, *line);
        }
    }
    return g_string_free(out, FALSE);
}

static bp_reply *
json_answer(unsigned status, const char *type, json_t *take_value)
{
    g_autoptr(json_t) value = take_value;
    g_autofree char *line = bp_json_line(value);
    return answer_new(status, type, escape_for_pages(line));
}

bp_reply *
bp_reply_json(unsigned status, json_t *take_value)
{
    return json_answer(status, "application/json; charset=utf-8", take_value);
}

bp_reply *
bp_reply_text(unsigned status, const char *text)
{
    return bp_reply_typed(status, "text/plain; charset=utf-8", text);
}

bp_reply *
bp_reply_typed(unsigned status, const char *type, const char *text)
{
    return answer_new(status, type, g_strdup(text));
}

static const char *
title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {400, "bad request"},        {401, "not authenticated"},
        {403, "forbidden"},          {404, "not found"},
        {405, "method not allowed"}, {409, "conflict"},
        {413, "request too large"},  {421, "misdirected request"},
        {422, "key used before"},    {501, "not supported"},
        {502, "storage failed"},     {503, "not available"},
        {504, "storage too slow"},   {507, "no space"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(titles); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "failed";
}

static bp_reply *
problem_answer(unsigned status, const char *detail, const char *hint, guint64 retry_s)
{
    g_autofree char *redacted = bp_log_redact(detail);
    json_t *problem = json_object();
    bp_json_set_text(problem, "type", "about:blank");
    bp_json_set_text(problem, "title", title_of(status));
    bp_json_set_u64(problem, "status", status);
    bp_json_set_text(problem, "detail", redacted);
    bp_json_set_text(problem, "hint", hint);
    bp_reply *answer = json_answer(status, "application/problem+json", problem);
    if (status == 503) {
        g_autofree char *seconds = g_strdup_printf("%" G_GUINT64_FORMAT, retry_s);
        bp_reply_add_header(answer, "Retry-After", seconds);
    }
    return answer;
}

bp_reply *
bp_reply_problem(unsigned status, const char *detail, const char *hint)
{
    return problem_answer(status, detail, hint, RETRY_S);
}

static unsigned
status_of(int cls)
{
    switch (cls) {
    case BP_ERR_INVALID:
        return 400;
    case BP_ERR_DENIED:
        return 403;
    case BP_ERR_NOT_FOUND:
        return 404;
    case BP_ERR_EXISTS:
        return 409;
    case BP_ERR_UNSUPPORTED:
        return 501;
    case BP_ERR_RETRYABLE:
    case BP_ERR_THROTTLED:
    case BP_ERR_CANCELLED:
        return 503;
    case BP_ERR_NO_SPACE:
        return 507;
    default:
        return 500;
    }
}

bp_reply *
bp_reply_error(const GError *error)
{
    return bp_reply_error_as(status_of(bp_error_class(error)), error);
}

bp_reply *
bp_reply_error_as(unsigned status, const GError *error)
{
    g_autoptr(json_t) parts = bp_json_error(error);
    guint64 wish_ms = bp_error_retry_after_ms(error);
    return problem_answer(status, bp_json_text(parts, "message", ""),
                          bp_json_text(parts, "hint", NULL),
                          wish_ms > 0 ? (wish_ms + 999) / 1000 : RETRY_S);
}

void
bp_reply_add_header(bp_reply *answer, const char *name, const char *value)
{
    g_ptr_array_add(answer->headers, g_strdup(name));
    g_ptr_array_add(answer->headers, g_strdup(value));
}

void
bp_reply_free(bp_reply *answer)
{
    if (answer != NULL) {
        g_ptr_array_unref(answer->headers);
        g_free(answer->body);
        g_free(answer);
    }
}
