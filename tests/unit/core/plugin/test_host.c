/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/host and host_storage: what plugins get to call.
 */
#include "core/plugin/host.h"

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/config/section.h"
#include "core/plugin/frame.h"
#include "core/plugin/refs.h"
#include "core/plugin/store_internal.h"
#include "sdk/lib/errors.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static const struct bp_host *host;
static bp_store *store;
static bp_refs *refs;
static bp_cancel *cancel;
static bp_instance instance;
static bp_frame frame; /* as if a call were going on */
static GString *seen;
static struct bp_error raw;

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    test_ops_reset();
    host = bp_host_table();
    store = test_ops_open("data", "s");
    refs = bp_refs_new();
    bp_refs_add(refs, "db", store, "root/", 0);
    bp_refs_add(refs, "ro", store, "", BP_VIEW_READ_ONLY | BP_VIEW_SERVER_READS);
    cancel = bp_cancel_new();
    bp_call call = {.cancel = cancel, .refs = refs};
    bp_instance_init(&instance, test_ops_module(), BP_PLUGIN_STORAGE, "tester");
    ASSERT_FINE(bp_frame_enter(&frame, &instance, "test", &call, &error), error);
    seen = g_string_new(NULL);
    bp_error_init(&raw);
}

static void
teardown(void)
{
    ck_assert(bp_frame_leave(&frame, BP_OK, NULL));
    bp_instance_clear(&instance);
    bp_cancel_free(cancel);
    bp_refs_free(refs);
    bp_store_free(store);
    g_string_free(seen, TRUE);
}

static void
catch_line(void *ctx, const char *line)
{
    g_string_append(ctx, line);
}

START_TEST(test_log__names_the_plugin_and_hides_secrets)
{
    bp_log_add_secret("hunter22");
    bp_log_set_sink(catch_line, seen);
    host->log(&frame.op, BP_LOG_WARN, "login with hunter22\nfailed \xff");
    host->log(NULL, -5, "no op");
    host->log(&frame.op, BP_LOG_TRACE, "too detailed");
    bp_log_set_sink(NULL, NULL);
    ck_assert_ptr_nonnull(
        strstr(seen->str, "warn  plugin:memory: login with *** failed \xEF\xBF\xBD"));
    ck_assert_ptr_nonnull(strstr(seen->str, "error plugin: no op"));
    ck_assert_ptr_null(strstr(seen->str, "too detailed"));
    ck_assert_int_ne(host->log_enabled(&frame.op, BP_LOG_WARN), 0);
    ck_assert_int_eq(host->log_enabled(&frame.op, BP_LOG_TRACE), 0);
}
END_TEST

START_TEST(test_alloc__is_bounded)
{
    bp_host_set_alloc_limit(1000);
    char *a = host->alloc(&frame.op, 600);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(host->alloc(&frame.op, 600));
    ck_assert_ptr_null(host->alloc(&frame.op, SIZE_MAX));
    ck_assert_uint_eq(bp_host_allocated(), 600);
    a[599] = 'x';
    a = host->realloc(&frame.op, a, 300);
    ck_assert_ptr_nonnull(a);
    ck_assert_uint_eq(bp_host_allocated(), 300);
    host->free(a);
    host->free(NULL);
    ck_assert_uint_eq(bp_host_allocated(), 0);
    bp_host_set_alloc_limit(G_GUINT64_CONSTANT(512) << 20);
}
END_TEST

START_TEST(test_config__values_lists_and_nothing)
{
    g_autoptr(bp_settings) settings = bp_settings__new();
    bp_value *value = bp_value__new();
    g_ptr_array_add(value->texts, g_strdup("one"));
    g_ptr_array_add(value->texts, g_strdup("two"));
    bp_settings__put(settings, "names", value);
    ck_assert_uint_eq(host->config_count(settings, "names"), 2);
    ck_assert_str_eq(host->config_at(settings, "names", 1), "two");
    ck_assert_ptr_null(host->config_at(settings, "names", 2));
    ck_assert_ptr_null(host->config_get(settings, "other"));
    ck_assert_ptr_null(host->config_get(NULL, "names"));
    ck_assert_uint_eq(host->config_count(NULL, "names"), 0);
}
END_TEST

