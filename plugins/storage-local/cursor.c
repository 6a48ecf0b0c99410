/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk through the directories behind a listing.
 */
#include "plugins/storage-local/cursor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define CHECK_OP_EVERY 256

struct item {
    size_t name; /* offset in frame.names */
    bool is_dir;
};

struct frame {
    size_t path_len;
    int fd; /* -1 while parked */
    GString *names;
    GArray *items; /* struct item, sorted */
    guint next;
};

static void
free_frame(gpointer data)
{
    struct frame *frame = data;
    if (frame->fd >= 0) {
        (void)close(frame->fd); /* opened for reading */
    }
    g_string_free(frame->names, TRUE);
    g_array_unref(frame->items);
    g_free(frame);
}

struct bp_local_cursor *
bp_local_cursor_new(const char *prefix, bool grouped, const char *after, bool after_group)
{
    struct bp_local_cursor *cursor = g_new0(struct bp_local_cursor, 1);
    cursor->prefix = g_strdup(prefix);
    cursor->grouped = grouped;
    cursor->after = g_strdup(after);
    cursor->after_group = after_group;
    cursor->path = g_string_new(NULL);
    return cursor;
}

void
bp_local_cursor_free(struct bp_local_cursor *cursor)
{
    if (cursor != NULL) {
        g_clear_pointer(&cursor->frames, g_ptr_array_unref);
        g_string_free(cursor->path, TRUE);
        g_free(cursor->prefix);
        g_free(cursor->after);
        g_free(cursor);
    }
}

void
bp_local_cursor_park(struct bp_local_cursor *cursor)
{
    for (guint i = 0; cursor->frames != NULL && i < cursor->frames->len; i++) {
        struct frame *frame = g_ptr_array_index(cursor->frames, i);
        if (frame->fd >= 0) {
            (void)close(frame->fd); /* opened for reading */
            frame->fd = -1;
        }
    }
}

void
bp_local_cursor_step_back(struct bp_local_cursor *cursor)
{
    struct frame *top = g_ptr_array_index(cursor->frames, cursor->frames->len - 1);
    top->next--;
}

/* As the full keys compare: a directory's name continues with '/'. */
static gint
compare_items(gconstpointer a, gconstpointer b, gpointer names)
{
    const struct item *left = a, *right = b;
    const char *x = (const char *)names + left->name, *y = (const char *)names + right->name;
    while (*x == *y && *x != '\0') {
        x++;
        y++;
    }
    unsigned char c = *x != '\0' ? (unsigned char)*x : left->is_dir ? '/' : '\0';
    unsigned char d = *y != '\0' ? (unsigned char)*y : right->is_dir ? '/' : '\0';
    return c < d ? -1 : c > d;
}

/* Whether the listing starts before or within `name` in the directory `path`. */
static bool
is_after(const struct bp_local_cursor *cursor, const char *name, bool is_dir)
{
    size_t path_len = cursor->path->len;
    if (cursor->after == NULL || strncmp(cursor->after, cursor->path->str, path_len) != 0) {
        /* Entered because the whole directory comes after. */
        return true;
    }
    const char *after = cursor->after + path_len;
    if (!is_dir) {
        return strcmp(name, after) > 0;
    }
    size_t len = strlen(name);
    if (strncmp(after, name, len) == 0 && after[len] == '/') {
        return !(cursor->after_group && after[len + 1] == '\0');
    }
    char *dir_name = g_strconcat(name, "/", NULL);
    bool result = strcmp(dir_name, after) > 0;
    g_free(dir_name);
    return result;
}

/* Prefix and start, but not yet whether it is an object at all. */
static bool
is_wanted(const struct bp_local_cursor *cursor, const char *name, bool is_dir)
{
    size_t path_len = cursor->path->len;
    const char *rest = strlen(cursor->prefix) > path_len ? cursor->prefix + path_len : "";
    if (path_len == 0 && strcmp(name, BP_LOCAL_TMP) == 0) {
        return false;
    }
    return g_str_has_prefix(name, rest) && is_after(cursor, name, is_dir);
}

