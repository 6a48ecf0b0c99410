/* SPDX-License-Identifier: Apache-2.0
 *
 * Items of a unit.  A page is copied while the source is inside its call and handed on afterwards:
 * whoever receives items may wait for copies, and those may need the source.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/retry.h"
#include "core/plugin/source_internal.h"

#include "sdk/lib/ban.h"

#define EMPTY_PAGES_MAX 1000
#define CHUNK_BYTES (16 * 1024)

typedef struct {
    bp_source_run *run;
    const bp_call *call;
    const char *unit;
    bp_sink_state sink;
    GArray *items;       /* struct bp_item, texts in `texts` */
    GStringChunk *texts; /* of this page */
    char *token, *next;  /* of this page and the one after it */
    guint empty;
} paging;

static const char *
keep(paging *self, const char *text)
{
    return text != NULL ? g_string_chunk_insert(self->texts, text) : NULL;
}

static int32_t
page_item(void *ctx, const struct bp_item *item)
{
    paging *self = ctx;
    struct bp_item checked;
    if (bp_sink_is_over(&self->sink) || !bp_source__take_item(&self->sink, item, false, &checked)) {
        return 1;
    }
    if (self->items->len >= BP_ITEM_PAGE_MAX) {
        (void)bp_plugin_bug(self->sink.answer.instance, "unit_items", &self->sink.bug,
                            "answered more than %d items in one page", BP_ITEM_PAGE_MAX);
        return 1;
    }
    checked.id = keep(self, checked.id);
    checked.key = keep(self, checked.key);
    checked.ref =
        checked.ref != NULL ? g_string_chunk_insert_const(self->texts, checked.ref) : NULL;
    checked.ref_key = keep(self, checked.ref_key);
    checked.etag = keep(self, checked.etag);
    g_array_append_val(self->items, checked);
    return 0;
}

static int32_t
page_next(void *ctx, const char *token)
{
    paging *self = ctx;
    if (bp_sink_is_over(&self->sink) ||
        !bp_answer_check_text(&self->sink.answer, "token", token, BP_TOKEN_MAX, &self->sink.bug)) {
        return 1;
    }
    if (g_strcmp0(token, self->token) == 0) {
        (void)bp_plugin_bug(self->sink.answer.instance, "unit_items", &self->sink.bug,
                            "answered the same token again: the items would never end");
        return 1;
    }
    g_free(self->next);
    self->next = g_strdup(token);
    return 0;
}

/* An attempt: nothing of an earlier one was handed on. */
static bool
fetch_page(void *ctx, GError **error)
{
    paging *self = ctx;
    bp_source_run *run = self->run;
    bp_frame frame;
    struct bp_item_sink sink = {
        .struct_size = sizeof sink, .ctx = self, .item = page_item, .next = page_next};
    g_array_set_size(self->items, 0);
    g_string_chunk_clear(self->texts);
    g_clear_pointer(&self->next, g_free);
    bp_sink_begin(&self->sink, run->source, "unit_items", self->call);
    if (!bp_frame_enter(&frame, &run->source->base, "unit_items", self->call, error)) {
        return false;
    }
    bp_status status = run->source->ops->unit_items(run->handle, &frame.op, self->unit, self->token,
                                                    &sink, &frame.error);
    if (!bp_sink_leave(&self->sink, &frame, status, error)) {
        return false;
    }
    self->empty = self->items->len == 0 ? self->empty + 1 : 0;
    return self->empty <= EMPTY_PAGES_MAX ||
           bp_plugin_bug(&run->source->base, "unit_items", error,
                         "answered %u empty pages one after the other", self->empty);
}

static bool
hand_on(const paging *self, const bp_item_fns *fns, GError **error)
{
    for (guint i = 0; i < self->items->len; i++) {
        if (!fns->item(fns->ctx, &g_array_index(self->items, struct bp_item, i))) {
            bp_set_error(error, BP_ERR_CANCELLED, "source %s: unit_items was stopped",
                         self->sink.answer.instance->name);
            return false;
        }
    }
    return true;
}

bool
bp_source_unit_items(bp_source_run *run, const bp_call *call, const char *unit,
                     const bp_item_fns *fns, GError **error)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct bp_item));
    paging self = {.run = run,
                   .call = call,
                   .unit = unit,
                   .items = items,
                   .texts = g_string_chunk_new(CHUNK_BYTES)};
    bool fine = false;
    do {
        fine = (fns->retry != NULL ? bp_retry(fns->retry, fetch_page, &self, error)
                                   : fetch_page(&self, error)) &&
               hand_on(&self, fns, error);
        g_free(self.token);
        self.token = g_steal_pointer(&self.next);
    } while (fine && self.token != NULL);
    g_string_chunk_free(self.texts);
    g_free(self.token);
    return fine;
}
