/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and reading the file, and putting the layers on top of each other.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/config/readfile.h"
#include "core/config/tree.h"
#include "core/config/yaml.h"

#include "sdk/lib/ban.h"

extern char **environ;

char **
bp_config_places(const char *const *env)
{
    const char *const *block = env != NULL ? env : (const char *const *)environ;
    const char *named = bp_config__getenv(block, "BAKPLANE_CONFIG");
    const char *user = bp_config__getenv(block, "XDG_CONFIG_HOME");
    const char *home = bp_config__getenv(block, "HOME");
    GPtrArray *places = g_ptr_array_new();
    if (named != NULL && *named != '\0') {
        g_ptr_array_add(places, g_strdup(named));
    } else {
        g_ptr_array_add(places, g_strdup("./bakplane.yaml"));
        if (user != NULL && g_path_is_absolute(user)) {
            g_ptr_array_add(places, g_build_filename(user, "bakplane", "bakplane.yaml", NULL));
        } else if (home != NULL && g_path_is_absolute(home)) {
            g_ptr_array_add(places,
                            g_build_filename(home, ".config", "bakplane", "bakplane.yaml", NULL));
        }
        g_ptr_array_add(places, g_strdup("/etc/bakplane/bakplane.yaml"));
    }
    g_ptr_array_add(places, NULL);
    return (char **)g_ptr_array_free(places, FALSE);
}

/* A file that nobody named must not come from somebody else: it says which code is loaded. */
static bool
check_found_file(const char *path, const struct stat *stat, GError **error)
{
    const char *why = NULL;
    if (stat->st_uid != 0 && stat->st_uid != geteuid()) {
        why = "belongs to another user";
    } else if ((stat->st_mode & S_IWOTH) != 0) {
        why = "can be written by everybody";
    }
    if (why != NULL) {
        bp_set_error(error, BP_ERR_DENIED, "config file %s: %s, so it is not used by itself", path,
                     why);
        bp_error_add_hint(error, "name it with --config if you trust it");
        return false;
    }
    return true;
}

/* false with `error` = failure; false without = no file anywhere. */
static bool
find_file(const bp_config_tree *tree, char **path, bp_small_file *file, GError **error)
{
    const char *const *env = (const char *const *)tree->environ;
    const char *named = bp_config__getenv(env, "BAKPLANE_CONFIG");
    bool must_exist = named != NULL && *named != '\0';
    g_auto(GStrv) places = bp_config_places(env);
    for (char **place = places; *place != NULL; place++) {
        if (!must_exist && access(*place, F_OK) != 0 && errno == ENOENT) {
            continue;
        }
        if (!bp_small_file_read(*place, "config file", BP_YAML_MAX_BYTES, file, error) ||
            (!must_exist && !check_found_file(*place, &file->stat, error))) {
            return false;
        }
        *path = g_strdup(*place);
        return true;
    }
    return false;
}

static GPtrArray *
top_keys(const bp_node *root)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < root->children->len; i++) {
        g_ptr_array_add(names, ((bp_node *)g_ptr_array_index(root->children, i))->name);
    }
    return names;
}

/* Leaves `root` alone when it is in the native dialect. */
static bool
translate(bp_config_tree *tree, const bp_config_params *params, GPtrArray *sets, bp_node **root,
          GError **error)
{
    g_autoptr(GPtrArray) names = top_keys(*root);
    for (gsize i = 0; i < params->n_dialects; i++) {
        const bp_config_dialect *dialect = &params->dialects[i];
        if (!dialect->recognise((const char *const *)names->pdata, names->len)) {
            continue;
        }
        g_autoptr(bp_node) native = bp_node_new(BP_NODE_MAP);
        bp_config_foreign foreign = {
            .root = *root,
            .path = tree->path != NULL ? tree->path : "(no file)",
            .no_file = tree->path == NULL,
            .environ = (const char *const *)tree->environ,
            .sets = sets,
            .warnings = tree->warnings,
        };
        if (!dialect->translate(&foreign, native, error)) {
            return false;
        }
        tree->foreign = *root;
        *root = g_steal_pointer(&native);
        tree->dialect = dialect;
        return true;
    }
    return true;
}

static bool
without_file(bp_config_tree *tree, const bp_config_params *params, GPtrArray *sets, GError **error)
{
    g_autoptr(bp_node) root = bp_node_new(BP_NODE_MAP);
    if (params->path != NULL && !translate(tree, params, sets, &root, error)) {
        return false;
    }
    tree->layers[BP_LAYER_FILE] = g_steal_pointer(&root);
    return true;
}

