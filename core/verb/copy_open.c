/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of copy that comes before the first byte: from where to where, whether these are two
 * places, what the copy's manifest will say.
 */
#include <string.h>

#include "bp_build.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/verb/copy_run.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define HASH_BYTES (1 << 20)

static bool
open_storages(bp_copying *c, const bp_catalog **from, GError **error)
{
    bp_workspace *workspace = c->verb->workspace;
    const bp_copy_verb_params *params = c->params;
    c->cancel = bp_cancel_new_child(bp_workspace_call(workspace)->cancel);
    c->settings = bp_workspace_backup_settings(workspace, params->overrides, error);
    if (c->settings == NULL) {
        return false;
    }
    c->call = bp_workspace_verb_call(workspace, c->cancel, c->settings);
    bool found = params->from != NULL
                     ? bp_workspace_catalog_on(workspace, params->from, from, error)
                     : bp_workspace_catalog(workspace, from, error);
    if (!found || !bp_workspace_catalog_on(workspace, params->to, &c->to, error)) {
        return false;
    }
    c->to = bp_workspace_under(&c->under_call, c->to, &c->call);
    return true;
}

/*
 * Two names of one place would let --replace delete the original.  What both call themselves is
 * looked at first, since a dry run writes nothing; then a scratch object tells.
 */
static bool
check_apart(const bp_copying *c, const bp_catalog *from, GError **error)
{
    bp_store *source = from->store;
    bp_store *target = c->to->store;
    bool shared = source == target || bp_store_same_identity(source, target);
    if (!shared && !c->params->dry_run) {
        if (!bp_writing_probe(&c->writing, error) ||
            !bp_store_prove_shared(target, source, &c->call, &shared, error)) {
            return false;
        }
    }
    if (shared) {
        bp_set_error(error, BP_ERR_INVALID,
                     "storages '%s' and '%s' are one place: there would be no second copy\n"
                     "hint: name another storage with --to",
                     bp_store_name(source), bp_store_name(target));
    }
    return !shared;
}

/* The same record; totals and items files are made anew from what is proven at the target. */
static bp_manifest *
copy_of_manifest(const bp_manifest *original, GError **error)
{
    g_autoptr(json_t) json = bp_manifest_to_json(original);
    g_autofree char *text = bp_json_pretty(json);
    bp_manifest *copy = bp_manifest_parse(text, strlen(text), "the copied manifest", error);
    if (copy != NULL) {
        copy->state = BP_BACKUP_RUNNING;
        copy->copying = true;
        g_ptr_array_set_size(copy->item_files, 0);
    }
    return copy;
}

static bool
open_ours(bp_copying *c, GError **error)
{
    c->manifest = copy_of_manifest(c->view.manifest, error);
    c->bytes = c->view.manifest->bytes;
    for (guint i = 0; c->manifest != NULL && i < c->manifest->documents->len; i++) {
        const bp_manifest_file *document = g_ptr_array_index(c->manifest->documents, i);
        c->bytes += document->size;
    }
    return c->manifest != NULL;
}

/* What lies in the folder of the document that ends a backup are its documents. */
typedef struct {
    const bp_copying *c;
    gsize prefix, folder; /* lengths, of the backup's prefix and of that folder */
    const char *commit;
    GPtrArray *documents; /* char*, without the last one */
    guint64 bytes;
} survey;

static bool
survey_object(void *ctx, const char *full_key, const struct bp_object_meta *meta)
{
    survey *s = ctx;
    const char *key = full_key + s->prefix;
    if (meta == NULL || g_str_has_prefix(key, "bakplane/")) {
        return true;
    }
    s->bytes += meta->size != BP_UNKNOWN ? meta->size : 0;
    if (s->folder > 0 && strncmp(key, s->commit, s->folder) == 0 && strcmp(key, s->commit) != 0) {
        g_ptr_array_add(s->documents, g_strdup(key));
    }
    return true;
}

static bool
try_survey(void *ctx, GError **error)
{
    survey *s = ctx;
    const bp_copying *c = s->c;
    g_autofree char *prefix = bp_catalog_key(c->params->name, "");
    bp_store_list_params list = {.prefix = prefix};
    s->prefix = strlen(prefix);
    s->bytes = 0;
    g_ptr_array_set_size(s->documents, 0);
    return bp_store_list(c->view.catalog->store, &c->call, &list, survey_object, s, error);
}

