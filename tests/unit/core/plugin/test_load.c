/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/load and keys: descriptors that are refused, and what is made of good ones.
 */
#include <bakplane/plugin.h>

#include "core/plugin/module.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static struct bp_plugin plugin;

static void
setup(void)
{
    plugin = test_ops_descriptor();
}

static void
expect_refusal(int cls, const char *message)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error));
    ASSERT_ERROR(error, cls, message);
}

/* The same, and it says how to mend it. */
static void
expect_hint(const char *message, const char *hint)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error));
    const char *second = strstr(error->message, "\nhint: ");
    ck_assert_msg(second != NULL && strstr(second, hint) != NULL, "%s", error->message);
    ck_assert_msg(strstr(error->message, message) != NULL, "%s", error->message);
}

START_TEST(test_load__good)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    ck_assert_str_eq(bp_module_descriptor(module)->version, "1.0");
    ck_assert_str_eq(bp_module_path(module), "/test/bakplane-storage-memory.so");
    ck_assert_ptr_ne(bp_module_descriptor(module)->storage, plugin.storage); /* a copy */
    bp_key_table keys = bp_module_keys(module);
    ck_assert_uint_eq(keys.n, 1);
    ck_assert_str_eq(bp_key_table_at(&keys, 0)->name, "space");
    ck_assert_uint_eq(bp_module_create_keys(module).n, 0);
    ck_assert_uint_eq(bp_module_restore_keys(module).n, 0);
}
END_TEST

START_TEST(test_load__versions)
{
    plugin.abi_major = 2;
    plugin.abi_minor = 3;
    expect_refusal(BP_ERR_UNSUPPORTED, "speaks plugin ABI 2.3, this host 1.0");
    plugin.abi_major = 1;
    plugin.min_host_minor = 3;
    expect_refusal(BP_ERR_UNSUPPORTED,
                   "needs a host with plugin ABI 1.3 or newer, this host speaks 1.0");
}
END_TEST

START_TEST(test_load__newer_minor_is_fine)
{
    g_autoptr(GError) error = NULL;
    plugin.abi_minor = 7;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
}
END_TEST

/* A plugin made for a newer host: more members than we know. */
START_TEST(test_load__longer_structures)
{
    g_autoptr(GError) error = NULL;
    struct {
        struct bp_storage_ops known;
        void *newer[4];
    } ops = {.known = *plugin.storage};
    ops.known.struct_size = sizeof ops;
    plugin.storage = &ops.known;
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    ck_assert_uint_eq(module->storage.struct_size, sizeof module->storage);
}
END_TEST

START_TEST(test_load__sizes)
{
    struct bp_storage_ops ops = *plugin.storage;
    plugin.struct_size = 4;
    expect_refusal(BP_ERR_PERMANENT, "its entry answered no descriptor");
    plugin.struct_size = offsetof(struct bp_plugin, keys);
    expect_refusal(BP_ERR_PERMANENT, "bytes, ABI 1.0 has");
    plugin.struct_size = sizeof plugin;
    ops.struct_size = offsetof(struct bp_storage_ops, remove);
    plugin.storage = &ops;
    expect_refusal(BP_ERR_PERMANENT, "its storage operations are too short");
}
END_TEST

START_TEST(test_load__sizes_that_nothing_has)
{
    struct bp_storage_ops ops = *plugin.storage;
    struct bp_source_ops source = {.struct_size = 70000};
    ops.struct_size = UINT32_MAX;
    plugin.storage = &ops;
    expect_refusal(BP_ERR_PERMANENT, "its storage operations: a size of 4294967295 bytes");
    plugin = test_ops_descriptor();
    plugin.storage = NULL;
    plugin.source = &source;
    expect_refusal(BP_ERR_PERMANENT, "its source operations: a size of 70000 bytes");
    plugin = test_ops_descriptor();
    plugin.struct_size = UINT32_MAX;
    expect_refusal(BP_ERR_PERMANENT, "its descriptor: a size of 4294967295 bytes");
}
END_TEST

START_TEST(test_load__every_refusal_says_how_to_mend_it)
{
    struct bp_storage_ops ops = *plugin.storage;
    plugin.abi_major = 2;
    expect_hint("speaks plugin ABI 2.0", "update bakplane");
    plugin.abi_major = 0;
    expect_hint("speaks plugin ABI 0.0", "get a build of the plugin for ABI 1");
    plugin = test_ops_descriptor();
    plugin.min_host_minor = 3;
    expect_hint("needs a host with plugin ABI 1.3", "update bakplane");
    plugin = test_ops_descriptor();
    ops.remove = NULL;
    plugin.storage = &ops;
    expect_hint("it lacks the storage operation \"remove\"", "its author has to mend that");
    plugin.storage = NULL;
    expect_hint("it offers neither a storage nor a source", "its author has to mend that");
    plugin = test_ops_descriptor();
    plugin.source = &(struct bp_source_ops){.struct_size = sizeof(struct bp_source_ops)};
    expect_hint("it offers a storage and a source", "make two files of it");
}
END_TEST

