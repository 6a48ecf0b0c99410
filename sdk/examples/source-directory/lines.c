/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading an index.  It comes back from a storage, so nothing in it is trusted: each field is
 * checked, and a path can never lead out of the tree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define FIELDS_MAX 6

bp_status
lines_begin(struct lines *lines, lines_fill fill, void *ctx, size_t cap, uint64_t offset,
            struct bp_error *error)
{
    *lines = (struct lines){
        .fill = fill, .ctx = ctx, .buffer = malloc(cap), .cap = cap, .offset = offset};
    return lines->buffer != NULL ? BP_OK : bp_fail(error, BP_ERR_NOMEM, "no memory for an index");
}

void
lines_end(struct lines *lines)
{
    free(lines->buffer);
    lines->buffer = NULL;
}

/* What is left moves to the front, more comes behind it. */
static bp_status
fill_up(struct lines *lines, struct bp_error *error)
{
    size_t left = lines->end - lines->begin;
    size_t n = 0;
    memmove(lines->buffer, lines->buffer + lines->begin, left);
    lines->begin = 0;
    lines->end = left;
    bp_status status = lines->fill(lines->ctx, lines->offset + left, lines->buffer + left,
                                   lines->cap - left, &n, error);
    lines->end += n;
    lines->at_end = n < lines->cap - left;
    return status;
}

static bp_status
next_text(struct lines *lines, char **out, uint64_t *at, struct bp_error *error)
{
    while (true) {
        char *begin = lines->buffer + lines->begin;
        char *end = memchr(begin, '\n', lines->end - lines->begin);
        if (end != NULL) {
            *end = '\0';
            *out = begin;
            *at = lines->offset;
            lines->begin += (size_t)(end - begin) + 1;
            lines->offset += (uint64_t)(end - begin) + 1;
            return strlen(begin) == (size_t)(end - begin)
                       ? BP_OK
                       : bp_fail(error, BP_ERR_CORRUPT, "index, byte %" PRIu64 ": a NUL", *at);
        }
        if (lines->at_end || (lines->begin == 0 && lines->end == lines->cap)) {
            return bp_fail(error, BP_ERR_CORRUPT, "the index ends within a line, at byte %" PRIu64,
                           lines->offset);
        }
        bp_status status = fill_up(lines, error);
        if (status != BP_OK) {
            return status;
        }
    }
}

static int
parse_mode(const char *text, unsigned *out)
{
    unsigned mode = 0;
    for (; *text >= '0' && *text <= '7' && mode <= 07777; text++) {
        mode = mode * 8 + (unsigned)(*text - '0');
    }
    *out = mode;
    return *text == '\0' && mode <= 07777 ? 0 : -1;
}

/* seconds.nanoseconds; the seconds may lie before 1970. */
static int
parse_time(char *text, struct timespec *out)
{
    char *dot = strchr(text, '.');
    int64_t seconds;
    uint64_t nanoseconds;
    if (dot == NULL) {
        return -1;
    }
    *dot = '\0';
    if (bp_parse_i64(text, &seconds) != 0 || bp_parse_u64(dot + 1, &nanoseconds) != 0 ||
        nanoseconds > 999999999) {
        return -1;
    }
    out->tv_sec = (time_t)seconds;
    out->tv_nsec = (long)nanoseconds;
    return 0;
}

static int
parse_path(const char *text, char *out)
{
    return name_decode(text, out, PATH_CAP) == 0 && path_check(out) == 0 ? 0 : -1;
}

static size_t
split(char *line, char **fields)
{
    size_t n = 0;
    while (n < FIELDS_MAX) {
        fields[n++] = line;
        line = strchr(line, ' ');
        if (line == NULL) {
            return n;
        }
        *line++ = '\0';
    }
    return 0;
}

static int
parse_file(char **field, struct entry *out)
{
    (void)snprintf(out->tag, sizeof(out->tag), "%s", field[4]);
    return parse_mode(field[1], &out->mode) == 0 && parse_time(field[2], &out->mtime) == 0 &&
                   bp_parse_u64(field[3], &out->size) == 0 &&
                   parse_path(field[5], out->path) == 0 && strcmp(out->path, ".") != 0
               ? 0
               : -1;
}

static int
parse_link(char **field, struct entry *out)
{
    return parse_time(field[1], &out->mtime) == 0 &&
                   name_decode(field[2], out->target, PATH_CAP) == 0 && out->target[0] != '\0' &&
                   parse_path(field[3], out->path) == 0 && strcmp(out->path, ".") != 0
               ? 0
               : -1;
}

static int
parse_line(char *line, struct entry *out)
{
    char *field[FIELDS_MAX];
    if (strcmp(line, INDEX_HEAD) == 0) {
        out->kind = 'h';
        return 0;
    }
    size_t n = split(line, field);
    out->kind = n > 1 && field[0][1] == '\0' ? field[0][0] : '\0';
    switch (out->kind) {
    case 'd':
        return n == 2 ? parse_path(field[1], out->path) : -1;
    case 'f':
        return n == 6 ? parse_file(field, out) : -1;
    case 'l':
        return n == 4 ? parse_link(field, out) : -1;
    case 'u':
        return n == 4 && parse_mode(field[1], &out->mode) == 0 &&
                       parse_time(field[2], &out->mtime) == 0
                   ? parse_path(field[3], out->path)
                   : -1;
    case 'e':
        return n == 2 ? bp_parse_u64(field[1], &out->size) : -1;
    default:
        return -1;
    }
}

bp_status
lines_next(struct lines *lines, struct entry *out, uint64_t *at, struct bp_error *error)
{
    char *line = NULL;
    bp_status status = next_text(lines, &line, at, error);
    if (status != BP_OK) {
        return status;
    }
    bool is_head = strncmp(line, INDEX_HEAD, strcspn(INDEX_HEAD, " ")) == 0;
    if ((*at == 0) != is_head || (is_head && strcmp(line, INDEX_HEAD) != 0)) {
        return bp_fail(error, is_head ? BP_ERR_UNSUPPORTED : BP_ERR_CORRUPT,
                       "the index says \"%.60s\" at byte %" PRIu64 ", this plugin reads \"%s\"",
                       line, *at, INDEX_HEAD);
    }
    return parse_line(line, out) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CORRUPT, "the index is damaged at byte %" PRIu64, *at);
}

void
entry_tag(const struct stat *st, char *out)
{
    /* Whatever changes a file, content, mode or time, changes its ctime, which nobody can set. */
    (void)snprintf(out, TAG_CAP, "%" PRIu64 ".%" PRId64 ".%09ld", (uint64_t)st->st_ino,
                   (int64_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}
