/* SPDX-License-Identifier: Apache-2.0
 *
 * Source plugins: a system that can be captured and restored.
 *
 * A source knows a database, not storage.  It plans (which units exist), pins (so that nothing
 * vanishes), names what to copy, and later rebuilds.  Bytes that lie in the database's own
 * storage are named by reference and moved by the core.
 *
 * Create:   plan -> run_begin -> per unit: unit_begin, unit_items…, unit_prove, unit_end
 *           -> documents -> run_end.
 * Restore:  restore_begin -> per target: target_prepare, target_place, (target_step, job_poll)…,
 *           target_prove, target_finish -> restore_end.
 *
 * A source with no storage of its own streams its items (BP_ITEM_STREAM), and its jobs read the
 * backup through the host: storage_read_small of bp_restore_args.backup_ref.
 *
 * Units of one run, and targets of one restore, may be worked on by different threads at the same
 * time (BP_SOURCE_CONCURRENT_UNITS); one unit or target is never used by two.  But items are read
 * (item_open, item_read, item_close) by the threads that copy, several of a unit at a time and
 * while more of them are being named, and run_keepalive comes from a timer.  After a crash each
 * verb may be repeated in a new run.  Identities and staging prefixes survive, which the core
 * persists; tokens do not: a run knows none of the jobs of another one.
 *
 * What failed as RETRYABLE, THROTTLED or TIMEOUT the host may call again with the same arguments:
 * such a call begins anew, or finds what it has done and goes on.  Not so `probe` and
 * `restore_begin`, which are the first to reach the server, and what ends something.  `target_step`
 * is called again only where RETRYABLE says for certain that nothing more has begun than was told.
 */
#ifndef BAKPLANE_SOURCE_H
#define BAKPLANE_SOURCE_H

#include <bakplane/abi.h>
#include <bakplane/config.h>
#include <bakplane/error.h>
#include <bakplane/op.h>
#include <bakplane/storage.h>

struct bp_source;      /**< an instance; the plugin's own */
struct bp_run;         /**< one capture; the plugin's own */
struct bp_restore;     /**< one restore; the plugin's own */
struct bp_item_reader; /**< one open STREAM item; the plugin's own */

/* bp_source_info.features.  Bits 1 to 3 are reserved. */
#define BP_SOURCE_PIN (UINT64_C(1) << 0) /**< what is captured cannot vanish meanwhile */
#define BP_SOURCE_CONCURRENT_UNITS (UINT64_C(1) << 4) /**< several units or targets at a time */

/** Facts of the plugin and, after `probe`, of the server. */
struct bp_source_info {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t features;         /**< BP_SOURCE_… */
    char item_kind[32];        /**< kind of the units that have items: "collection" */
    char parent_kind[32];      /**< kind of their parents: "database"; "" = they have none */
    char default_parent[64];   /**< parent of a bare name: "default"; "" without parents.  It and
                                    commit_document are refused where they fill their arrays */
    char proof_what[32];       /**< what unit_prove counts: "rows" */
    char server_version[64];   /**< "" before probe */
    char address[256];         /**< where it is, for people; no secrets */
    char commit_document[256]; /**< key below a backup by which others recognise it */
};

/** A node of the source's tree. */
struct bp_unit {
    uint32_t struct_size;
    uint32_t flags;     /**< none in minor 0 */
    const char *id;     /**< unique in the tree, stable while the unit exists; <= BP_TOKEN_MAX */
    const char *parent; /**< id of the parent, or NULL; parents come before children */
    const char *kind;   /**< "database", "collection", "partition"; <= 31 bytes */
    const char *name;   /**< as people say it, without the parents' names; <= 1024 bytes */
    uint64_t bytes, objects; /**< estimates, or BP_UNKNOWN */
};

/** Decides early, so that a source does no work for what nobody wants.  May be NULL = all. */
struct bp_unit_filter {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    /** Non-zero = wanted.  `unit->parent` names a unit asked about (and wanted) before. */
    int32_t (*wants)(void *ctx, const struct bp_unit *unit);
};

struct bp_unit_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*unit)(void *ctx, const struct bp_unit *unit);
};

