/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest useful storage plugin: objects in memory, the same in all instances, gone with the
 * process.  For the conformance kit and for reading; README.md explains the operations.  The host
 * lets one call at a time in, as declared below, so there is nothing to lock.
 */
#include <bakplane/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"

struct bp_writer { /* an object: before commit in no list, so that nobody sees it */
    struct bp_writer *next;
    uint32_t flags;
    char key[BP_KEY_MAX + 1];
    uint64_t version, size;
    unsigned char *bytes;
};
struct bp_reader { /* a copy: the object may be replaced while it is read */
    size_t offset, size;
    unsigned char bytes[];
};

static struct bp_storage {   /* what is behind all instances */
    struct bp_writer *first; /* in the order of keys */
    uint64_t versions;
} the_server;

/* Where `key` is, or belongs; *found is its object or NULL. */
static struct bp_writer **place_of(const char *key, struct bp_writer **found) {
    struct bp_writer **at = &the_server.first;
    while (*at != NULL && strcmp((*at)->key, key) < 0) {
        at = &(*at)->next;
    }
    *found = *at != NULL && strcmp((*at)->key, key) == 0 ? *at : NULL;
    return at;
}

static void free_first(struct bp_writer **at) {
    struct bp_writer *object = *at;
    *at = object->next;
    free(object->bytes);
    free(object);
}

static bp_status tell(const struct bp_writer *object, struct bp_object_meta *out) {
    out->size = object->size;
    (void)snprintf(out->etag, sizeof(out->etag), "%llx", (unsigned long long)object->version);
    return BP_OK;
}

/* What a newer host may ask for is refused, not ignored: it has to know that it was not obeyed. */
static bp_status check(uint32_t bits, uint32_t known, struct bp_error *error) {
    return bits & ~known ? bp_fail(error, BP_ERR_INVALID, "unknown bits: %u", bits) : BP_OK;
}

static bp_status memory_open(const struct bp_host *host, const struct bp_op *op,
    const struct bp_config *config, struct bp_storage **out, struct bp_error *error) {
    *out = &the_server; /* there are no settings to check */
    return BP_OK;
}

static void memory_close(struct bp_storage *s) { /* memory_fini frees what there is */
}

static void memory_fini(void) {
    while (the_server.first != NULL) {
        free_first(&the_server.first);
    }
}

static bp_status memory_info(
    struct bp_storage *s, struct bp_storage_info *out, struct bp_error *error) {
    out->caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH |
                BP_STORE_LIST_SORTED | BP_STORE_LIST_START_AFTER | BP_STORE_UNKNOWN_SIZE |
                BP_STORE_KEY_IS_PREFIX | BP_STORE_STRONG_LIST;
    out->max_object = out->max_copy = BP_UNKNOWN;
    out->max_list = out->max_key_part = BP_KEY_MAX;
    out->best_io = 1 << 20;
    (void)snprintf(out->identity, sizeof(out->identity), "memory");
    return BP_OK;
}

static bp_status memory_probe(struct bp_storage *s, const struct bp_op *op,
    const struct bp_probe_args *args, struct bp_error *error) {
    bp_status status = check(args->need, BP_NEED_SERVER_READ * 2 - 1, error);
    return status == BP_OK && args->need & BP_NEED_SERVER_READ /* nobody lacks another right */
               ? bp_fail(error, BP_ERR_UNSUPPORTED, "no other process can read this memory")
               : status;
}

static bp_status memory_stat(struct bp_storage *s, const struct bp_op *op, const char *key,
    struct bp_object_meta *out, struct bp_error *error) {
    struct bp_writer *object;
    (void)place_of(key, &object);
    return object != NULL ? tell(object, out)
                          : bp_fail(error, BP_ERR_NOT_FOUND, "object %s is not there", key);
}

/* The token is ours to choose: what was told last, a key or a group, which ends in '/'. */
static bp_status memory_list(struct bp_storage *s, const struct bp_op *op,
    const struct bp_list_args *args, const struct bp_list_sink *sink, struct bp_error *error) {
    size_t prefix = strlen(args->prefix), told = 0;
    int32_t stop = 0;
    char at[BP_KEY_MAX + 1];
    struct bp_writer *o = *place_of(args->prefix, &o);
    if (check(args->flags, 0, error) != BP_OK) {
        return error->cls;
    }
    const char *from = args->token ? args->token : args->start_after;
    (void)snprintf(at, sizeof(at), "%s", from ? from : "");
    for (; o && stop == 0 && strncmp(o->key, args->prefix, prefix) == 0; o = o->next) {
        struct bp_object_meta meta = {.struct_size = sizeof(meta)};
        const char *slash = args->delimiter ? strchr(o->key + prefix, args->delimiter) : NULL;
        size_t n = strlen(at);
        if (strcmp(o->key, at) <= 0 || (n > 0 && at[n - 1] == '/' && !strncmp(o->key, at, n))) {
            continue;
        }
        if (told++ == args->max) {
            stop = sink->next(sink->ctx, at);
            break;
        }
        (void)snprintf(at, sizeof(at), "%.*s", slash ? (int)(slash - o->key) + 1 : -1, o->key);
        (void)tell(o, &meta);
        stop = slash ? sink->prefix(sink->ctx, at) : sink->entry(sink->ctx, at, &meta);
    }
    return stop == 0 ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "the listing was stopped");
}

