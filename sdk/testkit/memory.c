/* SPDX-License-Identifier: Apache-2.0
 *
 * See memory.h.
 */
#include "sdk/testkit/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/ban.h"

/*
 * Of LeakSanitizer, where the kit or the plugin brings it along.  What the kit holds lives as long
 * as its process and is not looked for.
 */
/* NOLINTBEGIN(readability-identifier-naming): the names are the sanitizer's */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
/* NOLINTEND(readability-identifier-naming) */

static void
hide_memory(bool on)
{
    if (__lsan_disable != NULL && __lsan_enable != NULL) {
        if (on) {
            __lsan_disable();
        } else {
            __lsan_enable();
        }
    }
}

bool
bp_kit_leaks(void)
{
    return __lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0;
}

static _Noreturn void
out_of_memory(void)
{
    (void)fputs("bakplane-plugin-test: out of memory\n", stderr);
    abort();
}

void *
bp_kit_alloc(size_t n, size_t size)
{
    hide_memory(true);
    void *memory = calloc(n > 0 ? n : 1, size);
    hide_memory(false);
    if (memory == NULL) {
        out_of_memory();
    }
    return memory;
}

void *
bp_kit_grow(void *memory, size_t n, size_t size)
{
    size_t bytes = 0;
    hide_memory(true);
    void *grown = __builtin_mul_overflow(n, size, &bytes) ? NULL : realloc(memory, bytes);
    hide_memory(false);
    if (grown == NULL) {
        out_of_memory();
    }
    return grown;
}

char *
bp_kit_dup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(bp_kit_alloc(size, 1), text, size);
}

char *
bp_kit_text(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    hide_memory(true);
    int n = vasprintf(&text, format, args);
    hide_memory(false);
    va_end(args);
    if (n < 0) {
        out_of_memory();
    }
    return text;
}

long long
bp_kit_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
bp_kit_sleep_ms(unsigned ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
