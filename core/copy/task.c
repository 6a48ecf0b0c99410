/* SPDX-License-Identifier: Apache-2.0
 *
 * See task.h.
 */
#include "core/copy/task.h"

#include <string.h>

#include "sdk/lib/ban.h"

static gsize
room(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies the text behind `text` to *at and moves *at on. */
static void
keep(const char **text, char **at)
{
    gsize n = room(*text);
    if (n > 0) {
        memcpy(*at, *text, n);
        *text = *at;
        *at += n;
    }
}

bp_copy_task *
bp_copy_task_new(bp_copy_group *group, const bp_copy_item *item)
{
    gsize texts = room(item->src_key) + room(item->src_etag) + room(item->unit_id) +
                  room(item->dst_key) + room(item->label);
    bp_copy_task *task = g_malloc0(sizeof *task + texts);
    task->group = group;
    task->item = *item;
    char *at = task->texts;
    keep(&task->item.src_key, &at);
    keep(&task->item.src_etag, &at);
    keep(&task->item.unit_id, &at);
    keep(&task->item.dst_key, &at);
    keep(&task->item.label, &at);
    return task;
}

void
bp_copy_task_free(bp_copy_task *task)
{
    if (task != NULL) {
        g_free(task->result.src_etag);
        g_free(task);
    }
}
