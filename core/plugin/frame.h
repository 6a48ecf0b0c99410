/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: the frame around every call into a plugin.  Entering checks cancel and
 * deadline, applies injected faults and waits for a place; leaving gives the place back and turns
 * what the plugin answered into a GError; calls of storages are counted there (stats.h).  The
 * plugin's host functions find the frame through bp_op.host_private.
 */
#ifndef BP_CORE_PLUGIN_FRAME_H
#define BP_CORE_PLUGIN_FRAME_H

#include "core/base/fault.h"
#include "core/plugin/module.h"
#include "core/plugin/stats.h"

/** What stores and sources have in common. */
typedef struct bp_instance {
    bp_module *module;
    bp_plugin_kind kind;
    char *name; /* as the operator calls it */
    bp_gate gate;
    bp_store_stats *stats; /* of a storage, else NULL */
} bp_instance;

void bp_instance_init(bp_instance *instance, bp_module *module, bp_plugin_kind kind,
                      const char *name);
void bp_instance_clear(bp_instance *instance);

typedef struct bp_frame {
    struct bp_op op;       /* for the plugin */
    struct bp_error error; /* likewise */
    bp_instance *instance;
    const char *what; /* name of the operation in the ABI */
    bp_call call;
    gint64 entered_ns; /* monotonic */
    guint64 bytes;     /* of objects, that it moved: filled by who called, before leaving */
    bp_fault_effect effect;
} bp_frame;

/** @call: NULL = no deadline, not cancelled.  False: the plugin was not entered. */
bool bp_frame_enter(bp_frame *frame, bp_instance *instance, const char *what, const bp_call *call,
                    GError **error);
/** For what must happen whatever else did: close, abort, end.  Not subject to faults. */
void bp_frame_enter_always(bp_frame *frame, bp_instance *instance, const char *what,
                           const bp_call *call);
/** As bp_frame_enter, but with nobody else inside the plugin: open, close. */
void bp_frame_enter_alone(bp_frame *frame, bp_instance *instance, const char *what,
                          const bp_call *call);

/** @status: what the plugin returned.  Returns: it was BP_OK */
bool bp_frame_leave(bp_frame *frame, bp_status status, GError **error);
/** After bp_frame_enter_alone. */
bool bp_frame_leave_alone(bp_frame *frame, bp_status status, GError **error);

/** PERMANENT "plugin bug: <plugin> <operation>: …".  Returns: false */
bool bp_plugin_bug(const bp_instance *instance, const char *what, GError **error,
                   const char *format, ...) G_GNUC_PRINTF(4, 5);

/** The frame a plugin hands back through its op; NULL for NULL. */
const bp_frame *bp_frame_of(const struct bp_op *op);

#endif
