/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: what the store_*.c files share.
 */
#ifndef BP_CORE_PLUGIN_STORE_INTERNAL_H
#define BP_CORE_PLUGIN_STORE_INTERNAL_H

#include <stdatomic.h>

#include "core/plugin/answer.h"
#include "core/plugin/frame.h"
#include "core/plugin/store.h"

/** What the plugin opened. */
typedef struct bp_store_instance {
    struct bp_storage *plugin;
    atomic_uint streams;  /* readers and writers that are open on it, and barriers */
    atomic_bool unsynced; /* something was committed since its last barrier began */
    struct bp_store_instance *next;
} bp_store_instance;

struct bp_store {
    bp_instance base;
    const struct bp_storage_ops *ops; /* the module's copy */
    bp_settings *settings;
    struct bp_storage_info info; /* of the first instance; others have the same settings */
    pthread_mutex_t renew_lock;  /* held while an instance is opened anew; guards replaced */
    bp_store_instance *replaced; /* whose streams may still be open */
    pthread_mutex_t lock;        /* guards the next two */
    bp_store_instance *current;
    bool unproven; /* opened anew, and nothing has succeeded since */
};

/** An open reader or writer belongs to the instance it was opened on. */
typedef struct bp_store_stream {
    bp_store *store;
    bp_store_instance *instance;
} bp_store_stream;

struct bp_store_writer {
    bp_store_stream stream;
    struct bp_writer *handle;
    char *key;
    guint64 promised, written; /* promised may be BP_UNKNOWN */
    const bp_cancel *grace;    /* of whoever opened it: ends an abort that takes too long */
};

/** INVALID for what is no key.  NULL counts as a wrong key too. */
bool bp_store__check_key(const bp_store *store, const char *what, const char *key, GError **error);
/** Likewise, and the storage can name it: before the first byte of an object. */
bool bp_store__check_new_key(const bp_store *store, const char *what, const char *key,
                             GError **error);

/** UNSUPPORTED: this storage lacks `what`.  Returns: false */
bool bp_store__lacks(const bp_store *store, const char *what, GError **error);

/**
 * The version that must be there: not NULL, and then not "", which no version is.  INVALID: whoever
 * asks knows of none, and would replace any.
 */
bool bp_store__check_version(const bp_store *store, const char *what, const char *key,
                             const char *if_match, GError **error);
/** Of a source to be read or copied: an unknown version, which is NULL or "", is no condition. */
const char *bp_store__source_version(const char *if_match);

/** What the ABI promises of a result before each call, also of one that is done again. */
struct bp_object_meta bp_store__no_meta(void);
/** Check and hand on what the store says of an object.  @out: nullable. */
bool bp_store__take_meta(const bp_store *store, const char *what, const char *key,
                         struct bp_object_meta *meta, struct bp_object_meta *out, GError **error);

/* store_use.c */

/** Opens; with nobody inside the plugin, so that those replaced before are closed, too. */
bp_store_instance *bp_store__open_instance(bp_store *store, const bp_call *call, GError **error);
void bp_store__close_instances(bp_store *store);
bp_store_instance *bp_store__current(bp_store *store);

/**
 * One operation on the instance as it is now.  Where credentials are refused, it is opened anew,
 * once for each generation of them, and the operation is done again, once:
 *
 *     bp_store_use use = bp_store__use(store, "stat", call);
 *     do {
 *         if (!bp_store__enter(&use, error)) {
 *             return false;
 *         }
 *         meta = bp_store__no_meta();
 *         status = store->ops->stat(use.instance->plugin, &use.frame.op, …, &use.frame.error);
 *     } while (bp_store__refused(&use, status));
 *     return bp_store__result(&use, error);
 */
typedef struct bp_store_use {
    bp_store *store;
    const char *what;
    const bp_call *call;
    bp_frame frame;
    bp_store_instance *instance; /* between enter and refused */
    bool again;                  /* it was done again already */
    bool may_only_keep; /* its success is no proof of credentials: the server may not be asked */
    GError *failed;
} bp_store_use;
bp_store_use bp_store__use(bp_store *store, const char *what, const bp_call *call);
bool bp_store__enter(bp_store_use *use, GError **error);
/** Leaves the frame.  True: do it again. */
bool bp_store__refused(bp_store_use *use, bp_status status);
/** After the last one.  Returns: it was BP_OK */
bool bp_store__result(bp_store_use *use, GError **error);

/** A reader or writer is open on that instance: it is not closed before. */
void bp_store__begin_stream(bp_store_instance *instance);
void bp_store__end_stream(bp_store_instance *instance);
/**
 * Leaves the frame of an operation in a stream.  It cannot be done again by itself: where the
 * instance was opened anew AUTH becomes RETRYABLE, and whoever reads or writes begins again.
 * Success is noted by bp_store__note_success, where the server was asked.
 */
bool bp_store__leave_stream(const bp_store_stream *stream, bp_frame *frame, bp_status status,
                            GError **error);
/** Something was committed through it, or perhaps was: it is not closed before the next barrier. */
void bp_store__note_commit(bp_store_instance *instance);
/**
 * One that was replaced, and has commits that no barrier covers; NULL = there is none.  It stays
 * open until bp_store__end_stream.
 */
bp_store_instance *bp_store__unsynced(bp_store *store);
/** The server took our credentials: they may be refused once more. */
void bp_store__note_success(bp_store *store, const bp_store_instance *instance);

/** One listed key, or grouped prefix. */
typedef struct bp_list_entry {
    char *key;
    bool is_prefix;
    struct bp_object_meta meta;
} bp_list_entry;

/** One page; init to {0} before the first. */
typedef struct bp_list_page {
    GArray *entries;              /* bp_list_entry, in the plugin's order */
    char *next;                   /* token of the next page, or NULL */
    char *last_key, *last_prefix; /* of all pages so far: their order is checked */
    guint empty;                  /* pages without entries, one after the other */
} bp_list_page;
void bp_list_page_clear(bp_list_page *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_list_page, bp_list_page_clear)

/** Fetch and check one page; args->token is page->next of the page before. */
bool bp_store__list_page(bp_store *store, const bp_call *call, const struct bp_list_args *args,
                         bp_list_page *page, GError **error);

/** A page of a size that suits both sides. */
guint32 bp_store__page_max(const bp_store *store);

/** Still inside of write_open or part_open: the writer keeps the instance from being closed. */
void bp_store__begin_writer(const bp_store_use *use, bp_status status,
                            const bp_store_writer *offer);
/**
 * Wrap what write_open or part_open answered; a handle that came along with a failure is aborted.
 * @offer: key, promised size and handle, borrowed.  Returns: (transfer full) (nullable)
 */
bp_store_writer *bp_store__take_writer(bp_store_use *use, bp_status status,
                                       const bp_store_writer *offer, GError **error);

#endif
