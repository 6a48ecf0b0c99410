/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading and checking of JSON documents.  jansson parses; it refuses integers beyond 2^63-1,
 * which uint64 members may hold, so those are turned into strings before it sees them.
 */
#include "json_reader.h"

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include <bakplane/storage.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/ban.h"

/* Read in pieces of this size, so that a cancel is noticed in time. */
#define CHUNK ((size_t)1024 * 1024)

/* Shorter integers always fit. */
#define LONG_INTEGER 19

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the number token [p, end) is an integer that jansson would refuse. */
static bool
is_big_integer(const char *p, const char *end)
{
    if (*p == '-') {
        p++;
    }
    if (end - p < LONG_INTEGER) {
        return false;
    }
    for (const char *c = p; c < end; c++) {
        if (!is_digit(*c)) {
            return false;
        }
    }
    return end - p > LONG_INTEGER || strncmp(p, "9223372036854775807", LONG_INTEGER) > 0;
}

static const char *
end_of_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }
    return p < end ? p + 1 : end;
}

static const char *
end_of_number(const char *p, const char *end)
{
    while (p < end && (is_digit(*p) || strchr("+-.eE", *p) != NULL) && *p != '\0') {
        p++;
    }
    return p;
}

/* NULL when the text has no big integer and can be parsed as it is. */
static GString *
quote_big_integers(const char *text, size_t n)
{
    GString *out = NULL;
    const char *end = text + n;
    const char *copied = text;
    for (const char *p = text; p < end;) {
        if (*p == '"') {
            p = end_of_string(p, end);
            continue;
        }
        if (!is_digit(*p) && *p != '-') {
            p++;
            continue;
        }
        const char *stop = end_of_number(p, end);
        if (is_big_integer(p, stop)) {
            if (out == NULL) {
                out = g_string_sized_new(n + 64);
            }
            g_string_append_len(out, copied, p - copied);
            g_string_append_c(out, '"');
            g_string_append_len(out, p, stop - p);
            g_string_append_c(out, '"');
            copied = stop;
        }
        p = stop > p ? stop : p + 1;
    }
    if (out != NULL) {
        g_string_append_len(out, copied, end - copied);
    }
    return out;
}

bp_status
milvus_json_parse(const char *file, const char *text, size_t n, json_t **out,
                  struct bp_error *error)
{
    json_error_t what;
    GString *quoted = quote_big_integers(text, n);
    json_t *root = quoted != NULL ? json_loadb(quoted->str, quoted->len, 0, &what)
                                  : json_loadb(text, n, 0, &what);
    if (quoted != NULL) {
        g_string_free(quoted, TRUE);
    }
    if (root == NULL) {
        return bp_fail(error, BP_ERR_CORRUPT, "%s: not valid JSON at byte %d: %s", file,
                       what.position, what.text);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return bp_fail(error, BP_ERR_CORRUPT, "%s: not a JSON object", file);
    }
    *out = root;
    return BP_OK;
}

struct file_buffer {
    char *bytes;
    size_t n, cap;
};

static bp_status
grow(struct file_buffer *buffer, const char *key, size_t max_bytes, struct bp_error *error)
{
    if (buffer->n >= max_bytes) {
        return bp_fail(error, BP_ERR_CORRUPT, "%s: larger than %zu bytes, which no document is",
                       key, max_bytes);
    }
    size_t cap = MIN(MAX(CHUNK, buffer->cap * 2), max_bytes);
    char *bytes = g_try_realloc(buffer->bytes, cap);
    if (bytes == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "%s: no memory for %zu bytes", key, cap);
    }
    buffer->bytes = bytes;
    buffer->cap = cap;
    return BP_OK;
}

/* One more piece; at_end when the object has no further one. */
static bp_status
read_piece(const struct milvus_json_file *file, struct file_buffer *buffer, bool *at_end,
           struct bp_error *error)
{
    if (file->host->cancelled(file->op)) {
        return bp_fail(error, BP_ERR_CANCELLED, "%s: reading was cancelled", file->key);
    }
    if (buffer->n == buffer->cap) {
        bp_status status = grow(buffer, file->key, file->max_bytes, error);
        if (status != BP_OK) {
            return status;
        }
    }
    size_t want = MIN(CHUNK, buffer->cap - buffer->n);
    size_t got = 0;
    const struct bp_read_args args = {
        .struct_size = sizeof args, .key = file->key, .offset = buffer->n, .length = want};
    bp_status status = file->host->storage_read_small(file->op, file->ref, &args,
                                                      buffer->bytes + buffer->n, &got, error);
    /* An object whose size is a multiple of the piece ends where nothing can be read. */
    bool is_beyond = status == BP_ERR_RANGE && buffer->n > 0;
    buffer->n += MIN(got, want);
    *at_end = is_beyond || got < want;
    return is_beyond ? BP_OK : status;
}

bp_status
milvus_json_load(const struct milvus_json_file *file, json_t **out, struct bp_error *error)
{
    struct file_buffer buffer = {0};
    bp_status status = BP_OK;
    for (bool at_end = false; status == BP_OK && !at_end;) {
        status = read_piece(file, &buffer, &at_end, error);
    }
    if (status == BP_OK) {
        status = milvus_json_parse(file->key, buffer.bytes, buffer.n, out, error);
    }
    g_free(buffer.bytes);
    return status;
}

