/* SPDX-License-Identifier: Apache-2.0
 *
 * See request.h: a table says what each verb takes, and one function per verb hands it over.
 */
#include "core/jobs/request.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/name.h"

#include "sdk/lib/ban.h"

typedef struct {
    const char *verb;
    const char *texts[9], *switches[5], *numbers[3]; /* names of its members, up to NULL */
    bool settings;
    const char *needs[3]; /* texts that must be there */
    const char *hint;     /* how they are said */
    bp_verb_outcome (*run)(const bp_verb *verb, const json_t *request, GError **error);
} verb_spec;

static const char *
text_of(const json_t *request, const char *key)
{
    return bp_json_text(request, key, NULL);
}

static bool
is_set(const json_t *request, const char *key)
{
    return json_is_true(json_object_get(request, key));
}

GPtrArray *
bp_request_settings(const json_t *request)
{
    const json_t *list = json_object_get(request, "settings");
    GPtrArray *settings = g_ptr_array_new();
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_ptr_array_add(settings, (gpointer)json_string_value(json_array_get(list, i)));
    }
    g_ptr_array_add(settings, NULL);
    return settings;
}

static bp_verb_outcome
run_create(const bp_verb *verb, const json_t *request, GError **error)
{
    g_autoptr(GPtrArray) settings = bp_request_settings(request);
    bp_create_params params = {
        .name = text_of(request, "name"),
        .select = {.filter = text_of(request, "filter"),
                   .children = text_of(request, "collections"),
                   .parents = text_of(request, "databases"),
                   .json = text_of(request, "database_collections")},
        .overrides = (const char *const *)settings->pdata,
        .label = text_of(request, "label"),
        .resume = is_set(request, "resume"),
        .replace = is_set(request, "replace"),
        .dry_run = is_set(request, "dry_run"),
        .without_items = is_set(request, "meta_only"),
    };
    return bp_verb_create(verb, &params, error);
}

static bp_verb_outcome
run_copy(const bp_verb *verb, const json_t *request, GError **error)
{
    g_autoptr(GPtrArray) settings = bp_request_settings(request);
    bp_copy_verb_params params = {
        .name = text_of(request, "name"),
        .from = text_of(request, "from"),
        .to = text_of(request, "to"),
        .overrides = (const char *const *)settings->pdata,
        .resume = is_set(request, "resume"),
        .replace = is_set(request, "replace"),
        .dry_run = is_set(request, "dry_run"),
    };
    return bp_verb_copy(verb, &params, error);
}

static bp_verb_outcome
run_restore(const bp_verb *verb, const json_t *request, GError **error)
{
    g_autoptr(GPtrArray) settings = bp_request_settings(request);
    bp_restore_params params = {
        .name = text_of(request, "name"),
        .select = {.children = text_of(request, "collections"),
                   .parents = text_of(request, "databases"),
                   .json = text_of(request, "database_collections")},
        .target_filter = text_of(request, "filter"),
        .rename = text_of(request, "rename"),
        .suffix = text_of(request, "suffix"),
        .overrides = (const char *const *)settings->pdata,
        .dry_run = is_set(request, "dry_run"),
        .force = is_set(request, "force"),
        .continue_on_error = is_set(request, "continue_on_error"),
        .without_items = is_set(request, "meta_only"),
    };
    return bp_verb_restore(verb, &params, error);
}

static bp_verb_outcome
run_delete(const bp_verb *verb, const json_t *request, GError **error)
{
    return bp_verb_delete(verb, text_of(request, "name"), is_set(request, "force"), error);
}

static bp_verb_outcome
run_verify(const bp_verb *verb, const json_t *request, GError **error)
{
    return bp_verb_verify(verb, text_of(request, "name"), is_set(request, "deep"), error);
}

static bp_verb_outcome
run_prune(const bp_verb *verb, const json_t *request, GError **error)
{
    guint64 within_ms = bp_json_u64(request, "keep_within_ms", 0);
    bp_prune_params params = {
        .keep_last = (guint)MIN(bp_json_u64(request, "keep_last", 0), G_MAXUINT),
        .keep_within_ns =
            (gint64)MIN(within_ms, (guint64)(G_MAXINT64 / BP_NS_PER_MS)) * BP_NS_PER_MS,
        .dry_run = is_set(request, "dry_run"),
        .foreign = is_set(request, "foreign"),
    };
    return bp_verb_prune(verb, &params, error);
}

