/* SPDX-License-Identifier: Apache-2.0
 *
 * See result.h.
 */
#include "sdk/lib/result.h"

#include <stdint.h>
#include <string.h>

#include "sdk/lib/ban.h"

void
bp_result_clear(void *result, size_t ours)
{
    uint32_t size;
    memcpy(&size, result, sizeof(size));
    size_t known = size < ours ? size : ours;
    if (known > sizeof(size)) {
        memset((char *)result + sizeof(size), 0, known - sizeof(size));
    }
}

void
bp_result_copy(void *to, const void *from)
{
    uint32_t theirs, ours;
    memcpy(&theirs, to, sizeof(theirs));
    memcpy(&ours, from, sizeof(ours));
    size_t known = theirs < ours ? theirs : ours;
    if (known > sizeof(theirs)) {
        memcpy((char *)to + sizeof(theirs), (const char *)from + sizeof(ours),
               known - sizeof(theirs));
    }
}
