/* SPDX-License-Identifier: Apache-2.0
 *
 * What a job is to do, as a JSON object: the one form that the command line makes from its flags,
 * a server from a request, and that a job's record keeps.  No secrets belong into it.
 *
 *     {"verb": "create", "name": "nightly", "filter": "shop.*", "settings": ["prove=read"]}
 *
 * verb      members (all may be missing, but for `name` where the verb needs it)
 * create    name label storage filter collections databases database_collections settings
 *           resume replace dry_run meta_only
 * copy      name from to settings resume replace dry_run
 * restore   name storage filter collections databases database_collections rename suffix
 *           settings dry_run force continue_on_error meta_only
 * delete    name storage force
 * verify    name storage deep
 * prune     keep_last keep_within_ms dry_run foreign
 *
 * Texts mean what the flags of that name mean; `settings` is a list of "key=value" of the section
 * of the configuration that the verb obeys; `label` names the series that a backup is
 * one of (bp_label_check); `storage` is the name of a configured storage that the
 * backup lies on, without it `backup.storage`.  Any thread; nothing is kept.
 */
#ifndef BP_CORE_JOBS_REQUEST_H
#define BP_CORE_JOBS_REQUEST_H

#include <jansson.h>

#include "core/verb/verb.h"

/** INVALID names the member that is unknown, missing or of the wrong type. */
bool bp_request_check(const json_t *request, GError **error);

/**
 * What of a valid request can be told to be wrong without a connection: the name of a new backup,
 * its label, names of units and storages, settings.  Errors: as the verb would raise them, nearly
 * always INVALID.  The workspace's main thread.
 */
bool bp_request_check_early(bp_workspace *workspace, const json_t *request, GError **error);

/** "key=value" texts of its settings, borrowed, up to NULL.  Returns: (transfer container) */
GPtrArray *bp_request_settings(const json_t *request);

/**
 * The same with all that is made up for it: a backup without a name gets it now, so that the job's
 * record has it.  Returns: (transfer full)
 */
json_t *bp_request_complete(const json_t *request);

/** Writes to a storage or into a source: such a job is registered. */
bool bp_request_writes(const json_t *request);

/**
 * Do it on the calling thread, as job.h says.  @request: borrowed; INVALID as bp_request_check.
 * Errors and outcome: the verb's.
 */
bp_verb_outcome bp_request_run(const bp_verb *verb, const json_t *request, GError **error);

/**
 * The end of a result: members outcome, notes and error.  To be said once more when more notes
 * have come.  @error: NULL unless it failed.
 */
void bp_result_finish(json_t *result, bp_verb_outcome outcome, bp_monitor *monitor,
                      const GError *error);

#endif
