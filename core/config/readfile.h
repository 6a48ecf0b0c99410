/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files read whole: settings and secrets.
 */
#ifndef BP_CORE_CONFIG_READFILE_H
#define BP_CORE_CONFIG_READFILE_H

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

typedef struct bp_small_file {
    char *text; /* NUL-terminated beyond its size */
    gsize size;
    struct stat stat; /* of the open file */
} bp_small_file;

/**
 * @max: INVALID for a larger file.  @what: "config file", for messages.
 * Errors by errno: NOT_FOUND, DENIED …  `out` is for bp_small_file_clear, also after failure.
 */
bool bp_small_file_read(const char *path, const char *what, gsize max, bp_small_file *out,
                        GError **error);
/** Wipes the text. */
void bp_small_file_clear(bp_small_file *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_small_file, bp_small_file_clear)

#endif
