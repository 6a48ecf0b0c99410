/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of a client, checked once, and its lanes.  The lane used last is taken first: under
 * less load the others grow old, and libcurl does not use a connection that is.
 */
#define _POSIX_C_SOURCE 200809L /* access */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/http/exchange.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define CONNECT_TIMEOUT_MS 5000
#define IDLE_TIMEOUT_MS 60000
#define MAX_IDLE 32

/* Copies a text; NULL stays NULL.  Counts down to a failure in *fine. */
static char *
copy_text(const char *text, int *fine)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy == NULL) {
        *fine = 0;
        return NULL;
    }
    memcpy(copy, text, size);
    return copy;
}

static bp_secret *
copy_secret(const char *text, int *fine)
{
    bp_secret *secret = bp_secret_new(text);
    if (text != NULL && secret == NULL) {
        *fine = 0;
    }
    return secret;
}

/* Said now, with its name, rather than at each request by the TLS library. */
static bp_status
check_pem(const char *member, const char *path, struct bp_error *error)
{
    char line[256];
    int is_pem = 0;
    if (path == NULL) {
        return BP_OK;
    }
    errno = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)bp_fail_errno(error, errno, "%s %s", member, path);
        error->cls = BP_ERR_INVALID;
        return error->cls;
    }
    while (!is_pem && fgets(line, (int)sizeof(line), file) != NULL) {
        is_pem = strncmp(line, "-----BEGIN ", 11) == 0;
    }
    (void)fclose(file);
    bp_secret_wipe(line, sizeof(line));
    if (!is_pem) {
        return bp_fail(error, BP_ERR_INVALID, "%s %s: holds nothing in PEM form", member, path);
    }
    return BP_OK;
}

/* The scheme must be there: libcurl would guess. */
static bp_status
check_proxy(const char *proxy, struct bp_error *error)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    int known = 0;
    if (proxy == NULL) {
        return BP_OK;
    }
    CURLU *url = curl_url();
    char *scheme = NULL;
    if (url == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "proxy: no memory");
    }
    CURLUcode code = curl_url_set(url, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK && curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK) {
        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
            known |= strcmp(schemes[i], scheme) == 0;
        }
    }
    curl_free(scheme);
    curl_url_cleanup(url);
    if (!known) {
        /* Without the value: it may hold a password. */
        return bp_fail(error, BP_ERR_INVALID,
                       "proxy: not a URL that starts with http://, https:// or socks5://");
    }
    return BP_OK;
}

static bp_status
check(const struct bp_http_config *config, struct bp_error *error)
{
    if (config->min_tls != 0 && config->min_tls != 12 && config->min_tls != 13) {
        return bp_fail(error, BP_ERR_INVALID, "min_tls %u: neither 12 nor 13", config->min_tls);
    }
    if (config->key_file != NULL && config->cert_file == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "key_file is given, but no cert_file");
    }
    bp_status status = check_pem("ca_file", config->ca_file, error);
    if (status == BP_OK) {
        status = check_pem("cert_file", config->cert_file, error);
    }
    if (status == BP_OK) {
        status = check_pem("key_file", config->key_file, error);
    }
    return status == BP_OK ? check_proxy(config->proxy, error) : status;
}

/* The folder of all authorities, one a file, where libcurl was built to know one and it is there:
 * OpenSSL then reads the one that is needed, instead of a file of all of them, 1.5 MiB in memory
 * for each connection. */
static int
has_ca_folder(void)
{
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
    return built->capath != NULL && access(built->capath, R_OK | X_OK) == 0;
}

static uint32_t
or_default(uint32_t given, uint32_t otherwise)
{
    return given != 0 ? given : otherwise;
}

bp_status
bp_http_client_new(const struct bp_host *host, const struct bp_http_config *config,
                   bp_http_client **out, struct bp_error *error)
{
    int fine = 1;
    *out = NULL;
    bp_status status = check(config, error);
    if (status != BP_OK) {
        return status;
    }
    bp_http_client *client = calloc(1, sizeof(*client));
    if (client == NULL || pthread_mutex_init(&client->lock, NULL) != 0) {
        free(client);
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an HTTP client");
    }
    client->host = host;
    client->ca_file = copy_text(config->ca_file, &fine);
    client->cert_file = copy_text(config->cert_file, &fine);
    client->key_file = copy_text(config->key_file, &fine);
    client->user_agent = copy_text(config->user_agent, &fine);
    client->key_password = copy_secret(config->key_password, &fine);
    client->proxy = copy_secret(config->proxy, &fine);
    client->min_tls = config->min_tls == 13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2;
    client->connect_timeout_ms = or_default(config->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    client->idle_timeout_ms = or_default(config->idle_timeout_ms, IDLE_TIMEOUT_MS);
    client->total_timeout_ms = config->total_timeout_ms;
    client->has_ca_folder = has_ca_folder();
    client->max_idle = or_default(config->max_idle, MAX_IDLE);
    if (!fine) {
        bp_http_client_free(client);
        return bp_fail(error, BP_ERR_NOMEM, "no memory for an HTTP client");
    }
    *out = client;
    return BP_OK;
}

void
bp_http_client_free(bp_http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->idle != NULL) {
        struct http_lane *lane = client->idle;
        client->idle = lane->next;
        http_lane_free(lane);
    }
    (void)pthread_mutex_destroy(&client->lock);
    free(client->ca_file);
    free(client->cert_file);
    free(client->key_file);
    free(client->user_agent);
    bp_secret_free(client->key_password);
    bp_secret_free(client->proxy);
    free(client);
}

struct http_lane *
http_client_take(bp_http_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    struct http_lane *lane = client->idle;
    if (lane != NULL) {
        client->idle = lane->next;
        client->n_idle--;
    }
    (void)pthread_mutex_unlock(&client->lock);
    return lane != NULL ? lane : http_lane_new();
}

void
http_client_give(bp_http_client *client, struct http_lane *lane)
{
    (void)pthread_mutex_lock(&client->lock);
    int is_kept = client->n_idle < client->max_idle;
    if (is_kept) {
        lane->next = client->idle;
        client->idle = lane;
        client->n_idle++;
    }
    (void)pthread_mutex_unlock(&client->lock);
    if (!is_kept) {
        http_lane_free(lane); /* closes a connection, so not under the lock */
    }
}
