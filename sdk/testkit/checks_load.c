/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the file, the entry, the descriptor, and of what the plugin does with hosts of other
 * minors.
 */
#include <bakplane/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/testkit/census.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/elf.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/round.h"
#include "sdk/testkit/trust.h"

#include "sdk/lib/ban.h"

#define NAME_MAX_BYTES 31
#define KNOWN_FLAGS (BP_CONFIG_REQUIRED | BP_CONFIG_SECRET | BP_CONFIG_LIST)

static void
read_elf(const struct bp_kit *kit, struct bp_kit_elf *elf)
{
    const char *why = NULL;
    if (!bp_kit_elf_read(kit->options->plugin, elf, &why)) {
        bp_kit_fail(kit, "%s: %s", kit->options->plugin, why);
    }
}

static void
check_exports(struct bp_kit *kit)
{
    struct bp_kit_elf elf;
    bool has_entry = false;
    read_elf(kit, &elf);
    for (size_t i = 0; i < elf.n_defined; i++) {
        bool is_entry = strcmp(elf.defined[i], BP_PLUGIN_ENTRY) == 0;
        has_entry = has_entry || is_entry;
        if (!is_entry) {
            bp_kit_fail(kit,
                        "it exports %s as well (%zu symbols in all); build it with "
                        "-fvisibility=hidden and --exclude-libs,ALL",
                        elf.defined[i], elf.n_defined);
        }
    }
    if (!has_entry) {
        bp_kit_fail(kit, "it does not export %s", BP_PLUGIN_ENTRY);
    }
}

static void
check_undefined(struct bp_kit *kit)
{
    struct bp_kit_elf elf;
    read_elf(kit, &elf);
    for (size_t i = 0; i < elf.n_wanted; i++) {
        if (strncmp(elf.wanted[i], "bp_", 3) == 0) {
            bp_kit_fail(kit, "it wants %s from its host; link with -z defs to see it at once",
                        elf.wanted[i]);
        }
    }
}

static void
check_no_delete(struct bp_kit *kit)
{
    struct bp_kit_elf elf;
    read_elf(kit, &elf);
    if (!elf.no_delete) {
        bp_kit_fail(kit, "it can be unloaded; link it with -z nodelete");
    }
}

static void
check_file_name(struct bp_kit *kit)
{
    char wanted[128];
    const char *slash = strrchr(kit->options->plugin, '/');
    bp_kit_load(kit, BP_KIT_HOST_USUAL);
    (void)snprintf(wanted, sizeof wanted, "bakplane-%s-%s.so",
                   kit->options->kind == BP_KIT_SOURCE ? "source" : "storage", kit->plugin.name);
    if (strcmp(slash + 1, wanted) != 0) {
        bp_kit_fail(kit, "the file is called %s and the plugin %s: bakplane looks for %s",
                    slash + 1, kit->plugin.name, wanted);
    }
}

static void
check_trust(struct bp_kit *kit)
{
    const char *trust = kit->options->trust;
    char *why = NULL;
    if (trust == NULL) {
        bp_kit_skip(kit, "needs --trust DIR");
    }
    if (!bp_kit_trust(kit->options->plugin, trust, &why)) {
        bp_kit_fail(kit, "%s", why);
    }
}

static void
check_entry(struct bp_kit *kit)
{
    const char *why = NULL;
    struct bp_error error;
    const struct bp_plugin *first = NULL, *second = NULL;
    bp_status (*entry)(const struct bp_host *, const struct bp_plugin **, struct bp_error *) =
        bp_kit_entry(kit, &why);
    if (entry == NULL) {
        bp_kit_fail(kit, "it cannot be loaded: %s", why);
    }
    size_t descriptors = bp_kit_count_descriptors();
    size_t threads = bp_kit_count_threads(0, 0);
    char *state = bp_kit_process_state();
    bp_error_init(&error);
    bp_status status = entry(bp_kit_host(BP_KIT_HOST_USUAL), &first, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "the entry");
    status = entry(bp_kit_host(BP_KIT_HOST_USUAL), &second, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "the entry, called again");
    if (first == NULL || first != second) {
        bp_kit_fail(kit, "two calls answered %s", first == NULL ? "nothing" : "two descriptors");
    }
    if (bp_kit_count_descriptors() != descriptors || bp_kit_count_threads(0, 0) != threads ||
        strcmp(bp_kit_process_state(), state) != 0) {
        bp_kit_fail(kit, "after it the process has other descriptors, threads or settings");
    }
    free(state);
}

