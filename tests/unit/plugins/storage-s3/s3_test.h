/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of storage-s3 share: instances, short calls, a scripted server.  The short calls
 * return the class; what failed is in st_error.
 */
#ifndef BP_TESTS_STORAGE_S3_H
#define BP_TESTS_STORAGE_S3_H

#include <bakplane/plugin.h>
#include <check.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/fake_host.h"
#include "tests/harness/httpd.h"

extern const struct bp_storage_ops *st_ops;
extern const struct bp_plugin *st_plugin;
extern struct bp_error st_error;

/** Checked fixture: the plugin's table, a fresh host, no AWS_… in the environment. */
void st_setup(void);
void st_teardown(void);

/** Opens an instance; pairs of name and value, ended by NULL.  NULL with st_error on failure. */
#define st_open(...) st_open_with((const char *const[]){__VA_ARGS__, NULL})
struct bp_storage *st_open_with(const char *const *pairs);

/** write_open, write in pieces of `piece` bytes, write_commit. */
bp_status st_write_args(struct bp_storage *store, const struct bp_write_args *args,
                        const void *bytes, size_t n, size_t piece, struct bp_object_meta *meta);
bp_status st_write(struct bp_storage *store, const char *key, const char *text, uint32_t flags);
/** Reads [offset, offset + length) (newly allocated, NUL behind), or NULL with st_error. */
char *st_read_range(struct bp_storage *store, const char *key, uint64_t offset, uint64_t length,
                    const char *if_match, struct bp_object_meta *meta, size_t *n);
char *st_read(struct bp_storage *store, const char *key);
bp_status st_stat(struct bp_storage *store, const char *key, struct bp_object_meta *meta);
bp_status st_remove(struct bp_storage *store, const char *key);
bp_status st_copy(struct bp_storage *dst, struct bp_storage *src, const char *src_key,
                  const char *dst_key, const char *if_match, uint64_t size,
                  struct bp_object_meta *meta);
/** Everything below the prefix, page by page: "a b c/ " (groups end in '/'). */
char *st_list(struct bp_storage *store, const char *prefix, int32_t delimiter, uint32_t page,
              const char *start_after);
bp_status st_probe(struct bp_storage *store, uint32_t need, const char *prefix);
/** "key " for done, "key:CLASS " for failed. */
char *st_remove_many(struct bp_storage *store, const char *const *keys, size_t n);

/* A scripted server, to which `store` (provider s3, path style, bucket "bkt", region "r1", static
 * keys) talks.  One connection for each step. */
struct st_script {
    struct bp_httpd *server;
    struct bp_storage *store;
};
#define st_begin(script, steps, ...)                      \
    st_begin_with((script), (steps), G_N_ELEMENTS(steps), \
                  (const char *const[]){"bucket", "bkt", ##__VA_ARGS__, NULL})
void st_begin_with(struct st_script *script, const struct bp_httpd_step *steps, size_t n,
                   const char *const *pairs);
/** Stops the server; requests can be looked at until st_end. */
const char *st_request(struct st_script *script, size_t i);
void st_end(struct st_script *script);

/** An answer with a body, which closes the connection.  `head`: more header lines, each with its
 *  "\r\n".  Kept until the test ends. */
const char *st_answer(int status, const char *head, const char *body);
/** The same with an error of S3. */
const char *st_refusal(int status, const char *code);

/** Class and a piece of the message of the last failure. */
#define ASSERT_FAILED(status, cls_wanted, text)                                                  \
    do {                                                                                         \
        bp_status status_ = (status);                                                            \
        ck_assert_msg(status_ == (cls_wanted) && st_error.cls == (cls_wanted) &&                 \
                          strstr(st_error.message, (text)) != NULL,                              \
                      "class %d (%d), message \"%s\"", status_, st_error.cls, st_error.message); \
    } while (0)

#define ASSERT_OK(status)                                                           \
    do {                                                                            \
        bp_status status_ = (status);                                               \
        ck_assert_msg(status_ == BP_OK, "class %d: %s", status_, st_error.message); \
    } while (0)

/** main(): runs the tests, ended by NULL, with the fixture. */
int st_run(const char *title, const TTest *const *tests);
#define ST_MAIN(title, ...)                               \
    int main(void)                                        \
    {                                                     \
        const TTest *const tests[] = {__VA_ARGS__, NULL}; \
        return st_run(title, tests);                      \
    }

#endif
