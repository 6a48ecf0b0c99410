/* SPDX-License-Identifier: Apache-2.0
 *
 * See host.h.  Everything here may be called from any thread inside a plugin call, so it never
 * touches a gate and never calls back into the plugin.
 */
#include "core/plugin/host.h"

#include <bp_build.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/plugin/frame.h"

#include "sdk/lib/ban.h"

#define ALLOC_LIMIT (G_GUINT64_CONSTANT(512) << 20)
#define LINE_MAX_BYTES 4096

static void
host_log(const struct bp_op *op, int32_t level, const char *message)
{
    level = CLAMP(level, BP_LOG_ERROR, BP_LOG_TRACE);
    if (message == NULL || !bp_log_enabled((enum bp_log_level)level)) {
        return;
    }
    const bp_frame *frame = bp_frame_of(op);
    char module[64] = "plugin";
    if (frame != NULL) {
        g_snprintf(module, sizeof module, "plugin:%s", frame->instance->module->descriptor.name);
    }
    g_autofree char *cut = g_strndup(message, LINE_MAX_BYTES);
    g_autofree char *line = g_utf8_make_valid(cut, -1);
    bp_log((enum bp_log_level)level, module, line, NULL);
}

static int32_t
host_log_enabled(const struct bp_op *op, int32_t level)
{
    (void)op; /* one level for all speakers */
    return bp_log_enabled((enum bp_log_level)CLAMP(level, BP_LOG_ERROR, BP_LOG_TRACE));
}

/* In front of each block; keeps what follows aligned for everything. */
typedef union {
    gsize size;
    max_align_t align;
} block_head;

static _Atomic guint64 allocated;
static _Atomic guint64 alloc_limit = ALLOC_LIMIT;

void
bp_host_set_alloc_limit(guint64 bytes)
{
    atomic_store(&alloc_limit, bytes);
}

guint64
bp_host_allocated(void)
{
    return atomic_load(&allocated);
}

static bool
reserve(gsize size)
{
    if (!bp_fault_call("host.alloc", "", BP_FAULT_BEFORE, NULL, NULL)) {
        return false;
    }
    guint64 before = atomic_fetch_add(&allocated, size);
    if (size > atomic_load(&alloc_limit) || before > atomic_load(&alloc_limit) - size) {
        atomic_fetch_sub(&allocated, size);
        return false;
    }
    return true;
}

static void
host_free(void *memory)
{
    if (memory != NULL) {
        block_head *head = (block_head *)memory - 1;
        atomic_fetch_sub(&allocated, head->size);
        free(head);
    }
}

static void *
host_realloc(const struct bp_op *op, void *memory, size_t size)
{
    (void)op; /* the bound is common to all calls */
    if (size > SIZE_MAX - sizeof(block_head) || !reserve(size)) {
        return NULL;
    }
    block_head *old = memory != NULL ? (block_head *)memory - 1 : NULL;
    gsize old_size = old != NULL ? old->size : 0;
    block_head *head = realloc(old, sizeof *head + size);
    if (head == NULL) {
        atomic_fetch_sub(&allocated, size);
        return NULL;
    }
    atomic_fetch_sub(&allocated, old_size);
    head->size = size;
    return head + 1;
}

static void *
host_alloc(const struct bp_op *op, size_t size)
{
    return host_realloc(op, NULL, size);
}

static const char *
host_config_get(const struct bp_config *config, const char *key)
{
    return config != NULL && key != NULL ? bp_settings_get(config, key) : NULL;
}

static size_t
host_config_count(const struct bp_config *config, const char *key)
{
    return config != NULL && key != NULL ? bp_settings_count(config, key) : 0;
}

static const char *
host_config_at(const struct bp_config *config, const char *key, size_t i)
{
    return i < host_config_count(config, key) ? bp_settings_at(config, key, i) : NULL;
}

static const bp_cancel *
cancel_of(const struct bp_op *op)
{
    const bp_frame *frame = bp_frame_of(op);
    return frame != NULL ? frame->call.cancel : NULL;
}

static int32_t
host_cancelled(const struct bp_op *op)
{
    return bp_cancel_is_set(cancel_of(op));
}

static int32_t
host_cancel_fd(const struct bp_op *op)
{
    return bp_cancel_fd(cancel_of(op));
}

static bp_status
host_sleep(const struct bp_op *op, uint64_t ns)
{
    gint64 left = (gint64)MIN(ns, (uint64_t)G_MAXINT64 / 2);
    bool at_deadline = false;
    if (op != NULL && op->deadline_ns != 0) {
        gint64 until = MAX(op->deadline_ns - bp_clock_mono_ns(), 0);
        at_deadline = until < left;
        left = MIN(left, until);
    }
    if (!bp_cancel_sleep_ns(cancel_of(op), left)) {
        return BP_ERR_CANCELLED;
    }
    return at_deadline ? BP_ERR_TIMEOUT : BP_OK;
}

static void
host_progress(const struct bp_op *op, uint64_t done, uint64_t total)
{
    const bp_frame *frame = bp_frame_of(op);
    if (frame != NULL && frame->call.progress != NULL) {
        frame->call.progress(frame->call.progress_ctx, done, total);
    }
}

const struct bp_host *
bp_host_table(void)
{
    static const struct bp_host table = {
        .struct_size = sizeof table,
        .abi_major = BP_ABI_MAJOR,
        .abi_minor = BP_ABI_MINOR,
        .host_version = BP_BUILD_VERSION,
        .log = host_log,
        .log_enabled = host_log_enabled,
        .alloc = host_alloc,
        .realloc = host_realloc,
        .free = host_free,
        .config_get = host_config_get,
        .config_count = host_config_count,
        .config_at = host_config_at,
        .cancelled = host_cancelled,
        .cancel_fd = host_cancel_fd,
        .sleep = host_sleep,
        .progress = host_progress,
        .storage_info = bp_host__storage_info,
        .storage_list = bp_host__storage_list,
        .storage_stat = bp_host__storage_stat,
        .storage_read_small = bp_host__storage_read_small,
        .storage_write_small = bp_host__storage_write_small,
        .storage_remove = bp_host__storage_remove,
    };
    return &table;
}
