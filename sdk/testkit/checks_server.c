/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks against a server that answers wrongly, for plugins that speak HTTP: the hook `server` has
 * `settings` that lead to 127.0.0.1:{port}, and may have `headers` of a good answer and more
 * `answers` with the class that each stands for.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/server.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define DEADLINE_MS 20000
#define SLACK_MS 1500

static const struct bp_kit_node *
server_hook(const struct bp_kit *kit)
{
    return bp_kit_hook(kit, "server");
}

static struct bp_kit_server *
open_store(struct bp_kit *kit, struct bp_kit_store *store)
{
    struct bp_kit_server *server = bp_kit_server_start(kit);
    bp_kit_store_open(kit, bp_kit_node_get(server_hook(kit), "settings"),
                      bp_kit_server_port(server), store);
    return server;
}

/* Lines of headers from a map. */
static char *
header_lines(const struct bp_kit_node *map)
{
    char *lines = bp_kit_dup("");
    for (size_t i = 0; map != NULL && i < map->n; i++) {
        char *more = bp_kit_text("%s%s: %s\r\n", lines, map->kids[i].name,
                                 map->kids[i].text != NULL ? map->kids[i].text : "");
        free(lines);
        lines = more;
    }
    return lines;
}

/* Reads an object from the server, to its end. */
static bp_status
read_object(const struct bp_kit_store *store, struct bp_kit_op *op, struct bp_error *error)
{
    struct bp_object_meta meta;
    unsigned char *bytes = NULL;
    size_t n = 0;
    struct bp_kit_get get = {
        .key = bp_kit_key(store->kit, "object"), .length = BP_UNKNOWN, .op = op};
    bp_status status = bp_kit_try_get(store, &get, &meta, &bytes, &n, error);
    free(status == BP_OK ? bytes : NULL);
    return status;
}

/* One read, with a deadline that a plugin which tries again by itself would notice. */
static bp_status
ask(const struct bp_kit_store *store, struct bp_kit_server *server,
    const struct bp_kit_answer *answer, struct bp_error *error)
{
    struct bp_kit_op op;
    bp_kit_server_set(server, answer);
    bp_kit_op_init(&op, DEADLINE_MS);
    bp_status status = read_object(store, &op, error);
    bp_kit_op_clear(&op);
    if (status == BP_ERR_TIMEOUT && answer->mood != BP_KIT_STALLS) {
        bp_kit_fail(store->kit,
                    "status %u from the server at once, and yet the deadline of %d s "
                    "passed",
                    answer->status, DEADLINE_MS / 1000);
    }
    if (bp_kit_server_requests(server) == 0) {
        bp_kit_bail(store->kit, "hooks.server: the settings do not lead to 127.0.0.1:{port}: %s",
                    error->message);
    }
    return status;
}

/* `wanted` is names of classes with '|' between them. */
static bool
is_one_of(const char *wanted, bp_status status)
{
    const char *name = bp_class_name(status);
    size_t n = strlen(name);
    for (const char *at = wanted; *at != '\0';) {
        size_t word = strcspn(at, "|");
        if (word == n && strncmp(at, name, n) == 0) {
            return true;
        }
        at += word + (at[word] == '|' ? 1 : 0);
    }
    return false;
}

static void
expect_class(const struct bp_kit *kit, unsigned http, bp_status status, const char *wanted,
             const struct bp_error *error)
{
    if (!is_one_of(wanted, status)) {
        bp_kit_fail(kit, "HTTP status %u is %s, it answered %s: %s", http, wanted,
                    bp_class_name(status), status != BP_OK ? error->message : "");
    }
}

/* After these a plugin has nothing else to ask; after others it may ask what they mean. */
static void
expect_one_request(const struct bp_kit *kit, struct bp_kit_server *server, unsigned http)
{
    unsigned n = bp_kit_server_requests(server);
    if ((http == 429 || http >= 500) && n != 1) {
        bp_kit_fail(kit, "after HTTP status %u it asked again: %u requests in one call", http, n);
    }
}

/* What a status says by itself, without any word of the server. */
static void
check_statuses(struct bp_kit *kit)
{
    static const struct {
        unsigned status;
        const char *wanted;
    } table[] = {
        {401, "auth|denied"}, {403, "denied|auth"},         {404, "not-found"},
        {412, "exists"},      {429, "throttled"},           {500, "retryable"},
        {502, "retryable"},   {503, "throttled|retryable"}, {504, "retryable|throttled"},
    };
    struct bp_kit_store store;
    struct bp_kit_server *server = open_store(kit, &store);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct bp_error error;
        struct bp_kit_answer answer = {.status = table[i].status};
        bp_status status = ask(&store, server, &answer, &error);
        expect_class(kit, table[i].status, status, table[i].wanted, &error);
        expect_one_request(kit, server, table[i].status);
    }
    bp_kit_store_close(&store);
}

