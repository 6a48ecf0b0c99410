/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed access to a plugin's settings.
 */
#include "sdk/lib/settings.h"

#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

const char *
bp_setting_text(const struct bp_host *host, const struct bp_config *config, const char *key)
{
    return host->config_get(config, key);
}

uint64_t
bp_setting_u64(const struct bp_host *host, const struct bp_config *config, const char *key,
               uint64_t fallback)
{
    const char *text = host->config_get(config, key);
    uint64_t value;
    return text != NULL && bp_parse_u64(text, &value) == 0 ? value : fallback;
}

int64_t
bp_setting_i64(const struct bp_host *host, const struct bp_config *config, const char *key,
               int64_t fallback)
{
    const char *text = host->config_get(config, key);
    int64_t value;
    return text != NULL && bp_parse_i64(text, &value) == 0 ? value : fallback;
}

bool
bp_setting_bool(const struct bp_host *host, const struct bp_config *config, const char *key,
                bool fallback)
{
    const char *text = host->config_get(config, key);
    bool value;
    return text != NULL && bp_parse_bool(text, &value) == 0 ? value : fallback;
}
