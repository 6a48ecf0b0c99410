/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of what a run pins.  Only the server knows what is pinned: the hook `pinned` asks it, and
 * ends with 0 while something of ours is; `pin_lasts` is the longest that it may be after the host
 * has died.  The host that dies is a process of its own.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/source.h"

#include "sdk/lib/ban.h"

#define POLL_MS 50
#define PINNED "pinned"
#define LASTS "pin_lasts"

static bool
is_pinned(const struct bp_kit *kit)
{
    int code = bp_kit_command(kit, PINNED, NULL);
    if (code < 0 || code >= 126) { /* what sh says of a command that it cannot run */
        bp_kit_bail(kit, "hooks." PINNED " ended with code %d", code);
    }
    return code == 0;
}

static unsigned
pin_lasts_ms(const struct bp_kit *kit)
{
    const struct bp_kit_node *node = bp_kit_hook(kit, LASTS);
    uint64_t ms = (uint64_t)kit->options->timeout_s * 1000;
    if (node != NULL && (node->text == NULL || bp_parse_duration_ms(node->text, &ms) != 0 ||
                         ms > (uint64_t)kit->options->timeout_s * 1000)) {
        bp_kit_bail(kit, "hooks." LASTS ": expected a time of at most --timeout, such as 30s");
    }
    return (unsigned)ms;
}

/* False: something is pinned still. */
static bool
wait_until_free(const struct bp_kit *kit)
{
    long long end = bp_kit_now_ns() + (long long)pin_lasts_ms(kit) * 1000000;
    bool pinned = is_pinned(kit);
    while (pinned && bp_kit_now_ns() < end) {
        bp_kit_sleep_ms(POLL_MS);
        pinned = is_pinned(kit);
    }
    return !pinned;
}

/* Asked for as often as the plugin wants it, until somebody kills us or goes. */
static _Noreturn void
keep_alive(struct bp_kit_source *source, struct bp_run *run)
{
    const struct bp_kit *kit = source->kit;
    unsigned every_ms = source->keepalive_ms > 0 ? source->keepalive_ms : 1000;
    for (;;) {
        struct bp_error error;
        bp_kit_sleep_ms(every_ms);
        if (source->keepalive_ms > 0 && kit->source.run_keepalive != NULL) {
            bp_error_init(&error);
            (void)kit->source.run_keepalive(run, bp_kit_context(NULL), &error);
        }
    }
}

/* In a process of its own: a run in which a unit has begun, and nothing ends. */
static _Noreturn void
pin_and_stay(struct bp_kit *kit, int go, int told)
{
    struct bp_kit_source source;
    struct bp_kit_units units;
    char byte = 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(go, &byte, 1) != 1) {
        _exit(1);
    }
    bp_kit_source_open(kit, NULL, &source);
    bp_kit_source_probe(&source);
    bp_kit_plan(&source, &units);
    const struct bp_kit_unit *unit = bp_kit_some_unit(&source, &units);
    struct bp_run *run = bp_kit_run_begin(&source, 0);
    bp_kit_unit_begin(&source, run, unit->id);
    if (write(told, "x", 1) != 1) {
        _exit(1);
    }
    keep_alive(&source, run);
}

/* What it promises, as its info says after probe. */
static bool
promises_pins(struct bp_kit *kit)
{
    struct bp_kit_source source;
    bp_kit_source_ready(kit, &source);
    bool promised = (source.info.features & BP_SOURCE_PIN) != 0;
    bp_kit_source_close(&source);
    return promised;
}

static void
check_expires(struct bp_kit *kit)
{
    int go[2], told[2];
    char byte = 0;
    if (pipe(go) != 0 || pipe(told) != 0) {
        bp_kit_skip(kit, "no pipe can be made here");
    }
    pid_t pid = fork(); /* before the plugin is loaded */
    if (pid == 0) {
        (void)close(go[1]);
        pin_and_stay(kit, go[0], told[1]);
    }
    (void)close(told[1]);
    bool promised = promises_pins(kit);
    if (!wait_until_free(kit)) {
        bp_kit_fail(kit, "hooks." PINNED " says that something is pinned while nothing runs");
    }
    if (pid < 0 || write(go[1], "x", 1) != 1 || read(told[0], &byte, 1) != 1) {
        bp_kit_fail(kit, "a run in another process did not come to the point where it is killed");
    }
    bool pinned = is_pinned(kit);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    if (!pinned && !promised) {
        bp_kit_skip(kit, "it promises no PIN, and hooks." PINNED " sees none");
    }
    if (!pinned) {
        bp_kit_fail(kit, "it promises PIN, and hooks." PINNED " says that nothing is pinned in a "
                         "run whose unit has begun");
    }
    if (!wait_until_free(kit)) {
        bp_kit_fail(kit, "%u ms after its host was killed something is pinned still",
                    pin_lasts_ms(kit));
    }
}

const struct bp_kit_check bp_kit_checks_pin[] = {
    {.name = "source.pin_expires",
     .contract = "what a run has pinned is free again by itself when its host dies",
     .run = check_expires,
     .hook = PINNED,
     .times = 5},
    BP_KIT_CHECKS_END,
};
