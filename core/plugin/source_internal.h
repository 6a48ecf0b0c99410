/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: what the source_*.c files share.
 */
#ifndef BP_CORE_PLUGIN_SOURCE_INTERNAL_H
#define BP_CORE_PLUGIN_SOURCE_INTERNAL_H

#include "core/plugin/answer.h"
#include "core/plugin/frame.h"
#include "core/plugin/source.h"

struct bp_source_inst {
    bp_instance base;
    const struct bp_source_ops *ops; /* the module's copy */
    struct bp_source *handle;
    bp_settings *settings;
    struct bp_source_info info;
};

struct bp_source_run {
    bp_source_inst *source;
    struct bp_run *handle;
};

/**
 * One call that answers through a sink.  The sink's functions note the first broken promise in
 * `bug`, or that the caller wants to stop; both end the operation.
 */
typedef struct bp_sink_state {
    bp_answer answer;
    const bp_call *call; /* nullable */
    GError *bug;
    bool stopped;
} bp_sink_state;

void bp_sink_begin(bp_sink_state *sink, const bp_source_inst *source, const char *what,
                   const bp_call *call);
/** Nothing more is taken. */
bool bp_sink_is_over(const bp_sink_state *sink);
/** Leave the frame; the sink's bug goes first, then its stop, then what the plugin says. */
bool bp_sink_leave(bp_sink_state *sink, bp_frame *frame, bp_status status, GError **error);

/** UNSUPPORTED: this source lacks `what`.  Returns: false */
bool bp_source__lacks(const bp_source_inst *source, const char *what, GError **error);

/** Copy and check a unit.  @seen: ids told before, gets this one's; NULL = not followed. */
bool bp_source__take_unit(bp_sink_state *sink, const struct bp_unit *unit, GHashTable *seen,
                          struct bp_unit *out);
/** Copy and check an item.  @adopted: REF without a storage, key below the backup. */
bool bp_source__take_item(bp_sink_state *sink, const struct bp_item *item, bool adopted,
                          struct bp_item *out);
/** A key below a backup that a source may use: valid, and not below "bakplane/". */
bool bp_source__check_backup_key(const bp_answer *answer, const char *thing, const char *key,
                                 GError **error);

/** For one call; notes are made valid and redacted on their way.  @notes: nullable. */
struct bp_note_sink bp_source__note_sink(const bp_note_fns *notes);

#endif