static bool
is_key(struct bp_storage *storage, const struct bp_op *op, const struct bp_local_cursor *cursor,
       const char *name)
{
    g_autofree char *key = g_strconcat(cursor->path->str, name, NULL);
    const char *why;
    if (bp_key_check(key, &why) == 0) {
        return true;
    }
    bp_hostlog(storage->host, op, BP_LOG_WARN, "%s/%s is left out of the listing: as a key it %s",
               storage->set.root, key, why);
    return false;
}

static bp_status
fail_in(struct bp_storage *storage, const struct bp_local_cursor *cursor, int errnum,
        const char *verb, const char *name, struct bp_error *error)
{
    g_autofree char *key = g_strconcat(cursor->path->str, name, NULL);
    size_t len = strlen(key);
    if (len > 0 && key[len - 1] == '/') {
        key[len - 1] = '\0';
    }
    return bp_local_fail(storage, errnum, verb, key, error);
}

/* 0 = leave it out, else DT_DIR, DT_REG or DT_LNK. */
static unsigned char
type_of(int dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type;
    }
    if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return 0;
    }
    return S_ISDIR(st.st_mode)   ? DT_DIR
           : S_ISREG(st.st_mode) ? DT_REG
           : S_ISLNK(st.st_mode) ? DT_LNK
                                 : 0;
}

static bp_status
add_name(struct bp_storage *storage, const struct bp_op *op, struct bp_local_cursor *cursor,
         struct frame *frame, const struct dirent *entry, struct bp_error *error)
{
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return BP_OK;
    }
    unsigned char type = type_of(frame->fd, entry);
    struct item item = {.name = frame->names->len, .is_dir = type == DT_DIR};
    if ((type != DT_DIR && type != DT_REG && type != DT_LNK) ||
        !is_wanted(cursor, name, item.is_dir) || !is_key(storage, op, cursor, name)) {
        return BP_OK;
    }
    if (type == DT_LNK) {
        return fail_in(storage, cursor, ELOOP, "list", name, error);
    }
    g_string_append_len(frame->names, name, (gssize)strlen(name) + 1);
    g_array_append_val(frame->items, item);
    return BP_OK;
}

static bp_status
read_names(struct bp_storage *storage, const struct bp_op *op, struct bp_local_cursor *cursor,
           struct frame *frame, struct bp_error *error)
{
    int fd = fcntl(frame->fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        bp_status status = fail_in(storage, cursor, errno, "list", "", error);
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        return status;
    }
    bp_status status = BP_OK;
    for (unsigned count = 0; status == BP_OK; count++) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            if (errno != 0) {
                status = fail_in(storage, cursor, errno, "list", "", error);
            }
            break;
        }
        status = add_name(storage, op, cursor, frame, entry, error);
        if (status == BP_OK && count % CHECK_OP_EVERY == 0) {
            status = bp_local_check_op(storage, op, error);
        }
    }
    (void)closedir(dir);
    return status;
}

static int
open_dir(struct bp_storage *storage, const GString *path)
{
    g_autofree char *trimmed = g_strndup(path->str, path->len > 0 ? path->len - 1 : 0);
    return bp_local_open(storage, trimmed, O_RDONLY | O_DIRECTORY);
}

/* A mount point's own folder, which nobody but root may read, holds nothing of ours. */
static bool
is_lost_and_found(const GString *path, int errnum)
{
    return errnum == EACCES && strcmp(path->str, "lost+found/") == 0;
}

