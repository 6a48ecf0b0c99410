/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing.  A page is copied while the plugin is inside its call and handed on afterwards, so that
 * whoever receives the keys may call the storage again.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/store_internal.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define PAGE_MAX 1000
#define EMPTY_PAGES_MAX 1000
#define META_MIN (offsetof(struct bp_object_meta, checksum) + sizeof(struct bp_checksum))

/* One call of the plugin's `list`: where its answers go, and what was wrong with them. */
typedef struct {
    const bp_store *store;
    const struct bp_list_args *args;
    bp_list_page *page;
    GError *bug;
} listing;

static void
entry_clear(gpointer data)
{
    g_free(((bp_list_entry *)data)->key);
}

void
bp_list_page_clear(bp_list_page *page)
{
    g_clear_pointer(&page->entries, g_array_unref);
    g_clear_pointer(&page->next, g_free);
    g_clear_pointer(&page->last_key, g_free);
    g_clear_pointer(&page->last_prefix, g_free);
}

static int32_t
bug(listing *self, const char *thing, const char *key, const char *why)
{
    if (self->bug == NULL) {
        (void)bp_plugin_bug(&self->store->base, "list", &self->bug, "%s \"%.200s\" %s", thing, key,
                            why);
    }
    return 1;
}

/* What both kinds of answers must obey; NULL when all is well. */
static const char *
position_problem(const listing *self, const char *key, char **last)
{
    if (self->page->entries->len >= self->args->max) {
        return "is more than was asked for";
    }
    if (!g_str_has_prefix(key, self->args->prefix)) {
        return "lies outside of the prefix that was asked for";
    }
    if (bp_store_can(self->store, BP_STORE_LIST_SORTED)) {
        if (*last != NULL && strcmp(*last, key) >= 0) {
            return "breaks the promised order";
        }
        g_free(*last);
        *last = g_strdup(key);
    }
    return NULL;
}

static int32_t
list_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    listing *self = ctx;
    const char *why = NULL;
    bp_list_entry entry = {.is_prefix = false};
    if (self->bug != NULL) {
        return 1;
    }
    if (key == NULL || bp_key_check(key, &why) != 0) {
        return bug(self, "key", key != NULL ? key : "", key != NULL ? why : "is missing");
    }
    why = position_problem(self, key, &self->page->last_key);
    if (why == NULL && self->args->delimiter != 0 &&
        strchr(key + strlen(self->args->prefix), '/') != NULL) {
        why = "lies below a delimiter";
    }
    if (why == NULL && !bp_answer_copy(&entry.meta, sizeof entry.meta, META_MIN, meta)) {
        why = "comes without its facts";
    }
    if (why != NULL) {
        return bug(self, "key", key, why);
    }
    bp_answer answer = {&self->store->base, "list"};
    if (!bp_answer_check_meta(&answer, key, &entry.meta, &self->bug)) {
        return 1;
    }
    entry.key = g_strdup(key);
    g_array_append_val(self->page->entries, entry);
    return 0;
}

static int32_t
list_prefix(void *ctx, const char *prefix)
{
    listing *self = ctx;
    const char *why = NULL;
    if (self->bug != NULL) {
        return 1;
    }
    if (prefix == NULL || bp_key_check_prefix(prefix, &why) != 0) {
        return bug(self, "prefix", prefix != NULL ? prefix : "",
                   prefix != NULL ? why : "is missing");
    }
    why = position_problem(self, prefix, &self->page->last_prefix);
    if (why == NULL) {
        const char *rest = prefix + strlen(self->args->prefix);
        const char *slash = strchr(rest, '/');
        if (self->args->delimiter == 0 || slash == NULL || slash[1] != '\0') {
            why = "is no group of this listing";
        }
    }
    if (why != NULL) {
        return bug(self, "prefix", prefix, why);
    }
    bp_list_entry entry = {.key = g_strdup(prefix), .is_prefix = true};
    g_array_append_val(self->page->entries, entry);
    return 0;
}

static int32_t
list_next(void *ctx, const char *token)
{
    listing *self = ctx;
    bp_answer answer = {&self->store->base, "list"};
    if (self->bug != NULL ||
        !bp_answer_check_text(&answer, "token", token, BP_TOKEN_MAX, &self->bug)) {
        return 1;
    }
    if (g_strcmp0(token, self->args->token) == 0) {
        return bug(self, "token", "", "is the same again: the listing would never end");
    }
    g_free(self->page->next);
    self->page->next = g_strdup(token);
    return 0;
}

