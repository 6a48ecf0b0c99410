/* SPDX-License-Identifier: Apache-2.0
 *
 * Injected faults, for tests.  Compiled in only with BP_FAULTS; else every point is free.
 *
 * The environment variable BP_FAULT holds rules, separated by ';':
 *
 *     point[:where[:option]…]
 *
 * point    an operation ("storage.write", "source.unit_items": the ABI's name of it) or a named
 *          step ("catalog.manifest"); '*' and '?' as in file names
 * where    name of the instance; "" or "*" = any.  Named steps have none
 * action   class=NAME (an error class: "retryable", "no-space" …) · abort (kill -9 this process)
 *          · delay=50ms · short (reads end early, writes lose a byte) · corrupt (one byte differs)
 * when     nth=N (only that call) · from=N (that call and all later) · rate=0.01 (by chance, the
 *          same in every run) · after (once the operation has done its work, not before)
 *
 *     BP_FAULT='storage.write:backups:nth=3:class=retryable;storage.write_commit::abort:nth=7'
 */
#ifndef BP_CORE_BASE_FAULT_H
#define BP_CORE_BASE_FAULT_H

#include <bp_build.h>
#include <glib.h>
#include <stdbool.h>

typedef enum { BP_FAULT_BEFORE, BP_FAULT_AFTER } bp_fault_moment;

/** What the caller has to do to the bytes of the call. */
typedef struct bp_fault_effect {
    bool cut, corrupt;
} bp_fault_effect;

#if BP_FAULTS

/** A named step.  false: fail with `error`, which says that it was injected.  Any thread. */
bool bp_fault_point(const char *name, GError **error);

/** An operation on an instance.  @effect: (out) (nullable), nothing by default. */
bool bp_fault_call(const char *name, const char *where, bp_fault_moment moment,
                   bp_fault_effect *effect, GError **error);

/** Replace all rules; "" = none.  INVALID names the rule that cannot be read. */
bool bp_fault_load(const char *rules, GError **error);

#else

static inline bool
bp_fault_point(const char *name, GError **error)
{
    (void)name;
    (void)error;
    return true;
}

static inline bool
bp_fault_call(const char *name, const char *where, bp_fault_moment moment, bp_fault_effect *effect,
              GError **error)
{
    (void)name;
    (void)where;
    (void)moment;
    (void)effect;
    (void)error;
    return true;
}

#endif

#endif
