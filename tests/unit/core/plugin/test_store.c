/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/store: instances, facts, stat, remove, barrier, space.
 */
#include "core/plugin/store.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/plugin/module.h"
#include "sdk/lib/errors.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static bp_store *store;

static void
setup(void)
{
    test_ops_reset();
    test_ops_seed("s", "a/b", "hello");
    store = test_ops_open("backups", "s");
}

static void
teardown(void)
{
    bp_store_free(store);
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

START_TEST(test_open__tells_facts)
{
    ck_assert_str_eq(bp_store_name(store), "backups");
    ck_assert_str_eq(bp_store_kind(store), "memory");
    ck_assert_str_eq(bp_store_info(store)->identity, "memory:s");
    ck_assert(bp_store_can(store, BP_STORE_RANGE_READ | BP_STORE_PARTS));
    ck_assert_uint_eq(test_ops_calls("open"), 1);
    ck_assert_uint_eq(test_ops_calls("info"), 1);
}
END_TEST

START_TEST(test_open__without_ranged_reads)
{
    g_autoptr(GError) error = NULL;
    test_ops_set_caps(BP_STORE_STRONG_LIST);
    ck_assert_ptr_null(bp_store_open(test_ops_module(), "x", NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: memory info: no ranged reads");
    ck_assert_uint_eq(test_ops_calls("close"), 1);
}
END_TEST

static bp_status
answer_identity_with_slash(struct bp_storage *self, struct bp_storage_info *out,
                           struct bp_error *raw)
{
    (void)self;
    (void)raw;
    out->caps = BP_STORE_RANGE_READ;
    g_strlcpy(out->identity, "memory:s/", sizeof out->identity);
    return BP_OK;
}

START_TEST(test_open__identity_ends_in_a_slash)
{
    g_autoptr(GError) error = NULL;
    struct bp_plugin plugin = test_ops_descriptor();
    struct bp_storage_ops ops = *plugin.storage;
    ops.info = answer_identity_with_slash;
    plugin.storage = &ops;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    ck_assert_ptr_null(bp_store_open(module, "x", NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: memory info: identity \"memory:s/\" ends");
}
END_TEST

static bp_status
answer_no_limits(struct bp_storage *self, struct bp_storage_info *out, struct bp_error *raw)
{
    (void)self;
    (void)raw;
    out->caps = BP_STORE_RANGE_READ | BP_STORE_SERVER_COPY;
    return BP_OK;
}

START_TEST(test_open__limits_of_zero)
{
    g_autoptr(GError) error = NULL;
    struct bp_plugin plugin = test_ops_descriptor();
    struct bp_storage_ops ops = *plugin.storage;
    ops.info = answer_no_limits;
    plugin.storage = &ops;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    g_autoptr(bp_store) boundless = bp_store_open(module, "x", NULL, NULL, &error);
    ASSERT_FINE(boundless != NULL, error);
    ck_assert_uint_eq(bp_store_info(boundless)->max_object, BP_UNKNOWN);
    ck_assert(!bp_store_can(boundless, BP_STORE_SERVER_COPY)); /* max_copy 0 = no copy */
    bp_store_put_params put = {.key = "a-key-of-any-length", .bytes = "x", .n = 1};
    ASSERT_FINE(bp_store_put(boundless, NULL, &put, &error), error);
    g_clear_pointer(&boundless, bp_store_free); /* before its module */
}
END_TEST

static bp_status
answer_cut_identity(struct bp_storage *self, struct bp_storage_info *out, struct bp_error *raw)
{
    (void)self;
    (void)raw;
    out->caps = BP_STORE_RANGE_READ;
    memset(out->identity, 'x', sizeof out->identity - 1);
    return BP_OK;
}

/* Its beginning would be that of other places, too. */
START_TEST(test_open__an_identity_that_was_cut_is_none)
{
    g_autoptr(GError) error = NULL;
    struct bp_plugin plugin = test_ops_descriptor();
    struct bp_storage_ops ops = *plugin.storage;
    ops.info = answer_cut_identity;
    plugin.storage = &ops;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    bp_store *one = bp_store_open(module, "one", NULL, NULL, &error);
    bp_store *two = bp_store_open(module, "two", NULL, NULL, &error);
    ASSERT_FINE(one != NULL && two != NULL, error);
    ck_assert_str_eq(bp_store_info(one)->identity, "");
    ck_assert(bp_store_same_plugin(one, two));
    ck_assert(!bp_store_same_identity(one, two));
    bp_store *again = test_ops_open("again", "s");
    ck_assert(bp_store_same_identity(store, again));
    ck_assert(!bp_store_same_identity(store, one));
    bp_store_free(again);
    bp_store_free(two);
    bp_store_free(one);
}
END_TEST

START_TEST(test_open__capability_without_operation)
{
    g_autoptr(GError) error = NULL;
    struct bp_plugin plugin = test_ops_descriptor();
    struct bp_storage_ops ops = *plugin.storage;
    ops.copy = NULL;
    ops.part_abort = NULL;
    plugin.storage = &ops;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    g_autoptr(bp_store) poor = bp_store_open(module, "poor", NULL, NULL, &error);
    ASSERT_FINE(poor != NULL, error);
    ck_assert(!bp_store_can(poor, BP_STORE_SERVER_COPY));
    ck_assert(!bp_store_can(poor, BP_STORE_PARTS));
    ck_assert(!bp_store_same_plugin(poor, store));
    g_clear_pointer(&poor, bp_store_free); /* before its module */
}
END_TEST

START_TEST(test_parallel__follows_the_plugin)
{
    g_autoptr(GError) error = NULL;
    ck_assert_uint_eq(bp_store_parallel(store, 16), 16);
    ck_assert_uint_eq(bp_store_parallel(store, 0), 1);
    struct bp_plugin plugin = test_ops_descriptor();
    plugin.max_parallel = 3;
    g_autoptr(bp_module) three = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    bp_store *limited = bp_store_open(three, "l", NULL, NULL, &error);
    ck_assert_uint_eq(bp_store_parallel(limited, 16), 3);
    bp_store_free(limited);
    plugin.thread_model = BP_THREADS_INSTANCE;
    g_autoptr(bp_module) one = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    bp_store *single = bp_store_open(one, "o", NULL, NULL, &error);
    ck_assert_uint_eq(bp_store_parallel(single, 16), 1);
    bp_store_free(single);
}
END_TEST

START_TEST(test_stat__found_and_missing)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    ASSERT_FINE(bp_store_stat(store, NULL, "a/b", &meta, &error), error);
    ck_assert_uint_eq(meta.size, 5);
    ck_assert(!bp_store_stat(store, NULL, "a/c", &meta, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "storage backups: there is no object a/c");
}
END_TEST

START_TEST(test_stat__bad_key_never_reaches_the_plugin)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    const char *const bad[] = {"../etc", "/a", "a//b", "", "a/./b", "a\nb", "\xff"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        ck_assert(!bp_store_stat(store, NULL, bad[i], &meta, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, "storage backups: stat: key ");
    }
    ck_assert_uint_eq(test_ops_calls("stat"), 0);
}
END_TEST

START_TEST(test_stat__lies)
{
    static const struct {
        test_lie lie;
        const char *message;
    } cases[] = {
        {TEST_LIE_SILENT_FAILURE, "plugin bug: memory stat: failed (retryable) without saying why"},
        {TEST_LIE_WRONG_CLASS,
         "plugin bug: memory stat: answered class 3 with an error of class 5: no way in"},
        {TEST_LIE_NEGATIVE_STATUS, "plugin bug: memory stat: answered -1, which is no class"},
        {TEST_LIE_NO_SIZE, "plugin bug: memory stat: answered no size of a/b"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct bp_object_meta meta;
        test_ops_set_lie(cases[i].lie);
        ck_assert(!bp_store_stat(store, NULL, "a/b", &meta, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
}
END_TEST

static char long_etag[128];

static bp_status
stat_with_long_etag(struct bp_storage *self, const struct bp_op *op, const char *key,
                    struct bp_object_meta *out, struct bp_error *raw)
{
    (void)self;
    (void)op;
    (void)key;
    (void)raw;
    out->size = 5;
    memcpy(out->etag, long_etag, sizeof out->etag);
    return BP_OK;
}

/* Half a version tag could be another version's. */
START_TEST(test_stat__an_etag_that_was_cut_is_none)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    struct bp_storage_ops *ops = &test_ops_module()->storage;
    const struct bp_storage_ops honest = *ops;
    ops->stat = stat_with_long_etag;
    memset(long_etag, 'e', 126);
    ASSERT_FINE(bp_store_stat(store, NULL, "a/b", &meta, &error), error);
    ck_assert_str_eq(meta.etag, long_etag);
    long_etag[126] = 'e';
    ASSERT_FINE(bp_store_stat(store, NULL, "a/b", &meta, &error), error);
    ck_assert_str_eq(meta.etag, "");
    *ops = honest;
}
END_TEST

START_TEST(test_stat__secret_is_blotted_out)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    bp_log_add_secret("open-sesame");
    test_ops_set_secret("open-sesame");
    test_ops_set_lie(TEST_LIE_LEAKS_SECRET);
    ck_assert(!bp_store_stat(store, NULL, "a/b", &meta, &error));
    ASSERT_ERROR(error, BP_ERR_AUTH, "storage backups: password *** refused");
}
END_TEST

START_TEST(test_stat__cancelled_and_late)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    struct bp_object_meta meta;
    bp_call late = {.deadline_ns = bp_clock_mono_ns() - 1};
    ck_assert(!bp_store_stat(store, &late, "a/b", &meta, &error));
    ASSERT_ERROR(error, BP_ERR_TIMEOUT, "storage backups: the deadline passed before stat");
    bp_call call = {.cancel = cancel};
    bp_cancel_trigger(cancel, 0);
    ck_assert(!bp_store_stat(store, &call, "a/b", &meta, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(test_ops_calls("stat"), 0);
}
END_TEST

START_TEST(test_remove__missing_is_fine)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_store_remove(store, NULL, "a/b", NULL, &error), error);
    ASSERT_FINE(bp_store_remove(store, NULL, "a/b", NULL, &error), error);
    ck_assert_uint_eq(test_ops_count("s"), 0);
}
END_TEST

START_TEST(test_remove_many__first_failure_and_silence)
{
    g_autoptr(GError) error = NULL;
    const char *const keys[] = {"a/b", "locked/x", "locked/y"};
    ASSERT_FINE(bp_store_remove_many(store, NULL, keys, 1, &error), error);
    ck_assert_uint_eq(test_ops_count("s"), 0);
    ck_assert(!bp_store_remove_many(store, NULL, keys, 3, &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, "storage backups: cannot remove locked/x: it is locked");
    test_ops_set_lie(TEST_LIE_FORGETS_KEYS);
    ck_assert(!bp_store_remove_many(store, NULL, keys, 2, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: memory remove_many: reported 0 of 2 keys");
}
END_TEST

START_TEST(test_optional__emulated_when_missing)
{
    g_autoptr(GError) error = NULL;
    struct bp_plugin plugin = test_ops_descriptor();
    struct bp_storage_ops ops = *plugin.storage;
    struct bp_space space;
    ops.struct_size = offsetof(struct bp_storage_ops, sync); /* a minimal plugin */
    plugin.storage = &ops;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    bp_store *small = bp_store_open(module, "small", NULL, NULL, &error);
    test_ops_seed("s", "x", "1");
    const char *const keys[] = {"a/b", "x"};
    ASSERT_FINE(bp_store_remove_many(small, NULL, keys, 2, &error), error);
    ck_assert_uint_eq(test_ops_calls("remove"), 2);
    ck_assert_uint_eq(test_ops_count("s"), 0);
    ASSERT_FINE(bp_store_sync(small, NULL, &error), error);
    ASSERT_FINE(bp_store_space(small, NULL, &space, &error), error);
    ck_assert_uint_eq(space.available, BP_UNKNOWN);
    ASSERT_FINE(bp_store_uploads_abort(small, NULL, "", 0, &error), error);
    bp_store_copy_params copy = {.src = small, .src_key = "a", .dst_key = "b", .size = BP_UNKNOWN};
    ck_assert(!bp_store_copy(small, NULL, &copy, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "storage small (memory) has no copy of its own");
    bp_store_free(small);
}
END_TEST

START_TEST(test_probe__names_the_missing_right)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_store_probe(store, NULL, BP_NEED_READ, "", &error), error);
    ck_assert(!bp_store_probe(store, NULL, BP_NEED_SERVER_READ, "", &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, "storage backups: nobody else can read memory");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store", setup, teardown, test_open__tells_facts,
                     test_open__without_ranged_reads, test_open__identity_ends_in_a_slash,
                     test_open__limits_of_zero, test_open__an_identity_that_was_cut_is_none,
                     test_open__capability_without_operation, test_parallel__follows_the_plugin,
                     test_stat__found_and_missing, test_stat__bad_key_never_reaches_the_plugin,
                     test_stat__lies, test_stat__an_etag_that_was_cut_is_none,
                     test_stat__secret_is_blotted_out, test_stat__cancelled_and_late,
                     test_remove__missing_is_fine, test_remove_many__first_failure_and_silence,
                     test_optional__emulated_when_missing, test_probe__names_the_missing_right);
}
