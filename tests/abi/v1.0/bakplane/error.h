/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors across the plugin boundary: a class that the core acts on, and text for people.
 *
 * The caller owns struct bp_error (on its stack: it works when memory is gone and nobody frees
 * it).  An operation that fails fills it and returns the same class.  A non-zero return with an
 * unfilled structure is reported as a bug of the plugin.
 */
#ifndef BAKPLANE_ERROR_H
#define BAKPLANE_ERROR_H

#include <bakplane/abi.h>

/** What went wrong, seen from what the core does about it.  Unknown values count as PERMANENT. */
enum bp_err_class {
    BP_OK = 0,
    BP_ERR_CANCELLED = 1,    /**< host->cancelled or a sink said so, and nothing else: stop */
    BP_ERR_TIMEOUT = 2,      /**< the deadline passed: retried while the job's deadline allows */
    BP_ERR_RETRYABLE = 3,    /**< reset, 5xx, short body: retried with backoff */
    BP_ERR_THROTTLED = 4,    /**< 429, SlowDown: as RETRYABLE, and fewer at a time */
    BP_ERR_AUTH = 5,         /**< login or token bad or expired: fails, but a storage is opened anew
                                  first, once; a source has renewed its login by itself */
    BP_ERR_DENIED = 6,       /**< known, but not allowed: fails at once */
    BP_ERR_NOT_FOUND = 7,    /**< the object (or bucket, or unit) is not there */
    BP_ERR_EXISTS = 8,       /**< it is there already, or a precondition failed */
    BP_ERR_RANGE = 9,        /**< offset beyond the end of the object */
    BP_ERR_INVALID = 10,     /**< bad argument, setting or flag */
    BP_ERR_UNSUPPORTED = 11, /**< this plugin or server cannot do that: the core falls back */
    BP_ERR_NO_SPACE = 12,    /**< disk full or quota reached */
    BP_ERR_NOMEM = 13,       /**< no memory for this call */
    BP_ERR_CORRUPT = 14,     /**< checksum or format is wrong: never retried silently */
    BP_ERR_STALE = 15,       /**< sources: the item is no longer part of its unit: unit_refresh */
    BP_ERR_PERMANENT = 16,   /**< everything else */
    BP_ERR_CLASS_END         /**< one past the last class these headers know */
};

/** Set in bp_error.flags: the request may have taken effect although it failed. */
#define BP_ERROR_OUTCOME_UNKNOWN UINT32_C(1)

/** Filled by a failing operation; see the head of this file for ownership. */
struct bp_error {
    uint32_t struct_size;
    bp_status cls;           /**< enum bp_err_class, equal to the returned value */
    uint32_t flags;          /**< BP_ERROR_… */
    int32_t sys_errno;       /**< errno of the failing system call, or 0 */
    int32_t remote_status;   /**< HTTP or gRPC status, or 0 */
    uint32_t reserved;       /**< 0 */
    uint64_t retry_after_ms; /**< the other side's wish, or 0 */
    char code[64];           /**< the other side's own word for it, e.g. "NoSuchKey", or "" */
    char request_id[96];     /**< for the other side's support, or "" */
    char message[512];       /**< one line: what failed, on which object, why; no secrets */
};

#endif
