/* SPDX-License-Identifier: Apache-2.0
 *
 * See ask_v1.h.  What both kinds of request share, and creating; ask_v1_restore.c has the rest.
 */
#include "core/compat/ask_v1.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/compat/ask_v1_internal.h"
#include "core/compat/means.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "compat"

#define NAME_MAX_BYTES 128

bool
bp_v1_is_said(const json_t *message, const char *field)
{
    const json_t *value = json_object_get(message, field);
    if (value == NULL) {
        return false;
    }
    switch (json_typeof(value)) {
    case JSON_STRING:
        return *json_string_value(value) != '\0';
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) != 0;
    default:
        return json_is_true(value);
    }
}

const char *
bp_v1__text(const json_t *message, const char *field)
{
    return bp_v1_is_said(message, field) ? bp_json_text(message, field, NULL) : NULL;
}

bool
bp_v1__refuse(const json_t *message, const bp_v1_refusal *refusals, gsize n, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (bp_v1_is_said(message, refusals[i].field)) {
            bp_set_error(error, BP_ERR_UNSUPPORTED, "%s: %s", refusals[i].field, refusals[i].why);
            return false;
        }
    }
    return true;
}

void
bp_v1__keep_first(const json_t *message, const char *const *fields)
{
    const char *first = NULL;
    for (; *fields != NULL; fields++) {
        if (!bp_v1_is_said(message, *fields)) {
            continue;
        }
        if (first != NULL) {
            BP_WARN("a field of a request does not count beside another", "counts", first,
                    "does_not", *fields);
        } else {
            first = *fields;
        }
    }
}

bool
bp_v1_ask_name(const char *name, GError **error)
{
    const char *problem = NULL;
    for (const char *p = name; *p != '\0'; p++) {
        if (g_ascii_isspace(*p)) {
            problem = "should not contain whitespace";
        }
    }
    if (problem == NULL && strlen(name) > NAME_MAX_BYTES) {
        problem = "length should not exceed 128";
    } else if (problem == NULL && *name != '_' && !g_ascii_isalpha(*name)) {
        problem = "should start with an underscore or letter";
    }
    for (const char *p = name; problem == NULL && *p != '\0'; p++) {
        if (*p != '_' && !g_ascii_isalnum(*p)) {
            problem = "should only contain numbers, letters and underscores";
        }
    }
    if (problem != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "backup name %s", problem);
    }
    return problem == NULL;
}

char *
bp_v1_ask_listed(const char *collection)
{
    return collection != NULL && *collection != '\0' ? bp_compat_listed(collection) : NULL;
}

/* -- where */

/* Without slashes at its ends, as that tool and our storages write the same path in two ways. */
static char *
trimmed(const char *path)
{
    char *out = g_strdup(path != NULL ? path + strspn(path, "/") : "");
    gsize n = strlen(out);
    while (n > 0 && out[n - 1] == '/') {
        out[--n] = '\0';
    }
    return out;
}

/* The first of some keys of a storage, "" where it has none. */
static const char *
fact_of(const bp_config_tree *config, const char *storage, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        g_autofree char *path = g_strdup_printf("storages.%s.%s", storage, *keys);
        const char *value = bp_config_peek(config, path);
        if (value != NULL) {
            return value;
        }
    }
    return "";
}

static bool
lies_there(const bp_config_tree *config, const char *storage, const char *bucket, const char *path)
{
    static const char *const buckets[] = {"bucket", "container", NULL};
    static const char *const paths[] = {"prefix", "root", NULL};
    g_autofree char *ours = trimmed(fact_of(config, storage, paths));
    g_autofree char *theirs = trimmed(path);
    return strcmp(fact_of(config, storage, buckets), bucket) == 0 && strcmp(ours, theirs) == 0;
}

