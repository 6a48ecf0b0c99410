/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages, tokens and parked listings.
 */
#include "plugins/storage-local/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage-local/cursor.h"
#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define MAX_PARKED 8
#define CHECK_OP_EVERY 256
/* A token: 16 hex digits (number of the parked listing), 'k' or 'g' (key or group), last key. */
#define TOKEN_HEAD 17

struct page {
    const struct bp_list_sink *sink;
    struct bp_local_cursor *cursor;
    uint32_t max, count;
    bool last_is_group;
    char last[BP_KEY_MAX + 2]; /* a group ends in '/' */
};

/* Takes the parked listing with that number, when the request is the same. */
static struct bp_local_cursor *
unpark(struct bp_storage *storage, uint64_t id, const struct bp_list_args *args)
{
    struct bp_local_cursor *found = NULL;
    pthread_mutex_lock(&storage->lock);
    for (GList *link = storage->cursors.head; link != NULL; link = link->next) {
        struct bp_local_cursor *cursor = link->data;
        if (cursor->id == id && strcmp(cursor->prefix, args->prefix) == 0 &&
            cursor->grouped == (args->delimiter == '/')) {
            g_queue_delete_link(&storage->cursors, link);
            found = cursor;
            break;
        }
    }
    pthread_mutex_unlock(&storage->lock);
    return found;
}

/* From here on the listing belongs to whoever comes with its number. */
static uint64_t
park(struct bp_storage *storage, struct bp_local_cursor *cursor)
{
    struct bp_local_cursor *oldest = NULL;
    bp_local_cursor_park(cursor);
    pthread_mutex_lock(&storage->lock);
    uint64_t id = ++storage->last_cursor;
    cursor->id = id;
    g_queue_push_tail(&storage->cursors, cursor);
    if (storage->cursors.length > MAX_PARKED) {
        oldest = g_queue_pop_head(&storage->cursors);
    }
    pthread_mutex_unlock(&storage->lock);
    bp_local_cursor_free(oldest);
    return id;
}

void
bp_local_list_clear(struct bp_storage *storage)
{
    struct bp_local_cursor *cursor;
    while ((cursor = g_queue_pop_head(&storage->cursors)) != NULL) {
        bp_local_cursor_free(cursor);
    }
}

static bp_status
check_args(const struct bp_list_args *args, struct bp_error *error)
{
    bp_status status = bp_check_list(args, error);
    if (status != BP_OK) {
        return status;
    }
    if (g_str_has_prefix(args->prefix, BP_LOCAL_TMP "/")) {
        return bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": " BP_LOCAL_TMP " is reserved",
                       args->prefix);
    }
    return BP_OK;
}

/* NULL and INVALID for a token that is not ours. */
static struct bp_local_cursor *
open_cursor(struct bp_storage *storage, const struct bp_list_args *args, struct bp_error *error)
{
    bool grouped = args->delimiter == '/';
    if (args->token == NULL) {
        return bp_local_cursor_new(args->prefix, grouped, args->start_after, false);
    }
    size_t len = strlen(args->token);
    char *end;
    uint64_t id = g_ascii_strtoull(args->token, &end, 16);
    if (len <= TOKEN_HEAD || end != args->token + TOKEN_HEAD - 1 || (*end != 'k' && *end != 'g') ||
        len > TOKEN_HEAD + BP_KEY_MAX + 1) {
        (void)bp_fail(error, BP_ERR_INVALID, "the listing's token is not one of ours");
        return NULL;
    }
    struct bp_local_cursor *parked = unpark(storage, id, args);
    return parked != NULL ? parked
                          : bp_local_cursor_new(args->prefix, grouped, end + 1, *end == 'g');
}

/* A directory counts only when an object is below it that comes after the listing's start. */
static bp_status
has_object(struct bp_storage *storage, const struct bp_op *op, struct page *page, const char *group,
           bool *result, struct bp_error *error)
{
    struct bp_local_found found;
    const char *after = page->cursor->after;
    const char *start = after != NULL && g_str_has_prefix(after, group) ? after : NULL;
    struct bp_local_cursor *below = bp_local_cursor_new(group, false, start, false);
    bp_status status = bp_local_cursor_next(storage, op, below, &found, result, error);
    bp_local_cursor_free(below);
    return status;
}

static bp_status
emit(struct bp_storage *storage, const struct bp_op *op, struct page *page,
     const struct bp_local_found *found, struct bp_error *error)
{
    char key[sizeof(page->last)];
    int32_t stop;
    (void)snprintf(key, sizeof(key), "%s%s%s", page->cursor->path->str, found->name,
                   found->is_dir ? "/" : "");
    if (found->is_dir) {
        bool any;
        bp_status status = has_object(storage, op, page, key, &any, error);
        if (status != BP_OK || !any) {
            return status;
        }
        stop = page->sink->prefix(page->sink->ctx, key);
    } else {
        struct bp_object_meta meta = {.struct_size = sizeof(meta)};
        bp_local_meta_fill(&meta, &found->st);
        stop = page->sink->entry(page->sink->ctx, key, &meta);
    }
    if (stop != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the listing was stopped by its reader");
    }
    memcpy(page->last, key, sizeof(key));
    page->last_is_group = found->is_dir;
    page->count++;
    return BP_OK;
}

static bp_status
end_page(struct bp_storage *storage, struct page *page, struct bp_error *error)
{
    char token[TOKEN_HEAD + sizeof(page->last)];
    struct bp_local_cursor *cursor = page->cursor;
    bp_local_cursor_step_back(cursor);
    page->cursor = NULL;
    (void)snprintf(token, sizeof(token), "%016" PRIx64 "%c%s", park(storage, cursor),
                   page->last_is_group ? 'g' : 'k', page->last);
    if (page->sink->next(page->sink->ctx, token) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the listing was stopped by its reader");
    }
    return BP_OK;
}

static bp_status
fill_page(struct bp_storage *storage, const struct bp_op *op, struct page *page,
          struct bp_error *error)
{
    struct bp_local_found found;
    for (unsigned step = 0;; step++) {
        bool more;
        bp_status status =
            step % CHECK_OP_EVERY == 0 ? bp_local_check_op(storage, op, error) : BP_OK;
        if (status == BP_OK) {
            status = bp_local_cursor_next(storage, op, page->cursor, &found, &more, error);
        }
        if (status != BP_OK || !more) {
            return status;
        }
        if (page->count == page->max) {
            return end_page(storage, page, error);
        }
        status = emit(storage, op, page, &found, error);
        if (status != BP_OK) {
            return status;
        }
    }
}

bp_status
bp_local_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
              const struct bp_list_sink *sink, struct bp_error *error)
{
    int root;
    struct page page = {.sink = sink};
    page.max = args->max == 0 ? BP_LOCAL_MAX_LIST : MIN(args->max, BP_LOCAL_MAX_LIST);
    bp_status status = check_args(args, error);
    if (status == BP_OK) {
        status = bp_local_check_op(storage, op, error);
    }
    if (status != BP_OK) {
        return status;
    }
    status = bp_local_root(storage, BP_LOCAL_FAIL, &root, error);
    if (status == BP_ERR_NOT_FOUND && storage->set.create_root) {
        return BP_OK; /* it comes into being with the first write */
    }
    if (status != BP_OK) {
        return status;
    }
    page.cursor = open_cursor(storage, args, error);
    if (page.cursor == NULL) {
        return BP_ERR_INVALID;
    }
    status = fill_page(storage, op, &page, error);
    bp_local_cursor_free(page.cursor);
    return status;
}
