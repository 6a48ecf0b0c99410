/* SPDX-License-Identifier: Apache-2.0
 *
 * What host.c and host_source.c share.  Include it last: `error` is a macro, the one error that
 * all calls fill.  One thread.
 */
#ifndef BP_TESTS_ABI_HOST_H
#define BP_TESTS_ABI_HOST_H

#include <bakplane/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 256
#define GUARD_BYTE 0xA5

/* A result of a type, and what a plugin must not touch behind it. */
#define GUARDED(type)               \
    struct {                        \
        struct type it;             \
        unsigned char guard[GUARD]; \
    }
#define PREPARE(result)                                \
    do {                                               \
        memset(&(result), 0, sizeof((result)));        \
        (result).it.struct_size = sizeof((result).it); \
        memset((result).guard, GUARD_BYTE, GUARD);     \
    } while (0)
#define CHECK_GUARD(result) check_guard((result).guard, __FILE__ ": " #result)
#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
                    error.message);                                                     \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

struct guarded_error {
    struct bp_error it;
    unsigned char guard[GUARD];
};
extern struct guarded_error guarded_error;
#define error guarded_error.it

extern const struct bp_host host;
extern const struct bp_op op;
extern struct bp_config config;

void check_guard(const unsigned char *guard, const char *what);
const char *config_get(const struct bp_config *from, const char *key);
/* min(sizes) of a table, the rest zero. */
void take(void *to, size_t size, const void *from);
/* A sink for what must not be told. */
int32_t refuse_text(void *ctx, const char *text);

void use_source(const struct bp_plugin *plugin);

#endif
