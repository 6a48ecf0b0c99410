/* SPDX-License-Identifier: Apache-2.0
 *
 * The wallet: which keys are current, and who renews them when.
 */
#include "plugins/storage-s3/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

#define NS_PER_S INT64_C(1000000000)
/* After a renewal that failed while the old keys still work. */
#define TRY_AGAIN_S 30
/* Bodies in a row that may have been damaged on their way, before it must be the keys. */
#define MAX_DOUBTS 8

struct bp_s3_wallet {
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t changed;
    struct bp_s3_keys *current; /* or NULL */
    bool refused;               /* the store did not want the current ones */
    bool renewing;              /* one thread is at it */
    int64_t not_before_s;       /* no further attempt until then */
};

struct bp_s3_wallet *
bp_s3_wallet_new(void)
{
    pthread_condattr_t attr;
    struct bp_s3_wallet *wallet = g_new0(struct bp_s3_wallet, 1);
    pthread_mutex_init(&wallet->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wallet->changed, &attr);
    pthread_condattr_destroy(&attr);
    return wallet;
}

void
bp_s3_wallet_free(struct bp_s3_wallet *wallet)
{
    bp_s3_keys_unref(wallet->current);
    pthread_cond_destroy(&wallet->changed);
    pthread_mutex_destroy(&wallet->lock);
    g_free(wallet);
}

struct bp_s3_keys *
bp_s3_keys_new(const char *access, const char *secret, const char *token, const char *expiry,
               const char *from)
{
    struct bp_s3_keys *keys = g_new0(struct bp_s3_keys, 1);
    atomic_init(&keys->refs, 1);
    keys->access_key = g_strdup(access);
    keys->secret_key = bp_secret_new(secret);
    keys->session_token = token == NULL || *token == '\0' ? NULL : bp_secret_new(token);
    keys->expires_s = bp_s3_time(expiry) / NS_PER_S;
    keys->from = from;
    return keys;
}

void
bp_s3_keys_unref(struct bp_s3_keys *keys)
{
    if (keys != NULL && atomic_fetch_sub(&keys->refs, 1) == 1) {
        g_free(keys->access_key);
        bp_secret_free(keys->secret_key);
        bp_secret_free(keys->session_token);
        g_free(keys);
    }
}

void
bp_s3_keys_worked(struct bp_s3_keys *keys)
{
    /* Looked at first: written by every request of every thread, the line would travel around. */
    if (!atomic_load(&keys->worked)) {
        atomic_store(&keys->worked, true);
    }
    if (atomic_load(&keys->doubts) != 0) {
        atomic_store(&keys->doubts, 0);
    }
}

bool
bp_s3_keys_trusted(struct bp_s3_keys *keys)
{
    return atomic_load(&keys->worked) && atomic_fetch_add(&keys->doubts, 1) < MAX_DOUBTS;
}

_Atomic int64_t bp_s3_clock_shift_s;

static int64_t
clock_s(void)
{
    return (int64_t)time(NULL) + atomic_load(&bp_s3_clock_shift_s);
}

static struct bp_s3_keys *
keys_ref(struct bp_s3_keys *keys)
{
    atomic_fetch_add(&keys->refs, 1);
    return keys;
}

static bp_status
keys_of_settings(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
                 struct bp_error *error)
{
    const struct bp_s3_login *login = &storage->set.login;
    (void)op;
    (void)error;
    if (login->access_key != NULL) {
        *out = bp_s3_keys_new(login->access_key, bp_secret_get(login->secret_key),
                              bp_secret_get(login->session_token), NULL, "the settings");
    }
    return BP_OK;
}

static bp_status
keys_of_environment(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
                    struct bp_error *error)
{
    const char *access = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    (void)storage;
    (void)op;
    if (access == NULL || *access == '\0') {
        return BP_OK;
    }
    if (secret == NULL || *secret == '\0') {
        return bp_fail(error, BP_ERR_AUTH,
                       "AWS_ACCESS_KEY_ID is set in the environment, AWS_SECRET_ACCESS_KEY is not");
    }
    *out = bp_s3_keys_new(access, secret, getenv("AWS_SESSION_TOKEN"), NULL, "the environment");
    return BP_OK;
}

