/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of writing on a condition, and of what others see meanwhile.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/crowd.h"
#include "sdk/testkit/digest.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define UNKNOWN_KIND 99u
#define RACERS 8
#define RACES 5
#define AGAIN_MOST 20
#define AGAIN_MS 50
/* An object is replaced so often at least, and until it was read so often or the time is over. */
#define REPLACED 30
#define READ 10
#define REPLACING_NS 20000000000

static void
check_exclusive(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_IF_NONE_MATCH, "IF_NONE_MATCH");
    struct bp_kit_put put = {.key = bp_kit_key(kit, "object"),
                             .bytes = "first",
                             .n = 5,
                             .flags = BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE};
    bp_status status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "exclusive creation of a new key");
    put.bytes = "other";
    status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "exclusive creation of a key that is taken");
    bp_kit_expect_content(&store, put.key, "first", 5);
    /* Taken while the writer was open. */
    put.key = bp_kit_key(kit, "late");
    struct bp_writer *writer = bp_kit_write_open(&store, put.key, 4, put.flags);
    bp_kit_write(&store, writer, "late", 4);
    bp_kit_put(&store, put.key, "early", 5);
    status = bp_kit_try_commit(&store, writer, NULL, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error,
                  "write_commit of an exclusive creation whose key was taken meanwhile");
    bp_kit_expect_content(&store, put.key, "early", 5);
    bp_kit_remove(&store, put.key);
    put.bytes = "again";
    status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "exclusive creation of a key that was removed");
    bp_kit_store_close(&store);
}

struct race {
    struct bp_kit *kit;
    struct bp_kit_store stores[RACERS];
    const char *key;
    bp_status status[RACERS];
    struct bp_error error[RACERS];
};

static bool
may_come_again(bp_status status, const struct bp_error *error)
{
    return (status == BP_ERR_RETRYABLE || status == BP_ERR_THROTTLED) &&
           (error->flags & BP_ERROR_OUTCOME_UNKNOWN) == 0;
}

static void
race_one(void *ctx, unsigned i)
{
    struct race *race = ctx;
    struct bp_object_meta meta;
    char bytes[1000];
    memset(bytes, (int)('a' + i), sizeof bytes);
    struct bp_kit_put put = {.key = race->key,
                             .bytes = bytes,
                             .n = sizeof bytes,
                             .flags = BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE};
    /* Some servers tell who comes at once to come again; the core does. */
    for (unsigned again = 0; again <= AGAIN_MOST; again++) {
        race->status[i] = bp_kit_try_put(&race->stores[i], &put, &meta, &race->error[i]);
        if (!may_come_again(race->status[i], &race->error[i])) {
            return;
        }
        bp_kit_sleep_ms(AGAIN_MS);
    }
}

static void
judge_race(struct race *race)
{
    unsigned winners = 0, winner = 0;
    char bytes[1000];
    for (unsigned i = 0; i < RACERS; i++) {
        if (race->status[i] == BP_OK) {
            winners++;
            winner = i;
        } else {
            bp_kit_expect(race->kit, race->status[i], BP_ERR_EXISTS, &race->error[i],
                          "exclusive creation of a key that another one created");
        }
    }
    if (winners != 1) {
        bp_kit_fail(race->kit, "of %d exclusive creations of one key at once %u answered ok",
                    RACERS, winners);
    }
    memset(bytes, (int)('a' + winner), sizeof bytes);
    bp_kit_expect_content(&race->stores[0], race->key, bytes, sizeof bytes);
}

static void
check_race(struct bp_kit *kit)
{
    struct race *race = bp_kit_alloc(1, sizeof *race);
    race->kit = kit;
    for (unsigned i = 0; i < RACERS; i++) {
        bp_kit_store_open(kit, NULL, 0, &race->stores[i]);
    }
    bp_kit_store_need(&race->stores[0], BP_STORE_IF_NONE_MATCH, "IF_NONE_MATCH");
    for (unsigned i = 0; i < RACES; i++) {
        race->key = bp_kit_key(kit, "object-%u", i);
        bp_kit_crowd(kit, RACERS, race_one, race);
        judge_race(race);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        bp_kit_store_close(&race->stores[i]);
    }
}

static void
check_if_match(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta old, meta;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_IF_MATCH, "IF_MATCH");
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "first", 5);
    bp_kit_stat(&store, key, &old);
    struct bp_kit_put put = {
        .key = key, .bytes = "second", .n = 6, .flags = BP_WRITE_DURABLE, .if_match = old.etag};
    bp_status status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "replacing the version that is there");
    put.bytes = "third!";
    status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "replacing a version that was replaced");
    bp_kit_expect_content(&store, key, "second", 6);
    bp_kit_remove(&store, key);
    status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "replacing a version that was removed");
    bp_kit_expect_missing(&store, key, "after a write that was to replace a removed version");
    bp_kit_store_close(&store);
}

