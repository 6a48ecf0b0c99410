/* SPDX-License-Identifier: Apache-2.0
 *
 * One formatted log line through the host.  Any thread inside a plugin call.
 */
#ifndef BAKPLANE_LIB_HOSTLOG_H
#define BAKPLANE_LIB_HOSTLOG_H

#include <bakplane/host.h>

BP_BEGIN_DECLS

/** Formats only when somebody listens at `level`; lines over 1 KiB are cut; errno is kept. */
void bp_hostlog(const struct bp_host *host, const struct bp_op *op, int32_t level,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

BP_END_DECLS

#endif