static bool
add_document(bp_copying *c, const char *document, GError **error)
{
    g_autofree char *key = bp_catalog_key(c->params->name, document);
    bp_retry_params retry = bp_workspace_retry(c->verb->workspace);
    bp_copy_hash_params hash = {.store = c->view.catalog->store,
                                .call = &c->call,
                                .key = key,
                                .buffer_bytes = HASH_BYTES,
                                .attempts = retry.attempts,
                                .max_delay_ns = retry.max_delay_ns,
                                .kind = BP_CHECKSUM_XXH3_128};
    struct bp_checksum sum;
    guint64 size = 0;
    if (!bp_copy_hash(&hash, &sum, &size, error)) {
        return false;
    }
    g_ptr_array_add(c->manifest->documents, bp_manifest_file_new(document, size, &sum));
    return true;
}

static bool
add_documents(bp_copying *c, GError **error)
{
    const char *commit = c->view.catalog->commit_document;
    const char *slash = strrchr(commit, '/');
    g_autoptr(GPtrArray) documents = g_ptr_array_new_with_free_func(g_free);
    survey s = {.c = c,
                .folder = slash != NULL ? (gsize)(slash - commit) + 1 : 0,
                .commit = commit,
                .documents = documents};
    bp_retry_params retry = bp_workspace_retry_for(c->verb->workspace, &c->call);
    if (!bp_retry(&retry, try_survey, &s, error)) {
        return false;
    }
    c->bytes = s.bytes;
    for (guint i = 0; i < documents->len; i++) {
        if (!add_document(c, g_ptr_array_index(documents, i), error)) {
            return false;
        }
    }
    return add_document(c, commit, error);
}

/* A foreign backup is what its last document says; that stands for the id it does not have. */
static char *
run_id_of(const bp_manifest *manifest)
{
    guint n = manifest->documents->len;
    const bp_manifest_file *last = g_ptr_array_index(manifest->documents, n - 1);
    char hex[BP_CHECKSUM_HEX_MAX];
    bp_checksum_to_hex(&last->checksum, hex);
    return g_strconcat("foreign-", hex, NULL);
}

static bool
open_foreign(bp_copying *c, GError **error)
{
    const bp_manifest *original = c->view.manifest;
    bp_manifest *manifest = c->manifest = bp_manifest_new(c->params->name);
    bp_manifest_unit *unit = bp_manifest_unit_new();
    unit->id = g_strdup(BP_COPY_UNIT);
    unit->kind = g_strdup(BP_COPY_UNIT);
    unit->name = g_strdup(c->params->name);
    unit->has_items = true;
    g_ptr_array_add(manifest->units, unit);
    manifest->writer = g_strdup("bakplane " BP_BUILD_VERSION);
    manifest->state = BP_BACKUP_RUNNING;
    manifest->copying = true;
    manifest->started_ns = bp_clock_wall_ns();
    manifest->source_plugin = g_strdup(original->source_plugin);
    manifest->server_version = g_strdup(original->server_version);
    manifest->label = g_strdup(original->label);
    if (!add_documents(c, error)) {
        return false;
    }
    manifest->run_id = run_id_of(manifest);
    return true;
}

bool
bp_copying_check_origin(const bp_copying *c, GError **error)
{
    if (!c->params->resume || c->params->replace) {
        return true;
    }
    g_autoptr(GError) failed = NULL;
    g_autoptr(bp_manifest) there = bp_catalog_manifest(c->to, c->params->name, &failed);
    if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
        return true; /* no manifest, so it proves nothing yet */
    }
    if (failed != NULL && !bp_error_is(failed, BP_ERR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    if (there == NULL || g_strcmp0(there->run_id, c->manifest->run_id) != 0) {
        bp_set_error(error, BP_ERR_EXISTS,
                     "what storage '%s' holds as %s is no unfinished copy of this backup\n"
                     "hint: start over with --replace",
                     bp_store_name(c->to->store), c->params->name);
        return false;
    }
    return true;
}

static void
begin_writing(bp_copying *c)
{
    c->run_id = bp_text_uuid();
    c->writing = (bp_writing){.verb = c->verb,
                              .verb_name = "copy",
                              .name = c->params->name,
                              .catalog = c->to,
                              .settings = c->settings,
                              .call = &c->call,
                              .on_loss = c->cancel,
                              .run_id = c->run_id,
                              .resume = c->params->resume,
                              .replace = c->params->replace,
                              .copies = true};
}

bool
bp_copying_open(bp_copying *c, GError **error)
{
    const bp_catalog *from = NULL;
    if (!open_storages(c, &from, error)) {
        return false;
    }
    begin_writing(c);
    if (!check_apart(c, from, error) ||
        !bp_view_open_on(c->verb, from, c->params->name, &c->view, error) ||
        !bp_writing_check_name(&c->writing, error)) {
        return false;
    }
    bool opened = c->view.foreign ? open_foreign(c, error) : open_ours(c, error);
    c->writing.manifest = c->manifest;
    return opened && bp_copying_check_origin(c, error);
}