static bp_status memory_read_open(struct bp_storage *s, const struct bp_op *op,
    const struct bp_read_args *args, struct bp_object_meta *meta, struct bp_reader **out,
    struct bp_error *error) {
    struct bp_writer *object;
    (void)place_of(args->key, &object);
    if (check(args->flags, 0, error) || memory_stat(s, op, args->key, meta, error)) {
        return error->cls;
    }
    if (args->offset > meta->size) {
        return bp_fail(error, BP_ERR_RANGE, "object %s ends before", args->key);
    }
    if (args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s is another version now", args->key);
    }
    uint64_t left = meta->size - args->offset;
    size_t size = args->length < left ? args->length : left;
    if ((*out = malloc(sizeof(**out) + size)) == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read %s", args->key);
    }
    **out = (struct bp_reader){.size = size};
    memcpy((*out)->bytes, object->bytes + args->offset, size);
    return BP_OK;
}

static bp_status memory_read(struct bp_reader *reader, const struct bp_op *op, void *buffer,
    size_t cap, size_t *n, struct bp_error *error) {
    *n = reader->size - reader->offset < cap ? reader->size - reader->offset : cap;
    memcpy(buffer, reader->bytes + reader->offset, *n);
    reader->offset += *n;
    return BP_OK;
}

static void memory_read_close(struct bp_reader *reader) {
    free(reader);
}

static bp_status memory_write_open(struct bp_storage *s, const struct bp_op *op,
    const struct bp_write_args *args, struct bp_writer **out, struct bp_error *error) {
    if (check(args->flags, BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE, error) != BP_OK) {
        return error->cls;
    }
    if (args->if_match != NULL || args->checksum.kind != BP_CHECKSUM_NONE) { /* not promised */
        return bp_fail(error, BP_ERR_UNSUPPORTED, "neither versions nor checksums are compared");
    }
    if ((*out = calloc(1, sizeof(**out))) == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to write %s", args->key);
    }
    (*out)->flags = args->flags;
    (void)snprintf((*out)->key, sizeof((*out)->key), "%s", args->key);
    return BP_OK;
}

static bp_status memory_write(struct bp_writer *object, const struct bp_op *op, const void *bytes,
    size_t n, struct bp_error *error) {
    unsigned char *more = realloc(object->bytes, object->size + n + 1);
    if (more == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for %s", object->key);
    }
    object->bytes = more;
    memcpy(more + object->size, bytes, n);
    object->size += n;
    return BP_OK;
}

static void memory_write_abort(struct bp_writer *object, const struct bp_op *op) {
    free_first(&object);
}

static bp_status memory_write_commit(struct bp_writer *object, const struct bp_op *op,
    struct bp_object_meta *out, struct bp_error *error) {
    struct bp_writer *old, **at = place_of(object->key, &old);
    if (old != NULL && (object->flags & BP_WRITE_IF_NONE_MATCH) != 0) {
        free_first(&object);
        return bp_fail(error, BP_ERR_EXISTS, "object %s is there", old->key);
    } else if (old != NULL) {
        free_first(at);
    }
    object->version = ++the_server.versions;
    object->next = *at;
    *at = object;
    return tell(object, out);
}

static bp_status memory_remove(struct bp_storage *s, const struct bp_op *op, const char *key,
    const char *if_match, struct bp_error *error) {
    struct bp_writer *object, **at = place_of(key, &object);
    if (if_match != NULL) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "versions are not compared");
    } else if (object != NULL) { /* a missing one is fine */
        free_first(at);
    }
    return BP_OK;
}

/* In the order of the declaration; what is optional is left out, and so NULL. */
static const struct bp_storage_ops ops = {sizeof(ops), 0, memory_open, memory_close, memory_info,
    memory_probe, memory_stat, memory_list, memory_read_open, memory_read, memory_read_close,
    memory_write_open, memory_write, memory_write_commit, memory_write_abort,
    .remove = memory_remove};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_ONE,
    .name = "memory",
    .version = "1.0",
    .summary = "objects in memory, for the conformance kit",
    .license = "Apache-2.0",
    .storage = &ops,
    .fini = memory_fini,
};

bp_status bp_plugin_entry_v1(
    const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error) {
    *out = &plugin;
    return BP_OK;
}
