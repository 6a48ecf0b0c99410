/* SPDX-License-Identifier: Apache-2.0
 *
 * host PLUGIN KIND [KEY=VALUE…]: a host of few lines, compiled with the headers of another minor
 * than the plugin.  It takes the descriptor as core/plugin/load.c does, opens an instance, and with
 * a "root" among the settings writes, reads, lists and removes an object.  A source that needs no
 * "address" captures and restores (host_source.c).  Results are handed out in structures of its
 * own size with guard bytes behind them.
 */
#include <bakplane/plugin.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "tests/abi/host.h"

struct bp_config {
    char **given; /* KEY=VALUE, ends with NULL */
    struct bp_config_key keys[64];
    char texts[64][32]; /* defaults in the form in which plugins get them */
    size_t n;
};

struct guarded_error guarded_error;
const struct bp_op op = {.struct_size = sizeof(op)};
struct bp_config config;

void
check_guard(const unsigned char *guard, const char *what)
{
    for (size_t i = 0; i < GUARD; i++) {
        if (guard[i] != GUARD_BYTE) {
            fprintf(stderr, "%s was written beyond its size\n", what);
            exit(1);
        }
    }
}

const char *
config_get(const struct bp_config *from, const char *key)
{
    size_t n = strlen(key);
    for (char **given = from->given; *given != NULL; given++) {
        if (strncmp(*given, key, n) == 0 && (*given)[n] == '=') {
            return *given + n + 1;
        }
    }
    for (size_t i = 0; i < from->n; i++) {
        if (strcmp(from->keys[i].name, key) == 0) {
            return from->texts[i][0] != '\0' ? from->texts[i] : from->keys[i].def;
        }
    }
    return NULL;
}

static size_t
config_count(const struct bp_config *from, const char *key)
{
    return config_get(from, key) != NULL ? 1 : 0;
}

static const char *
config_at(const struct bp_config *from, const char *key, size_t i)
{
    return i == 0 ? config_get(from, key) : NULL;
}

static void
log_line(const struct bp_op *of, int32_t level, const char *message)
{
    (void)of;
    fprintf(stderr, "log %d: %s\n", (int)level, message);
}

static int32_t
log_enabled(const struct bp_op *of, int32_t level)
{
    (void)of;
    return level <= BP_LOG_WARN;
}

static void *
host_alloc(const struct bp_op *of, size_t size)
{
    (void)of;
    return malloc(size);
}

static void *
host_realloc(const struct bp_op *of, void *memory, size_t size)
{
    (void)of;
    return realloc(memory, size);
}

static int32_t
cancelled(const struct bp_op *of)
{
    (void)of;
    return 0;
}

static int32_t
cancel_fd(const struct bp_op *of)
{
    (void)of;
    return -1;
}

static bp_status
host_sleep(const struct bp_op *of, uint64_t ns)
{
    (void)of, (void)ns;
    return BP_OK;
}

static void
progress(const struct bp_op *of, uint64_t done, uint64_t total)
{
    (void)of, (void)done, (void)total;
}

/* Every storage that a source may name is empty. */
static bp_status
list_nothing(const struct bp_op *of, const char *ref, const struct bp_list_args *args,
             const struct bp_list_sink *sink, struct bp_error *why)
{
    (void)of, (void)ref, (void)args, (void)sink, (void)why;
    return BP_OK;
}

#ifdef BP_FUTURE
static uint64_t
ticks(const struct bp_op *of)
{
    (void)of;
    return 7;
}
#endif

const struct bp_host host = {
    .struct_size = sizeof(host),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .host_version = "test",
    .log = log_line,
    .log_enabled = log_enabled,
    .alloc = host_alloc,
    .realloc = host_realloc,
    .free = free,
    .config_get = config_get,
    .config_count = config_count,
    .config_at = config_at,
    .cancelled = cancelled,
    .cancel_fd = cancel_fd,
    .sleep = host_sleep,
    .progress = progress,
    .storage_list = list_nothing,
#ifdef BP_FUTURE
    .ticks = ticks,
#endif
};

void
take(void *to, size_t size, const void *from)
{
    uint32_t theirs;
    memcpy(&theirs, from, sizeof(theirs));
    memset(to, 0, size);
    memcpy(to, from, theirs < size ? theirs : size);
}

static void
take_keys(const struct bp_plugin *plugin)
{
    CHECK(plugin->n_keys <= sizeof(config.keys) / sizeof(config.keys[0]));
    for (uint32_t i = 0; i < plugin->n_keys; i++) {
        uint64_t number = 0;
        struct bp_config_key *key = &config.keys[i];
        size_t size = plugin->key_stride < sizeof(*key) ? plugin->key_stride : sizeof(*key);
        memset(key, 0, sizeof(*key));
        memcpy(key, (const char *)plugin->keys + (size_t)i * plugin->key_stride, size);
        bool parsed =
            key->def != NULL &&
            ((key->type == BP_CONFIG_SIZE && bp_parse_size(key->def, &number) == 0) ||
             (key->type == BP_CONFIG_DURATION && bp_parse_duration_ms(key->def, &number) == 0));
        if (parsed) {
            (void)snprintf(config.texts[i], sizeof(config.texts[i]), "%llu",
                           (unsigned long long)number);
        }
    }
    config.n = plugin->n_keys;
}

