/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of one section, checked against a declared table: what a plugin instance, a job or a
 * module of the core gets to see.  It is the host's side of the ABI's opaque `struct bp_config`.
 * Read-only after it was made; any thread.
 */
#ifndef BP_CORE_CONFIG_SETTINGS_H
#define BP_CORE_CONFIG_SETTINGS_H

#include <bakplane/config.h>
#include <glib.h>
#include <stdbool.h>

typedef struct bp_config bp_settings;

/** A declared table, of the core's own or of a plugin.  Borrowed. */
typedef struct bp_key_table {
    const struct bp_config_key *keys;
    guint32 stride, n;
} bp_key_table;

/** The i-th key of a table, by its stride. */
const struct bp_config_key *bp_key_table_at(const bp_key_table *table, guint32 i);
/** By name or alias; NULL when the table has no such key. */
const struct bp_config_key *bp_key_table_find(const bp_key_table *table, const char *name);

void bp_settings_free(bp_settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_settings, bp_settings_free)

/** Text of a key (normalised: SIZE in bytes, DURATION in ms), its default, or NULL. */
const char *bp_settings_get(const bp_settings *settings, const char *key);
gsize bp_settings_count(const bp_settings *settings, const char *key);
const char *bp_settings_at(const bp_settings *settings, const char *key, gsize i);

/** Typed; the key must be declared with that type and have a default or be required. */
guint64 bp_settings_u64(const bp_settings *settings, const char *key);
bool bp_settings_bool(const bp_settings *settings, const char *key);
/** The value did not come from the table's default. */
bool bp_settings_is_given(const bp_settings *settings, const char *key);

#endif