static const verb_spec verbs[] = {
    {.verb = "create",
     .texts = {"name", "label", "storage", "filter", "collections", "databases",
               "database_collections"},
     .switches = {"resume", "replace", "dry_run", "meta_only"},
     .settings = true,
     .run = run_create},
    {.verb = "copy",
     .texts = {"name", "from", "to"},
     .switches = {"resume", "replace", "dry_run"},
     .settings = true,
     .needs = {"name", "to"},
     .hint = "copy needs the name of a backup and where to copy it (-n NAME --to STORAGE)",
     .run = run_copy},
    {.verb = "restore",
     .texts = {"name", "storage", "filter", "collections", "databases", "database_collections",
               "rename", "suffix"},
     .switches = {"dry_run", "force", "continue_on_error", "meta_only"},
     .settings = true,
     .needs = {"name"},
     .hint = "restore needs the name of a backup (-n NAME)",
     .run = run_restore},
    {.verb = "delete",
     .texts = {"name", "storage"},
     .switches = {"force"},
     .needs = {"name"},
     .hint = "delete needs the name of a backup (-n NAME)",
     .run = run_delete},
    {.verb = "verify",
     .texts = {"name", "storage"},
     .switches = {"deep"},
     .needs = {"name"},
     .hint = "verify needs the name of a backup (-n NAME)",
     .run = run_verify},
    {.verb = "prune",
     .switches = {"dry_run", "foreign"},
     .numbers = {"keep_last", "keep_within_ms"},
     .run = run_prune},
};

static const verb_spec *
verb_of(const json_t *request, GError **error)
{
    const char *name = bp_json_text(request, "verb", NULL);
    for (gsize i = 0; name != NULL && i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verbs[i].verb, name) == 0) {
            return &verbs[i];
        }
    }
    bp_set_error(error, BP_ERR_INVALID, "a job's verb is '%s'", name != NULL ? name : "");
    bp_error_add_hint(error, "verbs are create, copy, restore, delete, verify, prune");
    return NULL;
}

static bool
is_among(const char *const *names, const char *key)
{
    while (*names != NULL && strcmp(*names, key) != 0) {
        names++;
    }
    return *names != NULL;
}

static bool
is_list_of_texts(const json_t *value)
{
    for (gsize i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i))) {
            return false;
        }
    }
    return json_is_array(value);
}

/* What a member has to be; NULL when the verb knows none of that name. */
static const char *
type_wanted(const verb_spec *known, const char *key, const json_t *value, bool *fine)
{
    if (strcmp(key, "verb") == 0 || is_among(known->texts, key)) {
        *fine = json_is_string(value);
        return "a text";
    }
    if (is_among(known->switches, key)) {
        *fine = json_is_boolean(value);
        return "true or false";
    }
    if (is_among(known->numbers, key)) {
        *fine = json_is_integer(value) && json_integer_value(value) >= 0;
        return "a number from 0";
    }
    if (known->settings && strcmp(key, "settings") == 0) {
        *fine = is_list_of_texts(value);
        return "a list of texts";
    }
    return NULL;
}

static const verb_spec *
check(const json_t *request, GError **error)
{
    const verb_spec *known = verb_of(request, error);
    if (known == NULL) {
        return NULL;
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)request, key, value)
    {
        bool fine = false;
        const char *wanted = type_wanted(known, key, value, &fine);
        if (wanted == NULL) {
            bp_set_error(error, BP_ERR_INVALID, "%s knows no '%s'", known->verb, key);
            return NULL;
        }
        if (!fine) {
            bp_set_error(error, BP_ERR_INVALID, "'%s' of %s has to be %s", key, known->verb,
                         wanted);
            return NULL;
        }
    }
    for (gsize i = 0; known->needs[i] != NULL; i++) {
        if (text_of(request, known->needs[i]) == NULL) {
            bp_set_error(error, BP_ERR_INVALID, "%s", known->hint);
            return NULL;
        }
    }
    const char *label = text_of(request, "label");
    if (label != NULL && !bp_label_check(label, error)) {
        return NULL;
    }
    if (text_of(request, "suffix") != NULL && text_of(request, "rename") != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "--suffix and --rename exclude each other");
        return NULL;
    }
    return known;
}

bool
bp_request_check(const json_t *request, GError **error)
{
    return check(request, error) != NULL;
}

json_t *
bp_request_complete(const json_t *request)
{
    json_t *copy = json_deep_copy(request);
    if (strcmp(bp_json_text(copy, "verb", ""), "create") == 0 && text_of(copy, "name") == NULL) {
        g_autofree char *name = bp_backup_name_generate(bp_clock_wall_ns());
        bp_json_set_text(copy, "name", name);
    }
    return copy;
}

bool
bp_request_writes(const json_t *request)
{
    bool only_reads =
        strcmp(bp_json_text(request, "verb", ""), "verify") == 0 && !is_set(request, "deep");
    return !only_reads && !is_set(request, "dry_run");
}

bp_verb_outcome
bp_request_run(const bp_verb *verb, const json_t *request, GError **error)
{
    const verb_spec *known = check(request, error);
    if (known == NULL ||
        !bp_workspace_choose(verb->workspace, text_of(request, "storage"), error)) {
        return BP_VERB_FAILED;
    }
    return known->run(verb, request, error);
}

void
bp_result_finish(json_t *result, bp_verb_outcome outcome, bp_monitor *monitor, const GError *error)
{
    static const char *const words[] = {"done", "different", "failed"};
    bp_json_set_text(result, "outcome", words[outcome]);
    json_object_set_new(result, "notes", bp_monitor_notes(monitor));
    if (error != NULL) {
        json_object_set_new(result, "error", bp_json_error(error));
    }
}