static struct bp_plugin
load(const char *path)
{
    bp_status (*entry)(const struct bp_host *, const struct bp_plugin **, struct bp_error *) = NULL;
    const struct bp_plugin *from = NULL, *again = NULL;
    struct bp_plugin plugin;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle != NULL ? dlsym(handle, BP_PLUGIN_ENTRY) : NULL;
    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    memcpy(&entry, &symbol, sizeof(entry));
    CHECK(entry(&host, &from, &error) == BP_OK && entry(&host, &again, &error) == BP_OK);
    CHECK(from == again && from->abi_major == BP_ABI_MAJOR);
    take(&plugin, sizeof(plugin), from);
    CHECK(plugin.min_host_minor <= BP_ABI_MINOR);
    take_keys(&plugin);
    CHECK(plugin.init == NULL || plugin.init(&host, &error) == BP_OK);
    return plugin;
}

static void
write_and_read(const struct bp_storage_ops *ops, struct bp_storage *storage)
{
    char text[16];
    size_t n = 0;
    struct bp_writer *writer = NULL;
    struct bp_reader *reader = NULL;
    GUARDED(bp_object_meta) meta;
    struct bp_write_args args = {.struct_size = sizeof(args), .key = "a/b", .size = 5};
    args.flags = BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE;
    const struct bp_read_args read = {
        .struct_size = sizeof(read), .key = "a/b", .length = BP_UNKNOWN};
#ifdef BP_FUTURE
    args.priority = 3;
    struct bp_write_args later = args;
    later.flags |= BP_WRITE_LATER;
    /* Who does not know it says so, and the host does without. */
    bp_status status = ops->write_open(storage, &op, &later, &writer, &error);
    CHECK(status == BP_OK || status == BP_ERR_INVALID);
    if (status == BP_OK) {
        ops->write_abort(writer, &op);
    }
#endif
    CHECK(ops->write_open(storage, &op, &args, &writer, &error) == BP_OK);
    CHECK(ops->write(writer, &op, "hello", 5, &error) == BP_OK);
    PREPARE(meta);
    CHECK(ops->write_commit(writer, &op, &meta.it, &error) == BP_OK && meta.it.size == 5);
    CHECK_GUARD(meta);
    PREPARE(meta);
    CHECK(ops->stat(storage, &op, "a/b", &meta.it, &error) == BP_OK && meta.it.size == 5);
    CHECK_GUARD(meta);
    PREPARE(meta);
    CHECK(ops->read_open(storage, &op, &read, &meta.it, &reader, &error) == BP_OK);
    CHECK_GUARD(meta);
    CHECK(ops->read(reader, &op, text, sizeof(text), &n, &error) == BP_OK);
    CHECK(n == 5 && memcmp(text, "hello", 5) == 0);
    ops->read_close(reader);
}

static int32_t
count_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    int *found = ctx;
    *found += strcmp(key, "a/b") == 0 && meta->size == 5 ? 1 : 100;
    return 0;
}

int32_t
refuse_text(void *ctx, const char *text)
{
    (void)ctx, (void)text;
    return 1;
}

static void
list_and_remove(const struct bp_storage_ops *ops, struct bp_storage *storage)
{
    int found = 0;
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "a/", .max = 10};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                      .ctx = &found,
                                      .entry = count_entry,
                                      .prefix = refuse_text,
                                      .next = refuse_text};
    if (BP_HAS(ops, struct bp_storage_ops, sync)) {
        CHECK(ops->sync(storage, &op, &error) == BP_OK);
    }
    if (BP_HAS(ops, struct bp_storage_ops, space)) {
        GUARDED(bp_space) space;
        PREPARE(space);
        CHECK(ops->space(storage, &op, &space.it, &error) == BP_OK && space.it.total > 0);
        CHECK_GUARD(space);
    }
#ifdef BP_FUTURE
    if (BP_HAS(ops, struct bp_storage_ops, touch)) {
        CHECK(ops->touch(storage, &op, "a/b", &error) == BP_OK);
    }
#endif
    CHECK(ops->list(storage, &op, &args, &sink, &error) == BP_OK && found == 1);
    CHECK(ops->remove(storage, &op, "a/b", NULL, &error) == BP_OK);
    GUARDED(bp_object_meta) meta;
    PREPARE(meta);
    CHECK(ops->stat(storage, &op, "a/b", &meta.it, &error) == BP_ERR_NOT_FOUND);
    CHECK(error.cls == BP_ERR_NOT_FOUND && error.message[0] != '\0');
    CHECK_GUARD(guarded_error);
}

static void
use_storage(const struct bp_plugin *plugin)
{
    struct bp_storage_ops ops;
    struct bp_storage *storage = NULL;
    GUARDED(bp_storage_info) info;
    CHECK(plugin->storage != NULL);
    take(&ops, sizeof(ops), plugin->storage);
    CHECK(ops.open(&host, &op, &config, &storage, &error) == BP_OK);
    PREPARE(info);
    CHECK(ops.info(storage, &info.it, &error) == BP_OK);
    CHECK_GUARD(info);
    CHECK((info.it.caps & BP_STORE_RANGE_READ) != 0);
    if (config_get(&config, "root") != NULL) {
        write_and_read(&ops, storage);
        list_and_remove(&ops, storage);
    }
    ops.close(storage);
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: host PLUGIN storage|source [KEY=VALUE…]\n");
        return 2;
    }
    config.given = argv + 3;
    PREPARE(guarded_error);
    struct bp_plugin plugin = load(argv[1]);
    if (strcmp(argv[2], "storage") == 0) {
        use_storage(&plugin);
    } else {
        use_source(&plugin);
    }
    if (plugin.fini != NULL) {
        plugin.fini();
    }
    printf("host 1.%d, %s %s of 1.%d\n", BP_ABI_MINOR, argv[2], plugin.name, plugin.abi_minor);
    return 0;
}
