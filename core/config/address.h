/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses with a port, as people write them: 127.0.0.1:8080, [::1]:8080.  No names: one may mean
 * another address tomorrow.  Pure.
 */
#ifndef BP_CORE_CONFIG_ADDRESS_H
#define BP_CORE_CONFIG_ADDRESS_H

#include <glib.h>
#include <stdbool.h>

/**
 * @host: (transfer full) without brackets; may be NULL, as port.  Port 0 = the system chooses.
 * INVALID
 */
bool bp_address_parse(const char *text, char **host, guint16 *port, GError **error);

/** A number from 0 to 65535.  INVALID */
bool bp_address_parse_port(const char *text, guint16 *port, GError **error);

#endif