enum bp_item_kind {
    BP_ITEM_REF = 0,   /**< bytes lie at `ref_key` of the storage `ref` */
    BP_ITEM_STREAM = 1 /**< bytes come from item_open */
};

struct bp_item {
    uint32_t struct_size;
    uint32_t kind;               /**< enum bp_item_kind */
    const char *id;              /**< unique in the unit and generation; <= BP_TOKEN_MAX */
    const char *key;             /**< where it goes, below the backup, in all of which it is unique;
                                      neither "bakplane" nor below it */
    const char *ref;             /**< REF: a storage of the operator's */
    const char *ref_key;         /**< REF: key there */
    const char *etag;            /**< version seen (1 to 127 bytes), or NULL.  REF: the copy is of
                                      it.  STREAM: an interrupted run's copy is kept if it is the
                                      same, so a source whose items can change in place says it */
    uint64_t size;               /**< or BP_UNKNOWN */
    struct bp_checksum checksum; /**< of the content, if the source knows it */
};

/** Most items of one page; the host holds a page in memory, so some thousands are plenty. */
#define BP_ITEM_PAGE_MAX 50000

/** Receives one page of items; `next` as in bp_list_sink. */
struct bp_item_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*item)(void *ctx, const struct bp_item *item);
    int32_t (*next)(void *ctx, const char *token);
};

/** Which unit is to be looked at. */
struct bp_unit_args {
    uint32_t struct_size;
    uint32_t flags; /**< none in minor 0 */
    const char *unit_id;
};

/** Which item is to be read, and from where on. */
struct bp_item_open_args {
    uint32_t struct_size;
    uint32_t flags; /**< none in minor 0 */
    const char *unit_id, *item_id;
    const char *etag; /**< what the item was named with: STALE when it is another version by now;
                           NULL = it was named with none */
    uint64_t offset;  /**< 0, or where reading failed before */
};

/** What can be counted of a unit.  Restored `found` must lie within [low, high]. */
struct bp_proof {
    uint32_t struct_size;
    uint32_t flags;     /**< BP_PROOF_… */
    uint64_t low, high; /**< what a restore may find; at capture */
    uint64_t found;     /**< what is there: at capture what the server says, later what came in */
    char note[256];     /**< how it was counted, for the report */
};
#define BP_PROOF_UNPROVABLE                                                  \
    UINT32_C(1) /**< the source cannot count this unit; `note` says why, and \
                     low and high say nothing */

/** How a run, unit or restore ended: the argument `outcome`.  Unknown values count as FAILED. */
enum bp_outcome { BP_OUTCOME_DONE = 0, BP_OUTCOME_FAILED = 1, BP_OUTCOME_CANCELLED = 2 };

#define BP_RUN_DRY UINT32_C(1)           /**< only look: no pin, no flush, nothing changes */
#define BP_RUN_WITHOUT_ITEMS UINT32_C(2) /**< documents only: units name no items */

struct bp_run_args {
    uint32_t struct_size;
    uint32_t flags;                  /**< BP_RUN_… */
    const char *run_id, *backup;     /**< uuid, name of the backup */
    const struct bp_config *options; /**< create_keys */
};

struct bp_run_info {
    uint32_t struct_size;
    uint32_t keepalive_ms; /**< call run_keepalive this often; 0 = never */
};

#define BP_DOCUMENT_COMMIT UINT32_C(1) /**< the last one, written after the manifest */

/** Receives documents one after the other: begin, write…, end. */
struct bp_document_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*begin)(void *ctx, const char *key, uint32_t flags);
    int32_t (*write)(void *ctx, const void *bytes, size_t n);
    int32_t (*end)(void *ctx);
};

/** Receives what a foreign backup holds. */
struct bp_adopt_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*unit)(void *ctx, const struct bp_unit *unit);
    /** Items of `unit_id`; `key` below the backup, kind REF with ref NULL. */
    int32_t (*item)(void *ctx, const char *unit_id, const struct bp_item *item);
    int32_t (*proof)(void *ctx, const char *unit_id, const struct bp_proof *proof);
};

