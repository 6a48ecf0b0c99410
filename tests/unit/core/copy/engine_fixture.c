/* SPDX-License-Identifier: Apache-2.0
 *
 * See engine_fixture.h.
 */
#include "engine_fixture.h"

#include "sdk/lib/ban.h"

bp_cancel *cancel;
bp_call call;
bp_copy_params params;
guint64 n_proven, sum_of_tags;
guint n_batches;
bool refuse_proof;

/* One call at a time, and only for what the barrier made visible. */
static bool
on_proven(void *ctx G_GNUC_UNUSED, const bp_copied *items, gsize n, GError **error)
{
    if (refuse_proof) {
        bp_set_error(error, BP_ERR_NO_SPACE, "the journal is full");
        return false;
    }
    n_batches++;
    n_proven += n;
    for (gsize i = 0; i < n; i++) {
        sum_of_tags += items[i].tag;
    }
    return true;
}

void
engine_setup(void)
{
    test_stores_open();
    cancel = bp_cancel_new();
    call = (bp_call){.cancel = cancel};
    params = (bp_copy_params){
        .dst = test_dst,
        .call = &call,
        .workers = 4,
        .buffer_bytes = 4096,
        .attempts = 3,
        .max_delay_ns = 1,
        .proven = on_proven,
        .batch_items = 1000,
        .batch_ns = 10 * BP_NS_PER_S,
        .min_batch_ns = BP_NS_PER_S,
    };
    n_proven = sum_of_tags = n_batches = 0;
    refuse_proof = false;
    fake_store_set_staged(test_dst, true);
}

void
engine_teardown(void)
{
    test_stores_close();
    bp_cancel_free(cancel);
}

void
fill_source(void)
{
    for (int i = 0; i < N; i++) {
        g_autofree char *key = g_strdup_printf("k/%d", i);
        fake_store_set_text(test_src, key, key);
    }
}

bool
submit(bp_copy *copy, bp_copy_group *group, int i, GError **error)
{
    g_autofree char *key = g_strdup_printf("k/%d", i);
    bp_copy_item item = {
        .src = test_src, .src_key = key, .dst_key = key, .size = strlen(key), .tag = (guint32)i};
    return bp_copy_submit(copy, group, &item, error);
}

void
submit_all(bp_copy *copy, bp_copy_group *group)
{
    for (int i = 0; i < N; i++) {
        ck_assert(submit(copy, group, i, NULL));
    }
}
