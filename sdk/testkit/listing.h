/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing through the storage plugin under test, page by page or whole.
 */
#ifndef BAKPLANE_TESTKIT_LISTING_H
#define BAKPLANE_TESTKIT_LISTING_H

#include "sdk/testkit/store.h"

struct bp_kit_found {
    char *key;
    bool is_prefix;
    struct bp_object_meta meta;
};

/** What was listed so far; starts zeroed. */
struct bp_kit_listing {
    struct bp_kit_found *found;
    size_t n;
    char *next; /**< token of the next page, or NULL */
    size_t pages;
    size_t stop_at;    /**< the sink says stop at this entry, counted from 1; 0 = never */
    size_t told;       /**< calls of the sink in the last page */
    size_t after_stop; /**< calls of the sink after it had said stop */
};

struct bp_kit_list {
    const char *prefix;
    const char *start_after;
    uint32_t max; /**< 0 = as many as the plugin likes */
    char delimiter;
    struct bp_kit_op *op;
};

/** One page, beginning at `token` (NULL = the first), added to `out`; hands on the answer. */
bp_status bp_kit_try_page(const struct bp_kit_store *store, const struct bp_kit_list *list,
                          const char *token, struct bp_kit_listing *out, struct bp_error *error);
/** All pages. */
void bp_kit_list(const struct bp_kit_store *store, const struct bp_kit_list *list,
                 struct bp_kit_listing *out);
/**
 * Lists all pages, and fails unless exactly these keys are there, each once.  Where STRONG_LIST is
 * not promised the listing may be behind for a while, so it is made again until it fits.
 */
void bp_kit_list_expect(const struct bp_kit_store *store, const struct bp_kit_list *list,
                        const char *const *keys, size_t n, const char *what);
/** Waits until these keys of the check are listed, where STRONG_LIST is not promised. */
void bp_kit_list_settle(const struct bp_kit_store *store, const char *const *keys, size_t n);
void bp_kit_listing_clear(struct bp_kit_listing *listing);
/** How often a key (or group) was listed. */
size_t bp_kit_listing_count(const struct bp_kit_listing *listing, const char *key);
/** Fails unless exactly these were listed, each once, in any order. */
void bp_kit_expect_listed(const struct bp_kit_store *store, const struct bp_kit_listing *listing,
                          const char *const *keys, size_t n, const char *what);

#endif