static void
check_answers(struct bp_kit *kit)
{
    const struct bp_kit_node *answers = bp_kit_node_get(server_hook(kit), "answers");
    struct bp_kit_store store;
    if (answers == NULL) {
        bp_kit_skip(kit, "needs hook server.answers");
    }
    struct bp_kit_server *server = open_store(kit, &store);
    for (size_t i = 0; i < answers->n; i++) {
        const struct bp_kit_node *one = &answers->kids[i];
        struct bp_error error;
        uint64_t number = 0;
        const char *wanted = bp_kit_node_text(one, "class", NULL);
        if (bp_parse_u64(bp_kit_node_text(one, "status", ""), &number) != 0 || wanted == NULL) {
            bp_kit_bail(kit, "line %u: an answer has a status and a class", one->line);
        }
        struct bp_kit_answer answer = {
            .status = (unsigned)number,
            .headers = header_lines(bp_kit_node_get(one, "headers")),
            .body = bp_kit_node_text(one, "body", NULL),
        };
        bp_status status = ask(&store, server, &answer, &error);
        if (!is_one_of(wanted, status)) {
            bp_kit_fail(kit, "the answer of line %u is %s, it answered %s: %s", one->line, wanted,
                        bp_class_name(status), error.message);
        }
    }
    bp_kit_store_close(&store);
}

static void
expect_wait(const struct bp_kit *kit, const char *form, uint64_t told, uint64_t low, uint64_t high)
{
    if (told < low || told > high) {
        bp_kit_fail(kit, "Retry-After: %s became %" PRIu64 " ms", form, told);
    }
}

static void
check_retry_after(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_server *server = open_store(kit, &store);
    struct bp_kit_answer answer = {.status = 503, .headers = "Retry-After: 7\r\n"};
    (void)ask(&store, server, &answer, &error);
    if (error.retry_after_ms == 0) {
        bp_kit_skip(kit, "it does not hand on what the server wishes");
    }
    expect_wait(kit, "7", error.retry_after_ms, 7000, 7000);
    char date[64], line[128];
    bp_kit_server_date(date, sizeof date, 30);
    (void)snprintf(line, sizeof line, "Retry-After: %s\r\n", date);
    answer.headers = line;
    (void)ask(&store, server, &answer, &error);
    expect_wait(kit, "a date in 30 s", error.retry_after_ms, 25000, 31000);
    answer.headers = NULL;
    (void)ask(&store, server, &answer, &error);
    expect_wait(kit, "(none)", error.retry_after_ms, 0, 0);
    bp_kit_store_close(&store);
}

static void
check_broken(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_server *server = open_store(kit, &store);
    struct bp_kit_answer answer = {.mood = BP_KIT_RESETS};
    bp_status status = ask(&store, server, &answer, &error);
    bp_kit_expect(kit, status, BP_ERR_RETRYABLE, &error, "a connection that is reset");
    answer.mood = BP_KIT_BABBLES;
    status = ask(&store, server, &answer, &error);
    if (status == BP_OK) {
        bp_kit_fail(kit, "what is no HTTP was taken for an object");
    }
    bp_kit_store_close(&store);
}

/* The process dies of SIGPIPE where a plugin writes to a connection that is gone. */
static void
check_pipe(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_server *server = open_store(kit, &store);
    struct bp_kit_answer answer = {.mood = BP_KIT_HANGS_UP};
    unsigned char *bytes = bp_kit_bytes((size_t)4 << 20, 1);
    bp_kit_server_set(server, &answer);
    for (int i = 0; i < 5; i++) {
        struct bp_kit_put put = {
            .key = bp_kit_key(kit, "object"), .bytes = bytes, .n = (size_t)4 << 20};
        bp_status status = bp_kit_try_put(&store, &put, &meta, &error);
        if (status == BP_OK) {
            bp_kit_fail(kit, "an object whose connection was reset counts as written");
        }
    }
    if (bp_kit_server_requests(server) == 0) {
        bp_kit_bail(kit, "hooks.server: nothing was written to 127.0.0.1:{port}: %s",
                    error.message);
    }
    bp_kit_store_close(&store);
}

static void
check_cut(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_server *server = open_store(kit, &store);
    char *more = header_lines(bp_kit_node_get(server_hook(kit), "headers"));
    char *headers = bp_kit_text("ETag: \"kit\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                                "Content-Type: application/octet-stream\r\n%s",
                                more);
    struct bp_kit_answer answer = {.mood = BP_KIT_CUTS, .status = 200, .headers = headers};
    bp_status status = ask(&store, server, &answer, &error);
    bp_kit_expect(kit, status, BP_ERR_RETRYABLE, &error,
                  "a body of which 5000 bytes came and 1000000 were announced");
    bp_kit_store_close(&store);
    free(headers);
    free(more);
}