static bool
count_empty_pages(listing *self, GError **error)
{
    bp_list_page *page = self->page;
    page->empty = page->entries->len == 0 && page->next != NULL ? page->empty + 1 : 0;
    return page->empty <= EMPTY_PAGES_MAX ||
           bp_plugin_bug(&self->store->base, "list", error,
                         "answered %u empty pages one after the other", page->empty);
}

/* As it was when the page was asked for first. */
static void
begin_page(bp_list_page *page, const char *last_key, const char *last_prefix)
{
    g_array_set_size(page->entries, 0);
    g_clear_pointer(&page->next, g_free);
    g_free(page->last_key);
    g_free(page->last_prefix);
    page->last_key = g_strdup(last_key);
    page->last_prefix = g_strdup(last_prefix);
}

bool
bp_store__list_page(bp_store *store, const bp_call *call, const struct bp_list_args *args,
                    bp_list_page *page, GError **error)
{
    bp_store_use use = bp_store__use(store, "list", call);
    bp_status status = BP_OK;
    listing self = {.store = store, .args = args, .page = page};
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = &self,
                                .entry = list_entry,
                                .prefix = list_prefix,
                                .next = list_next};
    const char *why = NULL;
    if (bp_key_check_prefix(args->prefix, &why) != 0) {
        bp_set_error(error, BP_ERR_INVALID, "storage %s: list: prefix \"%.200s\" %s",
                     store->base.name, args->prefix, why);
        return false;
    }
    if (page->entries == NULL) {
        page->entries = g_array_new(FALSE, FALSE, sizeof(bp_list_entry));
        g_array_set_clear_func(page->entries, entry_clear);
    }
    g_autofree char *token = g_steal_pointer(&page->next); /* args->token points to it */
    g_autofree char *last_key = g_strdup(page->last_key);
    g_autofree char *last_prefix = g_strdup(page->last_prefix);
    do {
        if (!bp_store__enter(&use, error)) {
            return false;
        }
        begin_page(page, last_key, last_prefix);
        status =
            store->ops->list(use.instance->plugin, &use.frame.op, args, &sink, &use.frame.error);
    } while (bp_store__refused(&use, status));
    if (self.bug != NULL) {
        g_clear_error(&use.failed); /* follows from the bug */
        g_propagate_error(error, self.bug);
        return false;
    }
    return bp_store__result(&use, error) && count_empty_pages(&self, error);
}

guint32
bp_store__page_max(const bp_store *store)
{
    return store->info.max_list != 0 ? MIN(store->info.max_list, PAGE_MAX) : PAGE_MAX;
}

/* False: stop, as the visitor wished. */
static bool
visit_page(const bp_list_page *page, const char *start_after, bp_store_visit visit, void *ctx)
{
    for (guint i = 0; i < page->entries->len; i++) {
        const bp_list_entry *entry = &g_array_index(page->entries, bp_list_entry, i);
        /* Storages without LIST_START_AFTER list what comes before as well. */
        if (start_after != NULL && strcmp(entry->key, start_after) <= 0) {
            continue;
        }
        if (!visit(ctx, entry->key, entry->is_prefix ? NULL : &entry->meta)) {
            return false;
        }
    }
    return true;
}

bool
bp_store_list(bp_store *store, const bp_call *call, const bp_store_list_params *params,
              bp_store_visit visit, void *ctx, GError **error)
{
    g_auto(bp_list_page) page = {0};
    bool native = bp_store_can(store, BP_STORE_LIST_START_AFTER);
    struct bp_list_args args = {.struct_size = sizeof args,
                                .prefix = params->prefix != NULL ? params->prefix : "",
                                .start_after = native ? params->start_after : NULL,
                                .max = bp_store__page_max(store),
                                .delimiter = params->delimiter};
    do {
        args.token = page.next;
        if (!bp_store__list_page(store, call, &args, &page, error)) {
            return false;
        }
        if (!visit_page(&page, params->start_after, visit, ctx)) {
            return true;
        }
    } while (page.next != NULL);
    return true;
}

bool
bp_store_has_any(bp_store *store, const bp_call *call, const char *prefix, bool *out,
                 GError **error)
{
    g_auto(bp_list_page) page = {0};
    struct bp_list_args args = {.struct_size = sizeof args, .prefix = prefix, .max = 1};
    *out = false;
    do {
        args.token = page.next;
        if (!bp_store__list_page(store, call, &args, &page, error)) {
            return false;
        }
        *out = page.entries->len > 0;
    } while (!*out && page.next != NULL);
    return true;
}