/** Facts of a foreign backup that are no units. */
struct bp_adopt_info {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t created_ns;      /**< since the epoch, 0 = unknown */
    char server_version[64]; /**< of the source it was taken from, "" = unknown */
    char writer[64];         /**< which program, as far as its files tell */
};

enum bp_note_level { BP_NOTE_INFO = 0, BP_NOTE_WARN = 1 };

/** What a restore wants people to know: an alias that was taken, a property left out.  Wherever
    one is passed it is not NULL, and what it answers may be ignored. */
struct bp_note_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*note)(void *ctx, int32_t level, const char *code, const char *text);
};

/** What becomes of one unit.  An array of these travels with its stride. */
struct bp_restore_pair {
    const char *unit_id;
    const char *target_parent, *target_name; /**< parent "" where units have none */
    const char *ours;   /**< identity from an interrupted restore that may be replaced, or NULL */
    const char *done;   /**< identity of what that restore completed: it stays as it is; or NULL */
    uint64_t low, high; /**< the manifest's proof of the unit */
    uint32_t flags;     /**< BP_PROOF_…: with UNPROVABLE there is none; low is 0 then, high
                             BP_UNKNOWN.  Unknown bits: INVALID */
    uint32_t reserved;
};

#define BP_RESTORE_DRY_RUN UINT32_C(1)       /**< only check; nothing is changed */
#define BP_RESTORE_FORCE UINT32_C(2)         /**< also into an older server than the backup's */
#define BP_RESTORE_WITHOUT_ITEMS UINT32_C(4) /**< make the targets, bring no data */

struct bp_restore_args {
    uint32_t struct_size;
    uint32_t flags; /**< BP_RESTORE_… */
    const char *run_id;
    const char *backup_ref;          /**< keys are those of the backup; read-only */
    const char *server_version;      /**< of the source at capture, "" = unknown */
    const struct bp_config *options; /**< restore_keys */
    const struct bp_restore_pair *pairs;
    uint32_t pair_stride, n_pairs;
    /** Empty parents that must exist afterwards, by target name. */
    const char *const *parents;
    uint32_t n_parents;
    uint32_t reserved;
    const struct bp_note_sink *notes;
};

struct bp_restore_info {
    uint32_t struct_size;
    uint32_t max_jobs;         /**< most jobs of the source at once, over all targets; at least 1,
                                    but for DRY_RUN and WITHOUT_ITEMS, which have none */
    char staging_ref[256];     /**< storage for staging, or "" = the source cannot stage */
    char staging_prefix[1024]; /**< everything staged lies below; ends in '/'.  Both are refused
                                    where they fill their arrays */
};

/** Where the bytes of a target have to be before its jobs start. */
struct bp_place_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    /** The target reads all items below this prefix of the backup where they are. */
    int32_t (*in_place)(void *ctx, const char *prefix);
    /** Copy this item of the backup to `key` of the storage `ref`. */
    int32_t (*stage)(void *ctx, const char *item_key, const char *ref, const char *key);
};

/** Jobs that target_step started; token <= BP_TOKEN_MAX, weight in bytes, or BP_UNKNOWN. */
struct bp_job_sink {
    uint32_t struct_size;
    uint32_t free_jobs; /**< it takes so many, no more */
    void *ctx;
    int32_t (*job)(void *ctx, const char *token, uint64_t weight);
};

enum bp_job_phase { BP_JOB_RUNNING = 0, BP_JOB_DONE = 1, BP_JOB_FAILED = 2 };

struct bp_job_state {
    uint32_t struct_size;
    uint32_t phase;       /**< enum bp_job_phase */
    uint64_t done, total; /**< of the job's own scale; total 0 = unknown */
    char reason[512];     /**< FAILED: the server's words */
};

/** Progress of target_step. */
struct bp_step_state {
    uint32_t struct_size;
    uint32_t all_started; /**< non-zero: no further target_step is needed */
};

/**
 * The operations.  Required: open close info probe plan run_begin run_end unit_begin unit_items
 * unit_end unit_prove documents.  A source that can only be captured leaves the restore part NULL.
 */
