/* SPDX-License-Identifier: Apache-2.0
 *
 * Entry of the program: signals become a cancel, the rest is the command line's.
 */
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/cli.h"
#include "core/cli/worker.h"

#include "sdk/lib/ban.h"

/* For cleaning up after a signal, all together: as long as a person waits for it. */
#define GRACE_NS (5 * BP_NS_PER_S)

static bp_cancel *cancel;

/* The first signal asks everything to stop; a second one of the same kind kills as usual. */
static void
on_signal(int number)
{
    bp_cancel_trigger(cancel, number);
}

static void
catch_signal(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL); /* fails only for numbers that do not exist */
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    cancel = bp_cancel_new();
    bp_cancel_set_grace(cancel, GRACE_NS);
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    (void)signal(SIGPIPE, SIG_IGN); /* a write to a closed pipe is an error like any other */
    bool is_worker = argc == 2 && strcmp(argv[1], BP_CLI_WORKER) == 0;
    int code = is_worker ? bp_cli_worker(cancel) : bp_cli_main(argc, argv, cancel);
    bp_cancel_free(cancel);
    return code;
}
