/* SPDX-License-Identifier: Apache-2.0
 *
 * Items of a unit.  A page is copied while the source is inside its call and handed on afterwards:
 * whoever receives items may wait for copies, and those may need the source.  While a page is
 * handed on, a thread asks for the next one: a source may have work to do for it that should not
 * wait for copies.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/retry.h"
#include "core/base/thread.h"
#include "core/plugin/source_internal.h"

#include "sdk/lib/ban.h"

#define EMPTY_PAGES_MAX 1000
#define CHUNK_BYTES (16 * 1024)

typedef struct {
    GArray *items;       /* struct bp_item, texts in `texts` */
    GStringChunk *texts; /* of these items */
    char *token;         /* that it was asked for with; NULL = the first one */
    char *next;          /* of the page after it; NULL = it is the last one */
    GError *error;       /* why there is none */
} item_page;

typedef struct {
    bp_source_run *run;
    bp_call call;          /* stopped also when what was asked for is of no use any more */
    bp_retry_params retry; /* of a page; no attempts = one, not to be repeated */
    const char *unit;
    bp_sink_state sink;
    item_page *page; /* being asked for, by one thread at a time */
    guint empty;
} paging;

static const char *
keep(paging *self, const char *text)
{
    return text != NULL ? g_string_chunk_insert(self->page->texts, text) : NULL;
}

static int32_t
page_item(void *ctx, const struct bp_item *item)
{
    paging *self = ctx;
    struct bp_item checked;
    if (bp_sink_is_over(&self->sink) || !bp_source__take_item(&self->sink, item, false, &checked)) {
        return 1;
    }
    if (self->page->items->len >= BP_ITEM_PAGE_MAX) {
        (void)bp_plugin_bug(self->sink.answer.instance, "unit_items", &self->sink.bug,
                            "answered more than %d items in one page", BP_ITEM_PAGE_MAX);
        return 1;
    }
    checked.id = keep(self, checked.id);
    checked.key = keep(self, checked.key);
    checked.ref =
        checked.ref != NULL ? g_string_chunk_insert_const(self->page->texts, checked.ref) : NULL;
    checked.ref_key = keep(self, checked.ref_key);
    checked.etag = keep(self, checked.etag);
    g_array_append_val(self->page->items, checked);
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
    if (g_strcmp0(token, self->page->token) == 0) {
        (void)bp_plugin_bug(self->sink.answer.instance, "unit_items", &self->sink.bug,
                            "answered the same token again: the items would never end");
        return 1;
    }
    g_free(self->page->next);
    self->page->next = g_strdup(token);
    return 0;
}

/* An attempt: nothing of an earlier one was handed on. */
static bool
try_page(void *ctx, GError **error)
{
    paging *self = ctx;
    item_page *page = self->page;
    bp_source_inst *source = self->run->source;
    bp_frame frame;
    struct bp_item_sink sink = {
        .struct_size = sizeof sink, .ctx = self, .item = page_item, .next = page_next};
    g_array_set_size(page->items, 0);
    g_string_chunk_clear(page->texts);
    g_clear_pointer(&page->next, g_free);
    bp_sink_begin(&self->sink, source, "unit_items", &self->call);
    if (!bp_frame_enter(&frame, &source->base, "unit_items", &self->call, error)) {
        return false;
    }
    bp_status status = source->ops->unit_items(self->run->handle, &frame.op, self->unit,
                                               page->token, &sink, &frame.error);
    if (!bp_sink_leave(&self->sink, &frame, status, error)) {
        return false;
    }
    self->empty = page->items->len == 0 ? self->empty + 1 : 0;
    return self->empty <= EMPTY_PAGES_MAX ||
           bp_plugin_bug(&source->base, "unit_items", error,
                         "answered %u empty pages one after the other", self->empty);
}

static void *
fetch_page(void *ctx)
{
    paging *self = ctx;
    GError **error = &self->page->error;
    (void)(self->retry.attempts > 0 ? bp_retry(&self->retry, try_page, self, error)
                                    : try_page(self, error));
    return NULL;
}

static bool
hand_on(const bp_source_inst *source, const item_page *page, const bp_item_fns *fns, GError **error)
{
    for (guint i = 0; i < page->items->len; i++) {
        if (!fns->item(fns->ctx, &g_array_index(page->items, struct bp_item, i))) {
            bp_set_error(error, BP_ERR_CANCELLED, "source %s: unit_items was stopped",
                         source->base.name);
            return false;
        }
    }
    return true;
}

/* Hands `page` on, which is whole, while the one after it is asked for into `ahead`. */
static bool
hand_on_and_fetch(paging *self, const item_page *page, item_page *ahead, bp_cancel *cancel,
                  const bp_item_fns *fns, GError **error)
{
    pthread_t thread;
    g_free(ahead->token);
    ahead->token = g_strdup(page->next);
    self->page = ahead;
    bp_thread_start(&thread, fetch_page, self);
    bool fine = hand_on(self->run->source, page, fns, error);
    if (!fine) {
        bp_cancel_trigger(cancel, 0);
    }
    pthread_join(thread, NULL);
    return fine;
}

static void
page_init(item_page *page)
{
    *page = (item_page){.items = g_array_new(FALSE, FALSE, sizeof(struct bp_item)),
                        .texts = g_string_chunk_new(CHUNK_BYTES)};
}

static void
page_clear(item_page *page)
{
    g_array_unref(page->items);
    g_string_chunk_free(page->texts);
    g_free(page->token);
    g_free(page->next);
    g_clear_error(&page->error);
}

bool
bp_source_unit_items(bp_source_run *run, const bp_call *call, const char *unit,
                     const bp_item_fns *fns, GError **error)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new_child(call != NULL ? call->cancel : NULL);
    item_page pages[2];
    paging self = {.run = run, .unit = unit, .page = &pages[0]};
    self.call = call != NULL ? *call : (bp_call){0};
    self.call.cancel = cancel;
    self.retry = fns->retry != NULL ? *fns->retry : (bp_retry_params){0};
    self.retry.cancel = cancel;
    page_init(&pages[0]);
    page_init(&pages[1]);
    (void)fetch_page(&self);
    guint now = 0;
    bool fine = true;
    while (fine && pages[now].error == NULL && pages[now].next != NULL) {
        fine = hand_on_and_fetch(&self, &pages[now], &pages[1 - now], cancel, fns, error);
        now = 1 - now;
    }
    if (fine && pages[now].error != NULL) {
        g_propagate_error(error, g_steal_pointer(&pages[now].error));
        fine = false;
    } else if (fine) {
        fine = hand_on(run->source, &pages[now], fns, error);
    }
    page_clear(&pages[0]);
    page_clear(&pages[1]);
    return fine;
}
