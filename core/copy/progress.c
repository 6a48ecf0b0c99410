/* SPDX-License-Identifier: Apache-2.0
 *
 * See counters.h and progress.h.
 */
#include <bakplane/abi.h>

#include "core/base/clock.h"
#include "core/copy/counters.h"

#include "sdk/lib/ban.h"

static guint64
known(guint64 bytes)
{
    return bytes != BP_UNKNOWN ? bytes : 0;
}

void
bp_counters_init(bp_counters *counters)
{
    atomic_init(&counters->items_done, 0);
    atomic_init(&counters->items_total, 0);
    atomic_init(&counters->bytes_done, 0);
    atomic_init(&counters->bytes_total, 0);
    counters->started_ns = bp_clock_mono_ns();
}

void
bp_counters_expect(bp_counters *counters, guint64 bytes)
{
    atomic_fetch_add(&counters->items_total, 1);
    atomic_fetch_add(&counters->bytes_total, known(bytes));
}

void
bp_counters_forget(bp_counters *counters, guint64 bytes)
{
    atomic_fetch_sub(&counters->items_total, 1);
    atomic_fetch_sub(&counters->bytes_total, known(bytes));
}

void
bp_counters_finish(bp_counters *counters, guint64 expected, guint64 bytes)
{
    atomic_fetch_add(&counters->items_done, 1);
    if (expected == BP_UNKNOWN) {
        atomic_fetch_add(&counters->bytes_total, bytes);
    }
}

void
bp_counters_skip(bp_counters *counters, guint64 bytes)
{
    bp_counters_expect(counters, bytes);
    atomic_fetch_add(&counters->items_done, 1);
    atomic_fetch_add(&counters->bytes_done, known(bytes));
}

void
bp_counters_move(bp_counters *counters, atomic_ullong *counted, guint64 now)
{
    guint64 before = atomic_exchange(counted, now);
    atomic_fetch_add(&counters->bytes_done, now - before); /* wraps downwards as well */
}

void
bp_counters_get(bp_counters *counters, bp_progress *out)
{
    out->items_done = atomic_load(&counters->items_done);
    out->items_total = atomic_load(&counters->items_total);
    out->bytes_done = atomic_load(&counters->bytes_done);
    out->bytes_total = atomic_load(&counters->bytes_total);
    out->elapsed_ns = bp_clock_mono_ns() - counters->started_ns;
}
