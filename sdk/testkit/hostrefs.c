/* SPDX-License-Identifier: Apache-2.0
 *
 * See hostrefs.h.
 */
#include "sdk/testkit/hostrefs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/result.h"
#include "sdk/lib/storage.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define REFS_MAX 16
#define READ_SMALL_MAX (UINT64_C(1) << 30)

struct ref {
    const char *name, *prefix;
    const struct bp_kit_store *store;
    uint32_t flags;
};

static struct ref refs[REFS_MAX];
static size_t n_refs;

void
bp_kit_refs_add(const char *ref, const struct bp_kit_store *store, const char *prefix,
                uint32_t flags)
{
    if (n_refs == REFS_MAX) {
        bp_kit_bail(store->kit, "more than %d storages", REFS_MAX);
    }
    refs[n_refs++] = (struct ref){.name = ref, .prefix = prefix, .store = store, .flags = flags};
}

static const struct ref *
find(const char *name, struct bp_error *error)
{
    for (size_t i = n_refs; name != NULL && i > 0; i--) {
        if (strcmp(refs[i - 1].name, name) == 0) {
            return &refs[i - 1];
        }
    }
    (void)bp_fail(error, BP_ERR_NOT_FOUND, "there is no storage \"%s\" in reach of this call",
                  name != NULL ? name : "");
    return NULL;
}

/* The full key below a reference's prefix. */
static const struct ref *
find_key(const char *name, const char *key, char *full, struct bp_error *error)
{
    const char *why = "is missing";
    const struct ref *ref = find(name, error);
    if (ref != NULL && (key == NULL || bp_key_check(key, &why) != 0 ||
                        bp_key_join(full, BP_KEY_MAX + 1, ref->prefix, key) != 0)) {
        (void)bp_fail(error, BP_ERR_INVALID, "key \"%.200s\" %s", key != NULL ? key : "", why);
        return NULL;
    }
    return ref;
}

static const struct ref *
find_writable(const char *name, const char *key, char *full, struct bp_error *error)
{
    const struct ref *ref = find_key(name, key, full, error);
    if (ref != NULL && (ref->flags & BP_VIEW_READ_ONLY) != 0) {
        (void)bp_fail(error, BP_ERR_DENIED, "storage \"%s\" is read-only for this call", name);
        return NULL;
    }
    return ref;
}

static void
copy_root(char *out, size_t cap, const char *root, const char *prefix)
{
    const char *slash = *root != '\0' && root[strlen(root) - 1] != '/' ? "/" : "";
    (void)snprintf(out, cap, "%s%s%s", root, slash, *root != '\0' ? prefix : "");
}

bp_status
bp_kit_refs_info(const struct bp_op *op, const char *name, struct bp_storage_view *out,
                 struct bp_error *error)
{
    (void)op;
    const struct ref *ref = find(name, error);
    struct bp_storage_view view = {0};
    if (ref == NULL) {
        return error->cls;
    }
    const struct bp_storage_info *info = &ref->store->info;
    view.flags = ref->flags;
    (void)snprintf(view.kind, sizeof view.kind, "%s", ref->store->kit->plugin.name);
    if (info->identity[0] != '\0') {
        (void)bp_put_identity(view.identity, sizeof view.identity, "%s/%s", info->identity,
                              ref->prefix);
    }
    copy_root(view.local_root, sizeof view.local_root, info->local_root, ref->prefix);
    if (*info->local_root == '\0' && *info->server_root == '\0') {
        (void)snprintf(view.server_root, sizeof view.server_root, "%s", ref->prefix);
    } else {
        copy_root(view.server_root, sizeof view.server_root, info->server_root, ref->prefix);
    }
    view.struct_size = out->struct_size;
    memcpy(out, &view, out->struct_size < sizeof view ? out->struct_size : sizeof view);
    return BP_OK;
}

/* A page on its way back to the source: keys lose the prefix. */
struct passing {
    const struct bp_list_sink *sink;
    size_t skip;
};

static int32_t
pass_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct passing *self = ctx;
    return self->sink->entry(self->sink->ctx, key + self->skip, meta);
}

static int32_t
pass_prefix(void *ctx, const char *prefix)
{
    struct passing *self = ctx;
    return self->sink->prefix(self->sink->ctx, prefix + self->skip);
}

static int32_t
pass_next(void *ctx, const char *token)
{
    struct passing *self = ctx;
    return self->sink->next(self->sink->ctx, token);
}

