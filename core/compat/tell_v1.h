/* SPDX-License-Identifier: Apache-2.0
 *
 * What we know of backups and jobs, as messages of milvus-backup's service (messages_v1.h).  Times
 * of backups are in milliseconds, of restores in seconds, as there.  Pure; any thread.
 */
#ifndef BP_CORE_COMPAT_TELL_V1_H
#define BP_CORE_COMPAT_TELL_V1_H

#include <jansson.h>

#include "core/config/config.h"

/** The document of a backup that bp_v1_tell_document takes. */
extern const char bp_v1_document[];

/** BackupTaskStateCode and RestoreTaskStateCode. */
typedef enum {
    BP_V1_INITIAL = 0,
    BP_V1_EXECUTING = 1,
    BP_V1_DONE = 2,
    BP_V1_FAILED = 3,
} bp_v1_state;

/** Of a job, as bp_jobs_get gives it. */
bp_v1_state bp_v1_state_of_job(const json_t *job);

typedef struct bp_v1_told {
    const char *id;      /* instead of the document's, or NULL */
    const json_t *entry; /* of the backup, as bp_verb_list gives it */
    bool simple;         /* without partitions and segments */
} bp_v1_told;

/** BackupInfo of a backup that is whole, from its document.  CORRUPT.  Returns: (transfer full) */
json_t *bp_v1_tell_document(const char *text, gsize n, const bp_v1_told *told, GError **error);
/** The same from its entry alone, whole or not. */
json_t *bp_v1_tell_entry(const bp_v1_told *told);
/** The same of a job that makes one, as bp_jobs_get gives it. */
json_t *bp_v1_tell_create(const json_t *job);

/** RestoreBackupTaskResponse of a job.  @id: of the task. */
json_t *bp_v1_tell_restore(const json_t *job, const char *id);

/** Why a job failed, or what it could not prove; NULL when all is well.  Returns: (transfer full)
 */
char *bp_v1_tell_problem(const json_t *job);

/** What `check` says.  @result: of bp_verb_check.  Returns: (transfer full) */
char *bp_v1_tell_check(const json_t *result, const bp_config_tree *config, bool done);

#endif
