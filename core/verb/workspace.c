/* SPDX-License-Identifier: Apache-2.0
 *
 * See workspace.h.
 */
#include "core/verb/workspace.h"

#include <string.h>
#include <unistd.h>

#include "bp_build.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/text.h"

#include "sdk/lib/ban.h"

struct bp_workspace {
    const bp_config_tree *config;
    bp_plugins *plugins;
    bool has_lent_plugins; /* from another workspace, which frees them */
    bp_refs *refs;
    bp_call call;
    GHashTable *stores; /* name -> bp_store* */
    bp_module *source_module;
    bp_source_inst *source;
    char *source_storage;
    bp_settings *defaults; /* of `backup`, without flags: retry and names */
    GHashTable *catalogs;  /* name of the storage -> bp_catalog* */
    char *chosen;          /* instead of `backup.storage`, or NULL */
    char *commit_document;
};

static void
store_free(gpointer store)
{
    bp_store_free(store);
}

static void
catalog_free(gpointer data)
{
    bp_catalog *catalog = data;
    g_free((char *)catalog->taken); /* ours, and const for all others */
    g_free(catalog);
}

/* Beside the running program: right in a build tree, an installation, and a moved one. */
static char *
built_in_plugin_dir(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    if (program == NULL) {
        return g_strdup(BP_BUILD_PLUGIN_DIR);
    }
    g_autofree char *bin = g_path_get_dirname(program);
    g_autofree char *dir = g_build_filename(bin, BP_BUILD_PLUGIN_DIR_FROM_PROGRAM, NULL);
    return g_canonicalize_filename(dir, NULL);
}

/* Plugin directories: as configured, else the built-in one (build tree or installation). */
static bp_plugins *
open_plugins(const bp_config_tree *config, GError **error)
{
    bp_config_section_params params = {
        .path = "plugins", .tables = &bp_config_plugins_keys, .n_tables = 1};
    g_autoptr(bp_settings) settings = bp_config_section(config, &params, error);
    if (settings == NULL) {
        return NULL;
    }
    g_autoptr(GPtrArray) dirs = g_ptr_array_new();
    for (gsize i = 0; i < bp_settings_count(settings, "dirs"); i++) {
        g_ptr_array_add(dirs, (gpointer)bp_settings_at(settings, "dirs", i));
    }
    g_autofree char *built_in = built_in_plugin_dir();
    if (dirs->len == 0) {
        g_ptr_array_add(dirs, built_in);
    }
    g_ptr_array_add(dirs, NULL);
    g_autoptr(GPtrArray) sums = g_ptr_array_new();
    for (gsize i = 0; i < bp_settings_count(settings, "sha256"); i++) {
        g_ptr_array_add(sums, (gpointer)bp_settings_at(settings, "sha256", i));
    }
    bool any_sum = sums->len > 0;
    g_ptr_array_add(sums, NULL);
    return bp_plugins_new((const char *const *)dirs->pdata,
                          any_sum ? (const char *const *)sums->pdata : NULL);
}

static bp_workspace *
new_with(const bp_config_tree *config, const bp_cancel *cancel, bp_plugins *plugins)
{
    bp_workspace *workspace = g_new0(bp_workspace, 1);
    workspace->config = config;
    workspace->plugins = plugins;
    workspace->refs = bp_refs_new();
    workspace->call = (bp_call){.cancel = cancel, .refs = workspace->refs};
    workspace->stores = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, store_free);
    workspace->catalogs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, catalog_free);
    return workspace;
}

bp_workspace *
bp_workspace_new(const bp_config_tree *config, const bp_cancel *cancel, GError **error)
{
    bp_plugins *plugins = open_plugins(config, error);
    return plugins != NULL ? new_with(config, cancel, plugins) : NULL;
}

bp_workspace *
bp_workspace_new_beside(bp_workspace *other, const bp_cancel *cancel)
{
    bp_workspace *workspace = new_with(other->config, cancel, other->plugins);
    workspace->has_lent_plugins = true;
    return workspace;
}

void
bp_workspace_free(bp_workspace *workspace)
{
    if (workspace == NULL) {
        return;
    }
    bp_source_free(workspace->source);
    bp_refs_free(workspace->refs);
    g_hash_table_unref(workspace->catalogs);
    g_hash_table_unref(workspace->stores);
    bp_settings_free(workspace->defaults);
    g_free(workspace->source_storage);
    g_free(workspace->chosen);
    g_free(workspace->commit_document);
    if (!workspace->has_lent_plugins) {
        bp_plugins_free(workspace->plugins);
    }
    g_free(workspace);
}

