/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of connections.
 */
#include "sdk/http/settings.h"

#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

static const char *
text_of(const struct bp_host *host, const struct bp_config *config, const char *key)
{
    const char *text = bp_setting_text(host, config, key);
    return text == NULL || text[0] == '\0' ? NULL : text;
}

bp_status
bp_http_config_load(struct bp_http_config *out, const struct bp_host *host,
                    const struct bp_config *config, int tls, struct bp_error *error)
{
    const char *min_tls = text_of(host, config, "min_tls");
    *out = (struct bp_http_config){
        .ca_file = text_of(host, config, "ca_file"),
        .cert_file = text_of(host, config, "cert_file"),
        .key_file = text_of(host, config, "key_file"),
        .key_password = text_of(host, config, "key_password"),
        .proxy = text_of(host, config, "proxy"),
        .min_tls = min_tls != NULL && strcmp(min_tls, "1.3") == 0 ? 13 : 12,
        .connect_timeout_ms = (uint32_t)bp_setting_u64(host, config, "connect_timeout", 0),
        .idle_timeout_ms = (uint32_t)bp_setting_u64(host, config, "idle_timeout", 0),
    };
    const char *useless = out->ca_file != NULL     ? "ca_file"
                          : out->cert_file != NULL ? "cert_file"
                          : out->key_file != NULL  ? "key_file"
                                                   : NULL;
    if (useless != NULL && !tls) {
        return bp_fail(error, BP_ERR_INVALID, "%s: given, but the endpoint is not https", useless);
    }
    if ((out->cert_file == NULL) != (out->key_file == NULL)) {
        return bp_fail(error, BP_ERR_INVALID, "%s: missing beside %s",
                       out->cert_file == NULL ? "cert_file" : "key_file",
                       out->cert_file == NULL ? "key_file" : "cert_file");
    }
    return BP_OK;
}
