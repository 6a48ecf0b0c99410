/* SPDX-License-Identifier: Apache-2.0
 *
 * The in-memory storage plugin: descriptor, instances, reading and listing.  Every answer is
 * right unless memory_knob.lie asks for a particular wrong one.
 */
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "tests/harness/memory.h"
#include "tests/harness/test_ops.h"

#include "sdk/lib/ban.h"

struct bp_reader {
    struct bp_storage *storage;
    GBytes *bytes;
    gsize at, end;
};

static bool
lies(test_lie lie)
{
    return memory_knob.lie == (int)lie;
}

static bp_status
memory_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
            struct bp_storage **out, struct bp_error *error)
{
    (void)op;
    (void)error;
    const char *space = host->config_get(config, "space");
    struct bp_storage *self = g_new0(struct bp_storage, 1);
    memory_enter("open");
    pthread_mutex_lock(&memory_lock);
    self->host = host;
    self->caps = memory_knob.caps;
    self->serial = memory_next_serial();
    self->name = g_strdup(space != NULL ? space : memory_knob.space);
    self->space = memory_space_get(self->name);
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    *out = self;
    return BP_OK;
}

static void
memory_close(struct bp_storage *self)
{
    memory_enter("close");
    g_free(self->name);
    g_free(self);
    memory_leave();
}

static bp_status
memory_info(struct bp_storage *self, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error;
    memory_enter("info");
    out->caps = self->caps;
    out->min_part = 1;
    out->max_part = 1 << 20;
    out->max_parts = 1000;
    out->max_object = out->max_copy = BP_UNKNOWN;
    out->max_list = 1000;
    out->max_key_part = 255;
    out->best_io = 1 << 16;
    g_snprintf(out->identity, sizeof out->identity, "memory:%s", self->name);
    g_snprintf(out->copy_scope, sizeof out->copy_scope, "memory");
    memory_leave();
    return BP_OK;
}

static bp_status
memory_probe(struct bp_storage *self, const struct bp_op *op, const struct bp_probe_args *args,
             struct bp_error *error)
{
    (void)self;
    (void)op;
    memory_enter("probe");
    memory_leave();
    return (args->need & BP_NEED_SERVER_READ) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_DENIED, "nobody else can read memory");
}

static bp_status
lie_about_stat(struct bp_error *error)
{
    switch (memory_knob.lie) {
    case TEST_LIE_SILENT_FAILURE:
        return BP_ERR_RETRYABLE;
    case TEST_LIE_WRONG_CLASS:
        (void)bp_fail(error, BP_ERR_AUTH, "no way in");
        return BP_ERR_RETRYABLE;
    case TEST_LIE_NEGATIVE_STATUS:
        return -1;
    case TEST_LIE_LEAKS_SECRET:
        return bp_fail(error, BP_ERR_AUTH, "password %s refused", memory_knob.secret);
    default:
        return BP_OK;
    }
}

static bp_status
memory_stat(struct bp_storage *self, const struct bp_op *op, const char *key,
            struct bp_object_meta *out, struct bp_error *error)
{
    memory_enter("stat");
    bp_status status =
        memory_knob.delay_ns > 0 ? self->host->sleep(op, (uint64_t)memory_knob.delay_ns) : BP_OK;
    if (status != BP_OK) {
        memory_leave();
        return bp_fail(error, status, "woken up");
    }
    if (memory_check_login(self, error) != BP_OK) {
        memory_leave();
        return BP_ERR_AUTH;
    }
    pthread_mutex_lock(&memory_lock);
    const memory_object *object = memory_find(self->space, key);
    status = lie_about_stat(error);
    if (status == BP_OK && object == NULL) {
        status = bp_fail(error, BP_ERR_NOT_FOUND, "there is no object %s", key);
    } else if (status == BP_OK) {
        memory_fill_meta(object, out);
        out->size = lies(TEST_LIE_NO_SIZE) ? BP_UNKNOWN : out->size;
    }
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return status;
}

/* Length of a key's group below the prefix, or 0 when it is no group. */
static gsize
group_length(const struct bp_list_args *args, const char *key)
{
    const char *slash = args->delimiter != 0 ? strchr(key + strlen(args->prefix), '/') : NULL;
    return slash != NULL ? (gsize)(slash - key) + 1 : 0;
}

static bool
tell(const struct bp_list_sink *sink, const char *key, gsize group, const memory_object *object)
{
    if (group > 0) {
        g_autofree char *prefix = g_strndup(key, group);
        return sink->prefix(sink->ctx, prefix) == 0;
    }
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    memory_fill_meta(object, &meta);
    return sink->entry(sink->ctx, key, &meta) == 0;
}

