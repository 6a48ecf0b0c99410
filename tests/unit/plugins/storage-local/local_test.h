/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of storage-local share: a scratch root, an open instance, short calls.  The short
 * calls return the class; what failed is in lt_error.
 */
#ifndef BP_TESTS_STORAGE_LOCAL_H
#define BP_TESTS_STORAGE_LOCAL_H

#include <bakplane/plugin.h>
#include <check.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/fake_host.h"

extern const struct bp_storage_ops *lt_ops;
extern const struct bp_plugin *lt_plugin;
extern char lt_root[256];    /**< the instance's root; exists */
extern char lt_scratch[256]; /**< its parent */
extern struct bp_storage *lt_store;
extern struct bp_error lt_error;

/** Checked fixture: scratch folder, root, instance with default settings. */
void lt_setup(void);
void lt_teardown(void);

/** Opens one more instance on lt_root; pairs of name and value, ended by NULL. */
#define lt_open(...) lt_open_with((const char *const[]){__VA_ARGS__})
struct bp_storage *lt_open_with(const char *const *pairs);

/** The root's path with `key` behind it (newly allocated). */
char *lt_path(const char *key);

/** Writes a file below the root behind the plugin's back. */
void lt_put_file(const char *key, const char *text);
/** Contents of a file below the root, or NULL. */
char *lt_get_file(const char *key);
bool lt_has_file(const char *key);

/** write_open, write, write_commit; `text` NULL = nothing is written. */
bp_status lt_write(struct bp_storage *store, const char *key, const char *text, uint32_t flags);
bp_status lt_write_args(struct bp_storage *store, const struct bp_write_args *args,
                        const void *bytes, size_t n, struct bp_object_meta *meta);
/** Whole object as text (newly allocated), or NULL with lt_error. */
char *lt_read(struct bp_storage *store, const char *key);
bp_status lt_stat(struct bp_storage *store, const char *key, struct bp_object_meta *meta);
bp_status lt_sync(struct bp_storage *store);
bp_status lt_remove(struct bp_storage *store, const char *key);
bp_status lt_copy(struct bp_storage *dst, struct bp_storage *src, const char *src_key,
                  const char *dst_key, uint32_t flags, struct bp_object_meta *meta);

/** Everything below the prefix, page by page: "a b c/ " (groups end in '/'). */
char *lt_list(struct bp_storage *store, const char *prefix, int32_t delimiter, uint32_t page,
              const char *start_after);

/** Class and a piece of the message of the last failure. */
#define ASSERT_FAILED(status, cls_wanted, text)                                                  \
    do {                                                                                         \
        bp_status status_ = (status);                                                            \
        ck_assert_msg(status_ == (cls_wanted) && lt_error.cls == (cls_wanted) &&                 \
                          strstr(lt_error.message, (text)) != NULL,                              \
                      "class %d (%d), message \"%s\"", status_, lt_error.cls, lt_error.message); \
    } while (0)

#define ASSERT_OK(status)                                                           \
    do {                                                                            \
        bp_status status_ = (status);                                               \
        ck_assert_msg(status_ == BP_OK, "class %d: %s", status_, lt_error.message); \
    } while (0)

/** Skips (with a printed reason) what only root can set up. */
bool lt_is_root(void);

/** main(): runs the tests, ended by NULL, with the fixture. */
int lt_run(const char *title, const TTest *const *tests);
#define LT_MAIN(title, ...)                               \
    int main(void)                                        \
    {                                                     \
        const TTest *const tests[] = {__VA_ARGS__, NULL}; \
        return lt_run(title, tests);                      \
    }

#endif
