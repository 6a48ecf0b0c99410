/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS for the scripted HTTP server: an authority, certificates, and the transport.
 */
#ifndef BP_TESTS_HARNESS_HTTPD_TLS_H
#define BP_TESTS_HARNESS_HTTPD_TLS_H

#include "tests/harness/httpd.h"

#define BP_HTTPD_KEY_PASSWORD "let me in"

struct bp_httpd_tls_config {
    const char *name; /**< what the server's certificate is for; NULL = "IP:127.0.0.1" */
    int max_tls;      /**< 12 = nothing newer; 0 = all */
    int wants_client; /**< ask for the client's certificate, and end without one */
};

struct bp_httpd_tls;

/**
 * Writes into `folder`: ca.pem; other-ca.pem, another authority; client.pem and client.key, signed
 * by ca; locked.key, the same key behind BP_HTTPD_KEY_PASSWORD; both.pem, certificate and key.
 */
struct bp_httpd_tls *bp_httpd_tls_new(const char *folder, const struct bp_httpd_tls_config *config);
/** For bp_httpd_start_over. */
const struct bp_httpd_transport *bp_httpd_tls_transport(const struct bp_httpd_tls *tls);
/** Removes the files, too. */
void bp_httpd_tls_free(struct bp_httpd_tls *tls);

#endif