struct bp_source_ops {
    uint32_t struct_size;
    uint32_t key_stride;
    const struct bp_config_key *create_keys, *restore_keys; /**< options of jobs */
    uint32_t n_create_keys, n_restore_keys;

    /**
     * Never connects: listing and deleting must work while the server is down.  Checks settings,
     * also whether the required ones are there; INVALID names the key.
     */
    bp_status (*open)(const struct bp_host *host, const struct bp_op *op,
                      const struct bp_config *config, struct bp_source **out,
                      struct bp_error *error);
    /** Frees it; every run and restore has ended by then. */
    void (*close)(struct bp_source *source);
    /** After open and again after probe, without I/O. */
    bp_status (*info)(struct bp_source *source, struct bp_source_info *out, struct bp_error *error);
    /**
     * Before a create: connects, learns the version, checks rights and that the storage is this
     * server's own.  INVALID: it is another's; UNSUPPORTED: the server is too old or too new.
     */
    bp_status (*probe)(struct bp_source *source, const struct bp_op *op,
                       const struct bp_note_sink *notes, struct bp_error *error);
    /** Tells the tree, parents before children, as far as the filter wants it.  Reads only. */
    bp_status (*plan)(struct bp_source *source, const struct bp_op *op,
                      const struct bp_unit_filter *filter, const struct bp_unit_sink *sink,
                      struct bp_error *error);

    /**
     * Pins what is cluster-wide.  Pins end by themselves on the server if the host dies.  When it
     * fails nothing is pinned and no run_end follows.
     */
    bp_status (*run_begin)(struct bp_source *source, const struct bp_op *op,
                           const struct bp_run_args *args, struct bp_run_info *info,
                           struct bp_run **out, struct bp_error *error);
    /**
     * Every keepalive_ms from a timer of the host's, beside the run's other operations, but never
     * beside run_end or after it.  With the models ONE and INSTANCE it waits for the one that runs:
     * pins have to outlive the longest.  A failure is shown to people, and the next one comes all
     * the same.  Optional.
     */
    bp_status (*run_keepalive)(struct bp_run *run, const struct bp_op *op, struct bp_error *error);
    /**
     * Releases pins and frees the run.  Always called, once, with a fresh deadline of 30 s; it is
     * cancelled some seconds after a signal, not by what cancelled the run.
     */
    bp_status (*run_end)(struct bp_run *run, const struct bp_op *op, int32_t outcome,
                         struct bp_error *error);

    /**
     * Makes the unit's data complete on storage (flush), pins it.  May come again for one unit
     * after it failed.  NOT_FOUND: the unit is gone.
     */
    bp_status (*unit_begin)(struct bp_run *run, const struct bp_op *op,
                            const struct bp_unit_args *args, struct bp_error *error);
    /** One page.  Every item of a generation exactly once over all pages; a page that failed may be
        asked for again with its token.  Its items are copied when the call has returned, and
        meanwhile the next page is asked for: one page ahead, never more.  STALE: what an earlier
        page named is gone. */
    bp_status (*unit_items)(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                            const char *token, const struct bp_item_sink *sink,
                            struct bp_error *error);
    /**
     * A named item was gone: look again.  The next unit_items starts a new generation; readers of
     * the old one are closed by then.  Comes a few times at most.  Optional: without it a vanished
     * item ends the job.
     */
    bp_status (*unit_refresh)(struct bp_run *run, const struct bp_op *op,
                              const struct bp_unit_args *args, struct bp_error *error);
    /**
     * After the unit's last copy, with all its readers closed: releases what unit_begin pinned.
     * Once for each unit_begin that succeeded; deadline and cancel as of run_end.  A failure fails
     * the unit.
     */
    bp_status (*unit_end)(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                          int32_t outcome, struct bp_error *error);
    /** After the last page: what a restore of these items must yield.  Asked again after a failure
        that may pass.  What cannot be counted is BP_PROOF_UNPROVABLE, not an error. */
    bp_status (*unit_prove)(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                            struct bp_proof *out, struct bp_error *error);

