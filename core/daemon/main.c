/* SPDX-License-Identifier: Apache-2.0
 *
 * Entry of bakplane-server.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "bp_build.h"
#include "core/base/init.h"
#include "core/daemon/daemon.h"

#include "sdk/lib/ban.h"

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    bp_daemon_block_signals();
    (void)signal(SIGPIPE, SIG_IGN); /* a write to a closed connection is an error like any other */
    g_set_prgname("bakplane-server");
    bp_base_init();
    g_auto(bp_daemon_options) options = {0};
    g_autoptr(GError) error = NULL;
    if (!bp_daemon_options_parse(argc, argv, &options, &error)) {
        fprintf(stderr, "error: %s\n", error->message);
        return 2;
    }
    if (options.version) {
        printf("bakplane-server %s (%s)\n", BP_BUILD_VERSION, BP_BUILD_REVISION);
        return 0;
    }
    return bp_daemon_run(&options);
}
