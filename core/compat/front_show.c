/* SPDX-License-Identifier: Apache-2.0
 *
 * See front_show.h.  Scripts read these lines: what 0.5 prints is followed to the letter where it
 * prints a result.  Banners and warnings are not results; they are left out or go to stderr.
 */
#include "core/compat/front_show.h"

#include <string.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/compat/front_config.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "compat"

#define MS_PER_S 1000.0

static char *
show_done(const bp_front_result *result)
{
    (void)result;
    return g_strdup("success\n");
}

/* Targets that are not complete, then how long it took. */
static char *
show_job(const bp_front_result *result)
{
    GString *out = g_string_new(result->done ? "success\n" : NULL);
    const json_t *targets = json_object_get(result->json, "targets");
    for (gsize i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        const char *state = bp_json_text(target, "state", "?");
        if (strcmp(state, "complete") != 0) {
            g_string_append_printf(out, "%s: %s: %s\n", bp_json_text(target, "to", "?"), state,
                                   bp_json_text(target, "error", bp_json_text(target, "note", "")));
        }
    }
    g_string_append_printf(out, "duration:%.2f s\n",
                           (double)bp_json_u64(result->json, "duration_ms", 0) / MS_PER_S);
    return g_string_free(out, FALSE);
}

/* Names alone, of what can be restored; the others are said where no script reads. */
static char *
show_list(const bp_front_result *result)
{
    GString *out = g_string_new(">> Backups:\n");
    g_autoptr(GString) others = g_string_new(NULL);
    const json_t *backups = json_object_get(result->json, "backups");
    for (gsize i = 0; i < json_array_size(backups); i++) {
        const json_t *one = json_array_get(backups, i);
        const char *name = bp_json_text(one, "name", "?");
        const char *status = bp_json_text(one, "status", "?");
        if (strcmp(status, "success") == 0 || strcmp(status, "foreign") == 0) {
            g_string_append_printf(out, "%s\n", name);
        } else {
            g_string_append_printf(others, "%s%s (%s)", others->len > 0 ? ", " : "", name, status);
        }
    }
    if (others->len > 0) {
        BP_WARN("not listed, because they cannot be restored", "backups", others->str);
    }
    return g_string_free(out, FALSE);
}

/* The tree as it lies on the storage, without what is below the collections. */
static char *
show_get(const bp_front_result *result)
{
    const char *text = bp_json_text(result->json, "text", "{}");
    json_error_t why;
    g_autoptr(json_t) tree = json_loads(text, 0, &why);
    json_t *collections = json_object_get(tree, "collection_backups");
    for (gsize i = 0; !result->call->detail && i < json_array_size(collections); i++) {
        (void)json_object_del(json_array_get(collections, i), "partition_backups");
    }
    char *dumped = tree != NULL ? json_dumps(tree, JSON_INDENT(4)) : NULL;
    char *out = g_strdup_printf("%s\nSuccess\n", dumped != NULL ? dumped : text);
    free(dumped);
    return out;
}

/* Text of a check, or NULL when it was not reached. */
static const json_t *
find_check(const json_t *json, const char *start, bool failed)
{
    const json_t *checks = json_object_get(json, "checks");
    for (gsize i = 0; i < json_array_size(checks); i++) {
        const json_t *check = json_array_get(checks, i);
        bool is_failed = strcmp(bp_json_text(check, "status", ""), "failed") == 0;
        if (g_str_has_prefix(bp_json_text(check, "check", ""), start) && is_failed == failed) {
            return check;
        }
    }
    return NULL;
}

static void
append_fact(GString *out, const bp_front_result *result, const char *label, const char *storage,
            const char *key)
{
    g_autofree char *path = g_strdup_printf("storages.%s.%s", storage, key);
    const char *value = result->config != NULL ? bp_config_peek(result->config, path) : NULL;
    if (value != NULL) {
        g_string_append_printf(out, "%s: %s\n", label, value);
    }
}

static char *
show_check(const bp_front_result *result)
{
    static const struct {
        const char *check, *text;
    } failures[] = {
        {"source storage", "Failed to connect to storage milvus path"},
        {"source", "Failed to connect to milvus"},
        {"", "Failed to connect to storage backup path"},
    };
    GString *out = g_string_new(NULL);
    const json_t *failed = NULL;
    for (gsize i = 0; failed == NULL && i < G_N_ELEMENTS(failures); i++) {
        failed = find_check(result->json, failures[i].check, true);
        if (failed != NULL) {
            g_string_append_printf(out, "%s\n%s: %s\n", failures[i].text,
                                   bp_json_text(failed, "check", ""),
                                   bp_json_text(failed, "text", ""));
        }
    }
    if (failed == NULL) {
        g_string_append(out, "Succeed to connect to milvus and storage.\n");
    }
    const json_t *source = find_check(result->json, "source: ", false);
    const char *version = strstr(bp_json_text(source, "text", ""), "version ");
    if (version != NULL) {
        g_string_append_printf(out, "Milvus version: %s\n", version + strlen("version "));
    }
    g_string_append(out, "Storage:\n");
    append_fact(out, result, "milvus-bucket", "milvus", "bucket");
    append_fact(out, result, "milvus-rootpath", "milvus", "prefix");
    append_fact(out, result, "backup-bucket", "backup", "bucket");
    append_fact(out, result, "backup-rootpath", "backup", "prefix");
    return g_string_free(out, FALSE);
}

char *
bp_front_show(const bp_front_result *result)
{
    static const struct {
        const char *command;
        char *(*show)(const bp_front_result *result);
    } shows[] = {
        {"create", show_job},
        {"restore", show_job},
        {"list", show_list},
        {"get", show_get},
        {"check", show_check},
        {"delete", show_done},
        {"config", bp_front_show_config},
        {"check backup_yaml", bp_front_show_yaml},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(shows); i++) {
        if (strcmp(shows[i].command, result->call->command) == 0) {
            return shows[i].show(result);
        }
    }
    return NULL;
}
