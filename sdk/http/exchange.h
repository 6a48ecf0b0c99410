/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share.  Not installed.
 *
 * A lane is a curl multi handle with one easy handle: its connection cache holds one connection.
 * An exchange takes a lane and gives it back, so that no curl handle is ever used by two threads
 * and libcurl's share interface, whose connections are not to be shared by threads, is not needed.
 */
#ifndef BAKPLANE_HTTP_EXCHANGE_H
#define BAKPLANE_HTTP_EXCHANGE_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <pthread.h>

#include "sdk/http/client.h"
#include "sdk/lib/secret.h"

/* The most that libcurl takes from or gives to the socket at a time; allocated by it per exchange
 * and only for the direction used. */
#define HTTP_BUFFER_BYTES (128L * 1024)
/* Body that came before anybody asked for it.  One read of the socket, and one piece more, because
 * libcurl would otherwise keep a copy of its own. */
#define HTTP_SPILL_MAX ((size_t)HTTP_BUFFER_BYTES + CURL_MAX_WRITE_SIZE)
/* All header lines of one answer. */
#define HTTP_HEADERS_MAX ((size_t)256 * 1024)

#define HTTP_NS_PER_MS INT64_C(1000000)

struct http_lane {
    struct http_lane *next; /* in the list of idle ones */
    CURLM *multi;
    CURL *easy;
};

struct bp_http_client {
    const struct bp_host *host;
    char *ca_file, *cert_file, *key_file, *user_agent;
    bp_secret *key_password, *proxy; /* a proxy's URL may hold a login */
    long min_tls;                    /* CURL_SSLVERSION_… */
    int has_ca_folder;
    uint32_t connect_timeout_ms, idle_timeout_ms, total_timeout_ms;

    pthread_mutex_t lock; /* guards idle, n_idle */
    struct http_lane *idle;
    uint32_t n_idle, max_idle;
};

/* Growing bytes. */
struct http_bytes {
    char *at;
    size_t used, room;
};

struct bp_http_exchange {
    bp_http_client *client;
    struct http_lane *lane;
    struct curl_slist *headers;
    char what[256];               /* "PUT https://host/path" for messages */
    char reason[CURL_ERROR_SIZE]; /* libcurl's own words */

    /* The body that is sent. */
    const char *whole;  /* in memory, or NULL */
    uint64_t body_size; /* BP_UNKNOWN = chunked */
    uint64_t offered;   /* of a stream, by the caller */
    uint64_t taken;     /* by libcurl */
    const char *send_at;
    size_t send_left;
    int has_body, send_ended, send_paused;

    /* The answer. */
    struct http_bytes lines; /* "name\0value\0" … */
    int status;              /* of the newest head, also 1xx */
    int head_begun, head_done, recv_paused;
    struct http_bytes spill;
    size_t spill_at; /* read so far */
    char *dst;       /* of the call that waits */
    size_t dst_left;

    int64_t end_ns;      /* of the total timeout, 0 = none */
    int64_t idle_ns;     /* timeout */
    uint64_t moved;      /* counts up with every byte that the callbacks see */
    int done, restarted; /* libcurl is through; the request was sent once more */
    int no_memory, long_head;
    struct bp_error failure; /* cls != BP_OK: each call repeats it */
};

/* lane.c */

/** A new lane, or NULL when memory is gone. */
struct http_lane *http_lane_new(void);
void http_lane_free(struct http_lane *lane);
/** Sets the lane up for an exchange whose members are filled.  Errors: INVALID, NOMEM. */
bp_status http_lane_configure(bp_http_exchange *x, const struct bp_http_request *request,
                              struct bp_error *error);

/* client.c */

/** An idle lane, the one used last, or a new one; NULL when memory is gone. */
struct http_lane *http_client_take(bp_http_client *client);
void http_client_give(bp_http_client *client, struct http_lane *lane);

/* pump.c */

/**
 * Moves bytes until `is_ready` or the end of the transfer.  `op` bounds the wait.  A failure is
 * kept in x->failure and copied to *error.
 */
bp_status http_pump(bp_http_exchange *x, const struct bp_op *op,
                    int (*is_ready)(const bp_http_exchange *), struct bp_error *error);
/** What can be done at once: the connection of an answer that is nearly read can still be kept. */
void http_pump_once(bp_http_exchange *x);
/** The request is in the server's hands as far as we can know: connected, and all was given. */
int http_is_sent(const bp_http_exchange *x);
int http_is_connected(const bp_http_exchange *x);

/* answer.c: callbacks of libcurl, and what they collect */

size_t http_on_header(char *bytes, size_t size, size_t n, void *ctx);
/** 0 when memory is gone or `max` would be passed. */
int http_bytes_add(struct http_bytes *bytes, const char *from, size_t n, size_t max);
void http_bytes_clear(struct http_bytes *bytes);

/* fault.c */

/** "METHOD scheme://host/path" without login and query. */
void http_show(const char *method, const char *url, char *out, size_t cap);
/** The transfer ended with `code`: fills and keeps x->failure. */
void http_fault(bp_http_exchange *x, CURLcode code);
/** Ends the exchange for a reason of our own. */
bp_status http_fail(bp_http_exchange *x, bp_status cls, const char *reason);

#endif
