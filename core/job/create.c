/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane create.  Order of writing: lease, manifest "running", data, barrier, journal, items
 * files, documents, manifest "success", commit document.  Whatever goes wrong, the source's run is
 * ended, the manifest says why, and what was proven stays for --resume.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/catalog/lease.h"
#include "core/job/create_run.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "create"

/* The engine's thread tells us in batches what is proven; each batch becomes journal chunks. */
static bool
journal_proven(void *ctx, const bp_copied *items, gsize n, GError **error)
{
    bp_create *create = ctx;
    gsize prefix = strlen(create->manifest->name) + 1;
    for (gsize i = 0; i < n; i++) {
        guint32 generation = 0;
        const bp_create_unit *unit = bp_create_unit_of(create, items[i].tag, &generation);
        bp_item_record record = {.key = items[i].dst_key + prefix,
                                 .unit_id = unit->record->id,
                                 .size = items[i].size,
                                 .checksum = items[i].checksum,
                                 .etag = items[i].src_etag,
                                 .generation = generation};
        bp_journal_add(create->journal, &record);
    }
    return bp_journal_write(create->journal, error);
}

static void
show_copy(void *ctx, bp_progress *out)
{
    bp_create *create = ctx;
    bp_copy_progress(create->copy, out);
}

static bp_copy *
new_engine(bp_create *create)
{
    const bp_settings *s = create->settings;
    const char *prove = bp_settings_get(s, "prove");
    bp_copy_params params = {
        .dst = create->catalog->store,
        .call = &create->call,
        .workers = (guint)bp_settings_u64(s, "concurrency.copies"),
        .buffer_bytes = (gsize)bp_settings_u64(s, "buffer_size"),
        .part_bytes = bp_settings_u64(s, "part_size"),
        .rate_bytes_per_s = bp_settings_u64(s, "throttle"),
        .attempts = (guint)bp_settings_u64(s, "retry.attempts"),
        .max_delay_ns = (gint64)bp_settings_u64(s, "retry.max_delay") * BP_NS_PER_MS,
        .read_back = strcmp(prove, "read") == 0,
        .no_checksum = strcmp(prove, "size") == 0,
        .may_link = true, /* the plugin links only where its storage was set to */
        .proven = journal_proven,
        .ctx = create,
    };
    return bp_copy_new(&params);
}

/* Copies and proves everything; the source's run is ended in any case. */
static bool
capture(bp_create *create, GError **error)
{
    struct bp_run_args args = {.struct_size = sizeof args,
                               .flags = create->params->without_items ? BP_RUN_WITHOUT_ITEMS : 0,
                               .run_id = create->manifest->run_id,
                               .backup = create->manifest->name,
                               .options = create->settings};
    guint32 keepalive_ms = 0;
    create->run = bp_source_run_begin(create->source, &create->call, &args, &keepalive_ms, error);
    if (create->run == NULL) {
        return false;
    }
    bp_keepalive *keepalive = bp_keepalive_start(create, keepalive_ms);
    create->copy = new_engine(create);
    bp_monitor_begin(create->job->monitor, "copy", show_copy, create);
    bool copied = bp_create_run_units(create, error);
    bp_monitor_end(create->job->monitor);
    bp_copy_free(g_steal_pointer(&create->copy));

    bool sealed = copied && bp_create_seal(create, error);
    bp_keepalive_stop(keepalive);
    bool cancelled = bp_cancel_is_set(bp_workspace_call(create->job->workspace)->cancel);
    enum bp_outcome outcome = sealed      ? BP_OUTCOME_DONE
                              : cancelled ? BP_OUTCOME_CANCELLED
                                          : BP_OUTCOME_FAILED;
    g_autoptr(GError) at_end = NULL;
    if (!bp_source_run_end(create->run, &create->call, outcome, &at_end)) {
        /* The data is safe; what could not be released ends by itself on the server. */
        bp_monitor_note(create->job->monitor, BP_NOTE_WARN, "run-end", at_end->message);
    }
    create->run = NULL;
    return sealed;
}

