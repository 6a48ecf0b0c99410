/* SPDX-License-Identifier: Apache-2.0
 *
 * See capture_fixture.h.
 */
#include "capture_fixture.h"

#include <grpc/grpc.h>
#include <stdio.h>

const struct bp_unit_args unit_args = {.struct_size = sizeof unit_args, .unit_id = UNIT};

fake_milvus *fake;
char *dir;
struct bp_config *settings, *options;
struct bp_source *source;
struct bp_run *run;
struct bp_error problem;
GPtrArray *seen;
char *next_token;

void
capture_setup(void)
{
    grpc_init();
    fake_host_reset();
    fake_host_page_size(1000);
    dir = fake_dir_new();
    fake_host_add_storage("data", dir, NULL);
    fake = fake_milvus_start();
    fixture_describe(fake, "v2.3.5");
    fixture_flush(fake, 0);
    settings = fake_config_new("address", fake_milvus_address(fake), "storage", "data", NULL);
    options = fake_config_new("gc_pause", "off", "flush_timeout", "200", NULL);
    seen = g_ptr_array_new_with_free_func(g_free);
    problem = fake_error();
}

void
capture_teardown(void)
{
    struct bp_op op = fake_op();
    if (run != NULL) {
        ASSERT_OK(milvus_run_end(run, &op, BP_OUTCOME_DONE, &problem), problem);
    }
    run = NULL;
    if (source != NULL) {
        milvus_source_close(source);
    }
    source = NULL;
    fake_config_free(settings);
    fake_config_free(options);
    fake_milvus_stop(fake);
    g_ptr_array_unref(seen);
    g_clear_pointer(&next_token, g_free);
    fake_dir_remove(dir);
    grpc_shutdown();
}

void
open_source(void)
{
    struct bp_op op = fake_op();
    ASSERT_OK(milvus_source_open(fake_host(), &op, settings, &source, &problem), problem);
}

bp_status
begin_run(uint32_t flags)
{
    struct bp_op op = fake_op();
    struct bp_run_args args = {.struct_size = sizeof(args),
                               .flags = flags,
                               .run_id = "run-1",
                               .backup = "nightly",
                               .options = options};
    struct bp_run_info info = {.struct_size = sizeof(info)};
    problem = fake_error();
    return milvus_run_begin(source, &op, &args, &info, &run, &problem);
}

bp_status
begin_unit(void)
{
    struct bp_op op = fake_op();
    open_source();
    ASSERT_OK(begin_run(0), problem);
    return milvus_unit_begin(run, &op, &unit_args, &problem);
}

static int32_t
on_item(void *ctx, const struct bp_item *item)
{
    (void)ctx;
    g_ptr_array_add(seen, g_strdup_printf("%s < %s:%s %d %s", item->key, item->ref, item->ref_key,
                                          (int)item->size, item->etag));
    return 0;
}

static int32_t
on_next(void *ctx, const char *token)
{
    (void)ctx;
    g_free(next_token);
    next_token = g_strdup(token);
    return 0;
}

bp_status
list_items(const char *token)
{
    struct bp_op op = fake_op();
    struct bp_item_sink sink = {.struct_size = sizeof(sink), .item = on_item, .next = on_next};
    g_clear_pointer(&next_token, g_free);
    problem = fake_error();
    return milvus_unit_items(run, &op, UNIT, token, &sink, &problem);
}

/* All pages, as the host asks for them. */
bp_status
list_all(void)
{
    bp_status status = list_items(NULL);
    while (status == BP_OK && next_token != NULL) {
        g_autofree char *token = g_strdup(next_token);
        status = list_items(token);
    }
    return status;
}

bool
has_seen(const char *line)
{
    for (guint i = 0; i < seen->len; i++) {
        if (strcmp(seen->pdata[i], line) == 0) {
            return true;
        }
    }
    return false;
}
