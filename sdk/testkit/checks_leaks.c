/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of what a plugin leaves behind, and of what it does when memory is refused.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/census.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/round.h"

#include "sdk/lib/ban.h"

#define WARM 5
#define ROUNDS 20
#define REFUSALS_MAX 200

/* Libraries may fill caches while they are warming up; afterwards nothing may grow. */
static void
live(struct bp_kit *kit, const char *key, bool failing)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    if (failing) {
        bp_kit_failing_round(&store, key);
    } else {
        bp_kit_round(&store, key);
    }
    bp_kit_store_close(&store);
}

static void
check_descriptors(struct bp_kit *kit)
{
    const char *key = bp_kit_key(kit, "object");
    live(kit, key, false);
    live(kit, key, true);
    size_t before = bp_kit_count_descriptors();
    for (int i = 0; i < ROUNDS; i++) {
        live(kit, key, i % 2 == 0);
    }
    size_t after = bp_kit_count_descriptors();
    if (after > before) {
        bp_kit_fail(kit, "%d instances that were opened, used and closed left %zu descriptors open",
                    ROUNDS, after - before);
    }
}

static void
check_threads(struct bp_kit *kit)
{
    const char *key = bp_kit_key(kit, "object");
    live(kit, key, false);
    size_t before = bp_kit_count_threads(0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        live(kit, key, i % 2 == 0);
    }
    size_t after = bp_kit_count_threads(before, 2000);
    if (after > before) {
        bp_kit_fail(kit, "%d instances that were opened, used and closed left %zu threads", ROUNDS,
                    after - before);
    }
}

/* What grows with each round, and not once: a third of them must show a third of it. */
static void
check_memory(struct bp_kit *kit)
{
    size_t used[3] = {0};
    const char *key = bp_kit_key(kit, "object");
    for (int i = 0; i < WARM; i++) {
        live(kit, key, i % 2 == 0);
    }
    for (size_t third = 0; third < 3; third++) {
        size_t before = bp_kit_count_bytes();
        for (int i = 0; i < ROUNDS; i++) {
            live(kit, key, i % 2 == 0);
        }
        size_t after = bp_kit_count_bytes();
        used[third] = after > before ? after - before : 0;
    }
    size_t least = used[0] < used[1] ? used[0] : used[1];
    least = used[2] < least ? used[2] : least;
    if (least >= (size_t)ROUNDS * 8) {
        bp_kit_fail(kit, "each instance that was opened, used and closed left about %zu bytes",
                    least / ROUNDS);
    }
}

static void
check_host_memory(struct bp_kit *kit)
{
    const char *key = bp_kit_key(kit, "object");
    live(kit, key, false);
    live(kit, key, true);
    if (bp_kit_host_blocks() > 0) {
        bp_kit_fail(kit, "%zu blocks of the host's memory were not given back",
                    bp_kit_host_blocks());
    }
}

static void
check_files(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    char *root = bp_kit_dup(store.info.local_root);
    bp_kit_store_close(&store);
    if (*root == '\0') {
        bp_kit_skip(kit, "it keeps nothing on this machine, as far as it says");
    }
    const char *key = bp_kit_key(kit, "object");
    live(kit, key, false);
    size_t before = bp_kit_count_files(root);
    for (int i = 0; i < WARM; i++) {
        live(kit, key, i % 2 == 0);
    }
    size_t after = bp_kit_count_files(root);
    if (after > before) {
        bp_kit_fail(kit, "%d instances that removed all they wrote left %zu files in %s", WARM,
                    after - before, root);
    }
}

/* Refuses one request after the other until a life asks for no more. */
static void
check_refused(struct bp_kit *kit)
{
    const char *key = bp_kit_key(kit, "object");
    unsigned n = 0;
    bool reached = true;
    live(kit, key, false);
    while (reached && n < REFUSALS_MAX) {
        struct bp_kit_store store;
        struct bp_error error;
        struct bp_config *config = bp_kit_store_settings(kit, NULL, 0);
        bp_kit_host_refuse(++n);
        bp_status status = bp_kit_store_try_open(kit, config, &store, &error);
        bool opened = status == BP_OK;
        status = opened ? bp_kit_try_round(&store, key, &error) : status;
        reached = bp_kit_host_requests() >= n;
        bp_kit_host_refuse(0);
        if (status != BP_OK) {
            bp_kit_expect(kit, status, BP_ERR_NOMEM, &error,
                          "when request %u for memory is refused", n);
        }
        if (opened) {
            bp_kit_remove(&store, key);
            bp_kit_store_close(&store);
        }
        if (bp_kit_host_blocks() > 0) {
            bp_kit_fail(kit,
                        "when request %u for memory was refused, %zu blocks were not given "
                        "back",
                        n, bp_kit_host_blocks());
        }
    }
    if (n == 1) {
        bp_kit_skip(kit, "it asks the host for no memory");
    }
}

static void
check_state(struct bp_kit *kit)
{
    const char *key = bp_kit_key(kit, "object");
    char *before = bp_kit_process_state();
    live(kit, key, false);
    live(kit, key, true);
    char *after = bp_kit_process_state();
    for (char *a = before, *b = after; *a != '\0' || *b != '\0';) {
        size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");
        if (m != n || memcmp(a, b, n) != 0) {
            bp_kit_fail(kit, "it changed \"%.*s\" to \"%.*s\"", (int)m, a, (int)n, b);
        }
        a += m + (a[m] != '\0' ? 1 : 0);
        b += n + (b[n] != '\0' ? 1 : 0);
    }
}

/* Both streams lead into files while the plugin works. */
static void
check_stdio(struct bp_kit *kit)
{
    char name[] = "/tmp/bakplane-plugin-test-XXXXXX";
    struct stat st;
    int file = mkostemp(name, O_CLOEXEC);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    if (file < 0 || unlink(name) != 0 || out < 0 || err < 0) {
        bp_kit_skip(kit, "no scratch file can be made in /tmp");
    }
    (void)dup2(file, STDOUT_FILENO); /* both are open, so it cannot fail */
    (void)dup2(file, STDERR_FILENO);
    live(kit, bp_kit_key(kit, "object"), false);
    live(kit, bp_kit_key(kit, "object"), true);
    (void)fflush(NULL);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    if (fstat(file, &st) != 0 || st.st_size > 0) {
        bp_kit_fail(kit, "it wrote %lld bytes to standard output or standard error",
                    (long long)st.st_size);
    }
}

const struct bp_kit_check bp_kit_checks_leaks[] = {
    {.name = "leaks.descriptors",
     .contract = "a closed instance leaves no descriptor open",
     .run = check_descriptors},
    {.name = "leaks.threads",
     .contract = "a closed instance leaves no thread; it joins what it made",
     .run = check_threads},
    {.name = "leaks.memory",
     .contract = "a closed instance leaves no memory in use",
     .run = check_memory,
     .times = 2},
    {.name = "leaks.host_memory",
     .contract = "what came from the host's alloc goes back to the host's free",
     .run = check_host_memory},
    {.name = "leaks.files",
     .contract = "no temporary file stays on this machine",
     .run = check_files},
    {.name = "memory.refused",
     .contract = "when the host refuses memory the operation fails with NOMEM and leaves nothing",
     .run = check_refused,
     .times = 2},
    {.name = "process.state",
     .contract = "a plugin leaves signals, working directory, umask, locale and environment alone",
     .run = check_state},
    {.name = "process.stdio",
     .contract = "a plugin writes nothing to standard output or error: it logs through the host",
     .run = check_stdio},
    BP_KIT_CHECKS_END,
};
