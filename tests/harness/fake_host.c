/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for unit tests of plugins.
 */
#include "tests/harness/fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
take_log(const struct bp_op *op, int32_t level, const char *message)
{
    (void)op;
    (void)level;
    if (atomic_fetch_add(&bp_fake.log_lines, 1) == 0) {
        snprintf(bp_fake.last_log, sizeof(bp_fake.last_log), "%s", message);
    }
}

static int32_t
log_enabled(const struct bp_op *op, int32_t level)
{
    (void)op;
    return level <= BP_LOG_INFO;
}

static int
next_fails(void)
{
    return atomic_load(&bp_fake.fail_alloc) > 0 && atomic_fetch_sub(&bp_fake.fail_alloc, 1) == 1;
}

static void *
fake_alloc(const struct bp_op *op, size_t size)
{
    (void)op;
    void *memory = next_fails() ? NULL : malloc(size);
    if (memory != NULL) {
        atomic_fetch_add(&bp_fake.live_blocks, 1);
    }
    return memory;
}

static void *
fake_realloc(const struct bp_op *op, void *memory, size_t size)
{
    if (memory == NULL) {
        return fake_alloc(op, size);
    }
    return next_fails() ? NULL : realloc(memory, size);
}

static void
fake_free(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_sub(&bp_fake.live_blocks, 1);
        free(memory);
    }
}

static const char *
config_get(const struct bp_config *config, const char *key)
{
    for (size_t i = 0; i < BP_FAKE_MAX_SETTINGS && config->set[i].name != NULL; i++) {
        if (strcmp(config->set[i].name, key) == 0) {
            return config->set[i].value;
        }
    }
    return NULL;
}

static size_t
config_count(const struct bp_config *config, const char *key)
{
    return config_get(config, key) == NULL ? 0 : 1;
}

static const char *
config_at(const struct bp_config *config, const char *key, size_t i)
{
    return i == 0 ? config_get(config, key) : NULL;
}

static int32_t
is_cancelled(const struct bp_op *op)
{
    (void)op;
    if (atomic_load(&bp_fake.cancel_after) > 0 && atomic_fetch_sub(&bp_fake.cancel_after, 1) == 1) {
        atomic_store(&bp_fake.cancelled, 1);
    }
    return atomic_load(&bp_fake.cancelled);
}

static int32_t
cancel_fd(const struct bp_op *op)
{
    (void)op;
    return bp_fake.cancel_fd;
}

static bp_status
fake_sleep(const struct bp_op *op, uint64_t ns)
{
    const struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&time, NULL);
    return is_cancelled(op) ? BP_ERR_CANCELLED : BP_OK;
}

static void
progress(const struct bp_op *op, uint64_t done, uint64_t total)
{
    (void)op;
    (void)done;
    (void)total;
    atomic_fetch_add(&bp_fake.progress_calls, 1);
}

struct bp_fake_host bp_fake = {
    .host =
        {
            .struct_size = sizeof(struct bp_host),
            .abi_major = BP_ABI_MAJOR,
            .abi_minor = BP_ABI_MINOR,
            .host_version = "fake",
            .log = take_log,
            .log_enabled = log_enabled,
            .alloc = fake_alloc,
            .realloc = fake_realloc,
            .free = fake_free,
            .config_get = config_get,
            .config_count = config_count,
            .config_at = config_at,
            .cancelled = is_cancelled,
            .cancel_fd = cancel_fd,
            .sleep = fake_sleep,
            .progress = progress,
        },
    .op = {.struct_size = sizeof(struct bp_op)},
    .cancel_fd = -1,
};

void
bp_fake_reset(void)
{
    atomic_store(&bp_fake.cancelled, 0);
    atomic_store(&bp_fake.cancel_after, 0);
    atomic_store(&bp_fake.fail_alloc, 0);
    atomic_store(&bp_fake.live_blocks, 0);
    atomic_store(&bp_fake.log_lines, 0);
    atomic_store(&bp_fake.progress_calls, 0);
    bp_fake.last_log[0] = '\0';
    bp_fake.op.deadline_ns = 0;
    bp_fake.cancel_fd = -1;
}

void
bp_fake_set(struct bp_config *config, const char *name, const char *value)
{
    size_t i = 0;
    while (config->set[i].name != NULL && strcmp(config->set[i].name, name) != 0) {
        i++;
    }
    if (i + 1 < BP_FAKE_MAX_SETTINGS) {
        config->set[i].name = name;
        config->set[i].value = value;
    }
}

void
bp_fake_defaults(struct bp_config *config, const struct bp_config_key *keys, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (keys[i].def != NULL && config_get(config, keys[i].name) == NULL) {
            bp_fake_set(config, keys[i].name, keys[i].def);
        }
    }
}
