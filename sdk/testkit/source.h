/* SPDX-License-Identifier: Apache-2.0
 *
 * The source plugin under test, and what the core does with one: plan, capture into a storage,
 * restore from there.  One thread.  "try" functions hand on what the plugin answered; all others
 * fail the check when it is not ok.
 */
#ifndef BAKPLANE_TESTKIT_SOURCE_H
#define BAKPLANE_TESTKIT_SOURCE_H

#include "sdk/testkit/store.h"

/** Name of the reference to what a capture wrote. */
#define BP_KIT_BACKUP_REF "kit-backup"

struct bp_kit_item {
    uint32_t kind;
    char *id, *key, *ref, *ref_key, *etag; /**< NULL where the plugin said nothing */
    uint64_t size;
};

struct bp_kit_unit {
    char *id, *parent, *kind, *name;
    uint32_t flags;
    struct bp_kit_item *items; /**< after bp_kit_items */
    size_t n_items;
    struct bp_proof proof; /**< after bp_kit_capture */
};

struct bp_kit_units {
    struct bp_kit_unit *units;
    size_t n;
};

struct bp_kit_source {
    struct bp_kit *kit;
    struct bp_source *it;
    struct bp_config *config, *options, *restore_options;
    struct bp_source_info info;
    struct bp_kit_store *backup; /**< where captures go; NULL = the file names none */
    uint32_t unit_flags;         /**< of unit_begin */
    uint32_t keepalive_ms;       /**< as the last run_begin answered */
};

/** Opens with the file's `source`, changed by `other`; its `storages` come within the host's reach.
 */
void bp_kit_source_open(struct bp_kit *kit, const struct bp_kit_node *other,
                        struct bp_kit_source *out);
void bp_kit_source_close(struct bp_kit_source *source);
void bp_kit_source_probe(struct bp_kit_source *source);
bp_status bp_kit_source_try_probe(struct bp_kit_source *source, struct bp_kit_op *op,
                                  struct bp_error *error);
/** Runs the command of a hook with sh; variables are name, value, …, NULL.  -1: no such hook. */
int bp_kit_command(const struct bp_kit *kit, const char *hook, const char *const *variables);
/** Runs `seed`, opens and probes. */
void bp_kit_source_ready(struct bp_kit *kit, struct bp_kit_source *out);

/** wants NULL = all. */
bp_status bp_kit_try_plan(struct bp_kit_source *source, const struct bp_unit_filter *filter,
                          struct bp_kit_op *op, struct bp_kit_units *out, struct bp_error *error);
void bp_kit_plan(struct bp_kit_source *source, struct bp_kit_units *out);
void bp_kit_units_clear(struct bp_kit_units *units);
/** Whether it is of the kind that has items. */
bool bp_kit_has_items(const struct bp_kit_source *source, const struct bp_kit_unit *unit);
/** The first unit that has items; fails the check where there is none. */
struct bp_kit_unit *bp_kit_some_unit(struct bp_kit_source *source, struct bp_kit_units *units);

bp_status bp_kit_try_run_begin(struct bp_kit_source *source, uint32_t flags, struct bp_kit_op *op,
                               struct bp_run **out, struct bp_error *error);
struct bp_run *bp_kit_run_begin(struct bp_kit_source *source, uint32_t flags);
void bp_kit_run_end(struct bp_kit_source *source, struct bp_run *run, int32_t outcome);
bp_status bp_kit_try_unit_begin(struct bp_kit_source *source, struct bp_run *run,
                                const char *unit_id, struct bp_kit_op *op, struct bp_error *error);
void bp_kit_unit_begin(struct bp_kit_source *source, struct bp_run *run, const char *unit_id);
void bp_kit_unit_end(struct bp_kit_source *source, struct bp_run *run, const char *unit_id);
/** One page, added to the unit's items; *token (NULL: the first) becomes that of the next. */
bp_status bp_kit_try_items(struct bp_kit_source *source, struct bp_run *run,
                           struct bp_kit_unit *unit, char **token, struct bp_kit_op *op,
                           struct bp_error *error);
/** All pages. */
void bp_kit_items(struct bp_kit_source *source, struct bp_run *run, struct bp_kit_unit *unit);
void bp_kit_items_clear(struct bp_kit_unit *unit);
/** Content of a STREAM item from an offset on, in new memory, and its length. */
unsigned char *bp_kit_stream(struct bp_kit_source *source, struct bp_run *run,
                             const struct bp_kit_unit *unit, const struct bp_kit_item *item,
                             uint64_t offset, size_t *n);

/** A whole capture of all units into the backup storage, documents too; fills items and proofs. */
void bp_kit_capture(struct bp_kit_source *source, struct bp_kit_units *out);

#endif
