/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of settings, secrets, facts and probe.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/round.h"
#include "sdk/testkit/settings.h"

#include "sdk/lib/ban.h"

/* Some secrets are keys in base64, and others may not look like it. */
#define MARKER "kitmarker7f3a9c5kitmarker7f3a9c51Q=="
#define MARKER_OF_WORDS "kit marker 7f3a9c51!"
#define SECRET_MIN 6

/* Opens with these settings and remembers which keys that took. */
static void
use_settings(struct bp_kit *kit, const struct bp_kit_node *other, bool *asked)
{
    struct bp_kit_store store = {.kit = kit};
    struct bp_error error;
    struct bp_config *config = bp_kit_store_settings(kit, other, 1);
    bp_error_init(&error);
    bp_kit_step(kit, "open", NULL);
    bp_status status = kit->ops.open(kit->host, bp_kit_context(NULL), config, &store.it, &error);
    for (uint32_t i = 0; i < kit->plugin.n_keys; i++) {
        asked[i] = asked[i] || bp_kit_settings_asked(config, kit->keys[i].name);
    }
    if (status == BP_OK) {
        kit->ops.close(store.it);
    }
    bp_kit_settings_free(config);
}

/* A key may matter only beside another, so everything that the file has is tried. */
static void
check_used(struct bp_kit *kit)
{
    static const char *const hooks[] = {"second", "other_login", "expired",
                                        "denied", "full",        "unreachable"};
    const struct bp_kit_node *variants = bp_kit_hook(kit, "variants");
    bp_kit_start(kit);
    bool *asked = bp_kit_alloc(kit->plugin.n_keys, sizeof *asked);
    use_settings(kit, NULL, asked);
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        use_settings(kit, bp_kit_hook(kit, hooks[i]), asked);
    }
    for (size_t i = 0; variants != NULL && i < variants->n; i++) {
        use_settings(kit, &variants->kids[i], asked);
    }
    for (uint32_t i = 0; i < kit->plugin.n_keys; i++) {
        if (!asked[i]) {
            bp_kit_fail(kit,
                        "it declares the setting %s, and open asked for it with none of the "
                        "settings here (where it matters only beside others, name them in "
                        "hooks.variants)",
                        kit->keys[i].name);
        }
    }
    free(asked);
}

/* INVALID that names the key, from an open that has to fail. */
static void
expect_refused(struct bp_kit *kit, struct bp_config *take_config, const char *key, const char *what)
{
    struct bp_kit_store store;
    struct bp_error error;
    bp_status status = bp_kit_store_try_open(kit, take_config, &store, &error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "open %s %s", what, key);
    if (strstr(error.message, key) == NULL) {
        bp_kit_fail(kit, "open %s %s: the message does not name it: %s", what, key, error.message);
    }
}

static void
check_required(struct bp_kit *kit)
{
    bool any = false;
    bp_kit_start(kit);
    for (uint32_t i = 0; i < kit->plugin.n_keys; i++) {
        const struct bp_config_key *key = &kit->keys[i];
        if ((key->flags & BP_CONFIG_REQUIRED) != 0) {
            struct bp_config *config = bp_kit_store_settings(kit, NULL, 0);
            bp_kit_settings_set(config, key->name, NULL);
            expect_refused(kit, config, key->name, "without");
            any = true;
        }
    }
    if (!any) {
        bp_kit_skip(kit, "it has no required setting");
    }
}

/* Whether a value of one setting is bad only the author knows. */
static void
check_bad_values(struct bp_kit *kit)
{
    const struct bp_kit_node *hook = bp_kit_hook(kit, "bad_values");
    bp_kit_start(kit);
    for (size_t i = 0; i < hook->n; i++) {
        const struct bp_kit_node *bad = &hook->kids[i];
        struct bp_config *config = bp_kit_store_settings(kit, NULL, 0);
        if (bad->name == NULL || bad->type != BP_KIT_TEXT) {
            bp_kit_bail(kit, "line %u: hooks.bad_values: expected SETTING: VALUE", bad->line);
        }
        bp_kit_settings_set(config, bad->name, bad->text);
        expect_refused(kit, config, bad->name, "with a bad value of");
    }
}

