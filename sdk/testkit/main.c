/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane-plugin-test: checks a plugin against the contract of the plugin ABI.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sdk/testkit/checks.h"
#include "sdk/testkit/hooks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/runner.h"

#include "sdk/lib/ban.h"

static const struct bp_kit_check *const storage_tables[] = {
    bp_kit_checks_load,   bp_kit_checks_config,  bp_kit_checks_write,  bp_kit_checks_condition,
    bp_kit_checks_read,   bp_kit_checks_list,    bp_kit_checks_many,   bp_kit_checks_remove,
    bp_kit_checks_copy,   bp_kit_checks_parts,   bp_kit_checks_errors, bp_kit_checks_server,
    bp_kit_checks_cancel, bp_kit_checks_threads, bp_kit_checks_leaks,  NULL,
};
static const struct bp_kit_check *const source_tables[] = {
    bp_kit_checks_load, bp_kit_checks_source,  bp_kit_checks_capture,
    bp_kit_checks_pin,  bp_kit_checks_restore, NULL};

/* All checks of a kind, one after the other. */
static const struct bp_kit_check **
gather(enum bp_kit_kind kind, size_t *n)
{
    const struct bp_kit_check *const *table =
        kind == BP_KIT_SOURCE ? source_tables : storage_tables;
    const struct bp_kit_check **all = NULL;
    *n = 0;
    for (; *table != NULL; table++) {
        for (const struct bp_kit_check *check = *table; check->name != NULL; check++) {
            all = bp_kit_grow(all, *n + 1, sizeof(const struct bp_kit_check *));
            all[(*n)++] = check;
        }
    }
    return all;
}

static void
print_list(const struct bp_kit_options *options, const struct bp_kit_check *const *checks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bp_kit_options_want(options, checks[i]->name)) {
            (void)printf("%-24s %s%s%s%s\n", checks[i]->name, checks[i]->contract,
                         checks[i]->hook != NULL ? " [hook " : "",
                         checks[i]->hook != NULL ? checks[i]->hook : "",
                         checks[i]->hook != NULL ? "]" : "");
        }
    }
}

/* glibc keeps freed memory per thread and counts it as in use; a check counts, too. */
static void
restart_without_caches(char **argv)
{
    if (getenv("GLIBC_TUNABLES") == NULL &&
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1) == 0) {
        (void)execv("/proc/self/exe", argv); /* else one check is less exact */
    }
}

/* From / on, since dlopen searches for what has no '/'; links stay: bakplane goes by their names.
 */
static char *
absolute(const char *path)
{
    char here[4096];
    if (access(path, F_OK) != 0 || (*path != '/' && getcwd(here, sizeof here) == NULL)) {
        perror(path);
        return NULL;
    }
    return *path == '/' ? bp_kit_dup(path) : bp_kit_text("%s/%s", here, path);
}

static bool
check_config(const struct bp_kit_options *options, const struct bp_kit_node *config)
{
    char *why = bp_kit_hooks_check(config, options->kind);
    if (why != NULL) {
        (void)fprintf(stderr, "%s:%s\n", options->config, why);
    }
    bool fine = why == NULL;
    free(why);
    return fine;
}

static int
run_checks(struct bp_kit_options *options, const struct bp_kit_check *const *checks, size_t n)
{
    int exit_code = BP_KIT_USAGE;
    char *path = absolute(options->plugin);
    char *trust = options->trust != NULL ? absolute(options->trust) : NULL;
    struct bp_kit_node *config = bp_kit_node_load(options->config);
    bool there = path != NULL && (trust != NULL || options->trust == NULL);
    options->plugin = path;
    options->trust = trust;
    if (there && config != NULL && check_config(options, config)) {
        exit_code = bp_kit_run(options, config, checks, n);
    }
    free(path);
    free(trust);
    bp_kit_node_free(config);
    return exit_code;
}

int
main(int argc, char **argv)
{
    struct bp_kit_options options;
    int exit_code = BP_KIT_PASSED;
    size_t n = 0;
    restart_without_caches(argv);
    /* A check ends by _exit, and what a plugin's author prints should be seen all the same. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (!bp_kit_options_parse(&options, argc, argv, &exit_code)) {
        return exit_code;
    }
    const struct bp_kit_check **checks = gather(options.kind, &n);
    if (options.list) {
        print_list(&options, checks, n);
        exit_code = BP_KIT_PASSED;
    } else {
        exit_code = run_checks(&options, checks, n);
    }
    free(checks);
    return exit_code;
}