bp_status
bp_kit_refs_list(const struct bp_op *op, const char *name, const struct bp_list_args *args,
                 const struct bp_list_sink *sink, struct bp_error *error)
{
    const struct ref *ref = find(name, error);
    if (ref == NULL) {
        return error->cls;
    }
    if (!BP_HAS(sink, struct bp_list_sink, entry) || !BP_HAS(sink, struct bp_list_sink, prefix) ||
        !BP_HAS(sink, struct bp_list_sink, next)) {
        return bp_fail(error, BP_ERR_INVALID, "listing into a sink that lacks a function");
    }
    struct passing passing = {.sink = sink, .skip = strlen(ref->prefix)};
    struct bp_list_sink inner = {.struct_size = sizeof inner,
                                 .ctx = &passing,
                                 .entry = pass_entry,
                                 .prefix = pass_prefix,
                                 .next = pass_next};
    const char *after = args->start_after;
    struct bp_list_args more = {.struct_size = sizeof more};
    char *prefix = bp_kit_text("%s%s", ref->prefix, args->prefix != NULL ? args->prefix : "");
    char *start = after != NULL ? bp_kit_text("%s%s", ref->prefix, after) : NULL;
    uint32_t most = ref->store->info.max_list;
    bp_result_copy(&more, args);
    more.prefix = prefix;
    more.start_after = start;
    more.max = most > 0 && most < more.max ? most : more.max;
    bp_status status = ref->store->kit->ops.list(ref->store->it, op, &more, &inner, error);
    free(prefix);
    free(start);
    return status;
}

bp_status
bp_kit_refs_stat(const struct bp_op *op, const char *name, const char *key,
                 struct bp_object_meta *out, struct bp_error *error)
{
    char full[BP_KEY_MAX + 1];
    const struct ref *ref = find_key(name, key, full, error);
    return ref != NULL ? ref->store->kit->ops.stat(ref->store->it, op, full, out, error)
                       : error->cls;
}

bp_status
bp_kit_refs_read(const struct bp_op *op, const char *name, const struct bp_read_args *args,
                 void *buffer, size_t *n, struct bp_error *error)
{
    char full[BP_KEY_MAX + 1];
    struct bp_reader *reader = NULL;
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    const struct ref *ref = find_key(name, args->key, full, error);
    struct bp_read_args inner = {.struct_size = sizeof inner};
    size_t got = 0;
    *n = 0;
    if (ref == NULL) {
        return error->cls;
    }
    if (args->flags != 0 || args->length > READ_SMALL_MAX) {
        return bp_fail(error, BP_ERR_INVALID, "%s: unknown flags, or more than 1 GiB", args->key);
    }
    const struct bp_storage_ops *ops = &ref->store->kit->ops;
    bp_result_copy(&inner, args);
    inner.key = full;
    bp_status status = ops->read_open(ref->store->it, op, &inner, &meta, &reader, error);
    if (status != BP_OK) {
        return status;
    }
    while (*n < args->length) {
        status = ops->read(reader, op, (char *)buffer + *n, args->length - *n, &got, error);
        if (status != BP_OK || got == 0) {
            break;
        }
        *n += got;
    }
    ops->read_close(reader);
    return status;
}

bp_status
bp_kit_refs_write(const struct bp_op *op, const char *name, const char *key, const void *bytes,
                  size_t n, struct bp_error *error)
{
    char full[BP_KEY_MAX + 1];
    struct bp_writer *writer = NULL;
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    const struct ref *ref = find_writable(name, key, full, error);
    if (ref == NULL) {
        return error->cls;
    }
    const struct bp_storage_ops *ops = &ref->store->kit->ops;
    struct bp_write_args args = {
        .struct_size = sizeof args, .flags = BP_WRITE_DURABLE, .key = full, .size = n};
    bp_status status = ops->write_open(ref->store->it, op, &args, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    status = ops->write(writer, op, bytes, n, error);
    if (status != BP_OK) {
        ops->write_abort(writer, op);
        return status;
    }
    return ops->write_commit(writer, op, &meta, error);
}

bp_status
bp_kit_refs_remove(const struct bp_op *op, const char *name, const char *key,
                   struct bp_error *error)
{
    char full[BP_KEY_MAX + 1];
    const struct ref *ref = find_writable(name, key, full, error);
    return ref != NULL ? ref->store->kit->ops.remove(ref->store->it, op, full, NULL, error)
                       : error->cls;
}
