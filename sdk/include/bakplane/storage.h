/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage plugins: a place that holds objects by key.
 *
 * Keys are flat UTF-8 of at most BP_KEY_MAX bytes; '/' separates; no leading '/', no empty, "."
 * or ".." part, no control byte.  There are no directories, no append and no rename.  The host
 * checks keys before the call; a plugin that maps them to something else checks again.
 *
 * No operation retries: classify the failure and return, the core owns attempts and backoff (one
 * silent reconnect of a stale connection is fine).
 *
 * Consistency: once a write is visible, stat and read_open see it; list too with
 * BP_STORE_STRONG_LIST.
 */
#ifndef BAKPLANE_STORAGE_H
#define BAKPLANE_STORAGE_H

#include <bakplane/abi.h>
#include <bakplane/config.h>
#include <bakplane/error.h>
#include <bakplane/op.h>

struct bp_host;
struct bp_storage; /**< an instance; the plugin's own */
struct bp_reader;  /**< one open read; the plugin's own, used by one thread at a time */
struct bp_writer;  /**< one open write; the plugin's own, used by one thread at a time */

/* What an instance can do: bp_storage_info.caps.  The same code may talk to servers that differ. */
#define BP_STORE_RANGE_READ (UINT64_C(1) << 0)     /**< required */
#define BP_STORE_ATOMIC_REPLACE (UINT64_C(1) << 1) /**< readers see the old or the new, whole */
#define BP_STORE_IF_NONE_MATCH (UINT64_C(1) << 2)  /**< exclusive creation, one winner */
#define BP_STORE_IF_MATCH (UINT64_C(1) << 3)       /**< conditional replace and remove */
#define BP_STORE_LIST_SORTED (UINT64_C(1) << 4)    /**< keys in ascending byte order */
#define BP_STORE_LIST_START_AFTER (UINT64_C(1) << 5)
#define BP_STORE_SERVER_COPY (UINT64_C(1) << 6)    /**< `copy` can work without the host */
#define BP_STORE_PARTS (UINT64_C(1) << 7)          /**< the part_* operations */
#define BP_STORE_PARTS_PARALLEL (UINT64_C(1) << 8) /**< parts of one upload at the same time */
#define BP_STORE_PARTS_EXPIRE (UINT64_C(1) << 9)   /**< forgotten uploads vanish by themselves */
#define BP_STORE_UNKNOWN_SIZE (UINT64_C(1) << 10)  /**< write_open without a size */
#define BP_STORE_KEY_IS_PREFIX (UINT64_C(1) << 11) /**< "a" and "a/b" can both be objects */
#define BP_STORE_CHECKSUM_CRC32C (UINT64_C(1) << 12)
#define BP_STORE_CHECKSUM_SHA256 (UINT64_C(1) << 13)
#define BP_STORE_STRONG_LIST (UINT64_C(1) << 14)

/** Facts of an open instance.  Filled by `info`, which does no I/O. */
struct bp_storage_info {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t caps;                          /**< BP_STORE_… */
    uint64_t min_part, max_part, max_parts; /**< bytes, bytes, count; 0 = no parts */
    uint64_t max_object;                    /**< bytes in one piece; 0 and BP_UNKNOWN = no limit */
    uint64_t max_copy; /**< bytes of one `copy` or part_copy; BP_UNKNOWN = no limit, 0 = no copy */
    uint32_t max_list; /**< entries and prefixes of one page; 0 = no limit */
    uint32_t max_key_part; /**< bytes of one part of a key; 0 = no limit */
    uint64_t best_io;      /**< bytes per read or write that suit it; 0 = no wish */
    /* The host takes a text that fills its array for "". */
    /** Equal = the same objects (a hint; the core proves it).  Where one root lies in another, the
        inner one's identity begins with the outer's, then '/'; it never ends in '/'.  "" = not
        known.  No secrets. */
    char identity[2176];
    char copy_scope[512];   /**< equal = the destination may be asked to `copy`; no secrets */
    char local_root[1088];  /**< absolute path of key "" on this machine, or "" */
    char server_root[1088]; /**< the same as the source's server sees it, if the operator said; of
                                 an object store, what all keys begin with in its bucket */
    char place[512]; /**< equal = parts of one whole, such as prefixes of one bucket: a server
                          that reads one reads the other, each below its server_root (a hint;
                          the core proves it).  "" = not known, or of no use */
};

