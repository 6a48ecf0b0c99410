/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of create: one run of the source and everything its units need while they are copied.
 */
#ifndef BP_CORE_VERB_CREATE_RUN_H
#define BP_CORE_VERB_CREATE_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/verb/writing.h"

/** A unit of the plan and how far it is. */
typedef struct bp_create_unit {
    bp_manifest_unit *record; /* in the manifest */
    guint32 generation;       /* grows with each refresh */
    guint64 named;            /* items of that generation, as the source named them */
} bp_create_unit;

typedef struct bp_create {
    const bp_verb *verb;
    const bp_create_params *params;
    char *name;
    bp_settings *settings;
    const bp_catalog *catalog;
    bp_catalog under_call; /* what it points to, from the settings on */
    bp_cancel *cancel;     /* child of the user's: a failed unit or a lost lease stops the rest */
    bp_call call;          /* with that cancel */
    bp_source_inst *source;
    bp_manifest *manifest;
    GArray *units;          /* bp_create_unit, those with items */
    GHashTable *unit_index; /* id (of the record) -> index into `units` */
    bp_writing writing;
    bp_copy *copy;
    bp_source_run *run;
    atomic_uint next_unit;
    atomic_bool refreshed; /* some unit was listed anew: sealing has to sweep */
    pthread_mutex_t lock;  /* guards failure */
    GError *failure;       /* the first one */
} bp_create;

void bp_create_clear(bp_create *create);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_create, bp_create_clear)

/* create_plan.c: before anything is written. */

/** Settings, name, catalog, source, plan: all that can be refused without touching anything. */
bool bp_create_open(bp_create *create, GError **error);
/** --dry-run: what would be copied, by a run that changes nothing. */
bool bp_create_estimate(bp_create *create, json_t *result, GError **error);
/** The source's run, tried again like all questions.  @flags: BP_RUN_…; @keepalive_ms: (out) */
bool bp_create_begin_run(bp_create *create, guint32 flags, guint32 *keepalive_ms, GError **error);
/** Whether it will fit.  What a resumed run still lacks is unknown: a full disk shows then. */
bool bp_create_check_space(bp_create *create, GError **error);
/** The unit and generation behind an item's tag. */
const bp_create_unit *bp_create_unit_of(const bp_create *create, guint32 tag, guint32 *generation);

/* create_seal.c: when everything is copied. */

/** Items files, documents, manifest "success", commit document, in this order. */
bool bp_create_seal(bp_create *create, GError **error);

/* create_units.c: in between. */

/** Compactions go on while we copy; a unit that changes more often cannot be captured. */
#define BP_MAX_GENERATIONS 8u

/** Copies all units with several workers and proves them.  The engine is flushed afterwards. */
bool bp_create_run_units(bp_create *create, GError **error);

/** One call about a unit, with retries. */
bool bp_create_call_unit(bp_create *create, const char *unit,
                         bool (*verb)(bp_source_run *, const bp_call *, const char *, GError **),
                         GError **error);

/** The source's run of this create: begin with keep-alive, end with outcome. */
typedef struct bp_keepalive bp_keepalive;
bp_keepalive *bp_keepalive_start(bp_create *create, guint32 every_ms);
void bp_keepalive_stop(bp_keepalive *keepalive);

#endif
