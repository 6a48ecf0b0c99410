/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling struct bp_error, and the one table from errno to error class.
 */
#define _POSIX_C_SOURCE 200809L /* the strerror_r that fills the caller's buffer */

#include "sdk/lib/errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/key.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

#define TEXT_MAX 4096 /* two keys of 1024 bytes, their paths, and much to say about them */
#define WORD_KEPT 64  /* a longer one may become as short as this */

static const char *const class_names[] = {
    [BP_OK] = "ok",
    [BP_ERR_CANCELLED] = "cancelled",
    [BP_ERR_TIMEOUT] = "timeout",
    [BP_ERR_RETRYABLE] = "retryable",
    [BP_ERR_THROTTLED] = "throttled",
    [BP_ERR_AUTH] = "auth",
    [BP_ERR_DENIED] = "denied",
    [BP_ERR_NOT_FOUND] = "not-found",
    [BP_ERR_EXISTS] = "exists",
    [BP_ERR_RANGE] = "range",
    [BP_ERR_INVALID] = "invalid",
    [BP_ERR_UNSUPPORTED] = "unsupported",
    [BP_ERR_NO_SPACE] = "no-space",
    [BP_ERR_NOMEM] = "no-memory",
    [BP_ERR_CORRUPT] = "corrupt",
    [BP_ERR_STALE] = "stale",
    [BP_ERR_PERMANENT] = "permanent",
};

void
bp_error_init(struct bp_error *error)
{
    memset(error, 0, sizeof(*error));
    error->struct_size = (uint32_t)sizeof(*error);
}

static void
blot_control_bytes(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7F) {
            *text = '?';
        }
    }
}

static void
begin(struct bp_error *error, bp_status cls)
{
    bp_result_clear(error, sizeof(*error));
    error->cls = cls;
}

/* Where the longest run without a space begins. */
static char *
longest_word(char *text, size_t *len)
{
    char *longest = text;
    *len = 0;
    for (char *word = text; *word != '\0';) {
        size_t n = strcspn(word, " ");
        if (n > *len) {
            *len = n;
            longest = word;
        }
        word += n;
        word += strspn(word, " ");
    }
    return longest;
}

/* Takes `over` bytes out of the word, if it has so many beyond what it keeps. */
static void
shorten_word(char *word, size_t len, size_t over)
{
    char shown[TEXT_MAX];
    size_t keep = len > over + WORD_KEPT ? len - over : WORD_KEPT;
    char after = word[len];
    word[len] = '\0';
    (void)bp_key_show(shown, keep + 1, word);
    word[len] = after;
    size_t n = strlen(shown);
    memcpy(word, shown, n);
    memmove(word + n, word + len, strlen(word + len) + 1);
}

void
bp_error_fit(char *out, size_t cap, const char *text)
{
    char line[TEXT_MAX];
    (void)bp_key_show(line, sizeof(line), text);
    size_t total, len;
    while ((total = strlen(line)) >= cap) {
        char *word = longest_word(line, &len);
        if (len <= WORD_KEPT) {
            break;
        }
        shorten_word(word, len, total - (cap - 1));
    }
    (void)bp_key_show(out, cap, line);
}

__attribute__((format(printf, 3, 0))) static void
fill_message(struct bp_error *error, const char *suffix, const char *format, va_list args)
{
    char text[TEXT_MAX];
    size_t cap = sizeof(text);
    if (suffix != NULL) {
        cap -= strlen(suffix) + 2; /* why it failed is worth more than the end of a long path */
    }
    int written = vsnprintf(text, cap, format, args);
    size_t len = written < 0 ? 0 : (size_t)written;
    if (len >= cap) { /* without its last character, which may have been cut in two */
        len = cap - 1;
        while (len > cap - 4 && ((unsigned char)text[len - 1] & 0xC0) == 0x80) {
            len--;
        }
        len -= (unsigned char)text[len - 1] >= 0xC0 ? 1 : 0;
        text[len] = '\0';
    }
    if (suffix != NULL) {
        (void)snprintf(text + len, sizeof(text) - len, ": %s", suffix);
    }
    bp_error_fit(error->message, sizeof(error->message), text);
    blot_control_bytes(error->message);
}

bp_status
bp_fail(struct bp_error *error, bp_status cls, const char *format, ...)
{
    bp_status given = cls == BP_OK ? BP_ERR_PERMANENT : cls;
    begin(error, given);

    va_list args;
    va_start(args, format);
    fill_message(error, NULL, format, args);
    va_end(args);
    return given;
}

bp_status
bp_fail_errno(struct bp_error *error, int errnum, const char *format, ...)
{
    begin(error, bp_errno_class(errnum));
    error->sys_errno = errnum;

    char reason[128];
    if (strerror_r(errnum, reason, sizeof(reason)) != 0) {
        (void)snprintf(reason, sizeof(reason), "error %d", errnum);
    }

    va_list args;
    va_start(args, format);
    fill_message(error, reason, format, args);
    va_end(args);
    return error->cls;
}

bp_status
bp_errno_class(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return BP_ERR_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS: /* a right that the whole file system lacks */
        return BP_ERR_DENIED;
    case ENOENT:
    case ENOTDIR: /* a parent is a file, so nothing can be below it */
        return BP_ERR_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return BP_ERR_EXISTS;
    case ENAMETOOLONG:
    case EINVAL:
    case EISDIR:
    case ELOOP:
        return BP_ERR_INVALID;
    case EXDEV: /* not across file systems: there is another way */
    case EOPNOTSUPP:
    case ENOSYS:
        return BP_ERR_UNSUPPORTED;
    case ENOMEM:
        return BP_ERR_NOMEM;
    case ECANCELED:
        return BP_ERR_CANCELLED;
    case ESTALE: /* NFS: the handle is gone, a new lookup may find the file */
    case EIO:    /* also what a soft NFS mount answers to an outage; attempts are bounded */
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ETXTBSY:
    case ENFILE: /* descriptors come back when others finish */
    case EMFILE:
    case ENOLCK: /* NFS lock manager restarting */
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET:
        return BP_ERR_RETRYABLE;
    default:
        return BP_ERR_PERMANENT;
    }
}

const char *
bp_class_name(bp_status cls)
{
    if (cls < BP_OK || cls >= BP_ERR_CLASS_END) {
        return "unknown";
    }
    return class_names[cls];
}