static void
try_checksum(const struct bp_kit_store *store, uint32_t kind, size_t n)
{
    struct bp_error error;
    struct bp_object_meta meta;
    const char *name = bp_checksum_kind_name(kind);
    unsigned char *bytes = bp_kit_bytes(n, 5);
    struct bp_kit_put put = {.key = bp_kit_key(store->kit, "%s-%zu", name, n),
                             .bytes = bytes,
                             .n = n,
                             .flags = BP_WRITE_DURABLE,
                             .checksum = bp_kit_digest(kind, bytes, n)};
    put.checksum.value[0] ^= 1;
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    bp_kit_expect(store->kit, status, BP_ERR_CORRUPT, &error,
                  "writing %zu bytes with a wrong checksum (%s)", n, name);
    bp_kit_expect_missing(store, put.key, "after a write that was refused for its checksum");
    put.checksum.value[0] ^= 1;
    status = bp_kit_try_put(store, &put, &meta, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error,
                  "writing %zu bytes with the right checksum (%s)", n, name);
    bp_kit_expect_content(store, put.key, bytes, n);
    free(bytes);
}

static void
check_checksum(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    bool crc = bp_kit_store_can(&store, BP_STORE_CHECKSUM_CRC32C);
    bool sha = bp_kit_store_can(&store, BP_STORE_CHECKSUM_SHA256);
    if (!crc && !sha) {
        bp_kit_skip(kit, "it does not promise CHECKSUM_CRC32C or CHECKSUM_SHA256");
    }
    for (size_t n = 0; n < 1000000; n = n * 1000 + 317) {
        if (crc) {
            try_checksum(&store, BP_CHECKSUM_CRC32C, n);
        }
        if (sha) {
            try_checksum(&store, BP_CHECKSUM_SHA256, n);
        }
    }
    bp_kit_store_close(&store);
}

/* Obeyed without a promise is fine; ignored, somebody's data is lost one day. */
static void
expect_not_ignored(const struct bp_kit *kit, bp_status status, bp_status obeyed,
                   const struct bp_error *error, const char *what)
{
    if (status == BP_OK) {
        bp_kit_fail(kit, "%s is not promised, and was ignored: refuse it with UNSUPPORTED", what);
    }
    if (status != obeyed && status != BP_ERR_INVALID) {
        bp_kit_expect(kit, status, BP_ERR_UNSUPPORTED, error, "%s, which is not promised", what);
    }
}

static void
try_unpromised_version(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_put put = {.key = key,
                             .bytes = "other",
                             .n = 5,
                             .flags = BP_WRITE_DURABLE,
                             .if_match = "bakplane-no-such-version"};
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    expect_not_ignored(store->kit, status, BP_ERR_EXISTS, &error, "if_match of a write");
    status = bp_kit_try_remove(store, key, put.if_match, NULL, &error);
    expect_not_ignored(store->kit, status, BP_ERR_EXISTS, &error, "if_match of remove");
}

static void
try_unpromised_exclusive(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_put put = {
        .key = key, .bytes = "other", .n = 5, .flags = BP_WRITE_DURABLE | BP_WRITE_IF_NONE_MATCH};
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    expect_not_ignored(store->kit, status, BP_ERR_EXISTS, &error, "IF_NONE_MATCH");
}

static void
try_unpromised_checksum(const struct bp_kit_store *store, const char *key, uint32_t kind)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_put put = {.key = key,
                             .bytes = "other",
                             .n = 5,
                             .flags = BP_WRITE_DURABLE,
                             .checksum = bp_kit_digest(kind, "first", 5)};
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    expect_not_ignored(store->kit, status, BP_ERR_CORRUPT, &error,
                       kind == BP_CHECKSUM_CRC32C ? "a checksum (CRC32C)" : "a checksum (SHA256)");
}

/* A kind of a later minor cannot be compared, so what has it cannot be written. */
static void
try_unknown_checksum(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_put put = {.key = key,
                             .bytes = "other",
                             .n = 5,
                             .flags = BP_WRITE_DURABLE,
                             .checksum = {.kind = UNKNOWN_KIND, .by = BP_CHECKSUM_BY_HOST}};
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    bp_kit_expect(store->kit, status, BP_ERR_UNSUPPORTED, &error,
                  "writing with a checksum of kind %u, which nobody knows", UNKNOWN_KIND);
}

static void
check_unpromised(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "first", 5);
    try_unknown_checksum(&store, key);
    if (!bp_kit_store_can(&store, BP_STORE_IF_MATCH)) {
        try_unpromised_version(&store, key);
    }
    if (!bp_kit_store_can(&store, BP_STORE_IF_NONE_MATCH)) {
        try_unpromised_exclusive(&store, key);
    }
    if (!bp_kit_store_can(&store, BP_STORE_CHECKSUM_CRC32C)) {
        try_unpromised_checksum(&store, key, BP_CHECKSUM_CRC32C);
    }
    if (!bp_kit_store_can(&store, BP_STORE_CHECKSUM_SHA256)) {
        try_unpromised_checksum(&store, key, BP_CHECKSUM_SHA256);
    }
    bp_kit_expect_content(&store, key, "first", 5);
    bp_kit_store_close(&store);
}