/** Which rights a job is going to need; `probe` tests exactly these and names the missing one. */
#define BP_NEED_LIST UINT32_C(1)
#define BP_NEED_READ UINT32_C(2)
#define BP_NEED_WRITE UINT32_C(4)        /**< write and remove of a scratch key */
#define BP_NEED_EXCLUSIVE UINT32_C(8)    /**< IF_NONE_MATCH tried twice: some servers ignore it */
#define BP_NEED_SERVER_READ UINT32_C(16) /**< another user's process can list and read `prefix` */

struct bp_probe_args {
    uint32_t struct_size;
    uint32_t need;      /**< BP_NEED_…; unknown bits: INVALID */
    const char *prefix; /**< where; "" = anywhere */
    /** SERVER_READ: a path of the server's own.  Whoever owns it is the one who has to read, unless
        the settings name one.  NULL = not known. */
    const char *server_path;
};

enum bp_checksum_kind {
    BP_CHECKSUM_NONE = 0,
    BP_CHECKSUM_XXH3_128 = 1, /**< 16 bytes, big-endian canonical form */
    BP_CHECKSUM_SHA256 = 2,   /**< 32 bytes */
    BP_CHECKSUM_CRC32C = 3,   /**< 4 bytes, big-endian */
    BP_CHECKSUM_MD5 = 4       /**< 16 bytes */
};

enum bp_checksum_origin {
    BP_CHECKSUM_BY_HOST = 1,   /**< the core saw the bytes pass */
    BP_CHECKSUM_BY_PLUGIN = 2, /**< the plugin saw them pass */
    BP_CHECKSUM_BY_STORE = 3   /**< the store says so */
};

/** A checksum of a whole object.  Fixed layout for ever, so that others may embed it. */
struct bp_checksum {
    uint32_t kind;     /**< enum bp_checksum_kind.  An unknown one that is told counts as NONE, one
                            that is asked for is UNSUPPORTED */
    uint32_t by;       /**< enum bp_checksum_origin; an unknown one counts as BY_PLUGIN */
    uint8_t value[64]; /**< as many as the kind says, from the first on */
};

/** What a store says of one object, or of a part. */
struct bp_object_meta {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t size;    /**< always told; of a part it is the part's */
    int64_t mtime_ns; /**< since the epoch; 0 = unknown */
    char etag[128];   /**< version tag for if_match; changes when the content does; never a hash.
                           One version has one: stat, list, read_open and write_commit agree.
                           "" = there is none, or it has more than 126 bytes */
    char storage_class[32];
    struct bp_checksum checksum;
};

struct bp_list_args {
    uint32_t struct_size;
    uint32_t flags;          /**< none in minor 0 */
    const char *prefix;      /**< "" = all.  Plain string prefix, may end inside a part */
    const char *start_after; /**< NULL, or list keys after this one (LIST_START_AFTER) */
    const char *token;       /**< NULL on the first page, then what `next` was given; a page that
                                  failed is asked for again with it */
    uint32_t max;            /**< most entries and prefixes of this call, together; at least 1 */
    int32_t delimiter;       /**< 0 = deep; '/' = group what lies below the next '/' */
};

/**
 * Receives one page.  Everything is copied by the callee.  No `next` = the end; an empty page with
 * `next` is legal.
 */
struct bp_list_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*entry)(void *ctx, const char *key, const struct bp_object_meta *meta);
    int32_t (*prefix)(void *ctx, const char *prefix); /**< grouped by delimiter, ends in it */
    int32_t (*next)(void *ctx, const char *token);    /**< at most BP_TOKEN_MAX bytes */
};