struct canceller {
    struct bp_kit_op *op;
    _Atomic long long when_ns;
};

static void *
cancel_soon(void *ctx)
{
    struct canceller *self = ctx;
    bp_kit_sleep_ms(500);
    atomic_store(&self->when_ns, bp_kit_now_ns());
    bp_kit_op_cancel(self->op);
    return NULL;
}

static bp_status
write_object(const struct bp_kit_store *store, struct bp_kit_op *op, struct bp_error *error)
{
    struct bp_object_meta meta;
    unsigned char *bytes = bp_kit_bytes(100000, 1);
    struct bp_kit_put put = {
        .key = bp_kit_key(store->kit, "object"), .bytes = bytes, .n = 100000, .op = op};
    bp_status status = bp_kit_try_put(store, &put, &meta, error);
    free(bytes);
    return status;
}

static void
stall(const struct bp_kit_store *store,
      bp_status (*run)(const struct bp_kit_store *, struct bp_kit_op *, struct bp_error *),
      bool cancel)
{
    struct bp_error error;
    struct bp_kit_op op;
    pthread_t thread;
    const char *what = cancel ? "cancelled" : "past its deadline";
    bp_kit_op_init(&op, cancel ? 0 : 1500);
    struct canceller canceller = {.op = &op, .when_ns = op.op.deadline_ns};
    bool started = cancel && pthread_create(&thread, NULL, cancel_soon, &canceller) == 0;
    if (cancel && !started) {
        bp_kit_skip(store->kit, "no thread can be made here");
    }
    bp_status status = run(store, &op, &error);
    long long end = bp_kit_now_ns();
    if (started) {
        (void)pthread_join(thread, NULL);
    }
    long long late_ms = (end - atomic_load(&canceller.when_ns) - op.undoing_ns) / 1000000;
    bp_kit_expect(store->kit, status, cancel ? BP_ERR_CANCELLED : BP_ERR_TIMEOUT, &error,
                  "a call %s, while the server says nothing", what);
    if (late_ms > SLACK_MS || late_ms < 0) {
        bp_kit_fail(store->kit, "a call %s came back %lld ms %s", what,
                    late_ms < 0 ? -late_ms : late_ms, late_ms < 0 ? "early" : "late");
    }
    bp_kit_op_clear(&op);
}

static void
check_stall(struct bp_kit *kit, bool cancel)
{
    struct bp_kit_store store;
    struct bp_kit_server *server = open_store(kit, &store);
    struct bp_kit_answer answer = {.mood = BP_KIT_STALLS};
    bp_kit_server_set(server, &answer);
    stall(&store, read_object, cancel);
    stall(&store, write_object, cancel);
    bp_kit_store_close(&store);
}

static void
check_stall_cancel(struct bp_kit *kit)
{
    check_stall(kit, true);
}

static void
check_stall_deadline(struct bp_kit *kit)
{
    check_stall(kit, false);
}

const struct bp_kit_check bp_kit_checks_server[] = {
    {.name = "server.statuses",
     .contract =
         "each status of HTTP is the class that the core acts on; a plugin does not ask again",
     .run = check_statuses,
     .hook = "server"},
    {.name = "server.answers",
     .contract = "each answer of this kind of server is its class",
     .run = check_answers,
     .hook = "server"},
    {.name = "server.retry_after",
     .contract =
         "retry_after_ms is the server's Retry-After, in seconds or as a date (or always 0)",
     .run = check_retry_after,
     .hook = "server"},
    {.name = "server.broken",
     .contract = "a connection that is reset is RETRYABLE, and what is no HTTP is not ok",
     .run = check_broken,
     .hook = "server"},
    {.name = "server.sigpipe",
     .contract = "writing to a connection that is gone fails, and does not raise SIGPIPE",
     .run = check_pipe,
     .hook = "server"},
    {.name = "server.cut_body",
     .contract = "a body that ends early is RETRYABLE",
     .run = check_cut,
     .hook = "server"},
    {.name = "server.cancel",
     .contract = "a call that waits for the network ends within a second of its cancel",
     .run = check_stall_cancel,
     .hook = "server"},
    {.name = "server.deadline",
     .contract = "a call that waits for the network ends at its deadline, with TIMEOUT",
     .run = check_stall_deadline,
     .hook = "server"},
    BP_KIT_CHECKS_END,
};
