/* SPDX-License-Identifier: Apache-2.0
 *
 * See crowd.h.
 */
#include "sdk/testkit/crowd.h"

#include <pthread.h>

#include "sdk/lib/ban.h"

struct member {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*work)(void *ctx, unsigned i);
    void *ctx;
    unsigned i;
};

static void *
run(void *ctx)
{
    struct member *self = ctx;
    (void)pthread_barrier_wait(self->start); /* only tells who was last */
    self->work(self->ctx, self->i);
    return NULL;
}

void
bp_kit_crowd(struct bp_kit *kit, unsigned n, void (*work)(void *ctx, unsigned i), void *ctx)
{
    struct member members[BP_KIT_CROWD_MAX];
    pthread_barrier_t start;
    n = n < BP_KIT_CROWD_MAX ? n : BP_KIT_CROWD_MAX;
    bp_kit_step(kit, "calls of several threads", NULL);
    kit->in_crowd = true;
    (void)pthread_barrier_init(&start, NULL, n); /* n is not 0 */
    for (unsigned i = 0; i < n; i++) {
        members[i] = (struct member){.start = &start, .work = work, .ctx = ctx, .i = i};
        if (pthread_create(&members[i].thread, NULL, run, &members[i]) != 0) {
            bp_kit_skip(kit, "%u threads cannot be made here", n);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        (void)pthread_join(members[i].thread, NULL);
    }
    (void)pthread_barrier_destroy(&start);
    kit->in_crowd = false;
}
