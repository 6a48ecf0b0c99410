/* SPDX-License-Identifier: Apache-2.0
 *
 * Smoothed rates.
 */
#include "core/copy/rate.h"

#include <math.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/json.h"

#include "sdk/lib/ban.h"

#define SMOOTHING_S 5.0
#define SHORTEST_NS (50 * BP_NS_PER_MS)
#define LONGEST_NS (365 * 86400 * BP_NS_PER_S)
#define LULL_NS (10 * BP_NS_PER_S)
#define USUAL_PAUSES 2

static void
restart(bp_rate *rate, const bp_progress *progress)
{
    *rate = (bp_rate){
        .phase = progress->phase,
        .last_ns = progress->elapsed_ns,
        .moved_ns = progress->elapsed_ns,
        .last_items = progress->items_done,
        .last_bytes = progress->bytes_done,
    };
}

/* A rate that sinks while nothing moves says how long that has been, not how long it will be. */
static void
note_pause(bp_rate *rate, const bp_progress *progress)
{
    if (progress->items_done == rate->last_items && progress->bytes_done == rate->last_bytes) {
        return;
    }
    gint64 pause_ns = progress->elapsed_ns - rate->moved_ns;
    rate->pause_ns = rate->pause_ns > 0 ? (rate->pause_ns + pause_ns) / 2 : pause_ns;
    rate->moved_ns = progress->elapsed_ns;
}

static bool
is_lull(const bp_rate *rate, const bp_progress *progress)
{
    gint64 still_ns = progress->elapsed_ns - rate->moved_ns;
    return still_ns > MAX(LULL_NS, USUAL_PAUSES * rate->pause_ns);
}

static double
blend(double old, double now, double weight)
{
    return old + weight * (now - old);
}

void
bp_rate_update(bp_rate *rate, const bp_progress *progress)
{
    bool is_same = rate->phase != NULL && strcmp(rate->phase, progress->phase) == 0 &&
                   progress->elapsed_ns >= rate->last_ns &&
                   progress->bytes_done >= rate->last_bytes &&
                   progress->items_done >= rate->last_items;
    if (!is_same) {
        restart(rate, progress);
        return;
    }
    gint64 passed_ns = progress->elapsed_ns - rate->last_ns;
    if (passed_ns < SHORTEST_NS) {
        return;
    }
    note_pause(rate, progress);
    double passed_s = (double)passed_ns / (double)BP_NS_PER_S;
    double items = (double)(progress->items_done - rate->last_items) / passed_s;
    double bytes = (double)(progress->bytes_done - rate->last_bytes) / passed_s;
    double weight = rate->known ? 1.0 - exp(-passed_s / SMOOTHING_S) : 1.0;
    rate->items_per_s = blend(rate->items_per_s, items, weight);
    rate->bytes_per_s = blend(rate->bytes_per_s, bytes, weight);
    rate->last_ns = progress->elapsed_ns;
    rate->last_items = progress->items_done;
    rate->last_bytes = progress->bytes_done;
    rate->known = true;
}

gint64
bp_rate_remaining_ns(const bp_rate *rate, const bp_progress *progress)
{
    bool by_bytes = progress->bytes_total > 0;
    guint64 total = by_bytes ? progress->bytes_total : progress->items_total;
    guint64 done = by_bytes ? progress->bytes_done : progress->items_done;
    double per_s = by_bytes ? rate->bytes_per_s : rate->items_per_s;
    if (!rate->known || total == 0 || total == G_MAXUINT64 || done > total || per_s < 1e-6 ||
        is_lull(rate, progress)) {
        return -1;
    }
    double ns = (double)(total - done) / per_s * (double)BP_NS_PER_S;
    return ns < (double)LONGEST_NS ? (gint64)ns : -1;
}

static void
set_total(json_t *object, const char *key, guint64 total)
{
    if (total > 0) {
        bp_json_set_u64(object, key, total); /* leaves BP_UNKNOWN out by itself */
    }
}

json_t *
bp_progress_json(const bp_progress *progress, const bp_rate *rate)
{
    json_t *object = json_object();
    bp_json_set_text(object, "phase", progress->phase);
    bp_json_set_u64(object, "items_done", progress->items_done);
    set_total(object, "items_total", progress->items_total);
    bp_json_set_u64(object, "bytes_done", progress->bytes_done);
    set_total(object, "bytes_total", progress->bytes_total);
    bp_json_set_u64(object, "elapsed_ms", (guint64)(progress->elapsed_ns / BP_NS_PER_MS));
    if (rate->known) {
        bp_json_set_u64(object, "items_per_s", (guint64)rate->items_per_s);
        bp_json_set_u64(object, "bytes_per_s", (guint64)rate->bytes_per_s);
    }
    gint64 remaining_ns = bp_rate_remaining_ns(rate, progress);
    if (remaining_ns >= 0) {
        bp_json_set_u64(object, "remaining_ms", (guint64)(remaining_ns / BP_NS_PER_MS));
    }
    return object;
}
