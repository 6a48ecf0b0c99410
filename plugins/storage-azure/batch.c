/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of batches.
 */
#include "plugins/storage-azure/batch.h"

#include <string.h>

#include "sdk/http/xml.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

void
bp_azure_part_answer_clear(struct bp_azure_part_answer *answer)
{
    g_free(answer->code);
    g_free(answer->message);
    g_free(answer->request_id);
    *answer = (struct bp_azure_part_answer){.number = -1};
}

void
bp_azure_batch_part(GString *body, const char *boundary, unsigned number)
{
    g_string_append_printf(body,
                           "--%s\r\nContent-Type: application/http\r\n"
                           "Content-Transfer-Encoding: binary\r\nContent-ID: %u\r\n\r\n",
                           boundary, number);
}

void
bp_azure_batch_end(GString *body, const char *boundary)
{
    g_string_append_printf(body, "--%s--\r\n", boundary);
}

char *
bp_azure_batch_boundary(const char *content_type)
{
    const char *start = content_type == NULL ? NULL : strstr(content_type, "boundary=");
    if (start == NULL) {
        return NULL;
    }
    start += strlen("boundary=");
    start += *start == '"' ? 1 : 0;
    return g_strndup(start, strcspn(start, "\"; \t"));
}

/* Behind the next line of "\r\n" or "\n"; *line has no end of line. (g_free) */
static const char *
take_line(const char *at, char **line)
{
    size_t len = strcspn(at, "\n");
    *line = g_strndup(at, len > 0 && at[len - 1] == '\r' ? len - 1 : len);
    return at[len] == '\0' ? at + len : at + len + 1;
}

/* The value of "Name: value" if the line has that name, else NULL. */
static const char *
value_of(const char *line, const char *name)
{
    size_t len = strlen(name);
    if (g_ascii_strncasecmp(line, name, len) != 0 || line[len] != ':') {
        return NULL;
    }
    return line + len + 1 + strspn(line + len + 1, " \t");
}

static void
set_text(char **text, const char *value)
{
    if (value != NULL) {
        g_free(*text);
        *text = g_strdup(value);
    }
}

static void
set_number(int64_t *number, const char *value)
{
    uint64_t parsed;
    if (value != NULL && bp_parse_u64(value, &parsed) == 0 && parsed <= INT32_MAX) {
        *number = (int64_t)parsed;
    }
}

/* The header lines of a part or of the message in it, up to an empty line. */
static const char *
read_headers(const char *at, struct bp_azure_part_answer *out)
{
    bool more = true;
    while (more && *at != '\0') {
        g_autofree char *line = NULL;
        int64_t seconds = 0;
        at = take_line(at, &line);
        more = line[0] != '\0';
        set_number(&out->number, value_of(line, "Content-ID"));
        set_number(&seconds, value_of(line, "Retry-After"));
        set_text(&out->code, value_of(line, "x-ms-error-code"));
        set_text(&out->request_id, value_of(line, "x-ms-request-id"));
        out->retry_after_s = seconds != 0 ? (uint64_t)seconds : out->retry_after_s;
    }
    return at;
}

/* "HTTP/1.1 202 Accepted" */
static int
status_of(const char *line)
{
    const char *space = g_str_has_prefix(line, "HTTP/") ? strchr(line, ' ') : NULL;
    return space == NULL ? 0 : (int)g_ascii_strtoull(space, NULL, 10);
}

/* <Error><Code/><Message/></Error>.  Not having one is no failure. */
static void
read_body(const char *body, struct bp_azure_part_answer *out)
{
    bp_xml *xml = NULL;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    const char *start = strchr(body, '<'); /* behind blanks and a byte order mark */
    if (start == NULL || bp_xml_parse(start, strlen(start), &xml, &ignored) != BP_OK) {
        return;
    }
    set_text(&out->message, bp_xml_text(bp_xml_root(xml), "Message"));
    if (out->code == NULL) {
        set_text(&out->code, bp_xml_text(bp_xml_root(xml), "Code"));
    }
    bp_xml_free(xml);
}

bool
bp_azure_batch_next(const char **at, const char *boundary, struct bp_azure_part_answer *out)
{
    g_autofree char *mark = g_strconcat("--", boundary, NULL);
    const char *start = strstr(*at, mark);
    *out = (struct bp_azure_part_answer){.number = -1};
    if (start == NULL || g_str_has_prefix(start + strlen(mark), "--")) {
        return false;
    }
    start += strlen(mark);
    const char *end = strstr(start, mark);
    g_autofree char *part = g_strndup(start, end == NULL ? strlen(start) : (size_t)(end - start));
    g_autofree char *rest = NULL, *status = NULL;
    const char *next = take_line(part, &rest); /* of the boundary */
    next = read_headers(next, out);
    next = take_line(next, &status);
    out->status = status_of(status);
    read_body(read_headers(next, out), out);
    *at = end == NULL ? start + strlen(start) : end;
    return true;
}
