/* SPDX-License-Identifier: Apache-2.0
 *
 * See trust.h.
 */
#include "sdk/testkit/trust.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

static bool
check_path(const char *path, char **why)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        *why = bp_kit_text("%s cannot be looked at", path);
        return false;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        *why = bp_kit_text("%s belongs to user %u, neither to root nor to us", path,
                           (unsigned)st.st_uid);
        return false;
    }
    /* In a sticky directory of root's nobody can rename or remove what belongs to others. */
    bool sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0 && st.st_uid == 0;
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
        *why = bp_kit_text("others may write to %s (mode %04o); chmod go-w %s", path,
                           (unsigned)st.st_mode & 07777, path);
        return false;
    }
    return true;
}

bool
bp_kit_trust(const char *path, const char *dir, char **why)
{
    char *file = realpath(path, NULL), *folder = realpath(dir, NULL);
    bool fine = file != NULL && folder != NULL;
    if (!fine) {
        *why = bp_kit_text("%s cannot be resolved", file == NULL ? path : dir);
    }
    char *slash = fine ? strrchr(file, '/') : NULL;
    if (fine &&
        ((size_t)(slash - file) != strlen(folder) || strncmp(file, folder, strlen(folder)) != 0)) {
        *why = bp_kit_text("%s does not lie in %s once symbolic links are followed", file, folder);
        fine = false;
    }
    fine = fine && check_path(file, why);
    for (; fine && slash != NULL && slash != file; slash = strrchr(file, '/')) {
        *slash = '\0';
        fine = check_path(file, why);
    }
    fine = fine && check_path("/", why);
    free(file);
    free(folder);
    return fine;
}
