/* SPDX-License-Identifier: Apache-2.0
 *
 * Temporary files and the cleanup of what killed runs left behind.
 */
#include "plugins/storage-local/tmp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define LOCK_NAME "lock"
#define FOREIGN_AGE_S (24 * 3600)

/* File systems that only this machine can have mounted: a free lock proves the owner dead.  On
 * others the lock of another machine may be invisible here (nolock mounts), so age must agree. */
static bool
is_of_this_machine(int fd)
{
    static const uint32_t types[] = {
        0xEF53,     /* ext2, ext3, ext4 */
        0x58465342, /* XFS */
        0x9123683E, /* btrfs */
        0x01021994, /* tmpfs */
        0x2FC12FC1, /* ZFS */
        0xF2F52010, /* F2FS */
        0x794C7630, /* overlayfs */
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if ((uint32_t)fs.f_type == types[i]) {
            return true;
        }
    }
    return false;
}

static bool
is_recent(const struct stat *st)
{
    return time(NULL) - st->st_mtim.tv_sec < FOREIGN_AGE_S;
}

int
bp_local_tmp_claim(struct bp_storage *storage, int tmp_fd, const char *name)
{
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/" LOCK_NAME, name);
    if (fstatat(tmp_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return -errno;
    }
    if (!S_ISDIR(st.st_mode)) {
        return -ENOTDIR;
    }
    int fd = openat(tmp_fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return -errno;
    }
    int failed = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (failed == 0 && !is_of_this_machine(storage->root_fd) && is_recent(&st)) {
        failed = EWOULDBLOCK;
    }
    if (failed != 0) {
        (void)close(fd); /* nothing was written */
        return -failed;
    }
    return fd;
}

/* Removes all files of a folder but its lock, then the lock, then the folder. */
static void
remove_folder(int tmp_fd, const char *name)
{
    int fd = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_type != DT_DIR && strcmp(entry->d_name, LOCK_NAME) != 0) {
            (void)unlinkat(fd, entry->d_name, 0); /* what stays is tried again next time */
        }
    }
    (void)unlinkat(fd, LOCK_NAME, 0);
    (void)closedir(dir);
    (void)unlinkat(tmp_fd, name, AT_REMOVEDIR);
}

void
bp_local_tmp_sweep(struct bp_storage *storage, const struct bp_op *op)
{
    int fd = bp_local_open(storage, BP_LOCAL_TMP, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0) {
            (void)close(fd); /* opened for reading */
        }
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.' || storage->host->cancelled(op) != 0) {
            continue;
        }
        int lock = bp_local_tmp_claim(storage, fd, entry->d_name);
        if (lock >= 0) {
            remove_folder(fd, entry->d_name);
            (void)close(lock); /* nothing was written */
            bp_hostlog(storage->host, op, BP_LOG_INFO,
                       "%s/" BP_LOCAL_TMP ": removed %s of a dead run", storage->set.root,
                       entry->d_name);
        } else if (lock == -ENOENT) {
            /* Killed between making the folder and its lock: goes only if it is empty. */
            (void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(dir);
}

static void
choose_name(char *name, size_t cap)
{
    struct utsname host;
    uint32_t random = 0;
    if (uname(&host) != 0) {
        host.nodename[0] = '\0';
    }
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        random = (uint32_t)g_get_monotonic_time();
    }
    host.nodename[63] = '\0';
    g_strdelimit(host.nodename, "/.", '_');
    (void)snprintf(name, cap, "%s-%ld-%08" PRIx32, host.nodename, (long)getpid(), random);
}

static void
drop_folder(struct bp_storage *storage, struct bp_local_tmp *tmp)
{
    int parent = bp_local_open(storage, BP_LOCAL_TMP, O_PATH | O_DIRECTORY);
    if (parent >= 0) {
        remove_folder(parent, tmp->name);
        (void)close(parent); /* O_PATH */
    }
    (void)close(tmp->dir_fd); /* nothing was written, here and below */
    (void)close(tmp->lock_fd);
}

