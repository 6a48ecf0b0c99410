/* SPDX-License-Identifier: Apache-2.0
 *
 * See alive.h.
 */
#include "core/daemon/alive.h"

#include "core/server/listen.h"

#include "sdk/lib/ban.h"

bool
bp_alive_check(const bp_alive *what)
{
    return bp_clock_mono_ns() - what->looked_ns < BP_ALIVE_LOOK_NS &&
           bp_listen_answers(what->address, what->port, what->answer_ns);
}
