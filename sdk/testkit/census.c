/* SPDX-License-Identifier: Apache-2.0
 *
 * See census.h.
 */
#include "sdk/testkit/census.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define DEPTH_MAX 64

extern char **environ;

static size_t
count_names(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    for (struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        n += entry->d_name[0] != '.' ? 1 : 0;
    }
    if (dir != NULL) {
        (void)closedir(dir); /* only read */
    }
    return n;
}

size_t
bp_kit_count_descriptors(void)
{
    size_t n = count_names("/proc/self/fd");
    return n > 0 ? n - 1 : 0;
}

size_t
bp_kit_count_threads(size_t most, unsigned ms)
{
    size_t n = count_names("/proc/self/task");
    for (unsigned waited = 0; n > most && waited < ms; waited += 10) {
        bp_kit_sleep_ms(10);
        n = count_names("/proc/self/task");
    }
    return n;
}

size_t
bp_kit_count_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static size_t
count_files(int fd, unsigned depth)
{
    size_t n = 0;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        (void)close(fd);
        return 0;
    }
    for (struct dirent *entry = NULL; (entry = readdir(dir)) != NULL;) {
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        n += S_ISREG(st.st_mode) ? 1 : 0;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
            int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            n += below >= 0 ? count_files(below, depth + 1) : 0;
        }
    }
    (void)closedir(dir); /* only read */
    return n;
}

size_t
bp_kit_count_files(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? count_files(fd, 0) : 0;
}

static void
append(char **text, char *take_more)
{
    char *joined = bp_kit_text("%s%s\n", *text, take_more);
    free(*text);
    free(take_more);
    *text = joined;
}

static void
append_signals(char **text)
{
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        if (sigaction(number, NULL, &action) == 0) {
            append(text, bp_kit_text("signal %d: %#" PRIxPTR, number,
                                     (uintptr_t)(void (*)(int))action.sa_handler));
        }
    }
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < 32; number++) {
        if (sigismember(&mask, number) == 1) {
            append(text, bp_kit_text("blocked signal %d", number));
        }
    }
}

char *
bp_kit_process_state(void)
{
    char here[4096] = "";
    char *text = bp_kit_dup("");
    mode_t mask = umask(0); /* no other thread makes files: the kit's only one runs this */
    (void)umask(mask);
    append(&text, bp_kit_text("umask: %04o", (unsigned)mask));
    append(&text, bp_kit_text("directory: %s", getcwd(here, sizeof here) != NULL ? here : "?"));
    append(&text, bp_kit_text("locale: %s", setlocale(LC_ALL, NULL)));
    append_signals(&text);
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
        append(&text, bp_kit_text("environment: %s", *variable));
    }
    return text;
}