static bool
load_file(bp_config_tree *tree, const bp_config_params *params, GPtrArray *sets, GError **error)
{
    if (params->path != NULL && *params->path == '\0') {
        return without_file(tree, params, sets, error);
    }
    g_auto(bp_small_file) file = {0};
    g_autofree char *path = g_strdup(params->path);
    GError *problem = NULL;
    bool found = path != NULL
                     ? bp_small_file_read(path, "config file", BP_YAML_MAX_BYTES, &file, &problem)
                     : find_file(tree, &path, &file, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (!found) {
        return without_file(tree, params, sets, error);
    }
    tree->path = g_canonicalize_filename(path, NULL);
    tree->base_dir = g_path_get_dirname(tree->path);
    tree->readable_by_all = (file.stat.st_mode & S_IROTH) != 0;
    g_autoptr(bp_node) root = bp_yaml_parse(file.text, file.size, tree->path, error);
    if (root == NULL || !translate(tree, params, sets, &root, error)) {
        return false;
    }
    tree->layers[BP_LAYER_FILE] = g_steal_pointer(&root);
    return true;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in the given layers, sorted, each once. */
static char **
collect_storages(const bp_config_tree *tree, const guint *layers, gsize n)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < n; i++) {
        const bp_node *storages = bp_node_child(tree->layers[layers[i]], "storages");
        for (guint j = 0;
             storages != NULL && storages->kind == BP_NODE_MAP && j < storages->children->len;
             j++) {
            g_hash_table_add(seen, ((bp_node *)g_ptr_array_index(storages->children, j))->name);
        }
    }
    guint count = 0;
    g_autofree char **names = (char **)g_hash_table_get_keys_as_array(seen, &count);
    qsort(names, count, sizeof *names, compare_names);
    return g_strdupv(names);
}

static bool
load_layers(bp_config_tree *tree, const bp_config_params *params, GError **error)
{
    g_autoptr(GPtrArray) sets = g_ptr_array_new_with_free_func(g_free);
    for (const char *const *set = params->sets; set != NULL && *set != NULL; set++) {
        g_ptr_array_add(sets, g_strdup(*set));
    }
    if (!load_file(tree, params, sets, error)) {
        return false;
    }
    g_ptr_array_add(sets, NULL);
    tree->layers[BP_LAYER_SET] =
        bp_config__layer_from_sets((const char *const *)sets->pdata, error);
    if (tree->layers[BP_LAYER_SET] == NULL) {
        return false;
    }
    tree->layers[BP_LAYER_ENV] =
        bp_config__layer_from_environ((const char *const *)tree->environ, error);
    if (tree->layers[BP_LAYER_ENV] == NULL) {
        return false;
    }
    static const guint with_names[] = {BP_LAYER_SET, BP_LAYER_FILE};
    static const guint all[] = {BP_LAYER_SET, BP_LAYER_ENV, BP_LAYER_FILE};
    g_auto(GStrv) spelled = collect_storages(tree, with_names, G_N_ELEMENTS(with_names));
    bp_config__name_storages(tree->layers[BP_LAYER_ENV], spelled);
    tree->storages = collect_storages(tree, all, G_N_ELEMENTS(all));
    return true;
}

bp_config_tree *
bp_config_load(const bp_config_params *params, GError **error)
{
    g_autoptr(bp_config_tree) tree = g_new0(bp_config_tree, 1);
    tree->environ = g_strdupv(params->environ != NULL ? (char **)params->environ : environ);
    tree->warnings = g_ptr_array_new_with_free_func(g_free);
    if (!load_layers(tree, params, error) || !bp_config__check(tree, error)) {
        return NULL;
    }
    return g_steal_pointer(&tree);
}

void
bp_config_tree_free(bp_config_tree *tree)
{
    if (tree == NULL) {
        return;
    }
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        bp_node_free(tree->layers[i]);
    }
    bp_node_free(tree->foreign);
    g_ptr_array_unref(tree->warnings);
    g_strfreev(tree->environ);
    g_strfreev(tree->storages);
    g_free(tree->path);
    g_free(tree->base_dir);
    g_free(tree);
}

const char *
bp_config_path(const bp_config_tree *tree)
{
    return tree->path;
}

const bp_config_dialect *
bp_config_foreign_dialect(const bp_config_tree *tree)
{
    return tree->dialect;
}

const bp_node *
bp_config_foreign_root(const bp_config_tree *tree)
{
    return tree->foreign;
}

const bp_node *
bp_config_file_layer(const bp_config_tree *tree)
{
    return tree->layers[BP_LAYER_FILE];
}

const GPtrArray *
bp_config_warnings(const bp_config_tree *tree)
{
    return tree->warnings;
}

const char *const *
bp_config_storages(const bp_config_tree *tree)
{
    return (const char *const *)tree->storages;
}

const char *
bp_config_peek(const bp_config_tree *tree, const char *path)
{
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const bp_node *node = bp_node_at(tree->layers[i], path);
        if (!bp_node_is_null(node)) {
            return node->kind == BP_NODE_TEXT ? node->text : NULL;
        }
    }
    return NULL;
}

char *
bp_config__where(const bp_config_tree *tree, const bp_node *node)
{
    return bp_node_where(node, tree->path != NULL ? tree->path : "-");
}
