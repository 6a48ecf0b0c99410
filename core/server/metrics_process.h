/* SPDX-License-Identifier: Apache-2.0
 *
 * The metrics that every process has, under the names that Prometheus' client libraries give them.
 */
#ifndef BP_CORE_SERVER_METRICS_PROCESS_H
#define BP_CORE_SERVER_METRICS_PROCESS_H

#include <glib.h>

/** What cannot be found out is left out.  Any thread. */
void bp_metrics_process(GString *out);

#endif
