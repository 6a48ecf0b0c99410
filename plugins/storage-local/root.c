/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening below the root, and the directories there.
 */
#include "plugins/storage-local/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define OPEN_DIR (O_PATH | O_DIRECTORY | O_CLOEXEC)

_Atomic bool bp_local_no_openat2;

static int
try_openat2(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

/* O_NOFOLLOW together with O_DIRECTORY answers ENOTDIR for a link: tell the two apart. */
static int
open_component(int dir, const char *name, int flags)
{
    struct stat st;
    int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        return fd;
    }
    int errnum = errno;
    if (errnum == ENOTDIR && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode)) {
        errnum = ELOOP;
    }
    return -errnum;
}

/* Walks down one part after the other.  Keys were checked: no part is "..". */
static int
open_by_component(int root, const char *path, int flags)
{
    char name[BP_KEY_MAX + 1];
    int dir = root;
    for (;;) {
        const char *slash = strchr(path, '/');
        size_t len = slash == NULL ? strlen(path) : (size_t)(slash - path);
        if (len >= sizeof(name)) {
            len = sizeof(name) - 1;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        int next = open_component(dir, name, slash == NULL ? flags : OPEN_DIR);
        if (dir != root) {
            (void)close(dir); /* O_PATH: nothing can fail */
        }
        if (next < 0 || slash == NULL) {
            return next;
        }
        dir = next;
        path = slash + 1;
    }
}

int
bp_local_open(struct bp_storage *storage, const char *path, int flags)
{
    const char *name = path[0] == '\0' ? "." : path;
    if (storage->has_openat2) {
        return try_openat2(storage->root_fd, name, flags | O_CLOEXEC);
    }
    return open_by_component(storage->root_fd, name, flags);
}

size_t
bp_local_parent_len(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash == NULL ? 0 : (size_t)(slash - key);
}

const char *
bp_local_base(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash == NULL ? key : slash + 1;
}

static void
parent_of(const char *key, char *parent)
{
    size_t len = bp_local_parent_len(key);
    memcpy(parent, key, len);
    parent[len] = '\0';
}

int
bp_local_open_parent(struct bp_storage *storage, const char *key)
{
    char parent[BP_KEY_MAX + 1];
    parent_of(key, parent);
    return bp_local_open(storage, parent, OPEN_DIR);
}

int
bp_local_adopt(struct bp_storage *storage, int fd, bool is_dir)
{
    const struct bp_local_config *set = &storage->set;
    bool owned = set->owner != (uid_t)-1 || set->group != (gid_t)-1;
    /* Giving away clears special bits, so the mode comes last. */
    if (owned && fchown(fd, set->owner, set->group) != 0) {
        return -errno;
    }
    mode_t mode = is_dir ? set->dir_mode : set->file_mode;
    bool explicit_mode = is_dir ? set->chmod_dirs : set->chmod_files;
    if ((explicit_mode || (owned && (mode & 07000) != 0)) && fchmod(fd, mode) != 0) {
        return -errno;
    }
    return 0;
}

/* Opens `name` in `dir`, making it if it is missing.  Looking first spares the directory's lock. */
static int
make_component(struct bp_storage *storage, int dir, const char *name)
{
    int fd = open_component(dir, name, OPEN_DIR);
    if (fd != -ENOENT) {
        return fd;
    }
    if (mkdirat(dir, name, storage->set.dir_mode) != 0) {
        return errno == EEXIST ? open_component(dir, name, OPEN_DIR) : -errno;
    }
    fd = open_component(dir, name, O_RDONLY | O_DIRECTORY);
    int status = fd < 0 ? fd : bp_local_adopt(storage, fd, true);
    if (fd >= 0 && status < 0) {
        (void)close(fd); /* opened for reading */
        return status;
    }
    return fd;
}

static int
make_path(struct bp_storage *storage, char *path)
{
    int dir = storage->root_fd;
    for (char *name = path;;) {
        char *slash = strchr(name, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        int next = make_component(storage, dir, name);
        if (dir != storage->root_fd) {
            (void)close(dir); /* opened for reading or O_PATH */
        }
        if (next < 0 || slash == NULL) {
            return next;
        }
        dir = next;
        name = slash + 1;
    }
}

int
bp_local_make_parent(struct bp_storage *storage, const char *key)
{
    char parent[BP_KEY_MAX + 1];
    int fd = bp_local_open_parent(storage, key);
    /* A parallel remove may take a directory away between our making and opening it. */
    for (unsigned attempt = 0; fd == -ENOENT && attempt < 64; attempt++) {
        parent_of(key, parent);
        fd = make_path(storage, parent);
    }
    return fd;
}

void
bp_local_prune(struct bp_storage *storage, const char *key)
{
    char path[BP_KEY_MAX + 1];
    parent_of(key, path);
    while (path[0] != '\0') {
        int dir = bp_local_open_parent(storage, path);
        if (dir < 0) {
            return;
        }
        int failed = unlinkat(dir, bp_local_base(path), AT_REMOVEDIR);
        (void)close(dir); /* O_PATH */
        if (failed != 0) {
            return;
        }
        path[bp_local_parent_len(path)] = '\0';
    }
}

/* The first part of `key` that is neither a directory nor the last one: a link or a file. */
static bool
find_obstacle(struct bp_storage *storage, const char *key, char *obstacle, mode_t *type)
{
    for (size_t len = 0; key[len] != '\0';) {
        struct stat st;
        len += 1 + strcspn(key + len + 1, "/");
        memcpy(obstacle, key, len);
        obstacle[len] = '\0';
        int dir = bp_local_open_parent(storage, obstacle);
        if (dir < 0) {
            return false;
        }
        int failed = fstatat(dir, bp_local_base(obstacle), &st, AT_SYMLINK_NOFOLLOW);
        (void)close(dir); /* O_PATH */
        if (failed != 0) {
            return false;
        }
        if (!S_ISDIR(st.st_mode)) {
            *type = st.st_mode & S_IFMT;
            return true;
        }
    }
    return false;
}

bp_status
bp_local_fail(struct bp_storage *storage, int errnum, const char *verb, const char *key,
              struct bp_error *error)
{
    char obstacle[BP_KEY_MAX + 1];
    mode_t type;
    const char *root = storage->set.root;
    const char *slash = root[1] == '\0' ? "" : "/";

    if ((errnum == ELOOP || errnum == ENOTDIR) && storage->root_fd >= 0 &&
        find_obstacle(storage, key, obstacle, &type)) {
        bool link = type == S_IFLNK;
        bp_status cls = link ? BP_ERR_DENIED : bp_errno_class(errnum);
        bp_fail(error, cls, "cannot %s %s%s%s: %s%s%s is %s", verb, root, slash, key, root, slash,
                obstacle,
                link ? "a symbolic link, and links below the root are not followed"
                     : "not a directory");
        error->sys_errno = errnum;
        return cls;
    }
    return bp_fail_errno(error, errnum, "cannot %s %s%s%s", verb, root, slash, key);
}

/* mkdir -p; links in the root's own path are the operator's business. */
static int
make_root(const struct bp_local_config *set)
{
    g_autofree char *path = g_strdup(set->root);
    for (char *slash = path + 1;; *slash++ = '/') {
        slash += strcspn(slash, "/");
        bool last = *slash == '\0';
        *slash = '\0';
        if (mkdir(path, set->dir_mode) != 0 && errno != EEXIST) {
            return -errno;
        }
        if (last) {
            return 0;
        }
    }
}

static int
open_root(struct bp_storage *storage, enum bp_local_missing missing)
{
    const char *path = storage->set.root;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT) {
        return fd < 0 ? -errno : fd;
    }
    if (missing != BP_LOCAL_MAKE_ROOT || !storage->set.create_root) {
        return -ENOENT;
    }
    int status = make_root(&storage->set);
    if (status < 0) {
        return status;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    status = fd < 0 ? -errno : bp_local_adopt(storage, fd, true);
    if (fd >= 0 && status < 0) {
        (void)close(fd); /* opened for reading */
    }
    return status < 0 ? status : fd;
}

bp_status
bp_local_root(struct bp_storage *storage, enum bp_local_missing missing, int *fd,
              struct bp_error *error)
{
    pthread_mutex_lock(&storage->lock);
    *fd = storage->root_fd;
    pthread_mutex_unlock(&storage->lock);
    if (*fd >= 0) {
        return BP_OK;
    }

    int opened = open_root(storage, missing);
    if (opened < 0) {
        if (opened == -ENOTDIR) {
            bp_fail(error, BP_ERR_INVALID, "root %s is not a directory", storage->set.root);
            error->sys_errno = ENOTDIR;
            return error->cls;
        }
        return bp_fail_errno(error, -opened, "root directory %s", storage->set.root);
    }
    /* EPERM instead of ENOSYS: old container runtimes forbid calls they do not know. */
    int probe = bp_local_no_openat2 ? -ENOSYS : try_openat2(opened, ".", OPEN_DIR);
    if (probe >= 0) {
        (void)close(probe); /* O_PATH */
    }

    pthread_mutex_lock(&storage->lock);
    if (storage->root_fd < 0) {
        storage->root_fd = opened;
        storage->has_openat2 = probe >= 0;
        opened = -1;
    }
    *fd = storage->root_fd;
    pthread_mutex_unlock(&storage->lock);
    if (opened >= 0) {
        (void)close(opened); /* another thread was faster */
    }
    return BP_OK;
}