START_TEST(test_keys__every_refusal_says_how_to_mend_it)
{
    struct bp_config_key key = {.name = "Bad", .help = "help"};
    plugin.keys = &key;
    plugin.n_keys = 1;
    expect_hint("key number 0 has no valid name", "its author has to mend that");
    key = (struct bp_config_key){.name = "a"};
    expect_hint("key a has no help", "its author has to mend that");
    key = (struct bp_config_key){.name = "a", .help = "help", .type = 99};
    expect_hint("key a has a type that this host does not know", "update bakplane");
    key = (struct bp_config_key){.name = "a", .help = "help", .flags = 8};
    expect_hint("key a has flags that this host does not know", "update bakplane");
    plugin.key_stride = 8;
    expect_hint("a stride of 8 bytes", "its author has to mend that");
}
END_TEST

START_TEST(test_load__names)
{
    plugin.name = "other";
    expect_refusal(BP_ERR_PERMANENT, "it calls itself \"other\", its file \"memory\"");
    plugin.name = "Memory";
    expect_refusal(BP_ERR_PERMANENT, "its descriptor has no valid name");
    plugin.name = "a-name-that-is-longer-than-31-bytes";
    expect_refusal(BP_ERR_PERMANENT, "its descriptor has no valid name");
    plugin.name = NULL;
    expect_refusal(BP_ERR_PERMANENT, "its descriptor has no valid name");
}
END_TEST

START_TEST(test_load__required_operation_missing)
{
    struct bp_storage_ops ops = *plugin.storage;
    ops.write_abort = NULL;
    plugin.storage = &ops;
    expect_refusal(BP_ERR_PERMANENT, "it lacks the storage operation \"write_abort\"");
}
END_TEST

START_TEST(test_load__other_kind)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(test_ops_load(&plugin, BP_PLUGIN_SOURCE, "memory", &error));
    ck_assert_ptr_nonnull(
        strstr(error->message, "\nhint: rename it to bakplane-storage-memory.so"));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "its file says source, but it offers none");
}
END_TEST

static bp_status
refusing_entry(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)out;
    error->cls = BP_ERR_NOMEM;
    g_strlcpy(error->message, "not today", sizeof error->message);
    return BP_ERR_NOMEM;
}

START_TEST(test_load__entry_refuses)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(
        bp_module_load_entry("/p.so", refusing_entry, BP_PLUGIN_STORAGE, "p", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: the plugin says so itself: see its "));
    ASSERT_ERROR(error, BP_ERR_NOMEM, "/p.so: not today");
}
END_TEST

static guint inits, finis;

static bp_status
failing_init(const struct bp_host *host, struct bp_error *error)
{
    inits++;
    ck_assert_ptr_nonnull(host->log);
    g_strlcpy(error->message, "no runtime", sizeof error->message);
    return BP_ERR_PERMANENT;
}

static bp_status
good_init(const struct bp_host *host, struct bp_error *error)
{
    (void)host;
    (void)error;
    inits++;
    return BP_OK;
}

static void
count_fini(void)
{
    finis++;
}

START_TEST(test_init__once_and_its_failure_stays)
{
    g_autoptr(GError) error = NULL;
    inits = finis = 0;
    plugin.init = failing_init;
    plugin.fini = count_fini;
    bp_module *module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    for (guint i = 0; i < 2; i++) {
        ck_assert(!bp_module_init(module, &error));
        ck_assert_ptr_nonnull(strstr(error->message, "\nhint: the plugin says so itself"));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, "did not start: no runtime");
    }
    bp_module_free(module);
    ck_assert_uint_eq(inits, 1);
    ck_assert_uint_eq(finis, 0);
    plugin.init = good_init;
    module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(bp_module_init(module, &error) && bp_module_init(module, &error), error);
    bp_module_free(module);
    ck_assert_uint_eq(inits, 2);
    ck_assert_uint_eq(finis, 1);
}
END_TEST

#define KEY(...)                    \
    {                               \
        .help = "help", __VA_ARGS__ \
    }