static bp_status
no_keys(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
        struct bp_error *error)
{
    (void)storage;
    (void)op;
    (void)error;
    *out = bp_s3_keys_new(NULL, NULL, NULL, NULL, NULL);
    (*out)->anonymous = true;
    return BP_OK;
}

/* In the order in which they are asked; NULL ends the list. */
static const bp_s3_keys_source *
sources_of(enum bp_s3_source source)
{
    static const bp_s3_keys_source lists[][7] = {
        [BP_S3_AUTO] = {keys_of_settings, keys_of_environment, bp_s3_keys_of_profile,
                        bp_s3_keys_of_web_identity, bp_s3_keys_of_ecs, bp_s3_keys_of_ec2},
        [BP_S3_STATIC] = {keys_of_settings},
        [BP_S3_ENV] = {keys_of_environment},
        [BP_S3_PROFILE] = {bp_s3_keys_of_profile},
        [BP_S3_WEB_IDENTITY] = {bp_s3_keys_of_web_identity},
        [BP_S3_ECS] = {bp_s3_keys_of_ecs},
        [BP_S3_EC2] = {bp_s3_keys_of_ec2},
        [BP_S3_IAM] = {bp_s3_keys_of_web_identity, bp_s3_keys_of_ecs, bp_s3_keys_of_ec2},
        [BP_S3_ANONYMOUS] = {no_keys},
    };
    return lists[source];
}

static const char *
fail_text(enum bp_s3_source source)
{
    switch (source) {
    case BP_S3_ENV:
        return "AWS_ACCESS_KEY_ID is not set in the environment";
    case BP_S3_PROFILE:
        return "there is no AWS credentials file with such a profile";
    case BP_S3_WEB_IDENTITY:
        return "neither web_identity_token_file nor AWS_WEB_IDENTITY_TOKEN_FILE is set";
    case BP_S3_ECS:
        return "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and ..._FULL_URI are not set in the "
               "environment";
    case BP_S3_EC2:
        return "the metadata service of EC2 is out of reach";
    case BP_S3_IAM:
        return "there is no web identity, and neither ECS nor EC2 hands out any";
    default:
        return "set access_key and secret_key, or credentials: anonymous for a public bucket";
    }
}

/* The web identity has its role already. */
static bp_status
assume_role(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **keys,
            struct bp_error *error)
{
    const struct bp_s3_login *login = &storage->set.login;
    struct bp_s3_keys *with = *keys;
    const struct bp_s3_role role = {login->role_arn, login->external_id, login->session_name};
    *keys = NULL;
    bp_status status = bp_s3_assume_role(storage, op, with, &role, keys, error);
    bp_s3_keys_unref(with);
    return status;
}

static bp_status
find_keys(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
          struct bp_error *error)
{
    const struct bp_s3_login *login = &storage->set.login;
    const bp_s3_keys_source *ask = sources_of(login->source);
    *out = NULL;
    for (; *ask != NULL; ask++) {
        bp_status status = (*ask)(storage, op, out, error);
        if (status != BP_OK) {
            return status;
        }
        if (*out != NULL) {
            break;
        }
    }
    if (*out == NULL) {
        return bp_fail(error, BP_ERR_AUTH, "no access keys were found: %s",
                       fail_text(login->source));
    }
    if (login->role_arn != NULL && *ask != bp_s3_keys_of_web_identity) {
        return assume_role(storage, op, out, error);
    }
    return BP_OK;
}

static bool
is_expired(const struct bp_s3_keys *keys, int64_t now_s)
{
    return keys->expires_s != 0 && now_s >= keys->expires_s;
}

