/* SPDX-License-Identifier: Apache-2.0
 *
 * See host.h.
 */
#include "sdk/testkit/host.h"

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/testkit/hostrefs.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/settings.h"

#include "sdk/lib/ban.h"

#define LINES_MAX 20000
#define HOST_MINOR_0 (offsetof(struct bp_host, storage_remove) + sizeof(void (*)(void)))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the lines */
static char **lines;
static size_t n_lines;
static bool keeps_lines;

static _Atomic unsigned refused, requests;
static _Atomic size_t blocks;

static void
host_log(const struct bp_op *op, int32_t level, const char *message)
{
    (void)op;
    (void)level;
    (void)pthread_mutex_lock(&lock);
    if (keeps_lines && message != NULL && n_lines < LINES_MAX) {
        lines = bp_kit_grow(lines, n_lines + 1, sizeof *lines);
        lines[n_lines++] = bp_kit_dup(message);
    }
    (void)pthread_mutex_unlock(&lock);
}

/* Everything is asked for: what is never formatted is never checked. */
static int32_t
host_log_enabled(const struct bp_op *op, int32_t level)
{
    (void)op;
    (void)level;
    return 1;
}

void
bp_kit_host_keep_lines(void)
{
    (void)pthread_mutex_lock(&lock);
    keeps_lines = true;
    (void)pthread_mutex_unlock(&lock);
}

const char *
bp_kit_host_line(size_t i)
{
    (void)pthread_mutex_lock(&lock);
    const char *line = i < n_lines ? lines[i] : NULL;
    (void)pthread_mutex_unlock(&lock);
    return line;
}

static bool
refuse_this(void)
{
    unsigned number = atomic_fetch_add(&requests, 1) + 1;
    return number == atomic_load(&refused);
}

static void *
host_alloc(const struct bp_op *op, size_t size)
{
    (void)op;
    void *memory = refuse_this() ? NULL : malloc(size);
    if (memory != NULL) {
        atomic_fetch_add(&blocks, 1);
    }
    return memory;
}

static void *
host_realloc(const struct bp_op *op, void *memory, size_t size)
{
    (void)op;
    if (refuse_this()) {
        return NULL;
    }
    void *grown = realloc(memory, size);
    if (memory == NULL && grown != NULL) {
        atomic_fetch_add(&blocks, 1);
    }
    return grown;
}

static void
host_free(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_sub(&blocks, 1);
        free(memory);
    }
}

void
bp_kit_host_refuse(unsigned n)
{
    atomic_store(&requests, 0);
    atomic_store(&refused, n);
}

unsigned
bp_kit_host_requests(void)
{
    return atomic_load(&requests);
}

size_t
bp_kit_host_blocks(void)
{
    return atomic_load(&blocks);
}

/* The plugin never looks at the context, so it is const for everybody but its owner. */
static const struct bp_kit_op *
context_of(const struct bp_op *op)
{
    return op != NULL ? op->host_private : NULL;
}

static void
count_asking(const struct bp_kit_op *self)
{
    if (self != NULL && self->asks != NULL) {
        atomic_fetch_add(self->asks, 1);
    }
}

static int32_t
host_cancelled(const struct bp_op *op)
{
    const struct bp_kit_op *self = context_of(op);
    count_asking(self);
    return self != NULL ? atomic_load(&self->cancelled) : 0;
}

static int32_t
host_cancel_fd(const struct bp_op *op)
{
    const struct bp_kit_op *self = context_of(op);
    count_asking(self);
    return self != NULL ? self->fd : -1;
}

static bp_status
host_sleep(const struct bp_op *op, uint64_t ns)
{
    long long end = bp_kit_now_ns() + (long long)(ns < INT64_MAX / 4 ? ns : INT64_MAX / 4);
    bool cut = op != NULL && op->deadline_ns != 0 && op->deadline_ns < end;
    end = cut ? op->deadline_ns : end;
    for (;;) {
        long long left = end - bp_kit_now_ns();
        if (host_cancelled(op) != 0) {
            return BP_ERR_CANCELLED;
        }
        if (left <= 0) {
            return cut ? BP_ERR_TIMEOUT : BP_OK;
        }
        struct pollfd wait = {.fd = host_cancel_fd(op), .events = POLLIN};
        (void)poll(&wait, 1, left / 1000000 < 60000 ? (int)(left / 1000000) + 1 : 60000);
    }
}

static void
host_progress(const struct bp_op *op, uint64_t done, uint64_t total)
{
    (void)op;
    (void)done;
    (void)total;
}

static const struct bp_host usual = {
    .struct_size = sizeof(struct bp_host),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .host_version = "bakplane-plugin-test",
    .log = host_log,
    .log_enabled = host_log_enabled,
    .alloc = host_alloc,
    .realloc = host_realloc,
    .free = host_free,
    .config_get = bp_kit_config_get,
    .config_count = bp_kit_config_count,
    .config_at = bp_kit_config_at,
    .cancelled = host_cancelled,
    .cancel_fd = host_cancel_fd,
    .sleep = host_sleep,
    .progress = host_progress,
    .storage_info = bp_kit_refs_info,
    .storage_list = bp_kit_refs_list,
    .storage_stat = bp_kit_refs_stat,
    .storage_read_small = bp_kit_refs_read,
    .storage_write_small = bp_kit_refs_write,
    .storage_remove = bp_kit_refs_remove,
};

/* At the very end of what may be touched: reading one member further is the end of the process. */
static struct bp_host *
make_oldest(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) != 0) {
        return NULL;
    }
    void *at = memory + page - HOST_MINOR_0;
    memcpy(at, &usual, HOST_MINOR_0);
    struct bp_host *host = at;
    host->struct_size = (uint32_t)HOST_MINOR_0;
    host->abi_minor = 0;
    return host;
}

static struct bp_host *
make_newer(void)
{
    const size_t more = 64;
    char *memory = bp_kit_alloc(sizeof usual + more, 1);
    memset(memory, 0xA5, sizeof usual + more);
    memcpy(memory, &usual, sizeof usual);
    void *at = memory;
    struct bp_host *host = at;
    host->struct_size = (uint32_t)(sizeof usual + more);
    host->abi_minor = BP_ABI_MINOR + 1;
    return host;
}

const struct bp_host *
bp_kit_host(enum bp_kit_host_shape shape)
{
    struct bp_host *made = shape == BP_KIT_HOST_OLDEST  ? make_oldest()
                           : shape == BP_KIT_HOST_NEWER ? make_newer()
                                                        : NULL;
    return made != NULL ? made : &usual;
}

void
bp_kit_op_init(struct bp_kit_op *self, int deadline_ms)
{
    memset(self, 0, sizeof *self);
    self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->op.struct_size = (uint32_t)sizeof self->op;
    self->op.host_private = self;
    self->asks = &self->asked;
    if (deadline_ms != 0) {
        self->op.deadline_ns = bp_kit_now_ns() + (long long)deadline_ms * 1000000;
    }
}

void
bp_kit_op_clear(struct bp_kit_op *self)
{
    if (self->fd >= 0) {
        (void)close(self->fd); /* carries nothing */
    }
    self->fd = -1;
}

void
bp_kit_op_cancel(struct bp_kit_op *self)
{
    uint64_t one = 1;
    atomic_store(&self->cancelled, 1);
    if (self->fd >= 0 && write(self->fd, &one, sizeof one) < 0) {
        return; /* it is readable already */
    }
}
