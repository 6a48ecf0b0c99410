/* SPDX-License-Identifier: Apache-2.0
 *
 * See kit.h.
 */
#include "sdk/testkit/kit.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/runner.h"

#include "sdk/lib/ban.h"

#define KEYS_MAX 256

/* Bytes of each structure in minor 0: what every plugin of major 1 has. */
#define PLUGIN_MIN (offsetof(struct bp_plugin, fini) + sizeof(void (*)(void)))
#define STORAGE_MIN (offsetof(struct bp_storage_ops, remove) + sizeof(void (*)(void)))
#define SOURCE_MIN (offsetof(struct bp_source_ops, documents) + sizeof(void (*)(void)))

/* One message to the process that watches: what kind, and text without line ends. */
__attribute__((format(printf, 3, 0))) static void
report(const struct bp_kit *kit, char kind, const char *format, va_list args)
{
    char line[2048];
    line[0] = kind;
    (void)vsnprintf(line + 1, sizeof line - 2, format, args);
    for (char *at = line + 1; *at != '\0'; at++) {
        *at = *at == '\n' ? ' ' : *at;
    }
    size_t n = strlen(line);
    line[n++] = '\n';
    if (write(kit->report_fd, line, n) < 0) { /* one write: threads do not mix */
        _exit(BP_KIT_END_FAIL);
    }
}

void
bp_kit_fail(const struct bp_kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(kit, BP_KIT_SAYS_WHY, format, args);
    va_end(args);
    _exit(BP_KIT_END_FAIL);
}

void
bp_kit_skip(const struct bp_kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(kit, BP_KIT_SAYS_WHY, format, args);
    va_end(args);
    _exit(BP_KIT_END_SKIP);
}

void
bp_kit_bail(const struct bp_kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(kit, BP_KIT_SAYS_WHY, format, args);
    va_end(args);
    _exit(BP_KIT_END_BAIL);
}

void
bp_kit_note(const struct bp_kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(kit, BP_KIT_SAYS_NOTE, format, args);
    va_end(args);
}

void
bp_kit_step(const struct bp_kit *kit, const char *call, const char *on)
{
    if (kit->in_crowd) {
        return;
    }
    (void)snprintf(kit->step->call, sizeof kit->step->call, "%s", call);
    (void)snprintf(kit->step->on, sizeof kit->step->on, "%s", on != NULL ? on : "");
}

const struct bp_kit_node *
bp_kit_hook(const struct bp_kit *kit, const char *name)
{
    return bp_kit_node_get(bp_kit_node_get(kit->config, "hooks"), name);
}

const char *
bp_kit_key(const struct bp_kit *kit, const char *format, ...)
{
    char rest[BP_KEY_MAX + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    return bp_kit_text("%s%s", kit->prefix, rest);
}

/* Copies what both sides know of a table of the plugin's. */
static void
take(void *to, size_t to_size, const void *from)
{
    uint32_t size = 0;
    memcpy(&size, from, sizeof size);
    memset(to, 0, to_size);
    memcpy(to, from, size < to_size ? size : to_size);
}

static uint32_t
size_of(const void *table)
{
    uint32_t size = 0;
    memcpy(&size, table, sizeof size);
    return size;
}

static void
take_keys(struct bp_kit *kit)
{
    const struct bp_plugin *plugin = &kit->plugin;
    if (plugin->n_keys > KEYS_MAX || (plugin->n_keys > 0 && plugin->keys == NULL) ||
        (plugin->n_keys > 0 && plugin->key_stride < sizeof *plugin->keys)) {
        bp_kit_fail(kit, "the descriptor has a table of %u settings with a stride of %u bytes",
                    plugin->n_keys, plugin->key_stride);
    }
    kit->keys = bp_kit_alloc(plugin->n_keys, sizeof *kit->keys);
    for (uint32_t i = 0; i < plugin->n_keys; i++) {
        memcpy(&kit->keys[i], (const char *)plugin->keys + (size_t)i * plugin->key_stride,
               sizeof kit->keys[i]);
        if (kit->keys[i].name == NULL) {
            bp_kit_fail(kit, "setting number %u of the descriptor has no name", i);
        }
    }
}

static void
take_tables(struct bp_kit *kit)
{
    const struct bp_plugin *told = kit->told;
    bool storage = kit->options->kind == BP_KIT_STORAGE;
    if (told == NULL || told->abi_major != BP_ABI_MAJOR) {
        bp_kit_fail(kit, told == NULL ? "the entry answered no descriptor"
                                      : "the descriptor is not of ABI major 1");
    }
    if (size_of(told) < PLUGIN_MIN) {
        bp_kit_fail(kit, "the descriptor says it has %u bytes; in ABI 1.0 it has %zu",
                    size_of(told), PLUGIN_MIN);
    }
    take(&kit->plugin, sizeof kit->plugin, told);
    take_keys(kit);
    const void *ops = storage ? (const void *)told->storage : (const void *)told->source;
    size_t min = storage ? STORAGE_MIN : SOURCE_MIN;
    if (ops == NULL || size_of(ops) < min) {
        bp_kit_fail(kit, "the plugin offers no %s operations of at least %zu bytes",
                    storage ? "storage" : "source", min);
    }
    if (storage) {
        take(&kit->ops, sizeof kit->ops, ops);
    } else {
        take(&kit->source, sizeof kit->source, ops);
    }
}

bp_status (*bp_kit_entry(const struct bp_kit *kit, const char **why))(const struct bp_host *,
                                                                      const struct bp_plugin **,
                                                                      struct bp_error *)
{
    bp_status (*entry)(const struct bp_host *, const struct bp_plugin **, struct bp_error *) = NULL;
    bp_kit_step(kit, "dlopen", kit->options->plugin);
    void *handle = dlopen(kit->options->plugin, RTLD_NOW | RTLD_LOCAL); /* never closed */
    void *symbol = handle != NULL ? dlsym(handle, BP_PLUGIN_ENTRY) : NULL;
    if (symbol == NULL) {
        *why = dlerror();
        return NULL;
    }
    memcpy(&entry, &symbol, sizeof entry);
    bp_kit_step(kit, "entry", NULL);
    return entry;
}

void
bp_kit_load(struct bp_kit *kit, enum bp_kit_host_shape shape)
{
    const char *why = NULL;
    struct bp_error error;
    bp_status (*entry)(const struct bp_host *, const struct bp_plugin **, struct bp_error *) =
        bp_kit_entry(kit, &why);
    if (entry == NULL) {
        bp_kit_fail(kit, "it cannot be loaded: %s", why);
    }
    kit->host = bp_kit_host(shape);
    bp_error_init(&error);
    bp_status status = entry(kit->host, &kit->told, &error);
    if (status != BP_OK) {
        bp_kit_fail(kit, "the entry answered %s: %s", bp_class_name(status), error.message);
    }
    take_tables(kit);
}

void
bp_kit_start(struct bp_kit *kit)
{
    struct bp_error error;
    if (kit->told != NULL) {
        return;
    }
    bp_kit_load(kit, BP_KIT_HOST_USUAL);
    bp_error_init(&error);
    bp_kit_step(kit, "init", NULL);
    bp_status status = kit->plugin.init != NULL ? kit->plugin.init(kit->host, &error) : BP_OK;
    if (status != BP_OK) {
        bp_kit_fail(kit, "init answered %s: %s", bp_class_name(status), error.message);
    }
}
