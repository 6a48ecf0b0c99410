/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane check: each thing that create and restore are going to need, tried one by one, so that
 * one failure does not hide the others.  Writes scratch objects to the backup storage only.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/verb/verb.h"

#include "sdk/lib/ban.h"

typedef struct {
    const bp_verb *verb;
    json_t *list;
    guint failed, misconfigured, unprovable; /* misconfigured: of those that failed */
} check_work;

static void
add(check_work *work, const char *what, const char *status, const char *text)
{
    json_t *one = json_object();
    bp_json_set_text(one, "check", what);
    bp_json_set_text(one, "status", status);
    bp_json_set_text(one, "text", text);
    json_array_append_new(work->list, one);
}

static bool
passed(check_work *work, const char *what, bool fine, const char *text, GError *take_error)
{
    if (fine) {
        add(work, what, "ok", text);
    } else {
        work->failed++;
        work->misconfigured += bp_error_is(take_error, BP_ERR_INVALID);
        add(work, what, "failed", take_error->message);
        g_error_free(take_error);
    }
    return fine;
}

static void
check_plugins(check_work *work)
{
    GError *error = NULL;
    const bp_config_tree *config = bp_workspace_config(work->verb->workspace);
    bp_module *module = bp_workspace_source_module(work->verb->workspace, &error);
    passed(work, "source plugin", module != NULL, module != NULL ? bp_module_path(module) : NULL,
           error);
    for (const char *const *name = bp_config_storages(config); *name != NULL; name++) {
        g_autofree char *what = g_strdup_printf("storage %s", *name);
        error = NULL;
        bp_store *store = bp_workspace_store(work->verb->workspace, *name, &error);
        passed(work, what, store != NULL, store != NULL ? bp_store_info(store)->identity : NULL,
               error);
    }
}

/* Runs are kept apart by exclusive creation, unless the operator chose otherwise. */
static void
check_lock(check_work *work, const bp_catalog *catalog)
{
    GError *error = NULL;
    g_autoptr(bp_settings) settings =
        bp_workspace_backup_settings(work->verb->workspace, NULL, &error);
    bool advisory = settings != NULL && strcmp(bp_settings_get(settings, "lock"), "advisory") == 0;
    if (!advisory) {
        bool fine =
            settings != NULL && bp_workspace_probe(work->verb->workspace, catalog->store,
                                                   catalog->call, BP_NEED_EXCLUSIVE, &error);
        passed(work, "backup storage: exclusive creation", fine, bp_store_name(catalog->store),
               error);
    }
}

static void
check_backup_storage(check_work *work)
{
    GError *error = NULL;
    const bp_catalog *catalog = NULL;
    if (!bp_workspace_catalog(work->verb->workspace, &catalog, &error)) {
        passed(work, "backup storage", false, NULL, error);
        return;
    }
    guint32 need = BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE;
    bool usable =
        bp_workspace_probe(work->verb->workspace, catalog->store, catalog->call, need, &error);
    passed(work, "backup storage: list, read, write", usable, bp_store_name(catalog->store), error);
    check_lock(work, catalog);
    struct bp_space space = {.struct_size = sizeof space};
    error = NULL;
    bool known = bp_store_space(catalog->store, catalog->call, &space, &error);
    g_autofree char *available = known ? bp_text_size(space.available) : NULL;
    passed(work, "backup storage: space", known, available, error);
}

static void
take_note(void *ctx, enum bp_note_level level, const char *code, const char *text)
{
    check_work *work = ctx;
    work->unprovable += level == BP_NOTE_WARN;
    add(work, code, level == BP_NOTE_WARN ? "unproven" : "ok", text);
}

static bool
check_source_storage(check_work *work)
{
    GError *error = NULL;
    bp_workspace *workspace = work->verb->workspace;
    bp_store *store = bp_workspace_source_store(workspace, NULL, &error);
    bool fine = store != NULL && bp_workspace_probe(workspace, store, bp_workspace_call(workspace),
                                                    BP_NEED_LIST | BP_NEED_READ, &error);
    return passed(work, "source storage: list, read", fine, fine ? bp_store_name(store) : NULL,
                  error);
}

static void
check_source(check_work *work)
{
    GError *error = NULL;
    bp_workspace *workspace = work->verb->workspace;
    const bp_call *call = bp_workspace_call(workspace);
    bp_source_inst *source = bp_workspace_source(workspace, &error);
    if (source == NULL) {
        passed(work, "source", false, NULL, error);
        return;
    }
    if (bp_workspace_has_source_store(workspace) && !check_source_storage(work)) {
        return;
    }
    bp_note_fns notes = {.note = take_note, .ctx = work};
    bool fine = bp_source_probe(source, call, &notes, &error);
    const struct bp_source_info *facts = bp_source_facts(source);
    g_autofree char *text =
        fine ? g_strdup_printf("%s, version %s", facts->address, facts->server_version) : NULL;
    passed(work, "source: connection, version, rights, storage", fine, text, error);
}

bp_verb_outcome
bp_verb_check(const bp_verb *verb, GError **error)
{
    check_work work = {.verb = verb, .list = json_array()};
    bp_json_set_text(verb->result, "job", "check");
    json_object_set_new(verb->result, "checks", work.list);
    bp_monitor_begin(verb->monitor, "check", NULL, NULL);
    check_plugins(&work);
    check_backup_storage(&work);
    check_source(&work);
    bp_monitor_end(verb->monitor);
    if (!bp_cancel_check(bp_workspace_call(verb->workspace)->cancel, error)) {
        return BP_VERB_FAILED;
    }
    if (work.failed > 0) {
        bp_set_error(error, work.misconfigured > 0 ? BP_ERR_INVALID : BP_ERR_PERMANENT,
                     "%u of %u checks failed", work.failed, (guint)json_array_size(work.list));
        return BP_VERB_FAILED;
    }
    return work.unprovable > 0 ? BP_VERB_DIFFERENT : BP_VERB_OK;
}