const bp_config_tree *
bp_workspace_config(const bp_workspace *workspace)
{
    return workspace->config;
}

bp_plugins *
bp_workspace_plugins(bp_workspace *workspace)
{
    return workspace->plugins;
}

const bp_call *
bp_workspace_call(const bp_workspace *workspace)
{
    return &workspace->call;
}

bp_call
bp_workspace_verb_call(const bp_workspace *workspace, const bp_cancel *cancel,
                       const bp_settings *settings)
{
    bp_call call = workspace->call;
    call.cancel = cancel;
    guint64 timeout_ms = bp_settings_u64(settings, "timeout");
    if (timeout_ms > 0) {
        call.deadline_ns = bp_clock_mono_ns() + (gint64)timeout_ms * BP_NS_PER_MS;
    }
    return call;
}

bp_refs *
bp_workspace_refs(bp_workspace *workspace)
{
    return workspace->refs;
}

static const char *
require(const bp_workspace *workspace, const char *path, GError **error)
{
    const char *value = bp_config_peek(workspace->config, path);
    if (value == NULL || *value == '\0') {
        const char *file = bp_config_path(workspace->config);
        bp_set_error(error, BP_ERR_INVALID, "'%s' is not configured\nhint: set it in %s", path,
                     file != NULL ? file : "a configuration file (--config FILE)");
        return NULL;
    }
    return value;
}

static bp_module *
store_module(bp_workspace *workspace, const char *name, GError **error)
{
    g_autofree char *path = g_strdup_printf("storages.%s.plugin", name);
    const char *plugin = require(workspace, path, error);
    if (plugin == NULL) {
        return NULL;
    }
    bp_module *module = bp_plugins_get(workspace->plugins, BP_PLUGIN_STORAGE, plugin, error);
    if (module == NULL) {
        g_prefix_error(error, "storage '%s': ", name);
    }
    return module;
}

static bp_store *
open_store(bp_workspace *workspace, const char *name, GError **error)
{
    g_autofree char *path = g_strdup_printf("storages.%s", name);
    bp_module *module = store_module(workspace, name, error);
    if (module == NULL) {
        return NULL;
    }
    bp_key_table keys = bp_module_keys(module);
    static const char *const ignore[] = {"plugin", NULL};
    bp_config_section_params params = {
        .path = path, .tables = &keys, .n_tables = 1, .ignore = ignore, .secrets = true};
    bp_settings *settings = bp_config_section(workspace->config, &params, error);
    return settings != NULL ? bp_store_open(module, name, settings, &workspace->call, error) : NULL;
}

bp_store *
bp_workspace_store(bp_workspace *workspace, const char *name, GError **error)
{
    bp_store *store = g_hash_table_lookup(workspace->stores, name);
    if (store != NULL) {
        return store;
    }
    store = open_store(workspace, name, error);
    if (store == NULL) {
        return NULL;
    }
    g_hash_table_insert(workspace->stores, g_strdup(name), store);
    bp_refs_add(workspace->refs, name, store, "", 0);
    return store;
}

bp_module *
bp_workspace_source_module(bp_workspace *workspace, GError **error)
{
    if (workspace->source_module == NULL) {
        const char *plugin = require(workspace, "source.plugin", error);
        if (plugin == NULL) {
            return NULL;
        }
        workspace->source_module =
            bp_plugins_get(workspace->plugins, BP_PLUGIN_SOURCE, plugin, error);
        if (workspace->source_module == NULL) {
            g_prefix_error(error, "source: ");
        }
    }
    return workspace->source_module;
}

bool
bp_workspace_load_plugins(bp_workspace *workspace, GError **error)
{
    const char *const *names = bp_config_storages(workspace->config);
    for (gsize i = 0; names[i] != NULL; i++) {
        if (store_module(workspace, names[i], error) == NULL) {
            return false;
        }
    }
    return bp_workspace_source_module(workspace, error) != NULL;
}

bp_source_inst *
bp_workspace_source(bp_workspace *workspace, GError **error)
{
    if (workspace->source != NULL) {
        return workspace->source;
    }
    bp_module *module = bp_workspace_source_module(workspace, error);
    if (module == NULL) {
        return NULL;
    }
    bp_key_table keys = bp_module_keys(module);
    static const char *const ignore[] = {"plugin", NULL};
    bp_config_section_params params = {
        .path = "source", .tables = &keys, .n_tables = 1, .ignore = ignore, .secrets = true};
    bp_settings *settings = bp_config_section(workspace->config, &params, error);
    if (settings == NULL) {
        return NULL;
    }
    workspace->source = bp_source_open(module, settings, &workspace->call, error);
    return workspace->source;
}

