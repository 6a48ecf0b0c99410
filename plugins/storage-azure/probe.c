/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage-azure/blocks.h"
#include "plugins/storage-azure/info.h"
#include "plugins/storage-azure/list.h"
#include "plugins/storage-azure/read.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define KNOWN_NEEDS \
    (BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE | BP_NEED_SERVER_READ)

static bp_status
make_container(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_CONTAINER, "PUT", NULL, "make it");
    bp_azure_add_query(&request, "restype", "container");
    bp_status status = bp_azure_call(storage, op, &request, NULL, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        bp_hostlog(storage->host, op, BP_LOG_INFO, "made container %s of account %s",
                   storage->set.container, storage->set.account);
    }
    return status == BP_ERR_EXISTS ? BP_OK : status; /* somebody was faster */
}

static bp_status
read_one(struct bp_storage *storage, const struct bp_op *op, const char *key,
         struct bp_error *error)
{
    char byte;
    size_t n;
    struct bp_reader *reader;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {.struct_size = sizeof(args), .key = key, .length = 1};
    bp_status status = bp_azure_read_open(storage, op, &args, &meta, &reader, error);
    if (status != BP_OK) {
        return status == BP_ERR_NOT_FOUND ? BP_OK : status; /* it was there a moment ago */
    }
    status = bp_azure_read(reader, op, &byte, 1, &n, error);
    bp_azure_read_close(reader);
    return status;
}

/* Lists the beginning of the prefix and opens the first object there, if there is one. */
static bp_status
try_list_and_read(struct bp_storage *storage, const struct bp_op *op,
                  const struct bp_probe_args *args, struct bp_error *error)
{
    bp_xml *xml = NULL;
    const char *why;
    const struct bp_azure_page_params params = {.prefix = args->prefix, .max = 1};
    bp_status status = bp_azure_list_page(storage, op, &params, &xml, error);
    if (status != BP_OK) {
        return status;
    }
    const bp_xml_node *blobs = bp_xml_first(bp_xml_root(xml), "Blobs");
    const bp_xml_node *blob = blobs == NULL ? NULL : bp_xml_first(blobs, "Blob");
    g_autofree char *key = blob == NULL ? NULL : bp_azure_listed_name(storage, blob);
    bp_xml_free(xml);
    if ((args->need & BP_NEED_READ) == 0 || key == NULL || bp_key_check(key, &why) != 0) {
        return BP_OK;
    }
    return read_one(storage, op, key, error);
}

static bp_status
write_scratch(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_error *error)
{
    static const char text[] = "bakplane probe\n";
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {
        .struct_size = sizeof(args),
        .flags = BP_WRITE_IF_NONE_MATCH,
        .key = key,
        .size = sizeof(text) - 1,
    };
    bp_status status = bp_azure_write_open(storage, op, &args, &writer, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_azure_write(writer, op, text, sizeof(text) - 1, error);
    if (status != BP_OK) {
        bp_azure_write_abort(writer, op);
        return status;
    }
    return bp_azure_write_commit(writer, op, &meta, error);
}

static bp_status
try_write(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
          struct bp_error *error)
{
    char key[BP_KEY_MAX + 1], name[64], random[BP_AZURE_UPLOAD_ID];
    const char *slash = strrchr(args->prefix, '/');
    g_autofree char *dir =
        g_strndup(args->prefix, slash == NULL ? 0 : (size_t)(slash - args->prefix));
    bp_azure_upload_id(random);
    (void)snprintf(name, sizeof(name), ".bakplane-probe-%s", random);
    if (bp_key_join(key, sizeof(key), dir, name) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": too long to write below it",
                       args->prefix);
    }
    bp_status status = write_scratch(storage, op, key, error);
    if (status == BP_ERR_NOT_FOUND && storage->set.create_container) {
        status = make_container(storage, op, error);
        if (status == BP_OK) {
            status = write_scratch(storage, op, key, error);
        }
    }
    if (status != BP_OK && (error->flags & BP_ERROR_OUTCOME_UNKNOWN) == 0) {
        return status;
    }
    if (status == BP_OK && (args->need & BP_NEED_EXCLUSIVE) != 0) {
        struct bp_error second = {.struct_size = sizeof(second)};
        status = write_scratch(storage, op, key, &second);
        status = status == BP_ERR_EXISTS ? BP_OK
                 : status == BP_OK
                     ? bp_fail(error, BP_ERR_UNSUPPORTED,
                               "%s does not keep exclusive creation: a second one was accepted",
                               storage->set.endpoint)
                     : bp_fail(error, status, "%s", second.message);
    }
    struct bp_error undo = {.struct_size = sizeof(undo)};
    bp_status removed = bp_azure_remove(storage, op, key, NULL, status == BP_OK ? error : &undo);
    return status == BP_OK ? removed : status;
}

bp_status
bp_azure_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
               struct bp_error *error)
{
    const char *why;
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    bp_status status = bp_azure_check_flags(args->need, KNOWN_NEEDS, error);
    if (status == BP_OK && bp_key_check_prefix(args->prefix, &why) != 0) {
        status = bp_fail(error, BP_ERR_INVALID, "prefix \"%s\": %s", args->prefix, why);
    }
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "what another login may read in container %s cannot be seen from here",
                         storage->set.container);
    }
    if (status == BP_OK && writes) {
        status = try_write(storage, op, args, error);
    }
    if (status == BP_OK && (args->need & (BP_NEED_LIST | BP_NEED_READ)) != 0) {
        status = try_list_and_read(storage, op, args, error);
    }
    return status;
}
