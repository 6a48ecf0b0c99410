/* SPDX-License-Identifier: Apache-2.0
 *
 * Small texts: sizes and durations for people, random ids, nearest word for "did you mean".
 */
#ifndef BP_CORE_BASE_TEXT_H
#define BP_CORE_BASE_TEXT_H

#include <glib.h>

/** "1.4 GiB", "12 B"; "?" for BP_UNKNOWN.  Returns: (transfer full) */
char *bp_text_size(guint64 bytes);

/** "420 ms", "3.2 s", "4 min 10 s", "3 h 5 min", "12 d 3 h".  Returns: (transfer full) */
char *bp_text_duration(gint64 ns);

/** A random (version 4) UUID.  Returns: (transfer full) */
char *bp_text_uuid(void);

/** The candidate nearest to `word` by edit distance, or NULL when none is near.  Borrowed. */
const char *bp_text_nearest(const char *word, const char *const *candidates, gsize n);

#endif
