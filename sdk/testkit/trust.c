/* SPDX-License-Identifier: Apache-2.0
 *
 * See trust.h.  Link by link, as bakplane walks it (core/plugin/trust.c): whoever may change a link
 * chooses what is loaded.
 */
#include "sdk/testkit/trust.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define LINKS_MAX 40 /* the kernel's own limit */

/* A path on its way from left to right: what was looked at and is trusted, and what is left. */
struct walk {
    char *done; /* without links; "" is the root */
    char *rest;
    unsigned links;
};

static bool
check_mode(const char *path, const struct stat *st, char **why)
{
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        *why = bp_kit_text("%s belongs to user %u, neither to root nor to us", path,
                           (unsigned)st->st_uid);
        return false;
    }
    /* In a sticky directory of root's nobody can rename or remove what belongs to others. */
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0 && st->st_uid == 0;
    if (!S_ISLNK(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
        *why = bp_kit_text("others may write to %s (mode %04o); chmod go-w %s", path,
                           (unsigned)st->st_mode & 07777, path);
        return false;
    }
    return true;
}

static void
replace(char **text, char *take_other)
{
    free(*text);
    *text = take_other;
}

/* Puts a link's target in front of the rest. */
static bool
follow(struct walk *way, const char *link, char **why)
{
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target);
    if (n < 0 || n == (ssize_t)sizeof target || ++way->links > LINKS_MAX) {
        *why = bp_kit_text("%s cannot be resolved", link);
        return false;
    }
    replace(&way->rest, bp_kit_text("%.*s/%s", (int)n, target, way->rest));
    if (target[0] == '/') {
        way->done[0] = '\0';
    }
    return true;
}

static bool
step_into(struct walk *way, const char *name, char **why)
{
    struct stat st;
    char *path = bp_kit_text("%s/%s", way->done, name);
    bool fine = lstat(path, &st) == 0;
    if (!fine) {
        *why = bp_kit_text("%s cannot be looked at", path);
    }
    fine = fine && check_mode(path, &st, why);
    if (fine && S_ISLNK(st.st_mode)) {
        fine = follow(way, path, why);
    } else if (fine && strspn(way->rest, "/") == strlen(way->rest) && !S_ISREG(st.st_mode)) {
        *why = bp_kit_text("%s is no regular file", path);
        fine = false;
    } else if (fine) {
        replace(&way->done, bp_kit_dup(path));
    }
    free(path);
    return fine;
}

static bool
step(struct walk *way, char **why)
{
    const char *start = way->rest + strspn(way->rest, "/");
    size_t n = strcspn(start, "/");
    char *name = bp_kit_text("%.*s", (int)n, start);
    bool fine = true;
    replace(&way->rest, bp_kit_dup(start + n));
    if (strcmp(name, "..") == 0) {
        char *slash = strrchr(way->done, '/');
        *(slash != NULL ? slash : way->done) = '\0';
    } else if (*name != '\0' && strcmp(name, ".") != 0) {
        fine = step_into(way, name, why);
    }
    free(name);
    return fine;
}

static bool
is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

bool
bp_kit_trust(const char *path, const char *dir, char **why)
{
    struct stat root = {0};
    const char *slash = strrchr(path, '/');
    char *there = bp_kit_text("%s/%s", dir, slash != NULL ? slash + 1 : path);
    struct walk way = {.done = bp_kit_dup(""), .rest = bp_kit_dup(there)};
    bool fine = is_same_file(path, there);
    if (!fine) {
        *why = bp_kit_text("%s is not there, or another file than %s", there, path);
    }
    (void)lstat("/", &root); /* it is always there */
    fine = fine && check_mode("/", &root, why);
    while (fine && *way.rest != '\0') {
        fine = step(&way, why);
    }
    free(way.done);
    free(way.rest);
    free(there);
    return fine;
}