bool
bp_workspace_has_source_store(bp_workspace *workspace)
{
    g_autoptr(GError) unusable = NULL; /* whoever needs the plugin will hear of it */
    bp_module *module = bp_workspace_source_module(workspace, &unusable);
    if (module == NULL) {
        return true;
    }
    bp_key_table keys = bp_module_keys(module);
    for (guint32 i = 0; i < keys.n; i++) {
        if (strcmp(bp_key_table_at(&keys, i)->name, "storage") == 0) {
            return true;
        }
    }
    return false;
}

bp_store *
bp_workspace_source_store(bp_workspace *workspace, const char **name, GError **error)
{
    const char *storage = require(workspace, "source.storage", error);
    if (storage == NULL) {
        return NULL;
    }
    if (name != NULL) {
        *name = storage;
    }
    return bp_workspace_store(workspace, storage, error);
}

/* The core's keys of a section and the source's options for that verb, as one. */
static bp_settings *
job_settings(const bp_config_tree *config, const char *path, const bp_key_table tables[2],
             const char *const *overrides, GError **error)
{
    bp_config_section_params params = {
        .path = path, .tables = tables, .n_tables = 2, .overrides = overrides, .secrets = true};
    return bp_config_section(config, &params, error);
}

bp_settings *
bp_workspace_backup_settings(bp_workspace *workspace, const char *const *overrides, GError **error)
{
    bp_module *module = bp_workspace_source_module(workspace, error);
    if (module == NULL) {
        return NULL;
    }
    bp_key_table tables[] = {bp_config_backup_keys, bp_module_create_keys(module)};
    return job_settings(workspace->config, "backup", tables, overrides, error);
}

bp_settings *
bp_workspace_restore_settings(bp_workspace *workspace, const char *const *overrides, GError **error)
{
    bp_module *module = bp_workspace_source_module(workspace, error);
    if (module == NULL) {
        return NULL;
    }
    bp_key_table tables[] = {bp_config_restore_keys, bp_module_restore_keys(module)};
    return job_settings(workspace->config, "restore", tables, overrides, error);
}

static const bp_settings *
defaults(bp_workspace *workspace, GError **error)
{
    if (workspace->defaults == NULL) {
        workspace->defaults = bp_workspace_backup_settings(workspace, NULL, error);
    }
    return workspace->defaults;
}

/*
 * Roots may lie in each other.  Where the source's own data lies below the backups' root, its first
 * directory looks like the remains of a backup, and must never be taken for one; where it lies in
 * the very same root, all its directories do.
 */
static void
keep_apart(bp_workspace *workspace, bp_catalog *catalog)
{
    g_autoptr(GError) unusable = NULL; /* whoever needs the source's storage will hear of it */
    const bp_store *theirs = bp_workspace_source_store(workspace, NULL, &unusable);
    const char *outer = bp_store_info(catalog->store)->identity;
    const char *inner = theirs != NULL ? bp_store_info(theirs)->identity : "";
    gsize n = strlen(outer);
    if (n == 0 || !g_str_has_prefix(inner, outer)) {
        return;
    }
    const char *rest = inner + n;
    catalog->shared = *rest == '\0';
    if (*rest == '/') { /* else a longer name beside it, or the same */
        rest++;
        catalog->taken = g_strndup(rest, strcspn(rest, "/"));
    }
}

/* Settings and source, which every catalog needs. */
static bool
prepare_catalogs(bp_workspace *workspace, GError **error)
{
    const bp_settings *settings = defaults(workspace, error);
    bp_source_inst *source = settings != NULL ? bp_workspace_source(workspace, error) : NULL;
    if (source != NULL && workspace->commit_document == NULL) {
        workspace->commit_document = g_strdup(bp_source_facts(source)->commit_document);
        bp_retry_params retry = bp_workspace_retry(workspace);
        bp_refs_set_retry(workspace->refs, &retry);
    }
    return source != NULL;
}

