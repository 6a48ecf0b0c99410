/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of core/plugin/source*: the files source on memory storages.  Operations in
 * `source_module->source` may be replaced; the next test starts with the honest ones again.
 */
#ifndef BP_TESTS_UNIT_CORE_PLUGIN_SOURCE_FIXTURE_H
#define BP_TESTS_UNIT_CORE_PLUGIN_SOURCE_FIXTURE_H

#include "core/plugin/module.h"
#include "core/plugin/source.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

extern bp_module *source_module;
extern struct bp_source_ops honest;
extern bp_store *database, *backup; /* references "db", and "@backup" below "nightly/" */
extern bp_source_inst *source;
extern bp_call call; /* with both references */
extern GString *seen;

void source_setup(void);
void source_teardown(void);

/** A run in which unit "a" began. */
bp_source_run *begin_run(void);
void end_run(bp_source_run *run);

/** Sinks that append what they get to `seen`. */
bool note_unit(void *ctx, const struct bp_unit *unit);
bool note_item(void *ctx, const struct bp_item *item);

#endif
