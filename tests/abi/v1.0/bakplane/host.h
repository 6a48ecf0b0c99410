/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host offers a plugin.  The table is passed to the entry function and stays valid for
 * the life of the process.  Its functions may be called from any thread inside a plugin call and
 * never re-enter the plugin, but for a sink that they were given: on the same thread, and not after
 * they have returned.  log, log_enabled, alloc, realloc and free may be called at any other time,
 * too, from any thread; `op` may be NULL for these five.
 */
#ifndef BAKPLANE_HOST_H
#define BAKPLANE_HOST_H

#include <bakplane/abi.h>
#include <bakplane/config.h>
#include <bakplane/error.h>
#include <bakplane/op.h>

struct bp_list_args;
struct bp_list_sink;
struct bp_object_meta;
struct bp_read_args;

enum bp_log_level {
    BP_LOG_ERROR = 0,
    BP_LOG_WARN = 1,
    BP_LOG_INFO = 2,
    BP_LOG_DEBUG = 3,
    BP_LOG_TRACE = 4
};

/** bp_storage_view.flags: the objects can be seen by the source's server (proven by the host). */
#define BP_VIEW_SERVER_READS UINT32_C(1)
/** bp_storage_view.flags: storage_write_small and storage_remove are refused. */
#define BP_VIEW_READ_ONLY UINT32_C(2)
/** bp_storage_view.flags: the host looked, and the source's server may not read what lies here. */
#define BP_VIEW_SERVER_DENIED UINT32_C(4)

/** What a source may know of a storage that the operator named.  Filled by storage_info. */
struct bp_storage_view {
    uint32_t struct_size;
    uint32_t flags;         /**< BP_VIEW_… */
    char kind[32];          /**< name of the storage plugin, e.g. "local" */
    char identity[3264];    /**< equal = the same objects; a hint, without secrets.  It never ends
                                 in '/', and below another one it begins with that, then '/'.
                                 "" = not known */
    char local_root[2176];  /**< path on this machine of key "", ends in '/'; "" = no such path */
    char server_root[2176]; /**< where the *source's server* finds key "", as the operator said:
                                 a path or key prefix, ends in '/' unless empty; "" = not said */
};

/**
 * Functions of the host.  A storage reference (`ref`) is a name from the operator's settings or
 * one that the host handed to this very call chain; keys are relative to it.
 */
struct bp_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    const char *host_version;

    /** One line of ready text; secrets that the host knows are blotted out. */
    void (*log)(const struct bp_op *op, int32_t level, const char *message);
    /** Non-zero when somebody listens at `level`. */
    int32_t (*log_enabled)(const struct bp_op *op, int32_t level);

    /**
     * Large buffers only, so that the host can bound memory.  As malloc, realloc and free: aligned
     * for every type, NULL when refused, and then what realloc was given stays.  `size` is not 0.
     */
    void *(*alloc)(const struct bp_op *op, size_t size);
    void *(*realloc)(const struct bp_op *op, void *memory, size_t size);
    void (*free)(void *memory);

    /** Text of a key, borrowed as `config` is; NULL when not set and without default. */
    const char *(*config_get)(const struct bp_config *config, const char *key);
    /** Number of values of a LIST key, and the i-th of them (NULL beyond). */
    size_t (*config_count)(const struct bp_config *config, const char *key);
    const char *(*config_at)(const struct bp_config *config, const char *key, size_t i);

    /** Non-zero once the operation was cancelled.  Cheap: ask before each chunk of work. */
    int32_t (*cancelled)(const struct bp_op *op);
    /** Descriptor that becomes readable on cancel, for poll(); -1 = none.  Do not read it. */
    int32_t (*cancel_fd)(const struct bp_op *op);
    /** Sleeps; BP_OK after `ns`, BP_ERR_CANCELLED, or BP_ERR_TIMEOUT at the deadline. */
    bp_status (*sleep)(const struct bp_op *op, uint64_t ns);
    /** Work that the host cannot count itself (server-side copy).  total may be BP_UNKNOWN. */
    void (*progress)(const struct bp_op *op, uint64_t done, uint64_t total);

    /* Storage through the host, for sources.  Semantics of the storage operations of the same
     * name (storage.h); errors of the storage come through with their class. */

    bp_status (*storage_info)(const struct bp_op *op, const char *ref, struct bp_storage_view *out,
                              struct bp_error *error);
    bp_status (*storage_list)(const struct bp_op *op, const char *ref,
                              const struct bp_list_args *args, const struct bp_list_sink *sink,
                              struct bp_error *error);
    bp_status (*storage_stat)(const struct bp_op *op, const char *ref, const char *key,
                              struct bp_object_meta *out, struct bp_error *error);
    /**
     * Reads args->length bytes into `buffer`, which has room for them: at most 1 GiB, else INVALID,
     * also for BP_UNKNOWN.  *n is less only at the object's end.  An item of a backup that a source
     * without a storage of its own reads from its beginning, piece after piece, is compared with
     * the host's record: the last piece is CORRUPT when it differs.
     */
    bp_status (*storage_read_small)(const struct bp_op *op, const char *ref,
                                    const struct bp_read_args *args, void *buffer, size_t *n,
                                    struct bp_error *error);
    /** Writes a whole small object (at most 16 MiB), durable.  DENIED on read-only references. */
    bp_status (*storage_write_small)(const struct bp_op *op, const char *ref, const char *key,
                                     const void *bytes, size_t n, struct bp_error *error);
    /** Removes one object; a missing one is BP_OK.  DENIED on read-only references. */
    bp_status (*storage_remove)(const struct bp_op *op, const char *ref, const char *key,
                                struct bp_error *error);
};

#endif