static void
check_text(const struct bp_kit *kit, const char *what, const char *text)
{
    if (text == NULL || *text == '\0' || bp_utf8_check(text) != 0 || strchr(text, '\n') != NULL) {
        bp_kit_fail(kit, "its %s is missing or no line of UTF-8", what);
    }
}

static void
check_required(const struct bp_kit *kit)
{
    const struct bp_storage_ops *o = &kit->ops;
    const struct bp_source_ops *s = &kit->source;
    bool storage = o->open && o->close && o->info && o->probe && o->stat && o->list &&
                   o->read_open && o->read && o->read_close && o->write_open && o->write &&
                   o->write_commit && o->write_abort && o->remove;
    bool source = s->open && s->close && s->info && s->probe && s->plan && s->run_begin &&
                  s->run_end && s->unit_begin && s->unit_items && s->unit_end && s->unit_prove &&
                  s->documents;
    if (kit->plugin.storage != NULL && kit->plugin.source != NULL) {
        bp_kit_fail(kit, "it offers a storage and a source, a plugin is one of them");
    }
    if (kit->options->kind == BP_KIT_STORAGE ? !storage : !source) {
        bp_kit_fail(kit, "a required operation is missing; the header names them all");
    }
}

static void
check_descriptor(struct bp_kit *kit)
{
    bp_kit_load(kit, BP_KIT_HOST_USUAL);
    const struct bp_plugin *plugin = &kit->plugin;
    const char *name = plugin->name;
    if (name == NULL || name[0] < 'a' || name[0] > 'z' || strlen(name) > NAME_MAX_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name)) {
        bp_kit_fail(kit, "its name is \"%s\"", name != NULL ? name : "");
    }
    check_text(kit, "version", plugin->version);
    check_text(kit, "summary", plugin->summary);
    check_text(kit, "license", plugin->license);
    if (plugin->thread_model > BP_THREADS_PARALLEL) {
        bp_kit_fail(kit, "its thread model is %u", plugin->thread_model);
    }
    if (plugin->min_host_minor > plugin->abi_minor) {
        bp_kit_fail(kit, "it wants a host of minor %u and was built with headers of minor %u",
                    plugin->min_host_minor, plugin->abi_minor);
    }
    check_required(kit);
}

