/* SPDX-License-Identifier: Apache-2.0
 *
 * Can the database server read what is here?  A server that may not enter a directory lists it as
 * empty and reports success without data, so modes are looked at beforehand.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "plugins/storage-local/cursor.h"
#include "plugins/storage-local/info.h"
#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define MAX_GROUPS 256

/* Who is going to read: a known user with his groups, or anybody. */
struct visitor {
    char name[64]; /* "" = anybody */
    uid_t uid;
    gid_t groups[MAX_GROUPS];
    int n_groups;
};

/* His groups, as the user database has them; @gid: the main one if it does not know him. */
static void
find_groups(struct visitor *visitor, gid_t gid)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];
    bool known = getpwuid_r(visitor->uid, &entry, buffer, sizeof(buffer), &found) == 0;
    if (known && found != NULL) {
        (void)snprintf(visitor->name, sizeof(visitor->name), "%s", entry.pw_name);
        visitor->n_groups = MAX_GROUPS;
        /* -1: more groups than fit; those that fit were stored. */
        if (getgrouplist(entry.pw_name, entry.pw_gid, visitor->groups, &visitor->n_groups) < 0) {
            visitor->n_groups = MAX_GROUPS;
        }
    } else if (gid != (gid_t)-1) {
        visitor->groups[0] = gid;
        visitor->n_groups = 1;
    }
}

/* The user of the settings; else whoever owns the server's own data; else anybody. */
static void
init_visitor(struct visitor *visitor, const struct bp_local_config *set, const char *server_path)
{
    struct stat st;
    memset(visitor, 0, sizeof(*visitor));
    if (set->server_user != NULL) {
        visitor->uid = set->server_uid;
        (void)snprintf(visitor->name, sizeof(visitor->name), "%s", set->server_user);
        find_groups(visitor, set->server_gid);
    } else if (server_path != NULL && stat(server_path, &st) == 0) {
        visitor->uid = st.st_uid;
        (void)snprintf(visitor->name, sizeof(visitor->name), "%u", (unsigned)st.st_uid);
        find_groups(visitor, st.st_gid);
    }
}

static bool
has_group(const struct visitor *visitor, gid_t gid)
{
    for (int i = 0; i < visitor->n_groups; i++) {
        if (visitor->groups[i] == gid) {
            return true;
        }
    }
    return false;
}

/* The kernel's own rule: owner's bits for the owner, else group's, else others'. */
static bool
may(const struct visitor *visitor, const struct stat *st, mode_t bits)
{
    if (visitor->name[0] != '\0' && visitor->uid == 0) {
        return true;
    }
    mode_t have = st->st_mode & 7;
    if (visitor->name[0] != '\0' && st->st_uid == visitor->uid) {
        have = st->st_mode >> 6 & 7;
    } else if (visitor->name[0] != '\0' && has_group(visitor, st->st_gid)) {
        have = st->st_mode >> 3 & 7;
    }
    return (have & bits) == bits;
}

static void
owner_name(uid_t uid, char *out, size_t cap)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];
    if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL) {
        (void)snprintf(out, cap, "%s", found->pw_name);
    } else {
        (void)snprintf(out, cap, "user %u", (unsigned)uid);
    }
}

static bp_status
check_path(const struct visitor *visitor, const char *path, mode_t bits, struct bp_error *error)
{
    struct stat st;
    char owner[64];
    if (stat(path, &st) != 0) {
        return bp_fail_errno(error, errno, "cannot look at %s", path);
    }
    /* An access list says more than the mode; whether it lets him in is for the server to find. */
    if (may(visitor, &st, bits) || getxattr(path, "system.posix_acl_access", NULL, 0) > 0) {
        return BP_OK;
    }
    owner_name(st.st_uid, owner, sizeof(owner));
    const char *wanted = (bits & 4) == 0 ? "enter" : S_ISDIR(st.st_mode) ? "list" : "read";
    const char *add = (bits & 4) == 0 ? "x" : S_ISDIR(st.st_mode) ? "rx" : "r";
    if (visitor->name[0] != '\0') {
        return bp_fail(error, BP_ERR_DENIED,
                       "the database server's user %s cannot %s %s (owner %s, mode %04o): "
                       "give it the right, for example by chmod o+%s",
                       visitor->name, wanted, path, owner, (unsigned)st.st_mode & 07777, add);
    }
    return bp_fail(error, BP_ERR_DENIED,
                   "other users cannot %s %s (owner %s, mode %04o): name the database server's "
                   "user in server_user, or chmod o+%s",
                   wanted, path, owner, (unsigned)st.st_mode & 07777, add);
}

