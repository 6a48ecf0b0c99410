/* SPDX-License-Identifier: Apache-2.0
 *
 * See summary.h.
 */
#include "sdk/testkit/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/source.h"

#include "sdk/lib/ban.h"

/* Of a listing that may be behind. */
#define LOOKS 5
#define LOOK_AGAIN_MS 500

static const struct {
    uint64_t cap;
    const char *name;
} caps[] = {
    {BP_STORE_RANGE_READ, "RANGE_READ"},           {BP_STORE_ATOMIC_REPLACE, "ATOMIC_REPLACE"},
    {BP_STORE_IF_NONE_MATCH, "IF_NONE_MATCH"},     {BP_STORE_IF_MATCH, "IF_MATCH"},
    {BP_STORE_LIST_SORTED, "LIST_SORTED"},         {BP_STORE_LIST_START_AFTER, "LIST_START_AFTER"},
    {BP_STORE_SERVER_COPY, "SERVER_COPY"},         {BP_STORE_PARTS, "PARTS"},
    {BP_STORE_PARTS_PARALLEL, "PARTS_PARALLEL"},   {BP_STORE_PARTS_EXPIRE, "PARTS_EXPIRE"},
    {BP_STORE_UNKNOWN_SIZE, "UNKNOWN_SIZE"},       {BP_STORE_KEY_IS_PREFIX, "KEY_IS_PREFIX"},
    {BP_STORE_CHECKSUM_CRC32C, "CHECKSUM_CRC32C"}, {BP_STORE_CHECKSUM_SHA256, "CHECKSUM_SHA256"},
    {BP_STORE_STRONG_LIST, "STRONG_LIST"},
};

static const char *
model_name(uint16_t model)
{
    return model == BP_THREADS_PARALLEL   ? "parallel"
           : model == BP_THREADS_INSTANCE ? "one call per instance"
                                          : "one call at a time";
}

static void
note_limit(const struct bp_kit *kit, const char *name, uint64_t value)
{
    if (value == BP_UNKNOWN) {
        bp_kit_note(kit, "  %-12s unlimited", name);
    } else {
        bp_kit_note(kit, "  %-12s %" PRIu64, name, value);
    }
}

static void
note_promises(const struct bp_kit *kit, const struct bp_storage_info *info)
{
    char text[512] = "";
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        size_t n = strlen(text);
        if ((info->caps & caps[i].cap) != 0) {
            (void)snprintf(text + n, sizeof text - n, " %s", caps[i].name);
        }
    }
    bp_kit_note(kit, "promises:%s", text);
    bp_kit_note(kit, "limits:");
    if ((info->caps & BP_STORE_PARTS) != 0) {
        note_limit(kit, "min_part", info->min_part);
        note_limit(kit, "max_part", info->max_part);
        note_limit(kit, "max_parts", info->max_parts);
    }
    note_limit(kit, "max_object", info->max_object);
    note_limit(kit, "max_copy", info->max_copy);
    note_limit(kit, "max_list", info->max_list != 0 ? info->max_list : BP_UNKNOWN);
    note_limit(kit, "max_key_part", info->max_key_part != 0 ? info->max_key_part : BP_UNKNOWN);
    note_limit(kit, "best_io", info->best_io);
    bp_kit_note(kit, "identity: %.*s", (int)sizeof info->identity, info->identity);
}

static void
note_source(struct bp_kit *kit)
{
    struct bp_kit_source source;
    bp_kit_source_open(kit, NULL, &source);
    const struct bp_source_info *info = &source.info;
    bp_kit_note(kit, "units of kind %.31s have items, %.31s are counted", info->item_kind,
                info->proof_what);
    bp_kit_note(kit, "promises:%s%s", (info->features & BP_SOURCE_PIN) != 0 ? " PIN" : "",
                (info->features & BP_SOURCE_CONCURRENT_UNITS) != 0 ? " CONCURRENT_UNITS" : "");
    bp_kit_source_close(&source);
}

static void
summarise(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_start(kit);
    const struct bp_plugin *plugin = &kit->plugin;
    bp_kit_note(kit, "plugin %s %s, ABI %u.%u, %s", plugin->name != NULL ? plugin->name : "?",
                plugin->version != NULL ? plugin->version : "?", plugin->abi_major,
                plugin->abi_minor, model_name(plugin->thread_model));
    if (plugin->thread_model == BP_THREADS_PARALLEL && plugin->max_parallel != 0) {
        bp_kit_note(kit, "at most %u calls at once per instance", plugin->max_parallel);
    }
    if (kit->options->kind == BP_KIT_STORAGE) {
        bp_kit_store_open(kit, NULL, 0, &store);
        note_promises(kit, &store.info);
        bp_kit_store_close(&store);
    } else {
        note_source(kit);
    }
}

static void
drop_key(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    bp_status status = bp_kit_try_remove(store, key, NULL, NULL, &error);
    if (status != BP_OK) {
        bp_kit_note(store->kit, "left behind: %s: %s", key, error.message);
    }
}

static int32_t
ignore_key(void *ctx, const char *key, const char *extra, int64_t started_ns,
           const struct bp_error *error)
{
    (void)ctx;
    (void)key;
    (void)extra;
    (void)started_ns;
    (void)error;
    return 0;
}

static size_t
drop_listed(const struct bp_kit_store *store)
{
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = store->kit->run_prefix};
    bp_kit_list(store, &list, &listing);
    size_t n = listing.n;
    for (size_t i = 0; i < n; i++) {
        drop_key(store, listing.found[i].key);
    }
    bp_kit_listing_clear(&listing);
    return n;
}

/* Where a listing may be behind it is looked at again, until it is empty. */
static void
drop_keys(const struct bp_kit_store *store)
{
    bool strong = bp_kit_store_can(store, BP_STORE_STRONG_LIST);
    unsigned looks = strong ? 1 : LOOKS;
    while (looks-- > 0 && (drop_listed(store) > 0 || !strong)) {
        bp_kit_sleep_ms(looks > 0 ? LOOK_AGAIN_MS : 0);
    }
}

static void
sweep_store(struct bp_kit *kit, const struct bp_kit_node *other)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_key_sink sink = {.struct_size = sizeof sink, .key = ignore_key};
    bp_kit_store_open(kit, other, 0, &store);
    drop_keys(&store);
    if (kit->ops.uploads_abort != NULL) {
        int64_t soon = ((int64_t)time(NULL) + 60) * 1000000000;
        bp_error_init(&error);
        bp_kit_step(kit, "uploads_abort", kit->run_prefix);
        (void)kit->ops.uploads_abort(store.it, bp_kit_context(NULL), kit->run_prefix, soon, &sink,
                                     &error); /* best effort: a check has looked at it */
    }
    bp_kit_store_close(&store);
}

static void
sweep(struct bp_kit *kit)
{
    static const char *const hooks[] = {"second", "other_login"};
    if (kit->options->kind != BP_KIT_STORAGE) {
        struct bp_kit_source source;
        bp_kit_source_open(kit, NULL, &source);
        if (source.backup != NULL) {
            drop_keys(source.backup);
        }
        bp_kit_source_close(&source);
        return;
    }
    bp_kit_start(kit);
    sweep_store(kit, NULL);
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        const struct bp_kit_node *other = bp_kit_hook(kit, hooks[i]);
        if (other != NULL) {
            sweep_store(kit, other);
        }
    }
}

const struct bp_kit_check bp_kit_summary = {.name = "summary", .contract = "", .run = summarise};
const struct bp_kit_check bp_kit_sweep = {
    .name = "sweeping up", .contract = "", .run = sweep, .times = 10};
