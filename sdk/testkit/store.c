/* SPDX-License-Identifier: Apache-2.0
 *
 * See store.h: instances, facts of objects, removing.
 */
#include "sdk/testkit/store.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/settings.h"

#include "sdk/lib/ban.h"

const struct bp_op *
bp_kit_context(struct bp_kit_op *op)
{
    static const struct bp_kit_op nobody = {
        .op = {.struct_size = sizeof(struct bp_op), .host_private = &nobody}, .fd = -1};
    return op != NULL ? &op->op : &nobody.op;
}

/* Lets so many in as the model says; 0 = all. */
struct bp_kit_gate {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t left;
    unsigned inside, most;
};

static struct bp_kit_gate one_gate = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER, .most = 1};

static struct bp_kit_gate *
make_gate(const struct bp_plugin *plugin)
{
    struct bp_kit_gate *gate = bp_kit_alloc(1, sizeof *gate);
    (void)pthread_mutex_init(&gate->lock, NULL); /* cannot fail without attributes */
    (void)pthread_cond_init(&gate->left, NULL);
    gate->most = plugin->thread_model == BP_THREADS_PARALLEL ? plugin->max_parallel : 1;
    return gate;
}

static struct bp_kit_gate *
gate_of(const struct bp_kit_store *store)
{
    uint16_t model = store->kit->plugin.thread_model;
    return model == BP_THREADS_PARALLEL || model == BP_THREADS_INSTANCE ? store->gate : &one_gate;
}

void
bp_kit_enter(const struct bp_kit_store *store)
{
    struct bp_kit_gate *gate = gate_of(store);
    if (gate->most == 0) {
        return; /* not even a lock, which would hide races from ThreadSanitizer */
    }
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->inside >= gate->most) {
        (void)pthread_cond_wait(&gate->left, &gate->lock);
    }
    gate->inside++;
    (void)pthread_mutex_unlock(&gate->lock);
}

void
bp_kit_leave(const struct bp_kit_store *store)
{
    struct bp_kit_gate *gate = gate_of(store);
    if (gate->most == 0) {
        return;
    }
    (void)pthread_mutex_lock(&gate->lock);
    gate->inside--;
    (void)pthread_cond_signal(&gate->left);
    (void)pthread_mutex_unlock(&gate->lock);
}

static void
drop_gate(struct bp_kit_store *store)
{
    (void)pthread_cond_destroy(&store->gate->left);
    (void)pthread_mutex_destroy(&store->gate->lock);
    free(store->gate);
    store->gate = NULL;
}

struct bp_config *
bp_kit_store_settings(struct bp_kit *kit, const struct bp_kit_node *other, unsigned port)
{
    char *why = NULL;
    bp_kit_start(kit);
    struct bp_kit_settings_params params = {.keys = kit->keys,
                                            .n_keys = kit->plugin.n_keys,
                                            .base = bp_kit_node_get(kit->config, "storage"),
                                            .other = other,
                                            .port = port};
    struct bp_config *config = bp_kit_settings_new(&params, &why);
    if (config == NULL) {
        bp_kit_bail(kit, "%s: %s", kit->options->config, why);
    }
    return config;
}

static void
ask_info(struct bp_kit_store *store)
{
    struct bp_error error;
    bp_error_init(&error);
    store->info = (struct bp_storage_info){.struct_size = sizeof store->info};
    bp_kit_step(store->kit, "info", NULL);
    bp_status status = store->kit->ops.info(store->it, &store->info, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "info");
    if (store->info.max_object == 0) {
        store->info.max_object = BP_UNKNOWN; /* both mean: no limit */
    }
}

