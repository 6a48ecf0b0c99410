/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of storage-azure share: an instance whose service is a script, short calls, and
 * looks at what was sent.  The short calls return the class; what failed is in az_error.
 */
#ifndef BP_TESTS_STORAGE_AZURE_H
#define BP_TESTS_STORAGE_AZURE_H

#include <bakplane/plugin.h>
#include <check.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/fake_host.h"
#include "tests/harness/httpd.h"

/* Base64 of "secret-marker-secret-marker-0000", which must never be seen in an error or a log. */
#define AZ_KEY "c2VjcmV0LW1hcmtlci1zZWNyZXQtbWFya2VyLTAwMDA="
#define AZ_SAS "sv=2021-12-02&sr=c&sp=racwdl&sig=sas-marker%3D"

/* Answers.  The server closes behind each, so that none needs a length. */
#define AZ_ANSWER(status, headers, body) \
    "HTTP/1.1 " status "\r\nx-ms-request-id: r-1\r\nConnection: close\r\n" headers "\r\n" body
#define AZ_OK(headers, body) AZ_ANSWER("200 OK", headers, body)
/* One behind which the connection stays open. */
#define AZ_KEPT "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
#define AZ_CREATED(headers) AZ_ANSWER("201 Created", "Content-Length: 0\r\n" headers, "")
#define AZ_REFUSED(status, code, message)                                                \
    AZ_ANSWER(status, "x-ms-error-code: " code "\r\n",                                   \
              "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>" code \
              "</Code><Message>" message "\nRequestId:1</Message></Error>")
#define AZ_ETAG "ETag: \"0x8D1\"\r\nLast-Modified: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
#define AZ_HEAD(size, headers) \
    AZ_OK("Content-Length: " size "\r\nx-ms-blob-type: BlockBlob\r\n" AZ_ETAG headers, "")
/** One step of a script. */
#define AZ_STEP(text)                   \
    {                                   \
        BP_HTTPD_REPLY, .reply = (text) \
    }

extern const struct bp_storage_ops *az_ops;
extern const struct bp_plugin *az_plugin;
extern struct bp_httpd *az_server;
extern struct bp_storage *az_store; /**< on az_server */
extern struct bp_error az_error;

/** Checked fixture. */
void az_setup(void);
void az_teardown(void);

/** Ends the script and the instance, so that a test can start others. */
void az_end(void);

/** Starts the script and an instance "acct"/"box" with AZ_KEY on it, prefix "p"; more settings as
 *  pairs of name and value, ended by NULL. */
#define az_start(steps, ...) \
    az_start_with(steps, G_N_ELEMENTS(steps), (const char *const[]){__VA_ARGS__})
void az_start_with(const struct bp_httpd_step *steps, size_t n, const char *const *pairs);

/** Starts the script alone; az_teardown ends it. */
void az_serve(const struct bp_httpd_step *steps, size_t n);

/** Opens an instance with just these settings and the table's defaults; NULL with az_error. */
#define az_open(...) az_open_with((const char *const[]){__VA_ARGS__})
struct bp_storage *az_open_with(const char *const *pairs);

/** Ends the script; the i-th request as text, "" where none came. */
const char *az_request(size_t i);
/** Waits for nothing, ends the script: so many requests came. */
size_t az_requests(void);

/** The i-th request begins with this line and has all these texts, ended by NULL. */
#define ASSERT_SENT(i, line, ...) az_assert_sent(i, line, (const char *const[]){__VA_ARGS__})
void az_assert_sent(size_t i, const char *line, const char *const *texts);

bp_status az_stat(const char *key, struct bp_object_meta *meta);
bp_status az_remove(const char *key);
/** write_open, write in pieces of `piece` bytes (0 = at once), write_commit. */
bp_status az_write(const struct bp_write_args *args, const char *bytes, size_t n, size_t piece,
                   struct bp_object_meta *meta);
/** From `offset`, `length` bytes as text (newly allocated), or NULL with az_error. */
char *az_read(const char *key, uint64_t offset, uint64_t length, const char *if_match);
/** From `src` to this instance. */
bp_status az_copy(struct bp_storage *src, uint64_t size, const char *if_match,
                  struct bp_object_meta *meta);

/** Class and a piece of the message of the last failure. */
#define ASSERT_FAILED(status, cls_wanted, text)                                                  \
    do {                                                                                         \
        bp_status status_ = (status);                                                            \
        ck_assert_msg(status_ == (cls_wanted) && az_error.cls == (cls_wanted) &&                 \
                          strstr(az_error.message, (text)) != NULL,                              \
                      "class %d (%d), message \"%s\"", status_, az_error.cls, az_error.message); \
    } while (0)

#define ASSERT_OK(status)                                                           \
    do {                                                                            \
        bp_status status_ = (status);                                               \
        ck_assert_msg(status_ == BP_OK, "class %d: %s", status_, az_error.message); \
    } while (0)

/** main(): runs the tests, ended by NULL, with the fixture. */
int az_run(const char *title, const TTest *const *tests);
#define AZ_MAIN(title, ...)                               \
    int main(void)                                        \
    {                                                     \
        const TTest *const tests[] = {__VA_ARGS__, NULL}; \
        return az_run(title, tests);                      \
    }

#endif