bool
bp_v1_ask_storage(const bp_config_tree *config, const char *bucket, const char *path,
                  const char **storage, GError **error)
{
    static const char *const buckets[] = {"bucket", "container", NULL};
    static const char *const paths[] = {"prefix", "root", NULL};
    const char *usual = bp_config_peek(config, "backup.storage");
    bool any_bucket = bucket == NULL || *bucket == '\0';
    bool any_path = path == NULL || *path == '\0';
    *storage = NULL;
    if (usual == NULL || (any_bucket && any_path)) {
        return true;
    }
    const char *wanted_bucket = any_bucket ? fact_of(config, usual, buckets) : bucket;
    const char *wanted_path = any_path ? fact_of(config, usual, paths) : path;
    if (lies_there(config, usual, wanted_bucket, wanted_path)) {
        return true;
    }
    for (const char *const *name = bp_config_storages(config); *name != NULL; name++) {
        if (lies_there(config, *name, wanted_bucket, wanted_path)) {
            *storage = *name;
            return true;
        }
    }
    bp_set_error(error, BP_ERR_INVALID,
                 "no storage of the configuration has the bucket '%s' and the path '%s'",
                 wanted_bucket, wanted_path);
    bp_error_add_hint(error, "requests name only places that are configured");
    return false;
}

bool
bp_v1__take_storage(json_t *request, const bp_config_tree *config, const char *bucket,
                    const char *path, GError **error)
{
    const char *storage = NULL;
    if (!bp_v1_ask_storage(config, bucket, path, &storage, error)) {
        return false;
    }
    bp_json_set_text(request, "storage", storage);
    return true;
}

/* -- which */

/* With a comma it would become two terms. */
static bool
check_term(const char *name, GError **error)
{
    if (*name == '\0' || strchr(name, ',') != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' is no name", name);
        return false;
    }
    return true;
}

static bool
append_term(GString *out, const char *before, const char *name, GError **error)
{
    if (!check_term(name, error)) {
        return false;
    }
    g_string_append_printf(out, "%s%s%s", out->len > 0 ? "," : "", before, name);
    return true;
}

bool
bp_v1__take_names(json_t *request, const char *member, const json_t *names, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(names); i++) {
        if (!append_term(out, "", json_string_value(json_array_get(names, i)), error)) {
            return false;
        }
    }
    bp_json_set_text(request, member, out->str);
    return true;
}

/* A database's collections as terms of a filter; an empty list is as `empty` says. */
static bool
append_database(GString *out, const char *database, const json_t *names, const char *empty,
                GError **error)
{
    g_autofree char *before = g_strconcat(database, ".", NULL);
    gsize n = json_array_size(names);
    if (!check_term(database, error)) {
        return false;
    }
    for (gsize i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!append_term(out, before, name != NULL ? name : "", error)) {
            return false;
        }
    }
    g_autofree char *whole = g_strconcat(before, empty, NULL);
    return n > 0 || append_term(out, "", whole, error);
}

bool
bp_v1__take_filter(json_t *request, const json_t *filter, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *database = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)filter, database, value)
    {
        /* A list of nothing is the database itself here. */
        if (!append_database(out, database, json_object_get(value, "colls"), "", error)) {
            return false;
        }
    }
    bp_json_set_text(request, "filter", out->str);
    return true;
}

json_t *
bp_v1__databases(const json_t *value, GError **error)
{
    g_autoptr(json_t) parsed = NULL;
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        parsed = json_loads(*text != '\0' ? text : "{}", 0, NULL);
    } else {
        parsed = value != NULL ? json_deep_copy(value) : json_object();
    }
    const char *database = NULL;
    json_t *names = NULL;
    if (!json_is_object(parsed)) {
        bp_set_error(error, BP_ERR_INVALID, "it has to be an object of lists, or one as a text");
        return NULL;
    }
    json_object_foreach(parsed, database, names)
    {
        if (json_is_null(names)) {
            json_object_set_new(parsed, database, json_array());
        } else if (!json_is_array(names)) {
            bp_set_error(error, BP_ERR_INVALID, "%s: it has to be a list of names", database);
            return NULL;
        }
    }
    return g_steal_pointer(&parsed);
}

bool
bp_v1__take_databases(json_t *request, const json_t *value, GError **error)
{
    g_autoptr(json_t) databases = bp_v1__databases(value, error);
    if (databases == NULL) {
        return false;
    }
    if (json_object_size(databases) > 0) {
        g_autofree char *text = bp_json_line(databases);
        bp_json_set_text(request, "database_collections", text);
    }
    return true;
}

bool
bp_v1__take_databases_as_filter(json_t *request, const json_t *value, GError **error)
{
    g_autoptr(json_t) databases = bp_v1__databases(value, error);
    g_autoptr(GString) out = g_string_new(NULL);
    const char *database = NULL;
    json_t *names = NULL;
    json_object_foreach(databases, database, names)
    {
        if (!append_database(out, database, names, "*", error)) {
            return false;
        }
    }
    bp_json_set_text(request, "filter", out->str);
    return databases != NULL;
}