bp_status
bp_kit_store_try_open(struct bp_kit *kit, struct bp_config *take_config, struct bp_kit_store *out,
                      struct bp_error *error)
{
    bp_error_init(error);
    *out = (struct bp_kit_store){.kit = kit, .config = take_config};
    out->gate = make_gate(&kit->plugin);
    bp_kit_step(kit, "open", NULL);
    bp_status status = kit->ops.open(kit->host, bp_kit_context(NULL), take_config, &out->it, error);
    if (status != BP_OK) {
        bp_kit_settings_free(out->config);
        drop_gate(out);
        out->config = NULL;
    } else if (out->it == NULL) {
        bp_kit_fail(kit, "open answered ok and no instance");
    } else {
        ask_info(out);
    }
    return status;
}

void
bp_kit_store_open(struct bp_kit *kit, const struct bp_kit_node *other, unsigned port,
                  struct bp_kit_store *out)
{
    struct bp_error error;
    struct bp_config *config = bp_kit_store_settings(kit, other, port);
    bp_status status = bp_kit_store_try_open(kit, config, out, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "open with the settings of the config file");
}

void
bp_kit_store_close(struct bp_kit_store *store)
{
    bp_kit_step(store->kit, "close", NULL);
    store->kit->ops.close(store->it);
    drop_gate(store);
    bp_kit_settings_free(store->config);
    store->it = NULL;
}

bool
bp_kit_store_can(const struct bp_kit_store *store, uint64_t caps)
{
    return (store->info.caps & caps) == caps;
}

void
bp_kit_store_need(const struct bp_kit_store *store, uint64_t cap, const char *name)
{
    if (!bp_kit_store_can(store, cap)) {
        bp_kit_skip(store->kit, "it does not promise %s", name);
    }
}

void
bp_kit_expect(const struct bp_kit *kit, bp_status status, bp_status wanted,
              const struct bp_error *error, const char *format, ...)
{
    char what[1024];
    va_list args;
    if (status == wanted) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (status == BP_OK) {
        bp_kit_fail(kit, "%s: it answered ok, not %s", what, bp_class_name(wanted));
    }
    bp_kit_fail(kit, "%s: it answered %s, not %s: %.*s", what, bp_class_name(status),
                bp_class_name(wanted), (int)sizeof error->message, error->message);
}

bp_status
bp_kit_try_stat(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
                struct bp_object_meta *out, struct bp_error *error)
{
    bp_error_init(error);
    *out = (struct bp_object_meta){.struct_size = sizeof *out, .size = BP_UNKNOWN};
    bp_kit_step(store->kit, "stat", key);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.stat(store->it, bp_kit_context(op), key, out, error);
    bp_kit_leave(store);
    return status;
}

void
bp_kit_stat(const struct bp_kit_store *store, const char *key, struct bp_object_meta *out)
{
    struct bp_error error;
    bp_status status = bp_kit_try_stat(store, key, NULL, out, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "stat of %s, which is there", key);
}

void
bp_kit_expect_missing(const struct bp_kit_store *store, const char *key, const char *when)
{
    struct bp_error error;
    struct bp_object_meta meta;
    bp_status status = bp_kit_try_stat(store, key, NULL, &meta, &error);
    bp_kit_expect(store->kit, status, BP_ERR_NOT_FOUND, &error, "stat of %s %s", key, when);
}

bp_status
bp_kit_try_remove(const struct bp_kit_store *store, const char *key, const char *if_match,
                  struct bp_kit_op *op, struct bp_error *error)
{
    bp_error_init(error);
    bp_kit_step(store->kit, "remove", key);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.remove(store->it, bp_kit_context(op), key, if_match, error);
    bp_kit_leave(store);
    return status;
}

void
bp_kit_remove(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    bp_status status = bp_kit_try_remove(store, key, NULL, NULL, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "remove of %s", key);
}

void
bp_kit_sync(const struct bp_kit_store *store)
{
    struct bp_error error;
    if (store->kit->ops.sync == NULL) {
        return;
    }
    bp_error_init(&error);
    bp_kit_step(store->kit, "sync", NULL);
    bp_kit_enter(store);
    bp_status status = store->kit->ops.sync(store->it, bp_kit_context(NULL), &error);
    bp_kit_leave(store);
    bp_kit_expect(store->kit, status, BP_OK, &error, "sync");
}
