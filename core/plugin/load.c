/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps a plugin, asks for its descriptor, checks versions, tables and names, and copies all of it
 * into structures of the host.  The plugin's own tables are never touched again.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/answer.h"
#include "core/plugin/host.h"
#include "core/plugin/module.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define NAME_MAX_BYTES 31
/* No structure of ours will ever be that large: who says so does not know its size. */
#define STRUCT_MAX 65536
/* The words before it are the plugin's own. */
#define REFUSES_HINT "the plugin says so itself: see its documentation, or take the file away"

typedef struct {
    const char *name;
    gsize offset;
} required_op;

#define STORAGE_OP(op)                           \
    {                                            \
#op, offsetof(struct bp_storage_ops, op) \
    }
#define SOURCE_OP(op)                           \
    {                                           \
#op, offsetof(struct bp_source_ops, op) \
    }

static const required_op storage_required[] = {
    STORAGE_OP(open),        STORAGE_OP(close),  STORAGE_OP(info),
    STORAGE_OP(probe),       STORAGE_OP(stat),   STORAGE_OP(list),
    STORAGE_OP(read_open),   STORAGE_OP(read),   STORAGE_OP(read_close),
    STORAGE_OP(write_open),  STORAGE_OP(write),  STORAGE_OP(write_commit),
    STORAGE_OP(write_abort), STORAGE_OP(remove), {NULL, 0},
};

static const required_op source_required[] = {
    SOURCE_OP(open),     SOURCE_OP(close),      SOURCE_OP(info),
    SOURCE_OP(probe),    SOURCE_OP(plan),       SOURCE_OP(run_begin),
    SOURCE_OP(run_end),  SOURCE_OP(unit_begin), SOURCE_OP(unit_items),
    SOURCE_OP(unit_end), SOURCE_OP(unit_prove), SOURCE_OP(documents),
    {NULL, 0},
};

/* Bytes of each structure in minor 0: what every plugin of major 1 has. */
#define PLUGIN_MIN (offsetof(struct bp_plugin, fini) + sizeof(void (*)(void)))
#define STORAGE_MIN (offsetof(struct bp_storage_ops, remove) + sizeof(void (*)(void)))
#define SOURCE_MIN (offsetof(struct bp_source_ops, documents) + sizeof(void (*)(void)))

static bool load_bug(const char *path, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool
load_bug(const char *path, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    bp_set_error(error, BP_ERR_PERMANENT, "plugin bug: %s: %s", path, text);
    bp_error_add_hint(error, BP_MODULE_BUG_HINT);
    return false;
}

/* Before anything behind it is believed. */
static bool
check_size(const char *path, const char *what, const void *from, GError **error)
{
    guint32 size = 0;
    if (from != NULL) {
        memcpy(&size, from, sizeof size);
    }
    return size <= STRUCT_MAX || load_bug(path, error, "%s: a size of %u bytes", what, size);
}

static bool
check_version(const char *path, const struct bp_plugin *plugin, GError **error)
{
    if (plugin->abi_major != BP_ABI_MAJOR) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "%s speaks plugin ABI %u.%u, this host %u.%u", path,
                     plugin->abi_major, plugin->abi_minor, BP_ABI_MAJOR, BP_ABI_MINOR);
        bp_error_add_hint(error,
                          plugin->abi_major > BP_ABI_MAJOR
                              ? "update bakplane"
                              : "get a build of the plugin for ABI " G_STRINGIFY(BP_ABI_MAJOR));
        return false;
    }
    if (plugin->min_host_minor > BP_ABI_MINOR) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "%s needs a host with plugin ABI %u.%u or newer, this host speaks %u.%u", path,
                     BP_ABI_MAJOR, plugin->min_host_minor, BP_ABI_MAJOR, BP_ABI_MINOR);
        bp_error_add_hint(error, "update bakplane");
        return false;
    }
    return true;
}

