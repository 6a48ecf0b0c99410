/* SPDX-License-Identifier: Apache-2.0
 *
 * See project.h.
 */
#include "core/plugin/project.h"

#include <bakplane/error.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/plugin/module.h"

#include "sdk/lib/ban.h"

#define PLACEHOLDER "@NAME@"

static bool
write_whole(const char *path, const char *text, GError **error)
{
    size_t n = strlen(text), done = 0;
    /* EXCL: the folder is ours, so whatever lies there was put there by somebody else. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int failed = fd < 0 ? errno : 0;
    while (failed == 0 && done < n) {
        ssize_t some = write(fd, text + done, n - done);
        failed = some < 0 && errno != EINTR ? errno : 0;
        done += some > 0 ? (size_t)some : 0;
    }
    if (fd >= 0 && close(fd) != 0 && failed == 0) {
        failed = errno;
    }
    if (failed != 0) {
        bp_set_error_errno(error, failed, "cannot write %s", path);
        if (fd >= 0) {
            (void)unlink(path); /* that error says more */
        }
    }
    return failed == 0;
}

static bool
make_folder(const char *path, GError **error)
{
    if (mkdir(path, 0777) == 0) {
        return true;
    }
    bp_set_error_errno(error, errno, "cannot make the folder %s", path);
    if (bp_error_is(*error, BP_ERR_EXISTS)) {
        bp_error_add_hint(error, "nothing is ever overwritten: remove it, or take another name");
    }
    return false;
}

/* `made` remembers what there is now, for the case that something fails later. */
static bool
write_file(const char *folder, const char *name, const bp_project_file *file, GPtrArray *made,
           GError **error)
{
    g_autofree char *path = g_build_filename(folder, file->path, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    if (!g_file_test(parent, G_FILE_TEST_IS_DIR)) {
        if (!make_folder(parent, error)) {
            return false;
        }
        g_ptr_array_add(made, g_strdup(parent));
    }
    g_autoptr(GString) text = g_string_new(file->text);
    g_string_replace(text, PLACEHOLDER, name, 0);
    if (!write_whole(path, text->str, error)) {
        return false;
    }
    g_ptr_array_add(made, g_strdup(path));
    return true;
}

static void
take_back(const GPtrArray *made)
{
    for (guint i = made->len; i > 0; i--) {
        const char *path = g_ptr_array_index(made, i - 1);
        if (unlink(path) != 0) {
            (void)rmdir(path); /* the error of writing it says more */
        }
    }
}

char *
bp_project_write(const char *parent, const char *name, GError **error)
{
    if (!bp_plugin_name_is_valid(name)) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' is no name for a plugin", name);
        bp_error_add_hint(error, "1 to 31 small letters, digits and '-', a letter first");
        return NULL;
    }
    GError *failed = NULL; /* always one, so that its class can be asked for */
    g_autofree char *base = g_strconcat("bakplane-storage-", name, NULL);
    g_autofree char *folder = g_build_filename(parent, base, NULL);
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);
    bool fine = make_folder(folder, &failed);
    if (fine) {
        g_ptr_array_add(made, g_strdup(folder));
    }
    for (const bp_project_file *file = bp_project_storage; fine && file->path != NULL; file++) {
        fine = write_file(folder, name, file, made, &failed);
    }
    if (!fine) {
        take_back(made);
        g_propagate_error(error, failed);
        return NULL;
    }
    return g_steal_pointer(&folder);
}
