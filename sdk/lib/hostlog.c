/* SPDX-License-Identifier: Apache-2.0
 *
 * One formatted log line through the host.
 */
#include "sdk/lib/hostlog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "sdk/lib/ban.h"

void
bp_hostlog(const struct bp_host *host, const struct bp_op *op, int32_t level, const char *format,
           ...)
{
    int saved = errno;
    if (host->log_enabled(op, level) != 0) {
        char line[1024];
        va_list args;
        va_start(args, format);
        (void)vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        host->log(op, level, line);
    }
    errno = saved;
}