START_TEST(test_sleep__ends_for_its_reason)
{
    struct bp_op op = frame.op;
    ck_assert_int_eq(host->sleep(&op, 1), BP_OK);
    op.deadline_ns = bp_clock_mono_ns() - 1;
    ck_assert_int_eq(host->sleep(&op, 60 * (uint64_t)BP_NS_PER_S), BP_ERR_TIMEOUT);
    op.deadline_ns = 0;
    ck_assert_int_eq(host->cancelled(&op), 0);
    ck_assert_int_ge(host->cancel_fd(&op), 0);
    bp_cancel_trigger(cancel, 0);
    ck_assert_int_ne(host->cancelled(&op), 0);
    ck_assert_int_eq(host->sleep(&op, 60 * (uint64_t)BP_NS_PER_S), BP_ERR_CANCELLED);
    ck_assert_int_eq(host->cancelled(NULL), 0);
    ck_assert_int_eq(host->cancel_fd(NULL), -1);
}
END_TEST

static void
note_progress(void *ctx, guint64 done, guint64 total)
{
    g_string_append_printf(ctx, "%d/%d", (int)done, (int)total);
}

START_TEST(test_progress__reaches_the_caller)
{
    host->progress(&frame.op, 1, 2); /* nobody listens */
    frame.call.progress = note_progress;
    frame.call.progress_ctx = seen;
    host->progress(&frame.op, 3, 4);
    host->progress(NULL, 5, 6);
    ck_assert_str_eq(seen->str, "3/4");
}
END_TEST

START_TEST(test_storage__write_read_stat_remove_below_the_prefix)
{
    char buffer[16] = "";
    size_t n = 0;
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    ck_assert_int_eq(host->storage_write_small(&frame.op, "db", "a/b", "hello", 5, &raw), BP_OK);
    ck_assert_int_eq(host->storage_stat(&frame.op, "ro", "root/a/b", &meta, &raw), BP_OK);
    ck_assert_uint_eq(meta.size, 5);
    struct bp_read_args args = {
        .struct_size = sizeof args, .key = "a/b", .offset = 1, .length = sizeof buffer};
    ck_assert_int_eq(host->storage_read_small(&frame.op, "db", &args, buffer, &n, &raw), BP_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_mem_eq(buffer, "ello", 4);
    args.offset = 0;
    args.length = 2;
    ck_assert_int_eq(host->storage_read_small(&frame.op, "db", &args, buffer, &n, &raw), BP_OK);
    ck_assert_uint_eq(n, 2);
    args.length = 0;
    ck_assert_int_eq(host->storage_read_small(&frame.op, "db", &args, buffer, &n, &raw), BP_OK);
    ck_assert_uint_eq(n, 0);
    args.length = (UINT64_C(1) << 30) + 1;
    ck_assert_int_eq(host->storage_read_small(&frame.op, "db", &args, buffer, &n, &raw),
                     BP_ERR_INVALID);
    args.length = BP_UNKNOWN; /* no buffer is as large */
    ck_assert_int_eq(host->storage_read_small(&frame.op, "db", &args, buffer, &n, &raw),
                     BP_ERR_INVALID);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(host->storage_remove(&frame.op, "db", "a/b", &raw), BP_OK);
    ck_assert_int_eq(host->storage_stat(&frame.op, "db", "a/b", &meta, &raw), BP_ERR_NOT_FOUND);
    ck_assert_str_eq(raw.message, "storage data: there is no object root/a/b");
    ck_assert_int_eq(raw.cls, BP_ERR_NOT_FOUND);
}
END_TEST

START_TEST(test_storage__refusals)
{
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    ck_assert_int_eq(host->storage_write_small(&frame.op, "ro", "a", "x", 1, &raw), BP_ERR_DENIED);
    ck_assert_str_eq(raw.message, "storage \"ro\" is read-only for this call");
    ck_assert_int_eq(host->storage_remove(&frame.op, "ro", "a", &raw), BP_ERR_DENIED);
    ck_assert_int_eq(host->storage_stat(&frame.op, "else", "a", &meta, &raw), BP_ERR_NOT_FOUND);
    ck_assert_str_eq(raw.message, "there is no storage \"else\" in reach of this call");
    ck_assert_int_eq(host->storage_stat(NULL, "db", "a", &meta, &raw), BP_ERR_NOT_FOUND);
    ck_assert_int_eq(host->storage_stat(&frame.op, "db", "../a", &meta, &raw), BP_ERR_INVALID);
    ck_assert_str_eq(raw.message, "key \"../a\" has a part \".\" or \"..\"");
    ck_assert_int_eq(host->storage_write_small(&frame.op, "db", "a", "", (16u << 20) + 1, &raw),
                     BP_ERR_INVALID);
    g_autofree char *longest = g_strnfill(BP_KEY_MAX, 'k');
    ck_assert_int_eq(host->storage_stat(&frame.op, "db", longest, &meta, &raw), BP_ERR_INVALID);
    ck_assert_uint_eq(test_ops_calls("stat") + test_ops_calls("remove"), 0);
}
END_TEST

typedef struct {
    char *next;
    guint left; /* entries until the sink stops */
} pages;

static int32_t
take_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    pages *self = ctx;
    g_string_append_printf(seen, "%s=%d ", key, (int)meta->size);
    return --self->left == 0;
}