static void
check_two(struct bp_kit *kit)
{
    struct bp_kit_store first, second;
    bp_kit_store_open(kit, NULL, 0, &first);
    bp_kit_store_open(kit, NULL, 0, &second);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&first, key, "by the first", 12);
    bp_kit_expect_content(&second, key, "by the first", 12);
    bp_kit_store_close(&first);
    bp_kit_expect_content(&second, key, "by the first", 12);
    bp_kit_round(&second, bp_kit_key(kit, "other"));
    bp_kit_store_close(&second);
}

static void
check_independent(struct bp_kit *kit)
{
    struct bp_kit_store first, second;
    bp_kit_store_open(kit, NULL, 0, &first);
    bp_kit_store_open(kit, bp_kit_hook(kit, "second"), 0, &second);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&first, key, "first", 5);
    bp_kit_expect_missing(&second, key, "in another storage than it was written to");
    bp_kit_put(&second, key, "second", 6);
    bp_kit_expect_content(&first, key, "first", 5);
    if (strncmp(first.info.identity, second.info.identity, sizeof first.info.identity) == 0) {
        bp_kit_fail(kit, "two storages have the same identity \"%s\"", first.info.identity);
    }
    bp_kit_store_close(&first);
    bp_kit_expect_content(&second, key, "second", 6);
    bp_kit_store_close(&second);
}

static bp_status
try_probe(const struct bp_kit_store *store, uint32_t need, struct bp_kit_op *op,
          struct bp_error *error)
{
    struct bp_probe_args args = {
        .struct_size = sizeof args, .need = need, .prefix = store->kit->prefix};
    bp_error_init(error);
    bp_kit_step(store->kit, "probe", store->kit->prefix);
    return store->kit->ops.probe(store->it, bp_kit_context(op), &args, error);
}

static uint32_t
all_needs(const struct bp_kit_store *store)
{
    uint32_t need = BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE;
    return bp_kit_store_can(store, BP_STORE_IF_NONE_MATCH) ? need | BP_NEED_EXCLUSIVE : need;
}

static void
look_for(const struct bp_kit *kit, const char *where, const char *text, const char *secret,
         const char *key)
{
    if (secret != NULL && strlen(secret) >= SECRET_MIN && strstr(text, secret) != NULL) {
        bp_kit_fail(kit, "%s holds the value of the secret setting %s", where, key);
    }
}

/* A secret setting while it is being looked for. */
struct hunt {
    const struct bp_kit *kit;
    const char *key;
    const char *secret;
    size_t line; /* log lines before it were looked at */
};

static void
look_at_error(struct hunt *self, const struct bp_error *error)
{
    const char *line = NULL;
    char *text = bp_kit_text("%.*s %.*s %.*s", (int)sizeof error->message, error->message,
                             (int)sizeof error->code, error->code, (int)sizeof error->request_id,
                             error->request_id);
    look_for(self->kit, "an error", text, self->secret, self->key);
    for (; (line = bp_kit_host_line(self->line)) != NULL; self->line++) {
        look_for(self->kit, "a log line", line, self->secret, self->key);
    }
    free(text);
}

static void
look_at_facts(const struct hunt *self, const struct bp_storage_info *info)
{
    look_for(self->kit, "info.identity", info->identity, self->secret, self->key);
    look_for(self->kit, "info.copy_scope", info->copy_scope, self->secret, self->key);
    look_for(self->kit, "info.local_root", info->local_root, self->secret, self->key);
    look_for(self->kit, "info.server_root", info->server_root, self->secret, self->key);
    look_for(self->kit, "info.place", info->place, self->secret, self->key);
}

