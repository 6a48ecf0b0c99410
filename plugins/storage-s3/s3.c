/* SPDX-License-Identifier: Apache-2.0
 *
 * Small things that all operations share.
 */
#include "plugins/storage-s3/s3.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "sdk/http/text.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define NS_PER_S INT64_C(1000000000)
#define WAIT_SLICE_NS (NS_PER_S / 5)
#define MEMORY_WAIT_NS (600 * NS_PER_S)

static int64_t
monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

bp_status
bp_s3_check_op(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    return bp_check_op(storage->host, op, error);
}

bp_status
bp_s3_full_key(struct bp_storage *storage, const char *key, char **out, struct bp_error *error)
{
    const char *why;
    if (bp_key_check(key, &why) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "key \"%s\": %s", key, why);
    }
    if (strlen(storage->set.prefix) + strlen(key) > BP_KEY_MAX) {
        return bp_fail(error, BP_ERR_INVALID,
                       "key \"%.200s…\": longer than %d bytes together with the prefix \"%s\"", key,
                       BP_KEY_MAX, storage->set.prefix);
    }
    *out = g_strconcat(storage->set.prefix, key, NULL);
    return BP_OK;
}

char *
bp_s3_region(struct bp_storage *storage)
{
    pthread_mutex_lock(&storage->lock);
    char *region = g_strdup(storage->region);
    pthread_mutex_unlock(&storage->lock);
    return region;
}

bool
bp_s3_learn_region(struct bp_storage *storage, const struct bp_op *op, const char *region)
{
    char before[sizeof(storage->region)];
    if (strlen(region) >= sizeof(storage->region) ||
        strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region)) {
        return false;
    }
    pthread_mutex_lock(&storage->lock);
    memcpy(before, storage->region, sizeof(before));
    g_strlcpy(storage->region, region, sizeof(storage->region));
    pthread_mutex_unlock(&storage->lock);
    bool news = strcmp(before, region) != 0;
    if (news) {
        bp_hostlog(storage->host, op, BP_LOG_INFO, "bucket %s is in region %s, not in %s",
                   storage->set.bucket, region, before);
    }
    return news;
}

/* Until somebody gives memory back or a short time passed, so that a cancel is seen. */
static void
wait_a_little(struct bp_storage *storage)
{
    int64_t until = monotonic_ns() + WAIT_SLICE_NS;
    const struct timespec when = {.tv_sec = (time_t)(until / NS_PER_S),
                                  .tv_nsec = (long)(until % NS_PER_S)};
    (void)pthread_cond_timedwait(&storage->changed, &storage->lock, &when);
}

/* Called with the lock held.  The first is served in any case. */
static bool
take_now(struct bp_storage *storage, uint64_t n)
{
    uint64_t used = MIN(storage->memory_used, storage->set.memory);
    bool fits = storage->memory_used == 0 || n <= storage->set.memory - used;
    storage->memory_used += fits ? n : 0;
    return fits;
}

bool
bp_s3_memory_try(struct bp_storage *storage, uint64_t n)
{
    pthread_mutex_lock(&storage->lock);
    bool got = take_now(storage, n);
    pthread_mutex_unlock(&storage->lock);
    return got;
}

bp_status
bp_s3_memory_take(struct bp_storage *storage, const struct bp_op *op, uint64_t n,
                  struct bp_error *error)
{
    bp_status status = BP_OK;
    int64_t end = monotonic_ns() + MEMORY_WAIT_NS;
    pthread_mutex_lock(&storage->lock);
    while (status == BP_OK && !take_now(storage, n)) {
        wait_a_little(storage);
        status = bp_s3_check_op(storage, op, error);
        if (status == BP_OK && monotonic_ns() > end) {
            status = bp_fail(error, BP_ERR_NOMEM,
                             "memory: %" PRIu64 " bytes are in use for bodies that have to be "
                             "kept, no room for %" PRIu64 " more",
                             storage->memory_used, n);
        }
    }
    pthread_mutex_unlock(&storage->lock);
    return status;
}

void
bp_s3_memory_give(struct bp_storage *storage, uint64_t n)
{
    pthread_mutex_lock(&storage->lock);
    storage->memory_used -= n;
    pthread_cond_broadcast(&storage->changed);
    pthread_mutex_unlock(&storage->lock);
}

int64_t
bp_s3_time(const char *text)
{
    if (text == NULL) {
        return 0;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(text, utc);
    if (when == NULL) {
        return bp_http_date(text);
    }
    return g_date_time_to_unix(when) * NS_PER_S + (int64_t)g_date_time_get_microsecond(when) * 1000;
}
