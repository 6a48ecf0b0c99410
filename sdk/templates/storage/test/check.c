/* SPDX-License-Identifier: Apache-2.0
 *
 * check PLUGIN DIRECTORY: the plugin's own test, with a host of a few lines.  What every storage
 * plugin has to do is tested by bakplane-plugin-test; here is the place for what only yours does.
 */
#include <bakplane/plugin.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
                    error.message);                                                     \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

struct bp_config {
    const char *root;
};

static struct bp_error error = {.struct_size = sizeof(error)};
static struct bp_op op = {.struct_size = sizeof(op)};
static int32_t is_cancelled;

static const char *
config_get(const struct bp_config *config, const char *key)
{
    return strcmp(key, "root") == 0 ? config->root : NULL;
}

static int32_t
cancelled(const struct bp_op *asked)
{
    (void)asked;
    return is_cancelled;
}

static const struct bp_host host = {.struct_size = sizeof(host),
                                    .abi_major = BP_ABI_MAJOR,
                                    .abi_minor = BP_ABI_MINOR,
                                    .host_version = "test",
                                    .config_get = config_get,
                                    .cancelled = cancelled};

static const struct bp_storage_ops *
load(const char *path)
{
    bp_status (*entry)(const struct bp_host *, const struct bp_plugin **, struct bp_error *) = NULL;
    const struct bp_plugin *plugin = NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle != NULL ? dlsym(handle, BP_PLUGIN_ENTRY) : NULL;
    if (symbol == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    memcpy(&entry, &symbol, sizeof(entry));
    CHECK(entry(&host, &plugin, &error) == BP_OK);
    CHECK(strcmp(plugin->name, "@NAME@") == 0);
    return plugin->storage;
}

static struct bp_writer *
open_writer(const struct bp_storage_ops *ops, struct bp_storage *storage, const char *key,
            uint32_t flags)
{
    struct bp_writer *writer = NULL;
    struct bp_write_args args = {.struct_size = sizeof(args)};
    args.flags = flags;
    args.key = key;
    args.size = 5;
    CHECK(ops->write_open(storage, &op, &args, &writer, &error) == BP_OK);
    CHECK(ops->write(writer, &op, "hello", 5, &error) == BP_OK);
    return writer;
}

static void
check_writing(const struct bp_storage_ops *ops, struct bp_storage *storage)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = BP_UNKNOWN};
    struct bp_writer *writer = open_writer(ops, storage, "a/b", BP_WRITE_DURABLE);
    CHECK(ops->stat(storage, &op, "a/b", &meta, &error) == BP_ERR_NOT_FOUND);
    CHECK(ops->write_commit(writer, &op, &meta, &error) == BP_OK);
    CHECK(ops->stat(storage, &op, "a/b", &meta, &error) == BP_OK);
    CHECK(meta.size == 5 && meta.etag[0] != '\0');

    ops->write_abort(open_writer(ops, storage, "a/c", 0), &op);
    CHECK(ops->stat(storage, &op, "a/c", &meta, &error) == BP_ERR_NOT_FOUND);
    writer = open_writer(ops, storage, "a/b", BP_WRITE_IF_NONE_MATCH);
    CHECK(ops->write_commit(writer, &op, &meta, &error) == BP_ERR_EXISTS);

    const struct bp_write_args newer = {
        .struct_size = sizeof(newer), .flags = UINT32_C(1) << 31, .key = "a/d", .size = 0};
    CHECK(ops->write_open(storage, &op, &newer, &writer, &error) == BP_ERR_INVALID);
}

static void
check_reading(const struct bp_storage_ops *ops, struct bp_storage *storage)
{
    char text[8];
    size_t n = 0;
    struct bp_reader *reader = NULL;
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = BP_UNKNOWN};
    struct bp_read_args args = {
        .struct_size = sizeof(args), .key = "a/b", .offset = 1, .length = 3};
    CHECK(ops->read_open(storage, &op, &args, &meta, &reader, &error) == BP_OK);
    CHECK(ops->read(reader, &op, text, sizeof(text), &n, &error) == BP_OK);
    CHECK(n == 3 && memcmp(text, "ell", 3) == 0);
    CHECK(ops->read(reader, &op, text, sizeof(text), &n, &error) == BP_OK && n == 0);
    ops->read_close(reader);
    args.offset = 6;
    CHECK(ops->read_open(storage, &op, &args, &meta, &reader, &error) == BP_ERR_RANGE);

    is_cancelled = 1;
    CHECK(ops->stat(storage, &op, "a/b", &meta, &error) == BP_ERR_CANCELLED);
    is_cancelled = 0;
}

static int32_t
collect(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)meta;
    char *found = ctx;
    (void)snprintf(found + strlen(found), 64 - strlen(found), "%s;", key);
    return 0;
}

static int32_t
collect_prefix(void *ctx, const char *prefix)
{
    return collect(ctx, prefix, NULL);
}

static int32_t
no_next(void *ctx, const char *token)
{
    (void)ctx, (void)token;
    return 1;
}

static void
check_listing(const struct bp_storage_ops *ops, struct bp_storage *storage)
{
    char found[64] = "";
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = BP_UNKNOWN};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                      .ctx = found,
                                      .entry = collect,
                                      .prefix = collect_prefix,
                                      .next = no_next};
    struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "", .max = 10};
    CHECK(ops->write_commit(open_writer(ops, storage, "a.b", 0), &op, &meta, &error) == BP_OK);
    CHECK(ops->list(storage, &op, &args, &sink, &error) == BP_OK);
    CHECK(strcmp(found, "a.b;a/b;") == 0);
    args.delimiter = '/';
    found[0] = '\0';
    CHECK(ops->list(storage, &op, &args, &sink, &error) == BP_OK);
    CHECK(strcmp(found, "a.b;a/;") == 0);
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: check PLUGIN DIRECTORY\n");
        return 2;
    }
    struct bp_config config = {argv[2]};
    struct bp_storage *storage = NULL;
    const struct bp_storage_ops *ops = load(argv[1]);
    CHECK(ops->open(&host, &op, &config, &storage, &error) == BP_OK);
    check_writing(ops, storage);
    check_reading(ops, storage);
    check_listing(ops, storage);
    CHECK(ops->remove(storage, &op, "a/b", NULL, &error) == BP_OK);
    CHECK(ops->remove(storage, &op, "a/b", NULL, &error) == BP_OK);
    CHECK(ops->remove(storage, &op, "a.b", NULL, &error) == BP_OK);
    ops->close(storage);

    config.root = "/nonexistent";
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = BP_UNKNOWN};
    CHECK(ops->open(&host, &op, &config, &storage, &error) == BP_OK);
    CHECK(ops->stat(storage, &op, "a", &meta, &error) == BP_ERR_NOT_FOUND);
    CHECK(strstr(error.message, "root directory") != NULL);
    ops->close(storage);
    puts("check: fine");
    return 0;
}
