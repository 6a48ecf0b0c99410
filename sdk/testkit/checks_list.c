/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of listing.  Of very many objects: checks_many.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/testkit/checks.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define MANY 7

static void
put_keys(const struct bp_kit_store *store, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bp_kit_put(store, keys[i], keys[i], i + 1);
    }
}

static void
expect(const struct bp_kit_store *store, const struct bp_kit_list *list, const char *const *keys,
       size_t n, const char *what)
{
    bp_kit_list_expect(store, list, keys, n, what);
}

static void
check_prefix(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *keys[] = {bp_kit_key(kit, "dir/one"), bp_kit_key(kit, "dir/two"),
                          bp_kit_key(kit, "dir2/three"), bp_kit_key(kit, "di/four"),
                          bp_kit_key(kit, "other")};
    put_keys(&store, keys, 5);
    struct bp_kit_list list = {.prefix = kit->prefix};
    expect(&store, &list, keys, 5, "the whole prefix");
    list.prefix = bp_kit_key(kit, "dir/");
    expect(&store, &list, keys, 2, "prefix \"dir/\"");
    list.prefix = bp_kit_key(kit, "dir");
    expect(&store, &list, keys, 3, "prefix \"dir\", which ends inside a part");
    list.prefix = bp_kit_key(kit, "dir/t");
    expect(&store, &list, keys + 1, 1, "prefix \"dir/t\"");
    list.prefix = keys[4];
    expect(&store, &list, keys + 4, 1, "a prefix that is itself a key");
    list.prefix = bp_kit_key(kit, "nothing/here");
    expect(&store, &list, keys, 0, "a prefix where nothing is");
    bp_kit_store_close(&store);
}

static void
check_all(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = ""};
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "a/b/c/object");
    bp_kit_put(&store, key, "x", 1);
    bp_kit_list_settle(&store, &key, 1);
    bp_kit_list(&store, &list, &listing);
    if (bp_kit_listing_count(&listing, key) != 1) {
        bp_kit_fail(kit, "a listing of everything has %s %zu times", key,
                    bp_kit_listing_count(&listing, key));
    }
    bp_kit_store_close(&store);
}

static void
check_delimiter(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *keys[] = {bp_kit_key(kit, "a"),     bp_kit_key(kit, "b/1"),
                          bp_kit_key(kit, "b/2"),   bp_kit_key(kit, "b/c/3"),
                          bp_kit_key(kit, "d/e/4"), bp_kit_key(kit, "f")};
    const char *top[] = {keys[0], bp_kit_key(kit, "b/"), bp_kit_key(kit, "d/"), keys[5]};
    const char *below[] = {keys[1], keys[2], bp_kit_key(kit, "b/c/")};
    const char *cut[] = {bp_kit_key(kit, "b/")};
    put_keys(&store, keys, 6);
    struct bp_kit_list list = {.prefix = kit->prefix, .delimiter = '/'};
    expect(&store, &list, top, 4, "the top with delimiter \"/\"");
    list.max = 1;
    expect(&store, &list, top, 4, "the top with delimiter \"/\" and pages of one");
    list.max = 2;
    expect(&store, &list, top, 4, "the top with delimiter \"/\" and pages of two");
    list.prefix = bp_kit_key(kit, "b/");
    expect(&store, &list, below, 3, "prefix \"b/\" with delimiter \"/\"");
    list.prefix = bp_kit_key(kit, "b");
    expect(&store, &list, cut, 1, "prefix \"b\" with delimiter \"/\"");
    bp_kit_store_close(&store);
}

/* 0, 1, max, max + 1 and 2 * max + 1 entries, for a max of three. */
static void
check_pages(struct bp_kit *kit)
{
    struct bp_kit_store store;
    const char *keys[MANY];
    struct bp_kit_list list = {.prefix = kit->prefix, .max = 3};
    bp_kit_store_open(kit, NULL, 0, &store);
    for (size_t n = 0; n <= MANY; n++) {
        if (n > 0) {
            keys[n - 1] = bp_kit_key(kit, "%s%zu", n % 2 == 0 ? "in/" : "", n);
            put_keys(&store, keys + n - 1, 1);
        }
        expect(&store, &list, keys, n, bp_kit_text("pages of three of %zu objects", n));
    }
    for (list.max = 1; list.max <= 8; list.max++) {
        expect(&store, &list, keys, MANY, bp_kit_text("pages of %u of 7 objects", list.max));
    }
    bp_kit_store_close(&store);
}