/* 1 = try again with another name: a sweeper took the new folder for a leftover. */
static int
make_folder(int parent, struct bp_local_tmp *tmp)
{
    struct stat st;
    choose_name(tmp->name, sizeof(tmp->name));
    if (mkdirat(parent, tmp->name, 0700) != 0) {
        return errno == EEXIST ? 1 : -errno;
    }
    tmp->dir_fd = openat(parent, tmp->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tmp->dir_fd < 0) {
        return errno == ENOENT ? 1 : -errno;
    }
    tmp->lock_fd = openat(tmp->dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int status = tmp->lock_fd >= 0 ? 0 : errno == ENOENT ? 1 : -errno;
    if (status == 0 && flock(tmp->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK ? 1 : -errno;
    }
    if (status == 0 && fstat(tmp->lock_fd, &st) == 0 && st.st_nlink == 0) {
        status = 1;
    }
    if (status != 0) {
        (void)close(tmp->dir_fd); /* nothing was written, here and below */
        if (tmp->lock_fd >= 0) {
            (void)close(tmp->lock_fd);
        }
        (void)unlinkat(parent, tmp->name, AT_REMOVEDIR);
    }
    return status;
}

/* Another instance removes .bakplane-tmp when it closes, perhaps between our two steps. */
static int
make_tmp(struct bp_storage *storage, struct bp_local_tmp *tmp)
{
    int status = 1;
    for (unsigned attempt = 0; status == 1 && attempt < 64; attempt++) {
        int parent = bp_local_make_parent(storage, BP_LOCAL_TMP "/x");
        if (parent < 0) {
            return parent;
        }
        status = make_folder(parent, tmp);
        status = status == -ENOENT ? 1 : status;
        (void)close(parent); /* O_PATH or opened for reading */
    }
    return status == 1 ? -EBUSY : status;
}

bp_status
bp_local_tmp_get(struct bp_storage *storage, const struct bp_op *op, struct bp_local_tmp **out,
                 struct bp_error *error)
{
    pthread_mutex_lock(&storage->lock);
    *out = storage->tmp;
    pthread_mutex_unlock(&storage->lock);
    if (*out != NULL) {
        return BP_OK;
    }

    int root;
    bp_status status = bp_local_root(storage, BP_LOCAL_MAKE_ROOT, &root, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree struct bp_local_tmp *tmp = g_new0(struct bp_local_tmp, 1);
    bp_local_tmp_sweep(storage, op);
    int made = make_tmp(storage, tmp);
    if (made < 0) {
        return bp_local_fail(storage, -made, "make a folder for temporary files in", BP_LOCAL_TMP,
                             error);
    }

    pthread_mutex_lock(&storage->lock);
    bool first = storage->tmp == NULL;
    if (first) {
        storage->tmp = tmp;
    }
    *out = storage->tmp;
    pthread_mutex_unlock(&storage->lock);
    if (first) {
        tmp = NULL; /* the instance owns it now */
    } else {
        drop_folder(storage, tmp); /* another thread was faster */
    }
    return BP_OK;
}

uint64_t
bp_local_tmp_next(struct bp_local_tmp *tmp)
{
    return atomic_fetch_add(&tmp->last, 1) + 1;
}

void
bp_local_tmp_name(uint64_t number, char *name)
{
    /* Long on purpose: ext4 walks through the names of a block, and does so for each new file. */
    (void)snprintf(name, BP_LOCAL_TMP_NAME, "%016" PRIx64, number);
}

bp_status
bp_local_tmp_create(struct bp_storage *storage, const struct bp_op *op, int *fd, uint64_t *number,
                    struct bp_error *error)
{
    struct bp_local_tmp *tmp;
    bp_status status = bp_local_tmp_get(storage, op, &tmp, error);
    if (status != BP_OK) {
        return status;
    }
    char name[BP_LOCAL_TMP_NAME];
    *number = bp_local_tmp_next(tmp);
    bp_local_tmp_name(*number, name);
    *fd = openat(tmp->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, storage->set.file_mode);
    int adopted = *fd < 0 ? -errno : bp_local_adopt(storage, *fd, false);
    if (adopted < 0) {
        if (*fd >= 0) {
            (void)close(*fd); /* nothing was written */
            (void)unlinkat(tmp->dir_fd, name, 0);
        }
        return bp_local_fail(storage, -adopted, "make a temporary file in", BP_LOCAL_TMP, error);
    }
    return BP_OK;
}

void
bp_local_tmp_remove(struct bp_storage *storage, uint64_t number)
{
    char name[BP_LOCAL_TMP_NAME];
    bp_local_tmp_name(number, name);
    (void)unlinkat(storage->tmp->dir_fd, name, 0); /* what stays goes at close */
}

void
bp_local_tmp_close(struct bp_storage *storage)
{
    struct bp_local_tmp *tmp = storage->tmp;
    if (tmp == NULL) {
        return;
    }
    drop_folder(storage, tmp);
    /* Not empty while other instances are at work. */
    (void)unlinkat(storage->root_fd, BP_LOCAL_TMP, AT_REMOVEDIR);
    g_free(tmp);
    storage->tmp = NULL;
}
