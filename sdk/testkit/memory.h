/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory and text for a program that cannot go on without: it says so and ends.  A check runs in a
 * process of its own, so what it allocates is mostly left to the process's end.
 */
#ifndef BAKPLANE_TESTKIT_MEMORY_H
#define BAKPLANE_TESTKIT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/** Zeroed; never NULL. */
void *bp_kit_alloc(size_t n, size_t size);
/** For n elements of `size` bytes; never NULL. */
void *bp_kit_grow(void *memory, size_t n, size_t size);
char *bp_kit_dup(const char *text);
/** New text. */
char *bp_kit_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Whether LeakSanitizer, if there is one, finds memory that nobody holds; ours is none of it. */
bool bp_kit_leaks(void);

/** Now, on the clock of deadlines. */
long long bp_kit_now_ns(void);
/** Sleeps, whatever signals come. */
void bp_kit_sleep_ms(unsigned ms);

#endif
