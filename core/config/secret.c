/* SPDX-License-Identifier: Apache-2.0
 *
 * Resolving secrets.  No message shows one.
 */
#include "core/config/secret.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/readfile.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "config"

bool
bp_config__secret_check(const bp_node *node, GError **error)
{
    if (node->kind == BP_NODE_TEXT) {
        return true;
    }
    const bp_node *only = node->kind == BP_NODE_MAP && node->children->len == 1
                              ? g_ptr_array_index(node->children, 0)
                              : NULL;
    bool is_reference = only != NULL && only->kind == BP_NODE_TEXT && only->text != NULL &&
                        *only->text != '\0' &&
                        (strcmp(only->name, "file") == 0 || strcmp(only->name, "env") == 0);
    if (!is_reference) {
        bp_set_error(error, BP_ERR_INVALID, "expected a secret");
        bp_error_add_hint(error, "write {file: PATH}, {env: NAME} or the text itself");
    }
    return is_reference;
}

static char *
from_environ(const bp_config_tree *tree, const char *name, GError **error)
{
    const char *value = bp_config__getenv((const char *const *)tree->environ, name);
    if (value == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "environment variable %s is not set", name);
        return NULL;
    }
    return g_strdup(value);
}

static char *
from_file(const char *file_path, const char *path, GError **error)
{
    g_auto(bp_small_file) file = {0};
    if (!bp_small_file_read(file_path, "secret file", BP_SECRET_MAX_BYTES, &file, error)) {
        return NULL;
    }
    if (memchr(file.text, '\0', file.size) != NULL ||
        !g_utf8_validate_len(file.text, file.size, NULL)) {
        bp_set_error(error, BP_ERR_INVALID, "secret file %s: not UTF-8 text", file_path);
        return NULL;
    }
    if (S_ISREG(file.stat.st_mode) && (file.stat.st_mode & S_IROTH) != 0) {
        BP_WARN("everybody on this machine can read a secret file; chmod 600 would help", "file",
                file_path, "key", path);
    }
    gsize n = file.size;
    if (n > 0 && file.text[n - 1] == '\n') {
        n -= n > 1 && file.text[n - 2] == '\r' ? 2 : 1;
    }
    return g_strndup(file.text, n);
}

static char *
absolute_path(const bp_config_tree *tree, const bp_node *node)
{
    if (g_path_is_absolute(node->text) || node->origin != NULL || tree->base_dir == NULL) {
        return g_strdup(node->text);
    }
    return g_build_filename(tree->base_dir, node->text, NULL);
}

char *
bp_config__secret(const bp_config_tree *tree, const bp_node *node, const char *path, GError **error)
{
    if (!bp_config__secret_check(node, error)) {
        return NULL;
    }
    char *text = NULL;
    if (node->kind == BP_NODE_TEXT) {
        if (node->origin == NULL && tree->readable_by_all) {
            BP_WARN("everybody on this machine can read a secret in the config file; {file: PATH} "
                    "would help",
                    "file", tree->path, "key", path);
        }
        text = g_strdup(node->text);
    } else {
        const bp_node *only = g_ptr_array_index(node->children, 0);
        if (strcmp(only->name, "env") == 0) {
            text = from_environ(tree, only->text, error);
        } else {
            g_autofree char *file_path = absolute_path(tree, only);
            text = from_file(file_path, path, error);
        }
    }
    bp_log_add_secret(text);
    return text;
}
