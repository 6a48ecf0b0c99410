/* SPDX-License-Identifier: Apache-2.0
 *
 * What sources tell through sinks: units and items, checked one by one.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/refs.h"
#include "core/plugin/source_internal.h"
#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define KIND_MAX 31
#define NAME_MAX_BYTES 1024
#define ETAG_MAX 127
#define OURS "bakplane"
#define UNIT_MIN (offsetof(struct bp_unit, objects) + sizeof(uint64_t))
#define ITEM_MIN (offsetof(struct bp_item, checksum) + sizeof(struct bp_checksum))

void
bp_sink_begin(bp_sink_state *sink, const bp_source_inst *source, const char *what,
              const bp_call *call)
{
    *sink = (bp_sink_state){.answer = {&source->base, what}, .call = call};
}

bool
bp_sink_is_over(const bp_sink_state *sink)
{
    return sink->bug != NULL || sink->stopped;
}

bool
bp_sink_leave(bp_sink_state *sink, bp_frame *frame, bp_status status, GError **error)
{
    if (!bp_sink_is_over(sink)) {
        return bp_frame_leave(frame, status, error);
    }
    (void)bp_frame_leave(frame, status, NULL); /* the status follows from what ended the sink */
    if (sink->bug != NULL) {
        g_propagate_error(error, g_steal_pointer(&sink->bug));
    } else {
        bp_set_error(error, BP_ERR_CANCELLED, "source %s: %s was stopped",
                     sink->answer.instance->name, sink->answer.what);
    }
    return false;
}

bool
bp_source__take_unit(bp_sink_state *sink, const struct bp_unit *unit, GHashTable *seen,
                     struct bp_unit *out)
{
    const bp_answer *answer = &sink->answer;
    GError **bug = &sink->bug;
    if (!bp_answer_copy(out, sizeof *out, UNIT_MIN, unit)) {
        return bp_plugin_bug(answer->instance, answer->what, bug,
                             "told of a unit that is too short");
    }
    if (!bp_answer_check_text(answer, "unit id", out->id, BP_TOKEN_MAX, bug) ||
        !bp_answer_check_text(answer, "unit kind", out->kind, KIND_MAX, bug) ||
        !bp_answer_check_text(answer, "unit name", out->name, NAME_MAX_BYTES, bug) ||
        (out->parent != NULL &&
         !bp_answer_check_text(answer, "unit parent", out->parent, BP_TOKEN_MAX, bug))) {
        return false;
    }
    if (out->flags != 0) {
        return bp_plugin_bug(answer->instance, answer->what, bug,
                             "unit \"%.200s\" has unknown flags", out->id);
    }
    if (seen == NULL) {
        return true;
    }
    if (out->parent != NULL && !g_hash_table_contains(seen, out->parent)) {
        return bp_plugin_bug(answer->instance, answer->what, bug,
                             "unit \"%.200s\" comes before its parent \"%.200s\"", out->id,
                             out->parent);
    }
    return g_hash_table_add(seen, g_strdup(out->id)) ||
           bp_plugin_bug(answer->instance, answer->what, bug, "unit \"%.200s\" comes twice",
                         out->id);
}

bool
bp_source__check_backup_key(const bp_answer *answer, const char *thing, const char *key,
                            GError **error)
{
    if (!bp_answer_check_key(answer, thing, key, error)) {
        return false;
    }
    bool ours =
        g_str_has_prefix(key, OURS) && (key[strlen(OURS)] == '\0' || key[strlen(OURS)] == '/');
    return !ours || bp_plugin_bug(answer->instance, answer->what, error,
                                  "%s \"%.200s\" lies where only the host may write", thing, key);
}

static bool
check_ref(bp_sink_state *sink, const struct bp_item *item)
{
    const bp_answer *answer = &sink->answer;
    const char *prefix = NULL;
    guint32 flags = 0;
    const bp_refs *refs = sink->call != NULL ? sink->call->refs : NULL;
    if (bp_refs_find(refs, item->ref, &prefix, &flags) == NULL) {
        return bp_plugin_bug(answer->instance, answer->what, &sink->bug,
                             "item %s lies on storage \"%.200s\", which is out of its reach",
                             item->key, item->ref != NULL ? item->ref : "");
    }
    return bp_answer_check_key(answer, "item's key on its storage", item->ref_key, &sink->bug);
}

static bool
check_item_kind(bp_sink_state *sink, const struct bp_item *item, bool adopted)
{
    const bp_instance *instance = sink->answer.instance;
    const struct bp_source_ops *ops = &instance->module->source;
    if (adopted) {
        return item->kind == BP_ITEM_REF ||
               bp_plugin_bug(instance, sink->answer.what, &sink->bug,
                             "item %s has kind %u in a backup", item->key, item->kind);
    }
    if (item->kind == BP_ITEM_REF) {
        return check_ref(sink, item);
    }
    if (item->kind != BP_ITEM_STREAM) {
        return bp_plugin_bug(instance, sink->answer.what, &sink->bug, "item %s has kind %u",
                             item->key, item->kind);
    }
    return (ops->item_open != NULL && ops->item_read != NULL && ops->item_close != NULL) ||
           bp_plugin_bug(instance, sink->answer.what, &sink->bug,
                         "item %s is to be streamed, but item_open is missing", item->key);
}

bool
bp_source__take_item(bp_sink_state *sink, const struct bp_item *item, bool adopted,
                     struct bp_item *out)
{
    const bp_answer *answer = &sink->answer;
    if (!bp_answer_copy(out, sizeof *out, ITEM_MIN, item)) {
        return bp_plugin_bug(answer->instance, answer->what, &sink->bug,
                             "told of an item that is too short");
    }
    if (!bp_source__check_backup_key(answer, "item key", out->key, &sink->bug) ||
        !bp_answer_check_text(answer, "item id", out->id, BP_TOKEN_MAX, &sink->bug) ||
        (out->etag != NULL && !adopted &&
         !bp_answer_check_text(answer, "item's etag", out->etag, ETAG_MAX, &sink->bug)) ||
        !check_item_kind(sink, out, adopted)) {
        return false;
    }
    if (out->size != BP_UNKNOWN && out->size > G_MAXINT64) {
        return bp_plugin_bug(answer->instance, answer->what, &sink->bug,
                             "item %s has an impossible size", out->key);
    }
    if (bp_checksum_length(out->checksum.kind) == 0) {
        memset(&out->checksum, 0, sizeof out->checksum); /* newer than we are: as if unknown */
    }
    return true;
}