struct bp_read_args {
    uint32_t struct_size;
    uint32_t flags; /**< none in minor 0 */
    const char *key;
    uint64_t offset;
    uint64_t length; /**< cut at the object's end, so BP_UNKNOWN = to the end; 0 = none: a reader
                          that is at its end */
    const char *if_match; /**< NULL, or the etag it must still have (else EXISTS); never "" */
};

#define BP_WRITE_IF_NONE_MATCH UINT32_C(1) /**< EXISTS when the key is taken, at commit latest */
#define BP_WRITE_DURABLE UINT32_C(2)       /**< visible at commit, and survives power loss */
#define BP_WRITE_PARTS_COPIED UINT32_C(4)  /**< part_begin alone: all parts come by part_copy */

struct bp_write_args {
    uint32_t struct_size;
    uint32_t flags; /**< BP_WRITE_… */
    const char *key;
    uint64_t size;               /**< what will be written, or BP_UNKNOWN */
    const char *if_match;        /**< NULL, or replace only this version (never ""): EXISTS where
                                      another one is there, or none */
    struct bp_checksum checksum; /**< NONE, or what the content must have (else CORRUPT) */
};

#define BP_COPY_WANT_CHECKSUM                                                                    \
    UINT32_C(1)                           /**< compute XXH3-128 if bytes pass through the plugin \
                                           */
#define BP_COPY_NEED_CHECKSUM UINT32_C(2) /**< compute it in any case */
#define BP_COPY_IF_NONE_MATCH UINT32_C(4)
#define BP_COPY_MAY_LINK UINT32_C(8) /**< the object is immutable: both keys may share one file */

struct bp_copy_args {
    uint32_t struct_size;
    uint32_t flags;         /**< BP_COPY_… */
    struct bp_storage *src; /**< an instance of the same plugin, perhaps the same one; see `copy` */
    const char *src_key, *dst_key;
    const char *src_if_match; /**< NULL, or the version that must be copied (else EXISTS) */
    uint64_t size;            /**< of the source, or BP_UNKNOWN */
};

struct bp_part_args {
    uint32_t struct_size;
    uint32_t flags; /**< none in minor 0 */
    const char *key, *upload;
    uint32_t number; /**< from 1 */
    uint32_t reserved;
    uint64_t offset, size; /**< of this part in the object, bytes */
    /* part_copy only, of the same range [offset, offset + size) of the source: */
    struct bp_storage *src;
    const char *src_key, *src_if_match;
};

/** One finished part.  An array of these travels with its stride. */
struct bp_part {
    uint32_t number;
    uint32_t reserved;
    const char *etag;
};

struct bp_complete_args {
    uint32_t struct_size;
    uint32_t flags; /**< BP_WRITE_IF_NONE_MATCH, BP_WRITE_DURABLE; all others are INVALID */
    const char *key, *upload;
    const char *if_match; /**< as of bp_write_args, also where there is none: EXISTS */
    uint64_t size;
    const struct bp_part *parts; /**< ascending numbers */
    uint32_t part_stride, n_parts;
};

/** Receives an upload id (at most BP_TOKEN_MAX bytes), copied by the callee. */
struct bp_text_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    int32_t (*text)(void *ctx, const char *text);
};

/** Receives the outcome of each key of remove_many, or each found upload of uploads_list. */
struct bp_key_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void *ctx;
    /** error is NULL for done.  `extra`: upload id for uploads_list, else NULL.  `started_ns`: of
        an upload, since the epoch, 0 = unknown. */
    int32_t (*key)(void *ctx, const char *key, const char *extra, int64_t started_ns,
                   const struct bp_error *error);
};

struct bp_space {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t total, available; /**< bytes; BP_UNKNOWN, as before, where the store has none */
};

/**
 * The operations.  Required: open close info probe stat list read_open read read_close write_open
 * write write_commit write_abort remove.
 */
struct bp_storage_ops {
    uint32_t struct_size;
    uint32_t reserved;

