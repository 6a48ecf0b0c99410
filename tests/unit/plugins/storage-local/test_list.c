/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: listing.  The order is checked against a plain sort of the keys.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-local/local_test.h"

static void
put_all(const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        lt_put_file(*keys, *keys);
    }
}

#define ASSERT_LIST(prefix, delimiter, page, after, wanted)                        \
    do {                                                                           \
        g_autofree char *got_ = lt_list(lt_store, prefix, delimiter, page, after); \
        ck_assert_msg(got_ != NULL, "%s", lt_error.message);                       \
        ck_assert_str_eq(got_, wanted);                                            \
    } while (0)

START_TEST(test_list__byte_order_of_full_keys)
{
    static const char *const keys[] = {"a.b", "a/b/c", "a/b.c", "ab", "a-", "a0/x", NULL};
    put_all(keys);
    ASSERT_LIST("", 0, 100, NULL, "a- a.b a/b.c a/b/c a0/x ab ");
}
END_TEST

START_TEST(test_list__every_page_size_gives_the_same)
{
    static const char *const keys[] = {"a.b",  "a/b.c",   "a/b/d", "ab", "a-",
                                       "a0/x", "b/c/d/e", "b/c!",  "z",  NULL};
    put_all(keys);
    g_autofree char *all = lt_list(lt_store, "", 0, 100, NULL);
    ck_assert_str_eq(all, "a- a.b a/b.c a/b/d a0/x ab b/c! b/c/d/e z ");
    for (uint32_t page = 1; page <= 10; page++) {
        ASSERT_LIST("", 0, page, NULL, all);
    }
    ASSERT_LIST("", '/', 1, NULL, "a- a.b a/ a0/ ab b/ z ");
}
END_TEST

START_TEST(test_list__prefix_inside_a_part)
{
    put_all((const char *const[]){"abc/y", "b/abc", "abx", "ab/x", NULL});
    ASSERT_LIST("ab", 0, 100, NULL, "ab/x abc/y abx ");
    ASSERT_LIST("ab/", 0, 100, NULL, "ab/x ");
    ASSERT_LIST("b/a", 0, 100, NULL, "b/abc ");
    ASSERT_LIST("ab", '/', 100, NULL, "ab/ abc/ abx ");
    ASSERT_LIST("nothing", 0, 100, NULL, "");
    ASSERT_LIST("nothing/here/", 0, 100, NULL, "");
    ASSERT_LIST("abx/", 0, 100, NULL, "");
    ASSERT_LIST("abx", 0, 100, NULL, "abx ");
}
END_TEST

START_TEST(test_list__start_after)
{
    put_all((const char *const[]){"a/1", "a/2", "a/3/x", "b", "c/1", NULL});
    ASSERT_LIST("", 0, 100, "a/1", "a/2 a/3/x b c/1 ");
    ASSERT_LIST("", 0, 2, "a/2", "a/3/x b c/1 ");
    ASSERT_LIST("", 0, 100, "a/9", "b c/1 ");
    ASSERT_LIST("", 0, 100, "a", "a/1 a/2 a/3/x b c/1 ");
    ASSERT_LIST("a/", 0, 100, "a/3", "a/3/x ");
    ASSERT_LIST("", 0, 100, "zz", "");
    ASSERT_LIST("", '/', 100, "a/1", "a/ b c/ ");
    ASSERT_LIST("", '/', 100, "a/3/x", "b c/ ");
}
END_TEST

START_TEST(test_list__empty_directories_are_no_prefixes)
{
    g_autofree char *dir = lt_path("empty/deep/er");
    ck_assert_int_eq(g_mkdir_with_parents(dir, 0755), 0);
    lt_put_file("full/x", "");
    ASSERT_LIST("", '/', 100, NULL, "full/ ");
    ASSERT_LIST("", 0, 100, NULL, "full/x ");
}
END_TEST

START_TEST(test_list__tells_size_and_version)
{
    struct bp_object_meta meta;
    lt_put_file("k", "12345");
    ASSERT_OK(lt_stat(lt_store, "k", &meta));
    ck_assert_uint_eq(meta.size, 5);
    ck_assert_int_gt(meta.mtime_ns, INT64_C(1600000000) * 1000000000);
}
END_TEST

