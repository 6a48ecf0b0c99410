/* SPDX-License-Identifier: Apache-2.0
 *
 * See test_ops.h.
 */
#include "tests/harness/test_ops.h"

#include <string.h>

#include "core/plugin/module.h"
#include "tests/harness/memory.h"

#include "sdk/lib/ban.h"

/* An entry function has no argument for it. */
static struct bp_plugin spoilt;

struct bp_plugin
test_ops_descriptor(void)
{
    const struct bp_plugin *plugin = NULL;
    struct bp_error error = {.struct_size = sizeof error};
    g_assert(bp_plugin_entry_v1(NULL, &plugin, &error) == BP_OK);
    return *plugin;
}

static bp_status
spoilt_entry(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &spoilt;
    return BP_OK;
}

bp_module *
test_ops_load(const struct bp_plugin *descriptor, bp_plugin_kind kind, const char *name,
              GError **error)
{
    spoilt = *descriptor;
    g_autofree char *path =
        g_strdup_printf("/test/bakplane-%s-%s.so", bp_plugin_kind_name(kind), name);
    return bp_module_load_entry(path, spoilt_entry, kind, name, error);
}

static bp_module *shared;

static void
free_shared(void)
{
    bp_module_free(shared);
}

bp_module *
test_ops_module(void)
{
    if (shared == NULL) {
        g_autoptr(GError) error = NULL;
        shared = bp_module_load_entry("/test/bakplane-storage-memory.so", bp_plugin_entry_v1,
                                      BP_PLUGIN_STORAGE, "memory", &error);
        if (shared == NULL) {
            g_error("the memory plugin does not load: %s", error->message);
        }
        atexit(free_shared);
    }
    return shared;
}

bp_store *
test_ops_open(const char *name, const char *space)
{
    g_autoptr(GError) error = NULL;
    g_strlcpy(memory_knob.space, space, sizeof memory_knob.space);
    bp_store *store = bp_store_open(test_ops_module(), name, NULL, NULL, &error);
    if (store == NULL) {
        g_error("the memory store does not open: %s", error->message);
    }
    return store;
}

void
test_ops_reset(void)
{
    memory_reset();
}

void
test_ops_set_lie(test_lie lie)
{
    memory_knob.lie = (int)lie;
}

void
test_ops_set_secret(const char *secret)
{
    g_strlcpy(memory_knob.secret, secret, sizeof memory_knob.secret);
}

void
test_ops_set_caps(guint64 caps)
{
    memory_knob.caps = caps;
}

guint
test_ops_calls(const char *op)
{
    return memory_calls(op);
}

guint
test_ops_most_inside(void)
{
    return memory_most_inside();
}

guint
test_ops_open_handles(void)
{
    return memory_handles();
}

void
test_ops_expire(void)
{
    memory_knob.expired = memory_last_serial();
}

void
test_ops_expire_for_ever(void)
{
    memory_knob.expired = G_MAXUINT64;
}

void
test_ops_set_delay_ns(gint64 ns)
{
    memory_knob.delay_ns = ns;
}

void
test_ops_seed(const char *space, const char *key, const char *text)
{
    pthread_mutex_lock(&memory_lock);
    memory_store(memory_space_get(space), key, g_bytes_new(text, strlen(text)));
    pthread_mutex_unlock(&memory_lock);
}

guint
test_ops_count(const char *space)
{
    pthread_mutex_lock(&memory_lock);
    guint n = (guint)g_tree_nnodes(memory_space_get(space)->objects);
    pthread_mutex_unlock(&memory_lock);
    return n;
}