static int32_t
take_prefix(void *ctx, const char *prefix)
{
    (void)ctx;
    g_string_append_printf(seen, "%s* ", prefix);
    return 0;
}

static int32_t
take_next(void *ctx, const char *token)
{
    pages *self = ctx;
    g_free(self->next);
    self->next = g_strdup(token);
    return 0;
}

START_TEST(test_storage_list__pages_below_the_prefix)
{
    pages self = {.left = 99};
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = &self,
                                .entry = take_entry,
                                .prefix = take_prefix,
                                .next = take_next};
    struct bp_list_args args = {.struct_size = sizeof args, .prefix = "a/", .max = 2};
    test_ops_seed("s", "root/a/1", "x");
    test_ops_seed("s", "root/a/2", "xx");
    test_ops_seed("s", "root/a/3", "xxx");
    test_ops_seed("s", "root/b", "x");
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &sink, &raw), BP_OK);
    ck_assert_str_eq(seen->str, "a/1=1 a/2=2 ");
    g_autofree char *token = g_steal_pointer(&self.next);
    args.token = token;
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &sink, &raw), BP_OK);
    ck_assert_str_eq(seen->str, "a/1=1 a/2=2 a/3=3 ");
    ck_assert_ptr_null(self.next);
    g_string_truncate(seen, 0);
    args =
        (struct bp_list_args){.struct_size = sizeof args, .prefix = "", .max = 9, .delimiter = '/'};
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &sink, &raw), BP_OK);
    ck_assert_str_eq(seen->str, "a/* b=1 ");
}
END_TEST

START_TEST(test_storage_list__stopped_or_senseless)
{
    pages self = {.left = 1};
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = &self,
                                .entry = take_entry,
                                .prefix = take_prefix,
                                .next = take_next};
    struct bp_list_args args = {
        .struct_size = sizeof args, .prefix = "", .start_after = "a", .max = 9};
    test_ops_seed("s", "root/a", "x");
    test_ops_seed("s", "root/b", "x");
    test_ops_seed("s", "root/c", "x");
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &sink, &raw), BP_ERR_CANCELLED);
    ck_assert_str_eq(seen->str, "b=1 ");
    args.max = 0;
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &sink, &raw), BP_ERR_INVALID);
    args.max = 1;
    args.delimiter = '.';
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &sink, &raw), BP_ERR_INVALID);
}
END_TEST

START_TEST(test_storage_list__into_half_a_sink)
{
    pages self = {.left = 1};
    struct bp_list_args args = {.struct_size = sizeof args, .prefix = "", .max = 10};
    struct bp_list_sink half = {
        .struct_size = sizeof half, .ctx = &self, .entry = take_entry, .next = take_next};
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &half, &raw), BP_ERR_INVALID);
    half.prefix = take_prefix;
    half.struct_size = offsetof(struct bp_list_sink, next);
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &args, &half, &raw), BP_ERR_INVALID);
    ck_assert_str_eq(raw.message, "listing into a sink that lacks a function");
    ck_assert_uint_eq(test_ops_calls("list"), 0);
}
END_TEST

static int32_t
ignore_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return 0;
}

static int32_t
note_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)meta;
    g_string_append_printf(ctx, "%s ", key);
    return 0;
}

