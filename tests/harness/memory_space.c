/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of the in-memory storage plugin, and what tests want to know of its use.
 */
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/harness/memory.h"

#include "sdk/lib/ban.h"

pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
memory_knobs memory_knob = {.caps = MEMORY_ALL_CAPS, .space = "default"};

/* Guarded by memory_lock. */
static GHashTable *spaces; /* name -> memory_space */
static guint64 versions, serials;

/* Guarded by count_lock, since operations count themselves inside and outside of memory_lock. */
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *calls;
static guint inside, most_inside, handles;

static void
object_free(gpointer data)
{
    memory_object *object = data;
    g_bytes_unref(object->bytes);
    g_free(object);
}

static void
upload_free(gpointer data)
{
    memory_upload *upload = data;
    g_free(upload->key);
    g_hash_table_unref(upload->parts);
    g_free(upload);
}

static void
space_free(gpointer data)
{
    memory_space *space = data;
    g_tree_unref(space->objects);
    g_hash_table_unref(space->uploads);
    g_free(space);
}

static gint
by_bytes(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void)unused;
    return strcmp(a, b);
}

void
memory_reset(void)
{
    pthread_mutex_lock(&memory_lock);
    g_clear_pointer(&spaces, g_hash_table_unref);
    memory_knob = (memory_knobs){.caps = MEMORY_ALL_CAPS, .space = "default"};
    pthread_mutex_unlock(&memory_lock);

    pthread_mutex_lock(&count_lock);
    g_clear_pointer(&calls, g_hash_table_unref);
    most_inside = 0;
    pthread_mutex_unlock(&count_lock);
}

bp_status
memory_check_login(const struct bp_storage *self, struct bp_error *error)
{
    pthread_mutex_lock(&memory_lock);
    bool refused = self->serial <= memory_knob.expired;
    pthread_mutex_unlock(&memory_lock);
    return refused ? bp_fail(error, BP_ERR_AUTH, "the token of instance %u has expired",
                             (unsigned)self->serial)
                   : BP_OK;
}

guint64
memory_last_serial(void)
{
    pthread_mutex_lock(&memory_lock);
    guint64 serial = serials;
    pthread_mutex_unlock(&memory_lock);
    return serial;
}

guint64
memory_next_serial(void)
{
    return ++serials;
}

memory_space *
memory_space_get(const char *name)
{
    if (spaces == NULL) {
        spaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, space_free);
    }
    memory_space *space = g_hash_table_lookup(spaces, name);
    if (space == NULL) {
        space = g_new0(memory_space, 1);
        space->objects = g_tree_new_full(by_bytes, NULL, g_free, object_free);
        space->uploads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, upload_free);
        g_hash_table_insert(spaces, g_strdup(name), space);
    }
    return space;
}

memory_object *
memory_find(memory_space *space, const char *key)
{
    return g_tree_lookup(space->objects, key);
}

void
memory_store(memory_space *space, const char *key, GBytes *take_bytes)
{
    memory_object *object = g_new0(memory_object, 1);
    object->bytes = take_bytes;
    object->version = ++versions;
    g_tree_replace(space->objects, g_strdup(key), object);
}

void
memory_fill_meta(const memory_object *object, struct bp_object_meta *out)
{
    out->size = g_bytes_get_size(object->bytes);
    out->mtime_ns = 1;
    g_snprintf(out->etag, sizeof out->etag, "v%" G_GUINT64_FORMAT, object->version);
}

void
memory_enter(const char *op)
{
    pthread_mutex_lock(&count_lock);
    if (calls == NULL) {
        calls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    }
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(calls, op));
    g_hash_table_replace(calls, g_strdup(op), GUINT_TO_POINTER(n + 1));
    inside++;
    most_inside = MAX(most_inside, inside);
    pthread_mutex_unlock(&count_lock);
}

void
memory_leave(void)
{
    pthread_mutex_lock(&count_lock);
    inside--;
    pthread_mutex_unlock(&count_lock);
}

guint
memory_calls(const char *op)
{
    pthread_mutex_lock(&count_lock);
    guint n = calls != NULL ? GPOINTER_TO_UINT(g_hash_table_lookup(calls, op)) : 0;
    pthread_mutex_unlock(&count_lock);
    return n;
}

guint
memory_most_inside(void)
{
    pthread_mutex_lock(&count_lock);
    guint n = most_inside;
    pthread_mutex_unlock(&count_lock);
    return n;
}

void
memory_handles_add(int n)
{
    pthread_mutex_lock(&count_lock);
    handles += (guint)n;
    pthread_mutex_unlock(&count_lock);
}

guint
memory_handles(void)
{
    pthread_mutex_lock(&count_lock);
    guint n = handles;
    pthread_mutex_unlock(&count_lock);
    return n;
}
