/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of storage-azure share.
 */
#include "tests/unit/plugins/storage-azure/azure_test.h"

#include <stdio.h>

#include "sdk/http/http.h"
#include "sdk/lib/errors.h"
#include "tests/harness/run.h"

const struct bp_storage_ops *az_ops;
const struct bp_plugin *az_plugin;
struct bp_httpd *az_server;
struct bp_storage *az_store;
struct bp_error az_error;

static bool stopped;

/* Nobody waits in a test. */
static bp_status
no_sleep(const struct bp_op *op, uint64_t ns)
{
    (void)op;
    (void)ns;
    return atomic_load(&bp_fake.cancelled) != 0 ? BP_ERR_CANCELLED : BP_OK;
}

void
az_setup(void)
{
    bp_fake_reset();
    bp_fake.host.sleep = no_sleep;
    bp_error_init(&az_error);
    ck_assert_int_eq(bp_plugin_entry_v1(&bp_fake.host, &az_plugin, &az_error), BP_OK);
    az_ops = az_plugin->storage;
    ASSERT_OK(az_plugin->init(&bp_fake.host, &az_error));
    az_server = NULL;
    az_store = NULL;
    stopped = false;
}

static void
stop(void)
{
    if (az_server != NULL && !stopped) {
        bp_httpd_stop(az_server);
        stopped = true;
    }
}

void
az_teardown(void)
{
    /* Whatever went wrong: no login in its message or in the log. */
    static const char *const markers[] = {"marker", "c2VjcmV0", "sig="};
    for (size_t i = 0; i < G_N_ELEMENTS(markers); i++) {
        ck_assert_ptr_null(strstr(az_error.message, markers[i]));
        ck_assert_ptr_null(strstr(bp_fake.last_log, markers[i]));
    }
    atomic_store(&bp_fake.cancelled, 0);
    atomic_store(&bp_fake.fail_alloc, 0);
    az_end();
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 0);
    az_plugin->fini();
}

void
az_end(void)
{
    if (az_store != NULL) {
        az_ops->close(az_store);
        az_store = NULL;
    }
    stop();
    if (az_server != NULL) {
        bp_httpd_free(az_server);
        az_server = NULL;
    }
    stopped = false;
}

struct bp_storage *
az_open_with(const char *const *pairs)
{
    struct bp_config config = {0};
    struct bp_storage *store = NULL;
    for (; *pairs != NULL; pairs += 2) {
        bp_fake_set(&config, pairs[0], pairs[1]);
    }
    bp_fake_defaults(&config, az_plugin->keys, az_plugin->n_keys);
    bp_error_init(&az_error);
    bp_status status = az_ops->open(&bp_fake.host, &bp_fake.op, &config, &store, &az_error);
    return status == BP_OK ? store : NULL;
}

void
az_serve(const struct bp_httpd_step *steps, size_t n)
{
    az_server = bp_httpd_start(steps, n);
}

void
az_start_with(const struct bp_httpd_step *steps, size_t n, const char *const *pairs)
{
    az_serve(steps, n);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char *endpoint = g_strconcat(bp_httpd_url(az_server), "/acct", NULL);
    const char *const first[] = {"container", "box", "prefix", "p", "endpoint", endpoint};
    bool login = false;
    for (size_t i = 0; i < G_N_ELEMENTS(first); i++) {
        g_ptr_array_add(all, (void *)first[i]);
    }
    for (; *pairs != NULL; pairs++) {
        login = login || strcmp(*pairs, "credentials") == 0;
        g_ptr_array_add(all, (void *)*pairs);
    }
    if (!login) {
        g_ptr_array_add(all, (void *)"account_key");
        g_ptr_array_add(all, (void *)AZ_KEY);
    }
    g_ptr_array_add(all, NULL);
    az_store = az_open_with((const char *const *)all->pdata);
    ck_assert_msg(az_store != NULL, "open: %s", az_error.message);
}

const char *
az_request(size_t i)
{
    stop();
    return bp_httpd_request(az_server, i);
}

size_t
az_requests(void)
{
    size_t n = 0;
    while (n < 16 && az_request(n)[0] != '\0') {
        n++;
    }
    return n;
}

void
az_assert_sent(size_t i, const char *line, const char *const *texts)
{
    const char *request = az_request(i);
    ck_assert_msg(g_str_has_prefix(request, line), "request %zu is\n%s", i, request);
    for (; *texts != NULL; texts++) {
        ck_assert_msg(strstr(request, *texts) != NULL, "request %zu has no %s:\n%s", i, *texts,
                      request);
    }
}

bp_status
az_stat(const char *key, struct bp_object_meta *meta)
{
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    bp_error_init(&az_error);
    if (meta != NULL) {
        meta->struct_size = sizeof(*meta);
    }
    return az_ops->stat(az_store, &bp_fake.op, key, meta == NULL ? &ignored : meta, &az_error);
}

bp_status
az_remove(const char *key)
{
    bp_error_init(&az_error);
    return az_ops->remove(az_store, &bp_fake.op, key, NULL, &az_error);
}

bp_status
az_write(const struct bp_write_args *args, const char *bytes, size_t n, size_t piece,
         struct bp_object_meta *meta)
{
    struct bp_writer *writer = NULL;
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    bp_error_init(&az_error);
    bp_status status = az_ops->write_open(az_store, &bp_fake.op, args, &writer, &az_error);
    for (size_t at = 0; status == BP_OK && at < n;) {
        size_t now = piece == 0 ? n : MIN(piece, n - at);
        status = az_ops->write(writer, &bp_fake.op, bytes + at, now, &az_error);
        at += now;
        if (status != BP_OK) {
            struct bp_error kept = az_error;
            az_ops->write_abort(writer, &bp_fake.op);
            az_error = kept;
        }
    }
    if (meta != NULL) {
        meta->struct_size = sizeof(*meta);
    }
    return status == BP_OK ? az_ops->write_commit(writer, &bp_fake.op,
                                                  meta == NULL ? &ignored : meta, &az_error)
                           : status;
}

char *
az_read(const char *key, uint64_t offset, uint64_t length, const char *if_match)
{
    char buffer[7];
    size_t n = 1;
    struct bp_reader *reader;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {.struct_size = sizeof(args),
                                      .key = key,
                                      .offset = offset,
                                      .length = length,
                                      .if_match = if_match};
    bp_error_init(&az_error);
    if (az_ops->read_open(az_store, &bp_fake.op, &args, &meta, &reader, &az_error) != BP_OK) {
        return NULL;
    }
    GString *text = g_string_new(NULL);
    bp_status status = BP_OK;
    while (status == BP_OK && n > 0) {
        status = az_ops->read(reader, &bp_fake.op, buffer, sizeof(buffer), &n, &az_error);
        g_string_append_len(text, buffer, (gssize)n);
    }
    az_ops->read_close(reader);
    return g_string_free(text, status != BP_OK);
}

bp_status
az_copy(struct bp_storage *src, uint64_t size, const char *if_match, struct bp_object_meta *meta)
{
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    const struct bp_copy_args args = {.struct_size = sizeof(args),
                                      .src = src,
                                      .src_key = "from here",
                                      .dst_key = "to",
                                      .src_if_match = if_match,
                                      .size = size};
    bp_error_init(&az_error);
    if (meta != NULL) {
        meta->struct_size = sizeof(*meta);
    }
    return az_ops->copy(az_store, &bp_fake.op, &args, meta == NULL ? &ignored : meta, &az_error);
}

int
az_run(const char *title, const TTest *const *tests)
{
    return bp_test_run(title, az_setup, az_teardown, tests);
}
