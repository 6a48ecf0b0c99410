/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing of the plugin that can be broken.  A token is the last thing told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/plugins/broken/memory.h"

#include "sdk/lib/ban.h"

/* A page before it is told: the sink may not be called under the lock. */
struct page {
    struct {
        char key[BP_KEY_MAX + 2];
        bool is_group;
        struct bp_object_meta meta;
    } told[MAX_LIST + 1];
    size_t n;
    size_t index; /* broken: of what comes next */
    bool more;
};

static char used_token[BP_KEY_MAX + 2]; /* broken: the one that was used last */

/* Bytes of the group that a key belongs to, or 0. */
static size_t
group_of(const struct bp_list_args *args, const char *key)
{
    const char *slash =
        args->delimiter != 0 ? strchr(key + strlen(args->prefix), args->delimiter) : NULL;
    return slash != NULL ? (size_t)(slash - key) + 1 : 0;
}

static bool
is_before(const struct bp_list_args *args, const char *key, const char *token)
{
    size_t n = token != NULL ? strlen(token) : 0;
    if (n > 0 && !IS_BROKEN(GROUP_PER_PAGE) && token[n - 1] == '/' && args->delimiter != 0 &&
        strncmp(key, token, n) == 0) {
        return true; /* of a group that was told */
    }
    if (n > 0 && strcmp(key, token) <= 0) {
        return true;
    }
    int order = args->start_after != NULL ? strcmp(key, args->start_after) : 1;
    return IS_BROKEN(START_INCLUDED) ? order < 0 : order <= 0;
}

static bool
is_wanted(const struct bp_list_args *args, const char *key)
{
    size_t n = strlen(args->prefix);
    if (IS_BROKEN(NO_DEEP_ROOT) && n == 0) {
        return strchr(key, '/') == NULL;
    }
    if (IS_BROKEN(PREFIX_OF_PARTS) && n > 0 && args->prefix[n - 1] != '/') {
        return strncmp(key, args->prefix, n) == 0 && (key[n] == '/' || key[n] == '\0');
    }
    return strncmp(key, args->prefix, n) == 0;
}

static void
add(struct page *page, const struct object *object, size_t group)
{
    size_t n = group > 0 ? group : strlen(object->key);
    memcpy(page->told[page->n].key, object->key, n);
    page->told[page->n].key[n] = '\0';
    page->told[page->n].is_group = group > 0;
    page->told[page->n].meta.struct_size = sizeof page->told[page->n].meta;
    memory_meta(object, &page->told[page->n].meta);
    if (IS_BROKEN(LIST_NO_SIZES)) {
        page->told[page->n].meta.size = 0;
    }
    page->n++;
}

static void
fill(struct bp_storage *self, const struct bp_list_args *args, size_t most, struct page *page)
{
    const struct space *space = self->space;
    const char *token = args->token;
    const char *last = NULL;
    size_t start = 0;
    if (IS_BROKEN(TOKEN_IS_INDEX) && token != NULL) {
        start = (size_t)strtoull(token, NULL, 10);
        token = NULL;
    }
    for (size_t i = start; i < space->n; i++) {
        const struct object *object = space->objects[i];
        size_t group = group_of(args, object->key);
        bool stale = (IS_BROKEN(STALE_LIST) && object->version == memory_version()) ||
                     (IS_BROKEN(LISTS_LATE) && memory_now_ns() < object->since_ns + LATE_NS);
        if (object->hidden || stale || !is_wanted(args, object->key) ||
            is_before(args, object->key, token) ||
            (group > 0 && last != NULL && strncmp(last, object->key, group) == 0)) {
            continue;
        }
        if (page->n == most) {
            page->more = true;
            page->index = i;
            return;
        }
        add(page, object, group);
        last = object->key;
    }
}

static void
reverse(struct page *page)
{
    for (size_t i = 0; i < page->n / 2; i++) {
        char key[BP_KEY_MAX + 2];
        memcpy(key, page->told[i].key, sizeof key);
        memcpy(page->told[i].key, page->told[page->n - 1 - i].key, sizeof key);
        memcpy(page->told[page->n - 1 - i].key, key, sizeof key);
        struct bp_object_meta meta = page->told[i].meta;
        page->told[i].meta = page->told[page->n - 1 - i].meta;
        page->told[page->n - 1 - i].meta = meta;
        bool is_group = page->told[i].is_group;
        page->told[i].is_group = page->told[page->n - 1 - i].is_group;
        page->told[page->n - 1 - i].is_group = is_group;
    }
}

static bp_status
tell(struct page *page, const struct bp_list_sink *sink, struct bp_error *error)
{
    char token[BP_KEY_MAX + 32];
    int32_t stop = 0;
    bool lose = IS_BROKEN(PAGE_LOSES_LAST) && page->more && page->n > 1;
    (void)snprintf(token, sizeof token, "%s", page->n > 0 ? page->told[page->n - 1].key : "");
    if (IS_BROKEN(TOKEN_IS_INDEX)) {
        (void)snprintf(token, sizeof token, "%zu", page->index);
    }
    if (IS_BROKEN(UNSORTED)) {
        reverse(page);
    }
    for (size_t i = 0; i < page->n - (lose ? 1 : 0) && (stop == 0 || IS_BROKEN(TELLS_AFTER_STOP));
         i++) {
        int32_t answer = page->told[i].is_group
                             ? sink->prefix(sink->ctx, page->told[i].key)
                             : sink->entry(sink->ctx, page->told[i].key, &page->told[i].meta);
        stop = stop != 0 ? stop : answer;
    }
    if (stop == 0 && page->more) {
        stop = sink->next(sink->ctx, token);
    }
    return stop == 0 ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "the sink stopped the listing");
}

static bp_status
check_token(const char *token, struct bp_error *error)
{
    if (!IS_BROKEN(TOKEN_ONCE) || token == NULL) {
        return BP_OK;
    }
    if (strcmp(used_token, token) == 0) {
        return bp_fail(error, BP_ERR_INVALID, "this token was used before");
    }
    (void)snprintf(used_token, sizeof used_token, "%s", token);
    return BP_OK;
}

bp_status
memory_list(struct bp_storage *self, const struct bp_op *op, const struct bp_list_args *args,
            const struct bp_list_sink *sink, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, args->flags, 0, error);
    if (status == BP_OK) {
        status = check_token(args->token, error);
    }
    struct page *page = status == BP_OK ? calloc(1, sizeof *page) : NULL;
    char *hoard = IS_BROKEN(HOARDS_KEYS) ? malloc(self->space->n * BP_KEY_MAX + 1) : NULL;
    if (page == NULL) {
        return status != BP_OK ? status : bp_fail(error, BP_ERR_NOMEM, "no memory for a page");
    }
    size_t most = args->max < MAX_LIST ? args->max : MAX_LIST;
    most += IS_BROKEN(PAGE_TOO_LONG) ? 1 : 0;
    (void)pthread_mutex_lock(&memory_lock);
    fill(self, args, most, page);
    (void)pthread_mutex_unlock(&memory_lock);
    status = tell(page, sink, error);
    free(hoard);
    free(page);
    return status;
}
