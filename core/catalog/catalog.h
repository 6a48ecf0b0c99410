/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups on one storage: finding, reading, and the order in which a backup is written, sealed
 * and deleted.
 *
 *     <name>/meta/… <name>/binlogs/…           documents and items of the source
 *     <name>/bakplane/lease.json               who is writing (lease.h)
 *     <name>/bakplane/journal/<run>-<seq>.jsonl  proven items, immutable chunks
 *     <name>/bakplane/uploads/<run>-<n>.json  uploads in parts that are under way (uploads.h)
 *     <name>/bakplane/items-<n>.jsonl          the manifest's items
 *     <name>/bakplane/manifest.json            state, units, totals, digests
 *
 * Functions do not retry by themselves: each takes a bp_retry_params and retries small calls
 * through bp_retry.  Any thread, one backup by one writer at a time (the lease sees to that).
 */
#ifndef BP_CORE_CATALOG_CATALOG_H
#define BP_CORE_CATALOG_CATALOG_H

#include "core/catalog/items.h"
#include "core/catalog/manifest.h"
#include "core/plugin/source.h"
#include "core/plugin/store.h"

/** Keys below a backup that others need to know. */
#define BP_CATALOG_MANIFEST "bakplane/manifest.json"
#define BP_CATALOG_LEASE "bakplane/lease.json"

/** Where the backups are and how calls are made.  Borrowed members; lives on the stack. */
typedef struct bp_catalog {
    bp_store *store;
    const bp_call *call;
    guint attempts; /* of small calls */
    gint64 max_delay_ns;
    const char *commit_document; /* of the source: key by which other tools know a backup */
    const char *taken; /* child below which the source's own storage has its root, or NULL: it is no
                          backup, whatever it looks like */
    bool shared;       /* the source's own storage has this very root: what has nothing of ours and
                          is no other tool's backup is the source's */
    gint64 renew_ns;   /* of leases; 0 = BP_LEASE_RENEW_NS, except in tests */
} bp_catalog;

/** What `list` shows of one backup. */
typedef struct bp_backup_entry {
    char *name;
    bp_backup_state state; /* of ours; SUCCESS for a foreign one with its commit document */
    bool foreign;          /* no record of ours: written by another tool */
    bool incomplete;       /* neither ours nor finished: remains of a failed run, or documents
                              missing from a success */
    bool copying;          /* not finished, and a copy from another storage */
    bool begun;            /* something of ours lies below it */
    bool stale;            /* "running", but its writer is gone (see lease.h) */
    char *problem;         /* why it cannot be used, or NULL */
    gint64 started_ns, finished_ns;                        /* 0 = unknown */
    guint64 items, bytes;                                  /* BP_UNKNOWN for foreign ones */
    char *server_version, *source_plugin, *writer, *label; /* or NULL */
    char *run_id;                                          /* of ours, or NULL */
} bp_backup_entry;
void bp_backup_entry_free(bp_backup_entry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_backup_entry, bp_backup_entry_free)

/** All children of the storage that are or look like backups, sorted by name. */
GPtrArray *bp_catalog_list(const bp_catalog *catalog, GError **error);

/** One of them.  NOT_FOUND when nothing lies below `name`/ (names near it are proposed). */
bp_backup_entry *bp_catalog_find(const bp_catalog *catalog, const char *name, GError **error);

/** The manifest of a backup of ours.  NOT_FOUND when it has none (foreign or remains). */
bp_manifest *bp_catalog_manifest(const bp_catalog *catalog, const char *name, GError **error);

/**
 * A document as it lies on the storage, whoever wrote the backup.  INVALID when it has more than
 * `max` bytes or `key` leaves the backup.  Returns: (transfer full) (nullable)
 */
GBytes *bp_catalog_document(const bp_catalog *catalog, const char *name, const char *key, gsize max,
                            GError **error);

/** Write the manifest in the state it has; replaces the former one.  Durable. */
bool bp_catalog_save(const bp_catalog *catalog, const bp_manifest *manifest, GError **error);