static void
check_token_again(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_listing first = {0}, once = {0}, again = {0};
    const char *keys[MANY];
    struct bp_kit_list list = {.prefix = kit->prefix, .max = 3};
    bp_kit_store_open(kit, NULL, 0, &store);
    for (size_t i = 0; i < MANY; i++) {
        keys[i] = bp_kit_key(kit, "%zu", i);
    }
    put_keys(&store, keys, MANY);
    bp_kit_list_settle(&store, keys, MANY);
    bp_status status = bp_kit_try_page(&store, &list, NULL, &first, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "the first page");
    if (first.next == NULL) {
        bp_kit_fail(kit, "the first page of three, of 7 objects, has no token for the next");
    }
    status = bp_kit_try_page(&store, &list, first.next, &once, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "the second page");
    status = bp_kit_try_page(&store, &list, first.next, &again, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "the second page, asked for again");
    for (size_t i = 0; i < once.n; i++) {
        if (again.n != once.n || bp_kit_listing_count(&again, once.found[i].key) != 1) {
            bp_kit_fail(kit, "the same token answered %zu entries once and other %zu then", once.n,
                        again.n);
        }
    }
    bp_kit_store_close(&store);
}

static void
check_start_after(struct bp_kit *kit)
{
    struct bp_kit_store store;
    const char *keys[MANY];
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_LIST_START_AFTER, "LIST_START_AFTER");
    for (size_t i = 0; i < MANY; i++) {
        keys[i] = bp_kit_key(kit, "%c/%zu", (int)('a' + i / 2), i);
    }
    put_keys(&store, keys, MANY);
    struct bp_kit_list list = {.prefix = kit->prefix, .start_after = keys[2]};
    expect(&store, &list, keys + 3, MANY - 3, "what comes after a key that is there");
    list.max = 2;
    expect(&store, &list, keys + 3, MANY - 3, "the same in pages of two");
    list.start_after = bp_kit_key(kit, "b/25");
    expect(&store, &list, keys + 3, MANY - 3, "what comes after a key that is not there");
    list.start_after = keys[MANY - 1];
    expect(&store, &list, keys, 0, "what comes after the last key");
    list.start_after = bp_kit_key(kit, "A");
    expect(&store, &list, keys, MANY, "what comes after a key before all");
    bp_kit_store_close(&store);
}

static void
stop_at(const struct bp_kit_store *store, size_t entry)
{
    struct bp_error error;
    struct bp_kit_listing listing = {.stop_at = entry};
    struct bp_kit_list list = {.prefix = store->kit->prefix, .max = 5};
    bp_status status = bp_kit_try_page(store, &list, NULL, &listing, &error);
    bp_kit_expect(store->kit, status, BP_ERR_CANCELLED, &error,
                  "a listing whose sink stops at entry %zu", entry);
    if (listing.after_stop > 0) {
        bp_kit_fail(store->kit, "the sink stopped at entry %zu and was told %zu more", entry,
                    listing.after_stop);
    }
    bp_kit_listing_clear(&listing);
}

static void
check_stop(struct bp_kit *kit)
{
    struct bp_kit_store store;
    const char *keys[MANY];
    bp_kit_store_open(kit, NULL, 0, &store);
    for (size_t i = 0; i < MANY; i++) {
        keys[i] = bp_kit_key(kit, "%zu", i);
    }
    put_keys(&store, keys, MANY);
    bp_kit_list_settle(&store, keys, MANY);
    stop_at(&store, 1);
    stop_at(&store, 3);
    stop_at(&store, 5);
    struct bp_kit_list list = {.prefix = kit->prefix};
    expect(&store, &list, keys, MANY, "a listing after some that were stopped");
    bp_kit_store_close(&store);
}

static void
check_sorted(struct bp_kit *kit)
{
    static const char *const names[] = {"b", "a/z", "a-",       "a.b", "a/b/c",
                                        "B", "a0",  "\xc3\xa9", "a/a", "~"};
    struct bp_kit_store store;
    struct bp_kit_listing listing = {0};
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *keys[sizeof names / sizeof *names];
    bp_kit_store_need(&store, BP_STORE_LIST_SORTED, "LIST_SORTED");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        keys[i] = bp_kit_key(kit, "%s", names[i]);
        bp_kit_put(&store, keys[i], "x", 1);
    }
    bp_kit_list_settle(&store, keys, sizeof names / sizeof *names);
    struct bp_kit_list list = {.prefix = kit->prefix, .max = 3};
    bp_kit_list(&store, &list, &listing);
    for (size_t i = 1; i < listing.n; i++) {
        if (strcmp(listing.found[i - 1].key, listing.found[i].key) >= 0) {
            bp_kit_fail(kit, "%s was listed before %s", listing.found[i - 1].key,
                        listing.found[i].key);
        }
    }
    bp_kit_store_close(&store);
}