/* The manifest has the last word on a run that did not get through; best effort, not cancelled. */
static void
record_failure(bp_create *create, const GError *why)
{
    bp_call undo = bp_call_undo(&create->call);
    bp_catalog catalog = *create->catalog;
    catalog.call = &undo;
    create->manifest->state = BP_BACKUP_FAILED;
    create->manifest->finished_ns = bp_clock_wall_ns();
    g_free(create->manifest->error);
    create->manifest->error = bp_log_redact(why->message);
    g_autoptr(GError) error = NULL;
    if (!bp_catalog_save(&catalog, create->manifest, &error)) {
        bp_monitor_note(create->job->monitor, BP_NOTE_WARN, "record", error->message);
    }
}

/* From the lease on: everything that changes the backup storage.  `error` is not NULL. */
static bool
write_backup(bp_create *create, GError **error)
{
    const char *name = create->manifest->name;
    g_autofree char *lease_key = bp_catalog_key(name, "bakplane/lease.json");
    bp_lease_params lease_params = {
        .catalog = create->catalog,
        .key = lease_key,
        .run_id = create->manifest->run_id,
        .purpose = "create",
        .advisory = strcmp(bp_settings_get(create->settings, "lock"), "advisory") == 0,
        .wait_stale = create->params->resume || create->params->replace,
        .renew_ns = 30 * BP_NS_PER_S,
        .on_loss = create->cancel,
    };
    g_autoptr(bp_lease) lease = bp_lease_take(&lease_params, error);
    if (lease == NULL || !bp_create_prepare(create, error)) {
        return false;
    }
    bool fine = bp_catalog_save(create->catalog, create->manifest, error) &&
                bp_fault_point("create.running", error) && capture(create, error);
    if (!bp_lease_check(lease, NULL)) {
        /* Somebody else writes here now: not even the failure is ours to record. */
        g_clear_error(error);
        return bp_lease_check(lease, error);
    }
    if (!fine) {
        record_failure(create, *error);
    }
    return fine;
}

static void
describe(bp_create *create, json_t *result, bool fine, gint64 started_mono)
{
    const bp_manifest *m = create->manifest;
    /* Not what the manifest says: a run may end before it was written, or lose its lease after. */
    bp_json_set_text(result, "state",
                     bp_backup_state_name(fine ? BP_BACKUP_SUCCESS : BP_BACKUP_FAILED));
    bp_json_set_u64(result, "items", m->items);
    bp_json_set_u64(result, "bytes", m->bytes);
    bp_json_set_text(result, "server_version", m->server_version);
    bp_json_set_u64(result, "duration_ms",
                    (guint64)((bp_clock_mono_ns() - started_mono) / BP_NS_PER_MS));
    json_object_set_new(result, "units", bp_create_units_json(create));
}

bp_verb_outcome
bp_job_create(const bp_job *job, const bp_create_params *params, GError **error)
{
    gint64 started = bp_clock_mono_ns();
    g_auto(bp_create) create = {.job = job, .params = params};
    pthread_mutex_init(&create.lock, NULL);
    bp_json_set_text(job->result, "job", "create");
    GError *problem = NULL;
    bool fine = bp_create_open(&create, &problem);
    if (fine && params->dry_run) {
        fine = bp_create_estimate(&create, job->result, &problem);
    } else if (fine) {
        fine = write_backup(&create, &problem);
    }
    if (create.manifest != NULL) {
        bp_json_set_text(job->result, "name", create.manifest->name);
        if (!params->dry_run) {
            describe(&create, job->result, fine, started);
        }
    }
    if (!fine) {
        if (create.manifest != NULL && !params->dry_run &&
            create.manifest->state == BP_BACKUP_FAILED) {
            bp_error_add_hint(&problem, "go on with --resume, or start over with --replace");
        }
        g_propagate_error(error, problem);
    }
    return fine ? BP_VERB_OK : BP_VERB_FAILED;
}
