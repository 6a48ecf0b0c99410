/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of connections that plugins have in common: those that declare these keys under
 * these names get a bp_http_config of them.
 *
 *     ca_file cert_file key_file key_password proxy min_tls connect_timeout idle_timeout
 *
 * A plugin may leave out keys that it does not declare.  Any thread, while `config` lives.
 */
#ifndef BAKPLANE_HTTP_SETTINGS_H
#define BAKPLANE_HTTP_SETTINGS_H

#include "sdk/http/client.h"

BP_BEGIN_DECLS

/**
 * Fills what the settings say, and zeroes the rest; an empty text counts as not set.  Texts are
 * borrowed from `config`.  @tls: non-zero where
 * the server is addressed by https.
 *
 * INVALID, naming the key: a certificate without its key or the other way round; files for TLS
 * where there is none.
 */
bp_status bp_http_config_load(struct bp_http_config *out, const struct bp_host *host,
                              const struct bp_config *config, int tls, struct bp_error *error);

BP_END_DECLS

#endif
