/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for unit tests of plugins: settings from a list, cancel by a flag, memory that can fail,
 * log lines that can be looked at.  One fake host at a time (host functions carry no context);
 * its functions may be called from any thread.
 */
#ifndef BP_TESTS_HARNESS_FAKE_HOST_H
#define BP_TESTS_HARNESS_FAKE_HOST_H

#include <bakplane/host.h>
#include <bakplane/source.h>
#include <bakplane/storage.h>
#include <stdatomic.h>

#define BP_FAKE_MAX_SETTINGS 64

/** Settings as the plugin sees them; NULL name ends the list. */
struct bp_config {
    struct {
        const char *name, *value;
    } set[BP_FAKE_MAX_SETTINGS];
};

struct bp_fake_host {
    struct bp_host host;
    struct bp_op op; /**< no deadline */
    int cancel_fd;   /**< what the host says of it; -1 = none */
    _Atomic int cancelled;
    _Atomic int cancel_after; /**< > 0: that many questions until cancelled becomes true */
    _Atomic int fail_alloc;   /**< > 0: the n-th allocation from now on fails */
    _Atomic int live_blocks;  /**< allocations not freed */
    _Atomic unsigned log_lines;
    _Atomic unsigned progress_calls;
    char last_log[1024]; /**< unguarded: for tests with one thread */
};

extern struct bp_fake_host bp_fake;

/** Back to the beginning: not cancelled, nothing fails, counters 0. */
void bp_fake_reset(void);

/** Sets or replaces a setting; name and value stay the caller's. */
void bp_fake_set(struct bp_config *config, const char *name, const char *value);

/** Fills in what the table has as default and the list does not name, as a host does. */
void bp_fake_defaults(struct bp_config *config, const struct bp_config_key *keys, uint32_t n);

#endif
