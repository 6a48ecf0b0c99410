/* SPDX-License-Identifier: Apache-2.0
 *
 * An engine's parameters, N small objects to copy, and what it told of them.
 */
#ifndef BP_TESTS_UNIT_CORE_COPY_ENGINE_FIXTURE_H
#define BP_TESTS_UNIT_CORE_COPY_ENGINE_FIXTURE_H

#include "core/copy/copy.h"
#include "fixture.h"

#define N 50

extern bp_cancel *cancel;
extern bp_call call;
extern bp_copy_params params; /* a test changes them before it makes the engine */
extern guint64 n_proven, sum_of_tags;
extern guint n_batches;
extern bool refuse_proof;

void engine_setup(void);
void engine_teardown(void);

/** Puts "k/0" to "k/<N-1>" into the source, each with its key as text. */
void fill_source(void);
bool submit(bp_copy *copy, bp_copy_group *group, int i, GError **error);
void submit_all(bp_copy *copy, bp_copy_group *group);

#endif
