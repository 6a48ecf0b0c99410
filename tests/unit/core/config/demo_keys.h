/* SPDX-License-Identifier: Apache-2.0
 *
 * A table like a source plugin's, with every type and flag: for the tests of sections.
 */
#ifndef BP_TESTS_CONFIG_DEMO_KEYS_H
#define BP_TESTS_CONFIG_DEMO_KEYS_H

#include "core/config/config.h"

static const struct bp_config_key demo_keys[] = {
    {.name = "address",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .alias = "endpoint",
     .flag = "server"},
    {.name = "user", .type = BP_CONFIG_STRING, .def = "root"},
    {.name = "password", .type = BP_CONFIG_STRING, .flags = BP_CONFIG_SECRET},
    {.name = "storage", .type = BP_CONFIG_STRING},
    {.name = "port", .type = BP_CONFIG_INT, .def = "19530", .min = 1, .max = 65535},
    {.name = "tls.mode", .type = BP_CONFIG_CHOICE, .def = "off", .choices = "off|on"},
    {.name = "tls.ca_file", .type = BP_CONFIG_PATH},
    {.name = "wait", .type = BP_CONFIG_DURATION, .def = "30s"},
    {.name = "limit", .type = BP_CONFIG_SIZE, .def = "1MiB"},
    {.name = "fast", .type = BP_CONFIG_BOOL, .def = "false"},
    {.name = "names", .type = BP_CONFIG_STRING, .flags = BP_CONFIG_LIST},
};
static const bp_key_table demo_table = {
    .keys = demo_keys, .stride = sizeof demo_keys[0], .n = G_N_ELEMENTS(demo_keys)};
static const char *const demo_ignore[] = {"plugin", NULL};

/** The "source" section of `tree` with these flags, secrets resolved. */
static inline bp_settings *
demo_section(const bp_config_tree *tree, const char *const *overrides, GError **error)
{
    bp_config_section_params params = {.path = "source",
                                       .tables = &demo_table,
                                       .n_tables = 1,
                                       .overrides = overrides,
                                       .ignore = demo_ignore,
                                       .secrets = true};
    return bp_config_section(tree, &params, error);
}

#endif