bool
bp_plugin_name_is_valid(const char *name)
{
    return name != NULL && g_ascii_islower(name[0]) &&
           strnlen(name, NAME_MAX_BYTES + 1) <= NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static bool
check_name(const char *path, const char *told, const char *name, GError **error)
{
    if (!bp_plugin_name_is_valid(told)) {
        return load_bug(path, error, "its descriptor has no valid name");
    }
    if (strcmp(told, name) != 0) {
        return load_bug(path, error, "it calls itself \"%s\", its file \"%s\"", told, name);
    }
    return true;
}

static bool
check_text(const char *path, const char *what, const char **text, GError **error)
{
    if (*text == NULL) {
        *text = "";
    }
    return bp_utf8_check(*text) == 0 || load_bug(path, error, "its %s is not valid UTF-8", what);
}

static bool
check_ops(const char *path, const char *kind, const void *ops, const required_op *required,
          GError **error)
{
    for (; required->name != NULL; required++) {
        void *slot = NULL;
        memcpy(&slot, (const char *)ops + required->offset, sizeof slot);
        if (slot == NULL) {
            return load_bug(path, error, "it lacks the %s operation \"%s\"", kind, required->name);
        }
    }
    return true;
}

static bool
take_storage(bp_module *module, GError **error)
{
    if (module->descriptor.storage == NULL) {
        return true;
    }
    if (!check_size(module->path, "its storage operations", module->descriptor.storage, error)) {
        return false;
    }
    if (!bp_answer_copy(&module->storage, sizeof module->storage, STORAGE_MIN,
                        module->descriptor.storage)) {
        return load_bug(module->path, error, "its storage operations are too short");
    }
    module->descriptor.storage = &module->storage;
    return check_ops(module->path, "storage", &module->storage, storage_required, error);
}

static bool
take_source(bp_module *module, GError **error)
{
    if (module->descriptor.source == NULL) {
        return true;
    }
    if (!check_size(module->path, "its source operations", module->descriptor.source, error)) {
        return false;
    }
    if (!bp_answer_copy(&module->source, sizeof module->source, SOURCE_MIN,
                        module->descriptor.source)) {
        return load_bug(module->path, error, "its source operations are too short");
    }
    struct bp_source_ops *ops = &module->source;
    g_autofree char *create = g_strconcat(module->path, ": create options", NULL);
    g_autofree char *restore = g_strconcat(module->path, ": restore options", NULL);
    if (!bp_module__copy_keys(ops->create_keys, ops->key_stride, ops->n_create_keys, create,
                              &module->create_keys, error) ||
        !bp_module__copy_keys(ops->restore_keys, ops->key_stride, ops->n_restore_keys, restore,
                              &module->restore_keys, error)) {
        return false;
    }
    ops->create_keys = module->create_keys;
    ops->restore_keys = module->restore_keys;
    ops->key_stride = sizeof(struct bp_config_key);
    module->descriptor.source = ops;
    return check_ops(module->path, "source", ops, source_required, error);
}

static bool
take_settings(bp_module *module, GError **error)
{
    struct bp_plugin *plugin = &module->descriptor;
    g_autofree char *what = g_strconcat(module->path, ": settings", NULL);
    if (!bp_module__copy_keys(plugin->keys, plugin->key_stride, plugin->n_keys, what, &module->keys,
                              error)) {
        return false;
    }
    plugin->keys = module->keys;
    plugin->key_stride = sizeof(struct bp_config_key);
    return true;
}

static bool
wrong_kind(const bp_module *module, bp_plugin_kind kind, const char *name, GError **error)
{
    bp_plugin_kind other = kind == BP_PLUGIN_STORAGE ? BP_PLUGIN_SOURCE : BP_PLUGIN_STORAGE;
    if (!bp_module_offers(module, other)) {
        return load_bug(module->path, error, "it offers neither a storage nor a source");
    }
    bp_set_error(error, BP_ERR_PERMANENT, "%s: its file says %s, but it offers none", module->path,
                 bp_plugin_kind_name(kind));
    bp_error_add_hint(error, "rename it to bakplane-%s-%s.so", bp_plugin_kind_name(other), name);
    return false;
}

/*
 * Threads, open and close alone, no re-entry: each promise is made for the whole plugin, and could
 * not be kept where a source's call comes back as one to the storage of the same plugin.
 */
static bool
check_one_kind(const char *path, const struct bp_plugin *plugin, GError **error)
{
    if (plugin->storage == NULL || plugin->source == NULL) {
        return true;
    }
    bp_set_error(error, BP_ERR_PERMANENT,
                 "plugin bug: %s: it offers a storage and a source, a plugin is one of them", path);
    bp_error_add_hint(error, "its author has to make two files of it; until then take it away");
    return false;
}

static bool
take_descriptor(bp_module *module, const struct bp_plugin *from, bp_plugin_kind kind,
                const char *name, GError **error)
{
    struct bp_plugin *plugin = &module->descriptor;
    if (!check_size(module->path, "its descriptor", from, error)) {
        return false;
    }
    if (!bp_answer_copy(plugin, sizeof *plugin, offsetof(struct bp_plugin, thread_model), from)) {
        return load_bug(module->path, error, "its entry answered no descriptor");
    }
    if (!check_version(module->path, plugin, error)) {
        return false;
    }
    if (from->struct_size < PLUGIN_MIN) {
        return load_bug(module->path, error, "its descriptor has %u bytes, ABI 1.0 has %zu",
                        from->struct_size, PLUGIN_MIN);
    }
    if (!check_one_kind(module->path, plugin, error) ||
        !check_name(module->path, plugin->name, name, error) ||
        !check_text(module->path, "version", &plugin->version, error) ||
        !check_text(module->path, "summary", &plugin->summary, error) ||
        !check_text(module->path, "license", &plugin->license, error) ||
        !take_settings(module, error) || !take_storage(module, error) ||
        !take_source(module, error)) {
        return false;
    }
    return bp_module_offers(module, kind) || wrong_kind(module, kind, name, error);
}

bp_module *
bp_module_load_entry(const char *path, bp_entry_fn entry, bp_plugin_kind kind, const char *name,
                     GError **error)
{
    const struct bp_plugin *from = NULL;
    struct bp_error raw;
    bp_error_init(&raw);
    bp_status status = entry(bp_host_table(), &from, &raw);
    if (status != BP_OK) {
        bp_set_error_from_plugin(error, &raw);
        g_prefix_error(error, "%s: ", path);
        bp_error_add_hint(error, REFUSES_HINT);
        return NULL;
    }
    g_autoptr(bp_module) module = g_new0(bp_module, 1);
    module->path = g_strdup(path);
    bp_gate_init(&module->gate, 0);
    if (!take_descriptor(module, from, kind, name, error)) {
        return NULL;
    }
    guint32 model = module->descriptor.thread_model;
    module->gate.limit = model == BP_THREADS_INSTANCE || model == BP_THREADS_PARALLEL ? 0 : 1;
    return g_steal_pointer(&module);
}

bp_module *
bp_module_load(const char *path, const char *sha256, bp_plugin_kind kind, const char *name,
               GError **error)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* never closed: see plugins.h */
    if (handle == NULL) {
        bp_set_error(error, BP_ERR_PERMANENT, "cannot load %s: %s", path, dlerror());
        bp_error_add_hint(error, "ldd %s shows the libraries that it needs", path);
        return NULL;
    }
    bp_entry_fn entry = NULL;
    void *symbol = dlsym(handle, BP_PLUGIN_ENTRY);
    memcpy(&entry, &symbol, sizeof entry);
    if (entry == NULL) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "%s offers no plugin ABI %d, which is all this host (%d.%d) speaks", path,
                     BP_ABI_MAJOR, BP_ABI_MAJOR, BP_ABI_MINOR);
        bp_error_add_hint(error, "it was not built with bakplane's SDK, or with another one");
        return NULL;
    }
    bp_module *module = bp_module_load_entry(path, entry, kind, name, error);
    if (module != NULL) {
        module->sha256 = g_strdup(sha256);
    }
    return module;
}

