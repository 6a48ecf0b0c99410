/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for tests: storages are directories, settings are a key file, time does not pass.
 */
#ifndef BAKPLANE_TEST_FAKE_HOST_H
#define BAKPLANE_TEST_FAKE_HOST_H

#include <bakplane/host.h>
#include <glib.h>
#include <stdbool.h>

struct bp_config {
    GHashTable *values; /* char * -> char *; lists are separated by ';' */
};

/** Registers storage `ref` as directory `root` (must exist). */
void fake_host_add_storage(const char *ref, const char *root, const struct bp_storage_view *view);
/** Forgets all storages, cancels nothing. */
void fake_host_reset(void);
/** Every call after the n-th storage call is cancelled; 0 = never. */
void fake_host_cancel_after(unsigned n);
/** Entries per page of a listing, whatever was asked for. */
void fake_host_page_size(unsigned n);
/** Lines logged so far, joined by '\n'. */
const char *fake_host_log(void);

const struct bp_host *fake_host(void);
struct bp_op fake_op(void);
struct bp_error fake_error(void);

struct bp_config *fake_config_new(const char *first_key, ...) G_GNUC_NULL_TERMINATED;
void fake_config_free(struct bp_config *config);

/** A fresh directory below TMPDIR; removed by fake_dir_remove. */
char *fake_dir_new(void);
void fake_dir_remove(char *dir);
void fake_dir_put(const char *dir, const char *key, const char *text);

#endif