/* Reads the directory cursor->path into a new top frame; a missing one is as good as empty. */
static bp_status
push(struct bp_storage *storage, const struct bp_op *op, struct bp_local_cursor *cursor,
     struct bp_error *error)
{
    int fd = open_dir(storage, cursor->path);
    bool below_file = fd == -ENOTDIR && cursor->path->len > 0;
    if (fd < 0 && fd != -ENOENT && !below_file && !is_lost_and_found(cursor->path, -fd)) {
        return fail_in(storage, cursor, -fd, "list", "", error);
    }
    struct frame *frame = g_new0(struct frame, 1);
    frame->path_len = cursor->path->len;
    frame->fd = fd < 0 ? -1 : fd;
    frame->names = g_string_new(NULL);
    frame->items = g_array_new(FALSE, FALSE, sizeof(struct item));
    g_ptr_array_add(cursor->frames, frame);
    if (fd < 0) {
        return BP_OK;
    }
    bp_status status = read_names(storage, op, cursor, frame, error);
    g_array_sort_with_data(frame->items, compare_items, frame->names->str);
    return status;
}

static bp_status
start(struct bp_storage *storage, const struct bp_op *op, struct bp_local_cursor *cursor,
      struct bp_error *error)
{
    const char *slash = strrchr(cursor->prefix, '/');
    cursor->frames = g_ptr_array_new_with_free_func(free_frame);
    g_string_append_len(cursor->path, cursor->prefix,
                        slash == NULL ? 0 : slash + 1 - cursor->prefix);
    return push(storage, op, cursor, error);
}

static void
pop(struct bp_local_cursor *cursor)
{
    g_ptr_array_set_size(cursor->frames, (gint)cursor->frames->len - 1);
    if (cursor->frames->len > 0) {
        struct frame *top = g_ptr_array_index(cursor->frames, cursor->frames->len - 1);
        g_string_truncate(cursor->path, top->path_len);
    }
}

/* Opened again after a pause; it may be gone by now. */
static int
reopen(struct bp_storage *storage, const struct bp_local_cursor *cursor, struct frame *frame)
{
    if (frame->fd >= 0) {
        return 0;
    }
    int fd = open_dir(storage, cursor->path);
    frame->fd = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

/* *is_object is true when it is (still) a regular file. */
static bp_status
look_at(struct bp_storage *storage, struct bp_local_cursor *cursor, struct bp_local_found *found,
        bool *is_object, struct bp_error *error)
{
    struct frame *top = g_ptr_array_index(cursor->frames, cursor->frames->len - 1);
    int status = reopen(storage, cursor, top);
    if (status == 0 && fstatat(top->fd, found->name, &found->st, AT_SYMLINK_NOFOLLOW) != 0) {
        status = -errno;
    }
    *is_object = status == 0 && S_ISREG(found->st.st_mode);
    if (status == 0 || status == -ENOENT || status == -ENOTDIR) {
        return BP_OK;
    }
    return fail_in(storage, cursor, -status, "look at", found->name, error);
}

static bp_status
enter(struct bp_storage *storage, const struct bp_op *op, struct bp_local_cursor *cursor,
      const char *name, struct bp_error *error)
{
    g_string_append(cursor->path, name);
    g_string_append_c(cursor->path, '/');
    return push(storage, op, cursor, error);
}

bp_status
bp_local_cursor_next(struct bp_storage *storage, const struct bp_op *op,
                     struct bp_local_cursor *cursor, struct bp_local_found *found, bool *more,
                     struct bp_error *error)
{
    bp_status status = cursor->frames == NULL ? start(storage, op, cursor, error) : BP_OK;
    *more = true;
    while (status == BP_OK && cursor->frames->len > 0) {
        struct frame *top = g_ptr_array_index(cursor->frames, cursor->frames->len - 1);
        if (top->next == top->items->len) {
            pop(cursor);
            continue;
        }
        const struct item *item = &g_array_index(top->items, struct item, top->next);
        top->next++;
        bool is_object = false;
        found->name = top->names->str + item->name;
        found->is_dir = item->is_dir;
        if (item->is_dir && cursor->grouped) {
            return BP_OK;
        }
        if (item->is_dir) {
            status = enter(storage, op, cursor, found->name, error);
        } else {
            status = look_at(storage, cursor, found, &is_object, error);
        }
        if (is_object) {
            return BP_OK;
        }
    }
    *more = false;
    return status;
}