/* A source makes each call once; what fails for a moment is tried again behind its back. */
START_TEST(test_storage__failures_of_a_moment)
{
    static const char *const ops[] = {"list", "stat", "read_open", "write_open", "remove"};
    struct bp_list_args list = {.struct_size = sizeof list, .prefix = "", .max = 9};
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = seen,
                                .entry = note_entry,
                                .prefix = ignore_text,
                                .next = ignore_text};
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    struct bp_read_args read = {.struct_size = sizeof read, .key = "a", .length = 1};
    bp_retry_params retry = {.attempts = 2, .max_delay_ns = 1};
    char byte = 0;
    size_t n = 0;
    GString *rules = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(ops); i++) {
        g_string_append_printf(rules, "storage.%s:data:nth=1:class=retryable;", ops[i]);
    }
    test_ops_seed("s", "root/a", "x");
    bp_refs_set_retry(refs, &retry);
    ck_assert(bp_fault_load(rules->str, NULL));
    ck_assert_int_eq(host->storage_list(&frame.op, "db", &list, &sink, &raw), BP_OK);
    ck_assert_str_eq(seen->str, "a ");
    ck_assert_int_eq(host->storage_stat(&frame.op, "db", "a", &meta, &raw), BP_OK);
    ck_assert_int_eq(host->storage_read_small(&frame.op, "db", &read, &byte, &n, &raw), BP_OK);
    ck_assert_int_eq(byte, 'x');
    ck_assert_int_eq(host->storage_write_small(&frame.op, "db", "b", "y", 1, &raw), BP_OK);
    ck_assert_int_eq(host->storage_remove(&frame.op, "db", "b", &raw), BP_OK);
    ck_assert(bp_fault_load("storage.stat:data:class=retryable", NULL));
    ck_assert_int_eq(host->storage_stat(&frame.op, "db", "a", &meta, &raw), BP_ERR_RETRYABLE);
    ck_assert(bp_fault_load("", NULL));
    g_string_free(rules, TRUE);
}
END_TEST

START_TEST(test_storage_info__tells_rights_and_place)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    ck_assert_int_eq(host->storage_info(&frame.op, "db", &view, &raw), BP_OK);
    ck_assert_str_eq(view.kind, "memory");
    ck_assert_str_eq(view.identity, "memory:s/root");
    ck_assert_str_eq(view.local_root, "");
    /* No path, no prefix that the store puts before its keys: a key is all the server needs. */
    ck_assert_str_eq(view.server_root, "root/");
    ck_assert_uint_eq(view.flags, 0);
    ck_assert_int_eq(host->storage_info(&frame.op, "ro", &view, &raw), BP_OK);
    ck_assert_uint_eq(view.flags, BP_VIEW_READ_ONLY | BP_VIEW_SERVER_READS);
}
END_TEST

START_TEST(test_storage_info__unknown_identity_stays_unknown)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    ck_assert_int_eq(host->storage_info(&frame.op, "ro", &view, &raw), BP_OK);
    ck_assert_str_eq(view.identity, "memory:s");
    store->info.identity[0] = '\0';
    ck_assert_int_eq(host->storage_info(&frame.op, "db", &view, &raw), BP_OK);
    ck_assert_str_eq(view.identity, "");
}
END_TEST

/* A plugin of an older minor hands in a shorter structure. */
START_TEST(test_storage_info__writes_no_further_than_asked)
{
    struct bp_storage_view view;
    memset(&view, 0x5a, sizeof view);
    view.struct_size = offsetof(struct bp_storage_view, identity);
    ck_assert_int_eq(host->storage_info(&frame.op, "db", &view, &raw), BP_OK);
    ck_assert_str_eq(view.kind, "memory");
    ck_assert_uint_eq(view.struct_size, offsetof(struct bp_storage_view, identity));
    ck_assert_int_eq(view.identity[0], 0x5a);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/host", setup, teardown,
                     test_log__names_the_plugin_and_hides_secrets, test_alloc__is_bounded,
                     test_config__values_lists_and_nothing, test_sleep__ends_for_its_reason,
                     test_progress__reaches_the_caller,
                     test_storage__write_read_stat_remove_below_the_prefix, test_storage__refusals,
                     test_storage__failures_of_a_moment, test_storage_list__pages_below_the_prefix,
                     test_storage_list__stopped_or_senseless, test_storage_list__into_half_a_sink,
                     test_storage_info__tells_rights_and_place,
                     test_storage_info__unknown_identity_stays_unknown,
                     test_storage_info__writes_no_further_than_asked);
}
