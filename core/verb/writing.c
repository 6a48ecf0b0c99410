/* SPDX-License-Identifier: Apache-2.0
 *
 * See writing.h.
 */
#include "core/verb/writing.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/catalog/lease.h"
#include "core/verb/entry_json.h"

#include "sdk/lib/ban.h"

void
bp_writing_clear(bp_writing *writing)
{
    bp_proven_free(writing->proven);
    bp_sizes_free(writing->listed);
    bp_journal_free(writing->journal);
    bp_uploads_free(writing->uploads);
    g_clear_pointer(&writing->seen, g_free);
    writing->proven = NULL;
    writing->listed = NULL;
    writing->journal = NULL;
    writing->uploads = NULL;
}

static bool
is_advisory(const bp_writing *writing)
{
    return strcmp(bp_settings_get(writing->settings, "lock"), "advisory") == 0;
}

static bool
is_whole(const bp_backup_entry *entry)
{
    return entry->state == BP_BACKUP_SUCCESS && !entry->incomplete;
}

static bool
set_exists(const bp_writing *writing, const bp_backup_entry *entry, GError **error)
{
    bool may_live = entry->state == BP_BACKUP_RUNNING && !entry->stale;
    bp_set_error(error, BP_ERR_EXISTS, "backup already exists with the name %s (%s)", writing->name,
                 entry->incomplete ? "incomplete" : bp_backup_state_name(entry->state));
    if (may_live) { /* what it has made by then is not to be replaced */
        bp_error_add_hint(error,
                          "it %s: wait until that has ended, or if it is gone for good, go "
                          "on with --resume",
                          entry->problem);
    } else if (is_whole(entry)) {
        bp_error_add_hint(error, "choose another name, or --replace it");
    } else {
        bp_error_add_hint(error, "go on with --resume, or start over with --replace");
    }
    return false;
}

static bool
check_entry(const bp_writing *writing, const bp_backup_entry *entry, GError **error)
{
    const char *name = writing->name;
    if (entry->foreign) {
        bp_set_error(error, BP_ERR_EXISTS,
                     "backup already exists with the name %s, written by %s\nhint: choose another "
                     "name; backups of other tools are never changed",
                     name, entry->writer != NULL ? entry->writer : "another tool");
        return false;
    }
    if (!entry->begun) { /* whose it is we do not know: it is not for us to replace or sweep */
        bp_set_error(error, BP_ERR_EXISTS,
                     "something that is no backup lies below %s/\nhint: choose another name", name);
        return false;
    }
    if (entry->state == BP_BACKUP_DELETING) {
        const bp_catalog *catalog = writing->catalog;
        g_autofree char *where = bp_workspace_words_for(writing->verb->workspace, catalog->store);
        bp_set_error(error, BP_ERR_EXISTS,
                     "backup %s is half deleted\nhint: finish that with: bakplane delete -n %s%s",
                     name, name, where);
        return false;
    }
    if (writing->resume && !writing->replace && entry->copying && !writing->copies) {
        bp_set_error(error, BP_ERR_EXISTS,
                     "%s is an unfinished copy of a backup\nhint: go on with: bakplane copy -n %s "
                     "--to %s --resume, from where it came; or start over with --replace",
                     name, name, bp_store_name(writing->catalog->store));
        return false;
    }
    return writing->replace || (writing->resume && !is_whole(entry)) ||
           set_exists(writing, entry, error);
}

/* @out: (out) (transfer full) what is there, NULL for a name that is free */
static bool
look_at_name(const bp_writing *writing, bp_backup_entry **out, GError **error)
{
    const char *name = writing->name;
    g_autoptr(GError) missing = NULL;
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(writing->catalog, name, &missing);
    if (entry == NULL) {
        bool fresh = bp_error_is(missing, BP_ERR_NOT_FOUND);
        if (fresh && writing->resume) {
            bp_set_error(error, BP_ERR_NOT_FOUND, "there is no backup %s to resume", name);
            return false;
        }
        if (!fresh) {
            g_propagate_error(error, g_steal_pointer(&missing));
        }
        return fresh;
    }
    g_autoptr(bp_manifest) readable = bp_catalog_manifest(writing->catalog, name, &missing);
    if (bp_error_is(missing, BP_ERR_UNSUPPORTED)) { /* a newer bakplane's: not ours to replace */
        g_propagate_error(error, g_steal_pointer(&missing));
        return false;
    }
    if (!check_entry(writing, entry, error)) {
        return false;
    }
    *out = g_steal_pointer(&entry);
    return true;
}

