/* SPDX-License-Identifier: Apache-2.0
 *
 * See answer.h.
 */
#include "core/plugin/answer.h"

#include <string.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

bool
bp_answer_copy(void *to, guint32 to_size, guint32 min, const void *from)
{
    memset(to, 0, to_size);
    guint32 size = 0;
    if (from == NULL) {
        return false;
    }
    memcpy(&size, from, sizeof size);
    if (size < min) {
        return false;
    }
    memcpy(to, from, MIN(size, to_size));
    memcpy(to, &to_size, sizeof to_size);
    return true;
}

void
bp_answer_text(char *field, gsize cap)
{
    const char *end = NULL;
    field[cap - 1] = '\0';
    if (!g_utf8_validate(field, -1, &end)) {
        field[end - field] = '\0';
    }
}

void
bp_answer_whole_text(char *field, gsize cap)
{
    if (strnlen(field, cap) >= cap - 1 || !g_utf8_validate(field, -1, NULL)) {
        field[0] = '\0';
    }
}

bool
bp_answer_check_whole(const bp_answer *answer, const char *thing, char *field, gsize cap,
                      GError **error)
{
    bool told = field[0] != '\0';
    bp_answer_whole_text(field, cap);
    return !told || field[0] != '\0' ||
           bp_plugin_bug(answer->instance, answer->what, error,
                         "answered a %s that is not valid UTF-8, or fills its %zu bytes and may be "
                         "cut",
                         thing, cap);
}

bool
bp_answer_check_text(const bp_answer *answer, const char *thing, const char *text, gsize max,
                     GError **error)
{
    if (text == NULL || *text == '\0') {
        return bp_plugin_bug(answer->instance, answer->what, error, "answered no %s", thing);
    }
    if (strnlen(text, max + 1) > max) {
        return bp_plugin_bug(answer->instance, answer->what, error,
                             "answered a %s of more than %zu bytes", thing, max);
    }
    if (bp_utf8_check(text) != 0) {
        return bp_plugin_bug(answer->instance, answer->what, error,
                             "answered a %s that is not valid UTF-8", thing);
    }
    return true;
}

bool
bp_answer_check_key(const bp_answer *answer, const char *thing, const char *key, GError **error)
{
    const char *why = NULL;
    if (key == NULL) {
        return bp_plugin_bug(answer->instance, answer->what, error, "answered no %s", thing);
    }
    if (bp_key_check(key, &why) != 0) {
        return bp_plugin_bug(answer->instance, answer->what, error, "%s \"%.200s\" %s", thing, key,
                             why);
    }
    return true;
}

bool
bp_answer_check_meta(const bp_answer *answer, const char *key, struct bp_object_meta *meta,
                     GError **error)
{
    if (meta->size > G_MAXINT64) {
        return bp_plugin_bug(answer->instance, answer->what, error, "answered no size of %s", key);
    }
    bp_answer_whole_text(meta->etag, sizeof meta->etag);
    bp_answer_text(meta->storage_class, sizeof meta->storage_class);
    if (meta->checksum.kind != BP_CHECKSUM_NONE && bp_checksum_length(meta->checksum.kind) == 0) {
        memset(&meta->checksum, 0, sizeof meta->checksum); /* newer than we are: as if unknown */
    }
    return true;
}

bool
bp_answer_check_proof(const bp_answer *answer, const char *unit, struct bp_proof *proof,
                      GError **error)
{
    bp_answer_text(proof->note, sizeof proof->note);
    if ((proof->flags & ~BP_PROOF_UNPROVABLE) != 0) {
        return bp_plugin_bug(answer->instance, answer->what, error, "proof of %s has unknown flags",
                             unit);
    }
    if ((proof->flags & BP_PROOF_UNPROVABLE) == 0 && proof->low > proof->high) {
        return bp_plugin_bug(answer->instance, answer->what, error,
                             "proof of %s has low %" G_GUINT64_FORMAT
                             " above high %" G_GUINT64_FORMAT,
                             unit, proof->low, proof->high);
    }
    return true;
}
