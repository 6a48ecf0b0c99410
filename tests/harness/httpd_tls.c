/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys are of P-256: made in no time.
 */
#include "tests/harness/httpd_tls.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAY_S 86400L

struct pair {
    X509 *certificate;
    EVP_PKEY *key;
};

struct bp_httpd_tls {
    struct bp_httpd_transport transport;
    SSL_CTX *context;
    char folder[256];
};

static const char *const files[] = {"ca.pem",     "other-ca.pem", "client.pem",
                                    "client.key", "locked.key",   "both.pem"};

static void
check(int fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "httpd_tls: %s\n", what);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

static void
extend(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    check(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

/* Signed by `authority`, or by itself when that is NULL. */
static struct pair
make(const char *common_name, const char *alternative, const struct pair *authority)
{
    static long serial = 1;
    struct pair pair = {X509_new(), EVP_EC_gen("P-256")};
    X509 *certificate = pair.certificate;
    check(certificate != NULL && pair.key != NULL, "make");
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_S);
    X509_set_pubkey(certificate, pair.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1,
                               -1, 0);
    X509_set_issuer_name(
        certificate, authority != NULL ? X509_get_subject_name(authority->certificate) : subject);
    extend(certificate, NID_basic_constraints, authority != NULL ? "CA:FALSE" : "critical,CA:TRUE");
    if (alternative != NULL) {
        extend(certificate, NID_subject_alt_name, alternative);
    }
    check(X509_sign(certificate, authority != NULL ? authority->key : pair.key, EVP_sha256()) > 0,
          "sign");
    return pair;
}

static void
release(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

/* Certificate and key as asked for, the key behind the password if there is one. */
static void
save(const struct bp_httpd_tls *tls, const char *name, X509 *certificate, EVP_PKEY *key,
     const char *password)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", tls->folder, name);
    FILE *file = fopen(path, "w");
    check(file != NULL, path);
    if (certificate != NULL) {
        check(PEM_write_X509(file, certificate) == 1, path);
    }
    if (key != NULL) {
        const EVP_CIPHER *cipher = password != NULL ? EVP_aes_128_cbc() : NULL;
        check(PEM_write_PrivateKey(file, key, cipher, (const unsigned char *)password,
                                   password != NULL ? (int)strlen(password) : 0, NULL, NULL) == 1,
              path);
    }
    check(fclose(file) == 0, path);
}

static void *
accept_tls(void *ctx, int fd)
{
    const struct bp_httpd_tls *tls = ctx;
    SSL *ssl = SSL_new(tls->context);
    check(ssl != NULL && SSL_set_fd(ssl, fd) == 1, "accept");
    if (SSL_accept(ssl) != 1) {
        char rest[1024];
        ERR_clear_error();
        SSL_free(ssl);
        /* Not to overtake the alert that says why by a reset. */
        (void)shutdown(fd, SHUT_WR);
        while (read(fd, rest, sizeof(rest)) > 0) {
        }
        return NULL;
    }
    return ssl;
}

static long
recv_tls(void *connection, void *bytes, size_t n)
{
    int got = SSL_read(connection, bytes, (int)n);
    ERR_clear_error();
    return got;
}

static long
send_tls(void *connection, const void *bytes, size_t n)
{
    int sent = SSL_write(connection, bytes, (int)n);
    ERR_clear_error();
    return sent;
}

static int
has_more_tls(void *connection)
{
    return SSL_pending(connection) > 0;
}

static void
close_tls(void *connection)
{
    (void)SSL_shutdown(connection);
    ERR_clear_error();
    SSL_free(connection);
}

struct bp_httpd_tls *
bp_httpd_tls_new(const char *folder, const struct bp_httpd_tls_config *config)
{
    struct bp_httpd_tls *tls = calloc(1, sizeof(*tls));
    check(tls != NULL, "memory");
    snprintf(tls->folder, sizeof(tls->folder), "%s", folder);
    struct pair ca = make("bakplane test CA", NULL, NULL);
    struct pair other = make("another CA", NULL, NULL);
    struct pair client = make("client", NULL, &ca);
    struct pair server = make("server", config->name != NULL ? config->name : "IP:127.0.0.1", &ca);
    save(tls, "ca.pem", ca.certificate, NULL, NULL);
    save(tls, "other-ca.pem", other.certificate, NULL, NULL);
    save(tls, "client.pem", client.certificate, NULL, NULL);
    save(tls, "client.key", NULL, client.key, NULL);
    save(tls, "locked.key", NULL, client.key, BP_HTTPD_KEY_PASSWORD);
    save(tls, "both.pem", client.certificate, client.key, NULL);

    tls->context = SSL_CTX_new(TLS_server_method());
    check(tls->context != NULL && SSL_CTX_use_certificate(tls->context, server.certificate) == 1 &&
              SSL_CTX_use_PrivateKey(tls->context, server.key) == 1,
          "context");
    if (config->max_tls == 12) {
        check(SSL_CTX_set_max_proto_version(tls->context, TLS1_2_VERSION) == 1, "version");
    }
    if (config->wants_client) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(tls->context), ca.certificate);
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    release(&ca);
    release(&other);
    release(&client);
    release(&server);
    tls->transport =
        (struct bp_httpd_transport){accept_tls, recv_tls, send_tls, has_more_tls, close_tls, tls};
    return tls;
}

const struct bp_httpd_transport *
bp_httpd_tls_transport(const struct bp_httpd_tls *tls)
{
    return &tls->transport;
}

void
bp_httpd_tls_free(struct bp_httpd_tls *tls)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", tls->folder, files[i]);
        (void)unlink(path);
    }
    SSL_CTX_free(tls->context);
    free(tls);
}
