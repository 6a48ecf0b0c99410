/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed access to a plugin's settings through the host.  The host has checked type and limits
 * against the plugin's table and has filled in defaults, so `fallback` answers only for a key
 * that is not set and has no default.  Any thread, while `config` lives.
 */
#ifndef BAKPLANE_LIB_SETTINGS_H
#define BAKPLANE_LIB_SETTINGS_H

#include <bakplane/host.h>
#include <stdbool.h>

BP_BEGIN_DECLS

/** Borrowed text, or NULL when not set. */
const char *bp_setting_text(const struct bp_host *host, const struct bp_config *config,
                            const char *key);
/** For SIZE (bytes), DURATION (ms) and INT keys that are never negative. */
uint64_t bp_setting_u64(const struct bp_host *host, const struct bp_config *config, const char *key,
                        uint64_t fallback);
int64_t bp_setting_i64(const struct bp_host *host, const struct bp_config *config, const char *key,
                       int64_t fallback);
bool bp_setting_bool(const struct bp_host *host, const struct bp_config *config, const char *key,
                     bool fallback);

BP_END_DECLS

#endif
