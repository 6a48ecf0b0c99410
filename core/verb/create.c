/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane create.  Order of writing: lease, manifest "running", data, barrier, journal, items
 * files, documents, manifest "success", commit document.  Whatever goes wrong, the source's run is
 * ended, the manifest says why, and what was proven stays for --resume.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/verb/create_run.h"

#include "sdk/lib/ban.h"

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
        bp_journal_add(create->writing.journal, &record);
    }
    return bp_journal_write(create->writing.journal, error);
}

static bool
journal_upload(void *ctx, const char *key, const char *upload, bool finished, GError **error)
{
    bp_create *create = ctx;
    return bp_writing_upload(&create->writing, key, upload, finished, error);
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
    bp_copy_params params = bp_writing_copy_params(&create->writing);
    params.may_link = true; /* the plugin links only where its storage was set to */
    params.proven = journal_proven;
    params.upload = journal_upload;
    params.ctx = create;
    return bp_copy_new(&params);
}

/* Copies and proves everything; the source's run is ended in any case. */
static bool
capture(void *ctx, GError **error)
{
    bp_create *create = ctx;
    guint32 keepalive_ms = 0;
    guint32 flags = create->params->without_items ? BP_RUN_WITHOUT_ITEMS : 0;
    if (!bp_create_begin_run(create, flags, &keepalive_ms, error)) {
        return false;
    }
    bp_keepalive *keepalive = bp_keepalive_start(create, keepalive_ms);
    create->copy = new_engine(create);
    bp_monitor_begin(create->verb->monitor, "copy", show_copy, create);
    bool copied = bp_create_run_units(create, error);
    bp_monitor_end(create->verb->monitor);
    bp_copy_free(g_steal_pointer(&create->copy));

    bool sealed = copied && bp_create_seal(create, error);
    bp_keepalive_stop(keepalive);
    bool cancelled = bp_cancel_is_set(bp_workspace_call(create->verb->workspace)->cancel);
    enum bp_outcome outcome = sealed      ? BP_OUTCOME_DONE
                              : cancelled ? BP_OUTCOME_CANCELLED
                                          : BP_OUTCOME_FAILED;
    g_autoptr(GError) at_end = NULL;
    if (!bp_source_run_end(create->run, &create->call, outcome, &at_end)) {
        /* The data is safe; what could not be released ends by itself on the server. */
        bp_monitor_note(create->verb->monitor, BP_NOTE_WARN, "run-end", at_end->message);
    }
    create->run = NULL;
    return sealed;
}

static bool
ready(void *ctx, GError **error)
{
    return bp_create_check_space(ctx, error);
}

/* From the lease on: everything that changes the backup storage. */
static bool
write_backup(bp_create *create, GError **error)
{
    create->writing.manifest = create->manifest;
    create->writing.run_id = create->manifest->run_id;
    bp_writing_steps steps = {.ready = ready, .write = capture, .ctx = create};
    return bp_writing_run(&create->writing, &steps, error);
}

bp_verb_outcome
bp_verb_create(const bp_verb *verb, const bp_create_params *params, GError **error)
{
    gint64 started = bp_clock_mono_ns();
    g_auto(bp_create) create = {.verb = verb, .params = params};
    pthread_mutex_init(&create.lock, NULL);
    bp_json_set_text(verb->result, "job", "create");
    GError *problem = NULL;
    bool fine = bp_create_open(&create, &problem);
    if (fine && params->dry_run) {
        fine = bp_create_estimate(&create, verb->result, &problem);
    } else if (fine) {
        fine = write_backup(&create, &problem);
    }
    if (create.manifest != NULL) {
        bp_json_set_text(verb->result, "name", create.manifest->name);
        if (!params->dry_run) {
            bp_writing_describe(&create.writing, create.manifest, fine, started);
        }
    }
    if (!fine) {
        g_propagate_error(error, problem);
    }
    return fine ? BP_VERB_OK : BP_VERB_FAILED;
}