    /**
     * Makes an instance.  Checks settings, also whether the required ones are there, and reaches
     * for nothing remote.  INVALID names the key.  Once more, for a second instance, when the first
     * one was refused with AUTH.
     */
    bp_status (*open)(const struct bp_host *host, const struct bp_op *op,
                      const struct bp_config *config, struct bp_storage **out,
                      struct bp_error *error);
    /** Frees it; every reader and writer is closed by then.  Waits for nothing. */
    void (*close)(struct bp_storage *storage);
    /**
     * After open; perhaps never of an instance that takes another one's place, so nothing else may
     * wait for it.  No I/O.  Only NOMEM and PERMANENT make sense.
     */
    bp_status (*info)(struct bp_storage *storage, struct bp_storage_info *out,
                      struct bp_error *error);
    /**
     * Before a job, which does not begin when this fails: DENIED, AUTH or NOT_FOUND with a message
     * that names the missing right or place.  UNSUPPORTED for a known need that it cannot look at.
     */
    bp_status (*probe)(struct bp_storage *storage, const struct bp_op *op,
                       const struct bp_probe_args *args, struct bp_error *error);

    /** NOT_FOUND for a missing key, never BP_OK. */
    bp_status (*stat)(struct bp_storage *storage, const struct bp_op *op, const char *key,
                      struct bp_object_meta *out, struct bp_error *error);
    /**
     * One page.  A key present all the time appears exactly once over all pages.  A token can be
     * used again and by another instance.  Size and etag of an entry are those that stat tells.  A
     * prefix below which nothing lies is an empty listing, not NOT_FOUND; the place itself may be.
     */
    bp_status (*list)(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_list_args *args, const struct bp_list_sink *sink,
                      struct bp_error *error);

    /**
     * `meta` tells of the whole object that was opened.  NOT_FOUND; RANGE when offset is beyond the
     * end (at the end it is a reader without bytes); EXISTS for another version than if_match.
     */
    bp_status (*read_open)(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_read_args *args, struct bp_object_meta *meta,
                           struct bp_reader **out, struct bp_error *error);
    /** May be short; *n == 0 is the end and only the end.  A cut body is RETRYABLE. */
    bp_status (*read)(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                      size_t *n, struct bp_error *error);
    /** At any time, also after a failure or a cancel.  Waits for nothing. */
    void (*read_close)(struct bp_reader *reader);

    /**
     * Nothing is visible yet.  INVALID for a key that the store cannot name and for unknown flags;
     * UNSUPPORTED for a condition, checksum or size that `info` does not promise; EXISTS where the
     * store tells early.
     */
    bp_status (*write_open)(struct bp_storage *storage, const struct bp_op *op,
                            const struct bp_write_args *args, struct bp_writer **out,
                            struct bp_error *error);
    /** Takes all n bytes or fails; after a failure comes write_abort and nothing else. */
    bp_status (*write)(struct bp_writer *writer, const struct bp_op *op, const void *bytes,
                       size_t n, struct bp_error *error);
    /**
     * Ends and frees the writer, also on failure.  With DURABLE, or where there is no `sync`, the
     * key is visible afterwards; else at the latest when the next `sync` returns, and never
     * before commit.  `out` tells what the store now holds.  EXISTS: the key is taken, or another
     * version.  CORRUPT: not the announced checksum.  INVALID: not the announced size.  Nothing is
     * stored then.  BP_ERROR_OUTCOME_UNKNOWN: perhaps it is; the core looks.
     */
    bp_status (*write_commit)(struct bp_writer *writer, const struct bp_op *op,
                              struct bp_object_meta *out, struct bp_error *error);
    /**
     * Ends and frees the writer; nothing billable stays.  Gets a fresh deadline of 30 s; it is
     * cancelled some seconds after a signal, not by what cancelled the writing.
     */
    void (*write_abort)(struct bp_writer *writer, const struct bp_op *op);

    /** A missing key is BP_OK, whatever if_match says: NULL, or a version (never ""); EXISTS for
        another one, which stays. */
    bp_status (*remove)(struct bp_storage *storage, const struct bp_op *op, const char *key,
                        const char *if_match, struct bp_error *error);