/* Each operation by itself, and with what it says: the first failure is not the only one. */
static void
look_at_operations(struct hunt *self, const struct bp_kit_store *store)
{
    struct bp_kit *kit = store->kit;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    struct bp_kit_listing listing = {0};
    const char *key = bp_kit_key(kit, "object");
    struct bp_kit_put put = {.key = key, .bytes = "x", .n = 1, .flags = BP_WRITE_DURABLE};
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN};
    struct bp_kit_list list = {.prefix = kit->prefix};
    (void)try_probe(store, all_needs(store), NULL, &error); /* each of them may well fail */
    look_at_error(self, &error);
    (void)bp_kit_try_put(store, &put, &meta, &error);
    look_at_error(self, &error);
    (void)bp_kit_try_stat(store, key, NULL, &meta, &error);
    look_at_error(self, &error);
    (void)bp_kit_try_page(store, &list, NULL, &listing, &error);
    look_at_error(self, &error);
    if (bp_kit_try_read_open(store, &get, &meta, &reader, &error) == BP_OK) {
        bp_kit_read_close(store, reader);
    }
    look_at_error(self, &error);
    (void)bp_kit_try_remove(store, key, NULL, NULL, &error);
    look_at_error(self, &error);
    bp_kit_listing_clear(&listing);
}

/* With the true secrets, and then with a marker in place of each, which makes most calls fail. */
static void
look_with(struct bp_kit *kit, const struct bp_config_key *key, const char *instead)
{
    struct bp_kit_store store = {.kit = kit};
    struct bp_error error;
    struct bp_config *config = bp_kit_store_settings(kit, NULL, 0);
    if (instead != NULL) {
        bp_kit_settings_set(config, key->name, instead);
    }
    const char *set = bp_kit_settings_peek(config, key->name);
    char *secret = set != NULL ? bp_kit_dup(set) : NULL;
    struct hunt hunt = {.kit = kit, .key = key->name, .secret = secret};
    bp_status status = bp_kit_store_try_open(kit, config, &store, &error);
    look_at_error(&hunt, &error);
    if (status == BP_OK) {
        look_at_facts(&hunt, &store.info);
        look_at_operations(&hunt, &store);
        bp_kit_store_close(&store);
        look_at_error(&hunt, &error);
    }
    free(secret);
}

static void
check_secrets(struct bp_kit *kit)
{
    bool any = false;
    bp_kit_host_keep_lines();
    bp_kit_start(kit);
    for (uint32_t i = 0; i < kit->plugin.n_keys; i++) {
        const struct bp_config_key *key = &kit->keys[i];
        if ((key->flags & BP_CONFIG_SECRET) != 0) {
            look_with(kit, key, NULL);
            look_with(kit, key, MARKER);
            look_with(kit, key, MARKER_OF_WORDS);
            any = true;
        }
    }
    if (!any) {
        bp_kit_skip(kit, "it has no secret setting");
    }
}

/* One that fills its array was cut. */
static bool
ends_within(const char *field, size_t cap)
{
    return memchr(field, '\0', cap - 1) != NULL && bp_utf8_check(field) == 0;
}

static void
check_info(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    const struct bp_storage_info *info = &store.info;
    const struct bp_storage_ops *ops = &kit->ops;
    if (!bp_kit_store_can(&store, BP_STORE_RANGE_READ)) {
        bp_kit_fail(kit, "it does not promise RANGE_READ, which is required");
    }
    if (!ends_within(info->identity, sizeof info->identity) ||
        !ends_within(info->copy_scope, sizeof info->copy_scope) ||
        !ends_within(info->local_root, sizeof info->local_root) ||
        !ends_within(info->server_root, sizeof info->server_root) ||
        !ends_within(info->place, sizeof info->place)) {
        bp_kit_fail(kit, "one of its texts is not valid UTF-8 with an end, or was cut");
    }
    if (info->identity[0] == '\0') {
        bp_kit_fail(kit, "it has no identity: bakplane cannot tell which of its storages are one");
    }
    if (info->identity[0] != '\0' && info->identity[strlen(info->identity) - 1] == '/') {
        bp_kit_fail(kit, "its identity \"%s\" ends in '/'", info->identity);
    }
    if (info->local_root[0] != '\0' && info->local_root[0] != '/') {
        bp_kit_fail(kit, "local_root \"%s\" is no absolute path", info->local_root);
    }
    bool parts = ops->part_begin && ops->part_open && ops->part_complete && ops->part_abort;
    if (bp_kit_store_can(&store, BP_STORE_PARTS) &&
        (!parts || info->max_part == 0 || info->max_parts == 0 ||
         info->min_part > info->max_part)) {
        bp_kit_fail(kit, "it promises PARTS, and lacks an operation or a limit for them");
    }
    if (bp_kit_store_can(&store, BP_STORE_SERVER_COPY) &&
        (ops->copy == NULL || info->max_copy == 0)) {
        bp_kit_fail(kit, "it promises SERVER_COPY, and has no copy or a max_copy of 0");
    }
    bp_kit_store_close(&store);
}

