/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing: the tree is walked in the order of the keys, a page at a time.  Nothing is kept between
 * two pages; the token is the last key of a page, and what comes before it is passed over.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/storage.h"
#include "store.h"

#include "sdk/lib/ban.h"

/* The names in one directory; those of directories end in '/', which is how their keys sort. */
struct names {
    char **text;
    size_t n, cap;
};

struct walk {
    struct bp_storage *storage;
    const struct bp_op *op;
    const struct bp_list_args *args;
    const struct bp_list_sink *sink;
    uint32_t left;
    bool more; /* the page is full, and there was another one */
    char last[BP_KEY_MAX + 1];
};

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
free_names(struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->text[i]);
    }
    free(names->text);
}

static int
add_name(struct names *names, const char *name, bool is_dir)
{
    if (names->n == names->cap) {
        size_t cap = names->cap == 0 ? 64 : 2 * names->cap;
        char **text = realloc(names->text, cap * sizeof(*text));
        if (text == NULL) {
            return ENOMEM;
        }
        names->text = text;
        names->cap = cap;
    }
    size_t size = strlen(name) + 2;
    char *copy = malloc(size);
    if (copy == NULL) {
        return ENOMEM;
    }
    (void)snprintf(copy, size, "%s%s", name, is_dir ? "/" : "");
    names->text[names->n++] = copy;
    return 0;
}

/* Files and directories only; what vanishes meanwhile is not there. */
static int
take_entry(DIR *dir, const struct dirent *entry, bool top, struct names *names)
{
    struct stat st;
    bool is_dir = entry->d_type == DT_DIR;
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (top && strcmp(name, TMP_DIR) == 0)) {
        return 0;
    }
    if (entry->d_type == DT_UNKNOWN) { /* not every file system tells */
        if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            return errno == ENOENT ? 0 : errno;
        }
        is_dir = S_ISDIR(st.st_mode);
    }
    return add_name(names, name, is_dir);
}

/* `path` is the root, "", or ends in '/'. */
static int
read_names(const struct bp_storage *storage, const char *path, struct names *names)
{
    int fd = openat(storage->root_fd, *path != '\0' ? path : ".",
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    int errnum = 0;
    if (dir == NULL) {
        errnum = errno;
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        return errnum == ENOENT || errnum == ENOTDIR ? 0 : errnum;
    }
    while (errnum == 0) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            errnum = errno;
            break;
        }
        errnum = take_entry(dir, entry, *path == '\0', names);
    }
    (void)closedir(dir);
    if (names->n > 0) {
        qsort(names->text, names->n, sizeof(*names->text), by_bytes);
    }
    return errnum;
}

static bool
starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a key, or a directory with all its keys, was told on an earlier page. */
static bool
is_past(const struct walk *walk, const char *key, bool grouped)
{
    const char *token = walk->args->token;
    if (token == NULL) {
        return false;
    }
    bool is_dir = key[strlen(key) - 1] == '/';
    return is_dir && !grouped ? strcmp(key, token) < 0 && !starts_with(token, key)
                              : strcmp(key, token) <= 0;
}

static bp_status
tell(struct walk *walk, const char *key, const struct bp_object_meta *meta, struct bp_error *error)
{
    const struct bp_list_sink *sink = walk->sink;
    if (walk->left == 0) {
        walk->more = true;
        return BP_OK;
    }
    walk->left--;
    (void)snprintf(walk->last, sizeof(walk->last), "%s", key);
    int32_t stop = meta != NULL ? sink->entry(sink->ctx, key, meta) : sink->prefix(sink->ctx, key);
    return stop == 0 ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "stopped by who asked for it");
}

static bp_status
tell_file(struct walk *walk, const char *key, struct bp_error *error)
{
    struct stat st;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    if (fstatat(walk->storage->root_fd, key, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? BP_OK
                   : fail_key(walk->storage, errno, "look at", key, error);
    }
    if (!S_ISREG(st.st_mode) || bp_key_check(key, NULL) != 0) {
        return BP_OK; /* no object of ours */
    }
    fill_meta(&meta, &st);
    return tell(walk, key, &meta, error);
}

static bp_status walk_dir(struct walk *walk, const char *path, struct bp_error *error);

/* A directory without objects is none: somebody just removed the last one. */
static bp_status
tell_group(struct walk *walk, const char *path, struct bp_error *error)
{
    struct bp_list_args args = *walk->args;
    struct walk inner = {.storage = walk->storage, .op = walk->op, .args = &args};
    args.delimiter = 0;
    args.token = NULL;
    bp_status status = walk_dir(&inner, path, error);
    return status == BP_OK && inner.more ? tell(walk, path, NULL, error) : status;
}

static bp_status
visit(struct walk *walk, const char *path, const char *name, struct bp_error *error)
{
    char key[BP_KEY_MAX + 2];
    const char *prefix = walk->args->prefix;
    if ((size_t)snprintf(key, sizeof(key), "%s%s", path, name) >= sizeof(key)) {
        return BP_OK; /* longer than any key */
    }
    bool inside = starts_with(key, prefix), is_dir = key[strlen(key) - 1] == '/';
    bool grouped = is_dir && inside && walk->args->delimiter != 0 && strlen(key) > strlen(prefix);
    if (is_past(walk, key, grouped) || (!inside && !(is_dir && starts_with(prefix, key)))) {
        return BP_OK;
    }
    if (grouped) {
        return tell_group(walk, key, error);
    }
    return is_dir ? walk_dir(walk, key, error) : tell_file(walk, key, error);
}

static bp_status
walk_dir(struct walk *walk, const char *path, struct bp_error *error)
{
    struct names names = {NULL, 0, 0};
    bp_status status = bp_check_op(walk->storage->host, walk->op, error);
    if (status == BP_OK) {
        int errnum = read_names(walk->storage, path, &names);
        status = errnum == 0
                     ? BP_OK
                     : bp_fail_errno(error, errnum, "cannot list %s/%s", walk->storage->root, path);
    }
    for (size_t i = 0; i < names.n && status == BP_OK && !walk->more; i++) {
        status = i % 256 == 255 ? bp_check_op(walk->storage->host, walk->op, error) : BP_OK;
        if (status == BP_OK) {
            status = visit(walk, path, names.text[i], error);
        }
    }
    free_names(&names);
    return status;
}

bp_status
list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
     const struct bp_list_sink *sink, struct bp_error *error)
{
    struct walk walk = {.storage = storage, .op = op, .args = args, .sink = sink};
    walk.left = args->max > 0 && args->max < LIST_MAX ? args->max : LIST_MAX;
    bp_status status = bp_check_list(args, error);
    if (status == BP_OK && args->start_after != NULL) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED, "%s lists from the start only", storage->root);
    }
    if (status == BP_OK) {
        status = open_root(storage, error);
    }
    if (status == BP_OK) {
        status = walk_dir(&walk, "", error);
    }
    if (status == BP_OK && walk.more && sink->next(sink->ctx, walk.last) != 0) {
        status = bp_fail(error, BP_ERR_CANCELLED, "stopped by who asked for it");
    }
    return status;
}
