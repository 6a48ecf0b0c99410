/* SPDX-License-Identifier: Apache-2.0
 *
 * The core's record of one backup: state, units, totals, digests of what lies beside it.  Items
 * are not in here: they are streamed from items files (items.h).
 */
#ifndef BP_CORE_CATALOG_MANIFEST_H
#define BP_CORE_CATALOG_MANIFEST_H

#include <bakplane/storage.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/** Version of manifest and journal that this build writes, and the newest it reads. */
#define BP_MANIFEST_VERSION 1

typedef enum {
    BP_BACKUP_RUNNING,
    BP_BACKUP_SUCCESS,
    BP_BACKUP_FAILED,
    BP_BACKUP_DELETING,
} bp_backup_state;

const char *bp_backup_state_name(bp_backup_state state);

/** A node of the source's tree as it was captured. */
typedef struct bp_manifest_unit {
    char *id, *parent, *kind, *name; /* parent NULL for roots */
    guint64 items, bytes;            /* of this unit itself */
    bool has_items;                  /* it is of the kind that has items */
    bool has_proof, unprovable;
    guint64 low, high, found; /* of the proof */
    char *note;               /* of the proof, or NULL */
} bp_manifest_unit;

/** A document or items file: key below the backup, size and XXH3-128 of its text. */
typedef struct bp_manifest_file {
    char *key;
    guint64 size;
    struct bp_checksum checksum;
    guint64 items; /* of an items file */
} bp_manifest_file;

typedef struct bp_manifest {
    guint version;
    char *name, *run_id, *writer; /* writer: "bakplane 0.1.0", or the other tool's */
    bp_backup_state state;
    char *error;                    /* why it failed, or NULL */
    gint64 started_ns, finished_ns; /* wall clock; 0 = not yet */
    char *source_plugin, *source_address, *server_version;
    char *label;           /* what the operator calls the series that it is one of, or NULL */
    char *proof_what;      /* "rows" */
    bool without_items;    /* only metadata was wanted */
    bool copying;          /* a copy from another storage that is not finished */
    guint64 items, bytes;  /* totals of the units */
    GPtrArray *units;      /* bp_manifest_unit*, parents before children */
    GPtrArray *documents;  /* bp_manifest_file*, in order of writing, commit last */
    GPtrArray *item_files; /* bp_manifest_file* */
} bp_manifest;

/** Empty, of this version.  Returns: (transfer full) */
bp_manifest *bp_manifest_new(const char *name);
void bp_manifest_free(bp_manifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_manifest, bp_manifest_free)

bp_manifest_unit *bp_manifest_unit_new(void);
void bp_manifest_unit_free(bp_manifest_unit *unit);
bp_manifest_file *bp_manifest_file_new(const char *key, guint64 size,
                                       const struct bp_checksum *checksum);
void bp_manifest_file_free(bp_manifest_file *file);

/** Unit by id, or NULL. */
bp_manifest_unit *bp_manifest_find_unit(const bp_manifest *manifest, const char *id);
/** Name of a unit by id; "" for NULL, which is the parent of a root; NULL when there is none. */
const char *bp_manifest_parent_name(const bp_manifest *manifest, const char *id);
/** One of its documents has this key. */
bool bp_manifest_has_document(const bp_manifest *manifest, const char *key);

/** Returns: (transfer full) */
json_t *bp_manifest_to_json(const bp_manifest *manifest);
/** CORRUPT; UNSUPPORTED for a newer version, naming both.  Returns: (transfer full) (nullable) */
bp_manifest *bp_manifest_parse(const char *text, gsize n, const char *what, GError **error);

#endif
