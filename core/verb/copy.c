/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane copy.  The original is only read.  Order of writing at the target, as in create: lease,
 * manifest "running", data, barrier, journal, items files, documents, manifest "success", commit
 * document.  A foreign backup's record goes instead of saying "success".
 */
#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/verb/copy_run.h"
#include "core/verb/entry_json.h"
#include "core/verb/space.h"

#include "sdk/lib/ban.h"

void
bp_copying_clear(bp_copying *c)
{
    bp_writing_clear(&c->writing);
    bp_manifest_free(c->manifest);
    bp_view_clear(&c->view);
    bp_settings_free(c->settings);
    bp_cancel_free(c->cancel);
    g_free(c->run_id);
}

static void
show_copy(void *ctx, bp_progress *out)
{
    bp_copying *c = ctx;
    bp_copy_progress(c->copy, out);
}

static bool
ready(void *ctx, GError **error)
{
    const bp_copying *c = ctx;
    /* What a resumed run still lacks is unknown; a full disk is reported when it comes. */
    return bp_copying_check_origin(c, error) &&
           (c->params->resume ||
            bp_space_check(c->to->store, &c->call, c->bytes, "the copy", error));
}

static bool
write_copy(void *ctx, GError **error)
{
    bp_copying *c = ctx;
    c->copy = bp_copying_engine(c);
    bp_monitor_begin(c->verb->monitor, "copy", show_copy, c);
    bool copied = bp_copying_items(c, error) && bp_fault_point("copy.copied", error);
    bp_monitor_end(c->verb->monitor);
    bool sealed = copied && bp_copying_seal(c, error);
    bp_copy_free(g_steal_pointer(&c->copy));
    if (!sealed) {
        bp_copying_explain(c, error);
    }
    return sealed;
}

static bool
estimate(bp_copying *c, GError **error)
{
    json_t *result = c->verb->result;
    const bp_manifest *manifest = c->view.manifest;
    json_object_set_new(result, "dry_run", json_true());
    bp_json_set_u64(result, "items", manifest->items);
    bp_json_set_u64(result, "bytes", manifest->bytes);
    bp_json_set_text(result, "server_version", manifest->server_version);
    json_object_set_new(result, "units", bp_manifest_item_units_json(manifest));
    return bp_space_check(c->to->store, &c->call, c->bytes, "the copy", error);
}

bp_verb_outcome
bp_verb_copy(const bp_verb *verb, const bp_copy_verb_params *params, GError **error)
{
    gint64 started = bp_clock_mono_ns();
    g_auto(bp_copying) c = {.verb = verb, .params = params};
    bp_json_set_text(verb->result, "job", "copy");
    bp_json_set_text(verb->result, "name", params->name);
    bp_json_set_text(verb->result, "to", params->to);
    GError *problem = NULL;
    if (!bp_copying_open(&c, &problem)) {
        g_propagate_error(error, problem);
        return BP_VERB_FAILED;
    }
    bp_json_set_text(verb->result, "from", bp_store_name(c.view.catalog->store));
    json_object_set_new(verb->result, "foreign", json_boolean(c.view.foreign));
    bool fine = false;
    if (params->dry_run) {
        fine = estimate(&c, &problem);
    } else {
        bp_writing_steps steps = {.ready = ready, .write = write_copy, .ctx = &c};
        fine = bp_writing_run(&c.writing, &steps, &problem);
        bp_writing_describe(&c.writing, c.view.manifest, fine, started);
    }
    if (!fine) {
        g_propagate_error(error, problem);
    }
    return fine ? BP_VERB_OK : BP_VERB_FAILED;
}
