/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of storage-s3 share.
 */
#include "tests/unit/plugins/storage-s3/s3_test.h"

#include <stdio.h>

#include "sdk/lib/errors.h"
#include "tests/harness/run.h"

const struct bp_storage_ops *st_ops;
const struct bp_plugin *st_plugin;
struct bp_error st_error;

static GPtrArray *texts; /* answers of scripted servers */

struct bp_storage *
st_open_with(const char *const *pairs)
{
    struct bp_storage *store = NULL;
    struct bp_config config = {0};
    for (; *pairs != NULL; pairs += 2) {
        bp_fake_set(&config, pairs[0], pairs[1]);
    }
    bp_fake_defaults(&config, st_plugin->keys, st_plugin->n_keys);
    bp_error_init(&st_error);
    bp_status status = st_ops->open(&bp_fake.host, &bp_fake.op, &config, &store, &st_error);
    return status == BP_OK ? store : NULL;
}

void
st_setup(void)
{
    static const char *const foreign[] = {"AWS_ACCESS_KEY_ID",
                                          "AWS_SECRET_ACCESS_KEY",
                                          "AWS_SESSION_TOKEN",
                                          "AWS_PROFILE",
                                          "AWS_ROLE_ARN",
                                          "AWS_WEB_IDENTITY_TOKEN_FILE",
                                          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                          "AWS_CONTAINER_CREDENTIALS_FULL_URI"};
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        g_unsetenv(foreign[i]);
    }
    g_setenv("AWS_EC2_METADATA_DISABLED", "true", TRUE);
    g_setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", TRUE);
    g_setenv("AWS_CONFIG_FILE", "/nonexistent/config", TRUE);
    bp_fake_reset();
    bp_error_init(&st_error);
    texts = g_ptr_array_new_with_free_func(g_free);
    ck_assert_int_eq(bp_plugin_entry_v1(&bp_fake.host, &st_plugin, &st_error), BP_OK);
    st_ops = st_plugin->storage;
    ck_assert_int_eq(st_plugin->init(&bp_fake.host, &st_error), BP_OK);
}

void
st_teardown(void)
{
    st_plugin->fini();
    g_ptr_array_unref(texts);
    ck_assert_int_eq(atomic_load(&bp_fake.live_blocks), 0);
}

bp_status
st_write_args(struct bp_storage *store, const struct bp_write_args *args, const void *bytes,
              size_t n, size_t piece, struct bp_object_meta *meta)
{
    struct bp_writer *writer = NULL;
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    bp_error_init(&st_error);
    bp_status status = st_ops->write_open(store, &bp_fake.op, args, &writer, &st_error);
    if (status != BP_OK) {
        return status;
    }
    for (size_t at = 0; status == BP_OK && at < n; at += piece) {
        status = st_ops->write(writer, &bp_fake.op, (const char *)bytes + at, MIN(piece, n - at),
                               &st_error);
    }
    if (status != BP_OK) {
        st_ops->write_abort(writer, &bp_fake.op);
        return status;
    }
    return st_ops->write_commit(writer, &bp_fake.op, meta == NULL ? &ignored : meta, &st_error);
}

bp_status
st_write(struct bp_storage *store, const char *key, const char *text, uint32_t flags)
{
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .flags = flags, .key = key, .size = strlen(text)};
    return st_write_args(store, &args, text, strlen(text), 1 << 20, NULL);
}

char *
st_read_range(struct bp_storage *store, const char *key, uint64_t offset, uint64_t length,
              const char *if_match, struct bp_object_meta *meta, size_t *n)
{
    struct bp_reader *reader;
    const struct bp_read_args args = {.struct_size = sizeof(args),
                                      .key = key,
                                      .offset = offset,
                                      .length = length,
                                      .if_match = if_match};
    bp_error_init(&st_error);
    meta->struct_size = sizeof(*meta);
    if (st_ops->read_open(store, &bp_fake.op, &args, meta, &reader, &st_error) != BP_OK) {
        return NULL;
    }
    char *text = g_malloc(meta->size + 1);
    size_t got = 1;
    bp_status status = BP_OK;
    for (*n = 0; status == BP_OK && got > 0; *n += got) {
        status = st_ops->read(reader, &bp_fake.op, text + *n, meta->size + 1 - *n, &got, &st_error);
    }
    st_ops->read_close(reader);
    text[*n] = '\0';
    if (status != BP_OK) {
        g_clear_pointer(&text, g_free);
    }
    return text;
}

char *
st_read(struct bp_storage *store, const char *key)
{
    size_t n;
    struct bp_object_meta meta;
    return st_read_range(store, key, 0, BP_UNKNOWN, NULL, &meta, &n);
}

bp_status
st_stat(struct bp_storage *store, const char *key, struct bp_object_meta *meta)
{
    struct bp_object_meta ignored = {.struct_size = sizeof(ignored)};
    bp_error_init(&st_error);
    if (meta != NULL) {
        meta->struct_size = sizeof(*meta);
    }
    return st_ops->stat(store, &bp_fake.op, key, meta == NULL ? &ignored : meta, &st_error);
}

bp_status
st_remove(struct bp_storage *store, const char *key)
{
    bp_error_init(&st_error);
    return st_ops->remove(store, &bp_fake.op, key, NULL, &st_error);
}

