/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage instance as the core sees it.  The only caller of storage operations: checks keys
 * before and answers after the call (a broken promise is PERMANENT "plugin bug"), holds the locks
 * the plugin's thread model asks for, turns bp_error into GError, applies injected faults.
 *
 * Any thread may call, at the same time, except on one reader or writer.  No function retries, but
 * for this: when credentials are refused (AUTH) the instance is opened anew and the operation done
 * once more.  That happens once per generation of credentials: what was opened anew must have had a
 * success before it is opened anew again, else AUTH it is.  In the middle of a stream AUTH becomes
 * RETRYABLE then.  Readers and writers that are open stay with the instance they were opened on.
 * Common errors: whatever class the plugin raises; CANCELLED; TIMEOUT; INVALID for bad keys.
 */
#ifndef BP_CORE_PLUGIN_STORE_H
#define BP_CORE_PLUGIN_STORE_H

#include <bakplane/storage.h>

#include "core/plugin/call.h"
#include "core/plugin/plugins.h"

typedef struct bp_store bp_store;
typedef struct bp_store_reader bp_store_reader;
typedef struct bp_store_writer bp_store_writer;

/**
 * @name: how the operator calls it.  @take_settings: owned by the store, also on failure.
 * Returns: (transfer full) (nullable)
 */
bp_store *bp_store_open(bp_module *module, const char *name, bp_settings *take_settings,
                        const bp_call *call, GError **error);
void bp_store_free(bp_store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_store, bp_store_free)

const char *bp_store_name(const bp_store *store);
const char *bp_store_kind(const bp_store *store); /* name of its plugin */
const struct bp_storage_info *bp_store_info(const bp_store *store);
bool bp_store_can(const bp_store *store, guint64 caps); /* has all of BP_STORE_… */
bool bp_store_same_plugin(const bp_store *a, const bp_store *b);
/** Both say that they are the same place.  False where one of them does not know. */
bool bp_store_same_identity(const bp_store *a, const bp_store *b);
/** Calls at once that make sense: the plugin's limits, at most `wanted`, at least 1. */
guint bp_store_parallel(const bp_store *store, guint wanted);

bool bp_store_probe(bp_store *store, const bp_call *call, guint32 need, const char *prefix,
                    GError **error);
/**
 * BP_NEED_SERVER_READ: the source's server can list and read `prefix`.  @server_path: something of
 * the server's own on this machine, or NULL.
 */
bool bp_store_probe_server(bp_store *store, const bp_call *call, const char *prefix,
                           const char *server_path, GError **error);
bool bp_store_stat(bp_store *store, const bp_call *call, const char *key,
                   struct bp_object_meta *out, GError **error);

/** Called per entry (meta != NULL) or grouped prefix (meta == NULL); false stops, which is OK. */
typedef bool (*bp_store_visit)(void *ctx, const char *key, const struct bp_object_meta *meta);
typedef struct bp_store_list_params {
    const char *prefix;      /* NULL = "" */
    const char *start_after; /* NULL = from the first */
    char delimiter;          /* '\0' = deep, '/' = one level */
} bp_store_list_params;
/** All pages, one after the other.  No call into the store from `visit`'s thread is forbidden. */
bool bp_store_list(bp_store *store, const bp_call *call, const bp_store_list_params *params,
                   bp_store_visit visit, void *ctx, GError **error);
/** At least one key below `prefix`. */
bool bp_store_has_any(bp_store *store, const bp_call *call, const char *prefix, bool *out,
                      GError **error);

typedef struct bp_store_read_params {
    const char *key;
    guint64 offset;
    guint64 length;       /* bytes that are wanted; 0 = to the end */
    const char *if_match; /* or NULL */
} bp_store_read_params;
/** @meta: what was opened, the whole object; may be NULL.  Returns: (transfer full) (nullable) */
bp_store_reader *bp_store_read_open(bp_store *store, const bp_call *call,
                                    const bp_store_read_params *params, struct bp_object_meta *meta,
                                    GError **error);
/** *n == 0 is the end. */
bool bp_store_read(bp_store_reader *reader, const bp_call *call, void *buffer, gsize cap, gsize *n,
                   GError **error);
void bp_store_read_close(bp_store_reader *reader);

typedef struct bp_store_write_params {
    const char *key;
    guint64 size;         /* BP_UNKNOWN = not known */
    guint32 flags;        /* BP_WRITE_… */
    const char *if_match; /* or NULL */
    struct bp_checksum checksum;
} bp_store_write_params;
bp_store_writer *bp_store_write_open(bp_store *store, const bp_call *call,
                                     const bp_store_write_params *params, GError **error);
