/* SPDX-License-Identifier: Apache-2.0
 *
 * A storage that is always empty and refuses to be written: the smallest complete plugin, built
 * against the installed SDK only.
 */
#include <bakplane/plugin.h>
#include <bakplane/storage.h>

#include "sdk/lib/errors.h"

static char instance;

static bp_status
null_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
          struct bp_storage **out, struct bp_error *error)
{
    (void)host, (void)op, (void)config, (void)error;
    *out = (struct bp_storage *)&instance;
    return BP_OK;
}

static void
null_close(struct bp_storage *storage)
{
    (void)storage;
}

static bp_status
null_info(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *error)
{
    (void)storage, (void)error;
    out->caps = BP_STORE_RANGE_READ;
    return BP_OK;
}

static bp_status
null_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
           struct bp_error *error)
{
    (void)storage, (void)op;
    return args->need & BP_NEED_WRITE ? bp_fail(error, BP_ERR_DENIED, "null is read-only") : BP_OK;
}

static bp_status
null_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
          struct bp_object_meta *out, struct bp_error *error)
{
    (void)storage, (void)op, (void)out;
    return bp_fail(error, BP_ERR_NOT_FOUND, "%s: null is empty", key);
}

static bp_status
null_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
          const struct bp_list_sink *sink, struct bp_error *error)
{
    (void)storage, (void)op, (void)args, (void)sink, (void)error;
    return BP_OK;
}

static bp_status
null_read_open(struct bp_storage *storage, const struct bp_op *op, const struct bp_read_args *args,
               struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    (void)out;
    return null_stat(storage, op, args->key, meta, error);
}

static bp_status
null_write_open(struct bp_storage *storage, const struct bp_op *op,
                const struct bp_write_args *args, struct bp_writer **out, struct bp_error *error)
{
    (void)storage, (void)op, (void)out;
    return bp_fail(error, BP_ERR_DENIED, "%s: null is read-only", args->key);
}

/* No reader or writer ever exists, so these are never called; the table wants them all the same. */
static bp_status
null_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
          struct bp_error *error)
{
    (void)reader, (void)op, (void)buffer, (void)cap, (void)n;
    return bp_fail(error, BP_ERR_UNSUPPORTED, "null has no readers");
}

static void
null_read_close(struct bp_reader *reader)
{
    (void)reader;
}

static bp_status
null_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
           struct bp_error *error)
{
    (void)writer, (void)op, (void)bytes, (void)n;
    return bp_fail(error, BP_ERR_UNSUPPORTED, "null has no writers");
}

static bp_status
null_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
            struct bp_error *error)
{
    (void)writer, (void)op, (void)out;
    return bp_fail(error, BP_ERR_UNSUPPORTED, "null has no writers");
}

static void
null_abort(struct bp_writer *writer, const struct bp_op *op)
{
    (void)writer, (void)op;
}

static bp_status
null_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
            const char *if_match, struct bp_error *error)
{
    (void)storage, (void)op, (void)key, (void)if_match, (void)error;
    return BP_OK;
}

static const struct bp_storage_ops ops = {
    .struct_size = sizeof(ops),
    .open = null_open,
    .close = null_close,
    .info = null_info,
    .probe = null_probe,
    .stat = null_stat,
    .list = null_list,
    .read_open = null_read_open,
    .read = null_read,
    .read_close = null_read_close,
    .write_open = null_write_open,
    .write = null_write,
    .write_commit = null_commit,
    .write_abort = null_abort,
    .remove = null_remove,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "null",
    .version = "1.0",
    .summary = "always empty",
    .license = "Apache-2.0",
    .storage = &ops,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host, (void)error;
    *out = &plugin;
    return BP_OK;
}
