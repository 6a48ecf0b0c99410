/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as the Go tool writes it: no blanks, and <, >, & escaped as its encoder does.
 */
#include "json_writer.h"

#include "sdk/lib/errors.h"
#include <inttypes.h>
#include <string.h>

#include "sdk/lib/ban.h"

/* Handed on in pieces of about this size. */
#define FLUSH_AT ((gsize)64 * 1024)

static void
flush(struct milvus_json *json)
{
    if (!json->stopped && json->buffer->len > 0 &&
        json->sink->write(json->sink->ctx, json->buffer->str, json->buffer->len) != 0) {
        json->stopped = true;
    }
    g_string_truncate(json->buffer, 0);
}

static void
append_escape(GString *out, gunichar c)
{
    switch (c) {
    case '"':
        g_string_append(out, "\\\"");
        break;
    case '\\':
        g_string_append(out, "\\\\");
        break;
    case '\n':
        g_string_append(out, "\\n");
        break;
    case '\r':
        g_string_append(out, "\\r");
        break;
    case '\t':
        g_string_append(out, "\\t");
        break;
    default:
        g_string_append_printf(out, "\\u%04x", (unsigned)c);
        break;
    }
}

static bool
needs_escape(gunichar c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x2028 ||
           c == 0x2029;
}

static void
append_quoted(GString *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(out, '"');
    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (needs_escape(c)) {
            append_escape(out, c);
        } else {
            g_string_append_len(out, p, g_utf8_next_char(p) - p);
        }
    }
    g_string_append_c(out, '"');
}

/* What comes before a value: comma and key. */
static void
lead(struct milvus_json *json, const char *key)
{
    if (json->buffer->len >= FLUSH_AT) {
        flush(json);
    }
    if (json->comma) {
        g_string_append_c(json->buffer, ',');
    }
    json->comma = true;
    if (key != NULL) {
        append_quoted(json->buffer, key);
        g_string_append_c(json->buffer, ':');
    }
}

void
milvus_json_begin(struct milvus_json *json, const struct bp_document_sink *sink, const char *key,
                  uint32_t flags)
{
    json->sink = sink;
    json->buffer = g_string_sized_new(FLUSH_AT + 1024);
    json->comma = false;
    json->stopped = sink->begin(sink->ctx, key, flags) != 0;
}

bp_status
milvus_json_end(struct milvus_json *json, struct bp_error *error)
{
    flush(json);
    g_string_free(json->buffer, TRUE);
    json->buffer = NULL;
    if (json->stopped || json->sink->end(json->sink->ctx) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "writing the documents was stopped");
    }
    return BP_OK;
}

void
milvus_json_open(struct milvus_json *json, const char *key, char bracket)
{
    lead(json, key);
    g_string_append_c(json->buffer, bracket);
    json->comma = false;
}

void
milvus_json_close(struct milvus_json *json, char bracket)
{
    g_string_append_c(json->buffer, bracket);
    json->comma = true;
}

void
milvus_json_i64(struct milvus_json *json, const char *key, int64_t value)
{
    lead(json, key);
    g_string_append_printf(json->buffer, "%" PRId64, value);
}

void
milvus_json_u64(struct milvus_json *json, const char *key, uint64_t value)
{
    lead(json, key);
    g_string_append_printf(json->buffer, "%" PRIu64, value);
}

void
milvus_json_bool(struct milvus_json *json, const char *key, bool value)
{
    lead(json, key);
    g_string_append(json->buffer, value ? "true" : "false");
}

void
milvus_json_text(struct milvus_json *json, const char *key, const char *value)
{
    lead(json, key);
    append_quoted(json->buffer, value != NULL ? value : "");
}

void
milvus_json_i64_set(struct milvus_json *json, const char *key, int64_t value)
{
    if (value != 0) {
        milvus_json_i64(json, key, value);
    }
}

void
milvus_json_u64_set(struct milvus_json *json, const char *key, uint64_t value)
{
    if (value != 0) {
        milvus_json_u64(json, key, value);
    }
}

void
milvus_json_bool_set(struct milvus_json *json, const char *key, bool value)
{
    if (value) {
        milvus_json_bool(json, key, true);
    }
}

void
milvus_json_text_set(struct milvus_json *json, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        milvus_json_text(json, key, value);
    }
}

void
milvus_json_bytes_set(struct milvus_json *json, const char *key, GBytes *value)
{
    if (value == NULL) {
        return;
    }
    gsize n = 0;
    const void *bytes = g_bytes_get_data(value, &n);
    g_autofree char *text = g_base64_encode(bytes, n);
    milvus_json_text(json, key, text);
}
