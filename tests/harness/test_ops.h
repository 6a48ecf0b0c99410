/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage plugin that keeps its objects in memory, for unit tests: it counts the calls of each
 * operation, can lose capabilities, and can be told to break one of its promises.  The same code
 * is built as bakplane-storage-memory.so.
 *
 * Instances opened with the same space see the same objects.  A space lives until
 * test_ops_reset().  Main thread, except where instances are used.
 */
#ifndef BP_TESTS_HARNESS_TEST_OPS_H
#define BP_TESTS_HARNESS_TEST_OPS_H

#include <bakplane/plugin.h>
#include <glib.h>

#include "core/plugin/store.h"

/** A promise to break. */
typedef enum {
    TEST_LIE_NONE,
    TEST_LIE_SILENT_FAILURE,  /* stat fails without a message */
    TEST_LIE_WRONG_CLASS,     /* stat returns another class than its error has */
    TEST_LIE_NEGATIVE_STATUS, /* stat returns -1 */
    TEST_LIE_NO_SIZE,         /* stat leaves the size unknown */
    TEST_LIE_FOREIGN_KEY,     /* list answers a key outside of the prefix */
    TEST_LIE_BAD_KEY,         /* list answers "a//b" */
    TEST_LIE_UNSORTED,        /* list answers backwards */
    TEST_LIE_SAME_TOKEN,      /* list answers the token it was given */
    TEST_LIE_LONG_TOKEN,      /* list answers a token of 5000 bytes */
    TEST_LIE_EMPTY_PAGES,     /* list answers empty pages for ever */
    TEST_LIE_TOO_MANY,        /* list ignores max */
    TEST_LIE_READ_TOO_MUCH,   /* read claims more than it was asked for */
    TEST_LIE_READ_LONGER,     /* read goes on after the announced size */
    TEST_LIE_READ_SHORTER,    /* read ends before the announced size */
    TEST_LIE_COMMIT_SIZE,     /* write_commit tells another size than was written */
    TEST_LIE_NO_HANDLE,       /* read_open and write_open succeed without a handle */
    TEST_LIE_NO_UPLOAD_ID,    /* part_begin tells no id */
    TEST_LIE_FORGETS_KEYS,    /* remove_many reports nothing */
    TEST_LIE_LEAKS_SECRET,    /* stat's error holds the text given to test_ops_set_secret */
} test_lie;

/** No objects, no counts, no lie, all capabilities. */
void test_ops_reset(void);

/** Loaded once, for all tests of a process. */
bp_module *test_ops_module(void);

/** A store on a space, or an aborted test. */
bp_store *test_ops_open(const char *name, const char *space);

/** A copy of the plugin's descriptor, to be spoilt and given to test_ops_load. */
struct bp_plugin test_ops_descriptor(void);
/** Load a descriptor as if its file were called bakplane-<kind>-<name>.so. */
bp_module *test_ops_load(const struct bp_plugin *descriptor, bp_plugin_kind kind, const char *name,
                         GError **error);

void test_ops_set_lie(test_lie lie);
void test_ops_set_secret(const char *secret);
/** For instances opened from now on. */
void test_ops_set_caps(guint64 caps);

/** How often an operation ("stat", "write_commit" …) was called since the reset. */
guint test_ops_calls(const char *op);
/** Most calls that were inside the plugin at the same time since the reset. */
guint test_ops_most_inside(void);
/** Readers and writers that are open now. */
guint test_ops_open_handles(void);
/** Credentials of all instances that are open now have expired. */
void test_ops_expire(void);
/** … and of those that are going to be opened, too. */
void test_ops_expire_for_ever(void);
/** Let each stat last this long. */
void test_ops_set_delay_ns(gint64 ns);

/** Put an object directly into a space. */
void test_ops_seed(const char *space, const char *key, const char *text);
/** Number of objects in a space. */
guint test_ops_count(const char *space);

#endif
