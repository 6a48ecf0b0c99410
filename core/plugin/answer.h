/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: an answer of a plugin is checked here before anybody believes it.  Each
 * check raises bp_plugin_bug.  Pure functions.
 */
#ifndef BP_CORE_PLUGIN_ANSWER_H
#define BP_CORE_PLUGIN_ANSWER_H

#include "core/plugin/frame.h"

/** Who answered what: for the message. */
typedef struct bp_answer {
    const bp_instance *instance;
    const char *what;
} bp_answer;

/**
 * Copy a structure that starts with struct_size: min(sizes), the rest zero, ours as the size.
 * @min: bytes of minor 0, which it must have.  False when it is NULL or smaller.
 */
bool bp_answer_copy(void *to, guint32 to_size, guint32 min, const void *from);

/** Terminate a fixed array and cut it before the first byte that is no UTF-8. */
void bp_answer_text(char *field, gsize cap);

/**
 * A text that is compared or opened: one that fills its array was cut, and would be another
 * place's.  It is "" then, as one that is no UTF-8.
 */
void bp_answer_whole_text(char *field, gsize cap);

/** Likewise where "" would say something else: then it is a bug of the plugin. */
bool bp_answer_check_whole(const bp_answer *answer, const char *thing, char *field, gsize cap,
                           GError **error);

/** Text of 1 to `max` bytes, valid UTF-8.  @thing: "token", "unit id" … */
bool bp_answer_check_text(const bp_answer *answer, const char *thing, const char *text, gsize max,
                          GError **error);

/** A valid object key. */
bool bp_answer_check_key(const bp_answer *answer, const char *thing, const char *key,
                         GError **error);

/** Size known and sane, texts terminated, checksum of a known kind. */
bool bp_answer_check_meta(const bp_answer *answer, const char *key, struct bp_object_meta *meta,
                          GError **error);

/** A proof: bounds in order, flags known. */
bool bp_answer_check_proof(const bp_answer *answer, const char *unit, struct bp_proof *proof,
                           GError **error);

#endif
