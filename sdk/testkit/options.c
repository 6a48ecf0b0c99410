/* SPDX-License-Identifier: Apache-2.0
 *
 * See options.h.
 */
#include "sdk/testkit/options.h"

#include <bakplane/abi.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define TIMEOUT_S 60
#define TIMEOUT_MAX_S 86400

static const char usage[] =
    "Usage: bakplane-plugin-test PLUGIN.so --config FILE [OPTION...]\n"
    "       bakplane-plugin-test --list [--kind KIND]\n"
    "\n"
    "Checks a plugin against the contract of bakplane's plugin ABI, in TAP.\n"
    "\n"
    "  --config FILE    the plugin's settings and what else the checks need\n"
    "  --kind KIND      storage or source; without it, as the file's name says\n"
    "  --trust DIR      also check that bakplane would trust the file in this directory\n"
    "  --only NAMES     only these checks; names and patterns, separated by commas\n"
    "  --timeout TIME   how long one check may take (60s)\n"
    "  --list           name all checks, with what they hold the plugin to\n"
    "  --help, --version\n"
    "\n"
    "Exit code: 0 nothing failed, 1 something did, 2 the command or the file is wrong.\n";

enum { OPT_CONFIG = 256, OPT_KIND, OPT_TRUST, OPT_ONLY, OPT_TIMEOUT, OPT_LIST, OPT_VERSION };

static const struct option table[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"kind", required_argument, NULL, OPT_KIND},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"only", required_argument, NULL, OPT_ONLY},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"list", no_argument, NULL, OPT_LIST},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static bool
take_kind(struct bp_kit_options *options, const char *text)
{
    if (strcmp(text, "storage") != 0 && strcmp(text, "source") != 0) {
        (void)fprintf(stderr,
                      "bakplane-plugin-test: --kind: \"%s\" is neither storage nor source\n", text);
        return false;
    }
    options->kind = strcmp(text, "source") == 0 ? BP_KIT_SOURCE : BP_KIT_STORAGE;
    return true;
}

static bool
take_timeout(struct bp_kit_options *options, const char *text)
{
    uint64_t ms = 0;
    if (bp_parse_duration_ms(text, &ms) != 0 || ms < 1000 || ms / 1000 > TIMEOUT_MAX_S) {
        (void)fprintf(stderr,
                      "bakplane-plugin-test: --timeout: \"%s\" is no time of 1s to 24h, such as "
                      "90s\n",
                      text);
        return false;
    }
    options->timeout_s = (unsigned)(ms / 1000);
    return true;
}

/* As bakplane finds plugins: bakplane-<kind>-<name>.so. */
static enum bp_kit_kind
kind_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    return strncmp(base, "bakplane-source-", strlen("bakplane-source-")) == 0 ? BP_KIT_SOURCE
                                                                              : BP_KIT_STORAGE;
}

static bool
take_option(struct bp_kit_options *options, int option, bool *has_kind)
{
    switch (option) {
    case OPT_CONFIG:
        options->config = optarg;
        return true;
    case OPT_KIND:
        *has_kind = true;
        return take_kind(options, optarg);
    case OPT_TRUST:
        options->trust = optarg;
        return true;
    case OPT_ONLY:
        options->only = optarg;
        return true;
    case OPT_TIMEOUT:
        return take_timeout(options, optarg);
    case OPT_LIST:
        options->list = true;
        return true;
    default: /* getopt has said why */
        (void)fputs("hint: bakplane-plugin-test --help\n", stderr);
        return false;
    }
}

static bool
is_complete(const struct bp_kit_options *options, int left)
{
    const char *wrong = NULL;
    if (options->plugin == NULL && !options->list) {
        wrong = "which plugin? name its file";
    } else if (left > 1) {
        wrong = "one plugin at a time";
    } else if (options->config == NULL && !options->list) {
        wrong = "--config FILE is missing: the settings to test the plugin with";
    }
    if (wrong != NULL) {
        (void)fprintf(stderr, "bakplane-plugin-test: %s\nhint: bakplane-plugin-test --help\n",
                      wrong);
    }
    return wrong == NULL;
}

bool
bp_kit_options_parse(struct bp_kit_options *options, int argc, char **argv, int *exit_code)
{
    bool has_kind = false;
    int option = 0;
    *options = (struct bp_kit_options){.timeout_s = TIMEOUT_S};
    *exit_code = BP_KIT_USAGE;
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            *exit_code = BP_KIT_PASSED;
            return false;
        }
        if (option == OPT_VERSION) {
            (void)printf("bakplane-plugin-test, plugin ABI %d.%d\n", BP_ABI_MAJOR, BP_ABI_MINOR);
            *exit_code = BP_KIT_PASSED;
            return false;
        }
        if (!take_option(options, option, &has_kind)) {
            return false;
        }
    }
    options->plugin = optind < argc ? argv[optind] : NULL;
    if (!has_kind && options->plugin != NULL) {
        options->kind = kind_of_file(options->plugin);
    }
    return is_complete(options, argc - optind);
}

bool
bp_kit_options_want(const struct bp_kit_options *options, const char *check)
{
    char pattern[128];
    for (const char *at = options->only; at != NULL && *at != '\0';) {
        size_t n = strcspn(at, ",");
        if (n < sizeof pattern) {
            memcpy(pattern, at, n);
            pattern[n] = '\0';
            if (fnmatch(pattern, check, 0) == 0) {
                return true;
            }
        }
        at += n + (at[n] == ',' ? 1 : 0);
    }
    return options->only == NULL;
}