START_TEST(test_list__our_folder_is_hidden)
{
    struct bp_writer *writer;
    const struct bp_write_args args = {sizeof(args), 0, "k", BP_UNKNOWN, NULL, {0}};
    ASSERT_OK(lt_ops->write_open(lt_store, &bp_fake.op, &args, &writer, &lt_error));
    ck_assert(lt_has_file(".bakplane-tmp"));
    ASSERT_LIST("", 0, 100, NULL, "");
    ASSERT_LIST(".bakplane", '/', 100, NULL, "");
    ck_assert_ptr_null(lt_list(lt_store, ".bakplane-tmp/", 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_INVALID, "reserved");
    lt_ops->write_abort(writer, &bp_fake.op);
}
END_TEST

START_TEST(test_list__links_are_named)
{
    g_autofree char *link = lt_path("data/sub");
    lt_put_file("data/file", "x");
    ck_assert_int_eq(symlink("/etc", link), 0);
    ck_assert_ptr_null(lt_list(lt_store, "", 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "/data/sub is a symbolic link");
    ck_assert_ptr_null(lt_list(lt_store, "data/sub/", 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "/data/sub is a symbolic link");
    ck_assert_ptr_null(lt_list(lt_store, "data/sub/x/", '/', 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "/data/sub is a symbolic link");
    ASSERT_LIST("data/f", 0, 100, NULL, "data/file ");
}
END_TEST

START_TEST(test_list__links_are_named_behind_a_long_prefix)
{
    g_autofree char *link = lt_path("data/sub");
    g_autofree char *below = g_strnfill(900, 'x');
    g_autofree char *prefix = g_strdup_printf("data/sub/%s/", below);
    lt_put_file("data/file", "x");
    ck_assert_int_eq(symlink("/etc", link), 0);
    ck_assert_ptr_null(lt_list(lt_store, prefix, 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED,
                  "/data/sub is a symbolic link, and links below the root are not followed");
}
END_TEST

START_TEST(test_list__unreadable_directory_is_named)
{
    if (geteuid() == 0) {
        fprintf(stderr, "skipped: root reads everything\n");
        return;
    }
    g_autofree char *dir = lt_path("closed");
    lt_put_file("closed/x", "");
    chmod(dir, 0);
    ck_assert_ptr_null(lt_list(lt_store, "", 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "/closed: Permission denied");
    chmod(dir, 0755);
}
END_TEST

START_TEST(test_list__names_that_are_no_keys_are_left_out)
{
    lt_put_file("good", "");
    lt_put_file("bad\xFFname", "");
    lt_put_file("new\nline", "");
    ASSERT_LIST("", 0, 100, NULL, "good ");
    ck_assert_uint_eq(atomic_load(&bp_fake.log_lines), 2);
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "is left out of the listing"));
}
END_TEST

START_TEST(test_list__special_files_are_no_objects)
{
    g_autofree char *pipe_path = lt_path("pipe");
    lt_put_file("file", "");
    ck_assert_int_eq(mkfifo(pipe_path, 0644), 0);
    ASSERT_LIST("", 0, 100, NULL, "file ");
    ASSERT_FAILED(lt_stat(lt_store, "pipe", NULL), BP_ERR_DENIED, "not a regular file");
    ck_assert_ptr_null(lt_read(lt_store, "pipe"));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "not a regular file");
}
END_TEST

START_TEST(test_list__missing_root)
{
    ck_assert_int_eq(rmdir(lt_root), 0);
    ASSERT_LIST("", 0, 100, NULL, "");
    struct bp_storage *strict = lt_open("create_root", "false", NULL);
    ck_assert_ptr_null(lt_list(strict, "", 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_NOT_FOUND, "root directory");
    ASSERT_FAILED(lt_write(strict, "k", "x", 0), BP_ERR_NOT_FOUND, "No such file");
    lt_ops->close(strict);
    ck_assert(!lt_has_file(""));
    ASSERT_OK(lt_write(lt_store, "k", "x", BP_WRITE_DURABLE));
    ASSERT_LIST("", 0, 100, NULL, "k ");
}
END_TEST

START_TEST(test_list__root_is_a_file)
{
    ck_assert_int_eq(rmdir(lt_root), 0);
    ck_assert(g_file_set_contents(lt_root, "x", 1, NULL));
    ck_assert_ptr_null(lt_list(lt_store, "", 0, 100, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_INVALID, "root is not a directory");
    ASSERT_FAILED(lt_write(lt_store, "k", "x", 0), BP_ERR_INVALID, "root is not a directory");
}
END_TEST

struct stopper {
    int left;
    int next_answer;
};

static int32_t
stop_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct stopper *stopper = ctx;
    (void)key;
    (void)meta;
    return --stopper->left < 0;
}

static int32_t
stop_next(void *ctx, const char *token)
{
    (void)token;
    return ((struct stopper *)ctx)->next_answer;
}

START_TEST(test_list__sink_stops)
{
    put_all((const char *const[]){"a", "b", "c", NULL});
    struct stopper stopper = {.left = 1};
    const struct bp_list_sink sink = {sizeof(sink), 0, &stopper, stop_entry, NULL, stop_next};
    struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "", .max = 10};
    ASSERT_FAILED(lt_ops->list(lt_store, &bp_fake.op, &args, &sink, &lt_error), BP_ERR_CANCELLED,
                  "stopped by its reader");
    stopper = (struct stopper){.left = 10, .next_answer = 1};
    args.max = 2;
    ASSERT_FAILED(lt_ops->list(lt_store, &bp_fake.op, &args, &sink, &lt_error), BP_ERR_CANCELLED,
                  "stopped by its reader");
}
END_TEST

START_TEST(test_list__bad_arguments)
{
    struct stopper stopper = {.left = 10};
    const struct bp_list_sink sink = {sizeof(sink), 0, &stopper, stop_entry, NULL, stop_next};
    static const struct {
        struct bp_list_args args;
        const char *text;
    } bad[] = {
        {{.flags = 1, .prefix = ""}, "unknown flags"},
        {{.prefix = "../x"}, "\"../x\": has a part"},
        {{.prefix = "", .delimiter = '-'}, "delimiter"},
        {{.prefix = "", .token = "rubbish"}, "token"},
        {{.prefix = "", .token = "0000000000000001x"}, "token"},
        {{.prefix = "", .token = "0000000000000001xkey"}, "token"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        ASSERT_FAILED(lt_ops->list(lt_store, &bp_fake.op, &bad[i].args, &sink, &lt_error),
                      BP_ERR_INVALID, bad[i].text);
    }
    bp_fake.op.deadline_ns = 1;
    struct bp_list_args args = {.prefix = ""};
    ASSERT_FAILED(lt_ops->list(lt_store, &bp_fake.op, &args, &sink, &lt_error), BP_ERR_TIMEOUT,
                  "deadline");
}
END_TEST

struct paging {
    GString *text;
    char token[BP_TOKEN_MAX + 1];
};

static int32_t
page_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)meta;
    g_string_append_printf(((struct paging *)ctx)->text, "%s ", key);
    return 0;
}

static int32_t
page_next(void *ctx, const char *token)
{
    g_strlcpy(((struct paging *)ctx)->token, token, BP_TOKEN_MAX);
    return 0;
}

static void
list_page(struct bp_storage *store, struct paging *paging)
{
    g_autofree char *token = g_strdup(paging->token);
    const struct bp_list_sink sink = {sizeof(sink), 0, paging, page_entry, NULL, page_next};
    const struct bp_list_args args = {
        .prefix = "", .token = token[0] == '\0' ? NULL : token, .max = 2};
    paging->token[0] = '\0';
    ASSERT_OK(lt_ops->list(store, &bp_fake.op, &args, &sink, &lt_error));
}

START_TEST(test_token__works_again_elsewhere_and_after_changes)
{
    put_all((const char *const[]){"a", "b", "d/1", "d/2", "e", NULL});
    struct paging first = {.text = g_string_new(NULL)}, again;
    list_page(lt_store, &first);
    ck_assert_str_eq(first.text->str, "a b ");
    again = first;
    again.text = g_string_new(NULL);
    list_page(lt_store, &first);
    ck_assert_str_eq(first.text->str, "a b d/1 d/2 ");
    /* The parked listing was used up: the same token starts from its key. */
    lt_put_file("c", "");
    list_page(lt_store, &again);
    ck_assert_str_eq(again.text->str, "c d/1 ");
    struct bp_storage *other = lt_open("link", "false", NULL);
    g_autofree char *e = lt_path("e");
    unlink(e);
    list_page(other, &again);
    ck_assert_str_eq(again.text->str, "c d/1 d/2 ");
    lt_ops->close(other);
    g_string_free(first.text, TRUE);
    g_string_free(again.text, TRUE);
}
END_TEST

START_TEST(test_token__directory_vanishes_between_pages)
{
    put_all((const char *const[]){"d/1", "d/2", "d/3", "d/4", "e", NULL});
    struct paging paging = {.text = g_string_new(NULL)};
    list_page(lt_store, &paging);
    for (int i = 1; i <= 4; i++) {
        char key[16];
        snprintf(key, sizeof(key), "d/%d", i);
        ASSERT_OK(lt_remove(lt_store, key));
    }
    list_page(lt_store, &paging);
    ck_assert_str_eq(paging.text->str, "d/1 d/2 e ");
    g_string_free(paging.text, TRUE);
}
END_TEST

START_TEST(test_token__many_parked_listings)
{
    struct paging paging[12];
    put_all((const char *const[]){"a", "b", "c", "d", NULL});
    for (size_t i = 0; i < G_N_ELEMENTS(paging); i++) {
        paging[i] = (struct paging){.text = g_string_new(NULL)};
        list_page(lt_store, &paging[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(paging); i++) {
        list_page(lt_store, &paging[i]);
        ck_assert_str_eq(paging[i].text->str, "a b c d ");
        g_string_free(paging[i].text, TRUE);
    }
}
END_TEST

static gint
compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Random keys over a small alphabet, so that names are often prefixes of each other. */
START_TEST(test_list__agrees_with_a_plain_sort)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    GRand *random = g_rand_new_with_seed(4711);
    for (int i = 0; i < 300; i++) {
        char key[16] = "";
        int parts = g_rand_int_range(random, 1, 4);
        for (int p = 0; p < parts; p++) {
            static const char *const names[] = {"a", "a-", "a.", "a0", "b", "aa"};
            g_strlcat(key, p > 0 ? "/" : "", sizeof(key));
            g_strlcat(key, names[g_rand_int_range(random, 0, 6)], sizeof(key));
        }
        if (lt_write(lt_store, key, "", BP_WRITE_IF_NONE_MATCH) == BP_OK) {
            g_ptr_array_add(keys, g_strdup(key));
        }
    }
    g_rand_free(random);
    g_ptr_array_sort(keys, compare_text);
    ck_assert_uint_gt(keys->len, 20);
    for (guint after = 0; after < keys->len; after++) {
        g_autoptr(GString) wanted = g_string_new(NULL);
        for (guint i = after + 1; i < keys->len; i++) {
            g_string_append_printf(wanted, "%s ", (char *)g_ptr_array_index(keys, i));
        }
        ASSERT_LIST("", 0, 1 + after % 7, g_ptr_array_index(keys, after), wanted->str);
    }
}
END_TEST

START_TEST(test_list__vanishing_while_listed)
{
    /* Parked with names that are gone when the page goes on. */
    put_all((const char *const[]){"a", "b", "c", "d", "e", NULL});
    struct paging paging = {.text = g_string_new(NULL)};
    list_page(lt_store, &paging);
    ASSERT_OK(lt_remove(lt_store, "c"));
    ASSERT_OK(lt_remove(lt_store, "d"));
    list_page(lt_store, &paging);
    ck_assert_str_eq(paging.text->str, "a b e ");
    g_string_free(paging.text, TRUE);
}
END_TEST

START_TEST(test_list__without_openat2)
{
    bp_local_no_openat2 = true;
    struct bp_storage *store = lt_open("link", "false", NULL);
    g_autofree char *link = lt_path("a/link");
    put_all((const char *const[]){"a/b/c", "a/d", "e", NULL});
    g_autofree char *listed = lt_list(store, "", 0, 2, NULL);
    ck_assert_str_eq(listed, "a/b/c a/d e ");
    ck_assert_int_eq(symlink("b", link), 0);
    ck_assert_ptr_null(lt_list(store, "a/link/", 0, 2, NULL));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "/a/link is a symbolic link");
    ck_assert_ptr_null(lt_read(store, "a/link/c"));
    ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "/a/link is a symbolic link");
    ASSERT_FAILED(lt_write(store, "a/link/x", "x", BP_WRITE_DURABLE), BP_ERR_DENIED,
                  "/a/link is a symbolic link");
    ASSERT_OK(lt_write(store, "n/e/w", "x", BP_WRITE_DURABLE));
    ASSERT_OK(lt_remove(store, "n/e/w"));
    ck_assert(!lt_has_file("n"));
    lt_ops->close(store);
    bp_local_no_openat2 = false;
}
END_TEST

LT_MAIN("storage-local/list", test_list__byte_order_of_full_keys,
        test_list__every_page_size_gives_the_same, test_list__prefix_inside_a_part,
        test_list__start_after, test_list__empty_directories_are_no_prefixes,
        test_list__tells_size_and_version, test_list__our_folder_is_hidden,
        test_list__links_are_named, test_list__links_are_named_behind_a_long_prefix,
        test_list__unreadable_directory_is_named, test_list__names_that_are_no_keys_are_left_out,
        test_list__special_files_are_no_objects, test_list__missing_root, test_list__root_is_a_file,
        test_list__sink_stops, test_list__bad_arguments,
        test_token__works_again_elsewhere_and_after_changes,
        test_token__directory_vanishes_between_pages, test_token__many_parked_listings,
        test_list__agrees_with_a_plain_sort, test_list__vanishing_while_listed,
        test_list__without_openat2)
