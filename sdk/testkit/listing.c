/* SPDX-License-Identifier: Apache-2.0
 *
 * See listing.h.
 */
#include "sdk/testkit/listing.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define PAGES_MAX 1000000
/* How long a listing without STRONG_LIST may be behind, and how often it is looked at. */
#define SETTLE_NS 20000000000
#define SETTLE_LOOK_MS 200

static int32_t
stopping(struct bp_kit_listing *self)
{
    if (self->stop_at > 0 && self->told >= self->stop_at) {
        self->after_stop++;
        return 1;
    }
    self->told++;
    return self->told == self->stop_at ? 1 : 0;
}

static struct bp_kit_found *
add(struct bp_kit_listing *self, const char *key)
{
    if ((self->n & (self->n - 1)) == 0) { /* grows at each power of two */
        self->found = bp_kit_grow(self->found, self->n > 0 ? self->n * 2 : 1, sizeof *self->found);
    }
    struct bp_kit_found *found = &self->found[self->n++];
    memset(found, 0, sizeof *found);
    found->key = bp_kit_dup(key != NULL ? key : "(none)");
    return found;
}

static int32_t
take_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct bp_kit_found *found = add(ctx, key);
    if (meta != NULL) {
        size_t n = meta->struct_size < sizeof *meta ? meta->struct_size : sizeof *meta;
        memcpy(&found->meta, meta, n);
    }
    return stopping(ctx);
}

static int32_t
take_prefix(void *ctx, const char *prefix)
{
    add(ctx, prefix)->is_prefix = true;
    return stopping(ctx);
}

static int32_t
take_next(void *ctx, const char *token)
{
    struct bp_kit_listing *self = ctx;
    free(self->next);
    self->next = bp_kit_dup(token != NULL ? token : "");
    return 0;
}

bp_status
bp_kit_try_page(const struct bp_kit_store *store, const struct bp_kit_list *list, const char *token,
                struct bp_kit_listing *out, struct bp_error *error)
{
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = out,
                                .entry = take_entry,
                                .prefix = take_prefix,
                                .next = take_next};
    struct bp_list_args args = {.struct_size = sizeof args,
                                .prefix = list->prefix,
                                .start_after = list->start_after,
                                .token = token,
                                .max = list->max,
                                .delimiter = list->delimiter};
    if (args.max == 0) {
        args.max = store->info.max_list > 0 ? store->info.max_list : 1000;
    }
    bp_error_init(error);
    out->told = 0;
    bp_kit_step(store->kit, "list", list->prefix);
    bp_kit_enter(store);
    bp_status status =
        store->kit->ops.list(store->it, bp_kit_context(list->op), &args, &sink, error);
    bp_kit_leave(store);
    out->pages++;
    return status;
}

void
bp_kit_list(const struct bp_kit_store *store, const struct bp_kit_list *list,
            struct bp_kit_listing *out)
{
    struct bp_error error;
    char *token = NULL;
    do {
        size_t before = out->n;
        bp_status status = bp_kit_try_page(store, list, token, out, &error);
        bp_kit_expect(store->kit, status, BP_OK, &error, "list of \"%s\"", list->prefix);
        if (list->max > 0 && out->n - before > list->max) {
            bp_kit_fail(store->kit, "list of \"%s\" answered a page of %zu entries, asked for %u",
                        list->prefix, out->n - before, list->max);
        }
        if (out->next != NULL && token != NULL && strcmp(out->next, token) == 0) {
            bp_kit_fail(store->kit,
                        "list of \"%s\" answered the token again that it was given: it "
                        "would never end",
                        list->prefix);
        }
        if (out->next != NULL && strlen(out->next) > BP_TOKEN_MAX) {
            bp_kit_fail(store->kit, "list answered a token of %zu bytes", strlen(out->next));
        }
        free(token);
        token = out->next;
        out->next = NULL;
    } while (token != NULL && out->pages < PAGES_MAX);
    free(token);
}

void
bp_kit_listing_clear(struct bp_kit_listing *listing)
{
    for (size_t i = 0; i < listing->n; i++) {
        free(listing->found[i].key);
    }
    free(listing->found);
    free(listing->next);
    memset(listing, 0, sizeof *listing);
}

size_t
bp_kit_listing_count(const struct bp_kit_listing *listing, const char *key)
{
    size_t count = 0;
    for (size_t i = 0; i < listing->n; i++) {
        count += strcmp(listing->found[i].key, key) == 0 ? 1 : 0;
    }
    return count;
}

void
bp_kit_expect_listed(const struct bp_kit_store *store, const struct bp_kit_listing *listing,
                     const char *const *keys, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        size_t count = bp_kit_listing_count(listing, keys[i]);
        if (count != 1) {
            bp_kit_fail(store->kit, "%s: %s was listed %zu times, not once", what, keys[i], count);
        }
    }
    if (listing->n == n) {
        return;
    }
    for (size_t i = 0; i < listing->n; i++) {
        bool known = false;
        for (size_t j = 0; j < n && !known; j++) {
            known = strcmp(listing->found[i].key, keys[j]) == 0;
        }
        if (!known) {
            bp_kit_fail(store->kit, "%s: %s was listed and does not belong there", what,
                        listing->found[i].key);
        }
    }
}

/* Each of these keys, once; and nothing else, where `only`. */
static bool
fits(const struct bp_kit_listing *listing, const char *const *keys, size_t n, bool only)
{
    bool fine = !only || listing->n == n;
    for (size_t i = 0; i < n && fine; i++) {
        fine = bp_kit_listing_count(listing, keys[i]) == 1;
    }
    return fine;
}

/* The last of the listings that are made until one fits. */
static void
list_until(const struct bp_kit_store *store, const struct bp_kit_list *list,
           const char *const *keys, size_t n, bool only, struct bp_kit_listing *out)
{
    bool strong = bp_kit_store_can(store, BP_STORE_STRONG_LIST);
    long long end = bp_kit_now_ns() + (strong ? 0 : SETTLE_NS);
    bp_kit_list(store, list, out);
    while (!strong && !fits(out, keys, n, only) && bp_kit_now_ns() < end) {
        bp_kit_sleep_ms(SETTLE_LOOK_MS);
        bp_kit_listing_clear(out);
        bp_kit_list(store, list, out);
    }
}

void
bp_kit_list_expect(const struct bp_kit_store *store, const struct bp_kit_list *list,
                   const char *const *keys, size_t n, const char *what)
{
    struct bp_kit_listing listing = {0};
    list_until(store, list, keys, n, true, &listing);
    bp_kit_expect_listed(store, &listing, keys, n, what);
    bp_kit_listing_clear(&listing);
}

void
bp_kit_list_settle(const struct bp_kit_store *store, const char *const *keys, size_t n)
{
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = store->kit->prefix};
    if (!bp_kit_store_can(store, BP_STORE_STRONG_LIST)) {
        list_until(store, &list, keys, n, false, &listing);
        bp_kit_listing_clear(&listing);
    }
}