bp_status
st_copy(struct bp_storage *dst, struct bp_storage *src, const char *src_key, const char *dst_key,
        const char *if_match, uint64_t size, struct bp_object_meta *meta)
{
    const struct bp_copy_args args = {.struct_size = sizeof(args),
                                      .flags = BP_COPY_WANT_CHECKSUM,
                                      .src = src,
                                      .src_key = src_key,
                                      .dst_key = dst_key,
                                      .src_if_match = if_match,
                                      .size = size};
    bp_error_init(&st_error);
    meta->struct_size = sizeof(*meta);
    return st_ops->copy(dst, &bp_fake.op, &args, meta, &st_error);
}

bp_status
st_probe(struct bp_storage *store, uint32_t need, const char *prefix)
{
    const struct bp_probe_args args = {.struct_size = sizeof(args), .need = need, .prefix = prefix};
    bp_error_init(&st_error);
    return st_ops->probe(store, &bp_fake.op, &args, &st_error);
}

static int32_t
take_outcome(void *ctx, const char *key, const char *extra, int64_t started_ns,
             const struct bp_error *error)
{
    (void)extra;
    (void)started_ns;
    g_string_append(ctx, key);
    if (error != NULL) {
        g_string_append_printf(ctx, ":%d", error->cls);
    }
    g_string_append_c(ctx, ' ');
    return 0;
}

char *
st_remove_many(struct bp_storage *store, const char *const *keys, size_t n)
{
    GString *text = g_string_new(NULL);
    const struct bp_key_sink sink = {.struct_size = sizeof(sink), .ctx = text, .key = take_outcome};
    bp_error_init(&st_error);
    if (st_ops->remove_many(store, &bp_fake.op, keys, n, &sink, &st_error) != BP_OK) {
        g_string_free(text, TRUE);
        return NULL;
    }
    return g_string_free(text, FALSE);
}

struct listing {
    GString *text;
    char token[BP_TOKEN_MAX + 1];
};

static int32_t
take_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct listing *listing = ctx;
    (void)meta;
    g_string_append_printf(listing->text, "%s ", key);
    return 0;
}

static int32_t
take_prefix(void *ctx, const char *prefix)
{
    return take_entry(ctx, prefix, NULL);
}

static int32_t
take_next(void *ctx, const char *token)
{
    struct listing *listing = ctx;
    g_strlcpy(listing->token, token, sizeof(listing->token));
    return 0;
}

char *
st_list(struct bp_storage *store, const char *prefix, int32_t delimiter, uint32_t page,
        const char *start_after)
{
    struct listing listing = {.text = g_string_new(NULL)};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                      .ctx = &listing,
                                      .entry = take_entry,
                                      .prefix = take_prefix,
                                      .next = take_next};
    char token[BP_TOKEN_MAX + 1] = "";
    bp_error_init(&st_error);
    do {
        const struct bp_list_args args = {.struct_size = sizeof(args),
                                          .prefix = prefix,
                                          .start_after = start_after,
                                          .token = token[0] == '\0' ? NULL : token,
                                          .max = page,
                                          .delimiter = delimiter};
        listing.token[0] = '\0';
        if (st_ops->list(store, &bp_fake.op, &args, &sink, &st_error) != BP_OK) {
            g_string_free(listing.text, TRUE);
            return NULL;
        }
        memcpy(token, listing.token, sizeof(token));
    } while (token[0] != '\0');
    return g_string_free(listing.text, FALSE);
}

void
st_begin_with(struct st_script *script, const struct bp_httpd_step *steps, size_t n,
              const char *const *pairs)
{
    const char *all[64] = {"bucket", "bkt",        "region", "r1",      "access_key",
                           "AKID",   "secret_key", "s3cr3t", "endpoint"};
    size_t used = 9;
    script->server = bp_httpd_start(steps, n);
    all[used++] = bp_httpd_url(script->server);
    for (; *pairs != NULL; pairs++) {
        all[used++] = *pairs;
    }
    script->store = st_open_with(all);
    ck_assert_msg(script->store != NULL, "open: %s", st_error.message);
}

const char *
st_request(struct st_script *script, size_t i)
{
    if (script->store != NULL) {
        st_ops->close(script->store);
        script->store = NULL;
        bp_httpd_stop(script->server);
    }
    return bp_httpd_request(script->server, i);
}

void
st_end(struct st_script *script)
{
    (void)st_request(script, 0);
    bp_httpd_free(script->server);
}

const char *
st_answer(int status, const char *head, const char *body)
{
    char *text = g_strdup_printf("HTTP/1.1 %d x\r\nConnection: close\r\nx-amz-request-id: RID\r\n"
                                 "Content-Length: %zu\r\n%s\r\n%s",
                                 status, strlen(body), head, body);
    g_ptr_array_add(texts, text);
    return text;
}

const char *
st_refusal(int status, const char *code)
{
    g_autofree char *body = g_strdup_printf(
        "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>it says.</Message></Error>", code);
    return st_answer(status, "", body);
}

int
st_run(const char *title, const TTest *const *tests)
{
    return bp_test_run(title, st_setup, st_teardown, tests);
}
