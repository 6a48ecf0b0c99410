/* SPDX-License-Identifier: Apache-2.0
 *
 * Object keys: checking and joining.
 */
#define _POSIX_C_SOURCE 200809L /* strnlen */

#include "sdk/lib/key.h"

#include <stdbool.h>
#include <string.h>

#include "sdk/lib/ban.h"

/* Length of the UTF-8 sequence at s, or 0 when it is none.  Stops at the NUL by itself. */
static size_t
sequence_length(const unsigned char *s)
{
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] < 0xC2 || s[0] > 0xF4) {
        return 0;
    }
    size_t len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool beyond = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : len;
}

int
bp_utf8_check(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0') {
        size_t len = sequence_length(s);
        if (len == 0) {
            return -1;
        }
        s += len;
    }
    return 0;
}

/* The rules that keys and prefixes share. */
static const char *
text_problem(const char *text)
{
    if (strnlen(text, BP_KEY_MAX + 1) > BP_KEY_MAX) {
        return "longer than 1024 bytes";
    }
    if (text[0] == '/') {
        return "starts with '/'";
    }
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0'; s++) {
        if (*s < 0x20 || *s == 0x7F) {
            return "contains a control byte";
        }
    }
    return bp_utf8_check(text) == 0 ? NULL : "is not valid UTF-8";
}

static const char *
part_problem(const char *part, size_t len)
{
    if (len == 0) {
        return "has an empty part";
    }
    if ((len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.')) {
        return "has a part \".\" or \"..\"";
    }
    return NULL;
}

static int
check(const char *text, bool is_prefix, const char **why)
{
    const char *problem = text_problem(text);
    const char *part = text;
    while (problem == NULL) {
        const char *slash = strchr(part, '/');
        if (slash == NULL) {
            /* A prefix may stop anywhere in its last part. */
            problem = is_prefix ? NULL : part_problem(part, strlen(part));
            break;
        }
        problem = part_problem(part, (size_t)(slash - part));
        part = slash + 1;
    }
    if (why != NULL) {
        *why = problem;
    }
    return problem == NULL ? 0 : -1;
}

int
bp_key_check(const char *key, const char **why)
{
    if (key[0] == '\0') {
        if (why != NULL) {
            *why = "is empty";
        }
        return -1;
    }
    return check(key, false, why);
}

int
bp_key_check_prefix(const char *prefix, const char **why)
{
    return check(prefix, true, why);
}

int
bp_key_join(char *out, size_t cap, const char *prefix, const char *rest)
{
    size_t head = strlen(prefix);
    size_t tail = strlen(rest);
    bool slash = head > 0 && prefix[head - 1] != '/';
    size_t total = head + (slash ? 1 : 0) + tail;

    if (cap == 0) {
        return -1;
    }
    if (total >= cap) {
        out[0] = '\0';
        return -1;
    }
    memcpy(out, prefix, head);
    if (slash) {
        out[head] = '/';
    }
    memcpy(out + total - tail, rest, tail + 1);
    if (bp_key_check(out, NULL) != 0) {
        out[0] = '\0';
        return -1;
    }
    return 0;
}

#define ELLIPSIS "\xE2\x80\xA6"

static bool
is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

char *
bp_key_show(char *out, size_t cap, const char *key)
{
    size_t len = strlen(key);
    if (len < cap) {
        memcpy(out, key, len + 1);
        return out;
    }
    size_t room = cap - sizeof(ELLIPSIS); /* both have a NUL */
    size_t head = room / 2;
    size_t begun = 0; /* no character has more than three further bytes: else it is none */
    while (head > 0 && begun < 3 && is_inside_character(key[head])) {
        head--;
        begun++;
    }
    size_t tail = len - (room - head);
    for (begun = 0; begun < 3 && is_inside_character(key[tail]); begun++) {
        tail++;
    }
    memcpy(out, key, head);
    memcpy(out + head, ELLIPSIS, sizeof(ELLIPSIS) - 1);
    memcpy(out + head + sizeof(ELLIPSIS) - 1, key + tail, len - tail + 1);
    return out;
}

int
bp_key_root(char *out, size_t cap, const char *text, const char **why)
{
    const char *start = text == NULL ? "" : text + strspn(text, "/");
    size_t n = strlen(start);
    while (n > 0 && start[n - 1] == '/') {
        n--;
    }
    out[0] = '\0';
    if (n == 0) {
        return 0;
    }
    if (n + 1 >= cap) {
        *why = "is too long";
        return -1;
    }
    memcpy(out, start, n);
    out[n] = '\0';
    if (bp_key_check(out, why) != 0) {
        out[0] = '\0';
        return -1;
    }
    memcpy(out + n, "/", sizeof("/"));
    return 0;
}
