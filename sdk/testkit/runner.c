/* SPDX-License-Identifier: Apache-2.0
 *
 * See runner.h.
 */
#include "sdk/testkit/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/testkit/memory.h"
#include "sdk/testkit/summary.h"

#include "sdk/lib/ban.h"

#define REPORT_MAX 8192

/* What became of one process. */
struct outcome {
    int status; /* as waitpid answers it */
    bool late;
    char why[REPORT_MAX];
};

struct run {
    const struct bp_kit_options *options;
    const struct bp_kit_node *config;
    char *prefix; /* of all keys of this run; ends in '/' */
    struct bp_kit_step *step;
    struct outcome last;
    bool bails; /* it is over: what is found while sweeping up does not matter any more */
};

/* As a double-quoted scalar of YAML. */
static void
print_quoted(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            (void)printf("\\%c", c);
        } else if (c < 0x20 || c == 0x7F) {
            (void)printf("\\x%02x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void
take_line(struct run *run, const char *line)
{
    if (line[0] == BP_KIT_SAYS_NOTE) {
        (void)printf("# %s\n", line + 1);
    } else if (run->last.why[0] == '\0') {
        (void)snprintf(run->last.why, sizeof run->last.why, "%s", line + 1);
    }
}

/* Reads reports until the process has closed its end, or time is up. */
static void
listen_to(struct run *run, int fd, unsigned timeout_s)
{
    char buffer[REPORT_MAX];
    size_t n = 0;
    long long end = bp_kit_now_ns() + (long long)timeout_s * 1000000000;
    for (;;) {
        long long left_ms = (end - bp_kit_now_ns()) / 1000000;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms + 1) : 0;
        if (ready == 0) {
            run->last.late = true;
            return;
        }
        ssize_t got = ready > 0 ? read(fd, buffer + n, sizeof buffer - n - 1) : -1;
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return;
        }
        n += got > 0 ? (size_t)got : 0;
        buffer[n] = '\0';
        for (char *line = buffer, *stop = NULL; (stop = strchr(line, '\n')) != NULL;) {
            *stop = '\0';
            take_line(run, line);
            n -= (size_t)(stop + 1 - line);
            memmove(buffer, stop + 1, n + 1);
        }
        n = n == sizeof buffer - 1 ? 0 : n;
    }
}

/* It goes when we go, and SIGPIPE does what it does in a program that knows nothing of it. */
static void
settle_in(pid_t parent)
{
    sigset_t pipe_signal;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(BP_KIT_END_FAIL); /* it was too late to ask for that */
    }
    (void)setpgid(0, 0);            /* a new process may lead a group */
    (void)signal(SIGPIPE, SIG_DFL); /* whoever started us may have had it ignored */
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)sigprocmask(SIG_UNBLOCK, &pipe_signal, NULL);
}

/* Standard output is ours: what a plugin prints goes where it can be seen and does no harm. */
static _Noreturn void
be_the_check(struct run *run, const struct bp_kit_check *check, int report_fd)
{
    struct bp_kit kit = {.options = run->options,
                         .config = run->config,
                         .check = check,
                         .run_prefix = run->prefix,
                         .prefix = bp_kit_text("%s%s/", run->prefix, check->name),
                         .report_fd = report_fd,
                         .step = run->step};
    if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        _exit(BP_KIT_END_FAIL);
    }
    check->run(&kit);
    if (bp_kit_leaks()) {
        bp_kit_fail(&kit, "LeakSanitizer found memory that nobody holds, see standard error");
    }
    _exit(BP_KIT_END_PASS);
}

static void
run_process(struct run *run, const struct bp_kit_check *check)
{
    int ends[2];
    unsigned times = check->times > 0 ? check->times : 1;
    memset(&run->last, 0, sizeof run->last);
    memset(run->step, 0, sizeof *run->step);
    (void)fflush(NULL); /* else both would print it */
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("bakplane-plugin-test: pipe");
        exit(BP_KIT_USAGE);
    }
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        settle_in(self);
        (void)close(ends[0]);
        be_the_check(run, check, ends[1]);
    }
    if (pid < 0) {
        perror("bakplane-plugin-test: fork");
        exit(BP_KIT_USAGE);
    }
    (void)setpgid(pid, pid); /* also here, so that it is true before it may be killed */
    (void)close(ends[1]);
    listen_to(run, ends[0], run->options->timeout_s * times);
    (void)close(ends[0]);
    if (run->last.late) {
        (void)kill(-pid, SIGKILL);
    }
    while (waitpid(pid, &run->last.status, 0) < 0 && errno == EINTR) {
    }
    (void)kill(-pid, SIGKILL); /* what it may have left behind */
}