/* Not worth asking again: nothing that could change stands behind them. */
static bool
is_fixed(const struct bp_storage *storage)
{
    const struct bp_s3_login *login = &storage->set.login;
    return login->role_arn == NULL &&
           (login->source == BP_S3_STATIC || login->source == BP_S3_ANONYMOUS ||
            login->source == BP_S3_ENV || login->access_key != NULL);
}

static bool
expires_soon(const struct bp_s3_keys *keys, int64_t now_s)
{
    return keys->expires_s != 0 && now_s >= keys->expires_s - BP_S3_RENEW_BEFORE_S;
}

static bool
is_due(const struct bp_s3_wallet *wallet, int64_t now_s)
{
    const struct bp_s3_keys *keys = wallet->current;
    return keys == NULL ||
           ((wallet->refused || expires_soon(keys, now_s)) && now_s >= wallet->not_before_s);
}

/* Called with the lock held, which is let go meanwhile. */
static bp_status
renew(struct bp_storage *storage, const struct bp_op *op, int64_t now_s, struct bp_error *error)
{
    struct bp_s3_wallet *wallet = storage->wallet;
    struct bp_s3_keys *found = NULL;
    wallet->renewing = true;
    pthread_mutex_unlock(&wallet->lock);
    bp_status status = find_keys(storage, op, &found, error);
    pthread_mutex_lock(&wallet->lock);
    wallet->renewing = false;
    if (status == BP_OK) {
        struct bp_s3_keys *old = wallet->current;
        wallet->current = found;
        wallet->refused = false;
        bp_s3_keys_unref(old);
    }
    /* Neither a service that fails nor one whose keys are short-lived is asked for each request. */
    const struct bp_s3_keys *keys = wallet->current;
    bool works = keys != NULL && !wallet->refused && !is_expired(keys, now_s);
    bool again = works && (status != BP_OK || expires_soon(keys, now_s));
    wallet->not_before_s = again ? now_s + TRY_AGAIN_S : 0;
    pthread_cond_broadcast(&wallet->changed);
    return status;
}

static void
wait_a_little(struct bp_s3_wallet *wallet)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_nsec += NS_PER_S / 5;
    if (when.tv_nsec >= NS_PER_S) {
        when.tv_nsec -= NS_PER_S;
        when.tv_sec++;
    }
    (void)pthread_cond_timedwait(&wallet->changed, &wallet->lock, &when);
}

bp_status
bp_s3_keys_get(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
               struct bp_error *error)
{
    struct bp_s3_wallet *wallet = storage->wallet;
    bp_status status = BP_OK;
    int64_t now_s = clock_s();
    pthread_mutex_lock(&wallet->lock);
    /* Whoever has working keys does not wait for the one who renews them. */
    while (status == BP_OK && wallet->renewing &&
           (wallet->current == NULL || is_expired(wallet->current, now_s))) {
        wait_a_little(wallet);
        status = bp_s3_check_op(storage, op, error);
        now_s = clock_s();
    }
    bool due = status == BP_OK && !wallet->renewing && is_due(wallet, now_s);
    if (due && (wallet->current == NULL || !is_fixed(storage))) {
        status = renew(storage, op, now_s, error);
        bool usable =
            wallet->current != NULL && !wallet->refused && !is_expired(wallet->current, now_s);
        if (status != BP_OK && usable && status != BP_ERR_CANCELLED) {
            bp_hostlog(storage->host, op, BP_LOG_WARN,
                       "access keys could not be renewed yet, the old ones still work: %s",
                       error->message);
            status = BP_OK;
        }
    }
    *out = status == BP_OK ? keys_ref(wallet->current) : NULL;
    pthread_mutex_unlock(&wallet->lock);
    return status;
}

void
bp_s3_keys_refused(struct bp_storage *storage, const struct bp_s3_keys *keys)
{
    struct bp_s3_wallet *wallet = storage->wallet;
    pthread_mutex_lock(&wallet->lock);
    if (wallet->current == keys) { /* else they have been replaced already */
        wallet->refused = true;
    }
    pthread_mutex_unlock(&wallet->lock);
}