static void
check_facts(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_kit_listing listing = {0};
    struct bp_object_meta meta;
    const char *keys[] = {bp_kit_key(kit, "one"), bp_kit_key(kit, "two"), bp_kit_key(kit, "in/3")};
    struct bp_kit_list list = {.prefix = kit->prefix};
    bp_kit_store_open(kit, NULL, 0, &store);
    put_keys(&store, keys, 3);
    bp_kit_list_settle(&store, keys, 3);
    bp_kit_list(&store, &list, &listing);
    bp_kit_expect_listed(&store, &listing, keys, 3, "three objects");
    for (size_t i = 0; i < listing.n; i++) {
        const struct bp_kit_found *found = &listing.found[i];
        bp_kit_stat(&store, found->key, &meta);
        if (found->meta.size != meta.size ||
            strncmp(found->meta.etag, meta.etag, sizeof meta.etag) != 0) {
            bp_kit_fail(kit,
                        "of %s list says %" PRIu64 " bytes, etag \"%s\"; stat says %" PRIu64
                        " bytes, etag \"%s\"",
                        found->key, found->meta.size, found->meta.etag, meta.size, meta.etag);
        }
    }
    bp_kit_store_close(&store);
}

static void
check_strong(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_kit_list list = {.prefix = kit->prefix};
    const char *keys[20];
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_STRONG_LIST, "STRONG_LIST");
    for (size_t i = 0; i < 20; i++) {
        keys[i] = bp_kit_key(kit, "%zu/object", i);
        bp_kit_put(&store, keys[i], "x", 1);
        expect(&store, &list, keys, i + 1, "a listing right after a write");
    }
    for (size_t i = 20; i > 10; i--) {
        bp_kit_remove(&store, keys[i - 1]);
        expect(&store, &list, keys, i - 1, "a listing right after a remove");
    }
    bp_kit_store_close(&store);
}

/* Others come and go between the pages: in front, behind, in the middle. */
static void
check_insertions(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = kit->prefix, .max = 3};
    const char *keys[30];
    char *token = NULL;
    bp_kit_store_open(kit, NULL, 0, &store);
    for (size_t i = 0; i < 30; i++) {
        keys[i] = bp_kit_key(kit, "%02zu/stays", i);
        bp_kit_put(&store, keys[i], "x", 1);
        bp_kit_put(&store, bp_kit_key(kit, "%02zu/goes", i), "x", 1);
    }
    bp_kit_list_settle(&store, keys, 30);
    for (unsigned page = 0; page == 0 || token != NULL; page++) {
        bp_status status = bp_kit_try_page(&store, &list, token, &listing, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "page %u", page);
        bp_kit_put(&store, bp_kit_key(kit, "%02u/comes", page % 30), "x", 1);
        bp_kit_put(&store, bp_kit_key(kit, "%02u/comes", 29 - page % 30), "x", 1);
        bp_kit_remove(&store, bp_kit_key(kit, "%02u/goes", page * 7 % 30));
        free(token);
        token = listing.next;
        listing.next = NULL;
    }
    for (size_t i = 0; i < 30; i++) {
        if (bp_kit_listing_count(&listing, keys[i]) != 1) {
            bp_kit_fail(kit, "%s was there all the time and was listed %zu times", keys[i],
                        bp_kit_listing_count(&listing, keys[i]));
        }
    }
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_list[] = {
    {.name = "list.prefix",
     .contract = "list answers exactly the keys that start with the prefix, a plain string",
     .run = check_prefix},
    {.name = "list.all", .contract = "the prefix \"\" lists all keys", .run = check_all},
    {.name = "list.delimiter",
     .contract = "with delimiter \"/\" what lies below the next \"/\" is one group, told once",
     .run = check_delimiter},
    {.name = "list.pages",
     .contract = "a page has at most `max` entries; over all pages each key appears exactly once",
     .run = check_pages},
    {.name = "list.token_again",
     .contract = "a token may be used again: the core asks for a page anew after a failure",
     .run = check_token_again},
    {.name = "list.start_after",
     .contract = "LIST_START_AFTER: only keys after the given one are listed",
     .run = check_start_after},
    {.name = "list.sink_stops",
     .contract = "a sink that answers non-zero stops the call, with CANCELLED, and hears no more",
     .run = check_stop},
    {.name = "list.sorted",
     .contract = "LIST_SORTED: keys come in ascending order of their bytes",
     .run = check_sorted},
    {.name = "list.facts",
     .contract = "list tells size and etag of each object as stat does",
     .run = check_facts},
    {.name = "list.strong",
     .contract = "STRONG_LIST: what was written or removed is in the next listing",
     .run = check_strong},
    {.name = "list.insertions",
     .contract = "a key that is present all the time appears once, whatever happens to others",
     .run = check_insertions},
    BP_KIT_CHECKS_END,
};