bool bp_store_write(bp_store_writer *writer, const bp_call *call, const void *bytes, gsize n,
                    GError **error);
/** Ends the writer, also on failure.  `out` may be NULL. */
bool bp_store_write_commit(bp_store_writer *writer, const bp_call *call, struct bp_object_meta *out,
                           GError **error);
/** Ends the writer; uses its own deadline. */
void bp_store_write_abort(bp_store_writer *writer);

bool bp_store_remove(bp_store *store, const bp_call *call, const char *key, const char *if_match,
                     GError **error);
/** Each key alone where the plugin has no remove_many; fails at the first key that fails. */
bool bp_store_remove_many(bp_store *store, const bp_call *call, const char *const *keys, gsize n,
                          GError **error);
/** True at once for a storage without the operation. */
bool bp_store_sync(bp_store *store, const bp_call *call, GError **error);

typedef struct bp_store_copy_params {
    bp_store *src;
    const char *src_key, *dst_key;
    const char *src_if_match; /* or NULL */
    guint64 size;             /* or BP_UNKNOWN */
    guint32 flags;            /* BP_COPY_… */
} bp_store_copy_params;
/** UNSUPPORTED where plugins or scopes differ. */
bool bp_store_copy(bp_store *dst, const bp_call *call, const bp_store_copy_params *params,
                   struct bp_object_meta *out, GError **error);

/* Uploads in parts.  Returns of begin: the upload id, (transfer full) (nullable). */
char *bp_store_part_begin(bp_store *store, const bp_call *call, const bp_store_write_params *params,
                          GError **error);
typedef struct bp_store_part_params {
    const char *key, *upload;
    guint32 number;
    guint64 offset, size;
    bp_store *src; /* part_copy only */
    const char *src_key, *src_if_match;
} bp_store_part_params;
bp_store_writer *bp_store_part_open(bp_store *store, const bp_call *call,
                                    const bp_store_part_params *params, GError **error);
bool bp_store_part_copy(bp_store *store, const bp_call *call, const bp_store_part_params *params,
                        struct bp_object_meta *out, GError **error);
typedef struct bp_store_complete_params {
    const bp_store_write_params *write; /* those of part_begin */
    const char *upload;
    const char *const *etags; /* of parts 1..n, in order */
    guint n;
} bp_store_complete_params;
bool bp_store_part_complete(bp_store *store, const bp_call *call,
                            const bp_store_complete_params *params, struct bp_object_meta *out,
                            GError **error);
bool bp_store_part_abort(bp_store *store, const bp_call *call, const char *key, const char *upload,
                         GError **error);
/**
 * Abort whatever is being uploaded to exactly this key, by an id that nobody heard.  True at once
 * where the storage cannot list uploads.
 */
bool bp_store_uploads_abort_key(bp_store *store, const bp_call *call, const char *key,
                                GError **error);
/** End uploads below `prefix` that were started before `before_ns` (wall clock). */
bool bp_store_uploads_abort(bp_store *store, const bp_call *call, const char *prefix,
                            gint64 before_ns, GError **error);
/** BP_UNKNOWN fields where the store cannot say. */
bool bp_store_space(bp_store *store, const bp_call *call, struct bp_space *out, GError **error);

/* Small whole objects. */

/** At most `max` bytes, else INVALID.  NUL-terminated beyond its size. */
GBytes *bp_store_get(bp_store *store, const bp_call *call, const char *key, gsize max,
                     GError **error);
typedef struct bp_store_put_params {
    const char *key;
    const void *bytes;
    gsize n;
    guint32 flags; /* BP_WRITE_… */
} bp_store_put_params;
bool bp_store_put(bp_store *store, const bp_call *call, const bp_store_put_params *params,
                  GError **error);

/**
 * Two instances hold the same objects: a random scratch object is written through `writable` and
 * read through `other`.  Identities that differ answer false without trying.
 */
bool bp_store_prove_same(bp_store *writable, bp_store *other, const bp_call *call, bool *same,
                         GError **error);
/** Likewise, whatever the identities say: one place may have two names. */
bool bp_store_prove_shared(bp_store *writable, bp_store *other, const bp_call *call, bool *shared,
                           GError **error);

/**
 * Who serves `server` also has what is in `other`, which may have keys of its own: told to copy the
 * object `key` of `other` to a scratch object, it did, and the bytes are the same.  Places that
 * differ or are not known answer false without trying, and so does every failure, which is logged.
 */
bool bp_store_prove_reach(bp_store *server, bp_store *other, const char *key, const bp_call *call);

#endif
