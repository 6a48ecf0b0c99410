/* SPDX-License-Identifier: Apache-2.0
 *
 * What the operations of v1 share.  For core/server/v1*.c only.
 */
#ifndef BP_CORE_SERVER_V1_INTERNAL_H
#define BP_CORE_SERVER_V1_INTERNAL_H

#include "core/catalog/catalog.h"
#include "core/compat/tell_v1.h"
#include "core/server/service.h"
#include "core/server/v1.h"
#include "core/verb/verb.h"

/* -- answers: v1.c */

/** An answer with its requestId.  Returns: (transfer full) */
json_t *bp_v1__answer(const bp_v1_call *call);
/** Completes it.  @take_data: or NULL.  Returns: answer */
json_t *bp_v1__end(json_t *answer, bp_v1_code code, const char *msg, json_t *take_data);
/** The same because of an error: its code follows from the class.  Data stays as it is. */
json_t *bp_v1__fail(json_t *answer, const GError *error);
/** The same with a code of its own. */
json_t *bp_v1__fail_with(json_t *answer, bp_v1_code code, const GError *error);

/* -- looking at backups: v1_look.c */

/** A workspace that was borrowed, on one storage.  Lives on the stack. */
typedef struct bp_v1_look {
    bp_service *service;
    bp_verb verb; /* its result is an object of our own */
    const bp_catalog *catalog;
} bp_v1_look;

/** Without a catalog.  Close in any case, as after open. */
bool bp_v1__look_borrow(bp_v1_look *look, bp_service *service, GError **error);
/** @storage: NULL = `backup.storage`. */
bool bp_v1__look_open(bp_v1_look *look, bp_service *service, const char *storage, GError **error);
void bp_v1__look_close(bp_v1_look *look);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_v1_look, bp_v1__look_close)

/** As bp_entry_json.  NOT_FOUND.  Returns: (transfer full) (nullable) */
json_t *bp_v1__look_entry(const bp_v1_look *look, const char *name, GError **error);
/** Can be used, as far as its entry tells. */
bool bp_v1__is_whole(const json_t *entry);
/** Its BackupInfo, from its document where it is whole.  Returns: (transfer full) (nullable) */
json_t *bp_v1__look_info(const bp_v1_look *look, const bp_v1_told *told, GError **error);
/** The entry of the backup whose document has that ID; NULL without an error: there is none. */
json_t *bp_v1__look_id(const bp_v1_look *look, const char *id, GError **error);

/* -- jobs: v1_jobs.c */

/** The newest of `jobs` that makes or deletes that backup; borrowed, or NULL. */
const json_t *bp_v1__job_of(const json_t *jobs, const char *name, const char *storage);

/**
 * A new job under a key, which other jobs may have had; without one where it cannot be one.
 * Errors: as bp_supervisor_submit.  Returns: (transfer full) (nullable) as bp_jobs_get
 */
json_t *bp_v1__submit(bp_service *service, const bp_v1_call *call, const json_t *request,
                      const char *key, GError **error);
/** Until it is over, or the server ends.  NULL when it cannot be looked at any more. */
json_t *bp_v1__wait(bp_service *service, const bp_v1_call *call, const json_t *job, GError **error);

/** The job with that key; NULL when there is none.  Returns: (transfer full) (nullable) */
json_t *bp_v1__job_with_key(bp_service *service, const char *prefix, const char *id);
#define BP_V1_KEY_CREATE "v1/create/"
#define BP_V1_KEY_RESTORE "v1/restore/"

/** Selection and names of a request can be understood.  INVALID. */
bool bp_v1__check_request(const json_t *request, GError **error);

/* -- the operations */

json_t *bp_v1__create(bp_service *service, const bp_v1_call *call);
json_t *bp_v1__get(bp_service *service, const bp_v1_call *call);
json_t *bp_v1__list(bp_service *service, const bp_v1_call *call);
json_t *bp_v1__delete(bp_service *service, const bp_v1_call *call);
json_t *bp_v1__restore(bp_service *service, const bp_v1_call *call);
json_t *bp_v1__get_restore(bp_service *service, const bp_v1_call *call);
json_t *bp_v1__check(bp_service *service, const bp_v1_call *call);

#endif
