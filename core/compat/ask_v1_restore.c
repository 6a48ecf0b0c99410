/* SPDX-License-Identifier: Apache-2.0
 *
 * See ask_v1.h: restoring.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/compat/ask_v1.h"
#include "core/compat/ask_v1_internal.h"
#include "core/compat/means.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "compat"

static bool
check_together(const json_t *message, GError **error)
{
    static const char *const pairs[][2] = {
        {"collection_suffix", "collection_renames"},
        {"dropExistCollection", "skipCreateCollection"},
        {"restorePlan", "collection_suffix"},
        {"restorePlan", "collection_renames"},
        {"restorePlan", "db_collections_after_rename"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (bp_v1_is_said(message, pairs[i][0]) && bp_v1_is_said(message, pairs[i][1])) {
            bp_set_error(error, BP_ERR_INVALID, "%s and %s exclude each other", pairs[i][0],
                         pairs[i][1]);
            return false;
        }
    }
    return true;
}

static bool
append_rename(GString *out, const char *from, const char *to, GError **error)
{
    if (*from == '\0' || *to == '\0' || strpbrk(from, ",:") != NULL || strpbrk(to, ",:") != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' to '%s' is no rule", from, to);
        return false;
    }
    g_autofree char *rule = bp_compat_rename(from, to);
    g_autofree char *again = g_strdup_printf(",%.*s:", (int)strcspn(rule, ":"), rule);
    if (strstr(out->str, again) != NULL || g_str_has_prefix(out->str, again + 1)) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "'%s' cannot become two", from);
        return false;
    }
    g_string_append_printf(out, "%s%s", out->len > 0 ? "," : "", rule);
    return true;
}

static bool
take_renames(json_t *request, const json_t *renames, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *from = NULL;
    json_t *to = NULL;
    json_object_foreach((json_t *)renames, from, to)
    {
        if (!append_rename(out, from, json_string_value(to), error)) {
            g_prefix_error(error, "collection_renames: ");
            return false;
        }
    }
    bp_json_set_text(request, "rename", out->str);
    return true;
}

static bool
take_suffix(json_t *request, const char *suffix, GError **error)
{
    for (const char *p = suffix; p != NULL && *p != '\0'; p++) {
        if (*p != '_' && !g_ascii_isalnum(*p)) {
            bp_set_error(error, BP_ERR_INVALID,
                         "collection_suffix should only contain numbers, letters and underscores");
            return false;
        }
    }
    bp_json_set_text(request, "suffix", suffix);
    return true;
}

/* -- restorePlan */

/* By protobuf what is not said is false, too, and passes: nobody has asked for anything. */
static bool
check_mapping(const json_t *mapping, GError **error)
{
    if (!bp_v1_is_said(mapping, "source") || !bp_v1_is_said(mapping, "target")) {
        bp_set_error(error, BP_ERR_INVALID, "source and target have to be named");
        return false;
    }
    if (json_is_false(json_object_get(mapping, "withProp"))) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "withProp: databases come back with their properties");
        bp_error_add_hint(error, "leave it out");
        return false;
    }
    return true;
}

static bool
append_collections(GString *rules, const json_t *mapping, GError **error)
{
    const char *from = bp_json_text(mapping, "source", "");
    const char *to = bp_json_text(mapping, "target", "");
    const json_t *collections = json_object_get(mapping, "colls");
    for (gsize i = 0; i < json_array_size(collections); i++) {
        const json_t *one = json_array_get(collections, i);
        if (bp_v1_is_said(one, "override")) {
            bp_set_error(error, BP_ERR_UNSUPPORTED,
                         "colls: override: shards and descriptions come from the backup");
            return false;
        }
        g_autofree char *source = g_strdup_printf("%s.%s", from, bp_json_text(one, "source", ""));
        g_autofree char *target = g_strdup_printf("%s.%s", to, bp_json_text(one, "target", ""));
        if (!append_rename(rules, source, target, error)) {
            return false;
        }
    }
    g_autofree char *source = g_strconcat(from, ".*", NULL);
    g_autofree char *target = g_strconcat(to, ".*", NULL);
    return json_array_size(collections) > 0 || append_rename(rules, source, target, error);
}