static bool
open_catalog(bp_workspace *workspace, const char *storage, const bp_catalog **out, GError **error)
{
    bp_catalog *catalog = g_hash_table_lookup(workspace->catalogs, storage);
    if (catalog == NULL) {
        bp_store *store = bp_workspace_store(workspace, storage, error);
        if (store == NULL) {
            return false;
        }
        bp_retry_params retry = bp_workspace_retry(workspace);
        catalog = g_new(bp_catalog, 1);
        *catalog = (bp_catalog){.store = store,
                                .call = &workspace->call,
                                .attempts = retry.attempts,
                                .max_delay_ns = retry.max_delay_ns,
                                .commit_document = workspace->commit_document};
        keep_apart(workspace, catalog);
        g_hash_table_insert(workspace->catalogs, g_strdup(storage), catalog);
    }
    *out = catalog;
    return true;
}

bool
bp_workspace_catalog(bp_workspace *workspace, const bp_catalog **out, GError **error)
{
    if (!prepare_catalogs(workspace, error)) {
        return false;
    }
    const char *name =
        workspace->chosen != NULL ? workspace->chosen : require(workspace, "backup.storage", error);
    return name != NULL && open_catalog(workspace, name, out, error);
}

static bool
check_configured(const bp_workspace *workspace, const char *storage, GError **error)
{
    const char *const *names = bp_config_storages(workspace->config);
    if (g_strv_contains(names, storage)) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID, "there is no storage '%s' in the configuration", storage);
    gsize n = g_strv_length((char **)names);
    const char *near = bp_text_nearest(storage, names, n);
    if (near != NULL) {
        bp_error_add_hint(error, "did you mean '%s'?", near);
    }
    return false;
}

bool
bp_workspace_catalog_on(bp_workspace *workspace, const char *storage, const bp_catalog **out,
                        GError **error)
{
    return check_configured(workspace, storage, error) && prepare_catalogs(workspace, error) &&
           open_catalog(workspace, storage, out, error);
}

bool
bp_workspace_choose(bp_workspace *workspace, const char *storage, GError **error)
{
    if (storage != NULL && !check_configured(workspace, storage, error)) {
        return false;
    }
    g_free(workspace->chosen);
    workspace->chosen = g_strdup(storage);
    return true;
}

const bp_catalog *
bp_workspace_under(bp_catalog *out, const bp_catalog *catalog, const bp_call *call)
{
    *out = *catalog;
    out->call = call;
    return out;
}

char *
bp_workspace_words_for(const bp_workspace *workspace, const bp_store *store)
{
    const char *name = bp_store_name(store);
    bool usual = g_strcmp0(bp_config_peek(workspace->config, "backup.storage"), name) == 0;
    return usual ? g_strdup("") : g_strdup_printf(" --set backup.storage=%s", name);
}

typedef struct {
    bp_store *store;
    const bp_call *call;
    guint32 need;
} probing;

static bool
try_probe(void *ctx, GError **error)
{
    const probing *p = ctx;
    return bp_store_probe(p->store, p->call, p->need, "", error);
}

bool
bp_workspace_probe(const bp_workspace *workspace, bp_store *store, const bp_call *call,
                   guint32 need, GError **error)
{
    bp_retry_params retry = bp_workspace_retry_for(workspace, call);
    probing p = {store, call, need};
    return bp_retry(&retry, try_probe, &p, error);
}

bp_retry_params
bp_workspace_retry(const bp_workspace *workspace)
{
    const bp_settings *settings = workspace->defaults;
    g_assert(settings != NULL); /* every verb opens the catalog first */
    return (bp_retry_params){
        .cancel = workspace->call.cancel,
        .attempts = (guint)bp_settings_u64(settings, "retry.attempts"),
        .max_delay_ns = (gint64)bp_settings_u64(settings, "retry.max_delay") * BP_NS_PER_MS,
    };
}

bp_retry_params
bp_workspace_retry_for(const bp_workspace *workspace, const bp_call *call)
{
    bp_retry_params retry = bp_workspace_retry(workspace);
    retry.cancel = call->cancel;
    retry.deadline_ns = call->deadline_ns;
    return retry;
}

char *
bp_workspace_state_dir(bp_workspace *workspace, GError **error)
{
    bp_config_section_params params = {.path = "", .tables = &bp_config_top_keys, .n_tables = 1};
    g_autoptr(bp_settings) top = bp_config_section(workspace->config, &params, error);
    if (top == NULL) {
        return NULL;
    }
    const char *given = bp_settings_get(top, "state_dir");
    if (given != NULL) {
        return g_strdup(given);
    }
    return geteuid() == 0 ? g_strdup("/var/lib/bakplane")
                          : g_build_filename(g_get_user_state_dir(), "bakplane", NULL);
}
