/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptor and operations of the plugin that speaks HTTP: enough for the checks with a server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/settings.h"
#include "sdk/lib/storage.h"
#include "tests/plugins/broken/choose.h"
#include "tests/plugins/broken/wire.h"

#include "sdk/lib/ban.h"

enum broken_as broken_as;

static const struct bp_config_key keys[] = {
    {.name = "port", .type = BP_CONFIG_INT, .def = "1", .help = "of the server on 127.0.0.1"},
};

struct bp_reader {
    struct connection connection;
};

struct bp_writer {
    struct connection connection;
};

static bp_status
wire_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
          struct bp_storage **out, struct bp_error *error)
{
    struct bp_storage *self = calloc(1, sizeof *self);
    (void)op;
    if (self == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an instance");
    }
    self->host = host;
    self->port = (unsigned)bp_setting_u64(host, config, "port", 1);
    *out = self;
    return BP_OK;
}

static void
wire_close_storage(struct bp_storage *self)
{
    free(self);
}

static bp_status
wire_info(struct bp_storage *self, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error;
    bp_info_clear(out);
    out->caps = BP_STORE_RANGE_READ | BP_STORE_STRONG_LIST;
    out->max_object = BP_UNKNOWN;
    out->max_list = 1000;
    (void)snprintf(out->identity, sizeof out->identity, "wire:%u", self->port);
    return BP_OK;
}

/* A request without a body, and what is answered to it. */
static bp_status
ask(struct bp_storage *self, const struct bp_op *op, const char *verb, const char *key,
    struct connection *out, struct bp_error *error)
{
    const struct wire_request request = {.verb = verb, .key = key};
    bp_status status = wire_request(self, op, &request, out, error);
    if (status == BP_OK) {
        status = wire_answer(out, op, error);
    }
    if (status != BP_OK) {
        wire_close(out);
    }
    if (IS_BROKEN(ASKS_AGAIN) && status == BP_ERR_THROTTLED && out->n > 0) {
        out->n = 0;
        status = wire_request(self, op, &request, out, error);
        status = status == BP_OK ? wire_answer(out, op, error) : status;
        if (status != BP_OK) {
            wire_close(out);
        }
    }
    return status;
}

static bp_status
ask_only(struct bp_storage *self, const struct bp_op *op, const char *verb, const char *key,
         struct bp_error *error)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a request");
    }
    bp_status status = ask(self, op, verb, key, connection, error);
    if (status == BP_OK) {
        wire_close(connection);
    }
    free(connection);
    return status;
}

static bp_status
wire_probe(struct bp_storage *self, const struct bp_op *op, const struct bp_probe_args *args,
           struct bp_error *error)
{
    return ask_only(self, op, "HEAD", args->prefix, error);
}

static bp_status
wire_stat(struct bp_storage *self, const struct bp_op *op, const char *key,
          struct bp_object_meta *out, struct bp_error *error)
{
    bp_meta_clear(out);
    return ask_only(self, op, "HEAD", key, error);
}

static bp_status
wire_list(struct bp_storage *self, const struct bp_op *op, const struct bp_list_args *args,
          const struct bp_list_sink *sink, struct bp_error *error)
{
    (void)sink; /* that server has nothing to list */
    return ask_only(self, op, "GET", args->prefix, error);
}

static bp_status
wire_read_open(struct bp_storage *self, const struct bp_op *op, const struct bp_read_args *args,
               struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    struct bp_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read");
    }
    bp_status status = ask(self, op, "GET", args->key, &reader->connection, error);
    if (status != BP_OK) {
        free(reader);
        return status;
    }
    bp_meta_clear(meta);
    meta->size = reader->connection.left;
    *out = reader;
    return BP_OK;
}

static bp_status
wire_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
          struct bp_error *error)
{
    struct connection *self = &reader->connection;
    size_t have = self->n - self->at;
    *n = 0;
    if (have > 0) {
        *n = have < cap ? have : cap;
        memcpy(buffer, self->head + self->at, *n);
        self->at += *n;
    } else if (self->left > 0) {
        bp_status status = wire_receive(self, op, buffer, cap, n, error);
        if (status != BP_OK) {
            return status;
        }
        if (*n == 0 && !IS_BROKEN(CUT_IS_END)) {
            return bp_fail(error, BP_ERR_RETRYABLE, "the body was cut");
        }
    }
    self->left -= *n < self->left ? *n : self->left;
    return BP_OK;
}

static void
wire_read_close(struct bp_reader *reader)
{
    wire_close(&reader->connection);
    free(reader);
}

static bp_status
wire_write_open(struct bp_storage *self, const struct bp_op *op, const struct bp_write_args *args,
                struct bp_writer **out, struct bp_error *error)
{
    const struct wire_request request = {.verb = "PUT", .key = args->key, .size = args->size};
    struct bp_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to write");
    }
    bp_status status = wire_request(self, op, &request, &writer->connection, error);
    if (status != BP_OK) {
        free(writer);
        return status;
    }
    *out = writer;
    return BP_OK;
}

static bp_status
wire_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
           struct bp_error *error)
{
    return wire_send(&writer->connection, op, bytes, n, error);
}

static void
wire_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    (void)op;
    wire_close(&writer->connection);
    free(writer);
}

static bp_status
wire_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                  struct bp_error *error)
{
    bp_meta_clear(out);
    bp_status status = wire_answer(&writer->connection, op, error);
    wire_write_abort(writer, op);
    return status;
}

static bp_status
wire_remove(struct bp_storage *self, const struct bp_op *op, const char *key, const char *if_match,
            struct bp_error *error)
{
    (void)if_match;
    return ask_only(self, op, "DELETE", key, error);
}

static const struct bp_storage_ops operations = {
    .struct_size = sizeof operations,
    .open = wire_open,
    .close = wire_close_storage,
    .info = wire_info,
    .probe = wire_probe,
    .stat = wire_stat,
    .list = wire_list,
    .read_open = wire_read_open,
    .read = wire_read,
    .read_close = wire_read_close,
    .write_open = wire_write_open,
    .write = wire_write,
    .write_commit = wire_write_commit,
    .write_abort = wire_write_abort,
    .remove = wire_remove,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "wire",
    .version = "1",
    .summary = "requests to a server of the kit, for tests of the kit",
    .license = "Apache-2.0",
    .keys = keys,
    .key_stride = sizeof *keys,
    .n_keys = sizeof keys / sizeof *keys,
    .storage = &operations,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
#define BREAK_TEXT(as) #as,
    static const char *const names[] = {"NOTHING", BREAKS(BREAK_TEXT)};
#undef BREAK_TEXT
    (void)host;
    (void)error;
    broken_as = (enum broken_as)broken_choose(names, sizeof names / sizeof *names);
    *out = &plugin;
    return BP_OK;
}
