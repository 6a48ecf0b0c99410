/* SPDX-License-Identifier: Apache-2.0
 *
 * A new plugin project: the files of sdk/templates, which the program carries along, with a name
 * filled in.  Any thread.
 */
#ifndef BP_CORE_PLUGIN_PROJECT_H
#define BP_CORE_PLUGIN_PROJECT_H

#include <glib.h>
#include <stdbool.h>

/** One file of a template: its path in the project, and its text with "@NAME@" where the name
 *  goes.  Tables of these end with path NULL. */
typedef struct bp_project_file {
    const char *path;
    const char *text;
} bp_project_file;

extern const bp_project_file bp_project_storage[];

/**
 * Write a project for a storage plugin `name` into the folder bakplane-storage-<name>, which is
 * made in `parent` and must not be there yet.  What was written is taken back when it fails.
 * INVALID (the name; with a hint), EXISTS, or what the file system says.
 * Returns: (transfer full) (nullable) path of the folder
 */
char *bp_project_write(const char *parent, const char *name, GError **error);

#endif
