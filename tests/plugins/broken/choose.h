/* SPDX-License-Identifier: Apache-2.0
 *
 * Which way to be broken the environment names.
 */
#ifndef BP_TESTS_BROKEN_CHOOSE_H
#define BP_TESTS_BROKEN_CHOOSE_H

#include <stddef.h>

/* Index of the name in BROKEN_AS ("leaks-memory" for LEAKS_MEMORY), 0 where it is none of them. */
size_t broken_choose(const char *const *names, size_t n);

#endif
