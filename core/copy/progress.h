/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a job is: plain numbers, taken as a snapshot, shown by the CLI.
 */
#ifndef BP_CORE_COPY_PROGRESS_H
#define BP_CORE_COPY_PROGRESS_H

#include <glib.h>

typedef struct bp_progress {
    const char *phase;               /* "copy", "import", "verify" …; static text */
    guint64 items_done, items_total; /* total grows while the source is still listing */
    guint64 bytes_done, bytes_total; /* likewise */
    gint64 elapsed_ns;               /* of this phase */
} bp_progress;

#endif