bool
bp_writing_check_name(bp_writing *writing, GError **error)
{
    g_autoptr(bp_backup_entry) entry = NULL;
    bool fine = look_at_name(writing, &entry, error);
    if (fine && entry != NULL && is_whole(entry)) {
        writing->seen = g_strdup(entry->run_id);
    }
    return fine;
}

static bool
set_made_just_now(const bp_writing *writing, bp_backup_state state, GError **error)
{
    bp_set_error(error, BP_ERR_EXISTS,
                 "backup already exists with the name %s (%s), made by another run just now",
                 writing->name, bp_backup_state_name(state));
    return false;
}

/* --replace is about what was there when it was given, not about what was waited for. */
static bool
check_not_renewed(const bp_writing *writing, GError **error)
{
    g_autoptr(bp_backup_entry) entry = NULL;
    if (!look_at_name(writing, &entry, error)) {
        return false;
    }
    bool renewed = entry != NULL && is_whole(entry) && g_strcmp0(entry->run_id, writing->seen) != 0;
    return !renewed || set_made_just_now(writing, entry->state, error);
}

/* The same under the lease: another run may have come and gone since we looked. */
static bool
check_still_free(const bp_writing *writing, GError **error)
{
    if (writing->replace || writing->resume) {
        return check_not_renewed(writing, error);
    }
    g_autoptr(GError) missing = NULL;
    g_autoptr(bp_manifest) other = bp_catalog_manifest(writing->catalog, writing->name, &missing);
    if (bp_error_is(missing, BP_ERR_NOT_FOUND)) {
        return true;
    }
    if (missing != NULL) {
        g_propagate_error(error, g_steal_pointer(&missing));
        return false;
    }
    return set_made_just_now(writing, other->state, error);
}

/* What earlier runs proved and, where that is much, what of it is still there. */
static bool
load_proven(bp_writing *writing, GError **error)
{
    const bp_catalog *catalog = writing->catalog;
    if (!bp_uploads_abort(catalog, writing->name, error)) {
        return false;
    }
    writing->proven = bp_proven_load(catalog, writing->name, error);
    if (writing->proven == NULL || bp_proven_count(writing->proven) < BP_SIZES_WORTH) {
        return writing->proven != NULL;
    }
    g_autofree char *prefix = bp_catalog_key(writing->name, "");
    bp_sizes_params params = {.catalog = catalog, .call = writing->call, .prefix = prefix};
    writing->listed = bp_sizes_load(&params, error);
    return writing->listed != NULL;
}

static bool
prepare(bp_writing *writing, GError **error)
{
    const bp_catalog *catalog = writing->catalog;
    if (!check_still_free(writing, error) ||
        (writing->replace && !bp_catalog_clear(catalog, writing->name, NULL, NULL, error))) {
        return false;
    }
    if (writing->resume && !load_proven(writing, error)) {
        return false;
    }
    writing->journal = bp_journal_new(catalog, writing->name, writing->run_id);
    writing->uploads = bp_uploads_new(catalog, writing->name, writing->run_id);
    return true;
}

bool
bp_writing_sees(const bp_writing *writing, const char *key, guint64 size)
{
    return writing->listed != NULL && bp_sizes_find(writing->listed, key) == size;
}

bool
bp_writing_upload(bp_writing *writing, const char *key, const char *upload, bool finished,
                  GError **error)
{
    const char *below = key + strlen(writing->name) + 1;
    if (!finished) {
        return bp_uploads_add(writing->uploads, below, upload, error);
    }
    bp_uploads_forget(writing->uploads, below, upload);
    return true;
}

/* Of items that went stale, whose abort failed then: once more, and not a matter of success. */
static void
end_uploads(const bp_writing *writing)
{
    if (bp_uploads_left(writing->uploads) > 0) {
        (void)bp_uploads_abort(writing->catalog, writing->name, NULL);
    }
}

/* The manifest has the last word on a run that did not get through; best effort, not cancelled. */
static void
record_failure(const bp_writing *writing, const GError *why)
{
    bp_call undo = bp_call_undo(writing->call);
    bp_catalog catalog = *writing->catalog;
    catalog.call = &undo;
    bp_manifest *manifest = writing->manifest;
    manifest->state = BP_BACKUP_FAILED;
    manifest->finished_ns = bp_clock_wall_ns();
    g_free(manifest->error);
    manifest->error = bp_log_redact(why->message);
    g_autoptr(GError) error = NULL;
    if (!bp_catalog_save(&catalog, manifest, &error)) {
        bp_monitor_note(writing->verb->monitor, BP_NOTE_WARN, "record", error->message);
    }
}