    /**
     * STREAM items.  Optional.  As soon as the item was named; once more at an offset when reading
     * failed, with the etag that it was named with, so that two versions never mix.  STALE: it is
     * gone or another version.  RANGE: it is shorter than the offset.
     */
    bp_status (*item_open)(struct bp_run *run, const struct bp_op *op,
                           const struct bp_item_open_args *args, struct bp_item_reader **out,
                           struct bp_error *error);
    /** May be short; *n == 0 is the end and only the end.  Errors as of item_open. */
    bp_status (*item_read)(struct bp_item_reader *reader, const struct bp_op *op, void *buffer,
                           size_t cap, size_t *n, struct bp_error *error);
    /** At any time, also after a failure.  Waits for nothing. */
    void (*item_close)(struct bp_item_reader *reader);

    /**
     * When all units have ended: the source's metadata of those that were captured, streamed; the
     * last one carries COMMIT.  Several documents are never open at once.
     */
    bp_status (*documents)(struct bp_run *run, const struct bp_op *op,
                           const struct bp_document_sink *sink, struct bp_error *error);

    /**
     * Names units, items and proofs of a backup that another program wrote.  Items are named as
     * that program recorded them, also those that are not there any more: the host compares, and
     * so finds them all.  Through the host's storage_* and without the server, which may be down.
     * UNSUPPORTED: the documents are of a newer version.  CORRUPT: they make no sense.  Optional.
     */
    bp_status (*adopt)(struct bp_source *source, const struct bp_op *op, const char *backup_ref,
                       const struct bp_adopt_sink *sink, struct bp_adopt_info *info,
                       struct bp_error *error);

    /**
     * Checks versions and every target's conflicts before touching anything.  pairs[i] is target
     * number i from here on.  With DRY_RUN only restore_end follows.  EXISTS: a target is taken;
     * UNSUPPORTED: this server cannot take the backup; both name the target.
     */
    bp_status (*restore_begin)(struct bp_source *source, const struct bp_op *op,
                               const struct bp_restore_args *args, struct bp_restore_info *info,
                               struct bp_restore **out, struct bp_error *error);
    /**
     * Makes the target ready to take data.  `identity` receives a text by which a later run can
     * tell that the object is ours (pairs[].ours).  Where an object with the identity pairs[].done
     * is there, it answers that identity and changes nothing: no other operation follows for it.
     * Jobs of a dead run may still be at work on `ours` when it is replaced: the source stops them,
     * waits for them, or makes an object that they cannot reach.
     * The identity is told as soon as something was made, also when the rest fails: else no later
     * run may replace it.  With WITHOUT_ITEMS target_finish comes next.
     */
    bp_status (*target_prepare)(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                                const struct bp_note_sink *notes,
                                const struct bp_text_sink *identity, struct bp_error *error);
    /** Says where all bytes of the target have to be.  Copies nothing itself. */
    bp_status (*target_place)(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                              const struct bp_place_sink *sink, struct bp_error *error);
    /**
     * When everything is in its place: starts at most sink->free_jobs jobs; called again until
     * all_started.  Waits for none of them.
     */
    bp_status (*target_step)(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                             const struct bp_job_sink *sink, struct bp_step_state *out,
                             struct bp_error *error);
    /**
     * Every 50 ms to 2 s for each job, and again after a failure that may pass.  A job that went
     * wrong is BP_JOB_FAILED; an error says that its state cannot be learnt.  A source may do the
     * job's work in here, however long it takes, until it is cancelled: what waits for it is the
     * target, and with CONCURRENT_UNITS no other one.
     */
    bp_status (*job_poll)(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                          const char *token, struct bp_job_state *out, struct bp_error *error);
    /** After the last job: out->found = what the server holds of it now.  Asked again after a
       failure that may pass. */
    bp_status (*target_prove)(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                              struct bp_proof *out, struct bp_error *error);
    /** After the proof: indexes, aliases, load state.  What cannot be had is a note, unless the
        target is of no use without. */
    bp_status (*target_finish)(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                               const struct bp_note_sink *notes, struct bp_error *error);
    /** Frees the restore.  Always called, once; deadline and cancel as of run_end. */
    bp_status (*restore_end)(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                             struct bp_error *error);
};

#endif
