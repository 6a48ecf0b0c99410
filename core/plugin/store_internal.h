/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: what the store_*.c files share.
 */
#ifndef BP_CORE_PLUGIN_STORE_INTERNAL_H
#define BP_CORE_PLUGIN_STORE_INTERNAL_H

#include "core/plugin/answer.h"
#include "core/plugin/frame.h"
#include "core/plugin/store.h"

struct bp_store {
    bp_instance base;
    const struct bp_storage_ops *ops; /* the module's copy */
    struct bp_storage *handle;
    bp_settings *settings;
    struct bp_storage_info info;
};

struct bp_store_writer {
    bp_store *store;
    struct bp_writer *handle;
    char *key;
    guint64 promised, written; /* promised may be BP_UNKNOWN */
};

/** INVALID for what is no key.  NULL counts as a wrong key too. */
bool bp_store__check_key(const bp_store *store, const char *what, const char *key, GError **error);

/** UNSUPPORTED: this storage lacks `what`.  Returns: false */
bool bp_store__lacks(const bp_store *store, const char *what, GError **error);

/** Check and hand on what the store says of an object.  @out: nullable. */
bool bp_store__take_meta(const bp_store *store, const char *what, const char *key,
                         struct bp_object_meta *meta, struct bp_object_meta *out, GError **error);

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

/**
 * Leave the frame of write_open or part_open and wrap what it answered; a handle that came along
 * with a failure is aborted.  @offer: key, promised size and handle, borrowed.
 * Returns: (transfer full) (nullable)
 */
bp_store_writer *bp_store__take_writer(bp_frame *frame, bp_status status,
                                       const bp_store_writer *offer, GError **error);

#endif
