/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "plugins/storage-local/cursor.h"
#include "plugins/storage-local/info.h"
#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/read.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define KNOWN_NEEDS \
    (BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE | BP_NEED_SERVER_READ)

/* Lists the beginning of the prefix and opens the first object there, if there is one. */
static bp_status
try_list_and_read(struct bp_storage *storage, const struct bp_op *op,
                  const struct bp_probe_args *args, struct bp_error *error)
{
    int fd;
    bool more;
    struct stat st;
    struct bp_local_found found;
    struct bp_local_cursor *cursor = bp_local_cursor_new(args->prefix, false, NULL, false);
    bp_status status = bp_local_cursor_next(storage, op, cursor, &found, &more, error);
    if (status == BP_OK && more && (args->need & BP_NEED_READ) != 0) {
        g_autofree char *key = g_strconcat(cursor->path->str, found.name, NULL);
        status = bp_local_open_object(storage, key, NULL, &fd, &st, error);
        if (status == BP_OK) {
            (void)close(fd); /* opened for reading */
        } else if (status == BP_ERR_NOT_FOUND) {
            status = BP_OK; /* it was there a moment ago */
        }
    }
    bp_local_cursor_free(cursor);
    return status;
}

static bp_status
write_scratch(struct bp_storage *storage, const struct bp_op *op, const char *key, uint32_t flags,
              struct bp_error *error)
{
    static const char text[] = "bakplane probe\n";
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {
        .struct_size = sizeof(args),
        .flags = flags,
        .key = key,
        .size = sizeof(text) - 1,
    };
    bp_status status = bp_local_write_open(storage, op, &args, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_local_write(writer, op, text, sizeof(text) - 1, error);
    if (status != BP_OK) {
        bp_local_write_abort(writer, op);
        return status;
    }
    return bp_local_write_commit(writer, op, &meta, error);
}

static bp_status
try_write(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
          struct bp_error *error)
{
    uint64_t random = 0;
    char key[BP_KEY_MAX + 1], name[48];
    const char *slash = strrchr(args->prefix, '/');
    g_autofree char *dir =
        g_strndup(args->prefix, slash == NULL ? 0 : (size_t)(slash - args->prefix));
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        random = (uint64_t)g_get_monotonic_time();
    }
    (void)snprintf(name, sizeof(name), ".bakplane-probe-%016" PRIx64, random);
    if (bp_key_join(key, sizeof(key), dir, name) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": too long to write below it",
                       args->prefix);
    }
    /* Conditional, so that it is published at once and not at the next barrier. */
    bp_status status = write_scratch(storage, op, key, BP_WRITE_IF_NONE_MATCH, error);
    if (status != BP_OK) {
        return status;
    }
    if ((args->need & BP_NEED_EXCLUSIVE) != 0) {
        struct bp_error second = {.struct_size = sizeof(second)};
        status = write_scratch(storage, op, key, BP_WRITE_IF_NONE_MATCH, &second);
        status = status == BP_ERR_EXISTS
                     ? BP_OK
                     : bp_fail(error, BP_ERR_UNSUPPORTED,
                               "%s does not keep exclusive creation: a second one was accepted",
                               storage->set.root);
    }
    struct bp_error undo = {.struct_size = sizeof(undo)};
    bp_status removed = bp_local_remove(storage, op, key, NULL, status == BP_OK ? error : &undo);
    return status == BP_OK ? removed : status;
}

bp_status
bp_local_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
               struct bp_error *error)
{
    int root;
    const char *why;
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    bp_status status = bp_local_check_flags(args->need, KNOWN_NEEDS, error);
    if (status == BP_OK) {
        status = bp_local_check_op(storage, op, error);
    }
    if (status == BP_OK && bp_key_check_prefix(args->prefix, &why) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": %s", args->prefix, why);
    }
    if (status == BP_OK) {
        status = bp_local_root(storage, writes ? BP_LOCAL_MAKE_ROOT : BP_LOCAL_FAIL, &root, error);
    }
    if (status == BP_OK && writes) {
        status = try_write(storage, op, args, error);
    }
    if (status == BP_OK && (args->need & (BP_NEED_LIST | BP_NEED_READ)) != 0) {
        status = try_list_and_read(storage, op, args, error);
    }
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_local_check_server(storage, op, args, error);
    }
    return status;
}