struct replacing {
    struct bp_kit_store *store;
    const char *key;
    unsigned char *bytes[2];
    size_t n[2];
    _Atomic int over;
    _Atomic unsigned whole;
};

static void
read_on(struct replacing *self)
{
    while (atomic_load(&self->over) == 0) {
        struct bp_error error;
        struct bp_object_meta meta;
        unsigned char *found = NULL;
        size_t n = 0;
        struct bp_kit_get get = {.key = self->key, .length = BP_UNKNOWN, .piece = 50000};
        bp_status status = bp_kit_try_get(self->store, &get, &meta, &found, &n, &error);
        if (status == BP_ERR_NOT_FOUND) {
            bp_kit_fail(self->store->kit, "while it was being replaced an object was not found");
        }
        for (int i = 0; i < 2 && status == BP_OK; i++) {
            if (n == self->n[i] && memcmp(found, self->bytes[i], n) == 0) {
                atomic_fetch_add(&self->whole, 1);
                n = SIZE_MAX;
            }
        }
        if (status == BP_OK && n != SIZE_MAX) {
            bp_kit_fail(self->store->kit,
                        "while it was being replaced an object of %zu or %zu bytes was read as "
                        "%zu that are neither",
                        self->n[0], self->n[1], n);
        }
        free(found);
    }
}

/* Number 0 replaces, the others read. */
static void
replace_or_read(void *ctx, unsigned i)
{
    struct replacing *self = ctx;
    if (i > 0) {
        read_on(self);
        return;
    }
    long long end = bp_kit_now_ns() + REPLACING_NS;
    for (unsigned round = 0;
         round < REPLACED || (atomic_load(&self->whole) < READ && bp_kit_now_ns() < end); round++) {
        bp_kit_put(self->store, self->key, self->bytes[round % 2], self->n[round % 2]);
    }
    atomic_store(&self->over, 1);
}

static void
check_atomic(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct replacing self = {.store = &store, .n = {700000, 300000}};
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_ATOMIC_REPLACE, "ATOMIC_REPLACE");
    self.key = bp_kit_key(kit, "object");
    self.bytes[0] = bp_kit_bytes(self.n[0], 1);
    self.bytes[1] = bp_kit_bytes(self.n[1], 2);
    bp_kit_put(&store, self.key, self.bytes[0], self.n[0]);
    bp_kit_crowd(kit, 2, replace_or_read, &self);
    if (atomic_load(&self.whole) == 0) {
        bp_kit_fail(kit, "while an object was being replaced no read of it went through");
    }
    bp_kit_store_close(&store);
}

/* Writes on until it is killed; the plugin is loaded here and not before. */
static _Noreturn void
write_until_killed(struct bp_kit *kit, int go, int told)
{
    struct bp_kit_store store;
    char byte = 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(go, &byte, 1) != 1) {
        _exit(1);
    }
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(1000000, 9);
    struct bp_writer *writer =
        bp_kit_write_open(&store, bp_kit_key(kit, "object"), 2000000, BP_WRITE_DURABLE);
    bp_kit_write(&store, writer, bytes, 1000000);
    if (write(told, "x", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        (void)pause();
    }
}

static void
check_killed(struct bp_kit *kit)
{
    struct bp_kit_store store;
    int go[2], told[2];
    char byte = 0;
    if (pipe(go) != 0 || pipe(told) != 0) {
        bp_kit_skip(kit, "no pipe can be made here");
    }
    pid_t pid = fork();
    if (pid == 0) {
        write_until_killed(kit, go[0], told[1]);
    }
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "old content", 11);
    bool began = pid > 0 && write(go[1], "x", 1) == 1;
    (void)close(told[1]);
    began = began && read(told[0], &byte, 1) == 1;
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    if (!began) {
        bp_kit_fail(kit, "another process could not write half an object");
    }
    bp_kit_expect_content(&store, key, "old content", 11);
    bp_kit_put(&store, key, "new content", 11);
    bp_kit_expect_content(&store, key, "new content", 11);
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_condition[] = {
    {.name = "write.exclusive",
     .contract = "IF_NONE_MATCH: a key that is taken is EXISTS, at write_commit at the latest",
     .run = check_exclusive},
    {.name = "write.exclusive_race",
     .contract = "IF_NONE_MATCH: of several at once exactly one creates the key",
     .run = check_race},
    {.name = "write.if_match",
     .contract = "IF_MATCH: replaces only the given version, else EXISTS, also where there is none",
     .run = check_if_match},
    {.name = "write.checksum",
     .contract = "content that has not the given checksum is CORRUPT, and nothing is stored",
     .run = check_checksum},
    {.name = "write.unpromised",
     .contract = "a condition or checksum that is not promised is refused or obeyed, never ignored",
     .run = check_unpromised},
    {.name = "write.atomic_replace",
     .contract = "ATOMIC_REPLACE: a reader sees the old or the new content, whole",
     .run = check_atomic},
    {.name = "write.killed",
     .contract = "what a process was writing when it was killed is never seen; old content stays",
     .run = check_killed},
    BP_KIT_CHECKS_END,
};
