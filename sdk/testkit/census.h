/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process has: counted before and after, to see what a plugin leaves or changes.
 */
#ifndef BAKPLANE_TESTKIT_CENSUS_H
#define BAKPLANE_TESTKIT_CENSUS_H

#include <stddef.h>

#include "sdk/testkit/kit.h"

/** Open descriptors of this process, without the one that counts. */
size_t bp_kit_count_descriptors(void);
/** Threads of this process; waits up to `ms` for them to become at most `most`. */
size_t bp_kit_count_threads(size_t most, unsigned ms);
/** Bytes that malloc has given out; 0 where that cannot be told. */
size_t bp_kit_count_bytes(void);
/** Regular files below a directory, 0 when it is not there. */
size_t bp_kit_count_files(const char *path);

/** Process state that is none of a plugin's business; text, to be compared and freed. */
char *bp_kit_process_state(void);

#endif
