/* SPDX-License-Identifier: Apache-2.0
 *
 * See token.h.
 */
#include "core/server/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

#define RANDOM_BYTES 32

bool
bp_token_check(const char *token, GError **error)
{
    gsize n = strlen(token);
    if (n < BP_TOKEN_MIN_BYTES || n > BP_TOKEN_MAX_BYTES) {
        bp_set_error(error, BP_ERR_INVALID, "a token has %d to %d characters, not %zu",
                     BP_TOKEN_MIN_BYTES, BP_TOKEN_MAX_BYTES, n);
        return false;
    }
    for (const char *at = token; *at != '\0'; at++) {
        if (!g_ascii_isgraph(*at)) {
            bp_set_error(error, BP_ERR_INVALID,
                         "a token has letters, digits and signs of ASCII only, no blanks");
            return false;
        }
    }
    return true;
}

static bool
is_trusted(uid_t owner)
{
    return owner == geteuid() || owner == 0;
}

static bool
check_file(int fd, const char *path, GError **error)
{
    struct stat is;
    if (fstat(fd, &is) != 0) {
        bp_set_error_errno(error, errno, "token file %s", path);
        return false;
    }
    if (!S_ISREG(is.st_mode)) {
        bp_set_error(error, BP_ERR_INVALID, "token file %s is no file", path);
        return false;
    }
    if (!is_trusted(is.st_uid) || (is.st_mode & 077) != 0) {
        bp_set_error(error, BP_ERR_DENIED, "token file %s: others than its owner can use it", path);
        bp_error_add_hint(error, "it belongs to us or root, with mode 0600");
        return false;
    }
    return true;
}

/* Up to its size or the limit, whichever is less.  Returns: (transfer full) (nullable) */
static char *
read_text(int fd, const char *path, GError **error)
{
    char buffer[BP_TOKEN_MAX_BYTES + 2] = ""; /* with a newline, and one to see that it is longer */
    gsize n = 0;
    ssize_t got = 0;
    while (n < sizeof buffer - 1 && (got = read(fd, buffer + n, sizeof buffer - 1 - n)) != 0) {
        if (got < 0 && errno != EINTR) {
            bp_set_error_errno(error, errno, "token file %s", path);
            return NULL;
        }
        n += got > 0 ? (gsize)got : 0;
    }
    if (memchr(buffer, '\0', n) != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "token file %s has a zero byte", path);
        return NULL;
    }
    char *text = g_strchomp(g_strdup(buffer));
    explicit_bzero(buffer, sizeof buffer);
    return text;
}

static void
wipe(char *token)
{
    if (token != NULL) {
        explicit_bzero(token, strlen(token));
        g_free(token);
    }
}

/* Whoever may change where it leads chooses the token.  Secrets in containers come as links. */
static bool
check_link(const char *path, GError **error)
{
    struct stat is;
    if (lstat(path, &is) != 0 || !S_ISLNK(is.st_mode)) {
        return true;
    }
    if (!is_trusted(is.st_uid)) {
        bp_set_error(error, BP_ERR_DENIED, "token file %s is somebody else's link", path);
        bp_error_add_hint(error, "it belongs to us or root, as the file does that it leads to");
        return false;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        bp_set_error(error, BP_ERR_INVALID, "token file %s is a link that leads nowhere", path);
        return false;
    }
    return true;
}

/* NOT_FOUND where there is none. */
static char *
load(const char *path, GError **error)
{
    if (!check_link(path, error)) {
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        bp_set_error_errno(error, errno, "token file %s", path);
        return NULL;
    }
    char *token = check_file(fd, path, error) ? read_text(fd, path, error) : NULL;
    close(fd);
    if (token != NULL && !bp_token_check(token, error)) {
        g_prefix_error(error, "token file %s: ", path);
        bp_error_add_hint(error, "without the file the server makes one with a good token");
        g_clear_pointer(&token, wipe);
    }
    return token;
}

static bool
write_random(int fd)
{
    static const char digits[] = "0123456789abcdef";
    guint8 chance[RANDOM_BYTES];
    char line[2 * RANDOM_BYTES + 1];
    if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance) {
        return false;
    }
    for (gsize i = 0; i < sizeof chance; i++) {
        line[2 * i] = digits[chance[i] >> 4];
        line[2 * i + 1] = digits[chance[i] & 15];
    }
    line[sizeof line - 1] = '\n';
    bool is_written = write(fd, line, sizeof line) == (ssize_t)sizeof line && fsync(fd) == 0;
    explicit_bzero(line, sizeof line);
    explicit_bzero(chance, sizeof chance);
    return is_written;
}

/* Its name is on disk, too, or it would be another token after a power cut.  File systems that
 * cannot sync a directory say so, and keep its names by other means. */
static bool
sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    int why = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    errno = why;
    return why == 0 || why == EINVAL || why == ENOTSUP;
}

/* Whole under another name first, then linked: whoever comes second finds the first one's. */
static bool
make(const char *path, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        bp_set_error_errno(error, errno, "making token file %s", path);
        return false;
    }
    bool is_made =
        write_random(fd) && (link(temporary, path) == 0 || errno == EEXIST) && sync_folder(path);
    int why = errno;
    close(fd);
    (void)unlink(temporary); /* at worst a file stays that nobody else can read */
    if (!is_made) {
        bp_set_error_errno(error, why, "making token file %s", path);
    }
    return is_made;
}

char *
bp_token_from_file(const char *path, GError **error)
{
    g_autoptr(GError) problem = NULL;
    char *token = load(path, &problem);
    if (token == NULL && bp_error_is(problem, BP_ERR_NOT_FOUND)) {
        g_clear_error(&problem);
        return make(path, error) ? load(path, error) : NULL;
    }
    if (token == NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return token;
}
