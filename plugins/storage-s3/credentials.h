/* SPDX-License-Identifier: Apache-2.0
 *
 * Access keys: one set is current, temporary ones are renewed five minutes before they expire, by
 * one thread at a time and without taking the old ones away before the new ones are there.
 *
 * Files are read again at each renewal.  Any thread.
 */
#ifndef BAKPLANE_STORAGE_S3_CREDENTIALS_H
#define BAKPLANE_STORAGE_S3_CREDENTIALS_H

#include "plugins/storage-s3/s3.h"

#define BP_S3_RENEW_BEFORE_S 300

/** One set of keys; constant, counted. */
struct bp_s3_keys {
    _Atomic unsigned refs;
    bool anonymous;
    char *access_key;
    bp_secret *secret_key, *session_token; /**< token NULL = none */
    int64_t expires_s;                     /**< since the epoch; 0 = not known to */
    const char *from;                      /**< for messages: "the environment" …; static */
    _Atomic bool worked;                   /**< the store took what they signed */
    _Atomic unsigned doubts;               /**< bodies refused since it did so last */
};

struct bp_s3_wallet *bp_s3_wallet_new(void);
void bp_s3_wallet_free(struct bp_s3_wallet *wallet);

/**
 * The keys to sign with now, for bp_s3_keys_unref.  Errors: AUTH (none found, expired, refused),
 * and what the service that hands them out brings: RETRYABLE, TIMEOUT, CANCELLED.
 */
bp_status bp_s3_keys_get(struct bp_storage *storage, const struct bp_op *op,
                         struct bp_s3_keys **out, struct bp_error *error);
void bp_s3_keys_unref(struct bp_s3_keys *keys);

/** The store refused these keys: the next bp_s3_keys_get looks for others, if there can be any. */
void bp_s3_keys_refused(struct bp_storage *storage, const struct bp_s3_keys *keys);

/** The store took what these keys signed. */
void bp_s3_keys_worked(struct bp_s3_keys *keys);

/**
 * The store says that a body in chunks is wrong, or its signature.  That is what a changed byte
 * looks like, and also a wrong secret.  True: the keys worked before, so it is the body, and may be
 * sent again.  False after a number of such bodies without any success between them.
 */
bool bp_s3_keys_trusted(struct bp_s3_keys *keys);

/** For tests: seconds by which the clock of expiry is ahead. */
extern _Atomic int64_t bp_s3_clock_shift_s;

/* Inside. */

/** @access, @secret: needed.  @token: or NULL.  @expiry: text of a time, or NULL. */
struct bp_s3_keys *bp_s3_keys_new(const char *access, const char *secret, const char *token,
                                  const char *expiry, const char *from);

/**
 * A source of keys.  *out stays NULL, with BP_OK, when there is nothing of that kind here, and the
 * next one may be tried.
 */
typedef bp_status (*bp_s3_keys_source)(struct bp_storage *storage, const struct bp_op *op,
                                       struct bp_s3_keys **out, struct bp_error *error);
bp_status bp_s3_keys_of_profile(struct bp_storage *storage, const struct bp_op *op,
                                struct bp_s3_keys **out, struct bp_error *error);
bp_status bp_s3_keys_of_web_identity(struct bp_storage *storage, const struct bp_op *op,
                                     struct bp_s3_keys **out, struct bp_error *error);
bp_status bp_s3_keys_of_ecs(struct bp_storage *storage, const struct bp_op *op,
                            struct bp_s3_keys **out, struct bp_error *error);
bp_status bp_s3_keys_of_ec2(struct bp_storage *storage, const struct bp_op *op,
                            struct bp_s3_keys **out, struct bp_error *error);

/** What a role is assumed with. */
struct bp_s3_role {
    const char *arn, *external_id, *session_name; /**< external_id may be NULL */
};
/** AssumeRole with keys that are there. */
bp_status bp_s3_assume_role(struct bp_storage *storage, const struct bp_op *op,
                            const struct bp_s3_keys *with, const struct bp_s3_role *role,
                            struct bp_s3_keys **out, struct bp_error *error);
/** AssumeRoleWithWebIdentity with the token in a file. */
bp_status bp_s3_assume_role_by_token(struct bp_storage *storage, const struct bp_op *op,
                                     const char *token_file, const struct bp_s3_role *role,
                                     struct bp_s3_keys **out, struct bp_error *error);

/** A token or key file: at most 64 KiB, blanks at the ends cut off (newly allocated, wiped by the
 *  caller).  AUTH names the file. */
bp_status bp_s3_read_file(const char *path, char **out, struct bp_error *error);

/** One small request to a service that hands out keys; *body is for free(). */
struct bp_s3_ask {
    const char *what; /**< for messages: "ask … for keys" */
    const char *method, *url;
    const char *const *headers;
    const char *body; /**< or NULL */
    bool near;        /**< a service of this machine: no proxy, a second of patience */
};
bp_status bp_s3_ask(struct bp_storage *storage, const struct bp_op *op, const struct bp_s3_ask *ask,
                    int *status, char **body, struct bp_error *error);

#endif