static bool
take_plan(json_t *request, const json_t *plan, GError **error)
{
    g_autoptr(GString) rules = g_string_new(NULL);
    const json_t *mappings = json_object_get(plan, "mapping");
    for (gsize i = 0; i < json_array_size(mappings); i++) {
        const json_t *one = json_array_get(mappings, i);
        if (!check_mapping(one, error) || !append_collections(rules, one, error)) {
            g_prefix_error(error, "mapping: ");
            return false;
        }
    }
    bp_json_set_text(request, "rename", rules->str);
    if (!bp_v1__take_filter(request, json_object_get(plan, "filter"), error)) {
        g_prefix_error(error, "filter: ");
        return false;
    }
    return true;
}

/* -- all of it */

static bool
take_selection(json_t *request, const json_t *message, GError **error)
{
    static const char *const ways[] = {"db_collections", "collection_names", NULL};
    static const char after[] = "db_collections_after_rename";
    bool by_database = bp_v1_is_said(message, ways[0]);
    bp_v1__keep_first(message, ways);
    const char *field = ways[by_database ? 0 : 1];
    const json_t *value = json_object_get(message, field);
    bool fine = by_database ? bp_v1__take_databases(request, value, error)
                            : bp_v1__take_names(request, "collections", value, error);
    if (fine && bp_v1_is_said(message, after)) {
        field = after;
        value = json_object_get(message, after);
        fine = bp_v1__take_databases_as_filter(request, value, error);
    }
    if (!fine) {
        g_prefix_error(error, "%s: ", field);
    }
    return fine;
}

static bool
take_settings(json_t *request, const json_t *message, GError **error)
{
    static const char *const plain[][2] = {
        {"dropExistCollection", "drop_exist_collection"},
        {"dropExistIndex", "drop_exist_index"},
        {"skipCreateCollection", "skip_create_collection"},
    };
    bool index = bp_v1_is_said(message, "restoreIndex");
    bool auto_index = bp_v1_is_said(message, "useAutoIndex");
    g_autoptr(GPtrArray) settings = bp_compat_index_settings(index, auto_index);
    for (guint i = 0; i + 1 < settings->len; i++) {
        bp_v1__add_setting(request, "%s", (const char *)g_ptr_array_index(settings, i));
    }
    if (auto_index && !index) {
        BP_WARN("useAutoIndex has no effect without restoreIndex, as in milvus-backup");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        if (bp_v1_is_said(message, plain[i][0])) {
            bp_v1__add_setting(request, "%s=true", plain[i][1]);
        }
    }
    json_int_t shards = json_integer_value(json_object_get(message, "maxShardNum"));
    if (shards < 0) {
        bp_set_error(error, BP_ERR_INVALID, "maxShardNum: it is less than 0");
        return false;
    }
    if (shards > 0) {
        bp_v1__add_setting(request, "max_shards=%" JSON_INTEGER_FORMAT, shards);
    }
    if (bp_v1_is_said(message, "metaOnly")) {
        json_object_set_new(request, "meta_only", json_true());
    }
    return true;
}

static bool
take_place(json_t *request, const json_t *message, const bp_config_tree *config, GError **error)
{
    const char *bucket = bp_v1__text(message, "bucket_name");
    const char *path = bp_v1__text(message, "path");
    if (!bp_v1__take_storage(request, config, bucket, path, error)) {
        g_prefix_error(error, "%s: ", bucket != NULL ? "bucket_name" : "path");
        return false;
    }
    return true;
}

json_t *
bp_v1_ask_restore(const json_t *message, const bp_config_tree *config, GError **error)
{
    static const bp_v1_refusal refusals[] = {
        {"rbac", "users, roles and grants are not restored by this version"},
        {"skipParams", "collections come back with all their parameters"},
        {"truncateBinlogByTs", "imports take all rows of the backup"},
        {"ezkMapping", "keys of encryption cannot be exchanged"},
    };
    g_autoptr(json_t) request = json_pack("{s:s}", "verb", "restore");
    bp_json_set_text(request, "name", bp_v1__text(message, "backup_name"));
    if (!bp_v1__refuse(message, refusals, G_N_ELEMENTS(refusals), error) ||
        !check_together(message, error) || !take_place(request, message, config, error) ||
        !take_selection(request, message, error) ||
        !take_suffix(request, bp_v1__text(message, "collection_suffix"), error) ||
        !take_renames(request, json_object_get(message, "collection_renames"), error) ||
        !take_settings(request, message, error)) {
        return NULL;
    }
    if (bp_v1_is_said(message, "restorePlan") &&
        !take_plan(request, json_object_get(message, "restorePlan"), error)) {
        g_prefix_error(error, "restorePlan: ");
        return NULL;
    }
    return g_steal_pointer(&request);
}