/* Walks from `args->token` (the last thing told) in order of keys. */
static bool
walk(struct bp_storage *self, const struct bp_list_args *args, const struct bp_list_sink *sink)
{
    const char *from = args->token != NULL ? args->token : args->prefix;
    g_autofree char *last = g_strdup(args->token);
    guint told = 0;
    for (GTreeNode *node = g_tree_lower_bound(self->space->objects, from); node != NULL;
         node = g_tree_node_next(node)) {
        const char *key = g_tree_node_key(node);
        gsize group = group_length(args, key);
        if (!g_str_has_prefix(key, args->prefix)) {
            break;
        }
        if ((last != NULL && (strcmp(key, last) == 0 ||
                              (g_str_has_suffix(last, "/") && g_str_has_prefix(key, last)))) ||
            (args->start_after != NULL && strcmp(key, args->start_after) <= 0)) {
            continue;
        }
        if (told == args->max && !lies(TEST_LIE_TOO_MANY)) {
            return sink->next(sink->ctx, last) == 0;
        }
        if (!tell(sink, key, group, g_tree_node_value(node))) {
            return false;
        }
        g_free(last);
        last = group > 0 ? g_strndup(key, group) : g_strdup(key);
        told++;
    }
    return true;
}

/* True: the answer was a lie, and complete. */
static bool
lie_about_list(const struct bp_list_args *args, const struct bp_list_sink *sink)
{
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = 1};
    g_autofree char *token = NULL;
    switch (memory_knob.lie) {
    case TEST_LIE_FOREIGN_KEY:
        (void)sink->entry(sink->ctx, "somewhere/else", &meta);
        return true;
    case TEST_LIE_BAD_KEY:
        (void)sink->entry(sink->ctx, "a//b", &meta);
        return true;
    case TEST_LIE_UNSORTED:
        (void)sink->entry(sink->ctx, "b", &meta);
        (void)sink->entry(sink->ctx, "a", &meta);
        return true;
    case TEST_LIE_SAME_TOKEN:
        (void)sink->next(sink->ctx, args->token != NULL ? args->token : "again");
        return true;
    case TEST_LIE_LONG_TOKEN:
        token = g_strnfill(5000, 't');
        (void)sink->next(sink->ctx, token);
        return true;
    case TEST_LIE_EMPTY_PAGES:
        (void)sink->next(sink->ctx, g_strcmp0(args->token, "tick") == 0 ? "tock" : "tick");
        return true;
    default:
        return false;
    }
}

static bp_status
memory_list(struct bp_storage *self, const struct bp_op *op, const struct bp_list_args *args,
            const struct bp_list_sink *sink, struct bp_error *error)
{
    (void)op;
    memory_enter("list");
    if (memory_check_login(self, error) != BP_OK) {
        memory_leave();
        return BP_ERR_AUTH;
    }
    pthread_mutex_lock(&memory_lock);
    bool all = lie_about_list(args, sink) || walk(self, args, sink);
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return all ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "the sink stopped the listing");
}

static bp_status
memory_read_open(struct bp_storage *self, const struct bp_op *op, const struct bp_read_args *args,
                 struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    (void)op;
    memory_enter("read_open");
    if (memory_check_login(self, error) != BP_OK) {
        memory_leave();
        return BP_ERR_AUTH;
    }
    pthread_mutex_lock(&memory_lock);
    const memory_object *object = memory_find(self->space, args->key);
    bp_status status = BP_OK;
    if (object == NULL) {
        status = bp_fail(error, BP_ERR_NOT_FOUND, "there is no object %s", args->key);
    } else {
        memory_fill_meta(object, meta);
        if (args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
            status = bp_fail(error, BP_ERR_EXISTS, "%s is another version", args->key);
        } else if (args->offset > meta->size) {
            status = bp_fail(error, BP_ERR_RANGE, "%s ends before the offset", args->key);
        } else if (!lies(TEST_LIE_NO_HANDLE)) {
            *out = g_new0(struct bp_reader, 1);
            (*out)->storage = self;
            (*out)->bytes = g_bytes_ref(object->bytes);
            (*out)->at = args->offset;
            (*out)->end = args->offset + MIN(args->length, meta->size - args->offset);
            memory_handles_add(1);
            meta->size += lies(TEST_LIE_READ_SHORTER) ? 10 : 0;
            meta->size -= lies(TEST_LIE_READ_LONGER) ? 1 : 0;
        }
    }
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return status;
}