/* Each directory on the way must let him pass; the last one must be listed, too. */
static bp_status
check_way(const struct visitor *visitor, const char *dir, struct bp_error *error)
{
    g_autofree char *path = g_strdup(dir);
    bp_status status = BP_OK;
    for (char *slash = path; status == BP_OK;) {
        slash += 1 + strcspn(slash + 1, "/");
        bool last = *slash == '\0';
        char kept = slash[0];
        *slash = '\0';
        status = check_path(visitor, path, last ? 5 : 1, error);
        *slash = kept;
        if (last) {
            break;
        }
    }
    return status;
}

/* The object that a listing of the prefix shows first, with the directories on the way. */
static bp_status
check_first_object(struct bp_storage *storage, const struct bp_op *op,
                   const struct visitor *visitor, const char *prefix, struct bp_error *error)
{
    bool more;
    struct bp_local_found found;
    struct bp_local_cursor *cursor = bp_local_cursor_new(prefix, false, NULL, false);
    bp_status status = bp_local_cursor_next(storage, op, cursor, &found, &more, error);
    if (status == BP_OK && more) {
        g_autofree char *dir = g_strconcat(storage->set.root, "/", cursor->path->str, NULL);
        g_autofree char *file = g_strconcat(dir, found.name, NULL);
        dir[strlen(dir) - 1] = '\0';
        status = check_way(visitor, dir, error);
        if (status == BP_OK) {
            status = check_path(visitor, file, 4, error);
        }
    }
    bp_local_cursor_free(cursor);
    return status;
}

/* What is written from now on. */
static bp_status
check_modes(const struct visitor *visitor, const struct bp_local_config *set,
            struct bp_error *error)
{
    const struct stat file = {
        .st_uid = set->owner == (uid_t)-1 ? geteuid() : set->owner,
        .st_gid = set->group == (gid_t)-1 ? getegid() : set->group,
        .st_mode = set->file_mode,
    };
    struct stat dir = file;
    dir.st_mode = set->dir_mode;
    if (may(visitor, &dir, 5) && may(visitor, &file, 4)) {
        return BP_OK;
    }
    return bp_fail(error, BP_ERR_DENIED,
                   "%s%s could not read what is written here: change file_mode %04o, dir_mode "
                   "%04o or owner",
                   visitor->name[0] == '\0' ? "other users" : "the database server's user ",
                   visitor->name, (unsigned)set->file_mode, (unsigned)set->dir_mode);
}

bp_status
bp_local_check_server(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_probe_args *args, struct bp_error *error)
{
    const char *server_path = args->server_path;
    const char *prefix = args->prefix;
    struct visitor visitor;
    g_autofree char *dir = g_strconcat(storage->set.root, "/", prefix, NULL);
    init_visitor(&visitor, &storage->set, server_path);
    /* The part of the prefix that exists; what is missing will get the configured mode. */
    *strrchr(dir, '/') = '\0';
    while (strlen(dir) > strlen(storage->set.root) && access(dir, F_OK) != 0) {
        *strrchr(dir, '/') = '\0';
    }
    bp_status status = check_way(&visitor, dir[0] == '\0' ? "/" : dir, error);
    if (status == BP_OK) {
        status = check_modes(&visitor, &storage->set, error);
    }
    return status == BP_OK ? check_first_object(storage, op, &visitor, prefix, error) : status;
}