START_TEST(test_keys__refused)
{
    static const struct {
        struct bp_config_key keys[2];
        int cls;
        const char *message;
    } cases[] = {
        {{KEY(.name = "Bad")}, BP_ERR_PERMANENT, "key number 0 has no valid name"},
        {{KEY(.name = "a"), KEY(.name = "a")}, BP_ERR_PERMANENT, "key a is declared twice"},
        {{KEY(.name = "a"), KEY(.name = "b", .alias = "a")}, BP_ERR_PERMANENT, "key b is declared"},
        {{KEY(.name = "a", .type = 99), KEY(.name = "b")},
         BP_ERR_UNSUPPORTED,
         "key a has a type that this host does not know"},
        {{KEY(.name = "a", .flags = 8), KEY(.name = "b")},
         BP_ERR_UNSUPPORTED,
         "key a has flags that this host does not know"},
        {{{.name = "a"}, KEY(.name = "b")}, BP_ERR_PERMANENT, "key a has no help"},
        {{KEY(.name = "a", .type = BP_CONFIG_INT, .def = "x"), KEY(.name = "b")},
         BP_ERR_PERMANENT,
         "key a has a default that is no value of its own"},
        {{KEY(.name = "a", .type = BP_CONFIG_INT, .def = "9", .min = 1, .max = 8),
          KEY(.name = "b")},
         BP_ERR_PERMANENT,
         "key a has a default that is no value of its own"},
        {{KEY(.name = "a", .type = BP_CONFIG_CHOICE), KEY(.name = "b")},
         BP_ERR_PERMANENT,
         "key a has no choices"},
        {{KEY(.name = "a", .type = BP_CONFIG_CHOICE, .choices = "x|y", .def = "z"),
          KEY(.name = "b")},
         BP_ERR_PERMANENT,
         "key a has a default that is no value of its own"},
        {{KEY(.name = "a", .flags = BP_CONFIG_REQUIRED, .def = "x"), KEY(.name = "b")},
         BP_ERR_PERMANENT,
         "key a is required and has a default"},
        {{KEY(.name = "a", .type = BP_CONFIG_INT, .min = 2, .max = 1), KEY(.name = "b")},
         BP_ERR_PERMANENT,
         "key a has a minimum above its maximum"},
    };
    plugin.n_keys = 2;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        plugin.keys = cases[i].keys;
        expect_refusal(cases[i].cls, cases[i].message);
    }
}
END_TEST

START_TEST(test_keys__accepted_with_a_wider_stride)
{
    g_autoptr(GError) error = NULL;
    static const struct {
        struct bp_config_key key;
        const char *newer;
    } keys[] = {
        {KEY(.name = "size", .type = BP_CONFIG_SIZE, .def = "64MiB"), "?"},
        {KEY(.name = "wait", .type = BP_CONFIG_DURATION, .def = "30s", .min = 1, .max = 60000),
         "?"},
        {KEY(.name = "mode", .type = BP_CONFIG_CHOICE, .choices = "x|y", .def = "y"), "?"},
        {KEY(.name = "deep", .type = BP_CONFIG_BOOL, .def = "true"), "?"},
    };
    plugin.keys = &keys[0].key;
    plugin.key_stride = sizeof keys[0];
    plugin.n_keys = G_N_ELEMENTS(keys);
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    bp_key_table table = bp_module_keys(module);
    ck_assert_str_eq(bp_key_table_at(&table, 3)->name, "deep");
    ck_assert_str_eq(bp_key_table_find(&table, "mode")->def, "y");
}
END_TEST

START_TEST(test_keys__table_without_sense)
{
    plugin.n_keys = 3;
    plugin.keys = NULL;
    expect_refusal(BP_ERR_PERMANENT, "settings: table of 3 keys");
    plugin = test_ops_descriptor();
    plugin.key_stride = 8;
    expect_refusal(BP_ERR_PERMANENT, "settings: table of 1 keys with a stride of 8 bytes");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/load", setup, NULL, test_load__good, test_load__versions,
                     test_load__newer_minor_is_fine, test_load__longer_structures, test_load__sizes,
                     test_load__sizes_that_nothing_has,
                     test_load__every_refusal_says_how_to_mend_it, test_load__names,
                     test_load__required_operation_missing, test_load__other_kind,
                     test_load__entry_refuses, test_init__once_and_its_failure_stays,
                     test_keys__refused, test_keys__every_refusal_says_how_to_mend_it,
                     test_keys__accepted_with_a_wider_stride, test_keys__table_without_sense);
}