static bp_status
memory_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
            struct bp_error *error)
{
    (void)op;
    memory_enter("read");
    if (memory_check_login(reader->storage, error) != BP_OK) {
        memory_leave();
        return BP_ERR_AUTH;
    }
    const guint8 *bytes = g_bytes_get_data(reader->bytes, NULL);
    *n = MIN(cap, reader->end - reader->at);
    if (*n > 0) {
        memcpy(buffer, bytes + reader->at, *n);
    }
    reader->at += *n;
    if (lies(TEST_LIE_READ_TOO_MUCH)) {
        *n = cap + 1;
    }
    memory_leave();
    return BP_OK;
}

static void
memory_read_close(struct bp_reader *reader)
{
    memory_enter("read_close");
    g_bytes_unref(reader->bytes);
    g_free(reader);
    memory_handles_add(-1);
    memory_leave();
}

static bp_status
memory_remove(struct bp_storage *self, const struct bp_op *op, const char *key,
              const char *if_match, struct bp_error *error)
{
    (void)op;
    memory_enter("remove");
    pthread_mutex_lock(&memory_lock);
    bp_status status = BP_OK;
    const memory_object *object = memory_find(self->space, key);
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    if (object != NULL) {
        memory_fill_meta(object, &meta);
    }
    if (object != NULL && if_match != NULL && strcmp(if_match, meta.etag) != 0) {
        status = bp_fail(error, BP_ERR_EXISTS, "%s is another version", key);
    } else {
        (void)g_tree_remove(self->space->objects, key); /* a missing key is fine */
    }
    pthread_mutex_unlock(&memory_lock);
    memory_leave();
    return status;
}

static bp_status
memory_sync(struct bp_storage *self, const struct bp_op *op, struct bp_error *error)
{
    (void)self;
    (void)op;
    (void)error;
    memory_enter("sync");
    memory_leave();
    return BP_OK;
}

static bp_status
memory_remove_many(struct bp_storage *self, const struct bp_op *op, const char *const *keys,
                   size_t n, const struct bp_key_sink *sink, struct bp_error *error)
{
    memory_enter("remove_many");
    for (size_t i = 0; i < n && !lies(TEST_LIE_FORGETS_KEYS); i++) {
        struct bp_error each;
        bp_error_init(&each);
        bp_status status = g_str_has_prefix(keys[i], "locked/")
                               ? bp_fail(&each, BP_ERR_DENIED, "it is locked")
                               : memory_remove(self, op, keys[i], NULL, error);
        (void)sink->key(sink->ctx, keys[i], NULL, 0, status == BP_OK ? NULL : &each);
    }
    memory_leave();
    return BP_OK;
}

static bp_status
memory_space_info(struct bp_storage *self, const struct bp_op *op, struct bp_space *out,
                  struct bp_error *error)
{
    (void)self;
    (void)op;
    (void)error;
    memory_enter("space");
    out->total = G_GUINT64_CONSTANT(1) << 40;
    out->available = G_GUINT64_CONSTANT(1) << 39;
    memory_leave();
    return BP_OK;
}

static const struct bp_config_key memory_keys[] = {
    {.name = "space",
     .type = BP_CONFIG_STRING,
     .help = "instances with the same space hold the same objects"},
};

static const struct bp_storage_ops memory_storage = {
    .struct_size = sizeof memory_storage,
    .open = memory_open,
    .close = memory_close,
    .info = memory_info,
    .probe = memory_probe,
    .stat = memory_stat,
    .list = memory_list,
    .read_open = memory_read_open,
    .read = memory_read,
    .read_close = memory_read_close,
    .write_open = memory_write_open,
    .write = memory_write,
    .write_commit = memory_write_commit,
    .write_abort = memory_write_abort,
    .remove = memory_remove,
    .sync = memory_sync,
    .copy = memory_copy,
    .remove_many = memory_remove_many,
    .part_begin = memory_part_begin,
    .part_open = memory_part_open,
    .part_copy = memory_part_copy,
    .part_complete = memory_part_complete,
    .part_abort = memory_part_abort,
    .uploads_list = memory_uploads_list,
    .uploads_abort = memory_uploads_abort,
    .space = memory_space_info,
};

static const struct bp_plugin memory_plugin = {
    .struct_size = sizeof memory_plugin,
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "memory",
    .version = "1.0",
    .summary = "objects in memory, for tests",
    .license = "Apache-2.0",
    .keys = memory_keys,
    .key_stride = sizeof memory_keys[0],
    .n_keys = G_N_ELEMENTS(memory_keys),
    .storage = &memory_storage,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &memory_plugin;
    return BP_OK;
}
