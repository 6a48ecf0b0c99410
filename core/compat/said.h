/* SPDX-License-Identifier: Apache-2.0
 *
 * What a foreign configuration says: its file, its environment variables and --set, looked up by
 * a table of its keys; and everything that is wrong with it.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_SAID_H
#define BP_CORE_COMPAT_SAID_H

#include "core/config/config.h"

typedef enum { BP_SAID_TEXT, BP_SAID_NUMBER, BP_SAID_BOOL, BP_SAID_LIST } bp_said_kind;

/** A key of a dialect. */
typedef struct bp_said_key {
    const char *name;
    bp_said_kind kind;
    bool idle; /* known, but nothing here follows from it: docs/compat.md says why */
    bool secret;
    const char *environment; /* or NULL */
    const char *def;         /* or NULL */
} bp_said_key;

typedef struct bp_said_table {
    const bp_said_key *keys;
    gsize n;
    bool empty_counts; /* a variable that is set to nothing counts */
    /** What an older dialect's key is called here, or NULL.  Returns: (transfer full) */
    char *(*successor)(const char *name);
} bp_said_table;

/** What somebody said about one key. */
typedef struct bp_said_value {
    char *text;   /* NULL = nobody said anything, and there is no default */
    char *origin; /* "file /x/backup.yaml:7 (minio.address)", "environment …", "default of …" */
    bool given;   /* not just the default */
} bp_said_value;
void bp_said_value_clear(bp_said_value *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_said_value, bp_said_value_clear)

typedef struct bp_said bp_said; /* names without regard to case */

/**
 * Read all of it.  Takes from in->sets what names a key or a variable of the table.  Warns about
 * unknown keys, once about all that have no effect, and about secrets on the command line.
 * @in, @table: borrowed for its life.  Returns: (transfer full)
 */
bp_said *bp_said_new(const bp_config_foreign *in, const bp_said_table *table);
void bp_said_free(bp_said *said);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_said, bp_said_free)

/**
 * --set, else environment, else file, else default.  A port shaped like a service's URL
 * (Kubernetes sets MILVUS_PORT=tcp://…) does not count and is warned about.
 * @name: must be in the table.
 */
void bp_said_get(const bp_said *said, const char *name, bp_said_value *out);
/** The value says something. */
bool bp_said_is_text(const bp_said_value *value);
/** A boolean; `*on` stays as it is when nobody said anything or it is none (a problem then). */
void bp_said_get_bool(bp_said *said, const char *name, bool *on);

/** One more thing that is wrong; a second line "hint: …" is fine. */
void bp_said_problem(bp_said *said, int cls, const char *format, ...) G_GNUC_PRINTF(3, 4);
void bp_said_warn(const bp_said *said, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** false, with all problems in one error (of the class of the first), if there were any. */
bool bp_said_check(const bp_said *said, GError **error);

/** A key of a table by its name, without regard to case; or NULL. */
const bp_said_key *bp_said_table_find(const bp_said_table *table, const char *name);

#endif