/* What happened to a process that ended in no agreed way. */
static char *
describe_end(const struct run *run, const struct bp_kit_check *check)
{
    const struct bp_kit_step *step = run->step;
    char *where = step->call[0] == '\0' ? bp_kit_dup("before the first call")
                                        : bp_kit_text("in or after %s%s%s", step->call,
                                                      step->on[0] != '\0' ? " of " : "", step->on);
    char *text = NULL;
    if (run->last.late) {
        unsigned times = check->times > 0 ? check->times : 1;
        text =
            bp_kit_text("it did not end within %u s: %s", run->options->timeout_s * times, where);
    } else if (WIFSIGNALED(run->last.status)) {
        int number = WTERMSIG(run->last.status);
        const char *name = sigabbrev_np(number);
        text = bp_kit_text("the process was ended by SIG%s, %s", name != NULL ? name : "?", where);
    } else {
        text = bp_kit_text("the process ended itself with code %d, %s",
                           WEXITSTATUS(run->last.status), where);
    }
    free(where);
    return text;
}

static void
print_failure(const struct run *run, const struct bp_kit_check *check, size_t number)
{
    bool agreed = !run->last.late && WIFEXITED(run->last.status) &&
                  WEXITSTATUS(run->last.status) == BP_KIT_END_FAIL;
    char *ended = agreed ? NULL : describe_end(run, check);
    (void)printf("not ok %zu - %s\n  ---\n  contract: ", number, check->name);
    print_quoted(check->contract);
    (void)fputs("\n  found: ", stdout);
    print_quoted(ended != NULL ? ended : run->last.why);
    (void)fputs("\n  ...\n", stdout);
    free(ended);
}

static const char *
missing_hook(const struct run *run, const struct bp_kit_check *check)
{
    const struct bp_kit_node *hooks = bp_kit_node_get(run->config, "hooks");
    bool there = check->hook == NULL || bp_kit_node_get(hooks, check->hook) != NULL;
    return there ? NULL : check->hook;
}

static void run_aside(struct run *run, const struct bp_kit_check *check);

/* The file is of no use, which the checks before this one did not notice. */
static _Noreturn void
bail_out(struct run *run)
{
    char *why = bp_kit_dup(run->last.why);
    run->bails = true;
    run_aside(run, &bp_kit_sweep);
    (void)printf("Bail out! %s\n", why);
    exit(BP_KIT_USAGE);
}

/* False: it failed. */
static bool
run_check(struct run *run, const struct bp_kit_check *check, size_t number)
{
    const char *hook = missing_hook(run, check);
    if (hook != NULL) {
        (void)printf("ok %zu - %s # SKIP needs hook %s\n", number, check->name, hook);
        return true;
    }
    run_process(run, check);
    int code = !run->last.late && WIFEXITED(run->last.status) ? WEXITSTATUS(run->last.status) : -1;
    if (code == BP_KIT_END_PASS) {
        (void)printf("ok %zu - %s\n", number, check->name);
    } else if (code == BP_KIT_END_SKIP) {
        (void)printf("ok %zu - %s # SKIP %s\n", number, check->name, run->last.why);
    } else if (code == BP_KIT_END_BAIL) {
        bail_out(run);
    } else {
        print_failure(run, check, number);
        return false;
    }
    return true;
}

static char *
make_prefix(const struct bp_kit_node *config)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = (uint32_t)getpid();
    }
    const char *top = bp_kit_node_text(config, "prefix", "bakplane-plugin-test");
    return bp_kit_text("%s/%08x/", top, random);
}

/* Beside the checks: its failure is told, and is none of the plugin's. */
static void
run_aside(struct run *run, const struct bp_kit_check *check)
{
    run_process(run, check);
    bool bails = WIFEXITED(run->last.status) && WEXITSTATUS(run->last.status) == BP_KIT_END_BAIL;
    if (bails && !run->bails) {
        (void)printf("Bail out! %s\n", run->last.why);
        exit(BP_KIT_USAGE);
    }
    if (run->last.late || run->last.status != 0) {
        char *ended = run->last.why[0] != '\0' ? NULL : describe_end(run, check);
        (void)printf("# %s: %s\n", check->name, ended != NULL ? ended : run->last.why);
        free(ended);
    }
}

int
bp_kit_run(const struct bp_kit_options *options, const struct bp_kit_node *config,
           const struct bp_kit_check *const *checks, size_t n)
{
    struct run run = {.options = options, .config = config};
    size_t wanted = 0, number = 0, failed = 0;
    run.prefix = make_prefix(config);
    run.step =
        mmap(NULL, sizeof *run.step, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run.step == MAP_FAILED) {
        perror("bakplane-plugin-test: mmap");
        return BP_KIT_USAGE;
    }
    for (size_t i = 0; i < n; i++) {
        wanted += bp_kit_options_want(options, checks[i]->name) ? 1 : 0;
    }
    if (wanted == 0) {
        (void)fprintf(stderr, "bakplane-plugin-test: --only %s names no check\n", options->only);
        return BP_KIT_USAGE;
    }
    (void)printf("TAP version 13\n1..%zu\n", wanted);
    run_aside(&run, &bp_kit_summary);
    for (size_t i = 0; i < n; i++) {
        if (bp_kit_options_want(options, checks[i]->name)) {
            failed += run_check(&run, checks[i], ++number) ? 0 : 1;
        }
    }
    run_aside(&run, &bp_kit_sweep);
    (void)printf("# %zu of %zu checks failed\n", failed, wanted);
    free(run.prefix);
    return failed > 0 ? BP_KIT_FAILED : BP_KIT_PASSED;
}
