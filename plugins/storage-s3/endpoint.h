/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a bucket is found: scheme, host, port, and the bucket in the path or in the host's name.
 */
#ifndef BAKPLANE_STORAGE_S3_ENDPOINT_H
#define BAKPLANE_STORAGE_S3_ENDPOINT_H

#include <bakplane/error.h>

#include "plugins/storage-s3/provider.h"

struct bp_s3_endpoint {
    bool tls;
    char *host; /**< small letters, "[…]" for IPv6 */
    unsigned port;
};

/**
 * Takes "host", "host:port" or "http(s)://host[:port][/]".  `tls` is 1, 0 or -1 = not said.
 * INVALID names `key`, the setting.
 */
bp_status bp_s3_endpoint_parse(struct bp_s3_endpoint *out, const char *key, const char *text,
                               int tls, struct bp_error *error);
void bp_s3_endpoint_clear(struct bp_s3_endpoint *endpoint);

bool bp_s3_endpoint_is_address(const struct bp_s3_endpoint *endpoint); /* 127.0.0.1, [::1] */

/** Region named in a host of the provider (newly allocated), or NULL. */
char *bp_s3_region_of_host(const struct bp_s3_provider *provider, const char *host);

/** "host" or "host:port" where that is not the scheme's own (newly allocated). */
char *bp_s3_authority(const struct bp_s3_endpoint *endpoint, const char *host);
/** "https://host:port", always with a port: equal for equal places (newly allocated). */
char *bp_s3_endpoint_canonical(const struct bp_s3_endpoint *endpoint);

#endif
