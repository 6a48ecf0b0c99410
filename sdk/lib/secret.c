/* SPDX-License-Identifier: Apache-2.0
 *
 * A text that is wiped from memory when it is freed.
 */
#define _DEFAULT_SOURCE /* explicit_bzero */

#include "sdk/lib/secret.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/lib/ban.h"

struct bp_secret {
    size_t size; /* of text, with the NUL */
    char text[];
};

bp_secret *
bp_secret_new(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    bp_secret *secret = malloc(sizeof(*secret) + size);
    if (secret != NULL) {
        secret->size = size;
        memcpy(secret->text, text, size);
    }
    return secret;
}

void
bp_secret_free(bp_secret *secret)
{
    if (secret != NULL) {
        bp_secret_wipe(secret->text, secret->size);
        free(secret);
    }
}

const char *
bp_secret_get(const bp_secret *secret)
{
    return secret == NULL ? "" : secret->text;
}

void
bp_secret_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}
