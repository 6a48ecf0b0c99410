/* SPDX-License-Identifier: Apache-2.0
 *
 * How tables of messages are written: number and name of a field, and its type.  Only for the files
 * that consist of them.
 */
#ifndef BP_CORE_COMPAT_MESSAGES_V1_TABLE_H
#define BP_CORE_COMPAT_MESSAGES_V1_TABLE_H

#include "core/compat/message.h"

#define FIELD_OF_KIND(n, f, t, ...)                          \
    {                                                        \
        .number = (n), .name = (f), .type = (t), __VA_ARGS__ \
    }

#define FIELD(n, f, t) FIELD_OF_KIND(n, f, BP_FIELD_##t, .kind = BP_FIELD_ONE)
#define ALWAYS(n, f, t) FIELD_OF_KIND(n, f, BP_FIELD_##t, .kind = BP_FIELD_ONE, .always = true)
#define LIST(n, f, t) FIELD_OF_KIND(n, f, BP_FIELD_##t, .kind = BP_FIELD_LIST)
#define MAP(n, f, t) FIELD_OF_KIND(n, f, BP_FIELD_##t, .kind = BP_FIELD_MAP)

/* Of other messages. */
#define OF_KIND(n, f, m, ...) FIELD_OF_KIND(n, f, BP_FIELD_MESSAGE, .message = &(m), __VA_ARGS__)
#define OF(n, f, m) OF_KIND(n, f, m, .kind = BP_FIELD_ONE)
#define OF_ALWAYS(n, f, m) OF_KIND(n, f, m, .kind = BP_FIELD_ONE, .always = true)
#define LIST_OF(n, f, m) OF_KIND(n, f, m, .kind = BP_FIELD_LIST)
#define LIST_OF_ALWAYS(n, f, m) OF_KIND(n, f, m, .kind = BP_FIELD_LIST, .always = true)
#define MAP_OF(n, f, m) OF_KIND(n, f, m, .kind = BP_FIELD_MAP)

#define MESSAGE(title, array)                                        \
    {                                                                \
        .name = (title), .fields = (array), .n = G_N_ELEMENTS(array) \
    }

#endif