static bool
is_word(const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static void
check_keys(struct bp_kit *kit)
{
    bp_kit_load(kit, BP_KIT_HOST_USUAL);
    for (uint32_t i = 0; i < kit->plugin.n_keys; i++) {
        const struct bp_config_key *key = &kit->keys[i];
        const char *wrong = NULL;
        if (!is_word(key->name)) {
            wrong = "is no name of small letters, digits and _";
        } else if (key->type > BP_CONFIG_PATH) {
            wrong = "has a type that ABI 1.0 does not know";
        } else if ((key->flags & ~KNOWN_FLAGS) != 0) {
            wrong = "has flags that ABI 1.0 does not know";
        } else if (key->min > key->max) {
            wrong = "has a minimum above its maximum";
        } else if (key->type == BP_CONFIG_CHOICE && key->choices == NULL) {
            wrong = "has no choices";
        } else if (key->def != NULL && (key->flags & BP_CONFIG_REQUIRED) != 0) {
            wrong = "is required and has a default";
        } else if (key->help == NULL || *key->help == '\0' || bp_utf8_check(key->help) != 0) {
            wrong = "has no help";
        }
        for (uint32_t j = 0; j < i && wrong == NULL; j++) {
            wrong = strcmp(kit->keys[j].name, key->name) == 0 ? "is declared twice" : NULL;
        }
        if (wrong != NULL) {
            bp_kit_fail(kit, "setting \"%s\" %s", key->name, wrong);
        }
    }
}

/* A source's own checks do more; here it only has to come up. */
static void
use_with(struct bp_kit *kit, enum bp_kit_host_shape shape)
{
    struct bp_kit_store store;
    struct bp_error error;
    bp_kit_load(kit, shape);
    bp_error_init(&error);
    bp_kit_step(kit, "init", NULL);
    bp_status status = kit->plugin.init != NULL ? kit->plugin.init(kit->host, &error) : BP_OK;
    bp_kit_expect(kit, status, BP_OK, &error, "init");
    if (kit->options->kind == BP_KIT_STORAGE) {
        bp_kit_store_open(kit, NULL, 0, &store);
        bp_kit_round(&store, bp_kit_key(kit, "object"));
        bp_kit_store_close(&store);
    }
    bp_kit_step(kit, "fini", NULL);
    if (kit->plugin.fini != NULL) {
        kit->plugin.fini();
    }
}

static void
check_oldest(struct bp_kit *kit)
{
    use_with(kit, BP_KIT_HOST_OLDEST);
}

static void
check_newer(struct bp_kit *kit)
{
    use_with(kit, BP_KIT_HOST_NEWER);
}

/* Refused memory is the one thing by which a host can make init fail. */
static void
check_init(struct bp_kit *kit)
{
    struct bp_error error;
    bp_kit_load(kit, BP_KIT_HOST_USUAL);
    if (kit->plugin.init == NULL) {
        bp_kit_skip(kit, "it has no init");
    }
    size_t descriptors = bp_kit_count_descriptors();
    size_t threads = bp_kit_count_threads(0, 0);
    bp_error_init(&error);
    bp_kit_host_refuse(1);
    bp_kit_step(kit, "init", NULL);
    bp_status status = kit->plugin.init(kit->host, &error);
    bool asked = bp_kit_host_requests() > 0;
    bp_kit_host_refuse(0);
    if (status == BP_OK && !asked) {
        bp_kit_skip(kit, "its init asks the host for nothing, so that it cannot be made to fail");
    }
    if (status == BP_OK) {
        return;
    }
    if (bp_kit_count_descriptors() != descriptors || bp_kit_host_blocks() != 0 ||
        bp_kit_count_threads(threads, 1000) > threads) {
        bp_kit_fail(kit, "init answered %s and left descriptors, threads or memory behind",
                    bp_class_name(status));
    }
}

const struct bp_kit_check bp_kit_checks_load[] = {
    {.name = "load.exports",
     .contract = "a plugin exports bp_plugin_entry_v1 and nothing else",
     .run = check_exports},
    {.name = "load.undefined",
     .contract = "a plugin has no undefined bp_* symbol: the host comes in as a table",
     .run = check_undefined},
    {.name = "load.nodelete",
     .contract = "a plugin is loaded once and never unloaded",
     .run = check_no_delete},
    {.name = "load.trust",
     .contract = "bakplane loads only files that nobody but root and its own user can change",
     .run = check_trust},
    {.name = "load.entry",
     .contract = "the entry returns the descriptor's address: no I/O, no threads, callable twice",
     .run = check_entry},
    {.name = "load.descriptor",
     .contract = "the descriptor has a valid name, version, summary, license, and all required "
                 "operations of one kind",
     .run = check_descriptor},
    {.name = "load.settings",
     .contract = "each declared setting has a valid name, type, range, default and help",
     .run = check_keys},
    {.name = "load.file_name",
     .contract = "the file is named bakplane-<kind>-<name>.so after the plugin's own name",
     .run = check_file_name},
    {.name = "load.oldest_host",
     .contract = "a plugin works in a host of minor 0: it asks BP_HAS before anything newer",
     .run = check_oldest},
    {.name = "load.newer_host",
     .contract = "a plugin works in a host of a later minor, whose tables are longer",
     .run = check_newer},
    {.name = "load.init_fails",
     .contract = "an init that fails leaves nothing behind",
     .run = check_init},
    BP_KIT_CHECKS_END,
};