void
milvus_json_reject(struct milvus_json_reader *reader, const char *format, ...)
{
    if (reader->status != BP_OK) {
        return;
    }
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* cut is fine */
    va_end(args);
    reader->status = bp_fail(reader->error, BP_ERR_CORRUPT, "%s: %s", reader->file, text);
}

/* The member, or NULL when it is missing or null or an error was seen. */
static json_t *
member(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    if (reader->status != BP_OK) {
        return NULL;
    }
    json_t *value = json_object_get(object, key);
    return value == NULL || json_is_null(value) ? NULL : value;
}

static int64_t
as_i64(struct milvus_json_reader *reader, const json_t *value, const char *key)
{
    int64_t number = 0;
    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    if (!json_is_string(value) || bp_parse_i64(json_string_value(value), &number) != 0) {
        milvus_json_reject(reader, "member \"%s\" is not a 64-bit integer", key);
    }
    return number;
}

int64_t
milvus_json_get_i64(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    const json_t *value = member(reader, object, key);
    return value != NULL ? as_i64(reader, value, key) : 0;
}

int32_t
milvus_json_get_i32(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    int64_t value = milvus_json_get_i64(reader, object, key);
    if (value < INT32_MIN || value > INT32_MAX) {
        milvus_json_reject(reader, "member \"%s\" is beyond 32 bits", key);
        return 0;
    }
    return (int32_t)value;
}

uint64_t
milvus_json_get_u64(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    const json_t *value = member(reader, object, key);
    uint64_t number = 0;
    if (value == NULL) {
        return 0;
    }
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        return (uint64_t)json_integer_value(value);
    }
    if (!json_is_string(value) || bp_parse_u64(json_string_value(value), &number) != 0) {
        milvus_json_reject(reader, "member \"%s\" is not an unsigned 64-bit integer", key);
    }
    return number;
}

int64_t
milvus_json_get_count(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    int64_t value = milvus_json_get_i64(reader, object, key);
    if (value < 0) {
        milvus_json_reject(reader, "member \"%s\" is negative", key);
        return 0;
    }
    return value;
}

bool
milvus_json_get_bool(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    const json_t *value = member(reader, object, key);
    if (value != NULL && !json_is_boolean(value)) {
        milvus_json_reject(reader, "member \"%s\" is neither true nor false", key);
    }
    return json_is_true(value);
}

const char *
milvus_json_get_text(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    const json_t *value = member(reader, object, key);
    if (value == NULL) {
        return NULL;
    }
    const char *text = json_string_value(value);
    if (text == NULL) {
        milvus_json_reject(reader, "member \"%s\" is not a string", key);
        return NULL;
    }
    return text[0] != '\0' ? text : NULL;
}

/* g_base64_decode skips what it does not know; the length and the alphabet tell damage. */
static bool
is_base64(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t padding = strspn(text + n, "=");
    return text[n + padding] == '\0' && padding <= 2 && (n + padding) % 4 == 0;
}

GBytes *
milvus_json_get_base64(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    const char *text = milvus_json_get_text(reader, object, key);
    if (text == NULL) {
        return NULL;
    }
    if (!is_base64(text)) {
        milvus_json_reject(reader, "member \"%s\" is not base64", key);
        return NULL;
    }
    gsize n = 0;
    guchar *bytes = g_base64_decode(text, &n);
    return g_bytes_new_take(bytes, n);
}

json_t *
milvus_json_get_object(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    json_t *value = member(reader, object, key);
    if (value != NULL && !json_is_object(value)) {
        milvus_json_reject(reader, "member \"%s\" is not an object", key);
        return NULL;
    }
    return value;
}

static json_t *
get_list(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    json_t *value = member(reader, object, key);
    if (value != NULL && !json_is_array(value)) {
        milvus_json_reject(reader, "member \"%s\" is not a list", key);
        return NULL;
    }
    return value;
}

json_t *
milvus_json_get_objects(struct milvus_json_reader *reader, const json_t *object, const char *key)
{
    json_t *list = get_list(reader, object, key);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (!json_is_object(element)) {
            milvus_json_reject(reader, "element %zu of \"%s\" is not an object", i, key);
            return NULL;
        }
    }
    return list;
}

void
milvus_json_get_texts(struct milvus_json_reader *reader, const json_t *object, const char *key,
                      GPtrArray *out)
{
    json_t *list = get_list(reader, object, key);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (!json_is_string(element)) {
            milvus_json_reject(reader, "element %zu of \"%s\" is not a string", i, key);
            return;
        }
        g_ptr_array_add(out, g_strdup(json_string_value(element)));
    }
}

void
milvus_json_get_ids(struct milvus_json_reader *reader, const json_t *object, const char *key,
                    GArray *out)
{
    json_t *list = get_list(reader, object, key);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        int64_t id = as_i64(reader, element, key);
        if (reader->status != BP_OK) {
            return;
        }
        g_array_append_val(out, id);
    }
}
