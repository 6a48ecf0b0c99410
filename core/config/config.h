/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration as a whole: file, environment and --set in their order of precedence
 * (flag > environment > file > default), read into sections that are checked against tables.
 *
 * Native dialect (YAML):
 *
 *     source:   {plugin: <name>, storage: <name below>, <keys of the source plugin>}
 *     storages: {<name>: {plugin: local, <keys of the storage plugin>}, …}
 *     backup:   {<bp_config_backup_keys>, <create options of the source>}
 *     restore:  {<bp_config_restore_keys>, <restore options of the source>}
 *     plugins:  {<bp_config_plugins_keys>}
 *     log:      {<bp_config_log_keys>}
 *     server:   {<bp_config_server_keys>}
 *     state_dir: /var/lib/bakplane
 *
 * Nested core keys are written with dots in tables ("concurrency.units").  Environment:
 * BAKPLANE__SOURCE__ADDRESS; '__' separates, case is folded, '-' in names is written '_'.
 * A secret may be text, {file: PATH} or {env: NAME}; its text is refused in --set and on flags.
 *
 * This layer loads no plugin: whoever does passes its table in.
 */
#ifndef BP_CORE_CONFIG_CONFIG_H
#define BP_CORE_CONFIG_CONFIG_H

#include "core/config/node.h"
#include "core/config/settings.h"

typedef struct bp_config_tree bp_config_tree; /* everything that was said, with its origin */

/** A file in a foreign dialect, for its translator. */
typedef struct bp_config_foreign {
    const bp_node *root; /* the file as it was read; empty when there is none */
    const char *path;    /* of the file, absolute; for messages when there is none */
    bool no_file;
    const char *const *environ; /* "NAME=value", NULL-terminated */
    GPtrArray *sets;            /* char *, "key=value" from --set: to be taken out, if it is one
                                   of the dialect's */
    GPtrArray *warnings;        /* char *: unknown keys and keys without effect, to be added */
} bp_config_foreign;

/** Rewrites a foreign dialect into the native tree (core/compat provides it). */
typedef struct bp_config_dialect {
    const char *name; /* for messages, as its tool and version */
    /** The file's top-level keys show that it is this dialect. */
    bool (*recognise)(const char *const *top_keys, gsize n);
    /** Put native keys into `out` with bp_node_put, each with its origin; paths absolute. */
    bool (*translate)(const bp_config_foreign *in, bp_node *out, GError **error);
} bp_config_dialect;

typedef struct bp_config_params {
    const char *path;                  /* file; "" = none; NULL: bp_config_places, none is fine */
    const char *const *sets;           /* "a.b=c" from --set, NULL-terminated, or NULL */
    const char *const *environ;        /* "NAME=value", NULL-terminated; NULL = the process's */
    const bp_config_dialect *dialects; /* asked about no file, too, if path is "" */
    gsize n_dialects;
} bp_config_params;

/**
 * Read all layers and check their shape.  The core's own sections are checked at once, those of
 * plugins when bp_config_section is asked for them.
 * Errors: NOT_FOUND (a given path is missing), INVALID (file, line, key, nearest known key).
 * Returns: (transfer full) (nullable)
 */
bp_config_tree *bp_config_load(const bp_config_params *params, GError **error);
void bp_config_tree_free(bp_config_tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_config_tree, bp_config_tree_free)

/**
 * Where a file is looked for when none is named, in order: $BAKPLANE_CONFIG (which must exist),
 * ./bakplane.yaml, the user's configuration directory, /etc/bakplane/bakplane.yaml.
 * A file found there must belong to root or to us and not be writable by others.
 * @environ: as in the params.  Returns: (transfer full) NULL-terminated
 */
char **bp_config_places(const char *const *environ);

/** Path of the file that was read, or NULL. */
const char *bp_config_path(const bp_config_tree *tree);
/** The dialect that was translated, or NULL = the native one. */
const bp_config_dialect *bp_config_foreign_dialect(const bp_config_tree *tree);
/** The file as it was before it was translated, or NULL.  Borrowed. */
const bp_node *bp_config_foreign_root(const bp_config_tree *tree);
/** What the file says, or what became of it: a map.  Borrowed. */
const bp_node *bp_config_file_layer(const bp_config_tree *tree);
/** Warnings of a foreign dialect, in order of the file (char *). */
const GPtrArray *bp_config_warnings(const bp_config_tree *tree);

/** Names of the configured storages, sorted, NULL-terminated.  Borrowed. */
const char *const *bp_config_storages(const bp_config_tree *tree);

/** Text at a path like "source.plugin" or "storages.backups.plugin"; NULL when nobody set it. */
const char *bp_config_peek(const bp_config_tree *tree, const char *path);

typedef struct bp_config_section_params {
    const char *path;           /* "source", "storages.backups", "backup", …; "" = the top */
    const bp_key_table *tables; /* keys of all of them together are the section's */
    gsize n_tables;
    const char *const *overrides; /* "key=value" from flags, strongest, or NULL; a LIST key may
                                     come several times */
    const char *const *ignore;    /* keys of the section that somebody else reads, or NULL */
    bool secrets;                 /* resolve {file:}/{env:}; false for `config show` */
} bp_config_section_params;

/**
 * Values of one section.  INVALID for unknown keys (with the nearest known one and file:line),
 * wrong types, values out of range, missing required keys; secrets that cannot be read.
 * Secrets are told to bp_log_add_secret.
 * Returns: (transfer full) (nullable)
 */
bp_settings *bp_config_section(const bp_config_tree *tree, const bp_config_section_params *params,
                               GError **error);

/** One line of `config show`. */
typedef struct bp_config_row {
    char *key, *value, *origin; /* "source.password", "***", "file /etc/…:7" */
    bool given;                 /* not just the default */
} bp_config_row;
void bp_config_row_free(bp_config_row *row);

/** Rows of one section, in the order of its tables.  Returns: (transfer full) bp_config_row* */
GPtrArray *bp_config_rows(const bp_config_tree *tree, const bp_config_section_params *params,
                          GError **error);

/* The core's own tables, for the parser, the CLI, `config show` and the manual. */
extern const bp_key_table bp_config_backup_keys;  /* storage, concurrency.units, … */
extern const bp_key_table bp_config_copy_keys;    /* of `backup`: what copying a backup obeys */
extern const bp_key_table bp_config_restore_keys; /* concurrency.units, … */
extern const bp_key_table bp_config_plugins_keys; /* dirs, sha256 */
extern const bp_key_table bp_config_log_keys;     /* level, format */
extern const bp_key_table bp_config_server_keys;  /* listen, auth, … */
extern const bp_key_table bp_config_top_keys;     /* state_dir */

#endif
