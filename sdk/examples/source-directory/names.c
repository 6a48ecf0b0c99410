/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of files.  The file system allows any bytes but '/' and NUL; keys are UTF-8 without control
 * bytes and at most 1024 bytes long.  Nothing is refused for its name: it is encoded, and what is
 * too long then goes by a number.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

/* A key stands below the name of the backup and the prefix of the storage, so not all of
 * BP_KEY_MAX is ours; file systems take 255 bytes of a part. */
#define KEY_PATH_MAX 600
#define KEY_PART_MAX 240

static bool
is_plain(unsigned char c, bool utf8)
{
    return c > ' ' && c != '%' && c != 0x7F && (c < 0x80 || utf8);
}

int
name_encode(const char *raw, char *out, size_t cap)
{
    static const char digits[] = "0123456789ABCDEF";
    bool utf8 = bp_utf8_check(raw) == 0;
    size_t n = 0;
    for (; *raw != '\0'; raw++) {
        unsigned char c = (unsigned char)*raw;
        bool plain = is_plain(c, utf8);
        if (n + (plain ? 1 : 3) >= cap) {
            return -1;
        }
        if (plain) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    out[n] = '\0';
    return 0;
}

static int
digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
name_decode(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        if (n + 1 >= cap) {
            return -1;
        }
        if (*text != '%') {
            out[n++] = *text;
            continue;
        }
        int high = digit(text[1]);
        int low = high < 0 ? -1 : digit(text[2]);
        if (low < 0 || (high == 0 && low == 0)) {
            return -1;
        }
        out[n++] = (char)(high << 4 | low);
        text += 2;
    }
    out[n] = '\0';
    return 0;
}

int
path_check(const char *path)
{
    if (strcmp(path, ".") == 0) {
        return 0;
    }
    while (true) {
        size_t n = strcspn(path, "/");
        if (n == 0 || (path[0] == '.' && (n == 1 || (n == 2 && path[1] == '.')))) {
            return -1;
        }
        if (path[n] == '\0') {
            return 0;
        }
        path += n + 1;
    }
}

size_t
path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

const char *
path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

int
open_beneath(int root, const char *path, size_t n, int flags)
{
    char part[PATH_CAP];
    int dir = root;
    if (n == 0) {
        int fd = openat(root, ".", flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    while (true) {
        size_t len = 0;
        while (len < n && path[len] != '/') {
            len++;
        }
        bool last = len == n;
        memcpy(part, path, len);
        part[len] = '\0';
        int wanted = last ? flags : O_RDONLY | O_DIRECTORY;
        int fd = openat(dir, part, wanted | O_NOFOLLOW | O_CLOEXEC);
        int problem = errno;
        if (dir != root) {
            (void)close(dir); /* opened for reading */
        }
        if (fd < 0 || last) {
            return fd < 0 ? -problem : fd;
        }
        dir = fd;
        path += len + 1;
        n -= len + 1;
    }
}

static bool
parts_fit(const char *encoded, unsigned *depth)
{
    size_t part = 0;
    *depth = 1;
    for (; *encoded != '\0'; encoded++) {
        part = *encoded == '/' ? 0 : part + 1;
        *depth += *encoded == '/';
        if (part > KEY_PART_MAX) {
            return false;
        }
    }
    return true;
}

void
item_key(const char *tree, const char *path, uint64_t line, char *out)
{
    char encoded[KEY_PATH_MAX + 1];
    unsigned depth;
    /* All files of one depth lie together: so no file's key is another one's directory, although a
     * file may have become a directory between two looks. */
    if (name_encode(path, encoded, sizeof(encoded)) == 0 && parts_fit(encoded, &depth)) {
        (void)snprintf(out, BP_KEY_MAX, "trees/%s/files/%u/%s", tree, depth, encoded);
    } else {
        (void)snprintf(out, BP_KEY_MAX, "trees/%s/long/%" PRIu64, tree, line);
    }
}

void
index_key(const char *tree, char *out)
{
    (void)snprintf(out, BP_KEY_MAX, "trees/%s/index", tree);
}
