/* SPDX-License-Identifier: Apache-2.0
 *
 * See intake.h.
 */
#include "core/copy/intake.h"

#include "core/base/error.h"

#include "sdk/lib/ban.h"

void
bp_intake_init(bp_intake *intake, const bp_intake_params *params)
{
    *intake = (bp_intake){
        .params = *params,
        .meta = {.struct_size = sizeof(struct bp_object_meta), .size = BP_UNKNOWN},
        .end = BP_UNKNOWN,
    };
}

void
bp_intake_close(bp_intake *intake)
{
    if (intake->reader != NULL) {
        bp_store_read_close(g_steal_pointer(&intake->reader));
    }
    if (intake->item != NULL) {
        bp_source_item_close(g_steal_pointer(&intake->item));
    }
}

void
bp_intake_seek(bp_intake *intake, guint64 offset, guint64 length)
{
    bp_intake_close(intake);
    intake->offset = offset;
    intake->end = length != BP_UNKNOWN ? offset + length : BP_UNKNOWN;
}

static bool
is_open(const bp_intake *intake)
{
    return intake->reader != NULL || intake->item != NULL;
}

static bool
open_once(bp_intake *intake, GError **error)
{
    const bp_intake_params *p = &intake->params;
    if (p->src == NULL) {
        const struct bp_item_open_args args = {.struct_size = sizeof args,
                                               .unit_id = p->unit_id,
                                               .item_id = p->key,
                                               .etag = p->etag,
                                               .offset = intake->offset};
        intake->item = bp_source_item_open(p->run, p->call, &args, error);
        return intake->item != NULL;
    }
    bp_store_read_params params = {
        .key = p->key,
        .offset = intake->offset,
        .length = intake->end != BP_UNKNOWN ? intake->end - intake->offset : 0,
        .if_match = p->etag,
    };
    if (intake->met && intake->meta.etag[0] != '\0') {
        params.if_match = intake->meta.etag;
    }
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    intake->reader = bp_store_read_open(p->src, p->call, &params, &meta, error);
    if (intake->reader == NULL) {
        return false;
    }
    if (!intake->met) {
        intake->meta = meta;
        intake->met = true;
    }
    return true;
}

/* One read, into `buffer`; without a buffer only open. */
typedef struct {
    bp_intake *intake;
    void *buffer;
    gsize cap, n;
} chunk;

static bool
read_once(chunk *c, GError **error)
{
    bp_intake *intake = c->intake;
    const bp_intake_params *p = &intake->params;
    if (!is_open(intake) && !open_once(intake, error)) {
        return false;
    }
    if (c->buffer == NULL) {
        return true;
    }
    return p->src != NULL
               ? bp_store_read(intake->reader, p->call, c->buffer, c->cap, &c->n, error)
               : bp_source_item_read(intake->item, p->call, c->buffer, c->cap, &c->n, error);
}

static bool
attempt(void *ctx, GError **error)
{
    chunk *c = ctx;
    if (read_once(c, error)) {
        return true;
    }
    bp_intake_close(c->intake); /* the next attempt opens at the offset that was reached */
    const bp_copy_retry *retry = c->intake->params.retry;
    if (bp_error_is(*error, BP_ERR_THROTTLED) && retry->throttled != NULL) {
        retry->throttled(retry->ctx);
    }
    return false;
}

static bool
with_retry(chunk *c, GError **error)
{
    const bp_copy_retry *retry = c->intake->params.retry;
    return bp_retry__with(retry->env, &retry->params, attempt, c, error);
}

bool
bp_intake_open(bp_intake *intake, GError **error)
{
    chunk only_open = {.intake = intake};
    return with_retry(&only_open, error);
}

bool
bp_intake_read(bp_intake *intake, void *buffer, gsize cap, gsize *n, GError **error)
{
    const bp_intake_params *p = &intake->params;
    *n = 0;
    while (*n < cap) {
        chunk c = {.intake = intake, .buffer = (char *)buffer + *n, .cap = cap - *n};
        if (!with_retry(&c, error) || !bp_throttle_take(p->throttle, p->call->cancel, c.n, error)) {
            return false;
        }
        if (c.n == 0) {
            break;
        }
        intake->offset += c.n;
        *n += c.n;
    }
    return true;
}