static void
check_probe(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_list list = {.prefix = kit->prefix};
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "x", 1);
    bp_status status = try_probe(&store, all_needs(&store), NULL, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "probe with settings that should have all rights");
    bp_kit_list_expect(&store, &list, &key, 1, "after probe");
    bp_kit_store_close(&store);
}

static void
check_denied(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    bp_kit_store_open(kit, bp_kit_hook(kit, "denied"), 0, &store);
    bp_status status = try_probe(&store, all_needs(&store), NULL, &error);
    if (status == BP_OK) {
        bp_kit_fail(kit, "probe where a right is missing (hooks.denied) answered ok");
    }
    if (status != BP_ERR_DENIED && status != BP_ERR_AUTH && status != BP_ERR_NOT_FOUND) {
        bp_kit_fail(kit,
                    "probe where a right is missing answered %s, not denied, auth or not-found: "
                    "%.*s",
                    bp_class_name(status), (int)sizeof error.message, error.message);
    }
    if (error.message[0] == '\0') {
        bp_kit_fail(kit, "probe answered %s and no message", bp_class_name(status));
    }
    bp_kit_store_close(&store);
}

static void
check_unreachable(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_op op;
    long long start = bp_kit_now_ns();
    bp_kit_store_open(kit, bp_kit_hook(kit, "unreachable"), 0, &store);
    if (bp_kit_now_ns() - start > 1000000000) {
        bp_kit_fail(kit, "open took more than a second: it reached for something");
    }
    bp_kit_op_init(&op, 3000);
    start = bp_kit_now_ns();
    bp_status status = try_probe(&store, BP_NEED_LIST, &op, &error);
    long long ms = (bp_kit_now_ns() - start) / 1000000;
    if (status != BP_ERR_TIMEOUT && status != BP_ERR_RETRYABLE && status != BP_ERR_NOT_FOUND) {
        bp_kit_fail(kit,
                    "probe of a place that cannot be reached answered %s, not timeout, "
                    "retryable or not-found: %.*s",
                    bp_class_name(status), (int)sizeof error.message, error.message);
    }
    if (ms > 3000 + 1500) {
        bp_kit_fail(kit, "probe with a deadline of 3 s came back after %lld ms", ms);
    }
    bp_kit_op_clear(&op);
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_config[] = {
    {.name = "config.used", .contract = "open asks for each declared setting", .run = check_used},
    {.name = "config.required",
     .contract = "open without a required setting is INVALID and names it",
     .run = check_required},
    {.name = "config.bad_values",
     .contract = "open with a bad value is INVALID and names the setting",
     .run = check_bad_values,
     .hook = "bad_values"},
    {.name = "config.two_instances",
     .contract = "state belongs to instances: one can be closed while another works",
     .run = check_two},
    {.name = "config.independent",
     .contract = "two instances with other settings are two storages",
     .run = check_independent,
     .hook = "second"},
    {.name = "config.secrets",
     .contract = "no secret is in a log line, an error or the facts of an instance",
     .run = check_secrets,
     .times = 2},
    {.name = "config.unreachable",
     .contract = "open reaches for nothing; a place that does not answer is TIMEOUT, RETRYABLE or "
                 "NOT_FOUND within the deadline",
     .run = check_unreachable,
     .hook = "unreachable"},
    {.name = "info.sane",
     .contract = "info tells promises that have their operations, sane limits, texts that end",
     .run = check_info},
    {.name = "probe.rights",
     .contract = "probe tries the rights that a job needs, and leaves nothing behind",
     .run = check_probe},
    {.name = "probe.denied",
     .contract = "probe answers DENIED, AUTH or NOT_FOUND with a message when a right is missing",
     .run = check_denied,
     .hook = "denied"},
    BP_KIT_CHECKS_END,
};