static bool
write_manifest_first(const bp_writing *writing, GError **error)
{
    g_autofree char *point = g_strconcat(writing->verb_name, ".running", NULL);
    return bp_catalog_save(writing->catalog, writing->manifest, error) &&
           bp_fault_point(point, error);
}

/* What was proven stays, so there is a way on. */
static void
hint_at_resume(const bp_writing *writing, GError **error)
{
    if (bp_error_is(*error, BP_ERR_AUTH)) {
        bp_error_add_hint(error,
                          "renew the credentials, then go on with: bakplane %s -n %s%s%s --resume",
                          writing->verb_name, writing->name, writing->copies ? " --to " : "",
                          writing->copies ? bp_store_name(writing->catalog->store) : "");
    }
    bp_error_add_hint(error, "go on with --resume, or start over with --replace");
}

bool
bp_writing_run(bp_writing *writing, const bp_writing_steps *steps, GError **error)
{
    g_autofree char *lease_key = bp_catalog_key(writing->name, BP_CATALOG_LEASE);
    gint64 renew_ns = writing->catalog->renew_ns;
    bp_lease_params params = {
        .catalog = writing->catalog,
        .key = lease_key,
        .run_id = writing->run_id,
        .purpose = writing->verb_name,
        .advisory = is_advisory(writing),
        .wait_stale = writing->resume || writing->replace,
        .renew_ns = renew_ns != 0 ? renew_ns : BP_LEASE_RENEW_NS,
        .on_loss = writing->on_loss,
    };
    g_autoptr(bp_lease) lease = bp_lease_take(&params, error);
    if (lease == NULL) {
        return false;
    }
    bool ready = prepare(writing, error) && steps->ready(steps->ctx, error);
    bool fine = ready && write_manifest_first(writing, error) && steps->write(steps->ctx, error);
    if (!bp_lease_blame(lease, bp_workspace_call(writing->verb->workspace)->cancel, error)) {
        return false; /* somebody else writes here now: not even the failure is ours to record */
    }
    if (fine) {
        end_uploads(writing);
    } else if (ready) {
        record_failure(writing, *error);
        hint_at_resume(writing, error);
    }
    return fine;
}

bool
bp_writing_probe(const bp_writing *writing, GError **error)
{
    guint32 need = BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE;
    return bp_workspace_probe(writing->verb->workspace, writing->catalog->store, writing->call,
                              need | (is_advisory(writing) ? 0 : BP_NEED_EXCLUSIVE), error);
}

bp_copy_params
bp_writing_copy_params(const bp_writing *writing)
{
    const bp_settings *s = writing->settings;
    const char *prove = bp_settings_get(s, "prove");
    bool told_parts = bp_settings_get(s, "part_size") != NULL;
    return (bp_copy_params){
        .dst = writing->catalog->store,
        .call = writing->call,
        .workers = (guint)bp_settings_u64(s, "concurrency.copies"),
        .buffer_bytes = (gsize)bp_settings_u64(s, "buffer_size"),
        .part_bytes = told_parts ? bp_settings_u64(s, "part_size") : BP_COPY_PART_BYTES,
        .few_whole = !told_parts,
        .rate_bytes_per_s = bp_settings_u64(s, "throttle"),
        .attempts = (guint)bp_settings_u64(s, "retry.attempts"),
        .max_delay_ns = (gint64)bp_settings_u64(s, "retry.max_delay") * BP_NS_PER_MS,
        .read_back = strcmp(prove, "read") == 0,
        .no_checksum = strcmp(prove, "size") == 0,
    };
}

void
bp_writing_describe(const bp_writing *writing, const bp_manifest *manifest, bool fine,
                    gint64 started_mono)
{
    json_t *result = writing->verb->result;
    /* Not what the manifest says: a run may end before it was written, or lose its lease after. */
    bp_json_set_text(result, "state",
                     bp_backup_state_name(fine ? BP_BACKUP_SUCCESS : BP_BACKUP_FAILED));
    bp_json_set_u64(result, "items", manifest->items);
    bp_json_set_u64(result, "bytes", manifest->bytes);
    bp_json_set_text(result, "server_version", manifest->server_version);
    bp_json_set_text(result, "source_address", manifest->source_address);
    bp_json_set_text(result, "label", manifest->label);
    bp_json_set_u64(result, "duration_ms",
                    (guint64)((bp_clock_mono_ns() - started_mono) / BP_NS_PER_MS));
    json_object_set_new(result, "units", bp_manifest_item_units_json(manifest));
}