    /* Optional from here on. */

    /**
     * Barrier: everything committed so far through this instance is visible and survives power
     * loss.  When it fails, what was committed since the last one counts as not written.  The host
     * asks each instance that it committed through, also one that AUTH has replaced, before it
     * closes that.  Where such a one answers AUTH once more, the barrier of the instance that took
     * its place stands for it: a barrier that asks a server covers all commits of equal settings,
     * and one that asks nobody needs no login.
     */
    bp_status (*sync)(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error);
    /**
     * Called on the destination; visibility as for write_commit.  UNSUPPORTED = stream it, as after
     * AUTH and DENIED.  NOT_FOUND: no such source.  EXISTS: another version of it, or the key is
     * taken.  Other calls may be inside of args->src meanwhile, whatever the thread model says: of
     * it only what `open` has set is read, or it is locked.
     */
    bp_status (*copy)(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_copy_args *args, struct bp_object_meta *out,
                      struct bp_error *error);
    /**
     * Many at once; each key's outcome goes to the sink, once; a missing key is done.  Fails only
     * as a whole.
     */
    bp_status (*remove_many)(struct bp_storage *storage, const struct bp_op *op,
                             const char *const *keys, size_t n, const struct bp_key_sink *sink,
                             struct bp_error *error);

    /**
     * Starts an upload in parts; its id goes to the sink before any part is written.  Conditions
     * and DURABLE are part_complete's to keep; EXISTS may be answered here already.  What follows
     * may come to another instance than this one, after AUTH and in a later run: who keeps an
     * upload to its instance answers no AUTH, and NOT_FOUND there.
     */
    bp_status (*part_begin)(struct bp_storage *storage, const struct bp_op *op,
                            const struct bp_write_args *args, const struct bp_text_sink *id,
                            struct bp_error *error);
    /**
     * A writer for one part: write, then write_commit (its etag is the part's) or write_abort,
     * which leaves the upload as it was.  Any order; a number that comes again replaces. NOT_FOUND:
     * no such upload.
     */
    bp_status (*part_open)(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_part_args *args, struct bp_writer **out,
                           struct bp_error *error);
    /** A part from the same range of another object; args->src and errors as for copy.  The etag is
        the part's. */
    bp_status (*part_copy)(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_part_args *args, struct bp_object_meta *out,
                           struct bp_error *error);
    /**
     * Puts the object together; visibility as for write_commit.  NOT_FOUND when there is no such
     * upload, also because it was completed (or BP_OK once more, where the store makes the same
     * object of it): so the core learns that an attempt worked of which it heard nothing.  A part
     * that is not there is a failure, and no object is made.
     */
    bp_status (*part_complete)(struct bp_storage *storage, const struct bp_op *op,
                               const struct bp_complete_args *args, struct bp_object_meta *out,
                               struct bp_error *error);
    /** Ends an upload, also one of an instance that is gone; nothing of it stays.  NOT_FOUND: there
        is none, because it has ended. */
    bp_status (*part_abort)(struct bp_storage *storage, const struct bp_op *op, const char *key,
                            const char *upload, struct bp_error *error);
    /** Unfinished uploads whose key starts with `prefix`, with their ids and beginnings. */
    bp_status (*uploads_list)(struct bp_storage *storage, const struct bp_op *op,
                              const char *prefix, const struct bp_key_sink *sink,
                              struct bp_error *error);
    /** Ends those that were started before `before_ns` (since the epoch), and tells of them.  Of
        which that is not known, it leaves alone. */
    bp_status (*uploads_abort)(struct bp_storage *storage, const struct bp_op *op,
                               const char *prefix, int64_t before_ns,
                               const struct bp_key_sink *sink, struct bp_error *error);
    /** Before a job, which does not begin when this fails: is it going to fit?  No guesses. */
    bp_status (*space)(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
                       struct bp_error *error);
};

#endif