static void
begin(bp_module *module)
{
    struct bp_error raw;
    bp_error_init(&raw);
    bp_status status = module->descriptor.init(bp_host_table(), &raw);
    if (status != BP_OK) {
        raw.cls = status;
        bp_set_error_from_plugin(&module->init_error, &raw);
        g_prefix_error(&module->init_error, "%s did not start: ", module->path);
        bp_error_add_hint(&module->init_error, REFUSES_HINT);
    }
}

bool
bp_module_init(bp_module *module, GError **error)
{
    if (!module->initialised) { /* written once: afterwards many threads may look */
        if (module->descriptor.init != NULL) {
            begin(module);
        }
        module->initialised = true;
    }
    if (module->init_error != NULL) {
        g_propagate_error(error, g_error_copy(module->init_error));
        return false;
    }
    return true;
}

void
bp_module_free(bp_module *module)
{
    if (module == NULL) {
        return;
    }
    if (module->initialised && module->init_error == NULL && module->descriptor.fini != NULL) {
        module->descriptor.fini();
    }
    bp_gate_clear(&module->gate);
    g_clear_error(&module->init_error);
    g_free(module->keys);
    g_free(module->create_keys);
    g_free(module->restore_keys);
    g_free(module->path);
    g_free(module->sha256);
    g_free(module);
}