void
bp_v1__add_setting(json_t *request, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    json_t *list = json_object_get(request, "settings");
    if (list == NULL) {
        list = json_array();
        json_object_set_new(request, "settings", list);
    }
    json_array_append_new(list, json_string(text));
}

/* -- create */

static bool
take_selection(json_t *request, const json_t *message, GError **error)
{
    static const char *const ways[] = {"filter", "db_collections", "collection_names", NULL};
    const char *field = ways[0];
    bool fine = true;
    bp_v1__keep_first(message, ways);
    if (bp_v1_is_said(message, "filter")) {
        fine = bp_v1__take_filter(request, json_object_get(message, field), error);
    } else if (bp_v1_is_said(message, "db_collections")) {
        field = ways[1];
        fine = bp_v1__take_databases(request, json_object_get(message, field), error);
    } else {
        field = ways[2];
        fine = bp_v1__take_names(request, "collections", json_object_get(message, field), error);
    }
    if (!fine) {
        g_prefix_error(error, "%s: ", field);
    }
    return fine;
}

static bool
take_strategy(json_t *request, const json_t *message, GError **error)
{
    bp_compat_flush said = {.strategy = bp_v1__text(message, "strategy"),
                            .force = bp_v1_is_said(message, "force"),
                            .meta_only = bp_v1_is_said(message, "meta_only")};
    g_autofree char *native = NULL;
    bool meta_only = false;
    if (!bp_compat_strategy(&said, &native, &meta_only, error)) {
        g_prefix_error(error, "strategy: ");
        return false;
    }
    if (native != NULL) {
        bp_v1__add_setting(request, "strategy=%s", native);
    }
    if (meta_only) {
        json_object_set_new(request, "meta_only", json_true());
    }
    if (!bp_compat_format(bp_v1__text(message, "format"), error)) {
        g_prefix_error(error, "format: ");
        return false;
    }
    return true;
}

/* Its length (gc_pause_seconds) is nobody's business: a pause is renewed until the end. */
static bool
take_gc_pause(json_t *request, const json_t *message, const bp_config_tree *config, GError **error)
{
    const char *ours = bp_config_peek(config, "source.management");
    const char *theirs = bp_v1__text(message, "gc_pause_address");
    bool enable = bp_v1_is_said(message, "gc_pause_enable");
    if (theirs != NULL) {
        g_autofree char *one = trimmed(theirs);
        g_autofree char *other = trimmed(ours);
        if (strcmp(one, other) != 0) {
            bp_set_error(error, BP_ERR_INVALID,
                         "gc_pause_address: it is not the one that is configured");
            bp_error_add_hint(error, "requests name no addresses; leave it out");
            return false;
        }
    }
    if (enable && ours == NULL) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "gc_pause_enable: no management address is configured");
        bp_error_add_hint(error, "set source.management (backup.gcPause.address)");
        return false;
    }
    if (enable) {
        bp_v1__add_setting(request, "gc_pause=auto");
    }
    return true;
}

json_t *
bp_v1_ask_create(const json_t *message, const bp_config_tree *config, GError **error)
{
    static const bp_v1_refusal refusals[] = {
        {"rbac", "users, roles and grants are not backed up by this version"},
        {"with_index_extra", "index details are not read from etcd"},
    };
    const char *name = bp_v1__text(message, "backup_name");
    g_autoptr(json_t) request = json_pack("{s:s}", "verb", "create");
    bp_json_set_text(request, "name", name);
    if (!bp_v1__refuse(message, refusals, G_N_ELEMENTS(refusals), error) ||
        (name != NULL && !bp_v1_ask_name(name, error))) {
        return NULL;
    }
    if (!bp_v1__take_storage(request, config, NULL, bp_v1__text(message, "backup_root_path"),
                             error)) {
        g_prefix_error(error, "backup_root_path: ");
        return NULL;
    }
    if (!take_selection(request, message, error) || !take_strategy(request, message, error) ||
        !take_gc_pause(request, message, config, error)) {
        return NULL;
    }
    return g_steal_pointer(&request);
}
