/* SPDX-License-Identifier: Apache-2.0
 *
 * Object keys: the rules at the head of bakplane/storage.h in code.  Pure functions, any thread.
 */
#ifndef BAKPLANE_LIB_KEY_H
#define BAKPLANE_LIB_KEY_H

#include <bakplane/abi.h>
#include <stddef.h>

BP_BEGIN_DECLS

/**
 * 0 when `key` is a valid key, else -1 and *why (may be NULL) names the broken rule in static
 * text that completes "key X: …".
 */
int bp_key_check(const char *key, const char **why);

/**
 * The same for the prefix of a listing: "" is fine, it may end in '/' or inside a part (and then
 * that last piece may be "." or "..", as the beginning of a longer name).
 */
int bp_key_check_prefix(const char *prefix, const char **why);

/**
 * Writes prefix + "/" + rest to `out` (no second '/' when prefix ends in one, none for prefix "").
 * -1, and `out` is "", when that is no valid key or does not fit into `cap` bytes.
 */
int bp_key_join(char *out, size_t cap, const char *prefix, const char *rest);

/**
 * For messages: writes `key` to `out`.  One that does not fit into `cap` bytes (16 or more) loses
 * its middle, between characters, because its beginning and its end tell more: "db/coll…/part-1".
 * Returns: out
 */
char *bp_key_show(char *out, size_t cap, const char *key);

/**
 * A prefix as people write it in a setting, such as "/a/b/", into the form that keys are put
 * behind: "a/b/", or "" for nothing but slashes and for NULL.  -1, `out` is "" and *why completes
 * "prefix: \"X\" …" when that is the beginning of no key, or does not fit into `cap` bytes.
 */
int bp_key_root(char *out, size_t cap, const char *text, const char **why);

/** 0 when `text` is valid UTF-8 (no surrogates, no overlong forms), else -1. */
int bp_utf8_check(const char *text);

BP_END_DECLS

#endif
