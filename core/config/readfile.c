/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files read whole.
 */
#include "core/config/readfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/error.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

static bool
read_all(int fd, gsize max, bp_small_file *out)
{
    /* One byte more than allowed, to notice that there is more. */
    out->text = g_malloc0(max + 2);
    while (out->size <= max) {
        ssize_t n = read(fd, out->text + out->size, max + 1 - out->size);
        if (n == 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
        out->size += n > 0 ? (gsize)n : 0;
    }
    return true;
}

bool
bp_small_file_read(const char *path, const char *what, gsize max, bp_small_file *out,
                   GError **error)
{
    *out = (bp_small_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        bp_set_error_errno(error, errno, "%s %s", what, path);
        return false;
    }
    bool ok = fstat(fd, &out->stat) == 0 && read_all(fd, max, out);
    int problem = errno;
    close(fd);
    if (!ok) {
        bp_set_error_errno(error, problem, "%s %s", what, path);
    } else if (out->size > max) {
        bp_set_error(error, BP_ERR_INVALID, "%s %s: larger than %" G_GSIZE_FORMAT " bytes", what,
                     path, max);
        ok = false;
    }
    return ok;
}

void
bp_small_file_clear(bp_small_file *file)
{
    if (file->text != NULL) {
        bp_secret_wipe(file->text, file->size);
    }
    g_clear_pointer(&file->text, g_free);
    file->size = 0;
}
