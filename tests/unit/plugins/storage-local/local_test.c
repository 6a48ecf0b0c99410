/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of storage-local share.
 */
#include "tests/unit/plugins/storage-local/local_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "tests/harness/run.h"

const struct bp_storage_ops *lt_ops;
const struct bp_plugin *lt_plugin;
char lt_root[256];
char lt_scratch[256];
struct bp_storage *lt_store;
struct bp_error lt_error;

static struct bp_storage *
open_config(struct bp_config *config)
{
    struct bp_storage *store = NULL;
    bp_fake_defaults(config, lt_plugin->keys, lt_plugin->n_keys);
    bp_error_init(&lt_error);
    bp_status status = lt_ops->open(&bp_fake.host, &bp_fake.op, config, &store, &lt_error);
    return status == BP_OK ? store : NULL;
}

struct bp_storage *
lt_open_with(const char *const *pairs)
{
    struct bp_config config = {0};
    bp_fake_set(&config, "root", lt_root);
    for (; *pairs != NULL; pairs += 2) {
        bp_fake_set(&config, pairs[0], pairs[1]);
    }
    return open_config(&config);
}

void
lt_setup(void)
{
    bp_fake_reset();
    bp_error_init(&lt_error);
    ck_assert_int_eq(bp_plugin_entry_v1(&bp_fake.host, &lt_plugin, &lt_error), BP_OK);
    lt_ops = lt_plugin->storage;
    snprintf(lt_scratch, sizeof(lt_scratch), "%s/local.XXXXXX", g_get_tmp_dir());
    ck_assert_ptr_nonnull(mkdtemp(lt_scratch));
    ck_assert_int_eq(chmod(lt_scratch, 0755), 0);
    snprintf(lt_root, sizeof(lt_root), "%.240s/root", lt_scratch);
    ck_assert_int_eq(mkdir(lt_root, 0755), 0);
    lt_store = lt_open("link", "false", NULL);
    ck_assert_ptr_nonnull(lt_store);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void
lt_teardown(void)
{
    bp_fake_reset();
    if (lt_store != NULL) {
        lt_ops->close(lt_store);
        lt_store = NULL;
    }
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 0);
    ck_assert(!lt_has_file(".bakplane-tmp"));
    nftw(lt_scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *
lt_path(const char *key)
{
    return g_strconcat(lt_root, "/", key, NULL);
}

void
lt_put_file(const char *key, const char *text)
{
    g_autofree char *path = lt_path(key);
    g_autofree char *dir = g_path_get_dirname(path);
    ck_assert_int_eq(g_mkdir_with_parents(dir, 0755), 0);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

char *
lt_get_file(const char *key)
{
    char *text = NULL;
    g_autofree char *path = lt_path(key);
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

bool
lt_has_file(const char *key)
{
    struct stat st;
    g_autofree char *path = lt_path(key);
    return lstat(path, &st) == 0;
}

bp_status
lt_write_args(struct bp_storage *store, const struct bp_write_args *args, const void *bytes,
              size_t n, struct bp_object_meta *meta)
{
    struct bp_writer *writer = NULL;
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    bp_error_init(&lt_error);
    bp_status status = lt_ops->write_open(store, &bp_fake.op, args, &writer, &lt_error);
    if (status != BP_OK) {
        return status;
    }
    status = lt_ops->write(writer, &bp_fake.op, bytes, n, &lt_error);
    if (status != BP_OK) {
        lt_ops->write_abort(writer, &bp_fake.op);
        return status;
    }
    return lt_ops->write_commit(writer, &bp_fake.op, meta == NULL ? &ignored : meta, &lt_error);
}

bp_status
lt_write(struct bp_storage *store, const char *key, const char *text, uint32_t flags)
{
    const struct bp_write_args args = {
        .struct_size = sizeof(args),
        .flags = flags,
        .key = key,
        .size = strlen(text),
    };
    return lt_write_args(store, &args, text, strlen(text), NULL);
}

char *
lt_read(struct bp_storage *store, const char *key)
{
    struct bp_reader *reader;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {
        .struct_size = sizeof(args),
        .key = key,
        .length = BP_UNKNOWN,
    };
    bp_error_init(&lt_error);
    if (lt_ops->read_open(store, &bp_fake.op, &args, &meta, &reader, &lt_error) != BP_OK) {
        return NULL;
    }
    char *text = g_malloc(meta.size + 1);
    size_t len = 0, n = 1;
    bp_status status = BP_OK;
    while (status == BP_OK && n > 0) {
        status = lt_ops->read(reader, &bp_fake.op, text + len, meta.size + 1 - len, &n, &lt_error);
        len += n;
    }
    lt_ops->read_close(reader);
    text[len] = '\0';
    if (status != BP_OK) {
        g_free(text);
        return NULL;
    }
    return text;
}

bp_status
lt_stat(struct bp_storage *store, const char *key, struct bp_object_meta *meta)
{
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    bp_error_init(&lt_error);
    if (meta != NULL) {
        meta->struct_size = sizeof(*meta);
    }
    return lt_ops->stat(store, &bp_fake.op, key, meta == NULL ? &ignored : meta, &lt_error);
}

bp_status
lt_sync(struct bp_storage *store)
{
    bp_error_init(&lt_error);
    return lt_ops->sync(store, &bp_fake.op, &lt_error);
}

bp_status
lt_remove(struct bp_storage *store, const char *key)
{
    bp_error_init(&lt_error);
    return lt_ops->remove(store, &bp_fake.op, key, NULL, &lt_error);
}

bp_status
lt_copy(struct bp_storage *dst, struct bp_storage *src, const char *src_key, const char *dst_key,
        uint32_t flags, struct bp_object_meta *meta)
{
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    const struct bp_copy_args args = {
        .struct_size = sizeof(args),
        .flags = flags,
        .src = src,
        .src_key = src_key,
        .dst_key = dst_key,
        .size = BP_UNKNOWN,
    };
    bp_error_init(&lt_error);
    return lt_ops->copy(dst, &bp_fake.op, &args, meta == NULL ? &ignored : meta, &lt_error);
}

struct listing {
    GString *text;
    char token[BP_TOKEN_MAX + 1];
};

static int32_t
take_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct listing *listing = ctx;
    ck_assert_uint_gt(meta->etag[0], 0);
    g_string_append_printf(listing->text, "%s ", key);
    return 0;
}

static int32_t
take_prefix(void *ctx, const char *prefix)
{
    struct listing *listing = ctx;
    g_string_append_printf(listing->text, "%s ", prefix);
    return 0;
}

static int32_t
take_next(void *ctx, const char *token)
{
    struct listing *listing = ctx;
    g_strlcpy(listing->token, token, sizeof(listing->token));
    return 0;
}

char *
lt_list(struct bp_storage *store, const char *prefix, int32_t delimiter, uint32_t page,
        const char *start_after)
{
    struct listing listing = {.text = g_string_new(NULL)};
    const struct bp_list_sink sink = {
        .struct_size = sizeof(sink),
        .ctx = &listing,
        .entry = take_entry,
        .prefix = take_prefix,
        .next = take_next,
    };
    char token[BP_TOKEN_MAX + 1] = "";
    bp_error_init(&lt_error);
    do {
        const struct bp_list_args args = {
            .struct_size = sizeof(args),
            .prefix = prefix,
            .start_after = start_after,
            .token = token[0] == '\0' ? NULL : token,
            .max = page,
            .delimiter = delimiter,
        };
        listing.token[0] = '\0';
        if (lt_ops->list(store, &bp_fake.op, &args, &sink, &lt_error) != BP_OK) {
            g_string_free(listing.text, TRUE);
            return NULL;
        }
        memcpy(token, listing.token, sizeof(token));
    } while (token[0] != '\0');
    return g_string_free(listing.text, FALSE);
}

bool
lt_is_root(void)
{
    if (geteuid() != 0) {
        fprintf(stderr, "skipped: needs root\n");
    }
    return geteuid() == 0;
}

int
lt_run(const char *title, const TTest *const *tests)
{
    return bp_test_run(title, lt_setup, lt_teardown, tests);
}