/** Key of something below a backup: "<name>/<rest>".  Returns: (transfer full) */
char *bp_catalog_key(const char *name, const char *rest);

/** All items of a manifest (success), in order of its items files; digests are checked. */
bool bp_catalog_items(const bp_catalog *catalog, const bp_manifest *manifest, bp_item_record_fn fn,
                      void *ctx, GError **error);

/** Whether there are items files that the manifest does not name: those of a seal in progress, or
 * of one that was killed. */
bool bp_catalog_has_stray_items(const bp_catalog *catalog, const bp_manifest *manifest, bool *any,
                                GError **error);
/** Remove them.  Under the caller's lease, the manifest read since. */
bool bp_catalog_drop_stray_items(const bp_catalog *catalog, const bp_manifest *manifest,
                                 GError **error);

/**
 * Documents: streamed by a source, written durable, recorded in manifest->documents.  The commit
 * document is held back (at most 16 MiB) until bp_documents_commit.
 */
typedef struct bp_documents bp_documents;
/** Empties manifest->documents, which it then fills; the manifest outlives it. */
bp_documents *bp_documents_new(const bp_catalog *catalog, bp_manifest *manifest);
/** Aborts what is not finished. */
void bp_documents_free(bp_documents *documents);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_documents, bp_documents_free)
/** To hand to bp_source_documents. */
bp_document_fns bp_documents_fns(bp_documents *documents);
/** The error a sink function set aside, if any.  Returns: false and sets error if there is one */
bool bp_documents_check(bp_documents *documents, GError **error);
/** Write the held-back one: the very last write of a create. */
bool bp_documents_commit(bp_documents *documents, GError **error);
/** Every document of the manifest is there with its size and digest.  CORRUPT / NOT_FOUND. */
bool bp_documents_verify(const bp_catalog *catalog, const bp_manifest *manifest, GError **error);

/** What deleting tells about; may be NULL. */
typedef void (*bp_remove_progress)(void *ctx, guint64 removed);
/**
 * Delete a backup: state "deleting", other tools' documents, data, our record.  Safe to repeat.
 * Refuses (EXISTS) one that a live writer holds, and one that another run has finished since this
 * began to look.  NOT_FOUND when nothing is there.
 * @force: also what is neither ours nor a known foreign backup.
 */
bool bp_catalog_remove(const bp_catalog *catalog, const char *name, bool force,
                       bp_remove_progress progress, void *ctx, GError **error);
/**
 * The same of one that was chosen from a list: EXISTS when something else has its name by now.
 * @gone: (out) NOT_FOUND, because somebody else has deleted it.
 */
bool bp_catalog_remove_listed(const bp_catalog *catalog, const bp_backup_entry *entry, bool *gone,
                              GError **error);
/**
 * Remove all but the manifest and the lease (for --replace and after a failed create), in the same
 * order.  Under the caller's lease.  A manifest that says success is "deleting" then; another
 * keeps its state.  Nothing there is fine.
 */
bool bp_catalog_clear(const bp_catalog *catalog, const char *name, bp_remove_progress progress,
                      void *ctx, GError **error);

/**
 * Remove all that is ours, the manifest last: what stays is a backup as another tool writes it.
 * Under the caller's lease, which goes with its holder.  Safe to repeat.
 */
bool bp_catalog_remove_record(const bp_catalog *catalog, const char *name, GError **error);

/** Which successes `prune` would delete.  Entries of other states are never chosen. */
typedef struct bp_prune_rule {
    guint keep_last;       /* newest successes to keep; 0 = no such rule */
    gint64 keep_within_ns; /* keep what is younger; 0 = no such rule */
    gint64 now_ns;         /* wall clock */
    bool foreign;          /* foreign backups are counted and chosen too */
} bp_prune_rule;
/** Marks chosen[i] for entries[i]; newest first by finish time. */
void bp_prune_choose(const GPtrArray *entries, const bp_prune_rule *rule, bool *chosen);

#endif
