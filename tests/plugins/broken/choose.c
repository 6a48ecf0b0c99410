/* SPDX-License-Identifier: Apache-2.0
 *
 * See choose.h.
 */
#include "tests/plugins/broken/choose.h"

#include <stdlib.h>

#include "sdk/lib/ban.h"

static char
capital(char c)
{
    return (char)(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

size_t
broken_choose(const char *const *names, size_t n)
{
    const char *chosen = getenv("BROKEN_AS");
    for (size_t i = 0; chosen != NULL && i < n; i++) {
        const char *a = chosen, *b = names[i];
        while (*a != '\0' && *b == capital(*a)) {
            a++;
            b++;
        }
        if (*a == '\0' && *b == '\0') {
            return i;
        }
    }
    return 0;
}
